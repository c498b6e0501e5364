"""The sample design: strata, sampled villages, weights, and the variance of a total over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Lonely = Literal["remove", "adjust", "certainty", "average", "fail"]
#: Products of this many multiplications stay on one thread of the linear algebra.  More threads
#: wait in busy loops, which costs twice the CPU here and whole seconds on a busy machine.
ONE_THREAD = 250_000
LONELY: tuple[str, ...] = get_args(Lonely)


class BadDesign(ValueError):
    """The design columns contradict each other or hold values no design can have."""


class LonelyStratum(ValueError):
    """A stratum with a single PSU and the rule ``fail``; ``strata`` holds their labels."""

    def __init__(self, strata: tuple[str, ...]) -> None:
        super().__init__(f"strata with a single PSU: {', '.join(strata)}")
        self.strata = strata


class NoVariance(ValueError):
    """Every stratum of the domain is lonely under the rule ``average``: nothing to average."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A stratified sample of PSUs; make it with ``build``, which checks it.

    ``weight`` (n,) persons represented; ``psu`` (n,) index of the row's PSU; ``stratum`` (P,)
    index of the PSU's stratum, never decreasing; ``sampled`` (H,) PSUs drawn per stratum;
    ``fraction`` (H,) sampling fraction of PSUs, 0 where not corrected for; ``labels`` (H,).
    """

    weight: Floats
    psu: Ints
    stratum: Ints
    sampled: Ints
    fraction: Floats
    labels: tuple[str, ...]
    lonely: Lonely
    fpc: bool

    @property
    def n_psu(self) -> int:
        """PSUs in the sample."""
        return int(self.stratum.size)

    @property
    def n_strata(self) -> int:
        """Strata in the sample."""
        return int(self.sampled.size)

    @property
    def lonely_strata(self) -> tuple[str, ...]:
        """Labels of the strata with one PSU that are not whole populations."""
        alone = (self.sampled == 1) & (self.fraction < 1)
        return tuple(self.labels[h] for h in np.flatnonzero(alone))

    @property
    def census(self) -> bool:
        """Whether every PSU of the population is in the sample."""
        return bool((self.fraction >= 1).all())

    def df(self, present: Bools) -> int:
        """Degrees of freedom of a domain: PSUs with members less strata with members.

        ``present`` is (P,): whether the PSU has a member of the domain.
        """
        return int(present.sum()) - int(np.unique(self.stratum[present]).size)

    def covariance(self, z: Floats, present: Bools | None = None) -> Floats:
        """Covariance (m, m) of m statistics from their linearised PSU totals ``z`` (P, m).

        PSUs outside a domain stay in as zeros.  ``present`` (P,) tells which PSUs have members
        of the domain; only the rule ``average`` needs it.  Ultimate-cluster estimator with the
        correction of the first stage (Särndal, Swensson & Wretman 1992, ch. 4; Wolter 2007,
        ch. 1); lonely strata as R's ``survey`` treats them.
        Raises LonelyStratum (rule ``fail``) or NoVariance (rule ``average``).
        """
        scaled = self._scaled(z, present)
        step = max(1, ONE_THREAD // max(1, scaled.shape[1] ** 2))
        total = np.zeros((scaled.shape[1], scaled.shape[1]))
        for at in range(0, scaled.shape[0], step):
            part = scaled[at : at + step]
            total += part.T @ part
        return total

    def variances(self, z: Floats, present: Bools | None = None) -> Floats:
        """The diagonal (m,) of ``covariance``, at a fraction of its cost."""
        scaled = self._scaled(z, present)
        return np.asarray(np.einsum("im,im->m", scaled, scaled), dtype=np.float64)

    def _scaled(self, z: Floats, present: Bools | None) -> Floats:
        """Deviations from the stratum mean, times the root of the stratum's factor."""
        alone = self.sampled == 1
        if self.lonely == "fail" and self.lonely_strata:
            raise LonelyStratum(self.lonely_strata)
        starts = np.concatenate([[0], np.cumsum(self.sampled)[:-1]])
        mean = np.add.reduceat(z, starts, axis=0) / self.sampled[:, None]
        mean[alone] = 0.0  # centre of a lonely stratum: the population mean of z, which is 0
        others = np.maximum(self.sampled - 1, 1)
        factor = (1 - self.fraction) * np.where(alone, 1.0, self.sampled / others)
        if self.lonely != "adjust":
            factor = np.where(alone, 0.0, factor)
        if self.lonely == "average" and alone.any():
            factor = factor * self._inflation(alone, present)
        deviation = z - mean[self.stratum]
        return np.asarray(np.sqrt(factor)[self.stratum, None] * deviation, dtype=np.float64)

    def _inflation(self, alone: Bools, present: Bools | None) -> float:
        seen = np.zeros(self.n_strata, dtype=bool)
        seen[self.stratum if present is None else self.stratum[present]] = True
        good = int((seen & ~alone).sum())
        if good == 0:
            raise NoVariance("every stratum of the domain has a single PSU")
        return float(seen.sum()) / good


def build(
    stratum: NDArray[Any],
    psu: NDArray[Any],
    weight: NDArray[Any],
    fpc: NDArray[Any] | None = None,
    *,
    lonely: str = "adjust",
    nest: bool = False,
) -> Design:
    """Make a design from one value a row.

    Parameters
    ----------
    stratum, psu : (n,) labels of any sortable kind; a PSU lies in one stratum
    weight : (n,) persons represented by the row, finite and > 0
    fpc : (n,) PSUs in the population of the row's stratum; None or all 0 = no correction
    lonely : what a stratum with one PSU contributes: ``remove`` and ``certainty`` nothing,
        ``adjust`` its distance from the overall mean, ``average`` the mean of the others,
        ``fail`` raises when a variance is asked for
    nest : PSU labels are unique only inside their stratum

    Raises
    ------
    BadDesign
        No rows, unequal lengths, bad weights, a PSU in two strata, an fpc that varies inside
        a stratum or is smaller than the number of its sampled PSUs, an unknown rule.
    """
    if lonely not in LONELY:
        raise BadDesign(f"unknown rule for lonely strata: {lonely!r}")
    weights = np.ascontiguousarray(weight, dtype=np.float64)
    if weights.ndim != 1 or weights.size == 0:
        raise BadDesign("a design needs at least one row")
    if stratum.shape != weights.shape or psu.shape != weights.shape:
        raise BadDesign("stratum, psu and weight must have one value a row")
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise BadDesign("weights must be finite and above 0")

    labels, row_stratum = np.unique(stratum, return_inverse=True)
    _, row_psu, first = _codes(psu, row_stratum, nest=nest)
    psu_stratum = row_stratum[first]
    if (wrong := np.flatnonzero(psu_stratum[row_psu] != row_stratum)).size:
        raise BadDesign(f"PSU {psu[wrong[0]]} lies in two strata")
    order = np.argsort(psu_stratum, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    sampled = np.bincount(psu_stratum, minlength=labels.size)
    return Design(
        weight=weights,
        psu=place[row_psu],
        stratum=psu_stratum[order],
        sampled=sampled,
        fraction=_fraction(fpc, row_stratum, sampled, labels),
        labels=tuple(str(label) for label in labels),
        lonely=lonely,  # type: ignore[arg-type]
        fpc=fpc is not None and bool(np.any(fpc)),
    )


def _codes(psu: NDArray[Any], row_stratum: Ints, *, nest: bool) -> tuple[Ints, Ints, Ints]:
    """Distinct PSUs, the index of each row's PSU, and the first row of each PSU."""
    values, first, codes = np.unique(psu, return_index=True, return_inverse=True)
    if nest:
        key = row_stratum * values.size + codes
        _, first, codes = np.unique(key, return_index=True, return_inverse=True)
    return np.arange(first.size), codes, first


def _fraction(
    fpc: NDArray[Any] | None, row_stratum: Ints, sampled: Ints, labels: NDArray[Any]
) -> Floats:
    """Sampled PSUs over the PSUs of the population, per stratum (0 = no correction)."""
    if fpc is None:
        return np.zeros(sampled.size)
    population = np.asarray(fpc, dtype=np.float64)
    if population.shape != row_stratum.shape:
        raise BadDesign("fpc must have one value a row")
    if not np.isfinite(population).all() or (population < 0).any():
        raise BadDesign("fpc must be a number of PSUs")
    of_stratum = np.zeros(sampled.size)
    of_stratum[row_stratum] = population
    if (bad := np.flatnonzero(of_stratum[row_stratum] != population)).size:
        raise BadDesign(f"fpc varies inside stratum {labels[row_stratum[bad[0]]]}")
    known = of_stratum > 0
    if (bad := np.flatnonzero(known & (of_stratum < sampled))).size:
        raise BadDesign(f"fpc of stratum {labels[bad[0]]} is below its sampled PSUs")
    return np.where(known, sampled / np.where(known, of_stratum, 1.0), 0.0)
