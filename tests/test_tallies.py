"""Folding: every response once, whoever interrupts, edits or folds at the same time."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import stored
from click.testing import CliRunner
from faults import ground
from faults.ground import ACT, NOW, incoming

from analysis.sipas import wave_result
from survey import db, tallies
from survey.cli import main
from survey.store import responses, tally


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path)


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def came(store, place, n=12, days=3):
    """Store n answers of several days, levels and counters, some with a blank."""
    doors = [replace(place.door, service="Hộ tịch"), replace(place.door, counter=None)]
    for k in range(n):
        response = incoming(doors[k % 2], m1=1 + k % 5, m2=9 if k % 4 == 0 else 3)
        at = NOW + timedelta(days=k % days)
        responses.bulk(store, [response], received_at=at)


def cells(store):
    """All that is counted; sums of fractions may differ in the last digit."""
    rows = store.execute(
        "SELECT psu, day, channel, flagged, people, counts, persons, first_seq, last_seq"
        " FROM tally ORDER BY wave, day, psu, channel, flagged"
    )
    return [tuple(row) for row in rows], tally.days(store, "quay")


def small_pieces(monkeypatch, size=5):
    monkeypatch.setattr(tallies, "STEP", size)


def figures(store, wave="quay"):
    found = wave_result(store, wave)
    return [(f.id, f.value, f.n) for f in found.figures], found.flagged, found.void


def test_what_came_is_folded_once(store, place):
    came(store, place)

    assert tallies.refresh(store, "quay") == 12
    assert tallies.refresh(store, "quay") == 0
    assert tallies.faults(store) == []


def test_folding_in_pieces_gives_what_folding_in_one_go_gives(store, place, monkeypatch):
    came(store, place)
    tallies.refresh(store, "quay")
    whole = cells(store)
    tally.reset(store, tally.mark(store, "quay"), "")
    small_pieces(monkeypatch)
    told = []
    tallies.refresh(store, "quay", progress=told.append)

    assert len(told) == 3
    assert told[-1] == 12
    assert cells(store) == whole
    assert tallies.faults(store) == []


def test_answers_that_come_between_two_folds_are_added(store, place):
    came(store, place)
    tallies.refresh(store, "quay")
    came(store, place, 7)

    assert tallies.refresh(store, "quay") == 7
    assert tallies.faults(store) == []
    assert responses.counts(store, "quay").total == 19


def test_an_interrupted_fold_leaves_whole_pieces_and_is_taken_up_again(store, place, monkeypatch):
    came(store, place)
    small_pieces(monkeypatch)

    def pull_the_plug(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tallies.refresh(store, "quay", progress=pull_the_plug)
    assert 0 < tally.mark(store, "quay").seq < 12
    assert tallies.faults(store) == []
    assert tallies.refresh(store, "quay") == 12 - 5
    assert tallies.faults(store) == []


def test_a_full_disk_in_the_middle_leaves_whole_pieces(store, place, monkeypatch):
    came(store, place)
    small_pieces(monkeypatch)
    store.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON tally_mark WHEN new.seq > 5"
        " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
        tallies.refresh(store, "quay")
    store.execute("DROP TRIGGER full")

    assert tally.mark(store, "quay").seq == 5
    assert tallies.faults(store) == []
    assert tallies.refresh(store, "quay") == 7


def test_many_who_fold_at_once_count_each_response_once(store, place, monkeypatch):
    came(store, place, 60)
    small_pieces(monkeypatch, 4)

    def fold(_):
        with place.connect() as own:
            return tallies.refresh(own, "quay")

    with ThreadPoolExecutor(4) as crowd:
        done = list(crowd.map(fold, range(4)))
    assert sum(done) == 60
    assert tallies.faults(store) == []
    assert responses.counts(store, "quay").total == 60


@pytest.mark.parametrize("state", ["flagged", "void"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_edit_is_in_the_tallies_whenever_it_came(store, place, state, when):
    came(store, place)
    if when == "after":
        tallies.refresh(store, "quay")
    for seq in (2, 3):
        responses.judge(store, seq, state, "thử", **ACT)
    before = figures(store)
    tallies.refresh(store, "quay")

    assert tallies.faults(store) == []
    assert tally.dirty(store, "quay") == []
    assert figures(store) == before
    assert getattr(responses.counts(store, "quay"), state) == 2


def test_an_edit_while_a_piece_is_folded_is_not_lost(store, place, monkeypatch):
    came(store, place)
    small_pieces(monkeypatch)
    edits = iter([7, 8])

    def edit(done):
        for seq in edits:
            with place.connect() as other:
                responses.judge(other, seq, "void", "thử", **ACT)
            break

    tallies.refresh(store, "quay", progress=edit)

    assert tallies.faults(store) == []
    assert responses.counts(store, "quay").void == 2


def test_a_response_made_valid_again_is_counted_again(store, place):
    came(store, place)
    tallies.refresh(store, "quay")
    whole = figures(store)
    responses.judge(store, 1, "void", "thử", **ACT)
    tallies.refresh(store, "quay")
    assert figures(store) != whole
    responses.judge(store, 1, "valid", "nhầm", **ACT)
    tallies.refresh(store, "quay")

    assert tallies.faults(store) == []
    assert figures(store) == whole


def test_a_response_that_was_void_when_it_was_folded_can_be_made_valid(store, place):
    came(store, place)
    for seq in (1, 12):  # the first and the last of their days
        responses.judge(store, seq, "void", "thử", **ACT)
    tallies.refresh(store, "quay")
    for seq in (1, 12):
        responses.judge(store, seq, "valid", "nhầm", **ACT)
    before = figures(store)
    tallies.refresh(store, "quay")

    assert tallies.faults(store) == []
    assert figures(store) == before
    assert responses.counts(store, "quay").valid == 12


def test_another_rule_of_the_wave_is_folded_anew(store, place):
    came(store, place)
    tallies.refresh(store, "quay")
    store.execute("UPDATE wave SET index_method = 'scaled'")

    assert tallies.faults(store) == []  # nobody reads them any more
    assert tallies.refresh(store, "quay") == 12
    assert tallies.faults(store) == []


def test_figures_are_the_same_however_much_of_them_is_tallied(store, place):
    came(store, place)
    none = figures(store)
    tallies.refresh(store, "quay")
    every = figures(store)
    came(store, place, 5)
    some = figures(store)
    tallies.refresh(store, "quay")

    assert every == none
    assert figures(store) == some != none


def test_figures_can_be_read_where_nothing_can_be_written(store, place):
    came(store, place)
    tallies.refresh(store, "quay")
    came(store, place, 5)
    responses.judge(store, 1, "void", "thử", **ACT)
    with place.connect(readonly=True) as reading:
        seen = figures(reading)
        with pytest.raises(db.NotStored):
            tallies.refresh(reading, "quay")
    tallies.refresh(store, "quay")

    assert figures(store) == seen


def test_a_sampled_wave_is_folded_with_its_weights():
    with stored.database() as base:
        stored.wave(base, questionnaire="mot-cua-2026.1")
        for name in ("p1", "p2", "p3"):
            stored.psu(base, name, "S", "vn34:01", fpc=40)
        for k in range(30):
            stored.answer(base, {"m1": 1 + k % 5}, psu=f"p{1 + k % 3}", weight=1.5 + k)
        stored.answer(base, {"m1": 5})
        before = wave_result(base, "w")

        assert tallies.refresh(base, "w") == 31
        assert tallies.faults(base) == []
        after = wave_result(base, "w")
        assert after.total.value == pytest.approx(before.total.value, rel=1e-14)
        assert after.total.se == pytest.approx(before.total.se, rel=1e-12)
        assert (after.loose, after.figures[0].n) == (before.loose, before.figures[0].n) == (1, 30)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE tally SET people = people + 1 WHERE day = ''", "«vn34:08» (kiosk)"),
        (
            "UPDATE tally SET counts = zeroblob(length(counts)) WHERE day <> ''",
            "«3» ngày 22/11/2026",
        ),
        ("UPDATE tally SET counts = x'00'", "không đọc được"),
        ("DELETE FROM tally WHERE day = '2026-11-23'", "23/11/2026"),
        ("UPDATE tally_day SET n = n + 1 WHERE day = '2026-11-24'", "24/11/2026"),
        ("UPDATE tally_mark SET seq = seq - 1", "số phiếu ngày 24/11/2026"),
    ],
)
def test_a_tally_changed_behind_our_back_is_named_and_can_be_made_anew(store, place, change, named):
    came(store, place)
    tallies.refresh(store, "quay")
    store.execute(change)
    [fault] = tallies.faults(store)

    assert fault.startswith("Đợt quay: số cộng dồn không khớp phiếu trả lời: ")
    assert named in fault
    found = sipas(place, "check")
    assert found.exit_code == 1
    assert "sipas check --rebuild" in found.output
    assert sipas(place, "check", "--rebuild").exit_code == 0
    assert tallies.faults(store) == []


def sipas(place, *words):
    return CliRunner().invoke(main, ["--instance", str(place.settings.instance), *words])


def test_a_check_of_untallied_answers_finds_nothing_wrong_and_writes_nothing(store, place):
    came(store, place)
    found = sipas(place, "check")

    assert found.output == "Dữ liệu nguyên vẹn: 12 phiếu, không có lỗi\n"
    assert tally.mark(store, "quay") == tally.Mark("quay")


def test_a_wave_of_a_questionnaire_nobody_has_is_refused(store, place):
    came(store, place)
    store.execute("PRAGMA foreign_keys = OFF")
    store.execute("UPDATE wave SET questionnaire = 'none'")

    with pytest.raises(LookupError):
        tallies.refresh(store, "quay")
    assert sipas(place, "check").exit_code == 1
    assert sipas(place, "check", "--rebuild").exit_code == 1


def test_no_statement_of_a_dashboard_goes_through_the_responses(store, place):
    came(store, place, 40)
    tallies.refresh(store, "quay")
    seen = []
    with place.connect(readonly=True) as reading:
        reading.set_trace_callback(seen.append)
        responses.mark(reading, "quay")
        responses.counts(reading, "quay")
        wave_result(reading, "quay", comments=False)
        reading.set_trace_callback(None)
        plans = [
            (step[3], sql)
            for sql in seen
            if sql.lstrip().upper().startswith(("SELECT", "WITH")) and "response" in sql
            for step in reading.execute(f"EXPLAIN QUERY PLAN {sql}")
            if "response" in step[3] or step[3].startswith(("SCAN r", "SEARCH r "))
        ]
    ends = [sql for step, sql in plans if "MAX(seq)" in sql]

    assert plans
    assert ends
    for step, sql in plans:
        tail = "rowid>?" in step
        assert step.startswith("SEARCH"), (step, sql)
        one = "(case_id=?)" in step  # of a case that has no weight yet
        assert tail or one or "MAX(seq)" in sql, (step, sql)
