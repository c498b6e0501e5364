"""What a row about a dossier must say, whether it comes from a file or from another program."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from survey.citizen import extras
from survey.store import units
from survey.store.dossiers import Dossier
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Every field, in the order in which its faults are told.
FIELDS = (
    "key", "service", "receiving_unit", "resolving_unit", "officer", "received_on", "due_on",
    "settled_on", "phone", "applicant", "applicant_kind",
)  # fmt: skip
REQUIRED = ("key", "service", "receiving_unit", "received_on", "due_on")
_TEXTS = {"service": 300, "officer": 200, "applicant": 200}
#: How a file says that the applicant is an organisation; compared as names are.
_ORGANISATIONS = ("tổ chức", "to chuc", "organisation", "doanh nghiệp", "cơ quan", "hộ kinh doanh")
_PERSONS = ("cá nhân", "ca nhan", "person", "công dân", "người dân", "")
_KINDS = {units.name_key(name): True for name in _ORGANISATIONS}
_KINDS |= {units.name_key(name): False for name in _PERSONS}
#: Letters, digits and what stands between them in a dossier's number; never a formula's sign first.
_KEY = re.compile(r"[^\W_][\w./-]{0,63}")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_CLOCK = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
#: The oldest day that is no slip of the keyboard.
OLDEST = date(2000, 1, 1)


class Wrong(Protocol):
    """Notes a fault of a field: its short word and what its text needs."""

    def __call__(self, field: str, code: str, **facts: object) -> None:
        """Note it."""


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

        def wrong(field: str, code: str, **facts: object) -> None:
            text = t(f"dossiers.fault.{code}", self._language, **facts)
            faults.append(Fault(field, code, text))

        texts = _texts(row, wrong)
        receiving = self._unit("receiving_unit", texts, wrong)
        resolving = self._unit("resolving_unit", texts, wrong)
        received, due, settled = (
            _read_day(field, texts, wrong) for field in ("received_on", "due_on", "settled_on")
        )
        self._order(received, due, settled, wrong)
        phone = texts["phone"] if row.get("phone") is not None else None
        if phone:
            phone, bad = extras.phone(phone)
            if bad:
                wrong("phone", "phone")
        organisation = _KINDS.get(units.name_key(texts["applicant_kind"]))
        if organisation is None:
            wrong("applicant_kind", "applicant_kind", kind=_shown(texts["applicant_kind"]))
        if faults or received is None or due is None:
            return None, faults
        return Dossier(
            key=texts["key"], service=texts["service"], officer=texts["officer"] or None,
            receiving_unit=receiving, resolving_unit=resolving or receiving,
            received_on=received, due_on=due, settled_on=settled, phone=phone,
            applicant=texts["applicant"] if row.get("applicant") is not None else None,
            organisation=bool(organisation),
        ), []  # fmt: skip

    def _order(
        self, received: date | None, due: date | None, settled: date | None, wrong: Wrong
    ) -> None:
        """Say what cannot be in the days of one dossier."""
        if received and due and due < received:
            wrong("due_on", "due_early", due=_vi(due), received=_vi(received))
        if received and settled and settled < received:
            wrong("settled_on", "settled_early", settled=_vi(settled), received=_vi(received))
        for field, day in (("received_on", received), ("settled_on", settled)):
            if day and day > self._today:
                wrong(field, "future", day=_vi(day))

    def _unit(self, field: str, texts: Mapping[str, str], wrong: Wrong) -> str:
        """Return the id of a unit given by id, code or name; "" when it is none or several."""
        text = texts[field]
        if text not in self._units:
            known = self._known
            self._units[text] = known.get(text) or known.get(units.name_key(text)) or ""
        if text and not self._units[text]:
            wrong(field, "unit", name=_shown(text))
        return self._units[text]


def _texts(row: Mapping[str, object], wrong: Wrong) -> dict[str, str]:
    """Return every field as a text, "" where there is none, and say which cannot be."""
    texts: dict[str, str] = {}
    for field in FIELDS:
        value = row.get(field)
        if value is not None and not isinstance(value, str):
            wrong(field, "not_text")
            texts[field] = ""
            continue
        text = texts[field] = unicodedata.normalize("NFC", value or "").strip()
        if not text and field in REQUIRED:
            wrong(field, "empty")
    if texts["key"] and not _KEY.fullmatch(texts["key"]):
        wrong("key", "key")
    for field, longest in _TEXTS.items():
        if len(texts[field]) > longest:
            wrong(field, "long", longest=longest)
        elif not texts[field].isprintable():
            wrong(field, "unprintable")
    return texts


def _read_day(field: str, texts: Mapping[str, str], wrong: Wrong) -> date | None:
    day = _day(texts[field])
    if texts[field] and day is None:
        wrong(field, "day", day=_shown(texts[field]))
    return day


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
