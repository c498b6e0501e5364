"""Writes a report for word processors: the layout of Nghị định 30/2020/NĐ-CP in real styles.

Word and LibreOffice open it and people edit it: headings are headings, tables are tables whose
head comes again on each page, charts are drawings with a text beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

from analysis.report import model
from analysis.report.decree import MOTTO, STATE
from analysis.report.emf import emf
from analysis.report.faces import BOLD, REGULAR, balanced, line, plain, register, width
from analysis.report.ink import COLUMN, LEFT_BLOCK, MM, RIGHT_BLOCK, TEXT
from analysis.report.numbers import day
from analysis.report.package import pack
from analysis.report.pens import Chart, pictures
from analysis.report.word import (
    BARE,
    BOXED,
    cell,
    nothing,
    paragraph,
    rule,
    run,
    runs,
    section,
    table,
    twips,
)

_ROLES = {"body": "BodyText", "note": "Note", "voice": "Voice", "warning": "Warning"}
_BAND = "EEF3F0"
WHOLE = 16  # tables of so many rows stay on one page
_PAD = 80  # twips left and right of a cell
_EMU = 12_700  # in a point


def write(report: model.Report, file: BinaryIO) -> None:
    """Write ``report`` into ``file``; equal reports give equal bytes."""
    register()
    text = _Text()
    body = "".join(text.story(report.blocks))
    pack(
        body, text.images, file, title=line(report.title), author=line(report.author),
        on=report.created, stamped=report.synthetic,
    )  # fmt: skip


class _Text:
    """The text as it grows: its drawings, and how the pages of the section under way lie."""

    def __init__(self) -> None:
        self.images: dict[str, bytes] = {}
        self.wide = False
        self.first = True  # the section under way begins a paper: no number on its first page
        self.numbers = count(1)

    def story(self, blocks: tuple[model.Block, ...]) -> Iterator[str]:
        """Everything in its order; a section ends where pages turn and where an annex begins."""
        turn: bool | None = None
        for place, block in enumerate(blocks):
            after = blocks[place + 1 : place + 3]
            match block:
                case model.Turn():
                    turn = block.landscape
                    continue
                case model.Annex():
                    yield self._section(self.wide if turn is None else turn, first=True)
                    yield from _annex(block)
                case model.PageBreak() if turn is not None:
                    yield self._section(turn, first=False)
                case _:
                    if turn is not None:
                        yield self._section(turn, first=False)
                    yield from self._block(block, after)
            turn = None
        yield section(self.wide, first=self.first, inside=False)

    def _section(self, wide: bool, *, first: bool) -> str:
        """End the section under way and begin one."""
        ended = section(self.wide, first=self.first, inside=True)
        self.wide, self.first = wide, first
        return ended

    def _block(self, block: model.Block, after: tuple[model.Block, ...]) -> Iterator[str]:
        """One block; a signature never stands alone: what is before it stays with it."""
        signed = any(isinstance(one, model.SignOff) for one in after)
        match block:
            case model.Masthead():
                yield _masthead(block)
            case model.Title():
                yield from _title(block)
            case model.Addressed():
                yield from _addressed(block)
            case model.Heading():
                yield paragraph(run(line(block.text)), f"Heading{min(block.level, 2)}")
            case model.Paragraph():
                foreign = block.role == "voice"
                said = "".join(
                    run(plain(r.text) if foreign else line(r.text), bold=r.bold, italic=r.italic)
                    for r in block.runs
                )
                held = isinstance(after[0] if after else None, model.SignOff)
                yield paragraph(said, _ROLES[block.role], held=held)
            case model.Table():
                yield from self._table(block)
            case model.MethodBox():
                yield _method(block, signed=signed)
            case model.SignOff():
                yield _sign_off(block)
            case model.PageBreak():
                yield '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
            case model.Annex() | model.Turn():
                pass
            case _:
                yield from self._figure(block)

    def _table(self, block: model.Table) -> Iterator[str]:
        if block.caption:
            yield paragraph(run(line(block.caption)), "Caption")
        if block.unit:
            yield paragraph(run(line(block.unit)), "Unit")
        room = COLUMN if self.wide else TEXT
        whole = sum(column.width for column in block.columns) * MM
        part = min(1.0, room / whole)
        widths = [round(twips(column.width * MM * part)) for column in block.columns]
        pads = _pads(block, widths)
        ends = _ends(block, widths)
        size = None if block.size == 11.5 else block.size
        heads = [
            cell(
                paragraph(runs(line(c.head), bold=True, size=size), "Cell", align="center"), w,
                fill=_BAND, bottom=6, pad=10,
            )
            for c, w in zip(block.columns, widths, strict=True)
        ]  # fmt: skip
        small = len(block.rows) <= WHOLE  # stays on one page; else its first rows stay together
        held = len(block.rows) - 1 if small else 1
        sizes = list(zip(widths, ends, pads, strict=True))
        last = len(block.rows) - (2 if block.note else 0)  # a note has rows above it
        rows = [
            _row(one, block, sizes, size, n < held or n >= last) for n, one in enumerate(block.rows)
        ]
        note = paragraph(run(line(block.note)), "Note") if block.note else ""
        if note and not small:  # inside, for a word processor would leave it alone on a page
            said = cell(note, sum(widths), top=8, span=len(widths), pad=0, last=True)
            rows.append(said)
        yield table(widths, heads, rows)
        yield note if note and small else nothing() if note else paragraph("", "Note")

    def _figure(self, chart: Chart) -> Iterator[str]:
        drawn = pictures(chart)
        for place, picture in enumerate(drawn):
            number = next(self.numbers)
            name = f"hinh{number}"
            self.images[name] = emf(picture)
            part = min(1.0, (TEXT if self.wide else COLUMN) * 0.92 / picture.height)
            size = int(picture.width * part * _EMU), int(picture.height * part * _EMU)
            yield paragraph(_drawing(name, number, size, line(chart.caption)), "Picture")
            more = " (tiếp theo)" if place else ""
            yield paragraph(run(line(chart.caption) + more), "FigureCaption")
        if chart.note:
            yield paragraph(run(line(chart.note)), "Note")


def _ends(block: model.Table, widths: list[int]) -> list[int]:
    """The room right of the numbers of a column, so that they stand as a block in its middle."""
    out = []
    for i, wide in enumerate(widths):
        face = BOLD if block.columns[i].bold else REGULAR
        texts = (row.cells[i] for row in block.rows if i < len(row.cells))
        longest = max((width(text, face, block.size) for text in texts), default=0.0)
        out.append(max(0, round((wide - 2 * _PAD - twips(longest)) / 2)))
    return out


def _pads(block: model.Table, widths: list[int]) -> list[int]:
    """Room beside the texts of a column: less where a date or a code would be parted."""
    out = []
    for i, wide in enumerate(widths):
        cells = (row.cells[i] for row in block.rows if i < len(row.cells))
        words = {word for cell in cells for word in plain(cell, 600).split()}
        longest = max((width(word, BOLD, block.size) for word in words), default=0.0)
        out.append(min(_PAD, max(1, int((wide - twips(longest)) / 2) - 4)))
    return out


def _row(
    one: model.Row, block: model.Table, sizes: list[tuple[int, int, int]], size: float | None,
    held: bool,
) -> str:  # fmt: skip
    """A row; ``held``: it stays on the page of the next one."""
    strong = one.weight != "plain"
    fill = _BAND if one.weight in {"sum", "group"} else ""
    top = 8 if one.rule or one.weight == "sum" else 4 if one.weight == "area" else 0
    cells = []
    for i, text in enumerate(one.cells):
        across = one.weight == "group" and i == 1
        column = block.columns[i]
        said = runs(plain(text, 600), bold=strong or column.bold, size=size)
        align = "left" if across else {"centre": "center"}.get(column.align, column.align)
        wide, end, pad = sizes[i]
        right = end if align == "right" else 0
        wide = sum(w for w, _, _ in sizes[1:]) if across else wide
        inner = paragraph(said, "Cell", align=align, right=right, held=held)
        span = len(sizes) - 1 if across else 1
        own = None if across or pad == _PAD else pad
        cells.append(cell(inner, wide, fill=fill, top=top, span=span, pad=own))
    return "".join(cells)


def _masthead(head: model.Masthead) -> str:
    """Two blocks without lines around; the rules under them are borders of their own length."""
    right_wide = round(twips(RIGHT_BLOCK + 2 * MM))  # a word processor rounds widths
    left_wide = round(twips(TEXT)) - right_wide
    room = LEFT_BLOCK - 5 * MM
    left = [
        paragraph(run(one, size=13), "Centre")
        for one in (balanced(line(head.parent), REGULAR, 13, room) if head.parent else [])
    ]
    agency = balanced(line(head.agency), BOLD, 13, room)
    left += [paragraph(run(one, bold=True, size=13), "Centre") for one in agency]
    left.append(rule(left_wide, max(width(one, BOLD, 13) for one in agency) * 0.42))
    right = [
        paragraph(run(STATE, bold=True, size=13), "Centre"),
        paragraph(run(MOTTO, bold=True, size=14), "Centre"),
        rule(right_wide, width(MOTTO, BOLD, 14)),
    ]
    dated = f"{head.place}, {day(head.on)}" if head.place else day(head.on)
    number = paragraph(run(line(head.number), size=13), "Centre")
    on = paragraph(run(line(dated), italic=True, size=14), "Centre")
    rows = [
        cell("".join(left), left_wide, pad=0) + cell("".join(right), right_wide, pad=0),
        cell(number, left_wide, pad=0) + cell(on, right_wide, pad=0),
    ]
    return table([left_wide, right_wide], [], rows, BARE) + paragraph("", "Centre")


def _title(head: model.Title) -> Iterator[str]:
    lines = [one for text in head.lines for one in balanced(line(text), BOLD, 14, TEXT - 2)]
    yield paragraph(run(line(head.kind)), "Title")
    for one in lines:
        yield paragraph(run(one), "Title")
    yield rule(round(twips(TEXT)), max(width(one, BOLD, 14) for one in lines) * 0.4)


def _addressed(block: model.Addressed) -> Iterator[str]:
    if len(block.to) == 1:
        yield paragraph(run(f"Kính gửi: {line(block.to[0])}"), "Title", plain_face=True)
        return
    yield paragraph(run("Kính gửi:"), "BodyText", left=round(twips(26 * MM)))
    last = len(block.to) - 1
    for i, who in enumerate(block.to):
        said = f"- {line(who)}{'.' if i == last else ';'}"
        yield paragraph(run(said), "BodyText", left=round(twips(56 * MM)))


def _method(box: model.MethodBox, *, signed: bool) -> str:
    """The box; its last two rows stay with a signature that follows."""
    key, rest = round(twips(34 * MM)), round(twips(TEXT - 34 * MM))
    rows = []
    for place, (name, value) in enumerate(box.rows):
        held = signed and place >= len(box.rows) - 2
        said = "".join(run(line(r.text), bold=r.bold, italic=r.italic) for r in value)
        left = cell(paragraph(run(line(name), bold=True), "Cell", held=held), key, fill=_BAND)
        rows.append(left + cell(paragraph(said, "Cell", align="both", held=held), rest))
    return table([key, rest], [], rows, BOXED)


def _sign_off(block: model.SignOff) -> str:
    left_wide, right_wide = round(twips(TEXT - 79 * MM)), round(twips(79 * MM))
    last = len(block.receivers) - 1
    left = paragraph(run("Nơi nhận:", bold=True, italic=True, size=12), "Receivers")
    for i, who in enumerate(block.receivers):
        left += paragraph(run(f"- {line(who)}{'.' if i == last else ';'}"), "Receivers")
    lines = [one for text in block.titles for one in balanced(line(text), BOLD, 14, 77 * MM)]
    right = "".join(paragraph(run(one, bold=True, size=14), "Centre") for one in lines)
    right += paragraph("", "Centre", before=round(twips(25 * MM)))  # for signature and seal
    right += paragraph(run(line(block.name), bold=True, size=14), "Centre")
    row = cell(left, left_wide, pad=0) + cell(right, right_wide, pad=0)
    gap = paragraph("", "Centre", held=True)
    return gap + table([left_wide, right_wide], [], [row], BARE)


def _annex(head: model.Annex) -> Iterator[str]:
    lines = [one for text in head.lines for one in balanced(line(text), BOLD, 14, TEXT - 2)]
    yield paragraph(run(line(head.name)), "AnnexTitle")
    for one in lines:
        yield paragraph(run(one), "Title")
    yield paragraph(run(f"({line(head.belongs)})"), "Belongs")
    yield rule(round(twips(TEXT)), max(width(one, BOLD, 14) for one in lines) * 0.4)


def _drawing(name: str, number: int, size: tuple[int, int], words: str) -> str:
    from html import escape

    wide, tall = size
    said = escape(words)
    return (
        '<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{wide}" cy="{tall}"/>'
        f'<wp:docPr id="{number}" name="{said}" descr="{said}"/><a:graphic>'
        '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
        f'<pic:nvPicPr><pic:cNvPr id="{number}" name="{name}.emf" descr="{said}"/><pic:cNvPicPr/>'
        f'</pic:nvPicPr><pic:blipFill><a:blip r:embed="{name}"/><a:stretch><a:fillRect/>'
        '</a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="{wide}" cy="{tall}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        "</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
