"""Working days: Monday to Friday but for holidays, and the weekends worked in their place."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files

from survey.db import write
from survey.store import Refused, audit

_HEAD = ("day", "name", "works", "source")
#: Rows that one file may bring, and letters of a name.
MOST, LONGEST = 1000, 200


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is not as its weekday says: free, or worked (``works``) at a weekend."""

    day: date
    name: str
    works: bool
    source: str


def shipped() -> tuple[Day, ...]:
    """Return the holidays of 2026 and 2027 that come with the program."""
    return _shipped()


@cache
def _shipped() -> tuple[Day, ...]:
    return tuple(read(files("survey.data").joinpath("holidays.csv").read_text("utf-8")))


def read(text: str) -> list[Day]:
    """Read a table ``day,name,works,source``; all or nothing.

    Raises Refused ``faulty_holidays`` (422: ``faults``), each fault with its line, in Vietnamese.
    """
    rows = csv.reader(text.lstrip("\ufeff").splitlines())
    if tuple(next(rows, [])) != _HEAD:
        raise Refused("faulty_holidays", 422, faults=[f"Dòng 1: cần {','.join(_HEAD)}"])
    found, faults, seen = list[Day](), list[str](), set[date]()
    for line, row in enumerate(rows, 2):
        if not any(row):
            continue
        try:
            day, name, works, source = row
            on = date.fromisoformat(day.strip())
        except ValueError:
            faults.append(f"Dòng {line}: cần ngày (2026-09-02), tên, 0 hoặc 1, nguồn")
            continue
        if on in seen:
            faults.append(f"Dòng {line}: ngày {on:%d/%m/%Y} có hai lần")
        if works.strip() not in ("0", "1") or not name.strip() or len(name + source) > LONGEST:
            faults.append(f"Dòng {line}: cột works là 0 (nghỉ) hoặc 1 (làm bù), tên không trống")
        seen.add(on)
        found.append(Day(on, name.strip(), works.strip() == "1", source.strip()))
    if len(found) > MOST:
        faults.append(f"Nhiều hơn {MOST} dòng")
    if faults:
        raise Refused("faulty_holidays", 422, faults=faults)
    return found


def known(db: sqlite3.Connection) -> dict[date, Day]:
    """The days that are told, those of the instance before those that come with the program."""
    held = {one.day: one for one in _shipped()}
    for row in db.execute("SELECT day, name, works, source FROM holiday ORDER BY day"):
        on = date.fromisoformat(row["day"])
        held[on] = Day(on, row["name"], bool(row["works"]), row["source"])
    return dict(sorted(held.items()))


def put(
    db: sqlite3.Connection, days: Iterable[Day], *, now: datetime, actor: str, source: str
) -> int:
    """Keep days, the newer instead of the older; returns how many."""
    rows = [
        {"day": one.day.isoformat(), "name": one.name, "works": int(one.works),
         "source": one.source} for one in days
    ]  # fmt: skip
    with write(db):
        db.executemany(
            "INSERT INTO holiday (day, name, works, source) VALUES (:day, :name, :works, :source)"
            " ON CONFLICT (day) DO UPDATE SET name = excluded.name, works = excluded.works,"
            " source = excluded.source",
            rows,
        )
        audit.append(
            db, at=now, actor=actor, action="holidays.put", subject=source[:100],
            detail={"days": len(rows)},
        )  # fmt: skip
    return len(rows)


def works(on: date, held: Mapping[date, Day]) -> bool:
    """Say whether offices work on a day."""
    return held[on].works if on in held else on.weekday() < 5


def after(start: date, n: int, held: Mapping[date, Day]) -> date:
    """Return the nth working day after ``start``; the day itself is not counted."""
    on = start
    while n > 0:
        on += timedelta(1)
        n -= works(on, held)
    return on


def between(start: date, end: date, held: Mapping[date, Day]) -> int:
    """Count the working days after ``start`` up to ``end``; below 0 when it lies before."""
    if end < start:
        return -between(end, start, held)
    return sum(works(start + timedelta(k), held) for k in range(1, (end - start).days + 1))
