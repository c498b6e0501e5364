"""What an annual report says beside the result: the same figures, places with ranges, groups."""

import io
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import two_waves
import weighted_wave
from small_wave import LAI_CHAU, NOW, SURVEY, TUYEN_QUANG

from analysis import annual, parts
from analysis.people import people
from analysis.report import model
from analysis.sipas import wave_result
from survey import db, series
from survey.reporting import annual as facts
from survey.reporting import kinds
from survey.store import Refused, waves, weighting
from survey.weighting import weights as made

ON = date(2026, 11, 22)


@pytest.fixture
def store(settings):
    held = db.connect(settings.database)
    yield held
    held.close()


def loaded(store, key=SURVEY):
    [wave] = [w for w in series.load(store, series.of(store, key)) if w.member.key == key]
    return wave


def everything(wave):
    return np.arange(wave.study.answers.unit.size)


def test_every_figure_of_a_unit_is_that_of_its_own_result(store):
    wave = loaded(store)
    found = annual.units(wave.study, wave.units, [], everything(wave), "")

    assert {u.unit for u in found} == {TUYEN_QUANG, LAI_CHAU}
    for unit in found:
        own = wave_result(store, SURVEY, scope=unit.unit)
        assert unit.figures == own.figures
        assert unit.others == own.others


def test_places_and_marks_are_those_of_the_result(store):
    wave = loaded(store)
    found = annual.units(wave.study, wave.units, [], everything(wave), "")

    for unit, peer in zip(found, wave_result(store, SURVEY).units, strict=True):
        [place] = unit.places
        assert (unit.unit, place.rank, place.low, place.high) == (
            peer.unit, peer.rank, peer.rank_low, peer.rank_high,
        )  # fmt: skip
        assert place.low <= place.rank <= place.high


def areas(store, wave):
    from survey.store.series import areas as drawn

    known = drawn(store, wave.member.key)
    keys = wave.study.answers.cells.keys
    return np.array([known[key.psu] for key in keys], dtype=object)


def cut_by_area(store, wave):
    """Town and country twice: from whole cells, and as if every person had been asked."""
    ready, of = wave.study, everything(wave)
    area = areas(store, wave)
    cells = [np.flatnonzero(area == name) for name in ("urban", "rural")]
    whole = annual.grouped(ready, ["1", "2"], cells, of)
    rows = people(store, ready, of)
    psu_area = dict(zip(ready.tally.psu.tolist(), area.tolist(), strict=True))
    codes = rows.codes.copy()
    codes[:, 0] = [1 if psu_area[p] == "urban" else 2 for p in rows.psu.tolist()]
    rows = replace(rows, codes=codes)
    asked = annual._by(ready, rows, 0, {1: "1", 2: "2"}, ready.estimates(of))
    return whole, asked


def same(one, other):
    for a, b in zip(one, other, strict=True):
        assert (a.label, a.n, a.mark) == (b.label, b.n, b.mark)
        for f, g in zip(a.figures, b.figures, strict=True):
            assert (f.value, f.se, f.low, f.high) == pytest.approx((g.value, g.se, g.low, g.high))
            assert (f.n, f.df, f.flags) == (g.n, g.df, g.flags)


def test_groups_of_persons_have_the_figures_of_groups_of_villages(store):
    same(*cut_by_area(store, loaded(store)))


def test_calibrated_groups_have_the_error_of_residuals(store):
    weighted_wave.make(store)
    from analysis.weights.making import Settings

    found = made.preview(store, weighted_wave.WAVE, Settings(method="rake"))
    weighting.put(
        store, weighted_wave.WAVE, found.rows, settings=found.settings, report=found.report,
        **weighted_wave.ACT,
    )  # fmt: skip
    wave = loaded(store, weighted_wave.WAVE)

    assert wave.study.regression is not None
    same(*cut_by_area(store, wave))


def test_a_scope_groups_its_own_people_only(store):
    wave = loaded(store)
    inside = parts.inside(wave.units, wave.study.answers, TUYEN_QUANG)
    found = dict(annual.who(store, wave.study, inside))
    n = wave.study.answers.people(inside)

    assert found == {}  # everybody of the small wave is of one sex and one age
    assert people(store, wave.study, inside).inside.sum() == n


def ask(name, **more):
    return kinds.Ask(name, ON, **({"wave": SURVEY} | more))


@pytest.mark.parametrize("name", ["annual", "league", "accounting", "par"])
def test_every_kind_is_made_of_the_same_figures(store, name):
    two_waves.make(store)
    report = kinds.build(store, ask(name))

    assert report.source == wave_result(store, SURVEY)
    assert report.synthetic
    assert report.created == ON
    assert report.sheets


def test_the_annual_report_of_a_unit_places_it_in_the_whole(store):
    two_waves.make(store)
    report = kinds.build(store, ask("annual", unit=TUYEN_QUANG))
    words = " ".join(b.text for b in report.blocks if hasattr(b, "text"))

    assert report.source.scope == TUYEN_QUANG
    assert "trên 2 đơn vị" in words
    assert "tỉnh Tuyên Quang" in words


def test_changes_of_units_are_those_of_the_two_results(store):
    two_waves.make(store)
    wave = waves.get(store, SURVEY)
    result, now, before, _ = facts.gathered(store, ask("annual", wave=wave.key))
    found = facts.units(store, result, now, before)

    for unit in found:
        earlier = wave_result(store, two_waves.EARLIER, scope=unit.unit).total.value
        assert unit.change.value == pytest.approx(unit.total.value - earlier)
        ranks = {u.unit: u.rank for u in wave_result(store, two_waves.EARLIER).units}
        assert unit.moved == ranks[unit.unit] - unit.places[0].rank


def test_no_change_is_told_across_a_break(store):
    two_waves.make(store)
    with db.write(store):
        store.execute(
            "INSERT INTO method_break (series, year, reason) VALUES ('sipas', 2026, 'Đổi phiếu')"
        )
    result, now, before, _ = facts.gathered(store, ask("annual"))
    report = kinds.build(store, ask("annual"))
    words = " ".join(b.text for b in report.blocks if hasattr(b, "text"))

    assert all(
        u.change is None and u.moved is None for u in facts.units(store, result, now, before)
    )
    assert "Không so sánh với năm 2025: Đổi phiếu" in words
    assert "có ý nghĩa thống kê); " not in words


@pytest.mark.parametrize("name", ["annual", "league", "accounting", "par"])
def test_an_empty_wave_has_nothing_to_report(store, name):
    empty = replace(waves.get(store, SURVEY), key="trong-2026", name="Trống")
    waves.new(store, empty, now=NOW, actor="shell:test")

    with pytest.raises(Refused, match="report_empty"):
        kinds.build(store, ask(name, wave="trong-2026"))


@pytest.mark.parametrize("name", ["annual", "league", "accounting", "par"])
def test_self_selected_answers_have_a_report_of_their_own(store, name):
    with pytest.raises(Refused, match="report_self_selected"):
        kinds.build(store, ask(name, wave="quay-2026"))


def test_a_trial_is_reported_nowhere(store):
    with db.write(store):
        store.execute("UPDATE wave SET trial_of = 'x' WHERE key = :key", {"key": SURVEY})

    with pytest.raises(Refused):
        kinds.build(store, ask("annual"))


def test_points_of_a_unit_that_is_not_ranked_are_refused(store):
    with pytest.raises(Refused, match="report_not_ranked"):
        kinds.build(store, ask("par", unit="vn34:01"))


def test_a_published_figure_stands_beside_and_moves_no_point(store):
    from survey import external
    from survey.store import external as published

    before = kinds.build(store, ask("par", unit=TUYEN_QUANG))
    text = (
        "measure,unit,year,value,source,dated,most\n"
        "self_score,vn34:08,2026,9.9,Sở Nội vụ,2026-11-20,10\n"
    )
    found = external.read(text, store).figures
    published.add(store, found, name="a", digest="x", now=NOW, actor="shell:test")
    after = kinds.build(store, ask("par", unit=TUYEN_QUANG))

    assert after.sheets == before.sheets
    assert after.source == before.source
    assert any("9,9/10" in str(block) for block in after.blocks)
    assert not any("9,9/10" in str(block) for block in before.blocks)


def test_two_channels_are_compared_inside_the_same_units_and_said(store):
    with db.write(store):
        store.execute("UPDATE response SET channel = 'phone' WHERE wave = :w AND seq % 2 = 0",
                      {"w": SURVEY})  # fmt: skip
    wave = loaded(store)
    found = annual.modes(wave.study, wave.units, everything(wave), "")
    report = kinds.build(store, ask("annual"))
    words = " ".join(b.text for b in report.blocks if hasattr(b, "text"))

    assert {found.first, found.second} == {"post", "phone"}
    assert found.effect.matched_first == found.effect.matched_second == pytest.approx(1)
    assert "chỉ số không hiệu chỉnh theo kênh" in words


def test_one_channel_has_no_mode_effect(store):
    wave = loaded(store)

    assert annual.modes(wave.study, wave.units, everything(wave), "") is None


def test_a_calibrated_wave_is_reported_whole(store):
    weighted_wave.make(store)
    from analysis.report import pdf
    from analysis.weights.making import Settings

    found = made.preview(store, weighted_wave.WAVE, Settings(method="rake"))
    weighting.put(
        store, weighted_wave.WAVE, found.rows, settings=found.settings, report=found.report,
        **weighted_wave.ACT,
    )  # fmt: skip
    report = kinds.build(store, ask("annual", wave=weighted_wave.WAVE))
    groups = next(s for s in report.sheets if s.name == "Nhóm người trả lời")

    assert {row[0] for row in groups.rows} >= {"Giới tính", "Độ tuổi", "Thành thị, nông thôn"}
    assert pdf.write(report, io.BytesIO()) > 20


def test_a_wave_without_one_before_is_reported_alone(store):
    report = kinds.build(store, ask("annual", unit=LAI_CHAU))

    assert report.source.scope == LAI_CHAU


def test_the_counter_report_says_what_to_improve_first(store):
    report = kinds.build(store, ask("counter", wave="quay-2026"))
    words = " ".join(b.text for b in report.blocks if hasattr(b, "text"))
    [plane] = [b for b in report.blocks if isinstance(b, model.Scatter)]

    assert "IV. ƯU TIÊN CẢI THIỆN" in words
    assert all(spot.x_interval is None for spot in plane.spots)  # nobody was drawn
    assert sum(spot.x for spot in plane.spots) == pytest.approx(1)
    assert report.source == wave_result(store, "quay-2026")
