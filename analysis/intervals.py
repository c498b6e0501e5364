"""Confidence intervals of a share or a mean in 0..1 estimated from a complex sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from scipy.special import betaincinv, expit, logit, stdtrit

from analysis.design import Floats, Ints

METHODS = ("beta", "logit", "wilson", "asin", "t")
Bounds = tuple[Floats, Floats]


class NoInterval(ValueError):
    """An interval was asked for where none exists (no degrees of freedom, one person)."""


def interval(
    method: str,
    value: Floats,
    se: Floats,
    n: Ints,
    df: Ints,
    *,
    spread: Floats | None = None,
    level: float = 0.95,
    cap: bool = True,
) -> Bounds:
    """Lower and upper bounds (m,) inside 0..1.

    Parameters
    ----------
    value, se : (m,) estimates in 0..1 and their standard errors
    n, df : (m,) persons (>= 2) and degrees of freedom (>= 1)
    spread : (m,) variance between persons of what the estimate is a mean of; p(1 - p) for a
        share, the default
    cap : the effective sample of ``beta`` may not exceed n (as NCHS does; R does not cap)

    Notes
    -----
    ``beta``: Korn & Graubard (1998); n* = neff (t[n-1] / t[df])^2.  ``wilson``: Wilson (1927)
    with neff and t.  ``logit``, ``asin``, ``t``: symmetric on that scale.  An estimate of 0
    or 1, or with se 0, says nothing of its own doubt: neff := n and the exact (Clopper-
    Pearson) bound is taken whatever the method, so 100 % is never printed with ± 0.
    For a composite or a mean ``spread`` turns the cap into "no design effect below 1".

    Raises
    ------
    NoInterval
        df < 1, n < 2, a level outside 0..1, an unknown method.
    """
    if method not in METHODS or not 0 < level < 1:
        raise NoInterval(f"unknown method or level: {method!r}, {level}")
    if (df < 1).any() or (n < 2).any():
        raise NoInterval("an interval needs at least 1 degree of freedom and 2 persons")
    binary = value * (1 - value)
    fixed = (se <= 0) | (binary <= 0)
    low, high = _beta(value, se, n, df, binary if spread is None else spread, level, cap)
    if method != "beta" and not fixed.all():
        inner = ~fixed
        t = np.asarray(stdtrit(df[inner], (1 + level) / 2), dtype=np.float64)
        low[inner], high[inner] = SCALES[method](value[inner], se[inner], t)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def _beta(
    p: Floats, se: Floats, n: Ints, df: Ints, spread: Floats, level: float, cap: bool
) -> Bounds:
    tail = (1 - level) / 2
    ratio = (stdtrit(n - 1, 1 - tail) / stdtrit(df, 1 - tail)) ** 2
    binary = p * (1 - p)
    fixed = (se <= 0) | (binary <= 0)
    plain = np.where(fixed | (spread <= 0), 1.0, spread)
    persons = np.where(fixed, n, plain / np.where(fixed, 1.0, se) ** 2) * ratio
    if cap:
        persons = np.minimum(persons, n)
    trials = persons * np.where(fixed | (spread <= 0), 1.0, binary / plain)
    yes, no = trials * p, trials * (1 - p)
    low, high = np.zeros_like(p), np.ones_like(p)
    some, rest = yes > 0, no > 0
    low[some] = betaincinv(yes[some], no[some] + 1, tail)
    high[rest] = betaincinv(yes[rest] + 1, no[rest], 1 - tail)
    return low, high


def _logit(p: Floats, se: Floats, t: Floats) -> Bounds:
    centre, half = logit(p), t * se / (p * (1 - p))
    return expit(centre - half), expit(centre + half)


def _wilson(p: Floats, se: Floats, t: Floats) -> Bounds:
    neff = p * (1 - p) / se**2
    share = t**2 / neff
    centre = (p + share / 2) / (1 + share)
    half = t / (1 + share) * np.sqrt(p * (1 - p) / neff + share / (4 * neff))
    return centre - half, centre + half


def _asin(p: Floats, se: Floats, t: Floats) -> Bounds:
    centre, half = np.arcsin(np.sqrt(p)), t * se / (2 * np.sqrt(p * (1 - p)))
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


def _t(p: Floats, se: Floats, t: Floats) -> Bounds:
    return p - t * se, p + t * se


#: Interval method -> bounds from value, standard error and t quantile.
SCALES: dict[str, Callable[[Floats, Floats, Floats], Bounds]] = {
    "logit": _logit,
    "wilson": _wilson,
    "asin": _asin,
    "t": _t,
}


class Bounded(Protocol):
    """An estimate with its interval, as measured or as published."""

    @property
    def value(self) -> float | None:
        """The index."""

    @property
    def se(self) -> float | None:
        """Its standard error."""

    @property
    def low(self) -> float | None:
        """Lower bound."""

    @property
    def high(self) -> float | None:
        """Upper bound."""

    @property
    def df(self) -> int:
        """Degrees of freedom."""


def least_variances(figures: Sequence[Bounded], level: float) -> Floats:
    """Variance (m,) behind the interval of a figure without error of its own, 0 for the others.

    Where everybody agrees (0 or 100 %) the sample shows no error, its interval does: half of it
    over t.  So a unit at 100 % is not compared with others as if it were known for sure.
    """
    least = np.zeros(len(figures))
    for q, f in enumerate(figures):
        if f.se == 0 and f.df >= 1 and f.value is not None and f.low is not None:
            reach = max(f.value - f.low, (f.high or 0.0) - f.value)
            least[q] = (reach / float(stdtrit(f.df, (1 + level) / 2))) ** 2
    return least
