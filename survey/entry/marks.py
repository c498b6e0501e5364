"""What stands in a field of a paper form, in words, and what somebody types who reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forms import paper
from forms.questionnaire import localized
from survey.text import t

if TYPE_CHECKING:
    from forms.paper import Field
    from forms.questionnaire import Questionnaire
    from survey.store.waves import Wave


def asked(wave: Wave) -> Questionnaire:
    """Return the questionnaire of a wave with its place words, as it is printed."""
    return localized(wave.questionnaire, "vi", frozenset(wave.words.items()))


def number(field: Field) -> str:
    """Return what a field is called before its words: "Câu 1.3", "Mục 31", "" for a fact."""
    if field.number.isdigit():
        return t("marks.item", number=field.number)
    return field.number


def label(field: Field) -> str:
    """Return the words printed beside a field; the text beside "other" says so."""
    if field.name.endswith(".other"):
        return t("marks.other_of", text=field.text)
    return field.text


def shown(field: Field, value: object) -> str:
    """Return a value as people read it: the digit printed on the form and its words."""
    match field.kind:
        case "text":
            return str(value) if value else t("marks.nothing")
        case "number":
            return t("marks.nothing") if value in ("", None) else str(value)
        case _ if type(value) is int and value == paper.INVALID:
            return t("marks.invalid")
        case "several":
            held = value if isinstance(value, list) else []
            return "; ".join(_choice(field, code) for code in held) or t("marks.nothing_ticked")
    return t("marks.blank") if value == paper.BLANK else _choice(field, value)


def typed(field: Field, value: object) -> str:
    """Return what a clerk would type for a value: the inverse of ``read``."""
    if field.kind in ("text", "number"):
        return "" if value is None else str(value)
    if isinstance(value, list):
        return " ".join(str(field.codes.index(code) + 1) for code in value if code in field.codes)
    if value in field.codes:
        return str(field.codes.index(value) + 1)
    return str(value)


def read(field: Field, text: str) -> object:
    """Return the value that was typed; raises ValueError for what cannot be on the form.

    Choices are typed by their printed digit, 9 is a blank field and 0 an invalid mark; several
    digits may stand apart or together.
    """
    text = text.strip()
    if field.kind == "text":
        return text
    if field.kind == "number":
        return int(text) if text else ""
    digits = re.findall(r"[0-9]", text)
    if re.sub(r"[0-9,;.\s]", "", text):
        raise ValueError(text)
    places = [int(digit) for digit in digits]
    if field.kind == "several":
        if places == [paper.INVALID]:
            return paper.INVALID
        if places in ([], [paper.BLANK]):
            return []
        return sorted({_code(field, place) for place in places})
    if len(places) != 1:
        raise ValueError(text)
    [place] = places
    return place if place in (paper.BLANK, paper.INVALID) else _code(field, place)


def keys(field: Field) -> str:
    """Return which keys a field takes, for the hint beside it."""
    if field.kind in ("text", "number"):
        return t(f"marks.type_{field.kind}")
    return t(f"marks.type_{field.kind}", last=len(field.codes))


def _code(field: Field, place: int) -> int:
    if not 1 <= place <= len(field.codes):
        raise ValueError(place)
    return field.codes[place - 1]


def _choice(field: Field, code: object) -> str:
    for place, choice in enumerate(field.item.choices, 1):
        if choice.code == code:
            return f"{place} – {choice.label}"
    return str(code)
