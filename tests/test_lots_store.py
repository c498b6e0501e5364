"""Lots: made of planned cases for an interviewer, handed out, taken back with what came of them."""

from __future__ import annotations

from datetime import date

import paper_wave
import pytest

from survey import db
from survey.store import Refused, audit, cases, lots
from survey.store.samples import last_case

ACT = {"now": paper_wave.NOW, "actor": "staff:giamsat"}


@pytest.fixture
def store(settings):
    opened = db.connect(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def facts(store):
    return paper_wave.make(store)


def made(store, facts, ids=None, **changes):
    given = {
        "cases": facts.cases[facts.psus[0]][: paper_wave.MAIN] if ids is None else ids,
        "interviewer": facts.staff["dieutra"], "unit": paper_wave.HOME,
        "due_on": date(2026, 12, 1),
    }  # fmt: skip
    return lots.make(store, facts.wave, **given | changes, **ACT)


def states(store, lot):
    return {case.id: case.state for case in cases.of_lot(store, lot.id)}


def test_a_lot_takes_planned_cases_and_gets_a_code(store, facts):
    lot = made(store, facts)

    assert lot.code == f"L{lot.id:06d}"
    assert lots.by_code(store, f" {lot.code.lower()} ") == lot
    assert set(states(store, lot).values()) == {"planned"}
    assert [found.lot for found in lots.counted(store, facts.wave)] == [lot]
    assert list(audit.verify(store)) == []


def test_an_area_is_free_until_its_cases_are_in_a_lot(store, facts):
    assert len(lots.free(store, facts.wave)) == len(facts.psus)
    made(store, facts)

    assert facts.psus[0] not in {area.psu for area in lots.free(store, facts.wave)}


def test_a_case_is_in_one_lot_only(store, facts):
    made(store, facts)
    with pytest.raises(Refused, match="lot_case"):
        made(store, facts)

    assert len(lots.of_wave(store, facts.wave)) == 1


def test_a_reserve_is_not_put_into_a_lot(store, facts):
    with pytest.raises(Refused, match="lot_case"):
        made(store, facts, [facts.cases[facts.psus[0]][-1]])


def test_a_lot_without_forms_is_refused(store, facts):
    with pytest.raises(Refused, match="lot_empty"):
        made(store, facts, [])


def test_only_an_interviewer_of_the_unit_carries_a_lot(store, facts):
    away = facts.cases[facts.psus[-1]][:2]
    for name, ids, unit in (
        ("nhap1", None, paper_wave.HOME), ("dieutra", away, paper_wave.AWAY),
    ):  # fmt: skip
        with pytest.raises(Refused, match="lot_interviewer"):
            made(store, facts, ids, interviewer=facts.staff[name], unit=unit)


def test_a_lot_takes_no_case_of_another_unit(store, facts):
    with pytest.raises(Refused, match="lot_unit"):
        made(store, facts, facts.cases[facts.psus[-1]][:1])


def test_a_case_of_another_wave_is_unknown(store, facts):
    with pytest.raises(LookupError):
        made(store, facts, [1])
    with pytest.raises(LookupError):
        made(store, facts, [last_case(store) + 1])


def test_handing_out_assigns_the_cases_once(store, facts):
    lot = made(store, facts)
    issued = lots.issue(store, lot, **ACT)
    again = lots.issue(store, lot, **ACT)

    assert again == issued
    assert issued.issued_at
    assert set(states(store, lot).values()) == {"assigned"}
    assert len(cases.history(store, next(iter(states(store, lot))))) == 1


def test_a_lot_without_an_interviewer_is_not_handed_out(store, facts):
    lot = made(store, facts, interviewer=None)
    with pytest.raises(Refused, match="lot_interviewer"):
        lots.issue(store, lot, **ACT)


def test_what_comes_back_is_written_down_and_the_lot_is_back_with_the_last(store, facts):
    lot = made(store, facts)
    with pytest.raises(Refused, match="lot_not_issued"):
        lots.take_back(store, lot, {}, **ACT)
    lots.issue(store, lot, **ACT)
    first, second, *rest = states(store, lot)

    some = lots.take_back(
        store, lot, {first: ("collected", ""), second: ("refused", "refused")}, **ACT
    )
    assert some.returned_at is None
    done = lots.take_back(store, lot, dict.fromkeys(rest, ("collected", "")), **ACT)
    assert done.returned_at
    [count] = lots.counted(store, facts.wave)
    assert (count.forms, count.out, count.back, count.lost) == (6, 0, 5, 1)


def test_one_reason_may_be_put_in_the_place_of_another(store, facts):
    lot = lots.issue(store, made(store, facts), **ACT)
    first = next(iter(states(store, lot)))
    lots.take_back(store, lot, {first: ("refused", "refused")}, **ACT)
    lots.take_back(store, lot, {first: ("absent", "absent")}, **ACT)

    assert states(store, lot)[first] == "absent"


def test_a_form_that_is_being_entered_stays_entered(store, facts):
    lot = lots.issue(store, made(store, facts), **ACT)
    first = next(iter(states(store, lot)))
    cases.move(store, [first], "entered", **ACT)
    lots.take_back(store, lot, {first: ("collected", "")}, **ACT)

    assert states(store, lot)[first] == "entered"
    with pytest.raises(Refused, match="case_state"):
        lots.take_back(store, lot, {first: ("refused", "")}, **ACT)


def test_a_form_of_another_lot_is_refused_and_nothing_is_written(store, facts):
    lot = lots.issue(store, made(store, facts), **ACT)
    other = made(store, facts, facts.cases[facts.psus[1]][:2])
    first, stranger = next(iter(states(store, lot))), next(iter(states(store, other)))
    outcomes = {first: ("collected", ""), stranger: ("collected", "")}
    with pytest.raises(Refused, match="not_in_lot"):
        lots.take_back(store, lot, outcomes, **ACT)

    assert states(store, lot)[first] == "assigned"


def test_a_household_in_the_place_of_another_joins_a_lot_that_is_out(store, facts):
    lot = lots.issue(store, made(store, facts), **ACT)
    reserve = facts.cases[facts.psus[0]][-1]
    cases.move(store, [reserve], "planned", **ACT)
    lots.extend(store, lot, cases=[reserve], **ACT)

    assert states(store, lot)[reserve] == "assigned"


def test_households_come_with_name_and_address(store, facts):
    lot = made(store, facts)
    [first, *_] = lots.households(store, lot.id)

    assert (first.psu_name, first.number, first.name) == ("Tổ dân phố 1", 1, "Nguyễn Văn 1")


def test_lots_of_a_unit_are_those_under_it(store, facts):
    lot = made(store, facts)

    assert lots.of_wave(store, facts.wave, "vn34:08") == [lot]
    assert lots.of_wave(store, facts.wave, "vn34:12") == []
