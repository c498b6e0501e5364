"""The questionnaire as frozen data: what is asked, in which order and with which codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: "Không biết / không trả lời": a code of its own in every column, never a score.
NO_ANSWER = 9

#: A choice is 1..8: 0 stands for "not asked or left empty" and 9 for NO_ANSWER in packed rows.
CODES = range(1, 9)

Language = str  # "vi", "en"
Kind = Literal["scale", "single", "multiple", "matrix", "number", "text"]
KINDS: tuple[Kind, ...] = ("scale", "single", "multiple", "matrix", "number", "text")
OPEN: tuple[Kind, ...] = ("number", "text")

#: Letters a text beside "Khác" may have.
OTHER_LENGTH = 200


class Faulty(ValueError):
    """A questionnaire file that may not be used; ``faults`` names every fault with its place."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = [fault.encode("utf-8", "backslashreplace").decode() for fault in faults]
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that may be chosen; the stored value is ``code``, never the position."""

    code: int
    label: str
    other: bool = False  # a text may accompany it, under "<item>.other"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a matrix; ``policy`` matches lines of different questions by key."""

    id: str
    label: str
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Ask only when the answer in ``column`` is (or, for several answers, holds) one of these."""

    column: str
    any_of: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One question."""

    id: str
    kind: Kind
    number: str  # as printed: "Câu 3", "31", ""
    text: str
    note: str
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]
    required: bool
    no_answer: bool  # NO_ANSWER is offered beside the choices
    factor: str  # "" outside the index
    policy: str
    same_as: str  # "sipas-2022.1:s23": the same item of another questionnaire
    when: Rule | None
    consent: str  # "ethnicity": asked only after consent_ethnicity = 1
    minimum: int | None
    maximum: int | None
    max_length: int  # of a text, in letters (code points after NFC)

    @property
    def closed(self) -> bool:
        """Is it answered by codes?"""
        return self.kind not in OPEN

    @property
    def other(self) -> Choice | None:
        """The choice beside which a text may stand."""
        return next((choice for choice in self.choices if choice.other), None)


@dataclass(frozen=True, slots=True)
class Section:
    """Items shown together on the phone; the parts of one question share their number."""

    id: str
    title: str
    intro: str
    number: str  # "Câu 9"
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """A group of scored items inside an area."""

    id: str
    name: str
    area: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """A group of factors."""

    id: str
    name: str
    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One closed answer: an item, a line of a matrix or one choice of several (1 yes, 2 no)."""

    id: str
    item: Item
    row: Row | None
    codes: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: it is a key of caches
class Questionnaire:
    """A whole questionnaire in one language; ``columns`` is the order of packed answers."""

    key: str
    title: str
    short: str
    intro: str
    minutes: int
    index_scale: int  # levels of a scored item: 5; 3 for nd61
    source: str  # where the wording comes from
    sections: tuple[Section, ...]
    items: tuple[Item, ...]
    areas: tuple[Area, ...]
    factors: tuple[Factor, ...]
    languages: tuple[Language, ...]
    words: Mapping[str, str]  # place words that the wave may replace
    digest: str  # sha256 hex of the canonical file
    columns: tuple[Column, ...] = field(init=False, repr=False)
    scored: tuple[Item, ...] = field(init=False, repr=False)
    consents: tuple[str, ...] = field(init=False, repr=False)  # "consent_ethnicity"
    _by_id: Mapping[str, Item] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        consents = dict.fromkeys(f"consent_{i.consent}" for i in self.items if i.consent)
        derived = {
            "columns": tuple(column for item in self.items for column in columns_of(item)),
            "scored": tuple(item for item in self.items if item.factor),
            "consents": tuple(consents),
            "_by_id": {item.id: item for item in self.items},
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def item(self, id: str) -> Item:
        """Return the item of this id.

        Raises
        ------
        LookupError
            The questionnaire has no such item.
        """
        return self._by_id[id]


def columns_of(item: Item) -> tuple[Column, ...]:
    """Return the packed columns of one item, in their fixed order; none for text and number."""
    silent = {NO_ANSWER} if item.no_answer else set()
    codes = frozenset({choice.code for choice in item.choices} | silent)
    match item.kind:
        case "scale" | "single":
            return (Column(item.id, item, None, codes),)
        case "matrix":
            return tuple(Column(f"{item.id}.{row.id}", item, row, codes) for row in item.rows)
        case "multiple":
            yes_no = frozenset({1, 2} | silent)
            return tuple(Column(f"{item.id}.{c.code}", item, None, yes_no) for c in item.choices)
        case _:
            return ()
