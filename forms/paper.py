"""A form on paper: its fields in printed order, what was entered, and what becomes an answer."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as value_of
from functools import lru_cache
from typing import Literal

from forms import rules
from forms.model import NO_ANSWER, OTHER_LENGTH, Item, Questionnaire, Row, Rule

#: What the person at the desk enters where the paper holds no single answer.
BLANK, INVALID = NO_ANSWER, 0

Kind = Literal["one", "several", "number", "text"]
Fields = Mapping[str, object]

#: More of the scale than this left blank, or alike throughout, deserves a second look.
HALF, LEAST_ALIKE = 0.5, 10


@dataclass(frozen=True, slots=True)
class Field:
    """One place on the form.  ``codes`` are stored codes in the order printed; the clerk types
    the place of the choice, 1.., which on our forms is the printed digit."""

    name: str
    item: Item
    row: Row | None
    kind: Kind
    codes: tuple[int, ...]
    length: int = 0

    @property
    def number(self) -> str:
        """What is printed before it: "Câu 1.3", "31", "" for the respondent's own facts."""
        if self.row is None:
            return self.item.number
        at = self.item.rows.index(self.row) + 1
        return f"{self.item.number}.{at}" if self.item.number else str(at)

    @property
    def text(self) -> str:
        """The words printed beside it."""
        return self.row.label if self.row else self.item.text


@dataclass(frozen=True, slots=True)
class Warning:
    """Something unlikely that may be so on the paper; it can be overruled with a reason.

    ``code``: ``alike`` all scale answers the same · ``blank`` more than half of the scale blank ·
    ``skipped`` answered although the form says to pass over it · ``range`` a number outside its
    limits.
    """

    name: str
    code: str
    facts: Mapping[str, object] = value_of(default_factory=dict)


@lru_cache(maxsize=64)
def fields(q: Questionnaire) -> tuple[Field, ...]:
    """Every field of the form in the order of the sections, each item's "other" text after it."""
    return tuple(
        made for section in q.sections for id in section.items for made in _of_item(q.item(id))
    )


def _of_item(item: Item) -> tuple[Field, ...]:
    codes = tuple(choice.code for choice in item.choices)
    match item.kind:
        case "matrix":
            return tuple(Field(f"{item.id}.{row.id}", item, row, "one", codes) for row in item.rows)
        case "text":
            return (Field(item.id, item, None, "text", (), item.max_length),)
        case "number":
            return (Field(item.id, item, None, "number", ()),)
        case "multiple":
            first = Field(item.id, item, None, "several", codes)
        case _:
            first = Field(item.id, item, None, "one", codes)
    if item.other is None:
        return (first,)
    return (first, Field(f"{item.id}.other", item, None, "text", (), OTHER_LENGTH))


def clean(q: Questionnaire, entered: Fields) -> tuple[dict[str, object], list[rules.Fault]]:
    """What was entered in the order of the form, and everything that cannot be on this form.

    Every closed field must be there (a blank one is 9, a blank number ""); texts may be left out
    and are then "".
    Fault codes are those of ``forms.rules``.
    """
    whole, faults = dict[str, object](), list[rules.Fault]()
    known = {field.name: field for field in fields(q)}
    for name in entered:
        if name not in known:
            faults.append(rules.Fault(name, "unknown_item"))
    for field in known.values():
        value, code, facts = _READ[field.kind](field, entered.get(field.name))
        if code:
            about = {"number": field.number, "text": field.text}
            faults.append(rules.Fault(field.name, code, about | facts))
        else:
            whole[field.name] = value
    return whole, faults


def check(q: Questionnaire, entered: Fields) -> list[rules.Fault]:
    """Everything that cannot be on this form; see ``clean``."""
    return clean(q, entered)[1]


Read = tuple[object, str, dict[str, object]]


def _one(field: Field, value: object) -> Read:
    if value is None:
        return None, "unanswered", {}
    if type(value) is not int:
        return None, "not_a_number", {}
    allowed = {*field.codes, BLANK, INVALID}
    return (value, "", {}) if value in allowed else (None, "off_scale", {"codes": sorted(allowed)})


def _several(field: Field, value: object) -> Read:
    if value is None:
        return None, "unanswered", {}
    if value == INVALID and type(value) is int:
        return INVALID, "", {}
    if not isinstance(value, list) or any(type(one) is not int for one in value):
        return None, "not_a_list", {}
    if len(set(value)) != len(value):
        return None, "not_a_list", {}
    if not set(field.codes).issuperset(value):
        return None, "off_scale", {"codes": sorted(field.codes)}
    return sorted(value), "", {}


def _number(_: Field, value: object) -> Read:
    if value is None:
        return None, "unanswered", {}
    return (value, "", {}) if type(value) is int or value == "" else (None, "not_a_number", {})


def _text(field: Field, value: object) -> Read:
    if value is None:
        return "", "", {}
    found, code, facts = rules.text(value, field.length)
    return found or "", code, facts


_READ: Mapping[Kind, Callable[[Field, object], Read]] = {
    "one": _one,
    "several": _several,
    "number": _number,
    "text": _text,
}


def warnings(q: Questionnaire, entered: Fields) -> list[Warning]:
    """What is unlikely about a whole entry; nothing here stops it."""
    found: list[Warning] = []
    scale = [item.id for item in q.scored]
    given = [entered.get(id) for id in scale]
    levels = Counter(value for value in given if value not in (BLANK, INVALID, None))
    if scale and sum(levels.values()) >= LEAST_ALIKE and len(levels) == 1:
        found.append(Warning(scale[0], "alike", {"n": sum(levels.values())}))
    blank = sum(value == BLANK for value in given)
    if scale and blank > HALF * len(scale):
        found.append(Warning(scale[0], "blank", {"n": blank, "of": len(scale)}))
    for field in fields(q):
        item, value = field.item, entered.get(field.name)
        # Ethnicity waits for a consent on screens; on paper filling it in is the consent.
        rule = None if item.consent else item.when
        if rule and _given(field, value) and not _holds(entered.get(rule.column), rule):
            found.append(Warning(field.name, "skipped", {"number": field.number}))
        if field.kind == "number" and type(value) is int:
            low, high = item.minimum, item.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                facts = {"number": field.number, "minimum": low, "maximum": high}
                found.append(Warning(field.name, "range", facts))
    return found


def _given(field: Field, value: object) -> bool:
    if value in (None, "", []):
        return False
    return field.kind == "number" or value not in (BLANK, INVALID)


def _holds(value: object, rule: Rule) -> bool:
    return any(one in rule.any_of for one in (value if isinstance(value, list) else [value]))


def answers(q: Questionnaire, entered: Fields) -> dict[str, object]:
    """What of an entry goes into a response, ready for ``rules.pack``.

    A blank is "no answer" where the questionnaire knows that, and nothing where it does not; an
    invalid mark is nothing, so neither is ever in the base of an item.  What stands on paper
    behind a consent (ethnicity) carries that consent: the form says it may be left empty.
    """
    found: dict[str, object] = {}
    for field in fields(q):
        value = entered.get(field.name)
        if value == BLANK and field.kind == "one":
            value = NO_ANSWER if field.item.no_answer else None
        elif value == [] and field.kind == "several":
            value = [NO_ANSWER] if field.item.no_answer else None
        elif value == INVALID and field.kind in ("one", "several"):
            value = None
        if value in (None, ""):
            continue
        if field.item.consent and field.name == field.item.id:
            if value == NO_ANSWER:
                continue
            found[f"consent_{field.item.consent}"] = 1
        found[field.name] = value
    for field in fields(q):  # a text beside "other" without that choice has no place
        other = field.item.other
        if field.name == f"{field.item.id}.other" and field.name in found and other:
            chosen = found.get(field.item.id)
            held = chosen if isinstance(chosen, list) else [chosen]
            if other.code not in held:
                del found[field.name]
    clean, _ = rules.check(q, found)  # what is required on a screen may be blank on paper
    return clean


def differences(q: Questionnaire, first: Fields, second: Fields) -> tuple[str, ...]:
    """Names of the fields that two entries of one form hold differently, in printed order."""
    return tuple(
        field.name
        for field in fields(q)
        if _compared(first.get(field.name)) != _compared(second.get(field.name))
    )


def _compared(value: object) -> object:
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split())
    return sorted(value) if isinstance(value, list) else value


def coded(q: Questionnaire) -> tuple[str, ...]:
    """Names of the fields that hold codes: the ones whose keying errors are counted."""
    return tuple(field.name for field in fields(q) if field.kind in ("one", "several"))


def canonical(entered: Fields) -> str:
    """The one JSON text of an entry."""
    return json.dumps(entered, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(questionnaire: str, entered: Fields) -> str:
    """The sha256 (hex) of what was entered for which questionnaire."""
    return hashlib.sha256(f"{questionnaire}\n{canonical(entered)}".encode()).hexdigest()
