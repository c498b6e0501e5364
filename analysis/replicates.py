"""Replicate weights: the sampling error of anything, from the same figure many times over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Bools, Design, Floats, Ints, LonelyStratum
from analysis.index import Scheme

#: Seed of the bootstrap unless the caller says otherwise.
SEED = 2026


class NotPaired(ValueError):
    """Half samples need two PSUs in each stratum; ``strata`` holds the labels of the others."""

    def __init__(self, strata: tuple[str, ...]) -> None:
        super().__init__(f"strata without exactly two PSUs: {', '.join(strata)}")
        self.strata = strata


class BadFactors(ValueError):
    """Given factors that do not fit the design, or are no factors."""


class EmptyReplicate(ValueError):
    """In ``replicate`` (1..B) nobody answered ``item``, so its figure does not exist there."""

    def __init__(self, replicate: int, item: str) -> None:
        super().__init__(f"nobody left who answered {item} in replicate {replicate}")
        self.replicate, self.item = replicate, item


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """``factors`` (B, P) that multiply the weights of the PSUs, and ``scale`` (B,).

    The variance is Σ_b scale_b (θ_b - θ)², centred at the full estimate.  ``silent`` are the
    labels of lonely strata that add nothing to it, as their design's rule says.
    """

    factors: Floats
    scale: Floats
    silent: tuple[str, ...] = ()

    def covariance(self, thetas: Floats, full: Floats) -> Floats:
        """Covariance (q, q) of figures ``full`` (q,) from their replicates ``thetas`` (B, q).

        With the means of the replicates as ``full`` it is R's ``mse = FALSE``.
        """
        away = np.sqrt(self.scale)[:, None] * (thetas - full)
        return np.asarray(away.T @ away, dtype=np.float64)

    def se(self, thetas: Floats, full: Floats) -> Floats:
        """Standard errors (q,): roots of the diagonal of ``covariance``."""
        away = thetas - full
        return np.asarray(np.sqrt(self.scale @ away**2), dtype=np.float64)


def jkn(design: Design) -> Replicates:
    """Jackknife: drop one PSU, the others of its stratum weigh n/(n - 1) times as much.

    Variance Σ_h (1 - f_h)(n_h - 1)/n_h Σ_i (θ_hi - θ)² (Wolter 2007, ch. 4; R's ``JKn`` with
    ``mse = TRUE``).  Lonely strata add nothing under the rules ``remove`` and ``certainty``
    (see ``silent``); the other rules have no replicate form and raise LonelyStratum.
    """
    silent = _silent(design)
    sampled = design.sampled[design.stratum]
    dropped = np.flatnonzero(sampled > 1)
    home = design.stratum[dropped]
    n = design.sampled[home].astype(np.float64)
    same = home[:, None] == design.stratum[None, :]
    factors = np.where(same, (n / (n - 1))[:, None], 1.0)
    factors[np.arange(dropped.size), dropped] = 0.0
    return Replicates(factors, (1 - design.fraction[home]) * (n - 1) / n, silent)


def raowu(design: Design, draws: int = 1000, seed: int = SEED) -> Replicates:
    """Bootstrap of n_h - 1 PSUs drawn with replacement in each stratum (Rao & Wu 1988).

    Factors 1 + sqrt(1 - f_h) (n_h/(n_h - 1) count - 1), none negative; variance
    1/(B - 1) Σ_b (θ_b - θ)².  R's ``subbootstrap`` leaves the f_h out.  Its own chance error is
    about 1/sqrt(2 B) of the standard error: 2 % with 1000 draws.  Lonely strata as in ``jkn``.
    Raises ValueError for fewer than 2 draws, LonelyStratum.
    """
    if draws < 2:
        raise ValueError("a bootstrap needs at least 2 draws")
    silent = _silent(design)
    chance = np.random.Generator(np.random.PCG64(seed))
    factors = np.ones((draws, design.n_psu))
    first = 0
    for n, fraction in zip(design.sampled.tolist(), design.fraction.tolist(), strict=True):
        if n > 1:
            picked = (chance.random((draws, n - 1)) * n).astype(np.int64)
            picked += np.arange(draws)[:, None] * n
            count = np.bincount(picked.ravel(), minlength=draws * n).reshape(draws, n)
            change = n / (n - 1) * count - 1
            factors[:, first : first + n] += np.sqrt(1 - fraction) * change
        first += n
    return Replicates(factors, np.full(draws, 1 / (draws - 1)), silent)


def brr(design: Design) -> Replicates:
    """Balanced half samples of two PSUs a stratum: ``fay`` with ``rho`` 0 (McCarthy 1969)."""
    return fay(design, 0.0)


def fay(design: Design, rho: float = 0.5) -> Replicates:
    """Balanced half samples whose dropped half keeps the share ``rho`` of its weight.

    Factors 1 ± (1 - rho) sqrt(1 - f_h) with signs of a Hadamard matrix, variance
    1/(B (1 - rho)²) Σ_b (θ_b - θ)² (Judkins 1990; Wolter 2007, ch. 3).  For totals it equals
    the linearised variance.  Raises NotPaired (strata wholly sampled may have any number of
    PSUs), ValueError for ``rho`` outside 0 <= rho < 1; lonely strata as in ``jkn``.
    """
    if not 0 <= rho < 1:
        raise ValueError(f"rho must be 0 or more and below 1: {rho}")
    silent = _silent(design)
    open_strata = (design.sampled > 1) & (design.fraction < 1)
    odd = np.flatnonzero(open_strata & (design.sampled != 2))
    if odd.size:
        raise NotPaired(tuple(design.labels[h] for h in odd))
    paired = np.flatnonzero(open_strata)
    signs = hadamard(paired.size + 1)[:, 1 : paired.size + 1]
    reach = (1 - rho) * np.sqrt(1 - design.fraction[paired])
    starts = np.cumsum(design.sampled) - design.sampled
    factors = np.ones((signs.shape[0], design.n_psu))
    factors[:, starts[paired]] += signs * reach
    factors[:, starts[paired] + 1] -= signs * reach
    size = factors.shape[0]
    return Replicates(factors, np.full(size, 1 / (size * (1 - rho) ** 2)), silent)


def given(factors: NDArray[Any], design: Design, scale: Floats | None = None) -> Replicates:
    """Replicates from elsewhere: ``factors`` (B, P) in the order of the design's PSUs.

    ``scale`` (B,), None = 1/(B - 1) as for a bootstrap.  Raises BadFactors: another number of
    PSUs, fewer than 2 replicates, a factor or scale that is negative or no number.
    """
    values = np.asarray(factors, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != design.n_psu or values.shape[0] < 2:
        raise BadFactors(f"factors {values.shape} for a design of {design.n_psu} PSUs")
    size = values.shape[0]
    each = np.full(size, 1 / (size - 1)) if scale is None else scale
    if each.shape != (size,):
        raise BadFactors("one scale for each replicate")
    for name, numbers in (("factor", values), ("scale", each)):
        if not np.isfinite(numbers).all() or (numbers < 0).any():
            raise BadFactors(f"a {name} is negative or no number")
    return Replicates(values, each)


@dataclass(frozen=True, slots=True, eq=False)
class Replicated:
    """Figures of a scheme, items then composites: ``full`` (q,) and in each replicate ``thetas``
    (B, q), with their ``se`` (q,) and ``covariance`` (q, q), shares 0..1.

    ``known`` (q,) is false where nobody answered; such figures are 0 in all arrays.
    """

    full: Floats
    thetas: Floats
    known: Bools
    se: Floats
    covariance: Floats


def replicate_estimates(
    psu: Ints, sums: Floats, points: Floats, scheme: Scheme, replicates: Replicates
) -> Replicated:
    """Items and composites in every replicate, from one product of factors and PSU sums.

    ``psu`` (c,) PSU of each cell, ``sums`` (c, J, L) weighted answers of each level, ``points``
    (L,) of the levels.  Calibrated sums may be given, but replicates are not calibrated anew:
    their error is then that of fixed weights.  Items nobody answered leave their composites.
    Raises EmptyReplicate.
    """
    n_psu = replicates.factors.shape[1]
    every = np.vstack([np.ones(n_psu), replicates.factors])  # the full sample, then replicates
    made = every @ _by_psu(psu, sums @ points, n_psu)
    answers = every @ _by_psu(psu, sums.sum(axis=2), n_psu)
    known = answers[0] > 0
    empty = np.argwhere((answers <= 0) & known)
    if empty.size:
        raise EmptyReplicate(int(empty[0, 0]), scheme.items[int(empty[0, 1])])
    items = np.where(known, made / np.where(known, answers, 1.0), 0.0)
    member = (scheme.weights > 0) & known
    some = member.any(axis=1)
    weights = np.where(known, scheme.weights, 0.0)
    weights = weights / np.where(some, weights.sum(axis=1), 1.0)[:, None]
    base = np.where(some, answers @ member.T, 1.0)
    composites = np.where(scheme.pooled, made @ member.T / base, items @ weights.T)
    values = np.hstack([items, composites])
    full, thetas = values[0], values[1:]
    return Replicated(
        full=full,
        thetas=thetas,
        known=np.concatenate([known, some]),
        se=replicates.se(thetas, full),
        covariance=replicates.covariance(thetas, full),
    )


def _by_psu(psu: Ints, values: Floats, n_psu: int) -> Floats:
    """Sums (P, J) of ``values`` (c, J) over the cells of each PSU."""
    columns = [np.bincount(psu, column, minlength=n_psu) for column in values.T]
    return np.stack(columns, axis=1)


def hadamard(least: int) -> Floats:
    """A matrix of 1 and -1 with orthogonal columns, the first all 1, of an order >= ``least``.

    Sylvester's doubling and Paley's first construction (order q + 1 with a prime q = 4k + 3);
    the smallest order that these two reach.
    """
    order = max(least, 1)
    while not (core := _core(order)):
        order += 1
    matrix = np.ones((1, 1)) if core == 1 else _paley(core - 1)
    while matrix.shape[0] < order:
        matrix = np.kron(np.array([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return np.asarray(matrix * matrix[:, :1], dtype=np.float64)


def _core(order: int) -> int:
    """The order to start doubling from to reach ``order``; 0 when there is none."""
    while order > 1:
        q = order - 1
        if q % 4 == 3 and all(q % divisor for divisor in range(2, int(q**0.5) + 1)):
            return order
        if order % 2:
            return 0
        order //= 2
    return 1


def _paley(q: int) -> Floats:
    """I + S, where S is bordered by 1 and -1 and holds the quadratic character of i - j."""
    character = np.full(q, -1.0)
    character[np.arange(1, q) ** 2 % q] = 1.0
    character[0] = 0.0
    place = np.arange(q)
    matrix = np.ones((q + 1, q + 1))
    matrix[1:, 0] = -1.0
    matrix[1:, 1:] = character[(place[:, None] - place) % q] + np.eye(q)
    return matrix


def _silent(design: Design) -> tuple[str, ...]:
    """Lonely strata, if the design's rule lets them add nothing; else raises LonelyStratum."""
    lonely = design.lonely_strata
    if lonely and design.lonely not in ("remove", "certainty"):
        raise LonelyStratum(lonely)
    return lonely
