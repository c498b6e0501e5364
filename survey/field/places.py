"""Where the places of a wave lie, what they and their people are called, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey import db
from survey.store import people as accounts
from survey.store import units
from survey.text import t
from survey.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable


class Places(Tree):
    """Units and staff by name, each looked up once a request."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, str] = {}
        self._staff: dict[int, str] = {}

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
