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
from analysis.results import Account, Coverage, Figure, Result, UnitResult, WaveInfo, Weighed
from analysis.study import Answers, Study, study
from forms.questionnaire import localized

#: Comments are shown only when at least this many persons answered.
COMMENTS_FROM = 5
SUM_NAME = "Tổng cộng"
#: Margins that nobody is asked about.
DRAWN = {"area": "thành thị, nông thôn", "stratum": "tầng", "unit": "đơn vị hành chính"}


def wave_result(
    db: sqlite3.Connection,
    wave: str,
    *,
    scope: str = "",
    flagged: bool = True,
    whole: Result | None = None,
    comments: bool = True,
    tallies: bool = True,
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
    comments : read what people wrote, which takes the longer the more there is
    tallies : start from the stored tallies; False reads every response

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
    ready = study(db, stored, questionnaire, tallies=tallies)
    every = parts.inside(units, ready.answers, scope)
    marked = ready.answers.people(every[ready.answers.flagged[every]])
    if not flagged:
        ready = ready.without_flagged()
    answers = ready.answers
    of = parts.inside(units, answers, scope)
    estimates = ready.estimates(of)
    figures = ready.figures(estimates.figures if estimates else None)
    n = answers.people(of)
    result = Result(
        wave=info(ready),
        scope=scope,
        scope_name=units.title(scope or common(units, answers, stored.owner)),
        figures=figures,
        units=_members(db, ready, units, of, scope, estimates),
        **_peers(db, ready, units, scope, whole),
        accounts=_accounts(db, units, answers, wave, scope),
        channels=_channels(answers, of),
        design=ready.summary(of, estimates),
        coverage=_coverage(stored, n, figures[-1], scope),
        others=publish.distributions(
            questionnaire,
            ready.frame.layout,
            answers.sums.counts[of].sum(axis=0),
            answers.sums.sums[of].sum(axis=0),
            hide_n=stored.hide_n,
        ),
        flagged=marked,
        void=reader.void(db, wave),
        comments=_comments(db, ready, units, scope, n) if comments else (),
        weighed=_weighed(db, ready),
        keyed=ready.paper.keyed if ready.paper else None,
        loose=answers.loose,
    )
    if scope and parts.held_back(units, answers, scope, stored.hide_n):
        return _emptied(result)
    return result


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


def info(ready: Study) -> WaveInfo:
    """What a report needs to know of a wave."""
    wave = ready.wave
    same = {f.name for f in fields(WaveInfo)} & {f.name for f in fields(wave)}
    facts = {name: getattr(wave, name) for name in same}
    facts |= {
        "questionnaire_title": ready.questionnaire.title,
        "index": wave.index_method,
        "base": ready.frame.base,
    }
    return WaveInfo(**facts)


def _weighed(db: sqlite3.Connection, ready: Study) -> Weighed | None:
    """What was done to the weights of the draw; None when nothing was."""
    settings, report, frozen, late = reader.weighting(db, ready.wave.key)
    if not settings:
        return None
    items = {item.id: item.text for item in ready.questionnaire.items} | DRAWN
    said = settings["margins"]
    found = [source for name, source in reader.sources(db, ready.wave.key) if name in said]
    return Weighed(
        margins=tuple(" × ".join(items.get(n, n) for n in name.split("*")) for name in said),
        sources=tuple(dict.fromkeys(found)),
        capped=report.get("trimming", {}).get("capped", 0),
        kish=report["weights"]["kish"],
        frozen=frozen,
        late=late,
    )


def common(units: reader.Units, answers: Answers, owner: str) -> str:
    """The lowest unit above all that was drawn or has answered; else the owner of the wave."""
    seen = answers.drawn or answers.units
    if not seen:
        return owner
    paths = [units.path(unit) for unit in seen]
    shared = set(paths[0]).intersection(*paths[1:])
    return next((unit for unit in paths[0] if unit in shared), owner)


def _members(
    db: sqlite3.Connection,
    ready: Study,
    units: reader.Units,
    of: Ints,
    scope: str,
    whole: Estimates | None,
) -> tuple[UnitResult, ...]:
    members = parts.split(units, ready.answers, of, scope)
    if whole is None or not members:
        return ()
    wave = ready.wave
    grid = ready.grid([part.cells for part in members])
    measured = parts.measure(members, grid, ready.figures, hide_n=wave.hide_n)
    sets = reader.rank_sets(db, wave.closes_on)
    if wave.rank_sets:
        sets = [found for found in sets if found.key in wave.rank_sets]
    known = whole if ready.sampled else None
    return parts.results(measured, units, sets, grid, known, level=wave.level)


class Peers(TypedDict, total=False):
    """The part of a Result that places its scope among others."""

    peers: tuple[UnitResult, ...]
    peers_name: str


def _peers(
    db: sqlite3.Connection,
    ready: Study,
    units: reader.Units,
    scope: str,
    whole: Result | None,
) -> Peers:
    """The ranked parts of the whole wave, when the scope is one of them."""
    if not scope or not ready.sampled:
        return {}
    answers = ready.answers
    every = parts.inside(units, answers, "")
    if scope not in {part.unit for part in parts.split(units, answers, every, "")}:
        return {}
    if whole is not None:
        return {"peers": whole.units, "peers_name": whole.scope_name}
    peers = _members(db, ready, units, every, "", ready.estimates(every))
    return {"peers": peers, "peers_name": units.title(common(units, answers, ready.wave.owner))}


def _accounts(
    db: sqlite3.Connection, units: reader.Units, answers: Answers, wave: str, scope: str
) -> tuple[Account, ...]:
    """Forms issued, returned and valid per unit of the scope; the last row is the sum."""
    found = [row for row in reader.accounts(db, wave) if not scope or scope in units.path(row[0])]
    if not found:
        return ()
    valid = np.bincount(answers.unit, answers.sums.people, minlength=len(answers.units))
    paths = [units.path(unit) for unit in answers.units]
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


def _channels(answers: Answers, of: Ints) -> dict[str, int]:
    people = answers.sums.people[of]
    counts = np.bincount(answers.channel[of], people, minlength=len(answers.channels))
    return {name: int(n) for name, n in zip(answers.channels, counts, strict=True) if n}


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


def _comments(
    db: sqlite3.Connection, ready: Study, units: reader.Units, scope: str, n: int
) -> tuple[str, ...]:
    if n < max(COMMENTS_FROM, ready.wave.hide_n):
        return ()
    names = ready.answers.units
    mine = {unit for unit in names if scope in units.path(unit)} if scope else None
    flagged = bool(ready.answers.flagged.any())
    return reader.comments(db, ready.wave, flagged=flagged, units=mine)
