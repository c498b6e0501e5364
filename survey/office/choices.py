"""Units as the pages of people show them: names, what lies above and below, how many people."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from survey import db
from survey.data import COUNTRY
from survey.store import people, units
from survey.text import t


def inside(unit: str) -> str:
    """Return the name of a unit inside a sentence, "" being the whole instance."""
    return units.name(db.get(), unit) if unit else t("people.whole")


def title(unit: str) -> str:
    """Return the name of a unit as a heading."""
    name = inside(unit)
    return name[:1].upper() + name[1:]


def known(unit: str) -> bool:
    """Say whether there is such a unit."""
    return units.get(db.get(), unit) is not None


def above(unit: str, scope: str) -> list[tuple[str, str]]:
    """Return what lies between the reader's part and a unit, the highest first, both included."""
    path = list(units.path(db.get(), unit)) if unit else []
    inside = path[: path.index(scope) + 1] if scope in path else path
    found = [(id, title(id)) for id in reversed(inside) if id != COUNTRY or unit == COUNTRY]
    return found if scope else [("", title("")), *found]


def offered(unit: str, scope: str) -> list[tuple[str, str]]:
    """Return the units somebody may be moved to: those above, beside and below the present one."""
    found = dict(above(unit, scope))
    if scope and scope not in found:
        found[scope] = title(scope)
    for id in [scope or COUNTRY, *found]:
        for child in units.children(db.get(), id) if id else ():
            mark = "– " if child.parent != COUNTRY and child.parent != scope else ""
            found.setdefault(child.id, mark + child.title[:1].upper() + child.title[1:])
    return list(found.items())


class Within:
    """Says whether a unit lies under another one, for pages about all of them."""

    def __init__(self) -> None:
        self._parents = units.parents(db.get())

    def __call__(self, unit: str, scope: str) -> bool:
        """Whether ``unit`` is ``scope`` or under it; "" is the whole instance."""
        above: str | None = unit
        met: set[str] = set()
        while scope and above and above != scope and above not in met:
            met.add(above)
            above = self._parents.get(above)
        return not scope or above == scope


class Numbers:
    """How many people each unit has, alone and with all that lies under it."""

    def __init__(self) -> None:
        self._alone, self._parents = people.counts(db.get()), units.parents(db.get())
        self._under: dict[str, int] = {}
        for unit, n in self._alone.items():
            above: str | None = unit
            met: set[str] = set()
            while above and above not in met:
                met.add(above)
                self._under[above] = self._under.get(above, 0) + n
                above = self._parents.get(above)

    def below(self, unit: str) -> list[tuple[str, str, int]]:
        """Return id, name and number of people of the units right under one, by name."""
        found = {
            child.id: child.title[:1].upper() + child.title[1:]
            for child in units.children(db.get(), unit or COUNTRY)
        }
        for id in self._under:  # people of a unit that was merged are not lost with it
            if self._parents.get(id) == (unit or COUNTRY):
                found.setdefault(id, title(id))
        if not unit and self._alone.get(COUNTRY):
            found[COUNTRY] = title(COUNTRY)
        rows = [
            (id, name, self._alone[id] if id == COUNTRY else self._under.get(id, 0))
            for id, name in found.items()
        ]
        return sorted(rows, key=lambda row: (row[2] == 0, folded(row[1])))


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """Return a text without case and diacritics, "đ" as "d"."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
