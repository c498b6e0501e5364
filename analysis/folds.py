"""A wave's answers folded into cells: what is stored, what came since, what was edited."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analysis import reader
from analysis.cells import Cells, Key
from analysis.design import Ints
from analysis.frame import Frame, frame, rule
from analysis.reader import Block, Wave
from analysis.tally import Folder
from forms.questionnaire import load

KEPT = ("valid", "flagged")
#: Day in Vietnam, channel, state, responses.
Day = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What some responses add up to: their cells, also those of all days, and counts by day."""

    cells: Cells
    days: tuple[Day, ...]
    last: int


def current(db: sqlite3.Connection, wave: str) -> str:
    """The rule that tallies of the wave must have been folded by; raises LookupError."""
    return rule(reader.wave(db, wave))


def pieces(
    db: sqlite3.Connection, wave: str, after: int, *, upto: int | None = None, step: int = 20_000
) -> Iterator[Piece]:
    """Fold the responses after number ``after``, at most ``step`` numbers at a time.

    Raises LookupError (no such wave), BadRows, BadIndex.
    """
    of, how = _opened(db, wave)
    end = reader.last(db, wave) if upto is None else upto
    while after < end:
        until = min(after + step, end)
        days: Counter[tuple[str, str, str]] = Counter()
        gather = _Gather(of, how)
        for state in reader.STATES:
            for block in reader.blocks(db, of, _width(how), state, (after, until)):
                named = zip(block.day, block.channel, strict=True)
                days.update((day, channel, state) for day, channel in named)
                gather.add(block)
                if of.kind != "probability":
                    gather.add(_of_services(block))
        cells = gather.cells()
        if of.kind != "probability":
            cells = cells.merge(cells.summed())
        yield Piece(cells, tuple((*key, n) for key, n in sorted(days.items())), until)
        after = until


def rebuilt(db: sqlite3.Connection, wave: str, psu: str, day: str, *, upto: int) -> Cells:
    """The cells of one place folded anew from its responses up to number ``upto``.

    They lie between the first and the last response of the stored cells, void ones included.  A
    place that lost all its answers keeps its cells, without persons.
    """
    of, how = _opened(db, wave)
    columns = reader.tally(db, wave, psu=psu, span=(day, day), squares=True)
    held = Cells.of_columns(columns, how.layout)
    gather, service = _Gather(of, how), day.startswith("s")
    after, until = (held.first.min() - 1, held.last.max()) if held.keys else (0, upto)
    numbers = int(after), min(int(until), upto)
    for state in reader.STATES:
        if of.kind == "probability" and not psu:  # no index leads to answers without a case
            found = reader.blocks(db, of, _width(how), state, numbers)
        else:
            found = reader.of_place(db, of, _width(how), state, psu, numbers, service=service)
        for block in found:
            gather.add(_of_services(block) if service else block, only=(psu, day))
    return _emptied(held).merge(gather.cells())


def stored(
    db: sqlite3.Connection, wave: str, *, span: tuple[str, str] = reader.ALL_DAYS
) -> tuple[Cells, int]:
    """The stored cells and the last response in them; none when they follow another rule."""
    return _held(db, *_opened(db, wave), span=span)


def whole(db: sqlite3.Connection, of: Wave, how: Frame, *, tallies: bool = True) -> Cells:
    """All answers of a wave over all days, as they are now: nothing is written.

    Stored cells, with what came since or was edited folded in memory; ``tallies`` False folds
    everything from the responses.
    """
    with reader.snapshot(db):
        held, seq = (
            _held(db, of, how, squares=False) if tallies else (Cells.of_rows([], how.layout), 0)
        )
        stale = reader.dirty(db, of.key) if seq else []
        stale = [place for place in stale if not place[1].startswith("s")]
        for psu in sorted({psu for psu, _ in stale}):
            fresh = _refreshed(db, of, how, psu, [day for p, day in stale if p == psu], seq)
            held = held.keep(lambda key, psu=psu: key.psu != psu).merge(fresh)  # type: ignore[misc]
        gather = _Gather(of, how, stored=False)
        end = reader.last(db, of.key)
        for state in KEPT if end > seq else ():
            for block in reader.blocks(db, of, _width(how), state, (seq, end), dated=False):
                gather.add(block)
        return held.merge(gather.cells())


def period(
    db: sqlite3.Connection,
    of: Wave,
    how: Frame,
    since: str,
    until: str,
    *,
    services: bool = False,
    by_day: bool = False,
) -> Cells:
    """Self-selected answers received from ``since`` to ``until`` (YYYY-MM-DD, both included; ""
    leaves that end open), in cells of months where whole months lie inside, else of days.

    ``services``: the cells of services, for the whole months only; ``by_day``: days only.
    Stored cells with what came since folded in memory; nothing is written.
    """
    wanted = spans(since, until, services=services, by_day=by_day)
    with reader.snapshot(db):
        cells, seq = Cells.of_rows([], how.layout), 0
        for span in wanted:
            found, seq = _held(db, of, how, span=span, squares=False)
            cells = cells.merge(found)
        gather = _Gather(of, how)
        end = reader.last(db, of.key)
        seq = seq if wanted else end
        for state in KEPT if end > seq else ():
            for block in reader.blocks(db, of, _width(how), state, (seq, end)):
                gather.add(_of_services(block) if services else block)
        new = gather.cells()
    first, last = since or "0", until or "9"
    if services:
        return cells.merge(new.keep(lambda key: any(a <= key.day <= b for a, b in wanted)))
    return cells.merge(new.keep(lambda key: first <= key.day <= last))


def spans(
    since: str, until: str, *, services: bool = False, by_day: bool = False
) -> list[tuple[str, str]]:
    """The runs of stored ``day`` that make up a period; as ``period``."""
    kind = "s" if services else "m"
    first = f"{kind}{_month_from(since)}" if since else kind
    last = f"{kind}{_month_until(until)}" if until else f"{kind}~"
    if by_day or first > last:
        return [] if services else [(since or "0", until or "9")]
    edges = []
    if not services and since and since[:7] < first[1:]:
        edges.append((since, f"{since[:7]}-99"))
    if not services and until and until[:7] > last[1:]:
        edges.append((f"{until[:7]}-00", until))
    return [(first, last), *edges]


def _month_from(since: str) -> str:
    """The first month (YYYY-MM) that lies whole after the beginning of a day."""
    on = date.fromisoformat(since)
    if on.day > 1:
        on = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return on.isoformat()[:7]


def _month_until(until: str) -> str:
    """The last month (YYYY-MM) that is over at the end of a day."""
    after = date.fromisoformat(until) + timedelta(1)
    return (after.replace(day=1) - timedelta(1)).isoformat()[:7]


def _held(
    db: sqlite3.Connection,
    of: Wave,
    how: Frame,
    *,
    span: tuple[str, str] = reader.ALL_DAYS,
    squares: bool = True,
) -> tuple[Cells, int]:
    held, seq = reader.tally_mark(db, of.key)
    if held != rule(of):
        return Cells.of_rows([], how.layout), 0
    columns = reader.tally(db, of.key, span=span, squares=squares)
    return Cells.of_columns(columns, how.layout), seq


def _refreshed(
    db: sqlite3.Connection, of: Wave, how: Frame, psu: str, days: list[str], seq: int
) -> Cells:
    """The cells of one place over all days, its edited days folded anew."""
    fresh = Cells.of_rows([], how.layout)
    if of.kind != "probability":
        columns = reader.tally(db, of.key, psu=psu, span=reader.DAYS)
        fresh = Cells.of_columns(columns, how.layout)
        fresh = fresh.keep(lambda key: key.day not in days)
    for day in days:
        fresh = fresh.merge(rebuilt(db, of.key, psu, day, upto=seq))
    return fresh.rolled()


def _opened(db: sqlite3.Connection, wave: str) -> tuple[Wave, Frame]:
    of = reader.wave(db, wave)
    return of, frame(of, load(of.questionnaire))


def _width(how: Frame) -> int:
    return len(how.questionnaire.columns)


def _of_services(block: Block) -> Block:
    """The answers of a block that name a service, each at "unit|service" in its month."""
    at = np.array([n for n, service in enumerate(block.service) if service], dtype=np.int64)
    rows = at.tolist()
    return Block(
        block.state,
        block.seq[at],
        block.codes[at],
        [block.channel[n] for n in rows],
        [f"{block.psu[n].partition('|')[0]}|{block.service[n]}" for n in rows],
        [f"s{block.day[n][:7]}" for n in rows],
        block.weight[at],
    )


def _emptied(cells: Cells) -> Cells:
    """The same cells without anybody in them."""
    return Cells(cells.keys, cells.sums.emptied(), cells.first, cells.last)


class _Gather:
    """Collects blocks into cells by place, day (of self-selected answers), channel and state.

    Cells that are not to be ``stored`` are of all days, without first and last response.
    """

    def __init__(self, of: Wave, how: Frame, *, stored: bool = True) -> None:
        self._how, self._stored = how, stored
        self._days = stored and of.kind != "probability"
        self._folder = Folder(how.layout, squares=stored)
        self._keys: dict[Key, int] = {}
        self._first, self._last = dict[int, int](), dict[int, int]()

    def add(self, block: Block, *, only: tuple[str, str] | None = None) -> None:
        """Take a block in, or only its answers of one place (psu, day).

        Void answers are nobody in their cell, but within its first and last.
        """
        keys, group = self._groups(block)
        rows: Ints | slice = slice(None)
        if only is not None:
            mine = [g for g, key in enumerate(keys) if (key.psu, key.day) == only]
            rows = np.flatnonzero(np.isin(group, mine))
        number = [
            self._keys.setdefault(key, len(self._keys))
            if only is None or (key.psu, key.day) == only
            else -1
            for key in keys
        ]
        cell = np.array(number, dtype=np.int64)[group[rows]]
        if cell.size == 0:
            return
        self._folder.reserve(len(self._keys))
        if block.state in KEPT:
            self._folder.add(cell, block.weight[rows], self._how.codes(block.codes[rows]))
        if self._stored:
            self._reach(cell, block.seq[rows])

    def cells(self) -> Cells:
        """What was taken in."""
        size = len(self._keys)
        first = np.array([self._first.get(c, 0) for c in range(size)], dtype=np.int64)
        last = np.array([self._last.get(c, 0) for c in range(size)], dtype=np.int64)
        return Cells(tuple(self._keys), self._folder.sums(), first, last)

    def _groups(self, block: Block) -> tuple[list[Key], Ints]:
        """The keys in a block and which of them each row has; whole columns at a time."""
        flagged = block.state == "flagged"
        columns = [block.psu, block.day, block.channel] if self._days else [
            block.psu, block.channel
        ]  # fmt: skip
        code = np.zeros(len(block.psu), dtype=np.int64)
        for column in columns:
            names = {name: n for n, name in enumerate(dict.fromkeys(column))}
            code = code * len(names) + np.array(list(map(names.__getitem__, column)))
        _, first, group = np.unique(code, return_index=True, return_inverse=True)
        keys = [
            Key(block.psu[n], block.day[n] if self._days else "", block.channel[n], flagged)
            for n in first.tolist()
        ]
        return keys, np.asarray(group, dtype=np.int64)

    def _reach(self, cell: Ints, seq: Ints) -> None:
        """Note the first and the last response of each cell; ``seq`` grows inside a block."""
        cells, at = np.unique(cell, return_index=True)
        ends = cell.size - 1 - np.unique(cell[::-1], return_index=True)[1]
        for c, low, high in zip(cells.tolist(), seq[at].tolist(), seq[ends].tolist(), strict=True):
            self._first[c] = min(low, self._first.get(c, low))
            self._last[c] = max(high, self._last.get(c, high))
