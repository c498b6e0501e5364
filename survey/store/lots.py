"""Lots: the forms that one interviewer takes out and brings back together, the desk's batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from survey.db import write
from survey.serials import printed
from survey.store import Refused, audit, cases, people, units, waves
from survey.store.clock import stamp

#: What may be written down when a form comes back, or does not.
OUTCOMES = ("collected", *cases.LOST)
#: Cases that a lot coming back still has a say about.
_OPEN = ("planned", *cases.OUT, "collected", *cases.LOST)


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot; ``interviewer`` is a staff number, ``unit`` whose post office carries it."""

    id: int
    wave: str
    code: str
    unit: str
    interviewer: int | None
    due_on: str | None
    issued_at: str | None
    returned_at: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A lot with its interviewer's name and its forms: all, out, back with answers, lost."""

    lot: Lot
    name: str
    areas: int
    forms: int
    out: int
    back: int
    lost: int


@dataclass(frozen=True, slots=True)
class Area:
    """A village or quarter with the cases of its main list that are in no lot yet."""

    psu: str
    name: str
    unit: str
    stratum: str
    cases: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Household:
    """One case of a lot with where it lives; name and address are "" once deleted."""

    case: int
    psu: str
    psu_name: str
    number: int | None
    state: str
    replaces: int | None
    appointed_on: str | None
    name: str
    address: str


_SELECT = "SELECT id, wave, code, unit, interviewer, due_on, issued_at, returned_at FROM lot"


def get(db: sqlite3.Connection, id: int) -> Lot:
    """The lot of this number; raises LookupError."""
    row = db.execute(_SELECT + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return Lot(**dict(row))


def by_code(db: sqlite3.Connection, code: str) -> Lot:
    """The lot with this code, typed in any case and with blanks; raises LookupError."""
    row = db.execute(
        _SELECT + " WHERE code = :code", {"code": "".join(code.split()).upper()}
    ).fetchone()
    if row is None:
        raise LookupError(code)
    return Lot(**dict(row))


def of_wave(db: sqlite3.Connection, wave: str, unit: str = "") -> list[Lot]:
    """The lots of a wave in the order they were made, of a unit and what lies under it."""
    rows = db.execute(_SELECT + " WHERE wave = :wave ORDER BY id", {"wave": wave})
    found = [Lot(**dict(row)) for row in rows]
    paths = {lot.unit: units.path(db, lot.unit) for lot in found} if unit else {}
    return [lot for lot in found if not unit or unit in paths[lot.unit]]


def carried(db: sqlite3.Connection, interviewer: int) -> list[Lot]:
    """The lots of open waves that an interviewer holds or is to take, in the order made."""
    rows = db.execute(
        "SELECT l.id, l.wave, l.code, l.unit, l.interviewer, l.due_on, l.issued_at, l.returned_at"
        " FROM lot l JOIN wave w ON w.key = l.wave AND w.closed_at IS NULL"
        " WHERE l.interviewer = :interviewer AND l.returned_at IS NULL ORDER BY l.id",
        {"interviewer": interviewer},
    )
    return [Lot(**dict(row)) for row in rows]


def counted(db: sqlite3.Connection, wave: str, unit: str = "") -> list[Counted]:
    """The lots of a wave with how many of their forms are where."""
    rows = db.execute(
        "SELECT c.lot, COUNT(DISTINCT c.psu) AS areas, COUNT(*) AS forms,"
        " SUM(c.state IN ('assigned', 'delivered', 'appointed')) AS out,"
        " SUM(c.state IN ('collected', 'entered', 'entered_twice', 'compared', 'called_back',"
        " 'locked')) AS back,"
        " SUM(c.state IN ('spoiled', 'refused', 'absent', 'moved', 'wrong_address', 'deceased',"
        " 'other', 'replaced')) AS lost"
        " FROM sample_case c WHERE c.wave = :wave AND c.lot IS NOT NULL GROUP BY c.lot",
        {"wave": wave},
    )
    sums = {row["lot"]: row for row in rows}
    names = {staff.id: staff.name for staff in people.all(db)}
    found = []
    for lot in of_wave(db, wave, unit):
        row = sums.get(lot.id)
        numbers = [int(row[name]) for name in _COUNTS] if row else [0] * len(_COUNTS)
        found.append(Counted(lot, names.get(lot.interviewer or 0, ""), *numbers))
    return found


_COUNTS = ("areas", "forms", "out", "back", "lost")


def free(db: sqlite3.Connection, wave: str) -> list[Area]:
    """The areas of a wave with cases that are planned and in no lot, by unit and name."""
    rows = db.execute(
        "SELECT c.id, c.psu, p.name, p.unit, p.stratum FROM sample_case c"
        " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " WHERE c.wave = :wave AND c.state = 'planned' AND c.lot IS NULL"
        " AND p.dropped_at IS NULL ORDER BY p.unit, p.name, c.psu, c.number, c.id",
        {"wave": wave},
    )
    areas: dict[str, Area] = {}
    for row in rows:
        held = areas.get(row["psu"])
        ids = (*(held.cases if held else ()), row["id"])
        areas[row["psu"]] = Area(row["psu"], row["name"], row["unit"], row["stratum"], ids)
    return list(areas.values())


def households(db: sqlite3.Connection, lot: int) -> list[Household]:
    """The cases of a lot with names and addresses, by area and number."""
    rows = db.execute(
        'SELECT c.id AS "case", c.psu, p.name AS psu_name, c.number, c.state, c.replaces,'
        " c.appointed_on, COALESCE(h.name, '') AS name, COALESCE(h.address, '') AS address"
        " FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " LEFT JOIN frame_household h ON h.wave = c.wave AND h.psu = c.psu"
        " AND h.household = c.household"
        " WHERE c.lot = :lot ORDER BY p.name, c.psu, c.number, c.id",
        {"lot": lot},
    )
    return [Household(**dict(row)) for row in rows]


def make(
    db: sqlite3.Connection,
    wave: str,
    *,
    cases: Iterable[int],
    interviewer: int | None,
    unit: str,
    due_on: date | None,
    now: datetime,
    actor: str,
) -> Lot:
    """Put planned cases into a new lot for an interviewer.

    Raises LookupError for a case that is not of this wave, Refused ``lot_empty`` (422),
    ``lot_closed`` (409: ``on``) where the wave is closed,
    ``lot_interviewer`` (422) for an account that is no interviewer of this unit, ``lot_case``
    (409: ``serial``) for a case that is not planned or in a lot already, ``lot_unit`` (422:
    ``serial``) for one outside the unit.
    """
    ids = tuple(cases)
    if not ids:
        raise Refused("lot_empty", 422)
    with write(db):
        _open(db, wave)
        _interviewer(db, interviewer, unit)
        number = db.execute(
            "INSERT INTO lot (wave, code, unit, interviewer, due_on, made_at, actor)"
            " VALUES (:wave, '', :unit, :interviewer, :due_on, :at, :actor)",
            {
                "wave": wave, "unit": unit, "interviewer": interviewer, "at": stamp(now),
                "due_on": due_on.isoformat() if due_on else None, "actor": actor,
            },
        ).lastrowid  # fmt: skip
        assert number is not None
        db.execute(
            "UPDATE lot SET code = :code WHERE id = :id", {"code": f"L{number:06d}", "id": number}
        )
        lot = get(db, number)
        _add(db, lot, ids)
        audit.append(
            db, at=now, actor=actor, action="lot.make", subject=lot.code,
            detail={"wave": wave, "unit": unit, "interviewer": interviewer, "cases": ids[:200]},
        )  # fmt: skip
    return lot


def extend(
    db: sqlite3.Connection, lot: Lot, *, cases: Iterable[int], now: datetime, actor: str
) -> int:
    """Add planned cases (a household in the place of another) to a lot that is not back.

    Raises as ``make``, and Refused ``lot_returned`` (409).
    """
    ids = tuple(cases)
    with write(db):
        held = get(db, lot.id)
        if held.returned_at is not None:
            raise Refused("lot_returned", 409, lot=held.code)
        _add(db, held, ids)
        audit.append(
            db, at=now, actor=actor, action="lot.extend", subject=held.code,
            detail={"cases": ids[:200]},
        )  # fmt: skip
        if held.issued_at is not None:
            _move(db, ids, "assigned", "", now, actor, held)
    return len(ids)


def assign(
    db: sqlite3.Connection,
    lot: Lot,
    *,
    interviewer: int,
    due_on: date | None,
    now: datetime,
    actor: str,
) -> Lot:
    """Give a lot that is not back to another interviewer, or another day to bring it back.

    Raises Refused ``lot_returned`` (409), ``lot_interviewer`` (422).
    """
    with write(db):
        held = get(db, lot.id)
        if held.returned_at is not None:
            raise Refused("lot_returned", 409, lot=held.code)
        if interviewer != held.interviewer:
            _interviewer(db, interviewer, held.unit)
        due = due_on.isoformat() if due_on else None
        if (held.interviewer, held.due_on) == (interviewer, due):
            return held
        db.execute(
            "UPDATE lot SET interviewer = :interviewer, due_on = :due WHERE id = :id",
            {"interviewer": interviewer, "due": due, "id": held.id},
        )
        audit.append(
            db, at=now, actor=actor, action="lot.assign", subject=held.code,
            detail={"interviewer": interviewer, "former": held.interviewer, "due_on": due},
        )  # fmt: skip
    return get(db, lot.id)


def issue(db: sqlite3.Connection, lot: Lot, *, now: datetime, actor: str) -> Lot:
    """Hand a lot out: its planned cases are assigned.  Handing it out again changes nothing.

    Raises Refused ``lot_returned`` (409), ``lot_closed`` (409), ``lot_interviewer`` (422) while it
    has nobody, or somebody whose account is shut.
    """
    with write(db):
        held = get(db, lot.id)
        if held.returned_at is not None:
            raise Refused("lot_returned", 409, lot=held.code)
        if held.issued_at is not None:
            return held
        if held.interviewer is None:
            raise Refused("lot_interviewer", 422, unit=held.unit)
        _open(db, held.wave)
        _interviewer(db, held.interviewer, held.unit)
        db.execute(
            "UPDATE lot SET issued_at = :at WHERE id = :id", {"at": stamp(now), "id": held.id}
        )
        ids = [case.id for case in cases.of_lot(db, held.id) if case.state == "planned"]
        audit.append(
            db, at=now, actor=actor, action="lot.issue", subject=held.code,
            detail={"forms": len(ids)},
        )  # fmt: skip
        _move(db, ids, "assigned", "", now, actor, held)
    return get(db, lot.id)


def take_back(
    db: sqlite3.Connection,
    lot: Lot,
    outcomes: Mapping[int, tuple[str, str]],
    *,
    now: datetime,
    actor: str,
) -> Lot:
    """Write down what came back of a lot: case -> (state, reason).

    Cases that are not named stay as they are; when none of the lot is out any more, it is back.
    A form that is being entered already counts as collected and is left alone.

    Raises Refused ``lot_not_issued`` (409), ``not_in_lot`` (422: ``serial``), ``outcome`` (422),
    ``case_state`` (409).
    """
    with write(db):
        held = get(db, lot.id)
        if held.issued_at is None:
            raise Refused("lot_not_issued", 409, lot=held.code)
        states = {case.id: case.state for case in cases.of_lot(db, held.id)}
        for id, (state, reason) in outcomes.items():
            if id not in states:
                raise Refused("not_in_lot", 422, serial=printed(id), lot=held.code)
            if state not in OUTCOMES:
                raise Refused("outcome", 422, state=state)
            if states[id] == state or (state == "collected" and states[id] in cases.BACK):
                continue
            if states[id] not in _OPEN:
                raise Refused(
                    "case_state", 409, case=id, serial=printed(id), former=states[id], state=state
                )
            if states[id] in cases.LOST and state in cases.LOST:  # one reason for another
                _move(db, [id], "collected", reason, now, actor, held)
            _move(db, [id], state, reason, now, actor, held)
        _finish(db, held, now, actor)
    return get(db, lot.id)


def named(db: sqlite3.Connection, lot: Lot, kind: str, *, now: datetime, actor: str) -> None:
    """Write down that somebody printed the names of a lot's households."""
    with write(db):
        audit.append(
            db, at=now, actor=actor, action="lot.names", subject=lot.code, detail={"paper": kind}
        )


def _finish(db: sqlite3.Connection, lot: Lot, now: datetime, actor: str) -> None:
    """Note that a lot is back, or is not any more, from where its cases are."""
    waiting = [c for c in cases.of_lot(db, lot.id) if c.state in (*cases.OUT, "planned")]
    if waiting and lot.returned_at is not None:
        db.execute("UPDATE lot SET returned_at = NULL WHERE id = :id", {"id": lot.id})
    if waiting or lot.returned_at is not None:
        return
    db.execute("UPDATE lot SET returned_at = :at WHERE id = :id", {"at": stamp(now), "id": lot.id})
    audit.append(db, at=now, actor=actor, action="lot.back", subject=lot.code)


def _move(
    db: sqlite3.Connection,
    ids: Iterable[int],
    state: str,
    reason: str,
    now: datetime,
    actor: str,
    lot: Lot,
) -> None:
    cases.move(db, ids, state, now=now, actor=actor, reason=reason, subject=lot.code)


def _add(db: sqlite3.Connection, lot: Lot, ids: Iterable[int]) -> None:
    for id in ids:
        case = cases.get(db, id)
        if case.wave != lot.wave:
            raise LookupError(id)
        if case.state != "planned" or case.lot is not None:
            raise Refused("lot_case", 409, serial=printed(id))
        if lot.unit not in units.path(db, case.unit):
            raise Refused("lot_unit", 422, serial=printed(id), unit=lot.unit)
        db.execute("UPDATE sample_case SET lot = :lot WHERE id = :id", {"lot": lot.id, "id": id})


def _open(db: sqlite3.Connection, wave: str) -> None:
    """Refuse new work for a wave that is closed."""
    closed = waves.get(db, wave).closed_at
    if closed is not None:
        raise Refused("lot_closed", 409, on=stamp(closed))


def _interviewer(db: sqlite3.Connection, id: int | None, unit: str) -> None:
    if id is None:
        return
    staff = people.get(db, id)
    fits = staff is not None and (not staff.unit or staff.unit in units.path(db, unit))
    if staff is None or staff.role != "interviewer" or staff.disabled or not fits:
        raise Refused("lot_interviewer", 422, unit=unit)
