"""Published figures: listed, imported after a look at them, taken out with a reason."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from forms.questionnaire import load
from survey import db, external, guard, services, work
from survey.data import COUNTRY
from survey.store import Refused, clock, units
from survey.store import external as store
from survey.store.clock import moment
from survey.text import clock as hour
from survey.text import day, t
from survey.tree import Tree

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from survey.external import Read
    from survey.store.external import Figure, Held

bp = Blueprint("external", __name__)

#: Who may import and take out.
ROLES = ("administrator", "analyst")
#: Measures that were published for everybody; the others are shown to their unit only.
OPEN = frozenset({"sipas", "par"})
#: A file of this page (bytes); larger ones go by the command.
LIMIT = 512 * 1024
FAULTS = 100
#: The form whose factors name the parts of published SIPAS figures.
FORM = "sipas-2026.1"
#: Rows of the page.
SHOWN = 300


@bp.get("/external")
@guard.roles(*guard.READERS)
def index() -> str:
    """List the figures the reader may see, by measure and year, and the files they came in."""
    return _page()


@bp.get("/external/example.csv")
@guard.roles(*guard.READERS)
def example() -> Response:
    """Send the published series of the Ministry as an example of a file."""
    answer = Response(external.PUBLISHED.read_bytes(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="published.csv"'
    return answer


@bp.post("/external/preview")
@guard.roles(*ROLES)
def preview() -> str | tuple[str, int]:
    """Show what a file holds, or every fault of it; nothing is written."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(faults=[t("external.no_file")]), 422
    content = file.stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        return _page(faults=[t("external.bad.size")]), 422
    try:
        text = external.decoded(content)
        found = _checked(text)
    except external.Faulty as wrong:
        return _page(faults=wrong.faults), 422
    rows = [_row(figure) for figure in found.figures]
    return render_template(
        "external/preview.html", rows=rows, text=text, name=file.filename, n=len(rows)
    )


@bp.post("/external")
@guard.roles(*ROLES)
def save() -> BaseResponse | tuple[str, int]:
    """Store the figures of a file that was looked at; it is checked once more."""
    text, name = request.form.get("text", ""), request.form.get("name", "").strip()
    try:
        found = _checked(text)
    except external.Faulty as wrong:
        return _page(faults=wrong.faults), 422
    job = partial(
        store.add, figures=found.figures, name=name[:200] or "published.csv", digest=found.digest,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    try:
        new, same = services().writer.run(job)
    except Refused as refused:
        words = {key: str(value) for key, value in refused.facts.items()}
        return _page(faults=[t(f"refused.{refused.code}", **words)]), refused.status
    flash(t("external.saved", new=new, same=same))
    return redirect(url_for(".index"), 303)


@bp.get("/external/<int:number>/remove")
@guard.roles(*ROLES)
def removal(number: int) -> str:
    """Ask why the figures of a file are taken out."""
    return _removal(number)


@bp.post("/external/<int:number>/remove")
@guard.roles(*ROLES)
def remove(number: int) -> BaseResponse | tuple[str, int]:
    """Take the figures of a file out."""
    file = _file(number)
    reason = request.form.get("reason", "").strip()
    if not reason:
        return _removal(number, wrong=t("external.no_reason")), 422
    job = partial(
        store.remove, file=number, reason=reason[:500], now=clock.now(), actor=work.actor()
    )
    try:
        gone = services().writer.run(job)
    except LookupError:
        abort(404, t("external.missing"))
    flash(t("external.removed", n=gone, name=file.name))
    return redirect(url_for(".index"), 303)


def _checked(text: str) -> Read:
    """Read a file of units that are all the writer's own; raises ``Faulty``."""
    found = external.read(text, db.get(), today=clock.day(clock.now()))
    for unit in sorted({figure.unit for figure in found.figures}):
        guard.owns(unit)
    return found


def _removal(number: int, wrong: str = "") -> str:
    file = _file(number)
    return render_template("external/remove.html", file=file, wrong=wrong)


def _file(number: int) -> store.File:
    """A file whose figures stand and are all the writer's own, or the end of the request."""
    found = next((f for f in store.files(db.get()) if f.id == number and not f.removed_at), None)
    if found is None:
        abort(404, t("external.missing"))
    for unit in store.file_units(db.get(), number):
        guard.owns(unit)
    return found


def _page(faults: list[str] | None = None) -> str:
    measure, year = request.args.get("measure", ""), request.args.get("year", "")
    tree = Tree()
    held = [one for one in store.listed(db.get()) if _shown(one, tree)]
    years = sorted({one.figure.year for one in held}, reverse=True)
    picked = [
        one.figure
        for one in held
        if measure in ("", one.figure.measure) and year in ("", str(one.figure.year))
    ]
    picked.sort(key=lambda figure: -figure.year)
    return render_template(
        "external/index.html",
        rows=[_row(figure) for figure in picked[:SHOWN]],
        more=len(picked) > SHOWN,
        n=len(picked),
        measures=[m for m in store.MEASURES if any(o.figure.measure == m for o in held)],
        measure=measure,
        years=years,
        year=year,
        files=_files(),
        faults=(faults or [])[:FAULTS],
        found=len(faults or []),
        may=guard.may("external.save"),
    )


def _shown(held: Held, tree: Tree) -> bool:
    """Whether a figure is everybody's, or of the reader's unit."""
    staff = work.staff()
    figure = held.figure
    return figure.measure in OPEN or tree.inside(figure.unit, staff.unit)


def _files() -> list[dict[str, object]]:
    """The files whose figures are all of the reader's units; those taken out, of the system's."""
    staff, shown = work.staff(), []
    for file in store.files(db.get()):
        own = store.file_units(db.get(), file.id)
        mine = own and all(staff.unit in units.path(db.get(), unit) for unit in own)
        if staff.unit and not mine:
            continue
        at = moment(file.imported_at)
        gone = ""
        if file.removed_at:
            gone = t("external.gone", on=day(moment(file.removed_at)), reason=file.reason)
        who = file.actor.partition(":")[2] or file.actor
        shown.append(
            {"id": file.id, "name": file.name, "rows": file.rows, "by": who, "gone": gone,
             "at": f"{hour(at)} {day(at)}"}
        )  # fmt: skip
    return shown


def _row(figure: Figure) -> dict[str, str]:
    """A figure as it is printed."""
    value = figure.value.replace(".", ",")
    if figure.most:
        value = t("external.points", value=value, most=figure.most.replace(".", ","))
    else:
        value += "%"
    name = t("external.country") if figure.unit == COUNTRY else units.name(db.get(), figure.unit)
    return {
        "measure": t(f"external.measure.{figure.measure}"),
        "part": _part(figure),
        "unit": name[:1].upper() + name[1:],
        "year": f"{figure.year}" + (f" {figure.period}" if figure.period else ""),
        "value": value,
        "around": _around(figure),
        "source": figure.source,
        "dated": "/".join(reversed(figure.dated.split("-"))),
        "note": figure.note,
    }


def _around(figure: Figure) -> str:
    """The place among the ranked, and the lowest and highest of the units."""
    said = []
    if figure.place is not None and figure.places is not None:
        said.append(t("external.of", place=figure.place, places=figure.places))
    elif figure.place is not None:
        said.append(t("external.rank", place=figure.place))
    ends = [end.replace(".", ",") for end in (figure.lowest, figure.highest)]
    if all(ends):
        said.append(t("external.between", low=ends[0], high=ends[1]))
    elif ends[1]:
        said.append(t("external.most_of", high=ends[1]))
    return "; ".join(said)


def _part(figure: Figure) -> str:
    """What of the measure it is, in words where the form in force has them."""
    if figure.measure != "sipas" or not figure.part:
        return figure.part
    form = load(FORM)
    names = {area.id: area.name for area in form.areas} | {f.id: f.name for f in form.factors}
    name = names.get(figure.part, "")
    return f"{figure.part}. {name}" if name else figure.part
