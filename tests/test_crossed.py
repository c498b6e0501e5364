"""Cross products kept of a wave: they follow its answers, and give the drivers of its rows."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest
import stored
from small_wave import COUNTER, NOW

from analysis import crossed, drivers, reader
from analysis.frame import frame
from analysis.tally import composites
from forms.questionnaire import load
from survey import db
from survey.board import crossing
from survey.store import crossed as store
from survey.store import responses

#: The items of the short form, the overall one last.
ASKED = ("m1", "m2", "m3", "m4", "m5", "m_all")


@pytest.fixture
def sample():
    with stored.database() as made:
        stored.wave(made, questionnaire="mot-cua-2026.1")
        for p in range(16):
            stored.psu(made, f"p{p}", "SR"[p % 2], ("vn34:01", "vn34:08")[p // 8])
        rng = np.random.default_rng(3)
        for n in range(360):
            good = rng.integers(2, 6)
            answers = {k: int(np.clip(good + rng.integers(-1, 2), 1, 5)) for k in ASKED}
            if n % 9 == 0:
                answers["m2"] = 9
            stored.answer(made, answers, psu=f"p{n % 16}", weight=1.0 + n % 3)
        yield made


def kept(base, step=50):
    found = {}
    for more, _ in crossed.pieces(base, "w", 0, step=step):
        found = crossed.added(found, more)
    return found


def test_sums_in_pieces_are_those_in_one_go(sample):
    one, many = kept(sample, 10_000), kept(sample, 7)

    assert one.keys() == many.keys()
    for place, held in one.items():
        assert (held.people, held.dropped) == (many[place].people, many[place].dropped)
        assert np.allclose(held.sums, many[place].sums, rtol=1e-12)


def test_the_map_is_that_of_the_rows(sample):
    found = crossed.found(sample, "w", kept(sample))
    of = reader.wave(sample, "w")
    how = frame(of, load(of.questionnaire))
    item = crossed.overall_item(of)
    columns = how.questionnaire.columns
    place = [c.id for c in columns].index(item)
    [block] = reader.blocks(sample, of, len(columns), "valid", (0, 10_000), dated=False)
    own, known = composites(how.layout, block.codes[:, how.layout.items])
    factors = [c for c, kind in enumerate(how.scheme.kinds) if kind == "factor"]
    values = np.where(known[:, factors], own[:, factors], np.nan)
    code = block.codes[:, place]
    points = np.concatenate([[0], how.layout.points])
    overall = np.where(code <= 5, points[np.where(code <= 5, code, 0)], np.nan)
    from analysis.study import study

    ready = study(sample, of, load(of.questionnaire))
    at = {k.psu: p for k, p in zip(ready.answers.cells.keys, ready.tally.psu.tolist(), strict=True)}
    psu = np.array([at[name] for name in block.psu])
    made = drivers.importance(
        ready.design, psu, block.weight, overall, values, names=[str(f) for f in factors]
    )

    assert [p.importance for p in found.points] == pytest.approx(made.share.tolist(), rel=1e-9)
    assert [p.importance_low for p in found.points] == pytest.approx(made.low.tolist(), rel=1e-9)
    assert (found.n, found.dropped) == (made.n, made.dropped)
    assert found.r2 == pytest.approx(made.r2)


def test_importances_add_to_one_and_a_scope_has_its_own(sample):
    whole = crossed.found(sample, "w", kept(sample))
    one = crossed.found(sample, "w", kept(sample), scope="vn34:01")

    for found in (whole, one):
        assert sum(p.importance for p in found.points) == pytest.approx(1)
    assert one.n < whole.n


def test_an_unknown_scope_is_not_found(sample):
    with pytest.raises(LookupError):
        crossed.found(sample, "w", kept(sample), scope="vn34:none")


def test_too_few_answers_have_no_map():
    with stored.database() as base:
        stored.wave(base, questionnaire="mot-cua-2026.1", kind="self_selected")
        for n in range(12):
            stored.answer(base, {k: 1 + (n + len(k)) % 5 for k in ASKED})
        with pytest.raises(crossed.Untold, match="few"):
            crossed.found(base, "w", kept(base))


def test_everybody_alike_has_no_map():
    with stored.database() as base:
        stored.wave(base, questionnaire="mot-cua-2026.1", kind="self_selected")
        for _ in range(40):
            stored.answer(base, dict.fromkeys(ASKED, 5))
        with pytest.raises(crossed.Untold, match="constant"):
            crossed.found(base, "w", kept(base))


def test_shares_without_a_design_are_those_with_one():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(200, 4))
    values[:, 0] = values[:, 1:] @ [3.0, 2.0, 1.0] + rng.normal(size=200)
    rows = np.column_stack([np.ones(200), values])
    covariance = drivers.centred((rows.T @ rows)[None])[0]
    share, correlation, r2 = drivers.shares(covariance, ["a", "b", "c"])

    assert share.sum() == pytest.approx(1)
    assert (np.diff(share) < 0).all()
    assert correlation[0] == pytest.approx(np.corrcoef(values[:, 0], values[:, 1])[0, 1])
    assert 0 < r2 < 1


def people(app):
    with app.app_context():
        return sum(one.people for one in crossing.kept(COUNTER).places.values())


def test_what_came_is_added_and_an_edit_is_made_anew(app, settings):
    assert people(app) == 40
    with closing(db.connect(settings.database)) as base:
        held = store.mark(base, COUNTER)
        seq = base.execute("SELECT seq FROM response WHERE wave = ?", [COUNTER]).fetchone()[0]
        responses.judge(base, seq, "void", "burst", now=NOW, actor="shell:test")
    assert people(app) == 39
    with closing(db.connect(settings.database)) as base:
        assert store.mark(base, COUNTER).edits > held.edits


def test_a_slow_sum_is_made_anew_behind_the_reader(app, settings, monkeypatch):
    assert people(app) == 40
    monkeypatch.setattr(crossing, "SLOW", -1)
    with closing(db.connect(settings.database)) as base:
        seq = base.execute("SELECT seq FROM response WHERE wave = ?", [COUNTER]).fetchone()[0]
        responses.judge(base, seq, "void", "burst", now=NOW, actor="shell:test")
    with app.app_context():
        assert crossing.kept(COUNTER).older
    for thread in threading.enumerate():
        if thread.name.startswith("crossed"):
            thread.join(10)
    with app.app_context():
        assert crossing.kept(COUNTER).older == ""
    assert people(app) == 39


def test_who_comes_second_keeps_nothing(app, settings):
    with closing(db.connect(settings.database)) as base:
        old = store.mark(base, COUNTER)
        crossing.refresh(base, COUNTER)
        assert store.keep(base, COUNTER, [], held=old, to=old, anew=True) is False
        assert len(store.rows(base, COUNTER)) == 1


def test_a_map_is_drawn_where_nothing_can_be_written(app, settings):
    lock = settings.database.with_name(db.LOCK)
    lock.unlink(missing_ok=True)
    lock.mkdir()
    assert people(app) == 40


def test_the_first_sum_of_a_large_wave_is_made_behind_the_reader(staff, monkeypatch):
    monkeypatch.setattr(crossing, "MANY", 10)
    first = staff.get(f"/board/{COUNTER}/drivers").text
    for thread in threading.enumerate():
        if thread.name.startswith("crossed"):
            thread.join(10)

    assert "Đang tính lần đầu" in first
    assert "Tầm quan trọng cộng lại bằng 100%" in staff.get(f"/board/{COUNTER}/drivers").text
