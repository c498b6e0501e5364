"""Points of PAR INDEX that an index of satisfaction earns: in proportion, or by thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

Number = int | float | Decimal

#: Doubles that differ by less than this are one index: an edge must not hang on the last bit.
_NOISE = Decimal("1e-12")


class BadPoints(ValueError):
    """An index outside 0..1, or a table of points that does not hold together."""


def proportional(index: float, maximum: Number, *, decimals: int = 2) -> Decimal:
    """Points index × maximum, rounded once, half up: 0.9117 of 10 is 9.12 (Hà Tĩnh 2021).

    ``index`` is a share 0..1, not rounded before.  Raises BadPoints when it is not, or when
    ``maximum`` is below 0.
    """
    most = _decimal(maximum)
    if most < 0:
        raise BadPoints(f"points are 0 or more: {maximum}")
    exact = _share(index) * most
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """``steps``: (from, points), ``from`` a share 0..1; exactly ``from`` has reached it.

    Made by `thresholds`.  Below the first step there are no points.
    """

    steps: tuple[tuple[Decimal, Decimal], ...]

    def points(self, index: float) -> Decimal:
        """Points of an index, a share 0..1, not rounded before; BadPoints outside."""
        share = _share(index).quantize(_NOISE, rounding=ROUND_HALF_UP)
        return next((points for edge, points in reversed(self.steps) if share >= edge), Decimal(0))


def thresholds(steps: Sequence[tuple[Number, Number]]) -> Thresholds:
    """A table of points, e.g. [(0.6, 2), (0.8, 4), (0.9, 6.5)].

    The edges and points are data of the wave: no published source states them.

    Raises BadPoints: no steps, an edge outside 0..1 or not above the one before, points below 0
    or below those before (more satisfaction must never cost points).
    """
    found = tuple((_decimal(edge), _decimal(points)) for edge, points in steps)
    if not found:
        raise BadPoints("a table of points has at least one step")
    before = (Decimal(-1), Decimal(0))
    for at, step in enumerate(found):
        if not 0 <= step[0] <= 1 or step[0] <= before[0] or step[1] < before[1]:
            raise BadPoints(f"step {at + 1}: from {step[0]} points {step[1]}")
        before = step
    return Thresholds(found)


def _share(index: float) -> Decimal:
    share = _decimal(index)
    if not 0 <= share <= 1:
        raise BadPoints(f"an index is a share 0..1: {index}")
    return share


def _decimal(value: Number) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if not exact.is_finite():
        raise BadPoints(f"not a number: {value}")
    return exact
