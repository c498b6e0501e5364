"""SPSS files (.sav) written row by row, with UTF-8 labels, missing codes and byte compression."""

from __future__ import annotations

import sqlite3
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from survey.datafiles import names
from survey.datafiles.names import Shortened

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract
    from survey.datafiles.variables import Variable

#: Bytes of the compression: nothing, a value that follows, blanks, missing; a code c is c + 100.
_SKIP, _FOLLOWS, _BLANKS, _MISSING, _BIAS = 0, 253, 254, 255, 100
_CODES = bytes(_MISSING if code == 0 else min(code + _BIAS, 251) for code in range(256))
_LARGEST = sys.float_info.max
#: Print formats: F8.0 and F12.4 of numbers, A of texts.
_NUMERIC, _DECIMAL, _TEXT = 5 << 16 | 8 << 8, 5 << 16 | 12 << 8 | 4, 1 << 16


def write(
    extract: Extract, db: sqlite3.Connection, file: IO[bytes], widths: Mapping[str, int]
) -> Shortened:
    """Write the file; ``widths`` are the bytes of the longest text of each text column.

    Returns what was shortened to the limits of the format.
    """
    seen = Shortened()
    columns, short = extract.columns, names.short(extract.columns)
    width = {c.name: _width(c, widths) for c in columns}
    file.write(_header(extract, columns, width))
    keys = [f"V{n}" for n in range(1, len(columns) + 1)]
    for column, key in zip(columns, keys, strict=True):
        file.write(_variable(column, key, width[column.name], names.label(column, "sav", seen)))
    at = 1
    for column in columns:
        if column.kind == "code":
            file.write(_labels(names.values(column, "sav", seen), at))
        at += _elements(width[column.name])
    pairs = zip(keys, columns, strict=True)
    file.write(_extension(3, struct.pack("<8i", 1, 0, 0, -1, 1, 1, 2, 65001), 4))
    lowest = -_LARGEST * (1 - sys.float_info.epsilon)
    file.write(_extension(4, struct.pack("<3d", -_LARGEST, _LARGEST, lowest), 8))
    file.write(_extension(13, "\t".join(f"{k}={short[c.name]}" for k, c in pairs).encode(), 1))
    file.write(_extension(20, b"UTF-8", 1))
    file.write(struct.pack("<ii", 999, 0))
    for piece in _rows(extract, db, width, seen):
        file.write(piece)
    return seen


def _width(column: Variable, widths: Mapping[str, int]) -> int:
    """Bytes of a text column, 0 for a number."""
    if column.kind != "text":
        return 0
    return min(max(1, widths.get(column.name, 1)), names.LIMITS["sav"]["text"][1])


def _elements(width: int) -> int:
    return max(1, -(-width // 8))


def _header(extract: Extract, columns: Sequence[Variable], width: Mapping[str, int]) -> bytes:
    label = names.cut(extract.title, (0, 64)).encode().ljust(64)
    product = b"@(#) SPSS DATA FILE - SIPAS".ljust(60)
    size = sum(_elements(width[c.name]) for c in columns)
    numbers = struct.pack("<iiiii", 2, size, 1, 0, extract.n)
    day = f"{extract.on:%d} {_MONTHS[extract.on.month - 1]} {extract.on:%y}".encode()
    bias = struct.pack("<d", float(_BIAS))
    return b"$FL2" + product + numbers + bias + day + b"00:00:00" + label + bytes(3)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _variable(column: Variable, key: str, width: int, label: str) -> bytes:
    coded = label.encode()
    kind = _TEXT | width << 8 if width else _DECIMAL if column.kind == "weight" else _NUMERIC
    missing = struct.pack("<d", 9.0) if column.silent else b""
    record = struct.pack("<iiiiii", 2, width, 1, 1 if missing else 0, kind, kind)
    record += key.encode().ljust(8) + struct.pack("<i", len(coded))
    record += coded.ljust(-(-len(coded) // 4) * 4) + missing
    more = struct.pack("<iiiiii", 2, -1, 0, 0, 0, 0) + b" " * 8
    return record + more * (_elements(width) - 1)


def _labels(values: Mapping[int, str], at: int) -> bytes:
    record = struct.pack("<ii", 3, len(values))
    for code, text in sorted(values.items()):
        coded = text.encode()
        size = -(-(len(coded) + 1) // 8) * 8
        record += struct.pack("<d", float(code)) + bytes([len(coded)]) + coded.ljust(size - 1)
    return record + struct.pack("<iii", 4, 1, at)


def _extension(subtype: int, body: bytes, size: int) -> bytes:
    return struct.pack("<iiii", 7, subtype, size, len(body) // size) + body


def _rows(
    extract: Extract, db: sqlite3.Connection, width: Mapping[str, int], seen: Shortened
) -> Iterator[bytes]:
    """The rows; each ends at a whole block of eight, padded with bytes that mean nothing."""
    columns = extract.columns
    sizes = [width[c.name] for c in columns]
    known: dict[tuple[int, Any], tuple[bytes, bytes]] = {}

    def cell(at: int, value: Any) -> tuple[bytes, bytes]:
        """Command bytes of a cell, and the values that follow them."""
        found = known.get((at, value))
        if found is None:
            if len(known) > 50_000:
                known.clear()
            found = known[at, value] = _cell(value, sizes[at], columns[at].name, seen)
        return found

    for record in extract.records(db):
        facts = (*record.came, *record.place, *record.weights, *record.margins)
        codes = record.person + record.codes
        before = [cell(at, value) for at, value in enumerate(facts)]
        start = len(facts) + len(codes)
        after = [cell(at, value) for at, value in enumerate(record.open, start)]
        commands = b"".join(c for c, _ in before) + codes.translate(_CODES)
        commands += b"".join(c for c, _ in after)
        follow = b"".join(v for _, v in before) + b"".join(v for _, v in after)
        yield _blocks(commands, follow)


def _cell(value: Any, width: int, name: str, seen: Shortened) -> tuple[bytes, bytes]:
    if not width:
        if value is None:
            return bytes([_MISSING]), b""
        return bytes([_FOLLOWS]), struct.pack("<d", float(value))
    text = "" if value is None else str(value)
    coded = text.encode()
    if len(coded) > width:
        seen.texts[name] = seen.texts.get(name, 0) + 1
        coded = names.cut(text, (0, width)).encode()
    padded = coded.ljust(8 * _elements(width))
    words = [padded[at : at + 8] for at in range(0, len(padded), 8)]
    blank = b" " * 8
    commands = bytes(_BLANKS if word == blank else _FOLLOWS for word in words)
    return commands, b"".join(word for word in words if word != blank)


def _blocks(commands: bytes, follow: bytes) -> bytes:
    """Eight command bytes, then the values they call for, and so on."""
    commands = commands.ljust(-(-len(commands) // 8) * 8, bytes([_SKIP]))
    found, at = [], 0
    for start in range(0, len(commands), 8):
        block = commands[start : start + 8]
        size = 8 * block.count(_FOLLOWS)
        found += [block, follow[at : at + size]]
        at += size
    return b"".join(found)
