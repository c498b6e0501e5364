"""Lots of forms: put together for an interviewer, printed, handed out, taken back."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import batches, db, guard, serials, services, work
from survey.store import Refused, cases, clock, lots, people, plans, units, waves
from survey.text import day, t

if TYPE_CHECKING:
    from sqlite3 import Connection

    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.lots import Area, Lot

bp = Blueprint("lots", __name__, url_prefix="/field/lots")

ROLES = ("administrator", "field_supervisor")
#: Areas offered on one page; a unit chosen above the list narrows it.
MOST = 300
EDITIONS = ("normal", "large")
SHEETS = ("handover", "cover", "households", "payments")


@bp.get("")
@guard.roles(*ROLES)
def index() -> str:
    """Show the areas without a lot and the lots of a wave in the reader's unit."""
    return _index({}, {})


@bp.post("")
@guard.roles(*ROLES)
def make() -> tuple[str, int] | BaseResponse:
    """Make one lot of the chosen areas, or one lot of each."""
    wave, form = _wave(), request.form
    chosen, faults = form.getlist("psu"), dict[str, str]()
    free = _free(wave, "")
    if not free:
        abort(409, t("lots.none_free"))
    areas = [area for area in free if area.psu in chosen or form.get("every")]
    if not areas or (len(areas) != len(set(chosen)) and not form.get("every")):
        faults["psu"] = t("lots.choose_areas" if not chosen else "lots.areas_gone")
    staff = next((s for s in _interviewers() if str(s.id) == form.get("interviewer")), None)
    if staff is None:
        faults["interviewer"] = t("lots.choose_interviewer")
    due, wrong = _due(form.get("due_on", ""))
    if wrong:
        faults["due_on"] = wrong
    if faults or staff is None:
        return _index(form.to_dict() | {"psu": chosen}, faults), 422
    groups = [[area] for area in areas] if form.get("apart") else [areas]
    job = partial(_make, wave=wave.key, groups=groups, staff=staff.id, due=due, actor=work.actor())
    try:
        made = services().writer.run(job)
    except Refused as refusal:
        faults["interviewer"] = t(f"refused.{refusal.code}", "vi", **refusal.facts)
        return _index(form.to_dict() | {"psu": chosen}, faults), 422
    forms = sum(len(area.cases) for area in areas)
    flash(t("lots.made", lots=", ".join(lot.code for lot in made), n=forms, name=staff.name))
    if len(made) == 1:
        return redirect(url_for(".one", code=made[0].code), 303)
    return redirect(url_for(".index", wave=wave.key), 303)


def _make(
    connection: Connection,
    *,
    wave: str,
    groups: list[list[Area]],
    staff: int,
    due: date | None,
    actor: str,
) -> list[Lot]:
    """Make every lot or none."""
    with db.write(connection):
        return [
            lots.make(
                connection, wave, cases=[case for area in group for case in area.cases],
                interviewer=staff, unit=_common(connection, group), due_on=due, now=clock.now(),
                actor=actor,
            )
            for group in groups
        ]  # fmt: skip


@bp.get("/find")
@guard.roles(*ROLES)
def find() -> BaseResponse:
    """Lead from a lot's code, a serial number or a scanned code to its lot."""
    text = request.args.get("code", "").strip()
    with suppress(LookupError):
        found = lots.by_code(db.get(), text)
        if work.within(found.unit):
            return redirect(url_for(".one", code=found.code), 303)
    try:
        case = cases.get(db.get(), _case(text))
    except LookupError:
        abort(404, t("lots.not_found", code=text[:40]))
    if not work.within(case.unit):  # told apart from no form at all by nobody of another unit
        abort(404, t("lots.not_found", code=text[:40]))
    if case.lot is None:
        abort(404, t("lots.in_no_lot", serial=serials.printed(case.id)))
    lot = lots.get(db.get(), case.lot)
    return redirect(url_for(".one", code=lot.code) + f"#c{case.id}", 303)


@bp.get("/<code>")
@guard.roles(*ROLES)
def one(code: str) -> str:
    """Show one lot: its forms, what can be printed, and where what comes back is written down."""
    return _one(_lot(code), {})


@bp.post("/<code>/issue")
@guard.roles(*ROLES)
def issue(code: str) -> BaseResponse:
    """Hand a lot out."""
    lot = _lot(code)
    services().writer.run(partial(lots.issue, lot=lot, now=clock.now(), actor=work.actor()))
    flash(t("lots.issued_now", lot=lot.code))
    return redirect(url_for(".one", code=lot.code), 303)


@bp.post("/<code>/scan")
@guard.roles(*ROLES)
def scan(code: str) -> tuple[str, int] | BaseResponse:
    """Take one form back, its number typed or its code scanned."""
    lot, text = _lot(code), request.form.get("serial", "").strip()
    state = request.form.get("outcome", "")
    if state not in lots.OUTCOMES:
        abort(400)
    try:
        case = _case(text)
    except LookupError:
        return _one(lot, {"serial": t("lots.wrong_serial", serial=text[:40])}), 422
    if case not in {one.case for one in lots.households(db.get(), lot.id)}:
        words = t("refused.not_in_lot", serial=serials.printed(case), lot=lot.code)
        return _one(lot, {"serial": words}), 422
    before = cases.get(db.get(), case).state
    try:
        _take_back(lot, {case: state})
    except Refused as refusal:
        return _one(lot, {"serial": work.said(refusal)}), 422
    now = cases.get(db.get(), case).state
    said = "lots.one_again" if now == before else "lots.one_back"
    flash(t(said, serial=serials.printed(case), state=t(f"case.{now}")))
    return redirect(url_for(".one", code=lot.code, outcome=state), 303)


@bp.post("/<code>/back")
@guard.roles(*ROLES)
def back(code: str) -> tuple[str, int] | BaseResponse:
    """Take many forms back: an outcome a form, or all that are out as collected."""
    lot = _lot(code)
    held = {case.id: case.state for case in cases.of_lot(db.get(), lot.id)}
    if request.form.get("all"):
        outcomes = {id: "collected" for id, state in held.items() if state in cases.OUT}
    else:
        given = {id: request.form.get(f"c{id}", "") for id in held}
        outcomes = {id: state for id, state in given.items() if state and state != held[id]}
    if any(state not in lots.OUTCOMES for state in outcomes.values()):
        abort(400)
    try:
        done = _take_back(lot, outcomes)
    except Refused as refusal:  # the page was old: what was chosen for the other forms stays
        if refusal.code != "case_state":
            raise
        return _one(lot, {"cases": work.said(refusal)}), 422
    flash(t("lots.all_back" if done.returned_at else "lots.some_back", n=len(outcomes)))
    return redirect(url_for(".one", code=lot.code), 303)


def _take_back(lot: Lot, outcomes: dict[int, str]) -> Lot:
    reasons = {id: (state, state if state in cases.LOST else "") for id, state in outcomes.items()}
    now, actor = clock.now(), work.actor()
    job = partial(lots.take_back, lot=lot, outcomes=reasons, now=now, actor=actor)
    return services().writer.run(job)


@bp.post("/<code>/assign")
@guard.roles(*ROLES)
def assign(code: str) -> BaseResponse:
    """Give a lot to another interviewer, or another day to bring it back."""
    lot, form = _lot(code), request.form
    staff = next((s for s in _carriers(lot) if str(s.id) == form.get("interviewer")), None)
    due, wrong = _due(form.get("due_on", ""), held=lot.due_on)
    if staff is None or wrong:
        abort(422, wrong or t("lots.choose_interviewer"))
    job = partial(
        lots.assign, lot=lot, interviewer=staff.id, due_on=due, now=clock.now(),
        actor=work.actor(),
    )  # fmt: skip
    services().writer.run(job)
    flash(t("lots.assigned", lot=lot.code, name=staff.name))
    return redirect(url_for(".one", code=lot.code), 303)


@bp.post("/<code>/extend")
@guard.roles(*ROLES)
def extend(code: str) -> BaseResponse:
    """Add the households that took the place of others in the areas of a lot."""
    lot = _lot(code)
    found = _joining(lot)
    if not found:
        abort(409, t("lots.none_free"))
    now, actor = clock.now(), work.actor()
    services().writer.run(partial(lots.extend, lot=lot, cases=found, now=now, actor=actor))
    flash(t("lots.extended", n=len(found), lot=lot.code))
    return redirect(url_for(".one", code=lot.code), 303)


def _joining(lot: Lot) -> list[int]:
    """Return the planned cases in no lot that lie in the areas of this one, while it is out."""
    if lot.returned_at:
        return []
    areas = {case.psu for case in cases.of_lot(db.get(), lot.id)}
    free = lots.free(db.get(), lot.wave)
    return [case for area in free if area.psu in areas for case in area.cases]


def _index(values: dict[str, object], faults: dict[str, str]) -> str:
    wave = _wave()
    within = guard.scope(request.args.get("unit", ""))
    free = _free(wave, within)
    names = {id: units.name(db.get(), id) for id in {area.unit for area in free}}
    made = lots.counted(db.get(), wave.key, within)
    return render_template(
        "lots/index.html",
        wave=wave,
        synthetic=wave.synthetic,
        free=free[:MOST],
        more=max(0, len(free) - MOST),
        forms=sum(len(area.cases) for area in free),
        names=names,
        interviewers=_interviewers(),
        waiting=sum(one.lot.issued_at is None for one in made),
        payment=plans.get(db.get(), wave.key).payment,
        lots=[{"lot": one.lot, "count": one, **_said(one.lot)} for one in made],
        values=values,
        faults=faults,
        today=work.today(),
    )


def _one(lot: Lot, faults: dict[str, str]) -> str:
    wave = waves.get(db.get(), lot.wave)
    batch = batches.of(db.get(), lot, clock.day(clock.now()))
    rows = [
        {
            "case": one,
            "serial": serials.printed(one.case),
            "open": one.state in (*cases.OUT, "planned", "collected", *cases.LOST),
            "out": one.state in cases.OUT,
        }
        for one in batch.households
    ]
    noted = [case.print_run for case in cases.of_lot(db.get(), lot.id)]
    return render_template(
        "lots/one.html",
        printed=sum(run is not None for run in noted),
        wave=wave,
        synthetic=wave.synthetic,
        batch=batch,
        lot=lot,
        rows=rows,
        out=sum(bool(row["out"]) for row in rows),
        back=sum(one.state in cases.BACK for one in batch.households),
        lost=sum(one.state in (*cases.LOST, "replaced") for one in batch.households),
        outcomes=lots.OUTCOMES,
        outcome=request.values.get("outcome", "collected"),
        sheets=[kind for kind in SHEETS if kind != "payments" or batch.payment],
        editions=EDITIONS,
        interviewers=_carriers(lot),
        shut=_shut(lot),
        given=request.form if faults.get("cases") else {},
        joining=len(_joining(lot)),
        faults=faults,
        serial=request.form.get("serial", "") if faults.get("serial") else "",
        **_said(lot),
    )


def _said(lot: Lot) -> dict[str, str]:
    """Return the days of a lot and its step as people read them."""
    step = "returned" if lot.returned_at else "issued" if lot.issued_at else "made"
    at = lot.returned_at or lot.issued_at
    return {
        "unit": units.name(db.get(), lot.unit),
        "due": day(lot.due_on) if lot.due_on else "",
        "step": step,
        "at": day(at) if at else "",
        "late": "1" if not lot.returned_at and (lot.due_on or "9") < work.today() else "",
    }


def _wave() -> waves.Wave:
    asked = request.form.get("wave", "")
    if not asked:
        return work.wave()
    return next((wave for wave in work.on_paper() if wave.key == asked), None) or abort(404)


def _lot(code: str) -> Lot:
    """Return a lot of the reader's unit, or end the request."""
    try:
        lot = lots.by_code(db.get(), code)
    except LookupError:
        abort(404, t("lots.not_found", code=code[:40]))
    work.demand(lot.unit)
    return lot


def _case(text: str) -> int:
    """Return the case of a serial number typed or a code scanned; LookupError for neither."""
    if "/" in text:
        return serials.read(services().settings.secret, text).case
    return serials.case_of(text)


def _free(wave: waves.Wave, within: str) -> list[Area]:
    found = lots.free(db.get(), wave.key)
    paths = {id: units.path(db.get(), id) for id in {area.unit for area in found}}
    return [
        area
        for area in found
        if work.within(area.unit) and (not within or within in paths[area.unit])
    ]


def _interviewers() -> list[people.Staff]:
    """Return the interviewers of the reader's unit and below, by name."""
    found = [
        staff
        for staff in people.all(db.get())
        if staff.role == "interviewer" and not staff.disabled and work.within(staff.unit)
    ]
    return sorted(found, key=lambda staff: staff.name)


def _carriers(lot: Lot) -> list[people.Staff]:
    """Return who may carry a lot: first whoever does, even if the account is shut by now."""
    held = people.get(db.get(), lot.interviewer) if lot.interviewer else None
    others = [staff for staff in _interviewers() if held is None or staff.id != held.id]
    return [held, *others] if held else others


def _shut(lot: Lot) -> bool:
    """Say whether a lot is with somebody whose account is shut."""
    held = people.get(db.get(), lot.interviewer) if lot.interviewer else None
    return held is not None and bool(held.disabled) and lot.returned_at is None


def _due(text: str, held: str | None = None) -> tuple[date | None, str]:
    """Return a day from today on (or the one held already), or what is wrong with it."""
    if not text:
        return None, ""
    try:
        due = date.fromisoformat(text)
    except ValueError:
        return None, t("lots.wrong_day")
    kept = due >= clock.day(clock.now()) or text == held
    return (due, "") if kept else (None, t("lots.past_day"))


def _common(connection: Connection, areas: list[Area]) -> str:
    """Return the lowest unit that holds all these areas."""
    paths = [units.path(connection, area.unit) for area in areas]
    shared = [id for id in paths[0] if all(id in path for path in paths)]
    return shared[0] if shared else areas[0].unit
