"""Signs that an answer may not be one citizen's honest own: flagged with reasons, never refused.

The rules are explained to everybody at ``/flags``; a change here is a change there.  What they
need to remember (which device has just answered, which one the staff use) stays in the memory
of this process under a keyed hash that changes every day; it is neither stored nor logged.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any

from survey.store.clock import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from forms.questionnaire import Questionnaire

#: Every reason, in the order in which it is stored and explained.
REASONS = (
    "burst", "straight_line", "too_fast", "night", "officer_session", "officer_network",
    "partial", "clock",
)  # fmt: skip
#: The sixth answer of a device within ten minutes is flagged when one pair of hands could have
#: given all six, one after the other.  Phones of one make look alike behind one address, but
#: the people who hold them answer at the same time.
WINDOW, SEVERAL = 600.0, 5
#: The twenty-first within ten minutes is flagged in any case: one every half minute.
MANY = 20
#: A kiosk is one device for everybody, but nobody answers whole within these seconds.
TURN = 10.0
#: Fewer equal answers than this are no line ...
LINE = 5
#: ... and fewer than this, as in the short form, are what a contented person says: they count
#: as a line only when they came faster than one reads (seconds an answer).
LONG_LINE, READING = 12, 2.0
#: Seconds an answer below which nobody has read the question (as ``analysis.quality`` has it).
PACE = 1.0
#: Hours in Vietnam between which no counter is open.
NIGHT = (22, 5)
#: The time of day at which counters close, minutes after midnight, and how long staff count as
#: being at a device they have used.
CLOSING, PRESENT = (16 * 60 + 30, 17 * 60 + 30), 1800.0
#: A device's clock may be ahead by so much, and an answer may have waited so long for a line.
AHEAD, WAITED = timedelta(days=1), timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer and its surroundings, before it is stored.

    ``counter``: it came through the door of a counter.  ``device`` is ``device_of`` its request,
    b"" when unknown; ``staff``: the request carried a session of staff.
    """

    id: str
    questionnaire: Questionnaire
    answers: Mapping[str, object]
    door: int
    counter: bool
    channel: str
    started: datetime | None
    submitted: datetime | None
    received: datetime
    device: bytes = b""
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One answer of a device: when it was sent and begun (seconds), by the best clock known."""

    id: str
    at: float
    began: float | None


class Lately:
    """What devices did lately, as far as memory is given to it; a restart forgets it."""

    MOST, EACH = 20_000, MANY + 1

    def __init__(self) -> None:
        self._lock = Lock()
        self._given: OrderedDict[bytes, list[Visit]] = OrderedDict()
        self._staff: OrderedDict[bytes, float] = OrderedDict()

    def visit(self, device: bytes, visit: Visit) -> list[Visit]:
        """Note an answer; the other answers of this device that are remembered."""
        with self._lock:
            found = self._given.pop(device, [])
            others = [one for one in found if one.id != visit.id]  # sent again is no second one
            self._given[device] = [*others[1 - self.EACH :], visit]
            if len(self._given) > self.MOST:
                self._given.popitem(last=False)
        return others

    def staff_at(self, device: bytes, now: datetime) -> None:
        """Note that a session of staff was used on a device."""
        with self._lock:
            self._staff.pop(device, None)
            self._staff[device] = now.timestamp()
            if len(self._staff) > self.MOST:
                self._staff.popitem(last=False)

    def has_staff(self, device: bytes, now: datetime) -> bool:
        """Say whether a session of staff was used on a device within ``PRESENT``."""
        seen = self._staff.get(device)
        return seen is not None and abs(now.timestamp() - seen) <= PRESENT


def device_of(secret: bytes, environ: Mapping[str, Any], on: date, *, proxied: bool) -> bytes:
    """Return a name for the device of a request that holds for one day and leads nowhere back.

    Its address alone would be a whole office; the words its browser sends stand beside it.
    ``proxied``: a proxy of ours names the address, and nothing has read its header yet.
    """
    address = environ.get("REMOTE_ADDR", "")
    if proxied and "werkzeug.proxy_fix.orig" not in environ:
        told = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        address = told or address
    words = (
        f"device\0{on.isoformat()}\0{address}\0{environ.get('HTTP_USER_AGENT', '')}\0"
        f"{environ.get('HTTP_ACCEPT_LANGUAGE', '')}"
    )
    return hmac.digest(secret, words.encode(errors="replace"), "sha256")[:12]


def reasons(given: Given, lately: Lately) -> tuple[str, ...]:
    """Return why an answer should be looked at, in the order of ``REASONS``; mostly nothing."""
    found: list[str] = []
    wrong = wrong_clock(given.submitted, given.received)
    at = given.received if wrong or given.submitted is None else given.submitted
    interview = given.staff and given.channel == "phone"
    if given.counter and given.device and not interview and _crowd(given, at, lately):
        found.append("burst")
    pace = seconds_an_answer(given.answers, given.started, given.submitted or given.received)
    if straight(given.questionnaire, given.answers, pace):
        found.append("straight_line")
    if pace is not None and pace < PACE:
        found.append("too_fast")
    if given.counter and at_night(at):
        found.append("night")
    if not interview:
        if given.staff:
            found.append("officer_session")
        elif _at_the_officers(given, at, lately):
            found.append("officer_network")
    if wrong:
        found.append("clock")
    return tuple(found)


def in_order(flags: set[str]) -> tuple[str, ...]:
    """Return reasons in the order of ``REASONS``."""
    return tuple(reason for reason in REASONS if reason in flags)


def _at_the_officers(given: Given, at: datetime, lately: Lately) -> bool:
    """Say whether an answer came from a device of the staff when the counters closed.

    The address alone would flag every citizen on the office's own network.
    """
    return (
        given.channel != "kiosk" and closing(at) and lately.has_staff(given.device, given.received)
    )


def _crowd(given: Given, at: datetime, lately: Lately) -> bool:
    """Note the visit, and say whether too many came from its device."""
    kiosk = given.channel == "kiosk"
    began = given.started.timestamp() if given.started else None
    visit = Visit(given.id, at.timestamp(), began)
    # Tablets of one office look alike, too: each door is a device of its own.
    device = given.device + given.door.to_bytes(8, "big") if kiosk else given.device
    others = lately.visit(device, visit)
    if not others:
        return False
    return same_moment(others, visit) if kiosk else burst(others, visit)


def same_moment(others: list[Visit], visit: Visit) -> bool:
    """Say whether a kiosk took another answer within ``TURN`` seconds of this one."""
    return any(abs(visit.at - one.at) < TURN for one in others)


def burst(others: list[Visit], visit: Visit) -> bool:
    """Say whether one person may have sent this answer and ``SEVERAL`` before it."""
    near = [one for one in others if abs(visit.at - one.at) <= WINDOW]
    if len(near) < SEVERAL or len(near) >= MANY:
        return len(near) >= MANY
    near.sort(key=_sent)
    last = [*near[-SEVERAL:], visit]
    return all(after.began is None or after.began >= before.at for before, after in pairwise(last))


def _sent(visit: Visit) -> float:
    return visit.at


def straight(q: Questionnaire, answers: Mapping[str, object], pace: float | None) -> bool:
    """Say whether all questions of satisfaction got one and the same level."""
    levels, n = None, 0
    for name, silent in _scored(q):
        level = answers.get(name)
        if level is None or level == silent:
            continue
        if n and level != levels:
            return False
        levels, n = level, n + 1
    return n >= LONG_LINE or (n >= LINE and pace is not None and pace < READING)


@lru_cache(maxsize=64)
def _scored(q: Questionnaire) -> tuple[tuple[str, int], ...]:
    from forms.model import NO_ANSWER

    return tuple((item.id, NO_ANSWER) for item in q.items if item.kind == "scale")


def seconds_an_answer(
    answers: Mapping[str, object], started: datetime | None, ended: datetime
) -> float | None:
    """Return the mean time an answer took; None while unknown or when a clock was set back."""
    if started is None or not answers:
        return None
    seconds = (ended - started).total_seconds()
    return seconds / len(answers) if seconds >= 0 else None


def at_night(at: datetime) -> bool:
    """Say whether it is night in Vietnam."""
    hour = at.astimezone(VIETNAM).hour
    return hour >= NIGHT[0] or hour < NIGHT[1]


def closing(at: datetime) -> bool:
    """Say whether it is the time of day at which counters close."""
    local = at.astimezone(VIETNAM)
    return CLOSING[0] <= local.hour * 60 + local.minute < CLOSING[1]


def wrong_clock(submitted: datetime | None, received: datetime) -> bool:
    """Say whether a device's time cannot be right, a long wait for a line included."""
    if submitted is None:
        return False
    return not -WAITED <= submitted - received <= AHEAD
