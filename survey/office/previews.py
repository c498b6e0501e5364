"""Previews: kiosk, telephone and paper form as citizens will see them, with nothing stored."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, request
from flask_wtf.csrf import generate_csrf

from forms import rules
from forms.language import OFFICIAL
from forms.questionnaire import Faulty, load, localized
from forms.web import from_form
from survey import db, guard, work
from survey.citizen import extras, pages, screens
from survey.store import Refused, clock, waves
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.questionnaire import Questionnaire
    from survey.citizen.pages import Look, Place
    from survey.citizen.screens import Screen

bp = Blueprint("previews", __name__, url_prefix="/office/preview/<of>/<key>")

#: An auditor only looks, and a preview is filled in.
ROLES = ("administrator", "analyst", "supervisor", "field_supervisor")
#: What stands where a receipt, or a form's number, will stand.
RECEIPT, SERIAL = "0000-0000", "000 000"


@bp.route("/phone", methods=["GET", "POST"])
@guard.roles(*ROLES)
def phone(of: str, key: str) -> Response:
    """Show the page of the telephone; what is sent is checked as ever and then forgotten."""
    place, look = _place(of, key), pages.look()
    if request.method == "GET":
        return _form(place, look)
    q = place.read(look)
    answers = from_form(q, request.form)
    beside = extras.read(request.form, asks_contact=place.contact_days > 0)
    given = {**answers, **beside.given}
    if request.form.get("go") == "stay":
        return _form(place, look, values=given)
    _, faults = rules.check(q, answers)
    if faults or beside.faults:
        notices = {fault.column: screens.notice(q, fault, look) for fault in faults}
        notices |= extras.notices(beside, look.language)
        heading = screens.heading(faults, look) if faults else ""
        return _form(place, look, 422, values=given, notices=notices, heading=heading)
    return _thanks(place, look, "qr")


@bp.route("/kiosk", methods=["GET", "POST"])
@guard.roles(*ROLES)
def kiosk(of: str, key: str) -> Response:
    """Show the kiosk screen by screen, as it goes without JavaScript."""
    place, look = _place(of, key), pages.look()
    if request.method == "GET":
        return _page(pages.draw("citizen/start.html", place, look))
    q, go = place.read(look), request.form.get("go", "next")
    if go == "start":
        return _screen(place, look, q, {}, screens.shown(q, {})[0])
    answers = from_form(q, request.form)
    here = screens.answered(q, request.form, answers, go)
    order = screens.shown(q, answers)
    at = order.index(here) if here else -1
    if here and go in {"stay", "back"}:
        return _screen(place, look, q, answers, order[max(0, at - (go == "back"))])
    _, faults = rules.check(q, answers)
    mine = {here.column, f"{here.column}.other"} if here else set()
    wrong = [fault for fault in faults if fault.column in mine]
    if here and here.kind != "consent" and wrong:
        return _screen(place, look, q, answers, here, screens.notice(q, wrong[0], look))
    if at + 1 < len(order):
        return _screen(place, look, q, answers, order[at + 1])
    return _thanks(place, look, "kiosk")


@bp.get("/paper.pdf")
@guard.roles(*ROLES)
def paper(of: str, key: str) -> Response:
    """Send the paper form as PDF; its codes lead to no case and its number is nobody's."""
    from survey.printing import form, stream

    place = _place(of, key)
    edition = request.args.get("edition", "normal")
    if edition not in form.EDITIONS:
        abort(404)
    q = localized(place.questionnaire, OFFICIAL, place.words)
    issuer = form.Issuer(place.owner or place.office, stamp=t("ribbon.preview"))
    try:
        laid = form.lay(q, issuer, edition)
    except form.TooLongError:
        raise Refused("form_too_long", 422, key=q.key) from None
    file = BytesIO()
    made = stream.Form(SERIAL, lambda number: f"SIPAS PREVIEW {number}")
    stream.write(laid, [made], file, title=f"{t('running.preview')}: {q.short}", sides=1)
    answer = Response(file.getvalue(), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="xem-truoc-{key}.pdf"'
    return answer


def _place(of: str, key: str) -> Place:
    """Return what the pages of a wave, or of a questionnaire alone, say; ends the request (404)."""
    try:
        if of == "wave":
            wave = waves.get(db.get(), key)
            work.demand(wave.owner)
            return pages.Place(
                wave.questionnaire, frozenset(wave.words.items()), wave.name, wave.name,
                wave.owner_name, wave.synthetic, wave.contact_days, "preview",
            )  # fmt: skip
        if of != "questionnaire":
            raise LookupError(of)
        q = load(key)
    except (LookupError, Faulty):
        abort(404)
    return pages.Place(key, frozenset(), q.short, q.short, "", False, 0, "preview")


def _form(place: Place, look: Look, status: int = 200, **facts: object) -> Response:
    return _page(pages.draw("citizen/form.html", place, look, **facts), status)


def _page(text: str, status: int = 200) -> Response:
    """Return a citizens' page whose form carries the token of the staff session."""
    hidden = b'<input type="hidden" name="csrf_token" value="%s">' % generate_csrf().encode()
    return Response(pages.cut(text, level=1).plain(hidden), status, content_type=pages.HTML)


def _thanks(place: Place, look: Look, channel: str) -> Response:
    at = clock.stamp(clock.now())
    text = pages.draw(
        "citizen/thanks.html", place, look, facts=("new", channel), receipt=RECEIPT,
        at=hour(at), on=day(at),
    )  # fmt: skip
    return Response(text, content_type=pages.HTML)


def _screen(
    place: Place,
    look: Look,
    q: Questionnaire,
    answers: Mapping[str, object],
    screen: Screen,
    notice: screens.Notice | None = None,
) -> Response:
    """Draw one question; the answers to all others travel in hidden fields."""
    order = screens.shown(q, answers)
    step = order.index(screen) + 1
    mine = {screen.column, f"{screen.column}.other"}
    carried = [
        (name, str(one))
        for name, value in answers.items()
        if name not in mine
        for one in (value if isinstance(value, list) else [value])
    ]
    held = answers.get(screen.column)
    if screen.kind in {"buttons", "consent"} and held is not None:
        carried.append(("was", str(held)))
    text = pages.draw(
        "citizen/ask.html", place, look, values=answers, carried=carried, screen=screen,
        step=step, total=len(order), last=step == len(order), notice=notice, seconds=0,
        sound="",
    )  # fmt: skip
    return _page(text, 422 if notice else 200)
