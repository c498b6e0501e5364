"""The citizens' doors: one question a screen at the counter, one page on the phone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from forms import rules
from forms.web import from_form
from survey import guard, services, tokens
from survey.citizen import answering, extras, pages, screens, sound
from survey.errors import problem
from survey.store import kiosks
from survey.store.clock import now, stamp
from survey.store.responses import printed
from survey.text import clock, day, t

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection

    from forms.questionnaire import Questionnaire
    from survey.citizen.answering import Opened
    from survey.citizen.extras import Extras
    from survey.citizen.pages import Look
    from survey.citizen.screens import Screen
    from survey.store.doors import Settings

bp = Blueprint("kiosk", __name__)

START, ASK, FORM, THANKS, SCREENS = (
    "citizen/start.html",
    "citizen/ask.html",
    "citizen/form.html",
    "citizen/thanks.html",
    "citizen/screens.html",
)
#: Answers a kiosk may say it holds; more is no kiosk speaking.
MOST_UNSENT = 1_000_000


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's form as it was posted: the door, the look, the page token and the answers."""

    opened: Opened
    q: Questionnaire
    look: Look
    page: str
    answers: dict[str, object]
    beside: Extras


@bp.get("/k/<token>")
@guard.public
def start(token: str) -> Response:
    """Show the first screen of a kiosk."""
    return _empty(START, token)


@bp.get("/k/<token>/screens")
@guard.public
def all_screens(token: str) -> Response:
    """Show every screen of a kiosk in one document, which it runs by itself."""
    opened, look = answering.enter(token), pages.look()
    recorded = sound.recorded(opened.wave.questionnaire, look.language)
    body, mark = _book(
        opened.place,
        look,
        opened.door.kiosk,
        (token, screens.version(), *sorted(recorded.items())),
        opened.wave.partial == "keep",
    )
    answer = Response(body, content_type=pages.HTML)
    answer.set_etag(mark)
    answer.headers["Cache-Control"] = "public, no-cache"  # may be kept, is asked for each time
    answer.make_conditional(request)
    return answer


@lru_cache(maxsize=128)
def _book(
    place: pages.Place,
    look: Look,
    settings: Settings,
    facts: tuple[str | tuple[str, str], ...],
    keep: bool,
) -> tuple[bytes, str]:
    """Return a door's screens and their mark, rendered once."""
    token, version, *recorded = facts
    q, sounds = place.read(look), {}
    if settings.sound:
        sounds = dict(pair for pair in recorded if isinstance(pair, tuple))
    page = pages.draw(
        SCREENS,
        place,
        look,
        token=token,
        version=version,
        settings=asdict(settings),
        keep=keep,
        asked=[
            (screen, screens.complaints(q, screen, look), screens.heard(screen, sounds))
            for screen in screens.every(q)
        ],
    ).encode()
    return page, sha256(page).hexdigest()[:20]


@bp.post("/k/<token>/beat")
@guard.public
def beat(token: str) -> Response:
    """Note that a kiosk lives and what it still has to send; answer how it shall show itself."""
    opened = answering.reach(token, fresh=True)
    at = now()
    said = _said(request.get_data(), at) if request.content_length else None
    if said is None or opened.door.kind != "counter":
        return problem(422, "no_beat", t("kiosk.no_beat", pages.look().language))

    def job(db: Connection) -> None:
        kiosks.heard(db, opened.door.id, said, now=at)

    services().writer.run(job)
    body = {
        "settings": asdict(opened.door.kiosk),
        "version": screens.version(),
        "open": opened.wave.is_open(at) and opened.door.closed_at is None,
    }
    return Response(json.dumps(body), content_type="application/json")


def _said(body: bytes, at: datetime) -> kiosks.Beat | None:
    """Return what a kiosk says of itself, None when that is nothing a kiosk would say."""
    try:
        sent: dict[str, Any] = json.loads(body[:1000])
        unsent, version = sent["unsent"], sent["version"]
        oldest = _moment(sent["oldest_at"]) if sent.get("oldest_at") else None
        offset = round((_moment(sent["at"]) - at).total_seconds())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    if type(unsent) is not int or not 0 <= unsent <= MOST_UNSENT:
        return None
    if type(version) is not str or len(version) > 40 or not (version.isalnum() or not version):
        return None
    return kiosks.Beat(
        unsent=unsent,
        oldest_at=stamp(oldest) if oldest else None,
        version=version,
        clock_offset=offset,
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


@bp.get("/q/<token>")
@guard.public
def form(token: str) -> Response:
    """Show the whole questionnaire on one page."""
    return _empty(FORM, token)


@bp.post("/q/<token>")
@guard.public
def send(token: str) -> Response:
    """Store the phone form, or show it again with every answer kept."""
    opened, look = answering.reach(token), pages.look()
    q = opened.place.read(look)
    page, id, started = _page()
    beside = extras.read(request.form, asks_contact=opened.wave.contact_days > 0)
    visit = Visit(opened, q, look, page, _answers(q), beside)
    if request.form.get("go") == "stay":  # another size, contrast or language
        return _page_of(visit)
    clean, faults = rules.check(q, visit.answers)
    if faults or beside.faults or not id:
        answering.check_open(opened)
    if not id:
        return _page_of(visit, 422, lead=t("form.stale", look.language))
    if faults or beside.faults:
        notices = {f.column: screens.notice(q, f, look) for f in faults}
        notices |= extras.notices(beside, look.language)
        heading = screens.heading(faults, look) if faults else ""
        return _page_of(visit, 422, notices=notices, heading=heading)
    channel = "qr" if opened.door.kind == "counter" else "link"
    return _store(visit, clean, channel=channel, id=id, started=started)


@bp.post("/k/<token>")
@guard.public
def ask(token: str) -> Response:
    """Take one tap and show the next question; after the last one, store all."""
    opened, look = answering.reach(token), pages.look()
    q, go = opened.place.read(look), request.form.get("go", "next")
    if go == "start":
        answering.check_open(opened)
        visit = Visit(opened, q, look, answering.new_page(), {}, extras.NOTHING)
        return _screen(visit, screens.shown(q, {})[0])
    page, id, started = _page()
    beside = extras.read(request.form, asks_contact=opened.wave.contact_days > 0)
    visit = Visit(opened, q, look, page, _answers(q), beside)
    if unfinished := _unfinished(visit, go):
        return unfinished
    clean, faults = rules.check(q, visit.answers)
    if faults:
        notice = screens.notice(q, faults[0], look)
        return _screen(visit, _of(q, visit.answers, faults[0]), notice)
    last = screens.shown(q, visit.answers)[-1]
    if beside.faults:
        return _screen(visit, last, next(iter(extras.notices(beside, look.language).values())))
    if not id:
        stale = screens.Notice("", "answers", "", t("form.stale", look.language))
        return _screen(visit, last, stale)
    return _store(visit, clean, channel="kiosk", id=id, started=started)


def _unfinished(visit: Visit, go: str) -> Response | None:
    """Return the next screen to show, None when every question has been shown."""
    q, answers = visit.q, visit.answers
    here = screens.answered(q, request.form, answers, go)
    if here is None:
        return None
    if go in {"stay", "back"}:
        return _screen(visit, _before(q, answers, here, go))
    _, faults = rules.check(q, answers)
    mine = {here.column, f"{here.column}.other"}
    if here.kind != "consent" and (wrong := [f for f in faults if f.column in mine]):
        return _screen(visit, here, screens.notice(q, wrong[0], visit.look))
    if after := _after(q, answers, here):
        answering.check_open(visit.opened)
        return _screen(visit, after)
    return None


def _empty(template: str, token: str) -> Response:
    opened, look = answering.enter(token), pages.look()
    page = pages.rendered(template, opened.place, look)
    return pages.reply(page, pages.hidden_token(answering.new_page()))


def _answers(q: Questionnaire) -> dict[str, object]:
    return from_form(q, request.form)


def _page() -> tuple[str, str, datetime | None]:
    """Return the page token, its response id ("" when it is not ours) and when it was given out.

    A page that lost its token gets a new one and is shown again: nobody answers twice for that.
    """
    page = request.form.get("page", "")
    try:
        id, at = tokens.read_page(services().settings.secret, page)
    except LookupError:
        return answering.new_page(), "", None
    return page, id, at


def _page_of(visit: Visit, status: int = 200, **facts: object) -> Response:
    shown = {"values": {**visit.answers, **visit.beside.given}, **facts}
    drawn = pages.cut(pages.draw(FORM, visit.opened.place, visit.look, **shown), level=5)
    answer = pages.reply(drawn, pages.hidden_token(visit.page))
    answer.status_code = status
    return answer


def _store(
    visit: Visit,
    answers: Mapping[str, object],
    *,
    channel: str,
    id: str,
    started: datetime | None,
) -> Response:
    opened, look = visit.opened, visit.look
    stored = answering.keep(
        opened,
        answers,
        id=id,
        channel=channel,
        language=look.language,
        started_at=started,
        submitted_at=now(),
        assisted_by=visit.beside.assisted_by,
        contact=visit.beside.contact,
    )
    facts = ("new" if stored.new else "again", channel)
    page = pages.fill(
        pages.gapped(THANKS, opened.place, look, facts),
        receipt=printed(stored.receipt),
        at=clock(stored.received_at),
        on=day(stored.received_at),
    )
    return Response(page, 201 if stored.new else 200, content_type=pages.HTML)


def _screen(visit: Visit, screen: Screen, notice: screens.Notice | None = None) -> Response:
    """Draw one question; the answers to all others travel in hidden fields."""
    opened, look, answers = visit.opened, visit.look, visit.answers
    order = screens.shown(visit.q, answers)
    step = order.index(screen) + 1
    last = step == len(order)
    mine = {screen.column, f"{screen.column}.other"}
    carried = [("page", visit.page)]
    for name, value in answers.items():
        if name not in mine:
            carried += [(name, str(v)) for v in (value if isinstance(value, list) else [value])]
    if not last:  # the last screen has fields for them
        carried += visit.beside.given.items()
    held = answers.get(screen.column)
    if screen.kind in {"buttons", "consent"} and held is not None:
        carried.append(("was", str(held)))
    recorded = sound.recorded(opened.wave.questionnaire, look.language)
    text = pages.draw(
        ASK,
        opened.place,
        look,
        values=answers,
        beside=visit.beside.given,
        wrong=extras.notices(visit.beside, look.language) if notice else {},
        carried=carried,
        screen=screen,
        step=step,
        total=len(order),
        last=last,
        notice=notice,
        seconds=opened.door.kiosk.idle,
        sound=opened.door.kiosk.sound and screens.heard(screen, recorded),
    )
    return Response(text, 422 if notice else 200, content_type=pages.HTML)


def _before(q: Questionnaire, answers: Mapping[str, object], here: Screen, go: str) -> Screen:
    order = screens.shown(q, answers)
    return order[max(0, order.index(here) - (go == "back"))]


def _after(q: Questionnaire, answers: Mapping[str, object], here: Screen) -> Screen | None:
    order = screens.shown(q, answers)
    rest = order[order.index(here) + 1 :]
    return rest[0] if rest else None


def _of(q: Questionnaire, answers: Mapping[str, object], fault: rules.Fault) -> Screen:
    """Return the screen that mends a fault; the first one for what no screen asks."""
    order = screens.shown(q, answers)
    names = {
        fault.column,
        fault.column.removesuffix(".other"),
        f"consent_{fault.facts.get('consent')}",
    }
    return next((screen for screen in order if screen.column in names), order[0])
