"""What an annual report says beside a wave's result: its units, regions, groups of people."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis import parts, publish, reader
from analysis.bounds import hidden_parts
from analysis.compare import Difference
from analysis.design import Floats, Ints
from analysis.estimate import Estimates, Grid
from analysis.estimate import parts as many
from analysis.intervals import least_variances
from analysis.modes import ModeEffect, NoMatchedCell, mode_effect
from analysis.parts import Part
from analysis.people import People, people
from analysis.ranks import differs, rank_sets
from analysis.reader import RankSet, Units
from analysis.results import Distribution, Figure
from analysis.study import Study
from analysis.tally import Folder, layout
from analysis.trend import Change, Trend

#: Groups of persons in the order in which a report shows them.
WHO = ("sex", "age", "ethnicity", "education", "occupation")


@dataclass(frozen=True, slots=True)
class Place:
    """A unit's place among ``size`` ranked ones of a set, with the range that holds it."""

    key: str  # "" = all units of the wave
    name: str
    kind: str
    rank: int
    low: int
    high: int
    size: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the wave whole: figures with items, other questions, places, what changed.

    ``marks``: figure id -> -1, +1 where it differs from the whole after adjustment (Holm).
    """

    unit: str
    name: str
    region: str
    figures: tuple[Figure, ...]
    others: tuple[Distribution, ...]
    marks: Mapping[str, int]
    places: tuple[Place, ...] = ()
    change: Difference | None = None
    moved: int | None = None  # places up (+) or down (-) since the wave before

    @property
    def total(self) -> Figure:
        """The overall index."""
        return next(f for f in self.figures if f.kind == "total")

    def of(self, *kinds: str) -> tuple[Figure, ...]:
        """Figures of these kinds in their order."""
        return tuple(f for f in self.figures if f.kind in kinds)


@dataclass(frozen=True, slots=True)
class Group:
    """Persons of one kind; ``mark`` -1, +1 where their overall index differs from all."""

    label: str
    n: int
    figures: tuple[Figure, ...]  # areas and the total
    mark: int


@dataclass(frozen=True, slots=True)
class Modes:
    """How the second channel differs from the first inside the same units (never adjusted)."""

    first: str
    second: str
    effect: ModeEffect


@dataclass(frozen=True, slots=True)
class Annual:
    """Beside a ``Result``: units, regions, groups by question, the trend and its changes.

    ``published``: (year, part, value 0..1, source) of others, never mixed with ours.
    """

    units: tuple[Unit, ...] = ()
    regions: tuple[Group, ...] = ()
    groups: tuple[tuple[str, tuple[Group, ...]], ...] = ()
    trend: Trend | None = None
    changes: tuple[Change, ...] = ()
    published: tuple[tuple[int, str, float, str], ...] = ()
    earlier: str = ""  # the wave before, in a sentence: "năm 2025"
    modes: Modes | None = None  # of a wave that was answered by several channels


def units(
    ready: Study, known: Units, sets: Sequence[RankSet], of: Ints, scope: str
) -> tuple[Unit, ...]:
    """The units that divide a scope, each with everything: best first, then those not ranked."""
    members = parts.split(known, ready.answers, of, scope)
    whole = ready.estimates(of)
    if whole is None or not members:
        return ()
    grid = ready.grid([part.cells for part in members])
    small = hidden_parts([part.people for part in members], hide_n=ready.wave.hide_n)
    regions = {unit: s.name for s in sets if s.kind == "region" for unit in s.members}
    found = []
    for d, part in enumerate(members):
        figures = ready.figures(grid.figures(d))
        if d in small:
            figures = tuple(map(publish.hidden, figures))
        found.append(
            Unit(
                unit=part.unit,
                name=known.title(part.unit),
                region=regions.get(part.unit, ""),
                figures=figures,
                others=() if d in small else distributions(ready, part),
                marks={} if d in small else _marks(ready, grid, d, whole),
            )
        )
    return _placed(found, members, grid, whole, sets, ready.wave.level)


def distributions(ready: Study, part: Part) -> tuple[Distribution, ...]:
    """The questions outside the index, in one unit."""
    sums = ready.answers.sums
    return publish.distributions(
        ready.questionnaire,
        ready.frame.layout,
        sums.counts[part.cells].sum(axis=0),
        sums.sums[part.cells].sum(axis=0),
        hide_n=ready.wave.hide_n,
    )


def _marks(ready: Study, grid: Grid, d: int, whole: Estimates) -> dict[str, int]:
    """Which areas, factors and the total of a domain differ from the whole (Holm over them)."""
    mine = grid.estimates(d)
    at = [
        q
        for q, (f, w) in enumerate(zip(mine.figures, whole.figures, strict=True))
        if f.kind != "item" and f.value is not None and w.value is not None and f.se is not None
    ]
    if not at:
        return {}
    signs = against(mine, whole, at, ready.wave.level)
    return dict(zip((mine.figures[q].id for q in at), signs.tolist(), strict=True))


def against(mine: Estimates, whole: Estimates, at: Sequence[int], level: float) -> Ints:
    """-1, 0, +1 for figures ``at`` of a domain against the whole it is part of.

    Var(a - b) from z_a - z_b over the villages of the whole, so what they share is counted; a
    domain of 0 or 100 % takes the error behind its interval.
    """
    design = whole.design
    own = np.maximum(
        design.variances(mine.z[:, at], whole.present),
        least_variances([mine.figures[q] for q in at], level),
    )
    less = own - design.variances(mine.z[:, at], whole.present)
    apart = design.variances(mine.z[:, at] - whole.z[:, at], whole.present) + less
    values = np.array(
        [(mine.figures[q].value or 0.0) - (whole.figures[q].value or 0.0) for q in at]
    )
    df = max(1, design.df(whole.present))
    return differs(values, np.sqrt(np.maximum(apart, 0.0)), df, level=level)


def _placed(
    found: Sequence[Unit],
    members: Sequence[Part],
    grid: Grid,
    whole: Estimates,
    sets: Sequence[RankSet],
    level: float,
) -> tuple[Unit, ...]:
    can = [d for d, unit in enumerate(found) if rankable(unit.total)]
    z = grid.z(grid.value.shape[1] - 1)
    places: dict[int, list[Place]] = {d: [] for d in can}
    all_of = RankSet("", "", "all", frozenset(found[d].unit for d in can))
    for of in (all_of, *sets):
        inside = [d for d in can if found[d].unit in of.members]
        if len(inside) < 2:
            continue
        totals = [found[d].total for d in inside]
        for d, place in zip(inside, placed(of, totals, z[:, inside], whole, level), strict=True):
            places[d].append(place)
    done = [replace(found[d], places=tuple(places[d])) for d in can if places[d]]
    done.sort(key=lambda unit: (unit.places[0].rank, unit.unit))
    ranked = {unit.unit for unit in done}
    rest = sorted((u for u in found if u.unit not in ranked), key=lambda unit: unit.unit)
    assert len(done) + len(rest) == len(members)
    return (*done, *rest)


def rankable(total: Figure) -> bool:
    """Whether a unit may be ranked: a published index with its error, on enough persons."""
    known = total.value is not None and total.se is not None and total.df > 0
    return known and not {"hidden", "few"} & set(total.flags)


def placed(
    of: RankSet, totals: Sequence[Figure], z: Floats, whole: Estimates, level: float
) -> list[Place]:
    """Places with their ranges among the units of one set, ``z`` (P, U) of their totals."""
    values = np.array([total.value for total in totals], dtype=np.float64)
    joint = whole.design.covariance(z, whole.present)
    least = least_variances(totals, level)
    joint[np.diag_indices(len(totals))] = np.maximum(np.diag(joint), least)
    df = np.array([total.df for total in totals], dtype=np.int64)
    sets = rank_sets(values, joint, level=level, method="max_t", df=df)
    columns = (sets.rank.tolist(), sets.low.tolist(), sets.high.tolist())
    return [
        Place(of.key, of.name, of.kind, rank, low, high, len(totals))
        for rank, low, high in zip(*columns, strict=True)
    ]


def grouped(ready: Study, labels: Sequence[str], cells: Sequence[Ints], of: Ints) -> list[Group]:
    """Domains made of whole cells: regions, town and country."""
    whole = ready.estimates(of)
    kept = [(name, at) for name, at in zip(labels, cells, strict=True) if at.size]
    if whole is None or len(kept) < 2:
        return []
    grid = ready.grid([at for _, at in kept])
    people = [ready.answers.people(at) for _, at in kept]
    return _groups(ready, [name for name, _ in kept], people, grid, whole)


def who(
    db: sqlite3.Connection, ready: Study, of: Ints
) -> tuple[tuple[str, tuple[Group, ...]], ...]:
    """The index of every group of persons the form asks about, question by question."""
    whole = ready.estimates(of)
    if whole is None or ready.design is None:
        return ()
    rows = people(db, ready, of)
    columns = {c.id: k for k, c in enumerate(ready.questionnaire.columns)}
    found = []
    for name in WHO:
        if name not in columns:
            continue
        item = ready.questionnaire.item(name)
        labels = {choice.code: choice.label for choice in item.choices}
        if made := _by(ready, rows, columns[name], labels, whole):
            found.append((item.text, tuple(made)))
    return tuple(found)


def _by(
    ready: Study, rows: People, column: int, labels: Mapping[int, str], whole: Estimates
) -> list[Group]:
    given = rows.codes[:, column]
    codes = [code for code in labels if (rows.inside & (given == code)).any()]
    if len(codes) < 2 or ready.design is None:
        return []
    label = np.full(256, -1, dtype=np.int64)
    label[codes] = np.arange(len(codes))
    part = np.where(rows.inside, label[given], -1)
    key = rows.psu * (len(codes) + 1) + part + 1
    keys, cell = np.unique(key, return_inverse=True)
    items = layout(ready.frame.scheme, ready.wave.index_method, ready.frame.layout.levels)
    folder = Folder(items)
    folder.add(cell, rows.weight, ready.frame.codes(rows.codes)[:, ready.frame.layout.items])
    mine = folder.tally(keys // (len(codes) + 1))
    grid = many(
        mine,
        ready.design,
        ready.frame.scheme,
        ready.wave.index_method,
        keys % (len(codes) + 1) - 1,
        len(codes),
        interval=ready.wave.interval,
        level=ready.wave.level,
        regression=rows.regression(cell, items),
    )
    counts = [int((part == at).sum()) for at in range(len(codes))]
    return _groups(ready, [labels[code] for code in codes], counts, grid, whole)


def _groups(
    ready: Study, labels: Iterable[str], people: Sequence[int], grid: Grid, whole: Estimates
) -> list[Group]:
    small = hidden_parts(people, hide_n=ready.wave.hide_n)
    at = whole.at("total")
    signs = _signs(grid, whole, at, len(people), ready.wave.level)
    found = []
    for d, name in enumerate(labels):
        figures = ready.figures([f for f in grid.figures(d) if f.kind in ("area", "total")])
        if d in small:
            figures = tuple(map(publish.hidden, figures))
        n = 0 if d in small else people[d]
        found.append(Group(name, n, figures, 0 if d in small else signs[d]))
    return found


def _signs(grid: Grid, whole: Estimates, at: int, size: int, level: float) -> list[int]:
    """Marks of many domains' figure ``at`` against the whole, adjusted over the domains."""
    design = whole.design
    z = grid.z(at)
    estimates = [grid.figures(d)[at] for d in range(size)]
    own = design.variances(z, whole.present)
    least = np.maximum(own, least_variances(estimates, level)) - own
    apart = design.variances(z - whole.z[:, [at]], whole.present) + least
    values = np.array([(e.value or 0.0) - (whole.figures[at].value or 0.0) for e in estimates])
    se = np.sqrt(np.maximum(apart, 0.0))
    df = max(1, design.df(whole.present))
    return [int(sign) for sign in differs(values, se, df, level=level)]


def modes(ready: Study, known: Units, of: Ints, scope: str) -> Modes | None:
    """The effect of the two channels most used, inside the units of a scope; None for one channel,
    for few answers by one of them, or where no unit was asked in both ways."""
    if ready.tally is None or ready.design is None:
        return None
    answers = ready.answers
    counts = np.bincount(
        answers.channel[of], answers.sums.people[of], minlength=len(answers.channels)
    )
    first, second = np.argsort(-counts, kind="stable")[:2] if counts.size > 1 else (0, 0)
    if first == second or counts[second] < ready.wave.min_n:
        return None
    members = parts.split(known, answers, of, scope)
    label = np.zeros(answers.unit.size, dtype=np.int64)
    for n, part in enumerate(members):
        label[part.cells] = n
    at = of[np.isin(answers.channel[of], (first, second))]
    sums = ready.tally.moments[at, -1]
    try:
        effect = mode_effect(
            ready.design,
            ready.tally.psu[at],
            label[at],
            answers.channel[at] == second,
            weight=sums[:, 0],
            points=sums[:, 1],
            level=ready.wave.level,
        )
    except NoMatchedCell:
        return None
    names = answers.channels
    return Modes(names[int(first)], names[int(second)], effect)


def sets_of(db: sqlite3.Connection, ready: Study) -> list[RankSet]:
    """The rank sets of the wave, as they were on its last day."""
    sets = reader.rank_sets(db, ready.wave.closes_on)
    wanted = ready.wave.rank_sets
    return [found for found in sets if found.key in wanted] if wanted else sets
