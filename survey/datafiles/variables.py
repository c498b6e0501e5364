"""The variables of a file: names, labels, codes and missing codes, from the questionnaire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from forms.model import NO_ANSWER, OTHER_LENGTH, Item, Questionnaire
from survey.text import has, t

Kind = Literal["text", "code", "number", "weight"]
#: The label of ``NO_ANSWER``.
SILENT = "Không biết / không trả lời"
#: Groups of codes of questions about the person that a public file keeps together: only where
#: the question has exactly the codes from 1 on that are grouped here.
COARSE: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "age": ((1, 2), (3,), (4, 5)),
    "education": ((1, 2), (3,), (4, 5), (6,)),
    "occupation": ((1, 2), (3,), (4,), (5, 6), (7,)),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """One column.  ``values`` are its codes with their labels (NO_ANSWER is not among them);
    ``silent``: NO_ANSWER may stand there and means missing; ``width`` letters of a text."""

    name: str
    label: str
    kind: Kind
    values: Mapping[int, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    item: str = ""
    width: int = 0


def fact(name: str, kind: Kind = "text") -> Variable:
    """A variable about how a response came, or about the sample, with its words."""
    words = {
        code: t(f"data.{name}.{code}")
        for code in ("kiosk", "qr", "link", "post", "phone", "api", "valid", "flagged", "urban",
                     "rural")
        if has(f"data.{name}.{code}")
    }  # fmt: skip
    return Variable(name, t(f"data.fact.{name}"), kind, words=words)


def personal(q: Questionnaire) -> tuple[str, ...]:
    """Ids of the questions about the person: one code each, and no number of their own."""
    return tuple(item.id for item in q.items if item.kind == "single" and not item.number)


def answers(q: Questionnaire) -> dict[str, Variable]:
    """A variable for every column of packed answers, in their order."""
    found = {}
    for column in q.columns:
        item = column.item
        values = {choice.code: choice.label for choice in item.choices}
        label = _title(item)
        if item.kind == "multiple":
            code = int(column.id.rpartition(".")[2])
            label = f"{label} – {values[code]}"
            values = {1: "Có chọn", 2: "Không chọn"}
        elif column.row is not None:
            label = f"{label} – {column.row.label}"
        found[column.id] = Variable(
            column.id, label, "code", values, silent=NO_ANSWER in column.codes, item=item.id
        )
    return found


def numbers(q: Questionnaire) -> list[Variable]:
    """Variables of questions answered by a number."""
    return [
        Variable(item.id, _title(item), "number", item=item.id)
        for item in q.items
        if item.kind == "number"
    ]


def texts(q: Questionnaire) -> list[Variable]:
    """Variables of what people wrote: comments, and the texts beside "other"."""
    found = [
        Variable(item.id, _title(item), "text", item=item.id, width=item.max_length)
        for item in q.items
        if item.kind == "text"
    ]
    found += [
        Variable(f"{item.id}.other", f"{_title(item)} – {item.other.label}", "text",
                 item=item.id, width=OTHER_LENGTH)
        for item in q.items
        if item.other
    ]  # fmt: skip
    return found


def coarsened(variable: Variable) -> tuple[Variable, Mapping[int, int]]:
    """The variable as a public file has it, and the code that takes the place of each."""
    groups = COARSE.get(variable.name, ())
    if [code for group in groups for code in group] != list(variable.values):
        return variable, {}
    values = {group[0]: _joined(variable.values[code] for code in group) for group in groups}
    codes = {code: group[0] for group in groups for code in group}
    return Variable(
        variable.name, variable.label, variable.kind, values, silent=variable.silent,
        item=variable.item,
    ), codes  # fmt: skip


def _joined(labels: Iterable[str]) -> str:
    return "; ".join(labels)


def _title(item: Item) -> str:
    return f"{item.number}. {item.text}" if item.number else item.text
