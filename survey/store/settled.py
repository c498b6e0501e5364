"""Settled dossiers counted by month and kept: counting a large month keeps a reader waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from survey.db import write
from survey.store.clock import moment, stamp
from survey.store.dossiers import Cell


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
        "SELECT unit, service, month, late, channel, n FROM settled WHERE month = :month",
        {"month": month},
    )
    return [Cell(u, s, m, bool(late), channel or None, n) for u, s, m, late, channel, n in rows]


def keep(
    db: sqlite3.Connection, month: str, cells: Iterable[Cell], *, at: datetime, took: float
) -> None:
    """Put the counts of a month in the place of those before."""
    with write(db):
        db.execute("DELETE FROM settled WHERE month = :month", {"month": month})
        db.executemany(
            "INSERT INTO settled (month, unit, service, late, channel, n)"
            " VALUES (:month, :unit, :service, :late, :channel, :n)",
            (cell._asdict() | {"late": int(cell.late), "channel": cell.channel or ""}
             for cell in cells),
        )  # fmt: skip
        db.execute(
            "INSERT INTO settled_mark (month, counted_at, took) VALUES (:month, :at, :took)"
            " ON CONFLICT (month) DO UPDATE SET counted_at = :at, took = :took",
            {"month": month, "at": stamp(at), "took": took},
        )
