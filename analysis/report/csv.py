"""The figures of a report as a table for machines and spreadsheets.

UTF-8 with a byte order mark, commas, CRLF (RFC 4180).  Figures stand twice: as shares 0..1 with a
decimal point for machines, and once in percent as printed, with a decimal comma, for people.  Texts
that a spreadsheet would take for a formula begin with an apostrophe; numbers stay numbers.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import TextIO

from analysis.report import model, wording
from analysis.report.model import Report
from analysis.report.numbers import pct
from analysis.results import Choice, Distribution, Figure, Result, UnitResult

MARK = "\ufeff"
COLUMNS = (
    "dot",
    "don_vi",
    "ten_don_vi",
    "loai",
    "ma",
    "so",
    "ten",
    "n",
    "gia_tri",
    "sai_so_chuan",
    "can_duoi",
    "can_tren",
    "he_so_thiet_ke",
    "co_mau_hieu_dung",
    "bac_tu_do",
    "muc_1",
    "muc_2",
    "muc_3",
    "muc_4",
    "muc_5",
    "hang",
    "hang_tu",
    "hang_den",
    "hang_trong_vung",
    "dau_hieu",
    "phan_tram",
    "ghi_chu",
)
_KINDS = {"item": "nội dung", "factor": "yếu tố", "area": "lĩnh vực", "total": "chỉ số chung"}
_DANGER = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Cell = str | int | float | None


def write(report: Report | Result, file: TextIO) -> None:
    """Write the figures of a report (or of a result) into a text file opened with newline="".

    Figures of a result are one table; those that are no result follow, an empty line between.
    """
    whole = report if isinstance(report, Report) else None
    result = whole.source if whole is not None else report
    file.write(MARK)
    started = False
    if isinstance(result, Result):
        table = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
        table.writeheader()
        for row in lines(result):
            table.writerow({name: _cell(value) for name, value in row.items()})
        started = True
    writer = csv.writer(file, lineterminator="\r\n")
    for sheet in whole.sheets if whole is not None else ():
        writer.writerows([[]] if started else [])
        started = True
        writer.writerow([_cell(name) for name in sheet.columns])
        writer.writerows([[_plain(cell) for cell in row] for row in sheet.rows])


def _plain(cell: model.Cell) -> str:
    return cell.isoformat() if isinstance(cell, date) else _cell(cell)


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    start = text.lstrip(" \u00a0\u200b\ufeff")
    return "'" + text if start.startswith(_DANGER) else text


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(_visible(value))
    return repr(value)


def _visible(text: str) -> str:
    """NFC, without control and invisible characters; line ends become spaces."""
    text = unicodedata.normalize("NFC", text)
    if text.isprintable():
        return text
    kept = (" " if c.isspace() else c for c in text if c.isspace() or c.isprintable())
    return "".join(kept)


def lines(result: Result) -> Iterator[dict[str, Cell]]:
    """The figures of a result, a row each: column -> value, what is missing has none."""
    common: dict[str, Cell] = {
        "dot": result.wave.key,
        "don_vi": result.scope or result.wave.owner,
        "ten_don_vi": result.scope_name,
        "ghi_chu": "DỮ LIỆU MÔ PHỎNG" if result.wave.synthetic else "",
    }
    for figure in result.figures:
        yield common | _figure(figure)
    for unit in result.units:
        own = common | {"don_vi": unit.unit, "ten_don_vi": unit.name}
        for figure in unit.figures:
            yield own | _figure(figure) | (_rank(unit) if figure.kind == "total" else {})
    for one in result.others:
        for choice in one.choices:
            yield common | _choice(one, choice)
    for n, text in enumerate(result.comments, 1):
        yield common | {"loai": "ý kiến", "ma": f"comment.{n}", "ten": text}


def _figure(figure: Figure) -> dict[str, Cell]:
    row: dict[str, Cell] = {
        "loai": _KINDS[figure.kind],
        "ma": figure.id,
        "so": figure.number,
        "ten": figure.name,
        "dau_hieu": " ".join(figure.flags),
    }
    if figure.value is None or "hidden" in figure.flags:
        told = wording.NO_ANSWER if "no_answer" in figure.flags else wording.HIDDEN
        return row | {"phan_tram": told}
    row |= {
        "n": figure.n,
        "gia_tri": figure.value,
        "sai_so_chuan": figure.se,
        "can_duoi": figure.low,
        "can_tren": figure.high,
        "he_so_thiet_ke": figure.deff,
        "co_mau_hieu_dung": figure.neff,
        "bac_tu_do": figure.df if figure.se is not None else None,
        "phan_tram": pct(figure.value),
    }
    return row | {f"muc_{level}": part for level, part in enumerate(figure.shares or (), 1)}


def _rank(unit: UnitResult) -> dict[str, Cell]:
    if unit.rank_low is None or unit.rank_high is None:
        return {}
    return {
        "hang": unit.rank,
        "hang_tu": unit.rank_low,
        "hang_den": unit.rank_high,
        "hang_trong_vung": unit.region_rank,
    }


def _choice(one: Distribution, choice: Choice) -> dict[str, Cell]:
    name = f"{one.question}: {one.name}" if one.question not in {"", one.name} else one.name
    row: dict[str, Cell] = {
        "loai": "câu trả lời",
        "ma": f"{one.id}={choice.code}",
        "so": one.number,
        "ten": f"{name}: {choice.label}",
    }
    if choice.share is None:
        return row | {"phan_tram": wording.HIDDEN}
    return row | {"n": choice.n, "gia_tri": choice.share, "phan_tram": pct(choice.share)}
