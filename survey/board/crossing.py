"""Cross products of a wave brought up to its answers: what came is added, edits are made anew."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import TYPE_CHECKING

from survey import db, services
from survey.store import clock, responses
from survey.store import crossed as store

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from analysis.crossed import Crossed

#: Summing anew that takes longer than this (seconds) is done behind the reader's back ...
SLOW = 0.3
#: ... and so is the first sum of more answers than this.
MANY = 100_000

_turn, _running = Lock(), set[tuple["Path", str]]()


class Making(Exception):
    """The first sums of a large wave are being made; come back in a minute."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The sums of every place, and since when an edit is not in them yet ("" = all are)."""

    places: Mapping[str, Crossed]
    older: str


def kept(wave: str) -> Kept:
    """Return the sums of a wave as of now, or those before an edit while they are made anew.

    Raises Making while there are none of a large wave.
    """
    from analysis import crossed

    database = services().settings.database
    rule, held = crossed.current(db.get(), wave), store.mark(db.get(), wave)
    edits = _edits(db.get(), wave)
    if held.rule == rule and held.edits != edits and held.took > SLOW:
        _again(database, wave)
        return Kept(_stored(db.get(), wave), held.counted_at)
    if held.rule != rule and responses.counts(db.get(), wave).total > MANY:
        _again(database, wave)
        raise Making(wave)
    with suppress(db.NotStored), closing(db.connect(database, create=False)) as own:
        refresh(own, wave)
        return Kept(_stored(own, wave), "")
    return Kept(_all(db.get(), wave), "")  # where nothing can be written


def refresh(base: sqlite3.Connection, wave: str) -> int:
    """Add what came since the last time, or sum everything anew; returns responses read.

    Raises LookupError (no such wave or questionnaire), ValueError (what is stored does not fit),
    NotStored.
    """
    from analysis import crossed

    while True:
        held, rule = store.mark(base, wave), crossed.current(base, wave)
        edits, began = _edits(base, wave), time.monotonic()
        anew = held.rule != rule or held.edits != edits
        found = {} if anew else _stored(base, wave)
        changed: set[str] = set()
        after = seq = 0 if anew else held.seq
        for more, reach in crossed.pieces(base, wave, after):
            found, seq = crossed.added(found, more), reach
            changed |= more.keys()
        if not anew and seq == held.seq:
            return 0
        to = replace(held, rule=rule, seq=seq, edits=edits)
        if anew:
            to = replace(to, counted_at=clock.stamp(clock.now()), took=time.monotonic() - began)
        rows = [_row(place, found[place]) for place in (found if anew else changed)]
        if store.keep(base, wave, rows, held=held, to=to, anew=anew):
            return seq - after


def _again(database: Path, wave: str) -> None:
    """Sum a wave anew in a thread of its own, none twice at once."""
    with _turn:
        if (database, wave) in _running:
            return
        _running.add((database, wave))
    Thread(target=_anew, args=(database, wave), daemon=True, name=f"crossed {wave}").start()


def _anew(database: Path, wave: str) -> None:
    try:
        with suppress(db.NotStored), closing(db.connect(database, create=False)) as own:
            refresh(own, wave)
    finally:
        with _turn:
            _running.discard((database, wave))


def _edits(base: sqlite3.Connection, wave: str) -> int:
    """What grows with every edit of a response and every change of a sample."""
    return responses.mark(base, wave)[-1] or 0


def _all(base: sqlite3.Connection, wave: str) -> Mapping[str, Crossed]:
    from analysis import crossed

    found: dict[str, Crossed] = {}
    for more, _ in crossed.pieces(base, wave, 0):
        found = crossed.added(found, more)
    return found


def _stored(base: sqlite3.Connection, wave: str) -> dict[str, Crossed]:
    from analysis import crossed

    return {
        row.place: crossed.unpacked(row.people, row.dropped, row.sums)
        for row in store.rows(base, wave)
    }


def _row(place: str, one: Crossed) -> store.Row:
    return store.Row(place, one.people, one.dropped, one.packed())
