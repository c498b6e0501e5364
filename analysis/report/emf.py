"""A drawing as an enhanced metafile: what word processors show, sharp and in their own fonts.

[MS-EMF]: one unit is a hundredth of a millimetre; letters are placed one by one as measured, so a
line is as long in Times New Roman as in the face of print, which has the same widths.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from analysis.report.faces import BOLD, BOLD_ITALIC, ITALIC, REGULAR, width
from analysis.report.ink import MM
from analysis.report.pens import Disc, Ink, Picture, Points, Shape, Words

FACE = "Times New Roman"
_UNIT = 100 / MM  # hundredths of a millimetre in a point
_NO_PEN, _NO_BRUSH = 0x80000008, 0x80000005


@dataclass
class _Records:
    """The records as they grow, and the objects that were made."""

    parts: list[bytes] = field(default_factory=list)
    objects: dict[tuple[object, ...], int] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)
    colour: str = ""

    def add(self, kind: int, body: bytes) -> None:
        """One record, padded to four bytes."""
        body += b"\0" * (-len(body) % 4)
        self.parts.append(struct.pack("<II", kind, 8 + len(body)) + body)

    def choose(self, role: str, number: int) -> None:
        """Select an object unless it is the one in use."""
        if self.chosen.get(role) != number:
            self.chosen[role] = number
            self.add(37, struct.pack("<I", number))

    def made(self, key: tuple[object, ...], kind: int, body: bytes) -> int:
        """The number of an object, made when it is new."""
        if key not in self.objects:
            self.objects[key] = number = len(self.objects) + 1
            self.add(kind, struct.pack("<I", number) + body)
        return self.objects[key]


def emf(picture: Picture) -> bytes:
    """The drawing as the bytes of an EMF file; equal drawings give equal bytes."""
    out = _Records()
    out.add(18, struct.pack("<I", 1))  # what is behind a text shows through
    out.add(22, struct.pack("<I", 24))  # texts stand on their baseline
    for mark in picture.marks:
        match mark:
            case Shape():
                _shape(out, mark)
            case Disc():
                _pen(out, mark.ink)
                _brush(out, mark.ink)
                x, y, r = mark.x, mark.y, mark.r
                box = (_u(x - r), _u(y - r), _u(x + r), _u(y + r))
                out.add(42, struct.pack("<4i", *box))
            case Words():
                _words(out, mark)
    out.add(14, struct.pack("<III", 0, 16, 20))
    return _header(picture, out) + b"".join(out.parts)


def _header(picture: Picture, out: _Records) -> bytes:
    wide, tall = _u(picture.width), _u(picture.height)
    size = 108 + sum(map(len, out.parts))
    box = struct.pack("<4i", 0, 0, wide, tall)
    facts = struct.pack(
        "<IIIIHHIII", 0x464D4520, 0x10000, size, len(out.parts) + 1, len(out.objects) + 1, 0,
        0, 0, 0,
    )  # fmt: skip
    device = struct.pack("<4i", 21000, 29700, 210, 297)
    more = struct.pack("<III2i", 0, 0, 0, 210_000, 297_000)
    return struct.pack("<II", 1, 108) + box + box + facts + device + more


def _shape(out: _Records, mark: Shape) -> None:
    _pen(out, mark.ink)
    if mark.closed:
        _brush(out, mark.ink)
        _points(out, 3, mark.points)
        return
    for part in _dashes(mark.points, mark.ink.dash):
        _points(out, 4, part)


def _points(out: _Records, kind: int, points: Points) -> None:
    xs, ys = [_u(x) for x, _ in points], [_u(y) for _, y in points]
    body = struct.pack("<4iI", min(xs), min(ys), max(xs), max(ys), len(points))
    flat = [n for pair in zip(xs, ys, strict=True) for n in pair]
    out.add(kind, body + struct.pack(f"<{len(flat)}i", *flat))


def _dashes(points: Points, dash: tuple[float, ...]) -> Iterator[Points]:
    """A line as the pieces that are drawn: a metafile's own dashes are all of one length."""
    if len(dash) < 2:
        yield points
        return
    for (x0, y0), (x1, y1) in pairwise(points):
        length, at, on = math.hypot(x1 - x0, y1 - y0), 0.0, 0
        while at < length:
            end = min(length, at + dash[on % len(dash)])
            if on % 2 == 0:
                a, b = at / length, end / length
                yield (
                    (x0 + a * (x1 - x0), y0 + a * (y1 - y0)),
                    (x0 + b * (x1 - x0), y0 + b * (y1 - y0)),
                )
            at, on = end, on + 1


def _pen(out: _Records, ink: Ink) -> None:
    if not ink.stroke:
        out.choose("pen", _NO_PEN)
        return
    wide = max(1, _u(ink.width))
    body = struct.pack("<IiiI", 0, wide, 0, _rgb(ink.stroke))
    out.choose("pen", out.made(("pen", ink.stroke, wide), 38, body))


def _brush(out: _Records, ink: Ink) -> None:
    if not ink.fill:
        out.choose("brush", _NO_BRUSH)
        return
    body = struct.pack("<III", 0, _rgb(ink.fill), 0)
    out.choose("brush", out.made(("brush", ink.fill), 39, body))


def _words(out: _Records, mark: Words) -> None:
    text = mark.text
    if not text.strip():
        return
    out.choose("font", _font(out, mark))
    if out.colour != mark.colour:
        out.colour = mark.colour
        out.add(24, struct.pack("<I", _rgb(mark.colour)))
    letters = text.encode("utf-16-le")
    n = len(letters) // 2
    padded = letters + b"\0" * (-len(letters) % 4)
    x, y = _u(mark.x), _u(mark.y)
    box = (x, y - _u(mark.size), x + _u(mark.length), y + _u(mark.size / 4))
    body = struct.pack("<4iIff", *box, 1, 1.0, 1.0)
    body += struct.pack("<iiIII4iI", x, y, n, 76, 0, 0, 0, -1, -1, 76 + len(padded))
    out.add(84, body + padded + struct.pack(f"<{n}I", *_advances(mark, n)))


def _advances(mark: Words, n: int) -> list[int]:
    """How far each letter goes: rounded along the line, so that nothing adds up."""
    face = {(0, 0): REGULAR, (1, 0): BOLD, (0, 1): ITALIC, (1, 1): BOLD_ITALIC}[
        mark.bold, mark.italic
    ]
    ends, at = [], 0.0
    for letter in mark.text:
        at += width(letter, face, mark.size)
        ends.append(_u(at))
    steps = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    return steps + [0] * (n - len(steps))  # letters outside of the basic plane are two


def _font(out: _Records, mark: Words) -> int:
    tall, turned = -_u(mark.size), round(mark.turned * 10)
    key = ("font", tall, mark.bold, mark.italic, turned)
    body = struct.pack(
        "<5i8B", tall, 0, turned, turned, 700 if mark.bold else 400, int(mark.italic), 0, 0, 1,
        0, 0, 0, 0x12,
    )  # fmt: skip
    body += FACE.encode("utf-16-le").ljust(64, b"\0")
    return out.made(key, 82, body.ljust(320, b"\0"))


def _u(points: float) -> int:
    return round(points * _UNIT)


def _rgb(colour: str) -> int:
    red, green, blue = bytes.fromhex(colour[1:])
    return red | green << 8 | blue << 16
