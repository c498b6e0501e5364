"""The machines' door: one contract for storing a response, its description, and two probes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, Response, request

from forms import rules
from forms.questionnaire import load
from survey import guard, services
from survey.citizen import answering, extras, pages, screens
from survey.errors import problem
from survey.machines import openapi
from survey.store import clock, rates
from survey.text import LANGUAGES, t

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Connection

    from survey.citizen.answering import Opened

bp = Blueprint("api", __name__)

REQUIRED = ("id", "token", "questionnaire", "answers")
OPTIONAL = (
    "started_at", "submitted_at", "language", "channel", "assisted_by", "partial", "contact",
)  # fmt: skip
#: Channel -> kind of door it may come through; None is any.
CHANNELS: dict[str, frozenset[str] | None] = {
    "api": None,
    "phone": None,
    "kiosk": frozenset({"counter"}),
    "qr": frozenset({"counter"}),
    "link": frozenset({"dossier", "case"}),
}
#: A clock set right in the middle of a survey makes the end earlier than the beginning; only
#: what no correction explains is refused, for a refused answer is lost for good.
BACKWARDS = timedelta(days=1)

Sent = dict[str, object]
Faults = list[dict[str, str]]


class NotJsonError(ValueError):
    """The body is no JSON object; the message names the place."""


@bp.post("/api/v1/responses")
@guard.public
def responses() -> Response:
    """Store one response durably, once: 201 new, 200 an identical repeat."""
    language = pages.look().language
    try:
        sent = _read(request.get_data())
    except NotJsonError as fault:
        title = t("api.not_json", language)
        return problem(400, "not_json", title, t("api.not_json.advice", language, where=fault))
    faults, times = _shape(sent, language)
    token = sent.get("token")
    if not isinstance(token, str):
        return _faulty(faults, language)
    opened = answering.reach(token)
    clean, wrong = _answers(opened, sent, language)
    phone, more = _beside(opened, sent, language)
    if faults := faults + wrong + more:
        answering.check_open(opened)
        return _faulty(faults, language)
    stored = answering.keep(
        opened,
        clean,
        id=str(sent["id"]),
        channel=str(sent.get("channel", "api")),
        language=str(sent.get("language", LANGUAGES[0])),
        started_at=times.get("started_at"),
        submitted_at=times.get("submitted_at"),
        assisted_by=_helper(sent),
        flags=("partial",) if sent.get("partial") else (),
        contact=phone,
    )
    body = {"id": sent["id"], "receipt": stored.receipt, "received_at": stored.received_at}
    return _json(body, 201 if stored.new else 200)


@bp.get("/api/v1/openapi.json")
@guard.public
def description() -> Response:
    """Describe this contract."""
    return _json(openapi.DOCUMENT)


@bp.get("/healthz")
@guard.public
def healthz() -> Response:
    """Say that the process lives."""
    return _json({"status": "ok"})


@bp.get("/readyz")
@guard.public
def readyz() -> Response:
    """Say that the database takes durable writes, by making one; 503 otherwise."""
    now = clock.now()

    def job(db: Connection) -> int:
        return rates.hit(db, "readyz", 60, 1_000_000, now=now)

    services().writer.run(job)
    return _json({"status": "ready"})


def _json(body: object, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json")


def _read(body: bytes) -> Sent:
    """Return the body as an object.

    Raises ``NotJsonError`` for other encodings, broken JSON, a name given twice, NaN and infinity,
    numbers and depths no answer has, and for what is no object.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise NotJsonError(f"byte {fault.start + 1}") from fault
    try:
        sent = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        raise NotJsonError(f"dòng {fault.lineno}, cột {fault.colno}") from fault
    except RecursionError as fault:
        raise NotJsonError("{{{{") from fault
    except ValueError as fault:  # ours, or a number of thousands of digits
        raise NotJsonError(str(fault) if isinstance(fault, NotJsonError) else "số") from fault
    if not isinstance(sent, dict):
        raise NotJsonError(t("api.not_object"))
    return sent


def _once(pairs: list[tuple[str, object]]) -> Sent:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise NotJsonError(next(f"“{name}” × 2" for name in names if names.count(name) > 1))
    return found


def _no_constant(name: str) -> object:
    raise NotJsonError(name)


def _shape(sent: Sent, language: str) -> tuple[Faults, dict[str, datetime]]:
    """Return what is wrong with the frame around the answers, and the times read."""
    found: Faults = []

    def fault(field: str, code: str, **facts: object) -> None:
        found.append(_fault(field, code, t(f"api.{code}", language, field=field, **facts)))

    for field in REQUIRED:
        if field not in sent:
            fault(field, "missing")
    for field in sent.keys() - {*REQUIRED, *OPTIONAL}:
        fault(_shown(field), "unknown")
    for field in ("id", "token", "questionnaire", "language"):
        if field in sent and not isinstance(sent[field], str):
            fault(field, "not_string")
    id, spoken = sent.get("id"), sent.get("language")
    if isinstance(id, str) and not _canonical(id):
        fault("id", "not_uuid")
    if isinstance(spoken, str) and spoken not in LANGUAGES:
        fault("language", "language", languages=", ".join(LANGUAGES))
    times = {}
    for field in ("started_at", "submitted_at"):
        if sent.get(field) is None:
            continue
        if (moment := _moment(sent[field])) is None:
            fault(field, "not_time")
        else:
            times[field] = moment
    if len(times) == 2 and times["submitted_at"] < times["started_at"] - BACKWARDS:
        fault("submitted_at", "time_order")
    return found, times


def _answers(opened: Opened, sent: Sent, language: str) -> tuple[Mapping[str, object], Faults]:
    """Return the checked answers, or what is wrong with them, item by item."""
    expected, given = opened.wave.questionnaire, sent.get("questionnaire")
    if isinstance(given, str) and given != expected:
        words = t("api.questionnaire", language, expected=expected, given=_shown(given))
        return {}, [_fault("questionnaire", "questionnaire", words)]
    answers = sent.get("answers")
    if "answers" not in sent:
        return {}, []
    if not isinstance(answers, dict):
        return {}, [_fault("answers", "not_answers", t("api.not_answers", language))]
    q = load(expected)
    clean, faults = rules.check(q, answers)
    if sent.get("partial") is True:  # a person left: what is missing is no fault, what is wrong is
        faults = [fault for fault in faults if fault.code != "unanswered"]
    look = pages.Look(language)
    words_of = (screens.notice(q, fault, look).message for fault in faults)
    return clean, [
        _fault(_shown(fault.column), fault.code, words)
        for fault, words in zip(faults, words_of, strict=True)
    ]


def _beside(opened: Opened, sent: Sent, language: str) -> tuple[str | None, Faults]:
    """Return the telephone number left, and what is wrong with all that is no answer."""
    found: Faults = []

    def fault(field: str, code: str, **facts: object) -> None:
        found.append(_fault(field, code, t(f"api.{code}", language, field=field, **facts)))

    channel = sent.get("channel", "api")
    doors = CHANNELS.get(channel, frozenset()) if isinstance(channel, str) else frozenset()
    if doors is not None and opened.door.kind not in doors:
        fault("channel", "channel", channels=", ".join(_channels(opened)))
    if (helper := sent.get("assisted_by")) is not None and helper not in extras.HELPERS:
        fault("assisted_by", "helper", helpers=", ".join(extras.HELPERS))
    partial = sent.get("partial", False)
    if not isinstance(partial, bool):
        fault("partial", "not_bool")
    elif partial and (opened.wave.partial != "keep" or opened.door.kind != "counter"):
        fault("partial", "partial_not_kept")
    elif partial and not sent.get("answers"):
        fault("partial", "partial_empty")
    if (contact := sent.get("contact")) is None:
        return None, found
    phone, code, facts = _phone(opened, contact)
    if code:
        fault("contact", code, **facts)
    return phone or None, found


def _phone(opened: Opened, contact: object) -> tuple[str, str, Mapping[str, object]]:
    """Return the number somebody left with consent, or the word for what is wrong with it."""
    if not opened.wave.contact_days:
        return "", "contact_not_asked", {}
    if not isinstance(contact, dict) or contact.keys() != {"phone", "consent"}:
        return "", "not_contact", {}
    phone, consent = contact["phone"], contact["consent"]
    if not isinstance(phone, str) or len(phone) > extras.LONGEST:
        return "", "not_contact", {}
    if consent is not True:
        return "", "contact_consent", {}
    number, wrong = extras.phone(phone)
    return (number, "", {}) if wrong is None else ("", "contact_phone", {})


def _channels(opened: Opened) -> list[str]:
    kind = opened.door.kind
    return [name for name, doors in CHANNELS.items() if doors is None or kind in doors]


def _helper(sent: Sent) -> str | None:
    helper = sent.get("assisted_by")
    return helper if isinstance(helper, str) else None


def _fault(item: str, code: str, message: str) -> dict[str, str]:
    return {"item": item, "code": code, "message": message}


def _faulty(faults: Faults, language: str) -> Response:
    title = t("api.faults", language, n=len(faults))
    return problem(422, "faults", title, faults=faults[:200])


def _shown(text: str) -> str:
    """Return somebody's word as it may be given back: short, without lone surrogates."""
    return text[:80].encode(errors="replace").decode()


def _canonical(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _moment(text: object) -> datetime | None:
    """Return an ISO 8601 moment with a zone, or None."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
