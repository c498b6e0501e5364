"""Known totals of the population as people write them: variables, categories, numbers, sources."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forms.questionnaire import Questionnaire
from survey.store.weighting import Margin
from survey.text import t

#: What crosses variables and their categories, what merges categories, what no category may hold.
CROSS, JOIN, BETWEEN = "*", "+", "|"
HEADING = ("name", "category", "target", "source")


class CannotWeigh(ValueError):
    """Weights cannot be made; ``faults`` say why and what to do, in Vietnamese."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Variable:
    """A name a margin may have, its codes and their words ("" codes: units, strata)."""

    name: str
    words: str
    codes: Mapping[str, str]


def variables(questionnaire: Questionnaire) -> dict[str, Variable]:
    """What a margin of a wave may be about: facts of the draw, then questions with one answer."""
    found = {
        "area": Variable("area", t("weights.area"),
                         {"urban": t("weights.urban"), "rural": t("weights.rural")}),
        "stratum": Variable("stratum", t("weights.stratum"), {}),
        "unit": Variable("unit", t("weights.unit"), {}),
    }  # fmt: skip
    for item in questionnaire.items:
        if item.kind == "single":
            codes = {str(choice.code): choice.label for choice in item.choices}
            found[item.id] = Variable(item.id, item.text, codes)
    return found


def read(text: str, questionnaire: Questionnaire) -> list[Margin]:
    """Margins from a CSV text with the columns name, category, target, source.

    A category may be given by its code or its words.  Raises CannotWeigh with every fault and
    its line.
    """
    lines = text.splitlines()
    if not lines:
        raise CannotWeigh([t("weights.empty_file")])
    separator = max(",;\t", key=lines[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    reader.fieldnames = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
    if missing := [name for name in HEADING if name not in reader.fieldnames]:
        raise CannotWeigh([t("weights.no_columns", columns=", ".join(missing))])
    rows = []
    for row in reader:
        cells = [unicodedata.normalize("NFC", row[name] or "").strip() for name in HEADING]
        if any(cells):
            rows.append((reader.line_num, cells))
    return checked(rows, questionnaire)


def checked(
    rows: Sequence[tuple[int, Sequence[str]]], questionnaire: Questionnaire
) -> list[Margin]:
    """Margins from rows of (line, (name, category, target, source)) as somebody wrote them.

    Raises CannotWeigh with every fault and its line.
    """
    known, faults, found = variables(questionnaire), list[str](), list[Margin]()
    taken: set[tuple[str, str]] = set()
    for line, (name, category, target, source) in rows:
        try:
            row = Margin(name, _category(name, category, known), _number(target), source)
            if not source:
                raise ValueError(t("weights.no_source"))
            codes = {(name, code) for code in merged(row.category)}
            if taken & codes:
                raise ValueError(t("weights.twice", name=name, category=category))
            taken |= codes
            found.append(row)
        except ValueError as fault:
            faults.append(t("weights.line", line=line, fault=fault))
    if not rows:
        faults.append(t("weights.empty_file"))
    if faults:
        raise CannotWeigh(faults)
    return found


def merged(category: str) -> list[str]:
    """The plain categories in one that merges several, "1+2*urban" being two."""
    whole = [""]
    for part in category.split(CROSS):
        whole = [f"{head}{CROSS}{code}" for head in whole for code in part.split(JOIN)]
    return whole


def _category(name: str, category: str, known: Mapping[str, Variable]) -> str:
    names, parts = name.split(CROSS), category.split(CROSS)
    if missing := [part for part in names if part not in known]:
        raise ValueError(t("weights.no_variable", name=missing[0], known=", ".join(known)))
    if not category or len(names) != len(parts):
        raise ValueError(t("weights.no_category", name=name, category=category))
    return CROSS.join(_code(known[n], part) for n, part in zip(names, parts, strict=True))


def _code(variable: Variable, part: str) -> str:
    words = {label: code for code, label in variable.codes.items()}
    if part in words:
        return words[part]
    codes = [words.get(code.strip(), code.strip()) for code in part.split(JOIN)]
    known = variable.codes
    if any(not x or BETWEEN in x or (known and x not in known) for x in codes):
        raise ValueError(t("weights.no_category", name=variable.name, category=part))
    return JOIN.join(codes)


def _number(text: str) -> float:
    """A count as people write it: 1.234.567 or 1234567 or 12,5."""
    plain = text.replace(" ", "")
    if "," in plain or plain.count(".") > 1 or _grouped(plain):
        plain = plain.replace(".", "").replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise ValueError(t("weights.no_number", target=text))
    return value


def _grouped(text: str) -> bool:
    head, mark, tail = text.partition(".")
    return bool(mark) and len(tail) == 3 and head.isdigit() and 1 <= len(head) <= 3
