"""What a row about a dossier must say, whether it comes from a file or from another program."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from survey import extras
from survey.store import units
from survey.store.dossiers import Dossier
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Every field, in the order in which its faults are told.
FIELDS = (
    "key", "service", "receiving_unit", "resolving_unit", "officer", "received_on", "due_on",
    "settled_on", "phone",
)  # fmt: skip
REQUIRED = ("key", "service", "receiving_unit", "received_on", "due_on")
_TEXTS = {"service": 300, "officer": 200}
#: Letters, digits and what stands between them in a dossier's number; never a formula's sign first.
_KEY = re.compile(r"[^\W_][\w./-]{0,63}")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_CLOCK = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
#: The oldest day that is no slip of the keyboard.
OLDEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field: a short word for machines, a text for people."""

    field: str
    code: str
    text: str


class Reader:
    """Reads rows into dossiers; ``known`` says what stands for which unit."""

    def __init__(self, known: Mapping[str, str], *, today: date, language: str = "vi") -> None:
        self._known, self._today, self._language = known, today, language
        self._units: dict[str, str] = {}

    def read(self, row: Mapping[str, object]) -> tuple[Dossier | None, list[Fault]]:
        """Return the dossier, or everything wrong with the row; empty texts are as none."""
        faults: list[Fault] = []
        texts: dict[str, str] = {}

        def wrong(field: str, code: str, **facts: object) -> None:
            text = t(f"dossiers.fault.{code}", self._language, **facts)
            faults.append(Fault(field, code, text))

        for field in FIELDS:
            value = row.get(field)
            if value is not None and not isinstance(value, str):
                wrong(field, "not_text")
                value = ""
            texts[field] = unicodedata.normalize("NFC", value or "").strip()
            if not texts[field] and field in REQUIRED and isinstance(row.get(field), str | None):
                wrong(field, "empty")
        if texts["key"] and not _KEY.fullmatch(texts["key"]):
            wrong("key", "key")
        for field, longest in _TEXTS.items():
            if len(texts[field]) > longest:
                wrong(field, "long", longest=longest)
            elif not texts[field].isprintable():
                wrong(field, "unprintable")
        texts["resolving_unit"] = texts["resolving_unit"] or texts["receiving_unit"]
        unit = {field: self._unit(texts[field]) for field in ("receiving_unit", "resolving_unit")}
        for field, id in unit.items():
            given = texts[field] and (field == "receiving_unit" or row.get(field))
            if given and not id:
                wrong(field, "unit", name=_shown(texts[field]))
        days = {field: _day(texts[field]) for field in ("received_on", "due_on", "settled_on")}
        for field, day in days.items():
            if texts[field] and day is None:
                wrong(field, "day", day=_shown(texts[field]))
        for field, code, facts in self._order(days):
            wrong(field, code, **facts)
        phone = texts["phone"] if row.get("phone") is not None else None
        if phone:
            phone, bad = extras.phone(phone)
            if bad:
                wrong("phone", "phone")
        received, due = days["received_on"], days["due_on"]
        if faults or received is None or due is None:
            return None, faults
        return Dossier(
            key=texts["key"], service=texts["service"], officer=texts["officer"] or None,
            receiving_unit=unit["receiving_unit"], resolving_unit=unit["resolving_unit"],
            received_on=received, due_on=due, settled_on=days["settled_on"], phone=phone,
        ), []  # fmt: skip

    def _order(self, days: Mapping[str, date | None]) -> list[tuple[str, str, dict[str, object]]]:
        """What cannot be in the days of one dossier."""
        found: list[tuple[str, str, dict[str, object]]] = []
        received, due, settled = days["received_on"], days["due_on"], days["settled_on"]
        if received and due and due < received:
            found.append(("due_on", "due_early", {"due": _vi(due), "received": _vi(received)}))
        if received and settled and settled < received:
            facts: dict[str, object] = {"settled": _vi(settled), "received": _vi(received)}
            found.append(("settled_on", "settled_early", facts))
        for field, day in (("received_on", received), ("settled_on", settled)):
            if day and day > self._today:
                found.append((field, "future", {"day": _vi(day)}))
        return found

    def _unit(self, text: str) -> str:
        """Return the id of a unit given by id, code or name; "" when it is none or several."""
        if text not in self._units:
            known = self._known
            self._units[text] = known.get(text) or known.get(units.name_key(text)) or ""
        return self._units[text]


@lru_cache(20_000)
def _day(text: str) -> date | None:
    """Return the day of "2026-11-22" or "22/11/2026", with or without a time of day after it."""
    found = _DAY.match(text)
    if found is None or (len(text) > found.end() and not _CLOCK.fullmatch(text[found.end() :])):
        return None
    numbers = found.groups()
    year, month, on = numbers[:3] if numbers[0] else reversed(numbers[3:])
    try:
        day = date(int(year), int(month), int(on))
    except ValueError:
        return None
    return day if day >= OLDEST else None


def _vi(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _shown(text: str) -> str:
    """Return somebody's word as it may be given back: short, without lone surrogates."""
    return text[:80].encode(errors="replace").decode()
