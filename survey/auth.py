"""Signing in and out of the staff side, and changing one's own password."""

from __future__ import annotations

from functools import partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired

from survey import db, guard, rooms, services
from survey.store import audit, clock, people, rates
from survey.text import t

if TYPE_CHECKING:
    from datetime import datetime
    from sqlite3 import Connection

    from werkzeug.wrappers import Response
    from wtforms import Field

    from survey.store.people import Staff

bp = Blueprint("auth", __name__)

#: Wrong passwords before an account pauses, and how long (seconds).
TRIES, PAUSE = 5, 15 * 60
#: Wrong passwords from one address (a whole office may stand behind it) in the same time.
TRIES_OF_ADDRESS = 50
#: Passwords checked at once (each takes 32 MB), and how long one waits for a turn (seconds):
#: a flood of logins must leave memory and threads for the people who answer.
CHECKS, PATIENCE = 4, 2
#: NIST SP 800-63B (2024): 15 characters where a password stands alone, no composition rules.
SHORTEST, LONGEST = 15, 200
#: A user name this long may not stand inside a password; a shorter one is part of many words.
NAME_COUNTS = 4
#: Fewer different characters than this is a repeated pattern, not a sentence.
PLAINEST = 6


_checks = BoundedSemaphore(CHECKS)


class PausedError(Exception):
    """Too many wrong passwords; ``minutes`` until the next try is looked at."""

    def __init__(self, key: str, seconds: int) -> None:
        super().__init__(key)
        self.key = key
        self.minutes = -(-seconds // 60)


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Name and password."""

    username = StringField(t("staff.username"), [InputRequired(t("staff.need_username"))])
    password = PasswordField(t("staff.secret"), [InputRequired(t("staff.need_secret"))])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The current password once, the new one twice."""

    current = PasswordField(t("staff.current"), [InputRequired(t("staff.need_current"))])
    new = PasswordField(t("staff.new"), [InputRequired(t("staff.need_new"))])
    again = PasswordField(t("staff.again"), [InputRequired(t("staff.need_again"))])

    def validate_new(self, field: Field) -> None:
        """Refuse what is short, repeated, the old password or built on the user name."""
        staff = guard.current_staff()
        if staff and (fault := weakness(field.data, staff.username)):
            raise ValidationError(fault)
        if people.plain(field.data) == people.plain(self.current.data or ""):
            raise ValidationError(t("staff.same"))

    def validate_again(self, field: Field) -> None:
        """Refuse a second entry that differs from the first."""
        if field.data != self.new.data:
            raise ValidationError(t("staff.differ"))


def weakness(password: str, username: str) -> str:
    """Return why ``password`` may not be used, in Vietnamese, or "" when it may."""
    plain = people.plain(password)
    if len(plain) < SHORTEST:
        return t("staff.too_short", count=len(plain))
    if len(plain) > LONGEST:
        return t("staff.too_long", count=len(plain))
    if len(username) >= NAME_COUNTS and username.casefold() in plain.casefold():
        return t("staff.has_username")
    return t("staff.too_plain") if len(set(plain)) < PLAINEST else ""


@bp.route("/login", methods=["GET", "POST"])
@guard.public
def login() -> Response | str | tuple[str, int]:
    """Let one of the staff in."""
    form = LoginForm()
    if request.method == "GET" and guard.current_staff():
        return redirect(_wished(), 303)
    note, status = (t("staff.expired") if request.args.get("expired") else ""), 200
    if form.validate_on_submit():
        try:
            staff = _verified(form.username.data, form.password.data, "staff.login")
        except PausedError as pause:
            note, status = t(pause.key, minutes=pause.minutes), 429
        else:
            if staff:
                guard.sign_in(staff)
                return redirect(_wished(), 303)
            note, status = t("staff.wrong_login"), 422
    elif form.errors:
        note, status = (t("staff.form_expired") if form.csrf_token.errors else ""), 422
    return render_template("auth/login.html", form=form, note=note, bad=status != 200), status


@bp.post("/logout")
@guard.roles(*people.ROLES)
def logout() -> Response:
    """End every session of this account: a desk shared by many must not keep one alive."""
    staff = guard.current_staff() or abort(403)
    services().writer.run(lambda store: people.end_sessions(store, staff.id, now=clock.now()))
    guard.sign_out()
    return redirect(url_for(".login"), 303)


@bp.route("/password", methods=["GET", "POST"])
@guard.roles(*people.ROLES)
def password() -> Response | str | tuple[str, int]:
    """Change one's own password; all other sessions of the account end."""
    staff = guard.current_staff() or abort(403)
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            known = _verified(staff.username, form.current.data, "staff.confirm")
        except PausedError as pause:
            form.current.errors = [t(pause.key, minutes=pause.minutes)]
        else:
            if known:
                return _changed(known, form.new.data)
            form.current.errors = [t("staff.wrong_current")]
    page = render_template("auth/password.html", form=form, first=staff.must_change)
    return (page, 422) if form.errors else page


def _changed(staff: Staff, secret: str) -> Response:
    kept = people.hashed(secret)
    store = partial(people.set_password, id=staff.id, password_hash=kept, now=clock.now())
    guard.sign_in(services().writer.run(store))
    flash(t("staff.changed"))
    return redirect(rooms.home(), 303)


def _verified(username: str, secret: str, action: str) -> Staff | None:
    """Return the account if name and password are right; every try is counted before it is made.

    An unknown name takes the same steps as a known one: one count, one scrypt, one audit row.
    """
    now, writer = clock.now(), services().writer
    account, address = _counters(username, now)
    if wait := rates.waiting(db.get(), address, PAUSE, TRIES_OF_ADDRESS, now=now):
        raise PausedError("staff.paused_address", wait)
    if not _checks.acquire(timeout=PATIENCE):
        raise PausedError("staff.busy", 0)
    try:
        writer.run(partial(_count, account=account))
        found = people.find(db.get(), username)
        right = people.matches(found, secret)
    finally:
        _checks.release()
    actor = f"staff:{found.username}" if found else "staff:"

    def conclude(store: Connection) -> None:
        if right:
            rates.clear(store, account)
            rates.sweep(store, now=now)
        else:
            rates.hit(store, address, PAUSE, TRIES_OF_ADDRESS, now=clock.now())
        result = action if right else f"{action}_refused"
        subject = found.username if found else ""
        audit.append(store, at=now, actor=actor, action=result, subject=subject)

    writer.run(conclude)
    return found if right else None


def _count(store: Connection, *, account: str) -> None:
    now = clock.now()  # in the writer's turn: tries counted in another order would look like a
    # clock set back, which begins the count anew
    if wait := rates.hit(store, account, PAUSE, TRIES, now=now):
        raise PausedError("staff.paused", wait)


def _counters(username: str, now: datetime) -> tuple[str, str]:
    """Return the keys of both counters; neither name nor address can be read back from them."""
    secret, today = services().settings.secret, clock.day(now)
    login = f"login {people.login_name(username)}"
    address = f"address {request.remote_addr}"
    return rates.masked(secret, login, today), rates.masked(secret, address, today)


def _wished() -> str:
    """Return the page that was asked for before signing in, if it is one of ours."""
    wish = request.args.get("next", "")
    parts = urlsplit(wish)
    ours = wish.startswith("/") and not wish.startswith(("//", "/\\"))
    if ours and not parts.netloc and not parts.scheme and wish.isprintable():
        return wish
    return rooms.home()
