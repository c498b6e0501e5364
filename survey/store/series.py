"""Which waves make one trend, and from which year on the method is another one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Member:
    """A wave of a series, as far as the series needs it."""

    key: str
    name: str
    year: int
    kind: str
    questionnaire: str
    synthetic: bool
    opens_on: str
    closes_on: str


def members(db: sqlite3.Connection, series: str, *, until: date | None = None) -> list[Member]:
    """The live waves of a series that opened by ``until``, the oldest first.

    A wave without a series is one by itself, called by its key.  Drafts and trials are none.
    """
    rows = db.execute(
        "SELECT key, name, year, kind, questionnaire, synthetic, opens_on, closes_on FROM wave"
        " WHERE COALESCE(NULLIF(series, ''), key) = :series AND stage = 'live'"
        " AND trial_of IS NULL AND opens_on <= :until ORDER BY year, opens_on, key",
        {"series": series, "until": until.isoformat() if until else "9"},
    )
    return [
        Member(
            row["key"], row["name"], row["year"], row["kind"], row["questionnaire"],
            bool(row["synthetic"]), row["opens_on"], row["closes_on"],
        )
        for row in rows
    ]  # fmt: skip


def of(db: sqlite3.Connection, wave: str) -> str:
    """The series a wave belongs to: its own key where it belongs to none; raises LookupError."""
    row = db.execute("SELECT series FROM wave WHERE key = :wave", {"wave": wave}).fetchone()
    if row is None:
        raise LookupError(wave)
    return str(row["series"] or wave)


def breaks(db: sqlite3.Connection, series: str) -> list[tuple[int, str, str]]:
    """Year, reason and source of the method breaks declared for a series."""
    rows = db.execute(
        "SELECT year, reason, source FROM method_break WHERE series = :series ORDER BY year",
        {"series": series},
    )
    return [(row["year"], row["reason"], row["source"]) for row in rows]


def areas(db: sqlite3.Connection, wave: str) -> dict[str, str]:
    """Sampled village -> "urban", "rural" or ""."""
    rows = db.execute("SELECT psu, area FROM sample_psu WHERE wave = :wave", {"wave": wave})
    return {row["psu"]: row["area"] or "" for row in rows}
