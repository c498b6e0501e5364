"""The household form: its pages for a questionnaire and an office, and their geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from forms.questionnaire import Questionnaire
from survey.printing import aruco, faces, form_layout
from survey.printing.drawing import EDGE, HEIGHT, MARK, WIDTH, Box, Disc, Line, Page, Text, corners
from survey.printing.faces import BOLD, MEDIUM, PLAIN, STRONG, clean, even, fill, width
from survey.printing.form_parts import (
    EDITIONS,
    LEFT,
    RIGHT,
    ROOM,
    Edition,
    Run,
    Sheet,
    put_lines,
    spot,
    wrapped,
)  # fmt: skip
from survey.text import t

__all__ = ["EDITIONS", "Issuer", "TooLongError", "geometry", "lay"]

#: Side of the QR code on the first page and on the others (0,66 and 0,40 mm a module).
FIRST_CODE, CODE = 19.0, 11.6
#: Where text begins beside the registration marks.
INSIDE = EDGE + MARK + 4
SEAL_GAP = 9.0


class TooLongError(ValueError):
    """A questionnaire that needs more pages than the registration marks can tell apart."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who asks: names as printed on the first page; ``synthetic`` forms say so on every page.

    ``stamp`` stands on every page in the place of that.
    """

    owner: str
    parent: str = ""
    synthetic: bool = False
    stamp: str = ""


@lru_cache(maxsize=16)
def lay(q: Questionnaire, issuer: Issuer, edition: str = "normal") -> tuple[Page, ...]:
    """The pages of the form; nothing of them depends on the case but serial number and code.

    Raises KeyError for an unknown edition, TooLongError for a questionnaire of too many pages.
    """
    return _laid(q, issuer, edition)[1]


def _laid(q: Questionnaire, issuer: Issuer, edition: str) -> tuple[Edition, tuple[Page, ...]]:
    """The pages in the largest type of the edition that needs the fewest of them."""
    faces.register()
    heads = [_Head(q, issuer, measures) for measures in EDITIONS[edition]]
    tried = [(head, form_layout.lay(q, head.edition, head.put)) for head in heads]
    head, pages = min(tried, key=lambda made: len(made[1]))  # of equals the first: the largest
    if len(pages) > aruco.PAGES:
        raise TooLongError(f"{q.key}: {len(pages)} pages")
    for page in pages:
        head.foot(page, len(pages))
    return head.edition, tuple(pages)


def geometry(q: Questionnaire, issuer: Issuer, edition: str = "normal") -> dict[str, object]:
    """Where everything stands that is read back, in millimetres from the upper left corner.

    ``answers``: page, field, code, x, y of the centre, shape; ``texts``: page, field, x, y, w, h;
    ``codes``: page, x, y, side of the QR codes.
    """
    pages = lay(q, issuer, edition)
    return {
        "unit": "mm",
        "page": [WIDTH, HEIGHT],
        "mark": {"side": MARK, "edge": EDGE},
        "pages": len(pages),
        "radius": EDITIONS[edition][0].radius,
        "answers": [answer for page in pages for answer in page.answers],
        "texts": [text for page in pages for text in page.texts],
        "codes": [
            {"page": page.number, "x": page.code[0], "y": page.code[1], "side": page.code[2]}
            for page in pages
        ],
    }


class _Head:
    """What stands on the top and at the foot of the pages."""

    def __init__(self, q: Questionnaire, issuer: Issuer, edition: Edition) -> None:
        self.q, self.issuer, self.edition = q, issuer, edition

    def put(self, page: Page) -> float:
        """Put the head of a page; where its text begins."""
        page.ink.extend(corners(page.number))
        side = FIRST_CODE if page.number == 1 else CODE
        left = WIDTH - INSIDE - side
        page.code = (left, EDGE if page.number == 1 else 6.5, side)
        if page.number > 1:
            return self._next(page)
        return self._promise(page, self._title(page, left))

    def foot(self, page: Page, pages: int) -> None:
        """Put serial number and page number between the lower marks."""
        size = 8.0 * min(self.edition.scale, 1.2)
        self._serial(page, INSIDE, HEIGHT - 10.2, size, MEDIUM)
        words = t("print.page", page=page.number, pages=pages)
        page.ink.append(Text(WIDTH - INSIDE, HEIGHT - 10.2, words, MEDIUM, size, "right"))
        if stamp := self.issuer.stamp or (t("ribbon") if self.issuer.synthetic else ""):
            page.ink.append(Text(WIDTH / 2, HEIGHT - 10.2, stamp, STRONG, size, "centre"))

    def _serial(self, page: Page, x: float, y: float, size: float, face: str) -> None:
        label = t("print.number") + " "
        page.ink.append(Text(x, y, label, face, size))
        page.serial.append((x + width(label, face, size), y, size))

    def _next(self, page: Page) -> float:
        words = f"{t('print.short')} {self._year()}  ·  "
        page.ink.append(Text(INSIDE, 12.8, words, MEDIUM, 9))
        self._serial(page, INSIDE + width(words, MEDIUM, 9), 12.8, 9, MEDIUM)
        return 19.9

    def _year(self) -> str:
        years = [word for word in self.q.title.split() if word.isdigit() and len(word) == 4]
        return years[-1] if years else ""

    def _title(self, page: Page, right: float) -> float:
        """Office, title and subject at the left, room for the seal, the number below the code."""
        seal = 34.0
        room = right - SEAL_GAP - seal - 3 - INSIDE
        y = 10.6
        for name, face, size in (
            (self.issuer.parent, PLAIN, 8.6), (self.issuer.owner, STRONG, 9.2),
        ):  # fmt: skip
            for line in fill(clean(name.upper()), face, size, room) if name else []:
                page.ink.append(Text(INSIDE, y, line, face, size))
                y += 3.9
        y += 3.6
        page.ink.append(Text(INSIDE, y, t("print.title"), BOLD, 16.5))
        y += 5.4
        for line in even(clean(self.q.title), MEDIUM, 10.2, room):
            page.ink.append(Text(INSIDE, y, line, MEDIUM, 10.2))
            y += 4.5
        x = right - SEAL_GAP - seal
        page.ink.append(Box(x, EDGE, seal, 23, None, 0.55, 0.5, 1.5, (1.2, 1.2)))
        page.ink.append(
            Text(x + seal / 2, EDGE + 12.4, t("print.seal"), PLAIN, 7.2, "centre", 0.45)
        )
        label = t("print.number") + " "
        size = 8.6
        start = right + FIRST_CODE / 2 - (width(label + "0000 0000", STRONG, size)) / 2
        page.ink.append(Text(start, EDGE + FIRST_CODE + 4.8, label, STRONG, size))
        page.serial.append((start + width(label, STRONG, size), EDGE + FIRST_CODE + 4.8, size))
        return max(y - 2.2, EDGE + 25.6)

    def _promise(self, page: Page, top: float) -> float:
        """The framed lines: thanks, the promise, how to mark."""
        e = self.edition
        sheet = Sheet(e, None, [page], top + 1.6)
        promise = t("print.promise")
        intro = self.q.intro.partition(". ")[0].rstrip(".") + "." if self.q.intro else ""
        words = clean(f"{intro} {promise}".strip()).split(" ")
        lines = wrapped([Run(word, PLAIN, e.size, 0) for word in words], ROOM - 6)
        sheet.y = put_lines(sheet, LEFT + 3, sheet.y, lines)
        middle = sheet.y + 0.9 * e.scale + e.radius + 0.7
        self._how(sheet, middle)
        base = middle + e.radius + 1.5 + 0.76 * e.lead
        kinds = t("print.one")
        if any(item.kind == "multiple" for item in self.q.items):
            kinds += "   " + t("print.several")
        sheet.text(LEFT + 3, base, kinds, MEDIUM)
        sheet.text(RIGHT - 3, base, t("print.pen"), PLAIN, 0, "right")
        end = base + 1.9 * e.scale
        page.ink.append(Box(LEFT, top, ROOM, end - top, None, 0.3, 0.7, 1.2))
        return end + 0.4

    def _how(self, sheet: Sheet, y: float) -> None:
        """Two right marks and a mended one, drawn as a pen would."""
        e, x = self.edition, LEFT + 3
        base, arm = y + 1.2 * e.scale, 0.72 * e.radius

        def say(text: str, face: str = PLAIN) -> None:
            nonlocal x
            sheet.text(x, base, text, face)
            x += width(text, face, e.size) + 1.8

        def ring() -> float:
            nonlocal x
            centre = x + e.radius
            sheet.ink(*spot(centre, y, "4", e))
            x = centre + e.radius + 1.8
            return centre

        say(t("print.how"), STRONG)
        at = ring()
        for sign in (-1, 1):
            sheet.ink(Line(at - arm, y - sign * arm, at + arm, y + sign * arm, 1.7))
        say(t("print.or"))
        sheet.ink(Disc(ring(), y, 0.8 * e.radius, fill=0))
        say(t("print.right"))
        x += 6 * e.scale
        say(t("print.mistake"))
        sheet.ink(Disc(ring() + 0.2, y, 1.2 * e.radius, fill=0))
        x += 0.6
        say(t("print.mend"))
