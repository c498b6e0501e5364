"""DATA.csv: read and checked once, then folded into cells for one column of labels at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Design, Floats, Ints
from analysis.file.block import blocks
from analysis.file.columns import Names, holds, levels, numbers
from analysis.file.faults import BadInput, Faults
from analysis.file.plan import YES, Experienced, Plan
from analysis.file.source import Source, opened
from analysis.file.spool import Spool
from analysis.file.villages import Villages
from analysis.index import Scheme
from analysis.tally import Folder, Tally, layout


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells of the table: ``labels`` codes (c,) by column; ``least``, ``most`` (c,) weights."""

    tally: Tally
    labels: dict[str, Ints]
    least: Floats
    most: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What was read: the design with the labels of its ``psus`` (P,), and the ``names`` of the
    labels of each column in their order.

    ``fixed`` are the columns of which each PSU has one label, with its code (P,).
    """

    plan: Plan
    design: Design
    psus: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    fixed: dict[str, Ints]
    _spool: Spool
    _place: Ints
    _orders: list[Ints]

    @property
    def free(self) -> tuple[str, ...]:
        """The columns whose labels cut through PSUs."""
        return tuple(column for column in self.names if column not in self.fixed)

    def fold(self, columns: Sequence[str], scheme: Scheme) -> Cells:
        """Fold the rows into cells that share PSU and label of ``columns`` (and of ``fixed``)."""
        free = [column for column in dict.fromkeys(columns) if column not in self.fixed]
        keys = _distinct(key for _, key in self._keys(free))
        folder = Folder(layout(scheme, self.plan.index, self.plan.levels))
        folder.reserve(keys.size)
        least, most = np.full(keys.size, np.inf), np.zeros(keys.size)
        for rows, key in self._keys(free):
            cell, weight = np.searchsorted(keys, key), np.ascontiguousarray(rows["weight"])
            folder.add(cell, weight, np.asfortranarray(rows["levels"]))
            np.minimum.at(least, cell, weight)
            np.maximum.at(most, cell, weight)
        labels, psu = {}, keys
        for column in reversed(free):
            psu, labels[column] = np.divmod(psu, len(self.names[column]))
        labels |= {column: of[psu] for column, of in self.fixed.items()}
        return Cells(folder.tally(psu), labels, least, most)

    def _keys(self, free: list[str]) -> Iterator[tuple[NDArray[Any], Ints]]:
        """Blocks of rows with what tells their cells apart, PSU before labels."""
        place = {column: k for k, column in enumerate(self.names)}
        for rows in self._spool.blocks():
            key = self._place[rows["psu"]]
            for column in free:
                codes = self._orders[place[column]][rows["labels"][:, place[column]]]
                key = key * len(self.names[column]) + codes
            yield rows, key


@contextmanager
def opened_table(
    path: Path, plan: Plan, tell: Callable[[int], None] | None = None
) -> Iterator[Table]:
    """Read a CSV file (UTF-8 with or without BOM, plain or .gz) and check every value.

    ``tell`` hears how many bytes of the file are done.  Raises BadInput: no file, no UTF-8, no
    CSV, a missing column, an empty or wrong value, a PSU in two strata, an fpc that varies
    inside a stratum or is below its PSUs, a lonely stratum that the plan's rule refuses.
    """
    spool = Spool(len(plan.labels), len(plan.items))
    try:
        faults = Faults(path.name)
        with opened(path, tell) as source:
            villages, names = _read(source, plan, spool, faults)
        faults.stop()
        if not spool.rows:
            raise BadInput([f"{path.name}: không có dòng dữ liệu nào"])
        design, place, psus = villages.settle(path.name, faults)
        ordered = [_ordered(names[column]) for column in plan.labels]
        table = Table(
            plan=plan,
            design=design,
            psus=psus,
            names={c: found for c, (found, _) in zip(plan.labels, ordered, strict=True)},
            fixed={},
            _spool=spool,
            _place=place,
            _orders=[order for _, order in ordered],
        )
        table.fixed.update(_fixed(table))
        yield table
    finally:
        spool.close()


def _read(
    source: Source, plan: Plan, spool: Spool, faults: Faults
) -> tuple[Villages, dict[str, Names]]:
    header = _header(source, plan)
    place = {column: c for c, column in enumerate(header)}
    at = np.array([place[item] for item in plan.items], dtype=np.int64)
    base = plan.experienced or Experienced((), ())
    asked = np.array([place[column] for column in base.columns], dtype=np.int64)
    only = np.array([plan.items.index(item) for item in base.items], dtype=np.int64)
    villages, names = Villages(plan), {column: Names() for column in plan.labels}
    for block in blocks(source, len(header), faults):
        weight = numbers(block, place[plan.weight], plan.weight, faults)
        psu = villages.take(block, place, faults)
        for column in plan.given[1:]:
            numbers(block, place[column], column, faults)
        labels = [of.take(block, place[column], column, faults) for column, of in names.items()]
        answers = levels(block, at, plan.items, plan.levels, faults, plan.missing)
        if plan.experienced:
            outside = ~holds(block, asked, YES)
            answers[np.ix_(outside, only)] = 0
        if not faults:
            spool.add(psu, weight, labels, answers)
        faults.settle()
    return villages, names


def _header(source: Source, plan: Plan) -> list[str]:
    header = [cell.strip() for cell in source.header()]
    if not header:
        raise BadInput([f"{source.name}: tệp trống"])
    if len(header) == 1 and ";" in header[0]:
        raise BadInput([f"{source.name}: dòng 1: tệp dùng dấu chấm phẩy, cần dấu phẩy"])
    faults = [
        f"{source.name}: dòng 1: cột «{column}» có mặt hai lần"
        for column in sorted({c for c in header if c and header.count(c) > 1})
    ]
    faults += [
        f"{source.name}: dòng 1: thiếu cột «{column}»"
        for column in plan.columns
        if column not in header
    ]
    if faults:
        raise BadInput(faults)
    return header


def _ordered(names: Names) -> tuple[tuple[str, ...], Ints]:
    """Labels with numbers in their order and texts after them; the new code (L,) of each."""
    labels = names.labels
    order = sorted(range(len(labels)), key=lambda k: _natural(labels[k]))
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = np.arange(len(labels))
    return tuple(labels[k] for k in order), place


def _natural(label: str) -> tuple[bool, float, str]:
    number = label.isascii() and label.isdigit()
    return (not number, float(label) if number else 0.0, label)


def _fixed(table: Table) -> dict[str, Ints]:
    """Columns that have one label in each PSU, with its code (P,)."""
    found: dict[str, list[Ints]] = {column: [] for column in table.names}
    for rows in table._spool.blocks():
        psu = table._place[rows["psu"]]
        for k, (column, names) in enumerate(table.names.items()):
            codes = table._orders[k][rows["labels"][:, k]]
            found[column].append(_distinct([psu * len(names) + codes]))
    fixed = {}
    for column, keys in found.items():
        pairs = _distinct(keys)
        if pairs.size == table.design.n_psu:
            fixed[column] = pairs % len(table.names[column])
    return fixed


def _distinct(parts: Any) -> Ints:
    """The different values of several arrays, sorted, without holding all of them at once."""
    found = np.empty(0, dtype=np.int64)
    for part in parts:
        runs = part[np.flatnonzero(np.diff(part, prepend=part[0] - 1))]
        found = np.union1d(found, runs)
    return found
