"""Languages by their tag, and texts that say themselves which language they are in."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The language of the official texts; whatever is not translated is in it.
OFFICIAL = "vi"


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its BCP 47 tag, its name, and the tag of the language the name is in."""

    tag: str
    name: str
    named_in: str
    vietnamese: str


#: All languages the program knows, in the order they are offered.  ``hmn`` is the macrolanguage:
#: Vietnam's Mông write one script for several of its members (White Mông is ``mww``, Mông Dô
#: ``hmv``), so the narrower tags would claim too much.  Names are the languages' own where we are
#: sure of them, and Vietnamese elsewhere until a speaker gives the right one.
LANGUAGES = {
    one.tag: one
    for one in (
        Language("vi", "Tiếng Việt", "vi", "Tiếng Việt"),
        Language("en", "English", "en", "Tiếng Anh"),
        Language("km", "ភាសាខ្មែរ", "km", "Tiếng Khmer"),
        Language("hmn", "Tiếng Mông", "vi", "Tiếng Mông"),
        Language("rad", "Tiếng Ê Đê", "vi", "Tiếng Ê Đê"),
        Language("jra", "Tiếng Jrai", "vi", "Tiếng Jrai"),
    )
}

#: Unicode's language tag characters: invisible wherever they are shown by mistake.
_BEGIN, _CANCEL = "\U000e0001", "\U000e0001\U000e007f"
_MARK = re.compile("\U000e0001[\U000e0020-\U000e007f]*|[\U000e0020-\U000e007f]+")
_MARKED = re.compile(
    "\U000e0001([\U000e0020-\U000e007e]+)(.*?)(?:\U000e0001\U000e007f|$)", re.DOTALL
)


def mark(text: str, tag: str = OFFICIAL) -> str:
    """Return the text saying that it is in the language ``tag``; nothing stays nothing."""
    if not text:
        return text
    return _BEGIN + "".join(chr(0xE0000 + ord(c)) for c in tag) + plain(text) + _CANCEL


def marked(text: str) -> bool:
    """Say whether any part of a text tells its language."""
    return _BEGIN in text


def plain(text: str) -> str:
    """Return the text without marks."""
    return _MARK.sub("", text) if _BEGIN in text else text


def parts(text: str) -> list[tuple[str, str]]:
    """Return (language or "", text) of the parts of a text in their order.

    A mark whose end was cut off holds to the end of the text.
    """
    found: list[tuple[str, str]] = []
    last = 0
    for one in _MARKED.finditer(text):
        found.append(("", plain(text[last : one.start()])))
        found.append(("".join(chr(ord(c) - 0xE0000) for c in one[1]), plain(one[2])))
        last = one.end()
    found.append(("", plain(text[last:])))
    return [part for part in found if part[1]]
