"""What stands on a page, as data in millimetres from its upper left corner, and how it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from survey.printing import aruco
from survey.printing.faces import MM, PLAIN

WIDTH, HEIGHT = 210.0, 297.0
#: Side of a registration mark and distance of its outer edge from the edge of the paper.
MARK, EDGE = 7.0, 8.0
Align = Literal["left", "right", "centre"]


@dataclass(frozen=True, slots=True)
class Text:
    """One line with its baseline at ``y``; ``gray`` 0 black .. 1 white."""

    x: float
    y: float
    text: str
    face: str = PLAIN
    size: float = 9.2
    align: Align = "left"
    gray: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; ``dash`` (on, off) in millimetres or nothing; ``weight`` in points."""

    x0: float
    y0: float
    x1: float
    y1: float
    weight: float = 0.4
    gray: float = 0.0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, ``y`` its upper edge: filled, framed or both."""

    x: float
    y: float
    width: float
    height: float
    fill: float | None = None
    frame: float | None = None
    weight: float = 0.5
    round: float = 0.0
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Disc:
    """A circle about its centre: filled, framed or both."""

    x: float
    y: float
    radius: float
    fill: float | None = None
    frame: float | None = None
    weight: float = 0.85


@dataclass(frozen=True, slots=True)
class Mark:
    """A registration mark with its upper left corner."""

    x: float
    y: float
    ident: int


Ink = Text | Line | Box | Disc | Mark


@dataclass(slots=True)
class Page:
    """One page while it is laid out: its ink, and where its answers and texts are written.

    ``answers`` and ``texts`` are the entries of the geometry; ``serial`` are the places of the
    form's number (x, baseline, size), ``code`` the place of its QR code (x, y, side).
    """

    number: int
    ink: list[Ink] = field(default_factory=list)
    answers: list[dict[str, object]] = field(default_factory=list)
    texts: list[dict[str, object]] = field(default_factory=list)
    serial: list[tuple[float, float, float]] = field(default_factory=list)
    code: tuple[float, float, float] = (0.0, 0.0, 0.0)


def corners(page: int) -> list[Mark]:
    """The four registration marks of a page; none beyond those that can be told apart."""
    if page > aruco.PAGES:
        return []
    far_x, far_y = WIDTH - EDGE - MARK, HEIGHT - EDGE - MARK
    places = ((EDGE, EDGE), (far_x, EDGE), (EDGE, far_y), (far_x, far_y))
    return [Mark(x, y, aruco.number(page, at)) for at, (x, y) in enumerate(places)]


def draw(canvas: Any, ink: Iterable[Ink]) -> None:
    """Put everything on a reportlab canvas in the order given."""
    for one in ink:
        match one:
            case Text():
                _text(canvas, one)
            case Line():
                _line(canvas, one)
            case Box():
                _box(canvas, one)
            case Disc():
                _disc(canvas, one)
            case Mark():
                _mark(canvas, one)


def _text(canvas: Any, one: Text) -> None:
    canvas.setFillGray(one.gray)
    canvas.setFont(one.face, one.size)
    put = {
        "left": canvas.drawString,
        "right": canvas.drawRightString,
        "centre": canvas.drawCentredString,
    }[one.align]
    put(one.x * MM, (HEIGHT - one.y) * MM, one.text)


def _line(canvas: Any, one: Line) -> None:
    canvas.setLineWidth(one.weight)
    canvas.setStrokeGray(one.gray)
    _dash(canvas, one.dash)
    canvas.line(one.x0 * MM, (HEIGHT - one.y0) * MM, one.x1 * MM, (HEIGHT - one.y1) * MM)
    _dash(canvas, None)


def _box(canvas: Any, one: Box) -> None:
    _pens(canvas, one.fill, one.frame, one.weight)
    _dash(canvas, one.dash)
    place = one.x * MM, (HEIGHT - one.y - one.height) * MM, one.width * MM, one.height * MM
    shape = canvas.roundRect if one.round else canvas.rect
    corner = (one.round * MM,) if one.round else ()
    shape(*place, *corner, stroke=int(one.frame is not None), fill=int(one.fill is not None))
    _dash(canvas, None)


def _disc(canvas: Any, one: Disc) -> None:
    _pens(canvas, one.fill, one.frame, one.weight)
    canvas.circle(
        one.x * MM, (HEIGHT - one.y) * MM, one.radius * MM,
        stroke=int(one.frame is not None), fill=int(one.fill is not None),
    )  # fmt: skip


def _mark(canvas: Any, one: Mark) -> None:
    cell = MARK / aruco.CELLS
    canvas.setFillGray(0)
    left, top = one.x * MM, (HEIGHT - one.y) * MM
    canvas.rect(left, top - MARK * MM, MARK * MM, MARK * MM, stroke=0, fill=1)
    path = canvas.beginPath()
    side = cell * MM
    for row, column in aruco.white(one.ident):
        path.rect(left + column * side, top - (row + 1) * side, side, side)
    canvas.setFillGray(1)
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.setFillGray(0)


def _pens(canvas: Any, fill: float | None, frame: float | None, weight: float) -> None:
    if fill is not None:
        canvas.setFillGray(fill)
    if frame is not None:
        canvas.setStrokeGray(frame)
        canvas.setLineWidth(weight)


def _dash(canvas: Any, dash: tuple[float, float] | None) -> None:
    canvas.setDash(*[part * MM for part in dash]) if dash else canvas.setDash()
