"""The drawn sample of a wave: its PSUs, its cases, and how many forms each area got."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from survey.db import write
from survey.store import tally

Rows = Iterable[Mapping[str, Any]]


def add_psus(db: sqlite3.Connection, rows: Rows) -> int:
    """Store PSUs: wave, psu, stratum, fpc (PSUs in the stratum's population or None), unit,
    area ("urban"/"rural"), name; returns how many."""
    return _add(
        db,
        "INSERT INTO sample_psu (wave, psu, stratum, fpc, unit, area, name)"
        " VALUES (:wave, :psu, :stratum, :fpc, :unit, :area, :name)",
        rows,
    )


def add_cases(db: sqlite3.Connection, rows: Rows) -> int:
    """Store cases: id, wave, psu, weight (persons represented), state; returns how many."""
    return _add(
        db,
        "INSERT INTO sample_case (id, wave, psu, weight, state)"
        " VALUES (:id, :wave, :psu, :weight, :state)",
        rows,
    )


def add_accounts(db: sqlite3.Connection, rows: Rows) -> int:
    """Store how many forms went out and came back: wave, unit, issued, returned."""
    return _add(
        db,
        "INSERT INTO account (wave, unit, issued, returned)"
        " VALUES (:wave, :unit, :issued, :returned)",
        rows,
    )


def last_case(db: sqlite3.Connection) -> int:
    """The highest case number in use, 0 for none."""
    return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM sample_case").fetchone()[0])


def _add(db: sqlite3.Connection, sql: str, rows: Rows) -> int:
    """Store the rows; figures kept of their waves hold no longer.

    Tallies hold: a new case has not answered yet, and no weight is ever changed.  What changes a
    weight or a PSU of a case must ``tally.reset`` its wave.
    """
    waves: set[str] = set()

    def seen() -> Iterator[Mapping[str, Any]]:
        for row in rows:
            waves.add(row["wave"])
            yield row

    with write(db):
        stored = db.executemany(sql, seen()).rowcount
        tally.touch(db, waves)
    return stored
