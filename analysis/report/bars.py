"""Bars drawn straight on the canvas: answers around zero, and plain shares."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from analysis.report import model
from analysis.report.faces import BOLD, ITALIC, REGULAR, fill, plain, width
from analysis.report.figures import SIZE, SMALL, Figure, face_of, parts, tall_of
from analysis.report.ink import FIVE, FIVE_INK, GRID, HAIR, INK, MM, SOFT, TEXT, WHITE
from analysis.report.numbers import num, share

HATCHED = 2  # so many lowest levels carry white hatching: grey print stays unambiguous


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
            fill(plain(bar.label, 160), face_of(bar), SIZE, self.LABEL - self._indent(bar))
            for bar in chart.bars
        ]
        self.talls = [tall_of(chart.pitch, lines) for lines in self.labels]
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
        face = face_of(bar)
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
        self.talls = [tall_of(chart.pitch, lines) + 2 for lines in self.labels]
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


def level_plots(chart: model.LevelBars) -> list[LevelPlot]:
    """The bars in as few equal parts as pages need; mostly one."""
    whole = LevelPlot(chart)
    out = []
    for start, end, more in parts(whole, whole.talls):
        note = chart.note if end == len(chart.bars) else ""
        part = replace(chart, caption=chart.caption + more, bars=chart.bars[start:end], note=note)
        out.append(LevelPlot(part))
    return out
