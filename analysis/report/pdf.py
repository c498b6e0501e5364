"""Writes a report as PDF 1.4 to the layout of Nghị định 30/2020/NĐ-CP; the same bytes each time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    Paragraph,
)

from analysis.report import model
from analysis.report.bars import SharePlot, level_plots
from analysis.report.decree import (
    Drawing,
    Masthead,
    SignOff,
    addressed,
    annex,
    paragraph,
    sentence,
    title,
)
from analysis.report.ending import Ending, Method
from analysis.report.faces import BOLD, REGULAR, line, register
from analysis.report.figures import dot_plots
from analysis.report.ink import (
    BODY,
    COLUMN,
    HEAD_1,
    HEAD_2,
    HEIGHT,
    LEFT,
    MM,
    NOTE_APART,
    TEXT,
    VOICE,
    WARNING,
    WIDTH,
)
from analysis.report.pages import Numbered, lies
from analysis.report.tables import Grid
from analysis.report.trends import SpotPlot, TrendPlot

STAMP = "DỮ LIỆU MÔ PHỎNG"
_ROLES = {"body": BODY, "note": NOTE_APART, "voice": VOICE, "warning": WARNING}
ONE_AT_A_TIME = threading.Lock()  # reportlab keeps its settings in modules


def write(
    report: model.Report, file: BinaryIO, tell: Callable[[int, int], None] | None = None
) -> int:
    """Print ``report`` into ``file``; the number of pages.

    Equal reports give equal bytes: the only date inside is the report's own.  ``tell`` hears how
    many pieces are set, and of how many.
    """
    register()
    with ONE_AT_A_TIME:
        paper = Paper(report, file)
        if tell:
            paper.setProgressCallBack(_progress(tell))
        paper.build(_kept(_story(report.blocks)))
        return int(paper.page)


def _progress(tell: Callable[[int, int], None]) -> Callable[[str, int], None]:
    """What reportlab says of its progress, as two numbers."""
    whole = 1

    def hear(what: str, value: int) -> None:
        nonlocal whole
        if what == "SIZE_EST":
            whole = max(value, 1)
        elif what == "PROGRESS":
            tell(min(value, whole), whole)

    return hear


def _story(blocks: tuple[model.Block, ...]) -> list[Flowable]:
    """Everything in its order; where pages turn, the next one begins with the other size."""
    out: list[Flowable] = []
    pages, turned = "", False
    for block in blocks:
        match block:
            case model.Turn():
                pages, turned = "wide " if block.landscape else "", True
                continue
            case model.Annex():
                flow = annex(block, pages)
            case model.PageBreak() if turned:
                flow = []
            case _:
                flow = _flow(block, wide=bool(pages))
        if turned and not isinstance(block, model.Annex):
            out += [NextPageTemplate(f"{pages}next"), PageBreak()]
        turned = False
        out += map(_middle, flow) if pages else flow
    return out


def _middle(flowable: Flowable) -> Flowable:
    """What is drawn for an upright page, in the middle of a wide one and no taller than it."""
    if isinstance(flowable, Drawing) and not isinstance(flowable, Grid):
        return Fitted(flowable) if flowable.height > TEXT else _centred(flowable)
    return flowable


def _centred(flowable: Flowable) -> Flowable:
    flowable.hAlign = "CENTER"
    return flowable


class Fitted(Drawing):
    """A drawing made small enough for a page that lies on its side."""

    def __init__(self, inner: Drawing) -> None:
        self.inner, self.part = inner, (TEXT - 1) / inner.height
        super().__init__(TEXT - 1)
        self.width, self.hAlign = inner.width * self.part, "CENTER"

    def draw(self) -> None:
        """The drawing, smaller."""
        self.canv.scale(self.part, self.part)
        self.inner.drawOn(self.canv, 0, 0)


def _flow(block: model.Block, *, wide: bool = False) -> list[Flowable]:
    """What a block looks like; one line a kind of block."""
    match block:
        case model.Masthead():
            return [NextPageTemplate("next"), Masthead(block)]
        case model.Title():
            return title(block)
        case model.Addressed():
            return addressed(block)
        case model.Heading():
            return [sentence(block.text, HEAD_1 if block.level == 1 else HEAD_2)]
        case model.Paragraph():
            return [paragraph(block.runs, _ROLES[block.role], foreign=block.role == "voice")]
        case model.Table():
            return [Grid(block, COLUMN, TEXT) if wide else Grid(block)]
        case model.DotChart():
            return [*dot_plots(block)]
        case model.LevelBars():
            return [*level_plots(block)]
        case model.ShareBars():
            return [SharePlot(block)]
        case model.MethodBox():
            return [Method.of(block)]
        case model.SignOff():
            return [SignOff(block)]
        case model.Annex():
            return annex(block)
        case model.PageBreak():
            return [PageBreak()]
        case model.TrendChart():
            return [TrendPlot(block)]
        case model.Scatter():
            return [SpotPlot(block)]
        case model.Turn():
            return []


def _kept(flow: list[Flowable]) -> list[Flowable]:
    """Headings stay with what follows, the signature with the sentence and the box before it.

    One flat KeepTogether each: a KeepTogether inside another always splits.
    """
    out: list[Flowable] = []
    group: list[Flowable] = []
    for flowable in _ended(flow):
        group.append(flowable)
        if not (isinstance(flowable, Paragraph) and flowable.style in (HEAD_1, HEAD_2)):
            out += _together(group)
            group = []
    return out + group


def _ended(flow: list[Flowable]) -> list[Flowable]:
    """Method box, sentence and signature, where they follow each other, as one ending."""
    out: list[Flowable] = []
    for flowable in flow:
        out.append(flowable)
        if isinstance(flowable, SignOff):
            match out[-3:]:
                case [Method() as box, Paragraph() as closing, SignOff() as sign]:
                    out[-3:] = [Ending(box, closing, sign)]
                case [*_, Paragraph() as closing, SignOff() as sign]:
                    out[-2:] = [KeepTogether([closing, sign])]
    return out


def _together(group: list[Flowable]) -> list[Flowable]:
    """A group on one page; of a table or box that may be parted only its beginning."""
    *heads, last = group
    if not heads:
        return group
    if not isinstance(last, Grid | Method | Ending):
        return [KeepTogether(group)]
    room = sum(head.wrap(TEXT, COLUMN)[1] + head.getSpaceBefore() for head in heads)
    deep = last.deep if isinstance(last, Grid) else COLUMN
    return [CondPageBreak(min(deep, room + last.getSpaceBefore() + last.least)), *group]


class Paper(Numbered):
    """A report: an outline of its headings, and the stamp of synthetic data when needed."""

    def __init__(self, report: model.Report, file: BinaryIO) -> None:
        super().__init__(
            file,
            title=line(report.title),
            author=line(report.author),
            subject="Chỉ số hài lòng của người dân (SIPAS)",
        )
        self.synthetic, self.marks = report.synthetic, 0

    def stamp(self, canvas: Any) -> None:
        """Diagonal for the eye; a plain line in the bottom margin for search and readers aloud."""
        if not self.synthetic:
            return
        canvas.saveState()
        canvas.translate(WIDTH / 2, HEIGHT / 2)
        middle, foot = LEFT + TEXT / 2, 11 * MM
        if lies(canvas):
            canvas.translate((HEIGHT - WIDTH) / 2, (WIDTH - HEIGHT) / 2)
            middle, foot = HEIGHT / 2, 7 * MM
        canvas.rotate(38 if lies(canvas) else 52)
        canvas.setFillGray(0.93)
        canvas.setFont(BOLD, 60)
        canvas.drawCentredString(0, -20, STAMP)
        canvas.restoreState()
        canvas.setFont(REGULAR, 8)
        canvas.setFillGray(0.35)
        canvas.drawCentredString(middle, foot, STAMP)
        canvas.setFillGray(0)

    def afterFlowable(self, flowable: Any) -> None:  # noqa: N802 (its name in reportlab)
        """Headings and annexes into the outline of the file."""
        for part in _headings(flowable):
            self.marks += 1
            key = f"h{self.marks}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(part.getPlainText(), key, int(part.style.name == "head2"))


def _headings(flowable: Any) -> Iterator[Any]:
    if isinstance(flowable, Paragraph) and flowable.style.name in {"head1", "head2", "annex"}:
        yield flowable
