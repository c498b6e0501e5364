"""The questionnaire file before it is a questionnaire: reading JSON, its texts, place words."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from forms.model import Faulty

Document = dict[str, object]

#: Words that depend on where the wave is held: ``{commune_word}`` in a text.
PLACE_WORDS = ("commune_word", "province_word", "hamlet_word", "office", "centre", "point")

_PLACE = re.compile(r"\{([^{}]*)\}")
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def decode(text: str) -> Document:
    """Read a JSON object, refusing what ``json`` lets pass (a name given twice, NaN).

    Raises
    ------
    Faulty
        Broken JSON with its line and column, or every name given twice.
    """
    twice: list[str] = []

    def pairs(found: list[tuple[str, object]]) -> Document:
        seen: Document = {}
        for name, value in found:
            if name in seen:
                twice.append(f"Tên “{name}” được ghi hai lần trong cùng một khối.")
            seen[name] = value
        return seen

    def constant(name: str) -> object:
        twice.append(f"Giá trị {name} không phải là số.")
        return 0

    try:
        document = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        place = f"Dòng {error.lineno}, cột {error.colno}"
        raise Faulty([f"{place}: tệp không phải JSON đúng ({error.msg})."]) from error
    except (RecursionError, ValueError) as error:  # nested too deep, a number of 5.000 digits
        raise Faulty([f"Tệp không đọc được ({error})."]) from error
    if not isinstance(document, dict):
        twice.append("Tệp phải là một khối { … }.")
    if twice:
        raise Faulty(twice)
    return dict(document)


def digest(document: Document) -> str:
    """Return the sha256 hex of the document whatever its spaces and order of names."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def text_faults(text: str) -> Iterator[str]:
    """Say what is wrong with a text that people will read."""
    if not text.strip():
        yield "để trống"
        return
    if text != text.strip():
        yield "thừa dấu cách ở đầu hoặc cuối"
    if unicodedata.normalize("NFC", text) != text:
        yield "chưa ở dạng Unicode dựng sẵn (NFC)"
    if _CONTROL.search(text):
        yield "có ký tự điều khiển"
    if text.strip().isdigit():
        yield "chỉ có chữ số, không có chữ"
    for word in _PLACE.findall(text):
        if word not in PLACE_WORDS:
            yield f"từ địa danh lạ “{{{word}}}”"
    if re.search(r"[{}]", _PLACE.sub("", text)):
        yield "thừa dấu ngoặc nhọn"


def place_words(text: str) -> list[str]:
    """Return the place words a text asks for."""
    return _PLACE.findall(text)


def spell(text: str, words: Mapping[str, str]) -> str:
    """Put the place words in; a word nobody gave stays as it is, a sentence keeps its capital."""
    spelled = _PLACE.sub(lambda found: words.get(found[1], found[0]), text)
    return spelled[:1].upper() + spelled[1:] if text.startswith("{") else spelled


def change(document: Document, new: Callable[[str, str], str]) -> Document:
    """Return a copy in which every text is ``new(key, text)``; the keys are a catalogue's.

    Keys: ``title``, ``short``, ``intro``; ``scale.<name>.<code>``; ``area.<id>``,
    ``factor.<id>``; ``section.<id>``, ``section.<id>.intro``; ``item.<id>``,
    ``item.<id>.number``, ``item.<id>.note``, ``item.<id>.row.<id>``, ``item.<id>.choice.<code>``.
    Numbers with a word ("Câu 9") are texts too, hence ``section.<id>.number``.
    """

    def texts(block: object, key: str, names: dict[str, str]) -> Document:
        assert isinstance(block, dict)
        found = dict(block)
        for name, end in names.items():
            text = str(found.get(name, ""))
            if text and not text.isdigit():  # the number "31" is the same in every language
                found[name] = new(key + end, text)
        return found

    def choices(found: object, key: str) -> list[Document]:
        return [texts(one, f"{key}.{one['code']}", {"label": ""}) for one in _blocks(found)]

    copy = texts(document, "", {"title": "title", "short": "short", "intro": "intro"})
    scales = document.get("scales", {})
    assert isinstance(scales, dict)
    copy["scales"] = {name: choices(scale, f"scale.{name}") for name, scale in scales.items()}
    for group, names in (("area", {"name": ""}), ("factor", {"name": ""}), ("section", _SECTION)):
        blocks = _blocks(document.get(f"{group}s", []))
        copy[f"{group}s"] = [texts(one, f"{group}.{one['id']}", names) for one in blocks]
    items = []
    for block in _blocks(document["items"]):
        key = f"item.{block['id']}"
        item = texts(block, key, {"text": "", "number": ".number", "note": ".note"})
        if "choices" in item:
            item["choices"] = choices(item["choices"], f"{key}.choice")
        if "rows" in item:
            rows = _blocks(item["rows"])
            item["rows"] = [texts(row, f"{key}.row.{row['id']}", {"label": ""}) for row in rows]
        items.append(item)
    copy["items"] = items
    return copy


_SECTION = {"title": "", "intro": ".intro", "number": ".number"}


def _blocks(value: object) -> list[Document]:
    assert isinstance(value, list)
    return value


def texts(document: Document) -> dict[str, str]:
    """Return every text of a sound document by its catalogue key."""
    found: dict[str, str] = {}

    def note(key: str, text: str) -> str:
        found[key] = text
        return text

    change(document, note)
    return found
