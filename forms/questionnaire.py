"""Questionnaires by key: shipped as files or published by an office, loaded once, in languages."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

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
    "Provider",
    "Questionnaire",
    "Row",
    "Rule",
    "Section",
    "catalogue_faults",
    "keys",
    "lineage",
    "load",
    "localized",
    "missing",
    "parse",
    "provide",
    "published",
    "read",
    "sameness_faults",
    "shipped",
    "source",
    "translated",
    "translation_faults",
    "wanted",
]

#: Where the published files lie, with ``published.sha256`` beside them.
FOLDER = Path(__file__).parent / "questionnaires"

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[0-9]+")


class Provider(NamedTuple):
    """Where questionnaires are found that no file holds.

    ``keys`` gives the keys of all of them, ``find`` the text of one and its translations by
    language, None when there is no such questionnaire.
    """

    keys: Callable[[], Iterable[str]]
    find: Callable[[str], tuple[str, Mapping[str, str]] | None]


_provider: Provider | None = None
_lent = False  # something the provider gave is kept in a cache


def provide(provider: Provider | None) -> None:
    """Say where this process finds the questionnaires that an office published by itself."""
    global _provider, _lent
    _provider = provider
    if _lent:
        for kept in (load, localized, wanted, missing, lineage):
            kept.cache_clear()
        _lent = False


@cache
def shipped() -> tuple[str, ...]:
    """Return the keys of the questionnaires that come with the program, sorted."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.json") if _KEY.fullmatch(p.stem)))


def keys() -> tuple[str, ...]:
    """Return the keys of all questionnaires, sorted."""
    more = _provider.keys() if _provider else ()
    return tuple(sorted({*shipped(), *more}))


def _given(key: str) -> tuple[str, Mapping[str, str]]:
    global _lent
    found = _provider.find(key) if _provider else None
    if found is None:
        raise LookupError(key)
    _lent = True
    return found


def _text(key: str) -> str:
    """Return the text of a questionnaire; raises LookupError."""
    return read(f"{key}.json") if key in shipped() else _given(key)[0]


def _translation(key: str, language: Language) -> str | None:
    """Return the text of a translation of a questionnaire, None when there is none."""
    if key in shipped():
        name = f"{key}.{language}.json"
        return read(name, FOLDER) if (FOLDER / name).exists() else None
    return _given(key)[1].get(language)


def source(key: str) -> document.Document:
    """Return a questionnaire as it is written down; raises LookupError, Faulty."""
    return document.decode(_text(key))


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
    found = parse(_text(key))
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
    try:
        items = source(key).get("items")
    except LookupError:
        return None
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
    original, written = load(key), source(key)
    catalogue = _catalogue(key, language, written)
    texts = catalogue.get("texts", {})
    official = dict(original.words) | dict(words)
    spelled = _spelled(official, language, catalogue.get("words", {}))

    def new(place: str, text: str) -> str:
        if language == OFFICIAL:
            return document.spell(text, official)
        if place not in texts:
            return mark(document.spell(text, official))
        return document.spell(texts[place], spelled)

    changed = document.change(written, new)
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
    texts = document.texts(source(key))
    return texts | {f"word:{word}": word for word in original.words.values()}


def translated(key: str, language: Language) -> dict[str, str]:
    """Return the texts that a language has, by the keys of ``wanted``, and further words."""
    catalogue = _catalogue(key, language, source(load(key).key))
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
    key: str, language: Language, written: document.Document
) -> Mapping[str, Mapping[str, str]]:
    """Return a language's texts; of a language to come, none at all when its file has faults."""
    if language == OFFICIAL or language not in LANGUAGES:
        return {}
    try:
        return _sound(key, language, written)
    except Faulty:
        if language in load(key).languages:
            raise
        return {}


def _sound(
    key: str, language: Language, written: document.Document
) -> Mapping[str, Mapping[str, str]]:
    text = _translation(key, language)
    if text is None:
        return {}
    found = document.decode(text)
    if faults := catalogue_faults(written, found):
        raise Faulty([f"{key}.{language}.json: {fault}" for fault in faults])
    return found  # type: ignore[return-value]  # its shape was checked


def translation_faults(key: str, language: Language) -> list[str]:
    """Return what is wrong with the file of a questionnaire's translation."""
    try:
        _sound(key, language, source(key))
    except Faulty as fault:
        return fault.faults
    return []


@cache
def lineage(new: str, old: str) -> Mapping[str, str]:
    """Return which items of one questionnaire are the same as which of another: new -> old.

    An item is the same as the one its ``same_as`` names, and as that one's own forebears; two
    items that descend from one forebear are the same, too.  What is asked otherwise (another kind,
    other codes or lines) or claimed twice is left out: it is not compared.

    Raises
    ------
    LookupError
        There is no such questionnaire.
    """
    young, known = load(new), load(old)
    if new == old:
        return {item.id: item.id for item in young.items}
    elders: dict[tuple[str, str], str] = {}
    for item in known.items:
        for forebear in _forebears(old, item):
            elders.setdefault(forebear, item.id)
    found = {}
    for item in young.items:
        named = next((elders[one] for one in _forebears(new, item) if one in elders), None)
        if named is not None and not _unlike(item, known.item(named)):
            found[item.id] = named
    claims = list(found.values())
    return {mine: theirs for mine, theirs in found.items() if claims.count(theirs) == 1}


def _forebears(key: str, item: Item) -> list[tuple[str, str]]:
    """Return questionnaire and id of an item and of all that it descends from, youngest first."""
    chain = [(key, item.id)]
    while item.same_as:
        key, _, id = item.same_as.partition(":")
        if (key, id) in chain:
            break
        chain.append((key, id))
        try:
            item = load(key).item(id)
        except (LookupError, Faulty):
            break
    return chain


def _unlike(item: Item, other: Item) -> str:
    """Return what forbids to compare two items, in Vietnamese; "" for items asked alike."""
    if item.kind != other.kind:
        return f"loại câu khác nhau ({item.kind}, {other.kind})"
    if {choice.code for choice in item.choices} != {choice.code for choice in other.choices}:
        return "mã phương án khác nhau"
    if {row.id for row in item.rows} != {row.id for row in other.rows}:
        return "các dòng khác nhau"
    return ""


def sameness_faults(q: Questionnaire) -> list[str]:
    """Return what is wrong with the items a questionnaire calls the same as older ones."""
    faults, claimed = [], Counter(item.same_as for item in q.items if item.same_as)
    for item in q.items:
        if not item.same_as:
            continue
        key, _, id = item.same_as.partition(":")
        if claimed[item.same_as] > 1:
            faults.append(f"Mục {item.id}, “same_as”: “{item.same_as}” được ghi ở nhiều mục.")
        if why := _unlike(item, load(key).item(id)):
            faults.append(f"Mục {item.id}, “same_as”: không như mục “{item.same_as}”, {why}.")
    return faults


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
