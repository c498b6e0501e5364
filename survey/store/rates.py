"""Counters of attempts in windows of time, kept in the database so that a restart forgets none."""

from __future__ import annotations

import hmac
import sqlite3
from datetime import date, datetime, timedelta

from survey.db import write
from survey.store.clock import moment, stamp


def hit(db: sqlite3.Connection, key: str, window: int, limit: int, *, now: datetime) -> int:
    """Count one attempt; 0 when it may go on, else the seconds until the window ends.

    Parameters
    ----------
    window : seconds from the first attempt until the count begins anew
    limit : attempts allowed in a window
    """
    floor = stamp(now - timedelta(seconds=window))
    with write(db):
        row = db.execute(
            "INSERT INTO rate (key, window_started_at, count) VALUES (:key, :now, 1)"
            " ON CONFLICT (key) DO UPDATE SET"
            # A start in the future is a clock that was set back: begin anew, lock nobody out.
            "  count = CASE WHEN rate.window_started_at <= :floor OR rate.window_started_at > :now"
            "   THEN 1 ELSE rate.count + 1 END,"
            "  window_started_at = CASE WHEN rate.window_started_at <= :floor"
            "   OR rate.window_started_at > :now THEN :now ELSE rate.window_started_at END"
            " RETURNING count, window_started_at",
            {"key": key, "now": stamp(now), "floor": floor},
        ).fetchone()
    return _wait(row, window, limit, now)


def waiting(db: sqlite3.Connection, key: str, window: int, limit: int, *, now: datetime) -> int:
    """The seconds ``hit`` would answer for one attempt more, without counting it."""
    row = db.execute(
        "SELECT count + 1 AS count, window_started_at FROM rate WHERE key = :key", {"key": key}
    ).fetchone()
    return _wait(row, window, limit, now) if row else 0


def clear(db: sqlite3.Connection, key: str) -> None:
    """Forget a counter: the right password was given."""
    with write(db):
        db.execute("DELETE FROM rate WHERE key = :key", {"key": key})


def sweep(db: sqlite3.Connection, *, now: datetime) -> int:
    """Forget counters older than a day; returns how many."""
    with write(db):
        return db.execute(
            "DELETE FROM rate WHERE window_started_at < :old",
            {"old": stamp(now - timedelta(days=1))},
        ).rowcount


def masked(secret: bytes, address: str, on: date) -> str:
    """A name for an address that holds for one day and cannot be turned back."""
    return hmac.digest(secret, f"rate\0{on.isoformat()}\0{address}".encode(), "sha256")[:12].hex()


def _wait(row: sqlite3.Row, window: int, limit: int, now: datetime) -> int:
    left = moment(row["window_started_at"]) + timedelta(seconds=window) - now
    seconds = -(-left // timedelta(seconds=1))
    if row["count"] <= limit or seconds <= 0 or seconds > window:
        return 0
    return seconds
