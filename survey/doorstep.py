"""Empty forms given out again from memory for a second, each with a page token of its own.

A poster in a village may bring a hundred phones at once to one address.  The application decides
as ever who gets a page (door, wave, language); what it allowed is repeated for ``AGE`` seconds
without asking it.  Whether an answer is taken is decided when it is stored, never here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Flask, Response, g, request

from survey import kiosk, pages, tokens
from survey.store import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from survey.pages import Rendered

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

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A page the application has just allowed, with its headers, until when (monotonic)."""

    page: Rendered
    headers: Headers
    packed: bool
    until: float

    def body(self, splice: bytes) -> bytes:
        """The page around a token."""
        return self.page.gzip(splice) if self.packed else self.page.plain(splice)


class Doorstep:
    """A WSGI application before the application."""

    def __init__(
        self, app: WSGIApplication, secret: bytes, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._secret = secret
        self._now = now
        self._kept: dict[tuple[str | None, ...], Kept] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Repeat a kept page, or ask the application and keep what it allows."""
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith(DOORS):
            return self._app(environ, start_response)
        key = tuple(environ.get(name) for name in _DIFFER)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._now():
            return self._ask(key, environ, start_response)
        body = kept.body(pages.hidden_token(tokens.page(self._secret, str(uuid4()), clock.now())))
        start_response("200 OK", [*kept.headers, ("Content-Length", str(len(body)))])
        return [body]

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

    def _keep(self, key: tuple[str | None, ...], page: Rendered, headers: Headers) -> None:
        names = {name.lower(): value for name, value in headers}
        if "set-cookie" in names:  # never one person's page for another
            return
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key] = Kept(
            page,
            [(name, value) for name, value in headers if name.lower() != "content-length"],
            names.get("content-encoding") == "gzip",
            self._now() + AGE,
        )


def before(app: Flask, secret: bytes) -> Doorstep:
    """Put the doorstep before an application, which then says which page it has just sent."""

    def offer(answer: Response) -> Response:
        template = DRAWN.get(request.endpoint or "")
        if template and request.method == "GET" and answer.status_code == 200 and "place" in g:
            request.environ[PAGE] = pages.rendered(template, g.place, pages.look())
        return answer

    app.after_request(offer)
    return Doorstep(app, secret)


#: What the application may look at when it draws an empty form.
_DIFFER = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "HTTP_ACCEPT_ENCODING", "wsgi.url_scheme")
