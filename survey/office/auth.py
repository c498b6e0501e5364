"""Signing in, by password and second step, signing out, and changing one's own password."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired

from survey import db, guard, rooms, services
from survey.office import factor, passwords
from survey.office.passwords import PausedError
from survey.store import audit, clock, factors, people
from survey.text import t

if TYPE_CHECKING:
    from sqlite3 import Connection

    from werkzeug.wrappers import Response
    from wtforms import Field

    from survey.store.factors import Factor
    from survey.store.people import Staff

bp = Blueprint("auth", __name__)

#: How long after the password the second step may come (seconds).
HALFWAY = 5 * 60
#: From so few codes on, the page after signing in says how many are left.
FEW = 5


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Name and password."""

    username = StringField(t("staff.username"), [InputRequired(t("staff.need_username"))])
    password = PasswordField(t("staff.secret"), [InputRequired(t("staff.need_secret"))])


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The code of the telephone, or one for its loss."""

    code = StringField(t("people.code"), [InputRequired(t("people.need_code"))])


class PasswordForm(passwords.NewPassword):
    """The current password once, the new one twice."""

    current = PasswordField(t("staff.current"), [InputRequired(t("staff.need_current"))])
    new = PasswordField(t("staff.new"), [InputRequired(t("staff.need_new"))])
    again = PasswordField(t("staff.again"), [InputRequired(t("staff.need_again"))])

    def validate_new(self, field: Field) -> None:
        """Refuse a weak password, and the old one."""
        super().validate_new(field)
        if people.plain(field.data) == people.plain(self.current.data or ""):
            raise ValidationError(t("staff.same"))


@bp.route("/login", methods=["GET", "POST"])
@guard.public
def login() -> Response | str | tuple[str, int]:
    """Let one of the staff in, or lead on to the second step."""
    form = LoginForm()
    if request.method == "GET" and guard.current_staff():
        return redirect(_wished(), 303)
    note, status = (t("staff.expired") if request.args.get("expired") else ""), 200
    if form.validate_on_submit():
        try:
            staff = passwords.verified(form.username.data, form.password.data, "staff.login")
        except PausedError as pause:
            note, status = t(pause.key, minutes=pause.minutes), 429
        else:
            if staff:
                return _half(staff) if factors.held(db.get(), staff.id) else _in(staff)
            note, status = t("staff.wrong_login"), 422
    elif form.errors:
        note, status = (t("staff.form_expired") if form.csrf_token.errors else ""), 422
    return render_template("auth/login.html", form=form, note=note, bad=status != 200), status


@bp.route("/login/code", methods=["GET", "POST"])
@guard.public
def code() -> Response | str | tuple[str, int]:
    """Ask for the second step; without a password just before there is nothing to ask."""
    staff, form, note, status = _halfway(), CodeForm(), "", 200
    held = factors.held(db.get(), staff.id) if staff else None
    if staff is None or held is None:
        session.pop("half", None)
        return redirect(url_for(".login", next=request.args.get("next"), expired=True), 303)
    if form.validate_on_submit():
        try:
            key = services().settings.secret
            check = partial(_check, key=key, held=held, typed=form.code.data)
            right = passwords.guarded(staff, check)
        except PausedError as pause:
            note, status = t(pause.key, minutes=pause.minutes), 429
        else:
            if right:
                return _in(staff, typed=form.code.data)
            note, status = t("people.wrong_code"), 422
    elif form.errors:
        note, status = (t("staff.form_expired") if form.csrf_token.errors else ""), 422
    return render_template("auth/code.html", form=form, note=note), status


@bp.post("/logout")
@guard.roles(*people.ROLES)
def logout() -> Response:
    """End this session, also for whoever holds a copy of its cookie."""
    guard.sign_out()
    return redirect(url_for(".login"), 303)


@bp.route("/password", methods=["GET", "POST"])
@guard.roles(*people.ROLES)
def password() -> Response | str | tuple[str, int]:
    """Change one's own password; all other sessions of the account end."""
    staff, form = guard.current_staff() or abort(403), PasswordForm()
    form.owner = staff.username
    form.shortest = passwords.BESIDE if factors.held(db.get(), staff.id) else passwords.SHORTEST
    if form.validate_on_submit():
        try:
            known = passwords.verified(staff.username, form.current.data, "staff.confirm")
        except PausedError as pause:
            form.current.errors = [t(pause.key, minutes=pause.minutes)]
        else:
            if known:
                return _changed(known, form.new.data)
            form.current.errors = [t("staff.wrong_current")]
    page = render_template(
        "auth/password.html", form=form, first=staff.must_change, least=form.shortest
    )
    return (page, 422) if form.errors else page


def _changed(staff: Staff, secret: str) -> Response:
    store = partial(
        people.set_password, id=staff.id, password_hash=people.hashed(secret), now=clock.now(),
        short=passwords.short(secret),
    )  # fmt: skip
    held = guard.current_session()
    guard.sign_in(services().writer.run(store), factor=held is not None and held.factor)
    flash(t("staff.changed"))
    return redirect(rooms.home(), 303)


def _half(staff: Staff) -> Response:
    """Remember for some minutes that the password was right; nobody is signed in by that."""
    session.clear()
    session["half"] = [staff.id, staff.session_version, int(time.time())]
    return redirect(url_for(".code", next=request.args.get("next")), 303)


def _halfway() -> Staff | None:
    half = session.get("half")
    if not isinstance(half, list) or len(half) != 3 or time.time() - half[2] > HALFWAY:
        return None
    staff = people.get(db.get(), half[0])
    return staff if staff and not staff.disabled and staff.session_version == half[1] else None


def _check(store: Connection, *, key: bytes, held: Factor, typed: str) -> bool:
    """Spend a code; the telephone's and that for its loss are told apart by their letters."""
    now = clock.now()
    staff = people.get(store, held.staff)
    if staff is None:
        return False
    if factor.is_code(typed):
        step = factor.step(key, held, typed, now)
        right = step is not None and factors.use(store, held.staff, step)
    else:
        right = factors.recover(store, held.staff, factor.hashed(key, held.staff, typed), now=now)
    if right:
        kind = "telephone" if factor.is_code(typed) else "recovery"
        audit.append(
            store, at=now, actor=f"staff:{staff.username}", action="staff.login",
            subject=staff.username, detail={"factor": kind},
        )  # fmt: skip
    return right


def _in(staff: Staff, *, typed: str = "") -> Response:
    guard.sign_in(staff, factor=bool(typed))
    if typed and not factor.is_code(typed):
        flash(t("people.recovered", n=factors.left(db.get(), staff.id)))
    elif typed and (left := factors.left(db.get(), staff.id)) < FEW:
        flash(t("people.few_codes", n=left))
    return redirect(_wished(), 303)


def _wished() -> str:
    """Return the page that was asked for before signing in, if it is one of ours."""
    wish = request.args.get("next", "")
    parts = urlsplit(wish)
    ours = wish.startswith("/") and not wish.startswith(("//", "/\\"))
    if ours and not parts.netloc and not parts.scheme and wish.isprintable():
        return wish
    return rooms.home()
