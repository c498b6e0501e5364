"""Serial numbers of paper forms: what people type, and the signed code that a scanner reads."""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from typing import NamedTuple

#: Digits of a case's number on paper before its check digit; larger numbers just grow longer.
DIGITS = 7
_MAC_BYTES = 10  # 80 bits, 16 letters
_CODE = re.compile(r"S1/([0-9]{1,9})/([0-9]{2,15})/([0-9]{1,2})/([A-Z2-7]{16})")


class Code(NamedTuple):
    """What the code of one page says: its print run, its case, its page from 1."""

    print_run: int
    case: int
    page: int


def serial(case: int) -> str:
    """The serial number of a case's form, its last digit a check digit (Luhn): "00012344"."""
    digits = f"{case:0{DIGITS}d}"
    return digits + _check(digits)


def printed(case: int) -> str:
    """The serial number as people read it: "0001 2344"."""
    text = serial(case)
    return f"{text[:-4]} {text[-4:]}"


def case_of(text: str) -> int:
    """The case of a serial number as typed, blanks, dots and dashes allowed.

    Raises LookupError: no digits, or a check digit that does not fit (a mistyped number).
    """
    digits = "".join(letter for letter in text if letter not in " .-\u2011\u00a0")
    if not digits.isascii() or not digits.isdigit() or not DIGITS < len(digits) <= DIGITS + 8:
        raise LookupError("not a serial number")
    if _check(digits[:-1]) != digits[-1]:
        raise LookupError("the check digit does not fit")
    return int(digits[:-1])


def code(secret: bytes, print_run: int, case: int, page: int) -> str:
    """The text of a page's QR code: capitals, digits and slashes only, so it stays small."""
    body = f"S1/{print_run}/{serial(case)}/{page}"
    return f"{body}/{_mac(secret, body)}"


def read(secret: bytes, text: str) -> Code:
    """What a QR code says; LookupError for anything this instance did not sign."""
    found = _CODE.fullmatch(text.strip())
    if found is None:
        raise LookupError("not the code of a form")
    body = text.strip().rpartition("/")[0]
    if not hmac.compare_digest(_mac(secret, body), found[4]):
        raise LookupError("not a code of this instance")
    return Code(int(found[1]), case_of(found[2]), int(found[3]))


def _check(digits: str) -> str:
    """Luhn's check digit (ISO/IEC 7812-1): finds every wrong digit and most swaps."""
    total = sum(
        int(digit) if at % 2 else sum(divmod(2 * int(digit), 10))
        for at, digit in enumerate(reversed(digits))
    )
    return str(-total % 10)


def _mac(secret: bytes, body: str) -> str:
    whole = hmac.digest(secret, b"paper\0" + body.encode(), "sha256")
    return b32encode(whole[:_MAC_BYTES]).decode()
