"""The geography every instance starts with: provinces, what they came from, and rank sets."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from survey import data
from survey.db import write
from survey.store import units


def load(db: sqlite3.Connection, *, now: datetime, actor: str) -> units.Imported:
    """Bring in, or bring up to date, the provinces that ship with the program; idempotent."""
    rows = [
        units.Unit(
            row.scheme, row.code, row.valid_from, row.valid_to, row.kind, row.word, row.name,
            units.name_key(row.name), row.parent,
        )
        for row in data.rows()
    ]  # fmt: skip
    with write(db):
        done = units.import_rows(db, rows, now=now, actor=actor, source="provinces")
        db.executemany(
            "INSERT INTO unit_origin (unit, origin) VALUES (:unit, :origin) ON CONFLICT DO NOTHING",
            [{"unit": unit, "origin": origin} for unit, origin in data.origins()],
        )
        for group in data.sets():
            _set(db, group)
    return done


def _set(db: sqlite3.Connection, group: data.Set) -> None:
    db.execute(
        "INSERT INTO rank_set (key, name, kind, valid_from, valid_to)"
        " VALUES (:key, :name, :kind, :valid_from, :valid_to) ON CONFLICT (key) DO UPDATE SET"
        " name = excluded.name, kind = excluded.kind,"
        " valid_from = excluded.valid_from, valid_to = excluded.valid_to",
        {name: getattr(group, name) for name in ("key", "name", "kind", "valid_from", "valid_to")},
    )
    db.executemany(
        "INSERT INTO rank_set_member (rank_set, unit, valid_from, valid_to)"
        " VALUES (:key, :unit, :since, :until) ON CONFLICT (rank_set, unit, valid_from)"
        " DO UPDATE SET valid_to = excluded.valid_to",
        [
            {"key": group.key, "unit": unit, "since": since, "until": until}
            for unit, since, until in group.members
        ],
    )
