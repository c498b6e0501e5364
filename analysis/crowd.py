"""Which of thousands of units are surely apart: Bonferroni a few rows at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from analysis.design import Floats, Ints

#: Rows compared at once: a block of 3.321 units stays in the cache.
ROWS = 64


def apart_of_many(
    values: Floats, joint: Floats, df: Ints | None, level: float, kinds: Sequence[str]
) -> list[tuple[NDArray[np.int8], Floats]]:
    """Signs (U, U) of what is surely apart and critical values (U,), for each kind of rank set.

    ``values`` (U,), ``joint`` (U, U), ``df`` (U,) as ``ranks.rank_sets`` takes them.  Student's t
    with Satterthwaite's df taken down to a whole number, which widens a little.
    """
    size, x = values.size, np.round(values, 12)
    variance = np.maximum(np.diag(joint), 0.0)
    own = None if df is None else np.asarray(df, dtype=np.float64)
    top = 1 if own is None else int(2 * own.max()) + 1
    tables = []
    for kind in kinds:
        tail = (1 - level) / ((size - 1) * (2 if kind == "marginal" else size))
        known = np.full(top, float(ndtri(1 - tail)))
        needed = known if own is None else -stdtrit(np.arange(1, top + 1), tail)
        tables.append(np.concatenate([[np.inf], needed**2]))
    found = [(np.zeros((size, size), dtype=np.int8), np.zeros(size)) for _ in kinds]
    for at in range(0, size, ROWS):
        rows = slice(at, at + ROWS)
        sum_of = variance[rows, None] + variance[None, :]
        error = sum_of - 2 * joint[rows]
        error[error <= 1e-13 * sum_of] = 0.0
        place = np.ones(error.shape, dtype=np.int32)
        if own is not None:
            spread = variance**2 / own
            sum_of *= sum_of
            rest = spread[rows, None] + spread[None, :]
            sum_of /= np.maximum(rest, np.finfo(float).tiny, out=rest)
            place = np.clip(sum_of + 1e-9, 1, top).astype(np.int32)
        apart = x[rows, None] - x[None, :]
        squared = apart * apart
        sign = np.sign(apart).astype(np.int8)
        for (sure, critical), table in zip(found, tables, strict=True):
            needed = table[place]
            critical[rows] = np.sqrt(needed.max(axis=1))
            needed *= error
            sure[rows] = sign * (squared > needed)
    return found
