"""DATA.csv: columns of answers read in blocks, with the line and column of every fault."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from analysis.design import Floats, Ints
from analysis.file.plan import BadInput, Plan

BLOCK = 20_000
#: More faults than anybody reads; the rest is counted.
MOST_FAULTS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A column of labels: ``codes`` (n,) into ``names``, in the order of first appearance."""

    codes: Ints
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The columns a plan asks for; ``levels`` (n, J) has 0 where an answer is missing."""

    weight: Floats
    fpc: Floats | None
    labels: dict[str, Labels]
    levels: NDArray[np.uint8]


def load(path: Path, plan: Plan) -> Table:
    """Read a CSV file (UTF-8 with or without BOM, plain or .gz) and check every value.

    Raises BadInput: no file, no UTF-8, no CSV, a missing column, an empty or wrong value, a PSU
    in two strata, an fpc that varies inside a stratum or is below its PSUs.
    """
    columns = _Columns(plan)
    try:
        with path.open("rb") as raw, _open(raw) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            _read(csv.reader(text), columns, path.name)
    except UnicodeDecodeError as fault:
        raise BadInput([_not_utf8(path)]) from fault
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadInput([f"{path.name}: tệp nén bị hỏng hoặc bị cắt ngắn"]) from fault
    except csv.Error as fault:
        raise BadInput([f"{path.name}: không đọc được CSV ({fault})"]) from fault
    except OSError as fault:
        raise BadInput([f"{path.name}: không mở được tệp ({fault.strerror})"]) from fault
    return columns.table(path.name)


def _open(raw: BinaryIO) -> BinaryIO:
    """The plain bytes, whether the file is compressed or not, whatever it is called."""
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[return-value]


def _not_utf8(path: Path) -> str:
    with path.open("rb") as raw, _open(raw) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return f"{path.name}: dòng {number}: không phải UTF-8 (lưu lại tệp với mã UTF-8)"
    return f"{path.name}: không phải UTF-8"


def _read(reader: Iterator[list[str]], columns: _Columns, name: str) -> None:
    header = [cell.strip() for cell in next(reader, [])]
    if not header:
        raise BadInput([f"{name}: tệp trống"])
    faults = [
        f"{name}: dòng 1: cột «{column}» có mặt hai lần"
        for column in sorted({c for c in header if c and header.count(c) > 1})
    ]
    hint = (
        " (tệp dùng dấu chấm phẩy, cần dấu phẩy)" if len(header) == 1 and ";" in header[0] else ""
    )
    faults += [
        f"{name}: dòng 1: thiếu cột «{column}»{hint}"
        for column in columns.plan.columns
        if column not in header
    ]
    if faults:
        raise BadInput(faults)
    place = {column: c for c, column in enumerate(header)}
    numbered = _numbered(reader)
    while block := list(itertools.islice(numbered, BLOCK)):
        good = [(line, row) for line, row in block if len(row) == len(header)]
        for line, row in block:
            if len(row) != len(header):
                columns.fault(line, None, f"có {len(row)} ô, dòng tiêu đề có {len(header)}")
        if good:
            lines = [line for line, _ in good]
            cells = list(zip(*(row for _, row in good), strict=True))
            columns.take(lines, {column: cells[c] for column, c in place.items()})


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their last line; blank lines are left out."""
    for row in reader:
        if row:
            yield reader.line_num, row  # type: ignore[attr-defined]


class _Columns:
    """Blocks turned into arrays as they come, so that a big file never lies whole in memory."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.found: list[tuple[tuple[int, str], str]] = []
        self._lines: list[NDArray[np.int64]] = []
        self._numbers: dict[str, list[Floats]] = {}
        self._names: dict[str, dict[str, int]] = {}
        self._codes: dict[str, list[Ints]] = {}
        self._levels: list[NDArray[np.uint8]] = []
        self._table = {"": 0} | {str(level): level for level in range(1, plan.levels + 1)}

    def fault(self, line: int, column: str | None, wrong: str) -> None:
        """Note a fault; they are reported in the order of the file."""
        where = f"dòng {line}" + (f", cột «{column}»" if column else "")
        self.found.append(((line, column or ""), f"{where}: {wrong}"))

    def take(self, lines: list[int], cells: dict[str, Sequence[str]]) -> None:
        """Take in one block: cells by column, with the line of each row."""
        plan = self.plan
        self._lines.append(np.array(lines, dtype=np.int64))
        for column in (plan.weight, plan.fpc):
            if column:
                values = self._number(column, lines, cells[column])
                self._numbers.setdefault(column, []).append(values)
        ranked = (plan.ranking.by,) if plan.ranking else ()
        for column in dict.fromkeys((plan.stratum, plan.psu, *plan.by, *ranked)):
            self._label(column, lines, cells[column])
        block = np.empty((len(lines), len(plan.items)), dtype=np.uint8)
        for j, item in enumerate(plan.items):
            block[:, j] = self._level(item, lines, cells[item])
        self._levels.append(block)

    def table(self, name: str) -> Table:
        """Everything taken, or BadInput with all faults."""
        if not self._lines and not self.found:
            raise BadInput([f"{name}: không có dòng dữ liệu nào"])
        if not self.found:
            self._check_design()
        if self.found:
            texts = [f"{name}: {text}" for _, text in sorted(self.found)]
            more = len(texts) - MOST_FAULTS
            tail = [f"{name}: và {more} lỗi nữa"] if more > 0 else []
            raise BadInput(texts[:MOST_FAULTS] + tail)
        fpc = self.plan.fpc
        return Table(
            weight=np.concatenate(self._numbers[self.plan.weight]),
            fpc=np.concatenate(self._numbers[fpc]) if fpc else None,
            labels={
                column: Labels(np.concatenate(self._codes[column]), tuple(names))
                for column, names in self._names.items()
            },
            levels=np.concatenate(self._levels),
        )

    def _number(self, column: str, lines: list[int], cells: Sequence[str]) -> Floats:
        try:
            values = np.array([float(cell) for cell in cells])
        except ValueError:
            values = np.array([_float(cell) for cell in cells])
        for at in np.flatnonzero(~(np.isfinite(values) & (values > 0))).tolist():
            self.fault(lines[at], column, _wrong_number(cells[at]))
        return values

    def _label(self, column: str, lines: list[int], cells: Sequence[str]) -> None:
        names = self._names.setdefault(column, {})
        labels = [cell.strip() for cell in cells]
        codes = np.array([names.setdefault(label, len(names)) for label in labels], dtype=np.int64)
        self._codes.setdefault(column, []).append(codes)
        if "" in names:
            for at in np.flatnonzero(codes == names[""]).tolist():
                self.fault(lines[at], column, "để trống")

    def _level(self, column: str, lines: list[int], cells: Sequence[str]) -> list[int]:
        levels = [self._table.get(cell, -1) for cell in cells]
        if min(levels) < 0:
            for at, level in enumerate(levels):
                if level < 0:
                    levels[at] = self._odd_level(column, lines[at], cells[at])
        return levels

    def _odd_level(self, column: str, line: int, cell: str) -> int:
        """A level written as " 4" or "4.0" is a level; anything else is a fault."""
        if not cell.strip():
            return 0
        value = _float(cell)
        if value in range(1, self.plan.levels + 1):
            return int(value)
        if math.isnan(value):
            self.fault(line, column, f"«{cell}» không phải số")
        else:
            self.fault(line, column, f"«{cell}» nằm ngoài thang 1-{self.plan.levels}")
        return 0

    def _check_design(self) -> None:
        plan, lines = self.plan, np.concatenate(self._lines)
        stratum = np.concatenate(self._codes[plan.stratum])
        psu = np.concatenate(self._codes[plan.psu])
        strata, psus = tuple(self._names[plan.stratum]), tuple(self._names[plan.psu])
        seen = _first(psu)
        for at in np.flatnonzero(stratum[seen[psu]] != stratum):
            before = seen[psu[at]]
            self.fault(
                int(lines[at]),
                plan.psu,
                f"«{psus[psu[at]]}» thuộc tầng «{strata[stratum[at]]}» nhưng ở dòng"
                f" {lines[before]} thuộc tầng «{strata[stratum[before]]}»",
            )
        if plan.fpc and not self.found:
            self._check_fpc(plan.fpc, stratum, stratum[seen], strata, lines)

    def _check_fpc(
        self, column: str, stratum: Ints, of_psu: Ints, strata: tuple[str, ...], lines: Ints
    ) -> None:
        fpc, seen = np.concatenate(self._numbers[column]), _first(stratum)
        for at in np.flatnonzero(fpc[seen[stratum]] != fpc):
            before = seen[stratum[at]]
            self.fault(
                int(lines[at]),
                column,
                f"tầng «{strata[stratum[at]]}» có {fpc[at]:g} nhưng ở dòng {lines[before]}"
                f" có {fpc[before]:g}",
            )
        sampled = np.bincount(of_psu, minlength=len(strata))
        for h in np.flatnonzero(fpc[seen] < sampled):
            self.fault(
                int(lines[seen[h]]),
                column,
                f"tầng «{strata[h]}» có {fpc[seen[h]]:g}, ít hơn {sampled[h]} đơn vị mẫu"
                " cấp một trong dữ liệu",
            )


def _first(codes: Ints) -> Ints:
    """Index of the first row of each code, for codes 0, 1, 2 ... all present."""
    return np.asarray(np.unique(codes, return_index=True)[1], dtype=np.int64)


def _float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _wrong_number(cell: str) -> str:
    if not cell.strip():
        return "để trống"
    value = _float(cell)
    if math.isnan(value):
        return f"«{cell}» không phải số"
    return f"«{cell}» phải là số hữu hạn lớn hơn 0"
