"""Estimates straight from rows, as most tests have them: fold, mark the domain, estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Sample, build
from analysis.estimate import Estimates, estimate
from analysis.index import Scheme
from analysis.tally import fold


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A sample with its answers; ``codes`` (n, J)."""

    sample: Sample
    codes: NDArray[Any]
    levels: int = 5


def rows_of(stratum, psu, weight, codes, *, fpc=None, levels=5, **how) -> Rows:
    return Rows(build(stratum, psu, weight, fpc, **how), np.asarray(codes), levels)


def estimate_rows(taken: Rows, scheme: Scheme, method: str, *, rows=None, **how) -> Estimates:
    """Estimate the domain of the rows with these indices (None = all)."""
    label = np.ones(taken.sample.weight.size, dtype=np.int64)
    if rows is not None:
        label[:] = 0
        label[rows] = 1
    tally, labels = fold(
        taken.sample, taken.codes, scheme, method, levels=taken.levels, label=label
    )
    return estimate(tally, taken.sample.design, scheme, method, cells=labels == 1, **how)
