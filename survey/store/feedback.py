"""Cases: what somebody was not content with, who sees to it until when, and what was answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from survey.db import write
from survey.store import Refused, audit, workdays
from survey.store.clock import day, stamp

STATES = ("new", "working", "waiting", "answered", "closed")
#: States in which somebody still has to do something before the date.
OPEN = ("new", "working", "waiting")
KINDS = ("low", "complaint", "hand", "praise")
#: What may be done in which state, and which state comes of it ("" = it stays).
STEPS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "assign": (("new", "working"), "working"),
    "due": (OPEN, ""),
    "note": (STATES, ""),
    "call": (STATES, ""),
    "answer": (("new", "working"), "waiting"),
    "back": (("waiting",), "working"),
    "approve": (("waiting",), "answered"),
    "close": (("new", "working", "answered"), "closed"),
    "reopen": (("answered", "closed"), "working"),
    "evidence": (("new", "working", "waiting", "answered"), ""),
}
#: Steps that say why.
REASONED = frozenset({"due", "note", "back", "reopen"})
#: Letters of an answer, and of a note.
LONGEST, NOTE = 5000, 1000
#: What a call came to.
CALLS = ("reached", "no_answer", "wrong_number", "refused")


class Case(NamedTuple):
    """One case; ``response`` says which answer it comes from and is never shown.

    The answer came between ``since_on`` and ``arrived_on``: days in which enough people answered.
    """

    id: int
    wave: str | None
    unit: str
    kind: str
    response: int | None
    since_on: str
    arrived_on: str
    due_on: str | None
    state: str
    owner: int | None
    words: str
    answer: str
    answered_on: str | None
    closed_on: str | None
    calls: int
    version: int
    changed_at: str
    changed_by: str

    @property
    def open(self) -> bool:
        """Whether somebody still has to answer."""
        return self.state in OPEN

    def late(self, today: date) -> bool:
        """Whether its date has passed without an answer, or the answer came after it."""
        end = self.answered_on or self.closed_on or today.isoformat()
        return self.due_on is not None and end > self.due_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that somebody does with a case.

    ``seen`` is the version the page showed; ``value`` is the owner, the new date, the answer or
    what a call came to.
    """

    case: int
    action: str
    seen: int
    value: str = ""
    note: str = ""


_CASE = (
    "SELECT id, wave, unit, kind, response, since_on, arrived_on, due_on, state, owner, words,"
    " answer, answered_on, closed_on, calls, version, changed_at, changed_by FROM feedback_case"
)


def get(db: sqlite3.Connection, id: int) -> Case:
    """One case.  Raises LookupError."""
    row = db.execute(_CASE + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return Case(*row)


_OPEN_ONES = (
    _CASE + " WHERE state IN ('new', 'working', 'waiting') AND due_on IS NOT NULL"
    " AND due_on < :before AND (:kind = '' OR kind = :kind) AND (:state = '' OR state = :state)"
    " AND (:owner = 0 OR owner = :owner)"
)
_DUE_FIRST = _OPEN_ONES + " ORDER BY due_on, id LIMIT :n"
_OF_UNIT = _OPEN_ONES + " AND unit = :unit ORDER BY due_on, id LIMIT :n"
_DONE = (
    _CASE + " WHERE state IN ('answered', 'closed') AND kind <> 'praise'"
    " AND (:kind = '' OR kind = :kind) ORDER BY changed_at DESC"
)
_PRAISE = _CASE + " WHERE kind = 'praise' AND state <> 'held' ORDER BY arrived_on DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which open cases are listed; "" and 0 are any.  ``before``: due before this day."""

    kind: str = ""
    state: str = ""
    owner: int = 0
    before: str = "~"


def due_first(
    db: sqlite3.Connection, wish: Wish, n: int, within: Sequence[str] | None = None
) -> list[Case]:
    """The ``n`` open cases that are due first, of the units ``within`` (None = of all)."""
    facts = {"kind": wish.kind, "state": wish.state, "owner": wish.owner, "before": wish.before}
    if within is None:
        return [Case(*row) for row in db.execute(_DUE_FIRST, facts | {"n": n})]
    rows = [
        Case(*row)
        for unit in within
        for row in db.execute(_OF_UNIT, facts | {"n": n, "unit": unit})
    ]
    return sorted(rows, key=lambda case: (case.due_on or "", case.id))[:n]


def done(db: sqlite3.Connection, kind: str = "") -> Iterator[Case]:
    """Yield cases that were answered or closed, the last one first."""
    yield from (Case(*row) for row in db.execute(_DONE, {"kind": kind}))


def praises(db: sqlite3.Connection) -> Iterator[Case]:
    """Yield praise, the newest first."""
    yield from (Case(*row) for row in db.execute(_PRAISE))


def places(db: sqlite3.Connection) -> list[str]:
    """The units that have open cases."""
    rows = db.execute(
        "SELECT DISTINCT unit FROM feedback_case WHERE state IN ('new', 'working', 'waiting')"
    )
    return [row["unit"] for row in rows]


class Counted(NamedTuple):
    """Cases of one unit, kind and state: how many, how many with an answer late or overdue."""

    unit: str
    kind: str
    state: str
    day: str
    n: int
    late: int


def counted(db: sqlite3.Connection, today: date) -> list[Counted]:
    """Cases by unit, kind, state and the day they arrived on; praise and waiting ones not."""
    rows = db.execute(
        "SELECT unit, kind, state, arrived_on, COUNT(*),"
        " SUM(CASE WHEN due_on < COALESCE(answered_on, closed_on, :today) THEN 1 ELSE 0 END)"
        " FROM feedback_case WHERE state <> 'held' AND kind <> 'praise'"
        " GROUP BY unit, kind, state, arrived_on",
        {"today": today.isoformat()},
    )
    return [Counted(*row) for row in rows]


def begin(
    db: sqlite3.Connection, *, unit: str, words: str, kind: str, days: int, now: datetime,
    actor: str,
) -> int:  # fmt: skip
    """Open a case by hand: what somebody said at the counter, on the telephone, in a letter."""
    if not words.strip() or len(words) > LONGEST:
        raise Refused("feedback_faulty", 422, field="words")
    if kind not in ("hand", "praise"):
        raise Refused("feedback_faulty", 422, field="kind")
    today = day(now)
    due = workdays.after(today, days, workdays.known(db)) if kind == "hand" else None
    with write(db):
        row = db.execute(
            "INSERT INTO feedback_case (unit, kind, since_on, arrived_on, due_on, words,"
            " changed_at, changed_by) VALUES (:unit, :kind, :today, :today, :due, :words, :now,"
            " :actor) RETURNING id",
            {
                "unit": unit, "kind": kind, "today": today.isoformat(),
                "due": due.isoformat() if due else None, "words": words.strip(),
                "now": stamp(now), "actor": actor,
            },
        ).fetchone()  # fmt: skip
        made = int(row["id"])
        event(db, made, "open", "new", "", now=now, actor=actor)
        audit.append(
            db, at=now, actor=actor, action="feedback.open", subject=str(made),
            detail={"unit": unit, "kind": kind},
        )  # fmt: skip
    return made


def step(db: sqlite3.Connection, wish: Step, *, now: datetime, actor: str) -> Case:
    """Do one thing with a case, with its row of history and of the audit.

    Raises LookupError, Refused ``feedback_moved`` (409: ``by``, ``at``) when somebody else was
    quicker, ``feedback_step`` (409) for what cannot be done in its state, ``feedback_faulty``
    (422: ``field``) for a value that is none.
    """
    with write(db):
        held = get(db, wish.case)
        if held.version != wish.seen:
            raise Refused(
                "feedback_moved", 409, by=held.changed_by.partition(":")[2], at=held.changed_at
            )
        states, becomes = STEPS.get(wish.action, ((), ""))
        if held.state not in states or (held.kind == "praise" and wish.action in _NOT_PRAISE):
            raise Refused("feedback_step", 409)
        if (wish.action in REASONED and not wish.note) or len(wish.note) > NOTE:
            raise Refused("feedback_faulty", 422, field="note")
        changes = _changes(held, wish, day(now))
        facts = held._asdict() | {"state": becomes or held.state} | changes
        facts |= {"now": stamp(now), "actor": actor}
        db.execute(
            "UPDATE feedback_case SET state = :state, owner = :owner, due_on = :due_on,"
            " answer = :answer, answered_on = :answered_on, closed_on = :closed_on,"
            " calls = :calls, version = version + 1, changed_at = :now, changed_by = :actor"
            " WHERE id = :id",
            facts,
        )
        note = wish.note if wish.action != "call" else f"{wish.value}\n{wish.note}".strip()
        if wish.action == "due":
            note = f"{wish.value}\n{wish.note}"
        if wish.action == "assign":
            note = f"{wish.value}\n{wish.note}".strip()
        event(db, held.id, wish.action, str(facts["state"]), note, now=now, actor=actor)
        audit.append(
            db, at=now, actor=actor, action=f"feedback.{wish.action}", subject=str(held.id),
            detail={"state": facts["state"]},
        )  # fmt: skip
    return get(db, wish.case)


#: What nobody asks of praise.
_NOT_PRAISE = frozenset({"due", "answer", "back", "approve"})


def _changes(held: Case, wish: Step, today: date) -> dict[str, object]:
    """Return what a step changes besides the state."""
    match wish.action:
        case "assign":
            return {"owner": int(wish.value)}
        case "due":
            try:
                due = date.fromisoformat(wish.value)
            except ValueError:
                raise Refused("feedback_faulty", 422, field="due") from None
            if due < today:
                raise Refused("feedback_faulty", 422, field="due")
            return {"due_on": due.isoformat()}
        case "call":
            if wish.value not in CALLS:
                raise Refused("feedback_faulty", 422, field="call")
            return {"calls": held.calls + 1}
        case "answer":
            if not wish.value.strip() or len(wish.value) > LONGEST:
                raise Refused("feedback_faulty", 422, field="answer")
            return {"answer": wish.value.strip()}
        case "approve":
            return {"answered_on": today.isoformat()}
        case "close":
            if held.state != "answered" and held.kind != "praise" and not wish.note:
                raise Refused("feedback_faulty", 422, field="note")
            return {"closed_on": today.isoformat()}
        case "reopen":
            return {"closed_on": None, "answered_on": None}
    return {}


class Event(NamedTuple):
    """One line of a case's history."""

    at: str
    actor: str
    action: str
    state: str
    note: str


def history(db: sqlite3.Connection, id: int) -> list[Event]:
    """What was done with a case, the oldest first."""
    rows = db.execute(
        "SELECT at, actor, action, state, note FROM feedback_event WHERE feedback_case = :id"
        " ORDER BY id",
        {"id": id},
    )
    return [Event(*row) for row in rows]


def event(
    db: sqlite3.Connection, id: int, action: str, state: str, note: str, *, now: datetime,
    actor: str,
) -> None:  # fmt: skip
    """Write a line of a case's history, inside the caller's transaction."""
    db.execute(
        "INSERT INTO feedback_event (feedback_case, at, actor, action, state, note)"
        " VALUES (:id, :at, :actor, :action, :state, :note)",
        {"id": id, "at": stamp(now), "actor": actor, "action": action, "state": state,
         "note": note},
    )  # fmt: skip


class Said(NamedTuple):
    """What a case's giver said: the answer's JSON and codes, and whether it still counts."""

    questionnaire: str
    answers: str
    codes: bytes
    counter: str
    withdrawn: bool
    callable: bool


def said(db: sqlite3.Connection, case: Case, today: date) -> Said | None:
    """What the person of a case answered; ``callable`` when they left a number to be called."""
    row = db.execute(
        "SELECT r.questionnaire, r.answers, r.codes, COALESCE(r.counter, '') AS counter,"
        " r.state = 'void' AS withdrawn, EXISTS (SELECT 1 FROM contact c WHERE c.response = r.id"
        " AND c.purge_on > :today) AS callable FROM response r WHERE r.seq = :seq",
        {"seq": case.response, "today": today.isoformat()},
    ).fetchone()
    if row is None:
        return None
    return Said(
        row["questionnaire"], row["answers"], row["codes"], row["counter"],
        bool(row["withdrawn"]), bool(row["callable"]),
    )  # fmt: skip


def phone(db: sqlite3.Connection, case: Case, *, now: datetime, actor: str) -> str:
    """The number that the person of a case left to be called; who looks is written down first.

    Raises LookupError when there is none, or its day has come.
    """
    with write(db):
        row = db.execute(
            "SELECT c.phone FROM contact c JOIN response r ON r.id = c.response"
            " WHERE r.seq = :seq AND c.purge_on > :today",
            {"seq": case.response, "today": day(now).isoformat()},
        ).fetchone()
        if row is None:
            raise LookupError(case.id)
        audit.append(db, at=now, actor=actor, action="contact.view", subject=f"feedback/{case.id}")
    return str(row["phone"])


class Evidence(NamedTuple):
    """A file that shows what was done; ``digest`` is its sha256."""

    id: int
    digest: str
    name: str
    kind: str
    bytes: int
    at: str
    actor: str


def attach(
    db: sqlite3.Connection, wish: Step, *, digest: str, name: str, kind: str, size: int,
    now: datetime, actor: str,
) -> bool:  # fmt: skip
    """Tie a shelved file to a case; False when it is tied already.  Raises as ``step``."""
    with write(db):
        made = db.execute(
            "INSERT INTO feedback_evidence (feedback_case, digest, name, kind, bytes, at, actor)"
            " SELECT :id, :digest, :name, :kind, :bytes, :at, :actor FROM feedback_case"
            " WHERE id = :id ON CONFLICT (feedback_case, digest) DO NOTHING",
            {"id": wish.case, "digest": digest, "name": name, "kind": kind, "bytes": size,
             "at": stamp(now), "actor": actor},
        ).rowcount  # fmt: skip
        if made:
            step(db, wish, now=now, actor=actor)
    return bool(made)


def evidence(db: sqlite3.Connection, id: int) -> list[Evidence]:
    """The files of a case, in the order they came."""
    rows = db.execute(
        "SELECT id, digest, name, kind, bytes, at, actor FROM feedback_evidence"
        " WHERE feedback_case = :id ORDER BY id",
        {"id": id},
    )
    return [Evidence(*row) for row in rows]


def texts(answers: str) -> list[str]:
    """The texts in the JSON of an answer, in the order of their names."""
    found = json.loads(answers)
    return [found[key] for key in sorted(found) if isinstance(found[key], str) and found[key]]
