"""Extracts as a workbook written row by row: the data, its variables, its proof."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survey.datafiles.variables import SILENT
from survey.text import t

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract

#: Rows of a sheet, its heading among them; a larger file goes on in a next sheet.
ROWS = 1_048_576
#: Letters of a cell.
LETTERS = 32_767
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


def write(
    extract: Extract, db: sqlite3.Connection, path: Path, proof: Mapping[str, Any],
    tell: Callable[[int], None],
) -> None:  # fmt: skip
    """Write the workbook; ``proof`` is the manifest, ``tell`` hears how many rows are done."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, _OPTIONS) as book:
        made = datetime(extract.on.year, extract.on.month, extract.on.day)  # noqa: DTZ001
        book.set_properties({"title": extract.title, "created": made, "author": "SIPAS"})
        head = book.add_format({"bold": True, "bg_color": "#E0EBE6", "bottom": 1})
        _data(extract, db, book, head, tell)
        _variables(extract, book, head)
        _proof(book, head, extract, proof)


def _data(
    extract: Extract, db: sqlite3.Connection, book: Any, head: Any, tell: Callable[[int], None]
) -> None:
    columns = extract.columns
    first_code = len(extract.facts)
    last_code = first_code + len(extract.coded)
    sheet: Any = None
    at, number = ROWS, 0
    for done, record in enumerate(extract.records(db)):
        if at == ROWS:
            number += 1
            name = t("data.sheet.data")
            sheet = book.add_worksheet(name if number == 1 else f"{name} {number}")
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, first_code - 1, 14)
            for c, column in enumerate(columns):
                sheet.write_string(0, c, column.name, head)
            at = 1
        for c, value in enumerate(record.values):
            if value is None or value == "" or (value == 0 and first_code <= c < last_code):
                continue
            if isinstance(value, str):
                sheet.write_string(at, c, value[:LETTERS])
            else:
                sheet.write_number(at, c, value)
        at += 1
        if done % 500 == 0:
            tell(done)


def _variables(extract: Extract, book: Any, head: Any) -> None:
    sheet = book.add_worksheet(t("data.sheet.variables"))
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 70)
    sheet.set_column(2, 3, 30)
    for c, key in enumerate(("name", "label", "code", "meaning")):
        sheet.write_string(0, c, t(f"data.book.{key}"), head)
    row = 1
    for column in extract.columns:
        pairs = [(str(code), words) for code, words in (column.values or column.words).items()]
        pairs += [("9", SILENT)] if column.silent else []
        for n, (code, words) in enumerate(pairs or [("", "")]):
            if n == 0:
                sheet.write_string(row, 0, column.name)
                sheet.write_string(row, 1, column.label)
            if code.isdigit():
                sheet.write_number(row, 2, int(code))
            else:
                sheet.write_string(row, 2, code)
            sheet.write_string(row, 3, words)
            row += 1


def _proof(book: Any, head: Any, extract: Extract, proof: Mapping[str, Any]) -> None:
    from survey.datafiles import manifest

    sheet = book.add_worksheet(t("data.sheet.proof"))
    sheet.set_column(0, 0, 48)
    sheet.set_column(1, 1, 70)
    sheet.write_string(0, 0, extract.title, head)
    for row, (name, value) in enumerate(manifest.told(proof), 1):
        sheet.write_string(row, 0, name)
        if isinstance(value, int):
            sheet.write_number(row, 1, value)
        else:
            sheet.write_string(row, 1, value)
