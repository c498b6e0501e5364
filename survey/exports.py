"""CSV files out: a heading, rows, and no cell that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO


def write(file: TextIO, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> int:
    """Write a heading and rows; returns how many rows.

    The file should be opened with ``encoding="utf-8-sig"`` (spreadsheets need the mark) and
    ``newline=""``.
    """
    out = csv.writer(file, lineterminator="\r\n")
    out.writerow(columns)
    number = 0
    for row in rows:
        out.writerow([harmless(cell) for cell in row])
        number += 1
    return number


def harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers, None is empty."""
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        return "'" + value
    return value
