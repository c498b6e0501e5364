"""Parts of pages that took long to make, kept until something they rest on has changed."""

from __future__ import annotations

import sqlite3
import zlib
from datetime import datetime

from survey.db import write
from survey.store.clock import stamp

#: Pages kept; the oldest go first.
MOST = 2000


def find(db: sqlite3.Connection, name: str, mark: str) -> str | None:
    """The page of this name as long as its mark is this one."""
    row = db.execute(
        "SELECT body FROM kept_page WHERE name = :name AND mark = :mark",
        {"name": name, "mark": mark},
    ).fetchone()
    return zlib.decompress(row["body"]).decode() if row else None


def keep(db: sqlite3.Connection, name: str, mark: str, text: str, *, now: datetime) -> None:
    """Keep a page in the place of the one before."""
    body = zlib.compress(text.encode(), 6)
    with write(db):
        db.execute(
            "INSERT INTO kept_page (name, mark, body, made_at) VALUES (:name, :mark, :body, :at)"
            " ON CONFLICT (name) DO UPDATE SET mark = :mark, body = :body, made_at = :at",
            {"name": name, "mark": mark, "body": body, "at": stamp(now)},
        )
        db.execute(
            "DELETE FROM kept_page WHERE name NOT IN (SELECT name FROM kept_page"
            " ORDER BY made_at DESC LIMIT :most)",
            {"most": MOST},
        )
