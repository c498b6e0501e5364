"""Everything a report or a results page says about a wave, from its stored answers."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace
from typing import TypedDict

import numpy as np

from analysis import parts, publish, reader
from analysis.bounds import response_bounds
from analysis.design import Ints
from analysis.estimate import Estimates
from analysis.results import Account, Coverage, Figure, Result, UnitResult, WaveInfo
from analysis.study import Study, study
from forms.questionnaire import localized

#: Comments are shown only when at least this many persons answered.
COMMENTS_FROM = 5
SUM_NAME = "Tổng cộng"


def wave_result(
    db: sqlite3.Connection,
    wave: str,
    *,
    scope: str = "",
    flagged: bool = True,
    whole: Result | None = None,
) -> Result:
    """Read a wave and say what is known about it.

    Parameters
    ----------
    db : connection to the instance's database; only read
    wave : key of the wave
    scope : unit id whose answers (with those of everything under it) are reported; "" = all.
        The whole sample stays behind the error of the scope.
    flagged : count answers with a quality flag
    whole : the result of the whole wave where it is known, so that nothing is estimated twice

    Returns
    -------
    Result
        Of a probability wave with errors, intervals, ranked units; of self-selected answers
        with n, shares and worst-case bounds only.  A wave without answers has figures without
        values (flag ``no_answer``) and no design.

    Raises
    ------
    LookupError
        Unknown wave, questionnaire or scope.
    BadRows, BadDesign, LonelyStratum, BadIndex
        What is stored does not carry figures; the message names the place.
    """
    stored = reader.wave(db, wave)
    questionnaire = localized(stored.questionnaire, "vi", frozenset(stored.words.items()))
    units = reader.Units(db, stored.closes_on)
    if scope and units.get(scope) is None:
        raise LookupError(f"no unit {scope}")
    rows = reader.rows(db, stored, len(questionnaire.columns))
    marked = int(rows.flagged[parts.inside(units, rows, scope)].sum())
    if not flagged:
        rows = rows.keep(~rows.flagged)
    of = parts.inside(units, rows, scope)
    ready = study(stored, questionnaire, rows)
    estimates = ready.estimates(of)
    figures = ready.figures(estimates)
    result = Result(
        wave=_info(ready),
        scope=scope,
        scope_name=units.title(scope or _common(units, rows, stored.owner)),
        figures=figures,
        units=_members(db, ready, units, rows, of, scope, estimates),
        **_peers(db, ready, units, rows, scope, whole),
        accounts=_accounts(db, units, rows, wave, scope),
        channels=_channels(rows, of),
        design=ready.summary(of, estimates),
        coverage=_coverage(stored, of.size, figures[-1], scope),
        others=publish.distributions(
            questionnaire, rows.codes[of], ready.weight[of], hide_n=stored.hide_n
        ),
        flagged=marked,
        void=reader.counts(db, wave).get("void", 0),
        comments=_comments(stored, rows, of),
        loose=rows.loose,
    )
    return (
        _emptied(result) if scope and parts.held_back(units, rows, scope, stored.hide_n) else result
    )


def _emptied(result: Result) -> Result:
    """The result of a scope that may not be shown: who was asked, not what they said."""
    figures = tuple(publish.hidden(figure) for figure in result.figures)
    return replace(
        result,
        figures=figures,
        units=(),
        peers=(),
        peers_name="",
        design=None,
        others=(),
        comments=(),
    )


def _info(ready: Study) -> WaveInfo:
    wave = ready.wave
    same = {f.name for f in fields(WaveInfo)} & {f.name for f in fields(wave)}
    facts = {name: getattr(wave, name) for name in same}
    facts |= {
        "questionnaire_title": ready.questionnaire.title,
        "index": wave.index_method,
        "base": ready.base,
    }
    return WaveInfo(**facts)


def _common(units: reader.Units, rows: reader.Rows, owner: str) -> str:
    """The lowest unit above all that was drawn or has answered; else the owner of the wave."""
    seen = rows.units if rows.drawn is None else rows.drawn.frame
    if not seen:
        return owner
    paths = [units.path(unit) for unit in seen]
    shared = set(paths[0]).intersection(*paths[1:])
    return next((unit for unit in paths[0] if unit in shared), owner)


def _members(
    db: sqlite3.Connection,
    ready: Study,
    units: reader.Units,
    rows: reader.Rows,
    of: Ints,
    scope: str,
    whole: Estimates | None,
) -> tuple[UnitResult, ...]:
    if whole is None:
        return ()
    wave = ready.wave
    measured = parts.measure(
        parts.split(units, rows, of, scope), ready.composites, ready.figures, hide_n=wave.hide_n
    )
    sets = reader.rank_sets(db, wave.closes_on)
    if wave.rank_sets:
        sets = [found for found in sets if found.key in wave.rank_sets]
    return parts.results(measured, units, sets, whole if ready.sampled else None, level=wave.level)


class Peers(TypedDict, total=False):
    """The part of a Result that places its scope among others."""

    peers: tuple[UnitResult, ...]
    peers_name: str


def _peers(
    db: sqlite3.Connection,
    ready: Study,
    units: reader.Units,
    rows: reader.Rows,
    scope: str,
    whole: Result | None,
) -> Peers:
    """The ranked parts of the whole wave, when the scope is one of them."""
    if not scope or not ready.sampled:
        return {}
    every = parts.inside(units, rows, "")
    if scope not in {part.unit for part in parts.split(units, rows, every, "")}:
        return {}
    if whole is not None:
        return {"peers": whole.units, "peers_name": whole.scope_name}
    peers = _members(db, ready, units, rows, every, "", ready.estimates(every))
    return {"peers": peers, "peers_name": units.title(_common(units, rows, ready.wave.owner))}


def _accounts(
    db: sqlite3.Connection, units: reader.Units, rows: reader.Rows, wave: str, scope: str
) -> tuple[Account, ...]:
    """Forms issued, returned and valid per unit of the scope; the last row is the sum."""
    found = [row for row in reader.accounts(db, wave) if not scope or scope in units.path(row[0])]
    if not found:
        return ()
    valid = np.bincount(rows.unit, minlength=len(rows.units))
    paths = [units.path(unit) for unit in rows.units]
    each = tuple(
        Account(
            name=units.title(unit),
            issued=issued,
            returned=returned,
            valid=sum(int(valid[u]) for u, path in enumerate(paths) if unit in path),
        )
        for unit, issued, returned in found
    )
    return (
        *each,
        Account(
            name=SUM_NAME,
            issued=sum(a.issued for a in each),
            returned=sum(a.returned for a in each),
            valid=sum(a.valid for a in each),
        ),
    )


def _channels(rows: reader.Rows, of: Ints) -> dict[str, int]:
    counts = np.bincount(rows.channel[of], minlength=len(rows.channels))
    return {name: int(n) for name, n in zip(rows.channels, counts, strict=True) if n}


def _coverage(wave: reader.Wave, answers: int, total: Figure, scope: str) -> Coverage | None:
    """How many of how many answered; settled dossiers are known for the whole wave only."""
    if wave.kind == "probability":
        return None
    settled = None if scope else wave.settled
    if not settled or answers > settled:
        return Coverage(answers, settled, None, None, None)
    rate = answers / settled
    if total.value is None:
        return Coverage(answers, settled, rate, None, None)
    return Coverage(answers, settled, rate, *response_bounds(total.value, rate))


def _comments(wave: reader.Wave, rows: reader.Rows, of: Ints) -> tuple[str, ...]:
    if of.size < max(COMMENTS_FROM, wave.hide_n):
        return ()
    return reader.comments(rows, of)
