"""A figure year by year: what may be joined by a line, what may be compared, and what may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analysis.compare import Differences, Wave
from analysis.design import Ints
from analysis.estimate import Estimates
from analysis.index import Scheme


@dataclass(frozen=True, slots=True)
class Point:
    """A year's figure, a share 0..1; ``value`` None: there is no figure, the year keeps its place.

    ``source`` names who published it, "" for an estimate of this instance (of ``wave``); a
    published figure has no interval of ours and is never mixed into an estimate.
    """

    year: int
    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    source: str = ""
    wave: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is an estimate of this instance."""
        return not self.source


@dataclass(frozen=True, slots=True)
class Break:
    """From ``year`` on the method is another one: no line and no change crosses it."""

    year: int
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """Points in the order of their years (published ones first in a year), and the breaks."""

    points: tuple[Point, ...]
    breaks: tuple[Break, ...]

    @property
    def empty(self) -> bool:
        """Whether no year has a figure."""
        return all(point.value is None for point in self.points)

    def between(self, earlier: int, later: int) -> Break | None:
        """The first break that a line from one year to a later one would cross."""
        return next((b for b in self.breaks if earlier < b.year <= later), None)

    def lines(self) -> tuple[tuple[Point, ...], ...]:
        """Runs of points that a line may join: one source kind, no break between, years known.

        A single point is a run of its own.  Estimates and published figures are never joined.
        """
        found: list[tuple[Point, ...]] = []
        for ours in (False, True):
            run: list[Point] = []
            for point in self.points:
                if point.value is None or point.ours is not ours:
                    continue
                if run and self.between(run[-1].year, point.year):
                    found.append(tuple(run))
                    run = []
                run.append(point)
            if run:
                found.append(tuple(run))
        return tuple(found)

    def pairs(self) -> tuple[tuple[Point, Point], ...]:
        """Estimates of consecutive waves as (earlier, later), breaks between them or not."""
        own = [point for point in self.points if point.ours and point.wave]
        return tuple(pairwise(own))


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the figures from one wave to the next.

    ``differences`` is None where none may be taken; ``why`` says so: ``break`` (the method, with
    ``reason``), ``volunteers`` (no sampling error), ``method``, ``weights``, ``items``,
    ``villages`` (what ``compare.NotComparable`` names), ``no_answers``.
    """

    before: Point
    now: Point
    differences: Differences | None
    why: str = ""
    reason: str = ""


def trend(points: Iterable[Point], breaks: Iterable[Break]) -> Trend:
    """Points in order with the years between them that nobody has a figure of."""
    known = sorted(points, key=lambda point: (point.year, point.ours, point.label))
    have = {point.year for point in known}
    years = range(min(have), max(have) + 1) if have else range(0)
    known += [Point(year, str(year), None) for year in years if year not in have]
    known.sort(key=lambda point: (point.year, point.ours, point.label))
    inside = {b.year: b for b in breaks if have and min(have) < b.year <= max(have)}
    return Trend(tuple(known), tuple(inside[year] for year in sorted(inside)))


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Figures of two schemes that mean the same: places (k,) in each, and the common scheme."""

    now: Ints
    before: Ints
    scheme: Scheme


def matched(
    now: Wave, before: Wave, lineage: Mapping[str, str] | None = None
) -> tuple[Wave, Wave, Cut]:
    """Two waves cut to the figures that mean the same in both, ready for ``compare.waves``.

    ``lineage``: item of the newer questionnaire -> the same item of the older one; None for one
    questionnaire.  An item without it is left out; a composite stays only where its items and
    their weights are the same in both.
    """
    found = common(now.scheme, before.scheme, lineage)
    names = found.scheme.names
    return (
        replace(now, estimates=cut(now.estimates, found.now, names), scheme=found.scheme),
        replace(before, estimates=cut(before.estimates, found.before, names), scheme=found.scheme),
        found,
    )


def cut(estimates: Estimates, places: Ints, names: Sequence[str]) -> Estimates:
    """The estimates at ``places``, called by ``names``."""
    figures = tuple(
        replace(estimates.figures[at], id=name)
        for at, name in zip(places.tolist(), names, strict=True)
    )
    return replace(estimates, figures=figures, z=estimates.z[:, places])


def common(now: Scheme, before: Scheme, lineage: Mapping[str, str] | None) -> Cut:
    """The figures that mean the same in both schemes; see ``matched``."""
    older = {item: j for j, item in enumerate(before.items)}
    same = {item: item for item in now.items} if lineage is None else lineage
    pairs = [
        (j, older[same[item]])
        for j, item in enumerate(now.items)
        if item in same and same[item] in older
    ]
    mine = np.array([j for j, _ in pairs], dtype=np.int64)
    theirs = np.array([j for _, j in pairs], dtype=np.int64)
    rows = [
        (c, d)
        for c, head in enumerate(zip(now.kinds, now.ids, strict=True))
        for d, other in enumerate(zip(before.kinds, before.ids, strict=True))
        if head == other and _alike(now, before, (c, d), (mine, theirs))
    ]
    composites = np.array([c for c, _ in rows], dtype=np.int64)
    others = np.array([d for _, d in rows], dtype=np.int64)
    scheme = Scheme(
        items=tuple(now.items[j] for j in mine.tolist()),
        ids=tuple(now.ids[c] for c in composites.tolist()),
        kinds=tuple(now.kinds[c] for c in composites.tolist()),
        weights=now.weights[np.ix_(composites, mine)],
        pooled=now.pooled[composites],
    )
    return Cut(
        np.concatenate([mine, len(now.items) + composites]),
        np.concatenate([theirs, len(before.items) + others]),
        scheme,
    )


def _alike(now: Scheme, before: Scheme, rows: tuple[int, int], items: tuple[Ints, Ints]) -> bool:
    """Whether two composites weigh the same items alike and no others."""
    mine, theirs = now.weights[rows[0]], before.weights[rows[1]]
    inside = (mine[items[0]], theirs[items[1]])
    whole = np.isclose(inside[0].sum(), mine.sum()) and np.isclose(inside[1].sum(), theirs.sum())
    return bool(whole and np.allclose(*inside)) and bool(now.pooled[rows[0]]) is bool(
        before.pooled[rows[1]]
    )
