"""Print runs: one number for all forms printed alike, whatever is printed again."""

from __future__ import annotations

import paper_wave
import pytest

from forms.questionnaire import load
from survey import db
from survey.printing import form
from survey.store import Refused, audit, cases, prints

ACT = {"now": paper_wave.NOW, "actor": "staff:giamsat"}
ISSUER = form.Issuer("Sở Nội vụ")


@pytest.fixture
def store(settings):
    opened = db.connect(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def facts(store):
    return paper_wave.make(store)


def printed(store, facts, ids, edition="normal"):
    q = load(paper_wave.QUESTIONNAIRE)
    return prints.add(
        store, facts.wave, edition=edition, questionnaire=q.key, digest=q.digest, cases=ids,
        layout=form.geometry(q, ISSUER, edition), **ACT,
    )  # fmt: skip


def test_forms_printed_again_belong_to_the_same_run(store, facts):
    first = printed(store, facts, facts.main[:3])
    again = printed(store, facts, facts.main[:5])

    assert again.id == first.id
    assert (first.forms, again.forms, again.pages) == (3, 8, 4)
    assert prints.get(store, first.id) == again
    assert cases.get(store, facts.main[4]).print_run == first.id
    assert list(audit.verify(store)) == []


def test_another_edition_is_another_run(store, facts):
    normal, large = (printed(store, facts, facts.main[:1], e) for e in ("normal", "large"))

    assert normal.id != large.id
    assert cases.get(store, facts.main[0]).print_run == large.id
    assert [run.id for run in prints.of_wave(store, facts.wave)] == [large.id, normal.id]


def test_a_reserve_is_not_printed_and_nothing_is_noted(store, facts):
    reserve = facts.cases[facts.psus[0]][-1]
    with pytest.raises(Refused, match="not_printed"):
        printed(store, facts, [facts.main[0], reserve])

    assert prints.of_wave(store, facts.wave) == []
    assert cases.get(store, facts.main[0]).print_run is None


def test_a_case_of_another_wave_is_unknown(store, facts):
    with pytest.raises(LookupError):
        printed(store, facts, [1])


def test_no_case_is_no_printing(store, facts):
    with pytest.raises(Refused, match="nothing_to_print"):
        printed(store, facts, [])


def test_the_cases_to_print_are_those_of_a_unit_or_an_area(store, facts):
    first = list(facts.cases[facts.psus[0]][: paper_wave.MAIN])

    assert sorted(prints.cases_of(store, facts.wave)) == sorted(facts.main)
    assert len(prints.cases_of(store, facts.wave, unit=paper_wave.HOME)) == len(facts.main) // 2
    assert prints.cases_of(store, facts.wave, psu=facts.psus[0]) == first
