"""What an office adds to the report of a period: causes, who mends what until when, praise."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services
from survey.reporting import periods
from survey.store import Refused, clock, units, waves
from survey.store import narratives as store
from survey.text import clock as hour
from survey.text import day, t, thousands
from survey.typed import changed, line, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from survey.reporting.periods import Period
    from survey.store.narratives import Written

bp = Blueprint("narratives", __name__)

KIND = "periodic"
EDITORS = ("administrator", "supervisor")
#: A shortcoming: what, why, who mends it, how, until when.
COLUMNS = ("issue", "cause", "unit", "remedy", "deadline")
TEXTS = ("assessment", "praise", "proposal")
ROWS, SPARE = 12, 2
LONGEST = {"cell": 400, "text": 3000}
#: The whole instance in an address.
WHOLE = "all"
KINDS = {"quarter": 5, "half": 3, "year": 2}


@bp.get("/reports/fields")
@guard.roles(*guard.READERS)
def index() -> str:
    """Show the fields of the last quarter of the reader's unit, or of what was chosen."""
    id = guard.scope(_unit(request.args.get("unit", "") or WHOLE))
    last = periods.containing(clock.day(clock.now()), "quarter").before
    return _page(id, _period(request.args.get("period", "") or last.key), None, {}, "")


@bp.get("/reports/fields/<unit>/<period>")
@guard.roles(*guard.READERS)
def one(unit: str, period: str) -> str:
    """Show the fields of a unit and period, the newest version or an older one."""
    id = _unit(unit)
    if guard.scope(id) != id:
        abort(403, t("staff.refused_page"))
    return _page(id, _period(period), None, {}, "")


@bp.post("/reports/fields/<unit>/<period>")
@guard.roles(*EDITORS)
def keep(unit: str, period: str) -> Response | tuple[str, int]:
    """Store a new version of the fields."""
    id, asked = _unit(unit), _period(period)
    staff = guard.owns(id) if id else guard.system()
    fields, faults = _read(request.form)
    if faults:
        return _page(id, asked, request.form, faults, ""), 422
    job = partial(
        store.put, kind=KIND, unit=id, period=asked.key, fields=fields, now=clock.now(),
        version=request.form.get("version", 0, type=int), actor=f"staff:{staff.username}",
    )  # fmt: skip
    try:
        services().writer.run(job)
    except Refused as refusal:
        return _page(id, asked, request.form, {}, changed(refusal)), 409
    flash(t("narratives.kept", period=asked.words))
    return redirect(url_for(".one", unit=unit, period=asked.key), 303)


def _read(form: Mapping[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    """Return the fields and what is wrong with them; rows left empty are dropped."""
    faults: dict[str, str] = {}
    problems: list[dict[str, str]] = []
    for n in range(ROWS):
        row = {name: line(form.get(f"{name}{n}", "")) for name in COLUMNS}
        if not any(row.values()):
            continue
        for name, text in row.items():
            if len(text) > LONGEST["cell"]:
                faults[f"{name}{n}"] = _long(text, LONGEST["cell"])
        if not row["issue"]:
            faults[f"issue{n}"] = t("narratives.fault_issue", n=n + 1)
        if row["deadline"] and not _is_day(row["deadline"]):
            faults[f"deadline{n}"] = t("narratives.fault_day", n=n + 1)
        problems.append(row)
    texts = {name: _text(form.get(name, "")) for name in TEXTS}
    for name, text in texts.items():
        if len(text) > LONGEST["text"]:
            faults[name] = _long(text, LONGEST["text"])
    return {"problems": problems, **texts}, faults


def _long(text: str, most: int) -> str:
    return t("narratives.fault_long", n=thousands(len(text)), most=thousands(most))


def _text(text: str) -> str:
    """Return several lines, each cleaned."""
    lines = (line(one) for one in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(lines).strip()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _page(
    id: str, period: Period, typed: Mapping[str, str] | None, faults: Mapping[str, str], lead: str
) -> str:
    staff = guard.current_staff() or abort(403)
    versions = store.versions(db.get(), KIND, id, period.key)
    wanted = request.args.get("version", 0, type=int)
    newest = versions[0] if versions else store.Written()
    shown = next((one for one in versions if one.version == wanted), newest)
    values = dict(typed) if typed is not None else _values(shown)
    if typed is None:
        values["version"] = str(newest.version)
    today = clock.day(clock.now())
    within = not staff.unit or (id != "" and staff.unit in units.path(db.get(), id))
    filled = sum(any(values.get(f"{c}{n}") for c in COLUMNS) for n in range(ROWS))
    return render_template(
        "narratives/one.html",
        unit=id or WHOLE,
        synthetic=waves.made_up(db.get()),
        name=units.name(db.get(), id) if id else t("narratives.everywhere"),
        period=period,
        periods=[one for kind, n in KINDS.items() for one in periods.latest(today, kind, n)],
        values=values,
        faults=faults,
        lead=lead,
        rows=min(filled + SPARE, ROWS),
        columns=COLUMNS,
        texts=TEXTS,
        most=LONGEST["text"],
        editor=staff.role in EDITORS and within and shown is newest,
        old=shown is not newest,
        shown=_said(shown),
        versions=[_said(one) for one in versions],
        others=_others(id, period),
    )


def _others(id: str, period: Period) -> list[tuple[str, str]]:
    """Return address and name of the other units of the reader that wrote of the period."""
    found = store.writers(db.get(), KIND, period.key, guard.scope(""))
    names = {
        unit: units.name(db.get(), unit) if unit else t("narratives.everywhere") for unit in found
    }
    return [(unit or WHOLE, name) for unit, name in names.items() if unit != id]


def _values(written: Written) -> dict[str, str]:
    values: dict[str, str] = {}
    for n, row in enumerate(written.fields.get("problems", ())):
        values |= {f"{name}{n}": row.get(name, "") for name in COLUMNS}
    return values | {name: written.fields.get(name, "") for name in TEXTS}


def _said(written: Written) -> dict[str, object]:
    if not written.version:
        return {"n": 0, "words": t("narratives.never")}
    words = t("narratives.version", n=written.version, who=name_of(written.actor),
              at=hour(written.at), on=day(written.at))  # fmt: skip
    return {"n": written.version, "words": words}


def _unit(unit: str) -> str:
    """Return the unit of the address, "" for the whole instance."""
    if unit == WHOLE:
        return ""
    guard.known(unit)
    return unit


def _period(key: str) -> Period:
    try:
        found = periods.of(key)
    except Refused:
        abort(404, t("criteria.no_period"))
    return found if found.kind in KINDS else abort(404, t("criteria.no_period"))
