"""Whether a one-stop report can be made: found quickly, before anybody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey.onestop.appraisal import HIDE_N
from survey.reporting import periods
from survey.store import criteria, late, opinions
from survey.store.inside import Inside

if TYPE_CHECKING:
    import sqlite3

    from survey.reporting.kinds import Ask

EMPTY = "report.why.onestop_empty"


def points(db: sqlite3.Connection, ask: Ask) -> str:
    """The key of the text that says why no points can be reported, "" when they can."""
    period = periods.of(ask.period)
    days = {"since": period.first, "until": period.last}
    one = ask.name == "mau01"
    enough = HIDE_N if one else 1
    if opinions.most(db, **days, within=ask.unit, enough=enough) >= enough:
        return ""
    if one:
        return EMPTY
    mine = Inside(db, ask.unit)
    if ask.name == "mau03" and (
        late.any_of(db, **days, within=ask.unit, settled=True)
        or any(map(mine, criteria.sheets(db, period.key)))
    ):
        return ""
    sheet = criteria.sheet(db, ask.unit, period.key)
    stored = sheet.counts.version or sheet.own.version or sheet.appraised.version
    return "" if stored else EMPTY


def dossiers(db: sqlite3.Connection, ask: Ask) -> str:
    """The same of reports on dossiers; coverage needs settled ones."""
    period = periods.of(ask.period)
    found = late.any_of(
        db, since=period.first, until=period.last, within=ask.unit,
        settled=ask.name == "coverage",
    )  # fmt: skip
    return "" if found else EMPTY
