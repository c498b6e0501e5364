"""Quarters, half-years and years: what office reports are about, "2026-Q3", "2026-H1", "2026"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_NAME = re.compile(r"(\d{4})(?:-([QH])(\d))?")
#: Months of a part of the year, by its letter.
_MONTHS = {"Q": 3, "H": 6, "": 12}
_QUARTERS = {1: "I", 2: "II", 3: "III", 4: "IV"}
_HALVES = {1: "6 tháng đầu năm", 2: "6 tháng cuối năm"}
FIRST_YEAR = 2000


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A year, or its part ``n`` of kind Q (quarter) or H (half-year); ``part`` "" is all of it."""

    year: int
    part: str = ""
    n: int = 1

    @property
    def key(self) -> str:
        """The name in addresses, commands and the database: "2026-Q3"."""
        return f"{self.year}-{self.part}{self.n}" if self.part else str(self.year)

    @property
    def since(self) -> date:
        """Its first day."""
        return date(self.year, _MONTHS[self.part] * (self.n - 1) + 1, 1)

    @property
    def until(self) -> date:
        """Its last day, which is a day of it like any other."""
        return self.next.since - timedelta(days=1)

    @property
    def next(self) -> Period:
        """The period of the same kind after it."""
        last = self.n * _MONTHS[self.part] >= 12
        return Period(self.year + last, self.part, 1 if last else self.n + 1)

    @property
    def previous(self) -> Period:
        """The period of the same kind before it."""
        return around(self.since - timedelta(days=1), self.part)

    @property
    def title(self) -> str:
        """How a sentence calls it: "quý III năm 2026"."""
        if self.part == "Q":
            return f"quý {_QUARTERS[self.n]} năm {self.year}"
        return f"{_HALVES[self.n]} {self.year}" if self.part else f"năm {self.year}"


def around(day: date, part: str = "Q") -> Period:
    """The period of a kind that holds a day."""
    return Period(day.year, part, (day.month - 1) // _MONTHS[part] + 1)


def read(key: str) -> Period:
    """The period of this name; raises LookupError when there is none."""
    found = _NAME.fullmatch(key.strip().upper())
    if found is None:
        raise LookupError(key)
    year, part, n = int(found[1]), found[2] or "", int(found[3] or 1)
    if not FIRST_YEAR <= year <= 9998 or not 1 <= n <= 12 // _MONTHS[part]:
        raise LookupError(key)
    return Period(year, part, n)


def named(since: date, until: date) -> Period | None:
    """The quarter, half-year or year from ``since`` to ``until``, None when it is neither."""
    found = (around(since, part) for part in _MONTHS)
    return next((p for p in found if (p.since, p.until) == (since, until)), None)


def recent(today: date, part: str = "Q", n: int = 6) -> list[Period]:
    """The period of today and those before it, the newest first."""
    found = [around(today, part)]
    while len(found) < n:
        found.append(found[-1].previous)
    return found
