"""CSV files in: encodings told apart, all faults by line; how they go out is in ``exports``."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from survey.cli.faults import Fault
from survey.exports import harmless as harmless
from survey.exports import write as write

#: A field this long is a broken quotation mark, not a name.
LONGEST = 10_000


def read(path: Path, required: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with a heading line, as (line number, column -> stripped NFC text).

    UTF-8 with or without BOM; separated by comma, semicolon or tab.  Empty lines are skipped.
    Raises Fault when the file cannot be read as such, or lacks a column.
    """
    text = decode(path.read_bytes())
    lines = text.splitlines(keepends=True)
    if not lines or not lines[0].strip():
        raise Fault(f"Tệp «{path.name}» trống.")
    separator = max(",;\t", key=lines[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    heading: list[str] = []
    last = 0
    try:
        for cells in reader:
            line, last = last + 1, reader.line_num
            cleaned = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
            if not heading:
                heading = [cell.casefold() for cell in cleaned]
                _complete(heading, required, path)
            elif any(cleaned):
                padded = cleaned + [""] * (len(heading) - len(cleaned))
                row = dict(zip(heading, padded, strict=False))
                if extra := padded[len(heading) :]:
                    row["*"] = separator.join(extra)
                rows.append((line, row))
    except csv.Error as fault:
        raise Fault(
            f"Tệp «{path.name}», dòng {reader.line_num}: sai dạng CSV ({fault})."
        ) from fault
    return rows


def decode(content: bytes) -> str:
    """The text of a UTF-8 file; raises Fault that says what to do about another encoding."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Fault("Tệp ở dạng UTF-16 («Unicode Text»). Hãy lưu lại dạng «CSV UTF-8».")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise Fault(
            f"Tệp không phải UTF-8 (dòng {line}); có thể là Windows-1258, TCVN3 hoặc VNI."
            " Hãy lưu lại dạng «CSV UTF-8»."
        ) from fault
    if "\0" in text:
        raise Fault("Tệp không phải văn bản (có byte 0). Hãy lưu lại dạng «CSV UTF-8».")
    return text


def _complete(heading: Sequence[str], required: Sequence[str], path: Path) -> None:
    missing = [name for name in required if name not in heading]
    if missing:
        raise Fault(
            f"Tệp «{path.name}» thiếu cột: {', '.join(missing)}."
            f" Dòng đầu phải có các cột: {', '.join(required)}."
        )
    twice = sorted({name for name in heading if name and heading.count(name) > 1})
    if twice:
        raise Fault(f"Tệp «{path.name}» có cột trùng tên: {', '.join(twice)}.")
