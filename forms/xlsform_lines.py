"""Rows of an XLSForm workbook, and the questionnaire document that grows from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from forms import xlsx
from forms.language import LANGUAGES, OFFICIAL
from forms.xlsform_write import OWN

_COLUMN = re.compile(r"(.+?)(?:::(?:[^()]*\(([a-zA-Z]{2,3})\)|([a-zA-Z]{2,3})|[^()]+))?")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a sheet: texts by column, those of a language under "column::tag"."""

    sheet: str
    number: int
    cells: Mapping[str, str]

    def get(self, column: str, language: str = "") -> str:
        """Return the text of a column, "" for an empty cell."""
        return self.cells.get(f"{column}::{language}" if language else column, "")

    def said(self, column: str, tag: str = OFFICIAL) -> str:
        """Return a text in a language; without a language stands for Vietnamese."""
        return self.get(column, tag) or (self.get(column) if tag == OFFICIAL else "")

    def at(self, column: str = "") -> str:
        """Name the place in a fault."""
        place = f"Trang “{self.sheet}”, dòng {self.number}"
        return f"{place}, cột “{column}”" if column else place


@dataclass(slots=True)
class Made:
    """The document that grows while the sheets are read, with where its items stand."""

    document: dict[str, Any]
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, Line] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    silent: dict[str, bool] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)

    def say(self, key: str, line: Line, column: str) -> str:
        """Note the translations of a text and return it in Vietnamese."""
        for tag in LANGUAGES:
            if tag != OFFICIAL and (text := line.said(column, tag)) and not text.isdigit():
                self.texts.setdefault(tag, {})[key] = text
        return line.said(column)


def lines(sheet: str, rows: list[tuple[int, xlsx.Row]]) -> Iterator[Line]:
    if not rows:
        return
    heads = {at: _head(text) for at, text in rows[0][1].items()}
    for number, row in rows[1:]:
        cells = {heads[at]: text for at, text in row.items() if at in heads}
        if cells:
            yield Line(sheet, number, cells)


def _head(text: str) -> str:
    """Return a column as we name it: "label::Vietnamese (vi)" is "label::vi"."""
    own = OWN if text.lower().startswith(OWN) else ""
    found = _COLUMN.fullmatch(text[len(own) :].strip())
    if found is None:
        return text
    tag = (found[2] or found[3] or "").lower()
    name = own + found[1].strip().lower().replace(" ", "_")
    if tag in LANGUAGES:
        return f"{name}::{tag}"
    return name if not own and "::" not in text else f"{own}{text[len(own) :].strip().lower()}"
