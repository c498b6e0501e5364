"""Who may see what: every view is public on purpose or names its roles, all else is refused."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadSignature
from werkzeug.exceptions import SecurityError

from survey import db, services
from survey.config import NotInitialised
from survey.office import devices
from survey.store import clock, factors, people, rates, sessions, units
from survey.text import t

if TYPE_CHECKING:
    from flask import Request
    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.people import Staff
    from survey.store.sessions import Session

View = TypeVar("View", bound=Callable[..., object])

#: A session nobody used for so long is over (seconds) ...
IDLE = 30 * 60
#: ... and so is any session after one working day.
LONGEST = 12 * 3600
#: The cookie is written again at most this often, not on each page; the row less often still.
REFRESH, SEEN = 60, 5 * 60
#: What a person with a first password may open before it is changed ...
BEFORE_CHANGE = frozenset({"auth.password", "auth.logout"})
#: ... and somebody of whom a second factor is demanded, before there is one.
BEFORE_FACTOR = BEFORE_CHANGE | {"account.factor", "account.change"}
#: What an auditor may send: only of the own account.
HARMLESS = frozenset({"auth", "account"})

#: Who reads the figures of a unit, its reports and its coverage.
READERS = ("administrator", "analyst", "supervisor", "viewer", "auditor")

csrf = CSRFProtect()


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, judged by the times written in it.

    Flask also refuses a signature from the future, so a server whose clock steps back a second
    would throw everybody out.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return what the cookie holds, or an empty session where it is not ours."""
        held = request.cookies.get(self.get_cookie_name(app))
        signer = self.get_signing_serializer(app) if held else None  # citizens have none to check
        if signer is None or not held:
            return self.session_class()
        try:
            return self.session_class(signer.loads(held))
        except BadSignature:
            return self.session_class()


def public(view: View) -> View:
    """Declare a view open to everybody; it is given no session and sets no cookie."""
    view.public = True  # type: ignore[attr-defined]
    return view


def roles(*names: str) -> Callable[[View], View]:
    """Declare which staff roles may open a view."""

    def mark(view: View) -> View:
        view.roles = frozenset(names)  # type: ignore[attr-defined]
        return view

    return mark


def init_app(app: Flask) -> None:
    """Refuse by default: nothing is served before ``_admit`` has decided."""
    if strange := set(app.extensions["sipas"].settings.demand_factor) - set(people.ROLES):
        raise NotInitialised(t("people.strange_role", roles=", ".join(sorted(strange))))
    csrf.init_app(app)
    app.session_interface = Sessions()
    app.before_request(_admit)
    app.after_request(_keep_private)
    app.jinja_env.globals.update(current_staff=current_staff, may=may)


def current_staff() -> Staff | None:
    """Return who is signed in, or None; read once a request.

    A session counts only while its account is enabled, its session version is the account's
    (a changed password ends all others) and neither the idle nor the longest time is over.
    """
    if "staff" not in g:
        g.staff = _signed_in()
    found: Staff | None = g.staff
    return found


def may(endpoint: str) -> bool:
    """Say whether who is signed in may open a view."""
    staff = current_staff()
    view = current_app.view_functions.get(endpoint)
    return staff is not None and staff.role in getattr(view, "roles", frozenset())


def scope(asked: str) -> str:
    """Return the unit whose figures may be shown when ``asked`` is wished, "" for all.

    Staff of a unit see that unit and what lies under it, whatever the address says; for those of
    the whole a unit that is not there is not found.
    """
    staff = current_staff() or abort(403)
    if not staff.unit:
        if asked:
            known(asked)
        return asked
    if not asked:
        return staff.unit
    if staff.unit not in units.path(db.get(), asked):
        abort(403, t("staff.refused_unit", unit=units.name(db.get(), asked)))
    return asked


def known(unit: str) -> None:
    """End the request (404) where an address names a unit that is not there."""
    if units.get(db.get(), unit) is None:
        abort(404, t("staff.no_scope"))


def system() -> Staff:
    """Return who is signed in when that is somebody of the whole instance, else refuse (403)."""
    staff = current_staff() or abort(403)
    if staff.unit:
        abort(403, t("staff.refused_page"))
    return staff


def owns(unit: str) -> Staff:
    """Return who is signed in when ``unit`` is theirs or lies under theirs, else refuse (403).

    For changes: looking at figures asks ``scope``.  The page does not name the other unit.
    """
    staff = current_staff() or abort(403)
    if staff.unit and staff.unit not in units.path(db.get(), unit):
        abort(403, t("staff.refused_page"))
    return staff


def sign_in(staff: Staff, *, factor: bool = False) -> None:
    """Begin a new session for ``staff``; whatever the old one held is gone (fixation).

    ``factor``: a second step was passed.  The cookie holds a random text whose digest is kept.
    """
    session.clear()
    token, now, began = secrets.token_urlsafe(24), clock.now(), int(time.time())
    address = f"session {request.remote_addr}"
    place = rates.masked(services().settings.secret, address, clock.day(now))
    begin = partial(
        sessions.begin, token=token, staff=staff.id, factor=factor, place=place, now=now,
        device=devices.words(request.user_agent.string),
    )  # fmt: skip
    g.session = services().writer.run(begin)
    session.update(staff=staff.id, version=staff.session_version, began=began, seen=began, id=token)
    g.staff = staff


def sign_out() -> None:
    """End the session of this browser, also for whoever holds a copy of its cookie."""
    staff, held = current_staff(), g.get("session")
    if staff and held:
        end = partial(
            sessions.end, id=held.id, staff=staff.id, username=staff.username,
            action="staff.logout", now=clock.now(),
        )  # fmt: skip
        services().writer.run(end)
    session.clear()
    g.staff = g.session = None


def current_session() -> Session | None:
    """Return the session of this browser, None where nobody is signed in."""
    return g.get("session") if current_staff() else None


def _signed_in() -> Staff | None:
    held, token = session.get("staff"), session.get("id")
    if not isinstance(held, int) or not isinstance(token, str):
        return None
    now = int(time.time())
    began, seen = session.get("began", 0), session.get("seen", 0)
    if now - began > LONGEST or now - seen > IDLE:
        return None
    staff, row = people.get(db.get(), held), sessions.get(db.get(), token)
    if staff is None or staff.disabled or staff.session_version != session.get("version"):
        return None
    if row is None or row.staff != staff.id:
        return None
    if now - seen > REFRESH:
        session["seen"] = now
    if (clock.now() - clock.moment(row.seen_at)).total_seconds() > SEEN:
        with suppress(db.NotStored):  # reading goes on where nothing can be written
            services().writer.later(partial(sessions.seen, id=row.id, now=clock.now()))
    g.session = row
    return staff


def lacks_factor(staff: Staff) -> bool:
    """Say whether a second factor is demanded of somebody who has none."""
    if staff.role not in services().settings.demand_factor or g.session.factor:
        return False
    return factors.held(db.get(), staff.id) is None


def _admit() -> BaseResponse | None:
    if isinstance(request.routing_exception, SecurityError):  # no address can be built here
        return Response(t("staff.wrong_host"), 400, content_type="text/plain; charset=utf-8")
    if request.endpoint is None:  # no such page: the router answers
        return None
    view = current_app.view_functions[request.endpoint]
    if getattr(view, "public", False):
        return None
    staff = current_staff()
    if staff is None:
        return _to_login()
    if staff.must_change and request.endpoint not in BEFORE_CHANGE:
        return redirect(url_for("auth.password"), 303)
    if request.endpoint not in BEFORE_FACTOR and lacks_factor(staff):
        return redirect(url_for("account.factor"), 303)
    if staff.role == "auditor" and request.method == "POST" and request.blueprint not in HARMLESS:
        abort(403, t("people.only_reads"))
    if staff.role not in getattr(view, "roles", frozenset()):
        abort(403, t("staff.refused_page"))
    csrf.protect()
    return None


def _to_login() -> BaseResponse:
    expired = "staff" in session
    if session:
        session.clear()
    wish = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=wish, expired=expired or None), 303)


def _keep_private(answer: Response) -> Response:
    view = current_app.view_functions.get(request.endpoint or "")
    if hasattr(view, "roles"):
        answer.headers["Cache-Control"] = "no-store"
    return answer
