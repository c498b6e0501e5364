"""What every citizens' door does: open a token, hold back a flood, store one checked response."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar, Unpack
from uuid import uuid4

from flask import abort, current_app, g, has_request_context, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from werkzeug.http import parse_cookie

from forms.questionnaire import load
from survey import db, services, tokens, trust
from survey.citizen.pages import Place
from survey.store import Refused, clock, doors, responses, units, waves

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from survey.store.doors import Door
    from survey.store.waves import Wave

#: A door may send this many answers at once, and then this many a second: far above any office
#: (a whole village on one address included), far below what fills a disk in a night.
BURST, STEADY = 100_000.0, 50.0


Held = TypeVar("Held")


@dataclass(frozen=True, slots=True)
class Opened:
    """A door that takes answers now, with its wave and what its pages say."""

    door: Door
    wave: Wave
    place: Place


def find(token: str, *, fresh: bool = True) -> Opened:
    """Return what a token opens, whether or not it takes answers.

    Raises
    ------
    LookupError
        Forged, malformed, or its door is gone.
    """
    known = _mine(Known)
    mark = _mark(services().settings.database) if fresh else None
    opened = known.get(token, mark)
    if opened is None:
        mark = mark or _mark(services().settings.database)
        opened = _read(token)
        known.put(token, mark, opened)
    g.place = opened.place
    return opened


def _read(token: str) -> Opened:
    kind, number = tokens.read(services().settings.secret, token)
    door = doors.get(db.get(), number)
    if door.kind != kind:
        raise LookupError(token)
    wave = waves.get(db.get(), door.wave)
    return Opened(door, wave, _place(door, wave))


Mark = tuple[int, ...]


def _mark(database: Path) -> Mark:
    """Return something that changes with every commit: size and time of the file and its log."""
    found: Mark = ()
    for path in (database, f"{database}-wal"):
        try:
            now = os.stat(path)  # noqa: PTH116 - half the cost of Path.stat, on every page
        except OSError:
            continue
        found += (now.st_ino, now.st_size, now.st_mtime_ns)
    return found


class Known:
    """What tokens opened a moment ago: a page costs no query while nothing was written.

    An entry counts while the database's mark is the same, and never longer than ``LASTING``
    seconds, for two writes may fall into one tick of the file system's clock.
    """

    LASTING, MOST = 1.0, 2000

    def __init__(self) -> None:
        self._held: dict[str, tuple[Mark, float, Opened]] = {}

    def get(self, token: str, mark: Mark | None) -> Opened | None:
        """Return what the token opened, if that still holds; any mark will do for None."""
        held = self._held.get(token)
        if held is None or (mark and held[0] != mark) or time.monotonic() > held[1]:
            return None
        return held[2]

    def put(self, token: str, mark: Mark, opened: Opened) -> None:
        """Remember what the token opened when the mark was taken."""
        if len(self._held) >= self.MOST:
            self._held = {}
        self._held[token] = (mark, time.monotonic() + self.LASTING, opened)


def enter(token: str) -> Opened:
    """Return what a token opens now.

    404 when it opens nothing, 410 when the time is over, 409 when its one answer was given.
    """
    opened = reach(token, fresh=True)
    check_open(opened)
    if opened.door.kind != "counter" and responses.answered(db.get(), opened.door):
        raise Refused("answered", 409)
    return opened


def reach(token: str, *, fresh: bool = False) -> Opened:
    """Return what a token opens, 404 when nothing; an answer sent again needs no open door.

    Unless ``fresh``, what was known a moment ago will do: the store itself decides whether
    answers are taken.
    """
    try:
        return find(token, fresh=fresh)
    except LookupError:
        abort(404)


def check_open(opened: Opened) -> None:
    """Raise Refused ``closed`` (410) when no new answer may come through this door."""
    now = clock.now()
    if not opened.wave.is_open(now):
        raise opened.wave.shut(now)
    if (shut := opened.door.closed_at) is not None:
        raise Refused("closed", 410, on=clock.day(clock.moment(shut)), before=False)


class Sent(TypedDict):
    """What comes with checked answers; ``environ`` is the request where Flask has none.

    ``contact`` is a telephone number left with consent.
    """

    id: str
    channel: str
    language: str
    started_at: datetime | None
    submitted_at: datetime | None
    assisted_by: NotRequired[str | None]
    flags: NotRequired[tuple[str, ...]]
    contact: NotRequired[str | None]
    environ: NotRequired[Mapping[str, Any]]


def keep(opened: Opened, answers: Mapping[str, object], **sent: Unpack[Sent]) -> responses.Stored:
    """Store checked answers durably, or raise Refused (409, 410, 429) or NotStored."""
    now = clock.now()
    incoming = judged(opened, answers, now, **sent)
    return responses.add(services().writer, incoming, now=now)


def judged(
    opened: Opened, answers: Mapping[str, object], now: datetime, **sent: Unpack[Sent]
) -> responses.Incoming:
    """Return checked answers ready to be stored, with the signs that make them flagged.

    Raises Refused (429) when their door sends too much.
    """
    if wait := _mine(Buckets).take(
        opened.door.id, *current_app.config.get("DOOR_RATE", (BURST, STEADY))
    ):
        raise Refused("too_fast", 429, seconds=wait)
    environ = sent.get("environ")
    if environ is None:
        environ = request.environ if has_request_context() else {}
    given = trust.Given(
        id=sent["id"],
        questionnaire=load(opened.wave.questionnaire),
        answers=answers,
        door=opened.door.id,
        counter=opened.door.kind == "counter",
        channel=sent["channel"],
        started=sent["started_at"],
        submitted=sent["submitted_at"],
        received=now,
        device=_device(environ, now),
        staff=_is_staff(environ),
    )
    found = trust.reasons(given, _mine(trust.Lately))
    if flags := sent.get("flags"):
        found = trust.in_order({*found, *flags})
    return responses.Incoming(
        id=sent["id"],
        door=opened.door,
        questionnaire=opened.wave.questionnaire,
        answers=answers,
        channel=sent["channel"],
        language=sent["language"],
        started_at=sent["started_at"],
        submitted_at=sent["submitted_at"],
        assisted_by=sent.get("assisted_by"),
        flags=found,
        contact=_contact(sent.get("contact"), opened.wave, now),
    )


def notice_staff(environ: Mapping[str, Any]) -> None:
    """Remember for half an hour, in memory, that staff use the device of this request."""
    if "HTTP_COOKIE" in environ and _is_staff(environ):
        now = clock.now()
        if device := _device(environ, now):
            _mine(trust.Lately).staff_at(device, now)


def _device(environ: Mapping[str, Any], now: datetime) -> bytes:
    """Return today's name of the device a request came from, b"" where none did."""
    if "REMOTE_ADDR" not in environ:
        return b""
    settings = services().settings
    return trust.device_of(settings.secret, environ, clock.day(now), proxied=settings.behind_tls)


def _is_staff(environ: Mapping[str, Any]) -> bool:
    """Say whether a request carries a session that we signed for somebody of the staff."""
    cookies, name = environ.get("HTTP_COOKIE"), current_app.config["SESSION_COOKIE_NAME"]
    if not cookies or name not in cookies:
        return False
    signer = SecureCookieSessionInterface().get_signing_serializer(current_app)
    try:
        return signer is not None and "staff" in signer.loads(parse_cookie(cookies).get(name, ""))
    except BadSignature:
        return False


def _contact(phone: str | None, wave: Wave, now: datetime) -> responses.Contact | None:
    if phone is None:
        return None
    return responses.Contact(phone, clock.day(now) + timedelta(days=wave.contact_days))


def new_page() -> str:
    """Return a signed page token for a response that begins now."""
    return tokens.page(services().settings.secret, str(uuid4()), clock.now())


def _mine(kind: type[Held]) -> Held:
    """Return this application's one object of a kind."""
    held: dict[str, object] = current_app.extensions
    name = f"sipas.{kind.__name__.lower()}"
    found = held.get(name)
    if not isinstance(found, kind):
        found = held[name] = kind()
    return found


class Buckets:
    """How much each door has sent lately, in this process (leaky buckets, in memory)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[int, tuple[float, float]] = {}

    def take(self, door: int, burst: float, steady: float) -> int:
        """Count one answer; 0 when it may go on, else the seconds to wait."""
        now = time.monotonic()
        with self._lock:
            left, seen = self._left.get(door, (burst, now))
            left = min(burst, left + (now - seen) * steady)
            if left < 1:
                self._left[door] = (left, now)
                return max(1, round((1 - left) / steady))
            self._left[door] = (left - 1, now)
        return 0


def _place(door: Door, wave: Wave) -> Place:
    unit = units.get(db.get(), door.unit)
    name = unit.title if unit else ""
    name = name[:1].upper() + name[1:]
    spot = door.label or " · ".join(filter(None, (name, door.counter)))
    return Place(
        questionnaire=wave.questionnaire,
        words=frozenset(wave.words.items()),
        label=spot,
        office=wave.name,
        owner=wave.owner_name,
        synthetic=wave.synthetic,
        contact_days=wave.contact_days,
        trial="trial" if wave.trial_of else "",
    )
