"""Words of comments as they are looked for: with diacritics, or without where one types none."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Longer words are cut: nobody looks for them, and they would fill the index.
LONGEST = 32
#: Words of one comment that count.
MOST = 500
#: The five tone marks, which some keyboards set on another letter of the same syllable.
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_WORD = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """Return the words of a text, each in one spelling: "Hoà" and "hòa" are the same word."""
    return [_spelled(found[:LONGEST]) for found in _WORD.findall(_flat(text))[:MOST]]


def bare(word: str) -> str:
    """Return a word without diacritics, đ as d."""
    return _bare(word)


def plain(word: str) -> bool:
    """Say whether a word was typed without diacritics."""
    return _bare(word) == word


def same(said: str, sought: str) -> bool:
    """Say whether a word of a comment is the one looked for.

    Either may lack its diacritics; two words with different diacritics are two words.
    """
    return said == sought or (_bare(said) == _bare(sought) and (plain(said) or plain(sought)))


def _flat(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


@lru_cache(maxsize=1 << 16)
def _spelled(word: str) -> str:
    letters, tones = [], ""
    for letter in unicodedata.normalize("NFD", word):
        if letter in _TONES:
            tones += letter
        else:
            letters.append(letter)
    return unicodedata.normalize("NFC", "".join(letters)) + tones


@lru_cache(maxsize=1 << 16)
def _bare(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.replace("đ", "d"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
