"""The nine criteria of a unit: as measured, as it says itself and as appraised, side by side."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from forms.questionnaire import load
from forms.scoring import CRITERIA, GRADES, QUESTIONNAIRE, UNIT
from survey import db, guard, services
from survey.reporting import periods
from survey.store import Refused, clock, units
from survey.store import criteria as store
from survey.text import clock as hour
from survey.text import day, t, thousands
from survey.typed import changed, name_of
from survey.typed import line as typed_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction
    from pathlib import Path

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response

    from survey.onestop.appraisal import Found, Scored
    from survey.reporting.periods import Period
    from survey.store.criteria import Kept
    from survey.store.people import Staff

bp = Blueprint("criteria", __name__)

EDITORS = ("administrator", "supervisor")
#: Counts in the order of the form, by criterion.
COUNTS: Mapping[str, tuple[str, ...]] = {
    "n5": ("procedures", "received", "on_site", "required"),
    "n8": ("complaints", "answered"),
    "n9": ("online_procedures", "dossiers", "online", "overdue"),
}
FORMS = ("counts", "self", "appraised")
LONGEST = 500
#: Kinds of periods and how many of each are offered.
KINDS = {"quarter": 6, "half": 3, "year": 2}
#: Reading that took longer than this (seconds) is used for twenty times as long.
SLOW = 0.1
_read: dict[tuple[Path, str, str], tuple[float, Mapping[str, Found]]] = {}
_POINTS = re.compile(r"[01](?:[.,]\d)?|2(?:[.,]0)?")
_COUNT = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form held when it could not be stored: its name, texts and what is wrong with them."""

    form: str
    values: Mapping[str, str]
    faults: Mapping[str, str]
    lead: str = ""


@bp.get("/criteria")
@guard.roles(*guard.READERS)
def index() -> str:
    """List the units of a period with their points, class and rank."""
    from survey.onestop.appraisal import scored

    scope, today = guard.scope(request.args.get("unit", "")), clock.day(clock.now())
    period = _period(
        request.args.get("period", "") or periods.containing(today, "quarter").before.key
    )
    found = scored(db.get(), period, within=scope, found=_said(period, scope))
    return render_template(
        "criteria/index.html",
        rows=[_row(one) for one in found],
        scope=units.name(db.get(), scope) if scope else "",
        unit=scope,
        open=_unlisted(scope, found),
        **_common(period),
    )


@bp.get("/criteria/<unit>/<period>")
@guard.roles(*guard.READERS)
def one(unit: str, period: str) -> str:
    """Show one unit: what was measured, what it says itself, what the appraiser gave."""
    guard.scope(unit)
    return _page(unit, _period(period), None)


@bp.post("/criteria/<unit>/<period>/<any(counts,self,appraised):form>")
@guard.roles(*EDITORS)
def keep(unit: str, period: str, form: str) -> Response | tuple[str, int]:
    """Store the counts of a unit, its own points or the appraiser's."""
    guard.known(unit)
    staff, asked = guard.owns(unit), _period(period)
    if form == "appraised":
        _appraiser(staff, unit)
    put: Callable[..., None]
    faults: dict[str, str]
    if form == "counts":
        numbers, evidence, faults = _counts(request.form)
        put = partial(store.put_counts, values=numbers, evidence=evidence)
    else:
        points, evidence, faults = _points(request.form)
        put = partial(store.put_score, kind=form, values=points, evidence=evidence)
    if faults:
        return _page(unit, asked, Typed(form, request.form, faults)), 422
    job = partial(
        put, unit=unit, period=asked.key, version=request.form.get("version", 0, type=int),
        now=clock.now(), actor=f"staff:{staff.username}",
    )  # fmt: skip
    try:
        services().writer.run(job)
    except Refused as refusal:
        return _page(unit, asked, Typed(form, request.form, {}, changed(refusal))), 409
    flash(t(f"criteria.saved_{form}", unit=units.name(db.get(), unit), period=asked.words))
    return redirect(url_for(".one", unit=unit, period=asked.key), 303)


def _page(unit: str, period: Period, typed: Typed | None) -> str:
    from survey.onestop import appraisal

    staff = guard.current_staff() or abort(403)
    found = appraisal.one(db.get(), unit, period)
    owner = staff.role in EDITORS and _within(staff, unit)
    return render_template(
        "criteria/one.html",
        one=found,
        name=units.name(db.get(), unit),
        unit=unit,
        table=_table(found),
        total=_row(found),
        few=0 < found.n < appraisal.MIN_N,
        hide_n=appraisal.HIDE_N,
        min_n=appraisal.MIN_N,
        forms=[f for f in FORMS if owner and (f != "appraised" or _above(staff, unit))],
        kept={name: _kept(form, name, typed) for name, form in _stored(found).items()},
        typed=typed,
        counts=COUNTS,
        **_common(period),
    )


def _said(period: Period, within: str) -> Mapping[str, Found]:
    """Return what was said in a period; what took long to read is not read again at once."""
    from survey.onestop.appraisal import said

    key = (services().settings.database, period.key, within)
    until, held = _read.get(key, (0.0, {}))
    if time.monotonic() < until:
        return held
    began = time.monotonic()
    held = said(db.get(), period, within)
    took = time.monotonic() - began
    if took > SLOW:
        if len(_read) >= 16:
            _read.clear()
        _read[key] = (time.monotonic() + 20 * took, held)
    return held


def _table(found: Scored) -> list[dict[str, str]]:
    """Return the nine rows as printed."""
    texts = {item.id: item for item in load(QUESTIONNAIRE).items}
    sheet = found.sheet
    rows = []
    for name in CRITERIA:
        mean = found.means.get(name)
        evidence = sheet.appraised.evidence.get(name) or sheet.own.evidence.get(name, "")
        rows.append(
            {
                "id": name, "number": name[1:], "text": texts[name].text,
                "n": thousands(mean.n) if mean and mean.n else NONE,
                "measured": printed(found.measured.get(name)),
                "own": printed(found.own.get(name)),
                "appraised": printed(found.appraised.get(name)),
                "points": printed(found.points.get(name)),
                "evidence": evidence,
            }
        )  # fmt: skip
    return rows


def _row(found: Scored) -> dict[str, object]:
    measured = [found.measured.get(name) for name in CRITERIA]
    known = [value for value in measured if value is not None]
    return {
        "unit": found.unit,
        "name": _capital(found.name),
        "n": NONE if found.hidden else thousands(found.n),
        "few": 0 < found.n < 30 and not found.hidden,
        "measured": printed(sum(known) if len(known) == len(CRITERIA) else None),
        "own": printed(found.own_total),
        "appraised": len(found.appraised),
        "total": printed(found.total),
        "grade": found.grade.name if found.grade else t("criteria.no_grade"),
        "rank": found.rank or NONE,
        "missing": ", ".join(name[1:] for name in CRITERIA if name not in found.points),
    }


def _stored(found: Scored) -> dict[str, Kept]:
    sheet = found.sheet
    return {"counts": sheet.counts, "self": sheet.own, "appraised": sheet.appraised}


def _kept(kept: Kept, form: str, typed: Typed | None) -> dict[str, object]:
    """Return what a form shows: what was typed, else what is stored."""
    if typed is not None and typed.form == form:
        values: dict[str, object] = dict(typed.values)
    else:
        values = {name: str(v).replace(".", ",") for name, v in kept.values.items()}
        values |= {f"e_{name}": text for name, text in kept.evidence.items()}
        values["version"] = kept.version
    if not kept.version:
        return {"values": values, "said": ""}
    said = t("criteria.said", who=name_of(kept.actor), at=hour(kept.at), on=day(kept.at))
    return {"values": values, "said": said}


def _counts(
    form: MultiDict[str, str],
) -> tuple[dict[str, int], dict[str, str], dict[str, str]]:
    """Return counts, evidence and what is wrong with them by field."""
    from analysis.criteria import PARTS

    values: dict[str, int] = {}
    faults: dict[str, str] = {}
    for name in (name for names in COUNTS.values() for name in names):
        text = form.get(name, "").strip().replace(".", "")
        if text and not _COUNT.fullmatch(text):
            faults[name] = t("criteria.fault_count")
        elif text:
            values[name] = int(text)
    if values.get("required", 0) > 100:
        faults["required"] = t("criteria.fault_percent")
    for part, whole in PARTS:
        if part in values and whole in values and values[part] > values[whole]:
            faults.setdefault(part, t("criteria.fault_part", whole=t(f"criteria.count_{whole}")))
    evidence = _evidence(form, "counts", faults)
    return values, evidence, faults


def _points(
    form: MultiDict[str, str],
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return points as written ("1.5"), evidence and faults; an empty field has no points."""
    values: dict[str, str] = {}
    evidence: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name in CRITERIA:
        text = form.get(name, "").strip()
        if text and not _POINTS.fullmatch(text):
            faults[name] = t("criteria.fault_points")
        elif text:
            values[name] = text.replace(",", ".")
        evidence |= _evidence(form, name, faults)
        if name in values and name in UNIT and f"e_{name}" not in faults and name not in evidence:
            faults[f"e_{name}"] = t("criteria.fault_evidence")
    return values, evidence, faults


def _evidence(form: MultiDict[str, str], name: str, faults: dict[str, str]) -> dict[str, str]:
    text = typed_line(form.get(f"e_{name}", ""))
    if len(text) > LONGEST:
        faults[f"e_{name}"] = t("criteria.fault_long", n=thousands(len(text)), most=LONGEST)
    return {name: text} if text else {}


def _appraiser(staff: Staff, unit: str) -> None:
    """End the request unless who is signed in stands above the unit: nobody appraises the own."""
    if not _above(staff, unit):
        raise Refused("own_appraisal", 403)


def _above(staff: Staff, unit: str) -> bool:
    return staff.role == "administrator" and staff.unit != unit and _within(staff, unit)


def _within(staff: Staff, unit: str) -> bool:
    return not staff.unit or staff.unit in units.path(db.get(), unit)


def _period(key: str) -> Period:
    try:
        found = periods.of(key)
    except Refused:
        abort(404, t("criteria.no_period"))
    return found if found.kind in KINDS else abort(404, t("criteria.no_period"))


def _common(period: Period) -> dict[str, object]:
    from survey.store import opinions

    today = clock.day(clock.now())
    listed = [one for kind, n in KINDS.items() for one in periods.latest(today, kind, n)]
    edges = [f"{grade.name} ≥ {grade.least}" for grade in GRADES[:-1]]
    return {
        "period": period,
        "periods": listed if period in listed else [period, *listed],
        "synthetic": opinions.synthetic(db.get()),
        "edges": ", ".join([*edges, f"{GRADES[-1].name} < {GRADES[-2].least}"]),
    }


def _unlisted(scope: str, found: list[Scored]) -> str:
    """Return the reader's unit when nothing is listed, so that it can be begun."""
    return "" if found else scope


#: Where there is no figure.
NONE = "\u2014"


def printed(points: Fraction | int | None) -> str:
    """Return points with one decimal, a dash where there are none."""
    from analysis.report.numbers import num

    return NONE if points is None else num(float(points), 1)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
