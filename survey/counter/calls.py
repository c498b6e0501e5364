"""Staff call people whose link stayed silent, and read them the questionnaire on the telephone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from forms import rules
from forms.web import from_form
from survey import db, guard, services, tokens
from survey.citizen import answering, pages, screens
from survey.store import Refused, calls, clock, doors, dossiers, people, responses, units, waves
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.wrappers import Response

    from forms.questionnaire import Questionnaire
    from survey.citizen.answering import Opened
    from survey.store.calls import Call
    from survey.store.people import Staff

bp = Blueprint("calls", __name__)

ROLES = ("administrator", "supervisor", "clerk")
#: An interview is read in the official text; its page looks as staff pages do.
LOOK = pages.Look()


@bp.get("/calls")
@guard.roles(*ROLES)
def listed() -> str:
    """List whom to call now: never a number, never one's own dossiers."""
    staff, now = _staff(), clock.now()
    rows: list[dict[str, object]] = []
    names: dict[str, str] = {}
    running = {wave.key: wave for wave in waves.all(db.get()) if wave.is_open(now)}
    more = synthetic = False
    for call in calls.due(db.get(), now=now):
        if call.unit not in names:
            names[call.unit] = units.name(db.get(), call.unit) if _within(staff, call.unit) else ""
        if call.wave not in running or not names[call.unit] or _own(staff, call.officer):
            continue
        if more := len(rows) == calls.LISTED:
            break
        synthetic = synthetic or running[call.wave].synthetic
        rows.append({"call": call, "unit": names[call.unit], **_said(call)})
    return render_template(
        "staff/calls.html",
        rows=rows,
        more=more,
        most=calls.MOST,
        synthetic=synthetic,
    )


@bp.get("/calls/<int:number>")
@guard.roles(*ROLES)
def one(number: int) -> str:
    """Show the number of one call, what to say and the buttons for what came of it."""
    staff, call, now = _staff(), _call(number), clock.now()
    opened = _enter(call)
    look_up = partial(calls.phone, call=call, now=now, actor=_actor(staff))
    phone = services().writer.run(look_up)
    return render_template("staff/calls_one.html", phone=phone, **_facts(call, opened))


@bp.post("/calls/<int:number>")
@guard.roles(*ROLES)
def record(number: int) -> Response:
    """Write down what came of a call; an answered one leads to the interview."""
    staff, outcome = _staff(), request.form.get("outcome", "")
    _allow(staff, number)
    if outcome not in calls.OUTCOMES:
        abort(400)
    job = partial(
        calls.record, door=number, outcome=outcome, seen=request.form.get("seen", ""),
        now=clock.now(), actor=_actor(staff),
    )  # fmt: skip
    try:
        services().writer.run(job)
    except LookupError:
        raise Refused("no_call", 404) from None
    if outcome == "answered":
        return redirect(url_for(".interview", number=number), 303)
    flash(t("calls.recorded", outcome=t(f"calls.{outcome}")))
    return redirect(url_for(".listed"), 303)


@bp.get("/calls/<int:number>/interview")
@guard.roles(*ROLES)
def interview(number: int) -> str | Response:
    """Show the questionnaire to read out, once the person has answered the telephone."""
    call = _call(number)
    if not _talking(call):
        return redirect(url_for(".one", number=number), 303)
    return _page(call, _enter(call), answering.new_page())


@bp.post("/calls/<int:number>/interview")
@guard.roles(*ROLES)
def send(number: int) -> tuple[str, int] | Response:
    """Store an interview, or show it again with every answer kept."""
    page = request.form.get("page", "")
    try:
        id, started = tokens.read_page(services().settings.secret, page)
    except LookupError:
        id, started, page = "", None, answering.new_page()
    _allow(_staff(), number)
    try:
        call = calls.get(db.get(), number, now=clock.now())
    except LookupError:
        return _again(number, id, started)
    if not _talking(call):
        return redirect(url_for(".one", number=number), 303)
    opened = _enter(call)
    q = opened.place.read(LOOK)
    values = from_form(q, request.form)
    clean, faults = rules.check(q, values)
    if not id:
        return _page(call, opened, page, values=values, lead=t("form.stale")), 422
    if faults:
        notices = {fault.column: screens.notice(q, fault, LOOK) for fault in faults}
        heading = screens.heading(faults, LOOK)
        again = _page(call, opened, page, values=values, notices=notices, heading=heading)
        return again, 422
    try:
        stored = _keep(opened, clean, id=id, started=started)
    except db.NotStored:
        return _page(call, opened, page, values=values, lead=t("calls.not_stored")), 503
    return _thank(stored.receipt)


def _keep(
    opened: Opened, clean: dict[str, object], *, id: str, started: datetime | None
) -> responses.Stored:
    """Store an interview; the staff session and device are no sign of a forged answer here."""
    return answering.keep(
        opened,
        clean,
        id=id,
        channel="phone",
        language=LOOK.language,
        started_at=started,
        submitted_at=clock.now(),
        assisted_by="interviewer",
        environ={},
    )


def _again(number: int, id: str, started: datetime | None) -> Response:
    """Thank once more for an interview that is stored: only the reply was lost.

    The store itself tells the same response (same receipt) from another one (409).
    """
    door = doors.get(db.get(), number)
    if not id or door.kind != "dossier" or not responses.answered(db.get(), door):
        raise Refused("no_call", 404)
    opened = answering.reach(tokens.issue(services().settings.secret, door.kind, door.id))
    q = opened.place.read(LOOK)
    clean, faults = rules.check(q, from_form(q, request.form))
    if faults:
        raise Refused("no_call", 404)
    return _thank(_keep(opened, clean, id=id, started=started).receipt)


def _thank(receipt: str) -> Response:
    code = responses.printed(receipt).replace("-", "\u2011")  # never parted at the end of a line
    flash(t("calls.stored", receipt=code))
    return redirect(url_for(".listed"), 303)


def _page(call: Call, opened: Opened, page: str, **more: object) -> str:
    q = opened.place.read(LOOK)
    shown: dict[str, object] = {"values": {}, "notices": {}, "lead": "", "page": page} | more
    shown |= _facts(call, opened)
    return render_template("staff/calls_interview.html", q=q, look=LOOK, **shown)


def _facts(call: Call, opened: Opened) -> dict[str, object]:
    q: Questionnaire = opened.place.read(LOOK)
    return {
        "call": call,
        "unit": units.name(db.get(), call.unit),
        "owner": opened.wave.owner_name or opened.wave.name,
        "n": pages.asked_of(q),
        "minutes": q.minutes,
        "spoken": _spoken(call.service),
        "synthetic": opened.wave.synthetic,
        "most": calls.MOST,
        **_said(call),
    }


def _spoken(service: str) -> str:
    """Return the name of a procedure inside a sentence: "Cấp bản sao" is "cấp bản sao"."""
    return service[:1].lower() + service[1:] if service[1:2].islower() else service


def _said(call: Call) -> dict[str, str]:
    """Return the times of a call as people read them."""
    last = t(f"calls.{call.last}") if call.last else ""
    if last:
        last = t("calls.last_was", outcome=last, at=hour(call.last_at), on=day(call.last_at))
    return {"sent": day(call.sent_at), "last": last}


def _call(number: int) -> Call:
    """Return a call this person may make, or end the request."""
    _allow(_staff(), number)
    try:
        return calls.get(db.get(), number, now=clock.now())
    except LookupError:
        raise Refused("no_call", 404) from None


def _allow(staff: Staff, number: int) -> None:
    """End the request for a dossier of another unit, or one's own work."""
    try:
        door = doors.get(db.get(), number)
        dossier = dossiers.get(db.get(), door.dossier_key or "")
    except LookupError:
        raise Refused("no_call", 404) from None
    guard.scope(dossier.receiving_unit)
    if _own(staff, dossier.officer):
        abort(403, t("calls.own"))


def _enter(call: Call) -> Opened:
    return answering.enter(tokens.issue(services().settings.secret, "dossier", call.door))


def _own(staff: Staff, officer: str | None) -> bool:
    """Say whether a dossier was this person's own work: they must not ask about it."""
    return bool(officer) and (
        officer == staff.officer or people.login_name(officer or "") == staff.username
    )


def _within(staff: Staff, unit: str) -> bool:
    return not staff.unit or staff.unit in units.path(db.get(), unit)


def _talking(call: Call) -> bool:
    return call.last == "answered" and call.last_actor == _actor(_staff())


def _staff() -> Staff:
    return guard.current_staff() or abort(403)


def _actor(staff: Staff) -> str:
    return f"staff:{staff.username}"
