"""Writes a report as a workbook: every table with real numbers, and every figure with all digits.

Printed numbers become numbers again with the decimals they were printed with; texts stay texts,
whatever they begin with: nothing in a cell is ever a formula.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

from xlsxwriter import Workbook

from analysis.report import beside, csv, model
from analysis.report.faces import BOLD, REGULAR, fill, register
from analysis.report.ink import MM
from analysis.report.numbers import MINUS, NONE, day

STAMP = "DỮ LIỆU MÔ PHỎNG"
#: What a spreadsheet holds in one cell.
LONGEST = 32_000
LONGEST_NAME = 31  # of a sheet
_NUMBER = re.compile(rf"([+\-{MINUS}]?)(\d{{1,3}}(?:\.\d{{3}})*|\d+)(?:,(\d+))?(%?)( ○|\*)?")
_ABOUT = {
    "Báo cáo": "Lời văn của báo cáo",
    "Phương pháp": "Cách tính",
    "Số liệu": "Số liệu đủ mọi chữ số: tỷ lệ từ 0 đến 1",
}
_BAD = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LETTER = 1.9  # mm that one letter of a column takes


def write(report: model.Report, file: BinaryIO) -> None:
    """Write ``report`` into ``file``; equal reports give equal bytes."""
    register()
    held = io.BytesIO()
    with Workbook(held, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False, "default_date_format": "dd/mm/yyyy",
            "default_format_properties": {"font_name": "Times New Roman", "font_size": 11},
    }) as book:  # fmt: skip
        at = datetime(report.created.year, report.created.month, report.created.day, tzinfo=UTC)
        book.set_properties(
            {"title": report.title[:255], "author": report.author[:255], "created": at}
        )
        _Book(book, report).fill()
    file.write(held.getvalue())


class _Book:
    """The workbook as it grows."""

    def __init__(self, book: Workbook, report: model.Report) -> None:
        self.book, self.report = book, report
        self.names: set[str] = set()
        self.about: dict[str, str] = {}  # sheet -> what its table is called
        self.formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def fill(self) -> None:
        """What the report is, its tables and charts, its method, its figures with all digits."""
        self._front()
        contents = self._sheet("Mục lục", upright=True)
        place = title = ""
        number = 0
        for block in self.report.blocks:
            match block:
                case model.Annex():
                    place, title = block.name, f"{block.name}. {' '.join(block.lines)}"
                case model.Heading() if place:
                    place = title = block.text
                case model.Table():
                    number += 1
                    name = _short(block.caption) or place or f"Bảng {number}"
                    self._table(block, name, block.caption or title)
                case (
                    model.DotChart()
                    | model.LevelBars()
                    | model.ShareBars()
                    | model.TrendChart()
                    | model.Scatter()
                ):
                    table = beside.table(block)
                    self._table(table, _short(block.caption) or place, block.caption, block.note)
                case model.MethodBox():
                    self._method(block)
                case _:
                    pass
        self._figures()
        self._contents(contents)

    def _contents(self, sheet: Any) -> None:
        """Every sheet with what it is about, and a way to it."""
        sheet.set_column(0, 0, 32)
        sheet.set_column(1, 1, 90)
        row = self._stamp(sheet)
        look = self._format(font_color="#0c5148", underline=1)
        for one in self.book.worksheets():
            if one is not sheet:
                name = one.get_name()
                place = "internal:'" + name.replace("'", "''") + "'!A1"
                sheet.write_url(row, 0, place, look, name)
                sheet.write_string(row, 1, self.about.get(name, _ABOUT.get(name, "")))
                row += 1

    def _front(self) -> None:
        """The text of the report, a paragraph a row."""
        sheet = self._sheet("Báo cáo", upright=True)
        sheet.set_column(0, 0, 84)
        row = self._stamp(sheet)
        for text, kind in _said(self.report.blocks):
            bold = kind in {"title", "head"}
            look = self._format(
                bold=bold, italic=kind == "warning", text_wrap=True, valign="top",
                align="center" if kind == "title" else "left",
            )  # fmt: skip
            sheet.write_string(row, 0, clean(text), look)
            if len(text) > 90:  # LibreOffice opens a file with the heights that stand in it
                sheet.set_row(row, 15.5 * (1 + len(text) // 92))
            row += 1

    def _table(self, table: model.Table, name: str, caption: str = "", note: str = "") -> None:
        sheet = self._sheet(name, upright=sum(c.width for c in table.columns) <= 180)
        row = self._stamp(sheet)
        self.about[sheet.get_name()] = clean(caption or table.caption)
        for text, look in (
            (caption or table.caption, self._format(bold=True, font_size=13)),
            (table.unit, self._format(italic=True)),
        ):
            if text:
                sheet.write_string(row, 0, clean(text), look)
                row += 1
        head = self._format(
            bold=True, text_wrap=True, align="center", valign="vcenter", bg_color="#eef3f0",
            top=2, bottom=1,
        )  # fmt: skip
        for i, column in enumerate(table.columns):
            sheet.set_column(i, i, max(8, column.width / _LETTER))
            sheet.write_string(row, i, clean(column.head.replace("\n", " ")), head)
        lines = max(len(c.head) / max(8, c.width / _LETTER) for c in table.columns)
        sheet.set_row(row, 18 * (1 + min(4, int(lines * 1.2))))
        sheet.freeze_panes(row + 1, 0)
        sheet.repeat_rows(row)
        for one in table.rows:
            row += 1
            self._row(sheet, row, one, table.columns)
        if said := clean(note or table.note):
            look = self._format(italic=True, text_wrap=True, valign="top")
            last = len(table.columns) - 1
            if last:
                sheet.merge_range(row + 1, 0, row + 1, last, "", look)
            sheet.write_string(row + 1, 0, said, look)
            letters = sum(c.width for c in table.columns) / _LETTER * 1.2
            sheet.set_row(row + 1, 15.5 * (1 + int(len(said) / letters)))

    def _row(self, sheet: Any, row: int, one: model.Row, columns: tuple[model.Column, ...]) -> None:
        strong = one.weight != "plain"
        tint = {"bg_color": "#eef3f0"} if one.weight in {"sum", "group"} else {}
        lines = 1
        for i, cell in enumerate(one.cells):
            across = one.weight == "group" and i == 1
            align = "left" if across else columns[i].align
            look = {
                "bold": strong or columns[i].bold, "valign": "vcenter", "bottom": 1,
                "bottom_color": "#b4bfba", "indent": int(align == "left" and i > 0),
                "align": {"centre": "center"}.get(align, align), **tint,
            }  # fmt: skip
            number = parsed(cell) if align == "right" else None
            if number is not None:
                value, shape = number
                sheet.write_number(row, i, value, self._format(num_format=shape, **look))
                continue
            text = clean(cell)
            if across:
                if len(columns) > 2:
                    sheet.merge_range(row, 1, row, len(columns) - 1, "", self._format(**look))
                sheet.write_string(row, 1, text, self._format(**look))
                continue
            sheet.write_string(row, i, text, self._format(text_wrap=True, **look))
            room = max(8 * _LETTER, columns[i].width) * MM - 8
            lines = max(lines, len(fill(text, BOLD if look["bold"] else REGULAR, 11.3, room)))
        if lines > 1:
            sheet.set_row(row, 15.5 * min(lines, 26))

    def _method(self, box: model.MethodBox) -> None:
        sheet = self._sheet("Phương pháp", upright=True)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 90)
        row = self._stamp(sheet)
        for key, value in box.rows:
            text = "".join(run.text for run in value)
            look = self._format(text_wrap=True, valign="top")
            sheet.write_string(row, 0, clean(key), self._format(bold=True, valign="top"))
            sheet.write_string(row, 1, clean(text), look)
            sheet.set_row(row, 15.5 * (1 + len(text) // 88))
            row += 1

    def _figures(self) -> None:
        """Every figure with all its digits: shares 0..1, as the CSV has them."""
        result = self.report.source
        sheets = self.report.sheets
        if result is not None:
            rows = tuple(
                tuple(line.get(name) for name in csv.COLUMNS) for line in csv.lines(result)
            )
            sheets = (model.Sheet("Số liệu", csv.COLUMNS, rows), *sheets)
        for one in sheets:
            sheet = self._sheet(one.name)
            row = self._stamp(sheet)
            head = self._format(bold=True, bg_color="#eef3f0", bottom=1)
            for i, name in enumerate(one.columns):
                wide = max([len(name), *(len(str(cells[i] or "")) for cells in one.rows[:200])])
                sheet.set_column(i, i, min(max(8, wide + 1), 60))
                sheet.write_string(row, i, clean(name), head)
            sheet.freeze_panes(row + 1, 0)
            sheet.autofilter(row, 0, row + len(one.rows), max(len(one.columns) - 1, 0))
            for cells in one.rows:
                row += 1
                for i, cell in enumerate(cells):
                    self._cell(sheet, row, i, cell)

    def _cell(self, sheet: Any, row: int, column: int, cell: model.Cell) -> None:
        match cell:
            case None | "":
                return
            case datetime() | date():
                look = self._format(num_format="dd/mm/yyyy")
                sheet.write_datetime(row, column, cell, look)
            case int() | float():
                sheet.write_number(row, column, cell)
            case _:
                sheet.write_string(row, column, clean(cell))

    def _sheet(self, wish: str, *, upright: bool = False) -> Any:
        """A sheet of that name, or nearly: 31 letters, each name once; printed on A4."""
        name = _cut(wish) or "Bảng"
        first, number = name, 1
        while name.lower() in self.names:
            number += 1
            mark = f" ({number})"
            name = first[: LONGEST_NAME - len(mark)].rstrip() + mark
        self.names.add(name.lower())
        sheet = self.book.add_worksheet(name)
        sheet.set_paper(9)
        sheet.set_margins(left=1.18, right=0.59, top=0.79, bottom=0.79)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        if not upright:
            sheet.set_landscape()
        sheet.set_footer("&C&P/&N" + (f"&L{STAMP}" if self.report.synthetic else ""))
        return sheet

    def _stamp(self, sheet: Any) -> int:
        """Say on each sheet that data are made up; returns the first free row."""
        if not self.report.synthetic:
            return 0
        look = self._format(bold=True, font_color="#b01e28")
        sheet.write_string(0, 0, STAMP, look)
        return 1

    def _format(self, **look: Any) -> Any:
        """One format for each look: a workbook holds few of them."""
        key = tuple(sorted(look.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format({"font_name": "Times New Roman", **look})
        return self.formats[key]


def _said(blocks: tuple[model.Block, ...]) -> Iterator[tuple[str, str]]:
    """The words of a report that are in no table."""
    for block in blocks:
        match block:
            case model.Masthead():
                yield from ((text, "title") for text in (block.parent, block.agency) if text)
                place = f"{block.place}, " if block.place else ""
                yield f"{block.number} – {place}{day(block.on)}", "title"
            case model.Title():
                yield block.kind, "title"
                yield " ".join(block.lines), "title"
            case model.Addressed():
                yield f"Kính gửi: {'; '.join(block.to)}", "body"
            case model.Heading():
                yield block.text, "head"
            case model.Paragraph():
                yield block.text, block.role
            case model.Annex():
                yield f"{block.name}: {' '.join(block.lines)}", "head"
            case model.SignOff():
                yield f"{' '.join(block.titles)} {block.name}".strip(), "title"
                yield f"Nơi nhận: {'; '.join(block.receivers)}.", "body"
            case _:
                pass


def parsed(text: str) -> tuple[float, str] | None:
    """The number that a printed one is, and the format that prints it so again; None for others.

    "84,52" -> 84.52 "#,##0.00"; "83,94%" -> 0.8394 "0.00%"; "01" and "II" are no numbers.
    """
    found = _NUMBER.fullmatch(text.strip())
    if text.strip() == NONE or not found:
        return None
    sign, whole, decimals, percent, mark = found.groups()
    if len(whole) > 1 and whole.startswith("0"):
        return None
    digits = whole.replace(".", "") + (f".{decimals}" if decimals else "")
    value = float(digits) * (-1 if sign in {"-", MINUS} else 1)
    places = "." + "0" * len(decimals) if decimals else ""
    shape = f"#,##0{places}"
    if percent:
        value, shape = round(value / 100, len(decimals or "") + 2), f"0{places}%"
    if mark:
        shape += f'"{mark}"'
    if sign == "+":
        shape = f"+{shape};{MINUS}{shape};{shape}"
    return value, shape


def clean(text: str) -> str:
    """A text for a cell: NFC, nothing invisible, no longer than a cell holds."""
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text)
    return text[:LONGEST]


def _short(caption: str) -> str:
    """The name of a sheet from a caption: "Bảng 3" of "Bảng 3. Chỉ số …"."""
    return caption.partition(".")[0] if re.match(r"(Bảng|Hình|Câu) \d+\.", caption) else caption


def _cut(text: str) -> str:
    """As much of a name as a sheet's has room for, ending with a whole word."""
    text = " ".join(_BAD.sub(" ", text).split()).strip("'")
    if len(text) <= LONGEST_NAME:
        return text
    whole = text[:LONGEST_NAME].rpartition(" ")[0] or text[: LONGEST_NAME - 1]
    return f"{whole.rstrip(' .,;–')}…"
