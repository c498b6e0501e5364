"""What a report says, before anybody decides how it looks: frozen blocks of text, tables, charts.

Texts are runs of plain characters, never markup: whatever a citizen wrote stays a text.
Numbers in tables are printed strings already; charts keep shares 0..1, which the writer draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from analysis.results import Result

Align = Literal["left", "centre", "right"]
Weight = Literal["plain", "sum", "group", "area"]


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one face."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, slots=True)
class Masthead:
    """First lines of an official document: agencies left, state and motto right."""

    agency: str  # "SỞ NỘI VỤ"
    parent: str  # "" for a ministry and a people's committee
    number: str  # "Số: 05/BC-SNV"
    place: str
    on: date


@dataclass(frozen=True, slots=True)
class Title:
    """Kind of document and its subject (trích yếu), broken into lines by sense."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addressed:
    """Kính gửi: who receives the report."""

    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 (I.) or 2 (1.); the text carries its own number."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text of the body, a list entry, or a voice (words of a citizen)."""

    runs: tuple[Run, ...]
    role: Literal["body", "note", "voice", "warning"] = "body"

    @property
    def text(self) -> str:
        """The characters without their faces."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head (lines broken by hand), width in mm and alignment."""

    head: str
    width: float
    align: Align = "left"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Cells as printed; a ``group`` row has its first two cells only and spans the rest."""

    cells: tuple[str, ...]
    weight: Weight = "plain"
    rule: bool = False  # a strong rule above


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption above and its note below."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""
    unit: str = ""
    note: str = ""
    size: float = 11.5  # of the text, pt
    tight: bool = False  # smaller gaps, for tables of a whole page


@dataclass(frozen=True, slots=True)
class Dot:
    """A line of a dot-and-interval chart; shares 0..1; ``value`` None: not published."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    place: str = ""  # printed before the label: rank or number
    end: str = ""  # printed in the last column: rank range or persons
    filled: bool = True
    spoken_of: bool = False  # the unit the report is about
    weight: Weight = "plain"
    band: int = 0  # lines of one band share a tint


@dataclass(frozen=True, slots=True)
class DotChart:
    """Dots with their intervals on one axis, the whole as a dashed upright."""

    caption: str
    heads: tuple[str, str, str, str, str]  # place, label, plot, value, end
    dots: tuple[Dot, ...]
    whole: float | None
    whole_name: str
    note: str = ""
    pitch: float = 5.8  # mm a line


@dataclass(frozen=True, slots=True)
class Bar:
    """The shares 0..1 of the answers of one item or composite, lowest level first."""

    label: str
    shares: tuple[float, ...] | None
    end: str
    weight: Weight = "plain"


@dataclass(frozen=True, slots=True)
class LevelBars:
    """Answers as stacked bars around zero: satisfied right of it, all others left."""

    caption: str
    levels: tuple[str, ...]
    bars: tuple[Bar, ...]
    end_head: str
    note: str = ""
    pitch: float = 7.0  # mm a line


@dataclass(frozen=True, slots=True)
class ShareBars:
    """Plain bars of one share 0..1 each, in the order given, on an axis 0 to 100."""

    caption: str
    bars: tuple[tuple[str, float], ...]
    note: str = ""
    pitch: float = 6.2  # mm a line


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A year of a trend; ``value`` None keeps its place and says that there are no figures.

    ``ours``: an estimate of this instance; else a published figure, drawn hollow.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    ours: bool = True


@dataclass(frozen=True, slots=True)
class TrendChart:
    """Values 0..1 year by year; no line crosses a break, which stands before the year it names."""

    caption: str
    points: tuple[TrendPoint, ...]
    breaks: tuple[tuple[str, str], ...] = ()  # label of the first year after it, reason
    note: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A numbered point of a plane; both values 0..1, with their intervals where known."""

    number: str
    label: str
    x: float
    y: float
    x_interval: tuple[float, float] | None = None
    y_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Scatter:
    """Importance against performance: spots in four quarters around the two middles."""

    caption: str
    x_name: str
    y_name: str
    spots: tuple[Spot, ...]
    x_middle: float
    y_middle: float
    quarters: tuple[str, str, str, str] = ("", "", "", "")  # top left, top right, bottom left ...
    note: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """The next pages lie on their side, or stand again; it starts a page."""

    landscape: bool


@dataclass(frozen=True, slots=True)
class MethodBox:
    """How the figures were made: what is a fact and what is a choice of the wave."""

    rows: tuple[tuple[str, tuple[Run, ...]], ...]


@dataclass(frozen=True, slots=True)
class SignOff:
    """Receivers at the left; authority, position and name at the right."""

    receivers: tuple[str, ...]
    titles: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Annex:
    """Starts an annex on a page of its own; its pages count from 1."""

    number: str  # "I"; "" for the only one, which has none
    lines: tuple[str, ...]
    belongs: str

    @property
    def name(self) -> str:
        """ "Phụ lục II", or "Phụ lục" for the only one."""
        return f"Phụ lục {self.number}".rstrip()


@dataclass(frozen=True, slots=True)
class PageBreak:
    """The next block starts a page."""


Block = (
    Masthead
    | Title
    | Addressed
    | Heading
    | Paragraph
    | Table
    | DotChart
    | LevelBars
    | ShareBars
    | TrendChart
    | Scatter
    | MethodBox
    | SignOff
    | Annex
    | PageBreak
    | Turn
)

Cell = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Figures with all their digits, as a spreadsheet and a CSV file hold them."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole document; ``synthetic`` stamps every page of it."""

    title: str
    author: str
    blocks: tuple[Block, ...]
    synthetic: bool
    created: date
    source: Result | None = None  # the figures it was made of: what the CSV writes
    sheets: tuple[Sheet, ...] = ()  # figures that are no ``Result``


def runs(*parts: str | Run) -> tuple[Run, ...]:
    """Plain strings and runs as one tuple of runs."""
    return tuple(part if isinstance(part, Run) else Run(part) for part in parts)


def body(*parts: str | Run) -> Paragraph:
    """A paragraph of the body."""
    return Paragraph(runs(*parts))


def bold(text: str) -> Run:
    """A run in the bold face."""
    return Run(text, bold=True)
