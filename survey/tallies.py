"""Folding: bring a wave's tallies up to its responses, and compare the two."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from survey.store import tally, waves
from survey.store.tally import Mark, Place

if TYPE_CHECKING:
    from analysis.cells import Cells, Key
    from analysis.tally import Layout

Progress = Callable[[int], None] | None
#: Responses folded in one piece: a transaction of some milliseconds.
STEP = 20_000
#: Wrong places of a wave that are named; the rest is counted.
NAMED = 10


def refresh(db: sqlite3.Connection, wave: str, *, progress: Progress = None) -> int:
    """Fold what came in since the last time and mend what was edited; returns responses folded.

    Reads outside of any transaction and writes in short ones, so citizens never wait for it.
    Whoever else folds at the same time, each response is counted once: who comes second with a
    piece drops it and goes on from where the other is.

    Raises
    ------
    LookupError
        Unknown wave or questionnaire.
    ValueError
        What is stored does not fit the wave's method (as ``analysis.sipas.wave_result``).
    NotStored
        The tallies could not be written.  Figures do without: they fold in memory what is missing.
    """
    from analysis import folds

    layout, done = _layout(db, wave), 0
    while True:
        held: Mark | None = tally.mark(db, wave)
        assert held is not None
        rule = folds.current(db, wave)
        if held.rule != rule:
            tally.reset(db, held, rule)
            continue
        if stale := tally.dirty(db, wave):
            _mend(db, held, layout, stale)
            continue
        for piece in folds.pieces(db, wave, held.seq, step=STEP):
            cells = _stored(db, wave, layout, piece.cells.keys).merge(piece.cells)
            held = tally.add(db, held, cells.rows(), piece.days, seq=piece.last)
            if held is None:  # somebody folded or edited meanwhile
                break
            done += sum(n for *_, n in piece.days)
            if progress:
                progress(done)
        if held is not None:
            return done


def rebuild(db: sqlite3.Connection, wave: str, *, progress: Progress = None) -> int:
    """Throw the tallies of a wave away and fold them anew; as ``refresh``."""
    while tally.reset(db, tally.mark(db, wave), "") is None:
        pass
    return refresh(db, wave, progress=progress)


def faults(db: sqlite3.Connection, progress: Progress = None) -> list[str]:
    """Where stored tallies differ from what the responses add up to: one text a wave, Vietnamese.

    Tallies that nobody reads are no fault: of another rule, or of a place that waits to be
    mended.  What does not fit its questionnaire is left to ``instances.check``.
    """
    from analysis.reader import snapshot

    found, done = [], 0

    def told(n: int) -> None:
        nonlocal done
        done += n
        if progress:
            progress(done)

    with snapshot(db):
        for wave in waves.all(db):
            try:
                wrong = _wrong(db, wave.key, told)
            except LookupError:  # no such questionnaire: said by instances.check
                continue
            except (ValueError, sqlite3.DatabaseError) as fault:
                wrong = [f"không đọc được ({fault})"]
            if wrong:
                more = [f"và {len(wrong) - NAMED} chỗ nữa"] if len(wrong) > NAMED else []
                places = "; ".join([*wrong[:NAMED], *more])
                found.append(f"Đợt {wave.key}: số cộng dồn không khớp phiếu trả lời: {places}")
    return found


def _wrong(db: sqlite3.Connection, wave: str, told: Callable[[int], None]) -> list[str]:
    """Places whose tallies are not what the responses say."""
    from analysis import folds, reader
    from analysis.cells import differences, month

    held = tally.mark(db, wave)
    if held.rule != folds.current(db, wave):
        return []
    stored = folds.stored(db, wave, span=reader.EVERY)[0]
    fresh, days = stored.keep(lambda _: False), Counter[tuple[str, str, str]]()
    for piece in folds.pieces(db, wave, 0, upto=held.seq, step=STEP):
        fresh = fresh.merge(piece.cells)
        for on, channel, state, n in piece.days:
            days[on, channel, state] += n
            told(n)
    waiting = tally.dirty(db, wave)
    stale = {*waiting, *(Place(psu, day) for psu, on in waiting for day in ("", month(on)))}
    wrong = [key for key in differences(stored, fresh) if Place(key.psu, key.day) not in stale]
    for on, channel, state, n in tally.days(db, wave):
        days[on, channel, state] -= n
    return [_named(key) for key in wrong] + [
        f"số phiếu ngày {_day(on)} ({channel}, {state})"
        for (on, channel, state), n in sorted(days.items())
        if n
    ]


def _mend(db: sqlite3.Connection, held: Mark, layout: Layout, stale: Iterable[Place]) -> None:
    """Fold stale places anew, one PSU or counter at a time."""
    from analysis import folds, reader
    from analysis.cells import Cells

    moved: Mark | None = held
    for psu, group in groupby(stale, itemgetter(0)):
        places = list(group)
        stored = Cells.of_columns(
            reader.tally(db, held.wave, psu=psu, span=reader.DAYS, squares=True), layout
        )
        days = [place.day for place in places]
        fresh = stored.keep(lambda _: False)
        for day in days:
            fresh = fresh.merge(folds.rebuilt(db, held.wave, psu, day, upto=held.seq))
        if any(on[:1].isdigit() for on in days):  # self-selected: its months, and all its days
            others = stored.keep(lambda key, days=days: key.day not in days)  # type: ignore[misc]
            fresh = fresh.merge(others.merge(fresh).summed())
        assert moved is not None
        moved = tally.mend(db, moved, places, fresh.rows())
        if moved is None:
            return


def _stored(db: sqlite3.Connection, wave: str, layout: Layout, keys: Iterable[Key]) -> Cells:
    """The stored cells with these keys."""
    from analysis.cells import Cells

    return Cells.of_rows(tally.cells(db, wave, keys), layout)


def _layout(db: sqlite3.Connection, wave: str) -> Layout:
    from analysis import frame, reader
    from forms.questionnaire import load

    of = reader.wave(db, wave)
    return frame.frame(of, load(of.questionnaire)).layout


def _named(key: Key) -> str:
    """A cell as people name it."""
    unit, _, spot = key.psu.partition("|")
    kind = "lĩnh vực" if key.day.startswith("s") else "quầy"
    place = f"«{unit}»" + (f" {kind} «{spot}»" if spot else "")
    on = f" ngày {_day(key.day)}" if key.dated else f" tháng {key.day[1:]}" if key.day else ""
    return f"{place}{on} ({key.channel})"


def _day(on: str) -> str:
    try:
        return f"{date.fromisoformat(on):%d/%m/%Y}"
    except ValueError:
        return f"«{on}»"
