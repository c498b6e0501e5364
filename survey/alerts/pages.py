"""The page of alerts: who hears of what, by which way, and what was sent."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, mail, services, typed
from survey.alerts import post, watch, webhooks
from survey.store import Refused, alerts, clock, units
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from survey.store.alerts import Alert, Rule
    from survey.store.people import Staff

bp = Blueprint("alerts", __name__)

READERS = ("administrator", "auditor")


@bp.get("/office/alerts")
@guard.roles(*READERS)
def index() -> str:
    """List the rules of the reader's unit and what they have sent."""
    return _page({}, {})


@bp.post("/office/alerts")
@guard.roles("administrator")
def add() -> Response | tuple[str, int]:
    """Make a rule."""
    values = {
        name: request.form.get(name, "").strip()
        for name in ("kind", "threshold", "via", "target", "unit")
    }
    staff = guard.current_staff() or abort(403)
    values["unit"] = values["unit"] or staff.unit
    faults = _faults(values)
    if faults:
        return _page(values, faults), 422
    if values["unit"]:
        guard.owns(values["unit"])
    else:
        guard.system()
    job = partial(
        alerts.add, unit=values["unit"], kind=values["kind"], threshold=int(values["threshold"]),
        via=values["via"], target=values["target"], now=clock.now(), actor=_actor(staff),
    )  # fmt: skip
    services().writer.run(job)
    flash(t("alerts.added"))
    return redirect(url_for(".index"), 303)


@bp.post("/office/alerts/<int:number>")
@guard.roles("administrator")
def change(number: int) -> Response:
    """Put a rule to rest or to work again, or try its way."""
    rule = _find(number)
    staff = guard.current_staff() or abort(403)
    do, seen = request.form.get("do", ""), typed.number(request.form.get("seen", ""))
    if do == "test":
        return _test(rule)
    if do not in ("start", "stop") or seen is None:
        abort(400)
    job = partial(
        alerts.switch, id=rule.id, active=do == "start", seen=seen, now=clock.now(),
        actor=_actor(staff),
    )  # fmt: skip
    services().writer.run(job)
    flash(t("alerts.started" if do == "start" else "alerts.stopped"))
    return redirect(url_for(".index"), 303)


def _test(rule: Rule) -> Response:
    """Send a trial alert at once and say what came of it."""
    now = clock.now()
    with closing(db.connect(services().settings.database, create=False)) as own:
        number = alerts.put(own, rule.id, watch.trial(now=now), now=now)
        fault = post.one(own, services().settings, alerts.get(own, number)) if number else None
    flash(t("alerts.test_sent") if fault == "" else t("alerts.test_failed", why=fault or "…"))
    return redirect(url_for(".index"), 303)


def _faults(values: Mapping[str, str]) -> dict[str, str]:
    faults = {}
    if values["kind"] not in alerts.KINDS:
        faults["kind"] = t("alerts.no_kind")
    _, low, high = alerts.KINDS.get(values["kind"], (0, 0, 100_000))
    threshold = typed.number(values["threshold"])
    if threshold is None or not low <= threshold <= high:
        faults["threshold"] = t("alerts.no_threshold", low=low, high=high)
    if values["via"] == "email":
        if not mail.fits(values["target"]):
            faults["target"] = t("alerts.no_mail")
    elif values["via"] == "webhook":
        try:
            webhooks.address(values["target"], private=webhooks.private_allowed())
        except ValueError as fault:
            faults["target"] = str(fault)
    else:
        faults["via"] = t("alerts.no_via")
    if values["unit"] and units.get(db.get(), values["unit"]) is None:
        faults["unit"] = t("feedback.no_unit")
    return faults


def _page(values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    staff = guard.current_staff() or abort(403)
    may = staff.role == "administrator"
    held = [rule for rule in alerts.rules(db.get()) if _within(staff, rule.unit)]
    secret = services().settings.secret
    rows = [
        {
            "rule": rule,
            "kind": t(f"alerts.kind_{rule.kind}"),
            "when": _when(rule),
            "unit": units.name(db.get(), rule.unit) if rule.unit else t("coverage.everywhere"),
            "secret": webhooks.secret(secret, rule.id) if may and rule.via == "webhook" else "",
        }
        for rule in held
    ]
    own = {rule.id for rule in held}
    sent = [one for one in alerts.log(db.get()) if one.rule in own][: alerts.LISTED]
    suggested = {"kind": "overdue", "threshold": "0", "via": "email", "target": "", "unit": ""}
    return render_template(
        "alerts/index.html",
        rows=rows,
        log=[_line(one) for one in sent],
        values=suggested | dict(values),
        faults=faults,
        kinds=list(alerts.KINDS),
        may=may,
        mail_off=_mail_off(),
    )


def _when(rule: Rule) -> str:
    if rule.kind == "overdue" and not rule.threshold:
        return t("alerts.when_at_once")
    return t(f"alerts.when_{rule.kind}", n=rule.threshold)


def _line(one: Alert) -> dict[str, str]:
    return {
        "at": f"{hour(one.at)} {day(one.at)}",
        "subject": one.subject,
        "to": one.target,
        "state": t(f"alerts.state_{one.state}"),
        "failed": "1" if one.fault and one.state != "sent" else "",
        "fault": one.fault,
        "tries": str(one.tries),
    }


def _mail_off() -> str:
    """Return why no letters go out, "" where they do."""
    try:
        return "" if mail.mailer(services().settings.instance) else t("alerts.mail_off")
    except mail.SetupError as fault:
        return str(fault)


def _find(number: int) -> Rule:
    staff = guard.current_staff() or abort(403)
    try:
        rule = alerts.rule(db.get(), number)
    except LookupError:
        abort(404)
    if not _within(staff, rule.unit):
        raise Refused("alert_elsewhere", 403)
    return rule


def _within(staff: Staff, unit: str) -> bool:
    return not staff.unit or (bool(unit) and staff.unit in units.path(db.get(), unit))


def _actor(staff: Staff) -> str:
    return f"staff:{staff.username}"
