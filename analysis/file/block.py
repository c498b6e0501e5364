"""Rows of a CSV file side by side: cut straight from the bytes, or as the csv module gives them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.design import Ints
from analysis.file.faults import Faults
from analysis.file.source import Source

Codes = NDArray[np.uint8]
#: A cell that is no single digit of the scale.
ODD = 255
COMMA, LINE_END, QUOTE, ZERO = b',\n"0'
#: Longer labels are compared as texts, not as words of 8 bytes.
WORDS = 8
#: Keeps the first 0..8 bytes of a word.
MASKS = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=np.uint64)


class Block(Protocol):
    """Some rows: ``lines`` (n,) are their numbers; columns are counted from 0."""

    @property
    def lines(self) -> Ints: ...

    def texts(self, column: int) -> Sequence[str]:
        """The cells of a column."""

    def distinct(self, column: int) -> tuple[list[str], Ints]:
        """The different cells of a column, and which of them each row (n,) has."""

    def digits(self, columns: Ints, levels: int) -> Codes:
        """Cells (n, J): 0 of an empty one, 1..levels of a single digit, ``ODD`` of the others."""


def blocks(source: Source, width: int, faults: Faults) -> Iterator[Block]:
    """All rows of ``width`` cells; other rows are faults, blank lines are passed over."""
    while chunk := source.chunk():
        if (cut := _cut(source, chunk, width)) is not None:
            yield cut
            continue
        lines, rows = [], []
        for line, row in source.records(chunk):
            if len(row) == width:
                lines.append(line)
                rows.append(row)
            elif row:
                faults.add(line, None, f"có {len(row)} ô, dòng tiêu đề có {width}")
        if rows:
            yield Rows(np.array(lines, dtype=np.int64), list(zip(*rows, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as the csv module read them."""

    lines: Ints
    columns: list[tuple[str, ...]]

    def texts(self, column: int) -> Sequence[str]:
        return self.columns[column]

    def distinct(self, column: int) -> tuple[list[str], Ints]:
        return _distinct(self.columns[column])

    def digits(self, columns: Ints, levels: int) -> Codes:
        table = {"": 0} | {str(level): level for level in range(1, levels + 1)}
        found = [[table.get(cell, ODD) for cell in self.columns[c]] for c in columns.tolist()]
        return np.array(found, dtype=np.uint8).T


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Rows cut at commas and line ends: ``starts`` and ``ends`` (n, width) of their cells."""

    lines: Ints
    data: bytes
    ascii: bool
    starts: Ints
    ends: Ints

    def texts(self, column: int) -> Sequence[str]:
        spans = zip(self.starts[:, column].tolist(), self.ends[:, column].tolist(), strict=True)
        if self.ascii:
            text = self.data.decode("ascii")
            return [text[a:b] for a, b in spans]
        return [self.data[a:b].decode("utf-8") for a, b in spans]

    def distinct(self, column: int) -> tuple[list[str], Ints]:
        starts = self.starts[:, column]
        sizes = self.ends[:, column] - starts
        if int(sizes.max()) > 8 * WORDS:
            return _distinct(self.texts(column))
        view = np.ndarray(len(self.data) - 7, dtype="<u8", buffer=self.data, strides=(1,))
        codes, first = np.zeros(starts.size, dtype=np.int64), np.zeros(1, dtype=np.int64)
        for at in range(0, max(1, int(sizes.max())), 8):
            word = view[np.minimum(starts + at, view.size - 1)]
            word &= MASKS[np.clip(sizes - at, 0, 8)]
            first, found = unique(word)
            if at:
                first, found = unique(codes * first.size + found)
            codes = found
        cells = zip(starts[first].tolist(), self.ends[first, column].tolist(), strict=True)
        return [self.data[a:b].decode("utf-8") for a, b in cells], codes

    def digits(self, columns: Ints, levels: int) -> Codes:
        together = columns.size == columns[-1] - columns[0] + 1 and bool(
            (np.diff(columns) == 1).all()
        )
        at: Any = slice(columns[0], columns[-1] + 1) if together else columns
        starts = self.starts[:, at]
        sizes = self.ends[:, at] - starts
        table = np.full(256, ODD, dtype=np.uint8)
        table[ZERO + 1 : ZERO + levels + 1] = np.arange(1, levels + 1)
        found = table[np.frombuffer(self.data, dtype=np.uint8)[starts]]
        found[sizes == 0] = 0
        found[sizes > 1] = ODD
        return found


def _cut(source: Source, chunk: bytes, width: int) -> Cut | None:
    """Cut whole lines into cells, or None when that takes the csv module to do rightly.

    That is: an end of line other than LF and CRLF, a blank line, a row of another width, a NUL,
    a cell beyond the csv module's limit, and quotes around a comma, a quote or a line end.
    """
    if not chunk.endswith((b"\n", b"\r")):
        chunk += b"\n"
    if b"\r" in chunk:
        if chunk.count(b"\r") != chunk.count(b"\r\n"):
            return None
        chunk = chunk.replace(b"\r\n", b"\n")
    if b"\0" in chunk or b"\n\n" in chunk or chunk.startswith(b"\n"):
        return None
    chunk += bytes(8)  # so that a word can be read from any place
    data = np.frombuffer(chunk, dtype=np.uint8)
    marks = np.flatnonzero((data == COMMA) | (data == LINE_END))
    if marks.size % width:
        return None
    ends = marks.reshape(-1, width)
    line_ends = data[ends[:, -1]] == LINE_END
    if not line_ends.all() or chunk.count(b"\n") != ends.shape[0]:
        return None
    starts = np.concatenate([[0], marks[:-1] + 1]).reshape(-1, width)
    if int((ends[:, -1] - starts[:, 0]).max()) > csv.field_size_limit():
        return None
    if b'"' in chunk:
        inner = _unquoted(chunk, data, starts, ends)
        if inner is None:
            return None
        starts, ends = inner
    is_ascii = chunk.isascii()
    if not is_ascii:
        source.text(chunk, source.line + 1)
    lines = np.arange(source.line + 1, source.line + 1 + ends.shape[0])
    source.line += ends.shape[0]
    return Cut(lines, chunk, is_ascii, starts, ends)


def _unquoted(chunk: bytes, data: Codes, starts: Ints, ends: Ints) -> tuple[Ints, Ints] | None:
    """Cells without the quotes around them; None when a quote stands anywhere else."""
    quoted = (ends - starts >= 2) & (data[starts] == QUOTE) & (data[ends - 1] == QUOTE)
    if 2 * int(quoted.sum()) != chunk.count(b'"'):
        return None
    return starts + quoted, ends - quoted


def unique(values: NDArray[Any]) -> tuple[Ints, Ints]:
    """The first place of each different value, and which of them each value (n,) is.

    Rows of one village stand together as a rule, so runs of equal values are sorted as one.
    """
    new = np.empty(values.size, dtype=bool)
    new[0] = True
    np.not_equal(values[1:], values[:-1], out=new[1:])
    runs = np.flatnonzero(new)
    _, first, codes = np.unique(values[runs], return_index=True, return_inverse=True)
    return runs[first], codes[np.cumsum(new) - 1]


def _distinct(cells: Sequence[str]) -> tuple[list[str], Ints]:
    names: dict[str, int] = {}
    codes = [names.setdefault(cell, len(names)) for cell in cells]
    return list(names), np.array(codes, dtype=np.int64)
