"""Names of those who handed a dossier in, apart from it and each with the day it goes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from survey.db import write
from survey.store import audit

#: A name is kept so many days after the dossier was settled, for a letter that is still owed ...
DAYS = 30
#: ... and so many after its day while it is worked on.
OPEN_DAYS = 180


@dataclass(frozen=True, slots=True)
class Applicant:
    """A person or an organisation, as a letter addresses it."""

    name: str
    organisation: bool


def row(
    name: str | None, organisation: bool, settled: date | None, due: date, today: date
) -> dict[str, str]:
    """What is stored of a name; "" when none is to be kept, as after its day."""
    goes_on = settled + timedelta(days=DAYS) if settled else due + timedelta(days=OPEN_DAYS)
    return {
        "applicant": (name or "") if goes_on > today else "",
        "applicant_kind": "organisation" if organisation else "person",
        "applicant_purge_on": goes_on.isoformat(),
    }


def put(db: sqlite3.Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Store or forget names in the caller's transaction."""
    for one in rows:
        if one["applicant"]:
            db.execute(
                "INSERT INTO dossier_person (dossier, name, kind, purge_on)"
                " VALUES (:key, :applicant, :applicant_kind, :applicant_purge_on)"
                " ON CONFLICT (dossier) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
                " purge_on = excluded.purge_on",
                one,
            )
        else:
            db.execute("DELETE FROM dossier_person WHERE dossier = :key", one)


def differs(db: sqlite3.Connection, row: dict[str, Any]) -> bool:
    """Whether ``put`` would change anything."""
    held = db.execute(
        "SELECT name, kind, purge_on FROM dossier_person WHERE dossier = :key", row
    ).fetchone()
    wanted = (row["applicant"], row["applicant_kind"], row["applicant_purge_on"])
    return (tuple(held) if held else None) != (wanted if row["applicant"] else None)


def look(
    db: sqlite3.Connection, dossiers: Sequence[str], *, why: str, now: datetime, actor: str
) -> dict[str, Applicant]:
    """Dossier -> applicant, where the name is still kept; that they were looked at is written."""
    with write(db):
        found: dict[str, Applicant] = {}
        for key in dossiers:
            held = db.execute(
                "SELECT name, kind FROM dossier_person WHERE dossier = :key", {"key": key}
            ).fetchone()
            if held:
                found[key] = Applicant(held["name"], held["kind"] == "organisation")
        if found:
            detail = {"dossiers": sorted(found)[:200], "n": len(found)}
            audit.append(
                db, at=now, actor=actor, action="applicant.view", subject=why, detail=detail
            )
    return found


def purge(db: sqlite3.Connection, today: date) -> int:
    """Delete the names whose day has come; returns how many."""
    with write(db):
        return db.execute(
            "DELETE FROM dossier_person WHERE purge_on <= :today", {"today": today.isoformat()}
        ).rowcount


def kept(db: sqlite3.Connection) -> tuple[int, str, str]:
    """How many names are kept, and the first and the last day on which they go."""
    found = db.execute("SELECT COUNT(*), MIN(purge_on), MAX(purge_on) FROM dossier_person")
    n, first, last = found.fetchone()
    return n, first or "", last or ""
