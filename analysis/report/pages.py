"""The page of an official paper: A4, margins of the decree, numbered from its second page."""

from __future__ import annotations

from typing import Any, BinaryIO

from reportlab.lib.pagesizes import A4
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from analysis.report.faces import REGULAR
from analysis.report.ink import BOTTOM, COLUMN, HEIGHT, LEFT, MM, RIGHT, TEXT, TOP


class Numbered(BaseDocTemplate):  # type: ignore[misc]
    """Papers of PDF 1.4 with the same bytes each time.

    Each paper in it begins with the template "first", which bears no number, and goes on with
    "next"; ``stamp`` is called on every page of both.
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
        canvas.drawCentredString(LEFT + TEXT / 2, HEIGHT - 13.5 * MM, number)
