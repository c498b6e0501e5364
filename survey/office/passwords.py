"""Passwords of the staff: which are good enough, and how slowly they may be guessed."""

from __future__ import annotations

from functools import partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from flask import request
from flask_wtf import FlaskForm
from wtforms import PasswordField, ValidationError
from wtforms.validators import InputRequired

from survey import db, services
from survey.store import audit, clock, factors, people, rates
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from sqlite3 import Connection

    from wtforms import Field

    from survey.store.people import Staff

#: Wrong passwords before an account pauses, and how long (seconds).
TRIES, PAUSE = 5, 15 * 60
#: Wrong passwords from one address (a whole office may stand behind it) in the same time.
TRIES_OF_ADDRESS = 50
#: Wrong codes of the second step in a day; a million codes are too many for so few tries.
CODES_A_DAY, DAY = 20, 24 * 3600
#: Passwords checked at once (each takes 32 MB), and how long one waits for a turn (seconds):
#: a flood of logins must leave memory and threads for the people who answer.
CHECKS, PATIENCE = 4, 2
#: NIST SP 800-63B (2024): 15 characters where a password stands alone, 8 beside a second factor;
#: no composition rules.
SHORTEST, BESIDE, LONGEST = 15, 8, 200
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


class NewPassword(FlaskForm):  # type: ignore[misc]
    """A new password, entered twice; ``username`` and ``shortest`` are set by the view."""

    new = PasswordField(t("staff.new"), [InputRequired(t("staff.need_new"))])
    again = PasswordField(t("staff.again"), [InputRequired(t("staff.need_again"))])
    owner = ""
    shortest = SHORTEST

    def validate_new(self, field: Field) -> None:
        """Refuse what is short, repeated or built on the user name."""
        if fault := weakness(field.data, self.owner, self.shortest):
            raise ValidationError(fault)

    def validate_again(self, field: Field) -> None:
        """Refuse a second entry that differs from the first."""
        if field.data != self.new.data:
            raise ValidationError(t("staff.differ"))


def weakness(password: str, username: str, shortest: int = SHORTEST) -> str:
    """Return why ``password`` may not be used, in Vietnamese, or "" when it may."""
    plain = people.plain(password)
    if len(plain) < shortest:
        return t("staff.too_short", count=len(plain), least=shortest)
    if len(plain) > LONGEST:
        return t("staff.too_long", count=len(plain))
    if len(username) >= NAME_COUNTS and username.casefold() in plain.casefold():
        return t("staff.has_username")
    return t("staff.too_plain") if len(set(plain)) < PLAINEST else ""


def short(password: str) -> bool:
    """Say whether a password is too short to stand without a second factor."""
    return len(people.plain(password)) < SHORTEST


def verified(username: str, secret: str, action: str) -> Staff | None:
    """Return the account if name and password are right; every try is counted before it is made.

    An unknown name takes the same steps as a known one: one count, one scrypt, one audit row.
    The row of somebody who still has to show a second factor says so.
    """
    now, writer = clock.now(), services().writer
    account, address = counters(username, now)
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
    half = right and found is not None and action == "staff.login"
    half = half and factors.held(db.get(), found.id if found else 0) is not None

    def conclude(store: Connection) -> None:
        if right:
            rates.clear(store, account)
            rates.sweep(store, now=now)
        else:
            rates.hit(store, address, PAUSE, TRIES_OF_ADDRESS, now=clock.now())
        result = "staff.login_password" if half else action if right else f"{action}_refused"
        subject = found.username if found else ""
        audit.append(store, at=now, actor=actor, action=result, subject=subject)

    writer.run(conclude)
    return found if right else None


def guarded(staff: Staff, check: Callable[[Connection], bool]) -> bool:
    """Count one try at a code of the second step, then check it in a transaction of its own.

    Raises PausedError after too many wrong ones in a quarter of an hour, or in a day.
    """
    secret, today, writer = services().settings.secret, clock.day(clock.now()), services().writer
    short, long = (
        rates.masked(secret, f"{kind} {staff.id}", today) for kind in ("code", "codes of a day")
    )

    def count(store: Connection) -> None:
        now = clock.now()
        if wait := rates.hit(store, short, PAUSE, TRIES, now=now):
            raise PausedError("staff.paused_code", wait)
        if wait := rates.hit(store, long, DAY, CODES_A_DAY, now=now):
            raise PausedError("staff.paused_code", wait)

    def conclude(store: Connection) -> bool:
        if right := check(store):
            rates.clear(store, short)
            rates.clear(store, long)
        else:
            actor, name = f"staff:{staff.username}", staff.username
            audit.append(store, at=clock.now(), actor=actor, action="factor.refused", subject=name)
        return right

    writer.run(count)
    return bool(writer.run(conclude))


def _count(store: Connection, *, account: str) -> None:
    now = clock.now()  # in the writer's turn: tries counted in another order would look like a
    # clock set back, which begins the count anew
    if wait := rates.hit(store, account, PAUSE, TRIES, now=now):
        raise PausedError("staff.paused", wait)


def counters(username: str, now: datetime) -> tuple[str, str]:
    """Return the keys of both counters; neither name nor address can be read back from them."""
    secret, today = services().settings.secret, clock.day(now)
    login = f"login {people.login_name(username)}"
    return rates.masked(secret, login, today), place(now, "address")


def place(now: datetime, kind: str = "session") -> str:
    """Return a name for where a request comes from, good for one day."""
    address = f"{kind} {request.remote_addr}"
    return rates.masked(services().settings.secret, address, clock.day(now))
