"""Before the application: forms repeated from memory, responses in order taken at once.

A poster in a village may bring a hundred phones at once to one address.  The application decides
as ever who gets a page (door, wave, language); what it allowed is repeated for ``AGE`` seconds
without asking it, each time with a page token of its own.  A response that is right in every
point is stored through ``intake``; all others go to the application.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Flask, Response, g, request

from survey import db, tokens
from survey.citizen import intake, kiosk, pages
from survey.store import Refused, clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from survey.citizen.pages import Rendered

#: Seconds a page is repeated; a closed wave is seen no later than that.
AGE = 1.0
#: Different pages kept (door, language, size of letters, kind of browser).
KEPT = 256
#: Where the rendered page that was just sent is left (``environ``).
PAGE = "sipas.page"
#: The views of empty forms and what they draw.
DRAWN = {"kiosk.form": kiosk.FORM, "kiosk.start": kiosk.START}
#: Paths of the doors' forms.
DOORS = ("/q/", "/k/")
#: Where machines and phones send responses, and the longest one that is taken at once.
API, PHONE, LONGEST = "/api/v1/responses", "/q/", 64 * 1024
NEW, AGAIN = "201 CREATED", "200 OK"

Headers = list[tuple[str, str]]


class Head:
    """The head of an answer as the server writes it, made once; length and date go in."""

    def __init__(self, status: str, headers: Headers) -> None:
        names = [("-".join(map(str.capitalize, name.split("-"))), v) for name, v in headers]
        lines = sorted([*names, ("Content-Length", "\0"), ("Date", "\0")], key=lambda h: h[0])
        text = "\r\n".join([f"HTTP/1.1 {status}", *map(": ".join, lines)]) + "\r\n\r\n"
        self._start, self._middle, self._end = text.encode("latin-1").split(b"\0")

    def whole(self, body: bytes, date: bytes) -> bytes:
        """The whole answer."""
        length = b"%d" % len(body)
        return b"".join((self._start, length, self._middle, date, self._end, body))


@dataclass(frozen=True, slots=True)
class Thanked:
    """The headers of thanks, and the heads of them for what is new and what is not."""

    headers: Headers
    new: Head
    again: Head


@dataclass(frozen=True, slots=True)
class Kept:
    """A page the application has just allowed, with its headers, until when (monotonic)."""

    page: Rendered
    headers: Headers
    packed: bool
    until: float
    head: Head

    def body(self, splice: bytes) -> bytes:
        """The page around a token."""
        return self.page.gzip(splice) if self.packed else self.page.plain(splice)


class Doorstep:
    """A WSGI application before the application."""

    def __init__(
        self,
        app: WSGIApplication,
        secret: bytes,
        *,
        now: Callable[[], float] = time.monotonic,
        context: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._app = app
        self._secret = secret
        self._now = now
        self._context = context
        self._kept: dict[tuple[str | None, ...], Kept] = {}
        self._thanked: dict[tuple[str | None, ...], Thanked] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Repeat a kept page, or ask the application and keep what it allows."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST":
            return self._take(_takes(path), environ, start_response)
        if environ["REQUEST_METHOD"] != "GET" or not path.startswith(DOORS):
            return self._app(environ, start_response)
        key = tuple(environ.get(name) for name in _DIFFER)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._now():
            return self._ask(key, environ, start_response)
        body = kept.body(self._page_token())
        start_response("200 OK", [*kept.headers, ("Content-Length", str(len(body)))])
        return [body]

    def page(self, environ: Mapping[str, Any], date: bytes) -> bytes | None:
        """The whole answer to a GET that has just been answered; None when it was not."""
        kept = self._kept.get(tuple(environ.get(name) for name in _DIFFER))
        if kept is None or kept.until <= self._now():
            return None
        return kept.head.whole(kept.body(self._page_token()), date)

    def begin(self, environ: Mapping[str, Any], body: bytes) -> tuple[intake.Taken, Thanked] | None:
        """Read a response that is in order, inside a context of the application's.

        None when it is not, or when the application has not answered such a one here.
        """
        path = environ["PATH_INFO"]
        take = _takes(path)
        thanked = self._thanked.get(tuple(environ.get(name) for name in _SAME))
        if take is None or thanked is None or environ.get("QUERY_STRING"):
            return None
        try:
            return take(path[3:], body, environ), thanked
        except (ValueError, LookupError, Refused, db.NotStored):
            return None

    def _page_token(self) -> bytes:
        return pages.hidden_token(tokens.page(self._secret, str(uuid4()), clock.now()))

    def _ask(
        self, key: tuple[str | None, ...], environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        told: list[tuple[str, Headers]] = []

        def listen(status: str, headers: Headers, *more: Any) -> Any:
            told.append((status, list(headers)))
            return start_response(status, headers, *more)

        answer = self._app(environ, listen)
        page = environ.get(PAGE)
        if page is not None and told and told[-1][0].startswith("200 "):
            self._keep(key, page, told[-1][1])
        return answer

    def _take(
        self,
        take: intake.Take | None,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Store a response that is in order; the application answered such a one here before."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if take is None or environ.get("QUERY_STRING") or not 0 < int(length) <= LONGEST:
            return self._app(environ, start_response)
        key = tuple(environ.get(name) for name in _SAME)
        thanked = self._thanked.get(key)
        if thanked is None:
            return self._listen(key, environ, start_response)
        body = environ["wsgi.input"].read(int(length))
        try:
            with self._context():
                new, answer = intake.store(take(environ["PATH_INFO"][3:], body, environ))
        except (ValueError, LookupError, Refused, db.NotStored):
            environ["wsgi.input"] = BytesIO(body)
            return self._app(environ, start_response)
        headers = [*thanked.headers, ("Content-Length", str(len(answer)))]
        start_response(NEW if new else AGAIN, headers)
        return [answer]

    def _listen(
        self, key: tuple[str | None, ...], environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let the application take a response and remember the headers of its thanks."""

        def listen(status: str, headers: Headers, *more: Any) -> Any:
            names = {name.lower() for name, _ in headers}
            if status.startswith("201 ") and not names & {"set-cookie", "content-encoding"}:
                if len(self._thanked) >= KEPT:
                    self._thanked.clear()
                kept = _without_length(headers)
                self._thanked[key] = Thanked(kept, Head(NEW, kept), Head(AGAIN, kept))
            return start_response(status, headers, *more)

        return self._app(environ, listen)

    def _keep(self, key: tuple[str | None, ...], page: Rendered, headers: Headers) -> None:
        names = {name.lower(): value for name, value in headers}
        if "set-cookie" in names:  # never one person's page for another
            return
        if len(self._kept) >= KEPT:
            self._kept.clear()
        kept = _without_length(headers)
        packed = names.get("content-encoding") == "gzip"
        self._kept[key] = Kept(page, kept, packed, self._now() + AGE, Head("200 OK", kept))


def _takes(path: str) -> intake.Take | None:
    """Who reads a response that was sent to this path."""
    return intake.machine if path == API else intake.phone if path[:3] == PHONE else None


def _without_length(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() != "content-length"]


def before(app: Flask, secret: bytes) -> Doorstep:
    """Put the doorstep before an application, which then says which page it has just sent."""

    def offer(answer: Response) -> Response:
        template = DRAWN.get(request.endpoint or "")
        if template and request.method == "GET" and answer.status_code == 200 and "place" in g:
            request.environ[PAGE] = pages.rendered(template, g.place, pages.look())
        elif request.endpoint == "kiosk.send" and answer.status_code == 201:
            for channel in ("qr", "link"):
                intake.draw_thanks(g.place, channel)
        return answer

    app.after_request(offer)
    return Doorstep(app, secret, context=app.app_context)


#: What the application may look at when it draws an empty form.
_SAME = ("PATH_INFO", "HTTP_HOST", "CONTENT_TYPE", "wsgi.url_scheme")
_DIFFER = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "HTTP_ACCEPT_ENCODING", "wsgi.url_scheme")
