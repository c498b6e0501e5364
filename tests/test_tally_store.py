"""Tallies in the database: moved by one hand at a time, stale where a response was edited."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from sqlite3 import IntegrityError

import pytest
from faults import ground
from faults.ground import ACT, NOW, incoming

from analysis.reader import snapshot
from survey import db
from survey.store import responses, samples, tally, waves
from survey.store.tally import Mark, Place

RULE = "rule"
ROOM = Place("vn34:08|3", "2026-11-22")


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path)


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def came(store, place, n=1, **changes):
    """Store n responses; returns the number of the last."""
    responses.bulk(store, [incoming(place.door, **changes) for _ in range(n)])
    return store.execute("SELECT MAX(seq) FROM response").fetchone()[0]


def cell(people=1, psu=ROOM.psu, day="", **changes):
    return {
        "psu": psu, "day": day, "channel": "kiosk", "flagged": 0, "people": people,
        "weight": float(people), "squares": float(people), "counts": b"c", "sums": None,
        "square_sums": None, "persons": b"p", "moments": b"m", "first_seq": 1, "last_seq": 9,
    } | changes  # fmt: skip


def begun(store):
    return tally.reset(store, tally.mark(store, "quay"), RULE)


def people(store):
    return [row[0] for row in store.execute("SELECT people FROM tally ORDER BY day, psu")]


def judged(store, seq, state):
    responses.judge(store, seq, state, "thử", **ACT)


def test_a_wave_that_was_never_folded_has_an_empty_mark(store):
    assert tally.mark(store, "quay") == Mark("quay", "", 0, 0)
    assert tally.days(store, "quay") == []


def test_folded_cells_and_the_watermark_are_stored_together(store):
    moved = tally.add(store, begun(store), [cell(2)], [("2026-11-22", "kiosk", "valid", 2)], seq=2)

    assert moved == tally.mark(store, "quay") == Mark("quay", RULE, 2, 1)
    assert people(store) == [2]
    assert tally.days(store, "quay") == [("2026-11-22", "kiosk", "valid", 2)]


def test_a_later_fold_replaces_its_cells_and_adds_to_the_days(store):
    first = tally.add(store, begun(store), [cell(2)], [("2026-11-22", "kiosk", "valid", 2)], seq=2)
    tally.add(store, first, [cell(5)], [("2026-11-22", "kiosk", "valid", 3)], seq=5)

    assert people(store) == [5]
    assert tally.days(store, "quay") == [("2026-11-22", "kiosk", "valid", 5)]


def test_who_comes_second_writes_nothing(store):
    held = begun(store)
    tally.add(store, held, [cell(2)], [("2026-11-22", "kiosk", "valid", 2)], seq=2)

    assert tally.add(store, held, [cell(9)], [("2026-11-22", "kiosk", "valid", 9)], seq=9) is None
    assert tally.mend(store, held, [ROOM], [cell(9)]) is None
    assert tally.reset(store, held, "other") is None
    assert people(store) == [2]
    assert tally.days(store, "quay") == [("2026-11-22", "kiosk", "valid", 2)]


def test_a_fold_that_fails_moves_neither_cells_nor_watermark(store):
    held = begun(store)
    with pytest.raises(IntegrityError):
        tally.add(store, held, [cell(2), cell(3, flagged=7)], [], seq=2)

    assert people(store) == []
    assert tally.mark(store, "quay") == held


def test_an_edit_during_a_fold_makes_it_be_done_again(store, place):
    seq = came(store, place)
    held = begun(store)
    judged(store, seq, "void")

    assert tally.add(store, held, [cell(1)], [], seq=seq) is None


def test_another_rule_throws_the_tallies_of_its_wave_away_and_no_others(store):
    waves.new(store, ground.wave("khac"), **ACT)
    tally.add(store, begun(store), [cell(2)], [("2026-11-22", "kiosk", "valid", 2)], seq=2)
    other = tally.reset(store, tally.mark(store, "khac"), RULE)
    tally.add(store, other, [cell(7)], [], seq=3)
    again = tally.reset(store, tally.mark(store, "quay"), "another")

    assert again == Mark("quay", "another", 0, 2)
    assert people(store) == [7]
    assert tally.days(store, "quay") == []


def test_a_response_edited_before_it_was_folded_leaves_nothing_stale(store, place):
    seq = came(store, place)
    begun(store)
    judged(store, seq, "flagged")

    assert tally.dirty(store, "quay") == []


def test_a_response_edited_after_it_was_folded_makes_its_counter_and_day_stale(store, place):
    seq = came(store, place)
    tally.add(store, begun(store), [cell(1)], [("2026-11-22", "kiosk", "valid", 1)], seq=seq)
    judged(store, seq, "flagged")

    assert tally.dirty(store, "quay") == [ROOM]
    assert tally.days(store, "quay") == [("2026-11-22", "kiosk", "flagged", 1)]


def test_the_same_judgement_twice_is_one_edit(store, place):
    seq = came(store, place)
    tally.add(store, begun(store), [cell(1)], [("2026-11-22", "kiosk", "valid", 1)], seq=seq)
    judged(store, seq, "void")
    judged(store, seq, "void")

    assert tally.mark(store, "quay").edits == 2  # the reset and one edit
    assert tally.days(store, "quay") == [("2026-11-22", "kiosk", "void", 1)]


def test_a_judgement_that_fails_leaves_no_stale_place(store, place):
    seq = came(store, place)
    tally.add(store, begun(store), [cell(1)], [("2026-11-22", "kiosk", "valid", 1)], seq=seq)
    with pytest.raises(IntegrityError):
        judged(store, seq, "lost")

    assert tally.dirty(store, "quay") == []
    assert tally.days(store, "quay") == [("2026-11-22", "kiosk", "valid", 1)]


def test_mending_puts_new_cells_in_the_place_of_stale_ones(store, place):
    seq = came(store, place)
    cells = [cell(1, day=ROOM.day), cell(4, psu="vn34:12|", day=ROOM.day)]
    tally.add(store, begun(store), cells, [], seq=seq)
    judged(store, seq, "void")
    held = tally.mark(store, "quay")
    tally.mend(store, held, tally.dirty(store, "quay"), [cell(3, day=ROOM.day, flagged=1)])

    assert people(store) == [3, 4]
    assert tally.dirty(store, "quay") == []


def test_an_edit_of_a_sampled_answer_names_its_psu(store, place):
    waves.new(store, ground.wave("ho", kind="probability"), **ACT)
    village = {"wave": "ho", "psu": "p7", "stratum": "s", "fpc": None, "unit": ground.UNIT}
    samples.add_psus(store, [village | {"area": "rural", "name": "Thôn 7"}])
    samples.add_cases(
        store, [{"id": 1, "wave": "ho", "psu": "p7", "weight": 2.0, "state": "locked"}]
    )
    facts = {"wave": "ho", "receiving_unit": ground.UNIT, "counter": None}
    came(store, place, 2)
    for seq, case in ((1, 1), (2, None)):
        store.execute(
            "UPDATE response SET wave = :wave, receiving_unit = :receiving_unit,"
            " counter = :counter, case_id = :case WHERE seq = :seq",
            facts | {"case": case, "seq": seq},
        )
    tally.add(store, tally.reset(store, tally.mark(store, "ho"), RULE), [], [], seq=2)
    judged(store, 1, "void")
    judged(store, 2, "void")

    assert tally.dirty(store, "ho") == [Place("", ""), Place("p7", "")]


def test_cells_are_found_by_their_keys(store):
    tally.add(store, begun(store), [cell(2), cell(3, day=ROOM.day), cell(4, flagged=1)], [], seq=4)
    keys = [(ROOM.psu, "", "kiosk", 0), (ROOM.psu, ROOM.day, "kiosk", 0), ("none", "", "qr", 1)]
    found = tally.cells(store, "quay", keys)

    assert [row["people"] for row in found] == [2, 3]
    assert found[0]["counts"] == b"c"


def test_counts_are_those_of_the_tallies_and_of_what_came_since(store, place):
    seq = came(store, place, 3)
    tally.add(store, begun(store), [cell(3)], [("2026-11-22", "kiosk", "valid", 3)], seq=seq)
    came(store, place, 2)
    judged(store, seq, "void")
    judged(store, seq + 1, "flagged")
    found = responses.counts(store, "quay")

    assert (found.valid, found.flagged, found.void) == (3, 1, 1)
    assert found.channels == {"kiosk": 4}
    assert found.days == {date(2026, 11, 22): 4}


def test_a_day_all_of_whose_answers_are_void_is_no_day_of_the_wave(store, place):
    seq = came(store, place)
    tally.add(store, begun(store), [cell(1)], [("2026-11-22", "kiosk", "valid", 1)], seq=seq)
    judged(store, seq, "void")

    assert responses.counts(store, "quay").days == {}


def test_a_mark_tells_new_answers_edits_and_a_new_sample_and_not_a_fold(store, place):
    marks = [responses.mark(store, "quay")]
    seq = came(store, place)
    marks.append(responses.mark(store, "quay"))
    judged(store, seq, "flagged")
    marks.append(responses.mark(store, "quay"))
    samples.add_accounts(store, [{"wave": "quay", "unit": ground.UNIT, "issued": 9, "returned": 8}])
    marks.append(responses.mark(store, "quay"))
    held = begun(store)
    marks.append(responses.mark(store, "quay"))
    assert len(set(marks)) == len(marks)

    tally.add(store, held, [], [("2026-11-22", "kiosk", "flagged", 1)], seq=seq)
    assert responses.mark(store, "quay") == marks[-1]


def steps(store, ask):
    """Instructions the database executes to tell something about the wave."""
    done = [0]

    def step():
        done[0] += 1
        return 0

    store.set_progress_handler(step, 1)
    try:
        ask(store, "quay")
    finally:
        store.set_progress_handler(None, 1)
    return done[0]


def test_the_mark_and_the_counts_cost_the_same_however_many_answers_there_are(store, place):
    seq = came(store, place, 5)
    held = tally.add(store, begun(store), [cell(5)], [("2026-11-22", "kiosk", "valid", 5)], seq=seq)
    few = [steps(store, ask) for ask in (responses.mark, responses.counts)]
    seq = came(store, place, 500)
    tally.add(store, held, [cell(505)], [("2026-11-22", "kiosk", "valid", 500)], seq=seq)
    many = [steps(store, ask) for ask in (responses.mark, responses.counts)]

    assert many == few


def test_a_snapshot_shows_one_moment_while_others_write(place):
    with place.connect(readonly=True) as reader, place.connect() as writer:
        with snapshot(reader):
            before = responses.counts(reader, "quay").total
            came(writer, place)
            assert responses.counts(reader, "quay").total == before == 0
        assert responses.counts(reader, "quay").total == 1


def test_two_processes_are_told_apart_by_the_mark(place):
    with closing(db.connect(place.settings.database)) as one, place.connect() as two:
        held = begun(one)
        assert tally.mark(two, "quay") == held
        assert tally.add(two, held, [cell(1)], [], seq=1)
        assert tally.add(one, held, [cell(1)], [], seq=1) is None


def test_days_are_days_in_vietnam(store, place):
    late = NOW.replace(hour=17)
    responses.bulk(store, [incoming(place.door)], received_at=late + timedelta(minutes=30))
    tally.add(store, begun(store), [], [("2026-11-23", "kiosk", "valid", 1)], seq=1)
    judged(store, 1, "void")

    assert tally.dirty(store, "quay") == [Place(ROOM.psu, "2026-11-23")]
    assert tally.days(store, "quay") == [("2026-11-23", "kiosk", "void", 1)]
