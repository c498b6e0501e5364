"""Method breaks: years that no trend of a series may cross, with the reason why."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime

from survey.db import write
from survey.store import Refused, audit

#: Years that a break may have: the first SIPAS is of 2017, what came before may be imported.
YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class Break:
    """Figures of ``year`` and later were made otherwise than those before."""

    series: str
    year: int
    reason: str
    source: str = ""


def of(db: sqlite3.Connection, series: str) -> list[Break]:
    """The breaks of a series, the oldest first."""
    return [one for one in all(db) if one.series == series]


def all(db: sqlite3.Connection) -> list[Break]:
    """Every break, by series and year."""
    rows = db.execute("SELECT series, year, reason, source FROM method_break ORDER BY series, year")
    return [Break(**dict(row)) for row in rows]


def declare(db: sqlite3.Connection, made: Break, *, now: datetime, actor: str) -> Break:
    """Declare a break, or word the one of that year anew.

    Raises Refused ``faulty_break`` (422) without a series or a reason, or for no such year.
    """
    if not made.series.strip() or not made.reason.strip() or made.year not in YEARS:
        raise Refused("faulty_break", 422)
    with write(db):
        db.execute(
            "INSERT INTO method_break (series, year, reason, source)"
            " VALUES (:series, :year, :reason, :source) ON CONFLICT (series, year) DO UPDATE"
            " SET reason = excluded.reason, source = excluded.source",
            asdict(made),
        )
        audit.append(
            db, at=now, actor=actor, action="break.declare", subject=made.series,
            detail=asdict(made),
        )  # fmt: skip
    return made


def withdraw(db: sqlite3.Connection, series: str, year: int, *, now: datetime, actor: str) -> None:
    """Take a break back, so that trends cross that year again; raises LookupError."""
    with write(db):
        row = db.execute(
            "DELETE FROM method_break WHERE series = :series AND year = :year"
            " RETURNING series, year, reason, source",
            {"series": series, "year": year},
        ).fetchone()
        if row is None:
            raise LookupError(f"{series} {year}")
        audit.append(
            db, at=now, actor=actor, action="break.withdraw", subject=series, detail=dict(row)
        )


def series(db: sqlite3.Connection) -> list[str]:
    """The names of all series that waves belong to or breaks were declared for, sorted."""
    rows = db.execute(
        "SELECT series FROM wave WHERE series <> '' UNION SELECT series FROM method_break"
    )
    return sorted(row["series"] for row in rows)
