"""Letters of apology: a register numbered by unit and year without gaps, and each one's fate."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from survey.db import write
from survey.store import Refused, audit, dossiers, units
from survey.store.clock import day, stamp
from survey.store.inside import Inside

CHANNELS = ("letter", "sms", "zalo", "email")
STATES = ("made", "sent", "void")
#: Letters are due so many days before the day of the dossier, where a unit says nothing else.
DAYS = 1


@dataclass(frozen=True, slots=True)
class Head:
    """How a unit writes: the agency above it, place, letters of its numbers, who signs.

    ``unit`` is the one it was set for, a unit above where the own has none; "" none has.
    ``days``: a letter is to go out so many days before the dossier is due.
    """

    unit: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    days: int = DAYS
    version: int = 0
    at: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a letter says of one dossier."""

    dossier: str
    due_on: date
    new_due_on: date
    reason: str
    channel: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A row of the register; ``unit`` keeps it, ``due_on`` is the day that was missed."""

    id: int
    unit: str
    year: int
    number: int
    dossier: str
    due_on: date
    new_due_on: date
    reason: str
    dated_on: date
    channel: str
    state: str
    made_at: str
    made_by: str
    sent_at: str | None
    sent_by: str
    void_reason: str


_HEAD = "SELECT unit, facts, days, version, at, actor FROM letter_head WHERE unit = :unit"
_SELECT = (
    "SELECT id, unit, year, number, dossier, due_on, new_due_on, reason, dated_on, channel, state,"
    " made_at, made_by, sent_at, sent_by, void_reason FROM letter"
)


def head(db: sqlite3.Connection, unit: str) -> Head:
    """How a unit writes, or the nearest one above it that has said so."""
    for id in units.path(db, unit) or (unit,):
        row = db.execute(_HEAD, {"unit": id}).fetchone()
        if row is not None:
            return Head(
                row["unit"], json.loads(row["facts"]), row["days"], row["version"], row["at"],
                row["actor"],
            )  # fmt: skip
    return Head()


def put_head(
    db: sqlite3.Connection, unit: str, facts: Mapping[str, str], days: int, *, version: int,
    now: datetime, actor: str,
) -> None:  # fmt: skip
    """Say how a unit writes.

    Raises Refused ``onestop_changed`` (409, ``who``, ``at``) when somebody said so meanwhile.
    """
    row = {
        "unit": unit, "facts": json.dumps(dict(facts), ensure_ascii=False, sort_keys=True),
        "days": days, "version": version, "at": stamp(now), "actor": actor,
    }  # fmt: skip
    with write(db):
        sql = (
            "UPDATE letter_head SET facts = :facts, days = :days, version = version + 1, at = :at,"
            " actor = :actor WHERE unit = :unit AND version = :version"
            if version
            else "INSERT INTO letter_head (unit, facts, days, version, at, actor)"
            " VALUES (:unit, :facts, :days, 1, :at, :actor) ON CONFLICT (unit) DO NOTHING"
        )
        if db.execute(sql, row).rowcount != 1:
            last = head(db, unit)
            raise Refused("onestop_changed", 409, who=last.actor, at=last.at)
        audit.append(
            db, at=now, actor=actor, action="letter.head", subject=unit,
            detail={**facts, "days": days},
        )  # fmt: skip


def make(
    db: sqlite3.Connection, wanted: Sequence[Wanted], *, now: datetime, actor: str
) -> list[Letter]:
    """Enter letters into the register, all or none, with the next numbers of their unit and year.

    The register is that of the unit whose head they carry, else of the unit that received the
    dossier.  Raises LookupError (unknown dossier), Refused ``has_letter`` (409, ``dossier``) when
    one has its letter for that day, ``letter_early`` (422) when the new day is no later.
    """
    made: list[Letter] = []
    today = day(now)
    with write(db):
        for one in wanted:
            if one.new_due_on < one.due_on or one.channel not in CHANNELS or not one.reason:
                raise Refused("letter_early", 422, dossier=one.dossier)
            unit = dossiers.get(db, one.dossier).receiving_unit
            unit = head(db, unit).unit or unit
            row = db.execute(
                "INSERT INTO letter (unit, year, number, dossier, due_on, new_due_on, reason,"
                " dated_on, channel, made_at, made_by) VALUES (:unit, :year, :number, :dossier,"
                " :due_on, :new_due_on, :reason, :dated_on, :channel, :at, :actor)"
                " ON CONFLICT (dossier, due_on) WHERE state <> 'void' DO NOTHING RETURNING id",
                {
                    "unit": unit, "year": today.year, "number": _next(db, unit, today.year),
                    "dossier": one.dossier, "due_on": one.due_on.isoformat(),
                    "new_due_on": one.new_due_on.isoformat(), "reason": one.reason,
                    "dated_on": today.isoformat(), "channel": one.channel, "at": stamp(now),
                    "actor": actor,
                },
            ).fetchone()  # fmt: skip
            if row is None:
                raise Refused("has_letter", 409, dossier=one.dossier)
            made.append(get(db, row["id"]))
        for letter in made:
            detail = {
                "dossier": letter.dossier, "due_on": letter.due_on.isoformat(),
                "new_due_on": letter.new_due_on.isoformat(), "channel": letter.channel,
            }  # fmt: skip
            audit.append(
                db, at=now, actor=actor, action="letter.make", subject=_name(letter), detail=detail
            )
    return made


def _next(db: sqlite3.Connection, unit: str, year: int) -> int:
    """The next number; the row is locked until the transaction ends, and falls back with it."""
    row = db.execute(
        "INSERT INTO letter_number (unit, year, last) VALUES (:unit, :year, 1)"
        " ON CONFLICT (unit, year) DO UPDATE SET last = letter_number.last + 1 RETURNING last",
        {"unit": unit, "year": year},
    ).fetchone()
    return int(row["last"])


def get(db: sqlite3.Connection, id: int) -> Letter:
    """The letter with this id; raises LookupError."""
    row = db.execute(_SELECT + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return _letter(row)


def sent(
    db: sqlite3.Connection, ids: Sequence[int], channel: str, *, now: datetime, actor: str
) -> int:
    """Note that letters went out now, by a channel; returns how many had not.

    Raises LookupError, Refused ``letter_void`` (409).
    """
    count = 0
    with write(db):
        for id in ids:
            letter = get(db, id)
            if letter.state == "void":
                raise Refused("letter_void", 409, number=letter.number)
            if letter.state == "sent":
                continue
            db.execute(
                "UPDATE letter SET state = 'sent', channel = :channel, sent_at = :at,"
                " sent_by = :actor WHERE id = :id",
                {"id": id, "channel": channel, "at": stamp(now), "actor": actor},
            )
            detail = {"channel": channel, "dossier": letter.dossier}
            audit.append(
                db, at=now, actor=actor, action="letter.sent", subject=_name(letter), detail=detail
            )
            count += 1
    return count


def void(db: sqlite3.Connection, id: int, reason: str, *, now: datetime, actor: str) -> Letter:
    """Strike a letter out; its number stays in the register, with the reason.

    Raises LookupError, Refused ``letter_sent`` (409: what went out cannot be undone).
    """
    with write(db):
        letter = get(db, id)
        if letter.state == "sent":
            raise Refused("letter_sent", 409, number=letter.number)
        db.execute(
            "UPDATE letter SET state = 'void', void_reason = :reason WHERE id = :id",
            {"id": id, "reason": reason},
        )
        detail = {"reason": reason, "dossier": letter.dossier}
        audit.append(
            db, at=now, actor=actor, action="letter.void", subject=_name(letter), detail=detail
        )
    return get(db, id)


def register(db: sqlite3.Connection, *, year: int, within: str = "") -> list[Letter]:
    """The letters of a year, the newest first."""
    mine = Inside(db, within)
    rows = db.execute(
        _SELECT + " WHERE year = :year ORDER BY dated_on DESC, unit, number DESC", {"year": year}
    )
    return [_letter(row) for row in rows if mine(row["unit"])]


def years(db: sqlite3.Connection) -> list[int]:
    """The years that have letters, the newest first."""
    rows = db.execute("SELECT DISTINCT year FROM letter_number ORDER BY year DESC")
    return [row["year"] for row in rows]


def _name(letter: Letter) -> str:
    return f"{letter.unit} {letter.number}/{letter.year}"


def _letter(row: sqlite3.Row) -> Letter:
    values: dict[str, Any] = dict(row)
    for name in ("due_on", "new_due_on", "dated_on"):
        values[name] = date.fromisoformat(values[name])
    return Letter(**values)
