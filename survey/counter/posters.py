"""Staff print the signs of their counters here; citizens type the short address of a sign."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from survey import db, guard, services, tokens
from survey.counter import signs
from survey.store import Refused, clock, doors, rates, units, waves
from survey.text import LANGUAGES, t

if TYPE_CHECKING:
    from survey.store.waves import Wave

bp = Blueprint("posters", __name__)

#: Wrong codes from one address in ten minutes: an office's worth of typing errors.
WINDOW, GUESSES = 600, 60
#: Counters in one file (a second of work for thirty); more are printed by the command.
MOST = 300


@bp.get("/doors")
@guard.roles("administrator")
def listed() -> str:
    """List the counters of a wave with what can be printed for them."""
    every, asked = waves.all(db.get()), request.args.get("wave", "")
    if asked:
        chosen: Wave | None = _wave(asked)
    else:
        now = clock.now()
        mine = (w for w in every if w.is_open(now) and not w.trial_of and _counters(w))
        chosen = next(mine, every[0] if every else None)
    rows = [_row(door) for door in _counters(chosen)] if chosen else []
    return render_template(
        "staff/doors.html",
        waves=every,
        wave=chosen,
        rows=rows,
        open=sum(not row["closed"] for row in rows),
        synthetic=chosen.synthetic if chosen else False,
    )


@bp.get("/doors/<int:number>/poster.pdf")
@guard.roles("administrator")
def poster(number: int) -> Response:
    """Send the poster, the desk stand or the stickers of one door as PDF."""
    try:
        door = doors.get(db.get(), number)
    except LookupError:
        abort(404, t("poster.no_door"))
    guard.owns(door.unit)
    return _printed([door], str(number))


@bp.get("/doors/posters.pdf")
@guard.roles("administrator")
def posters() -> Response:
    """Send those of every open counter of a wave, one after the other."""
    wave = _wave(request.args.get("wave", ""))
    found = [door for door in _counters(wave) if not door.closed_at]
    if not found:
        abort(404, t("doors.none"))
    if len(found) > MOST:
        abort(422, t("poster.too_many", most=MOST))
    return _printed(found, wave.key)


def _printed(found: list[doors.Door], name: str) -> Response:
    from survey.printing.poster import SIZES, write

    size, language = request.args.get("size", SIZES[0]), request.args.get("lang", LANGUAGES[0])
    if size not in SIZES or language not in LANGUAGES:
        abort(404)
    secret, file = services().settings.secret, BytesIO()
    try:
        root = _root()
        write((signs.of(db.get(), secret, root, door, language) for door in found), size, file)
    except signs.AddressError as fault:
        abort(422, str(fault))
    except ValueError:
        abort(422, t("poster.too_long"))
    answer = Response(file.getvalue(), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="sipas-{name}-{size}.pdf"'
    return answer


@bp.get("/m/<code>")
@guard.public
def typed(code: str) -> BaseResponse:
    """Lead from the short address of a poster to the form it stands for."""
    secret, now = services().settings.secret, clock.now()
    address = rates.masked(secret, request.remote_addr or "", clock.day(now))
    key = f"sign:{address}"
    if wait := rates.waiting(db.get(), key, WINDOW, GUESSES, now=now):
        raise Refused("too_fast", 429, seconds=wait)
    try:
        door = doors.get(db.get(), signs.read(secret, code))
        if door.kind != "counter":
            raise LookupError(code)
    except LookupError:
        services().writer.run(partial(rates.hit, key=key, window=WINDOW, limit=GUESSES, now=now))
        abort(404)
    return redirect(url_for("kiosk.form", token=tokens.issue(secret, door.kind, door.id)), 303)


def _wave(key: str) -> Wave:
    try:
        return waves.get(db.get(), key)
    except LookupError:
        abort(404, t("staff.no_wave"))


def _counters(wave: Wave) -> list[doors.Door]:
    """Return the wave's counters of this person's unit and what lies under it."""
    staff = guard.current_staff() or abort(403)
    found = doors.of_wave(db.get(), wave.key)
    return [d for d in found if not staff.unit or staff.unit in units.path(db.get(), d.unit)]


def _row(door: doors.Door) -> dict[str, object]:
    secret = services().settings.secret
    return {
        "number": door.id,
        "closed": bool(door.closed_at),
        "unit": units.name(db.get(), door.unit),
        "place": door.label or signs.spot(door, LANGUAGES[0]) or str(door.id),
        "token": tokens.issue(secret, door.kind, door.id),
        "short": signs.code(secret, door.id),
    }


def _root() -> str:
    """Return the public address: as set, or as this browser reached us."""
    return signs.root(otherwise=request.host_url)
