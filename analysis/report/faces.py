"""The faces of print and how lines break in them: vendored Tinos, foreign text made harmless."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache
from itertools import combinations
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent / "fonts"
REGULAR, BOLD, ITALIC, BOLD_ITALIC = "Tinos", "Tinos-Bold", "Tinos-Italic", "Tinos-BoldItalic"
FILES = {
    REGULAR: "Tinos-Regular.ttf",
    BOLD: "Tinos-Bold.ttf",
    ITALIC: "Tinos-Italic.ttf",
    BOLD_ITALIC: "Tinos-BoldItalic.ttf",
}
NO_BREAK = "\u00a0"
LONGEST_TEXT = 2000  # characters of one foreign text that are printed
LONGEST_WORD = 30  # letters; longer words are parted so that they fit every column
MISSING = "\u25a1"  # for letters the face does not have (emoji, other scripts)

#: Words of agencies' names that stay on one line.
BOUND = (
    "ỦY BAN NHÂN DÂN",
    "ỦY BAN",
    "NHÂN DÂN",
    "HÀNH CHÍNH CÔNG",
    "HÀNH CHÍNH",
    "PHỤC VỤ",
    "TRUNG TÂM",
    "CHI NHÁNH",
    "BƯU ĐIỆN",
    "NỘI VỤ",
    "TƯ PHÁP",
    "VIỆT NAM",
    "TỔNG CÔNG TY",
    "VĂN PHÒNG",
    "ĐĂNG KÝ",
    "ĐẤT ĐAI",
    "ĐẶC KHU",
)


class FontChangedError(RuntimeError):
    """A vendored font file is not the one that was measured."""


@cache
def register() -> frozenset[int]:
    """Make the faces known to reportlab once; the code points that all four can print.

    Raises FontChangedError when a file differs from its checksum: the layout is measured in
    these faces, and a broken font would print broken Vietnamese.
    """
    sums = {file: digest for digest, file in map(str.split, _sums().splitlines())}
    known: set[int] | None = None
    for name, file in FILES.items():
        path = FOLDER / file
        if hashlib.sha256(path.read_bytes()).hexdigest() != sums[file]:
            raise FontChangedError(file)
        font = TTFont(name, str(path))
        pdfmetrics.registerFont(font)
        letters = set(font.face.charToGlyph)
        known = letters if known is None else known & letters
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD_ITALIC
    )
    return frozenset(known or ())


def _sums() -> str:
    return (FOLDER / "SHA256SUMS").read_text("ascii")


class _Widths(dict[str, float]):
    """Widths of the letters of a face in thousandths of its size, looked up once each."""

    def __init__(self, face: str) -> None:
        super().__init__()
        held = pdfmetrics.getFont(face).face
        self.known, self.other = held.charWidths, held.defaultWidth

    def __missing__(self, letter: str) -> float:
        self[letter] = found = float(self.known.get(ord(letter), self.other))
        return found


@cache
def _widths(face: str) -> _Widths:
    return _Widths(face)


def width(text: str, face: str, size: float) -> float:
    """Width of a line in points."""
    return 0.001 * size * sum(map(_widths(face).__getitem__, text))


@cache
def _cleaner() -> re.Pattern[str]:
    """Characters that need a second look: everything outside plain Vietnamese print."""
    return re.compile("[^\u0020-\u007e\u00a0-\u024f\u1ea0-\u1ef9\u2010-\u201d\u2212\u2026]")


def line(text: str) -> str:
    """Our own words ready for print: NFC, no control characters, only letters the faces have."""
    text = unicodedata.normalize("NFC", text)
    if not _cleaner().search(text):
        return text
    known = register()
    return "".join(_printable(c, known) for c in text)


def _printable(char: str, known: frozenset[int]) -> str:
    if char == "\n":
        return char
    if char.isspace():
        return char if char == NO_BREAK else " "
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Mn", "Me"}:
        return ""
    return char if ord(char) in known else MISSING


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """Words from outside as one harmless paragraph.

    At most ``longest`` characters, words of at most LONGEST_WORD letters, one space between
    words, nothing invisible; ``<``, ``&`` and the rest stay the characters they are.
    """
    text = text[: longest * 2]
    cut = " ".join(line(text).split())
    if len(cut) > longest or len(text) == longest * 2:
        cut = cut[:longest].rstrip() + "…"
    return " ".join(_parted(word) for word in cut.split(" "))


def _parted(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    step = LONGEST_WORD
    return " ".join(word[i : i + step] for i in range(0, len(word), step))


def fill(text: str, face: str, size: float, limit: float) -> list[str]:
    """Greedy lines of at most ``limit`` points; hand-made line ends are kept; ~20x a Paragraph."""
    out: list[str] = []
    for part in text.split("\n"):
        if width(part, face, size) <= limit:
            out.append(part.replace(NO_BREAK, " "))
            continue
        current = ""
        for word in part.split(" "):
            trial = f"{current} {word}" if current else word
            if not current or width(trial, face, size) <= limit:
                current = trial
            else:
                out.append(current.replace(NO_BREAK, " "))
                current = word
        out.append(current.replace(NO_BREAK, " "))
    return out


def balanced(text: str, face: str, size: float, limit: float) -> list[str]:
    """Fewest lines, then the most even: the way a typist breaks an agency's name.

    A longer first line reads better than a longer last one; BOUND words are never parted
    unless nothing else fits.
    """
    bound = text
    for phrase in BOUND:
        bound = bound.replace(phrase, phrase.replace(" ", NO_BREAK))
    for candidate in (bound, text):
        if lines := _even(candidate.split(" "), face, size, limit):
            return lines
    return fill(text, face, size, limit)


def _even(words: list[str], face: str, size: float, limit: float) -> list[str] | None:
    for count in range(1, min(len(words), 5 if len(words) < 25 else 1) + 1):
        best: tuple[float, list[str]] | None = None
        for cut in combinations(range(1, len(words)), count - 1):
            ends = zip((0, *cut), (*cut, len(words)), strict=True)
            lines = [" ".join(words[a:b]) for a, b in ends]
            sizes = [width(one, face, size) for one in lines]
            if max(sizes) <= limit:
                cost = max(sizes) - min(sizes) + (3 if sizes[-1] > sizes[0] else 0)
                if best is None or cost < best[0]:
                    best = (cost, lines)
        if best:
            return [one.replace(NO_BREAK, " ") for one in best[1]]
    return None
