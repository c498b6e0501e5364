"""A form on paper as the desk shows it: its blocks, rows and keys in the order of the print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from forms import paper
from forms.paper import Field
from forms.questionnaire import Item, Questionnaire, Section


@dataclass(frozen=True, slots=True)
class Line:
    """One field: what is printed beside it and the keys that answer it."""

    field: Field
    other: str = ""  # "c2:7": asked only when this choice of that field is marked
    page: int = 0  # of the paper, on the first line of each page; 0 where it goes on
    question: str = ""  # the question it is a part of: "Câu 9"

    @property
    def name(self) -> str:
        """Name of the field."""
        return self.field.name

    @property
    def number(self) -> str:
        """What stands before the text: "31", or the place of the line in its table."""
        own = self.field.number
        return own.rpartition(".")[2] if self.field.row else own

    @property
    def text(self) -> str:
        """The printed words; those of its choice for the text beside "Khác"."""
        choice = self.field.item.other
        return choice.label if self.other and choice else self.field.text

    @property
    def keys(self) -> tuple[tuple[int, int, str], ...]:
        """Key to press, code it stores and the words of each choice."""
        labels = {choice.code: choice.label for choice in self.field.item.choices}
        return tuple((at, code, labels[code]) for at, code in enumerate(self.field.codes, 1))


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under one heading inside a block."""

    title: str
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Block:
    """What is printed as one table or one list of questions.

    ``kind``: ``table`` (the same levels for every line), ``choices`` or ``text``.
    """

    title: str
    kind: str
    levels: tuple[str, ...]
    note: str = ""
    groups: list[Group] = field(default_factory=list)


@lru_cache(maxsize=64)
def blocks(q: Questionnaire, pages: tuple[tuple[str, int], ...] = ()) -> tuple[Block, ...]:
    """The whole form; ``pages`` says on which page of the paper each field stands."""
    found: list[Block] = []
    at, on, last = dict(pages), 0, None
    alike = Counter(_levels(item) for item in q.items if item.kind == "scale")
    by_item: dict[str, list[Field]] = {}
    for one in paper.fields(q):
        by_item.setdefault(one.item.id, []).append(one)
    for section in q.sections:
        for item in map(q.item, section.items):
            kind, levels = _kind(item, alike[_levels(item)]), _levels(item)
            lines = []
            for one in by_item[item.id]:
                page = at.get(one.name, on)
                lines.append(_line(one, page if page != on else 0, section))
                on = page
            if not _goes_on(found, last, section, item, kind, levels):
                found.append(_block(section, item, kind, levels))
            _append(found[-1], section, item, lines)
            last = (section, item)
    return tuple(found)


def pages_of(layout: Mapping[str, object]) -> tuple[tuple[str, int], ...]:
    """On which page each field was printed, from the geometry of a print run."""
    found: dict[str, int] = {}
    for kind in ("answers", "texts"):
        places = layout.get(kind)
        for place in places if isinstance(places, list) else []:
            found.setdefault(str(place["field"]), int(place["page"]))
    return tuple(found.items())


def _levels(item: Item) -> tuple[str, ...]:
    return tuple(choice.label for choice in item.choices)


def _kind(item: Item, alike: int) -> str:
    """A scale that no other item shares is printed with its own words beside its circles."""
    if item.kind == "matrix" or (item.kind == "scale" and alike > 1):
        return "table"
    return "choices" if item.closed else "text"


def _line(one: Field, page: int, section: Section) -> Line:
    beside = one.item.other if one.kind == "text" and one.item.closed else None
    other = f"{one.item.id}:{beside.code}" if beside else ""
    question = one.item.number if one.row else section.number
    return Line(one, other, page, "" if question == one.number else question)


def _goes_on(
    found: list[Block],
    last: tuple[Section, Item] | None,
    section: Section,
    item: Item,
    kind: str,
    levels: tuple[str, ...],
) -> bool:
    """Whether an item stands in the block before it: same section, or parts of one question."""
    if last is None or found[-1].kind != kind or item.kind == "matrix":
        return False
    before, neighbour = last
    if kind == "table":
        if neighbour.kind == "matrix" or found[-1].levels != levels:
            return False
        return before is section or (bool(_shared(section)) and _shared(before) == _shared(section))
    return before is section or not (found[-1].title or _title(section, item, kind))


def _shared(section: Section) -> str:
    """What sections that are parts of one printed table have in common."""
    return section.number or section.intro


def _title(section: Section, item: Item, kind: str) -> str:
    if item.kind == "matrix":
        return f"{item.number}. {item.text}" if item.number else item.text
    if kind == "table":
        return section.number or ("" if section.intro else section.title)
    return "" if item.number or not item.closed else section.title


def _block(section: Section, item: Item, kind: str, levels: tuple[str, ...]) -> Block:
    note = section.intro.partition(". ")[0].rstrip(".") if item.kind == "scale" else ""
    return Block(_title(section, item, kind), kind, levels, f"{note}." if note else "")


def _append(block: Block, section: Section, item: Item, lines: list[Line]) -> None:
    title = section.title if item.kind == "scale" and _shared(section) else ""
    if block.groups and block.groups[-1].title == title:
        block.groups[-1] = Group(title, (*block.groups[-1].lines, *lines))
    else:
        block.groups.append(Group(title, tuple(lines)))
