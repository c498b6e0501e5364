"""Lots of forms: put together for an interviewer, printed, handed out, taken back."""

from __future__ import annotations

from datetime import date
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from survey import batches, db, guard, serials, services, work
from survey.store import Refused, cases, clock, lots, people, prints, units, waves
from survey.text import day, t

if TYPE_CHECKING:
    from sqlite3 import Connection

    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.lots import Area, Lot

bp = Blueprint("lots", __name__, url_prefix="/field/lots")

ROLES = ("administrator", "field_supervisor")
#: Areas offered on one page; a unit chosen above the list narrows it.
MOST = 300
#: Forms of one file on the web (4 MB); more are printed by the command.
MOST_FORMS = 1000
EDITIONS = ("normal", "large")
SHEETS = ("handover", "cover", "households", "payments")
#: Papers that name people: looking at them is written down.
NAMED = frozenset({"households", "payments"})


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
    areas = [area for area in _free(wave, "") if area.psu in chosen]
    if not areas or len(areas) != len(set(chosen)):
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
    try:
        found = lots.by_code(db.get(), text)
        return redirect(url_for(".one", code=found.code), 303)
    except LookupError:
        pass
    try:
        case = cases.get(db.get(), _case(text))
    except LookupError:
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
    _take_back(lot, {case: state})
    flash(t("lots.one_back", serial=serials.printed(case), state=t(f"case.{state}")))
    return redirect(url_for(".one", code=lot.code, outcome=state), 303)


@bp.post("/<code>/back")
@guard.roles(*ROLES)
def back(code: str) -> BaseResponse:
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
    done = _take_back(lot, outcomes)
    flash(t("lots.all_back" if done.returned_at else "lots.some_back", n=len(outcomes)))
    return redirect(url_for(".one", code=lot.code), 303)


def _take_back(lot: Lot, outcomes: dict[int, str]) -> Lot:
    reasons = {id: (state, state if state in cases.LOST else "") for id, state in outcomes.items()}
    now, actor = clock.now(), work.actor()
    job = partial(lots.take_back, lot=lot, outcomes=reasons, now=now, actor=actor)
    return services().writer.run(job)


@bp.post("/<code>/print")
@guard.roles(*ROLES)
def note(code: str) -> BaseResponse:
    """Note that the forms of a lot are printed, then lead to them."""
    lot, edition = _lot(code), request.form.get("edition", "")
    if edition not in EDITIONS:
        abort(400)
    found = prints.cases_of(db.get(), lot.wave, lot=lot.id)
    if len(found) > MOST_FORMS:
        abort(422, t("lots.too_many", most=MOST_FORMS))
    job = partial(
        batches.note, wave=waves.get(db.get(), lot.wave), cases=found, edition=edition,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    run = services().writer.run(job)
    return redirect(url_for(".forms", code=lot.code, run=run.id), 303)


@bp.get("/<code>/forms.pdf")
@guard.roles(*ROLES)
def forms(code: str) -> Response:
    """Send the forms of a lot as they were noted to be printed."""
    lot = _lot(code)
    try:
        run = prints.get(db.get(), int(request.args.get("run", "0")))
    except (LookupError, ValueError):
        abort(404)
    found = prints.cases_of(db.get(), lot.wave, lot=lot.id)
    held = {case.id: case.print_run for case in cases.of_lot(db.get(), lot.id)}
    found = [id for id in found if held.get(id) == run.id]
    if run.wave != lot.wave or not found:
        abort(404)
    file, wave = BytesIO(), waves.get(db.get(), lot.wave)
    batches.write(wave, run, found, services().settings.secret, file)
    return _pdf(file, f"{lot.code}-phieu")


@bp.get("/<code>/<kind>.pdf")
@guard.roles(*ROLES)
def sheet(code: str, kind: str) -> Response:
    """Send one of the papers that go with a lot; those that name people are logged."""
    from survey.printing import sheets

    lot = _lot(code)
    if kind not in SHEETS:
        abort(404)
    batch = batches.of(db.get(), lot, clock.day(clock.now()))
    if kind == "payments" and not batch.payment:
        abort(409, t("lots.no_payment"))
    if kind in NAMED:
        job = partial(lots.named, lot=lot, kind=kind, now=clock.now(), actor=work.actor())
        services().writer.run(job)
    file = BytesIO()
    sheets.write([batch], kind, file)
    return _pdf(file, f"{lot.code}-{kind}")


def _pdf(file: BytesIO, name: str) -> Response:
    answer = Response(file.getvalue(), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


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
    return render_template(
        "lots/one.html",
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
        faults=faults,
        serial=request.form.get("serial", "") if faults else "",
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


def _due(text: str) -> tuple[date | None, str]:
    if not text:
        return None, ""
    try:
        due = date.fromisoformat(text)
    except ValueError:
        return None, t("lots.wrong_day")
    return (due, "") if due >= clock.day(clock.now()) else (None, t("lots.past_day"))


def _common(connection: Connection, areas: list[Area]) -> str:
    """Return the lowest unit that holds all these areas."""
    paths = [units.path(connection, area.unit) for area in areas]
    shared = [id for id in paths[0] if all(id in path for path in paths)]
    return shared[0] if shared else areas[0].unit
