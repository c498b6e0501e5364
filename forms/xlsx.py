"""Cells of an XLSX file as text, by sheet and row: what reading a form needs and nothing more."""

from __future__ import annotations

import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError, fromstring  # nosec B405 - see _part

from forms.model import Faulty

#: Bytes of the file, and of one part of it unpacked; cells of one sheet.
MOST_BYTES, MOST_PART, MOST_CELLS = 4 * 2**20, 32 * 2**20, 500_000

Row = dict[int, str]
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
#: What a damaged, cut, locked or invented workbook ends in while it is read.
_DAMAGE = (
    zipfile.BadZipFile, ParseError, LookupError, ValueError, EOFError, OSError, OverflowError,
    RuntimeError, zlib.error,
)  # fmt: skip
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def read(file: BinaryIO) -> dict[str, list[tuple[int, Row]]]:
    """Return the rows of every sheet, by its name in lower case: (row number, column -> text).

    Columns count from 0; empty cells and rows are left out; text is NFC without blanks around.

    Raises
    ------
    Faulty
        The file is no workbook, is damaged, or is larger than any form.
    """
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Faulty([f"Tệp lớn hơn {MOST_BYTES // 2**20} MB, không phải bảng hỏi."])
    try:
        with zipfile.ZipFile(BytesIO(content)) as book:
            texts = _shared(book)
            return {
                name.strip().lower(): _rows(_part(book, path), texts, name)
                for name, path in _sheets(book)
            }
    except Faulty:
        raise
    except _DAMAGE as fault:
        raise Faulty(["Tệp không phải tệp Excel (.xlsx) đọc được."]) from fault


def _part(book: zipfile.ZipFile, name: str) -> Element:
    if book.getinfo(name).file_size > MOST_PART:
        raise Faulty([f"Phần {name} của tệp quá lớn."])
    with book.open(name) as part:
        text = part.read(MOST_PART + 1)
    if b"<!DOCTYPE" in text or b"\0" in text:  # without a DTD no entity can grow or lead outside
        raise Faulty([f"Phần {name} của tệp không phải của một bảng tính."])
    return fromstring(text)  # nosec B314


def _sheets(book: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    targets = {
        one.get("Id"): str(one.get("Target")) for one in _part(book, "xl/_rels/workbook.xml.rels")
    }
    for sheet in _part(book, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        target = targets[sheet.get(_REL)].lstrip("/")
        yield str(sheet.get("name")), target if target.startswith("xl/") else f"xl/{target}"


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    return [_said(one) for one in _part(book, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]


def _said(block: Element) -> str:
    """Return the text of a cell, its runs joined, without the reading aids of other scripts."""
    runs = [block, *block.findall(f"{_MAIN}r")]
    return "".join(text.text or "" for run in runs for text in run.findall(f"{_MAIN}t"))


def _rows(sheet: Element, texts: list[str], name: str) -> list[tuple[int, Row]]:
    found: dict[int, Row] = {}
    for n, cell in enumerate(sheet.iter(f"{_MAIN}c")):
        if n >= MOST_CELLS:
            raise Faulty([f"Trang “{name}” có hơn {MOST_CELLS} ô."])
        place = _CELL.fullmatch(cell.get("r", ""))
        text = _text(cell, texts)
        if place is None or not text:
            continue
        column = 0
        for letter in place[1]:
            column = column * 26 + ord(letter) - 64
        found.setdefault(int(place[2]), {})[column - 1] = text
    return sorted(found.items())


def _text(cell: Element, texts: list[str]) -> str:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v", "")
    if kind == "s":
        value = texts[int(value)]
    elif kind == "inlineStr":
        inline = cell.find(f"{_MAIN}is")
        value = _said(inline) if inline is not None else ""
    elif kind == "n" and value:
        number = float(value)
        value = str(int(number)) if number.is_integer() else repr(number)
    elif kind == "b":
        value = "yes" if value == "1" else "no"
    return unicodedata.normalize("NFC", value).strip()
