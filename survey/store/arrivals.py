"""Responses on their way into feedback: how far they were read, by which rule they open cases."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.db import write
from survey.store import Refused, audit, comments
from survey.store.clock import day, moment, stamp

#: Working days until a case must be answered, unless its wave says otherwise.
DAYS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """Responses up to ``seq`` are in; up to ``opened`` they were looked at for cases."""

    seq: int
    opened: int
    dictionary: str


@dataclass(frozen=True, slots=True)
class Rule:
    """When a response of a wave is a case.

    At least ``least`` of ``items`` were answered with ``level`` or below; or, with ``themes``,
    its comment has a theme of complaint.  No items: no rating opens one.  ``days`` are working
    days until it must be answered; ``version`` 0 = nobody has changed the rule yet.
    """

    wave: str
    items: tuple[str, ...]
    level: int
    least: int
    days: int = DAYS
    themes: bool = True
    version: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One response as feedback reads it; ``answers`` None where there is no text in it."""

    seq: int
    id: str
    wave: str
    questionnaire: str
    unit: str
    counter: str
    day: str
    state: str
    codes: bytes
    answers: str | None


def mark(db: sqlite3.Connection) -> Mark:
    """How far responses were read."""
    row = db.execute("SELECT seq, opened, dictionary FROM feedback_mark WHERE id = 1").fetchone()
    return Mark(*row)


def newest(db: sqlite3.Connection) -> int:
    """The number of the newest response, 0 when there is none."""
    return int(db.execute("SELECT COALESCE(MAX(seq), 0) FROM response").fetchone()[0])


def unread(db: sqlite3.Connection, after: int, upto: int) -> Iterator[Arrival]:
    """Yield responses by number; texts only where some question of text may have one."""
    rows = db.execute(
        "SELECT seq, id, wave, questionnaire, receiving_unit, COALESCE(counter, '') AS counter,"
        " received_at, state, codes,"
        " CASE WHEN answers LIKE '%\":\"%' THEN answers END AS answers"
        " FROM response WHERE seq > :after AND seq <= :upto ORDER BY seq",
        {"after": after, "upto": upto},
    )
    for row in rows:
        yield Arrival(
            row["seq"], row["id"], row["wave"], row["questionnaire"], row["receiving_unit"],
            row["counter"], day(moment(row["received_at"])).isoformat(), row["state"],
            row["codes"], row["answers"],
        )  # fmt: skip


def move(db: sqlite3.Connection, held: Mark, to: Mark) -> bool:
    """Set the mark if it is still ``held``; else somebody else has read on."""
    return bool(
        db.execute(
            "UPDATE feedback_mark SET seq = :to_seq, opened = :to_opened, dictionary = :to_words"
            " WHERE id = 1 AND seq = :seq AND opened = :opened AND dictionary = :words",
            {
                "to_seq": to.seq, "to_opened": to.opened, "to_words": to.dictionary,
                "seq": held.seq, "opened": held.opened, "words": held.dictionary,
            },
        ).rowcount
    )  # fmt: skip


def begin(db: sqlite3.Connection, held: Mark, dictionary: str) -> bool:
    """Throw the index away to read every comment anew; cases and notes stay."""
    with write(db):
        if not move(db, held, Mark(0, held.opened, dictionary)):
            return False
        comments.clear(db)
        db.execute("DELETE FROM feedback_day")
    return True


def count(db: sqlite3.Connection, found: Counter[tuple[str, str, str, str]]) -> None:
    """Add responses by wave, unit, day and counter, inside the caller's transaction."""
    db.executemany(
        "INSERT INTO feedback_day (wave, unit, day, counter, n)"
        " VALUES (:wave, :unit, :day, :counter, :n)"
        " ON CONFLICT (wave, unit, day, counter) DO UPDATE SET n = feedback_day.n + excluded.n",
        [
            {"wave": wave, "unit": unit, "day": on, "counter": counter, "n": n}
            for (wave, unit, on, counter), n in found.items()
        ],
    )


def people(
    db: sqlite3.Connection, wave: str, unit: str, *, since: str = "", until: str = "~",
    counter: str | None = None,
) -> int:  # fmt: skip
    """How many people answered about a unit, from one day to another, both included."""
    row = db.execute(
        "SELECT COALESCE(SUM(n), 0) FROM feedback_day WHERE wave = :wave AND unit = :unit"
        " AND day >= :since AND day <= :until AND (:counter IS NULL OR counter = :counter)",
        {"wave": wave, "unit": unit, "since": since, "until": until, "counter": counter},
    ).fetchone()
    return int(row[0])


def withdraw(db: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Take a response out of the index and the counts; inside the transaction that erases it."""
    said = json.loads(row["answers"])
    texts = [said[key] for key in sorted(said) if isinstance(said[key], str)]
    comments.forget(db, row["seq"], texts)
    if row["seq"] <= mark(db).seq:
        place = {
            "wave": row["wave"], "unit": row["receiving_unit"], "counter": row["counter"] or "",
            "day": day(moment(row["received_at"])).isoformat(),
        }  # fmt: skip
        db.execute(
            "UPDATE feedback_day SET n = n - 1 WHERE wave = :wave AND unit = :unit"
            " AND day = :day AND counter = :counter AND n > 0",
            place,
        )


def rules(db: sqlite3.Connection) -> dict[str, Rule]:
    """The rules that somebody has set, by wave."""
    rows = db.execute(
        "SELECT wave, items, level, least, days, themes, version FROM feedback_rule"
    ).fetchall()
    return {
        row["wave"]: Rule(
            row["wave"], tuple(json.loads(row["items"])), row["level"], row["least"], row["days"],
            bool(row["themes"]), row["version"],
        )
        for row in rows
    }  # fmt: skip


def set_rule(db: sqlite3.Connection, rule: Rule, *, now: datetime, actor: str) -> None:
    """Set the rule of a wave for the responses that come from now on.

    ``rule.version`` is the one its writer saw; Refused ``feedback_changed`` (409) when somebody
    else has changed it meanwhile.
    """
    facts: dict[str, object] = {
        "wave": rule.wave, "items": json.dumps(list(rule.items)), "level": rule.level,
        "least": rule.least, "days": rule.days, "themes": int(rule.themes),
        "version": rule.version,
    }  # fmt: skip
    with write(db):
        held = rules(db).get(rule.wave)
        if (held.version if held else 0) != rule.version:
            raise Refused("feedback_changed", 409)
        db.execute(
            "INSERT INTO feedback_rule (wave, items, level, least, days, themes, version)"
            " VALUES (:wave, :items, :level, :least, :days, :themes, 1)"
            " ON CONFLICT (wave) DO UPDATE SET items = excluded.items, level = excluded.level,"
            " least = excluded.least, days = excluded.days, themes = excluded.themes,"
            " version = feedback_rule.version + 1",
            facts,
        )
        audit.append(
            db, at=now, actor=actor, action="feedback.rule", subject=rule.wave, detail=facts
        )


def today(db: sqlite3.Connection, after: int, since: datetime) -> Iterator[Arrival]:
    """Yield responses after a number that came in since a moment (for counts, not for names)."""
    rows = db.execute(
        "SELECT seq, id, wave, questionnaire, receiving_unit, COALESCE(counter, '') AS counter,"
        " received_at, state, codes FROM response"
        " WHERE seq > :after AND received_at >= :since AND state <> 'void' ORDER BY seq",
        {"after": after, "since": stamp(since)},
    )
    for row in rows:
        yield Arrival(
            row["seq"], row["id"], row["wave"], row["questionnaire"], row["receiving_unit"],
            row["counter"], day(moment(row["received_at"])).isoformat(), row["state"],
            row["codes"], None,
        )  # fmt: skip
