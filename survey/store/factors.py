"""Second factors of accounts: their seeds, the last code used, and codes for a lost telephone."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import stamp

#: A factor that was begun and not confirmed in this time begins anew.
PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Factor:
    """The factor of an account; ``step`` is the last code's, which counts no second time."""

    staff: int
    seed: str = field(repr=False)
    began_at: str
    confirmed_at: str | None
    step: int


def get(db: sqlite3.Connection, staff: int) -> Factor | None:
    """The factor of an account, confirmed or only begun."""
    row = db.execute("SELECT * FROM staff_factor WHERE staff = :staff", {"staff": staff}).fetchone()
    return _factor(row) if row else None


def held(db: sqlite3.Connection, staff: int) -> Factor | None:
    """The factor that an account signs in with, None where it has none."""
    found = get(db, staff)
    return found if found and found.confirmed_at else None


def holders(db: sqlite3.Connection) -> set[int]:
    """The accounts that sign in with a second factor."""
    rows = db.execute("SELECT staff FROM staff_factor WHERE confirmed_at IS NOT NULL")
    return {row["staff"] for row in rows}


def begin(db: sqlite3.Connection, staff: int, *, now: datetime) -> Factor:
    """Give an account a new seed to confirm; raises Refused ``factor_held`` (409)."""
    with write(db):
        if held(db, staff):
            raise Refused("factor_held", 409)
        row = db.execute(
            "INSERT INTO staff_factor (staff, seed, began_at) VALUES (:staff, :seed, :now)"
            " ON CONFLICT (staff) DO UPDATE SET seed = excluded.seed,"
            " began_at = excluded.began_at, step = 0 RETURNING *",
            {"staff": staff, "seed": secrets.token_hex(20), "now": stamp(now)},
        ).fetchone()
    return _factor(row)


def begun(db: sqlite3.Connection, staff: int, *, now: datetime) -> Factor | None:
    """The factor that waits for its first code, None when there is none or it is too old."""
    found = get(db, staff)
    if found is None or found.confirmed_at or found.began_at < stamp(now - PATIENCE):
        return None
    return found


def confirm(
    db: sqlite3.Connection, found: Factor, *, step: int, codes: Iterable[str], username: str,
    now: datetime,
) -> bool:  # fmt: skip
    """Put a factor into force with its first code; False when it is not the one begun."""
    with write(db):
        done = db.execute(
            "UPDATE staff_factor SET confirmed_at = :now, step = :step WHERE staff = :staff"
            " AND seed = :seed AND confirmed_at IS NULL",
            {"staff": found.staff, "seed": found.seed, "step": step, "now": stamp(now)},
        ).rowcount
        if done:
            _put(db, found.staff, codes)
            actor = f"staff:{username}"
            audit.append(db, at=now, actor=actor, action="factor.on", subject=username)
    return bool(done)


def use(db: sqlite3.Connection, staff: int, step: int) -> bool:
    """Spend the code of a step; False when that one or a later one has been spent."""
    with write(db):
        return bool(
            db.execute(
                "UPDATE staff_factor SET step = :step WHERE staff = :staff AND step < :step"
                " AND confirmed_at IS NOT NULL",
                {"staff": staff, "step": step},
            ).rowcount
        )


def recover(db: sqlite3.Connection, staff: int, hash: str, *, now: datetime) -> bool:
    """Spend a recovery code; False when there is none such or it has been spent."""
    with write(db):
        return bool(
            db.execute(
                "UPDATE staff_recovery SET used_at = :now WHERE staff = :staff AND hash = :hash"
                " AND used_at IS NULL",
                {"staff": staff, "hash": hash, "now": stamp(now)},
            ).rowcount
        )


def left(db: sqlite3.Connection, staff: int) -> int:
    """How many recovery codes an account has not used."""
    row = db.execute(
        "SELECT COUNT(*) AS n FROM staff_recovery WHERE staff = :staff AND used_at IS NULL",
        {"staff": staff},
    ).fetchone()
    return int(row["n"])


def renew(
    db: sqlite3.Connection, staff: int, codes: Iterable[str], *, username: str, now: datetime
) -> None:
    """Put new recovery codes in the place of the old ones.  Raises LookupError."""
    with write(db):
        if held(db, staff) is None:
            raise LookupError(staff)
        _put(db, staff, codes)
        actor = f"staff:{username}"
        audit.append(db, at=now, actor=actor, action="factor.codes", subject=username)


def remove(db: sqlite3.Connection, staff: int) -> bool:
    """Take the factor away; the caller writes the audit row.  False where there was none."""
    with write(db):
        db.execute("DELETE FROM staff_recovery WHERE staff = :staff", {"staff": staff})
        return bool(
            db.execute("DELETE FROM staff_factor WHERE staff = :staff", {"staff": staff}).rowcount
        )


def _put(db: sqlite3.Connection, staff: int, codes: Iterable[str]) -> None:
    db.execute("DELETE FROM staff_recovery WHERE staff = :staff", {"staff": staff})
    db.executemany(
        "INSERT INTO staff_recovery (staff, hash) VALUES (:staff, :hash)",
        [{"staff": staff, "hash": hash} for hash in codes],
    )


def _factor(row: sqlite3.Row) -> Factor:
    return Factor(
        staff=row["staff"], seed=row["seed"], began_at=row["began_at"],
        confirmed_at=row["confirmed_at"], step=row["step"],
    )  # fmt: skip
