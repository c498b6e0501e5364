"""The door of the one-stop software: dossiers handed over with a key, once or a hundred times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from survey import db, guard, services
from survey.citizen import pages
from survey.dossiers import FIELDS, Reader
from survey.errors import problem
from survey.machines import keyring
from survey.store import Refused, clock
from survey.store import dossiers as store
from survey.text import t

if TYPE_CHECKING:
    from sqlite3 import Connection

    from survey.store.dossiers import Dossier

bp = Blueprint("feed", __name__)

#: Dossiers in one request, so that it is done before the other side gives up waiting.
MOST = 1000
#: Faults told of one request.
TOLD = 200

Faults = list[dict[str, object]]


class BadBodyError(ValueError):
    """The body is no list of dossiers: what to answer."""

    def __init__(self, status: int, code: str, advice: str = "", **facts: object) -> None:
        super().__init__(code)
        self.status, self.code, self.advice, self.facts = status, code, advice, facts


@bp.post("/api/v1/dossiers")
@guard.public
def dossiers() -> Response:
    """Store a list of dossiers, all or none; who sends them again changes nothing."""
    language = pages.look().language
    key = keyring.demand("dossiers")
    try:
        rows = _rows(request.get_data())
    except BadBodyError as bad:
        words = t(f"feed.{bad.code}", language, **bad.facts)
        return problem(bad.status, bad.code, words, bad.advice)
    now = clock.now()
    reader = Reader(store.known_units(db.get()), today=clock.day(now), language=language)
    found, places, faults = _read(rows, reader, language)
    if faults:
        return _faulty(faults, language)

    def job(writing: Connection) -> store.Put:
        return store.put(
            writing, found, now=now, actor=f"key:{key.name}", source="api", within=key.unit
        )

    try:
        done = services().writer.run(job)
    except Refused as refusal:
        if refusal.code != "not_yours":
            raise
        strange = refusal.facts["keys"]
        assert isinstance(strange, list)
        return _faulty(
            [_fault(places[name], "receiving_unit", "not_yours", language) for name in strange],
            language,
        )
    body = {"received": len(rows), "new": done.new, "changed": done.changed, "same": done.same}
    return Response(json.dumps(body), 200, content_type="application/json")


def _rows(body: bytes) -> list[object]:
    language = pages.look().language
    try:
        sent = json.loads(body.decode("utf-8"))
    except json.JSONDecodeError as fault:
        where = f"dòng {fault.lineno}, cột {fault.colno}"
        raise BadBodyError(400, "not_json", where) from fault
    except (ValueError, RecursionError) as fault:  # another encoding, an endless number or depth
        raise BadBodyError(400, "not_json") from fault
    if not isinstance(sent, list):
        raise BadBodyError(422, "not_list")
    if len(sent) > MOST:
        advice = t("feed.too_many.advice", language, n=len(sent))
        raise BadBodyError(422, "too_many", advice, most=MOST)
    return sent


def _read(
    rows: list[object], reader: Reader, language: str
) -> tuple[list[Dossier], dict[str, int], Faults]:
    """Return the dossiers, each once, the place of each, and what is wrong with the rows."""
    found: dict[str, Dossier] = {}
    places: dict[str, int] = {}
    faults: Faults = []
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            faults.append(_fault(place, "", "not_object", language))
            continue
        dossier, wrong = reader.read(row)
        faults += [
            {"index": place, "field": f.field, "code": f.code, "message": f.text} for f in wrong
        ]
        strange = sorted(row.keys() - set(FIELDS))
        faults += [_fault(place, _shown(name), "unknown", language) for name in strange]
        if dossier is None:
            continue
        first = places.setdefault(dossier.key, place)
        if found.setdefault(dossier.key, dossier) != dossier:
            faults.append(_fault(place, "key", "twice", language, first=first))
    return list(found.values()), places, faults


def _fault(place: int, field: str, code: str, language: str, **facts: object) -> dict[str, object]:
    text = t(f"dossiers.fault.{code}", language, **facts)
    return {"index": place, "field": field, "code": code, "message": text}


def _faulty(faults: Faults, language: str) -> Response:
    title = t("feed.faults", language, n=len(faults))
    return problem(422, "faults", title, faults=faults[:TOLD])


def _shown(text: str) -> str:
    """Return somebody's word as it may be given back: short, without lone surrogates."""
    return text[:80].encode(errors="replace").decode()
