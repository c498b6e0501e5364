"""One's own account: the browsers signed in to it, and the second step of signing in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services, work
from survey.office import factor, passwords
from survey.office.passwords import PausedError
from survey.store import Refused, clock, factors, people, sessions
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection

    from werkzeug.wrappers import Response

    from survey.store.factors import Factor
    from survey.store.people import Staff
    from survey.store.sessions import Session

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("/sessions", endpoint="sessions")
@guard.roles(*people.ROLES)
def listed() -> str:
    """List the browsers that are signed in to this account, and those that were lately."""
    staff, mine, now = work.staff(), guard.current_session(), clock.now()
    running = sessions.running(
        db.get(), staff.id, now=now, idle=guard.IDLE + guard.SEEN, longest=guard.LONGEST
    )
    known = {one.id for one in running}
    past = [one for one in sessions.latest(db.get(), staff.id) if one.id not in known]
    here = passwords.place(now)
    return render_template(
        "office/sessions.html",
        running=[_row(one, mine, here) for one in running],
        past=[_row(one, mine, here) for one in past],
        mine=mine.id if mine else "",
    )


@bp.post("/sessions")
@guard.roles(*people.ROLES)
def end() -> Response:
    """End one session of this account, or all but this one."""
    staff, mine, now = work.staff(), guard.current_session() or abort(403), clock.now()
    which = request.form.get("session", "")
    if which == mine.id:
        guard.sign_out()
        return redirect(url_for("auth.login"), 303)
    if which:
        job: Callable[[Connection], bool | int] = partial(
            sessions.end, id=which, staff=staff.id, username=staff.username,
            action="staff.end_session", now=now,
        )  # fmt: skip
        flash(t("people.session_ended") if services().writer.run(job) else t("people.session_gone"))
    else:
        job = partial(sessions.end_others, staff=staff.id, username=staff.username, but=mine.id,
                      now=now)  # fmt: skip
        flash(t("people.sessions_ended", n=services().writer.run(job)))
    return redirect(url_for(".sessions"), 303)


@bp.get("/factor", endpoint="factor")
@guard.roles(*people.ROLES)
def factored() -> str:
    """Say whether there is a second step, and offer what can be done about it."""
    return _page({})


@bp.post("/factor")
@guard.roles(*people.ROLES)
def change() -> Response | str | tuple[str, int]:
    """Begin, confirm or end the second step, or make new codes for a lost telephone."""
    staff, do = work.staff(), request.form.get("do", "")
    steps = {"begin": _begin, "confirm": _confirm, "codes": _codes, "off": _off}
    if do not in steps:
        abort(400)
    if do == "confirm":
        return _confirm(staff)
    if fault := _wrong_password(staff):
        return _page({do: fault}), 422
    return steps[do](staff)


def _begin(staff: Staff) -> str:
    factor.demand()
    begun = services().writer.run(partial(factors.begin, staff=staff.id, now=clock.now()))
    return _page({}, begun=begun)


def _confirm(staff: Staff) -> Response | str | tuple[str, int]:
    now, typed = clock.now(), request.form.get("code", "")
    begun = factors.begun(db.get(), staff.id, now=now)
    if begun is None:
        flash(t("people.factor_stale"))
        return redirect(url_for(".factor"), 303)
    key, codes = services().settings.secret, factor.codes()
    hashes = [factor.hashed(key, staff.id, code) for code in codes]

    def check(store: Connection) -> bool:
        step = factor.step(key, begun, typed, now)
        return step is not None and factors.confirm(
            store, begun, step=step, codes=hashes, username=staff.username, now=now
        )

    try:
        right = passwords.guarded(staff, check)
    except PausedError as pause:
        return _page({"confirm": t(pause.key, minutes=pause.minutes)}, begun=begun), 429
    if not right:
        return _page({"confirm": t("people.wrong_first")}, begun=begun), 422
    _raise(staff)
    return _page({}, codes=codes, fresh=True)


def _raise(staff: Staff) -> None:
    """Let this session count as one with a second step and end the others, which had none."""
    mine = guard.current_session() or abort(403)

    def job(store: Connection) -> None:
        with db.write(store):
            sessions.raised(store, mine.id)
            sessions.end_all(store, staff.id, now=clock.now(), but=mine.id)

    services().writer.run(job)


def _codes(staff: Staff) -> str:
    codes = factor.codes()
    hashes = [factor.hashed(services().settings.secret, staff.id, code) for code in codes]
    job = partial(
        factors.renew, staff=staff.id, codes=hashes, username=staff.username, now=clock.now()
    )
    try:
        services().writer.run(job)
    except LookupError:
        raise Refused("no_factor", 409) from None
    return _page({}, codes=codes)


def _off(staff: Staff) -> Response:
    if staff.role in services().settings.demand_factor:
        raise Refused("factor_demanded", 409)
    try:
        changed = services().writer.run(partial(people.drop_factor, id=staff.id, now=clock.now()))
    except LookupError:
        raise Refused("no_factor", 409) from None
    guard.sign_in(changed)
    flash(t("people.factor_gone"))
    return redirect(url_for(".factor"), 303)


def _wrong_password(staff: Staff) -> str:
    """Return what is wrong with the password that every change here asks for."""
    secret = request.form.get("password", "")
    if not secret:
        return t("staff.need_current")
    try:
        known = passwords.verified(staff.username, secret, "staff.confirm")
    except PausedError as pause:
        return t(pause.key, minutes=pause.minutes)
    return "" if known else t("staff.wrong_current")


def _page(
    faults: dict[str, str], *, begun: Factor | None = None, codes: list[str] | None = None,
    fresh: bool = False,
) -> str:  # fmt: skip
    staff, key = work.staff(), services().settings.secret
    held = factors.held(db.get(), staff.id)
    address = factor.address(key, begun, staff.username) if begun else ""
    secret = factor.secret(key, begun) if begun else ""
    return render_template(
        "office/factor.html",
        faults=faults,
        since=day(held.confirmed_at) if held and held.confirmed_at else "",
        left=factors.left(db.get(), staff.id) if held else 0,
        begun=begun is not None,
        address=address,
        picture=factor.picture(address) if begun else "",
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        codes=codes,
        fresh=fresh,
        demanded=staff.role in services().settings.demand_factor,
        few=bool(held) and factors.left(db.get(), staff.id) == 0,
    )


def _row(one: Session, mine: Session | None, here: str) -> dict[str, object]:
    """Return a session as people read it; where it was is known for one day only."""
    place = ""
    if (
        mine
        and one.id != mine.id
        and clock.day(clock.moment(one.began_at)) == clock.day(clock.now())
    ):
        place = t("people.same_place" if one.place == here else "people.other_place")
    return {
        "id": one.id,
        "device": one.device,
        "place": place,
        "factor": one.factor,
        "began": f"{hour(one.began_at)} {day(one.began_at)}",
        "seen": f"{hour(one.seen_at)} {day(one.seen_at)}",
        "here": mine is not None and one.id == mine.id,
    }
