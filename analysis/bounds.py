"""What may be said: bounds of self-selected answers, and what is too few or too vague to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["show", "review", "suppress"]


def response_bounds(share: float, rate: float) -> tuple[float, float]:
    """Where the share among all lies when only ``rate`` of them answered.

    [r p, r p + 1 - r]: nobody else agrees, or everybody else does (Manski 2007).  No
    assumption about who answered, so no probability attaches to it: it is not a margin of
    error.  Both arguments and both bounds are shares 0..1.
    """
    if not (0 <= share <= 1 and 0 <= rate <= 1):
        raise ValueError("a share and a response rate lie in 0..1")
    return rate * share, rate * share + 1 - rate


def selection_range(share: float, rate: float, *, delta: float = 0.1) -> tuple[float, float]:
    """Where the share among all lies if the silent differ from those who answered by ± ``delta``.

    r p + (1 - r) q with q from p - delta to p + delta, inside 0..1.  All are shares 0..1; it lies
    inside `response_bounds`, which it is with ``delta`` 1.  ``delta`` is an assumption and must be
    printed beside the range (our choice: 10 points): no probability attaches to it.  Raises
    ValueError outside 0..1.
    """
    low, high = response_bounds(share, rate)
    if not 0 <= delta <= 1:
        raise ValueError("the difference of the silent lies in 0..1")
    silent = 1 - rate
    return (
        max(low, rate * share + silent * max(0.0, share - delta)),
        min(high, rate * share + silent * min(1.0, share + delta)),
    )


def whole(answers: int, settled: int | None) -> bool:
    """May a figure say "toàn bộ"?  Only with an answer for every dossier settled, and their number.

    Then nothing is estimated: no interval and no bounds are printed.  A comparison of units over
    time still is about more than these dossiers and keeps its error (fraction 0).  Raises
    ValueError when there are more answers than dossiers.
    """
    if settled is not None and answers > settled:
        raise ValueError(f"{answers} answers to {settled} dossiers")
    return settled is not None and answers == settled > 0


@dataclass(frozen=True, slots=True)
class Presentation:
    """``verdict`` and why: ``reasons`` are n, neff, width, relative, complement, df, extreme."""

    verdict: Verdict
    reasons: tuple[str, ...]


def presentation(
    value: float, bounds: tuple[float, float], *, n: int, neff: float, df: int
) -> Presentation:
    """Whether a share may be shown, by the standards of NCHS for proportions.

    Parameters
    ----------
    value, bounds : a share and its Korn-Graubard interval (``beta``), 0..1
    n, neff, df : persons, effective persons, degrees of freedom

    Returns
    -------
    Presentation
        ``suppress``: n or neff below 30, an interval 0.30 wide or more, or wider than 0.05 and
        than 130 % of the share.  ``review`` (shown with a mark after a look): df below 8, a share
        of 0 or 1, for which no relative width exists.  ``complement`` alone suppresses nothing:
        the share may be shown, 1 - share may not.

    Notes
    -----
    Parker et al. (2017), NCHS Series 2 no. 175.  Of use where shares are small (harassment,
    informal payments); `publication` is the rule of a wave's indices.  Raises ValueError on a
    share outside its bounds or 0..1.
    """
    low, high = bounds
    if not 0 <= low <= value <= high <= 1:
        raise ValueError(f"a share lies inside its bounds and 0..1: {low}, {value}, {high}")
    width, extreme = high - low, value in (0.0, 1.0)
    between = 0.05 < width < 0.30 and not extreme
    against = {
        "n": n < 30,
        "neff": neff < 30,
        "width": width >= 0.30,
        "relative": between and width > 1.3 * value,
    }
    marks = {
        "complement": between and width > 1.3 * (1 - value),
        "df": df < 8,
        "extreme": extreme,
    }
    reasons = tuple(name for name, holds in (against | marks).items() if holds)
    if any(against.values()):
        return Presentation("suppress", reasons)
    return Presentation("review" if marks["df"] or extreme else "show", reasons)


def publication(n: int, neff: float | None, *, min_n: int = 30, hide_n: int = 5) -> str:
    """``hidden`` below ``hide_n`` persons, ``few`` below ``min_n`` (also effective), else "".

    The numbers are data of the wave; defaults after NCHS (Parker et al. 2017) and 5-anonymity.
    A domain without any answer is neither: there is nobody to hide.
    """
    if 0 < n < hide_n:
        return "hidden"
    if 0 < n < min_n or (neff is not None and neff < min_n):
        return "few"
    return ""


def hidden_parts(counts: Sequence[int], *, hide_n: int = 5) -> frozenset[int]:
    """Which parts of a printed whole to hide: the small, and the next smallest that guard them.

    Taking the shown parts from the whole gives the sum of the hidden ones: a single hidden part
    would be found, and so would be 1 + 1, so together they reach ``hide_n``.
    """
    small = {i for i, n in enumerate(counts) if 0 < n < hide_n}
    rest = sorted((n, i) for i, n in enumerate(counts) if n >= hide_n)
    if rest and (len(small) == 1 or 0 < sum(counts[i] for i in small) < hide_n):
        small.add(rest[0][1])
    return frozenset(small)
