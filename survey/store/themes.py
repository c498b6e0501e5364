"""The dictionary of comments: themes, their tone, and the phrases that stand for each.

A phrase is words; ``*`` stands for up to three others.  A line that begins with "- " names what
does not count, so that "không tốt" is no praise.  Nothing here can take long: there are no
regular expressions, and every word of a comment is looked at once.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise

from survey.db import write
from survey.store import Refused, audit, words

TONES = ("complaint", "neutral", "praise")
#: Words that ``*`` may stand for.
GAP = 3
#: How much a theme may hold: phrases, words of a phrase, letters of a phrase and of a name.
PHRASES, LENGTH, LETTERS, NAME = 200, 8, 80, 60
#: Themes altogether.
MOST = 60
_EXCEPT = "- "
_SIGNS = frozenset('[](){}|\\^$+?<>="')

Phrase = tuple[str, ...]

_FAULTS = {
    "name": f"Tên chủ đề không được trống, dài quá {NAME} chữ cái hay có ký tự điều khiển.",
    "tone": "Chọn sắc thái: phản ánh, trung tính hoặc khen.",
    "twice": "Đã có chủ đề khác mang tên này.",
    "many": f"Mỗi chủ đề có nhiều nhất {PHRASES} cụm từ.",
    "none": "Chủ đề cần ít nhất một cụm từ (ngoài các dòng loại trừ).",
    "long": f"cụm từ dài quá {LENGTH} từ hoặc {LETTERS} chữ cái.",
    "sign": "chỉ dùng chữ, số, dấu * giữa hai từ; không dùng ngoặc, dấu gạch đứng và ký hiệu khác.",
    "empty": "không có từ nào.",
    "star": "dấu * đứng riêng giữa hai từ (ví dụ «chờ * lâu»), không ở đầu, cuối hay liền nhau.",
    "repeated": "cụm từ này đã có ở dòng trên.",
}


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme; ``words`` holds a phrase a line."""

    key: str
    name: str
    tone: str
    words: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a theme; ``line`` 0 is its name or tone."""

    line: int
    code: str
    said: str = ""

    @property
    def text(self) -> str:
        """What to tell, in Vietnamese."""
        place = f"Dòng {self.line} «{self.said}»: " if self.line else ""
        return place + _FAULTS[self.code]


def all(db: sqlite3.Connection) -> list[Theme]:
    """The themes in their order: those of the instance, or those that come with the program."""
    rows = db.execute(
        "SELECT key, name, tone, words, version FROM comment_theme ORDER BY place, key"
    ).fetchall()
    return [Theme(*row) for row in rows] or list(_shipped())


@lru_cache(maxsize=1)
def _shipped() -> tuple[Theme, ...]:
    text = files("survey.data").joinpath("themes.csv").read_text("utf-8")
    return tuple(
        Theme(row["key"], row["name"], row["tone"], row["words"].replace("|", "\n"))
        for row in csv.DictReader(text.splitlines())
    )


def digest(themes: Iterable[Theme]) -> str:
    """What a dictionary finds depends on this: keys, tones and phrases, not names."""
    said = "\0".join(f"{one.key}\0{one.tone}\0{one.words}" for one in themes)
    return sha256(said.encode()).hexdigest()


def put(db: sqlite3.Connection, theme: Theme, *, now: datetime, actor: str) -> None:
    """Keep a theme, a new one (``version`` 0 and a key nobody has) or a changed one.

    Raises Refused ``theme_faulty`` (422: ``faults``), ``theme_changed`` (409) when somebody else
    was quicker, ``theme_many`` (422).
    """
    if found := faults(theme):
        raise Refused("theme_faulty", 422, faults=[fault.text for fault in found])
    with write(db):
        held = {one.key: one for one in all(db)}
        _own(db)
        old = held.get(theme.key)
        if (old.version if old else 0) != theme.version:
            raise Refused("theme_changed", 409)
        if old is None and len(held) >= MOST:
            raise Refused("theme_many", 422, most=MOST)
        if any(one.name == theme.name and one.key != theme.key for one in held.values()):
            raise Refused("theme_faulty", 422, faults=[Fault(0, "twice").text])
        db.execute(
            "INSERT INTO comment_theme (key, place, name, tone, words, version)"
            " VALUES (:key, :place, :name, :tone, :words, 1)"
            " ON CONFLICT (key) DO UPDATE SET name = excluded.name, tone = excluded.tone,"
            " words = excluded.words, version = comment_theme.version + 1",
            {
                "key": theme.key, "place": len(held), "name": theme.name.strip(),
                "tone": theme.tone, "words": _tidy(theme.words),
            },
        )  # fmt: skip
        audit.append(
            db, at=now, actor=actor, action="theme.put", subject=theme.key,
            detail={"name": theme.name, "tone": theme.tone, "words": theme.words},
        )  # fmt: skip


def drop(db: sqlite3.Connection, key: str, *, now: datetime, actor: str) -> None:
    """Take a theme out of the dictionary.  Raises LookupError; the last one stays (409)."""
    with write(db):
        _own(db)
        held = all(db)
        if key not in {one.key for one in held}:
            raise LookupError(key)
        if len(held) == 1:
            raise Refused("theme_last", 409)
        db.execute("DELETE FROM comment_theme WHERE key = :key", {"key": key})
        audit.append(db, at=now, actor=actor, action="theme.drop", subject=key)


def _own(db: sqlite3.Connection) -> None:
    """Make the themes that came with the program the instance's own, once."""
    if db.execute("SELECT 1 FROM comment_theme LIMIT 1").fetchone() is None:
        db.executemany(
            "INSERT INTO comment_theme (key, place, name, tone, words, version)"
            " VALUES (:key, :place, :name, :tone, :words, 0)",
            [
                {"key": one.key, "place": at, "name": one.name, "tone": one.tone,
                 "words": one.words}
                for at, one in enumerate(_shipped())
            ],
        )  # fmt: skip


def _tidy(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def faults(theme: Theme) -> list[Fault]:
    """Return everything that is wrong with a theme, each with its line."""
    found, seen = [], dict[tuple[bool, Phrase], int]()
    if not theme.name.strip() or len(theme.name) > NAME or not theme.name.isprintable():
        found.append(Fault(0, "name"))
    if theme.tone not in TONES:
        found.append(Fault(0, "tone"))
    for number, line in enumerate(theme.words.splitlines(), 1):
        said = line.strip()
        if not said:
            continue
        without, phrase = _read(said)
        code = _wrong(said, phrase)
        if not code and (without, phrase) in seen:
            code = "repeated"
        if code:
            found.append(Fault(number, code, said[:LETTERS]))
        seen.setdefault((without, phrase), number)
    if len(seen) > PHRASES:
        found.append(Fault(0, "many"))
    if not any(not without for without, _ in seen):
        found.append(Fault(0, "none"))
    return found


def _wrong(said: str, phrase: Phrase) -> str:
    if len(said) > LETTERS or len(phrase) > LENGTH:
        return "long"
    if _SIGNS & set(said):
        return "sign"
    if not any(word != "*" for word in phrase):
        return "empty"
    if "*" in (phrase[0], phrase[-1]) or ("*", "*") in pairwise(phrase):
        return "star"
    if any("*" in part and part != "*" for part in said.split()):
        return "star"
    return ""


def _read(said: str) -> tuple[bool, Phrase]:
    """Return whether a line takes away, and its words; ``*`` is a word of its own."""
    without = said.startswith(_EXCEPT)
    parts = said.removeprefix(_EXCEPT).split()
    found: list[str] = []
    for part in parts:
        found += ["*"] if part == "*" else words.tokens(part)
    return without, tuple(found)


class Finder:
    """A dictionary made ready: what themes a text has, in one walk over its words."""

    def __init__(self, themes: Sequence[Theme]) -> None:
        self.tones = {theme.key: theme.tone for theme in themes}
        self._phrases: dict[str, list[tuple[str, bool, Phrase]]] = {}
        for theme in themes:
            for line in _tidy(theme.words).splitlines():
                without, phrase = _read(line)
                if not _wrong(line, phrase):
                    entry = (theme.key, without, phrase)
                    self._phrases.setdefault(words.bare(phrase[0]), []).append(entry)

    def find(self, text: str) -> tuple[str, ...]:
        """Return the themes of a text, in the order of the dictionary."""
        said = words.tokens(text)
        # Whoever types no diacritics at all is understood; else "cho" is not "chờ".
        bare = all_plain(said)
        hits: dict[str, list[tuple[int, int]]] = {}
        gone: dict[str, list[tuple[int, int]]] = {}
        for at, word in enumerate(said):
            for key, without, phrase in self._phrases.get(words.bare(word), ()):
                if end := _end(said, at, phrase, bare=bare):
                    (gone if without else hits).setdefault(key, []).append((at, end))
        return tuple(
            key
            for key in self.tones
            if any(
                not any(low < end and at < high for low, high in gone.get(key, ()))
                for at, end in hits.get(key, ())
            )
        )


def all_plain(said: Iterable[str]) -> bool:
    """Say whether a text was typed without any diacritics."""
    return not [word for word in said if not words.plain(word)]


def _end(said: Sequence[str], at: int, phrase: Phrase, *, bare: bool) -> int:
    """Return where a phrase that begins at a word ends, 0 where it does not."""
    ends = {at}
    for word in phrase:
        if word == "*":
            ends = {end + more for end in ends for more in range(GAP + 1)}
            continue
        ends = {
            end + 1
            for end in ends
            if end < len(said) and (said[end] == word or (bare and said[end] == words.bare(word)))
        }
        if not ends:
            return 0
    return max(ends)
