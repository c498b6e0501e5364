"""Whether units lie under one, each looked up once."""

from __future__ import annotations

import sqlite3

from survey.store import units


class Inside:
    """Whether a unit is a given one or lies under it; asks the database once a unit."""

    def __init__(self, db: sqlite3.Connection, top: str) -> None:
        self._db, self._top = db, top
        self._known: dict[str, bool] = {}

    def __call__(self, unit: str) -> bool:
        """Say so; everything lies under ""."""
        if not self._top:
            return True
        if unit not in self._known:
            self._known[unit] = self._top in units.path(self._db, unit)
        return self._known[unit]
