"""The faces of forms: vendored Be Vietnam Pro, checked before use, and lines broken in them."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from analysis.report.faces import FontChangedError

FOLDER = Path(__file__).parent / "fonts"
PLAIN, MEDIUM, STRONG, BOLD = "Viet", "Viet-Medium", "Viet-SemiBold", "Viet-Bold"
FILES = {
    PLAIN: "BeVietnamPro-Regular.ttf",
    MEDIUM: "BeVietnamPro-Medium.ttf",
    STRONG: "BeVietnamPro-SemiBold.ttf",
    BOLD: "BeVietnamPro-Bold.ttf",
}
MM = 72 / 25.4
NO_BREAK = "\u00a0"
#: Printed for a letter that the faces do not have.
MISSING = "?"


@cache
def register() -> frozenset[int]:
    """Make the faces known to reportlab once; the code points that all of them can print.

    Raises FontChangedError when a file is not the one that the layout was measured with.
    """
    sums = (FOLDER / "SHA256SUMS").read_text("ascii").splitlines()
    wanted = {file: digest for digest, file in map(str.split, sums)}
    known: set[int] = set()
    for at, (name, file) in enumerate(FILES.items()):
        path = FOLDER / file
        if hashlib.sha256(path.read_bytes()).hexdigest() != wanted[file]:
            raise FontChangedError(file)
        font = TTFont(name, str(path))
        pdfmetrics.registerFont(font)
        letters = set(font.face.charToGlyph)
        known = known & letters if at else letters
    return frozenset(known)


def clean(text: str) -> str:
    """A text ready for print: NFC, single blanks, no letter that the faces lack."""
    known = register()
    whole = " ".join(unicodedata.normalize("NFC", text).split(" "))
    return "".join(c if ord(c) in known else " " if c.isspace() else MISSING for c in whole)


def width(text: str, face: str, size: float) -> float:
    """Width of a line in millimetres; ``size`` in points."""
    return float(pdfmetrics.stringWidth(text, face, size)) / MM


def fill(text: str, face: str, size: float, room: float) -> list[str]:
    """Greedy lines of at most ``room`` millimetres; a word wider than that has its own line.

    Words joined by a no-break blank stay together unless they alone are too wide.
    """
    lines, current = [], ""
    for word in _words(text, face, size, room):
        trial = f"{current} {word}" if current else word
        if not current or width(trial, face, size) <= room:
            current = trial
        else:
            lines.append(current)
            current = word
    lines.append(current)
    return [line.replace(NO_BREAK, " ") for line in lines]


def even(text: str, face: str, size: float, room: float) -> list[str]:
    """As few lines as ``fill`` needs, of about the same width: how a title is broken."""
    lines = fill(text, face, size, room)
    while room > 1 and len(narrower := fill(text, face, size, room - 1)) == len(lines):
        if any(width(line, face, size) > room for line in narrower):
            break
        room, lines = room - 1, narrower
    return lines


def _words(text: str, face: str, size: float, room: float) -> list[str]:
    words = []
    for word in text.split(" "):
        too_wide = NO_BREAK in word and width(word, face, size) > room
        words += word.split(NO_BREAK) if too_wide else [word]
    return words
