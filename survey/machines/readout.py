"""The machines' door to what is known: waves, units, results, coverage and single dossiers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, request

from survey import db, guard
from survey.board import settled
from survey.machines import keyring
from survey.store import clock, dossiers, units, waves
from survey.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analysis.results import Distribution, Figure, Result, UnitResult
    from survey.store.keys import Key
    from survey.store.settled import Cell
    from survey.store.waves import Wave

bp = Blueprint("readout", __name__, url_prefix="/api/v1")

#: Units in one answer, and the most one may ask for.
PAGE, MOST = 200, 1000
#: Days of settling that one question may be about.
LONGEST = 3660
#: Fewer answers than this are not told, nor what would give them away.
HIDE_N = 5

Body = dict[str, object]


@bp.get("/waves")
@guard.public
def all_waves() -> Response:
    """List the waves that the key reaches, the newest first."""
    key = keyring.demand("waves")
    return _json({"waves": [_wave(wave) for wave in waves.live(db.get()) if _reaches(key, wave)]})


@bp.get("/waves/<wave>")
@guard.public
def one_wave(wave: str) -> Response:
    """Describe one wave: its days, its questionnaire and its method."""
    key = keyring.demand("waves")
    return _json(_wave(_found(key, wave)))


@bp.get("/units")
@guard.public
def all_units() -> Response:
    """List units of a day in pages, under one unit or of one kind."""
    key = keyring.demand("units")
    asked, kind = request.args.get("parent"), request.args.get("kind")
    on, limit = _day("on"), request.args.get("limit", PAGE, type=int)
    if not 1 <= limit <= MOST:
        abort(400)
    after = request.args.get("after", "")
    found = units.all(db.get(), kind=kind, parent=asked, on=on or clock.day(clock.now()))
    tree = Tree()
    mine = [unit for unit in found if unit.id > after and tree.inside(unit.id, key.unit)]
    rest = sorted(mine, key=lambda unit: unit.id)
    body: Body = {"units": [_unit(unit) for unit in rest[:limit]]}
    if len(rest) > limit:
        body["next"] = rest[limit - 1].id
    return _json(body)


@bp.get("/waves/<wave>/results")
@guard.public
def results(wave: str) -> Response:
    """Give the figures of a wave, or of one unit in it, with their doubt.

    What the board hides (few answers, and what would give them away) is null here, too.
    """
    from survey.board import figures

    key = keyring.demand("results")
    held = _found(key, wave)
    scope = keyring.within(key, request.args.get("unit", ""))
    try:
        result = figures.find(held, scope)
    except LookupError:
        abort(404)
    if isinstance(result, figures.Nothing):
        return _json({"wave": held.key, "unit": scope or None, "answers": None, "figures": []})
    return _json(_result(result, scope))


@bp.get("/coverage")
@guard.public
def coverage() -> Response:
    """Count settled dossiers and those with an opinion, by unit, service, month and lateness."""
    from analysis.bounds import hidden_parts

    key = keyring.demand("coverage")
    since, until = _day("since"), _day("until")
    if since is None or until is None or not 0 <= (until - since).days <= LONGEST:
        abort(400)
    scope = keyring.within(key, request.args.get("unit", ""))
    tree, whole = Tree(), settled.counted(since, until).cells
    cells = [cell for cell in whole if tree.inside(cell.unit, scope)]
    parts: dict[str, Callable[[Cell], str]] = {
        "units": lambda cell: tree.part(cell.unit, scope),
        "services": lambda cell: cell.service,
        "months": lambda cell: cell.month,
        "late": lambda cell: "late" if cell.late else "on_time",
    }

    def hide(counts: Sequence[int]) -> frozenset[int]:
        return hidden_parts(counts, hide_n=HIDE_N)

    answered = sum(cell.n for cell in cells if cell.channel)
    small = 0 < answered < HIDE_N or settled.hidden_above(whole, scope, tree, hide_n=HIDE_N)
    body: Body = {
        "since": since.isoformat(), "until": until.isoformat(), "unit": scope or None,
        "settled": sum(cell.n for cell in cells), "answered": None if small else answered,
    }  # fmt: skip
    body |= {name: _counted(cells, of, hide, small=small) for name, of in parts.items()}
    return _json(body)


@bp.get("/dossiers/<path:number>")
@guard.public
def dossier(number: str) -> Response:
    """Give one dossier as it was handed over, and whether it has its opinion; not which."""
    key = keyring.demand("dossiers.read")
    try:
        found = dossiers.get(db.get(), number)
    except LookupError:
        abort(404)
    keyring.within(key, found.receiving_unit)
    settled = found.settled_on
    return _json(
        {
            "key": found.key,
            "service": found.service,
            "receiving_unit": found.receiving_unit,
            "resolving_unit": found.resolving_unit,
            "received_on": found.received_on.isoformat(),
            "due_on": found.due_on.isoformat(),
            "settled_on": settled.isoformat() if settled else None,
            "late": found.late(clock.day(clock.now())),
            "answered": dossiers.answered(db.get(), number),
        }
    )


def _found(key: Key, name: str) -> Wave:
    try:
        wave = waves.get(db.get(), name)
    except LookupError:
        abort(404)
    if not _reaches(key, wave):
        abort(404)
    return wave


def _reaches(key: Key, wave: Wave) -> bool:
    """Say whether a wave is live and of, above or under the key's unit."""
    if wave.stage != "live" or wave.trial_of:
        return False
    return units.related(db.get(), key.unit, wave.owner)


def _day(name: str) -> date | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(400)


def _wave(wave: Wave) -> Body:
    return {
        "key": wave.key, "name": wave.name, "year": wave.year, "kind": wave.kind,
        "questionnaire": wave.questionnaire, "opens_on": wave.opens_on.isoformat(),
        "closes_on": wave.closes_on.isoformat(), "open": wave.is_open(clock.now()),
        "owner": wave.owner, "series": wave.series or None, "index": wave.index_method,
        "aggregate": wave.aggregate, "interval": wave.interval, "level": wave.level,
        "synthetic": wave.synthetic,
    }  # fmt: skip


def _unit(unit: units.Unit) -> Body:
    return {
        "id": unit.id, "kind": unit.kind, "word": unit.word, "name": unit.name,
        "parent": unit.parent, "valid_from": unit.valid_from, "valid_to": unit.valid_to,
    }  # fmt: skip


def _result(result: Result, scope: str) -> Body:
    held = result.coverage
    return {
        "wave": result.wave.key,
        "unit": scope or None,
        "name": result.scope_name,
        "kind": result.wave.kind,
        "synthetic": result.wave.synthetic,
        "level": result.wave.level,
        "answers": dict(result.channels),
        "figures": [_figure(one) for one in result.figures],
        "units": [_member(one) for one in result.units],
        "questions": [_question(one) for one in result.others],
        "coverage": held and {
            "answers": held.answers, "settled": held.settled, "rate": held.rate,
            "low": held.low, "high": held.high,
        },
    }  # fmt: skip


def _figure(one: Figure) -> Body:
    shown = one.value is not None and "hidden" not in one.flags
    return {
        "kind": one.kind, "id": one.id, "number": one.number, "name": one.name,
        "n": one.n if shown else None, "value": one.value, "se": one.se, "low": one.low,
        "high": one.high, "deff": one.deff, "neff": one.neff, "df": one.df or None,
        "shares": list(one.shares) if one.shares else None, "flags": list(one.flags),
    }  # fmt: skip


def _member(one: UnitResult) -> Body:
    return {
        "unit": one.unit, "name": one.name, "figures": [_figure(f) for f in one.figures],
        "rank": one.rank, "rank_low": one.rank_low, "rank_high": one.rank_high,
    }  # fmt: skip


def _question(one: Distribution) -> Body:
    return {
        "id": one.id, "number": one.number, "name": one.name, "n": one.n,
        "choices": [
            {"code": c.code, "label": c.label, "n": c.n if c.share is not None else None,
             "share": c.share}
            for c in one.choices
        ],
    }  # fmt: skip


def _counted(
    cells: Iterable[Cell],
    of: Callable[[Cell], str],
    hide: Callable[[Sequence[int]], frozenset[int]],
    *,
    small: bool,
) -> list[Body]:
    """Count by a name; small numbers, and those that would tell them, are null."""
    settled: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for cell in cells:
        settled[of(cell)] += cell.n
        answered[of(cell)] += cell.n if cell.channel else 0
    names = sorted(settled)
    hidden = hide([answered[name] for name in names])
    return [
        {
            "name": name,
            "settled": settled[name],
            "answered": None if small or at in hidden else answered[name],
        }
        for at, name in enumerate(names)
    ]


def _json(body: Body) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    answer = Response(text, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
