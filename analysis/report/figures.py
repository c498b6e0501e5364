"""Figures drawn straight on the canvas: the frame of every figure, and dots with intervals."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from typing import Any

from analysis.report import model
from analysis.report.decree import Drawing, sentence
from analysis.report.faces import BOLD, ITALIC, REGULAR, fill, plain, width
from analysis.report.ink import (
    BAND,
    CAPTION,
    COLUMN,
    GRID,
    HAIR,
    INK,
    LEAF,
    MM,
    NOTE,
    RED,
    SOFT,
    TEXT,
    WHITE,
)
from analysis.report.numbers import NONE, num, share

SIZE = 10.5  # of the text in a figure; the least is SMALL
SMALL = 9.5
STEP = 11.3  # between lines of a wrapped label


class Figure(Drawing):
    """A drawing with its caption and note under it; one piece, never split."""

    def __init__(self, height: float, caption: str, note: str) -> None:
        self.caption = sentence(caption, CAPTION)
        self.note = sentence(note, NOTE) if note else None
        under = float(self.caption.wrap(TEXT, COLUMN)[1]) + 4
        if self.note is not None:
            under += float(self.note.wrap(TEXT, COLUMN)[1]) + 3
        self.under = under
        super().__init__(height + under)
        self.spaceBefore, self.spaceAfter = 9, 5

    def draw(self) -> None:
        """The plot, then the caption, then the note."""
        self.plot(self.height)
        y = self.under - 4 - self.caption.height
        self.caption.drawOn(self.canv, 0, y)
        if self.note is not None:
            self.note.drawOn(self.canv, 0, y - 3 - self.note.height)

    def plot(self, top: float) -> None:
        """Draw everything above the caption, from ``top`` down to ``self.under``."""
        raise NotImplementedError

    def label(self, x: float, y: float, lines: list[str], face: str) -> None:
        """A label of one or more lines centred on ``y``."""
        base = y - SIZE * 0.34 + (len(lines) - 1) * STEP / 2
        for k, one in enumerate(lines):
            self.text(x, base - k * STEP, one, face)


def tall_of(pitch: float, lines: list[str]) -> float:
    """Height of a chart row: its pitch, more when the label has more lines."""
    return max(pitch * MM, len(lines) * STEP + 2.5)


def axis(low: float, high: float) -> tuple[int, int, int]:
    """Ends and step in percent of an axis that holds ``low``..``high`` (shares 0..1).

    Whole steps of 1, 2, 5, 10 or 20 with at most ten of them, never outside 0..100.
    """
    a, b = max(0.0, low * 100), min(100.0, high * 100)
    for step in (1, 2, 5, 10, 20):
        first, last = floor(a / step) * step, ceil(b / step) * step
        if last == first:
            last += step
        if (last - first) / step <= 10:
            return first, min(last, 100) if first < 100 else last, step
    return 0, 100, 20


class DotPlot(Figure):
    """A line each: dot, interval, value; tints for bands; the whole as a dashed upright."""

    HEAD, FOOT = 9 * MM, 8.5 * MM

    def __init__(self, chart: model.DotChart, ends: tuple[int, int, int] | None = None) -> None:
        self.chart = chart
        self.left = 13 * MM if any(dot.place for dot in chart.dots) else 0.0
        longest = max(
            (width(plain(dot.label, 120), face_of(dot), SIZE) for dot in chart.dots), default=0.0
        )
        room = min(max(longest, 24 * MM), 62 * MM)
        self.x0, self.x1 = self.left + room + 5 * MM, TEXT - 42 * MM
        self.labels = [
            fill(plain(dot.label, 120), face_of(dot), SIZE, room + 0.1) for dot in chart.dots
        ]
        self.talls = [tall_of(chart.pitch, lines) for lines in self.labels]
        self.low, self.high, self.step = ends or _ends(chart)
        height = self.HEAD + sum(self.talls) + self.FOOT
        super().__init__(height, chart.caption, chart.note)

    def x(self, value: float) -> float:
        """Place of a share 0..1 on the axis, cut at its ends."""
        part = (value * 100 - self.low) / (self.high - self.low)
        return self.x0 + min(max(part, 0.0), 1.0) * (self.x1 - self.x0)

    def plot(self, top: float) -> None:
        """Bands, head, axis, the whole, then every line."""
        top -= self.HEAD
        bottom = top - sum(self.talls)
        self._bands(top)
        self._heads(top)
        self._axis(top, bottom)
        y = top
        for dot, lines, tall in zip(self.chart.dots, self.labels, self.talls, strict=True):
            self._line(dot, lines, y - tall / 2)
            y -= tall
        self.rule(0, TEXT, top, 0.8)
        self.rule(0, TEXT, bottom, 0.8)

    def _bands(self, top: float) -> None:
        y, previous = top, None
        for dot, tall in zip(self.chart.dots, self.talls, strict=True):
            if dot.band % 2:
                self.canv.setFillColor(BAND)
                self.canv.rect(0, y - tall, TEXT, tall, stroke=0, fill=1)
            if previous is not None and dot.band != previous:
                self.rule(0, TEXT, y, 0.5, HAIR)
            previous = dot.band
            y -= tall

    def _heads(self, top: float) -> None:
        y = top + 3.2 * MM
        place, label, plot, value, end = self.chart.heads
        if self.left:
            self.text(7 * MM, y, place, BOLD, anchor="centre")
        self.text(self.left, y, label, BOLD)
        self.text((self.x0 + self.x1) / 2, y, plot, BOLD, anchor="centre")
        self.text(TEXT - 31.5 * MM, y, value, BOLD, anchor="centre")
        self.text(TEXT - 11.5 * MM, y, end, BOLD, anchor="centre")

    def _axis(self, top: float, bottom: float) -> None:
        for v in range(self.low, self.high + 1, self.step):
            x = self.x(v / 100)
            self.canv.setLineWidth(0.3)
            self.canv.setStrokeColor(GRID)
            self.canv.line(x, bottom, x, top)
            self.text(x, bottom - 3.9 * MM, num(v, 0), anchor="centre", colour=SOFT)
        if self.chart.whole is None:
            return
        x = self.x(self.chart.whole)
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(0.9)
        self.canv.setDash(3, 2)
        self.canv.line(x, bottom - 1 * MM, x, top)
        self.canv.setDash()
        name = f"{self.chart.whole_name} {share(self.chart.whole)}"
        half = width(name, ITALIC, SIZE) / 2
        middle = min(max(x, self.x0 - 10 * MM + half), TEXT - half)
        self.text(middle, bottom - 7.9 * MM, name, ITALIC, anchor="centre")

    def _line(self, dot: model.Dot, lines: list[str], y: float) -> None:
        face, colour = face_of(dot), RED if dot.spoken_of else LEAF
        base = y - SIZE * 0.34
        if dot.place:
            self.text(9.5 * MM, base, dot.place, face, anchor="right")
        self.label(self.left, y, lines, face)
        self.text(TEXT - 11.5 * MM, base, dot.end, face, anchor="centre")
        if dot.value is None:
            self.text(TEXT - 31.5 * MM, base, NONE, face, anchor="centre")
            self.text(self.x0 + 2 * MM, base, "không công bố", ITALIC, colour=SOFT)
            return
        self.text(TEXT - 27 * MM, base, share(dot.value), face, anchor="right")
        if dot.low is not None and dot.high is not None:
            self._whisker(dot.low, dot.high, y, colour, strong=dot.spoken_of)
        self._mark(self.x(dot.value), y, dot, colour)

    def _whisker(self, low: float, high: float, y: float, colour: Any, *, strong: bool) -> None:
        self.rule(self.x(low), self.x(high), y, 1.9 if strong else 1.25, colour)
        for v in (low, high):
            if self.low <= v * 100 <= self.high:
                self.canv.line(self.x(v), y - 1 * MM, self.x(v), y + 1 * MM)

    def _mark(self, x: float, y: float, dot: model.Dot, colour: Any) -> None:
        canvas, r = self.canv, 1.25 * MM
        canvas.setStrokeColor(colour)
        canvas.setFillColor(colour if dot.filled else WHITE)
        canvas.setLineWidth(1.2)
        if not dot.spoken_of:
            canvas.circle(x, y, r, stroke=1, fill=1)
            return
        path = canvas.beginPath()
        path.moveTo(x, y + r * 1.5)
        for dx, dy in ((1.5, 0.0), (0.0, -1.5), (-1.5, 0.0)):
            path.lineTo(x + dx * r, y + dy * r)
        path.close()
        canvas.drawPath(path, stroke=1, fill=1)


def _ends(chart: model.DotChart) -> tuple[int, int, int]:
    known = [v for dot in chart.dots for v in (dot.value, dot.low, dot.high) if v is not None]
    known += [chart.whole] if chart.whole is not None else []
    return axis(min(known, default=0.0), max(known, default=1.0))


def dot_plots(chart: model.DotChart) -> list[DotPlot]:
    """The chart in as few equal parts on one axis as pages need; mostly one."""
    whole, ends = DotPlot(chart), _ends(chart)
    out = []
    for start, end, more in parts(whole, whole.talls):
        note = chart.note if end == len(chart.dots) else ""
        part = replace(chart, caption=chart.caption + more, dots=chart.dots[start:end], note=note)
        out.append(DotPlot(part, ends))
    return out


def parts(whole: Figure, talls: list[float]) -> list[tuple[int, int, str]]:
    """Lines from..to of every part of a figure, and what its caption adds."""
    room = COLUMN - 20 - (whole.height - sum(talls))  # 20: space around, a longer caption
    lines = max(1, int(room / max(talls, default=1)))
    parts = 1 if sum(talls) <= room else ceil(len(talls) / lines)
    size = max(1, ceil(len(talls) / parts))
    starts = range(0, max(len(talls), 1), size)
    more = " (tiếp theo)"
    return [(a, min(a + size, len(talls)), more if a else "") for a in starts]


def face_of(row: model.Dot | model.Bar) -> str:
    strong = row.weight != "plain" or (isinstance(row, model.Dot) and row.spoken_of)
    return BOLD if strong else REGULAR
