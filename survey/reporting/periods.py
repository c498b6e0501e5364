"""Periods that reports are asked of: a month, a quarter, a half-year, a year, or some days."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from survey.store import Refused
from survey.text import day, t

#: Kinds of periods, the shortest first.
KINDS = ("month", "quarter", "half", "year")
_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_KEY = re.compile(r"(\d{4})(?:-(?:Q([1-4])|H([12])|(0[1-9]|1[0-2])))?")
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")
#: Years that anything is reported of; the days before and after can be counted, too.
_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Vietnam, both included; ``key`` is "2026-Q3", "2026-H1", "2026", "2026-08" or
    "2026-07-01..2026-07-15", ``kind`` one of KINDS or "days"."""

    key: str
    kind: str
    first: date
    last: date

    @property
    def words(self) -> str:
        """As it stands in a sentence: "quý III năm 2026"."""
        year = self.first.year
        if self.kind == "days":
            return t("period.days", first=day(self.first), last=day(self.last))
        if self.kind == "year":
            return t("period.year", year=year)
        place = (self.first.month - 1) // _MONTHS[self.kind] + 1
        if self.kind == "half":
            return t(f"period.half_{place}", year=year)
        shown = ("I", "II", "III", "IV")[place - 1] if self.kind == "quarter" else place
        return t(f"period.{self.kind}", n=shown, year=year)

    @property
    def before(self) -> Period:
        """The period of the same kind just before; of days, as many of them."""
        if self.kind == "days":
            length = self.last - self.first
            last = date.fromordinal(self.first.toordinal() - 1)
            return _read(f"{last - length}..{last}")
        return containing(date.fromordinal(self.first.toordinal() - 1), self.kind)


def of(key: str) -> Period:
    """The period of a key.  Raises Refused ``period`` (422: ``period``) for what is none."""
    period = _read(key)
    if period.first.year not in _YEARS or period.last.year not in _YEARS:
        raise Refused("period", 422, period=key)
    return period


def _read(key: str) -> Period:
    if found := _DAYS.fullmatch(key):
        try:
            first, last = map(date.fromisoformat, found.groups())
        except ValueError:
            raise Refused("period", 422, period=key) from None
        if first <= last:
            return Period(key, "days", first, last)
    found = _KEY.fullmatch(key)
    if not found or key[:4] == "0000":
        raise Refused("period", 422, period=key)
    year, quarter, half, month = found.groups()
    kind = "quarter" if quarter else "half" if half else "month" if month else "year"
    start = (int(quarter or half or month or 1) - 1) * _MONTHS[kind] + 1
    end = start + _MONTHS[kind] - 1
    first = date(int(year), start, 1)
    return Period(key, kind, first, date(int(year), end, monthrange(int(year), end)[1]))


def containing(on: date, kind: str) -> Period:
    """The period of a kind that a day lies in."""
    place = (on.month - 1) // _MONTHS[kind] + 1
    ends = {"month": f"-{place:02d}", "quarter": f"-Q{place}", "half": f"-H{place}", "year": ""}
    return _read(f"{on.year:04d}{ends[kind]}")


def latest(on: date, kind: str, n: int) -> list[Period]:
    """The period that a day lies in and those before it, ``n`` of them, the newest first."""
    found = [containing(on, kind)]
    while len(found) < n:
        found.append(found[-1].before)
    return found
