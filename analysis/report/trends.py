"""Figures on two axes: a trend with its breaks, and a plane of importance and performance."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from analysis.report import model
from analysis.report.faces import BOLD, ITALIC, REGULAR, fill, plain, width
from analysis.report.figures import SIZE, SMALL, Figure, axis
from analysis.report.ink import GRID, HAIR, INK, LEAF, MM, SOFT, TEXT, WHITE
from analysis.report.numbers import num, share

#: Half the height of a dot.
DOT = 1.35 * MM
#: A wall of hatching where the method changed.
WALL = 4 * MM


class TrendPlot(Figure):
    """Years across, values up; whiskers of estimates, hollow dots of what others published."""

    HEAD, TALL, FOOT, LEFT = 6 * MM, 62 * MM, 9 * MM, 11 * MM

    def __init__(self, chart: model.TrendChart) -> None:
        self.chart = chart
        self.labels = list(dict.fromkeys(point.label for point in chart.points))
        known = [v for p in chart.points for v in (p.value, p.low, p.high) if v is not None] or [
            0.0,
            1.0,
        ]
        room = max(0.005, (max(known) - min(known)) * 0.08)
        self.low, self.high, self.step = axis(min(known) - room, max(known) + room)
        broken = {label for label, _ in chart.breaks}
        self.broken = [n for n, label in enumerate(self.labels) if label in broken]
        self.reasons = [
            fill(plain(f"{label}: {reason}", 300), ITALIC, SMALL, TEXT - 2)
            for label, reason in chart.breaks
        ]
        under = sum(len(lines) for lines in self.reasons) * 11.0
        super().__init__(self.HEAD + self.TALL + self.FOOT + under, chart.caption, chart.note)

    def plot(self, top: float) -> None:
        """Grid and years, walls, lines, points, reasons of the breaks."""
        self.top, self.bottom = top - self.HEAD, top - self.HEAD - self.TALL
        self._grid()
        for at in self.broken:
            self._wall(self.x(at) - self._pitch() / 2)
        for ours in (False, True):
            self._lines([p for p in self.chart.points if p.ours is ours])
        for point in self.chart.points:
            self._point(point)
        y = self.bottom - self.FOOT
        for line in (line for lines in self.reasons for line in lines):
            y -= 11.0
            self.text(0, y + 3, line, ITALIC, SMALL, colour=SOFT)

    def _pitch(self) -> float:
        return (TEXT - self.LEFT) / max(len(self.labels), 1)

    def x(self, at: int) -> float:
        """The middle of a year."""
        return self.LEFT + (at + 0.5) * self._pitch()

    def y(self, value: float) -> float:
        """The height of a share 0..1."""
        part = (value * 100 - self.low) / (self.high - self.low)
        return self.bottom + min(max(part, 0.0), 1.0) * (self.top - self.bottom)

    def _grid(self) -> None:
        for v in range(self.low, self.high + 1, self.step):
            y = self.y(v / 100)
            self.canv.setLineWidth(0.3)
            self.canv.setStrokeColor(GRID)
            self.canv.line(self.LEFT, y, TEXT, y)
            self.text(self.LEFT - 1.5 * MM, y - SIZE * 0.34, num(v, 0), anchor="right", colour=SOFT)
        self.rule(self.LEFT, TEXT, self.bottom, 0.8)
        given = {p.label for p in self.chart.points if p.value is not None}
        for at, label in enumerate(self.labels):
            self.text(self.x(at), self.bottom - 4.4 * MM, label, BOLD, anchor="centre")
            if label not in given:
                middle = (self.top + self.bottom) / 2
                for line, dy in (("không có", 5.5), ("số liệu", -5.5)):
                    self.text(
                        self.x(at), middle + dy, line, ITALIC, SMALL, anchor="centre", colour=SOFT
                    )

    def _wall(self, x: float) -> None:
        """Hatching over the whole height: nothing may be read across it."""
        canvas, left, right = self.canv, x - WALL / 2, x + WALL / 2
        canvas.setFillColor(WHITE)
        canvas.rect(left, self.bottom, WALL, self.top - self.bottom, stroke=0, fill=1)
        canvas.setStrokeColor(SOFT)
        canvas.setLineWidth(0.5)
        y = self.bottom
        while y < self.top - WALL:
            canvas.line(left, y, right, y + WALL)
            y += 2.2 * MM
        canvas.setDash(2, 2)
        for side in (left, right):
            canvas.line(side, self.bottom, side, self.top)
        canvas.setDash()
        self.text(x, self.top + 1.6 * MM, "đổi phương pháp", ITALIC, SMALL, anchor="centre")

    def _lines(self, points: list[model.TrendPoint]) -> None:
        """Between years of one source that no break parts; dashed over years without figures."""
        known = [(self.labels.index(p.label), p) for p in points if p.value is not None]
        for (a, one), (b, other) in pairwise(known):
            if any(a < at <= b for at in self.broken) or one.value is None or other.value is None:
                continue
            self.canv.setStrokeColor(LEAF if one.ours else SOFT)
            self.canv.setLineWidth(1.4 if one.ours else 0.8)
            if b - a > 1:
                self.canv.setDash(3, 2)
            self.canv.line(self.x(a), self.y(one.value), self.x(b), self.y(other.value))
            self.canv.setDash()

    def _point(self, point: model.TrendPoint) -> None:
        if point.value is None:
            return
        x, y = self.x(self.labels.index(point.label)), self.y(point.value)
        top = y
        if point.low is not None and point.high is not None:
            self.canv.setStrokeColor(LEAF)
            self.canv.setLineWidth(1.2)
            top = self.y(point.high)
            self.canv.line(x, self.y(point.low), x, top)
            for end in (self.y(point.low), top):
                self.canv.line(x - 1 * MM, end, x + 1 * MM, end)
        colour = LEAF if point.ours else SOFT
        self.canv.setStrokeColor(colour)
        self.canv.setFillColor(colour if point.ours else WHITE)
        self.canv.setLineWidth(1.1)
        self.canv.circle(x, y, DOT, stroke=1, fill=1)
        self._value(x, top + DOT + 1.2 * MM, point)

    def _value(self, x: float, y: float, point: model.TrendPoint) -> None:
        """The figure on a white ground, so that no line crosses it."""
        text, face = share(point.value), BOLD if point.ours else REGULAR
        half = width(text, face, SIZE) / 2
        self.canv.setFillColor(WHITE)
        self.canv.rect(x - half - 1, y - 1.5, 2 * half + 2, SIZE, stroke=0, fill=1)
        self.text(x, y, text, face, anchor="centre", colour=INK if point.ours else SOFT)


class SpotPlot(Figure):
    """Numbered spots around two middles, the key to the numbers below."""

    HEAD, TALL, FOOT, LEFT = 5 * MM, 92 * MM, 13 * MM, 18 * MM
    END = TEXT - 3 * MM  # half of the last number of the axis is beyond

    def __init__(self, chart: model.Scatter) -> None:
        self.chart = chart
        self.ends_x = _ends([(s.x, s.x_interval) for s in chart.spots], chart.x_middle)
        self.ends_y = _ends([(s.y, s.y_interval) for s in chart.spots], chart.y_middle)
        self.key = [
            (spot, fill(plain(spot.label, 160), REGULAR, SIZE, TEXT / 2 - 12 * MM))
            for spot in chart.spots
        ]
        rows = (len(self.key) + 1) // 2
        sides = (self.key[:rows], self.key[rows:])
        self.tall = max(sum(len(lines) * 12.0 + 2 for _, lines in side) for side in sides)
        height = self.HEAD + self.TALL + self.FOOT + self.tall
        super().__init__(height, chart.caption, chart.note)

    def plot(self, top: float) -> None:
        """Axes, quarters, spots, key."""
        self.top, self.bottom = top - self.HEAD, top - self.HEAD - self.TALL
        self._axes()
        self._quarters()
        for spot in self.chart.spots:
            self._whiskers(spot)
        for spot in self.chart.spots:
            self._spot(spot)
        self._list(self.bottom - self.FOOT)

    def x(self, value: float) -> float:
        """The place of a share across."""
        low, high, _ = self.ends_x
        part = (value * 100 - low) / (high - low)
        return self.LEFT + min(max(part, 0.0), 1.0) * (self.END - self.LEFT)

    def y(self, value: float) -> float:
        """The place of a share upward."""
        low, high, _ = self.ends_y
        part = (value * 100 - low) / (high - low)
        return self.bottom + min(max(part, 0.0), 1.0) * (self.top - self.bottom)

    def _axes(self) -> None:
        canvas = self.canv
        canvas.setStrokeColor(HAIR)
        canvas.setLineWidth(0.6)
        canvas.rect(self.LEFT, self.bottom, self.END - self.LEFT, self.top - self.bottom, fill=0)
        low, high, step = self.ends_x
        for v in range(low, high + 1, step):
            at = self.x(v / 100)
            self.text(at, self.bottom - 4.2 * MM, num(v, 0), anchor="centre", colour=SOFT)
        low, high, step = self.ends_y
        for v in range(low, high + 1, step):
            at = self.y(v / 100) - SIZE * 0.34
            self.text(self.LEFT - 1.5 * MM, at, num(v, 0), anchor="right", colour=SOFT)
        middle = (self.LEFT + self.END) / 2
        self.text(middle, self.bottom - 9 * MM, f"{self.chart.x_name} (%)", BOLD, anchor="centre")
        canvas.saveState()
        canvas.translate(4 * MM, (self.top + self.bottom) / 2)
        canvas.rotate(90)
        self.text(0, 0, f"{self.chart.y_name} (%)", BOLD, anchor="centre")
        canvas.restoreState()

    def _quarters(self) -> None:
        canvas, x, y = self.canv, self.x(self.chart.x_middle), self.y(self.chart.y_middle)
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.8)
        canvas.setDash(3, 2)
        canvas.line(x, self.bottom, x, self.top)
        canvas.line(self.LEFT, y, self.END, y)
        canvas.setDash()
        left, right = self.LEFT + 1.5 * MM, self.END - 1.5 * MM
        up, down = self.top - 4.5 * MM, self.bottom + 1.8 * MM
        corners = ((left, up, "left"), (right, up, "right"), (left, down, "left"))
        places = (*corners, (right, down, "right"))
        for name, (at, base, anchor) in zip(self.chart.quarters, places, strict=True):
            self.text(at, base, name, ITALIC, anchor=anchor, colour=SOFT)

    def _whiskers(self, spot: model.Spot) -> None:
        self.canv.setStrokeColor(HAIR)
        self.canv.setLineWidth(0.9)
        x, y = self.x(spot.x), self.y(spot.y)
        if spot.x_interval is not None:
            self.canv.line(self.x(spot.x_interval[0]), y, self.x(spot.x_interval[1]), y)
        if spot.y_interval is not None:
            self.canv.line(x, self.y(spot.y_interval[0]), x, self.y(spot.y_interval[1]))

    def _spot(self, spot: model.Spot) -> None:
        x, y, r = self.x(spot.x), self.y(spot.y), 2.5 * MM
        self.canv.setStrokeColor(WHITE)
        self.canv.setFillColor(LEAF)
        self.canv.setLineWidth(0.8)
        self.canv.circle(x, y, r, stroke=1, fill=1)
        self.text(x, y - 3.2, spot.number, BOLD, SMALL, anchor="centre", colour=WHITE)

    def _list(self, top: float) -> None:
        """Numbers with their names and both values, in two columns."""
        rows = (len(self.key) + 1) // 2
        for side, x in ((self.key[:rows], 0.0), (self.key[rows:], TEXT / 2)):
            y = top
            for spot, lines in side:
                self.text(x, y - 10, f"{spot.number}.", BOLD)
                for k, line in enumerate(lines):
                    self.text(x + 8 * MM, y - 10 - 12.0 * k, line)
                y -= len(lines) * 12.0 + 2


def _ends(values: list[tuple[float, Any]], middle: float) -> tuple[int, int, int]:
    known = [middle, *(value for value, _ in values)]
    known += [end for _, interval in values if interval is not None for end in interval]
    room = max(0.005, (max(known) - min(known)) * 0.06)
    return axis(min(known) - room, max(known) + room)
