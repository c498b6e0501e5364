"""What a unit counts, says and is given for the nine criteria in a period; who, when, on what."""

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

KINDS = ("self", "appraised")


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as it was last stored; ``version`` 0: never.

    ``values``: name of a count -> number, or criterion -> points as written ("1.75").
    ``evidence``: criterion -> what proves it; of counts under the name "counts".
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    at: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is stored of one unit and period."""

    counts: Kept = Kept()
    own: Kept = Kept()
    appraised: Kept = Kept()


_COUNTS = "SELECT unit, counts, evidence, version, at, actor FROM unit_input WHERE period = :period"
_SCORES = (
    "SELECT unit, kind, points, evidence, version, at, actor FROM criterion_score"
    " WHERE period = :period"
)
_ONE = " AND unit = :unit"
_NEW_COUNTS = (
    "INSERT INTO unit_input (unit, period, counts, evidence, version, at, actor)"
    " VALUES (:unit, :period, :values, :evidence, 1, :at, :actor)"
    " ON CONFLICT (unit, period) DO NOTHING"
)
_SET_COUNTS = (
    "UPDATE unit_input SET counts = :values, evidence = :evidence, version = version + 1,"
    " at = :at, actor = :actor"
    " WHERE unit = :unit AND period = :period AND version = :version"
)
_NEW_SCORE = (
    "INSERT INTO criterion_score (unit, period, kind, points, evidence, version, at, actor)"
    " VALUES (:unit, :period, :kind, :values, :evidence, 1, :at, :actor)"
    " ON CONFLICT (unit, period, kind) DO NOTHING"
)
_SET_SCORE = (
    "UPDATE criterion_score SET points = :values, evidence = :evidence, version = version + 1,"
    " at = :at, actor = :actor"
    " WHERE unit = :unit AND period = :period AND kind = :kind AND version = :version"
)


def sheet(db: sqlite3.Connection, unit: str, period: str) -> Sheet:
    """What is stored of a unit and period; empty where nothing is."""
    return _sheets(db, period, unit).get(unit, Sheet())


def sheets(db: sqlite3.Connection, period: str) -> dict[str, Sheet]:
    """What is stored of a period, by unit."""
    return _sheets(db, period, None)


def _sheets(db: sqlite3.Connection, period: str, unit: str | None) -> dict[str, Sheet]:
    one, facts = (_ONE if unit is not None else ""), {"period": period, "unit": unit}
    found: dict[str, dict[str, Kept]] = {}
    for row in db.execute(_COUNTS + one, facts):
        found.setdefault(row["unit"], {})["counts"] = _kept(row, "counts")
    for row in db.execute(_SCORES + one, facts):
        name = "own" if row["kind"] == "self" else "appraised"
        found.setdefault(row["unit"], {})[name] = _kept(row, "points")
    return {id: Sheet(**parts) for id, parts in found.items()}


def _kept(row: sqlite3.Row, values: str) -> Kept:
    return Kept(
        json.loads(row[values]), json.loads(row["evidence"]), row["version"], row["at"],
        row["actor"],
    )  # fmt: skip


def put_counts(
    db: sqlite3.Connection,
    unit: str,
    period: str,
    values: Mapping[str, int],
    evidence: Mapping[str, str],
    *,
    version: int,
    now: datetime,
    actor: str,
) -> None:
    """Store what a unit counted.

    Raises Refused ``onestop_changed`` (409, ``who``, ``at``) when ``version`` is not the one
    that is stored (0: none is).
    """
    row = _row(unit, period, values, evidence, version, now, actor)
    _put(db, (_NEW_COUNTS, _SET_COUNTS), row, "criteria.counts", now)


def put_score(
    db: sqlite3.Connection,
    unit: str,
    period: str,
    kind: str,
    values: Mapping[str, str],
    evidence: Mapping[str, str],
    *,
    version: int,
    now: datetime,
    actor: str,
) -> None:
    """Store the points a unit gives itself (``self``) or is given (``appraised``).

    Raises Refused ``onestop_changed`` as ``put_counts`` does.
    """
    row = _row(unit, period, values, evidence, version, now, actor) | {"kind": kind}
    _put(db, (_NEW_SCORE, _SET_SCORE), row, f"criteria.{kind}", now)


def _row(
    unit: str, period: str, values: Mapping[str, object], evidence: Mapping[str, str],
    version: int, now: datetime, actor: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "unit": unit, "period": period, "values": _json(values), "evidence": _json(evidence),
        "version": version, "at": stamp(now), "actor": actor,
    }  # fmt: skip


def _put(
    db: sqlite3.Connection, sql: tuple[str, str], row: dict[str, Any], action: str, now: datetime
) -> None:
    new, change = sql
    with write(db):
        if db.execute(change if row["version"] else new, row).rowcount != 1:
            held = sheet(db, row["unit"], row["period"])
            last = {"criteria.counts": held.counts, "criteria.self": held.own}.get(
                action, held.appraised
            )
            raise Refused("onestop_changed", 409, who=last.actor, at=last.at)
        detail = {
            "period": row["period"], "values": json.loads(row["values"]),
            "evidence": json.loads(row["evidence"]), "version": row["version"] + 1,
        }  # fmt: skip
        audit.append(
            db, at=now, actor=row["actor"], action=action, subject=row["unit"], detail=detail
        )


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True)
