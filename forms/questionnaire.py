"""Questionnaires by key: published files checked against their sums, loaded once, in languages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from forms import document
from forms import parse as parsing
from forms.language import LANGUAGES, OFFICIAL, mark
from forms.model import (
    CODES,
    NO_ANSWER,
    Area,
    Choice,
    Column,
    Factor,
    Faulty,
    Item,
    Kind,
    Language,
    Questionnaire,
    Row,
    Rule,
    Section,
)

__all__ = [
    "CODES",
    "FOLDER",
    "NO_ANSWER",
    "Area",
    "Choice",
    "Column",
    "Factor",
    "Faulty",
    "Item",
    "Kind",
    "Language",
    "Questionnaire",
    "Row",
    "Rule",
    "Section",
    "catalogue_faults",
    "keys",
    "load",
    "localized",
    "missing",
    "parse",
    "published",
    "read",
    "translated",
    "translation_faults",
    "wanted",
]

#: Where the published files lie, with ``published.sha256`` beside them.
FOLDER = Path(__file__).parent / "questionnaires"

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[0-9]+")


@cache
def keys() -> tuple[str, ...]:
    """Return the keys of all questionnaires, sorted."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.json") if _KEY.fullmatch(p.stem)))


def published(folder: Path = FOLDER) -> Mapping[str, str]:
    """Return file name -> sha256 hex of the files that may not change any more."""
    lines = (folder / "published.sha256").read_text("utf-8").splitlines()
    return {name: sum for sum, name in (line.split(maxsplit=1) for line in lines if line)}


def read(name: str, folder: Path = FOLDER) -> str:
    """Return the text of a questionnaire file or catalogue.

    Raises
    ------
    Faulty
        A published file was changed (answers are already stored under its key), or is not UTF-8.
    """
    content = (folder / name).read_bytes()
    expected = published(folder).get(name)
    if expected is not None and hashlib.sha256(content).hexdigest() != expected:
        raise Faulty([f"Tệp {name} đã phát hành mà bị sửa. Tạo bảng hỏi có số hiệu mới."])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Faulty([f"Tệp {name} không phải UTF-8 (byte thứ {error.start + 1})."]) from error


@cache
def load(key: str) -> Questionnaire:
    """Return the questionnaire in Vietnamese, its place words left open.

    Raises
    ------
    LookupError
        There is no such questionnaire.
    Faulty
        Its file has faults or was changed after publication.
    """
    if key not in keys():
        raise LookupError(key)
    found = parse(read(f"{key}.json"))
    if found.key != key:
        raise Faulty([f"Tệp {key}.json mang mã “{found.key}”."])
    return found


def parse(text: str) -> Questionnaire:
    """Read the text of a questionnaire file.

    Raises
    ------
    Faulty
        ``faults`` names every fault of the file and its place, in Vietnamese.
    """
    return parsing.read(text, _items_of)


def _items_of(key: str) -> frozenset[str] | None:
    if key not in keys():
        return None
    items = document.decode(read(f"{key}.json")).get("items")
    blocks = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return frozenset(str(block.get("id", "")) for block in blocks)


@lru_cache(maxsize=256)
def localized(key: str, language: Language, words: frozenset[tuple[str, str]]) -> Questionnaire:
    """Return the questionnaire in a language with the place words of a wave put in.

    Parameters
    ----------
    key : questionnaire
    language : "vi", "en", "km" …; a text without translation stays Vietnamese and says so
        (``forms.language.mark``), so that pages can show it as ``lang="vi"``
    words : (place word, value) of the wave, in Vietnamese; ("en:office", "…") gives the value
        for English.  What the wave leaves out comes from the questionnaire, and a common value
        ("phường") is translated by the catalogue.

    Raises
    ------
    LookupError
        There is no such questionnaire.
    Faulty
        The questionnaire or its catalogue has faults.
    """
    original = load(key)
    source = document.decode(read(f"{key}.json"))
    catalogue = _catalogue(key, language, source)
    texts = catalogue.get("texts", {})
    official = dict(original.words) | dict(words)
    spelled = _spelled(official, language, catalogue.get("words", {}))

    def new(place: str, text: str) -> str:
        if language == OFFICIAL:
            return document.spell(text, official)
        if place not in texts:
            return mark(document.spell(text, official))
        return document.spell(texts[place], spelled)

    changed = document.change(source, new)
    changed["words"] = {word: spelled[word] for word in original.words}
    return parsing.build(changed, of=original.digest)


def _spelled(
    official: Mapping[str, str], language: Language, common: Mapping[str, str]
) -> dict[str, str]:
    """Return the place words in a language; one without translation says that it has none."""
    spelled = dict(official)
    if language == OFFICIAL:
        return spelled
    for word in document.PLACE_WORDS:
        if word in spelled:
            value = spelled[word]
            spelled[word] = spelled.get(f"{language}:{word}") or common.get(value) or mark(value)
    return spelled


@cache
def wanted(key: str) -> Mapping[str, str]:
    """Return every text that a translation must have, by its key, in Vietnamese.

    ``word:<value>`` stands for a place word as the questionnaire itself gives it.

    Raises
    ------
    LookupError
        There is no such questionnaire.
    """
    original = load(key)
    texts = document.texts(document.decode(read(f"{key}.json")))
    return texts | {f"word:{word}": word for word in original.words.values()}


def translated(key: str, language: Language) -> dict[str, str]:
    """Return the texts that a language has, by the keys of ``wanted``, and further words."""
    source = document.decode(read(f"{load(key).key}.json"))
    catalogue = _catalogue(key, language, source)
    words = catalogue.get("words", {}).items()
    return dict(catalogue.get("texts", {})) | {f"word:{word}": text for word, text in words}


@cache
def missing(key: str, language: Language) -> tuple[str, ...]:
    """Return the keys of ``wanted`` that a language has no translation of."""
    if language == OFFICIAL:
        return ()
    have = translated(key, language)
    return tuple(name for name in wanted(key) if name not in have)


def _catalogue(
    key: str, language: Language, source: document.Document
) -> Mapping[str, Mapping[str, str]]:
    """Return a language's texts; of a language to come, none at all when its file has faults."""
    if language == OFFICIAL or language not in LANGUAGES:
        return {}
    try:
        return _sound(f"{key}.{language}.json", source)
    except Faulty:
        if language in load(key).languages:
            raise
        return {}


def _sound(name: str, source: document.Document) -> Mapping[str, Mapping[str, str]]:
    if not (FOLDER / name).exists():
        return {}
    found = document.decode(read(name, FOLDER))
    faults = catalogue_faults(source, found)
    if faults:
        raise Faulty([f"{name}: {fault}" for fault in faults])
    return found  # type: ignore[return-value]  # its shape was checked


def translation_faults(key: str, language: Language) -> list[str]:
    """Return what is wrong with the file of a questionnaire's translation."""
    try:
        _sound(f"{key}.{language}.json", document.decode(read(f"{key}.json")))
    except Faulty as fault:
        return fault.faults
    return []


def catalogue_faults(source: document.Document, catalogue: document.Document) -> list[str]:
    """Return what is wrong with a catalogue; a text not yet translated is no fault."""
    faults = [f"Tên lạ “{n}”." for n in catalogue if n not in ("language", "texts", "words")]
    known = document.texts(source)
    for part in ("texts", "words"):
        table = catalogue.get(part, {})
        if not isinstance(table, dict):
            faults.append(f"“{part}” phải là một bảng chữ.")
            continue
        for key, text in table.items():
            if part == "texts" and key not in known:
                faults.append(f"Không có chỗ nào mang mã “{key}”.")
            if isinstance(text, str):
                faults += [f"{key}: {fault}." for fault in document.text_faults(text)]
            else:
                faults.append(f"{key}: phải là chữ.")
    return faults
