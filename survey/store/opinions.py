"""Opinions on the nine criteria, one by one and about nobody: no dossier's number, no hour."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from forms.scoring import QUESTIONNAIRE, points
from survey.store.clock import VIETNAM, stamp
from survey.store.inside import Inside


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person said: criterion -> 2, 1 or 0 points; an unanswered one is not in it.

    ``settled``: it answers for a dossier that was settled in the period, else it came at a
    counter within it.  ``service`` and ``officer`` are "" where unknown.
    """

    unit: str
    service: str
    officer: str
    settled: bool
    points: dict[str, int]


#: A trial and a draft are in no figure.  The order of the random ids says nothing about time.
_OF = """
SELECT COALESCE(d.receiving_unit, r.receiving_unit), COALESCE(d.service, r.service, ''),
       COALESCE(d.officer, ''), d.key IS NOT NULL, r.answers
FROM response r LEFT JOIN dossier_answer a ON a.response = r.id
  LEFT JOIN dossier d ON d.key = a.dossier
WHERE r.wave = :wave AND r.state = 'valid' AND r.questionnaire = :questionnaire
  AND ((d.key IS NOT NULL AND d.settled_on BETWEEN :since AND :until)
    OR (a.dossier IS NULL AND r.received_at >= :begins AND r.received_at < :ends))
ORDER BY r.id"""
_WAVES = """
SELECT key, synthetic FROM wave
WHERE questionnaire = :questionnaire AND kind = 'self_selected' AND stage = 'live'
  AND trial_of IS NULL ORDER BY key"""


def of(db: sqlite3.Connection, *, since: date, until: date, within: str = "") -> Iterator[Opinion]:
    """Yield the valid opinions of a period, both days included as days in Vietnam.

    One about a dossier belongs to the day the dossier was settled on, and to the unit that
    received it; any other to the day it came.
    """
    facts = {
        "questionnaire": QUESTIONNAIRE, "since": since.isoformat(), "until": until.isoformat(),
        "begins": _midnight(since), "ends": _midnight(until + timedelta(days=1)),
    }  # fmt: skip
    mine = Inside(db, within)
    for wave, _ in _waves(db):
        for unit, service, officer, settled, answers in db.execute(_OF, facts | {"wave": wave}):
            if mine(unit):
                given = points(json.loads(answers))
                yield Opinion(unit, service, officer, bool(settled), given)


def synthetic(db: sqlite3.Connection) -> bool:
    """Whether opinions on the nine criteria are made up."""
    return any(made_up for _, made_up in _waves(db))


def _waves(db: sqlite3.Connection) -> list[tuple[str, bool]]:
    rows = db.execute(_WAVES, {"questionnaire": QUESTIONNAIRE}).fetchall()
    return [(row["key"], bool(row["synthetic"])) for row in rows]


def _midnight(day: date) -> str:
    """The moment a day begins in Vietnam, as moments are stored."""
    return stamp(datetime(day.year, day.month, day.day, tzinfo=VIETNAM))
