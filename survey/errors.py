"""Refusals as pages or problem+json, and the headers that every answer carries."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, g, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter

from survey import db, work
from survey.citizen import extras, pages
from survey.store import Refused
from survey.text import clock, day, has, t, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PROBLEM = "application/problem+json"
#: Seconds after which an answer that could not be stored may be sent again.
PATIENCE = 30

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; worker-src 'self'; manifest-src 'self'; media-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TLS = "max-age=63072000; includeSubDomains"

#: Fields of a citizen's form that steer the page and answer nothing.
STEERING = frozenset({"page", "at", "was", "go", extras.ASSISTED, extras.PHONE, extras.CONSENT})


class _Number(IntegerConverter):
    """The number of a thing in an address; a longer one than a row can have names nothing."""

    regex = r"\d{1,18}"


def init_app(app: Flask) -> None:
    """Answer every refusal in Vietnamese and put the headers on everything."""
    app.url_map.converters["int"] = _Number
    tls = app.extensions["sipas"].settings.behind_tls
    app.wsgi_app = _Headers(app.wsgi_app, tls=tls)  # type: ignore[assignment, method-assign]
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(db.NotStored, _not_stored)
    app.register_error_handler(sqlite3.Error, _database)
    app.register_error_handler(OverflowError, _too_long)
    app.register_error_handler(HTTPException, _http)


class _Headers:
    """The headers of every answer, put on outside the application so that none can miss them."""

    def __init__(self, app: WSGIApplication, *, tls: bool) -> None:
        self._app = app
        self._fixed = list(HEADERS.items())
        if tls:
            self._fixed.append(("Strict-Transport-Security", TLS))
        self._private = [*self._fixed, ("Cache-Control", "no-store")]

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(
            status: str, headers: list[tuple[str, str]], fault: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            said = any(name == "Cache-Control" for name, _ in headers)
            return start(status, headers + (self._fixed if said else self._private), fault)

        return self._app(environ, begin)


def wants_json() -> bool:
    """Say whether the other side is a machine: by the address, or by what it sends and accepts."""
    if request.path.startswith("/api/") or request.is_json:
        return True
    accept = request.accept_mimetypes
    best = accept.best_match(("text/html", "application/json", PROBLEM), "text/html")
    return best != "text/html" and accept[best] > accept["text/html"]


def problem(status: int, code: str, title: str, detail: str = "", **more: object) -> Response:
    """Return an error as RFC 9457 has it; ``code`` is the machine's word for it."""
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    body |= {"code": code, **more}
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, content_type=PROBLEM)


def _refused(refusal: Refused) -> Response:
    key, language = f"refused.{refusal.code}", pages.look().language
    if refusal.facts.get("before"):  # the wave has not begun
        key = "refused.not_open"
    if not has(key):
        return _answer(refusal.status, refusal.code, *_words(refusal.status, language))
    facts = told(refusal.facts)
    kinds = ("staff", "advice") if _room() else ("advice",)
    advice = next((f"{key}.{kind}" for kind in kinds if has(f"{key}.{kind}")), "")
    advice = t(advice, language, **facts) if advice else ""
    answer = _answer(refusal.status, refusal.code, t(key, language, **facts), advice)
    if refusal.status == 429:
        answer.headers["Retry-After"] = str(refusal.facts.get("seconds", PATIENCE))
    return answer


def _not_stored(fault: Exception) -> Response:
    current_app.logger.error("not stored: %s", fault)
    words = _words(503, pages.look().language)
    answer = _answer(503, "not_stored", *words)
    answer.headers["Retry-After"] = str(PATIENCE)
    return answer


def _database(fault: sqlite3.Error) -> Response:
    if not db.is_storage_fault(fault):
        raise fault
    return _not_stored(fault)


def _too_long(fault: OverflowError) -> Response:
    """A number that no column holds can only have been typed into an address or a form."""
    if "SQLite" not in str(fault):
        raise fault
    return _answer(400, "http_400", *_words(400, pages.look().language))


def _http(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400 or error.response is not None:
        return error
    heading, advice = _words(status, pages.look().language)
    if isinstance(error, CSRFError):
        heading, advice = t("error.csrf"), t("error.csrf.advice")
    elif error.description and error.description != type(error).description:
        heading, advice = error.description, ""
    answer = _answer(status, f"http_{status}", heading, advice)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    if status == 429 and "Retry-After" not in answer.headers:
        answer.headers["Retry-After"] = str(PATIENCE)
    return answer


def _words(status: int, language: str) -> tuple[str, str]:
    key = f"error.{status}" if has(f"error.{status}") else f"error.{status // 100}xx"
    return t(key, language), t(f"{key}.advice", language)


def _answer(status: int, code: str, heading: str, advice: str) -> Response:
    if wants_json():
        return problem(status, code, heading, advice)
    if status in {429, 500, 503} and (fields := _answers()):
        page = _unsent(status, heading, advice, fields)
    else:
        back: str | None = url_for("pages.front")
        room = work.home(_room()) if _room() and status < 500 else None
        if (request.endpoint or "").startswith("kiosk."):  # a kiosk goes back to its own start
            back = None if status in {404, 410} else request.path + pages.look().query()
        page = render_template(
            "error.html",
            look=pages.look(),
            place=g.get("place"),
            heading=heading,
            advice=advice,
            back=room[0] if room else back,
            back_words=room[1] if room else "",
            code=status,
        )
    return Response(page, status, content_type=pages.HTML)


def _room() -> str:
    """Return which of the staff's rooms on paper was asked for: "desk", "field" or neither."""
    first = request.path.split("/")[1]
    return first if first in ("desk", "field") else ""


def _answers() -> list[tuple[str, str]]:
    """Return what a citizen has just sent, so that the page can send it again."""
    if request.method != "POST" or not (request.endpoint or "").startswith("kiosk."):
        return []
    return list(request.form.items(multi=True))


def _unsent(status: int, heading: str, advice: str, fields: list[tuple[str, str]]) -> str:
    place: pages.Place | None = g.get("place")
    look = pages.look()
    answered = str(len({name for name, value in fields if value} - STEERING))
    words = "SIPAS"
    if place:
        q = place.read(look)
        words, answered = q.short, f"{answered}/{pages.asked_of(q)}"
    now = datetime.now(UTC)
    return render_template(
        "citizen/unsent.html",
        look=look,
        place=place,
        heading=t("send.failed", look.language) if status != 429 else heading,
        advice=advice if status != 500 else t("error.503.advice", look.language),
        fields=fields,
        answered=answered,
        words=words,
        kiosk=request.endpoint == "kiosk.ask",
        at=f"{clock(now)}, {day(now)}",
        code=status,
    )
