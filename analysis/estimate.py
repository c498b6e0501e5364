"""Items, factors, areas and the total with their joint sampling error, in one or many domains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from analysis.design import Bools, Design, Floats, Ints
from analysis.index import Scheme, points
from analysis.intervals import interval as bounds
from analysis.linear import Entries, Values, linearised, values
from analysis.residuals import Regression
from analysis.tally import Tally

#: Below this many degrees of freedom an interval is flagged (NCHS 2017).
LOW_DF = 8
#: A standard error below this is the noise of double arithmetic: the villages agree exactly.
NOISE = 1e-12
#: What stands for the seven numbers of a figure nobody answered.
UNKNOWN = (None, None, None, None, None, None, None)


Kind = Literal["item", "factor", "area", "total"]
ITEM: Kind = "item"


class NoRows(ValueError):
    """The domain has no rows, so there is nothing to estimate."""


class Calibrated(Protocol):
    """Weights fitted to known totals, as ``analysis.weights.calibrate`` makes them."""

    @property
    def g(self) -> Floats:
        """What the weights of each cell (c,) are multiplied with."""

    def project(self, totals: Floats) -> Floats:
        """Calibrated residuals (c, q) of the cells' design-weighted totals (c, q)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One index; values are shares 0..1, None where it is unknown (``flags`` says why).

    ``deff`` is against simple random sampling without replacement from N = sum of weights
    (R's default), ``deff_replace`` against sampling with replacement; ``neff`` persons of a
    simple random sample with the same error; ``df`` of the persons who answered.
    Flags: ``no_answer``, ``all``, ``none``, ``incomplete`` (a composite without one of its
    items, which nobody answered), ``low_df``, ``no_variance``, ``census``.
    """

    kind: Kind
    id: str
    n: int
    value: float | None
    se: float | None
    low: float | None
    high: float | None
    deff: float | None
    deff_replace: float | None
    neff: float | None
    df: int
    shares: tuple[float, ...] | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """All figures of one domain: ``figures`` (q,), their linearised PSU totals ``z`` (P, q).

    ``present`` (P,) are the PSUs with rows of the domain.
    """

    figures: tuple[Estimate, ...]
    z: Floats
    present: Bools
    design: Design

    def covariance(self) -> Floats:
        """Joint covariance (q, q) of the figures, in the order of ``figures``."""
        return self.design.covariance(self.z, self.present)

    def at(self, kind: str, id: str = "") -> int:
        """The place of the figure of this kind (and id); LookupError when there is none."""
        for q, figure in enumerate(self.figures):
            if figure.kind == kind and id in ("", figure.id):
                return q
        raise LookupError(f"no {kind} {id}")

    def of(self, kind: str, id: str = "") -> Estimate:
        """The figure of this kind (and id); LookupError when there is none."""
        return self.figures[self.at(kind, id)]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The figures of D domains, as arrays (D, q) in the order of ``scheme.names``.

    NaN stands for what is unknown; ``estimates`` turns it into None and says why.  ``se`` is
    NaN for a domain without variance; ``low`` and ``high`` where there is no interval.
    ``members`` are the PSUs with rows of each domain; after calibration others carry error, too.
    """

    scheme: Scheme
    design: Design
    values: Values
    se: Floats
    low: Floats
    high: Floats
    deff: Floats
    deff_replace: Floats
    neff: Floats
    df: Ints
    entries: Entries
    linear: Floats  # (e, q) linearised totals of the entries
    members: Entries

    @property
    def value(self) -> Floats:
        """Indices (D, q), shares 0..1."""
        return np.where(self.values.known, self.values.value, np.nan)

    @property
    def n(self) -> Ints:
        """Persons (D, q)."""
        return self.values.n

    def z(self, q: int) -> Floats:
        """Linearised PSU totals (P, D) of figure ``q`` in every domain."""
        dense = np.zeros((self.design.n_psu, len(self.se)))
        dense[self.entries.psu, self.entries.part] = self.linear[:, q]
        return dense

    def covariance(self, d: int) -> Floats:
        """Joint covariance (q, q) of the figures of one domain; as ``Estimates.covariance``."""
        return self.entries.covariance(self.design, self.linear, d)

    def estimates(self, d: int) -> Estimates:
        """The figures of one domain."""
        mine = self.entries.part == d
        z = np.zeros((self.design.n_psu, self.linear.shape[1]))
        z[self.entries.psu[mine]] = self.linear[mine]
        present = np.zeros(self.design.n_psu, dtype=bool)
        present[self.members.psu[self.members.part == d]] = True
        return Estimates(self.figures(d), z, present, self.design)

    def total(self, d: int) -> Estimate:
        """The last figure of one domain alone, at a fraction of the cost of all."""
        of, last = self.values, slice(-1, None)
        columns = (of.value, self.se, self.low, self.high, self.deff, self.deff_replace, self.neff)
        [known] = zip(*(_plain(array[d, last]) for array in columns), strict=True)
        of_one, df = (
            (self.scheme.kinds[-1], self.scheme.ids[-1], int(of.n[d, -1])),
            int(self.df[d, -1]),
        )
        if not of.known[d, -1]:
            return Estimate(*of_one, *UNKNOWN, 0, None, ("no_answer",))
        flags = _flags(known, df, bool(of.incomplete[d, -1]), self.design.census)
        return _figure(of_one, known, df, (), flags)

    def figures(self, d: int) -> tuple[Estimate, ...]:
        """The figures of one domain without what links them to others."""
        of, size = self.values, len(self.scheme.items)
        columns = (of.value, self.se, self.low, self.high, self.deff, self.deff_replace, self.neff)
        plain = zip(*(_plain(array[d]) for array in columns), strict=True)
        kinds = (ITEM,) * size + self.scheme.kinds
        rows = zip(
            kinds,
            self.scheme.names,
            of.n[d].tolist(),
            plain,
            self.df[d].tolist(),
            of.known[d].tolist(),
            map(tuple, _shares(of, d).tolist()),
            of.incomplete[d].tolist(),
            strict=True,
        )
        census = self.design.census
        return tuple(
            _figure((kind, id, n), known, df, shares, _flags(known, df, lacking, census))
            if given
            else Estimate(kind, id, n, *UNKNOWN, 0, None, ("no_answer",))
            for kind, id, n, known, df, given, shares, lacking in rows
        )


def estimate(
    tally: Tally,
    design: Design,
    scheme: Scheme,
    method: str,
    *,
    cells: Bools | None = None,
    interval: str = "beta",
    cap: bool = True,
    level: float = 0.95,
    calibration: Calibrated | None = None,
    regression: Regression | None = None,
) -> Estimates:
    """Estimate every item and composite of ``scheme`` in a domain.

    Parameters
    ----------
    tally : the cells of the whole sample with their design weights
    method : ``top2``, ``scaled`` or ``mean5``
    cells : (c,) marks of the domain's cells, None for all
    interval, cap, level : see ``analysis.intervals.interval``
    calibration : of all cells of ``tally``: weights become g times the design weights, and the
        error is that of the residuals
    regression : the same where ``tally`` holds the calibrated weights already

    Raises
    ------
    NoRows
        The domain is empty.
    LonelyStratum
        The design has a stratum with one PSU and the rule ``fail``.

    Notes
    -----
    See ``analysis.linear``.  Composites go through the joint covariance of their items.
    """
    part = np.zeros(tally.psu.size, dtype=np.int64)
    if cells is not None:
        part[~cells] = -1
    if (part < 0).all():
        raise NoRows("no rows in the domain")
    how = (interval, level, cap)
    if calibration is None:
        return parts(
            tally, design, scheme, method, part, 1, interval=interval, cap=cap, level=level,
            regression=regression,
        ).estimates(0)  # fmt: skip
    return _calibrated(tally, design, scheme, points(method, tally.sums.shape[2]), part, how,
                       calibration)  # fmt: skip


def parts(
    tally: Tally,
    design: Design,
    scheme: Scheme,
    method: str,
    part: Ints,
    n_parts: int,
    *,
    interval: str = "beta",
    cap: bool = True,
    level: float = 0.95,
    regression: Regression | None = None,
) -> Grid:
    """Estimate domains that share no cell: ``part`` (c,) the domain of each cell, -1 for none.

    Every domain 0..n_parts - 1 needs a cell (NoRows).  The design is kept whole for each.  With a
    ``regression`` the weights of ``tally`` are calibrated ones and the error that of residuals.
    """
    given, inside = part, np.flatnonzero(part >= 0)
    order = inside[np.argsort(part[inside], kind="stable")]
    if order.size < part.size or (np.diff(order) < 0).any():
        tally, part = tally.take(order), part[order]
    starts = np.searchsorted(part, np.arange(n_parts))
    if n_parts == 0 or (np.diff(starts, append=part.size) == 0).any():
        raise NoRows("no rows in the domain")
    score = points(method, tally.sums.shape[2])
    found = values(tally, scheme, score, starts)
    entries = Entries.of(design, tally.psu, part)
    z = entries.add(linearised(tally, scheme, score, found, part))
    present, how = _present(tally, entries), (interval, level, cap)
    if regression is None:
        return _grid(scheme, design, found, entries, z, present, how)
    rest = -regression.fitted(
        given, n_parts, design.n_psu, lambda of, at: linearised(of, scheme, score, found, at)
    )
    rest[entries.part, entries.psu] += z
    every = Entries.of(design, *_pairs(design.n_psu, n_parts))
    grid = _grid(scheme, design, found, every, rest.reshape(-1, z.shape[1]), None, how,
                 df=entries.degrees(present))  # fmt: skip
    return replace(grid, members=entries)


def _pairs(n_psu: int, n_parts: int) -> tuple[Ints, Ints]:
    """Every PSU in every domain."""
    return np.tile(np.arange(n_psu), n_parts), np.repeat(np.arange(n_parts), n_psu)


def _present(tally: Tally, entries: Entries) -> Bools:
    """Entries (e, q) with persons who answered the figure."""
    some = np.hstack([tally.answers(), tally.persons]) > 0
    return entries.add(some.astype(np.float64)) > 0


def _calibrated(
    tally: Tally,
    design: Design,
    scheme: Scheme,
    score: Floats,
    part: Ints,
    how: tuple[str, float, bool],
    calibration: Calibrated,
) -> Estimates:
    """One domain with calibrated weights: every PSU carries residuals, also those outside."""
    inside, start = part >= 0, np.zeros(1, dtype=np.int64)
    plain = tally.take(inside)
    mine = plain.scaled(calibration.g[inside])
    zero = np.zeros(tally.psu.size, dtype=np.int64)
    found = values(mine, scheme, score, start)
    totals = np.zeros((tally.psu.size, found.value.shape[1]))
    # Values come from calibrated weights, totals from design weights: the projection adds g.
    totals[inside] = linearised(plain, scheme, score, found, zero[inside])
    every = Entries.of(design, tally.psu, zero)
    z = every.add(calibration.project(totals))
    own = Entries.of(design, mine.psu, zero[inside])
    df = own.degrees(_present(mine, own))
    grid = _grid(scheme, design, found, every, z, None, how, df=df)
    whole = grid.estimates(0)
    present = np.zeros(design.n_psu, dtype=bool)
    present[own.psu] = True
    return Estimates(whole.figures, whole.z, present, design)


def _grid(
    scheme: Scheme,
    design: Design,
    found: Values,
    entries: Entries,
    z: Floats,
    present: Bools | None,
    how: tuple[str, float, bool],
    *,
    df: Ints | None = None,
) -> Grid:
    variance, sure = entries.variances(design, z)
    se = np.sqrt(variance)
    se[se < NOISE] = 0.0
    se[~sure] = np.nan
    if df is None:
        assert present is not None
        df = entries.degrees(present)
    low, high = _bounds(found, se, df, design, how)
    effects = _effects(se, found)
    return Grid(scheme, design, found, se, low, high, *effects, df, entries, z, entries)


def _bounds(
    found: Values, se: Floats, df: Ints, design: Design, how: tuple[str, float, bool]
) -> tuple[Floats, Floats]:
    """Bounds (D, q), NaN where the sample carries no interval."""
    low, high = np.full_like(se, np.nan), np.full_like(se, np.nan)
    can = found.known & (df >= 1) & (found.n >= 2) & np.isfinite(se)
    if design.census or not can.any():
        return low, high
    method, level, cap = how
    low[can], high[can] = bounds(
        method,
        found.value[can],
        se[can],
        found.n[can],
        df[can],
        spread=found.spread[can],
        level=level,
        cap=cap,
    )
    return low, high


def _effects(se: Floats, found: Values) -> tuple[Floats, Floats, Floats]:
    """Design effect without and with replacement, effective number of persons, NaN without."""
    can = np.isfinite(se) & (se > 0) & (found.spread > 0) & (found.n > 1)
    n, spread, weight = found.n[can], found.spread[can], found.answers[can]
    ratio = se[can] ** 2 / spread
    fpc = 1 - np.where(weight > n, n / weight, 0.0)
    without, replace, neff = (np.full_like(se, np.nan) for _ in range(3))
    without[can], replace[can], neff[can] = ratio * (n - 1) / fpc, ratio * (n - 1), 1 / ratio
    return without, replace, neff


def _plain(row: Floats) -> list[float | None]:
    """Numbers of a row, None for NaN."""
    return [None if x != x else x for x in row.tolist()]


def _shares(found: Values, d: int) -> Floats:
    """Level shares (q, L); of a composite the mean of its items' with its weights."""
    base = found.levels[d].sum(axis=1)
    items = found.levels[d] / np.where(base > 0, base, 1.0)[:, None]
    return np.vstack([items, found.weights[d] @ items])


def _figure(
    head: tuple[Kind, str, int],
    known: tuple[float | None, ...],
    df: int,
    shares: tuple[float, ...],
    flags: tuple[str, ...],
) -> Estimate:
    value, se, low, high, deff, deff_replace, neff = known
    return Estimate(*head, value, se, low, high, deff, deff_replace, neff, df, shares, flags)


def _flags(
    known: tuple[float | None, ...], df: int, lacking: bool, census: bool
) -> tuple[str, ...]:
    value, se = known[:2]
    flags = [name for name, at in (("all", 1.0), ("none", 0.0)) if value == at]
    flags += ["incomplete"] * lacking
    flags += ["low_df"] * (df < LOW_DF and not census)
    flags += ["census"] * census
    flags += ["no_variance"] * (se is None)
    return tuple(flags)
