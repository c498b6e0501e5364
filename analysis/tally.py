"""Sums per PSU, item and level: everything an index needs, whatever its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Bools, Design, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """``sums`` (p, J, L) weighted and ``counts`` (p, J, L) plain answers of each level.

    ``psus`` (p,) are the indices of the PSUs in the design; PSUs not in it have no answers.
    """

    psus: Ints
    sums: Floats
    counts: Ints

    def keep(self, psus: Bools) -> Tally:
        """The tally of the PSUs marked in ``psus`` (p,); the design keeps the others."""
        return Tally(self.psus[psus], self.sums[psus], self.counts[psus])

    def spread(self, totals: NDArray[Any], n_psu: int) -> NDArray[Any]:
        """Totals (p, m) of this tally's PSUs laid out over the whole design, (n_psu, m)."""
        whole = np.zeros((n_psu, *totals.shape[1:]), dtype=totals.dtype)
        whole[self.psus] = totals
        return whole


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A design with its answers: ``codes`` (n, J) levels 1..levels, 0 = no level given."""

    design: Design
    codes: NDArray[np.uint8]
    levels: int
    tally: Tally


def sample(design: Design, codes: NDArray[Any], levels: int = 5) -> Sample:
    """Take the answers in and count them.

    ``codes`` (n, J): values outside 1..levels (blank 0, "no answer" 9) are no level and stay
    out of the base of their item; no answer is ever turned into a score.
    Raises ValueError when the rows do not fit the design.
    """
    if codes.ndim != 2 or codes.shape[0] != design.weight.size:
        raise ValueError("one row of answers for each row of the design")
    clean = np.asfortranarray(np.where(codes <= levels, codes, 0).astype(np.uint8))
    return Sample(design, clean, levels, count(design, clean, levels))


def count(design: Design, codes: NDArray[np.uint8], levels: int, rows: Ints | None = None) -> Tally:
    """Sums and counts of ``codes`` (n, J) over the rows with indices ``rows`` (None = all)."""
    size, n_items = levels + 1, codes.shape[1]
    psu, weight = design.psu, design.weight
    if rows is not None:
        psu, weight, codes = psu[rows], weight[rows], codes[rows]
    base, cells = psu * size, design.n_psu * size
    sums = np.empty((design.n_psu, n_items, levels))
    counts = np.empty((design.n_psu, n_items, levels), dtype=np.int64)
    for j in range(n_items):
        cell = base + codes[:, j]
        weighted = np.bincount(cell, weight, minlength=cells).reshape(-1, size)
        plain = np.bincount(cell, minlength=cells).reshape(-1, size)
        sums[:, j], counts[:, j] = weighted[:, 1:], plain[:, 1:]
    return Tally(np.arange(design.n_psu), sums, counts)


def whole_psus(design: Design, rows: Ints) -> Bools | None:
    """The PSUs (P,) that ``rows`` fill entirely, or None when the rows cut through a PSU."""
    mine = np.bincount(design.psu[rows], minlength=design.n_psu)
    every = np.bincount(design.psu, minlength=design.n_psu)
    present = mine > 0
    return present if bool((mine[present] == every[present]).all()) else None
