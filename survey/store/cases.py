"""Sampled cases on their way: drawn, handed out, brought back, entered, settled, locked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from survey.db import write
from survey.serials import printed
from survey.store import Refused, audit, tally
from survey.store.clock import stamp

#: States in the order of the work; "reserve" waits, "replaced" gave its place to a reserve.
STATES = (
    "reserve", "planned", "assigned", "delivered", "appointed", "collected", "entered",
    "entered_twice", "compared", "called_back", "locked",
    "spoiled", "refused", "absent", "moved", "wrong_address", "deceased", "other", "replaced",
)  # fmt: skip
#: Out in the field; back with answers; back without.
OUT = ("assigned", "delivered", "appointed")
BACK = ("collected", "entered", "entered_twice", "compared", "called_back", "locked")
LOST = ("spoiled", "refused", "absent", "moved", "wrong_address", "deceased", "other")
#: Forms that a first entry may be made of.
ENTERABLE = (*OUT, "planned", "collected")
#: Why a household is replaced (METHOD section 4); an area may also be replaced by "disaster".
REASONS = ("absent", "refused", "moved", "wrong_address", "deceased", "other")

_FIELD = frozenset({"planned", *OUT, "collected", *LOST})
#: State -> states it may go to.  What went wrong in the field can be put right until entry.
NEXT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "reserve": frozenset({"planned"}),
        **{state: (_FIELD - {state}) | {"entered"} for state in ("planned", *OUT, "collected")},
        **{state: _FIELD - {state, *LOST} | {"replaced"} for state in LOST},
        "entered": frozenset({"entered_twice", "compared", "spoiled", "collected"}),
        "entered_twice": frozenset({"compared", "collected"}),
        "compared": frozenset({"called_back", "locked"}),
        "called_back": frozenset({"locked"}),
        "locked": frozenset(),
        "replaced": frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class Case:
    """A sampled case with the place it lies in; its name and address are not here.

    ``number`` is its place in the main list of its PSU, ``reserve`` that in the reserve list.
    ``probability`` is an exact fraction "3/250"; ``base`` the weight it was drawn with, ``weight``
    the one in force.  ``double_ballot`` and ``callback_ballot`` 0..1 were drawn with the sample:
    a case whose ballot is below the plan's share is entered twice, or called back.
    """

    id: int
    wave: str
    psu: str
    psu_name: str
    unit: str
    state: str
    number: int | None
    reserve: int | None
    replaces: int | None
    reason: str
    household: str | None
    probability: str | None
    base: float | None
    weight: float
    lot: int | None
    appointed_on: str | None
    print_run: int | None
    double_ballot: float | None
    callback_ballot: float | None
    changed_at: str | None


_SELECT = (
    "SELECT c.id, c.wave, c.psu, p.name AS psu_name, p.unit, c.state, c.number, c.reserve,"
    " c.replaces, c.reason, c.household, c.probability, c.base, c.weight, c.lot, c.appointed_on,"
    " c.print_run, c.double_ballot, c.callback_ballot, c.changed_at"
    " FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
)


def get(db: sqlite3.Connection, id: int) -> Case:
    """The case of this number; raises LookupError."""
    row = db.execute(_SELECT + " WHERE c.id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return Case(**dict(row))


def of_lot(db: sqlite3.Connection, lot: int) -> list[Case]:
    """The cases of a lot, by PSU and number."""
    rows = db.execute(
        _SELECT + " WHERE c.lot = :lot ORDER BY c.psu, c.number, c.reserve, c.id", {"lot": lot}
    )
    return [Case(**dict(row)) for row in rows]


def of_psu(db: sqlite3.Connection, wave: str, psu: str) -> list[Case]:
    """Main cases of a PSU by number, then its reserves in the order they would be taken."""
    rows = db.execute(
        _SELECT + " WHERE c.wave = :wave AND c.psu = :psu"
        " ORDER BY c.reserve IS NOT NULL, c.number, c.reserve, c.id",
        {"wave": wave, "psu": psu},
    )
    return [Case(**dict(row)) for row in rows]


def move(
    db: sqlite3.Connection,
    ids: Iterable[int],
    state: str,
    *,
    now: datetime,
    actor: str,
    reason: str = "",
    appointed_on: str | None = None,
    action: str = "case.move",
    subject: str = "",
) -> int:
    """Bring cases into a state, all or none, with one row of the audit; returns how many.

    ``subject`` names what the audit row is about (default: the case, or how many cases).
    Cases that are there already are left alone.

    Raises LookupError, or Refused ``case_state`` (409: ``serial``, ``former``, ``state``) for a
    step that does not exist, ``case_closed`` (409: ``serial``, ``on``) once the wave is closed.
    """
    moved = []
    with write(db):
        for id in ids:
            found = db.execute(
                "SELECT c.state, w.closed_at FROM sample_case c JOIN wave w ON w.key = c.wave"
                " WHERE c.id = :id",
                {"id": id},
            ).fetchone()
            if found is None:
                raise LookupError(id)
            former = found["state"]
            if former == state and appointed_on is None:
                continue
            if found["closed_at"] is not None:
                raise Refused("case_closed", 409, serial=printed(id), on=found["closed_at"])
            if former != state and state not in NEXT[former]:
                raise Refused("case_state", 409, serial=printed(id), former=former, state=state)
            facts = {
                "id": id, "state": state, "at": stamp(now), "actor": actor, "former": former,
                "reason": reason, "appointed_on": appointed_on,
            }  # fmt: skip
            db.execute(
                "UPDATE sample_case SET state = :state, changed_at = :at, reason = :reason,"
                " appointed_on = :appointed_on WHERE id = :id",
                facts,
            )
            event(db, facts)
            moved.append(id)
        if moved:
            about = subject or (str(moved[0]) if len(moved) == 1 else f"{len(moved)} cases")
            detail: dict[str, object] = {"state": state, "cases": moved[:200]}
            audit.append(
                db, at=now, actor=actor, action=action, subject=about,
                detail=detail | ({"reason": reason} if reason else {}),
            )  # fmt: skip
    return len(moved)


def event(db: sqlite3.Connection, facts: Mapping[str, object]) -> None:
    """Add one line to a case's history: id, at, actor, former, state, reason."""
    db.execute(
        "INSERT INTO case_event (case_id, at, actor, former, state, reason)"
        " VALUES (:id, :at, :actor, :former, :state, :reason)",
        facts,
    )


def history(db: sqlite3.Connection, id: int) -> list[sqlite3.Row]:
    """What happened to a case, oldest first: at, actor, former, state, reason."""
    return db.execute(
        "SELECT at, actor, former, state, reason FROM case_event WHERE case_id = :id ORDER BY id",
        {"id": id},
    ).fetchall()


def counts(db: sqlite3.Connection, wave: str) -> list[sqlite3.Row]:
    """How many cases of a wave are in each state: psu, psu_name, unit, area, interviewer (the
    staff number of the lot or None), state, n."""
    return db.execute(
        "SELECT c.psu, p.name AS psu_name, p.unit, p.area, l.interviewer, c.state, COUNT(*) AS n"
        " FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " LEFT JOIN lot l ON l.id = c.lot WHERE c.wave = :wave"
        " GROUP BY c.psu, l.interviewer, c.state ORDER BY c.psu, l.interviewer, c.state",
        {"wave": wave},
    ).fetchall()


def lock(db: sqlite3.Connection, wave: str, *, now: datetime, actor: str) -> int:
    """Lock every settled case of a wave at its closing; returns how many."""
    with write(db):
        at = {"wave": wave, "at": stamp(now), "actor": actor}
        db.execute(
            "INSERT INTO case_event (case_id, at, actor, former, state, reason)"
            " SELECT id, :at, :actor, state, 'locked', '' FROM sample_case"
            " WHERE wave = :wave AND state IN ('compared', 'called_back')",
            at,
        )
        locked = db.execute(
            "UPDATE sample_case SET state = 'locked', changed_at = :at"
            " WHERE wave = :wave AND state IN ('compared', 'called_back')",
            at,
        ).rowcount
        tally.touch(db, {wave})
    return locked


def unlock(db: sqlite3.Connection, wave: str, *, now: datetime, actor: str) -> int:
    """Bring what ``lock`` locked back to where it was; its wave opens again.  Returns how many."""
    with write(db):
        at = {"wave": wave, "at": stamp(now), "actor": actor}
        db.execute(
            "INSERT INTO case_event (case_id, at, actor, former, state, reason)"
            " SELECT c.id, :at, :actor, 'locked', e.former, '' FROM sample_case c"
            " JOIN case_event e ON e.id = (SELECT MAX(id) FROM case_event WHERE case_id = c.id)"
            " WHERE c.wave = :wave AND c.state = 'locked' AND e.state = 'locked'",
            at,
        )
        unlocked = db.execute(
            "UPDATE sample_case SET changed_at = :at, state = (SELECT state FROM case_event"
            " WHERE case_id = sample_case.id ORDER BY id DESC LIMIT 1)"
            " WHERE wave = :wave AND state = 'locked' AND (SELECT former FROM case_event"
            " WHERE case_id = sample_case.id ORDER BY id DESC LIMIT 1) = 'locked'",
            at,
        ).rowcount
        tally.touch(db, {wave})
    return unlocked
