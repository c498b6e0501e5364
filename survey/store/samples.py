"""The drawn sample of a wave: its PSUs, its cases, and how many forms each area got."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from survey.db import write


def add_psus(db: sqlite3.Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Store PSUs: wave, psu, stratum, fpc (PSUs in the stratum's population or None), unit,
    area ("urban"/"rural"), name; returns how many."""
    with write(db):
        return db.executemany(
            "INSERT INTO sample_psu (wave, psu, stratum, fpc, unit, area, name)"
            " VALUES (:wave, :psu, :stratum, :fpc, :unit, :area, :name)",
            rows,
        ).rowcount


def add_cases(db: sqlite3.Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Store cases: id, wave, psu, weight (persons represented), state; returns how many."""
    with write(db):
        return db.executemany(
            "INSERT INTO sample_case (id, wave, psu, weight, state)"
            " VALUES (:id, :wave, :psu, :weight, :state)",
            rows,
        ).rowcount


def add_accounts(db: sqlite3.Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Store how many forms went out and came back: wave, unit, issued, returned."""
    with write(db):
        return db.executemany(
            "INSERT INTO account (wave, unit, issued, returned)"
            " VALUES (:wave, :unit, :issued, :returned)",
            rows,
        ).rowcount


def last_case(db: sqlite3.Connection) -> int:
    """The highest case number in use, 0 for none."""
    return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM sample_case").fetchone()[0])
