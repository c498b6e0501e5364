"""Telephone calls to people whose link stayed without an answer: whom to call, and what came."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import NamedTuple

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import day, stamp

#: How long a link has stayed without an answer before anybody calls.
SILENCE = timedelta(hours=24)
#: Nobody is called more often, nor again within the pause.
MOST, PAUSE = 3, timedelta(hours=4)
#: What can come of a call; after the last two nobody calls again.
OUTCOMES = ("answered", "no_answer", "later", "refused", "wrong_number")
#: Calls that a page lists.
LISTED = 200


class Call(NamedTuple):
    """A dossier somebody may call about, without its number; ``door`` is its link's door."""

    door: int
    wave: str
    dossier: str
    service: str
    unit: str
    officer: str
    sent_at: str
    calls: int
    last: str
    last_at: str
    last_actor: str


_SELECT = """
SELECT o.id, o.wave, d.key, d.service, d.receiving_unit, COALESCE(d.officer, ''), m.at,
 (SELECT COUNT(*) FROM phone_call p WHERE p.dossier = d.key),
 COALESCE(l.outcome, ''), COALESCE(l.at, ''), COALESCE(l.actor, '')
FROM message m JOIN door o ON o.id = m.door JOIN dossier d ON d.key = m.dossier
JOIN dossier_contact c ON c.dossier = d.key
LEFT JOIN phone_call l ON l.id = (SELECT MAX(id) FROM phone_call WHERE dossier = d.key)
WHERE m.state = 'sent' AND m.at <= :silent AND o.closed_at IS NULL AND c.purge_on >= :today
 AND NOT EXISTS (SELECT 1 FROM dossier_answer a WHERE a.dossier = d.key)
 AND (l.outcome IS NULL OR l.outcome NOT IN ('refused', 'wrong_number'))
"""
_IN_ORDER, _OF_ONE = _SELECT + " ORDER BY m.at, d.key", _SELECT + " AND o.id = :door"


def due(db: sqlite3.Connection, *, now: datetime) -> list[Call]:
    """Whom to call now, the longest silence first."""
    since = stamp(now - PAUSE)
    found = map(Call._make, db.execute(_IN_ORDER, _facts(now)))
    return [call for call in found if call.calls < MOST and call.last_at <= since]


def get(db: sqlite3.Connection, door: int, *, now: datetime) -> Call:
    """The call behind a dossier's door, also within the pause.

    Raises LookupError when nobody is to be called: an answer came, the person said no, the
    number was wrong or has gone, or the calls are used up (but for the one that goes on).
    """
    row = db.execute(_OF_ONE, _facts(now, door)).fetchone()
    call = Call._make(row) if row else None
    if call is None or (call.calls >= MOST and call.last != "answered"):
        raise LookupError(door)
    return call


def phone(db: sqlite3.Connection, call: Call, *, now: datetime, actor: str) -> str:
    """The number to call; who looked at it is written down before it is shown."""
    with write(db):
        row = db.execute(
            "SELECT phone FROM dossier_contact WHERE dossier = :key", {"key": call.dossier}
        ).fetchone()
        if row is None:
            raise LookupError(call.door)
        audit.append(db, at=now, actor=actor, action="contact.view", subject=call.dossier)
    return str(row["phone"])


def record(
    db: sqlite3.Connection, door: int, outcome: str, *, seen: str, now: datetime, actor: str
) -> bool:
    """Write down what came of a call; False when it is written already.

    ``seen`` is the time of the last call that the page knew of, "" for none, so that a button
    pressed twice counts once.  What becomes of a conversation that one has begun (``answered``)
    is the end of the same call.

    Raises LookupError when nobody is to be called, Refused ``call_elsewhere`` (409) when somebody
    else called meanwhile.
    """
    if outcome not in OUTCOMES:
        raise ValueError(outcome)
    with write(db):
        last = _last(db, door)
        if (last["at"] if last else "") != seen:
            if last and (last["outcome"], last["actor"]) == (outcome, actor):
                return False
            raise Refused("call_elsewhere", 409)
        call = get(db, door, now=now)
        row = {"dossier": call.dossier, "at": stamp(now), "actor": actor, "outcome": outcome}
        if last and (last["outcome"], last["actor"]) == ("answered", actor):
            db.execute(
                "UPDATE phone_call SET outcome = :outcome, at = :at WHERE id = :id",
                row | {"id": last["id"]},
            )
        else:
            db.execute(
                "INSERT INTO phone_call (dossier, at, actor, outcome)"
                " VALUES (:dossier, :at, :actor, :outcome)",
                row,
            )
        detail = {"outcome": outcome}
        audit.append(
            db, at=now, actor=actor, action="call.record", subject=call.dossier, detail=detail
        )
    return True


def _last(db: sqlite3.Connection, door: int) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT p.id, p.at, p.actor, p.outcome FROM phone_call p"
        " JOIN door o ON o.dossier_key = p.dossier WHERE o.id = :door ORDER BY p.id DESC LIMIT 1",
        {"door": door},
    ).fetchone()
    return found


def _facts(now: datetime, door: int = 0) -> dict[str, object]:
    return {"silent": stamp(now - SILENCE), "today": day(now).isoformat(), "door": door}
