"""Settled dossiers counted by month and kept: counting a large month keeps a reader waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from survey.db import write
from survey.store.clock import moment, stamp


class Cell(NamedTuple):
    """Settled dossiers that share these facts; ``channel`` and ``wave`` are those of their
    opinion, "" without one."""

    unit: str
    service: str
    month: str
    late: bool
    channel: str
    wave: str
    n: int


@dataclass(frozen=True, slots=True)
class Mark:
    """When a month was counted, and how long that took (seconds)."""

    counted_at: datetime
    took: float


def marks(db: sqlite3.Connection, first: str, last: str) -> dict[str, Mark]:
    """The months (YYYY-MM) from ``first`` to ``last`` that were counted."""
    rows = db.execute(
        "SELECT month, counted_at, took FROM settled_mark WHERE month BETWEEN :first AND :last",
        {"first": first, "last": last},
    )
    return {month: Mark(moment(at), took) for month, at, took in rows}


def counts(db: sqlite3.Connection, month: str) -> list[Cell]:
    """What was counted in a month."""
    rows = db.execute(
        "SELECT unit, service, month, late, channel, wave, n FROM settled WHERE month = :month",
        {"month": month},
    )
    return [Cell(*row)._replace(late=bool(row["late"])) for row in rows]


#: Dossiers together with answers are read for counts alone, and of an answer nothing but this.
_COUNT = """
SELECT d.receiving_unit, d.service, substr(d.settled_on, 1, 7), d.settled_on > d.due_on,
       COALESCE(r.channel, ''), COALESCE(r.wave, ''), COUNT(*)
FROM dossier d LEFT JOIN dossier_answer a ON a.dossier = d.key
LEFT JOIN response r ON r.id = a.response AND r.state <> 'void'
WHERE d.settled_on BETWEEN :since AND :until
GROUP BY d.receiving_unit, d.service, substr(d.settled_on, 1, 7), d.settled_on > d.due_on,
         COALESCE(r.channel, ''), COALESCE(r.wave, '')"""


def count(db: sqlite3.Connection, *, since: date, until: date) -> list[Cell]:
    """Count the dossiers settled from ``since`` to ``until``, both included.

    Plain counts, however small: who shows them hides the small ones.
    """
    rows = db.execute(_COUNT, {"since": since.isoformat(), "until": until.isoformat()})
    return [Cell(u, s, m, bool(late), *opinion) for u, s, m, late, *opinion in rows]


def keep(
    db: sqlite3.Connection, month: str, cells: Iterable[Cell], *, at: datetime, took: float
) -> None:
    """Put the counts of a month in the place of those before."""
    with write(db):
        db.execute("DELETE FROM settled WHERE month = :month", {"month": month})
        db.executemany(
            "INSERT INTO settled (month, unit, service, late, channel, wave, n)"
            " VALUES (:month, :unit, :service, :late, :channel, :wave, :n)",
            (cell._asdict() | {"late": int(cell.late)} for cell in cells),
        )
        db.execute(
            "INSERT INTO settled_mark (month, counted_at, took) VALUES (:month, :at, :took)"
            " ON CONFLICT (month) DO UPDATE SET counted_at = :at, took = :took",
            {"month": month, "at": stamp(at), "took": took},
        )
