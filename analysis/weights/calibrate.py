"""Calibration: weights that reproduce known totals of the population, and what that does to z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from analysis.design import Floats, Ints

METHODS = ("rake", "linear", "logit")
#: Totals of two margins that differ by more than this share contradict each other.
SAME_TOTAL = 1e-9
#: Directions of the normal equations weaker than this are sums that margins share.
SHARED = 1e-11
#: Rule of thumb: fewer persons, or a larger change (or its inverse), make a category thin.
FEW, LARGE = 20, 3.0


class CannotCalibrate(ValueError):
    """The weights cannot be brought to the totals asked for."""


class BadWeights(CannotCalibrate):
    """Weights that are not finite and above 0; ``rows`` are their indices."""

    def __init__(self, rows: tuple[int, ...]) -> None:
        super().__init__(f"weights must be finite and above 0, not in row {rows[0]}")
        self.rows = rows


class BadTarget(CannotCalibrate):
    """A target that is not a number above 0."""

    def __init__(self, margin: str, category: str, target: float) -> None:
        super().__init__(f"target of {margin} = {category} must be above 0, not {target}")
        self.margin, self.category, self.target = margin, category, target


class NoTarget(CannotCalibrate):
    """A category of the sample for which the population total is not given."""

    def __init__(self, margin: str, category: str) -> None:
        super().__init__(f"no target for {margin} = {category}")
        self.margin, self.category = margin, category


class EmptyCategory(CannotCalibrate):
    """A category of the population that nobody in the sample belongs to: merge categories."""

    def __init__(self, margin: str, category: str, target: float) -> None:
        super().__init__(f"nobody in the sample has {margin} = {category} (target {target})")
        self.margin, self.category, self.target = margin, category, target


class MarginsDiffer(CannotCalibrate):
    """Margins that add to different totals; ``names`` and ``totals`` in the order given."""

    def __init__(self, names: tuple[str, ...], totals: tuple[float, ...]) -> None:
        each = ", ".join(f"{name} {total:.15g}" for name, total in zip(names, totals, strict=True))
        super().__init__(f"margins add to different totals: {each}")
        self.names, self.totals = names, totals


class NotConverged(CannotCalibrate):
    """The totals were not reached; ``error`` is the largest that remains, as a share of one."""

    def __init__(self, cycles: int, error: float, margin: str, category: str) -> None:
        super().__init__(
            f"{error:.2g} of the total of {margin} = {category} is missing after {cycles} cycles"
        )
        self.cycles, self.error, self.margin, self.category = cycles, error, margin, category


class NegativeFactor(CannotCalibrate):
    """Linear calibration gave factors of 0 or less to ``cells`` of the cells."""

    def __init__(self, cells: int) -> None:
        super().__init__(f"{cells} cells got a factor of 0 or less: rake, or set bounds (logit)")
        self.cells = cells


def refuse_bad(weight: Floats) -> None:
    """Raise BadWeights unless every weight (n,) is finite and above 0."""
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight > 0)))
    if bad.size:
        raise BadWeights(tuple(bad.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """A variable with known totals: ``codes`` (c,) index of each cell's category, ``labels``
    and ``targets`` (L,) persons of the population.  Raises BadTarget, or ValueError for codes
    outside the labels.
    """

    name: str
    codes: Ints
    labels: tuple[str, ...]
    targets: Floats

    def __post_init__(self) -> None:
        if self.targets.shape != (len(self.labels),) or self.codes.ndim != 1:
            raise ValueError(f"margin {self.name}: one target a label, one code a cell")
        if self.codes.size and not 0 <= self.codes.min() <= self.codes.max() < len(self.labels):
            raise ValueError(f"margin {self.name}: codes outside 0..{len(self.labels) - 1}")
        bad = np.flatnonzero(~(np.isfinite(self.targets) & (self.targets > 0)))
        if bad.size:
            raise BadTarget(self.name, self.labels[bad[0]], float(self.targets[bad[0]]))


def margin(name: str, values: NDArray[Any], targets: Mapping[str, float]) -> Margin:
    """The margin of a column ``values`` (c,) of labels, which are compared as text.

    Raises NoTarget (a value without a target) and BadTarget.
    """
    found, codes = np.unique(values, return_inverse=True)
    place = {label: k for k, label in enumerate(targets)}
    if missing := [str(value) for value in found if str(value) not in place]:
        raise NoTarget(name, missing[0])
    index = np.array([place[str(value)] for value in found], dtype=np.int64)
    wanted = np.array(list(targets.values()), dtype=np.float64)
    return Margin(name, index[codes.ravel()], tuple(targets), wanted)


@dataclass(frozen=True, slots=True, eq=False)
class _Kinds:
    """The distinct combinations of categories: ``of`` (c,) that of each cell, ``dummies``
    (K, M) its categories in all margins.
    """

    of: Ints
    dummies: Floats

    def total(self, values: Floats) -> Floats:
        """Sums (K, q) of ``values`` (c, q) over the cells of each kind."""
        size = self.dummies.shape[0]
        columns = [np.bincount(self.of, column, minlength=size) for column in values.T]
        return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Calibrated weights: ``start`` (c,) design weights, ``g`` (c,) factor of each cell.

    ``cycles`` Newton steps taken, ``error`` the largest relative error of a margin that
    remains, ``margins`` with the targets really used.
    """

    method: str
    margins: tuple[Margin, ...]
    start: Floats
    g: Floats
    cycles: int
    error: float
    kinds: _Kinds

    @property
    def weight(self) -> Floats:
        """Calibrated weights (c,)."""
        return np.asarray(self.start * self.g, dtype=np.float64)

    def project(self, totals: Floats) -> Floats:
        """Calibrated residual totals (c, q) of statistics with the cell totals ``totals`` (c, q).

        ``totals`` are sums of d u over the persons of a cell: d design weight, u linearised
        value with the ratios of the calibrated weights.  Returned is g (U - D x'B), with B the
        regression of u on the dummies of the margins by the DESIGN weights: their sums over
        PSUs take the place of z in any variance (Deville & Särndal 1992, equal to R's
        ``calibrate``.  R's ``rake`` sweeps unweighted means instead and differs by some 3 %.)
        """
        x = self.kinds.dummies
        mass = self.kinds.total(self.start[:, None])
        slopes = solve(x.T @ (mass * x), x.T @ self.kinds.total(totals))
        fitted = self.start[:, None] * (x @ slopes)[self.kinds.of]
        return np.asarray(self.g[:, None] * (totals - fitted), dtype=np.float64)

    def ending(self, weight: Floats) -> Calibration:
        """The same calibration when something else (trimming) led to final ``weight`` (c,)."""
        reached = self.kinds.dummies.T @ self.kinds.total(weight[:, None])[:, 0]
        targets = np.concatenate([each.targets for each in self.margins])
        error = float(np.abs(reached / targets - 1).max())
        return replace(self, g=weight / self.start, error=error)


def calibrate(
    weight: Floats,
    margins: Sequence[Margin],
    *,
    method: str = "rake",
    bounds: tuple[float, float] = (0.5, 2.0),
    rescale: bool = False,
    tolerance: float = 1e-10,
    cycles: int = 50,
) -> Calibration:
    """Change ``weight`` (c,) as little as possible so that every margin has its totals.

    Parameters
    ----------
    weight : (c,) design weights of persons, or their sums over cells: the factor of a cell
        depends on its categories only, so both give the same factors
    margins : at least one; their targets must add to the same total
    method : ``rake`` multiplies by exp(x'b), ``linear`` by 1 + x'b (GREG), ``logit`` keeps the
        factor between the two ``bounds`` (used by this method only)
    rescale : scale later margins to the total of the first instead of refusing
    tolerance : largest relative error of a total; ``cycles`` : most Newton steps

    Raises
    ------
    BadWeights, MarginsDiffer, EmptyCategory, NotConverged (also: bounds too tight),
    NegativeFactor (linear only), ValueError for an unknown method or senseless bounds.

    Notes
    -----
    Deville & Särndal (1992); Newton steps, halved until the error falls.
    Sums that margins share (all add to the same total) are left to the pseudo-inverse.
    """
    low, high = bounds
    if method not in METHODS:
        raise ValueError(f"unknown method: {method!r}")
    if not margins:
        raise ValueError("calibration needs a margin")
    if method == "logit" and not 0 <= low < 1 < high < np.inf:
        raise ValueError(f"bounds must hold 1 between them, and not be below 0: {bounds}")
    used = _checked(weight, margins, rescale)
    kinds = _kinds(used)
    mass = kinds.total(weight[:, None])[:, 0]
    targets = np.concatenate([each.targets for each in used])
    change = _Change(method, low, high)
    found, steps, errors = _newton(
        change, kinds.dummies, mass, targets, tolerance=tolerance, cycles=cycles
    )
    worst = int(np.abs(errors).argmax())
    error = float(abs(errors[worst]))
    if not error <= tolerance:
        names = [(each.name, label) for each in used for label in each.labels]
        raise NotConverged(steps, error, *names[worst])
    g = change.factor(kinds.dummies @ found)[0][kinds.of]
    if method == "linear" and (bad := int((g <= 0).sum())):
        raise NegativeFactor(bad)
    return Calibration(method, used, weight, g, steps, error, kinds)


def given(
    start: Floats, final: Floats, margins: Sequence[Margin], *, method: str = "rake"
) -> Calibration:
    """The calibration that led from ``start`` (c,) to ``final`` weights (c,) somewhere else.

    Raises BadWeights, MarginsDiffer, EmptyCategory.  ``error`` says how far totals are missed.
    """
    refuse_bad(final)
    used = _checked(start, margins, rescale=False)
    made = Calibration(method, used, start, np.ones(start.size), 0, 0.0, _kinds(used))
    return made.ending(final)


def poststratify(weight: Floats, margin: Margin) -> Calibration:
    """Calibrate ``weight`` (c,) to one margin, whose categories are the post-strata.

    Every method gives the same factor, target / sum of weights.  Raises as ``calibrate``.
    """
    return calibrate(weight, (margin,), method="linear")


@dataclass(frozen=True, slots=True)
class ThinCell:
    """A category with few persons ``n`` or a large change ``g`` (target / sum of weights)."""

    margin: str
    category: str
    n: int
    g: float


def thin_cells(calibration: Calibration, people: Ints | None = None) -> tuple[ThinCell, ...]:
    """Categories with fewer than 20 persons or weights changed more than three times.

    ``people`` (c,) persons of each cell, None = every cell is one person.  A rule of thumb
    (Kalton & Flores-Cervantes 2003): merge such categories, or say so.
    """
    persons = np.ones(calibration.g.size) if people is None else people
    found = []
    for each in calibration.margins:
        n = np.bincount(each.codes, persons, minlength=len(each.labels)).tolist()
        mass = np.bincount(each.codes, calibration.start, minlength=len(each.labels))
        for label, count, g in zip(each.labels, n, (each.targets / mass).tolist(), strict=True):
            if count < FEW or not 1 / LARGE <= g <= LARGE:
                found.append(ThinCell(each.name, label, int(count), g))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Change:
    """The factor as a function of x'b (Deville & Särndal 1992)."""

    method: str
    low: float
    high: float

    def factor(self, eta: Floats) -> tuple[Floats, Floats]:
        """Factors and their derivatives at ``eta``."""
        if self.method == "linear":
            return 1 + eta, np.ones_like(eta)
        if self.method == "rake":
            with np.errstate(over="ignore"):
                grown = np.exp(eta)
            return grown, grown
        steep = (self.high - self.low) / ((1 - self.low) * (self.high - 1))
        rise = expit(steep * eta + np.log((1 - self.low) / (self.high - 1)))
        width = self.high - self.low
        return self.low + width * rise, width * steep * rise * (1 - rise)


def _newton(
    change: _Change,
    x: Floats,
    mass: Floats,
    targets: Floats,
    *,
    tolerance: float,
    cycles: int,
) -> tuple[Floats, int, Floats]:
    """Coefficients (M,), steps taken and relative errors (M,) of the totals."""

    def missing(at: Floats) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(1 - x.T @ (mass * change.factor(x @ at)[0]) / targets)

    at = np.zeros(targets.size)
    errors, steps = missing(at), 0
    while np.abs(errors).max() > tolerance and steps < cycles:
        steps += 1
        slope = mass * change.factor(x @ at)[1]
        step = solve(x.T @ (slope[:, None] * x), errors * targets)
        for _ in range(40):
            tried = missing(at + step)
            if np.abs(tried).max() < np.abs(errors).max():  # false for NaN
                break
            step = step / 2
        else:
            break
        at, errors = at + step, tried
    return at, steps, errors


def solve(gram: Floats, right: Floats) -> Floats:
    """Least squares of normal equations that may be singular, scaled to a unit diagonal."""
    scale = 1 / np.sqrt(np.maximum(np.diag(gram), np.finfo(np.float64).tiny))
    inverse = np.linalg.pinv(gram * np.outer(scale, scale), rcond=SHARED, hermitian=True)
    return np.asarray((scale * (inverse @ (scale * right.T).T).T).T, dtype=np.float64)


def _checked(weight: Floats, margins: Sequence[Margin], rescale: bool) -> tuple[Margin, ...]:
    refuse_bad(weight)
    for each in margins:
        if each.codes.shape != weight.shape:
            raise ValueError(f"margin {each.name}: one code a weight")
        seen = np.bincount(each.codes, minlength=len(each.labels))
        if (empty := np.flatnonzero(seen == 0)).size:
            k = int(empty[0])
            raise EmptyCategory(each.name, each.labels[k], float(each.targets[k]))
    totals = tuple(float(each.targets.sum()) for each in margins)
    if max(totals) - min(totals) <= SAME_TOTAL * totals[0]:
        return tuple(margins)
    if not rescale:
        raise MarginsDiffer(tuple(each.name for each in margins), totals)
    ratios = [totals[0] / total for total in totals]
    pairs = zip(margins, ratios, strict=True)
    return tuple(replace(each, targets=each.targets * ratio) for each, ratio in pairs)


def _kinds(margins: Sequence[Margin]) -> _Kinds:
    of = np.zeros(margins[0].codes.size, dtype=np.int64)
    for each in margins:
        _, first, of = np.unique(of * len(each.labels) + each.codes, True, True)
        of = of.ravel()
    blocks = [np.eye(len(each.labels))[each.codes[first]] for each in margins]
    return _Kinds(of, np.hstack(blocks))
