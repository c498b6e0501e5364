"""What counts as an answer: checking, skipping, and the two stored forms (JSON and bytes)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from forms.model import NO_ANSWER, OTHER_LENGTH, Item, Questionnaire, Rule

Answers = Mapping[str, object]

#: Fault code -> when it is given.  Each is ``fault.<code>`` in the catalogue of texts.
CODES: Mapping[str, str] = {
    "unanswered": "a required question without an answer",
    "off_scale": "a number that is no code of this question (facts: codes)",
    "not_a_number": "not a whole number: text, true/false, 4.0, null",
    "out_of_range": "a number outside minimum and maximum (facts: minimum, maximum)",
    "not_a_list": "several choices that are not a list, or hold one twice",
    "not_alone": "NO_ANSWER together with other choices",
    "not_text": "a text that is no text",
    "too_long": "a text over its length (facts: length, maximum)",
    "control_characters": "a text with characters that cannot be printed",
    "unknown_item": "a name that this questionnaire does not have",
    "not_asked": "a text beside “other” without that choice (facts: choice)",
    "no_consent": "an answer that needs a consent of its own",
}

# Control characters but the newline, line separators, direction overrides, lone surrogates.
_CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one answer; facts always hold ``number`` and ``text`` of its item."""

    column: str  # id of the field to mend: "s31", "c1.economy", "c2", "c2.other"
    code: str  # one of CODES
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A questionnaire made ready for checking: flat tables from field names to their rules."""

    order: tuple[str, ...]  # every field name, in canonical order
    items: Mapping[str, Item]  # field name -> its item
    codes: Mapping[str, frozenset[int]]  # single-code fields -> allowed codes
    several: Mapping[str, frozenset[int]]  # multiple fields -> choice codes (and NO_ANSWER)
    texts: Mapping[str, int]  # text fields -> maximal length
    numbers: Mapping[str, Item]
    others: Mapping[str, tuple[str, int]]  # "c2.other" -> ("c2", 7)
    required: tuple[str, ...]
    conditional: tuple[tuple[Item, Rule, tuple[str, ...]], ...]  # item, rule, its fields
    packed: tuple[str, ...]  # column ids; "" where a multiple item fills in
    multiples: tuple[tuple[str, int, tuple[int, ...]], ...]  # field, first column, choice codes


@lru_cache(maxsize=256)
def plan(q: Questionnaire) -> Plan:
    """Make the tables of a questionnaire; done once for each."""
    by_item = {item.id: _fields(item) for item in q.items}
    shown = [q.item(id) for section in q.sections for id in section.items]
    single = {c.id: c.codes for c in q.columns if c.item.kind != "multiple"}
    packed, multiples = [c.id if c.id in single else "" for c in q.columns], []
    for item in q.items:
        if item.kind == "multiple":
            first = next(n for n, column in enumerate(q.columns) if column.item is item)
            multiples.append((item.id, first, tuple(choice.code for choice in item.choices)))
    others = {f"{i.id}.other": (i.id, i.other.code) for i in q.items if i.other}
    lengths = {i.id: i.max_length for i in q.items if i.kind == "text"}
    return Plan(
        order=(*q.consents, *(name for fields in by_item.values() for name in fields)),
        items={name: q.item(id) for id, fields in by_item.items() for name in fields},
        codes=single | {consent: frozenset({1}) for consent in q.consents},
        several={
            i.id: frozenset({c.code for c in i.choices} | ({NO_ANSWER} if i.no_answer else set()))
            for i in q.items
            if i.kind == "multiple"
        },
        texts=lengths | dict.fromkeys(others, OTHER_LENGTH),
        numbers={i.id: i for i in q.items if i.kind == "number"},
        others=others,
        required=tuple(
            name
            for item in q.items
            if item.required
            for name in by_item[item.id]
            if name not in others
        ),
        conditional=tuple((item, item.when, by_item[item.id]) for item in shown if item.when),
        packed=tuple(packed),
        multiples=tuple(multiples),
    )


def _fields(item: Item) -> tuple[str, ...]:
    """Names under which the answers of an item are sent and stored."""
    if item.kind == "matrix":
        return tuple(f"{item.id}.{row.id}" for row in item.rows)
    return (item.id, f"{item.id}.other") if item.other else (item.id,)


def names(q: Questionnaire) -> tuple[str, ...]:
    """Return every name an answer of this questionnaire may have, in canonical order."""
    return plan(q).order


def check(q: Questionnaire, answers: Answers) -> tuple[dict[str, object], list[Fault]]:
    """Return the clean answers and everything that is wrong with them.

    Parameters
    ----------
    q : questionnaire (in any language)
    answers : field name -> int code, list of codes, or text; a blank text is no answer

    Returns
    -------
    clean, faults
        ``clean`` holds the good answers only, in canonical order: texts NFC with newlines as
        ``\\n``, lists sorted, answers to questions that are not asked left out.  It may be
        stored only when ``faults`` is empty.  Faults come in the order of the questionnaire.
    """
    p = plan(q)
    good: dict[str, object] = {}
    bad: dict[str, Fault] = {}
    codes = p.codes
    for name, value in answers.items():
        allowed = codes.get(name)
        if allowed is not None and value.__class__ is int and value in allowed:
            good[name] = value
        else:
            _slow(p, name, value, good, bad)
    skipped = _skip(p, good, bad) if p.conditional else frozenset()
    for name, (item, code) in p.others.items():
        if name in good and not _holds(good.get(item), (code,)):
            label = next(c.label for c in p.items[item].choices if c.code == code)
            bad.setdefault(item, _fault(p, name, "not_asked", choice=label))
    for name in p.required:
        if name not in good and name not in bad and name not in skipped:
            bad[name] = _fault(p, name, "unanswered")
    clean = {name: good[name] for name in p.order if name in good}
    if not bad:
        return clean, []
    place = {name: n for n, name in enumerate(p.order)}
    return clean, sorted(bad.values(), key=lambda f: place.get(f.column, len(place)))


def _fault(p: Plan, name: str, code: str, **facts: object) -> Fault:
    item = p.items.get(name)
    row = next((r.label for r in item.rows if name == f"{item.id}.{r.id}"), "") if item else ""
    about = {"number": item.number, "text": row or item.text} if item else {}
    return Fault(name, code, about | facts)


def _slow(
    p: Plan, name: str, value: object, good: dict[str, object], bad: dict[str, Fault]
) -> None:
    """Take an answer that is not simply a code, or say what is wrong with it."""
    found: object = None
    code: str = ""
    facts: dict[str, object] = {}
    if name in p.codes:
        code = "off_scale" if type(value) is int else "not_a_number"
        facts = {"codes": sorted(p.codes[name])} if code == "off_scale" else {}
    elif name in p.several:
        found, code = _several(value, p.several[name])
        facts = {"codes": sorted(p.several[name])} if code == "off_scale" else {}
    elif name in p.texts:
        found, code, facts = text(value, p.texts[name])
    elif name in p.numbers:
        item = p.numbers[name]
        low, high = item.minimum, item.maximum
        if type(value) is not int:
            code = "not_a_number"
        elif (low is not None and value < low) or (high is not None and value > high):
            code, facts = "out_of_range", {"minimum": low, "maximum": high}
        else:
            found = value
    else:
        code = "unknown_item"
    if code:
        bad[name] = _fault(p, name, code, **facts)
    elif found is not None:
        good[name] = found


def _several(value: object, allowed: frozenset[int]) -> tuple[list[int] | None, str]:
    if not isinstance(value, list):
        return None, "not_a_list"
    if any(type(one) is not int for one in value):
        return None, "not_a_number"
    if not allowed.issuperset(value):
        return None, "off_scale"
    if len(set(value)) != len(value):
        return None, "not_a_list"
    if NO_ANSWER in value and len(value) > 1:
        return None, "not_alone"
    return sorted(value) or None, ""


def text(value: object, maximum: int) -> tuple[str | None, str, dict[str, object]]:
    if not isinstance(value, str):
        return None, "not_text", {}
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    # A decomposed Vietnamese letter is at most three characters; longer texts need no composing
    # (and composing long runs of combining marks takes quadratic time).
    if len(text) <= 4 * maximum:
        text = unicodedata.normalize("NFC", text)
    if len(text) > maximum:
        return None, "too_long", {"length": len(text), "maximum": maximum}
    if _CONTROL.search(text):
        return None, "control_characters", {}
    return text or None, "", {}


def _holds(value: object, any_of: tuple[int, ...]) -> bool:
    if isinstance(value, list):
        return any(one in any_of for one in value)
    return value in any_of


def _skip(p: Plan, good: dict[str, object], bad: dict[str, Fault]) -> frozenset[str]:
    """Drop the answers to questions that are not asked; return the names of those questions."""
    skipped: list[str] = []
    for item, rule, fields in p.conditional:
        if _holds(good.get(rule.column), rule.any_of):
            continue
        skipped += fields
        for name in fields:
            given = good.pop(name, None) is not None or bad.pop(name, None) is not None
            if given and item.consent:  # never stored, and never dropped in silence either
                bad[name] = _fault(p, name, "no_consent", consent=item.consent)
    return frozenset(skipped)


def asked(q: Questionnaire, answers: Answers) -> frozenset[str]:
    """Return the ids of the items that are asked given the answers so far."""
    p = plan(q)
    good = dict(answers)
    skipped = set()
    for item, rule, fields in p.conditional:
        if not _holds(good.get(rule.column), rule.any_of):
            skipped.add(item.id)
            for name in fields:
                good.pop(name, None)
    return frozenset(item.id for item in q.items if item.id not in skipped)


_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(answers: Answers) -> str:
    """Return the text that is stored and digested: compact JSON, names sorted."""
    return _canonical.encode(answers)


def pack(q: Questionnaire, answers: Answers) -> bytes:
    """Return the codes of checked answers, one byte for each of ``q.columns``.

    0 is not asked or left empty, 9 is NO_ANSWER, 1..8 a code; a choice of several is
    1 when chosen and 2 when not.
    """
    p = plan(q)
    get = answers.get
    row = [get(name, 0) for name in p.packed]
    for name, first, codes in p.multiples:
        chosen = get(name)
        if isinstance(chosen, list):
            silent = NO_ANSWER in chosen
            row[first : first + len(codes)] = [
                NO_ANSWER if silent else 1 if code in chosen else 2 for code in codes
            ]
    return bytes(row)  # type: ignore[arg-type]  # checked answers hold ints here


def unpack(q: Questionnaire, packed: bytes) -> dict[str, int]:
    """Return column id -> byte, the inverse of ``pack``.

    Raises
    ------
    ValueError
        The bytes are not those of this questionnaire.
    """
    columns = q.columns
    if len(packed) != len(columns):
        raise ValueError(f"{q.key} has {len(columns)} columns, not {len(packed)}")
    return {column.id: code for column, code in zip(columns, packed, strict=True)}
