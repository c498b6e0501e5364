"""Units and design of a wave as its files tell them: parts, margins, numbers instead of names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import blake2b
from typing import TYPE_CHECKING

from survey.store import weighting
from survey.text import has, t

if TYPE_CHECKING:
    from forms.questionnaire import Questionnaire

#: What parts the labels of margins, and stands before the name of a margin's column.
BETWEEN, MARGIN = "|", "margin."


class Places:
    """Units as they were on the last day of a wave."""

    def __init__(self, db: sqlite3.Connection, on: date) -> None:
        from analysis.reader import Units

        self._units = Units(db, on.isoformat())

    def path(self, unit: str) -> tuple[str, ...]:
        """The unit and everything above it, itself first."""
        return self._units.path(unit)

    def title(self, unit: str) -> str:
        """The unit's name in a sentence."""
        return self._units.title(unit)

    def below(self, unit: str, scope: str) -> list[str]:
        """From just under ``scope`` (or the country) down to the unit."""
        path: list[str] = []
        for id in self.path(unit):
            found = self._units.get(id)
            if id == scope or (not scope and found is not None and found.kind == "country"):
                break
            path.append(id)
        return path[::-1]


def divide(places: Places, units: Iterable[str], scope: str) -> dict[str, str]:
    """The part each unit belongs to, as reports split a wave: at the first level that divides.

    Units of the scope itself belong to no part; fewer than two parts are none.
    """
    paths = {unit: places.below(unit, scope) for unit in units}
    depth = 0
    while True:
        at = {unit: path[depth] for unit, path in paths.items() if len(path) > depth}
        if len(set(at.values())) != 1:
            return at
        depth += 1


def margins(db: sqlite3.Connection, wave: str) -> tuple[str, ...]:
    """Columns of the margins that the weights of a wave were fitted to."""
    made = weighting.get(db, wave)
    return tuple(MARGIN + name for name in (made.settings.get("margins", ()) if made else ()))


def margin_label(column: str, q: Questionnaire) -> str:
    """What a margin's column is called."""
    names = []
    for name in column.removeprefix(MARGIN).split("*"):
        asked = next((item.text for item in q.items if item.id == name), "")
        key = f"data.fact.{name}"
        names.append(asked or (t(key) if has(key) else name))
    return t("data.fact.margin", name=" × ".join(names))


def numbered(names: Iterable[str], secret: bytes, wave: str) -> Mapping[str, int]:
    """A number for each name, in an order that only the secret of the instance can tell."""
    key = blake2b(secret, digest_size=32).digest()

    def drawn(name: str) -> bytes:
        return blake2b(f"{wave}\n{name}".encode(), key=key).digest()

    return {name: n for n, name in enumerate(sorted(names, key=drawn), 1)}
