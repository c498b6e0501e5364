"""Every word a person reads, by key and language; a missing word is an error, not a blank."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import request

from forms import language as languages
from forms import questionnaire as questionnaires
from forms.language import OFFICIAL, mark, marked, plain
from survey.store.clock import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flask import Flask, Response

FOLDER = Path(__file__).parent / "translations"
#: Languages in which every single text is there: a missing one is an error.
STRICT = ("vi", "en")
#: Topics (``<topic>.vi.json``) and first words of keys that citizens do not read; everything
#: else must be translated before a language is offered to them.
STAFF_TOPICS = frozenset(
    {"alerts", "board", "comments", "datafiles", "desk", "feedback", "field", "lots"}
    | {"mail", "people", "print", "questionnaires", "rooms", "running", "sampling", "staff"}
    | {"criteria", "letters", "narratives", "external", "officer", "keys", "jobs"}
    | {"reporting"}
)
STAFF_WORDS = frozenset(
    {"api", "calls", "coverage", "doors", "dossiers", "feed", "key", "kiosks", "message"}
    | {"poster", "screens", "staff"}
)
_FACTS = re.compile(r"\{(\w+)\}")


def _files(language: str) -> list[tuple[str, Path]]:
    """Return (topic, file) of a language; the topic of ``vi.json`` is ""."""
    own = FOLDER / f"{language}.json"
    more = sorted(FOLDER.glob(f"*.{language}.json"))
    return [("", own)] * own.exists() + [(p.name.partition(".")[0], p) for p in more]


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the texts of one language: ``vi.json`` and every ``*.vi.json`` beside it.

    Of a language that is still being translated, only sound texts count (``faults``): a page
    shows the Vietnamese text rather than a broken one.

    Raises ``LookupError`` for a language nobody knows and ``ValueError`` when two files claim one
    key.
    """
    found = _read(language)
    wrong = set()
    if language not in STRICT:
        wrong = {fault.partition(":")[0] for fault in faults(language)}
    return {key: str(words) for key, words in found.items() if key not in wrong}


def _read(language: str) -> dict[str, object]:
    if language not in languages.LANGUAGES:
        raise LookupError(language)
    found: dict[str, object] = {}
    for _, file in _files(language):
        try:
            words = json.loads(file.read_text("utf-8"))
            if not isinstance(words, dict):
                raise ValueError("phải là một khối { … }")
        except ValueError as fault:
            if language in STRICT:
                raise
            words = {file.name: fault}  # a translator's slip stops no server
        if twice := found.keys() & words.keys():
            raise ValueError(f"{file.name}: {sorted(twice)}")
        found |= words
    return found


def faults(language: str) -> list[str]:
    """Return what is wrong with a language's texts, as "key: reason" in Vietnamese."""
    official = catalogue(OFFICIAL)
    return [
        f"{key}: {reason}"
        for key, words in _read(language).items()
        for reason in text_faults(official.get(key), words)
    ]


def text_faults(official: str | None, words: object) -> list[str]:
    """Return what is wrong with the translation of one text."""
    if isinstance(words, ValueError):
        return [f"tệp không đọc được ({words})"]
    if official is None:
        return ["không có chữ nào mang mã này"]
    if not isinstance(words, str) or not words.strip():
        return ["để trống"]
    found = []
    if words != words.strip():
        found.append("thừa dấu cách ở đầu hoặc cuối")
    if not unicodedata.is_normalized("NFC", words):
        found.append("chưa ở dạng Unicode dựng sẵn (NFC)")
    wanted, given = set(_FACTS.findall(official)), set(_FACTS.findall(words))
    found += [f"thiếu {{{name}}}" for name in sorted(wanted - given)]
    found += [f"thừa {{{name}}}" for name in sorted(given - wanted)]
    if re.search(r"[{}]", _FACTS.sub("", words)):
        found.append("thừa dấu ngoặc nhọn")
    return found


def wanted() -> tuple[str, ...]:
    """Return the keys that citizens read: what a language must have to be offered to them."""
    return tuple(
        key
        for topic, file in _files(OFFICIAL)
        if topic not in STAFF_TOPICS
        for key in json.loads(file.read_text("utf-8"))
        if key.partition(".")[0] not in STAFF_WORDS
    )


@cache
def missing(language: str) -> tuple[str, ...]:
    """Return the keys that citizens read and a language has no sound text for."""
    have = catalogue(language)
    return tuple(key for key in wanted() if key not in have)


@cache
def offered(questionnaire: str = "") -> tuple[str, ...]:
    """Return the languages complete for citizens' pages, and for a questionnaire if one is given.

    Raises ``LookupError`` for a questionnaire that is not there.
    """
    return tuple(
        tag
        for tag in languages.LANGUAGES
        if (tag in STRICT or not missing(tag))
        and not (questionnaire and questionnaires.missing(questionnaire, tag))
    )


def shown() -> tuple[str, ...]:
    """Return the languages a page may be asked for: those offered, and those being translated.

    A translator sees unfinished work by its address (``?lang=km``); nobody is led there.
    """
    return tuple(tag for tag in languages.LANGUAGES if tag in STRICT or catalogue(tag))


#: The languages of pages and of stored answers; the first one is the official text.
LANGUAGES = shown()


def t(key: str, language: str = OFFICIAL, **facts: object) -> str:
    """Return the text ``key`` with its ``{facts}`` filled in; ``LookupError`` if there is none.

    In a language still being translated a text that is not there yet stays Vietnamese and says so
    (``forms.language.mark``); templates turn that into ``lang="vi"`` by themselves.
    """
    text = catalogue(language).get(key)
    if text is None:
        if language in STRICT:
            raise LookupError(key)
        return _fallen(key, language, facts)
    return text.format(**facts) if facts else text


def _fallen(key: str, language: str, facts: Mapping[str, object]) -> str:
    """Return the Vietnamese text, each part saying its language."""
    held = {
        name: mark(fact, language) if type(fact) is str and not marked(fact) else fact
        for name, fact in facts.items()
    }
    pieces = languages.parts(t(key, OFFICIAL, **held))
    return "".join(mark(part, tag or OFFICIAL) for tag, part in pieces)


def has(key: str) -> bool:
    """Say whether there is such a text."""
    return key in catalogue(OFFICIAL)


_TAGS = re.compile(r"""(<[a-zA-Z/!](?:[^"'>]|"[^"]*"|'[^']*')*>)""")
#: Elements that hold text only: the element itself must carry the language.
_TEXT_ONLY = re.compile(r"<(title|option|textarea)\b", re.IGNORECASE)
_VOID = re.compile(r"<(input|img)\b", re.IGNORECASE)


def tongues(page: Iterable[str]) -> str:
    """Join the pieces of a page and turn the marks of languages into ``lang`` attributes.

    Text becomes a ``span``; in an attribute (where HTML has no place for a language) the marks
    are dropped, and an ``input`` takes the language of its words.
    """
    text = "".join(page)
    if not marked(text):
        return text
    done: list[str] = []
    for piece in _TAGS.split(text):
        if not marked(piece):
            done.append(piece)
        elif _TAGS.fullmatch(piece):
            tag = next(lang for lang, _ in languages.parts(piece) if lang)
            done.append(_said(plain(piece), tag) if _VOID.match(piece) else plain(piece))
        elif done and _TEXT_ONLY.match(done[-1]):
            most = max(languages.parts(piece), key=lambda one: sum(map(str.isalpha, one[1])))
            done[-1] = _said(done[-1], most[0]) if most[0] else done[-1]
            done.append(plain(piece))
        else:
            for tag, part in languages.parts(piece):
                done.append(f'<span lang="{tag}">{part}</span>' if tag else part)
    return "".join(done)


def _said(tag: str, language: str) -> str:
    """Return a tag that says its language, unless it does already."""
    if re.search(r"\slang=", tag):
        return tag
    return f'{tag.rstrip("/>").rstrip()} lang="{language}">'


def clock(moment: datetime | str) -> str:
    """Return the time of day in Vietnam, "14:05"."""
    return f"{_local(moment):%H:%M}"


def day(moment: date | str) -> str:
    """Return a day, or the day a moment falls on in Vietnam, as "22/11/2026"."""
    if isinstance(moment, str) and len(moment) == len("2026-11-22"):
        moment = date.fromisoformat(moment)
    if isinstance(moment, datetime | str):
        moment = _local(moment)
    return f"{moment:%d/%m/%Y}"


def thousands(n: int) -> str:
    """Return a count as people read it: 1.234."""
    return f"{n:,}".replace(",", ".")


def told(facts: Mapping[str, object]) -> dict[str, object]:
    """Return facts as people read them: days as 22/11/2026, times as 14:05, steps in words."""
    shown = dict(facts)
    for name, value in facts.items():
        if isinstance(value, datetime) or (name == "at" and isinstance(value, str)):
            shown[name] = clock(value)
        elif isinstance(value, date) or (name == "on" and isinstance(value, str)):
            shown[name] = day(value)
        elif name in ("former", "state") and has(f"case.{value}"):
            shown[name] = t(f"case.{value}")
    return shown


def _local(moment: datetime | str) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(VIETNAM)


#: A mark as JSON may escape it.
_ESCAPED = re.compile(r"(?:\\udb40\\udc[0-7][0-9a-f])+", re.IGNORECASE)


def _unmarked(answer: Response) -> Response:
    """Take the marks out of what programs read: JSON has no place for a language."""
    if request.query_string and (answer.mimetype or "").endswith("json"):
        body = answer.get_data(as_text=True)
        if marked(body) or "\\udb40" in body:
            answer.set_data(_ESCAPED.sub("", plain(body)))
    return answer


def init_app(app: Flask) -> None:
    """Give templates ``t``, and every page its languages."""
    app.after_request(_unmarked)
    app.jinja_env.globals.update(t=t, thousands=thousands)
    app.jinja_env.concat = tongues  # type: ignore[method-assign]
