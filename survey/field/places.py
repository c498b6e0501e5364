"""Where the places of a wave lie, what they and their people are called, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey import db
from survey.store import people as accounts
from survey.store import units
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Iterable

COUNTRY = "vn34:00"


class Places:
    """Units and staff by name, each looked up once a request."""

    def __init__(self) -> None:
        self._paths: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, str] = {}
        self._staff: dict[int, str] = {}

    def path(self, unit: str) -> tuple[str, ...]:
        """Return the unit and all above it but the country."""
        if unit not in self._paths:
            found = units.path(db.get(), unit) or (unit,)
            self._paths[unit] = tuple(id for id in found if id != COUNTRY)
        return self._paths[unit]

    def inside(self, unit: str, scope: str) -> bool:
        """Say whether a unit is ``scope`` or lies under it; "" is everything."""
        return not scope or scope in self.path(unit)

    def part(self, unit: str, scope: str) -> str:
        """Return the unit right under ``scope`` that holds ``unit``, or ``scope`` itself."""
        path = self.path(unit)
        if not scope:
            return path[-1] if path else unit
        return path[max(path.index(scope) - 1, 0)]

    def common(self, every: Iterable[str], scope: str) -> str:
        """Return the lowest unit in or under ``scope`` that holds all of ``every``."""
        held = list(every)
        while held:
            parts = {self.part(unit, scope) for unit in held}
            if len(parts) > 1 or parts == {scope}:
                break
            [scope] = parts
        return scope

    def name(self, unit: str) -> str:
        """Return the name of a unit at the head of a line."""
        if unit not in self._names:
            found = units.name(db.get(), unit) if unit else t("field.everywhere")
            self._names[unit] = found[:1].upper() + found[1:]
        return self._names[unit]

    def person(self, staff: int | None) -> str:
        """Return the name of one of the staff; of nobody, that there is none yet."""
        if staff is None:
            return t("field.nobody")
        if staff not in self._staff:
            found = accounts.get(db.get(), staff)
            self._staff[staff] = f"{found.name} ({found.username})" if found else str(staff)
        return self._staff[staff]


def number(n: int) -> str:
    """Return a count as it is printed: 1.234."""
    return f"{n:,}".replace(",", ".")
