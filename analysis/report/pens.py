"""A pen that drawings write with instead of a PDF: what was drawn, as lines, shapes and texts.

The drawings of a report are made once, for the page; this stands where reportlab's canvas stands
and keeps what they draw, so that a web page (SVG) and a word processor (EMF) show the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import Color

from analysis.report import model
from analysis.report.bars import SharePlot, level_plots
from analysis.report.faces import BOLD, BOLD_ITALIC, ITALIC, width
from analysis.report.figures import Figure, dot_plots

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Ink:
    """How a mark is drawn: colours as "#rrggbb" ("" = not at all), width in points."""

    stroke: str
    fill: str
    width: float
    dash: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Points joined by straight lines; ``closed`` is a polygon."""

    points: Points
    closed: bool
    ink: Ink


@dataclass(frozen=True, slots=True)
class Disc:
    """A circle."""

    x: float
    y: float
    r: float
    ink: Ink


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text from its left end; ``turned`` in degrees against the clock."""

    x: float
    y: float
    text: str
    bold: bool
    italic: bool
    size: float
    colour: str
    turned: float
    length: float  # as measured in the face of print


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing: its size in points and its marks, y downwards."""

    width: float
    height: float
    marks: tuple[Shape | Disc | Words, ...]


class _Path:
    def __init__(self) -> None:
        self.parts: list[list[tuple[float, float]]] = []
        self.closed = False

    def moveTo(self, x: float, y: float) -> None:  # noqa: N802 (reportlab's names)
        self.parts.append([(x, y)])

    def lineTo(self, x: float, y: float) -> None:  # noqa: N802
        self.parts[-1].append((x, y))

    def close(self) -> None:
        self.closed = True


class Pen:
    """The part of reportlab's canvas that drawings use."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.marks: list[Shape | Disc | Words] = []
        self._state: dict[str, Any] = {
            "stroke": "#000000", "fill": "#000000", "width": 1.0, "dash": (), "font": ("", 10.0),
            "at": (1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
        }  # fmt: skip
        self._kept: list[dict[str, Any]] = []

    # State.

    def saveState(self) -> None:  # noqa: N802
        self._kept.append(dict(self._state))

    def restoreState(self) -> None:  # noqa: N802
        self._state = self._kept.pop()

    def setFont(self, face: str, size: float, *_: object) -> None:  # noqa: N802
        self._state["font"] = (face, float(size))

    def setFillColor(self, colour: Any, *_: object) -> None:  # noqa: N802
        self._state["fill"] = _hex(colour)

    def setStrokeColor(self, colour: Any, *_: object) -> None:  # noqa: N802
        self._state["stroke"] = _hex(colour)

    def setFillGray(self, part: float) -> None:  # noqa: N802
        self._state["fill"] = _hex(Color(part, part, part))

    def setStrokeGray(self, part: float) -> None:  # noqa: N802
        self._state["stroke"] = _hex(Color(part, part, part))

    def setLineWidth(self, points: float) -> None:  # noqa: N802
        self._state["width"] = float(points)

    def setDash(self, *dash: Any) -> None:  # noqa: N802
        flat = dash[0] if dash and isinstance(dash[0], list | tuple) else dash
        self._state["dash"] = tuple(float(part) for part in flat)

    def setLineCap(self, *_: object) -> None:  # noqa: N802
        """Ends of lines are plain."""

    def setLineJoin(self, *_: object) -> None:  # noqa: N802
        """So are corners."""

    def translate(self, x: float, y: float) -> None:
        self._turn(1.0, 0.0, 0.0, 1.0, x, y)

    def rotate(self, degrees: float) -> None:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        self._turn(c, s, -s, c, 0.0, 0.0)

    def scale(self, x: float, y: float) -> None:
        self._turn(x, 0.0, 0.0, y, 0.0, 0.0)

    # Marks.

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self._shape(((x0, y0), (x1, y1)), closed=False, stroke=True, fill=False)

    def lines(self, many: Any) -> None:
        for one in many:
            self.line(*one)

    def rect(
        self, x: float, y: float, wide: float, tall: float, stroke: int = 1, fill: int = 0
    ) -> None:
        corners = ((x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall))
        self._shape(corners, closed=True, stroke=bool(stroke), fill=bool(fill))

    def circle(self, x: float, y: float, r: float, stroke: int = 1, fill: int = 0) -> None:
        self.marks.append(Disc(*self._at(x, y), r, self._ink(bool(stroke), bool(fill))))

    def beginPath(self) -> _Path:  # noqa: N802
        return _Path()

    def drawPath(self, path: _Path, stroke: int = 1, fill: int = 0) -> None:  # noqa: N802
        for part in path.parts:
            closed = path.closed or bool(fill)
            self._shape(tuple(part), closed=closed, stroke=bool(stroke), fill=bool(fill))

    def drawString(self, x: float, y: float, text: str) -> None:  # noqa: N802
        face, size = self._state["font"]
        a, b, *_ = self._state["at"]
        x, y = self._at(x, y)
        turned = math.degrees(math.atan2(b, a))
        bold, italic = face in {BOLD, BOLD_ITALIC}, face in {ITALIC, BOLD_ITALIC}
        length = width(text, face, size)
        colour = self._state["fill"]
        self.marks.append(Words(x, y, text, bold, italic, size, colour, turned, length))

    def drawRightString(self, x: float, y: float, text: str) -> None:  # noqa: N802
        self.drawString(x - width(text, *self._state["font"]), y, text)

    def drawCentredString(self, x: float, y: float, text: str) -> None:  # noqa: N802
        self.drawString(x - width(text, *self._state["font"]) / 2, y, text)

    def _shape(self, points: Points, *, closed: bool, stroke: bool, fill: bool) -> None:
        placed = tuple(self._at(x, y) for x, y in points)
        self.marks.append(Shape(placed, closed, self._ink(stroke, fill)))

    def _ink(self, stroke: bool, fill: bool) -> Ink:
        held = self._state
        return Ink(
            held["stroke"] if stroke else "", held["fill"] if fill else "", held["width"],
            held["dash"],
        )  # fmt: skip

    def _at(self, x: float, y: float) -> tuple[float, float]:
        a, b, c, d, e, f = self._state["at"]
        return a * x + c * y + e, self.height - (b * x + d * y + f)

    def _turn(self, *by: float) -> None:
        a, b, c, d, e, f = self._state["at"]
        m, n, o, p, q, r = by
        self._state["at"] = (
            a * m + c * n, b * m + d * n, a * o + c * p, b * o + d * p, a * q + c * r + e,
            b * q + d * r + f,
        )  # fmt: skip


def _hex(colour: Any) -> str:
    return f"#{colour.hexval()[2:8]}"


#: A figure whose caption and note the writer sets itself.
Chart = model.DotChart | model.LevelBars | model.ShareBars | model.TrendChart | model.Scatter


def pictures(chart: Chart) -> list[Picture]:
    """The drawing of a chart without its caption; in parts where a page holds no more."""
    return [picture(figure) for figure in _figures(chart)]


def _figures(chart: Chart) -> list[Figure]:
    match chart:
        case model.DotChart():
            return [*dot_plots(chart)]
        case model.LevelBars():
            return [*level_plots(chart)]
        case model.ShareBars():
            return [SharePlot(chart)]
        case _:
            from analysis.report.trends import SpotPlot, TrendPlot

            return [TrendPlot(chart) if isinstance(chart, model.TrendChart) else SpotPlot(chart)]


def picture(figure: Figure) -> Picture:
    """What a figure draws above its caption."""
    height = figure.height - figure.under
    pen = Pen(height)
    figure.canv = pen
    figure.plot(height)
    del figure.canv
    return Picture(figure.width, height, tuple(pen.marks))
