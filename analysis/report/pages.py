"""The page of an official paper: A4, margins of the decree, numbered from its second page."""

from __future__ import annotations

from typing import Any, BinaryIO

from reportlab.lib.pagesizes import A4
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from analysis.report.faces import REGULAR
from analysis.report.ink import (
    BOTTOM,
    COLUMN,
    HEIGHT,
    LEFT,
    MM,
    RIGHT,
    TEXT,
    TOP,
    WIDE_BOTTOM,
    WIDE_SIDE,
    WIDTH,
)

#: Above the text, from the baseline of the page number to the first line's room.
_OVER = 6.5 * MM
WIDE = (HEIGHT, WIDTH)


class Numbered(BaseDocTemplate):  # type: ignore[misc]
    """Papers of PDF 1.4 with the same bytes each time.

    Each paper in it begins with the template "first", which bears no number, and goes on with
    "next"; on pages that lie on their side with "wide first" and "wide next".  ``stamp`` is
    called on every page.
    """

    def __init__(self, file: BinaryIO, *, title: str, author: str, subject: str) -> None:
        super().__init__(
            file,
            pagesize=A4,
            leftMargin=LEFT,
            rightMargin=RIGHT,
            topMargin=TOP,
            bottomMargin=BOTTOM,
            title=title,
            author=author,
            subject=subject,
            creator="SIPAS",
            lang="vi-VN",
            pdfVersion=(1, 4),
            invariant=1,
            initialFontName=REGULAR,
        )
        self.before = 0
        self.addPageTemplates(
            [
                PageTemplate("first", [self._frame()], onPage=self._first),
                PageTemplate("next", [self._frame()], onPage=self._next),
                PageTemplate("wide first", [_wide()], onPage=self._first, pagesize=WIDE),
                PageTemplate("wide next", [_wide()], onPage=self._next, pagesize=WIDE),
            ]
        )

    def stamp(self, canvas: Any) -> None:
        """Mark a page before anything is written on it."""

    def _frame(self) -> Frame:
        return Frame(LEFT, BOTTOM, TEXT, COLUMN, 0, 0, 0, 0)

    def _first(self, canvas: Any, _doc: Any) -> None:
        self.before = self.page - 1
        self.stamp(canvas)

    def _next(self, canvas: Any, _doc: Any) -> None:
        self.stamp(canvas)
        canvas.setFont(REGULAR, 14)
        canvas.setFillGray(0)
        number = str(self.page - self.before)
        x, y = LEFT + TEXT / 2, BOTTOM + COLUMN + _OVER
        if lies(canvas):
            x, y = WIDE[0] / 2, WIDE_BOTTOM + TEXT + _OVER
        canvas.drawCentredString(x, y, number)


def lies(canvas: Any) -> bool:
    """Whether the page under the pen lies on its side."""
    wide, tall = canvas._pagesize
    return bool(wide > tall)


def _wide() -> Frame:
    return Frame(WIDE_SIDE, WIDE_BOTTOM, COLUMN, TEXT, 0, 0, 0, 0)
