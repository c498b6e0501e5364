"""A period as an address names it: a day, a week, a month, a quarter, a year, from one day on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMS = (
    (re.compile(r"(\d{4})"), lambda y: _months(int(y), 1, 12)),
    (re.compile(r"(\d{4})-Q([1-4])"), lambda y, q: _months(int(y), 3 * int(q) - 2, 3 * int(q))),
    (re.compile(r"(\d{4})-(\d{2})"), lambda y, m: _months(int(y), int(m), int(m))),
    (re.compile(r"(\d{4})-W(\d{2})"), lambda y, w: _week(int(y), int(w))),
    (re.compile(r"(\d{4}-\d{2}-\d{2})"), lambda d: (date.fromisoformat(d),) * 2),
    (
        re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})"),
        lambda a, b: (date.fromisoformat(a), date.fromisoformat(b)),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """Days of a wave, both included; ``key`` is what the address says, "" for all of the wave."""

    key: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def title(self) -> str:
        """How a sentence calls it."""
        if self.since is None or self.until is None:
            return t("board.whole_wave")
        iso = self.since.isocalendar()
        return t(
            f"board.period_{self.kind}",
            "vi",
            year=iso.year if self.kind == "week" else self.since.year,
            quarter=(self.since.month + 2) // 3,
            month=self.since.month,
            week=iso.week,
            since=day(self.since),
            until=day(self.until),
        )

    @property
    def choice(self) -> str:
        """How a list of periods calls it."""
        return self.title[:1].upper() + self.title[1:]

    @property
    def kind(self) -> str:
        """Which of the forms it has."""
        names = {4: "year", 10: "day", 22: "span"}
        if self.key[5:6] in ("Q", "W"):
            return "quarter" if self.key[5] == "Q" else "week"
        return names.get(len(self.key), "month" if self.key else "whole")


def read(text: str, since: str = "", until: str = "") -> Period:
    """Read a period; ``since`` and ``until`` (YYYY-MM-DD), where given, say it instead.

    Raises ValueError for what is none: no such day, the end before the beginning.
    """
    if since or until:
        text = f"{since or until}..{until or since}"
    if not text:
        return Period()
    for form, days in _FORMS:
        if found := form.fullmatch(text):
            first, last = _called(days, found.groups())
            if first > last or not 2000 <= first.year <= last.year <= 2200:
                raise ValueError(text)
            return Period(text, first, last)
    raise ValueError(text)


def choices(opens: date, closes: date, today: date) -> list[Period]:
    """The periods worth a place in a list: today, this week, months and quarters of a wave."""
    last = min(closes, today)
    found = [read(key) for key in _recent(today)] if opens <= today <= closes else []
    months: list[str] = []
    quarters: list[str] = []
    years: list[str] = []
    at = last.replace(day=1)
    while at >= opens.replace(day=1) and len(months) < 24:
        months.append(f"{at.year}-{at.month:02}")
        quarters.append(f"{at.year}-Q{(at.month + 2) // 3}")
        years.append(str(at.year))
        at = (at - timedelta(1)).replace(day=1)
    keys = [*dict.fromkeys(months[:12]), *dict.fromkeys(quarters), *dict.fromkeys(years)]
    return [*found, *(read(key) for key in keys)]


def week(today: date) -> str:
    """The key of the week a day is in."""
    year, number, _ = today.isocalendar()
    return f"{year}-W{number:02}"


def _recent(today: date) -> tuple[str, str]:
    return today.isoformat(), week(today)


def _called(days: Callable[..., tuple[date, date]], found: tuple[str, ...]) -> tuple[date, date]:
    return days(*found)


def _months(year: int, first: int, last: int) -> tuple[date, date]:
    after = date(year + last // 12, last % 12 + 1, 1)
    return date(year, first, 1), after - timedelta(1)


def _week(year: int, number: int) -> tuple[date, date]:
    first = date.fromisocalendar(year, number, 1)
    return first, first + timedelta(6)
