"""Tables and the method box, drawn straight on the canvas: plain strings, measured once."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from reportlab.platypus import Flowable

from analysis.report import model
from analysis.report.decree import Drawing, sentence
from analysis.report.faces import BOLD, REGULAR, fill, line, plain, width
from analysis.report.ink import (
    BAND,
    CAPTION,
    COLUMN,
    HAIR,
    INK,
    MM,
    NOTE,
    TEXT,
    UNIT,
)
from analysis.report.numbers import NONE

PAD = 4.0  # left and right of a cell, pt
WHOLE = 16  # tables of so many rows stay on one page
MARKS = (
    " ○",
    "*",
    " ▲",
    " ▼",
)  # hang after a number, so that decimal commas stand under each other


@dataclass(frozen=True, slots=True)
class Set:
    """A row ready to be drawn: its lines by cell, its face, its height."""

    lines: tuple[tuple[str, ...], ...]
    row: model.Row
    height: float


class Grid(Drawing):
    """A table with caption and note; it may go on over pages and then repeats its head."""

    def __init__(self, table: model.Table, room: float = TEXT, deep: float = COLUMN) -> None:
        super().__init__(0)
        self.table, self.size = table, table.size
        self.width, self.deep = room, deep
        self.leading = table.size + (1.5 if table.tight else 2)
        self.gaps = (1.2, 2.4) if table.tight else (2.0, 3.2)
        self.widths = [column.width * MM for column in table.columns]
        self.head = [
            fill(line(column.head), BOLD, self.size, w - 1)
            for column, w in zip(table.columns, self.widths, strict=True)
        ]
        self._top()
        room_left = deep - self.top_height - self.head_height - sum(self.gaps) - 2
        self.most = max(3, int(room_left / self.leading))  # lines of a cell
        self.rows = tuple(map(self._set, table.rows))
        self.ends = self._ends()
        self._measure()
        self.spaceBefore, self.spaceAfter = (10, 4) if table.caption else (2, 4)

    def _top(self) -> None:
        self.caption = sentence(self.table.caption, CAPTION) if self.table.caption else None
        self.unit = sentence(self.table.unit, UNIT) if self.table.unit else None
        self.note = sentence(self.table.note, NOTE) if self.table.note else None
        self.head_height = max(map(len, self.head)) * (self.size + 1.5) + 6
        over = self._tall(self.caption, 4) + self._tall(self.unit, 2)
        self.top_height = over
        self.note_height = self._tall(self.note, 4)

    def _measure(self) -> None:
        rows = sum(row.height for row in self.rows)
        self.height = self.top_height + self.head_height + rows + self.note_height

    def _set(self, row: model.Row) -> Set:
        lines: list[tuple[str, ...]] = []
        for i, cell in enumerate(row.cells):
            last = row.weight == "group" and i == 1
            room = sum(self.widths[1:]) if last else self.widths[i]
            face = self._face(row, i)
            filled = fill(plain(cell, 600), face, self.size, room - 2 * PAD)
            if len(filled) > self.most:  # no row is taller than a page
                filled = [*filled[: self.most - 1], "…"]
            lines.append(tuple(filled))
        height = max(map(len, lines)) * self.leading + sum(self.gaps)
        return Set(tuple(lines), row, height)

    def _face(self, row: model.Row, column: int) -> str:
        strong = row.weight != "plain" or self.table.columns[column].bold
        return BOLD if strong else REGULAR

    def _ends(self) -> list[float]:
        """Right edge of the block of numbers in each column, measured from the column's left."""
        out = []
        for i, w in enumerate(self.widths):
            sizes = [
                width(_unmarked(row.lines[i][0])[0], self._face(row.row, i), self.size)
                for row in self.rows
                if i < len(row.lines) and row.lines[i][0] != NONE
            ]
            out.append((w + min(max(sizes, default=0.0), w - 2)) / 2)
        return out

    @property
    def least(self) -> float:
        """Height of the smallest part that may stand at the end of a page."""
        if self._whole():
            return self.height
        return self.top_height + self.head_height + sum(row.height for row in self.rows[:4])

    def split(self, _width: float, room: float) -> list[Flowable]:
        """Head and rows that fit, then the rest; no lonely group row, no lonely sum."""
        fresh = room >= self.deep - 1  # nothing stands on this page yet
        low = room < 0.85 * self.deep  # more than a title stands on it
        room -= self.top_height + self.head_height
        count, used = 0, 0.0
        while count < len(self.rows) and used + self.rows[count].height <= room:
            used += self.rows[count].height
            count += 1
        count = min(count, len(self.rows) - (1 if fresh else 2))
        while count > 0 and self.rows[count - 1].row.weight == "group":
            count -= 1
        if fresh and not self._whole():
            count = max(count, 1)
        if count < (1 if fresh else 2) or self._whole() or (low and self._page()):
            return []
        return [self._part(slice(count), first=True), self._part(slice(count, None), first=False)]

    def _whole(self) -> bool:
        """Whether the table stays on one page."""
        return len(self.rows) <= WHOLE and self.height <= self.deep

    def _page(self) -> bool:
        """Whether it is a table made to fill a page, and does not fill more."""
        return self.table.tight and self.height <= self.deep

    def _part(self, rows: slice, *, first: bool) -> Grid:
        """Some rows: the first part has the caption, the last the note; widths are the whole's."""
        part = copy(self)
        part.__dict__.pop("_postponed", None)  # reportlab's mark of what waited for a page once
        bare = replace(self.table, rows=(), note="") if first else None
        part.table = bare or replace(self.table, rows=(), caption="", unit="")
        part.rows = self.rows[rows]
        part._top()
        part._measure()
        part.spaceBefore = self.spaceBefore if first else 2
        return part

    def _tall(self, text: Any, gap: float) -> float:
        """Height of a wrapped Paragraph with its gap; nothing for none."""
        return 0.0 if text is None else float(text.wrap(self.width, self.deep)[1]) + gap

    def draw(self) -> None:
        """Caption, head, rows, rules, note."""
        y = self.height
        for text, gap in ((self.caption, 4), (self.unit, 2)):
            if text is not None:
                y -= text.height
                text.drawOn(self.canv, 0, y)
                y -= gap
        left = (self.width - sum(self.widths)) / 2
        right = left + sum(self.widths)
        y = self._draw_head(left, right, y)
        for i, row in enumerate(self.rows):
            self._draw_row(row, left, right, y, first=i == 0)
            y -= row.height
        self.rule(left, right, y, 1)
        if self.note is not None:
            self.note.drawOn(self.canv, 0, y - 3 - self.note.height)

    def _draw_head(self, left: float, right: float, y: float) -> float:
        canvas, step = self.canv, self.size + 1.5
        canvas.setFillColor(BAND)
        canvas.rect(left, y - self.head_height, right - left, self.head_height, stroke=0, fill=1)
        self.rule(left, right, y, 1)
        self.rule(left, right, y - self.head_height, 0.6)
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, self.size)
        x = left
        for lines, w in zip(self.head, self.widths, strict=True):
            block = len(lines) * step
            base = y - (self.head_height - block) / 2 - self.size * 0.86
            for k, one in enumerate(lines):
                canvas.drawCentredString(x + w / 2, base - k * step, one)
            x += w
        return y - self.head_height

    def _draw_row(self, row: Set, left: float, right: float, y: float, *, first: bool) -> None:
        canvas, weight = self.canv, row.row.weight
        if weight in {"group", "sum"}:
            canvas.setFillColor(BAND)
            canvas.rect(left, y - row.height, right - left, row.height, stroke=0, fill=1)
        if not first:
            strong = row.row.rule or weight == "sum"
            thin = INK if strong or weight == "area" else HAIR
            self.rule(left, right, y, 0.8 if strong else 0.5 if weight == "area" else 0.25, thin)
        canvas.setFillColor(INK)
        x = left
        for i, lines in enumerate(row.lines):
            canvas.setFont(self._face(row.row, i), self.size)
            base = y - (row.height - len(lines) * self.leading) / 2 - self.leading * 0.78
            for k, one in enumerate(lines):
                self._put(i, x, base - k * self.leading, one)
            x += self.widths[i]

    def _put(self, i: int, x: float, y: float, text: str) -> None:
        align = self.table.columns[i].align
        if align == "left":
            self.canv.drawString(x + PAD, y, text)
        elif align == "centre" or text == NONE:
            self.canv.drawCentredString(x + self.widths[i] / 2, y, text)
        else:
            number, mark = _unmarked(text)
            self.canv.drawRightString(x + self.ends[i], y, number)
            if mark:
                self.canv.drawString(x + self.ends[i], y, mark)


def _unmarked(text: str) -> tuple[str, str]:
    for mark in MARKS:
        if text.endswith(mark):
            return text.removesuffix(mark), mark
    return text, ""
