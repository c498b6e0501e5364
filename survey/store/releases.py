"""Cases that wait: each is shown only among enough people who answered in the same days.

A case of a day on which one person came would name that person.  So it waits until enough have
answered since; then all cases of these days come out together and bear the last of them.
Whoever left a number to be called is not kept waiting.
"""

from __future__ import annotations

import sqlite3
from datetime import date, datetime

from survey.db import write
from survey.store import feedback, workdays
from survey.store.clock import day, stamp

ACTOR = "sipas"


def hold(
    db: sqlite3.Connection, *, wave: str, unit: str, kind: str, response: int, day: str,
    now: datetime,
) -> bool:  # fmt: skip
    """Keep a case back; False when the response has one.  Inside the caller's transaction."""
    made = db.execute(
        "INSERT INTO feedback_case (wave, unit, kind, response, since_on, arrived_on, state,"
        " changed_at, changed_by) VALUES (:wave, :unit, :kind, :response, :day, :day, 'held',"
        " :now, :actor) ON CONFLICT (response) DO NOTHING",
        {
            "wave": wave, "unit": unit, "kind": kind, "response": response, "day": day,
            "now": stamp(now), "actor": ACTOR,
        },
    )  # fmt: skip
    return bool(made.rowcount)


def waves(db: sqlite3.Connection) -> list[str]:
    """The waves that have cases waiting."""
    rows = db.execute(
        "SELECT DISTINCT wave FROM feedback_case WHERE state = 'held' AND wave IS NOT NULL"
        " ORDER BY wave"
    )
    return [row["wave"] for row in rows]


def waiting(db: sqlite3.Connection) -> dict[str, int]:
    """How many cases wait, by unit."""
    rows = db.execute(
        "SELECT unit, COUNT(*) AS n FROM feedback_case WHERE state = 'held' GROUP BY unit"
    )
    return {row["unit"]: row["n"] for row in rows}


def release(db: sqlite3.Connection, wave: str, *, hide: int, days: int, now: datetime) -> int:
    """Bring out every case of a wave that has enough people around it; returns how many.

    ``hide`` people make a group; ``days`` working days from its last day a case is due.
    """
    found = _ready(db, wave, hide, day(now))
    if not found:  # most pages that ask have nothing to write
        return 0
    with write(db):
        held = workdays.known(db)
        return sum(_out(db, row, window, held, days, now) for row, window in found)


def _ready(
    db: sqlite3.Connection, wave: str, hide: int, today: date
) -> list[tuple[sqlite3.Row, tuple[str, str]]]:
    """Return the cases that may come out, each with the days it comes from."""
    rows = db.execute(
        "SELECT f.id, f.unit, f.kind, f.arrived_on, EXISTS (SELECT 1 FROM response r"
        " JOIN contact c ON c.response = r.id WHERE r.seq = f.response"
        " AND c.purge_on > :today) AS callable FROM feedback_case f"
        " WHERE f.wave = :wave AND f.state = 'held' ORDER BY f.unit, f.arrived_on, f.id",
        {"wave": wave, "today": today.isoformat()},
    ).fetchall()
    found = [(row, (row["arrived_on"],) * 2) for row in rows if row["callable"]]
    by_unit: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        if not row["callable"]:
            by_unit.setdefault(row["unit"], []).append(row)
    for unit, some in by_unit.items():
        windows = _windows(db, wave, unit, [row["arrived_on"] for row in some], hide, today)
        for row in some:
            near = next((w for w in windows if w[0] <= row["arrived_on"] <= w[1]), None)
            if near:
                found.append((row, near))
    return found


def _windows(
    db: sqlite3.Connection, wave: str, unit: str, wanted: list[str], hide: int, today: date
) -> list[tuple[str, str]]:
    """Return spans of days with enough people, each beginning at a day that has a case."""
    counts = db.execute(
        "SELECT day, SUM(n) AS n FROM feedback_day WHERE wave = :wave AND unit = :unit"
        " AND day >= :first AND day < :today GROUP BY day ORDER BY day",
        {"wave": wave, "unit": unit, "first": wanted[0], "today": today.isoformat()},
    ).fetchall()
    found: list[tuple[str, str]] = []
    start, n = "", 0
    for row in counts:
        if not start and row["day"] in wanted:
            start, n = row["day"], 0
        if start:
            n += row["n"]
            if n >= hide:
                found.append((start, row["day"]))
                start = ""
    return found


def _out(
    db: sqlite3.Connection,
    row: sqlite3.Row,
    window: tuple[str, str],
    held: dict[date, workdays.Day],
    days: int,
    now: datetime,
) -> int:
    due = workdays.after(date.fromisoformat(window[1]), days, held)
    done = db.execute(
        "UPDATE feedback_case SET state = 'new', since_on = :since, arrived_on = :arrived,"
        " due_on = :due, changed_at = :now WHERE id = :id AND state = 'held'",
        {
            "id": row["id"], "since": window[0], "arrived": window[1], "now": stamp(now),
            "due": None if row["kind"] == "praise" else due.isoformat(),
        },
    )  # fmt: skip
    if done.rowcount:
        feedback.event(db, row["id"], "open", "new", "", now=now, actor=ACTOR)
    return done.rowcount
