"""What the desk sends, read from a posted form or from JSON into one entry of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from forms import paper
from survey.store import Refused, clock, entries

if TYPE_CHECKING:
    from forms.paper import Field
    from forms.questionnaire import Questionnaire
    from survey.store.cases import Case

#: More strokes or milliseconds on one form are no clerk's.
MOST_KEYS, MOST_MS = 100_000, 24 * 3600 * 1000
#: Version of the ids of entries by the scanner: made from the case, so that anybody knows them.
_SCANNER = 5
_TEXTS, _COUNTS = ("serial", "wave", "questionnaire"), ("by", "keys", "active_ms")


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry as it was sent; ``overrides`` hold name, code and reason of what was unlikely."""

    id: str
    fields: dict[str, object]
    overrides: list[dict[str, str]]
    started: str = ""
    submitted: str = ""
    by: int = 0
    serial: str = ""
    wave: str = ""
    questionnaire: str = ""
    keys: int = 0
    active_ms: int = 0


def entry(sent: Sent, *, case: Case, staff: int, q: Questionnaire) -> entries.Entry:
    """The entry to store; what is unlikely and was given no reason is noted without one."""
    known = {(one["name"], one["code"]) for one in sent.overrides}
    unlikely = [] if paper.check(q, sent.fields) else paper.warnings(q, sent.fields)
    silent = [
        {"name": one.name, "code": one.code, "reason": ""}
        for one in unlikely
        if (one.name, one.code) not in known
    ]
    return entries.Entry(
        id=sent.id,
        case_id=case.id,
        via="desk",
        staff=staff,
        questionnaire=sent.questionnaire or q.key,
        fields=sent.fields,
        overrides=(*sent.overrides, *silent),
        started_at=_moment(sent.started),
        submitted_at=_moment(sent.submitted),
        keys=sent.keys,
        active_ms=sent.active_ms,
    )


def read_json(body: bytes) -> Sent:
    """An entry from the queue; raises Refused ``no_entry`` (422) for anything else."""
    try:
        sent: dict[str, Any] = json.loads(body)
        id = _id(sent["id"])
        fields, given = sent["fields"], sent.get("overrides", [])
        texts = {name: sent[name] for name in _TEXTS}
        counts = {name: sent.get(name, 0) for name in _COUNTS}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("no_entry", 422) from None
    fits = (
        isinstance(fields, dict)
        and all(isinstance(value, str) and len(value) <= 100 for value in texts.values())
        and all(type(value) is int and value >= 0 for value in counts.values())
        and isinstance(given, list)
        and len(given) <= entries.MOST_REASONS
    )
    if not fits:
        raise Refused("no_entry", 422)
    counts["keys"] = min(counts["keys"], MOST_KEYS)
    counts["active_ms"] = min(counts["active_ms"], MOST_MS)
    return Sent(
        id=id,
        fields=fields,
        overrides=[_override(one) for one in given],
        started=str(sent.get("started_at") or ""),
        submitted=str(sent.get("submitted_at") or ""),
        **texts,
        **counts,
    )


def _id(text: str) -> str:
    """An id made by a browser; raises ValueError, for one of the scanner's own (5) too."""
    found = UUID(text)
    if found.version == _SCANNER:
        raise ValueError(text)
    return str(found)


def _override(one: object) -> dict[str, str]:
    if not isinstance(one, dict):
        raise Refused("no_entry", 422)
    return {
        name: str(one.get(name, ""))[: entries.REASON_LENGTH] for name in ("name", "code", "reason")
    }


def read_form(q: Questionnaire, lists: Mapping[str, list[str]]) -> Sent:
    """An entry from a page without JavaScript; a field left alone is missing."""
    form = {name: texts[0] for name, texts in lists.items() if texts}
    fields = {}
    for one in paper.fields(q):
        value = _value(one, lists.get(one.name, []))
        if value is not None:
            fields[one.name] = value
    overrides = []
    for name, reason in form.items():
        if name.startswith("why:") and reason.strip():
            about, _, code = name.removeprefix("why:").rpartition(":")
            overrides.append(_override({"name": about, "code": code, "reason": reason.strip()}))
    try:
        id = _id(form.get("entry", ""))
    except ValueError:
        id = ""
    started = form.get("started", "")
    return Sent(id, fields, overrides, started, clock.stamp(clock.now()))


def _value(one: Field, texts: list[str]) -> object:
    """What stands in the controls of one field, None for nothing."""
    if one.kind == "text":
        return texts[0] if texts else ""
    if one.kind == "several":
        codes = [int(text) for text in texts if text.isdecimal() and len(text) == 1]
        return paper.INVALID if paper.INVALID in codes else codes
    text = texts[0].strip() if texts else ""
    if one.kind == "number" and not text:
        return ""
    number = text.removeprefix("-")
    return int(text) if number.isdecimal() and len(number) <= len("999999999") else None


def _moment(text: str) -> datetime | None:
    """A moment that a browser wrote, None for nothing that is one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
