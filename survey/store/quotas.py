"""Quotas of a wave: how many answers of a kind are wanted of a unit, and how many came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from survey.db import write
from survey.store import audit, waves


class Quota(NamedTuple):
    """``target`` persons of ``unit`` whose answer to ``item`` is ``code``."""

    unit: str
    item: str
    code: int
    target: int


def all(db: sqlite3.Connection, wave: str) -> list[Quota]:
    """The quotas of a wave, by unit, item and code."""
    rows = db.execute(
        "SELECT unit, item, code, target FROM quota WHERE wave = :wave ORDER BY unit, item, code",
        {"wave": wave},
    )
    return [Quota(*row) for row in rows]


def put(
    db: sqlite3.Connection, wave: str, rows: Iterable[Quota], *, now: datetime, actor: str
) -> int:
    """Set quotas; those of other units, items and codes stay.  Returns how many.

    Raises LookupError: no such wave.
    """
    with write(db):
        waves.get(db, wave)
        facts = [{"wave": wave, **row._asdict()} for row in rows]
        db.executemany(
            "INSERT INTO quota (wave, unit, item, code, target)"
            " VALUES (:wave, :unit, :item, :code, :target)"
            " ON CONFLICT (wave, unit, item, code) DO UPDATE SET target = excluded.target",
            facts,
        )
        detail = {"n": len(facts), "quotas": [list(fact.values())[1:] for fact in facts[:200]]}
        audit.append(db, at=now, actor=actor, action="quota.put", subject=wave, detail=detail)
    return len(facts)


def remove(
    db: sqlite3.Connection, wave: str, unit: str, item: str, code: int,
    *, now: datetime, actor: str,
) -> bool:  # fmt: skip
    """Take one quota away; False when there is none."""
    key = {"wave": wave, "unit": unit, "item": item, "code": code}
    with write(db):
        gone = db.execute(
            "DELETE FROM quota WHERE wave = :wave AND unit = :unit AND item = :item"
            " AND code = :code",
            key,
        ).rowcount
        if gone:
            audit.append(
                db, at=now, actor=actor, action="quota.remove", subject=wave, detail=key
            )  # fmt: skip
    return bool(gone)


#: Answers are held under the item's own name, so each item with a quota is looked up by it.
_ACHIEVED = """
SELECT p.unit, i.item, json_extract(r.answers, '$."' || i.item || '"') AS code, COUNT(*) AS n
FROM response r JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
     JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
     CROSS JOIN (SELECT DISTINCT item FROM quota WHERE wave = :wave) i
WHERE r.wave = :wave AND r.state IN ('valid', 'flagged')
GROUP BY p.unit, i.item, code"""


def achieved(db: sqlite3.Connection, wave: str) -> list[tuple[str, str, int, int]]:
    """Answers that came of the items with a quota: unit of the PSU, item, code, persons."""
    rows = db.execute(_ACHIEVED, {"wave": wave})
    return [(unit, item, code, n) for unit, item, code, n in rows if isinstance(code, int)]
