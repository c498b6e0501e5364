"""Keying errors measured by blind double entry, carried into the interval of paper figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Bools, Floats, Ints
from analysis.intervals import interval

#: The two ways in which an answer changes sides.
WAYS = ("lost", "gained")


class NoFields(ValueError):
    """Double entry holds no field of a needed kind; ``kind`` is field, satisfied or unsatisfied."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"double entry holds no {kind} field")
        self.kind = kind


class TooFewClusters(ValueError):
    """One form or one operator alone shows no spread of its errors."""


class UselessKeying(ValueError):
    """Errors are so many, or so little known, that a keyed answer may say nothing of the paper."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``errors`` of ``fields``: ``value`` 0..1, design-based ``se``, interval; ``df`` clusters - 1.

    ``deff`` is se² over the variance of independent fields, None without an error seen.
    """

    errors: int
    fields: int
    value: float
    se: float
    low: float
    high: float
    deff: float | None
    df: int


@dataclass(frozen=True, slots=True, eq=False)
class Keying:
    """What double entry found.

    ``overall``: fields keyed unlike the paper.  ``lost``: satisfied answers keyed as another
    level that is not; ``gained``: the reverse.  ``confusion`` (1+L, 1+L) fields by verified
    level (row) and keyed level (column), 0 = no level.
    """

    overall: Rate
    lost: Rate
    gained: Rate
    confusion: Ints

    def widen(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """As ``Limits.widen``, when every answer was entered once."""
        return entered_once([(self, 1.0)]).widen(low, high)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many answers keying may have changed: ``lost`` and ``gained`` as (lower, upper) limits.

    Of the satisfied on paper a share between the limits of ``lost`` stands as not satisfied in
    the data, of the others a share of ``gained`` as satisfied.
    """

    lost: tuple[float, float]
    gained: tuple[float, float]

    def widen(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Interval (m,) of shares satisfied on paper, from the interval of the keyed shares.

        With a = P(keyed unsatisfied | satisfied) and b = P(keyed satisfied | unsatisfied) the
        keyed share is q = p (1 - a) + (1 - p) b, so p = (q - b) / (1 - a - b) (Rogan & Gladen
        1978, Am J Epidemiol 107(1)).  The lower bound takes the worst of it, the lower limit of
        a and the upper of b; the upper bound the reverse.  A bound only ever moves outward and
        the estimate stays as it is: the figure is widened, not corrected.  The scatter of the
        errors needs no second account, being inside the keyed answers' own variance; what is
        added is the bias and what is not known of a and b.  Two intervals at the same level laid
        end to end hold at least that level when field work and double entry err independently.
        Linear in p, so factors and the total of a top2 index may be widened too.

        Assumes that the double-entered forms are a random sample of all forms and their
        operators, that a and b are the same in every unit and item, and that the verified
        answer is right (an error made alike by both operators is not seen).

        Raises UselessKeying when the limits allow a + b >= 1.
        """
        if max(self.lost[0] + self.gained[1], self.lost[1] + self.gained[0]) >= 1:
            raise UselessKeying("the limits of the keying errors allow any share on paper")
        worst = _on_paper(low, self.lost[0], self.gained[1])
        best = _on_paper(high, self.lost[1], self.gained[0])
        return np.minimum(low, worst), np.maximum(high, best)

    def apart(self, low: float | None, high: float | None) -> tuple[float | None, float | None]:
        """One interval widened; None stays None, useless keying allows any share."""
        if low is None or high is None:
            return low, high
        try:
            worst, best = self.widen(np.array([low]), np.array([high]))
        except UselessKeying:
            return 0.0, 1.0
        return float(worst[0]), float(best[0])


def entered_once(parts: Sequence[tuple[Keying, float]]) -> Limits:
    """Limits for all answers when ``share`` of them was entered once, with these errors.

    ``parts``: ways of entry, each with what its double entry found and its share of all answers;
    the rest is verified or was never keyed, and holds none of these errors.
    """
    low = [sum(share * getattr(each, name).low for each, share in parts) for name in WAYS]
    high = [sum(share * getattr(each, name).high for each, share in parts) for name in WAYS]
    return Limits((low[0], high[0]), (low[1], high[1]))


def error_rate(wrong: Ints, fields: Ints, cluster: Ints, *, level: float = 0.95) -> Rate:
    """Errors per field with the interval of a clustered sample.

    Parameters
    ----------
    wrong, fields : (n,) errors and fields of each form (or any part of one)
    cluster : (n,) what errors come in clusters by: the operator, or the form when one operator
        is judged.  Few operators give a wide interval; that is what few operators can tell

    Raises
    ------
    NoFields, TooFewClusters

    Notes
    -----
    Ratio Σ wrong / Σ fields, clusters drawn with replacement (Särndal, Swensson & Wretman 1992,
    ch. 5).  Korn & Graubard's exact interval on the fields divided by the design effect, never
    more than the fields.  Without an error all fields count, less for few clusters: none in 300
    fields leaves room for 1,2 % with many operators and 5,7 % with three.
    """
    total, errors = int(fields.sum()), int(wrong.sum())
    if total < 2:
        raise NoFields("field")
    codes = np.unique(cluster[fields > 0], return_inverse=True)[1]
    clusters = int(codes.max()) + 1
    if clusters < 2:
        raise TooFewClusters("errors of one cluster show no spread between clusters")
    value = errors / total
    rows = fields > 0
    z = np.bincount(codes, (wrong - value * fields)[rows]) / total
    se = float(np.sqrt(clusters / (clusters - 1) * (z**2).sum()))
    low, high = interval(
        "beta",
        np.array([value]),
        np.array([se]),
        np.array([total]),
        np.array([clusters - 1]),
        level=level,
    )
    alone = value * (1 - value) / total
    return Rate(
        errors=errors,
        fields=total,
        value=value,
        se=se,
        low=float(low[0]),
        high=float(high[0]),
        deff=se**2 / alone if alone > 0 and se > 0 else None,
        df=clusters - 1,
    )


def keying(
    entered: NDArray[Any],
    verified: NDArray[Any],
    cluster: Ints,
    *,
    levels: int = 5,
    level: float = 0.95,
) -> Keying:
    """Error rates of first entry against the verified answers of double-entered forms.

    Parameters
    ----------
    entered, verified : (n, J) codes of the n forms' J scored fields, as first keyed and as
        settled after the second entry; codes outside 1..levels (blank, 9, invalid mark) are no
        level and count as one answer
    cluster : (n,) operator of the first entry (form when there is one operator)

    Raises
    ------
    NoFields (no field at all, or none satisfied or unsatisfied on paper), TooFewClusters

    Notes
    -----
    Satisfied are the levels above the middle, as in ``top2``.  Fields keyed or verified as no
    level are in ``overall`` only: they change who is in the base of an item, not who in it is
    satisfied.
    """
    keyed = np.where((entered >= 1) & (entered <= levels), entered, 0).astype(np.int64)
    paper = np.where((verified >= 1) & (verified <= levels), verified, 0).astype(np.int64)
    size = levels + 1
    flat = np.bincount((paper * size + keyed).ravel(), minlength=size * size)
    middle = (levels + 1) / 2
    both = (keyed > 0) & (paper > 0)
    return Keying(
        overall=_rate("field", keyed != paper, np.ones(keyed.shape, bool), cluster, level),
        lost=_rate("satisfied", keyed <= middle, both & (paper > middle), cluster, level),
        gained=_rate("unsatisfied", keyed > middle, both & (paper <= middle), cluster, level),
        confusion=flat.reshape(size, size).astype(np.int64),
    )


def _rate(kind: str, wrong: Bools, base: Bools, cluster: Ints, level: float) -> Rate:
    """Rate of ``wrong`` (n, J) among the fields of ``base`` (n, J)."""
    fields = np.asarray(base.sum(axis=1), dtype=np.int64)
    if fields.sum() < 2:
        raise NoFields(kind)
    return error_rate(np.asarray((wrong & base).sum(axis=1)), fields, cluster, level=level)


def _on_paper(keyed: Floats, lost: float, gained: float) -> Floats:
    return np.asarray(np.clip((keyed - gained) / (1 - lost - gained), 0.0, 1.0), dtype=np.float64)
