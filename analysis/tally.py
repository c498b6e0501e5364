"""Sums per cell, item and level: everything an index needs, folded from rows once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Floats, Ints, Sample, product
from analysis.index import Scheme, points

Codes = NDArray[np.uint8]
Counts = NDArray[np.int32]
#: Rows folded at once: as many as the cache and one thread of the linear algebra take well.
BLOCK = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which answers are counted: ``widths`` (K,) codes 1..width of each column, side by side.

    ``items`` (J,) are the columns of the items, all of ``levels`` codes; ``weights`` (C, J) of
    the composites over them, ``points`` (levels,).  Code w of column k has the slot
    ``starts[k] + w - 1``; a code outside 1..width (blank 0, "no answer" 9) has none.
    """

    widths: Ints
    starts: Ints
    items: Ints
    levels: int
    weights: Floats
    points: Floats

    @property
    def size(self) -> int:
        """Number of slots."""
        return int(self.widths.sum())


def layout(
    scheme: Scheme,
    method: str,
    levels: int = 5,
    *,
    widths: Sequence[int] | None = None,
    items: Sequence[int] | None = None,
) -> Layout:
    """Lay out the slots: the items alone, or ``items`` (J,) among columns of ``widths`` (K,)."""
    wide = np.full(len(scheme.items), levels) if widths is None else np.asarray(widths)
    at = np.arange(len(scheme.items)) if items is None else np.asarray(items, dtype=np.int64)
    if (wide[at] != levels).any():
        raise ValueError("an item has another number of levels than the index")
    starts = np.concatenate([[0], np.cumsum(wide)[:-1]]).astype(np.int64)
    return Layout(wide.astype(np.int64), starts, at, levels, scheme.weights, points(method, levels))


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What c cells hold; a code's persons and weights lie in its slot (S of them).

    ``people`` (c,), ``weight`` (c,) and ``squares`` (c,): persons, their weights, the squares
    of these; ``counts``, ``sums``, ``square_sums`` (c, S): the same of each code (the last None
    when nobody asked for it).  ``persons`` (c, C) answered an item of the composite;
    ``moments`` (c, C, 3) are sums of w, w m and w m² over them, m being the person's own
    composite: the mean of the points of the answered items with the composite's weights.
    """

    people: Ints
    weight: Floats
    squares: Floats
    counts: Counts
    sums: Floats
    square_sums: Floats | None
    persons: Counts
    moments: Floats

    def emptied(self) -> Sums:
        """As many cells, with nobody in them."""
        values = (getattr(self, f.name) for f in fields(self))
        return Sums(*(None if value is None else np.zeros_like(value) for value in values))  # type: ignore[arg-type]

    def take(self, cells: NDArray[Any]) -> Sums:
        """The cells with these indices or marks."""
        values = (getattr(self, f.name) for f in fields(self))
        return Sums(*(None if value is None else value[cells] for value in values))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Cells of a sample: a PSU each, or the part of a PSU that shares a label.

    ``psu`` (c,) index of the PSU in the design; ``counts`` (c, J, L) persons and ``sums``
    (c, J, L) weights at each level of an item; the rest as in ``Sums``.
    """

    psu: Ints
    people: Ints
    weight: Floats
    squares: Floats
    counts: Counts
    sums: Floats
    persons: Counts
    moments: Floats

    def answers(self) -> Ints:
        """Persons (c, J) who answered each item."""
        return np.asarray(sum(self.counts[:, :, at].astype(np.int64) for at in range(self.levels)))

    @property
    def levels(self) -> int:
        """Levels of the items."""
        return int(self.sums.shape[2])

    def take(self, cells: NDArray[Any]) -> Tally:
        """The cells with these indices or marks."""
        return Tally(*(getattr(self, f.name)[cells] for f in fields(self)))

    def scaled(self, g: Floats) -> Tally:
        """The tally with the weights of each cell multiplied by its ``g`` (c,)."""
        return Tally(
            self.psu,
            self.people,
            self.weight * g,
            self.squares * g**2,
            self.counts,
            self.sums * g[:, None, None],
            self.persons,
            self.moments * g[:, None, None],
        )


def tally(sums: Sums, of: Layout, psu: Ints) -> Tally:
    """The items of ``sums`` as a tally; ``psu`` (c,) says where in the design each cell lies."""
    size, levels = of.items.size, of.levels
    slots = (of.starts[of.items][:, None] + np.arange(levels)).ravel()
    every = size * levels == of.size and bool((slots == np.arange(of.size)).all())
    counts = sums.counts if every else sums.counts[:, slots]
    weights = sums.sums if every else sums.sums[:, slots]
    shape = (psu.size, size, levels)
    return Tally(
        psu=psu,
        people=sums.people,
        weight=sums.weight,
        squares=sums.squares,
        counts=counts.reshape(shape),
        sums=weights.reshape(shape),
        persons=sums.persons,
        moments=sums.moments,
    )


class Folder:
    """Folds rows into cells, block by block, so that no more than the cells lies in memory."""

    def __init__(self, of: Layout, *, squares: bool = False) -> None:
        self._of, self._wide, self._n = of, squares, 0
        self._held = self._empty(0)

    def add(self, cell: NDArray[Any], weight: Floats, codes: Codes) -> None:
        """Add rows: ``cell`` (n,) numbers 0, 1, 2 ..., ``weight`` (n,), ``codes`` (n, K).

        Raises ValueError when the rows do not fit each other or the layout.
        """
        if codes.shape != (cell.size, self._of.widths.size) or weight.size != cell.size:
            raise ValueError("one row of answers and one weight for each row of the design")
        if cell.size == 0:
            return
        self.reserve(int(cell.max()) + 1)
        for at in range(0, cell.size, BLOCK):
            part = slice(at, at + BLOCK)
            self._block(cell[part], weight[part], codes[part])

    def sums(self) -> Sums:
        """The cells so far, by their numbers."""
        return self._held.take(slice(0, self._n))  # type: ignore[arg-type]

    def tally(self, psu: Ints) -> Tally:
        """The items of the cells so far; ``psu`` (c,) of each."""
        return tally(self.sums(), self._of, psu)

    def _empty(self, cells: int) -> Sums:
        slots, composites = self._of.size, len(self._of.weights)
        return Sums(
            people=np.zeros(cells, dtype=np.int64),
            weight=np.zeros(cells),
            squares=np.zeros(cells),
            counts=np.zeros((cells, slots), dtype=np.int32),
            sums=np.zeros((cells, slots)),
            square_sums=np.zeros((cells, slots)) if self._wide else None,
            persons=np.zeros((cells, composites), dtype=np.int32),
            moments=np.zeros((cells, composites, 3)),
        )

    def reserve(self, cells: int) -> None:
        """Have at least so many cells, the new ones with nobody in them."""
        if cells > (room := self._held.people.size):
            grown = self._empty(max(cells, room + room // 2))
            for field in fields(Sums):
                if (new := getattr(grown, field.name)) is not None:
                    new[: self._n] = getattr(self._held, field.name)[: self._n]
            self._held = grown
        self._n = max(self._n, cells)

    def _block(self, cell: NDArray[Any], weight: Floats, codes: Codes) -> None:
        ids, local = np.unique(cell, return_inverse=True)
        held, n = self._held, ids.size
        squares = weight**2
        held.people[ids] += np.bincount(local, minlength=n)
        held.weight[ids] += np.bincount(local, weight, minlength=n)
        held.squares[ids] += np.bincount(local, squares, minlength=n)
        shape = (n, self._of.size)
        counts, sums = np.zeros(shape, dtype=np.int32), np.zeros(shape)
        square_sums = np.zeros(shape) if held.square_sums is not None else None
        for k, (start, width) in enumerate(
            zip(self._of.starts.tolist(), self._of.widths.tolist(), strict=True)
        ):
            column = codes[:, k]
            if not column.any():  # nobody was asked
                continue
            slot = np.where(column <= width, column, 0) + local * (width + 1)
            cells, room = n * (width + 1), slice(start, start + width)
            counts[:, room] = np.bincount(slot, minlength=cells).reshape(n, -1)[:, 1:]
            sums[:, room] = np.bincount(slot, weight, cells).reshape(n, -1)[:, 1:]
            if square_sums is not None:
                square_sums[:, room] = np.bincount(slot, squares, cells).reshape(n, -1)[:, 1:]
        held.counts[ids] += counts
        held.sums[ids] += sums
        if held.square_sums is not None and square_sums is not None:
            held.square_sums[ids] += square_sums
        self._composites(ids, local, weight, codes[:, self._of.items])

    def _composites(self, ids: Ints, local: Ints, weight: Floats, codes: Codes) -> None:
        own, answered = composites(self._of, codes)
        persons = np.empty((ids.size, own.shape[1]), dtype=np.int32)
        moments = np.empty((ids.size, own.shape[1], 3))
        for c in range(own.shape[1]):
            w = weight * answered[:, c]
            first = w * own[:, c]
            persons[:, c] = np.bincount(local[answered[:, c]], minlength=ids.size)
            for power, values in enumerate((w, first, first * own[:, c])):
                moments[:, c, power] = np.bincount(local, values, ids.size)
        self._held.persons[ids] += persons
        self._held.moments[ids] += moments


def composites(of: Layout, codes: Codes) -> tuple[Floats, NDArray[np.bool_]]:
    """Each person's own composites (n, C) and whether they answered any of their items (n, C).

    ``codes`` (n, J) of the items.  The mean of the points of the answered items with the
    composite's weights; 0 for who answered none.
    """
    table = np.zeros(256)
    table[1 : of.levels + 1] = of.points
    given = ((codes > 0) & (codes <= of.levels)).astype(np.float64)
    base = product(given, of.weights.T)
    answered = base > 0
    return product(table[codes], of.weights.T) / np.where(answered, base, 1.0), answered


def fold(
    sample: Sample,
    codes: NDArray[Any],
    scheme: Scheme,
    method: str,
    *,
    levels: int = 5,
    label: Ints | None = None,
) -> tuple[Tally, Ints]:
    """Fold rows in memory; cells are PSUs, or PSU × ``label`` (n,) of the row.

    ``codes`` (n, J): values outside 1..levels are no level and stay out of the base of their
    item; no answer is ever turned into a score.  Returns the tally and the label (c,) of each
    cell (0 without labels).  Raises ValueError when the rows do not fit the design.
    """
    if codes.ndim != 2 or codes.shape[0] != sample.weight.size:
        raise ValueError("one row of answers for each row of the design")
    clean = np.where((codes >= 0) & (codes <= levels), codes, 0).astype(np.uint8)
    width = 1 if label is None else int(label.max()) + 1
    key = sample.psu * width + (0 if label is None else label)
    keys, cell = np.unique(key, return_inverse=True)
    folder = Folder(layout(scheme, method, levels))
    folder.add(cell, sample.weight, clean)
    return folder.tally(keys // width), keys % width
