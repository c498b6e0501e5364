"""QR codes as runs of dark modules: the matrix, and the matrix drawn on a canvas."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from reportlab.graphics.barcode.qrencoder import QR8bitByte, QRCode, QRErrorCorrectLevel

LEVELS = {
    "L": QRErrorCorrectLevel.L,
    "M": QRErrorCorrectLevel.M,
    "Q": QRErrorCorrectLevel.Q,
    "H": QRErrorCorrectLevel.H,
}
#: Modules of white around a code (ISO/IEC 18004).
QUIET = 4
#: Bytes of a code that is still read off a poster (version 10 at level Q).
LONGEST = 150


@lru_cache(maxsize=8)
def matrix(text: str, level: str) -> tuple[tuple[bool, ...], ...]:
    """The dark modules of the smallest code that holds an ASCII text.

    Raises ValueError for what is no ASCII or too long to be scanned well.
    """
    if not text.isascii() or not 0 < len(text) <= LONGEST:
        raise ValueError(f"no code for {len(text)} characters")
    code = QRCode(None, LEVELS[level])
    code.addData(QR8bitByte(text))
    code.make()
    return tuple(tuple(bool(cell) for cell in row) for row in code.modules)


def draw(canvas: Any, rows: tuple[tuple[bool, ...], ...], x: float, y: float, side: float) -> float:
    """Fill a code of ``side`` points with its lower left corner at (x, y); the module's size.

    One path of whole runs: rectangles of their own would show hairlines between them.
    """
    module = side / len(rows)
    path = canvas.beginPath()
    for down, row in enumerate(rows):
        at = 0
        while at < len(row):
            end = at
            while end < len(row) and row[end]:
                end += 1
            if end > at:
                top = y + side - down * module
                path.rect(x + at * module, top - module, (end - at) * module, module)
            at = end + 1
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)
    return module
