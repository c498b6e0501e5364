"""Codes of the second step: what a telephone shows every half minute, and codes for its loss."""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from survey.store import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from pyotp import TOTP

    from survey.store.factors import Factor

#: RFC 6238: a code lasts half a minute; clocks may differ by one code.
STEP, DRIFT = 30, 1
DIGITS = 6
#: Codes for a lost telephone, and the letters of each: 60 bits, nothing that is misread.
CODES, LETTERS, LENGTH = 10, "abcdefghijkmnpqrstuvwxyz23456789", 12
ISSUER = "SIPAS"


def secret(key: bytes, found: Factor) -> str:
    """Return what the telephone must know, in base 32.

    It is made of the key of the instance and the seed in the database, so that a copy of the
    database alone makes no code.
    """
    text = f"factor\0{found.staff}\0{found.seed}".encode()
    return base64.b32encode(hmac.digest(key, text, "sha256")[:20]).decode()


def address(key: bytes, found: Factor, username: str) -> str:
    """Return the ``otpauth:`` address that a telephone reads from the picture."""
    return str(_totp(secret(key, found)).provisioning_uri(name=username, issuer_name=ISSUER))


def step(key: bytes, found: Factor, typed: str, now: datetime) -> int | None:
    """Return the half minute that a typed code is of, None when it is of none near ``now``.

    Every code that may count is compared, in constant time; whether it was spent says the store.
    """
    totp, code = _totp(secret(key, found)), digits(typed)
    current = int(now.timestamp()) // STEP
    right = None
    for at in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(str(totp.generate_otp(at)).encode(), code.encode()):
            right = at
    return right


def digits(typed: str) -> str:
    """Return a code as it counts: blanks and dashes between the digits do not."""
    return "".join(typed.split()).replace("-", "")


def is_code(typed: str) -> bool:
    """Say whether this is the code of a telephone and not one for its loss."""
    code = digits(typed)
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def codes() -> list[str]:
    """Return new codes for a lost telephone, to be shown once: "abcd-efgh-ijkm"."""
    made = ("".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(CODES))
    return ["-".join((one[:4], one[4:8], one[8:])) for one in made]


def hashed(key: bytes, staff: int, typed: str) -> str:
    """Return what is kept of such a code; 60 random bits need no slow hash."""
    code = digits(typed).casefold()
    return hmac.new(key, f"recovery\0{staff}\0{code}".encode(), sha256).hexdigest()


def picture(text: str) -> str:
    """Return a QR code as a ``data:`` address for an image."""
    import segno

    return str(segno.make(text, error="m").svg_data_uri(scale=5, border=4, light="#fff"))


def demand() -> None:
    """Raise Refused ``package_missing`` (503) where second steps cannot be worked out."""
    _totp("A" * 32)


def _totp(secret: str) -> TOTP:
    try:
        from pyotp import TOTP
    except ImportError:
        raise Refused("package_missing", 503, package="pyotp") from None
    return TOTP(secret, digits=DIGITS, interval=STEP)
