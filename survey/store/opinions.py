"""Opinions on the nine criteria, one by one and about nobody: no dossier's number, no hour."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from forms.questionnaire import load
from forms.rules import unpack
from forms.scoring import QUESTIONNAIRE, points
from survey.store import units
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


@dataclass(frozen=True, slots=True)
class Counted:
    """``n`` opinions of a unit that said the same."""

    unit: str
    settled: bool
    points: dict[str, int]
    n: int


#: About dossiers settled in the period, then those that came at a counter in it.  A trial and a
#: draft are in no figure.  CROSS JOIN keeps the order of the tables: from the days to the answers;
#: the questionnaire is written out, or the index of its answers would not be used.
_ABOUT = """
FROM dossier d CROSS JOIN dossier_answer a CROSS JOIN response r CROSS JOIN wave w
WHERE d.settled_on BETWEEN :since AND :until AND a.dossier = d.key AND r.id = a.response
  AND w.key = r.wave AND r.questionnaire = 'nd61-2018.1'
  AND r.state = 'valid' AND w.stage = 'live' AND w.trial_of IS NULL"""
_CAME = """
FROM response r CROSS JOIN wave w
WHERE r.questionnaire = 'nd61-2018.1' AND r.received_at >= :begins AND r.received_at < :ends
  AND w.key = r.wave AND r.state = 'valid' AND w.stage = 'live' AND w.trial_of IS NULL
  AND NOT EXISTS (SELECT 1 FROM dossier_answer a WHERE a.response = r.id)"""
_ABOUT_ONE = _ABOUT + " AND d.receiving_unit = :unit"
_CAME_ONE = _CAME + " AND r.receiving_unit = :unit"
_EACH_ABOUT = (
    "SELECT d.receiving_unit, d.service, COALESCE(d.officer, ''), r.answers, r.id" + _ABOUT
)
_EACH_CAME = "SELECT r.receiving_unit, COALESCE(r.service, ''), '', r.answers, r.id" + _CAME
_SUM_ABOUT = "SELECT d.receiving_unit, r.codes, COUNT(*)"
_SUM_CAME = "SELECT r.receiving_unit, r.codes, COUNT(*)"
_BY_ABOUT, _BY_CAME = " GROUP BY d.receiving_unit, r.codes", " GROUP BY r.receiving_unit, r.codes"
#: Of all units, and of one: whether they are about dossiers -> statement.
_SUMS = ((True, _SUM_ABOUT + _ABOUT + _BY_ABOUT), (False, _SUM_CAME + _CAME + _BY_CAME))
_SUMS_ONE = (
    (True, _SUM_ABOUT + _ABOUT_ONE + _BY_ABOUT),
    (False, _SUM_CAME + _CAME_ONE + _BY_CAME),
)
_UNITS = ("SELECT d.receiving_unit" + _ABOUT, "SELECT r.receiving_unit" + _CAME)
_UNITS_ONE = ("SELECT d.receiving_unit" + _ABOUT_ONE, "SELECT r.receiving_unit" + _CAME_ONE)


def of(db: sqlite3.Connection, *, since: date, until: date, within: str = "") -> Iterator[Opinion]:
    """Yield the valid opinions of a period, both days included as days in Vietnam.

    One about a dossier belongs to the day the dossier was settled on, and to the unit that
    received it; any other to the day it came.
    """
    mine, facts = Inside(db, within), _days(since, until)
    found = [
        (id, Opinion(unit, service, officer, settled, points(json.loads(answers))))
        for settled, sql in ((True, _EACH_ABOUT), (False, _EACH_CAME))
        for unit, service, officer, answers, id in db.execute(sql, facts)
        if mine(unit)
    ]
    for _, opinion in sorted(found, key=lambda pair: pair[0]):
        yield opinion


def counted(
    db: sqlite3.Connection, *, since: date, until: date, within: str = ""
) -> Iterator[Counted]:
    """Yield the opinions that ``of`` yields, added up by unit and by what was said."""
    mine, facts = Inside(db, within), _days(since, until) | {"unit": within}
    q, read = load(QUESTIONNAIRE), dict[bytes, dict[str, int]]()
    alone = bool(within) and units.bare(db, within)
    for settled, sql in _SUMS_ONE if alone else _SUMS:
        for unit, codes, n in db.execute(sql, facts):
            if mine(unit):
                if codes not in read:
                    read[codes] = points(
                        {id: code for id, code in unpack(q, codes).items() if code}
                    )
                yield Counted(unit, settled, read[codes], n)


def _days(since: date, until: date) -> dict[str, str]:
    return {
        "since": since.isoformat(), "until": until.isoformat(),
        "begins": _midnight(since), "ends": _midnight(until + timedelta(days=1)),
    }  # fmt: skip


def most(
    db: sqlite3.Connection, *, since: date, until: date, within: str = "", enough: int = 1
) -> int:
    """The most opinions of a single unit in a period; stops reading when they are enough."""
    mine, facts = Inside(db, within), _days(since, until) | {"unit": within}
    if db.execute("SELECT 1 FROM wave WHERE questionnaire = 'nd61-2018.1'").fetchone() is None:
        return 0
    counts: Counter[str] = Counter()
    alone = bool(within) and units.bare(db, within)
    for sql in _UNITS_ONE if alone else _UNITS:
        for (unit,) in db.execute(sql, facts):
            counts[unit] += mine(unit)
            if counts[unit] >= enough:
                return counts[unit]
    return max(counts.values(), default=0)


def synthetic(db: sqlite3.Connection) -> bool:
    """Whether opinions on the nine criteria are made up."""
    row = db.execute(
        "SELECT 1 FROM wave WHERE questionnaire = 'nd61-2018.1' AND synthetic = 1"
        " AND trial_of IS NULL LIMIT 1"
    ).fetchone()
    return row is not None


def _midnight(day: date) -> str:
    """The moment a day begins in Vietnam, as moments are stored."""
    return stamp(datetime(day.year, day.month, day.day, tzinfo=VIETNAM))
