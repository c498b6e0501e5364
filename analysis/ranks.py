"""Places of units with what is known about them: rank sets, ties, adjusted differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri, stdtr

from analysis.design import Floats, Ints

Kind = Literal["marginal", "simultaneous"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """``rank`` (U,) places, 1 is best; the true place lies in ``low``..``high`` (U,)."""

    rank: Ints
    low: Ints
    high: Ints
    critical: float


def competition(values: Floats) -> Ints:
    """Competition places (1, 2, 2, 4) of unrounded values, the highest first.

    Values that differ only by the noise of double arithmetic (1e-12) are equal.
    """
    clean = -np.round(values, 12)
    return np.asarray(np.searchsorted(np.sort(clean), clean, side="left") + 1, dtype=np.int64)


def rank_sets(
    values: Floats, covariance: Floats, *, level: float = 0.95, kind: str = "marginal"
) -> RankSets:
    """Confidence sets of the places of U units.

    Parameters
    ----------
    values : (U,) indices
    covariance : (U, U) of the values; independent units have zeros off the diagonal
    kind : ``marginal`` each set holds at ``level`` on its own, ``simultaneous`` all together

    Notes
    -----
    Mogstad, Romano, Shaikh & Wilhelm (2024), doi 10.1093/restud/rdad006, with the Bonferroni
    critical value: unit j is at best 1 + the number of units surely better, at worst U less
    the number surely worse.  Raises ValueError on an unknown kind or no units.
    """
    size = values.size
    if size == 0 or kind not in KINDS:
        raise ValueError(f"no units, or an unknown kind of rank set: {kind!r}")
    if size == 1:
        one = np.ones(1, dtype=np.int64)
        return RankSets(one, one, one, 0.0)
    pairs = (size - 1) * (1 if kind == "marginal" else size)
    # Marginal: two-sided over U - 1 differences; simultaneous: over U (U - 1) / 2 of them.
    tail = (1 - level) / (2 * pairs) if kind == "marginal" else (1 - level) / pairs
    critical = float(ndtri(1 - tail))
    error = difference_se(covariance)
    apart = values[:, None] - values[None, :]
    better, worse = apart < -critical * error, apart > critical * error
    return RankSets(
        rank=competition(values),
        low=np.asarray(1 + better.sum(axis=1), dtype=np.int64),
        high=np.asarray(size - worse.sum(axis=1), dtype=np.int64),
        critical=critical,
    )


def difference_se(covariance: Floats) -> Floats:
    """Standard errors (U, U) of all pairwise differences."""
    variance = np.diag(covariance)
    joint = variance[:, None] + variance[None, :] - 2 * covariance
    return np.asarray(np.sqrt(np.maximum(joint, 0.0)), dtype=np.float64)


def differs(difference: Floats, se: Floats, df: int, *, level: float = 0.95) -> Ints:
    """-1 surely below, +1 surely above, 0 not shown to differ, for U differences.

    Two-sided t tests, adjusted over the units by Holm (1979).  A difference without error
    (se 0) is shown as it is.
    """
    sign = np.sign(difference).astype(np.int64)
    safe = np.where(se > 0, se, 1.0)
    p_value = 2 * stdtr(df, -np.abs(difference) / safe)
    p_value = np.where(se > 0, p_value, np.where(sign == 0, 1.0, 0.0))
    return np.where(holm(p_value) < 1 - level, sign, 0)


def holm(p_values: Floats) -> Floats:
    """Holm's adjusted p-values, in the order given."""
    size = p_values.size
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * (size - np.arange(size)))
    adjusted = np.empty(size)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
