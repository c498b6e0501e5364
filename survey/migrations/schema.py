"""The list that every step of the schema writes itself into."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

schema = Migrations("sipas")


def all_of(db: Database, *statements: str) -> None:
    """Execute one by one: ``executescript`` would commit and leave a step half done."""
    for statement in statements:
        db.conn.execute(statement)
