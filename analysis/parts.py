"""The units inside a wave: which rows are whose, and how the units stand to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analysis import publish
from analysis.bounds import hidden_parts
from analysis.design import Bools, Design, Floats, Ints
from analysis.estimate import Estimate, Estimates, Grid
from analysis.intervals import least_variances
from analysis.ranks import MANY, competition, differs, rank_sets
from analysis.reader import RankSet, Units
from analysis.results import Figure, UnitResult
from analysis.study import Answers


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A unit with the indices of its cells and the persons in them."""

    unit: str
    cells: Ints
    people: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A part with its published figures; ``at`` is its column among the measured."""

    part: Part
    figures: tuple[Figure, ...]
    at: int


def inside(units: Units, answers: Answers, scope: str) -> Ints:
    """Indices of the cells that belong to ``scope`` or anything under it ("" = all)."""
    if not scope:
        return np.arange(answers.unit.size)
    mine = np.array([scope in units.path(unit) for unit in answers.units], dtype=bool)
    return np.flatnonzero(mine[answers.unit]) if mine.size else np.arange(0)


def split(units: Units, answers: Answers, of: Ints, scope: str) -> tuple[Part, ...]:
    """The parts of a scope: the units at the highest level where its cells divide.

    Cells of the scope itself, not of anything under it, belong to no part.  Fewer than two
    parts are none.
    """
    seen = np.unique(answers.unit[of])
    paths = {int(code): _below(units, answers.units[code], scope) for code in seen}
    depth = 0
    while True:
        at = {code: path[depth] for code, path in paths.items() if len(path) > depth}
        if not at:
            return ()
        if len(set(at.values())) > 1:
            break
        depth += 1
    names = sorted(set(at.values()))
    number = {name: n for n, name in enumerate(names)}
    of_unit = np.full(len(answers.units), -1, dtype=np.int64)
    of_unit[list(at)] = [number[name] for name in at.values()]
    mine = of_unit[answers.unit[of]]
    order = np.argsort(mine, kind="stable")
    ends = np.searchsorted(mine[order], np.arange(len(names) + 1))
    groups = (of[order[low:high]] for low, high in pairwise(ends.tolist()))
    return tuple(
        Part(name, cells, answers.people(cells)) for name, cells in zip(names, groups, strict=True)
    )


def held_back(units: Units, answers: Answers, scope: str, hide_n: int) -> bool:
    """Whether a scope is hidden among the parts it stands with, small itself or beside a small one.

    A unit that is hidden in the table of its province must not be shown on a page of its own.
    """
    above, of = "", np.arange(answers.unit.size)
    while parts := split(units, answers, of, above):
        small = hidden_parts([part.people for part in parts], hide_n=hide_n)
        at = next((i for i, p in enumerate(parts) if p.unit in units.path(scope)), None)
        if at is None:
            return False
        if at in small or parts[at].unit == scope:
            return at in small
        above, of = parts[at].unit, parts[at].cells
    return False


def _below(units: Units, unit: str, scope: str) -> list[str]:
    """From just under ``scope`` (or the country) down to the unit."""
    path: list[str] = []
    for id in units.path(unit):
        found = units.get(id)
        if id == scope or (not scope and found is not None and found.kind == "country"):
            break
        path.append(id)
    return path[::-1]


def measure(
    parts: Sequence[Part],
    grid: Grid,
    figures: Callable[[Sequence[Estimate]], tuple[Figure, ...]],
    *,
    hide_n: int,
) -> list[Measured]:
    """Areas, factors and the total of each part; one hidden part never stands alone."""
    found = [
        Measured(part, figures([f for f in grid.figures(d) if f.kind != "item"]), d)
        for d, part in enumerate(parts)
    ]
    small = hidden_parts([part.people for part in parts], hide_n=hide_n)
    return [
        replace(m, figures=tuple(publish.hidden(f) for f in m.figures)) if i in small else m
        for i, m in enumerate(found)
    ]


def results(
    measured: Sequence[Measured],
    units: Units,
    sets: Sequence[RankSet],
    grid: Grid,
    whole: Estimates | None,
    *,
    level: float,
) -> tuple[UnitResult, ...]:
    """The parts as they are printed: ranked ones first, best first, then the rest by unit.

    ``whole`` is None for self-selected answers: those are never ranked.  Units whose total is
    hidden, rests on few persons or has no error are not ranked either.
    """
    regions = {unit: s for s in sets if s.kind == "region" for unit in s.members}
    rest = {
        m.part.unit: UnitResult(
            unit=m.part.unit,
            name=units.title(m.part.unit),
            region=regions[m.part.unit].name if m.part.unit in regions else "",
            figures=m.figures,
        )
        for m in measured
    }
    ranked = [m for m in measured if whole is not None and can_rank(m)]
    places = _ranked(ranked, rest, (grid, whole), level) if whole is not None and ranked else []
    in_regions = _in_regions(places, regions)
    done = {unit.unit for unit in in_regions}
    return (*in_regions, *(unit for id, unit in sorted(rest.items()) if id not in done))


def can_rank(measured: Measured) -> bool:
    """Whether a part's total is known well enough to have a place."""
    total = next(f for f in measured.figures if f.kind == "total")
    known = total.value is not None and total.se is not None and total.df > 0
    return known and not {"hidden", "few"} & set(total.flags)


def _ranked(
    ranked: Sequence[Measured],
    rest: Mapping[str, UnitResult],
    of: tuple[Grid, Estimates],
    level: float,
) -> list[UnitResult]:
    stand = standing(ranked, *of, level=level)
    marks = differs(stand.apart, stand.apart_se, stand.whole_df, level=level)
    sets = rank_sets(stand.values, stand.joint, level=level, method=stand.method, df=stand.df)
    order = sorted(range(len(ranked)), key=lambda u: (sets.rank[u], ranked[u].part.unit))
    return [
        replace(
            rest[ranked[u].part.unit],
            rank=int(sets.rank[u]),
            rank_low=int(sets.low[u]),
            rank_high=int(sets.high[u]),
            differs=int(marks[u]),
        )
        for u in order
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Totals of U ranked parts: ``values`` (U,), their ``joint`` covariance (U, U), ``df`` (U,),
    and how far each is ``apart`` (U,) from the whole, with the error of that."""

    values: Floats
    joint: Floats
    df: Ints
    apart: Floats
    apart_se: Floats
    whole_df: int

    @property
    def method(self) -> str:
        """How rank sets are made: by draws while that takes a moment."""
        return "max_t" if self.values.size <= MANY else "bonferroni"


def standing(ranked: Sequence[Measured], grid: Grid, whole: Estimates, *, level: float) -> Standing:
    """Lay the totals of parts beside each other and the whole."""
    totals = [m.figures[-1] for m in ranked]
    values = np.array([total.value for total in totals], dtype=np.float64)
    joint, with_whole, own = _joint([m.at for m in ranked], grid, whole)
    size = len(totals)
    joint[np.diag_indices(size)] = np.maximum(np.diag(joint), least_variances(totals, level))
    variance = np.diag(joint) + own - 2 * with_whole
    return Standing(
        values,
        joint,
        np.array([total.df for total in totals], dtype=np.int64),
        values - (whole.of("total").value or 0.0),
        np.sqrt(np.maximum(variance, 0.0)),
        whole.design.df(whole.present),
    )


def _joint(at: Sequence[int], grid: Grid, whole: Estimates) -> tuple[Floats, Floats, float]:
    """Covariance (U, U) of the totals of parts ``at``, (U,) with the whole's, and its variance.

    Of many parts stratum by stratum: nearly all PSUs lie in one part, and parts of different
    strata share no error.
    """
    design, q = whole.design, grid.value.shape[1] - 1
    z = whole.z[:, whole.at("total")]
    if len(at) <= MANY or design.lonely == "average":
        dense = np.column_stack([grid.z(q)[:, list(at)], z])
        found = design.covariance(dense, whole.present)
        return found[:-1, :-1].copy(), found[:-1, -1], float(found[-1, -1])
    place = np.full(len(grid.se), -1, dtype=np.int64)
    place[list(at)] = np.arange(len(at))
    mine = place[grid.entries.part] >= 0
    psu, part = grid.entries.psu[mine], place[grid.entries.part[mine]]
    own, factor = grid.linear[mine, q], design.factors()
    mean = np.bincount(design.stratum, z, design.n_strata) / design.sampled
    mean[design.sampled == 1] = 0.0
    stratum = design.stratum[psu]
    reach = factor[stratum] * own * (z[psu] - mean[stratum])
    joint = np.zeros((len(at), len(at)))
    order = np.argsort(stratum, kind="stable")
    ends = np.searchsorted(stratum[order], np.arange(design.n_strata + 1))
    alone = _alone(design, (own, part, stratum), joint)
    for h, (low, high) in enumerate(pairwise(ends.tolist())):
        if low < high and not alone[h]:
            rows = order[low:high]
            units, column = np.unique(part[rows], return_inverse=True)
            psus, row = np.unique(psu[rows], return_inverse=True)
            block = np.zeros((psus.size, units.size))
            block[row, column] = own[rows]
            inside = block.T @ block
            if design.sampled[h] > 1:
                sums = block.sum(axis=0)
                inside -= np.outer(sums, sums) / design.sampled[h]
            joint[np.ix_(units, units)] += factor[h] * inside
    spread = float(design.variances(z[:, None], whole.present)[0])
    with_whole: Floats = np.bincount(part, weights=reach, minlength=len(at)).astype(np.float64)
    return joint, with_whole, spread


def _alone(design: Design, entries: tuple[Floats, Ints, Ints], joint: Floats) -> Bools:
    """Which strata (H,) lie in one part; their variance is added to the diagonal of ``joint``."""
    own, part, stratum = entries
    order = np.argsort(stratum, kind="stable")
    seen, starts = np.unique(stratum[order], return_index=True)
    low, high = np.full(design.n_strata, joint.shape[0]), np.full(design.n_strata, -1)
    low[seen] = np.minimum.reduceat(part[order], starts)
    high[seen] = np.maximum.reduceat(part[order], starts)
    alone = low == high
    squares = np.bincount(stratum, own**2, design.n_strata)
    sums = np.bincount(stratum, own, design.n_strata)
    mean = np.where(design.sampled > 1, sums**2 / design.sampled, 0.0)
    spread = design.factors() * (squares - mean)
    joint[np.diag_indices(joint.shape[0])] += np.bincount(
        high[alone], spread[alone], joint.shape[0]
    )
    return np.asarray(alone, dtype=np.bool_)


def _in_regions(places: Sequence[UnitResult], regions: Mapping[str, RankSet]) -> list[UnitResult]:
    """Places among the ranked units of the same region."""
    done = []
    for unit in places:
        region = regions.get(unit.unit)
        if region is None:
            done.append(unit)
            continue
        peers = [other for other in places if other.unit in region.members]
        values = np.array([other.total.value for other in peers], dtype=np.float64)
        place = competition(values)[[other.unit for other in peers].index(unit.unit)]
        done.append(replace(unit, region_rank=int(place), region_size=len(peers)))
    return done
