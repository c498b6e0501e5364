"""Interviewers on their way: their own lots, what came of a visit, and what is overdue."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from survey.db import write
from survey.store import Refused, cases
from survey.store.cases import LOST, OUT
from survey.store.clock import day, moment

#: What an interviewer may write down, and the states in which it may still be put right.
STEPS = ("delivered", "appointed", "collected", *LOST)
OPEN = (*OUT, "collected", *LOST)


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot that an interviewer carries, or has brought back (``returned_at``)."""

    id: int
    code: str
    unit: str
    due_on: str | None
    issued_at: str | None
    returned_at: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One household of a lot; ``name`` and ``address`` are "" once they are deleted."""

    id: int
    lot: int
    psu: str
    psu_name: str
    number: int | None
    reserve: int | None
    state: str
    appointed_on: str | None
    name: str
    address: str


def lots(db: sqlite3.Connection, wave: str, staff: int) -> list[Lot]:
    """The lots of one interviewer, those to be brought back first."""
    rows = db.execute(
        "SELECT id, code, unit, due_on, issued_at, returned_at FROM lot"
        " WHERE wave = :wave AND interviewer = :staff"
        " ORDER BY returned_at IS NOT NULL, COALESCE(due_on, '9'), code",
        {"wave": wave, "staff": staff},
    )
    return [Lot(**dict(row)) for row in rows]


_VISITS = """
SELECT c.id, c.lot, c.psu, p.name AS psu_name, c.number, c.reserve, c.state, c.appointed_on,
       COALESCE(h.name, '') AS name, COALESCE(h.address, '') AS address
FROM lot l JOIN sample_case c ON c.lot = l.id
     JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
     LEFT JOIN frame_household h
       ON h.wave = c.wave AND h.psu = c.psu AND h.household = c.household
WHERE l.wave = :wave AND l.interviewer = :staff AND l.returned_at IS NULL
ORDER BY c.lot, c.psu, c.number IS NULL, c.number, c.reserve, c.id"""


def visits(db: sqlite3.Connection, wave: str, staff: int) -> list[Visit]:
    """The households in the lots that an interviewer has not brought back."""
    rows = db.execute(_VISITS, {"wave": wave, "staff": staff})
    return [Visit(**dict(row)) for row in rows]


def mark(
    db: sqlite3.Connection,
    case: int,
    step: str,
    *,
    staff: int,
    seen: str,
    on: date | None = None,
    now: datetime,
    actor: str,
) -> bool:
    """Write down what came of a visit; False when it is written already.

    ``seen`` is the state that the page knew of; ``on`` the day of an appointment.

    Raises
    ------
    LookupError
        No such case in the lots of this interviewer.
    Refused
        ``visit_closed`` (409): the wave is closed.  ``visit_lot`` (409): the lot is not handed
        out, or is back.  ``visit_state`` (409): the
        form is entered or replaced.  ``visit_changed`` (409): somebody else wrote meanwhile.
    """
    if step not in STEPS or (step == "appointed") != (on is not None):
        raise ValueError(step)
    with write(db):
        row = db.execute(
            "SELECT c.state, c.appointed_on, l.issued_at, l.returned_at, w.closed_at"
            " FROM sample_case c JOIN lot l ON l.id = c.lot JOIN wave w ON w.key = c.wave"
            " WHERE c.id = :case AND l.interviewer = :staff",
            {"case": case, "staff": staff},
        ).fetchone()
        if row is None:
            raise LookupError(case)
        if row["closed_at"] is not None:
            raise Refused("visit_closed", 409)
        if row["issued_at"] is None or row["returned_at"] is not None:
            raise Refused("visit_lot", 409)
        appointed = on.isoformat() if on else None
        if row["state"] == step and row["appointed_on"] == appointed:
            return False
        if row["state"] not in OPEN:
            raise Refused("visit_state", 409)
        if row["state"] != seen:
            raise Refused("visit_changed", 409)
        given: Any = {"now": now, "actor": actor, "action": "visit.mark"}
        if row["state"] != step and step not in cases.NEXT[row["state"]]:
            cases.move(db, [case], "assigned", **given)  # one loss put right to another
        reason = step if step in cases.REASONS else ""
        cases.move(db, [case], step, reason=reason, appointed_on=appointed, **given)
    return True


@dataclass(frozen=True, slots=True)
class Late:
    """A form at a household longer than it should be: ``state`` "appointed" or "delivered".

    ``since`` is the day that was agreed, or that it was handed out; ``days`` ago.
    """

    case: int
    lot: str
    psu_name: str
    unit: str
    number: int | None
    interviewer: int | None
    state: str
    since: str
    days: int


_LATE = """
SELECT c.id AS "case", COALESCE(l.code, '') AS lot, p.name AS psu_name, p.unit, c.number,
       l.interviewer, c.state, c.appointed_on, c.changed_at
FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
     LEFT JOIN lot l ON l.id = c.lot
WHERE c.wave = :wave AND c.state IN ('appointed', 'delivered')
ORDER BY c.psu, c.number, c.id"""


def late(db: sqlite3.Connection, wave: str, *, today: date, keep_days: int) -> list[Late]:
    """Appointments whose day is over and forms kept longer than ``keep_days``, the oldest first."""
    found = []
    for each in db.execute(_LATE, {"wave": wave}):
        row = dict(each)
        appointed_on, changed_at = row.pop("appointed_on"), row.pop("changed_at")
        agreed = row["state"] == "appointed"
        if not (appointed_on if agreed else changed_at):
            continue
        since = date.fromisoformat(appointed_on) if agreed else day(moment(changed_at))
        days = (today - since).days
        if days > (0 if agreed else keep_days):
            found.append(Late(**row, since=since.isoformat(), days=days))
    return sorted(found, key=lambda one: (-one.days, one.case))


@dataclass(frozen=True, slots=True)
class LateLot:
    """A lot that is out after its day: ``out`` of its ``n`` forms are not back."""

    code: str
    unit: str
    interviewer: int | None
    due_on: str
    days: int
    n: int
    out: int


#: Days after which a lot without a day of its own should be back.
LONGEST = 14

_LOTS = """
SELECT l.code, l.unit, l.interviewer,
       COALESCE(l.due_on, date(l.issued_at, '+7 hours', '+' || :longest || ' days')) AS due,
       COUNT(c.id),
       COALESCE(SUM(c.state IN ('planned', 'assigned', 'delivered', 'appointed')), 0)
FROM lot l LEFT JOIN sample_case c ON c.lot = l.id
WHERE l.wave = :wave AND l.issued_at IS NOT NULL AND l.returned_at IS NULL AND due < :today
GROUP BY l.id ORDER BY due, l.code"""


def late_lots(db: sqlite3.Connection, wave: str, *, today: date) -> list[LateLot]:
    """Lots that should be back, the oldest first; one without a day ``LONGEST`` after it went."""
    facts = {"wave": wave, "today": today.isoformat(), "longest": LONGEST}
    rows = db.execute(_LOTS, facts)
    return [
        LateLot(code, unit, who, due, (today - date.fromisoformat(due)).days, n, out)
        for code, unit, who, due, n, out in rows
    ]
