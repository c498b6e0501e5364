"""What may be said: worst-case bounds of self-selected answers, and what is too few to show."""

from __future__ import annotations

from collections.abc import Sequence


def response_bounds(share: float, rate: float) -> tuple[float, float]:
    """Where the share among all lies when only ``rate`` of them answered.

    [r p, r p + 1 - r]: nobody else agrees, or everybody else does (Manski 2007).  No
    assumption about who answered, so no probability attaches to it: it is not a margin of
    error.  Both arguments and both bounds are shares 0..1.
    """
    if not (0 <= share <= 1 and 0 <= rate <= 1):
        raise ValueError("a share and a response rate lie in 0..1")
    return rate * share, rate * share + 1 - rate


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
    """Which parts of a printed whole to hide: the small, and the next smallest if one is.

    A single hidden part could be found by taking the others from the whole.
    """
    small = {i for i, n in enumerate(counts) if 0 < n < hide_n}
    rest = sorted((n, i) for i, n in enumerate(counts) if n >= hide_n)
    if len(small) == 1 and rest:
        small.add(rest[0][1])
    return frozenset(small)
