"""Telephone numbers: left with consent or handed over with a dossier, each with the day it goes.

They stand apart from answers.  ``store.responses`` puts a number in with its response, withdraws
it with it, and ``store.dossiers`` does so with a dossier's; here they are read and purged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from survey.db import write
from survey.store.clock import day, moment, stamp


@dataclass(frozen=True, slots=True)
class Contact:
    """A number somebody left: for which wave and unit, since when and until when.

    Not which response it belongs to: who calls is not told what was answered.
    """

    id: int
    wave: str
    unit: str
    phone: str
    consented_on: date
    purge_on: date


@dataclass(frozen=True, slots=True)
class Kept:
    """How many numbers are kept and between which days they go; ``wave`` "" means dossiers."""

    wave: str
    name: str
    n: int
    first: date
    last: date


def listed(db: sqlite3.Connection, wave: str, unit: str | None = None) -> Iterator[Contact]:
    """Yield the numbers left in a wave (of one unit), in the order of the numbers.

    In another order (of ids, of times) they would say who came after whom.
    """
    rows = db.execute(
        "SELECT * FROM contact WHERE wave = :wave AND (:unit IS NULL OR unit = :unit)"
        " ORDER BY phone, id",
        {"wave": wave, "unit": unit},
    )
    for row in rows:
        yield Contact(
            row["id"],
            row["wave"],
            row["unit"],
            row["phone"],
            day(moment(row["consented_at"])),
            date.fromisoformat(row["purge_on"]),
        )


def kept(db: sqlite3.Connection) -> list[Kept]:
    """Return how many numbers are kept, by wave; those of dossiers come last."""
    rows = db.execute(
        "SELECT c.wave, w.name, COUNT(*) AS n, MIN(c.purge_on) AS first, MAX(c.purge_on) AS last"
        " FROM contact c LEFT JOIN wave w ON w.key = c.wave GROUP BY c.wave, w.name"
        " ORDER BY c.wave"
    ).fetchall()
    rows += db.execute(
        "SELECT '' AS wave, '' AS name, COUNT(*) AS n, MIN(purge_on) AS first,"
        " MAX(purge_on) AS last FROM dossier_contact HAVING COUNT(*) > 0"
    ).fetchall()
    return [
        Kept(
            row["wave"],
            row["name"] or "",
            row["n"],
            date.fromisoformat(row["first"]),
            date.fromisoformat(row["last"]),
        )
        for row in rows
    ]


def purge(db: sqlite3.Connection, today: date) -> int:
    """Delete the numbers people left whose day has come; returns how many."""
    return _delete(db, "DELETE FROM contact WHERE purge_on <= :today", today.isoformat())


def purge_dossiers(db: sqlite3.Connection, today: date) -> int:
    """Delete the numbers of dossiers whose day has come; returns how many."""
    return _delete(db, "DELETE FROM dossier_contact WHERE purge_on <= :today", today.isoformat())


def purge_messages(db: sqlite3.Connection, before: datetime) -> int:
    """Delete the record of messages sent before a moment; returns how many."""
    return _delete(db, "DELETE FROM message WHERE at < :today", stamp(before))


def purge_calls(db: sqlite3.Connection, before: datetime) -> int:
    """Delete the record of calls made before a moment; returns how many."""
    return _delete(db, "DELETE FROM phone_call WHERE at < :today", stamp(before))


def _delete(db: sqlite3.Connection, statement: str, today: str) -> int:
    # Deleted rows are overwritten with zeros: a copy of the file must not hold them any longer.
    db.execute("PRAGMA secure_delete = ON")
    with write(db):
        return db.execute(statement, {"today": today}).rowcount


def scrub(db: sqlite3.Connection) -> bool:
    """Empty the write-ahead log, where deleted rows stand until then; False while others read."""
    row = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(row[0] == 0)
