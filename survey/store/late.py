"""Dossiers past their day: which are, which soon will be, and whether a letter went out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from survey.store.inside import Inside

#: A dossier that was settled late and got no letter is still listed so many days.
OWED_DAYS = 90


@dataclass(frozen=True, slots=True)
class Late:
    """A late dossier and its letter (for the day it missed), if there is one."""

    dossier: str
    service: str
    unit: str
    resolving: str
    received_on: date
    due_on: date
    settled_on: date | None
    letter: int | None = None
    number: int | None = None
    state: str = ""
    sent_at: str | None = None
    channel: str = ""

    def days(self, today: date) -> int:
        """How many days late it was settled, or is at a day."""
        return (min(self.settled_on or today, today) - self.due_on).days


@dataclass(frozen=True, slots=True)
class Owed:
    """A dossier that needs a letter: ``due_on`` is the day last promised, ``second`` by letter."""

    dossier: str
    service: str
    unit: str
    resolving: str
    received_on: date
    due_on: date
    settled_on: date | None
    second: bool

    def state(self, today: date) -> str:
        """``settled`` (late), ``late`` (and open) or ``soon``."""
        if self.settled_on is not None:
            return "settled"
        return "late" if self.due_on < today else "soon"


_LATE = """
SELECT d.key AS dossier, d.service AS service, d.receiving_unit AS unit,
       d.resolving_unit AS resolving, d.received_on AS received_on, d.due_on AS due_on,
       d.settled_on AS settled_on, l.id AS letter, l.number AS number,
       l.state AS state, l.sent_at AS sent_at, COALESCE(l.channel, '') AS channel
FROM dossier d LEFT JOIN letter l
  ON l.dossier = d.key AND l.due_on = d.due_on AND l.state <> 'void'
WHERE d.settled_on BETWEEN :since AND :until AND d.settled_on > d.due_on
UNION ALL
SELECT d.key AS dossier, d.service AS service, d.receiving_unit AS unit,
       d.resolving_unit AS resolving, d.received_on AS received_on, d.due_on AS due_on,
       d.settled_on AS settled_on, l.id AS letter, l.number AS number,
       l.state AS state, l.sent_at AS sent_at, COALESCE(l.channel, '') AS channel
FROM dossier d LEFT JOIN letter l
  ON l.dossier = d.key AND l.due_on = d.due_on AND l.state <> 'void'
WHERE d.due_on < :limit AND (d.settled_on IS NULL OR d.settled_on > :until)
ORDER BY due_on, dossier"""

_PROMISED = """
SELECT d.key AS dossier, d.service AS service, d.receiving_unit AS unit,
       d.resolving_unit AS resolving, d.received_on AS received_on, d.due_on AS due_on,
       d.settled_on AS settled_on, (SELECT MAX(l.new_due_on) FROM letter l
                      WHERE l.dossier = d.key AND l.state <> 'void') AS promised
FROM dossier d WHERE d.due_on <= :latest AND d.settled_on IS NULL
UNION ALL
SELECT d.key AS dossier, d.service AS service, d.receiving_unit AS unit,
       d.resolving_unit AS resolving, d.received_on AS received_on, d.due_on AS due_on,
       d.settled_on AS settled_on, NULL AS promised
FROM dossier d WHERE d.settled_on > d.due_on AND d.settled_on > :owed
  AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.dossier = d.key AND l.state <> 'void')
ORDER BY due_on, dossier"""

_SETTLED = """
SELECT receiving_unit, service, COUNT(*), SUM(settled_on > due_on), SUM(settled_on < due_on)
FROM dossier WHERE settled_on BETWEEN :since AND :until GROUP BY receiving_unit, service"""
_TAKEN = """
SELECT receiving_unit, service, COUNT(*) FROM dossier
WHERE received_on BETWEEN :since AND :until GROUP BY receiving_unit, service"""
_OPEN = """
SELECT receiving_unit, service, COUNT(*), SUM(due_on < :limit) FROM dossier
WHERE received_on <= :until AND (settled_on IS NULL OR settled_on > :until)
GROUP BY receiving_unit, service"""


def of(
    db: sqlite3.Connection, *, since: date, until: date, today: date, within: str = ""
) -> Iterator[Late]:
    """Yield what was settled late in a period, and what is late and open at its end, by day due.

    The end is the last day of the period, or today before that; a dossier is late from the day
    after its own on.
    """
    mine = Inside(db, within)
    for row in db.execute(_LATE, _days(since, until, today)):
        if mine(row["unit"]):
            yield Late(**{**dict(row), **_read(row), "state": row["state"] or ""})


def owed(db: sqlite3.Connection, *, today: date, ahead: int, within: str = "") -> Iterator[Owed]:
    """Yield the dossiers that need a letter now: those late, and due within ``ahead`` days.

    The day last promised by a letter counts; who has got one for that day is not listed.
    """
    latest = today + timedelta(days=ahead)
    facts = {
        "latest": latest.isoformat(), "owed": (today - timedelta(days=OWED_DAYS)).isoformat(),
    }  # fmt: skip
    mine = Inside(db, within)
    for row in db.execute(_PROMISED, facts):
        found = _owed(row)
        if found.due_on <= latest and mine(found.unit):
            yield found


def _owed(row: sqlite3.Row) -> Owed:
    values = {**dict(row), **_read(row)}
    promised = values.pop("promised")
    due = date.fromisoformat(promised) if promised else values["due_on"]
    values |= {"due_on": max(due, values["due_on"]), "second": due > values["due_on"]}
    return Owed(**values)


@dataclass(frozen=True, slots=True)
class Work:
    """What one unit had of one procedure in a period."""

    unit: str
    service: str
    received: int = 0
    settled: int = 0
    late: int = 0
    early: int = 0
    open: int = 0
    open_late: int = 0


def settled(
    db: sqlite3.Connection, *, since: date, until: date, within: str = ""
) -> dict[str, int]:
    """How many dossiers were settled in a period, by the unit that received them."""
    rows = db.execute(
        "SELECT receiving_unit, COUNT(*) FROM dossier WHERE settled_on BETWEEN :since AND :until"
        " GROUP BY receiving_unit",
        {"since": since.isoformat(), "until": until.isoformat()},
    )
    mine = Inside(db, within)
    return {unit: n for unit, n in rows if mine(unit)}


_ANY = (
    "SELECT receiving_unit FROM dossier WHERE settled_on BETWEEN :since AND :until",
    "SELECT receiving_unit FROM dossier WHERE received_on BETWEEN :since AND :until",
    "SELECT receiving_unit FROM dossier WHERE settled_on IS NULL AND received_on <= :until",
)


def any_of(
    db: sqlite3.Connection, *, since: date, until: date, within: str = "", settled: bool = False
) -> bool:
    """Whether a period has any dossier at all, or any settled one; reads until it finds one."""
    facts, mine = {"since": since.isoformat(), "until": until.isoformat()}, Inside(db, within)
    return any(
        mine(row[0]) for sql in (_ANY[:1] if settled else _ANY) for row in db.execute(sql, facts)
    )


def work(
    db: sqlite3.Connection, *, since: date, until: date, today: date, within: str = ""
) -> list[Work]:
    """Dossiers received, settled and open at the end of a period, by unit and procedure."""
    facts = _days(since, until, today)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for sql, names in (
        (_TAKEN, ("received",)), (_SETTLED, ("settled", "late", "early")),
        (_OPEN, ("open", "open_late")),
    ):  # fmt: skip
        for unit, service, *counts in db.execute(sql, facts):
            found.setdefault((unit, service), {}).update(zip(names, counts, strict=True))
    mine = Inside(db, within)
    return [
        Work(unit, service, **counts)
        for (unit, service), counts in sorted(found.items())
        if mine(unit)
    ]


def _days(since: date, until: date, today: date) -> dict[str, str]:
    limit = min(until + timedelta(days=1), today)
    return {"since": since.isoformat(), "until": until.isoformat(), "limit": limit.isoformat()}


def _read(row: sqlite3.Row) -> dict[str, Any]:
    names = ("received_on", "due_on", "settled_on")
    return {name: date.fromisoformat(row[name]) if row[name] else None for name in names}
