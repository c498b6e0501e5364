"""What a printed sign says about its door, and the short address that people can type."""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from forms.questionnaire import localized
from survey import tokens
from survey.store import units, waves
from survey.store.doors import Door
from survey.text import t

#: Letters and digits of typed addresses: none that is read as another, no upper case to find.
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
CHECK = 4  # one typing error in a million opens another counter


@dataclass(frozen=True, slots=True)
class Sign:
    """What is printed for one door; ``link`` is in the code, ``short`` is read and typed."""

    office: str
    owner: str
    spot: str
    link: str
    short: str
    asked: int
    minutes: int
    synthetic: bool
    language: str = "vi"
    trial: bool = False

    @property
    def stamp(self) -> str:
        """What a sign must say of answers that are made up, or thrown away."""
        if self.trial:
            return t("ribbon.trial", self.language)
        return t("ribbon", self.language) if self.synthetic else ""


class AddressError(ValueError):
    """The public address of the site is unknown or is none; the message says what to do."""


def root(environ: Mapping[str, str] = os.environ, otherwise: str = "") -> str:
    """The public address of this site, as ``SIPAS_ADDRESS`` says, without a slash at its end.

    Raises AddressError when none is known or it is no http address.
    """
    address = (environ.get("SIPAS_ADDRESS", "").strip() or otherwise).rstrip("/")
    parts = urlsplit(address)
    plain = address.isascii() and address.isprintable() and " " not in address
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or "?" in address:
        raise AddressError(t("poster.no_address", address=address or "…"))
    return address


def link(secret: bytes, root: str, door: Door) -> str:
    """The whole address that a code or a message carries."""
    return f"{root}/q/{tokens.issue(secret, door.kind, door.id)}"


def of(db: sqlite3.Connection, secret: bytes, root: str, door: Door, language: str = "vi") -> Sign:
    """What the sign of a door says."""
    wave, unit = waves.get(db, door.wave), units.get(db, door.unit)
    q = localized(wave.questionnaire, language, frozenset(wave.words.items()))
    long = link(secret, root, door)
    typed = f"{root}/m/{code(secret, door.id)}" if door.kind == "counter" else long
    return Sign(
        office=unit.title if unit else door.unit,
        owner=wave.owner_name,
        spot=spot(door, language),
        link=long,
        short=typed.partition("://")[2],
        asked=sum(len(item.rows) or 1 for item in q.items),
        minutes=q.minutes,
        synthetic=wave.synthetic,
        language=language,
        trial=wave.trial_of is not None,
    )


def spot(door: Door, language: str) -> str:
    """Where a door's sign stands: its counter, or what staff call it, or its dossier.

    A counter that is named as a unit ("local:01-09604-1") is what programs call it, not people.
    """
    counter = "" if ":" in (door.counter or "") and door.label else door.counter or ""
    if counter[:1].isdigit():
        counter = t("poster.counter", language, counter=counter)
    return counter or door.label or door.dossier_key or ""


def code(secret: bytes, number: int) -> str:
    """A short code for a counter's door: four letters that prove it is ours, then its number.

    Twenty bits are enough for a counter, whose poster hangs on a wall; doors of one dossier or
    case have only their long tokens.
    """
    proof = int.from_bytes(hmac.digest(secret, b"sign\0%d" % number, "sha256")[:8], "big")
    letters = ""
    for _ in range(CHECK):
        proof, digit = divmod(proof, len(LETTERS))
        letters += LETTERS[digit]
    return letters + _written(number)


def read(secret: bytes, text: str) -> int:
    """The number of the door a typed code stands for; raises LookupError when it is not ours."""
    typed = text.lower()
    number = 0
    if not CHECK < len(typed) <= CHECK + 8 or any(letter not in LETTERS for letter in typed):
        raise LookupError(text)
    for letter in typed[CHECK:]:
        number = number * len(LETTERS) + LETTERS.index(letter)
    if not hmac.compare_digest(code(secret, number), typed):
        raise LookupError(text)
    return number


def _written(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, len(LETTERS))
        text = LETTERS[digit] + text
    return text
