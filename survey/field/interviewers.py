"""The table of interviewers whose forms are unlike those of the others: a reason to look closer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import render_template, request

from forms.questionnaire import load
from survey import db, guard, work
from survey.board import charts
from survey.field.places import Places
from survey.store import progress
from survey.text import t, thousands

if TYPE_CHECKING:
    from survey.board.charts import Axis
    from survey.field.anomalies import Mark, Measure

#: Rows of one comparison; who is most unlike the others comes first.
MOST = 60


@guard.roles("administrator", "field_supervisor")
def interviewers() -> str:
    """Compare the interviewers of the reader's areas with the others of the same province."""
    from survey.field import anomalies

    scope, wave, places = guard.scope(request.args.get("unit", "")), work.wave(), Places()
    forms = [
        form
        for form in progress.forms(db.get(), wave.key, wave.questionnaire)
        if places.inside(form.unit, scope)
    ]
    found = anomalies.measures(forms, load(wave.questionnaire), lambda unit: places.part(unit, ""))
    shown = [_table(measure, places) for measure in found]
    return render_template(
        "field/interviewers.html",
        wave=wave,
        synthetic=wave.synthetic,
        scope=scope,
        scope_name=places.name(scope),
        measures=shown,
        n=thousands(len(forms)),
        outliers=[(table["name"], row) for table in shown for row in table["rows"] if row["look"]],
        min_n=anomalies.MIN_N,
        level=round(100 * anomalies.LEVEL),
        charts=charts,
    )


def _table(measure: Measure, places: Places) -> dict[str, Any]:
    ends = (end for one in measure.marks[:MOST] for end in (one.value, one.low, one.high))
    scale = charts.around(ends)
    return {
        "name": measure.name,
        "title": t(f"field.m_{measure.name}"),
        "what": t(f"field.m_{measure.name}_what"),
        "axis": scale,
        "rows": [_row(one, scale, places) for one in measure.marks[:MOST]],
        "more": thousands(len(measure.marks) - MOST) if len(measure.marks) > MOST else "",
        "left": [
            (places.person(who), places.name(area), thousands(n))
            for who, area, n in measure.left_out[:MOST]
        ],
    }  # fmt: skip


def _row(mark: Mark, scale: Axis, places: Places) -> dict[str, object]:
    from analysis.report.numbers import share, span

    return {
        "name": places.person(mark.interviewer),
        "area": places.name(mark.area),
        "n": thousands(mark.n),
        "value": share(mark.value, 1),
        "expected": share(mark.expected, 1),
        "span": span(mark.low, mark.high, 1),
        "look": mark.outlier,
        "outside": not mark.low <= mark.value <= mark.high,
        "plot": charts.funnel(mark.value, mark.low, mark.high, mark.expected, scale),
    }
