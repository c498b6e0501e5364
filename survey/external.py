"""Published figures as people write them down: a CSV file checked line by line, all faults told."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from survey.data import COUNTRY
from survey.store import units
from survey.store.external import MEASURES, Figure
from survey.store.units import name_key
from survey.text import t

if TYPE_CHECKING:
    import sqlite3

#: The Ministry's published series, to be imported where it is wanted.
PUBLISHED = files("survey.data") / "published.csv"

#: Column -> what its heading may say; compared without case, tones of style and signs.
HEADINGS = {
    "measure": ("measure", "loại số liệu", "chỉ số"),
    "part": ("part", "phần", "thành phần"),
    "unit": ("unit", "đơn vị", "mã đơn vị", "địa phương"),
    "year": ("year", "năm"),
    "period": ("period", "kỳ"),
    "value": ("value", "giá trị", "kết quả"),
    "most": ("most", "max", "điểm tối đa"),
    "place": ("place", "rank", "hạng", "thứ hạng"),
    "places": ("places", "ranked", "số đơn vị xếp hạng"),
    "lowest": ("lowest", "thấp nhất"),
    "highest": ("highest", "cao nhất"),
    "n": ("n", "số phiếu"),
    "source": ("source", "nguồn"),
    "dated": ("dated", "date", "ngày", "ngày của nguồn", "ngày công bố"),
    "note": ("note", "ghi chú"),
}
_FIELD = {name_key(name): field for field, names in HEADINGS.items() for name in names}
REQUIRED = ("measure", "unit", "year", "value", "source", "dated")
#: Other words for a measure.
WORDS = {
    "766": "nd766", "parindex": "par", "tựchấm": "self_score", "điểmtựchấm": "self_score",
    "khác": "other",
}  # fmt: skip
LONGEST, MOST_ROWS, FIRST_YEAR = 500, 20_000, 2000
#: Columns whose text may be longer than a name.
_PERIOD = re.compile(r"(Q[1-4]|H[12]|T(0[1-9]|1[0-2])|)")


class Faulty(ValueError):
    """A file that cannot be taken; ``faults`` name the line and the column, in Vietnamese."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Read:
    """What a sound file holds."""

    figures: tuple[Figure, ...]
    digest: str


class _Wrong(ValueError):
    """A cell that is wrong: its column and why."""

    def __init__(self, column: str, key: str, **facts: Any) -> None:
        super().__init__(t(f"external.bad.{key}", **facts))
        self.column = column


def decoded(content: bytes) -> str:
    """Return the text of a UTF-8 file; raises ``Faulty``."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise Faulty([t("external.bad.encoding", line=line)]) from None
    if "\0" in text:
        raise Faulty([t("external.bad.encoding", line=text.count("\n", 0, text.index("\0")) + 1)])
    return text


def read(text: str, db: sqlite3.Connection, *, today: date | None = None) -> Read:
    """Check a file whole; raises ``Faulty`` with every fault and its line."""
    rows = _rows(text)
    known = _Units(db)
    faults: list[str] = []
    found: dict[tuple[object, ...], int] = {}
    figures: list[Figure] = []
    for line, row in rows:
        try:
            figure = _figure(row, known, today or date.max)
        except _Wrong as wrong:
            column = t(f"external.{wrong.column}")
            faults.append(t("external.bad.line", line=line, column=column, fault=str(wrong)))
            continue
        key = (figure.measure, figure.part, figure.unit, figure.year, figure.period, figure.source)
        if key in found:
            faults.append(t("external.bad.twice", line=line, first=found[key]))
        found.setdefault(key, line)
        figures.append(figure)
    if faults:
        raise Faulty(faults)
    return Read(tuple(figures), sha256(text.encode()).hexdigest())


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise Faulty([t("external.bad.empty")])
    separator = max(",;\t", key=lines[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    heading: list[str] = []
    try:
        for cells in reader:
            plain = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
            if not heading:
                heading = [_FIELD.get(name_key(cell), "") for cell in plain]
                _complete(heading)
            elif any(plain):
                if len(plain) > len(heading):
                    raise Faulty([t("external.bad.cells", line=reader.line_num)])
                rows.append((reader.line_num, dict(zip(heading, plain, strict=False))))
            if len(rows) > MOST_ROWS:
                raise Faulty([t("external.bad.rows", most=MOST_ROWS)])
    except csv.Error as fault:
        raise Faulty([t("external.bad.csv", line=reader.line_num, fault=fault)]) from None
    if not rows:
        raise Faulty([t("external.bad.empty")])
    return rows


def _complete(heading: list[str]) -> None:
    missing = [t(f"external.{name}") for name in REQUIRED if name not in heading]
    if missing:
        raise Faulty([t("external.bad.columns", columns=", ".join(missing))])
    twice = sorted({name for name in heading if name and heading.count(name) > 1})
    if twice:
        columns = ", ".join(t(f"external.{name}") for name in twice)
        raise Faulty([t("external.bad.columns_twice", columns=columns)])


class _Units:
    """Units by id, those of before 01/7/2025 too, and today's provinces by name."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._found: dict[str, str] = {}

    def find(self, text: str) -> str:
        """Return the id of a unit named in a file."""
        if text not in self._found:
            self._found[text] = self._look(text)
        if not self._found[text]:
            raise _Wrong("unit", "unit", unit=text)
        return self._found[text]

    def _look(self, text: str) -> str:
        if units.get(self._db, text) is not None:
            return text
        if name_key(text) == name_key("cả nước"):
            return COUNTRY
        found = units.find(self._db, text, kind="province")
        return found[0].id if len(found) == 1 else ""


def _figure(row: Mapping[str, str], known: _Units, today: date) -> Figure:
    for column in REQUIRED:
        if not row.get(column):
            raise _Wrong(column, "blank")
    for column, cell in row.items():
        if len(cell) > LONGEST:
            raise _Wrong(column or "note", "long", most=LONGEST)
    most = _number(row, "most")
    value = _number(row, "value", top=Decimal(most or "100"))
    place, places = _count(row, "place"), _count(row, "places")
    if place is not None and places is not None and place > places:
        raise _Wrong("place", "place", place=place, places=places)
    lowest, highest = (_number(row, c, top=Decimal(most or "100")) for c in ("lowest", "highest"))
    if (lowest and Decimal(lowest) > Decimal(value)) or (
        highest and Decimal(highest) < Decimal(value)
    ):
        raise _Wrong("value", "outside")
    if not _PERIOD.fullmatch(period := row.get("period", "")):
        raise _Wrong("period", "period", period=period)
    return Figure(
        measure=_measure(row["measure"]),
        part=row.get("part", ""),
        unit=known.find(row["unit"]),
        year=_year(row["year"], today),
        period=period,
        value=value,
        most=most,
        place=place,
        places=places,
        lowest=lowest,
        highest=highest,
        n=_count(row, "n"),
        source=row["source"],
        dated=_dated(row["dated"], today),
        note=row.get("note", ""),
    )


def _measure(text: str) -> str:
    plain = re.sub(r"[\s/._-]", "", text.casefold())
    key = text.casefold() if text.casefold() in MEASURES else WORDS.get(plain, plain)
    if key in MEASURES:
        return key
    if "766" in plain:
        return "nd766"
    raise _Wrong("measure", "measure", measure=text, known=", ".join(MEASURES))


def _number(row: Mapping[str, str], column: str, *, top: Decimal | None = None) -> str:
    """A number as people write it ("83,94%", "84.70232"), as plain decimal text; "" when blank."""
    text = row.get(column, "").removesuffix("%").strip()
    if not text:
        return ""
    if not re.fullmatch(r"[-\u2212+]?\d{1,9}([.,]\d{1,9})?", text):
        raise _Wrong(column, "number", text=row[column])
    try:
        number = Decimal(text.replace(",", ".").replace("\u2212", "-"))
    except InvalidOperation:
        raise _Wrong(column, "number", text=row[column]) from None
    if number < 0 or (column == "most" and number == 0):
        raise _Wrong(column, "negative", text=row[column])
    if top is not None and number > top:
        raise _Wrong(column, "above", text=row[column], most=f"{top.normalize():f}")
    return f"{number:f}"


def _count(row: Mapping[str, str], column: str) -> int | None:
    text = row.get(column, "").replace(".", "")
    if not text:
        return None
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise _Wrong(column, "count", text=row[column])
    return int(text)


def _year(text: str, today: date) -> int:
    if not re.fullmatch(r"\d{4}", text) or not FIRST_YEAR <= int(text) <= today.year:
        raise _Wrong("year", "year", text=text)
    return int(text)


def _dated(text: str, today: date) -> str:
    """A day as 22/11/2026 or 2026-11-22, a month as 11/2026 or 2026-11, or a year."""
    parts = text.split("/")[::-1] if "/" in text else text.split("-")
    padded = [part.zfill(2) for part in parts]
    try:
        if not 1 <= len(parts) <= 3 or not re.fullmatch(r"\d{4}", parts[0]):
            raise ValueError(text)
        first = date.fromisoformat("-".join([*padded, "01", "01"][:3]))
    except ValueError:
        raise _Wrong("dated", "dated", text=text) from None
    if first > today:
        raise _Wrong("dated", "future", text=text)
    return "-".join(padded)
