"""Figures drawn straight on the canvas: dots with intervals, answers around zero."""

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
    FIVE,
    FIVE_INK,
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
HATCHED = 2  # so many lowest levels carry white hatching: grey print stays unambiguous


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


def _tall(pitch: float, lines: list[str]) -> float:
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
            (width(plain(dot.label, 120), _face(dot), SIZE) for dot in chart.dots), default=0.0
        )
        room = min(max(longest, 24 * MM), 62 * MM)
        self.x0, self.x1 = self.left + room + 5 * MM, TEXT - 42 * MM
        self.labels = [
            fill(plain(dot.label, 120), _face(dot), SIZE, room + 0.1) for dot in chart.dots
        ]
        self.talls = [_tall(chart.pitch, lines) for lines in self.labels]
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
        face, colour = _face(dot), RED if dot.spoken_of else LEAF
        base = y - SIZE * 0.34
        if dot.place:
            self.text(9.5 * MM, base, dot.place, face, anchor="right")
        self.label(self.left, y, lines, face)
        self.text(TEXT - 11.5 * MM, base, dot.end, face, anchor="centre")
        if dot.value is None:
            self.text(TEXT - 31.5 * MM, base, NONE, face, anchor="centre")
            middle = (self.x0 + self.x1) / 2
            self.text(middle, base, "không công bố", ITALIC, anchor="centre", colour=SOFT)
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
    """The chart in as many equal parts on one axis as pages need; mostly one."""
    whole = DotPlot(chart)
    parts = ceil(whole.height / (COLUMN - 20))
    if parts <= 1:
        return [whole]
    ends, size = _ends(chart), ceil(len(chart.dots) / parts)
    out = []
    for start in range(0, len(chart.dots), size):
        last = start + size >= len(chart.dots)
        more = "" if start == 0 else " (tiếp theo)"
        part = replace(
            chart,
            caption=chart.caption + more,
            dots=chart.dots[start : start + size],
            note=chart.note if last else "",
        )
        out.append(DotPlot(part, ends))
    return out


def _face(row: model.Dot | model.Bar) -> str:
    strong = row.weight != "plain" or (isinstance(row, model.Dot) and row.spoken_of)
    return BOLD if strong else REGULAR


class LevelPlot(Figure):
    """Bars around zero: right of it the satisfied answers, left of it all others."""

    HEAD, FOOT, LABEL, INDENT = 13.5 * MM, 7 * MM, 66 * MM, 4 * MM

    def __init__(self, chart: model.LevelBars) -> None:
        self.chart, self.levels = chart, len(chart.levels)
        self.colours = FIVE if self.levels == 5 else (FIVE[0], FIVE[2], FIVE[4])
        self.inks = FIVE_INK if self.levels == 5 else (FIVE_INK[0], FIVE_INK[2], FIVE_INK[4])
        self.middle = 3 if self.levels == 5 else self.levels - 1  # levels left of zero
        self.hatched = HATCHED if self.levels == 5 else 1
        known = [bar.shares for bar in chart.bars if bar.shares]
        self.left = _tens(max((sum(s[: self.middle]) for s in known), default=0.0), 20)
        self.right = _tens(max((sum(s[self.middle :]) for s in known), default=0.0), 40)
        self.x0, self.x1 = self.LABEL + 2 * MM, TEXT - 15 * MM
        self.unit = (self.x1 - self.x0) / (self.left + self.right)  # points a percent
        self.labels = [
            fill(plain(bar.label, 160), _face(bar), SIZE, self.LABEL - self._indent(bar))
            for bar in chart.bars
        ]
        self.talls = [_tall(chart.pitch, lines) for lines in self.labels]
        super().__init__(self.HEAD + sum(self.talls) + self.FOOT, chart.caption, chart.note)

    def _indent(self, bar: model.Bar) -> float:
        return self.INDENT if bar.weight == "plain" else 0.0

    def x(self, percent: float) -> float:
        """Place of a signed percentage."""
        return self.x0 + (percent + self.left) * self.unit

    def plot(self, top: float) -> None:
        """Legend, axis, bars."""
        self._legend(top - 4.2 * MM)
        top -= self.HEAD
        bottom = top - sum(self.talls)
        self._axis(top, bottom)
        y = top
        for i, (bar, lines, tall) in enumerate(
            zip(self.chart.bars, self.labels, self.talls, strict=True)
        ):
            if i and bar.weight == "area":
                self.rule(0, TEXT, y, 0.5, HAIR)
            self._bar(bar, lines, y - tall / 2, min(tall, self.chart.pitch * MM))
            y -= tall
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(1)
        self.canv.line(self.x(0), bottom - 1 * MM, self.x(0), top + 0.5 * MM)

    def _legend(self, y: float) -> None:
        """One line in the order of the scale."""
        names = self.chart.levels
        used = sum(5.6 * MM + width(name, REGULAR, SIZE) for name in names)
        gap = min((TEXT - used) / max(len(names) - 1, 1), 14 * MM)
        x = 0.0
        for level, name in enumerate(names):
            self._box(x, y, 4 * MM, 3.4 * MM, level)
            self.text(x + 5.6 * MM, y + 0.55 * MM, name)
            x += 5.6 * MM + width(name, REGULAR, SIZE) + gap

    def _axis(self, top: float, bottom: float) -> None:
        zero, y = self.x(0), top + 1.6 * MM
        if self.levels == 5:
            self.text(zero - 2 * MM, y, "chưa hài lòng", ITALIC, anchor="right", colour=SOFT)
            self.text(zero + 2 * MM, y, "hài lòng", ITALIC, colour=SOFT)
        self.text(TEXT, y, self.chart.end_head, BOLD, anchor="right")
        step = 20 if self.left + self.right > 60 else 10
        for v in range(-(self.left // step) * step, self.right + 1, step):
            self.canv.setLineWidth(0.3)
            self.canv.setStrokeColor(GRID)
            self.canv.line(self.x(v), bottom, self.x(v), top)
            label = num(abs(v), 0)
            self.text(self.x(v), bottom - 3.9 * MM, label, anchor="centre", colour=SOFT)

    def _bar(self, bar: model.Bar, lines: list[str], y: float, pitch: float) -> None:
        face = _face(bar)
        self.label(self._indent(bar), y, lines, face)
        self.text(TEXT, y - SIZE * 0.34, bar.end, face, anchor="right")
        if bar.shares is None:
            middle = (self.x0 + self.x1) / 2
            self.text(
                middle, y - SIZE * 0.34, "không công bố", ITALIC, anchor="centre", colour=SOFT
            )
            return
        tall = pitch * (0.60 if bar.weight == "plain" else 0.70)
        x = self.x(-100 * sum(bar.shares[: self.middle]))
        for level, part in enumerate(bar.shares):
            wide = part * 100 * self.unit
            self._box(x, y - tall / 2, wide, tall, level)
            label = share(part, 1)
            room = width(label, REGULAR, SMALL)
            if wide > room + 3:
                place, colour = x + wide / 2, self.inks[level]
                if level < self.hatched:
                    self._ground(place, y, room, level)
                self.text(place, y - 3.2, label, REGULAR, SMALL, anchor="centre", colour=colour)
            x += wide

    def _ground(self, x: float, y: float, room: float, level: int) -> None:
        """A plain patch under a figure, so that the hatching does not cross it."""
        self.canv.setFillColor(self.colours[level])
        self.canv.rect(x - room / 2 - 1, y - 4.2, room + 2, 8.6, stroke=0, fill=1)

    def _box(self, x: float, y: float, wide: float, tall: float, level: int) -> None:
        """One level; the negative ones carry white hatching."""
        canvas = self.canv
        if wide <= 0:
            return
        canvas.setFillColor(self.colours[level])
        canvas.setStrokeColor(SOFT)
        canvas.setLineWidth(0.35)
        canvas.rect(x, y, wide, tall, stroke=1, fill=1)
        if level >= self.hatched or wide <= 0.8:
            return
        lines = []
        start = -tall
        while start < wide:
            a, b = max(0.0, -start), min(tall, wide - start)
            if b > a:
                lines.append((x + start + a, y + a, x + start + b, y + b))
            start += 3.2
        canvas.setStrokeColor(WHITE)
        canvas.setLineWidth(0.55)
        canvas.lines(lines)


def _tens(part: float, least: int) -> int:
    """A share 0..1 as percent rounded up to a ten, at least ``least``, at most 100."""
    return min(100, max(least, ceil(round(part * 100, 6) / 10) * 10))


class SharePlot(Figure):
    """One bar a line from zero, its share at the right."""

    FOOT, LABEL = 7 * MM, 92 * MM

    def __init__(self, chart: model.ShareBars) -> None:
        self.chart = chart
        self.labels = [fill(plain(name, 160), REGULAR, SIZE, self.LABEL) for name, _ in chart.bars]
        self.talls = [_tall(chart.pitch, lines) + 2 for lines in self.labels]
        super().__init__(sum(self.talls) + self.FOOT, chart.caption, chart.note)

    def plot(self, top: float) -> None:
        """Grid, bars, labels, shares."""
        x0, x1 = self.LABEL + 3 * MM, TEXT - 14 * MM
        bottom, canvas = top - sum(self.talls), self.canv
        for v in range(0, 101, 20):
            x = x0 + v / 100 * (x1 - x0)
            canvas.setLineWidth(0.3)
            canvas.setStrokeColor(GRID)
            canvas.line(x, bottom, x, top)
            self.text(x, bottom - 3.9 * MM, num(v, 0), anchor="centre", colour=SOFT)
        y = top
        for (_, part), lines, tall in zip(self.chart.bars, self.labels, self.talls, strict=True):
            self.label(0, y - tall / 2, lines, REGULAR)
            thick = min(tall, self.chart.pitch * MM) * 0.6
            canvas.setFillColor(FIVE[3])
            canvas.setStrokeColor(SOFT)
            canvas.setLineWidth(0.35)
            canvas.rect(x0, y - (tall + thick) / 2, part * (x1 - x0), thick, stroke=1, fill=1)
            self.text(TEXT, y - tall / 2 - SIZE * 0.34, share(part), anchor="right")
            y -= tall
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.8)
        canvas.line(x0, bottom, x0, top)
