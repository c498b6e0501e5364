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


def product(left: Floats, right: Floats) -> Floats:
    """``left`` (n, a) @ ``right`` (a, b) in parts that stay on one thread."""
    step = max(1, ONE_THREAD // max(1, right.size))
    if left.shape[0] <= step:
        return np.asarray(left @ right)
    return np.concatenate([left[at : at + step] @ right for at in range(0, len(left), step)])


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A stratified sample of PSUs; ``build`` or ``arrange`` make and check it.

    ``stratum`` (P,) index of the PSU's stratum, never decreasing; ``sampled`` (H,) PSUs drawn
    per stratum; ``fraction`` (H,) sampling fraction of PSUs, 0 where not corrected for;
    ``labels`` (H,) of the strata.
    """

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
        return tuple(self.labels[h] for h in np.flatnonzero(self.alone))

    @property
    def alone(self) -> Bools:
        """Strata (H,) with one PSU that are not whole populations: their error is unknown."""
        return np.asarray((self.sampled == 1) & (self.fraction < 1))

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

    def factors(self) -> Floats:
        """What the sum of squared deviations of a stratum (H,) is multiplied with.

        A lonely stratum has 1 less its fraction under the rule ``adjust``, else 0.
        Raises LonelyStratum (rule ``fail``).
        """
        if self.lonely == "fail" and self.lonely_strata:
            raise LonelyStratum(self.lonely_strata)
        alone = self.alone
        others = np.maximum(self.sampled - 1, 1)
        factor = (1 - self.fraction) * np.where(alone, 1.0, self.sampled / others)
        return factor if self.lonely == "adjust" else np.where(alone, 0.0, factor)

    def _scaled(self, z: Floats, present: Bools | None) -> Floats:
        """Deviations from the stratum mean, times the root of the stratum's factor."""
        factor, alone = self.factors(), self.alone
        starts = np.concatenate([[0], np.cumsum(self.sampled)[:-1]])
        mean = np.add.reduceat(z, starts, axis=0) / self.sampled[:, None]
        mean[alone] = 0.0  # centre of a lonely stratum: the population mean of z, which is 0
        if self.lonely == "average" and alone.any():
            seen = np.zeros(self.n_strata, dtype=bool)
            seen[self.stratum if present is None else self.stratum[present]] = True
            good = int((seen & ~alone).sum())
            if good == 0:
                raise NoVariance("every stratum of the domain has a single PSU")
            factor = factor * (float(seen.sum()) / good)
        deviation = z - mean[self.stratum]
        return np.asarray(np.sqrt(factor)[self.stratum, None] * deviation, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A design with its rows: ``psu`` (n,) index into the design, ``weight`` (n,) persons."""

    design: Design
    psu: Ints
    weight: Floats


def build(
    stratum: NDArray[Any],
    psu: NDArray[Any],
    weight: NDArray[Any],
    fpc: NDArray[Any] | None = None,
    *,
    lonely: str = "adjust",
    nest: bool = False,
) -> Sample:
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
    if fpc is not None and np.shape(fpc) != weights.shape:
        raise BadDesign("fpc must have one value a row")
    population = None if fpc is None else _constant(fpc, row_stratum, labels)[psu_stratum]
    design, place = arrange(labels[psu_stratum], population, lonely=lonely)
    return Sample(design, place[row_psu], weights)


def arrange(
    stratum: NDArray[Any], fpc: NDArray[Any] | None = None, *, lonely: str = "adjust"
) -> tuple[Design, Ints]:
    """Make a design from one value a PSU: labels of strata (P,), PSUs of their population (P,).

    Returns the design and the place (P,) of each given PSU in it.  Raises BadDesign.
    """
    if lonely not in LONELY:
        raise BadDesign(f"unknown rule for lonely strata: {lonely!r}")
    if stratum.size == 0:
        raise BadDesign("a design needs at least one PSU")
    labels, codes = np.unique(stratum, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    sampled = np.bincount(codes, minlength=labels.size)
    population = np.zeros(labels.size) if fpc is None else _constant(fpc, codes, labels)
    known = population > 0
    if (bad := np.flatnonzero(known & (population < sampled))).size:
        raise BadDesign(f"fpc of stratum {labels[bad[0]]} is below its sampled PSUs")
    design = Design(
        stratum=codes[order],
        sampled=sampled,
        fraction=np.where(known, sampled / np.where(known, population, 1.0), 0.0),
        labels=tuple(str(label) for label in labels),
        lonely=lonely,  # type: ignore[arg-type]
        fpc=bool(known.any()),
    )
    return design, place


def _codes(psu: NDArray[Any], row_stratum: Ints, *, nest: bool) -> tuple[Ints, Ints, Ints]:
    """Distinct PSUs, the index of each row's PSU, and the first row of each PSU."""
    values, first, codes = np.unique(psu, return_index=True, return_inverse=True)
    if nest:
        key = row_stratum * values.size + codes
        _, first, codes = np.unique(key, return_index=True, return_inverse=True)
    return np.arange(first.size), codes, first


def _constant(fpc: NDArray[Any], stratum: Ints, labels: NDArray[Any]) -> Floats:
    """PSUs in the population of each stratum (H,), 0 = no correction."""
    population = np.asarray(fpc, dtype=np.float64)
    if not np.isfinite(population).all() or (population < 0).any():
        raise BadDesign("fpc must be a number of PSUs")
    of_stratum = np.zeros(labels.size)
    of_stratum[stratum] = population
    if (bad := np.flatnonzero(of_stratum[stratum] != population)).size:
        raise BadDesign(f"fpc varies inside stratum {labels[stratum[bad[0]]]}")
    return of_stratum
