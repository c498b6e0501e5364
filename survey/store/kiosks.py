"""Kiosks: the last sign of life of the tablet at each counter, and what it still has to send."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from survey.store.clock import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a kiosk says about itself: a number, a time, its version and how wrong its clock is.

    ``clock_offset``: seconds its clock is ahead of the server's.
    """

    unsent: int
    oldest_at: str | None
    version: str
    clock_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiosk:
    """A counter's door with what its kiosk said last; ``seen_at`` None: none has ever spoken."""

    door: int
    wave: str
    unit: str
    counter: str | None
    label: str
    seen_at: str | None
    unsent: int
    oldest_at: str | None
    version: str
    clock_offset: int


def heard(db: sqlite3.Connection, door: int, beat: Beat, *, now: datetime) -> None:
    """Keep the last beat of a door's kiosk: one row a door, inside the caller's write."""
    db.execute(
        "INSERT INTO kiosk (door, seen_at, unsent, oldest_at, version, clock_offset)"
        " VALUES (:door, :seen_at, :unsent, :oldest_at, :version, :clock_offset)"
        " ON CONFLICT (door) DO UPDATE SET seen_at = excluded.seen_at, unsent = excluded.unsent,"
        " oldest_at = excluded.oldest_at, version = excluded.version,"
        " clock_offset = excluded.clock_offset",
        {
            "door": door, "seen_at": stamp(now), "unsent": beat.unsent,
            "oldest_at": beat.oldest_at, "version": beat.version,
            "clock_offset": beat.clock_offset,
        },
    )  # fmt: skip


def all(db: sqlite3.Connection) -> list[Kiosk]:
    """Every open counter of a wave that was not closed by hand, and counters with unsent answers.

    The longest silent first, those that never spoke last.
    """
    rows = db.execute(
        "SELECT door.id AS door, door.wave, door.unit, door.counter, door.label, kiosk.seen_at,"
        " COALESCE(kiosk.unsent, 0) AS unsent, kiosk.oldest_at,"
        " COALESCE(kiosk.version, '') AS version, COALESCE(kiosk.clock_offset, 0) AS clock_offset"
        " FROM door JOIN wave ON wave.key = door.wave LEFT JOIN kiosk ON kiosk.door = door.id"
        " WHERE door.kind = 'counter'"
        " AND ((door.closed_at IS NULL AND wave.closed_at IS NULL) OR kiosk.unsent > 0)"
        " ORDER BY kiosk.seen_at IS NULL, kiosk.seen_at, door.id"
    )
    return [Kiosk(**dict(row)) for row in rows]
