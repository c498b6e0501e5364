"""The staff's pages of villages and cases: where each stands, what befell it, who replaces it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, serials, services, work
from survey.store import (
    Refused,
    cases,
    clock,
    draws,
    frames,
    looks,
    lots,
    replacements,
    units,
    waves,
)
from survey.text import clock as hour
from survey.text import day, has, t

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from survey.store.cases import Case
    from survey.store.draws import Area
    from survey.store.waves import Wave

bp = Blueprint("casework", __name__)

ROLES = ("administrator", "field_supervisor")
#: Steps that a supervisor may record by hand; entries and comparisons move a case themselves.
STEPS = ("delivered", "appointed", "collected", *cases.LOST)


@dataclass(frozen=True, slots=True)
class Line:
    """One case as a list shows it."""

    case: Case
    serial: str
    place: str
    instead: str
    head: str
    address: str
    since: str
    weight: str
    why: str


@bp.before_request
def other_wave() -> Response | None:
    """Lead whoever chooses another wave to its villages."""
    asked = request.args.get("wave", "")
    if request.method != "GET" or not asked or asked == (request.view_args or {}).get("wave"):
        return None
    return redirect(url_for("casework.villages", wave=asked), 303)


@bp.get("/field/cases/<wave>")
@guard.roles(*ROLES)
def villages(wave: str) -> str:
    """List the villages drawn in the reader's unit, with where their cases stand."""
    found = work.sampled(wave)
    areas = [area for area in draws.areas(db.get(), wave) if work.within(area.unit)]
    strata = sorted({area.stratum for area in areas})
    asked = request.args.get("stratum", "")
    names = {unit: units.name(db.get(), unit) for unit in {area.unit for area in areas}}
    counts: dict[str, dict[str, int]] = {}
    for row in cases.counts(db.get(), wave):
        held = counts.setdefault(row["psu"], {})
        held[row["state"]] = held.get(row["state"], 0) + row["n"]
    return render_template(
        "casework/villages.html",
        wave=found,
        areas=[area for area in areas if asked in ("", area.stratum)],
        strata=strata,
        asked=asked,
        names=names,
        back={psu: _sum(held, cases.BACK) for psu, held in counts.items()},
        lost={psu: _sum(held, cases.LOST) for psu, held in counts.items()},
        left={psu: held.get("reserve", 0) for psu, held in counts.items()},
        synthetic=found.synthetic,
    )


@bp.get("/field/cases/<wave>/<psu>")
@guard.roles(*ROLES)
def village(wave: str, psu: str) -> str:
    """Show a village: its main list, its reserves, and the button that replaces it."""
    return _village(work.sampled(wave), _area(wave, psu))


@bp.post("/field/cases/<wave>/<psu>")
@guard.roles(*ROLES)
def drop(wave: str, psu: str) -> Response | tuple[str, int]:
    """Replace a whole village by one drawn from its stratum, or let the others stand for it."""
    from survey.sample import drawing

    found, area = work.sampled(wave), _area(wave, psu)
    reason, sure = request.form.get("reason", ""), request.form.get("sure") == "1"
    if reason not in replacements.AREA_REASONS or not sure:
        fault = "casework.drop_unsure" if not sure else "sampling.fault.reason"
        return _village(found, area, fault=t(fault)), 422
    other = None
    if request.form.get("alone") != "1":
        other = drawing.substitute(db.get(), wave, psu)
        if other is None:
            raise Refused("area_last", 409, stratum=area.stratum)
    job = partial(
        replacements.drop_area, wave=wave, psu=psu, reason=reason, substitute=other,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    try:
        services().writer.run(job)
    except LookupError:
        abort(404)
    if other is None:
        flash(t("casework.dropped_alone"))
        return redirect(url_for(".village", wave=wave, psu=psu), 303)
    flash(t("casework.dropped_for", name=other["name"], psu=other["psu"]))
    return redirect(url_for("sampling.index", wave=wave), 303)


@bp.get("/field/cases/form/<int:number>")
@guard.roles(*ROLES)
def one(number: int) -> str:
    """Show one case with its history and the buttons for what may come next."""
    return _one(_case(number))


@bp.post("/field/cases/form/<int:number>")
@guard.roles(*ROLES)
def move(number: int) -> Response | tuple[str, int]:
    """Record the next step of a case."""
    case = _case(number)
    state = request.form.get("state", "")
    if state not in STEPS:
        abort(400)
    on = ""
    if state == "appointed" and not (on := _day(request.form.get("appointed_on", ""))):
        return _one(case, fault=t("casework.day")), 422
    job = partial(
        cases.move, ids=[number], state=state, now=clock.now(), actor=work.actor(),
        reason=state if state in cases.LOST else "", appointed_on=on or None,
    )  # fmt: skip
    try:
        services().writer.run(job)
    except Refused as refusal:
        raise _worded(refusal) from refusal
    flash(t("casework.moved", serial=serials.printed(number), state=t(f"case.{state}")))
    return redirect(url_for(".village", wave=case.wave, psu=case.psu) + f"#c{number}", 303)


@bp.post("/field/cases/form/<int:number>/replace")
@guard.roles(*ROLES)
def replace(number: int) -> Response | tuple[str, int]:
    """Give a household's place to the next reserve of its village."""
    case, reason = _case(number), request.form.get("reason", "")
    if reason not in cases.REASONS:
        return _one(case, fault=t("sampling.fault.reason")), 422
    job = partial(
        replacements.replace_case, id=number, reason=reason, now=clock.now(), actor=work.actor()
    )
    try:
        done = services().writer.run(job)
    except Refused as refusal:
        raise _worded(refusal) from refusal
    flash(t("casework.replaced", n=done.reserve, serial=serials.printed(done.id)))
    return redirect(url_for(".village", wave=case.wave, psu=case.psu) + f"#c{done.id}", 303)


def _worded(refusal: Refused) -> Refused:
    """Return a refusal with states as people call them."""
    facts = {
        name: t(f"case.{value}") if name in ("former", "state") else value
        for name, value in refusal.facts.items()
    }
    return Refused(refusal.code, refusal.status, **facts)


def _area(wave: str, psu: str) -> Area:
    """Return a village of the sample that the reader may see, or end the request."""
    found = next((area for area in draws.areas(db.get(), wave) if area.psu == psu), None)
    if found is None:
        abort(404)
    work.demand(found.unit)
    return found


def _case(number: int) -> Case:
    try:
        case = cases.get(db.get(), number)
    except LookupError:
        abort(404)
    work.demand(case.unit)
    return case


def _village(wave: Wave, area: Area, *, fault: str = "") -> str:
    of = cases.of_psu(db.get(), wave.key, area.psu)
    homes = frames.of_psu(db.get(), wave.key, area.psu)
    lines = [_line(case, homes) for case in of]
    if n := sum(bool(line.head or line.address) for line in lines):
        subject, actor = f"{wave.key}/{area.psu}", work.actor()
        job = partial(looks.listed, subject=subject, n=n, now=clock.now(), actor=actor)
        services().writer.run(job)
    started = sum(case.state in cases.BACK for case in of)
    p = Fraction(area.probability) if area.probability else None
    return render_template(
        "casework/village.html",
        wave=wave,
        area=area,
        unit=units.name(db.get(), area.unit),
        main=[line for line in lines if line.case.state != "reserve"],
        reserves=[line for line in lines if line.case.state == "reserve"],
        probability=p and _about(p),
        dropped=area.dropped_at and day(area.dropped_at),
        reason=_why(area.reason, ""),
        reasons=replacements.AREA_REASONS,
        droppable=not area.dropped_at and not started and wave.closed_at is None,
        fault=fault,
        synthetic=wave.synthetic,
    )


def _one(case: Case, *, fault: str = "") -> str:
    wave = waves.get(db.get(), case.wave)
    of = cases.of_psu(db.get(), case.wave, case.psu)
    line = _line(case, frames.of_psu(db.get(), case.wave, case.psu))
    if line.head or line.address:
        job = partial(looks.one, case=case.id, now=clock.now(), actor=work.actor())
        services().writer.run(job)
    waiting = [other for other in of if other.state == "reserve"]
    steps = [state for state in STEPS if state in cases.NEXT[case.state]]
    if case.state == "appointed":
        steps.insert(0, "appointed")  # another day
    history = [
        (
            hour(row["at"]),
            day(row["at"]),
            t(f"case.{row['state']}"),
            _why(row["reason"], row["state"]),
            row["actor"],
        )
        for row in cases.history(db.get(), case.id)
    ]
    return render_template(
        "casework/one.html",
        wave=wave,
        case=case,
        line=line,
        unit=units.name(db.get(), case.unit),
        lot=lots.get(db.get(), case.lot) if case.lot is not None else None,
        steps=steps if wave.closed_at is None else [],
        history=history,
        next_reserve=min((c.reserve or 0 for c in waiting), default=0),
        replaceable=wave.closed_at is None
        and case.state not in cases.BACK
        and ("replaced" in cases.NEXT[case.state] or bool(set(steps) & set(cases.REASONS))),
        reasons=cases.REASONS,
        fault=fault,
        today=day(clock.day(clock.now())),
        synthetic=wave.synthetic,
    )


def _why(reason: str, state: str) -> str:
    """Return the reason of a step as people read it, "" where the step says it already."""
    if reason == state:
        return ""
    return t(f"case.reason.{reason}") if has(f"case.reason.{reason}") else reason


def _line(case: Case, homes: dict[str, frames.Household]) -> Line:
    home = homes.get(case.household or "")
    place = str(case.number) if case.number is not None else ""
    if case.reserve is not None:
        spare = t("casework.as_reserve", n=case.reserve)
        place = f"{place} ({spare})" if place else spare
    said = ""
    if case.state == "appointed" and case.appointed_on:
        said = t("casework.appointed", on=day(case.appointed_on))
    elif case.changed_at:
        said = t("casework.since", at=hour(case.changed_at), on=day(case.changed_at))
    return Line(
        case=case,
        serial=serials.printed(case.id),
        place=place,
        instead=serials.printed(case.replaces) if case.replaces else "",
        head=home.name if home else "",
        address=home.address if home else "",
        since=said,
        weight=f"{case.weight:,.2f}".translate(str.maketrans(",.", ".,")),
        why=_why(case.reason, case.state),
    )


def _about(p: Fraction) -> str:
    share = f"{float(p):.4g}".replace(".", ",")
    return share if len(str(p)) > 24 else t("casework.probability_is", exact=p, about=share)


def _sum(held: dict[str, int], states: tuple[str, ...]) -> int:
    return sum(held.get(state, 0) for state in states)


def _day(text: str) -> str:
    """Return a day as it is stored, "" for what is none."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), form).date().isoformat()  # noqa: DTZ007
        except ValueError:
            continue
    return ""
