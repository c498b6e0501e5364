"""Step 10: sessions kept by the server, second factors, and invitations of staff."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m010_people(db: Database) -> None:
    """What a session, a second factor and an invitation is; passwords that are short alone.

    ``staff_session.id`` is the digest of what the cookie holds; ``place`` a mask of the address
    that changes every day.  ``staff_factor.seed`` makes the secret of the codes only together
    with the key of the instance; ``staff.short``: the password is too short to stand alone.
    """
    all_of(
        db,
        "ALTER TABLE staff ADD COLUMN short INTEGER NOT NULL DEFAULT 0 CHECK (short IN (0, 1))",
        """CREATE TABLE staff_session (
            id TEXT PRIMARY KEY, staff INTEGER NOT NULL REFERENCES staff (id),
            device TEXT NOT NULL, place TEXT NOT NULL,
            factor INTEGER NOT NULL DEFAULT 0 CHECK (factor IN (0, 1)),
            began_at TEXT NOT NULL, seen_at TEXT NOT NULL, ended_at TEXT) STRICT""",
        "CREATE INDEX staff_session_staff ON staff_session (staff, began_at)",
        """CREATE TABLE staff_factor (
            staff INTEGER PRIMARY KEY REFERENCES staff (id), seed TEXT NOT NULL,
            began_at TEXT NOT NULL, confirmed_at TEXT, step INTEGER NOT NULL DEFAULT 0) STRICT""",
        """CREATE TABLE staff_recovery (
            staff INTEGER NOT NULL REFERENCES staff (id), hash TEXT NOT NULL, used_at TEXT,
            PRIMARY KEY (staff, hash)) STRICT""",
        """CREATE TABLE invitation (
            id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, username TEXT NOT NULL,
            name TEXT NOT NULL, role TEXT NOT NULL, unit TEXT, officer TEXT NOT NULL,
            mail TEXT NOT NULL, inviter INTEGER NOT NULL REFERENCES staff (id),
            created_at TEXT NOT NULL, expires_at TEXT NOT NULL, used_at TEXT,
            withdrawn_at TEXT) STRICT""",
        "CREATE INDEX audit_actor ON audit (actor, seq)",
        "CREATE INDEX audit_action ON audit (action, seq)",
    )
