"""Stata files (.dta, release 118) written row by row: bytes for codes, .a for "no answer"."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

from survey.datafiles import names
from survey.datafiles.names import Shortened

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract
    from survey.datafiles.variables import Variable

#: Codes of types, Stata 14 and later.
BYTE, DOUBLE = 65530, 65526
#: Missing: "." of a byte and of a double, ".a" of a byte and in a table of labels.
_DOT, _A, _A_LABEL = 101, 102, 2_147_483_622
_DOT_DOUBLE = struct.pack("<Q", 0x7FE0000000000000)
_CODES = bytes(_DOT if code == 0 else _A if code == 9 else min(code, 100) for code in range(256))
_TAGS = ("variable_types", "varnames", "sortlist", "formats", "value_label_names",
         "variable_labels", "characteristics", "data", "strls", "value_labels")  # fmt: skip


def write(
    extract: Extract, db: sqlite3.Connection, file: IO[bytes], widths: Mapping[str, int]
) -> Shortened:
    """Write the file; ``widths`` are the bytes of the longest text of each text column.

    Returns what was shortened to the limits of the format.
    """
    seen = Shortened()
    columns, short = extract.columns, names.short(extract.columns)
    types = [_type(column, widths) for column in columns]
    parts = _head(columns, short, types, seen)
    labels = b"".join(_labels(short[c.name], names.values(c, "dta", seen)) for c in columns
                      if c.kind == "code")  # fmt: skip
    size = sum(8 if kind == DOUBLE else 1 if kind == BYTE else kind for kind in types)
    file.write(_before(extract, len(columns), parts, size * extract.n, labels))
    for record in extract.records(db):
        facts = (*record.came, *record.place, *record.weights, *record.margins)
        row = b"".join(map(_cell, facts, types, columns[: len(facts)], [seen] * len(facts)))
        codes = (record.person + record.codes).translate(_CODES)
        at = len(facts) + len(codes)
        opened = map(_cell, record.open, types[at:], columns[at:], [seen] * len(record.open))
        file.write(row + codes + b"".join(opened))
    file.write(b"</data><strls></strls><value_labels>" + labels + b"</value_labels></stata_dta>")
    return seen


def _type(column: Variable, widths: Mapping[str, int]) -> int:
    if column.kind == "code":
        return BYTE
    if column.kind in ("number", "weight"):
        return DOUBLE
    return min(max(1, widths.get(column.name, 1)), names.LIMITS["dta"]["text"][1])


def _head(
    columns: Sequence[Variable], short: Mapping[str, str], types: list[int],
    seen: Shortened,
) -> dict[str, bytes]:  # fmt: skip
    k = len(columns)
    formats = ["%8.0g" if t in (BYTE, DOUBLE) else f"%{min(t, 244)}s" for t in types]
    formats = ["%12.0g" if t == DOUBLE else f for t, f in zip(types, formats, strict=True)]
    return {
        "variable_types": struct.pack(f"<{k}H", *types),
        "varnames": b"".join(_padded(short[c.name], 129) for c in columns),
        "sortlist": bytes(2 * (k + 1)),
        "formats": b"".join(_padded(f, 57) for f in formats),
        "value_label_names": b"".join(
            _padded(short[c.name] if c.kind == "code" else "", 129) for c in columns
        ),
        "variable_labels": b"".join(_padded(names.label(c, "dta", seen), 321) for c in columns),
        "characteristics": b"",
    }


def _before(
    extract: Extract, k: int, parts: Mapping[str, bytes], data: int, labels: bytes
) -> bytes:
    """Everything up to the first row; the map tells where each part begins."""
    label = names.cut(extract.title, (80, 320)).encode()
    head = (
        b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>"
        + struct.pack("<H", k) + b"</K><N>" + struct.pack("<Q", extract.n) + b"</N><label>"
        + struct.pack("<H", len(label)) + label
        + b"</label><timestamp>\0</timestamp></header>"
    )  # fmt: skip
    sizes = {tag: len(parts.get(tag, b"")) for tag in _TAGS}
    sizes |= {"data": data, "value_labels": len(labels)}
    at = len(head) + len("<map></map>") + 14 * 8
    places = [0, len(head)]
    for tag in _TAGS:
        places.append(at)
        at += sizes[tag] + 2 * len(tag) + len("<></>")
    places += [at, at + len("</stata_dta>")]
    written = b"".join(
        f"<{tag}>".encode() + parts[tag] + f"</{tag}>".encode() for tag in _TAGS if tag in parts
    )
    return head + b"<map>" + struct.pack("<14Q", *places) + b"</map>" + written + b"<data>"


def _labels(name: str, values: Mapping[int, str]) -> bytes:
    """One table of labels; the label of 9 is that of .a."""
    pairs = sorted((_A_LABEL if code == 9 else code, text) for code, text in values.items())
    offsets, text = [], b""
    for _, words in pairs:
        offsets.append(len(text))
        text += words.encode() + b"\0"
    n = len(pairs)
    table = struct.pack("<ii", n, len(text)) + struct.pack(f"<{n}i", *offsets)
    table += struct.pack(f"<{n}i", *(code for code, _ in pairs)) + text
    return (
        b"<lbl>" + struct.pack("<i", len(table)) + _padded(name, 129) + bytes(3) + table + b"</lbl>"
    )


def _cell(value: object, kind: int, column: Variable, seen: Shortened) -> bytes:
    if kind == DOUBLE:
        return _DOT_DOUBLE if value is None else struct.pack("<d", float(str(value)))
    text = "" if value is None else str(value)
    coded = text.encode()
    if len(coded) > kind:
        seen.texts[column.name] = seen.texts.get(column.name, 0) + 1
        coded = names.cut(text, (0, kind)).encode() if kind > 3 else b""
    return coded.ljust(kind, b"\0")


def _padded(text: str, size: int) -> bytes:
    coded = text.encode()[: size - 1]
    return coded.decode("utf-8", "ignore").encode().ljust(size, b"\0")
