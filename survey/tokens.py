"""Signed tokens: what an address on a poster, a receipt or a letter allows, and page tokens."""

from __future__ import annotations

import hmac
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import UTC, datetime, timedelta
from uuid import UUID

_LETTERS = {"counter": "c", "dossier": "d", "case": "s"}
_KINDS = {letter: kind for kind, letter in _LETTERS.items()}
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_MAC_BYTES = 10  # 80 bits: a guess a nanosecond would take millions of years
_MAC_LETTERS = 16
_PAGE_BYTES = 16 + 6 + _MAC_BYTES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def issue(secret: bytes, kind: str, number: int) -> str:
    """A short address part that allows answering through one door.

    Parameters
    ----------
    kind : "counter" (many answers), "dossier" or "case" (one answer each)
    number : the door's id, >= 1

    Raises
    ------
    ValueError
        Unknown kind or a number below 1.
    """
    if kind not in _LETTERS or number < 1:
        raise ValueError(f"no token for {kind!r} {number!r}")
    body = _LETTERS[kind] + _base32(number)
    return body + b32encode(_mac(secret, b"door", body.encode())).decode().lower()


def read(secret: bytes, token: str) -> tuple[str, int]:
    """The kind of door and its id; raises LookupError for anything we did not issue."""
    text = token.lower()
    body, kind = text[1:-_MAC_LETTERS], _KINDS.get(text[:1])
    if kind is None or not 0 < len(body) <= 12 or any(c not in _DIGITS for c in body):
        raise LookupError("not a token")
    number = 0
    for digit in body:
        number = number * 32 + _DIGITS.index(digit)
    if number < 1 or not hmac.compare_digest(issue(secret, kind, number).encode(), text.encode()):
        raise LookupError("not a token of ours")
    return kind, number


def page(secret: bytes, response_id: str, at: datetime) -> str:
    """Sign the id of the response a page will send and the time the page was given out.

    It never expires: a citizen who comes back after lunch, or a server whose clock steps back,
    must not cost the answers.
    """
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    body = UUID(response_id).bytes + milliseconds.to_bytes(6, "big")
    return urlsafe_b64encode(body + _mac(secret, b"page", body)).decode().rstrip("=")


def read_page(secret: bytes, text: str) -> tuple[str, datetime]:
    """The response id and the time a page token carries; raises LookupError when not ours."""
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (Error, ValueError):
        raise LookupError("not a page token") from None
    body, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
    if len(data) != _PAGE_BYTES or not hmac.compare_digest(_mac(secret, b"page", body), mac):
        raise LookupError("not a page token of ours")
    at = _EPOCH + timedelta(milliseconds=int.from_bytes(body[16:], "big"))
    return str(UUID(bytes=body[:16])), at


def _mac(secret: bytes, purpose: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, purpose + b"\0" + body, "sha256")[:_MAC_BYTES]


def _base32(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 32)
        text = _DIGITS[digit] + text
    return text
