"""Entries of paper forms: stored once, the second by somebody else, refusals that name why."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import paper_wave
import pytest

from survey import db
from survey.store import Refused, cases, clock, entries, plans, waves

WAVE = paper_wave.WAVE
NOW = paper_wave.NOW


@pytest.fixture
def base(settings, paper):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def entry(paper, n=0, *, by="nhap1", fields=None, **changes):
    made = entries.Entry(
        id=str(uuid4()), case_id=paper.main[n], via="desk", staff=paper.staff[by],
        questionnaire=paper_wave.QUESTIONNAIRE, fields=fields or paper_wave.fields(n),
        keys=88, active_ms=41_000,
    )  # fmt: skip
    return replace(made, **changes)


def rows(base):
    return base.execute("SELECT * FROM paper_entry ORDER BY received_at, id").fetchall()


def refusal(base, incoming):
    with pytest.raises(Refused) as caught:
        entries.add(base, incoming, now=NOW)
    return caught.value.code, caught.value.status


def plan(base, **changes):
    with db.write(base):
        made = replace(plans.get(base, WAVE), **changes)
        plans.set(base, WAVE, made, now=NOW, actor="shell:test")


def test_a_first_entry_waits_for_the_second(base, paper):
    stored = entries.add(base, entry(paper), now=NOW)

    assert (stored.round, stored.state, stored.new) == (1, "entered", True)
    assert cases.get(base, paper.main[0]).state == "entered"
    [row] = entries.of_case(base, paper.main[0])
    assert row.fields == paper_wave.fields(0)


def test_two_equal_entries_become_one_response(base, paper):
    entries.add(base, entry(paper), now=NOW)
    stored = entries.add(base, entry(paper, by="nhap2"), now=NOW)

    assert (stored.round, stored.state) == (2, "compared")
    query = "SELECT COUNT(*) FROM response WHERE case_id = ?"
    assert base.execute(query, [paper.main[0]]).fetchone()[0] == 1


def test_two_entries_that_differ_wait_for_a_third_person(base, paper):
    entries.add(base, entry(paper), now=NOW)
    other = entry(paper, by="nhap2", fields=paper_wave.fields(0, s01=9))

    assert entries.add(base, other, now=NOW).state == "entered_twice"


def test_the_same_entry_sent_again_is_stored_once(base, paper):
    once = entry(paper)
    first = entries.add(base, once, now=NOW)
    again = entries.add(base, once, now=NOW + timedelta(minutes=9))

    assert again == replace(first, new=False)
    assert len(rows(base)) == 1


def test_an_id_with_other_content_is_refused(base, paper):
    once = entry(paper)
    entries.add(base, once, now=NOW)

    changed = replace(once, fields=paper_wave.fields(0, s01=9))
    assert refusal(base, changed) == ("changed_entry", 409)
    assert refusal(base, replace(once, staff=paper.staff["nhap2"])) == ("changed_entry", 409)


def test_nobody_enters_a_form_twice(base, paper):
    entries.add(base, entry(paper), now=NOW)

    assert refusal(base, entry(paper)) == ("same_clerk", 409)
    assert len(rows(base)) == 1


def test_a_form_entered_twice_takes_no_third_entry(base, paper):
    entries.add(base, entry(paper), now=NOW)
    entries.add(base, entry(paper, by="nhap2", fields=paper_wave.fields(0, s01=9)), now=NOW)

    assert refusal(base, entry(paper, by="giamsat")) == ("entered", 409)


def test_a_form_the_plan_asks_for_once_is_settled_at_once(base, paper):
    plan(base, double_share=0.0)

    assert entries.add(base, entry(paper), now=NOW).state == "compared"
    assert refusal(base, entry(paper, by="nhap2")) == ("entered", 409)


def test_only_forms_below_the_share_are_entered_twice(base, paper):
    plan(base, double_share=0.5)
    states = {
        cases.get(base, paper.main[n]).double_ballot < 0.5: entries.add(
            base, entry(paper, n), now=NOW
        ).state
        for n in range(8)
    }

    assert states == {True: "entered", False: "compared"}


def test_a_form_that_nobody_holds_is_refused(base, paper):
    reserve = paper.cases[paper.psus[0]][-1]
    cases.move(base, [paper.main[1]], "refused", now=NOW, actor="shell:test")

    assert refusal(base, entry(paper, case_id=reserve)) == ("entry_reserve", 409)
    assert refusal(base, entry(paper, 1)) == ("entry_state", 409)


def test_a_closed_wave_takes_no_entry_but_repeats_its_answer(base, paper):
    once = entry(paper)
    entries.add(base, once, now=NOW)
    with db.write(base):
        waves.close(base, WAVE, now=NOW, actor="shell:test")

    assert entries.add(base, once, now=NOW).new is False
    assert refusal(base, entry(paper, 1)) == ("closed", 410)


def test_another_questionnaire_is_refused(base, paper):
    other = entry(paper, questionnaire="sipas-2022.1")

    assert refusal(base, other) == ("other_version", 422)


def test_a_form_printed_from_another_version_is_refused(base, paper):
    base.execute(
        "INSERT INTO print_run (id, wave, edition, questionnaire, questionnaire_digest, layout,"
        " forms, pages, printed_at, actor) VALUES (1, ?, 'normal', 'sipas-2026.1', 'old', '{}',"
        " 1, 4, ?, 'shell:test')",
        [WAVE, clock.stamp(NOW)],
    )
    base.execute("UPDATE sample_case SET print_run = 1 WHERE id = ?", [paper.main[0]])

    assert refusal(base, entry(paper)) == ("other_form", 422)


@pytest.mark.parametrize("fields", [{}, {"s01": 7}, {"s01": [1]}, {"nobody": 1}])
def test_fields_that_cannot_be_on_the_form_are_refused(base, paper, fields):
    whole = paper_wave.fields(0, **fields) if fields else {}
    incoming = replace(entry(paper), fields=whole)

    assert refusal(base, incoming) == ("faulty_entry", 422)
    assert cases.get(base, paper.main[0]).state == "planned"


def test_a_scanned_form_is_the_first_entry_and_never_the_second(base, paper):
    plan(base, scan_share=1.0)
    scanned = entry(paper, via="scan", staff=None)

    assert entries.add(base, scanned, now=NOW).round == 1
    assert refusal(base, entry(paper, via="scan", staff=None)) == ("entered", 409)
    assert entries.add(base, entry(paper), now=NOW).round == 2


def test_every_entry_leaves_one_row_in_the_audit(base, paper):
    entries.add(base, entry(paper), now=NOW)

    query = "SELECT actor, subject FROM audit WHERE action = 'entry.desk'"
    assert [tuple(row) for row in base.execute(query)] == [("staff:nhap1", "0000 0976 (1)")]


def test_what_waits_is_counted_for_each_person(base, paper):
    base.execute(
        "INSERT INTO lot (id, wave, code, unit, made_at, actor)"
        " VALUES (7, ?, 'L000007', ?, ?, 'shell:test')",
        [WAVE, paper_wave.HOME, clock.stamp(NOW)],
    )
    for case in paper.main[:3]:
        base.execute("UPDATE sample_case SET lot = 7, state = 'collected' WHERE id = ?", [case])
    entries.add(base, entry(paper, 0), now=NOW)
    entries.add(base, entry(paper, 1, by="nhap2"), now=NOW)

    mine, rest = entries.waiting(base, WAVE, paper.staff["nhap1"])
    assert (mine.code, mine.forms, mine.first, mine.second, mine.mine) == ("L000007", 3, 1, 1, 1)
    assert rest.lot is None


def test_speed_is_told_by_person_and_day(base, paper):
    entries.add(base, entry(paper, 0), now=NOW)
    entries.add(base, entry(paper, 1), now=NOW)

    [speed] = entries.speeds(base, WAVE)
    assert (speed.name, speed.first, speed.keys, speed.active_ms) == ("Nhap1", 2, 176, 82_000)
    assert entries.today(base, paper.staff["nhap1"], now=NOW) == (2, 82_000)
    assert entries.today(base, paper.staff["nhap1"], now=NOW + timedelta(days=1)) == (0, 0)


def test_two_first_entries_at_once_become_a_first_and_a_second(settings, paper):
    writer = db.Writer(settings.database)
    both = [entry(paper), entry(paper, by="nhap2")]
    try:
        with ThreadPoolExecutor(2) as pool:
            stored = list(
                pool.map(lambda one: writer.run(lambda base: entries.add(base, one, now=NOW)), both)
            )
    finally:
        writer.close()

    assert sorted(one.round for one in stored) == [1, 2]
