"""Copies of the database: made while it is in use, verified, and put back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from survey import migrations
from survey.db import NotStored, connect, turn

TABLES = frozenset({"unit", "wave", "door", "response", "staff", "audit"})


class BadCopy(Exception):
    """The file is no copy of an instance, or is damaged; the message is Vietnamese."""


def backup(db: sqlite3.Connection, file: Path) -> int:
    """Write a verified copy to ``file`` (one file, no log beside it); returns its responses.

    Raises FileExistsError rather than writing over anything; the copy appears whole or not.
    """
    file.touch(mode=0o600, exist_ok=False)  # takes the name; the copy replaces it when good
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        draft.unlink(missing_ok=True)
        db.execute("VACUUM INTO :file", {"file": str(draft)})
        rows = verify(draft)
        draft.chmod(0o600)
        _sync(draft)
        draft.replace(file)
        _sync(file.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        file.unlink(missing_ok=True)
        raise
    return rows


def verify(file: Path) -> int:
    """Read a copy from end to end; returns its number of responses.  Raises BadCopy."""
    if not file.is_file():
        raise BadCopy(f"Không có tệp «{file}».")
    try:
        with closing(_reader(file)) as copy:
            faults = [row[0] for row in copy.execute("PRAGMA integrity_check") if row[0] != "ok"]
            tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
            if faults:
                raise BadCopy(f"Bản sao «{file}» bị hỏng: {faults[0]}")
            if not tables >= TABLES:
                raise BadCopy(f"«{file}» không phải bản sao dữ liệu SIPAS.")
            if unknown := migrations.unknown(copy):
                raise BadCopy(f"«{file}» thuộc phiên bản mới hơn ({', '.join(unknown)}).")
            return int(copy.execute("SELECT COUNT(*) FROM response").fetchone()[0])
    except sqlite3.Error as fault:
        raise BadCopy(f"Không đọc được «{file}»: {fault}") from fault


def restore(file: Path, database: Path, *, at: datetime) -> tuple[int, Path | None]:
    """Put a copy in the place of the live content; returns its responses and what was kept.

    What was there goes to ``backups/`` first (None if there was nothing), and no answer can
    come in between.  The copy is poured page by page into the live file in one transaction of
    SQLite's: a program that has it open sees the old content or the new, never a mixture.  A
    file beyond reading is moved to ``backups/`` as it is, and the program must be restarted.

    Raises BadCopy before touching anything, NotStored when there is no space.
    """
    rows = verify(file)
    kept = database.parent / "backups" / f"truoc-phuc-hoi-{at:%Y%m%d-%H%M%S-%f}.sqlite"
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    existed = database.exists()
    if existed and not _set_aside(database, kept, file):
        for end in ("", "-wal", "-shm"):
            if (part := database.with_name(database.name + end)).exists():
                part.rename(kept.with_name(kept.name + end))
    if not database.exists():
        database.touch(mode=0o600)
        with closing(connect(database)) as live:
            _pour(file, live)
    with closing(connect(database, create=False)) as live:
        migrations.migrate(live)
    return rows, kept if existed else None


def _set_aside(database: Path, kept: Path, file: Path) -> bool:
    """Keep the live content and pour the copy over it; False if it cannot be read at all."""
    try:
        with closing(connect(database, create=False)) as live, turn(live):
            backup(live, kept)
            _pour(file, live)
    except (sqlite3.DatabaseError, NotStored, BadCopy) as fault:
        if kept.exists() or not _damaged(fault):
            raise
        return False
    return True


def _damaged(fault: Exception) -> bool:
    """Whether the file itself is broken, as against a full disk or a busy moment."""
    cause = fault.__cause__ if isinstance(fault, NotStored) else fault
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return isinstance(fault, BadCopy) or code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _pour(file: Path, live: sqlite3.Connection) -> None:
    with closing(_reader(file)) as copy:
        copy.backup(live)


def _reader(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.row_factory = sqlite3.Row
    return db


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
