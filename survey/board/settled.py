"""Settled dossiers of a period, from kept counts where counting would keep a reader waiting."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock, Thread
from typing import TYPE_CHECKING

from survey import db, services
from survey.store import clock, dossiers
from survey.store import settled as store

if TYPE_CHECKING:
    from pathlib import Path

    from survey.store.settled import Cell
    from survey.tree import Tree

#: Counting that took longer than this (seconds) is kept, and done again behind the reader's back.
SLOW = 0.03
#: Kept counts are good for so many times as long as counting took, and for so long at least.
TIMES, LEAST = 20, 30.0

_turn, _counting = Lock(), set[tuple["Path", str]]()


@dataclass(frozen=True, slots=True)
class Counted:
    """Settled dossiers counted, and the moment the oldest of the counts was made."""

    cells: Sequence[Cell]
    at: datetime


def counted(since: date, until: date) -> Counted:
    """Count the dossiers settled from ``since`` to ``until``, both included.

    Small instances are counted each time.  A month that is slow to count is kept; when its count
    is old it is shown as it is, with its moment, and counted anew by a thread of its own.
    """
    now = clock.now()
    until = min(until, clock.day(now))  # nothing is settled tomorrow
    found: list[Cell] = []
    oldest = now
    whole = list(_months(since, until))
    held = store.marks(db.get(), whole[0][0], whole[-1][0]) if whole else {}
    for month, first, last in whole:
        mark = held.get(month)
        if (first, last) != (_first(month), _last(month)) or mark is None:
            found += _now(month, first, last)
            continue
        found += store.counts(db.get(), month)
        oldest = min(oldest, mark.counted_at)
        if (now - mark.counted_at).total_seconds() > max(LEAST, TIMES * mark.took):
            _again(month)
    return Counted(found, oldest)


def hidden_above(whole: Sequence[Cell], scope: str, tree: Tree, *, hide_n: int) -> bool:
    """Say whether a table further up hides this unit's number: its own page must not tell it."""
    from analysis.bounds import hidden_parts

    steps = [*reversed(tree.path(scope))] if scope else []
    for parent, child in zip(["", *steps], steps, strict=False):
        counts: Counter[str] = Counter()
        for cell in whole:
            if cell.channel and tree.inside(cell.unit, parent):
                counts[tree.part(cell.unit, parent)] += cell.n
        names = sorted(counts)
        hidden = hidden_parts([counts[name] for name in names], hide_n=hide_n)
        if child in {names[at] for at in hidden}:
            return True
    return False


def known() -> bool:
    """Whether any dossier was ever settled."""
    return bool(dossiers.years(db.get()))


def _now(month: str, first: date, last: date) -> list[Cell]:
    """Count while the reader waits; keep it when it was a whole month and slow."""
    began, at = time.monotonic(), clock.now()
    cells = store.count(db.get(), since=first, until=last)
    took = time.monotonic() - began
    if took > SLOW and (first, last) == (_first(month), _last(month)):
        _keep(services().settings.database, month, cells, at, took)
    return cells


def _again(month: str) -> None:
    """Count a month in a thread of its own, one at a time and none twice."""
    database = services().settings.database
    with _turn:
        if (database, month) in _counting:
            return
        _counting.add((database, month))
    Thread(target=_count, args=(database, month), daemon=True, name=f"settled {month}").start()


def _count(database: Path, month: str) -> None:
    try:
        began, at = time.monotonic(), clock.now()
        with closing(db.connect(database, readonly=True)) as own:
            cells = store.count(own, since=_first(month), until=_last(month))
        _keep(database, month, cells, at, time.monotonic() - began)
    finally:
        with _turn:
            _counting.discard((database, month))


def _keep(database: Path, month: str, cells: list[Cell], at: datetime, took: float) -> None:
    """Keep counts through a connection of its own; where nothing can be written, do without."""
    with suppress(db.NotStored), closing(db.connect(database, create=False)) as own:
        store.keep(own, month, cells, at=at, took=took)


def _months(since: date, until: date) -> Iterator[tuple[str, date, date]]:
    """Return each month of a period with its first and last day in it."""
    at = since
    while at <= until:
        month = at.isoformat()[:7]
        yield month, at, min(until, _last(month))
        at = _last(month) + timedelta(1)


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _last(month: str) -> date:
    first = _first(month)
    return date(first.year + first.month // 12, first.month % 12 + 1, 1) - timedelta(1)
