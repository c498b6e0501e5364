"""Responses that are in order, stored without waking the web framework.

Whoever sends a response that is right in every point gets the receipt from here: it is read
(``machine``, ``phone``) and then stored, alone (``store``) or with all that wait (``lane``).  For
anything else (a fault, a repeat with other content, a closed wave, a full disk) these functions
raise, and the application answers as it always does.  Nothing is decided here that the
application would decide otherwise: the same door, the same rules, the same store; a test compares
both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from forms import rules
from forms.questionnaire import load
from forms.web import from_form
from survey import services, tokens
from survey.citizen import answering, extras, kiosk, pages
from survey.machines import api
from survey.store import responses
from survey.store.clock import now
from survey.store.responses import printed
from survey.text import LANGUAGES, clock, day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from survey.store.responses import Incoming, Stored

#: What is taken here; a response with more (a telephone number, only half of the answers) is rare.
_KNOWN = frozenset((*api.REQUIRED, *api.OPTIONAL)) - {"partial", "contact"}
_NEEDED = frozenset(api.REQUIRED)


_LOOK = pages.Look()
#: A page in pieces: bytes, and between them the names of what goes there.
Gapped = tuple[tuple[bytes, str], ...]
#: Pages of thanks by place, channel and whether the response is new, with gaps.
_thanks: dict[tuple[pages.Place, str, bool], Gapped] = {}
MOST = 200


class NotPlainError(ValueError):
    """Not in order in some way: the application shall say which."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A response in order: what to store, and the body of the answer once that is done."""

    incoming: Incoming
    received: datetime
    answer: Callable[[Stored], bytes]


Take = Callable[[str, bytes, "Mapping[str, Any]"], Taken]


def store(taken: Taken) -> tuple[bool, bytes]:
    """Store a response; whether it is new, and the answer's body.  Raises Refused, NotStored."""
    stored = responses.add(services().writer, taken.incoming, now=taken.received)
    return stored.new, taken.answer(stored)


def machine(_: str, body: bytes, environ: Mapping[str, Any]) -> Taken:
    """Read what ``POST /api/v1/responses`` sent.

    Raises NotPlainError, LookupError, ValueError or Refused.
    """
    sent = _decoder.decode(body.decode())
    if type(sent) is not dict or not _NEEDED <= sent.keys() <= _KNOWN:
        raise NotPlainError
    id, language = sent["id"], sent.get("language", LANGUAGES[0])
    if type(id) is not str or str(UUID(id)) != id or language not in LANGUAGES:
        raise NotPlainError
    started, submitted = _moment(sent.get("started_at")), _moment(sent.get("submitted_at"))
    if started and submitted and submitted < started:
        raise NotPlainError
    if type(sent["token"]) is not str or type(sent["answers"]) is not dict:
        raise NotPlainError
    opened = answering.find(sent["token"], fresh=False)
    if sent["questionnaire"] != opened.wave.questionnaire:
        raise NotPlainError
    channel, helper = sent.get("channel", "api"), sent.get("assisted_by")
    if type(channel) is not str:
        raise NotPlainError
    doors = api.CHANNELS[channel]  # an unknown one is a LookupError
    if doors is not None and opened.door.kind not in doors:
        raise NotPlainError
    if helper is not None and helper not in extras.HELPERS:
        raise NotPlainError
    clean, faults = rules.check(load(opened.wave.questionnaire), sent["answers"])
    if faults:
        raise NotPlainError
    received = now()
    incoming = answering.judged(
        opened, clean, received, id=id, channel=channel, language=language, started_at=started,
        submitted_at=submitted, assisted_by=helper, environ=environ,
    )  # fmt: skip
    return Taken(incoming, received, partial(_receipt, id))


def _receipt(id: str, stored: Stored) -> bytes:
    return (
        f'{{"id":"{id}","receipt":"{stored.receipt}","received_at":"{stored.received_at}"}}'
    ).encode()


def phone(token: str, body: bytes, environ: Mapping[str, Any]) -> Taken:
    """Read what the phone form sent.

    Raises as ``machine`` does, and LookupError before ``draw_thanks``.
    """
    posted = Posted(body)
    if posted.one("go") == "stay":
        raise NotPlainError
    id, started = tokens.read_page(services().settings.secret, posted.one("page"))
    opened, look = answering.find(token, fresh=False), _LOOK
    q = opened.place.read(look)
    beside = extras.read(posted, asks_contact=opened.wave.contact_days > 0)
    clean, faults = rules.check(q, from_form(q, posted))
    if faults or beside.faults:
        raise NotPlainError
    channel = "qr" if opened.door.kind == "counter" else "link"
    thanks = _thanks[opened.place, channel, False], _thanks[opened.place, channel, True]
    received = now()
    incoming = answering.judged(
        opened, clean, received, id=id, channel=channel, language=look.language,
        started_at=started, submitted_at=received, assisted_by=beside.assisted_by,
        contact=beside.contact, environ=environ,
    )  # fmt: skip
    return Taken(incoming, received, partial(_thanked, thanks))


def _thanked(thanks: tuple[Gapped, Gapped], stored: Stored) -> bytes:
    at = stored.received_at
    filled = {
        "receipt": printed(stored.receipt).encode(), "at": clock(at).encode(),
        "on": day(at).encode(), "": b"",
    }  # fmt: skip
    return b"".join([part for text, name in thanks[stored.new] for part in (text, filled[name])])


def draw_thanks(place: pages.Place, channel: str) -> None:
    """Draw the pages of thanks of a place, inside a request, for ``phone`` to fill in later."""
    if len(_thanks) >= MOST:
        _thanks.clear()
    for fact in ("new", "again"):
        page = pages.gapped(kiosk.THANKS, place, _LOOK, (fact, channel))
        _thanks[place, channel, fact == "new"] = _cut(page)


def _cut(page: str) -> Gapped:
    """Cut a page at its gaps (``pages.fill`` does the same for one page)."""
    pieces = page.split("\0")
    return tuple(
        (text.encode(), name) for text, name in zip(pieces[::2], [*pieces[1::2], ""], strict=True)
    )


class Posted:
    """A urlencoded body, read as the framework reads it but only as far as it must be."""

    def __init__(self, body: bytes) -> None:
        """Raise ValueError for what is no ASCII, or no UTF-8 once it is unquoted."""
        found: dict[str, list[str]] = {}
        for pair in body.decode("ascii").split("&"):
            name, _, value = pair.partition("=")
            if "%" in pair or "+" in pair:
                name, value = _unquoted(name), _unquoted(value)
            if name in found:
                found[name].append(value)
            elif pair:
                found[name] = [value]
        self._lists = found

    def lists(self) -> Iterable[tuple[str, list[str]]]:
        """The names with their texts."""
        return self._lists.items()

    def one(self, name: str) -> str:
        """The first text of a name, "" when there is none."""
        return self._lists.get(name, [""])[0]


def _unquoted(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode()


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotPlainError
    return found


def _refuse(name: str) -> object:
    raise NotPlainError


#: Made once: ``json.loads`` with these makes one for each text.
_decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)


def _moment(text: object) -> datetime | None:
    if text is None:
        return None
    if type(text) is not str or len(text) > 40:
        raise NotPlainError
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise NotPlainError
    return moment.astimezone(UTC)
