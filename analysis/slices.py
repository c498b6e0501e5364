"""A wave cut into parts: by unit, counter, service, channel or time, as far as may be told."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

import numpy as np

from analysis import folds, parts, publish, reader
from analysis.bounds import hidden_parts
from analysis.cells import Key
from analysis.design import Ints
from analysis.frame import frame
from analysis.results import DesignSummary, Distribution, Figure, Keyed, Kind, WaveInfo
from analysis.sipas import info
from analysis.study import Study, of_cells, study
from forms.questionnaire import Questionnaire, localized

By = Literal["unit", "counter", "service", "channel", "time"]
BY: tuple[str, ...] = get_args(By)
#: Cuts of a probability wave: it has no counters and no services, and its days are those of the
#: post.
SAMPLED = ("unit", "channel")
#: A period of at most so many days is cut into days, a longer one into months.
DAYS = 35


@dataclass(frozen=True, slots=True)
class Slice:
    """One part: a unit's id, "unit|counter", a service, a channel, a day or a month (YYYY-MM).

    ``figures`` are areas, factors and the total, with hidden ones where the part may not be told.
    """

    key: str
    figures: tuple[Figure, ...]

    @property
    def total(self) -> Figure:
        """The part's overall index."""
        return self.figures[-1]


@dataclass(frozen=True, slots=True)
class Slices:
    """The parts of a wave in a scope and a period, and the whole they add up to.

    ``figures`` of the whole in questionnaire order, the total last; ``rest`` persons whose answer
    names no service; ``channels`` persons by channel; ``flagged`` answers with a quality flag,
    counted or not.  Days are YYYY-MM-DD, "" where the period is open.
    """

    wave: WaveInfo
    by: str
    scope: str
    since: str
    until: str
    figures: tuple[Figure, ...]
    parts: tuple[Slice, ...]
    rest: int
    channels: Mapping[str, int]
    others: tuple[Distribution, ...]
    flagged: int
    design: DesignSummary | None
    keyed: Keyed | None

    @property
    def total(self) -> Figure:
        """The overall index of the whole."""
        return self.figures[-1]

    def of(self, *kinds: Kind) -> tuple[Figure, ...]:
        """Figures of these kinds in their order."""
        return tuple(f for f in self.figures if f.kind in kinds)


def slices(
    db: sqlite3.Connection,
    wave: str,
    *,
    by: str,
    scope: str = "",
    since: date | None = None,
    until: date | None = None,
    flagged: bool = True,
) -> Slices:
    """Cut a wave (in a scope, in a period) into parts.

    A period is one of self-selected answers, by the day they were received in Vietnam; services
    are counted by month, so that cut needs a period of whole months.  Parts below the wave's
    ``hide_n``, and the next smallest that guards them, are hidden; a scope that is hidden among
    its peers of the period is hidden whole.

    Raises
    ------
    LookupError
        Unknown wave, questionnaire or scope.
    ValueError
        A cut that this wave does not have; what is stored does not fit (as ``wave_result``).
    """
    stored = reader.wave(db, wave)
    sampled = stored.kind == "probability"
    if by not in (SAMPLED if sampled else BY) or (sampled and (since or until)):
        raise ValueError(f"no figures of {wave} by {by}")
    if by == "service" and not whole_months(since, until):
        raise ValueError("services are counted by month")
    asked = localized(stored.questionnaire, "vi", frozenset(stored.words.items()))
    units = reader.Units(db, stored.closes_on)
    if scope and units.get(scope) is None:
        raise LookupError(f"no unit {scope}")
    first, last = (on.isoformat() if on else "" for on in (since, until))
    if sampled:
        ready = cut = study(db, stored, asked)
    else:
        ready = cut = _period(db, stored, asked, first, last, by)
        if by == "service":
            ready = _period(db, stored, asked, first, last, "unit")
    marked = _flagged(ready, units, scope)
    if not flagged:
        ready, cut = ready.without_flagged(), cut.without_flagged()
    return _cut(ready, cut, units, by, (scope, first, last), marked)


def _period(
    db: sqlite3.Connection, of: reader.Wave, asked: Questionnaire, first: str, last: str, by: str
) -> Study:
    how = frame(of, asked)
    if not (first or last) and by in ("unit", "counter", "channel"):
        return of_cells(of, asked, folds.whole(db, of, how))
    daily = by == "time" and short(first, last)
    cells = folds.period(db, of, how, first, last, services=by == "service", by_day=daily)
    return of_cells(of, asked, cells)


def whole_months(since: date | None, until: date | None) -> bool:
    """Whether a period, where it has ends, begins with a month and ends with one."""
    begins = since is None or since.day == 1
    return begins and (until is None or (until + timedelta(1)).day == 1)


def short(since: str, until: str) -> bool:
    """Whether a period is cut into days."""
    if not (since and until):
        return False
    return (date.fromisoformat(until) - date.fromisoformat(since)).days < DAYS


def _flagged(ready: Study, units: reader.Units, scope: str) -> int:
    of = parts.inside(units, ready.answers, scope)
    return ready.answers.people(of[ready.answers.flagged[of]])


def _cut(
    ready: Study,
    cut: Study,
    units: reader.Units,
    by: str,
    place: tuple[str, str, str],
    flagged: int,
) -> Slices:
    scope, hide_n, answers = place[0], ready.wave.hide_n, ready.answers
    of = parts.inside(units, answers, scope)
    estimates = ready.estimates(of)
    figures = ready.figures(estimates.figures if estimates else None)
    found = _parts(cut, units, by, scope, daily=short(*place[1:]))
    n = answers.people(of)
    rest = n - sum(part.people for part in found) if by == "service" else 0
    held = bool(scope) and parts.held_back(units, answers, scope, hide_n)
    if held:
        figures, found = tuple(publish.hidden(figure) for figure in figures), ()
    sums = answers.sums
    return Slices(
        info(ready),
        by,
        *place,
        figures=figures,
        parts=_told(cut, found, rest, hide_n),
        rest=rest if rest >= hide_n else 0,
        channels={} if held else _channels(ready, of),
        others=()
        if held or not of.size
        else publish.distributions(
            ready.questionnaire,
            ready.frame.layout,
            sums.counts[of].sum(axis=0),
            sums.sums[of].sum(axis=0),
            hide_n=hide_n,
        ),
        flagged=flagged,
        design=ready.summary(of, estimates),
        keyed=ready.paper.keyed if ready.paper else None,
    )


def _parts(
    cut: Study, units: reader.Units, by: str, scope: str, *, daily: bool
) -> tuple[parts.Part, ...]:
    """Who is in which part; cells of nobody's are left out."""
    answers = cut.answers
    of = parts.inside(units, answers, scope)
    if by == "unit":
        return parts.split(units, answers, of, scope)
    keys = answers.cells.keys
    groups: dict[str, list[int]] = {}
    for c in of.tolist():
        groups.setdefault(_label(keys[c], by, daily=daily), []).append(c)
    found: list[parts.Part] = []
    for name in sorted(groups):
        cells: Ints = np.array(groups[name], dtype=np.int64)
        found.append(parts.Part(name, cells, answers.people(cells)))
    return tuple(found)


def _label(key: Key, by: str, *, daily: bool) -> str:
    if by == "time":
        return key.day if daily else key.day.removeprefix("m")[:7]
    return {"counter": key.psu, "service": key.spot, "channel": key.channel}[by]


def _told(cut: Study, found: Sequence[parts.Part], rest: int, hide_n: int) -> tuple[Slice, ...]:
    """The parts with their figures; small ones are hidden, the unnamed rest guards as they do."""
    if not found:
        return ()
    grid = cut.grid([part.cells for part in found])
    small = hidden_parts([*(part.people for part in found), rest], hide_n=hide_n)
    told = []
    for d, part in enumerate(found):
        figures = cut.figures([f for f in grid.figures(d) if f.kind != "item"])
        if d in small:
            figures = tuple(publish.hidden(figure) for figure in figures)
        told.append(Slice(part.unit, figures))
    return tuple(told)


def _channels(ready: Study, of: Ints) -> dict[str, int]:
    answers = ready.answers
    people = np.bincount(
        answers.channel[of], answers.sums.people[of], minlength=len(answers.channels)
    )
    return {name: int(n) for name, n in zip(answers.channels, people, strict=True) if n}
