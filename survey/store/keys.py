"""Keys of other programs: what each may do, for which unit; the key itself is not kept."""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import stamp

#: What a key may allow; a new right is one word here and one line where it is asked for.
SCOPES = ("dossiers", "dossiers.read", "results", "coverage", "waves", "units")
#: Every key begins so, that a scanner of leaked texts knows it.
PREFIX = "sipas_"


@dataclass(frozen=True, slots=True)
class Key:
    """A program that may call; ``unit`` "" = the whole instance."""

    id: int
    name: str
    scopes: tuple[str, ...]
    unit: str
    created_at: str
    revoked_at: str | None


def add(
    db: sqlite3.Connection,
    name: str,
    *,
    scopes: tuple[str, ...],
    unit: str = "",
    now: datetime,
    actor: str,
) -> tuple[Key, str]:
    """Make a key and return it with its text, which nobody can read again.

    Raises Refused ``exists`` (409): the name is taken, by a revoked key also, for the audit.
    """
    text = PREFIX + secrets.token_urlsafe(32)
    with write(db):
        row = db.execute(
            "INSERT INTO api_key (name, hash, scopes, unit, created_at)"
            " VALUES (:name, :hash, :scopes, :unit, :now) ON CONFLICT (name) DO NOTHING"
            " RETURNING *",
            {
                "name": name, "hash": _hash(text), "scopes": json.dumps(sorted(set(scopes))),
                "unit": unit or None, "now": stamp(now),
            },
        ).fetchone()  # fmt: skip
        if row is None:
            raise Refused("exists", 409, key=name)
        detail = {"scopes": sorted(set(scopes)), "unit": unit}
        audit.append(db, at=now, actor=actor, action="key.add", subject=name, detail=detail)
    return _key(row), text


def revoke(db: sqlite3.Connection, name: str, *, now: datetime, actor: str) -> bool:
    """End a key for good; False if it had ended.  Raises LookupError."""
    with write(db):
        if (
            db.execute("SELECT 1 FROM api_key WHERE name = :name", {"name": name}).fetchone()
            is None
        ):
            raise LookupError(name)
        ended = db.execute(
            "UPDATE api_key SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL",
            {"name": name, "now": stamp(now)},
        ).rowcount
        if ended:
            audit.append(db, at=now, actor=actor, action="key.revoke", subject=name)
    return bool(ended)


def find(db: sqlite3.Connection, text: str) -> Key | None:
    """The key with this text, None when there is none or it was revoked.

    A key is 256 random bits, so one round of sha256 keeps it; looking up the hash tells nobody
    who measures the time anything about the key.
    """
    hashed = _hash(text)
    row = db.execute("SELECT * FROM api_key WHERE hash = :hash", {"hash": hashed}).fetchone()
    if row is None or not hmac.compare_digest(row["hash"], hashed) or row["revoked_at"]:
        return None
    return _key(row)


def all(db: sqlite3.Connection) -> list[Key]:
    """Every key by name, the revoked ones too."""
    return [_key(row) for row in db.execute("SELECT * FROM api_key ORDER BY name")]


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _key(row: sqlite3.Row) -> Key:
    return Key(
        row["id"], row["name"], tuple(json.loads(row["scopes"])), row["unit"] or "",
        row["created_at"], row["revoked_at"],
    )  # fmt: skip
