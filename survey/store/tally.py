"""Tallies of a wave: sums folded from its responses, how far they reach, what is stale in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from survey.db import write
from survey.store.clock import day, moment


class Place(NamedTuple):
    """Where a response is counted: its PSU, or its unit and counter on a day in Vietnam."""

    psu: str
    day: str


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a wave's tallies reach: responses up to ``seq`` are in them, folded by ``rule``.

    ``edits`` grows with every change of what ``seq`` does not tell: a response's state, the
    sample, a rebuilt place.  Who folds writes only if the mark is still the one he read, so two
    who fold at once count nothing twice and no edit is missed.

    That a response up to ``seq`` cannot appear later holds because SQLite has one writer:
    numbers are given in the order of the commits.  On PostgreSQL a slower transaction may commit
    a lower number, so there ``reader.fold`` must stop below the oldest transaction that is still
    open (``pg_snapshot_xmin``).
    """

    wave: str
    rule: str = ""
    seq: int = 0
    edits: int = 0


Rows = Iterable[Mapping[str, Any]]
#: Day in Vietnam, channel, state, responses.
Day = tuple[str, str, str, int]


def mark(db: sqlite3.Connection, wave: str) -> Mark:
    """How far the wave's tallies reach; an empty mark when nothing was folded yet."""
    row = db.execute(
        "SELECT wave, rule, seq, edits FROM tally_mark WHERE wave = :wave", {"wave": wave}
    ).fetchone()
    return Mark(*row) if row else Mark(wave)


def reset(db: sqlite3.Connection, held: Mark, rule: str) -> Mark | None:
    """Throw the wave's tallies away and begin anew by ``rule``; None if the mark has moved."""
    begun = Mark(held.wave, rule, 0, held.edits + 1)
    with write(db):
        if mark(db, held.wave) != held:
            return None
        for sql in (
            "DELETE FROM tally WHERE wave = :wave",
            "DELETE FROM tally_dirty WHERE wave = :wave",
            "DELETE FROM tally_day WHERE wave = :wave",
        ):
            db.execute(sql, {"wave": held.wave})
        db.execute(
            "INSERT INTO tally_mark (wave, rule, seq, edits) VALUES (:wave, :rule, :seq, :edits)"
            " ON CONFLICT (wave) DO UPDATE SET rule = :rule, seq = :seq, edits = :edits",
            _facts(begun),
        )
    return begun


def add(
    db: sqlite3.Connection, held: Mark, rows: Rows, days: Iterable[Day], *, seq: int
) -> Mark | None:
    """Store cells with the responses up to ``seq`` folded in; None if the mark has moved.

    ``rows`` replace the stored cells of the same key; ``days`` are added to those stored.
    """
    with write(db):
        moved = _move(db, held, replace(held, seq=seq))
        if moved:
            _put(db, held.wave, rows)
            db.executemany(
                "INSERT INTO tally_day (wave, day, channel, state, n)"
                " VALUES (:wave, :day, :channel, :state, :n)"
                " ON CONFLICT (wave, day, channel, state) DO UPDATE SET n = tally_day.n + :n",
                [
                    {"wave": held.wave, "day": on, "channel": channel, "state": state, "n": n}
                    for on, channel, state, n in days
                ],
            )
    return moved


def mend(db: sqlite3.Connection, held: Mark, places: Iterable[Place], rows: Rows) -> Mark | None:
    """Put ``rows`` in the place of all cells of ``places``; None if the mark has moved."""
    with write(db):
        moved = _move(db, held, replace(held, edits=held.edits + 1))
        if moved:
            stale = [{"wave": held.wave, "psu": psu, "day": on} for psu, on in places]
            for sql in (
                "DELETE FROM tally WHERE wave = :wave AND psu = :psu AND day = :day",
                "DELETE FROM tally_dirty WHERE wave = :wave AND psu = :psu AND day = :day",
            ):
                db.executemany(sql, stale)
            _put(db, held.wave, rows)
    return moved


def cells(
    db: sqlite3.Connection, wave: str, keys: Iterable[Sequence[object]]
) -> list[dict[str, Any]]:
    """The stored cells with these keys (psu, day, channel, flagged), where there are any."""
    found = []
    for psu, on, channel, flagged in keys:
        row = db.execute(
            "SELECT * FROM tally WHERE wave = :wave AND psu = :psu AND day = :day"
            " AND channel = :channel AND flagged = :flagged",
            {"wave": wave, "psu": psu, "day": on, "channel": channel, "flagged": flagged},
        ).fetchone()
        if row:
            found.append(dict(row))
    return found


def dirty(db: sqlite3.Connection, wave: str) -> list[Place]:
    """Places where a response was edited after it had been folded."""
    rows = db.execute(
        "SELECT psu, day FROM tally_dirty WHERE wave = :wave ORDER BY psu, day", {"wave": wave}
    )
    return [Place(*row) for row in rows]


def days(db: sqlite3.Connection, wave: str) -> list[Day]:
    """Folded responses by day in Vietnam, channel and state."""
    rows = db.execute(
        "SELECT day, channel, state, n FROM tally_day WHERE wave = :wave AND n <> 0"
        " ORDER BY day, channel, state",
        {"wave": wave},
    )
    return [(row["day"], row["channel"], row["state"], row["n"]) for row in rows]


def edited(db: sqlite3.Connection, seq: int, state: str) -> None:
    """Note that a response is about to get another state; inside the transaction that does it.

    Its place becomes stale if it was folded already; the counts by day are put right at once.
    """
    row = db.execute(
        "SELECT r.wave, r.seq, r.state, r.channel, r.receiving_unit, r.counter, r.service,"
        " r.received_at,"
        " w.kind, c.psu FROM response r JOIN wave w ON w.key = r.wave"
        " LEFT JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave WHERE r.seq = :seq",
        {"seq": seq},
    ).fetchone()
    if row["state"] == state:
        return
    touch(db, [row["wave"]])
    if seq > mark(db, row["wave"]).seq:
        return  # whoever folds it now finds another mark and reads it again
    db.executemany(
        "INSERT INTO tally_dirty (wave, psu, day) VALUES (:wave, :psu, :day)"
        " ON CONFLICT DO NOTHING",
        [{"wave": row["wave"], **each._asdict()} for each in places(row)],
    )
    on = {name: row[name] for name in ("wave", "channel")}
    on["day"] = day(moment(row["received_at"])).isoformat()
    db.executemany(
        "INSERT INTO tally_day (wave, day, channel, state, n)"
        " VALUES (:wave, :day, :channel, :state, :n)"
        " ON CONFLICT (wave, day, channel, state) DO UPDATE SET n = tally_day.n + :n",
        [on | {"state": row["state"], "n": -1}, on | {"state": state, "n": 1}],
    )


def places(row: Mapping[str, Any] | sqlite3.Row) -> list[Place]:
    """Where a response is counted; as ``analysis.folds`` says it."""
    if row["kind"] == "probability":
        return [Place(row["psu"] or "", "")]
    unit, on = row["receiving_unit"], day(moment(row["received_at"])).isoformat()
    found = [Place(f"{unit}|{row['counter'] or ''}", on)]
    if row["service"]:
        found.append(Place(f"{unit}|{row['service']}", f"s{on[:7]}"))
    return found


def touch(db: sqlite3.Connection, waves: Iterable[str]) -> None:
    """Say that something these waves' figures rest on has changed; in the caller's transaction."""
    db.executemany(
        "INSERT INTO tally_mark (wave, rule, seq, edits) VALUES (:wave, '', 0, 1)"
        " ON CONFLICT (wave) DO UPDATE SET edits = tally_mark.edits + 1",
        [{"wave": wave} for wave in sorted(set(waves))],
    )


def _move(db: sqlite3.Connection, held: Mark, to: Mark) -> Mark | None:
    """Compare and set: the mark as it is now, or None if it was not ``held`` any more."""
    moved = db.execute(
        "UPDATE tally_mark SET seq = :to_seq, edits = :to_edits"
        " WHERE wave = :wave AND rule = :rule AND seq = :seq AND edits = :edits",
        _facts(held) | {"to_seq": to.seq, "to_edits": to.edits},
    ).rowcount
    return to if moved else None


def _facts(of: Mark) -> dict[str, object]:
    return {"wave": of.wave, "rule": of.rule, "seq": of.seq, "edits": of.edits}


_PUT = (
    "INSERT INTO tally (wave, psu, day, channel, flagged, people, weight, squares, counts, sums,"
    " square_sums, persons, moments, first_seq, last_seq)"
    " VALUES (:wave, :psu, :day, :channel, :flagged, :people, :weight, :squares, :counts, :sums,"
    " :square_sums, :persons, :moments, :first_seq, :last_seq)"
    " ON CONFLICT (wave, day, psu, channel, flagged) DO UPDATE SET people = excluded.people,"
    " weight = excluded.weight, squares = excluded.squares, counts = excluded.counts,"
    " sums = excluded.sums, square_sums = excluded.square_sums, persons = excluded.persons,"
    " moments = excluded.moments, first_seq = excluded.first_seq, last_seq = excluded.last_seq"
)


def _put(db: sqlite3.Connection, wave: str, rows: Rows) -> None:
    db.executemany(_PUT, ({"wave": wave, **row} for row in rows))
