"""Pictures of scanned pages and notes of call-backs: what a closed wave keeps no longer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from survey.db import write
from survey.store.clock import day, moment

#: Pictures may hold handwriting and notes are free text: both go so long after the wave was
#: closed, as the names of its households do.  Digests, marks and outcomes stay.
DAYS = 90


class Kept(NamedTuple):
    """What a wave still has, until which day; None while it is not closed."""

    wave: str
    pages: int
    notes: int
    until: date | None


class File(NamedTuple):
    """A file that was handed in and whose pictures are kept."""

    id: int
    wave: str
    name: str
    digest: str
    state: str


def remove(db: sqlite3.Connection, today: date) -> tuple[int, int]:
    """Take leave of pictures and notes of waves closed ``DAYS`` ago; returns pages and notes.

    The files themselves are the caller's business once this is written: whatever no file of
    ``files`` names any more.
    """
    pages = notes = 0
    with write(db):
        for one in kept(db):
            if one.until is None or one.until > today:
                continue
            pages += one.pages
            notes += one.notes
            db.execute(
                "UPDATE scan_upload SET removed_on = :day"
                " WHERE wave = :wave AND removed_on IS NULL",
                {"wave": one.wave, "day": today.isoformat()},
            )
            db.execute(
                "UPDATE callback SET note = '' WHERE wave = :wave AND note <> ''",
                {"wave": one.wave},
            )
    return pages, notes


def kept(db: sqlite3.Connection) -> list[Kept]:
    """Waves with pictures of pages or notes of call-backs, and until when."""
    rows = db.execute(
        "SELECT w.key, w.closed_at,"
        " (SELECT COUNT(*) FROM scan_upload u WHERE u.wave = w.key AND u.removed_on IS NULL) AS n,"
        " (SELECT COUNT(*) FROM scan_page p JOIN scan_upload u ON u.id = p.upload"
        "  WHERE u.wave = w.key AND u.removed_on IS NULL AND p.file <> '') AS pages,"
        " (SELECT COUNT(*) FROM callback b WHERE b.wave = w.key AND b.note <> '') AS notes"
        " FROM wave w ORDER BY w.key"
    )
    return [
        Kept(row["key"], row["pages"], row["notes"], _until(row["closed_at"]))
        for row in rows
        if row["n"] or row["notes"]
    ]


def files(db: sqlite3.Connection) -> list[File]:
    """Files whose pictures are kept, in the order they came."""
    rows = db.execute(
        "SELECT id, wave, name, digest, state FROM scan_upload WHERE removed_on IS NULL ORDER BY id"
    )
    return [File(**dict(row)) for row in rows]


def pictures(db: sqlite3.Connection, upload: int) -> Iterator[tuple[int, str]]:
    """The pictures of a file's pages, of whole pages and of doubtful fields: (page, sha256)."""
    rows = db.execute(
        "SELECT number, file, doubts FROM scan_page WHERE upload = :upload ORDER BY number",
        {"upload": upload},
    )
    for row in rows:
        doubts = json.loads(row["doubts"]).values()
        for digest in {row["file"], *(doubt.get("file", "") for doubt in doubts)} - {""}:
            yield row["number"], digest


def removed(db: sqlite3.Connection) -> Iterator[str]:
    """The sha256 of every file and picture that was removed, or is about to be."""
    rows = db.execute("SELECT id, digest FROM scan_upload WHERE removed_on IS NOT NULL").fetchall()
    for row in rows:
        yield row["digest"]
        yield from (digest for _, digest in pictures(db, row["id"]))


def _until(closed_at: str | None) -> date | None:
    return day(moment(closed_at)) + timedelta(DAYS) if closed_at else None
