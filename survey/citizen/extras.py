"""What may come beside the answers: who helped, and a telephone number with its own consent."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from survey.citizen.screens import Notice
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Who may have helped; nobody is stored as nothing.
HELPERS = ("family", "officer", "interviewer", "other")
SELF = "self"
ASSISTED, PHONE, CONSENT = "assisted_by", "contact_phone", "contact_consent"
_NAMES = frozenset({ASSISTED, PHONE, CONSENT})
#: What people put between the digits of a number.
_BETWEEN = re.compile(r"[\s.\-()/·–]+")
#: Mobile numbers 03, 05, 07, 08, 09 have ten digits, fixed ones (02) eleven.
_MOBILE, _FIXED = re.compile(r"0[35789]\d{8}"), re.compile(r"02\d{9}")
LONGEST = 40


class Form(Protocol):
    """A posted form: the framework's, or the one that ``intake`` reads itself."""

    def lists(self) -> Iterable[tuple[str, list[str]]]:
        """Return the names with their texts."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one of the fields: a short word, its text is ``extras.fault.<code>``."""

    column: str
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extras:
    """What came beside the answers.

    ``contact`` is a number as "0912345678", there only with its consent; ``given`` is what was
    sent, for a page that shows it again.
    """

    assisted_by: str | None = None
    contact: str | None = None
    faults: tuple[Fault, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)


NOTHING = Extras()


def read(form: Form, *, asks_contact: bool = True) -> Extras:
    """Return what a posted form says beside its answers.

    A wave that keeps no numbers (``asks_contact`` false) takes none, and no fault of one.
    """
    given = {name: texts[-1] for name, texts in form.lists() if name in _NAMES and texts[-1]}
    if not given:
        return NOTHING
    helper = given.get(ASSISTED, SELF)
    faults = [] if helper in (SELF, *HELPERS) else [Fault(ASSISTED, "assisted")]
    contact = None
    if asks_contact:
        contact, more = _contact(given.get(PHONE, "")[: LONGEST + 1], given.get(CONSENT) == "1")
        faults += more
    return Extras(
        assisted_by=helper if helper in HELPERS else None,
        contact=contact,
        faults=tuple(faults),
        given=given,
    )


def _contact(typed: str, consent: bool) -> tuple[str | None, list[Fault]]:
    if not typed.strip():
        return None, [Fault(PHONE, "phone_missing")] if consent else []
    number, wrong = phone(typed)
    faults = [Fault(PHONE, *wrong)] if wrong else []
    if not consent:
        faults.append(Fault(CONSENT, "phone_no_consent"))
    return (None, faults) if faults else (number, [])


def phone(typed: str) -> tuple[str, tuple[str, Mapping[str, object]] | None]:
    """Return a Vietnamese number as "0912345678", or "" and what is wrong with it.

    Read are blanks, dots and dashes between the digits, and +84, 0084 or 84 for the first 0.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if text.startswith("+") and not text.startswith("+84"):
        return "", ("phone_abroad", {})
    digits = _BETWEEN.sub("", text.replace("(0)", ""))
    for prefix in ("+84", "0084", "84"):
        if digits.startswith(prefix):
            digits = "0" + digits[len(prefix) :].removeprefix("0")
            break
    if not re.fullmatch(r"[0-9]+", digits):
        return "", ("phone_letters", {})
    if _MOBILE.fullmatch(digits) or _FIXED.fullmatch(digits):
        return digits, None
    if not digits.startswith("0"):
        return "", ("phone_start", {})
    if re.match(r"0[1-35-9]", digits):
        wanted = 11 if digits.startswith("02") else 10
        if len(digits) != wanted:
            return "", ("phone_length", {"wanted": wanted, "n": len(digits)})
    return "", ("phone_unknown", {"start": digits[:2]})


def notices(extras: Extras, language: str) -> dict[str, Notice]:
    """Return the faults as citizens read them, by the name of their control."""
    found = {}
    for fault in extras.faults:
        short = t(f"extras.{fault.column}.short", language)
        message = t(f"extras.fault.{fault.code}", language, **fault.facts)
        found[fault.column] = Notice(fault.column, fault.column, short, message)
    return found
