"""A drawing as SVG: sharp at every size, its words are text."""

from __future__ import annotations

from html import escape

from analysis.report.pens import Disc, Ink, Picture, Shape, Words

FACES = "Tinos, 'Times New Roman', 'Liberation Serif', serif"


def svg(picture: Picture, label: str) -> str:
    """The drawing as an ``svg`` element; ``label`` says what it shows."""
    wide, tall = _n(picture.width), _n(picture.height)
    marks = "".join(_mark(mark) for mark in picture.marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}pt"'
        f' height="{tall}pt" role="img" aria-label="{escape(label)}"'
        f' font-family="{FACES}">{marks}</svg>'
    )


def _mark(mark: Shape | Disc | Words) -> str:
    match mark:
        case Shape(points=points, closed=closed, ink=ink):
            if not closed and len(points) == 2:
                (x0, y0), (x1, y1) = points
                ends = f'x1="{_n(x0)}" y1="{_n(y0)}" x2="{_n(x1)}" y2="{_n(y1)}"'
                return f"<line {ends}{_ink(ink)}/>"
            at = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
            return f'<{"polygon" if closed else "polyline"} points="{at}"{_ink(ink)}/>'
        case Disc(x=x, y=y, r=r, ink=ink):
            return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"{_ink(ink)}/>'
        case Words():
            return _words(mark)


def _words(mark: Words) -> str:
    if not mark.text.strip():
        return ""
    x, y = _n(mark.x), _n(mark.y)
    more = ' font-weight="700"' if mark.bold else ""
    more += ' font-style="italic"' if mark.italic else ""
    more += f' fill="{mark.colour}"' if mark.colour != "#000000" else ""
    if abs(mark.turned) > 0.01:
        more += f' transform="rotate({_n(-mark.turned)} {x} {y})"'
    size = _n(mark.size)
    return f'<text x="{x}" y="{y}" font-size="{size}"{more}>{escape(mark.text)}</text>'


def _ink(ink: Ink) -> str:
    said = f' fill="{ink.fill or "none"}"'
    if ink.stroke:
        said += f' stroke="{ink.stroke}" stroke-width="{_n(ink.width)}"'
        if ink.dash:
            said += f' stroke-dasharray="{" ".join(_n(part) for part in ink.dash)}"'
    return said


def _n(x: float) -> str:
    """A number of points to two places, as short as it may be written."""
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
