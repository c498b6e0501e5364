"""Extracts as CSV: lines made from bytes, quick enough to be written while they are sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from survey.exports import harmless

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract

#: Spreadsheets need the mark to see UTF-8.
MARK = "\ufeff"
END = "\r\n"
#: Rows in a piece: some 50 KB.
AT_ONCE = 200
#: Different facts kept with their text.
KEPT = 50_000
#: Codes as digits; a blank is taken out after the digits were joined.
_DIGITS = bytes(b"0123456789"[code] if code < 10 else 0x30 for code in range(256))


def pieces(extract: Extract, db: sqlite3.Connection) -> Iterator[bytes]:
    """The file in pieces of some rows each, its heading first and at once."""
    yield (MARK + heading(extract) + END).encode()
    held: list[str] = []
    for line in lines(extract, db):
        held.append(line)
        if len(held) == AT_ONCE:
            held.append("")
            yield END.join(held).encode()
            held = []
    if held:
        held.append("")
        yield END.join(held).encode()


def heading(extract: Extract) -> str:
    """The names of the columns."""
    return ",".join(cell(variable.name) for variable in extract.columns)


def lines(extract: Extract, db: sqlite3.Connection) -> Iterator[str]:
    """The rows without their ends."""
    known: dict[tuple[Any, ...], str] = {}
    cells = bytearray(b",") * max(0, 2 * len(extract.coded) - 1)  # a digit at every other place

    def joined(values: tuple[Any, ...]) -> str:
        """The cells of values that many rows share."""
        text = known.get(values)
        if text is None:
            if len(known) >= KEPT:
                known.clear()
            known[values] = text = ",".join(map(cell, values))
        return text

    for came, place, weights, margins, person, codes, opened in extract.records(db):
        parts = [joined(came)]
        if place:
            parts += [joined(place), joined(weights)]
        if margins:
            parts.append(joined(margins))
        digits = person + codes
        if digits:
            cells[::2] = digits.translate(_DIGITS)
            parts.append(cells.replace(b"0", b"").decode("ascii"))
        if opened:
            parts += map(cell, opened)
        yield ",".join(parts)


def cell(value: object) -> str:
    """A cell as CSV has it, quoted where it must be, and no formula to any spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(harmless(value))
    if any(letter in text for letter in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


class Digested:
    """The pieces of a file with the digest of what has passed, and how many bytes they were."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._sum = pieces, sha256()
        self.bytes, self.lines = 0, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._sum.update(piece)
            self.bytes += len(piece)
            yield piece

    @property
    def digest(self) -> str:
        """The sha256 (hex) of all pieces so far."""
        return self._sum.hexdigest()
