"""Invitations: who may become one of the staff by a link that works once and not for long."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from survey.db import write
from survey.store import Refused, audit, people, rights
from survey.store.clock import stamp
from survey.store.people import Staff

#: How long a link works.
LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an invitation gives: an account of a role in a unit, under a name of one's own."""

    username: str
    name: str
    role: str
    unit: str = ""
    officer: str = ""
    mail: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation as it stands; ``inviter`` is the account that answers for it."""

    id: int
    wish: Wish
    inviter: int
    created_at: str
    expires_at: str
    used_at: str | None
    withdrawn_at: str | None


def make(
    db: sqlite3.Connection, wish: Wish, *, inviter: Staff, now: datetime
) -> tuple[Invitation, str]:
    """Invite somebody; returns the invitation and its token, which nobody can read again.

    Raises Refused ``no_right`` (403) or ``exists`` (409): the user name is taken.
    """
    token = secrets.token_urlsafe(32)
    with write(db):
        if not rights.gives(db, inviter, wish.role, wish.unit):
            raise Refused("no_right", 403)
        login = people.login_name(wish.username)
        if people.find(db, login):
            raise Refused("exists", 409, key=login)
        row = db.execute(
            "INSERT INTO invitation (hash, username, name, role, unit, officer, mail, inviter,"
            " created_at, expires_at) VALUES (:hash, :username, :name, :role, :unit, :officer,"
            " :mail, :inviter, :now, :expires) RETURNING *",
            {
                "hash": _hash(token), "username": login, "name": people.plain(wish.name).strip(),
                "role": wish.role, "unit": wish.unit or None, "officer": wish.officer,
                "mail": wish.mail, "inviter": inviter.id, "now": stamp(now),
                "expires": stamp(now + LASTS),
            },
        ).fetchone()  # fmt: skip
        audit.append(
            db, at=now, actor=f"staff:{inviter.username}", action="staff.invite", subject=login,
            detail={"role": wish.role, "unit": wish.unit, "officer": wish.officer},
        )  # fmt: skip
    return _invitation(row), token


def find(db: sqlite3.Connection, token: str, *, now: datetime) -> Invitation:
    """The invitation behind a link.

    Raises Refused ``invitation`` (410), alike for a link that nobody made, that was used or
    withdrawn, that is too old, and whose inviter may no longer give what it promises.
    """
    row = db.execute(
        "SELECT * FROM invitation WHERE hash = :hash AND used_at IS NULL"
        " AND withdrawn_at IS NULL AND expires_at > :now",
        {"hash": _hash(token), "now": stamp(now)},
    ).fetchone()
    found = _invitation(row) if row else None
    inviter = people.get(db, found.inviter) if found else None
    if not found or not inviter or not rights.gives(db, inviter, found.wish.role, found.wish.unit):
        raise Refused("invitation", 410)
    return found


def accept(
    db: sqlite3.Connection, token: str, *, username: str, password_hash: str, now: datetime
) -> Staff:
    """Make the account that a link promises; raises what ``find`` does, and ``exists`` (409)."""
    with write(db):
        found = find(db, token, now=now)
        login = people.login_name(username)
        made = people.add(
            db, username=login, name=found.wish.name, role=found.wish.role,
            unit=found.wish.unit, officer=found.wish.officer, password_hash=password_hash,
            must_change=False, now=now, actor=f"staff:{login}",
        )  # fmt: skip
        db.execute(
            "UPDATE invitation SET used_at = :now, username = :username WHERE id = :id",
            {"id": found.id, "username": login, "now": stamp(now)},
        )
    return made


def withdraw(db: sqlite3.Connection, id: int, *, now: datetime, actor: str) -> bool:
    """End an invitation that nobody has used; False when it had ended.  Raises LookupError."""
    with write(db):
        row = db.execute("SELECT * FROM invitation WHERE id = :id", {"id": id}).fetchone()
        if row is None:
            raise LookupError(id)
        if row["used_at"] or row["withdrawn_at"]:
            return False
        db.execute(
            "UPDATE invitation SET withdrawn_at = :now WHERE id = :id",
            {"id": id, "now": stamp(now)},
        )
        audit.append(db, at=now, actor=actor, action="staff.uninvite", subject=row["username"])
    return True


def get(db: sqlite3.Connection, id: int) -> Invitation | None:
    """One invitation, whatever became of it."""
    row = db.execute("SELECT * FROM invitation WHERE id = :id", {"id": id}).fetchone()
    return _invitation(row) if row else None


def waiting(db: sqlite3.Connection, *, now: datetime) -> list[Invitation]:
    """Invitations that nobody has used, those of the last month that are too old among them."""
    rows = db.execute(
        "SELECT * FROM invitation WHERE used_at IS NULL AND withdrawn_at IS NULL"
        " AND expires_at > :old ORDER BY created_at DESC, id DESC",
        {"old": stamp(now - timedelta(days=30))},
    )
    return [_invitation(row) for row in rows]


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _invitation(row: sqlite3.Row) -> Invitation:
    wish = Wish(
        username=row["username"], name=row["name"], role=row["role"], unit=row["unit"] or "",
        officer=row["officer"], mail=row["mail"],
    )  # fmt: skip
    return Invitation(
        row["id"], wish, row["inviter"], row["created_at"], row["expires_at"], row["used_at"],
        row["withdrawn_at"],
    )  # fmt: skip
