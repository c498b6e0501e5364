"""Places of units with what is known about them: rank sets, ties, adjusted differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from analysis.crowd import apart_of_many
from analysis.design import ONE_THREAD, Floats, Ints

Kind = Literal["marginal", "simultaneous"]
Method = Literal["bonferroni", "max_t"]
KINDS: tuple[str, ...] = get_args(Kind)
METHODS: tuple[str, ...] = get_args(Method)
#: The draws of ``max_t`` start here unless told otherwise, so a report made twice is the same.
SEED = 2024
#: Draws worked on at once: one block of 63 units is 250 kB, of 385 units 1.5 MB.
BLOCK = 1000
#: A step down looks again at this many times the draws beyond the critical value.
AGAIN = 3
#: Half width, in standard errors, of intervals that overlap when two units cannot be told apart.
OVERLAP = 1.39
#: More units than this are ranked by Bonferroni: draws would take minutes.
MANY = 400
Singles = NDArray[np.float32]
Signs = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """``rank`` (U,) places, 1 is best; the true place lies in ``low``..``high`` (U,).

    ``critical`` (U,): how many standard errors apart a unit had to be from another, the last
    value of a step-down, the largest over the other units when they differ in df.  ``sure``
    (U, U): +1 where the row's unit is surely above the column's, -1 surely below, else 0.
    """

    rank: Ints
    low: Ints
    high: Ints
    critical: Floats
    sure: Signs


def competition(values: Floats) -> Ints:
    """Competition places (1, 2, 2, 4) of unrounded values, the highest first.

    Values that differ only by the noise of double arithmetic (1e-12) are equal.
    """
    clean = -np.round(values, 12)
    return np.asarray(np.searchsorted(np.sort(clean), clean, side="left") + 1, dtype=np.int64)


def rank_sets(
    values: Floats,
    covariance: Floats,
    *,
    level: float = 0.95,
    kind: str = "marginal",
    method: str = "bonferroni",
    df: Ints | None = None,
    stepdown: bool = True,
    draws: int = 10_000,
    seed: int = SEED,
) -> RankSets:
    """Confidence sets of the places of U units.

    Parameters
    ----------
    values : (U,) indices
    covariance : (U, U) of the values, may be singular; independent units have zeros off the
        diagonal
    kind : ``marginal`` each set holds at ``level`` on its own, ``simultaneous`` all together
    method : ``bonferroni``, or ``max_t``: the quantile of the largest |t| among ``draws``
        Gaussian draws with this covariance, which is sharper where differences share a unit
    df : (U,) degrees of freedom of the units' variances, >= 1; None takes them as known
    stepdown : of ``max_t``: leave out what was rejected and try again
    seed : of the draws

    Raises
    ------
    ValueError
        No units, a value or covariance that is no number, an unknown kind, method or level,
        df < 1.

    Notes
    -----
    Mogstad, Romano, Shaikh & Wilhelm (2024), doi 10.1093/restud/rdad006: unit j is at best 1 +
    the number of units surely better, at worst U less the number surely worse.  A pair has two
    one-sided hypotheses; a step drops the rejected one and keeps its opposite, so a set never
    claims the wrong order more often than agreed.  With ``df`` each draw also draws the
    variances (chi-square over df; Bonferroni: Student's t with Satterthwaite's df).  Two units
    whose difference has no error (one census, two names of one unit) differ if their values
    do.  Draws belong to units in order of value, so the order given does not matter.  Of more
    than ``MANY`` units Bonferroni takes df downwards to whole numbers, which widens a little.
    """
    _check(values, covariance, kind, method, level)
    if df is not None and (df.shape != values.shape or df.min() < 1):
        raise ValueError("every unit needs at least 1 degree of freedom")
    size = values.size
    order = np.lexsort((np.diag(covariance), values))
    own = None if df is None else np.asarray(df, dtype=np.float64)[order]
    if size > MANY and method == "bonferroni":
        [(sure, critical)] = apart_of_many(values, covariance, df, level, (kind,))
        return _sets(values, sure, critical)
    unit = float(np.diag(covariance).mean()) or 1.0  # single precision likes variances near 1
    x = np.round(values[order], 12) / unit**0.5
    joint = covariance[np.ix_(order, order)] / unit
    pairs = _Pairs(x[:, None] - x[None, :], difference_se(joint), kind == "marginal")
    if size == 1:
        sure, critical = np.zeros((1, 1), dtype=np.int8), np.zeros(1)
    elif method == "bonferroni":
        needed = _bonferroni(joint, own, level, pairs.marginal)
        sure, critical = pairs.beyond(needed, list(range(size))), needed.max(axis=1)
    else:
        sure, critical = _stepped(pairs, _drawn(joint, own, draws, seed), level, stepdown)
    return _placed(values, order, sure, critical)


def _placed(values: Floats, order: Ints, sure: Signs, critical: Floats) -> RankSets:
    """Rank sets in the order the units were given, from those in order of value."""
    back = np.argsort(order)
    return _sets(values, sure[np.ix_(back, back)], critical[back])


def _sets(values: Floats, sure: Signs, critical: Floats) -> RankSets:
    size = values.size
    return RankSets(
        rank=competition(values),
        low=np.asarray(1 + (sure < 0).sum(axis=1), dtype=np.int64),
        high=np.asarray(size - (sure > 0).sum(axis=1), dtype=np.int64),
        critical=critical,
        sure=sure,
    )


def _check(values: Floats, covariance: Floats, kind: str, method: str, level: float) -> None:
    if values.size == 0 or kind not in KINDS:
        raise ValueError(f"no units, or an unknown kind of rank set: {kind!r}")
    if method not in METHODS or not 0 < level < 1:
        raise ValueError(f"unknown method of rank sets, or level: {method!r}, {level}")
    if not (np.isfinite(values).all() and np.isfinite(covariance).all()):
        raise ValueError("a value or a covariance is not a number")


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """All differences (U, U) of units in order of value, with their standard errors."""

    apart: Floats
    error: Floats
    marginal: bool

    def beyond(self, critical: Floats, of: list[int]) -> Signs:
        """For units ``of``: +1, -1 where a difference exceeds so many standard errors, else 0."""
        far = np.abs(self.apart[of]) > critical * self.error[of]
        return np.asarray(np.where(far, np.sign(self.apart[of]), 0), dtype=np.int8)


def _bonferroni(joint: Floats, df: Floats | None, level: float, marginal: bool) -> Floats:
    """Critical values (U, U): two-sided over U - 1 differences, or over all U (U - 1) / 2."""
    size = joint.shape[0]
    pairs = (size - 1) * (2 if marginal else size)
    tail = (1 - level) / pairs
    if df is None:
        return np.full(joint.shape, float(ndtri(1 - tail)))
    variance = np.maximum(np.diag(joint), np.finfo(float).tiny)
    share = variance[:, None] / (variance[:, None] + variance[None, :])
    own = 1 / (share**2 / df[:, None] + (1 - share) ** 2 / df[None, :])
    needed = np.asarray(-stdtrit(own, tail), dtype=np.float64)
    np.fill_diagonal(needed, 0.0)
    return needed


def both(
    values: Floats, covariance: Floats, *, level: float, method: str, df: Ints | None
) -> tuple[RankSets, RankSets]:
    """Marginal and simultaneous sets of the same units, as ``rank_sets`` makes each."""
    if method == "bonferroni" and values.size > MANY:
        _check(values, covariance, "marginal", method, level)
        one, all_of = apart_of_many(values, covariance, df, level, KINDS)
        return _sets(values, *one), _sets(values, *all_of)
    how = {"level": level, "method": method, "df": df}
    one_by_one = rank_sets(values, covariance, **how)  # type: ignore[arg-type]
    return one_by_one, rank_sets(values, covariance, kind="simultaneous", **how)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Draws (U, b) of the values' errors and, with df, of their variances."""

    errors: Singles
    variances: Singles | None
    variance: Singles  # (U,) the one drawn with

    def keep(self, which: slice | Ints) -> _Draws:
        """Some of the draws."""
        spread = None if self.variances is None else self.variances[:, which]
        return _Draws(self.errors[:, which], spread, self.variance)

    def studentised(self, pairs: _Pairs, j: int, rows: slice) -> Singles:
        """(rows, b) differences of ``rows`` from unit j over their (drawn) standard errors.

        0 where the difference has no error.  The drawn variance of a difference of correlated
        units moves as the sum of their own variances does.
        """
        error = pairs.error[j, rows]
        scale = np.where(error > 0, 1 / np.where(error > 0, error, 1.0), 0.0)
        t = self.errors[rows] - self.errors[j]
        if self.variances is not None:
            scale *= np.sqrt(self.variance[rows] + self.variance[j])
            spread = self.variances[rows] + self.variances[j]
            t /= np.sqrt(spread, out=spread)
        t *= scale.astype(np.float32)[:, None]
        return np.asarray(t, dtype=np.float32)


def _drawn(joint: Floats, df: Floats | None, draws: int, seed: int) -> _Draws:
    """Draw errors with this covariance and, with df, the variances a sample would find."""
    variance = np.diag(joint).astype(np.float32)
    generator = np.random.Generator(np.random.PCG64(seed))
    errors = generator.standard_normal((variance.size, draws), dtype=np.float32)
    if np.array_equal(joint, np.diag(np.diag(joint))):
        errors *= np.sqrt(variance)[:, None]
    else:
        errors = _correlated(joint, errors)
    if df is None:
        return _Draws(errors, None, variance)
    half = (df / 2).astype(np.float32)[:, None]
    spread = generator.standard_gamma(half, errors.shape, dtype=np.float32)
    spread *= variance[:, None] / half
    return _Draws(errors, np.maximum(spread, np.float32(1e-20), out=spread), variance)


def _correlated(joint: Floats, normal: Singles) -> Singles:
    """Errors with a covariance that may be singular, in parts that stay on one thread."""
    values, vectors = np.linalg.eigh(joint)
    root = np.asarray(vectors * np.sqrt(np.maximum(values, 0)), dtype=np.float32)
    step = max(1, ONE_THREAD // root.size)
    for at in range(0, normal.shape[1], step):
        normal[:, at : at + step] = root @ normal[:, at : at + step]
    return normal


def _stepped(pairs: _Pairs, draws: _Draws, level: float, stepdown: bool) -> tuple[Signs, Floats]:
    """What is surely apart (U, U), and the critical values of the last step (U,)."""
    size = pairs.error.shape[0]
    sure, critical = np.zeros((size, size), dtype=np.int8), np.zeros(size)
    tops = _tops(pairs, draws)
    families = [[j] for j in range(size)] if pairs.marginal else [list(range(size))]
    for family in families:
        top = tops[family].max(axis=0)
        while True:
            critical[family] = _quantile(top, level)
            found = pairs.beyond(critical[family, None], family)
            done = np.array_equal(found, sure[family])
            sure[family] = found
            if done or not stepdown:
                break
            top = _lowered(top, pairs, draws, sure, family, level)
    return sure, critical


def _tops(pairs: _Pairs, draws: _Draws) -> Singles:
    """The largest |t| (U, draws) of each unit against all others."""
    tops = np.zeros_like(draws.errors)
    for at in range(0, tops.shape[1], BLOCK):
        block, top = draws.keep(slice(at, at + BLOCK)), tops[:, at : at + BLOCK]
        for j in range(top.shape[0] - 1):
            t = block.studentised(pairs, j, slice(j + 1, None))
            np.abs(t, out=t)
            np.maximum(top[j], t.max(axis=0), out=top[j])
            np.maximum(top[j + 1 :], t, out=top[j + 1 :])
    return tops


def _lowered(
    top: Singles, pairs: _Pairs, draws: _Draws, sure: Signs, family: list[int], level: float
) -> Singles:
    """``top`` without the hypotheses already rejected, wherever that can move its quantile.

    Leaving out can only lower a maximum, so the draws far below the quantile need no second
    look; one not looked at keeps its old, larger value, which is on the safe side.
    """
    count = min(top.size, int(np.ceil(AGAIN * (1 - level) * top.size)))
    which = np.argpartition(top, top.size - count)[top.size - count :]
    again, lowered = draws.keep(which), top.copy()
    lowered[which] = 0
    for j in family:
        rows = slice(0 if pairs.marginal else j, None)
        t = again.studentised(pairs, j, rows)
        one_sided = np.flatnonzero(sure[j, rows])
        # x_j > x_k is settled: only "k above j" can still be claimed wrongly.
        against = t[one_sided] * sure[j, rows][one_sided].astype(np.float32)[:, None]
        np.abs(t, out=t)
        t[one_sided] = against
        lowered[which] = np.maximum(lowered[which], t.max(axis=0))
    return lowered


def _quantile(top: Singles, level: float) -> float:
    """The order statistic that keeps the level whatever the number of draws."""
    at = min(top.size, int(np.ceil(level * (top.size + 1)))) - 1
    return float(np.partition(top, at)[at])


def bands(sets: RankSets) -> tuple[Ints, ...]:
    """Groups of units none of which is surely above another, the best first.

    Each band is a run of units in order of place, as long as can be; bands overlap where a
    unit belongs to both neighbours.  Take them from ``simultaneous`` sets, so that all bands
    hold together at the level; from marginal ones they are too narrow.
    """
    order = np.argsort(sets.rank, kind="stable")
    apart = sets.sure[np.ix_(order, order)] != 0
    apart |= apart.T
    size, found, reach, end = order.size, [], 0, 0
    # The last unit before each that is surely apart from it, -1 for none.
    before = np.tri(size, k=-1, dtype=bool) & apart
    last = np.where(before.any(axis=1), size - 1 - before[:, ::-1].argmax(axis=1), -1)
    for start in range(size):
        end = max(end, start + 1)
        while end < size and last[end] < start:
            end += 1
        if end > reach:
            found.append(np.asarray(order[start:end], dtype=np.int64))
            reach = end
    return tuple(found)


def overlap_interval(value: Floats, se: Floats) -> tuple[Floats, Floats]:
    """Bounds (U,) for a picture of pairs: two units differ at 5 % where the bars do not meet.

    About 84 % intervals, exact for two independent units of equal error; no statement about a
    unit on its own and no adjustment for many pairs, so a picture must say what they are
    (Goldstein & Spiegelhalter 1996, JRSS A 159:385).
    """
    return value - OVERLAP * se, value + OVERLAP * se


def difference_se(covariance: Floats) -> Floats:
    """Standard errors (U, U) of all pairwise differences; the noise of doubles counts as 0."""
    variance = np.diag(covariance)
    both = variance[:, None] + variance[None, :]
    joint = both - 2 * covariance
    return np.asarray(np.sqrt(np.where(joint > 1e-13 * both, joint, 0.0)), dtype=np.float64)


def differs(
    difference: Floats, se: Floats, df: int | Ints, *, level: float = 0.95, adjust: str = "holm"
) -> Ints:
    """-1 surely below, +1 surely above, 0 not shown to differ, for U differences.

    Two-sided t tests, adjusted over the units by ``holm`` (no wrong mark at all, at the level)
    or ``bh`` (of the marks a share of 1 - level wrong).  A difference without error (se 0) is
    shown as it is.  Raises ValueError on another adjustment.
    """
    if adjust not in ADJUST:
        raise ValueError(f"unknown adjustment: {adjust!r}")
    sign = np.sign(difference).astype(np.int64)
    return np.where(ADJUST[adjust](p_values(difference, se, df)) < 1 - level, sign, 0)


def p_values(difference: Floats, se: Floats, df: int | Ints | Floats) -> Floats:
    """Two-sided p-values (U,) of t tests; without error 0, or 1 for no difference."""
    safe = np.where(se > 0, se, 1.0)
    found = 2 * stdtr(df, -np.abs(difference) / safe)
    return np.where(se > 0, found, np.where(difference == 0, 1.0, 0.0))


def holm(p_values: Floats) -> Floats:
    """Holm's (1979) adjusted p-values, in the order given."""
    size = p_values.size
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * (size - np.arange(size)))
    adjusted = np.empty(size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini & Hochberg's (1995) adjusted p-values, in the order given."""
    size = p_values.size
    order = np.argsort(p_values, kind="stable")[::-1]
    stepped = np.minimum.accumulate(p_values[order] * size / np.arange(size, 0, -1))
    adjusted = np.empty(size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


#: Adjustment for many comparisons -> adjusted p-values.
ADJUST: dict[str, Callable[[Floats], Floats]] = {"holm": holm, "bh": benjamini_hochberg}
