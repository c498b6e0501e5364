"""Answers posted by a page: read fast, with a WTForms form of the same rules as its reference."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any, Protocol

from flask_wtf import FlaskForm
from wtforms import (
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import (
    DataRequired,
    InputRequired,
    NumberRange,
    Optional,
    StopValidation,
    ValidationError,
)

from forms import rules
from forms.model import NO_ANSWER, OTHER_LENGTH, Item, Questionnaire
from forms.questionnaire import keys, load

Fields = dict[str, Any]


class Posted(Protocol):
    """What a form post gives (a MultiDict): names with one or more texts each."""

    def lists(self) -> Iterable[tuple[str, list[str]]]:
        """Return the names with their texts."""


_CODES = {str(code): code for code in range(1, NO_ANSWER + 1)}
_WHOLE = re.compile(r"-?[0-9]{1,9}")


def from_form(q: Questionnaire, form: Posted) -> dict[str, object]:
    """Return the answers that were posted, ready for ``rules.check``; nothing is invented.

    A blank field is no answer.  What is no code stays the text it was, and a single answer
    posted twice stays a list, so that ``check`` refuses them.  Names of other
    questionnaires are kept (``check`` names them); the page's own names are passed over.
    """
    p = rules.plan(q)
    codes, answers = p.codes, dict[str, object]()
    for name, values in form.lists():
        value = values[0]
        if name in codes and value in _CODES and len(values) == 1:
            answers[name] = _CODES[value]
        elif name in p.several:
            if given := [_CODES.get(value, value) for value in values if not _blank(value)]:
                answers[name] = given
        elif name in p.items or name in codes:
            if all(map(_blank, values)):
                continue
            if len(values) > 1:
                answers[name] = values
            else:
                number = name in p.numbers and _WHOLE.fullmatch(value)
                answers[name] = int(value) if number else value
        elif name in _foreign():
            answers[name] = values
    return answers


def _blank(value: str) -> bool:
    return not value or value.isspace()


@cache
def _foreign() -> frozenset[str]:
    """Every name of every questionnaire."""
    return frozenset(name for key in keys() for name in rules.names(load(key)))


def _code(value: str | int) -> int | None:
    """Coerce a posted code (or the code of a choice); blank is no answer, -1 no code."""
    if isinstance(value, int):
        return value
    return None if _blank(value) else _CODES.get(value, -1)


def _once(form: FlaskForm, field: Any) -> None:
    values = field.raw_data or []
    if len(values) > 1 and not all(map(_blank, values)):
        raise StopValidation("Câu này chỉ nhận một câu trả lời.")


def _chosen(item: Item) -> Callable[[FlaskForm, Any], None]:
    def validate(form: FlaskForm, field: Any) -> None:
        if not field.data:
            field.errors[:] = []
            raise StopValidation("Chọn ít nhất một phương án." if item.required else "")

    return validate


def _not_twice(form: FlaskForm, field: Any) -> None:
    if len(set(field.data)) < len(field.data):
        raise ValidationError("Một phương án được gửi hai lần.")


def _alone(form: FlaskForm, field: Any) -> None:
    if NO_ANSWER in field.data and len(field.data) > 1:
        raise ValidationError("“Không biết / không trả lời” không đi cùng phương án khác.")


def _whole(form: FlaskForm, field: Any) -> None:
    if not all(_WHOLE.fullmatch(value) for value in field.raw_data if value.strip()):
        raise StopValidation("Câu này nhận một số nguyên.")


def _needed(item: Item) -> Any:
    """The answer is required, or may be left blank."""
    return InputRequired("Chọn một phương án.") if item.required else Optional()


def _options(item: Item) -> list[SelectChoice]:
    offered = [SelectChoice(choice.code, choice.label) for choice in item.choices]
    return [*offered, SelectChoice(NO_ANSWER, "")] if item.no_answer else offered


def _radio(item: Item, label: str) -> Any:
    return RadioField(label, [_once, _needed(item)], coerce=_code, choices=_options(item))


def _single(item: Item) -> Fields:
    return {item.id: _radio(item, item.text)}


def _matrix(item: Item) -> Fields:
    return {f"{item.id}.{row.id}": _radio(item, row.label) for row in item.rows}


def _multiple(item: Item) -> Fields:
    return {
        item.id: SelectMultipleField(
            item.text,
            [_chosen(item), _not_twice, _alone],
            coerce=_code,
            choices=_options(item),
            filters=[lambda codes: [code for code in codes or [] if code is not None]],
        )
    }


def _words(maximum: int) -> Callable[[FlaskForm, Any], None]:
    """A text of at most so many letters after NFC, every one of which can be printed."""

    def validate(form: FlaskForm, field: Any) -> None:
        text = field.data.replace("\r\n", "\n").replace("\r", "\n").strip()
        length = len(unicodedata.normalize("NFC", text))
        if length > maximum:
            raise ValidationError(f"Dài {length} chữ cái, tối đa {maximum}.")
        for letter in text.replace("\n", ""):
            hidden = unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}
            if hidden or letter in _MARKS or unicodedata.bidirectional(letter) in _DIRECTIONS:
                raise ValidationError("Có ký tự không in được.")

    return validate


#: Byte order marks and overrides of the writing direction, which hide what a text says.
_MARKS = "\ufeff\ufffe\uffff"
_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def _filled(item: Item) -> Any:
    return DataRequired("Ghi câu trả lời.") if item.required else Optional()


def _text(item: Item) -> Fields:
    return {item.id: TextAreaField(item.text, [_once, _filled(item), _words(item.max_length)])}


def _number(item: Item) -> Fields:
    limits = NumberRange(item.minimum, item.maximum)
    return {item.id: IntegerField(item.text, [_once, _needed(item), _whole, limits])}


#: Item kind -> its fields.  A new kind of question is one function and one line here.
FIELDS: dict[str, Callable[[Item], Fields]] = {
    "scale": _single,
    "single": _single,
    "multiple": _multiple,
    "matrix": _matrix,
    "number": _number,
    "text": _text,
}


def _asked(form: FlaskForm, q: Questionnaire, item: Item) -> bool:
    """Is the item asked, given the posted answers of the items asked before it?"""
    rule = item.when
    if rule is None:
        return True
    before = next((i for i in q.items if rule.column.partition(".")[0] == i.id), None)
    if before is not None and not _asked(form, q, before):
        return False
    given = form[rule.column].data
    return bool({*rule.any_of} & ({*given} if isinstance(given, list) else {given}))


def _only_when(q: Questionnaire, item: Item) -> Callable[[FlaskForm, Any], None]:
    """Pass over what is not asked; refuse what was answered without its own consent."""

    def validate(form: FlaskForm, field: Any) -> None:
        if _asked(form, q, item):
            return
        field.errors[:] = []
        given = any(value.strip() for value in field.raw_data or [])
        raise StopValidation("Câu này cần sự đồng ý riêng." if given and item.consent else "")

    return validate


def _beside(item: Item) -> Callable[[FlaskForm, Any], None]:
    """A text beside "Khác" needs that choice."""

    def validate(form: FlaskForm, field: Any) -> None:
        given = form[item.id].data
        assert item.other
        if item.other.code not in (given if isinstance(given, list) else [given]):
            raise ValidationError("Chọn phương án có lời ghi thêm, hoặc bỏ lời ghi thêm.")

    return validate


def _untranslated(meta: object, form: object) -> None:
    """WTForms' own messages are not shown to anybody."""


@lru_cache(maxsize=64)
def form_for(q: Questionnaire) -> type[FlaskForm]:
    """Return the WTForms form of a questionnaire: the reference of ``from_form`` and ``check``.

    It accepts and refuses the same posts (a test proves it) but is far slower, so the
    citizens' pages do not use it.  It has no CSRF field: pages carry their own signed token.
    """
    fields: Fields = {
        consent: RadioField("", [_once, Optional()], coerce=_code, choices=[SelectChoice(1, "")])
        for consent in q.consents
    }
    for item in q.items:
        own = FIELDS[item.kind](item)
        if item.other:
            own[f"{item.id}.other"] = StringField(
                item.other.label, [_once, Optional(), _words(OTHER_LENGTH), _beside(item)]
            )
        if item.when:
            for field in own.values():
                field.args[1].insert(0, _only_when(q, item))
        fields |= own
    plain = type("Meta", (), {"csrf": False, "get_translations": _untranslated})
    return type("QuestionnaireForm", (FlaskForm,), fields | {"Meta": plain})
