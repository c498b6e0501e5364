"""A unit's figures wave by wave: nothing crosses a break, nothing published enters an estimate."""

from datetime import date
from itertools import pairwise

import pytest
import two_waves
from small_wave import LAI_CHAU, NOW, SURVEY, TUYEN_QUANG

from analysis.sipas import wave_result
from survey import db, series
from survey import external as external_file
from survey.store import external

_act = {"now": NOW, "actor": "shell:test"}


@pytest.fixture
def store(settings):
    held = db.connect(settings.database)
    yield held
    held.close()


def add_published(store):
    figures = external_file.read(external_file.PUBLISHED.read_text("utf-8"), store).figures
    external.add(store, figures, name="published.csv", digest="x", **_act)


def test_two_waves_of_a_series_are_points_with_the_figures_of_their_results(store):
    two_waves.make(store)
    found = series.trend(store, "", "sipas")

    assert [point.wave for point in found.points] == [two_waves.EARLIER, SURVEY]
    for point in found.points:
        total = wave_result(store, point.wave).total
        assert (point.value, point.low, point.high, point.n) == (
            total.value, total.low, total.high, total.n,
        )  # fmt: skip


def test_a_unit_has_its_own_trend(store):
    two_waves.make(store)
    found = series.trend(store, LAI_CHAU, "sipas")

    assert found.points[-1].value == wave_result(store, SURVEY, scope=LAI_CHAU).total.value


def test_until_cuts_the_trend(store):
    two_waves.make(store)

    assert [p.year for p in series.trend(store, "", "sipas", until=date(2025, 12, 31)).points] == [
        2025
    ]


def test_published_figures_stand_beside_and_change_no_estimate(store):
    two_waves.make(store)
    before = wave_result(store, SURVEY), series.changes(store, "", "sipas")
    add_published(store)
    after = wave_result(store, SURVEY), series.changes(store, "", "sipas")

    assert before == after
    found = series.trend(store, "", "sipas")
    assert [(p.year, p.value) for p in found.points if p.source][:2] == [
        (2018, 0.8299), (2019, 0.8445),
    ]  # fmt: skip
    for line in found.lines():
        assert len({point.ours for point in line}) == 1


def test_no_line_crosses_2022(store):
    two_waves.make(store)
    add_published(store)
    found = series.trend(store, "", "sipas")

    assert 2022 in [b.year for b in found.breaks]
    for line in found.lines():
        assert not any(a.year < 2022 <= b.year for a, b in pairwise(line))
    runs = [[p.year for p in line] for line in found.lines() if line[0].source]
    assert runs == [[2018, 2019, 2020, 2021], [2022, 2023, 2024]]


def test_a_year_without_figures_keeps_its_place(store):
    two_waves.make(store, year=2023, key="ho-2023")
    found = series.trend(store, "", "sipas")

    assert [(p.year, p.value is None) for p in found.points] == [
        (2023, False), (2024, True), (2025, True), (2026, False),
    ]  # fmt: skip


def test_the_same_villages_share_their_error(store):
    two_waves.make(store)
    [change] = series.changes(store, "", "sipas")
    total = change.differences.of("total")

    assert change.differences.overlap == 1
    assert change.differences.joint
    assert total.value == pytest.approx(change.now.value - change.before.value)
    assert total.published == pytest.approx(
        round(round(change.now.value, 4) - round(change.before.value, 4), 4)
    )


def test_other_villages_are_independent(store):
    two_waves.make(store, villages="khac-")
    [change] = series.changes(store, "", "sipas")

    assert change.differences.overlap == 0
    assert not change.differences.joint


def test_a_declared_break_forbids_the_change_and_says_why(store):
    two_waves.make(store)
    with db.write(store):
        store.execute(
            "INSERT INTO method_break (series, year, reason) VALUES ('sipas', 2026, 'Đổi phiếu')"
        )
    [change] = series.changes(store, "", "sipas")

    assert (change.differences, change.why, change.reason) == (None, "break", "Đổi phiếu")
    assert [[p.year for p in line] for line in series.trend(store, "", "sipas").lines()] == [
        [2025], [2026],
    ]  # fmt: skip


def test_another_index_method_is_a_break_that_nobody_had_to_declare(store):
    two_waves.make(store, index_method="scaled")
    found = series.trend(store, "", "sipas")

    assert [(b.year, b.reason) for b in found.breaks] == [(2026, series.OTHER_METHOD)]
    assert series.changes(store, "", "sipas")[0].differences is None


def test_drafts_and_trials_are_in_no_trend(store):
    two_waves.make(store)
    with db.write(store):
        store.execute("UPDATE wave SET trial_of = :of WHERE key = 'ho-2025'", {"of": SURVEY})

    assert [p.wave for p in series.trend(store, "", "sipas").points] == [SURVEY]


def test_a_wave_without_a_series_is_one_by_itself(store):
    assert series.of(store, SURVEY) == SURVEY
    assert len(series.trend(store, TUYEN_QUANG, SURVEY).points) == 1


def test_units_change_together_adjusted_over_them_all(store):
    two_waves.make(store)
    before, now = series.load(store, "sipas")
    found = series.unit_changes(now, before, [TUYEN_QUANG, LAI_CHAU, "vn34:01"])

    assert list(found) == [TUYEN_QUANG, LAI_CHAU]
    for unit, change in found.items():
        assert change.value == pytest.approx(
            wave_result(store, SURVEY, scope=unit).total.value
            - wave_result(store, two_waves.EARLIER, scope=unit).total.value
        )


def test_a_merged_province_has_no_series_of_before(store):
    assert series.names(store, "vn34:01") == ["vn34:01", "vn63:01"]  # Hà Nội stayed what it was
    assert series.names(store, "vn34:08") == ["vn34:08"]  # Tuyên Quang and Hà Giang
    assert series.names(store, "") == []


def test_a_wave_of_one_province_has_nothing_of_the_country_beside_it(store):
    add_published(store)
    with db.write(store):
        store.execute("UPDATE sample_psu SET unit = :unit", {"unit": TUYEN_QUANG})
    [wave] = series.load(store, SURVEY)

    assert series.place(wave, "") == TUYEN_QUANG
    assert not [p for p in series.trend(store, "", SURVEY).points if p.source]


def test_items_of_another_questionnaire_are_compared_through_its_lineage_only(store):
    """The form of 2022 has other items: 20 are the same, so no composite of them is."""
    from analysis.trend import common
    from forms.questionnaire import lineage, load

    schemes = [series_scheme(load(key)) for key in ("sipas-2026.1", "sipas-2022.1")]
    same = lineage("sipas-2026.1", "sipas-2022.1")
    found = common(schemes[0], schemes[1], same)

    assert set(found.scheme.items) == {new for new in same if new in schemes[0].items}
    assert "total" not in found.scheme.ids
    for mine, theirs in zip(found.now.tolist(), found.before.tolist(), strict=True):
        names = schemes[0].names[mine], schemes[1].names[theirs]
        assert same.get(names[0], names[0]) == names[1]


def series_scheme(questionnaire):
    from analysis.index import scheme

    return scheme(
        [item.id for item in questionnaire.items if item.factor],
        {f.id: list(f.items) for f in questionnaire.factors},
        {area.id: area.factors for area in questionnaire.areas},
    )


def test_two_waves_of_a_year_have_names_of_their_own(store):
    two_waves.make(store, year=2026, key="ho-2026-dau-nam")

    assert [p.label for p in series.trend(store, "", "sipas").points] == ["2026/1", "2026/2"]
    assert len(series.changes(store, "", "sipas")) == 1
