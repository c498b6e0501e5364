"""Drawing from one list: simple random, systematic and by size, by a rule anyone can recompute.

No library's stream of random numbers is used: chance is SHA-256 of the seed, the stage, the area
and the unit, so that the same seed and list give the same sample on every machine, for decades.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Literal, get_args

Method = Literal["simple", "systematic", "size"]
METHODS: tuple[str, ...] = get_args(Method)

#: Version of everything below that decides who is drawn; a change of it is a new version.
ALGORITHM = "sipas-draw-1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list stands: the seed of the draw, the name of the stage, the ids of its area."""

    seed: str
    stage: str
    area: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """``index`` in the list given; ``number`` 1.. in the order of the draw.

    ``probability`` is exact.  A reserve has that of the main list, as it takes a place there.
    """

    index: int
    number: int
    probability: Fraction

    @property
    def certain(self) -> bool:
        """Was it drawn surely, whatever the seed?"""
        return self.probability == 1


def chance(place: Place, unit: str | None) -> int:
    """A number 0..2**256 - 1 that nobody chose: SHA-256 of a JSON array, read as a number.

    ``["sipas-draw-1", seed, stage, [area ...], unit]`` without blanks, letters outside ASCII
    as \\uXXXX; ``null`` for the unit gives the start of a systematic draw.
    """
    named = [ALGORITHM, place.seed, place.stage, list(place.area), unit]
    text = json.dumps(named, ensure_ascii=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest(), "big")


def simple(ids: Sequence[str], take: int, place: Place, *, reserves: int = 0) -> tuple[Pick, ...]:
    """Simple random sample without replacement, then numbered reserves, in the order drawn.

    Every unit has its own number by `chance`; the smallest are drawn.  So the order of ``ids``
    does not matter, a larger ``take`` only adds units, and "the next number" is as random as the
    first.  Each of N units is drawn with take / N.  ``ids`` (N,) are unlike each other.

    Raises ValueError when there are fewer than ``take + reserves`` units.
    """
    _enough(ids, take, reserves)
    drawn = sorted(range(len(ids)), key=lambda i: (chance(place, ids[i]), ids[i]))
    probability = Fraction(take, len(ids))
    return tuple(
        Pick(index, number, probability)
        for number, index in enumerate(drawn[: take + reserves], start=1)
    )


def systematic(ids: Sequence[str], take: int, place: Place) -> tuple[Pick, ...]:
    """Every (N / take)-th unit from a random start; the interval may be a fraction.

    The order of ``ids`` matters: a list sorted by area or age is stratified by it.  Each unit is
    drawn with take / N.  Raises ValueError when there are fewer than ``take`` units.
    """
    return by_size(ids, [1] * len(ids), take, place)


def by_size(
    ids: Sequence[str], sizes: Sequence[int | Fraction], take: int, place: Place
) -> tuple[Pick, ...]:
    """Systematic with probability proportional to size, large units surely.

    A unit whose size reaches the interval (sum of sizes / take) is taken surely and set aside,
    the interval is made anew for the rest, until none reaches it.  The others are drawn with
    their size / interval: Madow (1949); Särndal, Swensson & Wretman (1992), 3.6.  The order of
    ``ids`` matters as in `systematic`.

    Raises ValueError: fewer than ``take`` units, a size of 0 or less.
    """
    _enough(ids, take, 0)
    if any(size <= 0 for size in sizes):
        raise ValueError("sizes are above 0")
    scale = math.lcm(*(Fraction(size).denominator for size in sizes))
    whole = [int(size * scale) for size in sizes]
    start = Fraction(chance(place, None), 2**256)
    drawn = selected(whole, take, start)
    return tuple(Pick(i, number, p) for number, (i, p) in enumerate(drawn, start=1))


def selected(sizes: Sequence[int], take: int, start: Fraction) -> list[tuple[int, Fraction]]:
    """Places of the units drawn, in order, with their probabilities; 0 <= ``start`` < 1.

    The rule of `by_size` without its chance: for every start there is one sample.
    """
    sure = _sure(sizes, take)
    rest = [i for i in range(len(sizes)) if i not in sure]
    found = dict.fromkeys(sure, Fraction(1))
    left = take - len(sure)
    if left:
        total = sum(sizes[i] for i in rest)
        ends = list(accumulate(sizes[i] for i in rest))
        at = 0
        for step in range(left):
            point = (start + step) * total / left
            while ends[at] <= point:
                at += 1
            found[rest[at]] = Fraction(sizes[rest[at]] * left, total)
    return sorted(found.items())


def probabilities(sizes: Sequence[int], take: int) -> list[Fraction]:
    """The chance (N,) of every unit in a draw by `by_size`, drawn or not."""
    sure = _sure(sizes, take)
    left = take - len(sure)
    total = sum(size for i, size in enumerate(sizes) if i not in sure)
    return [
        Fraction(1) if i in sure else Fraction(size * left, total) for i, size in enumerate(sizes)
    ]


def _sure(sizes: Sequence[int], take: int) -> frozenset[int]:
    """Units as large as the interval, found again whenever taking some makes it smaller."""
    total, left = sum(sizes), take
    sure: list[int] = []
    for i in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        if left == 0 or sizes[i] * left < total:
            break
        sure.append(i)
        total, left = total - sizes[i], left - 1
    return frozenset(sure)


def _enough(ids: Sequence[str], take: int, reserves: int) -> None:
    if take < 0 or reserves < 0 or take + reserves > len(ids):
        raise ValueError(f"{take} + {reserves} of {len(ids)} units")
