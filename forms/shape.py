"""The shape of a questionnaire file: which names each block has, of which type, and its faults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from forms.document import Document, text_faults
from forms.model import KINDS


class _Required:
    """Marks a name that must be there."""


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a block: its type, and its value when the file leaves it out."""

    type: str
    default: object = REQUIRED


QUESTIONNAIRE = {
    "key": Name("key"),
    "title": Name("text"),
    "short": Name("text"),
    "intro": Name("text"),
    "minutes": Name("whole"),
    "index_scale": Name("whole"),
    "source": Name("text"),
    "languages": Name("words"),
    "words": Name("table", {}),
    "scales": Name("scales", {}),
    "areas": Name("blocks", []),
    "factors": Name("blocks", []),
    "sections": Name("blocks"),
    "items": Name("blocks"),
}
CHOICE = {"code": Name("whole"), "label": Name("text"), "other": Name("flag", False)}
ROW = {"id": Name("id"), "label": Name("text"), "policy": Name("id", "")}
RULE = {"column": Name("word"), "any_of": Name("wholes")}
AREA = {"id": Name("code"), "name": Name("text")}
FACTOR = {"id": Name("code"), "name": Name("text"), "area": Name("code")}
SECTION = {
    "id": Name("name"),
    "number": Name("text", ""),
    "title": Name("text"),
    "intro": Name("text", ""),
    "items": Name("words"),
}
ITEM = {
    "id": Name("id"),
    "kind": Name("word"),
    "number": Name("word", ""),
    "text": Name("text"),
    "note": Name("text", ""),
    "scale": Name("word", ""),
    "choices": Name("blocks", []),
    "rows": Name("blocks", []),
    "required": Name("flag", None),
    "no_answer": Name("flag", None),
    "factor": Name("word", ""),
    "policy": Name("id", ""),
    "same_as": Name("word", ""),
    "when": Name("block", None),
    "consent": Name("id", ""),
    "minimum": Name("whole", None),
    "maximum": Name("whole", None),
    "max_length": Name("whole", 2000),
}

_PATTERNS = {
    "key": (re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[0-9]+"), "phải như “sipas-2026.1”"),
    "id": (re.compile(r"[a-z0-9][a-z0-9_]*"), "chỉ gồm chữ thường không dấu, số và “_”"),
    "name": (re.compile(r"[a-z0-9][a-z0-9_-]*"), "chỉ gồm chữ thường không dấu, số, “_” và “-”"),
    "code": (re.compile(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*"), "phải như “II” hay “II.C”"),
}
_TYPES: dict[str, tuple[type, object, str]] = {
    "whole": (int, 0, "một số nguyên"),
    "flag": (bool, False, "true hoặc false"),
    "words": (list, [], "một danh sách chữ"),
    "wholes": (list, [], "một danh sách số nguyên"),
    "blocks": (list, [], "một danh sách khối"),
    "block": (dict, {}, "một khối"),
    "table": (dict, {}, "một bảng chữ"),
    "scales": (dict, {}, "một bảng thang đo"),
}
_INSIDE: dict[str, type] = {"words": str, "wholes": int, "blocks": dict, "table": str}


def shaped(block: Document, shape: Mapping[str, Name], place: str, faults: list[str]) -> Document:
    """Return the block with every name of its shape, noting what is missing, extra or wrong.

    A wrong value is replaced by an empty one of the right type, so that the search for
    further faults can go on.
    """
    faults += [f"{place}: tên lạ “{name}”." for name in block if name not in shape]
    clean: Document = {}
    for name, rule in shape.items():
        if name in block:
            clean[name] = _typed(block[name], rule.type, f"{place}, “{name}”", faults)
        elif rule.default is REQUIRED:
            faults.append(f"{place}: thiếu “{name}”.")
            clean[name] = _TYPES[rule.type][1] if rule.type in _TYPES else ""
        else:
            clean[name] = rule.default
    return clean


def _typed(value: object, kind: str, place: str, faults: list[str]) -> object:
    if kind not in _TYPES:
        return _worded(value, kind, place, faults)
    type_, empty, words = _TYPES[kind]
    inside = value.values() if isinstance(value, dict) else value
    fits = type(value) is type_
    if fits and kind in _INSIDE and isinstance(inside, list | type({}.values())):
        fits = all(type(one) is _INSIDE[kind] for one in inside)
    if not fits:
        faults.append(f"{place}: phải là {words}.")
        return empty
    if kind in ("words", "wholes"):
        assert isinstance(value, list)
        twice = sorted({str(one) for one in value if value.count(one) > 1})
        faults += [f"{place}: “{one}” được ghi hai lần." for one in twice]
    return value


def _worded(value: object, kind: str, place: str, faults: list[str]) -> str:
    if not isinstance(value, str):
        faults.append(f"{place}: phải là chữ.")
        return ""
    if kind in ("text", "word"):
        found = list(text_faults(value))
        if kind == "word":  # "31" is a good number of an item
            found = [fault for fault in found if not fault.startswith("chỉ có chữ số")]
        faults += [f"{place}: {fault}." for fault in found]
    elif not _PATTERNS[kind][0].fullmatch(value):
        faults.append(f"{place}: “{value}” {_PATTERNS[kind][1]}.")
    return value


def place_of(block: Document, kind: str, number: int) -> str:
    """Name a block in a fault: by its id, or by its place when it has none."""
    name = block.get("id", block.get("code"))
    return (
        f"{kind} {name}" if isinstance(name, str | int) and name != "" else f"{kind} thứ {number}"
    )


def shaped_item(block: Document, place: str, faults: list[str]) -> Document:
    """Shape an item with its choices, rows and rule."""
    item = shaped(block, ITEM, place, faults)
    for name, shape, word in (("choices", CHOICE, "phương án"), ("rows", ROW, "dòng")):
        item[name] = shaped_list(item[name], shape, f"{place}, {word}", faults)
    if item["when"] is not None:
        rule = item["when"]
        assert isinstance(rule, dict)
        item["when"] = shaped(rule, RULE, f"{place}, điều kiện", faults)
    if item["kind"] not in KINDS:
        faults.append(f"{place}: loại câu hỏi lạ “{item['kind']}”.")
    closed = item["kind"] not in ("text", "number")
    for name in ("required", "no_answer"):
        if item[name] is None:
            item[name] = closed
    return item


def shaped_list(
    blocks: object, shape: Mapping[str, Name], word: str, faults: list[str]
) -> list[Document]:
    """Shape every block of a list."""
    assert isinstance(blocks, list)
    return [shaped(one, shape, place_of(one, word, n), faults) for n, one in enumerate(blocks, 1)]
