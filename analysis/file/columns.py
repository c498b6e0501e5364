"""Cells turned into weights, labels and levels, with the line and column of every wrong one."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.design import Bools, Floats, Ints
from analysis.file.block import ODD, Block, Codes
from analysis.file.faults import Faults

#: Code of a label that is left empty.
EMPTY = -1


@dataclass(slots=True)
class Names:
    """Labels of a column, numbered in the order of their first appearance."""

    codes: dict[str, int] = field(default_factory=dict)

    def take(self, block: Block, at: int, column: str, faults: Faults) -> Ints:
        """Codes (n,) of the labels in column ``at`` of the block; an empty one is a fault."""
        cells, each = block.distinct(at)
        labels = [cell.strip() for cell in cells]
        codes = [self.codes.setdefault(s, len(self.codes)) if s else EMPTY for s in labels]
        found = np.array(codes, dtype=np.int64)[each]
        if EMPTY in codes:
            lines = block.lines[found == EMPTY].tolist()
            faults.each(((line, "") for line in lines), column, lambda _cell: "để trống")
        return found

    @property
    def labels(self) -> list[str]:
        """The labels by their codes."""
        return list(self.codes)


def numbers(block: Block, at: int, column: str, faults: Faults) -> Floats:
    """Numbers (n,) above 0; anything else is a fault."""
    cells = block.texts(at)
    try:
        values = np.array(list(map(float, cells)))
    except ValueError:
        values = np.array([number(cell) for cell in cells])
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0))).tolist()
    faults.each(((int(block.lines[i]), cells[i]) for i in wrong), column, wrong_number)
    return values


def levels(
    block: Block,
    at: Ints,
    columns: Sequence[str],
    top: int,
    faults: Faults,
    missing: Container[float] = (),
) -> Codes:
    """Levels (n, J) 1..``top`` of the items, 0 where the answer is left empty or ``missing``.

    A level written as " 4" or "4.0" is a level; anything else is a fault.
    """
    found = block.digits(at, top)
    for j in np.flatnonzero((found == ODD).any(axis=0)).tolist():
        cells, each = block.distinct(int(at[j]))
        codes = [_level(cell, top, missing) for cell in cells]
        found[:, j] = np.array(codes, dtype=np.uint8)[each]
        wrong = np.flatnonzero(found[:, j] == ODD).tolist()
        faults.each(
            ((int(block.lines[i]), cells[each[i]]) for i in wrong),
            columns[j],
            lambda cell: _wrong_level(cell, top),
        )
    return found


def holds(block: Block, at: Ints, code: int) -> Bools:
    """Which rows (n,) have this code in at least one of the columns ``at``."""
    found = np.zeros(block.lines.size, dtype=np.bool_)
    for column in at.tolist():
        cells, each = block.distinct(column)
        found |= np.array([number(cell) == code for cell in cells], dtype=np.bool_)[each]
    return found


def _level(cell: str, top: int, missing: Container[float]) -> int:
    if not cell.strip():
        return 0
    value = number(cell)
    if value in missing:
        return 0
    return int(value) if value in range(1, top + 1) else ODD


def _wrong_level(cell: str, top: int) -> str:
    if math.isnan(number(cell)):
        return f"«{cell}» không phải số"
    return f"«{cell}» nằm ngoài thang 1-{top}"


def number(cell: str) -> float:
    """What Python reads as a number, NaN of anything else."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def wrong_number(cell: str) -> str:
    """Why a cell is no number above 0."""
    if not cell.strip():
        return "để trống"
    if math.isnan(number(cell)):
        return f"«{cell}» không phải số"
    return f"«{cell}» phải là số hữu hạn lớn hơn 0"
