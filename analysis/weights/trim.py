"""Trimming: no person counts for too many, and the totals of the margins still hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.design import Bools, Floats
from analysis.weights.calibrate import CannotCalibrate, Margin, calibrate, refuse_bad

#: A weight above its cap by less than this share of it is rounding.
ROUNDING = 1e-9


class CapTooTight(ValueError):
    """Weights cannot stay within the cap (and floor) and keep their totals.

    ``trimmed`` weights of ``of`` stood at a limit after ``rounds`` rounds.
    """

    def __init__(self, cap: float, trimmed: int, of: int, rounds: int) -> None:
        super().__init__(
            f"cap {cap:.15g} cannot be kept: {trimmed} of {of} weights at a limit"
            f" after {rounds} rounds"
        )
        self.cap, self.trimmed, self.of, self.rounds = cap, trimmed, of, rounds


@dataclass(frozen=True, slots=True, eq=False)
class Trimmed:
    """Trimmed weights (n,), and what it took.

    ``capped`` and ``raised`` weights stand at the ``cap`` and at the ``floor``; ``moved`` share
    of all weight taken from persons; ``kish_before`` and ``kish_after`` 1 + cv² of the weights.
    """

    weight: Floats
    cap: float
    floor: float
    capped: int
    raised: int
    rounds: int
    moved: float
    kish_before: float
    kish_after: float


def kish(weight: Floats) -> float:
    """Part of the design effect due to unequal weights: 1 + cv² = n Σw² / (Σw)² (Kish 1965)."""
    return float(weight.size * (weight @ weight) / weight.sum() ** 2)


def cap_by_median(weight: Floats, multiple: float = 3.5) -> float:
    """``multiple`` times the median weight; 3 to 5 is usual (Kalton & Flores-Cervantes 2003)."""
    return float(multiple * np.median(weight))


def cap_by_quartiles(weight: Floats, multiple: float = 6.0) -> float:
    """Median plus ``multiple`` times the distance between the quartiles."""
    low, middle, high = np.quantile(weight, (0.25, 0.5, 0.75))
    return float(middle + multiple * (high - low))


def trim_once(weight: Floats, cap: float, floor: float = 0.0) -> Floats:
    """One pass of R's ``trimWeights``: cut (n,) to the limits, share the rest out in equal parts.

    For comparison only: what is handed out lifts others above the cap again, and the margins of
    a calibration are lost.  Raises CapTooTight when every weight is outside the limits.
    """
    cut = np.clip(weight, floor, cap)
    inside = cut == weight
    if not inside.any():
        raise CapTooTight(cap, weight.size, weight.size, 1)
    return np.asarray(cut + inside * ((weight - cut).sum() / inside.sum()), dtype=np.float64)


def trim(
    weight: Floats,
    cap: float,
    *,
    margins: Sequence[Margin] = (),
    floor: float = 0.0,
    rounds: int = 10,
) -> Trimmed:
    """Cut ``weight`` (n,) of persons to ``cap``, lift it to ``floor``, and keep the totals.

    What is cut off goes to the weights inside the limits in proportion: without ``margins``
    over everybody, with them (those of the calibration that made ``weight``) by raking these
    weights to what the others leave of each target.  That may push more over a limit, so it
    is repeated; weights once at a limit stay there.  None ends above the cap.

    Raises CapTooTight: everybody of a category is at the cap, the remaining totals cannot be
    reached, or more than ``rounds`` rounds would be needed.  BadWeights; ValueError for a floor
    not below the cap.

    Notes
    -----
    With margins this is a calibration whose weights are bounded, so its variance is that of
    the calibration: ``calibration.ending(trimmed.weight)``.  Trimming trades bias for variance
    and the bias is not in the standard error.
    """
    refuse_bad(weight)
    if not 0 <= floor < cap:
        raise ValueError(f"the floor must lie between 0 and the cap: {floor}, {cap}")
    total = np.array([weight.sum()])
    everybody = Margin("everybody", np.zeros(weight.size, dtype=np.int64), ("all",), total)
    kept = tuple(margins) or (everybody,)
    at, held, used = weight, np.zeros(weight.size, dtype=bool), 0
    while (outside := (at > cap * (1 + ROUNDING)) | (at < floor * (1 - ROUNDING))).any():
        held = held | outside
        used += 1
        if used > rounds or held.all():
            raise CapTooTight(cap, int(held.sum()), weight.size, used)
        at = np.where(held, np.clip(at, floor, cap), at)
        try:
            at = _shared_out(at, held, kept)
        except CannotCalibrate as error:
            raise CapTooTight(cap, int(held.sum()), weight.size, used) from error
    at = np.clip(at, floor, cap)
    return Trimmed(
        weight=at,
        cap=cap,
        floor=floor,
        capped=int((held & (at >= cap)).sum()),
        raised=int((held & (at <= floor)).sum()),
        rounds=used,
        moved=float(np.maximum(weight - at, 0).sum() / total[0]),
        kish_before=kish(weight),
        kish_after=kish(at),
    )


def _shared_out(weight: Floats, held: Bools, margins: Sequence[Margin]) -> Floats:
    """``weight`` with those not ``held`` raked to what the held ones leave of each target."""
    free, rest = ~held, []
    for each in margins:
        taken = np.bincount(each.codes[held], weight[held], minlength=len(each.labels))
        rest.append(replace(each, codes=each.codes[free], targets=each.targets - taken))
    found = weight.copy()
    found[free] = calibrate(weight[free], rest).weight
    return found
