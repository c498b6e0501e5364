"""Links sent to people whose dossiers were settled: each dossier once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from survey.db import write
from survey.store import audit, doors, units
from survey.store.clock import day, stamp
from survey.store.waves import Wave

#: A sender that said no is asked again in later runs, this often altogether.
TRIES = 3
#: The fault of a message whose sending nobody saw the end of: it may have gone, so never again.
UNKNOWN = "unknown"


class Due(NamedTuple):
    """A settled dossier that waits for its link; its number is read when it is sent."""

    dossier: str
    service: str
    unit: str
    resolving: str


class Held(NamedTuple):
    """A message that is about to be sent: its row, the dossier's door and the number."""

    id: int
    door: doors.Door
    phone: str


_DUE = """
SELECT d.key, d.service, d.receiving_unit, d.resolving_unit FROM dossier d
JOIN dossier_contact c ON c.dossier = d.key
WHERE d.settled_on >= :opens AND d.settled_on <= :closes AND c.purge_on >= :today
 AND NOT EXISTS (SELECT 1 FROM dossier_answer a WHERE a.dossier = d.key)
 AND NOT EXISTS (SELECT 1 FROM door o WHERE o.dossier_key = d.key
  AND (o.wave <> :wave OR o.closed_at IS NOT NULL))
 AND NOT EXISTS (SELECT 1 FROM message m WHERE m.dossier = d.key
  AND (m.state = 'sent' OR m.fault = :unknown))
 AND (SELECT COUNT(*) FROM message m WHERE m.dossier = d.key) < :tries
"""
_IN_ORDER, _OF_ONE = _DUE + " ORDER BY d.settled_on, d.key", _DUE + " AND d.key = :key"


def due(
    db: sqlite3.Connection, wave: Wave, unit: str = "", *, today: date, key: str = ""
) -> Iterator[Due]:
    """The dossiers settled in the wave's days that have a number, no answer and no link yet."""
    facts = {
        "opens": wave.opens_on.isoformat(), "closes": wave.closes_on.isoformat(),
        "today": today.isoformat(), "wave": wave.key, "unknown": UNKNOWN, "tries": TRIES,
        "key": key,
    }  # fmt: skip
    under: dict[str, bool] = {}
    for row in db.execute(_OF_ONE if key else _IN_ORDER, facts):
        found = Due(*row)
        if found.unit not in under:
            under[found.unit] = not unit or unit in units.path(db, found.unit)
        if under[found.unit]:
            yield found


def take(
    db: sqlite3.Connection, wave: Wave, wanted: Due, *, via: str, now: datetime, actor: str
) -> Held | None:
    """Take a dossier for sending before anything is sent; None when somebody else was quicker.

    Whoever is killed between this and ``finish`` leaves the fault ``UNKNOWN``: the message may
    have gone, so it is not sent a second time.
    """
    with write(db):
        if next(due(db, wave, today=day(now), key=wanted.dossier), None) is None:
            return None
        door = doors.add(
            db, kind="dossier", wave=wave.key, unit=wanted.unit, resolving=wanted.resolving,
            service=wanted.service, dossier_key=wanted.dossier, now=now, actor=actor,
        )  # fmt: skip
        made = db.execute(
            "INSERT INTO message (dossier, door, via, at, state, fault)"
            " VALUES (:dossier, :door, :via, :at, 'failed', :fault) RETURNING id",
            {"dossier": wanted.dossier, "door": door.id, "via": via, "at": stamp(now),
             "fault": UNKNOWN},
        ).fetchone()  # fmt: skip
        phone = db.execute(
            "SELECT phone FROM dossier_contact WHERE dossier = :key", {"key": wanted.dossier}
        ).fetchone()
        return Held(made["id"], door, phone["phone"])


def finish(db: sqlite3.Connection, id: int, fault: str = "") -> None:
    """Say how the sending of a taken message ended; ``fault`` "" means that it was sent."""
    with write(db):
        db.execute(
            "UPDATE message SET state = :state, fault = :fault WHERE id = :id",
            {"id": id, "state": "failed" if fault else "sent", "fault": fault},
        )


def note(
    db: sqlite3.Connection, wave: str, sent: int, failed: int, *, via: str, now: datetime,
    actor: str,
) -> None:  # fmt: skip
    """Write one audit row for a run: how many links went out, to nobody by name."""
    detail = {"sent": sent, "failed": failed, "via": via}
    with write(db):
        audit.append(db, at=now, actor=actor, action="links.send", subject=wave, detail=detail)


def counts(db: sqlite3.Connection, wave: str) -> dict[str, int]:
    """How many dossiers of a wave were sent their link, failed for now, or nobody knows."""
    row = db.execute(
        "SELECT COUNT(CASE WHEN good = 1 THEN 1 END) AS sent,"
        " COUNT(CASE WHEN good = 0 AND lost = 1 THEN 1 END) AS unknown,"
        " COUNT(CASE WHEN good = 0 AND lost = 0 THEN 1 END) AS failed FROM ("
        " SELECT MAX(CASE WHEN m.state = 'sent' THEN 1 ELSE 0 END) AS good,"
        " MAX(CASE WHEN m.fault = :unknown THEN 1 ELSE 0 END) AS lost FROM message m"
        " JOIN door o ON o.id = m.door WHERE o.wave = :wave GROUP BY m.dossier) AS per_dossier",
        {"wave": wave, "unknown": UNKNOWN},
    ).fetchone()
    return dict(row)
