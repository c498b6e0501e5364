"""What staff did, each row chained to the one before by its hash."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256

from survey.db import write
from survey.store.clock import stamp

_HEAD = "audit_head"
_FIELDS = ("seq", "at", "actor", "action", "subject", "detail", "previous")


def append(
    db: sqlite3.Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Add one row inside the caller's write transaction; returns its number.

    ``actor`` is "staff:<username>", "shell:<login>" or "citizen"; ``action`` a short word with
    its noun, "wave.close"; ``subject`` the key of what was changed.
    """
    with write(db):
        last = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        row: dict[str, object] = {
            "seq": last["seq"] + 1 if last else 1,
            "at": stamp(at),
            "actor": actor,
            "action": action,
            "subject": subject,
            "detail": json.dumps(detail or {}, ensure_ascii=False, sort_keys=True),
            "previous": last["hash"] if last else "",
        }
        row["hash"] = _hash(row)
        db.execute(
            "INSERT INTO audit (seq, at, actor, action, subject, detail, previous, hash) VALUES"
            " (:seq, :at, :actor, :action, :subject, :detail, :previous, :hash)",
            row,
        )
        # The head is kept apart, or cutting off the newest rows would leave a perfect chain.
        db.execute(
            "INSERT INTO meta (key, value) VALUES (:key, :value)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            {"key": _HEAD, "value": f"{row['seq']} {row['hash']}"},
        )
    return int(str(row["seq"]))


def verify(db: sqlite3.Connection) -> Iterator[str]:
    """Faults of the chain, each naming its row; none when nothing was changed or removed."""
    previous, number = "", 0
    for row in db.execute("SELECT * FROM audit ORDER BY seq"):
        number += 1
        if row["seq"] != number:
            yield f"Nhật ký: thiếu dòng trước dòng {row['seq']}"
            number = row["seq"]
        if row["previous"] != previous or row["hash"] != _hash(dict(row)):
            yield f"Nhật ký: dòng {row['seq']} đã bị sửa hoặc đứt chuỗi"
        previous = row["hash"]
    head = db.execute("SELECT value FROM meta WHERE key = :key", {"key": _HEAD}).fetchone()
    if (head["value"] if head else "0 ") != f"{number} {previous}":
        yield f"Nhật ký: dòng cuối không khớp (đang thấy dòng {number})"


def _hash(row: Mapping[str, object]) -> str:
    text = json.dumps([row[name] for name in _FIELDS], ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
