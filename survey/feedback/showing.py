"""How a case is shown: where and when, what was said, who has it, what may be done next."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from forms import questionnaire as questionnaires
from survey import db, guard
from survey.feedback import scan
from survey.store import arrivals, clock, feedback, people, themes, units, waves, workdays
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from survey.store.feedback import Case, Event
    from survey.store.people import Staff

#: Who may have a case and see to it.
HANDLERS = ("administrator", "supervisor")
ACTORS = {"sipas": "feedback.system"}


def unit_name(unit: str) -> str:
    """Return a unit's name as a line begins with it."""
    name = units.name(db.get(), unit)
    return name[:1].upper() + name[1:]


def actor_name(actor: str) -> str:
    """Return who did something as people call them."""
    if actor in ACTORS:
        return t(ACTORS[actor])
    found = people.find(db.get(), actor.partition(":")[2])
    return found.name if found else actor.partition(":")[2]


def when(case: Case) -> str:
    """Return the days a case comes from: one, or so many that enough people answered."""
    if case.since_on == case.arrived_on:
        return day(case.arrived_on)
    return t("feedback.span", since=day(case.since_on), until=day(case.arrived_on))


def due(case: Case, today: date, held: Mapping[date, workdays.Day]) -> dict[str, object]:
    """Return the date of a case with how many working days are left or over."""
    if case.due_on is None:
        return {"on": "", "words": "", "late": False}
    on = date.fromisoformat(case.due_on)
    if not case.open:
        late = case.late(today)
        ended = case.answered_on or case.closed_on
        words = t("feedback.was_late" if late else "feedback.was_on_time") if ended else ""
        return {"on": day(case.due_on), "words": words, "late": late}
    left = workdays.between(today, on, held)
    key = "over" if on < today else "today" if on == today else "left_days"
    return {"on": day(case.due_on), "words": t(f"feedback.{key}", n=abs(left)), "late": on < today}


def row(case: Case, today: date, held: Mapping[date, workdays.Day]) -> dict[str, object]:
    """Return one line of a list."""
    return {
        "case": case,
        "unit": unit_name(case.unit),
        "when": when(case),
        "due": due(case, today, held),
        "owner": _owner(case),
        "kind": t(f"feedback.kind_{case.kind}"),
        "state": t(f"feedback.state_{case.state}"),
    }


def _owner(case: Case) -> str:
    found = people.get(db.get(), case.owner) if case.owner else None
    return found.name if found else ""


def whole(case: Case) -> dict[str, object]:
    """Return everything the page of a case shows; never a receipt, a time of day, a number."""
    today = clock.day(clock.now())
    held = workdays.known(db.get())
    facts = row(case, today, held) | {
        "content": _content(case, today),
        "answered": day(case.answered_on) if case.answered_on else "",
        "wave": waves.get(db.get(), case.wave) if case.wave else None,
        "events": [_event(event) for event in feedback.history(db.get(), case.id)],
        "evidence": feedback.evidence(db.get(), case.id),
        "owners": owners(case.unit),
        "can": _can(case),
        "today": today.isoformat(),
    }
    wave = facts["wave"]
    facts["synthetic"] = bool(wave and getattr(wave, "synthetic", False))
    return facts


def _content(case: Case, today: date) -> dict[str, object]:
    """Return what was said: the bad ratings with their words, the comment and its themes."""
    if case.response is None or case.wave is None:
        return {"words": case.words, "ratings": [], "themes": []}
    wave = waves.get(db.get(), case.wave)
    said = feedback.said(db.get(), case, today)
    if said is None or said.withdrawn:
        return {"withdrawn": True, "words": "", "ratings": [], "themes": []}
    words = frozenset(wave.words.items())
    q = questionnaires.localized(said.questionnaire, "vi", words)
    rule = scan.rule_of(wave, arrivals.rules(db.get()))
    text = scan.texts(said.answers)
    dictionary = themes.all(db.get())
    finder = themes.Finder(dictionary)
    found = set(finder.find(text))
    answers = json.loads(said.answers)
    ratings = [
        (item.number, item.text, choice.label)
        for item in q.items
        if item.id in rule.items
        for choice in item.choices
        if answers.get(item.id) == choice.code and choice.code <= rule.level
    ]
    return {
        "words": text,
        "ratings": ratings if case.kind == "low" else [],
        "themes": [theme.name for theme in dictionary if theme.key in found],
        "counter": _counter(case, said.counter, wave.hide_n),
        "callable": said.callable,
    }


def _counter(case: Case, counter: str, hide: int) -> str:
    """Return the counter where enough people answered at it in these days, "" else."""
    if not counter or case.wave is None:
        return ""
    n = arrivals.people(
        db.get(), case.wave, case.unit, since=case.since_on, until=case.arrived_on,
        counter=counter,
    )  # fmt: skip
    return (units.name(db.get(), counter) or counter) if n >= hide else ""


def _event(event: Event) -> dict[str, str]:
    first, _, rest = event.note.partition("\n")
    if event.action == "assign" and first.isdigit():
        found = people.get(db.get(), int(first))
        first = t("feedback.to", name=found.name if found else first)
    elif event.action == "due":
        first = t("feedback.new_due", on=day(first)) if first else ""
    elif event.action == "call":
        first = t(f"feedback.call_{first}") if first in feedback.CALLS else first
    by_hand = event.actor != "sipas"
    return {
        "at": f"{hour(event.at)} {day(event.at)}" if by_hand else day(event.at),
        "by": actor_name(event.actor),
        "did": t(f"feedback.did_{event.action}"),
        "note": f"{first}\n{rest}".strip(),
    }


def owners(unit: str) -> list[Staff]:
    """Return who may be given a case of a unit: those of the unit, or of one above it."""
    path = units.path(db.get(), unit)
    return [
        one
        for one in people.all(db.get())
        if one.role in HANDLERS and not one.disabled and (not one.unit or one.unit in path)
    ]


def may_handle(unit: str) -> bool:
    """Say whether who is signed in may change something of a unit."""
    staff = guard.current_staff()
    if staff is None or staff.role not in HANDLERS:
        return False
    return not staff.unit or staff.unit in units.path(db.get(), unit)


def _can(case: Case) -> frozenset[str]:
    """Return the steps that the reader may take now."""
    if not may_handle(case.unit):
        return frozenset()
    without = {"due", "answer", "back", "approve"} if case.kind == "praise" else set()
    return frozenset(
        name for name, (states, _) in feedback.STEPS.items() if case.state in states
    ) - frozenset(without)


def praised(case: Case, today: date) -> dict[str, object]:
    """Return what a line of praise shows: its words, and who has passed it on."""
    content = _content(case, today)
    return {
        "words": content["words"],
        "passed": case.state == "closed",
        "by": actor_name(case.changed_by) if case.state == "closed" else "",
        "on": day(case.closed_on) if case.closed_on else "",
        "since": case.arrived_on,
        "may": may_handle(case.unit),
    }
