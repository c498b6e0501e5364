"""Whom to remind: appointments whose day is over, forms kept too long, lots that are not back."""

from __future__ import annotations

import csv as tables
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING

from flask import Response, render_template, request

from survey import db, guard, serials, work
from survey.field.places import Places
from survey.store import clock, plans, visits
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from survey.store.visits import Late, LateLot
    from survey.store.waves import Wave

#: Rows of one list on the page; the file has them all.
MOST = 300
#: Columns of the file; what a spreadsheet would take for a formula.
_CSV = ("kind", "form", "lot", "unit", "village", "interviewer", "since", "days", "out")
_DANGER = ("=", "+", "-", "@", "\t", "\r", "\n")


@guard.roles("administrator", "field_supervisor")
def reminders() -> str:
    """List what is overdue in the reader's areas, to be printed and handed over."""
    wave, now, places = work.wave(), clock.now(), Places()
    late, lots, scope = _found(wave, places)
    plan = plans.get(db.get(), wave.key)
    return render_template(
        "field/reminders.html",
        wave=wave,
        synthetic=wave.synthetic,
        scope=scope,
        scope_name=places.name(scope),
        keep_days=plan.keep_days,
        appointed=[one for one in late if one.state == "appointed"],
        kept=[one for one in late if one.state == "delivered"],
        lots=lots,
        form=partial(_form, places=places),
        lot=partial(_lot, places=places),
        most=MOST,
        at=hour(now),
        on=day(now),
    )


@guard.roles("administrator", "field_supervisor")
def csv() -> Response:
    """Send what is overdue as CSV; neither names nor addresses of households are in it."""
    wave, places = work.wave(), Places()
    late, lots, _ = _found(wave, places)
    file = StringIO()
    out = tables.writer(file, lineterminator="\r\n")
    out.writerow([t(f"field.csv_{name}") for name in _CSV])
    for one in late:
        row = _form(one, places)
        out.writerow(_harmless([
            t(f"case.{one.state}"), row["serial"], one.lot, row["unit"], one.psu_name,
            row["interviewer"], row["since"], one.days, 1,
        ]))  # fmt: skip
    for lot in lots:
        row = _lot(lot, places)
        out.writerow(_harmless([
            t("field.late_lot"), "", lot.code, row["unit"], "", row["interviewer"], row["since"],
            lot.days, lot.out,
        ]))  # fmt: skip
    name = f"nhac-viec-{wave.key}.csv"
    return Response(
        "\ufeff" + file.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _found(wave: Wave, places: Places) -> tuple[list[Late], list[LateLot], str]:
    scope, today = guard.scope(request.args.get("unit", "")), clock.day(clock.now())
    keep = plans.get(db.get(), wave.key).keep_days
    late = visits.late(db.get(), wave.key, today=today, keep_days=keep)
    lots = visits.late_lots(db.get(), wave.key, today=today)
    return (
        [one for one in late if places.inside(one.unit, scope)],
        [one for one in lots if places.inside(one.unit, scope)],
        scope,
    )


def _form(one: Late, places: Places) -> dict[str, object]:
    return {
        "serial": serials.printed(one.case),
        "lot": one.lot,
        "number": one.number,
        "village": one.psu_name,
        "unit": places.name(one.unit),
        "interviewer": places.person(one.interviewer),
        "since": day(one.since),
        "days": one.days,
    }


def _lot(one: LateLot, places: Places) -> dict[str, object]:
    return {
        "code": one.code,
        "unit": places.name(one.unit),
        "interviewer": places.person(one.interviewer),
        "since": day(one.due_on),
        "days": one.days,
        "n": one.n,
        "out": one.out,
    }


def _harmless(cells: list[object]) -> list[object]:
    return [
        "'" + cell if isinstance(cell, str) and cell.startswith(_DANGER) else cell for cell in cells
    ]
