"""Sessions of the staff side: each has a row, so that each can be seen and ended."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from survey.db import write
from survey.store import audit
from survey.store.clock import stamp

#: Ended sessions are told of for so long, then their rows go.
KEPT = timedelta(days=30)
#: Ended sessions that a page lists.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one account; ``factor``: a second step was passed in it."""

    id: str
    staff: int
    device: str
    place: str
    factor: bool
    began_at: str
    seen_at: str
    ended_at: str | None


def digest(token: str) -> str:
    """What is kept of the random text in the cookie."""
    return sha256(token.encode()).hexdigest()


def begin(
    db: sqlite3.Connection, token: str, *, staff: int, device: str, place: str, factor: bool,
    now: datetime,
) -> Session:  # fmt: skip
    """Keep a new session; rows of long ago go.  Signing in has its own audit row."""
    with write(db):
        db.execute("DELETE FROM staff_session WHERE began_at < :old", {"old": stamp(now - KEPT)})
        row = db.execute(
            "INSERT INTO staff_session (id, staff, device, place, factor, began_at, seen_at)"
            " VALUES (:id, :staff, :device, :place, :factor, :now, :now) RETURNING *",
            {
                "id": digest(token), "staff": staff, "device": device[:100], "place": place,
                "factor": int(factor), "now": stamp(now),
            },
        ).fetchone()  # fmt: skip
    return _session(row)


def get(db: sqlite3.Connection, token: str) -> Session | None:
    """The session of a cookie, None when there is none or it has ended."""
    row = db.execute(
        "SELECT * FROM staff_session WHERE id = :id AND ended_at IS NULL", {"id": digest(token)}
    ).fetchone()
    return _session(row) if row else None


def seen(db: sqlite3.Connection, id: str, *, now: datetime) -> None:
    """Write down that a session is in use."""
    db.execute(
        "UPDATE staff_session SET seen_at = :now WHERE id = :id AND seen_at < :now",
        {"id": id, "now": stamp(now)},
    )


def running(
    db: sqlite3.Connection, staff: int, *, now: datetime, idle: int, longest: int
) -> list[Session]:
    """The sessions of an account that are still good, the newest first (limits in seconds)."""
    rows = db.execute(
        "SELECT * FROM staff_session WHERE staff = :staff AND ended_at IS NULL"
        " AND seen_at > :idle AND began_at > :longest ORDER BY began_at DESC",
        {
            "staff": staff, "idle": stamp(now - timedelta(seconds=idle)),
            "longest": stamp(now - timedelta(seconds=longest)),
        },
    )  # fmt: skip
    return [_session(row) for row in rows]


def latest(db: sqlite3.Connection, staff: int) -> list[Session]:
    """The newest sessions of an account, ended or not."""
    rows = db.execute(
        "SELECT * FROM staff_session WHERE staff = :staff ORDER BY began_at DESC LIMIT :most",
        {"staff": staff, "most": SHOWN},
    )
    return [_session(row) for row in rows]


def end(
    db: sqlite3.Connection, id: str, *, staff: int, username: str, action: str, now: datetime
) -> bool:
    """End one session of an account; False when it has ended or is another account's."""
    with write(db):
        ended = db.execute(
            "UPDATE staff_session SET ended_at = :now"
            " WHERE id = :id AND staff = :staff AND ended_at IS NULL",
            {"id": id, "staff": staff, "now": stamp(now)},
        ).rowcount
        if ended:
            actor = f"staff:{username}"
            audit.append(db, at=now, actor=actor, action=action, subject=username)
    return bool(ended)


def end_all(db: sqlite3.Connection, staff: int, *, now: datetime, but: str = "") -> int:
    """End the sessions of an account, but for the one named; the caller writes the audit row."""
    with write(db):
        return db.execute(
            "UPDATE staff_session SET ended_at = :now"
            " WHERE staff = :staff AND ended_at IS NULL AND id <> :but",
            {"staff": staff, "now": stamp(now), "but": but},
        ).rowcount


def end_others(
    db: sqlite3.Connection, staff: int, *, username: str, but: str, now: datetime
) -> int:
    """End every session of an account but the one that asks; returns how many."""
    with write(db):
        n = end_all(db, staff, now=now, but=but)
        actor = f"staff:{username}"
        audit.append(
            db, at=now, actor=actor, action="staff.end_sessions", subject=username,
            detail={"sessions": n},
        )  # fmt: skip
    return n


def raised(db: sqlite3.Connection, id: str) -> None:
    """Write down that a second step has been passed in a session."""
    with write(db):
        db.execute("UPDATE staff_session SET factor = 1 WHERE id = :id", {"id": id})


def _session(row: sqlite3.Row) -> Session:
    return Session(
        id=row["id"], staff=row["staff"], device=row["device"], place=row["place"],
        factor=bool(row["factor"]), began_at=row["began_at"], seen_at=row["seen_at"],
        ended_at=row["ended_at"],
    )  # fmt: skip
