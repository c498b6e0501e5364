"""Charts drawn on the server: one small SVG for each row of the table that holds its figures.

x is in percent of the cell, y in px and text in CSS size, so a row is sharp at 320 px and at
200 %.  Geometry uses presentation attributes and classes only: the pages allow no style attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from analysis.results import Figure

#: A share is printed inside its part of a bar from this width (percent) on.
LABELLED = 9
#: White on the two darkest of the five answer colours, ink on the others.
LIGHT_ON = (1, 5)
#: Number of answers -> their colours, worst to best.
COLOURS = {5: (1, 2, 3, 4, 5), 4: (1, 2, 4, 5), 3: (1, 3, 5), 2: (2, 4)}
#: The narrowest axis, in percent: a narrower one would make noise look like news.
NARROWEST = 10
#: A bar of 22 px in the middle of its row, however high the row is.
MIDDLE = 'y="50%" height="22" transform="translate(0 -11)"'


@dataclass(frozen=True, slots=True)
class Axis:
    """A span of whole numbers with its ticks."""

    low: int
    high: int
    ticks: tuple[int, ...]

    @property
    def cut(self) -> bool:
        """Whether a caption must name the axis because it does not show 0 to 100."""
        return (self.low, self.high) != (0, 100)

    def at(self, value: float) -> float:
        """Return where ``value`` lies, in percent of the width; cut at both ends."""
        return 100 * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


#: The axis that is not cut.
WHOLE = Axis(0, 100, (0, 25, 50, 75, 100))
#: An axis begins and ends at a multiple of this, in percent ...
STEP = 5
#: ... and one wider than this is shown whole.
WIDEST = 50


def axis(figures: Iterable[Figure]) -> Axis:
    """Return the axis, in percent, that holds every value and interval of ``figures``."""
    known = [f for f in figures if f.value is not None]
    return around(e for f in known for e in (f.value, f.low, f.high) if e is not None)


def around(shares: Iterable[float]) -> Axis:
    """Return the axis, in percent, that holds all of ``shares``."""
    ends = [100 * share for share in shares]
    if not ends:
        return WHOLE
    low, high = int(min(ends)) // STEP * STEP, -(-max(ends) // STEP) * STEP
    low, high = max(0, low), min(100, int(high))
    if high - low < NARROWEST:
        low, high = max(0, high - NARROWEST), max(high, NARROWEST)
    if high - low > WIDEST:
        return WHOLE
    step = STEP if high - low <= 4 * STEP else 2 * STEP
    return Axis(low, high, tuple(range(low - low % -step, high + 1, step)))


def rank_axis(places: int) -> Axis:
    """Return the axis of ``places`` ranks, 1 at the left."""
    last = max(places, 2)
    thirds = {1, round(1 + (last - 1) / 3), round(1 + 2 * (last - 1) / 3), last}
    return Axis(1, last, tuple(sorted(thirds)))


def ticks(scale: Axis) -> Markup:
    """Draw the numbers of an axis, for the head of the column."""
    return _svg(
        f'<text x="{scale.at(tick):.2f}%" y="22" text-anchor="{_anchor(scale, tick)}">{tick}</text>'
        for tick in scale.ticks
    )


def interval(figure: Figure, scale: Axis, whole: float | None = None) -> Markup:
    """Draw an index: dot, interval if it has one, dashed line at ``whole`` (a share).

    Nothing but the grid where the figure is not published; a hollow dot under 30 persons.
    """
    parts = _grid(scale)
    if whole is not None:
        x = f"{scale.at(100 * whole):.2f}%"
        parts.append(f'<line class="mean" x1="{x}" x2="{x}" y1="0" y2="100%"/>')
    if figure.value is not None:
        ends = (figure.low, figure.high)
        if ends[0] is not None and ends[1] is not None:
            parts.append(_line(scale.at(100 * ends[0]), scale.at(100 * ends[1])))
        parts.append(_dot(scale.at(100 * figure.value), few="few" in figure.flags))
    return _svg(parts)


def year(
    value: float | None, low: float | None, high: float | None, scale: Axis, *, ours: bool
) -> Markup:
    """Draw a year's figure; what others published is a hollow dot without an interval."""
    parts = _grid(scale)
    if value is not None:
        if low is not None and high is not None:
            parts.append(_line(scale.at(100 * low), scale.at(100 * high)))
        parts.append(_dot(scale.at(100 * value), few=not ours))
    return _svg(parts)


def rank(place: int | None, low: int | None, high: int | None, scale: Axis) -> Markup:
    """Draw a rank with the range it may lie in."""
    parts = _grid(scale)
    if low is not None and high is not None:
        parts.append(_line(scale.at(low), scale.at(high)))
    if place is not None:
        parts.append(_dot(scale.at(place)))
    return _svg(parts)


def bounds(low: float, high: float, value: float) -> Markup:
    """Draw what self-selected answers may say: the worst-case band and the share answered."""
    scale = WHOLE
    band = f'<rect class="band" x="{100 * low:.2f}%" width="{100 * (high - low):.2f}%" {MIDDLE}/>'
    return _svg([*_grid(scale), band, _dot(100 * value)])


def bar(shares: Sequence[float]) -> Markup:
    """Draw the answers as one bar, the worst at the left, shares printed inside from 9 %."""
    widths = [100 * share for share in shares]
    starts = [0.0, *accumulate(widths)]
    parts = list(zip(COLOURS[len(shares)], starts, widths, strict=False))
    rects = [
        f'<rect class="seg a{colour}" x="{x:.2f}%" width="{width:.2f}%" {MIDDLE}/>'
        for colour, x, width in parts
        if width > 0
    ]
    words = [
        f'<text{_light(colour)} x="{x + width / 2:.2f}%" y="50%" dy=".35em" text-anchor="middle">'
        f"{int(width + 0.5)}</text>"
        for colour, x, width in parts
        if width >= LABELLED
    ]
    return _svg(rects + words)


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a map: the number that names it, where it lies (shares 0..1), the ends of its
    intervals (x low, x high, y low, y high) where they are known, and whether it stands out."""

    name: str
    x: float
    y: float
    box: tuple[float, float, float, float] | None = None
    loud: bool = False


def scatter(marks: Sequence[Mark], axes: tuple[Axis, Axis], cuts: tuple[float, float]) -> Markup:
    """Draw points by number in a square with two cuts; the table beside names them.

    The picture keeps its place for screen readers empty: the table says everything in it.
    """
    across, up = axes

    def at(x: float, y: float) -> tuple[str, str]:
        return f"{across.at(100 * x):.2f}%", f"{100 - up.at(100 * y):.2f}%"

    x, y = at(*cuts)
    parts = [
        f'<line class="grid" x1="{p:.2f}%" x2="{p:.2f}%" y1="0" y2="100%"/>'
        for p in map(across.at, across.ticks)
    ]
    parts += [
        f'<line class="grid" y1="{p:.2f}%" y2="{p:.2f}%" x1="0" x2="100%"/>'
        for p in (100 - up.at(tick) for tick in up.ticks)
    ]
    parts.append(f'<line class="mean" x1="{x}" x2="{x}" y1="0" y2="100%"/>')
    parts.append(f'<line class="mean" y1="{y}" y2="{y}" x1="0" x2="100%"/>')
    parts += [
        f'<text x="{across.at(tick):.2f}%" y="100%" dy="1.2em" '
        f'text-anchor="{_anchor(across, tick)}">{tick}</text>'
        for tick in across.ticks
    ]
    parts += [
        f'<text x="0" dx="-.4em" y="{100 - up.at(tick):.2f}%" dy=".35em" '
        f'text-anchor="end">{tick}</text>'
        for tick in up.ticks
    ]
    for mark in marks:
        if mark.box:
            (x1, y1), (x2, y2) = at(mark.box[0], mark.box[2]), at(mark.box[1], mark.box[3])
            x, y = at(mark.x, mark.y)
            parts.append(f'<line class="ci" x1="{x1}" x2="{x2}" y1="{y}" y2="{y}"/>')
            parts.append(f'<line class="ci" x1="{x}" x2="{x}" y1="{y1}" y2="{y2}"/>')
    for mark in marks:
        x, y = at(mark.x, mark.y)
        loud = " loud" if mark.loud else ""
        parts.append(f'<circle class="dot{loud}" cx="{x}" cy="{y}" r="11"/>')
        parts.append(
            f'<text class="lite" x="{x}" y="{y}" dy=".35em" text-anchor="middle">'
            f"{escape(mark.name)}</text>"
        )
    return Markup(f'<svg class="map" aria-hidden="true">{"".join(parts)}</svg>')  # nosec B704


def length(share: float) -> Markup:
    """Draw one plain bar from 0 to 100 %, for a count or a share without an interval."""
    return _svg([f'<rect class="fill" x="0" width="{100 * share:.2f}%" {MIDDLE}/>'])


def filled(part: float, reached: float) -> Markup:
    """Draw what is done (``part``, dark) inside what is on its way (``reached``, pale), 0-100 %."""
    ends = [100 * min(max(end, 0.0), 1.0) for end in (reached, part)]
    kinds = zip(("band", "fill"), ends, strict=True)
    return _svg(f'<rect class="{kind}" x="0" width="{x:.2f}%" {MIDDLE}/>' for kind, x in kinds)


def funnel(value: float, low: float, high: float, expected: float, scale: Axis) -> Markup:
    """Draw a share (dot) against what is expected of it (dashed) and the usual range (band)."""
    left, right = scale.at(100 * low), scale.at(100 * high)
    x = f"{scale.at(100 * expected):.2f}%"
    return _svg(
        [
            *_grid(scale),
            f'<rect class="band" x="{left:.2f}%" width="{right - left:.2f}%" {MIDDLE}/>',
            f'<line class="mean" x1="{x}" x2="{x}" y1="0" y2="100%"/>',
            _dot(scale.at(100 * value)),
        ]
    )


def key(place: int, answers: int = 5) -> Markup:
    """Draw the square that names the colour of the answer at ``place`` (from 0) of so many."""
    return Markup(  # nosec B704 - numbers only
        '<svg class="key" viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect class="seg a{COLOURS[answers][place]}" width="10" height="10"/></svg>'
    )


def _svg(parts: Iterable[str]) -> Markup:
    drawn = "".join(parts)
    return Markup(f'<svg aria-hidden="true">{drawn}</svg>')  # nosec B704 - numbers only


def _grid(scale: Axis) -> list[str]:
    return [
        f'<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="100%"/>'
        for x in map(scale.at, scale.ticks)
    ]


def _line(x1: float, x2: float) -> str:
    return f'<line class="ci" x1="{x1:.2f}%" x2="{x2:.2f}%" y1="50%" y2="50%"/>'


def _dot(x: float, *, few: bool = False) -> str:
    return f'<circle class="dot{" few" if few else ""}" cx="{x:.2f}%" cy="50%" r="5.5"/>'


def _light(colour: int) -> str:
    return ' class="lite"' if colour in LIGHT_ON else ""


def _anchor(scale: Axis, tick: int) -> str:
    ends = {scale.low: "start", scale.high: "end"}
    return str(escape(ends.get(tick, "middle")))
