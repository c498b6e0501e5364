"""What people say of an officer's own dossiers, to the officer alone: sums of whole months only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from forms.questionnaire import load
from forms.scoring import OFFICER, QUESTIONNAIRE
from survey import db, guard
from survey.board import charts
from survey.reporting import periods
from survey.store import clock, opinions
from survey.store import dossiers as store
from survey.text import day, t, thousands

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markupsafe import Markup

    from forms.model import Item

bp = Blueprint("officer", __name__)

#: Fewer opinions than this show nothing: an officer knows whom the office served.
LEAST = 5
#: Quarters one may look back.
QUARTERS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One criterion: each answer with its share and bar, the best first; none where hidden."""

    name: str
    n: str
    answers: tuple[tuple[str, str, Markup], ...]


@bp.get("/mine")
@guard.roles("officer")
def mine() -> str:
    """Show the opinions on one's own dossiers in a quarter, as far as its months are over.

    A month that is not over is not shown: a figure that changes with each answer would tell who
    gave it.
    """
    staff = guard.current_staff() or abort(403)
    today = clock.day(clock.now())
    known = periods.latest(today, "quarter", QUARTERS)
    asked = request.args.get("quarter", known[0].key)
    period = next((one for one in known if one.key == asked), None)
    if period is None:
        abort(404, t("staff.no_scope"))
    until = min(period.last, today.replace(day=1) - timedelta(days=1))
    facts: dict[str, object] = {
        "period": period, "quarters": known, "until": until, "least": LEAST,
        "next": day(_next_month(max(until, period.first - timedelta(days=1)))),
        "over": until >= period.last, "officer": staff.officer,
    }  # fmt: skip
    if staff.officer and until >= period.first:
        facts |= _told(staff.officer, staff.unit, period.first, until)
    return render_template("staff/officer.html", **facts)


def _told(officer: str, unit: str, since: date, until: date) -> dict[str, object]:
    """Return what may be told; nothing at all of fewer than ``LEAST`` opinions."""
    from analysis import criteria

    base = db.get()
    held = store.of_officer(base, officer, since=since, until=until, within=unit)
    said = [
        one
        for one in opinions.of(base, since=since, until=until, within=unit)
        if one.officer == officer
    ]
    facts: dict[str, object] = {
        "settled": thousands(held.settled), "late": thousands(held.late),
        "synthetic": opinions.synthetic(base),
        "opinions": thousands(len(said)) if len(said) >= LEAST else "",
    }  # fmt: skip
    if len(said) < LEAST:
        return facts
    facts["rows"] = _rows([one.points for one in said])
    own = criteria.officers((one.officer, one.points) for one in said)
    if own and own[0].n >= LEAST and own[0].total is not None:
        facts["total"] = f"{float(own[0].total):.1f}".replace(".", ",")
        facts["of"] = criteria.OFFICER_MAXIMUM
    return facts


def _rows(said: Iterable[Mapping[str, int]]) -> list[Row]:
    points = list(said)
    items = {item.id: item for item in load(QUESTIONNAIRE).items}
    return [_row(items[name], [p[name] for p in points if name in p]) for name in OFFICER]


def _row(item: Item, given: list[int]) -> Row:
    from analysis.report.numbers import share

    if len(given) < LEAST:
        return Row(item.text, "", ())
    counts = Counter(given)
    choices = sorted(item.choices, key=lambda choice: -choice.code)
    parts = [counts[choice.code - 1] / len(given) for choice in choices]
    told = [
        (choice.label, share(part, 1), charts.length(part))
        for choice, part in zip(choices, parts, strict=True)
    ]
    return Row(item.text, thousands(len(given)), tuple(told))


def _next_month(on: date) -> date:
    """Return the first day after the month that begins after ``on``: when it will be shown."""
    first = on + timedelta(days=1)
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)
