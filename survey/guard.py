"""Who may see what: every view is public on purpose or names its roles, all else is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadSignature
from werkzeug.exceptions import SecurityError

from survey import db
from survey.store import people, units
from survey.text import t

if TYPE_CHECKING:
    from flask import Request
    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.people import Staff

View = TypeVar("View", bound=Callable[..., object])

#: A session nobody used for so long is over (seconds) ...
IDLE = 30 * 60
#: ... and so is any session after one working day.
LONGEST = 12 * 3600
#: The cookie is written again at most this often, not on each page.
REFRESH = 60
#: What a person with a first password may open before it is changed.
BEFORE_CHANGE = frozenset({"auth.password", "auth.logout"})

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

    Staff of a unit see that unit and what lies under it, whatever the address says.
    """
    staff = current_staff()
    if staff is None:
        abort(403)
    if not staff.unit:
        return asked
    if not asked:
        return staff.unit
    if staff.unit not in units.path(db.get(), asked):
        abort(403, t("staff.refused_unit", unit=units.name(db.get(), asked)))
    return asked


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


def sign_in(staff: Staff) -> None:
    """Begin a new session for ``staff``; whatever the old one held is gone (fixation)."""
    session.clear()
    now = int(time.time())
    session.update(staff=staff.id, version=staff.session_version, began=now, seen=now)
    g.staff = staff


def sign_out() -> None:
    """Forget the session of this browser."""
    session.clear()
    g.staff = None


def _signed_in() -> Staff | None:
    held = session.get("staff")
    if not isinstance(held, int):
        return None
    now = int(time.time())
    began, seen = session.get("began", 0), session.get("seen", 0)
    if now - began > LONGEST or now - seen > IDLE:
        return None
    staff = people.get(db.get(), held)
    if staff is None or staff.disabled or staff.session_version != session.get("version"):
        return None
    if now - seen > REFRESH:
        session["seen"] = now
    return staff


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
