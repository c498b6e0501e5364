"""A whole instance: made ready, and checked from end to end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from forms import questionnaire as questionnaires
from forms import rules
from survey import config, db, migrations
from survey.store import audit, comparisons, dossiers, reference, seals
from survey.store import questionnaires as published
from survey.store.clock import now


def init(
    instance: Path | None = None, *, at: datetime | None = None, actor: str = "shell"
) -> config.Settings:
    """Make the directory, its secret, the database and the provinces; idempotent."""
    home = config.create(instance)
    (home / config.DATABASE).touch(mode=0o600)  # the log files take the same mode
    connection = db.connect(home / config.DATABASE)
    try:
        migrations.migrate(connection)
        reference.load(connection, now=at or now(), actor=actor)
    finally:
        connection.close()
    return config.load(home)


def check(
    connection: sqlite3.Connection, progress: Callable[[int], None] | None = None
) -> list[str]:
    """Everything wrong with the database, each fault naming its place, in Vietnamese.

    The file's own structure, references between tables, every response (digest, packed codes,
    answers readable), the waves' questionnaires and the chain of the audit.
    """
    faults: list[str] = []
    parts = (
        _structure(connection),
        _references(connection),
        _waves(connection),
        _responses(connection, progress),
        _ties(connection),
        comparisons.stray(connection),
        audit.verify(connection),
    )
    try:
        if waiting := migrations.pending(connection):
            return [f"Chưa nâng cấp: {', '.join(waiting)} (chạy «sipas migrate»)"]
    except sqlite3.DatabaseError as fault:
        return [f"Không đọc được cơ sở dữ liệu: {fault}"]
    for part in parts:
        try:
            faults += part
        except sqlite3.DatabaseError as fault:  # a damaged page: go on with what can be read
            faults.append(f"Không đọc được cơ sở dữ liệu: {fault}")
    return faults


def size(connection: sqlite3.Connection) -> int:
    """How many responses there are, of every state."""
    return int(connection.execute("SELECT COUNT(*) FROM response").fetchone()[0])


def _structure(connection: sqlite3.Connection) -> Iterator[str]:
    for row in connection.execute("PRAGMA integrity_check"):
        if row[0] != "ok":
            yield f"Tệp cơ sở dữ liệu hỏng: {row[0]}"


def _references(connection: sqlite3.Connection) -> Iterator[str]:
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield f"Bảng {row[0]}, dòng {row[1]}: không còn dòng tương ứng ở bảng {row[2]}"


def _waves(connection: sqlite3.Connection) -> Iterator[str]:
    known = published.keys(connection)
    yield from published.faults(connection)
    for row in connection.execute("SELECT key, questionnaire FROM wave ORDER BY key"):
        if row["questionnaire"] not in known:
            yield f"Đợt {row['key']}: không có bảng hỏi «{row['questionnaire']}»"


def _responses(
    connection: sqlite3.Connection, progress: Callable[[int], None] | None
) -> Iterator[str]:
    voided = {
        row["subject"]
        for row in connection.execute("SELECT subject FROM audit WHERE action = 'response.void'")
    }
    rows = connection.execute("SELECT * FROM response ORDER BY seq")
    for done, row in enumerate(rows, 1):
        if fault := _response_fault(row):
            yield f"Phiếu số {row['seq']}: {fault}"
        elif (row["state"] == "void") != (str(row["seq"]) in voided):
            yield f"Phiếu số {row['seq']}: trạng thái không khớp nhật ký"
        if progress and done % 1000 == 0:
            progress(done)


def _ties(connection: sqlite3.Connection) -> Iterator[str]:
    """What points at an answer that is not there any more; both are erased together."""
    for key in dossiers.stray(connection):
        yield f"Hồ sơ {key}: phiếu trả lời không còn"
    rows = connection.execute(
        "SELECT c.id FROM contact c LEFT JOIN response r ON r.id = c.response WHERE r.id IS NULL"
    )
    for row in rows:
        yield f"Số điện thoại số {row['id']}: phiếu trả lời không còn"


def _response_fault(row: sqlite3.Row) -> str:
    if seals.digest(row["questionnaire"], row["answers"]) != row["digest"]:
        return "nội dung trả lời không khớp mã kiểm tra (đã bị sửa hoặc hỏng)"
    try:
        asked = questionnaires.load(row["questionnaire"])
        packed = rules.pack(asked, json.loads(row["answers"]))
    except (LookupError, ValueError) as fault:
        return f"không đọc được nội dung trả lời ({fault})"
    if packed != row["codes"]:
        return "mã đóng gói không khớp nội dung trả lời"
    return "" if seals.seal(row) == row["seal"] else "thông tin kèm theo đã bị sửa hoặc hỏng"
