"""Settled forms are asked again by telephone or visit, blind, and compared with the paper."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from forms import paper
from survey import db, guard, serials, services, work
from survey.entry import marks
from survey.store import Refused, callbacks, clock, comparisons, plans, units, waves
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from forms.paper import Field
    from forms.questionnaire import Questionnaire
    from survey.store.callbacks import Called
    from survey.store.plans import PaperPlan
    from survey.store.waves import Wave

bp = Blueprint("callbacks", __name__)

ROLES = ("administrator", "field_supervisor")
#: Facts about a person come first; then so many items of the scale, spread over the factors.
FACTS, ITEMS = ("sex", "age"), 5
#: Shares that are set in percent on the page of settings.
SHARES = ("double_share", "scan_share", "callback_share")
#: Whole numbers there: days a household keeps its form, dong a form; and the most they may be.
NUMBERS = {"keep_days": 60, "payment": 10_000_000}


@bp.get("/field/callbacks")
@guard.roles(*ROLES)
def index() -> str:
    """List the forms drawn for a call-back, and how each interviewer's forms agree."""
    from survey import rates
    from survey.entry import accuracy

    wave = work.wave()
    held = [row for row in callbacks.of_wave(db.get(), wave.key) if work.within(row.unit)]
    names = comparisons.names(db.get())
    rows = [
        {
            "row": row,
            "serial": serials.printed(row.case),
            "place": f"{row.psu_name}, {units.name(db.get(), row.unit)}",
            "interviewer": names.get(row.interviewer or 0, "—"),
            "at": f"{hour(row.at)} {day(row.at)}" if row.at else "",
            "open": row.outcome in ("", "not_reached") and row.state == "compared",
        }
        for row in held
    ]
    found = accuracy.agreement(held, marks.asked(wave))
    return render_template(
        "callbacks/list.html",
        wave=wave,
        synthetic=wave.synthetic,
        rows=rows,
        first=next((one for one in rows if one["open"]), None),
        new=sum(n for _, n in _new(wave)) if wave.closed_at is None else 0,
        plan=_said(plans.get(db.get(), wave.key)),
        done=sum(row.outcome in callbacks.CONTACT for row in held),
        **rates.agreements(found, names),
    )


@bp.post("/field/callbacks")
@guard.roles(*ROLES)
def draw() -> Response:
    """Draw the forms that were settled since the last time."""
    wave = work.wave()
    job = partial(
        callbacks.draw, wave=wave.key, units=[unit for unit, _ in _new(wave)], now=clock.now(),
        actor=work.actor(),
    )  # fmt: skip
    flash(t("callbacks.drew", n=services().writer.run(job)))
    return redirect(url_for(".index", wave=wave.key), 303)


@bp.get("/field/callbacks/<int:number>")
@guard.roles(*ROLES)
def one(number: int) -> str:
    """Show the questions to ask again, or what was said beside what the form says."""
    called, wave = _find(number)
    if called.outcome in ("", "not_reached") and called.state == "compared":
        return _interview(called, wave)
    return _compared(called, wave)


@bp.post("/field/callbacks/<int:number>")
@guard.roles(*ROLES)
def record(number: int) -> tuple[str, int] | Response:
    """Keep what came of a call-back, or show the questions again with every answer kept."""
    called, wave = _find(number)
    outcome, via = request.form.get("outcome", ""), request.form.get("via", "")
    if outcome not in callbacks.OUTCOMES:
        abort(400)
    answers, faults = _read(wave) if outcome == "done" else ({}, {})
    note = request.form.get("note", "").strip()
    if via not in callbacks.VIAS:
        faults["via"] = t("callbacks.choose_via")
    if len(note) > callbacks.NOTE:
        faults["note"] = t("callbacks.note_long", most=callbacks.NOTE)
    if faults:
        return _interview(called, wave, faults), 422
    job = partial(
        callbacks.record, case_id=called.case, outcome=outcome, via=via, answers=answers,
        note=note, staff=work.staff().id, now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    services().writer.run(job)
    if outcome in callbacks.CONTACT:
        return redirect(url_for(".one", number=called.case), 303)
    flash(t("callbacks.kept", serial=serials.printed(called.case)))
    return redirect(url_for(".index", wave=wave.key), 303)


@bp.get("/field/plan")
@guard.roles("administrator")
def plan() -> str:
    """Show how much of a wave is checked, and which questions are asked again."""
    wave = work.wave()
    work.demand(wave.owner)
    return _settings(wave, plans.get(db.get(), wave.key))


@bp.post("/field/plan")
@guard.roles("administrator")
def keep_plan() -> tuple[str, int] | Response:
    """Keep the shares and the questions of a wave, or say what is wrong with them."""
    wave = work.wave()
    work.demand(wave.owner)
    held, faults = plans.get(db.get(), wave.key), dict[str, str]()
    wish: dict[str, object] = {}
    for name in SHARES:
        found = _percent(request.form.get(name, ""))
        if found is None:
            faults[name] = t("callbacks.bad_share")
        else:
            wish[name] = found
    for name, most in NUMBERS.items():
        text = request.form.get(name, "").strip().replace(".", "")
        if text.isascii() and text.isdigit() and int(text) <= most:
            wish[name] = int(text)
        else:
            faults[name] = t("callbacks.bad_number")
    allowed = {field.name for field in _askable(marks.asked(wave))}
    wish["callback_items"] = tuple(
        name for name in request.form.getlist("items") if name in allowed
    )
    if faults:
        return _settings(wave, held, faults), 422
    changed = replace(held, **wish)  # type: ignore[arg-type]  # names and types as above
    job = partial(plans.set, wave=wave.key, plan=changed, now=clock.now(), actor=work.actor())
    services().writer.run(job)
    flash(t("callbacks.plan_kept"))
    return redirect(url_for(".plan", wave=wave.key), 303)


def asked(q: Questionnaire, wish: PaperPlan) -> list[Field]:
    """Return the fields to ask again: the plan's, else facts and items spread over the factors."""
    known = {field.name: field for field in _askable(q)}
    if chosen := [known[name] for name in wish.callback_items if name in known]:
        return chosen
    n = len(q.scored)
    picks = sorted({(2 * at + 1) * n // (2 * ITEMS) for at in range(ITEMS)}) if n else []
    names = [*FACTS, *(q.scored[at].id for at in picks)]
    return [known[name] for name in names if name in known]


def _askable(q: Questionnaire) -> list[Field]:
    return [field for field in paper.fields(q) if field.kind == "one"]


def _new(wave: Wave) -> list[tuple[str, int]]:
    found = callbacks.waiting(db.get(), wave.key)
    return [(unit, n) for unit, n in found.items() if work.within(unit)]


def _find(number: int) -> tuple[Called, Wave]:
    try:
        called = callbacks.get(db.get(), number)
    except LookupError:
        raise Refused("no_callback", 404) from None
    work.demand(called.unit)
    from survey.store import cases

    return called, waves.get(db.get(), cases.get(db.get(), called.case).wave)


def _interview(called: Called, wave: Wave, faults: Mapping[str, str] | None = None) -> str:
    """Show the questions without a word of what the form says."""
    look_up = partial(callbacks.household, case_id=called.case, now=clock.now(), actor=work.actor())
    name, address = services().writer.run(look_up)
    fields = asked(marks.asked(wave), plans.get(db.get(), wave.key))
    rows = [
        {
            "name": field.name,
            "number": marks.number(field),
            "label": marks.label(field),
            "choices": field.item.choices,
            "value": request.form.get(f"a.{field.name}", ""),
            "fault": (faults or {}).get(field.name, ""),
        }
        for field in fields
    ]
    return render_template(
        "callbacks/interview.html",
        wave=wave,
        synthetic=wave.synthetic,
        case=called.case,
        serial=serials.printed(called.case),
        place=f"{called.psu_name}, {units.name(db.get(), called.unit)}",
        name=name,
        address=address,
        owner=wave.owner_name or wave.name,
        rows=rows,
        faults=faults or {},
        tried=f"{hour(called.at)} {day(called.at)}" if called.at else "",
        given=request.form,
    )


def _compared(called: Called, wave: Wave) -> str:
    """Show what was said again beside the form."""
    from survey.entry.accuracy import NEAR

    q = marks.asked(wave)
    levels = {item.id for item in q.scored}
    rows = []
    for field in paper.fields(q):
        if field.name not in called.answers:
            continue
        said, held = called.answers[field.name], called.fields.get(field.name)
        silent = paper.BLANK in (said, held) or paper.INVALID in (said, held)
        near = field.name in levels and not silent and abs(int(str(said)) - int(str(held))) <= NEAR
        word = "silent" if silent else "same" if said == held else "near" if near else "far"
        rows.append(
            {
                "number": marks.number(field),
                "label": marks.label(field),
                "paper": marks.shown(field, held),
                "said": marks.shown(field, said),
                "word": word,
            }
        )
    names = comparisons.names(db.get())
    return render_template(
        "callbacks/compared.html",
        wave=wave,
        synthetic=wave.synthetic,
        called=called,
        serial=serials.printed(called.case),
        place=f"{called.psu_name}, {units.name(db.get(), called.unit)}",
        rows=rows,
        by=names.get(called.staff or 0, ""),
        interviewer=names.get(called.interviewer or 0, "—"),
        at=f"{hour(called.at)} {day(called.at)}" if called.at else "",
    )


def _read(wave: Wave) -> tuple[dict[str, object], dict[str, str]]:
    """Return the answers of the interview, and which questions are open."""
    answers, faults = dict[str, object](), dict[str, str]()
    for field in asked(marks.asked(wave), plans.get(db.get(), wave.key)):
        given = request.form.get(f"a.{field.name}", "")
        if given not in {*map(str, field.codes), str(paper.BLANK)}:
            faults[field.name] = t("callbacks.choose")
        else:
            answers[field.name] = int(given)
    how = request.form.get("how", "")
    if how in callbacks.HOW:
        answers["how"] = how
    else:
        faults["how"] = t("callbacks.choose_how")
    return answers, faults


def _settings(wave: Wave, held: PaperPlan, faults: Mapping[str, str] | None = None) -> str:
    q = marks.asked(wave)
    chosen = {field.name for field in asked(q, held)}
    given = request.form
    values = {name: given.get(name, _points(getattr(held, name))) for name in SHARES}
    values |= {name: given.get(name, str(getattr(held, name))) for name in NUMBERS}
    return render_template(
        "callbacks/plan.html",
        wave=wave,
        synthetic=wave.synthetic,
        values=values,
        faults=faults or {},
        fields=[
            (field.name, marks.number(field), marks.label(field), field.name in chosen)
            for field in _askable(q)
        ],
        seed=held.seed,
    )


def _said(plan: PaperPlan) -> dict[str, str]:
    return {name: _points(getattr(plan, name)) for name in SHARES}


def _points(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".").replace(".", ",")


def _percent(text: str) -> float | None:
    try:
        found = float(text.strip().rstrip("%").replace(",", "."))
    except ValueError:
        return None
    return found / 100 if 0 <= found <= 100 else None
