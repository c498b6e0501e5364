"""How the index of a wave becomes points of PAR INDEX: data of the wave, never a constant."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from survey.db import write
from survey.store import Refused, audit, waves

#: SIPAS is 10 of the 100 points of a province, in proportion where nobody lays down thresholds.
MOST = "10"


@dataclass(frozen=True, slots=True)
class Rule:
    """``steps``: (from, points), a share 0..1 and points as decimal text; () in proportion to
    ``most``; ``source``: who laid the rule down."""

    most: str = MOST
    steps: tuple[tuple[str, str], ...] = ()
    source: str = ""


def get(db: sqlite3.Connection, wave: str) -> Rule:
    """The rule of a wave; in proportion to 10 points where nobody has set one."""
    sql = "SELECT most, steps, source FROM par_rule WHERE wave = :wave"
    row = db.execute(sql, {"wave": wave}).fetchone()
    if row is None:
        return Rule()
    steps = tuple((str(edge), str(points)) for edge, points in json.loads(row["steps"]))
    return Rule(row["most"], steps, row["source"])


def put(
    db: sqlite3.Connection,
    wave: str,
    *,
    most: str,
    steps: Sequence[tuple[str, str]],
    source: str,
    now: datetime,
    actor: str,
) -> Rule:
    """Lay the rule of a wave down; raises LookupError (no such wave), Refused ``no_source``."""
    if not source.strip():
        raise Refused("no_source", 422)
    with write(db):
        waves.get(db, wave)
        row = {"wave": wave, "most": most, "steps": json.dumps([*steps]), "source": source.strip()}
        db.execute(
            "INSERT INTO par_rule (wave, most, steps, source) VALUES (:wave, :most, :steps,"
            " :source) ON CONFLICT (wave) DO UPDATE SET most = excluded.most,"
            " steps = excluded.steps, source = excluded.source",
            row,
        )
        audit.append(db, at=now, actor=actor, action="par.rule", subject=wave, detail=row)
    return Rule(most, tuple(steps), source.strip())
