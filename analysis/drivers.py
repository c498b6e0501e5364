"""Key drivers: how much each factor carries of overall satisfaction, beside how it performs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from analysis.design import Bools, Design, Floats, Ints

Quadrant = Literal["concentrate", "keep", "low_priority", "overkill", "unknown"]
#: More factors than this would need more than 4096 regressions.
MAX_FACTORS = 12


class NoOverall(ValueError):
    """Nobody answered the overall item together with every factor."""


class ConstantItem(ValueError):
    """An item without spread explains nothing; ``name`` is its label ("" = the overall item)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"everybody gave the same answer: {name or 'the overall item'}")
        self.name = name


class NothingExplained(ValueError):
    """The factors explain nothing of the overall item, so there is nothing to share out."""


class TooFewPsus(ValueError):
    """``df`` degrees of freedom cannot carry the errors of ``factors`` importances."""

    def __init__(self, df: int, factors: int) -> None:
        super().__init__(f"{df} degrees of freedom for {factors} factors")
        self.df = df
        self.factors = factors


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """Shares of the explained variance of the overall item, one a factor, adding to 1.

    ``share``, ``se``, ``low``, ``high`` (p,) 0..1; ``correlation`` (p,) of each factor with the
    overall item (a share has no sign; this tells it); ``z`` (P, p) linearised PSU totals of the
    shares; ``r2`` and ``r2_se`` of all factors together; ``n`` persons used, ``dropped`` persons
    with the overall item who lack a factor; ``df``.
    """

    names: tuple[str, ...]
    share: Floats
    se: Floats
    low: Floats
    high: Floats
    correlation: Floats
    z: Floats
    r2: float
    r2_se: float
    n: int
    dropped: int
    df: int


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """Where the factors stand on the importance-performance map.

    ``importance`` and ``performance`` (p, 3): distance from the cut and its interval (value,
    low, high); the cuts are 1/p and the mean performance of the factors.
    """

    quadrants: tuple[Quadrant, ...]
    importance: Floats
    performance: Floats


def importance(
    design: Design,
    psu: Ints,
    weight: Floats,
    overall: Floats,
    factors: Floats,
    *,
    names: Sequence[str],
    level: float = 0.95,
) -> Importance:
    """Importance of p factors for the overall item.

    Parameters
    ----------
    psu, weight : (n,) index of the person's PSU in ``design``, persons represented
    overall : (n,) points of the overall item, NaN where not answered
    factors : (n, p) each person's own factor scores, NaN where none of its items is answered
    names : (p,) labels of the factors

    Raises
    ------
    NoOverall, ConstantItem, NothingExplained, TooFewPsus (fewer degrees of freedom than
    factors), ValueError (fewer than 2 or more than 12 factors).

    Notes
    -----
    LMG: R² shared out by averaging each factor's gain over all orders of entry (Lindeman,
    Merenda & Gold 1980; the Shapley value of R²; Grömping 2006, J Stat Softw 17(1)).  Factors
    of satisfaction go together; there, regression coefficients swing in size and sign and first
    or last gains count the common part wholly or not at all, while LMG shares it out, is never
    negative, and adds up.  Persons who gave the overall item and every factor, no others.
    Linearised: R² of a subset has the influence ((1 - R²) y² - e²) / Var y, y centred and e the
    subset's residual, so every share is linear in PSU cross-products; error by ``Design``
    (Särndal, Swensson & Wretman 1992, ch. 5).  Student t interval cut to 0..1.
    It tells what goes together, not what would follow if an office improved a factor.
    """
    p = factors.shape[1]
    if not 2 <= p <= MAX_FACTORS:
        raise ValueError(f"2 to {MAX_FACTORS} factors, not {p}")
    asked = np.isfinite(overall) & (weight > 0)
    used = asked & np.isfinite(factors).all(axis=1)
    if not used.any():
        raise NoOverall("nobody answered the overall item and every factor")
    moments = _moments(psu[used], weight[used], overall[used], factors[used], design.n_psu)
    present = np.bincount(psu[used], minlength=design.n_psu) > 0
    people = int(used.sum()), int((asked & ~used).sum())
    return of_moments(design, moments, present, people, names=names, level=level)


def of_moments(
    design: Design,
    moments: Floats,
    present: Bools,
    people: tuple[int, int],
    *,
    names: Sequence[str],
    level: float = 0.95,
) -> Importance:
    """As ``importance``, from what persons add up to.

    ``moments`` (P, 1+p, 1+p) as ``centred`` gives them, ``present`` (P,) PSUs with somebody;
    ``people`` used and dropped.
    """
    p = len(names)
    if not 2 <= p <= MAX_FACTORS:
        raise ValueError(f"2 to {MAX_FACTORS} factors, not {p}")
    df = design.df(present)
    if df < p:
        raise TooFewPsus(df, p)
    covariance = moments.sum(axis=0)
    spread = np.diag(covariance)
    if (flat := np.flatnonzero(spread <= 1e-20)).size:
        raise ConstantItem(("", *names)[flat[0]])
    gain, kernel = _shapley(covariance)
    r2 = float(gain.sum())
    if r2 < 1e-12:
        raise NothingExplained("the factors explain nothing of the overall item")
    z_gain = np.einsum("iab,jab->ij", moments, kernel)
    z_r2 = z_gain.sum(axis=1)
    share = gain / r2
    z = (z_gain - z_r2[:, None] * share) / r2
    se = np.sqrt(design.variances(z, present))
    half = float(stdtrit(df, (1 + level) / 2)) * se
    return Importance(
        names=tuple(names),
        share=share,
        se=se,
        low=np.clip(share - half, 0.0, 1.0),
        high=np.clip(share + half, 0.0, 1.0),
        correlation=covariance[0, 1:] / np.sqrt(spread[0] * spread[1:]),
        z=z,
        r2=r2,
        r2_se=float(design.variances(z_r2[:, None], present)[0]) ** 0.5,
        n=people[0],
        dropped=people[1],
        df=df,
    )


def shares(covariance: Floats, names: Sequence[str]) -> tuple[Floats, Floats, float]:
    """Shares (p,), correlations (p,) and R² without any error, as of self-selected answers.

    ``covariance`` (1+p, 1+p), the overall item first.  Raises as ``importance``.
    """
    if not 2 <= len(names) <= MAX_FACTORS:
        raise ValueError(f"2 to {MAX_FACTORS} factors, not {len(names)}")
    spread = np.diag(covariance)
    if (flat := np.flatnonzero(spread <= 1e-20)).size:
        raise ConstantItem(("", *names)[flat[0]])
    gain, _ = _shapley(covariance)
    r2 = float(gain.sum())
    if r2 < 1e-12:
        raise NothingExplained("the factors explain nothing of the overall item")
    return gain / r2, covariance[0, 1:] / np.sqrt(spread[0] * spread[1:]), r2


def centred(sums: Floats) -> Floats:
    """Moments (P, k, k) around the weighted means, over the sum of weights.

    ``sums`` (P, 1+k, 1+k): weighted products of (1, v1 ... vk) with itself, by PSU.  Raises
    NoOverall without anybody.
    """
    total = sums.sum(axis=0)
    if total[0, 0] <= 0:
        raise NoOverall("nobody answered the overall item and every factor")
    mean = total[0, 1:] / total[0, 0]
    first = sums[:, 0, 1:]
    cross = first[:, :, None] * mean[None, None, :]
    inside = sums[:, 1:, 1:] - cross - cross.transpose(0, 2, 1)
    inside += sums[:, 0, 0][:, None, None] * np.outer(mean, mean)
    return np.asarray(inside / total[0, 0], dtype=np.float64)


def place(
    design: Design,
    found: Importance,
    performance: Floats,
    z: Floats,
    *,
    level: float = 0.95,
) -> Placing:
    """Quadrants of the importance-performance map, only where the sample can tell.

    Parameters
    ----------
    performance : (p,) indices of the factors as the report prints them, 0..1
    z : (P, p) their linearised PSU totals (columns of ``Estimates.z``)

    Notes
    -----
    Martilla & James (1977), J Marketing 41(1).  Cuts: importance 1/p, performance the mean of
    the p factors, both with the covariance between factor and cut.  ``concentrate`` important
    and below, ``keep`` important and above, ``low_priority``, ``overkill``; ``unknown`` when
    either interval holds its cut (also when a difference shows no error of its own).
    """
    p = performance.size
    t = float(stdtrit(found.df, (1 + level) / 2))
    important = _with_interval(found.share - 1 / p, found.se, t)
    apart = z - z.mean(axis=1, keepdims=True)
    error = np.sqrt(design.variances(np.ascontiguousarray(apart)))
    good = _with_interval(performance - performance.mean(), error, t)
    names: dict[tuple[int, int], Quadrant] = {
        (1, -1): "concentrate",
        (1, 1): "keep",
        (-1, -1): "low_priority",
        (-1, 1): "overkill",
    }
    sides = zip(_side(important, found.se), _side(good, error), strict=True)
    return Placing(tuple(names.get(side, "unknown") for side in sides), important, good)


def _moments(psu: Ints, weight: Floats, overall: Floats, factors: Floats, n_psu: int) -> Floats:
    """Weighted cross-products (P, 1+p, 1+p) per PSU of centred items, over the sum of weights."""
    values = np.column_stack([overall, factors])
    values = values - weight @ values / weight.sum()
    scaled = weight / weight.sum()
    size = values.shape[1]
    moments = np.empty((n_psu, size, size))
    for a in range(size):
        for b in range(a, size):
            product = scaled * values[:, a] * values[:, b]
            moments[:, a, b] = moments[:, b, a] = np.bincount(psu, product, minlength=n_psu)
    return moments


def _shapley(covariance: Floats) -> tuple[Floats, NDArray[np.float64]]:
    """LMG gains (p,) and kernels (p, 1+p, 1+p): a PSU's linearised gain is <kernel, moments>."""
    size = covariance.shape[0]
    p, spread = size - 1, covariance[0, 0]
    gain, kernel = np.zeros(p), np.zeros((p, size, size))
    whole = np.zeros((size, size))
    whole[0, 0] = 1.0
    for taken in range(1, p + 1):
        for subset in combinations(range(p), taken):
            columns = np.array(subset) + 1
            inside = covariance[np.ix_(columns, columns)]
            # Twin factors leave the coefficients open but not R²: the pseudo-inverse takes one.
            beta = np.linalg.pinv(inside, rcond=1e-10, hermitian=True) @ covariance[columns, 0]
            r2 = float(beta @ covariance[columns, 0] / spread)
            residual = np.zeros(size)
            residual[0], residual[columns] = 1.0, -beta
            influence = ((1 - r2) * whole - np.outer(residual, residual)) / spread
            part = np.full(p, -1 / (p * comb(p - 1, taken)) if taken < p else 0.0)
            part[columns - 1] = 1 / (p * comb(p - 1, taken - 1))
            gain += part * r2
            kernel += part[:, None, None] * influence
    return gain, kernel


def _with_interval(value: Floats, se: Floats, t: float) -> Floats:
    return np.stack([value, value - t * se, value + t * se], axis=1)


def _side(found: Floats, se: Floats) -> list[int]:
    """+1 surely above the cut, -1 surely below, 0 not known."""
    above, below = (found[:, 1] > 0) & (se > 0), (found[:, 2] < 0) & (se > 0)
    return [int(a) - int(b) for a, b in zip(above, below, strict=True)]
