"""Weights brought to the totals of the population, and the faults that this may meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from analysis.design import Floats
from analysis.file.faults import BadInput
from analysis.file.plan import Calibrating
from analysis.file.table import Cells, Table
from analysis.weights import calibrate as c
from analysis.weights.calibrate import Calibration, Margin, calibrate, given


def calibrated(table: Table, cells: Cells, how: Calibrating, name: str) -> Calibration:
    """Calibrate the weights of cells that know the labels of every margin.

    Raises BadInput: a label without a total, a total without persons, margins that add to
    different totals, no convergence, a factor of 0 or less.
    """
    faults = []
    for column, targets in how.margins.items():
        labels, place = table.names[column], f"{name}: [calibrate.margins.{column}]"
        faults += [f"{place}: thiếu số dân của «{x}»" for x in labels if x not in targets]
        faults += [
            f"{place}: không ai trong mẫu thuộc «{x}»; hãy gộp nhóm"
            for x in targets
            if x not in labels
        ]
    if faults:
        raise BadInput(faults)
    if how.final:
        final = _numbers(table, cells, how.final) / _numbers(table, cells, table.plan.weight)
        start = cells.tally.weight
        return given(start, start * final, margins(table, cells, how), method=how.method)
    with named(f"{name}: [calibrate]"):
        return calibrate(
            cells.tally.weight, margins(table, cells, how), method=how.method, bounds=how.bounds
        )


def _numbers(table: Table, cells: Cells, column: str) -> Floats:
    """The number (c,) that stands in a column in every row of a cell."""
    return np.array([float(label) for label in table.names[column]])[cells.labels[column]]


def margins(table: Table, cells: Cells, how: Calibrating) -> list[Margin]:
    """The margins of a plan over cells, in the order of the plan."""
    found = []
    for column, targets in how.margins.items():
        labels = table.names[column]
        wanted = np.array([targets[label] for label in labels])
        found.append(Margin(column, cells.labels[column], labels, wanted))
    return found


def recalibrated(
    table: Table, cells: Cells, how: Calibrating, factors: Floats, place: str
) -> Floats:
    """Factors (B, c) of the cells' weights when every replicate is calibrated anew.

    ``factors`` (B, P) of the PSUs; a category that a replicate leaves empty raises BadInput.
    """
    full = margins(table, cells, how)
    kind = np.zeros(cells.tally.psu.size, dtype=np.int64)
    for margin in full:
        _, first, kind = np.unique(
            kind * len(margin.labels) + margin.codes, return_index=True, return_inverse=True
        )
    found = factors[:, cells.tally.psu]
    for b, row in enumerate(found):
        mass = np.asarray(
            np.bincount(kind, cells.tally.weight * row, minlength=first.size), dtype=np.float64
        )
        kept = np.flatnonzero(mass > 0)
        some = [Margin(m.name, m.codes[first][kept], m.labels, m.targets) for m in full]
        with named(f"{place}: lần lặp {b + 1}"):
            made = calibrate(mass[kept], some, method=how.method, bounds=how.bounds)
        g = np.zeros(first.size)
        g[kept] = made.g
        row *= g[kind]
    return found


#: What a calibration may fail by -> the sentence for it.
SENTENCES: dict[type[Exception], Callable[[Any], str]] = {
    c.EmptyCategory: lambda f: f"không ai trong mẫu có {f.margin} là «{f.category}»",
    c.MarginsDiffer: lambda f: (
        "tổng số dân của các biến phải bằng nhau: "
        + ", ".join(f"{n} {t:.15g}" for n, t in zip(f.names, f.totals, strict=True))
    ),
    c.NotConverged: lambda f: (
        f"không hội tụ sau {f.cycles} vòng, còn lệch {f.error:.2g} ở {f.margin} là «{f.category}»"
        "; hãy gộp nhóm hoặc nới bounds"
    ),
    c.NegativeFactor: lambda f: (
        f"{f.cells} ô có hệ số không dương; hãy dùng rake, hoặc logit với bounds"
    ),
}


@contextmanager
def named(place: str) -> Iterator[None]:
    """Turn what a calibration fails by into a fault of ``place``."""
    try:
        yield
    except c.CannotCalibrate as fault:
        say = SENTENCES.get(type(fault))
        raise BadInput([f"{place}: {say(fault) if say else fault}"]) from fault
