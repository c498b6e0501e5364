"""Two entries become one response: by plan, by comparison, by a third person; once and no less."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from uuid import UUID

import paper_wave
import pytest
from paper_wave import NOW, WAVE

from forms import paper
from forms.questionnaire import load
from survey import db
from survey.store import Refused, cases, clock, entries, instances, plans, settling, waves

Q = load(paper_wave.QUESTIONNAIRE)
ACT = {"now": NOW, "actor": "staff:test"}


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def wave(base):
    return paper_wave.make(base)


def enter(base, case, round, staff, fields, *, via="desk"):
    """Store an entry as the desk does, without the desk's own rules."""
    state = {1: "entered", 2: "entered_twice"}[round]
    with db.write(base):
        base.execute(
            "INSERT INTO paper_entry (id, case_id, wave, round, via, staff, questionnaire, fields,"
            " digest, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                str(UUID(int=1000 * case + round)), case, WAVE, round, via, staff, Q.key,
                paper.canonical(fields), paper.digest(Q.key, fields), clock.stamp(NOW),
            ],
        )  # fmt: skip
        cases.move(base, [case], state, **ACT)
        return settling.advance(base, case, **ACT)


def plan(base, **changes):
    plans.set(base, WAVE, replace(plans.get(base, WAVE), **changes), **ACT)


def responses(base, case):
    return base.execute("SELECT * FROM response WHERE case_id = ?", [case]).fetchall()


def settled(base, case):
    return base.execute("SELECT * FROM paper_settled WHERE case_id = ?", [case]).fetchone()


def twice(base, wave, first, second, case=None):
    case = case or wave.main[0]
    enter(base, case, 1, wave.staff["nhap1"], first)
    return case, enter(base, case, 2, wave.staff["nhap2"], second)


def test_a_form_waits_for_its_second_entry_where_every_form_is_entered_twice(base, wave):
    case = wave.main[0]

    assert enter(base, case, 1, wave.staff["nhap1"], paper_wave.fields(1)) == "entered"
    assert responses(base, case) == []


def test_two_entries_that_agree_become_the_response(base, wave):
    case, state = twice(base, wave, paper_wave.fields(1), paper_wave.fields(1))

    assert state == "compared"
    [row] = responses(base, case)
    assert (row["channel"], row["wave"], row["receiving_unit"]) == ("post", WAVE, paper_wave.HOME)
    assert json.loads(row["answers"]) == paper.answers(Q, paper_wave.fields(1))
    done = settled(base, case)
    assert (done["n_fields"], done["n_differing"]) == (len(paper.coded(Q)), 0)
    assert (done["response"], done["staff"]) == (row["id"], None)
    assert instances.check(base) == []


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (
            "UPDATE paper_settled SET fields = replace(fields, '\"s01\":2', '\"s01\":3')",
            "khác giá trị",
        ),
        ("UPDATE paper_settled SET response = 'gone'", "không còn"),
        ("UPDATE paper_entry SET fields = replace(fields, '\"s01\":2', '\"s01\":3')", "bị sửa"),
        ("DELETE FROM paper_settled", "chưa có giá trị chốt"),
    ],
)
def test_a_form_tampered_with_is_found_by_the_check(base, wave, harm, found):
    twice(base, wave, paper_wave.fields(1, s01=2), paper_wave.fields(1, s01=2))
    base.execute(harm)

    assert any(found in fault for fault in instances.check(base))


def test_one_entry_is_enough_for_a_form_the_plan_does_not_check(base, wave):
    plan(base, double_share=0.5)
    states = {}
    for case in wave.main[:12]:
        states[case] = enter(base, case, 1, wave.staff["nhap1"], paper_wave.fields(case))

    ballots = {case: cases.get(base, case).double_ballot for case in states}
    assert {state for case, state in states.items() if ballots[case] < 0.5} == {"entered"}
    assert {state for case, state in states.items() if ballots[case] >= 0.5} == {"compared"}


def test_a_scanned_form_has_a_share_of_its_own(base, wave):
    plan(base, double_share=1.0, scan_share=0.0)

    assert enter(base, wave.main[0], 1, None, paper_wave.fields(), via="scan") == "compared"
    assert settled(base, wave.main[0])["staff"] is None


def test_a_case_without_a_ballot_is_entered_twice_only_where_all_are(base, wave):
    case = cases.get(base, wave.main[0])
    plan(base, double_share=0.99)

    assert not settling.needs_second(base, replace(case, double_ballot=None), "desk")
    plan(base, double_share=1.0)
    assert settling.needs_second(base, replace(case, double_ballot=None), "desk")


def test_two_entries_that_differ_wait_for_a_third_person(base, wave):
    case, state = twice(base, wave, paper_wave.fields(1, s01=2), paper_wave.fields(1, s01=4))

    assert state == "entered_twice"
    assert responses(base, case) == []
    assert settling.advance(base, case, **ACT) == "entered_twice"


def test_the_adjudicator_decides_and_the_response_holds_it(base, wave):
    first, second = paper_wave.fields(1, s01=2, s02=3), paper_wave.fields(1, s01=4, s02=1)
    case, _ = twice(base, wave, first, second)
    whole, decided = first | {"s01": 4, "s02": 9}, {"s01": 2, "s02": 0}

    done = settling.adjudicate(base, case, whole, decided, staff=wave.staff["doichieu"], **ACT)

    assert done == "compared"
    [row] = responses(base, case)
    assert json.loads(row["answers"])["s01"] == 4
    assert json.loads(row["answers"])["s02"] == 9
    assert settled(base, case)["n_differing"] == 2
    assert json.loads(settled(base, case)["decided"]) == decided


@pytest.mark.parametrize("name", ["nhap1", "nhap2"])
def test_nobody_adjudicates_a_form_they_entered(base, wave, name):
    first = paper_wave.fields(1, s01=2)
    case, _ = twice(base, wave, first, paper_wave.fields(1, s01=4))

    with pytest.raises(Refused, match="own_entry"):
        settling.adjudicate(base, case, first, {"s01": 1}, staff=wave.staff[name], **ACT)
    assert responses(base, case) == []


@pytest.mark.parametrize(
    ("change", "decided"),
    [({}, {}), ({"s01": 3}, {"s01": 1}), ({"s01": 2, "s05": 1}, {"s01": 1})],
    ids=["nothing decided", "another value than decided", "a field nobody asked about"],
)
def test_a_form_that_does_not_follow_from_its_entries_is_refused(base, wave, change, decided):
    first = paper_wave.fields(1, s01=2, s05=3)
    case, _ = twice(base, wave, first, paper_wave.fields(1, s01=4, s05=3))

    with pytest.raises(Refused, match="undecided"):
        settling.adjudicate(
            base, case, first | change, decided, staff=wave.staff["doichieu"], **ACT
        )
    assert responses(base, case) == []


def test_a_value_off_the_scale_is_refused(base, wave):
    first = paper_wave.fields(1, s01=2)
    case, _ = twice(base, wave, first, paper_wave.fields(1, s01=4))

    with pytest.raises(Refused, match="faulty_form"):
        settling.adjudicate(
            base, case, first | {"s01": 7}, {"s01": 0}, staff=wave.staff["doichieu"], **ACT
        )


def test_a_decision_sent_twice_is_one_and_another_comes_too_late(base, wave):
    first, second = paper_wave.fields(1, s01=2), paper_wave.fields(1, s01=4)
    case, _ = twice(base, wave, first, second)
    staff = wave.staff["doichieu"]
    for _ in range(2):
        state = settling.adjudicate(base, case, first, {"s01": 1}, staff=staff, **ACT)
        assert state == "compared"

    with pytest.raises(Refused, match="already_settled"):
        settling.adjudicate(base, case, second, {"s01": 2}, staff=staff, **ACT)
    assert len(responses(base, case)) == 1
    assert json.loads(responses(base, case)[0]["answers"])["s01"] == 2


def test_a_household_that_answered_by_its_link_is_not_counted_twice(base, wave):
    case = wave.main[0]
    enter(base, case, 1, wave.staff["nhap1"], paper_wave.fields(1))
    linked(base, case)

    with pytest.raises(Refused, match="case_used"):
        enter(base, case, 2, wave.staff["nhap2"], paper_wave.fields(1))
    assert [row["channel"] for row in responses(base, case)] == ["link"]
    assert len(entries.of_case(base, case)) == 1  # the refused one is not half stored

    state = settling.set_aside(base, case, staff=wave.staff["doichieu"], **ACT)
    assert (state, settled(base, case)["response"]) == ("compared", None)
    assert len(responses(base, case)) == 1


def linked(base, case):
    from survey.store import doors
    from survey.store import responses as store

    unit = cases.get(base, case).unit
    door = doors.add(base, kind="case", wave=WAVE, unit=unit, case_id=case, **ACT)
    came = store.Incoming(
        id=str(UUID(int=case)), door=door, questionnaire=Q.key,
        answers=paper.answers(Q, paper_wave.fields(2)), channel="link", language="vi",
        started_at=None, submitted_at=NOW,
    )  # fmt: skip
    store.bulk(base, [came])


def test_a_form_is_set_aside_only_for_another_answer(base, wave):
    case, _ = twice(base, wave, paper_wave.fields(1, s01=2), paper_wave.fields(1, s01=4))

    with pytest.raises(Refused, match="not_answered"):
        settling.set_aside(base, case, staff=wave.staff["doichieu"], **ACT)


def test_forms_come_in_after_the_last_day_but_not_once_the_wave_is_closed(base, wave):
    base.execute("UPDATE wave SET closes_on = '2026-02-01' WHERE key = ?", [WAVE])
    case, state = twice(base, wave, paper_wave.fields(1), paper_wave.fields(1))
    assert (state, len(responses(base, case))) == ("compared", 1)

    enter(base, wave.main[1], 1, wave.staff["nhap1"], paper_wave.fields(1))
    waves.close(base, WAVE, **ACT)
    with pytest.raises(Refused, match="closed"):
        enter(base, wave.main[1], 2, wave.staff["nhap2"], paper_wave.fields(1))
    assert len(entries.of_case(base, wave.main[1])) == 1


def test_a_plan_that_asks_for_less_lets_waiting_forms_go(base, wave):
    for case in wave.main[:6]:
        enter(base, case, 1, wave.staff["nhap1"], paper_wave.fields(case))
    linked(base, wave.main[0])
    plan(base, double_share=0.0)

    assert settling.release(base, WAVE, **ACT) == 5
    assert settling.release(base, WAVE, **ACT) == 0
    assert cases.get(base, wave.main[0]).state == "entered"


def test_a_form_lost_after_its_entry_is_not_settled(base, wave):
    case = wave.main[0]
    enter(base, case, 1, wave.staff["nhap1"], paper_wave.fields(1))
    cases.move(base, [case], "spoiled", **ACT)

    assert settling.advance(base, case, **ACT) == "spoiled"
    assert responses(base, case) == []


def test_a_text_written_otherwise_is_compared_but_is_no_keying_error(base, wave):
    first, second = paper_wave.fields(1, comment="Tốt lắm"), paper_wave.fields(1, comment="Tốt")
    case, state = twice(base, wave, first, second)
    assert state == "entered_twice"

    staff = wave.staff["doichieu"]
    settling.adjudicate(base, case, first, {"comment": 1}, staff=staff, **ACT)
    assert settled(base, case)["n_differing"] == 0


def test_of_two_decisions_at_once_one_stands(base, wave, settings):
    first, second = paper_wave.fields(1, s01=2), paper_wave.fields(1, s01=4)
    base.execute("UPDATE staff SET role = 'adjudicator' WHERE username = 'dieutra'")
    decisions = [(first, 1, wave.staff["doichieu"]), (second, 2, wave.staff["dieutra"])]
    writers = [db.Writer(settings.database), db.Writer(settings.database)]
    for case in wave.main[:10]:
        twice(base, wave, first, second, case)

        def decide(at, case=case):
            fields, taken, staff = decisions[at]
            job = partial(
                settling.adjudicate, case_id=case, fields=fields, decided={"s01": taken},
                staff=staff, **ACT,
            )  # fmt: skip
            try:
                return writers[at].run(job)
            except Refused as refusal:
                return refusal.code

        with ThreadPoolExecutor(2) as pool:
            results = sorted(pool.map(decide, range(2)))
        assert results == ["already_settled", "compared"]
        [row] = responses(base, case)
        stands = settled(base, case)
        assert json.loads(row["answers"])["s01"] == json.loads(stands["fields"])["s01"]
        assert decisions[json.loads(stands["decided"])["s01"] - 1][2] == stands["staff"]
    for writer in writers:
        writer.close()


def test_of_two_second_entries_at_once_one_is_kept(base, wave, settings):
    case, staff = wave.main[0], wave.staff
    base.execute("UPDATE staff SET role = 'data_clerk' WHERE username = 'dieutra'")
    enter(base, case, 1, staff["nhap1"], paper_wave.fields(1))
    writers = {name: db.Writer(settings.database) for name in ("nhap2", "dieutra")}

    def second(name):
        came = entries.Entry(
            id=str(UUID(int=staff[name])), case_id=case, via="desk", staff=staff[name],
            questionnaire=Q.key, fields=paper_wave.fields(1),
        )  # fmt: skip
        try:
            return writers[name].run(partial(entries.add, incoming=came, now=NOW)).state
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(second, writers))
    for writer in writers.values():
        writer.close()
    assert results == ["compared", "entered"]  # the later one: entered by somebody already
    assert len(entries.of_case(base, case)) == 2
    assert len(responses(base, case)) == 1
