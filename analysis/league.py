"""League tables: the units of a wave in every rank set, with ranges, tie bands and one's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis import parts, publish, reader
from analysis.bounds import hidden_parts
from analysis.design import Ints
from analysis.estimate import Estimates
from analysis.parts import Measured, Standing
from analysis.ranks import bands, both, differs
from analysis.reader import RankSet, Units
from analysis.results import Figure, WaveInfo
from analysis.sipas import common, info
from analysis.study import Study, study
from forms.questionnaire import localized

#: The set of all units of the wave, and that of the units inside a scope.
ALL, WITHIN = "all", "within"


@dataclass(frozen=True, slots=True)
class Place:
    """A unit among others: ``rank`` with its range, and the tie ``bands`` it belongs to (first,
    last), counted from 1; ``against`` one's own unit: -1 below, +1 above significantly, else 0.

    ``rank`` None: the unit has no place (too few answers, or no error is known).
    """

    unit: str
    name: str
    figure: Figure
    rank: int | None = None
    low: int | None = None
    high: int | None = None
    bands: tuple[int, int] = (0, 0)
    against: int = 0


@dataclass(frozen=True, slots=True)
class League:
    """One rank set; ``places`` the best first, those without a place last."""

    key: str
    name: str
    kind: str
    places: tuple[Place, ...]
    bands: int

    @property
    def ranked(self) -> int:
        """How many units have a place."""
        return sum(place.rank is not None for place in self.places)


@dataclass(frozen=True, slots=True)
class Leagues:
    """All rank sets of a wave; ``mine`` is one's own unit in them, "" for the whole."""

    wave: WaveInfo
    whole: Figure
    whole_name: str
    mine: str
    mine_name: str
    sets: tuple[League, ...]


def leagues(db: sqlite3.Connection, wave: str, *, unit: str = "", flagged: bool = True) -> Leagues:
    """Rank the units of a probability wave in every rank set of its day.

    Sets are the whole wave, those of the wave (its regions and groups) with two ranked members at
    least, and the parts of ``unit`` where it has some.  In each set: competition places, marginal
    confidence sets of them, tie bands from simultaneous ones, and differences from one's own unit
    (or from the whole where it is not in the set), Holm-adjusted over the set.

    Raises LookupError (no such wave), ValueError (self-selected answers are never ranked).
    """
    stored = reader.wave(db, wave)
    if stored.kind != "probability":
        raise ValueError(f"{wave} is no sample")
    asked = localized(stored.questionnaire, "vi", frozenset(stored.words.items()))
    ready = study(db, stored, asked)
    ready = ready if flagged else ready.without_flagged()
    units = reader.Units(db, stored.closes_on)
    whole = ready.estimates(parts.inside(units, ready.answers, ""))
    figures = ready.figures(whole.figures if whole else None)
    top = units.title(common(units, ready.answers, stored.owner))
    sets = reader.rank_sets(db, stored.closes_on)
    known = [s for s in sets if not stored.rank_sets or s.key in stored.rank_sets]
    country = [RankSet(ALL, top, ALL, frozenset()), *known]
    found: list[League] = []
    mine = ""
    for scope in ("", unit)[: 1 + bool(unit)]:
        of = _standing(ready, units, scope, whole)
        if of is None or whole is None:
            continue
        if not scope:
            placed = {m.part.unit for m in of[1]}
            mine = next((id for id in units.path(unit) if id in placed), "")
        wanted = [RankSet(WITHIN, units.title(unit), WITHIN, frozenset())] if scope else country
        made = (_league(one, of, units, mine, stored.level) for one in wanted)
        found += [one for one in made if one is not None]
    return Leagues(
        info(ready), figures[-1], top, mine, units.title(mine) if mine else top, tuple(found)
    )


def _standing(
    ready: Study, units: Units, scope: str, whole: Estimates | None
) -> tuple[Sequence[Measured], Sequence[Measured], Standing] | None:
    """The parts of a scope, those that can be ranked, and how they stand; None without two."""
    of = parts.inside(units, ready.answers, scope)
    members = parts.split(units, ready.answers, of, scope)
    if whole is None or not members:
        return None
    grid = ready.grid([part.cells for part in members])
    small = hidden_parts([part.people for part in members], hide_n=ready.wave.hide_n)
    totals = [ready.total(grid.total(d)) for d in range(len(members))]
    measured = [
        Measured(part, (publish.hidden(totals[d]) if d in small else totals[d],), d)
        for d, part in enumerate(members)
    ]
    ranked = [m for m in measured if parts.can_rank(m)]
    if len(ranked) < 2:
        return None
    return measured, ranked, parts.standing(ranked, grid, whole, level=ready.wave.level)


def _league(
    one: RankSet,
    of: tuple[Sequence[Measured], Sequence[Measured], Standing],
    units: Units,
    mine: str,
    level: float,
) -> League | None:
    """The places of one set; None where fewer than two of its units have one."""
    measured, ranked, stand = of
    ids = one.members
    at: Ints = np.array(
        [u for u, m in enumerate(ranked) if not ids or m.part.unit in ids], dtype=np.int64
    )
    if at.size < 2:
        return None
    everybody = at.size == stand.values.size
    joint = stand.joint if everybody else stand.joint[np.ix_(at, at)]
    sets, together = both(
        stand.values[at], joint, level=level, method=stand.method, df=stand.df[at]
    )
    tied = bands(together)
    names = [ranked[u].part.unit for u in at.tolist()]
    against = _against(stand, at, names, mine, level)
    groups = _groups(tied, at.size)
    places = [
        Place(
            unit,
            units.title(unit),
            ranked[u].figures[-1],
            int(sets.rank[n]),
            int(sets.low[n]),
            int(sets.high[n]),
            groups[n],
            int(against[n]),
        )
        for n, (u, unit) in enumerate(zip(at.tolist(), names, strict=True))
    ]
    places.sort(key=lambda place: (place.rank or 0, place.unit))
    done = set(names)
    rest = [
        Place(m.part.unit, units.title(m.part.unit), m.figures[-1])
        for m in measured
        if m.part.unit not in done and (not ids or m.part.unit in ids)
    ]
    return League(one.key, one.name, one.kind, (*places, *rest), len(tied))


def _groups(tied: Sequence[Ints], size: int) -> list[tuple[int, int]]:
    """First and last band (from 1) of each unit."""
    first, last = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for number, band in enumerate(tied, 1):
        last[band] = number
        first[band] = np.where(first[band] == 0, number, first[band])
    return list(zip(first.tolist(), last.tolist(), strict=True))


def _against(stand: Standing, at: Ints, names: Sequence[str], mine: str, level: float) -> Ints:
    """How the units of a set differ from one's own, or from the whole where it is not in it."""
    if mine not in names:
        return differs(stand.apart[at], stand.apart_se[at], stand.whole_df, level=level)
    own = names.index(mine)
    others = np.flatnonzero(np.arange(at.size) != own)
    joint = stand.joint
    u, v = at[others], at[own]
    variance = np.diag(joint)[u] + joint[v, v] - 2 * joint[u, v]
    df = stand.df[u] + stand.df[v]
    found = np.zeros(at.size, dtype=np.int64)
    found[others] = differs(
        stand.values[u] - stand.values[v], np.sqrt(np.maximum(variance, 0.0)), df, level=level
    )
    return found
