"""Staff accounts: who may sign in, with which role, for which unit."""

from __future__ import annotations

import secrets
import sqlite3
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from survey.db import write
from survey.store import Refused, audit, factors, sessions
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

    ``officer``: who this is in the dossiers of the one-stop software, "" for nobody; ``short``:
    the password is too short to stand without a second factor.
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
    short: bool = False


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


def of_unit(db: sqlite3.Connection, unit: str) -> list[Staff]:
    """The accounts of one unit alone, "" for those of the whole instance, by name."""
    rows = db.execute(
        "SELECT * FROM staff WHERE COALESCE(unit, '') = :unit ORDER BY name, username",
        {"unit": unit},
    )
    return [staff for row in rows if (staff := _staff(row))]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """How many accounts each unit has, "" for the whole instance."""
    rows = db.execute("SELECT COALESCE(unit, '') AS unit, COUNT(*) AS n FROM staff GROUP BY unit")
    return {row["unit"]: row["n"] for row in rows}


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
    short: bool = False,
) -> Staff:
    """Give an account a new password hash; every session of it ends.  Raises LookupError.

    ``actor`` "" is the account itself; ``short``: the password does not stand alone.
    """
    values = {
        "password_hash": password_hash, "must_change": int(must_change), "short": int(short)
    }  # fmt: skip
    return _change(db, id, "staff.password", values, now=now, actor=actor)


def end_sessions(db: sqlite3.Connection, id: int, *, now: datetime, actor: str = "") -> Staff:
    """End every session of an account.  Raises LookupError."""
    return _change(db, id, "staff.end_sessions", {}, now=now, actor=actor)


def disable(db: sqlite3.Connection, id: int, disabled: bool, *, now: datetime, actor: str) -> Staff:
    """Shut an account, or open it again; its sessions end.

    Raises LookupError, and Refused ``last_administrator`` (409).
    """
    action = "staff.disable" if disabled else "staff.enable"
    with write(db):
        if disabled:
            _keep_one(db, id)
        return _change(db, id, action, {"disabled": int(disabled)}, now=now, actor=actor)


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody is in the office: what an administrator may change of an account."""

    name: str
    role: str
    unit: str
    officer: str = ""


def post(staff: Staff) -> Post:
    """What an account is now."""
    return Post(staff.name, staff.role, staff.unit, staff.officer)


def move(
    db: sqlite3.Connection, id: int, wish: Post, *, seen: Post, now: datetime, actor: str
) -> Staff:
    """Change what somebody is; the sessions of the account end.

    Raises LookupError, Refused ``role`` (422), ``changed_meanwhile`` (409) when the account is no
    longer what ``seen`` says, and ``last_administrator`` (409).
    """
    if wish.role not in ROLES:
        raise Refused("role", 422, role=wish.role, roles=ROLES)
    with write(db):
        held = get(db, id)
        if held is None:
            raise LookupError(id)
        if post(held) != seen:
            raise Refused("changed_meanwhile", 409)
        if (wish.role, wish.unit) != (held.role, held.unit):
            _keep_one(db, id)
        new, old = asdict(wish), asdict(seen)
        changed = {key: [old[key], new[key]] for key in new if old[key] != new[key]}
        return _change(db, id, "staff.change", new, now=now, actor=actor, detail=changed)


def _keep_one(db: sqlite3.Connection, id: int) -> None:
    """Refuse to lose the last administrator of the whole instance."""
    leaving = get(db, id)
    if leaving is None or leaving.role != "administrator" or leaving.unit or leaving.disabled:
        return
    row = db.execute(
        "SELECT COUNT(*) AS n FROM staff WHERE role = 'administrator' AND unit IS NULL"
        " AND disabled = 0 AND id <> :id",
        {"id": id},
    ).fetchone()
    if not row["n"]:
        raise Refused("last_administrator", 409)


def drop_factor(db: sqlite3.Connection, id: int, *, now: datetime, actor: str = "") -> Staff:
    """Take the second factor of an account away; its sessions end.

    A password that is too short to stand alone must then be changed.  Raises LookupError, also
    where there is no factor; ``actor`` "" is the account itself.
    """
    with write(db):
        staff = get(db, id)
        if staff is None or not factors.remove(db, id):
            raise LookupError(id)
        values = {"must_change": int(staff.must_change or staff.short)}
        return _change(db, id, "factor.off", values, now=now, actor=actor)


def _change(
    db: sqlite3.Connection, id: int, action: str, values: Mapping[str, object],
    *, now: datetime, actor: str, detail: Mapping[str, object] | None = None,
) -> Staff:  # fmt: skip
    """Change what ``values`` names and leave the rest; every session ends."""
    unchanged = dict.fromkeys(
        ("password_hash", "must_change", "disabled", "short", "name", "role", "unit", "officer")
    )
    with write(db):
        row = db.execute(
            "UPDATE staff SET password_hash = COALESCE(:password_hash, password_hash),"
            " must_change = COALESCE(:must_change, must_change),"
            " disabled = COALESCE(:disabled, disabled), short = COALESCE(:short, short),"
            " name = COALESCE(:name, name), role = COALESCE(:role, role),"
            " unit = CASE WHEN :unit IS NULL THEN unit WHEN :unit = '' THEN NULL ELSE :unit END,"
            " officer = COALESCE(:officer, officer), session_version = session_version + 1"
            " WHERE id = :id RETURNING *",
            {"id": id, **unchanged, **values},
        ).fetchone()
        staff = _staff(row)
        if staff is None:
            raise LookupError(id)
        sessions.end_all(db, id, now=now)
        who = actor or f"staff:{staff.username}"
        audit.append(db, at=now, actor=who, action=action, subject=staff.username, detail=detail)
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
        short=bool(row["short"]),
    )  # fmt: skip
