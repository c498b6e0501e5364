"""What papers of the field work are made of: ruled tables to write in, codes, two signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from reportlab.platypus import Flowable

from analysis.report.decree import Drawing
from analysis.report.faces import BOLD, ITALIC, REGULAR, fill, plain
from analysis.report.ink import BAND, HAIR, INK, LEFT, MM, TEXT
from analysis.report.pages import Numbered
from survey.printing import qr, stream
from survey.text import t

PAD = 4.0  # left and right inside a cell, points


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head (lines broken by hand), width in mm, where its words stand."""

    head: str
    width: float
    align: Literal["left", "centre", "right"] = "left"


class Ledger(Drawing):
    """A ruled table that goes on over pages; its head is repeated, its last row may be a sum."""

    def __init__(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str]], *,
        height: float = 0.0, size: float = 11.5, total: bool = False,
    ) -> None:  # fmt: skip
        self.columns, self.size, self.total = columns, size, total
        self.least, self.step = height * MM, size + 1.8
        self.widths = [column.width * MM for column in columns]
        self.heads = [column.head.split("\n") for column in columns]
        self.head = max(map(len, self.heads)) * self.step + 7
        last = len(rows) - 1
        self.rows = [
            [
                fill(plain(cell, 300), BOLD if total and at == last else REGULAR, size, w - 2 * PAD)
                for cell, w in zip(row, self.widths, strict=True)
            ]
            for at, row in enumerate(rows)
        ]
        super().__init__(self.head + sum(map(self._height, self.rows)))
        self.spaceBefore, self.spaceAfter = 4, 4

    def _height(self, row: Sequence[Sequence[str]]) -> float:
        return max(self.least, max(map(len, row)) * self.step + 5)

    def split(self, _width: float, room: float) -> list[Flowable]:
        """As many rows as fit, the rest under a head of its own; a sum is never alone."""
        used, count = self.head, 0
        while count < len(self.rows) and used + self._height(self.rows[count]) <= room:
            used += self._height(self.rows[count])
            count += 1
        if self.total:
            count = min(count, len(self.rows) - 2)
        return [*self.parted(count)] if count > 0 else []

    def parted(self, count: int) -> tuple[Ledger, Ledger]:
        """The first rows, and the rest under a head of its own."""
        return self._part(self.rows[:count], total=False), self._part(self.rows[count:])

    def _part(self, rows: list[list[list[str]]], *, total: bool | None = None) -> Ledger:
        part = Ledger(self.columns, (), size=self.size)
        part.rows, part.least = rows, self.least
        part.total = self.total if total is None else total
        part.height = part.head + sum(map(part._height, rows))
        return part

    def draw(self) -> None:
        """Head, rows and hairlines between all cells."""
        left = (TEXT - sum(self.widths)) / 2
        right, y = left + sum(self.widths), self.height
        self.canv.setFillColor(BAND)
        self.canv.rect(left, y - self.head, right - left, self.head, stroke=0, fill=1)
        self._row(self.heads, left, y, self.head, BOLD, centred=True)
        self.rule(left, right, y, 1)
        y -= self.head
        self.rule(left, right, y, 0.6)
        for at, row in enumerate(self.rows):
            strong = self.total and at == len(self.rows) - 1
            height = self._height(row)
            self._row(row, left, y, height, BOLD if strong else REGULAR)
            if at:
                self.rule(left, right, y, 0.6 if strong else 0.35, INK if strong else HAIR)
            y -= height
        self.rule(left, right, y, 1)
        self.canv.setStrokeColor(HAIR)
        self.canv.setLineWidth(0.35)
        x = left
        for w in self.widths[:-1]:
            x += w
            self.canv.line(x, self.height, x, y)

    def _row(
        self, cells: Sequence[Sequence[str]], x: float, y: float, height: float, face: str, *,
        centred: bool = False,
    ) -> None:  # fmt: skip
        for lines, column, w in zip(cells, self.columns, self.widths, strict=True):
            base = y - (height - len(lines) * self.step) / 2 - 0.78 * self.step
            align = "centre" if centred else column.align
            place = {"left": x + PAD, "centre": x + w / 2, "right": x + w - PAD}[align]
            for line in lines:
                self.text(place, base, line, face, self.size, anchor=align)
                base -= self.step
            x += w


class Code(Drawing):
    """A QR code with lines beside it; the first is bold, and may be larger."""

    def __init__(
        self, content: str, lines: Sequence[str], *, side: float = 24, size: float = 12.5,
        first: float = 0.0,
    ) -> None:  # fmt: skip
        self.rows, self.side = qr.matrix(content, "Q"), side * MM
        room = TEXT - self.side - 8 * MM
        self.lines: list[tuple[str, float, str]] = []
        for at, line in enumerate(lines):
            face, points = (REGULAR, size) if at else (BOLD, first or size)
            parts = fill(plain(line, 400), face, points, room)
            self.lines += [(face, points, part) for part in parts]
        super().__init__(max(self.side, sum(points + 4 for _, points, _ in self.lines)) + 4)
        self.spaceBefore, self.spaceAfter = 8, 6

    def draw(self) -> None:
        """The code at the left, the lines from its upper edge on down."""
        qr.draw(self.canv, self.rows, 2 * MM, self.height - self.side - 2, self.side)
        y = self.height - 2
        for face, points, line in self.lines:
            self.text(self.side + 8 * MM, y - 0.8 * points, line, face, points)
            y -= points + 4


class Signatures(Drawing):
    """Two parties side by side: who signs, room for it, the name if it is known."""

    ROOM = 22 * MM

    def __init__(self, left: tuple[str, str], right: tuple[str, str], dated: str = "") -> None:
        self.parties, self.dated = (left, right), dated
        super().__init__(34 + self.ROOM + (18 if dated else 0))
        self.spaceBefore = 12

    def draw(self) -> None:
        """Titles, the usual words in brackets, names on one line."""
        top = self.height
        if self.dated:
            self.text(TEXT * 0.75, top - 12, self.dated, ITALIC, 13, anchor="centre")
            top -= 18
        for at, (who, name) in enumerate(self.parties):
            x = TEXT * (0.25 + 0.5 * at)
            self.text(x, top - 12, who, BOLD, 13, anchor="centre")
            self.text(x, top - 27, "(Ký, ghi rõ họ tên)", ITALIC, 12, anchor="centre")
            self.text(x, top - 30 - self.ROOM, plain(name, 80), BOLD, 13, anchor="centre")


class Signed(Flowable):  # type: ignore[misc]
    """A table with what is signed below it: signatures never stand on a page without rows."""

    def __init__(self, table: Ledger, tail: Sequence[Flowable]) -> None:
        super().__init__()
        self.table, self.tail = table, list(tail)
        self.spaceBefore = table.spaceBefore

    def wrap(self, wide: float, high: float) -> tuple[float, float]:
        """The height of both; the spaces between the parts of the tail included."""
        self.heights = [one.wrap(wide, high)[1] + max(one.getSpaceBefore(), 4) for one in self.tail]
        self.width, self.height = wide, self.table.height + sum(self.heights)
        return self.width, self.height

    def split(self, wide: float, room: float) -> list[Flowable]:
        """Rows that fit, then the rest of the table with the tail; at least two rows with it."""
        count = len(self.table.rows) - 2
        if self.table.height > room:
            fitting = self.table.split(wide, room)
            count = min(count, len(fitting[0].rows) if fitting else 0)
        if count < 1:
            return []
        first, rest = self.table.parted(count)
        return [first, Signed(rest, self.tail)]

    def draw(self) -> None:
        """The table at the top, the tail below it."""
        y = self.height - self.table.height
        self.table.drawOn(self.canv, 0, y)
        for one, height in zip(self.tail, self.heights, strict=True):
            y -= height
            one.drawOn(self.canv, 0, y)


class Bundle(Numbered):
    """Papers of several lots in one file: each counts its pages from 1."""

    def __init__(self, file: BinaryIO, title: str, *, synthetic: bool) -> None:
        super().__init__(file, title=title, author="SIPAS", subject=title)
        self.synthetic = synthetic

    def stamp(self, canvas: Any) -> None:
        """One line in the margin: these sheets are written on."""
        if self.synthetic:
            canvas.setFont(BOLD, 9)
            canvas.setFillGray(0.35)
            canvas.drawCentredString(LEFT + TEXT / 2, 11 * MM, t("ribbon"))
            canvas.setFillGray(0)


def build(file: BinaryIO, title: str, flow: list[Flowable], *, synthetic: bool) -> int:
    """Print a bundle; its pages.  Equal flows give equal bytes."""
    with stream.ONE_AT_A_TIME:
        paper = Bundle(file, title, synthetic=synthetic)
        paper.build(flow)
        return int(paper.page)
