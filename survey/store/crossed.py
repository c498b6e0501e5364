"""Cross products of a wave as they are kept: by place, and how far they reach."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from survey.db import write


@dataclass(frozen=True, slots=True)
class Mark:
    """Responses up to ``seq`` are in them, summed by ``rule`` after so many ``edits`` of the wave;
    the last sum from the beginning took ``took`` seconds and was made at ``counted_at``."""

    rule: str = ""
    seq: int = 0
    edits: int = -1
    counted_at: str = ""
    took: float = 0.0


class Row(NamedTuple):
    """One place: persons in its sums (packed doubles), and persons left out of them."""

    place: str
    people: int
    dropped: int
    sums: bytes


def mark(db: sqlite3.Connection, wave: str) -> Mark:
    """How far the wave's sums reach; an empty mark when nothing was summed yet."""
    row = db.execute(
        "SELECT rule, seq, edits, counted_at, took FROM crossed_mark WHERE wave = :wave",
        {"wave": wave},
    ).fetchone()
    return Mark(*row) if row else Mark()


def rows(db: sqlite3.Connection, wave: str) -> list[Row]:
    """The sums of every place of a wave."""
    found = db.execute(
        "SELECT place, people, dropped, sums FROM crossed WHERE wave = :wave ORDER BY place",
        {"wave": wave},
    )
    return [Row(*row) for row in found]


def keep(
    db: sqlite3.Connection, wave: str, rows: Iterable[Row], *, held: Mark, to: Mark, anew: bool
) -> bool:
    """Put sums in the place of those before (of all places, with ``anew``).

    False when somebody else has kept other sums since ``held`` was read: nothing is changed.
    """
    with write(db):
        if mark(db, wave) != held:
            return False
        if anew:
            db.execute("DELETE FROM crossed WHERE wave = :wave", {"wave": wave})
        db.executemany(
            "INSERT INTO crossed (wave, place, people, dropped, sums)"
            " VALUES (:wave, :place, :people, :dropped, :sums)"
            " ON CONFLICT (wave, place) DO UPDATE SET people = excluded.people,"
            " dropped = excluded.dropped, sums = excluded.sums",
            ({"wave": wave, **row._asdict()} for row in rows),
        )
        db.execute(
            "INSERT INTO crossed_mark (wave, rule, seq, edits, counted_at, took)"
            " VALUES (:wave, :rule, :seq, :edits, :counted_at, :took)"
            " ON CONFLICT (wave) DO UPDATE SET rule = :rule, seq = :seq, edits = :edits,"
            " counted_at = :counted_at, took = :took",
            {
                "wave": wave, "rule": to.rule, "seq": to.seq, "edits": to.edits,
                "counted_at": to.counted_at, "took": to.took,
            },
        )  # fmt: skip
    return True
