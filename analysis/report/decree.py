"""The fixed parts of an official document: masthead, title, receivers, sign-off, annex heads.

Measures: Nghị định 30/2020/NĐ-CP, annex I; every one of them is read back in the tests.
"""

from __future__ import annotations

from typing import Any

from reportlab.platypus import Flowable, NextPageTemplate, PageBreak, Paragraph, Spacer
from reportlab.platypus.paraparser import ParaFrag

from analysis.report import model
from analysis.report.faces import (
    BOLD,
    BOLD_ITALIC,
    ITALIC,
    REGULAR,
    balanced,
    fill,
    line,
    plain,
    width,
)
from analysis.report.ink import (
    ANNEX,
    BELONGS,
    INK,
    LEFT_AXIS,
    LEFT_BLOCK,
    MM,
    RIGHT_AXIS,
    RULE,
    SIGN_AXIS,
    TEXT,
    TITLE,
    TO,
)
from analysis.report.numbers import day

STATE = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
_FACES = {
    (False, False): REGULAR,
    (True, False): BOLD,
    (False, True): ITALIC,
    (True, True): BOLD_ITALIC,
}


def paragraph(runs: tuple[model.Run, ...], style: Any, *, foreign: bool = False) -> Paragraph:
    """A Paragraph built from fragments: no markup is ever parsed, so none can be smuggled in."""
    return Paragraph("", style, frags=[_fragment(run, style, foreign) for run in runs])


def _fragment(run: model.Run, style: Any, foreign: bool) -> ParaFrag:
    slanted = run.italic or style.fontName in {ITALIC, BOLD_ITALIC}
    strong = run.bold or style.fontName in {BOLD, BOLD_ITALIC}
    return ParaFrag(
        text=plain(run.text) if foreign else line(run.text),
        fontName=_FACES[strong, slanted],
        fontSize=style.fontSize,
        textColor=style.textColor,
        bold=int(strong),
        italic=int(slanted),
        rise=0,
        greek=0,
        link=[],
        us_lines=[],
    )


def sentence(text: str, style: Any) -> Paragraph:
    """A Paragraph of one face."""
    return paragraph((model.Run(text),), style)


class Drawing(Flowable):  # type: ignore[misc]
    """A flowable of known size that draws itself; texts by face, size and anchor."""

    def __init__(self, height: float) -> None:
        super().__init__()
        self.width, self.height = TEXT, height

    def wrap(self, *_: float) -> tuple[float, float]:
        """Size in points, whatever room there is."""
        return self.width, self.height

    def text(
        self,
        x: float,
        y: float,
        text: str,
        face: str = REGULAR,
        size: float = 10.5,
        *,
        anchor: str = "left",
        colour: Any = INK,
    ) -> None:
        """One line of text with its baseline at ``y``."""
        canvas = self.canv
        canvas.setFont(face, size)
        canvas.setFillColor(colour)
        draw = {
            "left": canvas.drawString,
            "right": canvas.drawRightString,
            "centre": canvas.drawCentredString,
        }[anchor]
        draw(x, y, line(text))

    def rule(self, x0: float, x1: float, y: float, weight: float, colour: Any = INK) -> None:
        """A level line."""
        self.canv.setStrokeColor(colour)
        self.canv.setLineWidth(weight)
        self.canv.line(x0, y, x1, y)


class Masthead(Drawing):
    """State and motto right, agencies left, number and date on one line under the longer block."""

    STEP = 15.5

    def __init__(self, head: model.Masthead) -> None:
        self.head = head
        room = LEFT_BLOCK - 3 * MM
        self.parent = balanced(line(head.parent), REGULAR, 13, room) if head.parent else []
        self.agency = balanced(line(head.agency), BOLD, 13, room)
        rows = max(len(self.parent) + len(self.agency), 2)
        self.meta = 10.5 + self.STEP * (rows - 1) + 27  # baseline of number and date
        super().__init__(self.meta + 4)

    def draw(self) -> None:
        """Both blocks, their rules, number and date."""
        y = top = self.height - 10.5
        for face, lines in ((REGULAR, self.parent), (BOLD, self.agency)):
            for one in lines:
                self.text(LEFT_AXIS, y, one, face, 13, anchor="centre")
                y -= self.STEP
        half = max(width(one, BOLD, 13) for one in self.agency) * 0.42 / 2
        self.rule(LEFT_AXIS - half, LEFT_AXIS + half, y + self.STEP - 6, RULE)
        self.text(RIGHT_AXIS, top, STATE, BOLD, 13, anchor="centre")
        self.text(RIGHT_AXIS, top - 16.5, MOTTO, BOLD, 14, anchor="centre")
        half = width(MOTTO, BOLD, 14) / 2
        self.rule(RIGHT_AXIS - half, RIGHT_AXIS + half, top - 16.5 - 6, RULE)
        y = self.height - self.meta
        self.text(LEFT_AXIS, y, self.head.number, REGULAR, 13, anchor="centre")
        dated = f"{self.head.place}, {day(self.head.on)}" if self.head.place else day(self.head.on)
        size = next(s for s in (14, 13.5, 13) if s == 13 or width(dated, ITALIC, s) < 92 * MM)
        self.text(RIGHT_AXIS, y, dated, ITALIC, size, anchor="centre")


class CentreRule(Drawing):
    """The rule of 1/3 to 1/2 of the text above it."""

    def __init__(self, longest: float) -> None:
        super().__init__(6)
        self.length = longest * 0.4

    def draw(self) -> None:
        """Centred on the text, not on the paper."""
        self.rule((TEXT - self.length) / 2, (TEXT + self.length) / 2, 2.5, RULE)


def _by_sense(lines: tuple[str, ...]) -> list[str]:
    """Lines as they were broken by hand; only one too long is broken again, evenly."""
    out: list[str] = []
    for one in lines:
        out += balanced(line(one), BOLD, 14, TEXT - 2)
    return out


def title(head: model.Title) -> list[Flowable]:
    """Kind of document, subject (trích yếu), rule."""
    lines = _by_sense(head.lines)
    longest = max(width(one, BOLD, 14) for one in lines)
    return [
        Spacer(1, 16),
        *(sentence(one, TITLE) for one in (head.kind, *lines)),
        CentreRule(longest),
        Spacer(1, 4),
    ]


class Receivers(Drawing):
    """Kính gửi with several receivers, each on lines of its own."""

    def __init__(self, to: tuple[str, ...]) -> None:
        last = len(to) - 1
        self.left = 56 * MM
        self.lines: list[tuple[float, str]] = []
        for i, who in enumerate(to):
            text = f"- {who}{'.' if i == last else ';'}"
            for k, one in enumerate(fill(line(text), REGULAR, 14, TEXT - self.left)):
                self.lines.append((self.left + (8 if k else 0), one))
        super().__init__(10 + 19.5 * (len(self.lines) + 1))

    def draw(self) -> None:
        """The address and, under it, the list."""
        y = self.height - 17.5
        self.text(30 * MM, y, "Kính gửi:", REGULAR, 14)
        for x, one in self.lines:
            y -= 19.5
            self.text(x, y, one, REGULAR, 14)


def addressed(block: model.Addressed) -> list[Flowable]:
    """Kính gửi: one receiver on the line, several below it."""
    if len(block.to) == 1:
        return [sentence(f"Kính gửi: {block.to[0]}", TO)]
    return [Receivers(block.to)]


class SignOff(Drawing):
    """Nơi nhận at the left; authority, position and name at the right; never split."""

    ROOM = 27 * MM  # for signature and seal

    def __init__(self, block: model.SignOff) -> None:
        self.block = block
        self.lines: list[tuple[float, str]] = []
        last = len(block.receivers) - 1
        for i, who in enumerate(block.receivers):
            text = f"- {who}{'.' if i == last else ';'}"
            for k, one in enumerate(fill(line(text), REGULAR, 11, 84 * MM)):
                self.lines.append((5 if k else 0, one))
        self.titles = [part for t in block.titles for part in balanced(line(t), BOLD, 14, 79 * MM)]
        left = 16 + 13 * len(self.lines)
        right = 16.5 * len(self.titles) + self.ROOM + 18
        super().__init__(14 + max(left, right) + 2)

    def draw(self) -> None:
        """Both halves on one first baseline."""
        y = top = self.height - 26
        self.text(0, y, "Nơi nhận:", BOLD_ITALIC, 12)
        for x, one in self.lines:
            y -= 13
            self.text(x, y, one, REGULAR, 11)
        y = top
        for one in self.titles:
            self.text(SIGN_AXIS, y, one, BOLD, 14, anchor="centre")
            y -= 16.5
        self.text(SIGN_AXIS, y - self.ROOM, self.block.name, BOLD, 14, anchor="centre")


def annex(head: model.Annex, pages: str = "") -> list[Flowable]:
    """A new page that counts from 1, the annex's number, title and whose annex it is.

    ``pages``: "wide " for one that lies on its side.
    """
    lines = _by_sense(head.lines)
    belongs = balanced(line(f"({head.belongs})"), ITALIC, 13, TEXT - 2)
    return [
        NextPageTemplate(f"{pages}first"),
        PageBreak(),
        NextPageTemplate(f"{pages}next"),
        sentence(head.name, ANNEX),
        *(sentence(one, TITLE) for one in lines),
        *(sentence(one, BELONGS) for one in belongs),
        Spacer(1, 4),
        CentreRule(max(width(one, BOLD, 14) for one in lines)),
        Spacer(1, 4),
    ]
