"""Hiding small cells of a table so that nobody can compute them from its totals."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bounds import hidden_parts
from analysis.design import Bools, Ints

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Suppressed:
    """What to hide of a table and its margins; True is hidden.

    ``primary`` counts the small cells and margins, ``complementary`` those hidden to keep them.
    """

    cells: Bools
    rows: Bools
    columns: Bools
    total: bool
    primary: int
    complementary: int


def suppress(counts: Ints, *, hide_n: int = 5) -> Suppressed:
    """Choose what to hide of a two-way table whose row, column and grand totals are printed.

    Parameters
    ----------
    counts : (R, C) persons, >= 0; R, C >= 1
    hide_n : counts of 1 to ``hide_n`` - 1 are small, totals too; 0 is nobody and is shown

    Notes
    -----
    A hidden cell can be solved for exactly when, taking rows and columns as nodes and hidden
    cells as edges, its edge lies on no cycle.  So each such edge gets the cheapest path round it,
    in persons hidden (shortest path, Cox 1980; ties by place), and what turned out not to be
    needed is shown again, the largest first.  Besides, the hidden cells of a line with a printed
    total must together reach ``hide_n``: 2 = 1 + 1 is no secret.  It guards against exact answers
    from this one table, not against narrow guesses or another table.

    Raises ValueError: no cells, or a count below 0.
    """
    if counts.ndim != 2 or counts.size == 0 or (counts < 0).any():
        raise ValueError("a table has rows, columns and counts of 0 or more")
    table = _Table(counts, hide_n)
    small = {cell for cell in table.all if 0 < table.count(cell) < hide_n}
    hidden = set(small)
    while needed := table.missing(hidden):
        hidden |= needed
    for cell in sorted(hidden - small, key=lambda c: (-table.count(c), c)):
        if not table.missing(hidden - {cell}):
            hidden.discard(cell)
    mask = np.zeros(table.full.shape, dtype=np.bool_)
    for cell in hidden:
        mask[cell] = True
    return Suppressed(
        cells=mask[:-1, :-1],
        rows=mask[:-1, -1],
        columns=mask[-1, :-1],
        total=bool(mask[-1, -1]),
        primary=len(small),
        complementary=len(hidden) - len(small),
    )


def hidden_units(counts: Sequence[int], above: Sequence[int], *, hide_n: int = 5) -> frozenset[int]:
    """Which units of a tree to hide when every unit and the sum of its parts are printed.

    ``counts`` (U,) persons; ``above`` (U,) place of the unit a unit is part of, -1 at the top.
    The parts of one unit by `bounds.hidden_parts`; what is under a hidden unit is hidden too.
    """
    parts: dict[int, list[int]] = {}
    for unit, parent in enumerate(above):
        parts.setdefault(parent, []).append(unit)
    hidden: set[int] = set()
    waiting = [-1]
    while waiting:
        parent = waiting.pop()
        below = parts.get(parent, [])
        waiting += below
        if parent in hidden:
            hidden.update(below)
        else:
            small = hidden_parts([counts[unit] for unit in below], hide_n=hide_n)
            hidden.update(below[at] for at in small)
    return frozenset(hidden)


class _Table:
    """The table with its margins as one more row and column.

    In every line the inner cells less the last one are 0, so margins are cells like the others.
    """

    def __init__(self, counts: Ints, hide_n: int) -> None:
        inner = np.vstack([counts, counts.sum(axis=0)])
        self.full: Ints = np.hstack([inner, inner.sum(axis=1, keepdims=True)])
        self.hide_n = hide_n
        self.all: list[Cell] = [(int(r), int(c)) for r, c in np.ndindex(*self.full.shape)]

    def count(self, cell: Cell) -> int:
        return int(self.full[cell])

    def missing(self, hidden: set[Cell]) -> set[Cell]:
        """Cells to hide next, none when all hidden cells are safe."""
        if alone := _bridges(hidden):
            return self._round(min(alone), hidden)
        for line, total in self._lines():
            gone = [cell for cell in line if cell in hidden]
            if gone and total not in hidden and sum(map(self.count, gone)) < self.hide_n:
                rest = (c for c in line if c not in hidden and self.count(c))
                return {min(rest, key=lambda c: (self.count(c), c))}
        return set()

    def _lines(self) -> Iterator[tuple[list[Cell], Cell]]:
        last_row, last_column = self.full.shape[0] - 1, self.full.shape[1] - 1
        for r in range(last_row + 1):
            yield [(r, c) for c in range(last_column)], (r, last_column)
        for c in range(last_column + 1):
            yield [(r, c) for r in range(last_row)], (last_row, c)

    def _round(self, cell: Cell, hidden: set[Cell]) -> set[Cell]:
        """The cheapest path from the row of ``cell`` to its column that does not use it.

        Rows are nodes 0.., columns ~0..; a step is a cell, free when hidden already.  Zeros
        hide nothing and are never needed: a way over the totals is always there.
        """
        start, end = cell[0], ~cell[1]
        queue: list[tuple[int, int, tuple[Cell, ...]]] = [(0, 0, ())]
        done: set[int] = set()
        while queue:
            cost, steps, path = heapq.heappop(queue)
            at = self._end(start, path)
            if at == end:
                break
            if at in done:
                continue
            done.add(at)
            for step in self._steps(at):
                if step != cell and self.count(step):
                    price = 0 if step in hidden else self.count(step)
                    heapq.heappush(queue, (cost + price, steps + 1, (*path, step)))
        return set(path)

    def _steps(self, node: int) -> Iterable[Cell]:
        rows, columns = self.full.shape
        if node >= 0:
            return ((node, c) for c in range(columns))
        return ((r, ~node) for r in range(rows))

    @staticmethod
    def _end(start: int, path: tuple[Cell, ...]) -> int:
        """The node where a path that begins at a row has come to."""
        if not path:
            return start
        return ~path[-1][1] if len(path) % 2 else path[-1][0]


def _bridges(hidden: set[Cell]) -> set[Cell]:
    """Cells on no cycle of hidden cells: the bridges of the graph of rows and columns (~c).

    Depth first; a cell is a bridge when nothing below it reaches a node above (Tarjan 1974).
    """
    near: dict[int, list[tuple[int, Cell]]] = {}
    for r, c in sorted(hidden):
        near.setdefault(r, []).append((~c, (r, c)))
        near.setdefault(~c, []).append((r, (r, c)))
    seen: dict[int, int] = {}
    low: dict[int, int] = {}
    found: set[Cell] = set()
    for root in near:
        if root in seen:
            continue
        seen[root] = low[root] = len(seen)
        stack: list[tuple[int, Cell | None, Iterator[tuple[int, Cell]]]]
        stack = [(root, None, iter(near[root]))]
        while stack:
            node, via, steps = stack[-1]
            for other, cell in steps:
                if other not in seen:
                    seen[other] = low[other] = len(seen)
                    stack.append((other, cell, iter(near[other])))
                    break
                if cell != via:
                    low[node] = min(low[node], seen[other])
            else:
                stack.pop()
                if via is not None:
                    above = stack[-1][0]
                    low[above] = min(low[above], low[node])
                    if low[node] > seen[above]:
                        found.add(via)
    return found
