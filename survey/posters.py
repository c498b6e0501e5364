"""Staff print the signs of their counters here; citizens type the short address of a sign."""

from __future__ import annotations

from functools import partial
from io import BytesIO

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from survey import db, guard, services, signs, tokens
from survey.store import Refused, clock, doors, rates, units, waves
from survey.text import LANGUAGES, t

bp = Blueprint("posters", __name__)

#: Wrong codes from one address in ten minutes: an office's worth of typing errors.
WINDOW, GUESSES = 600, 60


@bp.get("/doors")
@guard.roles("administrator")
def listed() -> str:
    """List the counters of a wave with what can be printed for them."""
    every = waves.all(db.get())
    asked = request.args.get("wave", "")
    chosen = next((wave for wave in every if wave.key == asked), None)
    if asked and chosen is None:
        abort(404, t("staff.no_wave"))
    now = clock.now()
    chosen = chosen or next((w for w in every if w.is_open(now)), every[0] if every else None)
    found = doors.of_wave(db.get(), chosen.key) if chosen else []
    return render_template(
        "staff/doors.html",
        waves=every,
        wave=chosen,
        rows=[_row(door) for door in found if _mine(door.unit)],
        synthetic=chosen.synthetic if chosen else False,
    )


@bp.get("/doors/<int:number>/poster.pdf")
@guard.roles("administrator")
def poster(number: int) -> Response:
    """Send the poster, the desk stand or the stickers of one door as PDF."""
    from survey.printing.poster import SIZES, write

    try:
        door = doors.get(db.get(), number)
    except LookupError:
        abort(404, t("poster.no_door"))
    guard.scope(door.unit)
    size, language = request.args.get("size", SIZES[0]), request.args.get("lang", LANGUAGES[0])
    if size not in SIZES or language not in LANGUAGES:
        abort(404)
    try:
        sign = signs.of(db.get(), services().settings.secret, _root(), door, language)
        file = BytesIO()
        write([sign], size, file)
    except ValueError as fault:
        abort(422, str(fault) if isinstance(fault, signs.AddressError) else t("poster.too_long"))
    answer = Response(file.getvalue(), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="sipas-{number}-{size}.pdf"'
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


def _mine(unit: str) -> bool:
    staff = guard.current_staff()
    return staff is not None and (not staff.unit or staff.unit in units.path(db.get(), unit))


def _row(door: doors.Door) -> dict[str, object]:
    secret = services().settings.secret
    return {
        "door": door,
        "unit": units.name(db.get(), door.unit),
        "place": door.label or signs.spot(door, LANGUAGES[0]) or str(door.id),
        "token": tokens.issue(secret, door.kind, door.id),
        "short": signs.code(secret, door.id),
    }


def _root() -> str:
    """Return the public address: as set, or as this browser reached us."""
    return signs.root(otherwise=request.host_url)
