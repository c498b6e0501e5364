"""What an index is: points of the levels, and composites as rows of weights over items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.design import Bools, Floats

Method = Literal["top2", "scaled", "mean5"]
Aggregate = Literal["item", "factor", "pooled", "explicit"]
Kind = Literal["factor", "area", "total"]
METHODS: tuple[str, ...] = get_args(Method)
AGGREGATES: tuple[str, ...] = get_args(Aggregate)


class BadIndex(ValueError):
    """The definition of an index does not hold together."""


def points(method: str, levels: int = 5) -> Floats:
    """Points (levels,) of the levels 1..levels, each 0..1.

    ``top2``: 1 for the levels above the middle (4 and 5 of five, 3 of three), else 0;
    ``scaled``: (k - 1) / (levels - 1); ``mean5``: k / levels, so never below 1 / levels.
    No source prints an item's frequencies beside its index, so none of the three is proved
    to be the official one: a report names the method it used.
    """
    if levels < 2:
        raise BadIndex("a scale has at least two levels")
    level = np.arange(1, levels + 1, dtype=np.float64)
    if method == "top2":
        return np.asarray(level > (levels + 1) / 2, dtype=np.float64)
    if method == "scaled":
        return np.asarray((level - 1) / (levels - 1), dtype=np.float64)
    if method == "mean5":
        return np.asarray(level / levels, dtype=np.float64)
    raise BadIndex(f"unknown index method: {method!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """Items and the composites over them.

    ``weights`` (m, J) sums to 1 in each row; a ``pooled`` composite divides all points by all
    answers of its items, so its row only marks the members (equal weights).
    """

    items: tuple[str, ...]
    ids: tuple[str, ...]
    kinds: tuple[Kind, ...]
    weights: Floats
    pooled: Bools

    @property
    def names(self) -> tuple[str, ...]:
        """Items, then composites: the order of every array an estimate returns."""
        return self.items + self.ids


def scheme(
    items: Sequence[str],
    factors: Mapping[str, Sequence[str]],
    areas: Mapping[str, Sequence[str]] | None = None,
    *,
    aggregate: str = "item",
    weights: Mapping[str, float] | None = None,
) -> Scheme:
    """Lay out factors, areas and the total over ``items``.

    A factor is the mean of its items.  Areas and the total: ``item`` every item equal,
    ``factor`` every factor equal, ``pooled`` all points over all answers, ``explicit`` by
    ``weights`` of items, factors and areas (normalised among siblings; siblings without any
    weight count equally).  Items in no factor belong to the total only when there are no
    factors at all.

    Raises BadIndex: unknown item or aggregate, an item twice, siblings partly weighted.
    """
    if aggregate not in AGGREGATES:
        raise BadIndex(f"unknown aggregate: {aggregate!r}")
    place = {item: j for j, item in enumerate(items)}
    inside = [item for members in factors.values() for item in members]
    if len(place) != len(items) or len(set(inside)) != len(inside):
        raise BadIndex("an item stands twice")
    if unknown := [item for item in inside if item not in place]:
        raise BadIndex(f"unknown items: {', '.join(unknown)}")
    tree = _Tree(place, dict(factors), dict(areas or {}), aggregate, dict(weights or {}))
    pooled = aggregate == "pooled"
    rows: list[tuple[Kind, str, Floats, bool]] = []
    rows += [("factor", name, tree.factor(name), False) for name in tree.factors]
    rows += [("area", name, tree.area(name), pooled) for name in tree.areas]
    rows.append(("total", "total", tree.total(), pooled))
    return Scheme(
        items=tuple(items),
        ids=tuple(row[1] for row in rows),
        kinds=tuple(row[0] for row in rows),
        weights=np.stack([row[2] for row in rows]),
        pooled=np.array([row[3] for row in rows]),
    )


@dataclass(frozen=True, slots=True)
class _Tree:
    place: dict[str, int]
    factors: dict[str, Sequence[str]]
    areas: dict[str, Sequence[str]]
    aggregate: str
    given: dict[str, float]

    def factor(self, name: str) -> Floats:
        members = self.factors[name]
        row = np.zeros(len(self.place))
        row[[self.place[item] for item in members]] = self._shares(members)
        return row

    def area(self, name: str) -> Floats:
        return self._over(self.areas[name])

    def total(self) -> Floats:
        if not self.factors:
            return self._shares(list(self.place))
        if self.aggregate == "explicit" and self.areas:
            shares = self._shares(list(self.areas))
            rows = [self.area(name) for name in self.areas]
            return np.asarray(shares @ np.stack(rows), dtype=np.float64)
        return self._over(list(self.factors))

    def _over(self, names: Sequence[str]) -> Floats:
        rows = np.stack([self.factor(name) for name in names])
        if self.aggregate in ("item", "pooled"):
            members = (rows > 0).any(axis=0)
            return np.asarray(members / members.sum(), dtype=np.float64)
        return np.asarray(self._shares(names) @ rows, dtype=np.float64)

    def _shares(self, names: Sequence[str]) -> Floats:
        if not names:
            raise BadIndex("a composite without members")
        equal = np.full(len(names), 1 / len(names))
        if self.aggregate != "explicit" or not any(name in self.given for name in names):
            return equal
        if missing := [name for name in names if name not in self.given]:
            raise BadIndex(f"no weight for: {', '.join(missing)}")
        row = np.array([self.given[name] for name in names], dtype=np.float64)
        if not np.isfinite(row).all() or (row < 0).any() or row.sum() <= 0:
            raise BadIndex("weights must be 0 or more, and not all 0")
        return np.asarray(row / row.sum(), dtype=np.float64)
