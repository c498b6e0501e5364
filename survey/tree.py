"""Where units lie under each other, each looked up once a request."""

from __future__ import annotations

from survey import db
from survey.data import COUNTRY
from survey.store import units


class Tree:
    """Units and what lies above them, the country left out."""

    def __init__(self) -> None:
        self._paths: dict[str, tuple[str, ...]] = {}

    def path(self, unit: str) -> tuple[str, ...]:
        """Return the unit and all above it but the country."""
        if unit not in self._paths:
            found = units.path(db.get(), unit) or (unit,)
            self._paths[unit] = tuple(id for id in found if id != COUNTRY)
        return self._paths[unit]

    def inside(self, unit: str, scope: str) -> bool:
        """Say whether a unit is ``scope`` or lies under it; "" and the country are everything."""
        return scope in ("", COUNTRY) or scope in self.path(unit)

    def part(self, unit: str, scope: str) -> str:
        """Return the unit right under ``scope`` that holds ``unit``, or ``scope`` itself."""
        path = self.path(unit)
        if scope in ("", COUNTRY):
            return path[-1] if path else unit
        return path[max(path.index(scope) - 1, 0)]
