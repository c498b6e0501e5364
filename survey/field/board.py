"""The board of the field work: forms issued, returned and valid, by area and by interviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template, request

from survey import db, guard, work
from survey.board import charts
from survey.data import COUNTRY
from survey.field.places import Places
from survey.store import clock, progress, units
from survey.text import clock as hour
from survey.text import day, t, thousands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from survey.store.progress import Line


@guard.roles("administrator", "field_supervisor", "supervisor", "viewer")
def board() -> str:
    """Show how far the field work of a wave is, in the reader's unit or a part of it."""
    scope, wave, now = guard.scope(request.args.get("unit", "")), work.wave(), clock.now()
    places = Places()
    lines = [
        line
        for line in progress.lines(db.get(), wave.key)
        if places.inside(line.unit, scope)
    ]  # fmt: skip
    facts: dict[str, object] = {
        "wave": wave,
        "synthetic": wave.synthetic,
        "scope": scope,
        "scope_name": places.name(scope),
        "above": _above(scope),
        "at": hour(now),
        "on": day(now),
        "charts": charts,
        "total": None,
    }
    if lines:
        facts |= _tables(lines, scope, places)
    return render_template("field/board.html", **facts)


def _above(scope: str) -> str | None:
    """Return the unit one step up that the reader may see ("" for all), or None."""
    if not scope or scope == work.staff().unit:
        return None
    above = units.path(db.get(), scope)[1:2]
    return above[0] if above and above[0] != COUNTRY else ""


def _tables(lines: Sequence[Line], scope: str, places: Places) -> dict[str, object]:
    from survey.field import accounting

    total = accounting.Account(t("field.total"))
    for line in lines:
        total.add(line)
    scope = places.common((line.unit for line in lines), scope)
    areas = accounting.grouped(lines, lambda line: _area(line, scope, places))
    areas.sort(key=lambda account: units.name_key(account.name))
    people = accounting.grouped(
        lines, lambda line: (str(line.interviewer), places.person(line.interviewer), "")
    )
    people.sort(key=lambda account: (account.name == t("field.nobody"), account.name.casefold()))
    return {
        "total": accounting.row(total, sum=True),
        "account": total,
        "substitutes_valid": thousands(total.substitutes_valid),
        "areas": [accounting.row(account) for account in areas],
        "people": [accounting.row(account) for account in people],
        "villages": not any(account.unit for account in areas),
        "outcomes": accounting.dispositions(total),
        "returned_share": _share(total.returned, total.issued),
        "tried": [_share(rate, 1) for rate in total.rates_tried() or ()],
        "valid_share": _share(total.valid, total.returned),
    }


def _area(line: Line, scope: str, places: Places) -> tuple[str, str, str]:
    """Return what a line is counted under: the unit below the scope, or else the village."""
    part = places.part(line.unit, scope)
    if part == scope:
        name = t("field.village_dropped" if line.dropped else "field.village_name",
                 name=line.psu_name, psu=line.psu)  # fmt: skip
        return f"psu {line.psu}", name, ""
    return part, places.name(part), part


def _share(part: float, whole: float) -> str:
    from analysis.report.numbers import NONE, share

    return share(part / whole, 1) if whole else NONE
