"""Staff accounts: who may sign in, with which role, for which unit."""

from __future__ import annotations

import secrets
import sqlite3
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import stamp

ROLES = (
    "administrator", "analyst", "supervisor", "clerk", "officer", "viewer", "auditor",
    "field_supervisor", "interviewer", "data_clerk", "adjudicator",
)  # fmt: skip
METHOD = "scrypt:32768:8:1"
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that is misread on paper


@dataclass(frozen=True, slots=True)
class Staff:
    """One account.  ``unit`` "" = the whole instance; ``session_version`` ends old sessions.

    ``officer``: who this is in the dossiers of the one-stop software, "" for nobody.
    """

    id: int
    username: str
    name: str
    role: str
    unit: str
    must_change: bool
    disabled: bool
    session_version: int
    password_hash: str = field(repr=False)
    officer: str = ""


def plain(text: str) -> str:
    """NFC: the same name or password typed on another keyboard is the same."""
    return unicodedata.normalize("NFC", text)


def login_name(username: str) -> str:
    """How a user name is stored and compared."""
    return plain(username).strip().casefold()


def hashed(password: str) -> str:
    """The scrypt hash that is stored; takes about 0,06 s on purpose, so not inside a write."""
    return generate_password_hash(plain(password), method=METHOD)


def matches(staff: Staff | None, password: str) -> bool:
    """Whether the password is the account's; as slow for an unknown or disabled one."""
    right = check_password_hash(staff.password_hash if staff else _nobody(), plain(password))
    return right and staff is not None and not staff.disabled


def first_password() -> str:
    """A random password to hand over on paper: four groups of four, 80 bits."""
    letters = [secrets.choice(_LETTERS) for _ in range(16)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 16, 4))


def get(db: sqlite3.Connection, id: int) -> Staff | None:
    """The account with this number."""
    return _staff(db.execute("SELECT * FROM staff WHERE id = :id", {"id": id}).fetchone())


def find(db: sqlite3.Connection, username: str) -> Staff | None:
    """The account with this user name, in any case and Unicode form."""
    name = login_name(username)
    return _staff(
        db.execute("SELECT * FROM staff WHERE username = :name", {"name": name}).fetchone()
    )


def all(db: sqlite3.Connection) -> list[Staff]:
    """Every account by user name."""
    rows = db.execute("SELECT * FROM staff ORDER BY username")
    return [staff for row in rows if (staff := _staff(row))]


def add(
    db: sqlite3.Connection,
    *,
    username: str,
    name: str,
    role: str,
    password_hash: str,
    now: datetime,
    actor: str,
    unit: str = "",
    officer: str = "",
    must_change: bool = True,
) -> Staff:
    """Make an account; raises Refused ``exists`` (409) or ``role`` (422)."""
    login = login_name(username)
    if role not in ROLES:
        raise Refused("role", 422, role=role, roles=ROLES)
    with write(db):
        made = db.execute(
            "INSERT INTO staff (username, name, password_hash, role, unit, officer, must_change,"
            " created_at)"
            " VALUES (:username, :name, :password_hash, :role, :unit, :officer, :must_change, :now)"
            " ON CONFLICT (username) DO NOTHING RETURNING *",
            {
                "username": login, "name": plain(name).strip(), "password_hash": password_hash,
                "role": role, "unit": unit or None, "officer": officer,
                "must_change": int(must_change), "now": stamp(now),
            },
        ).fetchone()  # fmt: skip
        staff = _staff(made)
        if staff is None:
            raise Refused("exists", 409, key=login)
        detail = {"role": role, "unit": unit}
        audit.append(db, at=now, actor=actor, action="staff.add", subject=login, detail=detail)
    return staff


def set_password(
    db: sqlite3.Connection,
    id: int,
    password_hash: str,
    *,
    now: datetime,
    actor: str = "",
    must_change: bool = False,
) -> Staff:
    """Give an account a new password hash; every session of it ends.  Raises LookupError.

    ``actor`` "" is the account itself.
    """
    values = {"password_hash": password_hash, "must_change": int(must_change)}
    return _change(db, id, "staff.password", values, now=now, actor=actor)


def end_sessions(db: sqlite3.Connection, id: int, *, now: datetime, actor: str = "") -> Staff:
    """End every session of an account.  Raises LookupError."""
    return _change(db, id, "staff.end_sessions", {}, now=now, actor=actor)


def disable(db: sqlite3.Connection, id: int, disabled: bool, *, now: datetime, actor: str) -> Staff:
    """Shut an account, or open it again; its sessions end.  Raises LookupError."""
    action = "staff.disable" if disabled else "staff.enable"
    return _change(db, id, action, {"disabled": int(disabled)}, now=now, actor=actor)


def _change(
    db: sqlite3.Connection, id: int, action: str, values: Mapping[str, object],
    *, now: datetime, actor: str,
) -> Staff:  # fmt: skip
    """Change what ``values`` names and leave the rest; every session ends."""
    unchanged = dict.fromkeys(("password_hash", "must_change", "disabled"))
    with write(db):
        row = db.execute(
            "UPDATE staff SET password_hash = COALESCE(:password_hash, password_hash),"
            " must_change = COALESCE(:must_change, must_change),"
            " disabled = COALESCE(:disabled, disabled), session_version = session_version + 1"
            " WHERE id = :id RETURNING *",
            {"id": id, **unchanged, **values},
        ).fetchone()
        staff = _staff(row)
        if staff is None:
            raise LookupError(id)
        who = actor or f"staff:{staff.username}"
        audit.append(db, at=now, actor=who, action=action, subject=staff.username)
    return staff


@cache
def _nobody() -> str:
    """A hash nobody's password has, so that an unknown name costs as much as a known one."""
    return hashed(secrets.token_hex(16))


def _staff(row: sqlite3.Row | None) -> Staff | None:
    if row is None:
        return None
    return Staff(
        id=row["id"], username=row["username"], name=row["name"], role=row["role"],
        unit=row["unit"] or "", must_change=bool(row["must_change"]),
        disabled=bool(row["disabled"]), session_version=row["session_version"],
        password_hash=row["password_hash"], officer=row["officer"],
    )  # fmt: skip
