"""What an office writes into a report by hand: every version is kept, the newest one counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import stamp
from survey.store.inside import Inside


@dataclass(frozen=True, slots=True)
class Written:
    """One version; ``version`` 0: nothing was written yet."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    at: str = ""
    actor: str = ""


_SELECT = (
    "SELECT version, fields, at, actor FROM report_field"
    " WHERE kind = :kind AND unit = :unit AND period = :period"
)


def versions(db: sqlite3.Connection, kind: str, unit: str, period: str) -> list[Written]:
    """All versions, the newest first."""
    facts = {"kind": kind, "unit": unit, "period": period}
    rows = db.execute(_SELECT + " ORDER BY version DESC", facts)
    return [_written(row) for row in rows]


def writers(db: sqlite3.Connection, kind: str, period: str, within: str = "") -> list[str]:
    """The units that wrote something of a period; "" is the whole instance."""
    rows = db.execute(
        "SELECT DISTINCT unit FROM report_field WHERE kind = :kind AND period = :period"
        " ORDER BY unit",
        {"kind": kind, "period": period},
    )
    mine = Inside(db, within)
    return [row["unit"] for row in rows if mine(row["unit"])]


def newest(db: sqlite3.Connection, kind: str, unit: str, period: str) -> Written:
    """The version that counts, an empty one where nothing was written."""
    facts = {"kind": kind, "unit": unit, "period": period}
    row = db.execute(_SELECT + " ORDER BY version DESC LIMIT 1", facts).fetchone()
    return _written(row) if row else Written()


def put(
    db: sqlite3.Connection,
    kind: str,
    unit: str,
    period: str,
    fields: Mapping[str, Any],
    *,
    version: int,
    now: datetime,
    actor: str,
) -> Written:
    """Store the version after ``version``; the same text again is no new version.

    Raises Refused ``onestop_changed`` (409, ``who``, ``at``) when somebody stored one meanwhile.
    """
    text = json.dumps(dict(fields), ensure_ascii=False, sort_keys=True)
    row = {
        "kind": kind, "unit": unit, "period": period, "version": version + 1, "fields": text,
        "at": stamp(now), "actor": actor,
    }  # fmt: skip
    with write(db):
        last = newest(db, kind, unit, period)
        if last.version == version and last.fields == json.loads(text):
            return last
        made = 0
        if last.version == version:
            made = db.execute(
                "INSERT INTO report_field (kind, unit, period, version, fields, at, actor)"
                " VALUES (:kind, :unit, :period, :version, :fields, :at, :actor)"
                " ON CONFLICT (kind, unit, period, version) DO NOTHING",
                row,
            ).rowcount
        if made != 1:
            raise Refused("onestop_changed", 409, who=last.actor, at=last.at)
        detail = {"kind": kind, "period": period, "version": version + 1}
        audit.append(db, at=now, actor=actor, action="report.fields", subject=unit, detail=detail)
    return newest(db, kind, unit, period)


def _written(row: sqlite3.Row) -> Written:
    return Written(json.loads(row["fields"]), row["version"], row["at"], row["actor"])
