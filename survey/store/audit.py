"""What staff did, each row chained to the one before by its hash."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from survey.db import write
from survey.store.clock import VIETNAM, stamp

_HEAD = "audit_head"
_FIELDS = ("seq", "at", "actor", "action", "subject", "detail", "previous")
#: Rows that a page looks through to say that the chain holds; all of them takes seconds.
NEWEST = 1000
#: Rows fetched at once while a file of them is written.
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as it was written."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows somebody wishes to see; days are those of Vietnam, both included.

    ``unit``: only what people of that unit, or of one under it, have done.  ``looks``: only looks
    at personal data, which are the actions that end in "view", "list" or "names".
    """

    unit: str = ""
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None
    looks: bool = False


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


#: Everything but the actor and the action, which have an index of their own.
_REST = """
 AND (:before = 0 OR seq < :before) AND (:subject = '' OR subject = :subject)
 AND at >= :since AND (:until = '' OR at < :until)
 AND (:looks = 0 OR action LIKE '%.view' OR action LIKE '%.list' OR action LIKE '%.names')
 AND (:unit = '' OR actor IN (
  WITH RECURSIVE under (id) AS (
   SELECT :unit UNION SELECT u.scheme || ':' || u.code FROM unit u JOIN under ON u.parent = under.id
   WHERE u.valid_from = (SELECT MAX(n.valid_from) FROM unit n
    WHERE n.scheme = u.scheme AND n.code = u.code))
  SELECT 'staff:' || s.username FROM staff s JOIN under ON s.unit = under.id))
 ORDER BY seq DESC LIMIT :most"""
_ROWS = "SELECT * FROM audit"
_ALL = _ROWS + " WHERE (:action = '' OR action = :action)" + _REST
_BY_ACTION = _ROWS + " WHERE action = :action" + _REST
_BY_ACTOR = _ROWS + " WHERE actor = :actor AND (:action = '' OR action = :action)" + _REST


def rows(db: sqlite3.Connection, asked: Asked, *, before: int = 0, most: int) -> list[Entry]:
    """The newest rows that somebody wishes to see, older than row ``before`` (0: the newest)."""
    statement = _BY_ACTOR if asked.actor else _BY_ACTION if asked.action else _ALL
    found = db.execute(
        statement,
        {
            "before": before, "actor": asked.actor, "action": asked.action,
            "subject": asked.subject, "looks": int(asked.looks), "unit": asked.unit,
            "since": _midnight(asked.since), "most": most,
            "until": _midnight(asked.until + timedelta(days=1)) if asked.until else "",
        },
    )  # fmt: skip
    return [Entry(**dict(row)) for row in found]


def every(db: sqlite3.Connection, asked: Asked) -> Iterator[Entry]:
    """All rows that somebody wishes to see, the newest first, a few in memory at a time."""
    before, chunk = 0, rows(db, asked, most=_CHUNK)
    while chunk:
        yield from chunk
        before = chunk[-1].seq
        chunk = rows(db, asked, before=before, most=_CHUNK) if len(chunk) == _CHUNK else []


def last(db: sqlite3.Connection, action: str, subject: str) -> Entry | None:
    """The newest row of an action on a subject."""
    found = rows(db, Asked(action=action, subject=subject), most=1)
    return found[0] if found else None


def actions(db: sqlite3.Connection) -> list[str]:
    """Every action there is a row of; each costs one look into the index."""
    found = db.execute(
        "WITH RECURSIVE each (action) AS (SELECT MIN(action) FROM audit UNION ALL"
        " SELECT (SELECT MIN(a.action) FROM audit a WHERE a.action > each.action) FROM each"
        " WHERE each.action IS NOT NULL)"
        " SELECT action FROM each WHERE action IS NOT NULL"
    )
    return [row["action"] for row in found]


def count(db: sqlite3.Connection) -> int:
    """The number of the newest row."""
    return int(db.execute("SELECT COALESCE(MAX(seq), 0) AS n FROM audit").fetchone()["n"])


def _midnight(on: date | None) -> str:
    return stamp(datetime.combine(on, time.min, VIETNAM)) if on else ""


def newest(db: sqlite3.Connection) -> list[str]:
    """Faults of the newest rows and of the head; ``verify`` looks through all."""
    found = db.execute(
        "SELECT * FROM audit ORDER BY seq DESC LIMIT :most", {"most": NEWEST + 1}
    ).fetchall()[::-1]
    if len(found) <= NEWEST:
        return list(_verify(db, found, "", 0))
    return list(_verify(db, found[1:], found[0]["hash"], found[0]["seq"]))


def verify(db: sqlite3.Connection) -> Iterator[str]:
    """Faults of the chain, each naming its row; none when nothing was changed or removed."""
    yield from _verify(db, db.execute("SELECT * FROM audit ORDER BY seq"), "", 0)


def _verify(
    db: sqlite3.Connection, rows: Iterable[sqlite3.Row], previous: str, number: int
) -> Iterator[str]:
    for row in rows:
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
