"""Sharing a sample out over strata in whole persons: equal, proportional, Neyman, power."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, get_args

Rule = Literal["equal", "proportional", "neyman", "power"]
RULES: tuple[str, ...] = get_args(Rule)


class BadAllocation(ValueError):
    """A sample that cannot be shared out so; ``strata`` are the places of those at fault."""

    def __init__(self, message: str, strata: Sequence[int] = ()) -> None:
        super().__init__(message + (f": strata {', '.join(map(str, strata))}" if strata else ""))
        self.strata = tuple(strata)


def allocate(
    total: int,
    population: Sequence[int],
    *,
    rule: str = "proportional",
    spread: Sequence[float] | None = None,
    power: float = 0.5,
    minimum: int = 0,
) -> tuple[int, ...]:
    """Persons of each of H strata; their sum is ``total``.

    Parameters
    ----------
    population : (H,) persons, >= 0: no stratum gets more than it has
    rule : ``equal`` the same for all; ``proportional`` to N_h; ``neyman`` to N_h S_h;
        ``power`` to N_h^power C_h
    spread : (H,) >= 0; ``neyman``: standard deviation S_h, needed; ``power``: coefficient of
        variation C_h, all the same when left out; the other two know none
    power : 0..1; 1 is proportional, 0 equal, 0.5 (the default) the square root
    minimum : least persons of a stratum (or all of it)

    Notes
    -----
    Neyman (1934); Bankier (1988), The American Statistician 42:174.  n_h = lambda x_h held
    between the minimum and the population, lambda such that the sum is right: what does not
    fit into one stratum goes to the others by the same rule.  Whole numbers by the largest
    remainder; equal remainders go to the stratum that stands first.

    Raises
    ------
    BadAllocation
        Unknown rule; a population or spread below 0 or not a number; minima above or populations
        below ``total``.
    """
    measure = _measure(rule, population, spread, power)
    low = [min(minimum, size) for size in population]
    high = [
        size if x > 0 else least for size, x, least in zip(population, measure, low, strict=True)
    ]
    if minimum < 0 or sum(low) > total:
        raise BadAllocation(f"the minima take {sum(low)} of {total}")
    if sum(high) < total:
        raise BadAllocation(f"{total} wanted and {sum(high)} to be had")
    return _rounded(_held(total, measure, low, high), total)


def _measure(
    rule: str, population: Sequence[int], spread: Sequence[float] | None, power: float
) -> list[Fraction]:
    if rule not in RULES:
        raise BadAllocation(f"unknown rule: {rule!r}")
    if not population or (spread is not None and len(spread) != len(population)):
        raise BadAllocation("no strata, or not one spread for each")
    if bad := [h for h, size in enumerate(population) if size < 0]:
        raise BadAllocation("population below 0", bad)
    if (rule == "neyman") if spread is None else rule in ("equal", "proportional"):
        raise BadAllocation(f"{rule}: a spread is needed by neyman, allowed by power")
    if bad := [h for h, s in enumerate(spread or ()) if not (math.isfinite(s) and s >= 0)]:
        raise BadAllocation("spread below 0 or not a number", bad)
    if not 0 <= power <= 1:
        raise BadAllocation(f"power lies in 0..1: {power}")
    factor = (
        [Fraction(repr(float(s))) for s in spread] if spread else [Fraction(1)] * len(population)
    )
    exponent = {"equal": 0.0, "power": power}.get(rule, 1.0)
    return [_power(size, exponent) * x for size, x in zip(population, factor, strict=True)]


def _power(size: int, exponent: float) -> Fraction:
    if size == 0:
        return Fraction(0)
    return Fraction(size) if exponent == 1 else Fraction(float(size**exponent))


def _held(
    total: int, measure: Sequence[Fraction], low: Sequence[int], high: Sequence[int]
) -> list[Fraction]:
    """lambda x_h between ``low`` and ``high`` with the sum ``total``, exactly.

    The sum grows with lambda in straight pieces that end where a stratum leaves its minimum or
    reaches its maximum: find the piece, then solve it.
    """
    strata = list(zip(measure, low, high, strict=True))
    ends = sorted({Fraction(end) / x for x, *both in strata if x for end in both})

    def at(scale: Fraction) -> list[Fraction]:
        return [min(max(scale * x, Fraction(a)), Fraction(b)) for x, a, b in strata]

    first, last = 0, len(ends) - 1
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if sum(at(ends[middle])) >= total else (middle + 1, last)
    if not ends:
        return [Fraction(a) for a in low]
    below, above = ends[first - 1] if first else Fraction(0), ends[first]
    start, end = sum(at(below), Fraction(0)), sum(at(above), Fraction(0))
    part = Fraction(1) if end == start else (total - start) / (end - start)
    return at(below + part * (above - below))


def _rounded(shares: Sequence[Fraction], total: int) -> tuple[int, ...]:
    whole = [math.floor(share) for share in shares]
    order = sorted(range(len(whole)), key=lambda h: (whole[h] - shares[h], h))
    for h in order[: total - sum(whole)]:
        whole[h] += 1
    return tuple(whole)
