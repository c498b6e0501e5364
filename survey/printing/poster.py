"""The poster A4, the desk stand A5 and sheets of stickers, drawn on one canvas as PDF."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any, BinaryIO

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, A5
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from analysis.report.faces import BOLD, REGULAR, balanced, fill, plain, register, width
from survey.counter.signs import Sign
from survey.printing import qr
from survey.text import t

BLUE, WHITE, GREY = HexColor("#0B4A7F"), HexColor("#FFFFFF"), HexColor("#4A4A4A")
SIZES = ("a4", "a5", "stickers")
#: Stickers: the common sheet of 24 labels, 70 × 37 mm.
ACROSS, DOWN, LABEL_W, LABEL_H = 3, 8, 70.0, 37.0
#: The longest name that is printed; what is longer ends in "…".
LONGEST_NAME = 160
_ONE_AT_A_TIME = threading.Lock()  # reportlab keeps its settings in modules


def write(signs: Iterable[Sign], size: str, file: BinaryIO) -> int:
    """Print one page for each sign (``stickers``: 24 labels for each counter); the pages.

    Signs are taken one by one, and equal signs give equal bytes.  A sheet of stickers holds one
    label for each dossier, in the order given.

    Raises ValueError for an unknown size, or an address too long for a code.
    """
    if size not in SIZES:
        raise ValueError(size)
    register()
    with _ONE_AT_A_TIME:
        canvas = Canvas(
            file, pagesize=A5 if size == "a5" else A4, pdfVersion=(1, 4), lang="vi-VN",
            invariant=1, initialFontName=REGULAR, pageCompression=1,
        )  # fmt: skip
        canvas.setTitle(t("poster.title"))
        canvas.setAuthor("SIPAS")
        canvas.setSubject(t("poster.title"))
        if size == "stickers":
            _sheets(canvas, signs)
        else:
            scale = 148 / 210 if size == "a5" else 1.0
            head = (A5 if size == "a5" else A4)[1] - 297 * mm * scale
            for sign in signs:
                canvas.translate(0, head)  # A5 is a hair higher than the scaled A4
                _Board(canvas, scale).draw(sign)
                canvas.showPage()
        pages = int(canvas.getPageNumber()) - 1
        canvas.save()
    return pages


class _Board:
    """One page measured in millimetres of A4 from its upper left corner, scaled to the paper."""

    W, H, MARGIN = 210.0, 297.0, 14.0

    def __init__(self, canvas: Any, scale: float) -> None:
        self.canvas, self.unit, self.scale = canvas, scale * mm, scale

    def draw(self, sign: Sign) -> None:
        """Everything, from the head band to the counter's number."""
        self._band(sign)
        self._question(sign.language)
        self._code(sign)
        self._steps(sign)
        self._foot(sign)

    def _band(self, sign: Sign) -> None:
        c = self.canvas
        c.setFillColor(BLUE)
        c.rect(0, (self.H - 27) * self.unit, self.W * self.unit, 27 * self.unit, 0, 1)
        room = (self.W - 2 * self.MARGIN) / 210 * A4[0]
        lines, size = fitted(plain(sign.office, LONGEST_NAME).upper(), BOLD, (19, 16, 13.5), room)
        step = size * 0.43
        y = 13.5 + size * 0.12 - (len(lines) - 1) * step / 2
        for line in lines:
            self.ink(line, self.W / 2, y, BOLD, size, WHITE)
            y += step

    def _question(self, language: str) -> None:
        self.ink(t("poster.ask", language), self.W / 2, 44, BOLD, 38)
        self.ink(t("poster.ask2", language), self.W / 2, 60, BOLD, 38)
        for level in range(1, 6):
            self._face(self.W / 2 + (level - 3) * 25, 76.5, 9, level)
        self.ink(t("poster.worst", language), self.W / 2 - 50, 93, REGULAR, 14)
        self.ink(t("poster.best", language), self.W / 2 + 50, 93, REGULAR, 14)

    def _face(self, x: float, y: float, r: float, level: int) -> None:
        """One of five equal faces: the mouth alone carries the level, no colour does."""
        c, u = self.canvas, self.unit
        up = self.H - y
        c.setStrokeColor(BLUE)
        c.setLineWidth(2.6 * self.scale)
        c.circle(x * u, up * u, r * u, stroke=1, fill=0)
        c.setFillColor(BLUE)
        for side in (-0.34, 0.34):
            c.circle((x + side * r) * u, (up + 0.25 * r) * u, 0.11 * r * u, stroke=0, fill=1)
        bend, mouth = (level - 3) / 2 * 0.42 * r, up - 0.33 * r
        path = c.beginPath()
        path.moveTo((x - 0.46 * r) * u, (mouth + bend * 0.55) * u)
        path.curveTo(
            (x - 0.2 * r) * u, (mouth - bend * 0.75) * u,
            (x + 0.2 * r) * u, (mouth - bend * 0.75) * u,
            (x + 0.46 * r) * u, (mouth + bend * 0.55) * u,
        )  # fmt: skip
        c.setLineCap(1)
        c.drawPath(path, stroke=1, fill=0)
        c.setLineCap(0)

    def _code(self, sign: Sign) -> None:
        """The code, 90 mm on A4, four modules of white, a frame outside them."""
        c, u, side = self.canvas, self.unit, 90.0
        rows = qr.matrix(sign.link, "Q")
        quiet = side / len(rows) * qr.QUIET
        top = 98 + 12.5  # room for the white of the smallest code in use
        c.setStrokeColor(BLUE)
        c.setLineWidth(2.4 * self.scale)
        gap = quiet + 2
        c.roundRect(
            (self.W / 2 - side / 2 - gap) * u, (self.H - top - side - gap) * u,
            (side + 2 * gap) * u, (side + 2 * gap) * u, 4 * u, stroke=1, fill=0,
        )  # fmt: skip
        qr.draw(c, rows, (self.W / 2 - side / 2) * u, (self.H - top - side) * u, side * u)
        self.ink(t("poster.scan", sign.language), self.W / 2, 225, BOLD, 26, BLUE)
        words = t("poster.type", sign.language)
        room = (self.W - 2 * self.MARGIN) / 210 * A4[0]
        for size in (18, 16, 14, 13):
            if width(f"{words} {sign.short}", BOLD, size) <= room:
                break
        else:
            return  # an address that long is not typed
        left = self.W / 2 - width(f"{words} ", REGULAR, size) / 2 / mm
        left -= width(sign.short, BOLD, size) / 2 / mm
        self.ink(words, left, 234, REGULAR, size, align="l")
        left += width(f"{words} ", REGULAR, size) / mm
        self.ink(sign.short, left, 234, BOLD, size, align="l")

    def _steps(self, sign: Sign) -> None:
        facts = {"n": sign.asked, "minutes": sign.minutes}
        for n in (1, 2, 3):
            x = self.W / 2 + (n - 2) * 63 - 20
            self.canvas.setFillColor(BLUE)
            self.canvas.circle(
                x * self.unit, (self.H - 246.5) * self.unit, 6 * self.unit, stroke=0, fill=1
            )
            self.ink(str(n), x, 249, BOLD, 20, WHITE)
            self.ink(t(f"poster.step{n}", sign.language), x + 9, 245.2, BOLD, 16, align="l")
            said = t(f"poster.step{n}.how", sign.language, **facts)
            self.ink(said, x + 9, 251.4, REGULAR, 13, align="l")

    def _foot(self, sign: Sign) -> None:
        c, u = self.canvas, self.unit
        c.setStrokeColor(BLUE)
        c.setLineWidth(0.8 * self.scale)
        c.line(self.MARGIN * u, (self.H - 257) * u, (self.W - self.MARGIN) * u, (self.H - 257) * u)
        self.ink(t("poster.promise", sign.language), self.W / 2, 263.8, BOLD, 14)
        self.ink(t("poster.promise2", sign.language), self.W / 2, 270.2, REGULAR, 13.5)
        self.ink(t("poster.help", sign.language), self.W / 2, 276.2, REGULAR, 13.5)
        room = 86 / 210 * A4[0]
        lines, size = fitted(plain(sign.spot, LONGEST_NAME), BOLD, (20, 16, 13), room, most=2)
        for at, line in enumerate(reversed(lines)):
            self.ink(line, self.MARGIN, 291 - at * size * 0.42, BOLD, size, align="l")
        asks = t("poster.owner", sign.language, owner=plain(sign.owner, LONGEST_NAME))
        if sign.stamp:
            asks = sign.stamp
        if sign.owner or sign.stamp:
            lines, size = fitted(asks, REGULAR, (13,), room, most=2)
            for at, line in enumerate(reversed(lines)):
                right = self.W - self.MARGIN
                self.ink(line, right, 291 - at * size * 0.42, REGULAR, size, GREY, "r")

    def ink(
        self, text: str, x: float, y: float, face: str, size: float,
        color: Any = None, align: str = "c",
    ) -> None:  # fmt: skip
        """One line with its baseline at (x, y); ``size`` in points of A4."""
        c = self.canvas
        c.setFillGray(0)
        if color is not None:
            c.setFillColor(color)
        c.setFont(face, size * self.scale)
        place = {"l": c.drawString, "r": c.drawRightString, "c": c.drawCentredString}[align]
        place(x * self.unit, (self.H - y) * self.unit, text)


def _sheets(canvas: Any, signs: Iterable[Sign]) -> None:
    """Labels row by row; a counter fills a sheet of its own, dossiers follow one another."""
    taken = 0
    for sign in chain.from_iterable(map(_labels, signs)):
        if taken == ACROSS * DOWN:
            canvas.showPage()
            taken = 0
        row, column = divmod(taken, ACROSS)
        _label(canvas, sign, column * LABEL_W, 0.5 + row * LABEL_H)
        taken += 1
    if taken:
        canvas.showPage()


def _labels(sign: Sign) -> Iterable[Sign]:
    return repeat(sign, ACROSS * DOWN if "/m/" in sign.short else 1)


def _label(canvas: Any, sign: Sign, x: float, y: float) -> None:
    """One label: the code at the left, what to do with it at the right, 5 mm from every edge."""
    rows, side = qr.matrix(sign.link, "M"), 25.0
    quiet = side / len(rows) * qr.QUIET
    left, top = x + 5 + quiet / 2, 297 - y - (LABEL_H - side) / 2
    qr.draw(canvas, rows, left * mm, (top - side) * mm, side * mm)
    text = left + side + quiet
    room = (x + LABEL_W - 4 - text) * mm
    lines: list[tuple[str, str, float]] = []
    for words, face, size, most in (
        (t("poster.label", sign.language), BOLD, 10.5, 3),
        (t("poster.label.how", sign.language), REGULAR, 9, 2),
        (plain(sign.spot, 60), BOLD, 9, 1),
        (sign.stamp or plain(sign.office, 80), REGULAR, 8, 3),
    ):
        found, fit = fitted(words, face, (size, size - 0.5), room, most=most)
        lines += [(line, face, fit) for line in found if line]
    height = sum(size * 1.16 for _, _, size in lines)
    at = (297 - y - LABEL_H / 2) * mm + height / 2
    for line, face, size in lines:
        at -= size * 1.16
        canvas.setFont(face, size)
        canvas.setFillGray(0)
        canvas.drawString(text * mm, at + size * 0.28, line)


def fitted(
    text: str, face: str, sizes: tuple[float, ...], room: float, most: int = 3
) -> tuple[list[str], float]:
    """The lines of a text in the largest size that needs at most ``most``, and that size.

    What does not even fit in the smallest is cut and ends in "…": a name never runs off paper.
    """
    for size in sizes:
        lines = balanced(text, face, size, room)
        if len(lines) <= most and all(width(line, face, size) <= room for line in lines):
            return lines, size
    size = sizes[-1]
    lines = fill(text, face, size, room)[:most]
    last = lines[-1]
    while last and width(last + "…", face, size) > room:
        last = last[:-1]
    return [*lines[:-1], last.rstrip() + "…"], size
