"""The parts a form is built of: questions, tables of answers, lists of choices, lines to write on.

Each part is measured before it is put, so nothing is ever parted that belongs together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from survey.printing.drawing import Align, Box, Disc, Ink, Line, Page, Text
from survey.printing.faces import BOLD, MEDIUM, NO_BREAK, PLAIN, STRONG, clean, fill, width

LEFT, RIGHT = 9.0, 201.0
BOTTOM = 281.0
ROOM = RIGHT - LEFT
#: Grey of explanations, of the digit inside a circle, of hairlines.
SOFT, DIGIT, HAIR = 0.22, 0.6, 0.7
#: Words of answers that are not parted unless a column is too narrow for them.
BOUND = ("hài lòng", "quan tâm", "theo dõi", "phù hợp", "mong muốn", "bình thường", "Bình thường")


@dataclass(frozen=True, slots=True)
class Edition:
    """The measures of one edition: type in points, everything else in millimetres."""

    name: str
    size: float = 9.2
    lead: float = 3.64
    small: float = 8.2
    small_lead: float = 3.4
    level: float = 7.5
    level_lead: float = 2.75
    radius: float = 2.4
    digit: float = 7.2
    row: float = 5.8
    option: float = 5.5
    pitch: float = 9.2  # of five and more columns of answers
    wide: float = 11.6  # of four and fewer
    number: float = 7.0  # column of the row's number

    @property
    def scale(self) -> float:
        """How much larger than the normal edition."""
        return self.size / 9.2


#: Each edition from its largest type to its smallest: the largest that needs the fewest pages.
EDITIONS: dict[str, tuple[Edition, ...]] = {
    "normal": (
        Edition("normal"),
        Edition("normal", 9.1, 3.56, 8.1, 3.32, row=5.7, option=5.4),
        Edition("normal", 9.0, 3.48, 8.0, 3.24, row=5.6, option=5.3),
        Edition("normal", 8.9, 3.42, 7.9, 3.18, row=5.5, option=5.2),
    ),
    "large": (
        Edition(
            "large", 11.4, 4.65, 10.2, 4.3, level=9.0, level_lead=3.35, radius=2.8, digit=8.0,
            row=7.2, option=6.8, pitch=11.2, wide=14.0, number=8.6,
        ),
        Edition(
            "large", 11.2, 4.55, 10.0, 4.2, level=9.0, level_lead=3.35, radius=2.8, digit=8.0,
            row=7.0, option=6.7, pitch=11.2, wide=14.0, number=8.6,
        ),
        Edition(
            "large", 11.0, 4.45, 9.8, 4.1, level=8.9, level_lead=3.3, radius=2.8, digit=8.0,
            row=6.8, option=6.6, pitch=11.2, wide=14.0, number=8.6,
        ),
    ),
}  # fmt: skip


class Answer(NamedTuple):
    """One place to mark: the digit printed in it, its stored code, the words beside it."""

    digit: str
    code: int
    label: str
    other: bool = False


class Run(NamedTuple):
    """Words of one look inside a line."""

    text: str
    face: str
    size: float
    gray: float


@dataclass(slots=True)
class Sheet:
    """The pages laid out so far and how far down the last one is filled."""

    edition: Edition
    heads: object  # callable(Page) -> float: draws a page's head, returns where the text begins
    pages: list[Page]
    y: float = 0.0

    @property
    def page(self) -> Page:
        """The page in hand."""
        return self.pages[-1]

    def turn(self) -> None:
        """Begin a new page."""
        self.pages.append(Page(len(self.pages) + 1))
        self.y = self.heads(self.page)  # type: ignore[operator]

    def room(self, height: float) -> bool:
        """Begin a new page if there is not so much room; whether one was begun."""
        if self.y + height <= BOTTOM:
            return False
        self.turn()
        return True

    def ink(self, *ink: Ink) -> None:
        """Put something on the page in hand."""
        self.page.ink.extend(ink)

    def text(
        self, x: float, y: float, text: str, face: str = PLAIN, size: float = 0.0,
        align: Align = "left", gray: float = 0.0,
    ) -> None:  # fmt: skip
        """Put one line; of the edition's size unless told otherwise."""
        self.ink(Text(x, y, text, face, size or self.edition.size, align, gray))

    def place(self, x: float, y: float, answer: Answer, field: str, *, several: bool) -> None:
        """Put one place to mark, and note it in the geometry."""
        self.ink(*spot(x, y, answer.digit, self.edition, several=several))
        self.page.answers.append(
            {
                "page": self.page.number,
                "field": field,
                "code": answer.code,
                "x": round(x, 3),
                "y": round(y, 3),
                "shape": "square" if several else "circle",
            }
        )

    def lines(self, field: str, x: float, y: float, right: float, count: int, step: float) -> None:
        """Put dotted lines to write on below ``y`` and note them in the geometry."""
        for at in range(count):
            self.dots(x, right, y + (at + 1) * step)
        self.page.texts.append(
            {
                "page": self.page.number,
                "field": field,
                "x": round(x, 3),
                "y": round(y, 3),
                "w": round(right - x, 3),
                "h": round(count * step + 1, 3),
            }
        )

    def dots(self, x0: float, x1: float, y: float) -> None:
        """Put one dotted line."""
        self.ink(Line(x0, y, x1, y, 0.6, 0.35, (0.4, 1.6)))


def spot(x: float, y: float, digit: str, edition: Edition, *, several: bool = False) -> list[Ink]:
    """A circle (choose one) or a square (choose several) with its pale digit."""
    r = edition.radius
    shape: Ink = Disc(x, y, r, fill=1, frame=0.15)
    if several:
        shape = Box(x - 0.92 * r, y - 0.92 * r, 1.84 * r, 1.84 * r, 1, 0.15, 0.85)
    drop = edition.digit * 0.128
    return [shape, Text(x, y + drop, digit, MEDIUM, edition.digit, "centre", DIGIT)]


def part(sheet: Sheet, title: str, need: float) -> None:
    """Put the black bar of a part, with at least ``need`` of what follows on its page."""
    e = sheet.edition
    height = 6.2 * e.scale
    sheet.room(height + 2 + need)
    sheet.y += 1.2
    base = sheet.y + height / 2 + 0.125 * 9.6 * e.scale
    sheet.ink(Box(LEFT, sheet.y, ROOM, height, 0.12))
    sheet.text(LEFT + 2.5, base, title, BOLD, 9.6 * e.scale, gray=1)
    sheet.y += height + 1.2


def tagged(tag: str, text: str, note: str, room: float, edition: Edition) -> list[list[Run]]:
    """The lines of a question: its number bold, its words semi-bold, its note small and grey."""
    runs = [Run(clean(tag) + ".", BOLD, edition.size, 0)] if tag else []
    runs += [Run(word, STRONG, edition.size, 0) for word in clean(text).split(" ") if word]
    runs += [Run(word, PLAIN, edition.small, SOFT) for word in clean(note).split(" ") if word]
    return wrapped(runs, room)


def spoken(text: str, note: str, room: float, edition: Edition) -> list[list[Run]]:
    """The lines of a statement with its explanation in smaller grey letters behind it."""
    main, small = clean(text), clean(note)
    if not small and len(main) > 95 and " (" in main and main.rstrip(".").endswith(")"):
        main, _, rest = main.partition(" (")
        small = f"({rest}"
    elif small:
        small = small if small.startswith("(") else f"({small})"
    runs = [Run(word, PLAIN, edition.size, 0) for word in main.split(" ")]
    runs += [Run(word, PLAIN, edition.small, SOFT) for word in small.split(" ") if word]
    return wrapped(runs, room)


def wrapped(words: Sequence[Run], room: float) -> list[list[Run]]:
    """Break words into lines of at most ``room``."""
    lines: list[list[Run]] = [[]]
    x = 0.0
    for word in words:
        w, blank = width(word.text, word.face, word.size), width(" ", word.face, word.size)
        if lines[-1] and x + blank + w > room:
            lines.append([])
            x = 0.0
        x += (blank if lines[-1] else 0.0) + w
        lines[-1].append(word)
    return lines


def put_line(sheet: Sheet, x: float, base: float, line: Sequence[Run]) -> None:
    """Put one line of words; words of one look as one text, so that it can be searched."""
    runs: list[Run] = []
    for word in line:
        if runs and runs[-1][1:] == word[1:]:
            runs[-1] = runs[-1]._replace(text=f"{runs[-1].text} {word.text}")
        else:
            runs.append(word)
    for at, run in enumerate(runs):
        text = run.text + (" " if at < len(runs) - 1 else "")
        sheet.text(x, base, text, run.face, run.size, gray=run.gray)
        x += width(text, run.face, run.size)


def put_lines(sheet: Sheet, x: float, y: float, lines: Sequence[Sequence[Run]]) -> float:
    """Put lines from ``y`` on down; where they end."""
    lead = sheet.edition.lead
    for line in lines:
        put_line(sheet, x, y + 0.76 * lead, line)
        y += lead
    return y


def note_lines(text: str, room: float, edition: Edition) -> list[str]:
    """The lines of a note in small letters."""
    return fill(clean(text), PLAIN, edition.small, room) if text else []


def put_note(sheet: Sheet, x: float, y: float, lines: Sequence[str]) -> float:
    """Put a note; where it ends."""
    e = sheet.edition
    for line in lines:
        sheet.text(x, y + 0.76 * e.small_lead, line, PLAIN, e.small, gray=SOFT)
        y += e.small_lead
    return y


def _bound(label: str) -> str:
    """An answer's words, those that belong together joined."""
    bound = clean(label)
    for words in BOUND:
        bound = bound.replace(words, words.replace(" ", NO_BREAK))
    return bound


def level_lines(label: str, pitch: float, edition: Edition) -> list[str]:
    """The lines of an answer's words above its column."""
    return fill(_bound(label), STRONG, edition.level, pitch - 1.1)


def pitch_of(labels: Sequence[str], edition: Edition) -> float:
    """How wide the columns of a table of answers are: as narrow as its words allow.

    Up to four columns leave room for words that belong together ("phù hợp"); five do not.
    """
    many = len(labels) > 4
    base, most = (edition.pitch, 4) if many else (edition.wide, 3)
    words = [word for label in labels for word in (clean if many else _bound)(label).split(" ")]
    widest = max(width(word, STRONG, edition.level) for word in words)
    base = max(base, widest + 1.15)
    for step in (0.0, 2.4, 4.8):
        if all(len(level_lines(label, base + step, edition)) <= most for label in labels):
            return base + step
    return base


def fits_table(labels: Sequence[str], edition: Edition) -> bool:
    """Whether words of answers are short enough to stand above columns."""
    pitch = pitch_of(labels, edition)
    lines = max(len(level_lines(label, pitch, edition)) for label in labels)
    return lines <= 4 and pitch * len(labels) <= ROOM / 2
