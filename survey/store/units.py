"""Units as dated rows: countries, provinces, communes, one-stop centres and their counters."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from survey.db import write
from survey.store import audit

#: The five tone marks; the hook, breve and circumflex that make other letters are not among them.
_TONES = {"\u0300": "1", "\u0301": "2", "\u0309": "3", "\u0303": "4", "\u0323": "5"}
#: Look-alikes of đ from other alphabets, and apostrophes of names such as Ea H'leo.
_SAME = str.maketrans({"\u00f0": "đ", "\u0256": "đ", "'": None, "\u2019": None, "\u02bc": None})
_TOP_WORDS = ("tỉnh", "thành phố", "tp")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as it was from ``valid_from`` to ``valid_to`` (days, both included, None = today).

    ``word`` is what the name is preceded by: "tỉnh", "thành phố", "phường", "xã", "đặc khu".
    """

    scheme: str
    code: str
    valid_from: str
    valid_to: str | None
    kind: str
    word: str
    name: str
    name_key: str
    parent: str | None

    @property
    def id(self) -> str:
        """The key that never changes its meaning: scheme and code."""
        return f"{self.scheme}:{self.code}"

    @property
    def title(self) -> str:
        """The full name inside a sentence: "tỉnh Tuyên Quang"."""
        return f"{self.word} {self.name}".strip()


_SELECT = "SELECT scheme, code, valid_from, valid_to, kind, word, name, name_key, parent FROM unit"


def name_key(name: str) -> str:
    """What two spellings of one Vietnamese name share.

    Case, Unicode form, punctuation and the place of the tone mark do not count ("Thanh Hoá" =
    "Thanh Hóa"); letters and tones do ("Hà Nam" is not "Hạ Nam").  Each syllable's tone is
    moved to its end, so no table of "oà"/"òa" is needed.
    """
    text = unicodedata.normalize("NFC", name).casefold().translate(_SAME)
    words = "".join(c if c.isalnum() or unicodedata.combining(c) else " " for c in text).split()
    return " ".join(_untoned(word) for word in words)


def _untoned(word: str) -> str:
    letters, tones = [], ""
    for letter in unicodedata.normalize("NFD", word):
        if letter in _TONES:
            tones += _TONES[letter]
        else:
            letters.append(letter)
    return unicodedata.normalize("NFC", "".join(letters)) + tones


def get(db: sqlite3.Connection, id: str, on: date | None = None) -> Unit | None:
    """The unit "scheme:code" as it was on a day (default: its newest row), None if unknown."""
    scheme, _, code = id.partition(":")
    row = db.execute(
        _SELECT + " WHERE scheme = :scheme AND code = :code"
        " AND (:on IS NULL OR (valid_from <= :on AND COALESCE(valid_to, :on) >= :on))"
        " ORDER BY valid_from DESC LIMIT 1",
        {"scheme": scheme, "code": code, "on": on.isoformat() if on else None},
    ).fetchone()
    return Unit(**dict(row)) if row else None


def name(db: sqlite3.Connection, id: str, on: date | None = None) -> str:
    """The unit's full name ("tỉnh Tuyên Quang"), the id itself for an unknown unit.

    A unit that was not there on the day (merged in the middle of a wave) keeps its last name.
    """
    unit = get(db, id, on) or get(db, id)
    return unit.title if unit else id


def path(db: sqlite3.Connection, id: str) -> tuple[str, ...]:
    """The unit and everything above it, from itself to the country; empty if unknown."""
    found: list[str] = []
    unit = get(db, id)
    while unit is not None and unit.id not in found:
        found.append(unit.id)
        unit = get(db, unit.parent) if unit.parent else None
    return tuple(found)


def parents(db: sqlite3.Connection) -> dict[str, str | None]:
    """What each unit lies right under, by its newest row: for pages about thousands of units."""
    rows = db.execute("SELECT scheme, code, parent FROM unit ORDER BY valid_from")
    return {f"{row['scheme']}:{row['code']}": row["parent"] for row in rows}


def related(db: sqlite3.Connection, one: str, other: str) -> bool:
    """Whether two units are the same, or one lies under the other; "" is above all."""
    return not one or not other or one in path(db, other) or other in path(db, one)


def find(
    db: sqlite3.Connection, name: str, *, kind: str, scheme: str = "vn34", on: date | None = None
) -> list[Unit]:
    """Units of a kind by name in any spelling, with or without "tỉnh"/"thành phố" before it."""
    key = name_key(name)
    keys = [key] + [
        key.removeprefix(start)
        for word in _TOP_WORDS
        if key.startswith(start := name_key(word) + " ")
    ]
    # A few thousand rows at most.
    return [u for u in all(db, kind=kind, scheme=scheme, on=on) if u.name_key in keys]


def all(
    db: sqlite3.Connection,
    *,
    kind: str | None = None,
    scheme: str | None = None,
    parent: str | None = None,
    on: date | None = None,
) -> list[Unit]:
    """Units that exist on a day (default: that have not ended), by scheme and code."""
    rows = db.execute(
        _SELECT + " WHERE (:kind IS NULL OR kind = :kind)"
        " AND (:scheme IS NULL OR scheme = :scheme) AND (:parent IS NULL OR parent = :parent)"
        " AND ((:on IS NULL AND valid_to IS NULL)"
        "  OR (valid_from <= :on AND COALESCE(valid_to, :on) >= :on)) ORDER BY scheme, code",
        {"kind": kind, "scheme": scheme, "parent": parent, "on": on.isoformat() if on else None},
    )
    return [Unit(**dict(row)) for row in rows]


def children(db: sqlite3.Connection, id: str, on: date | None = None) -> list[Unit]:
    """The units right under one."""
    return all(db, parent=id, on=on)


def bare(db: sqlite3.Connection, id: str) -> bool:
    """Whether nothing lies right under a unit, nor ever lay: what has ended has its figures."""
    row = db.execute("SELECT 1 FROM unit WHERE parent = :id LIMIT 1", {"id": id}).fetchone()
    return row is None


def origins(db: sqlite3.Connection, id: str) -> list[str]:
    """The units of the older scheme that this one was formed from."""
    rows = db.execute("SELECT origin FROM unit_origin WHERE unit = :id ORDER BY origin", {"id": id})
    return [row["origin"] for row in rows]


def members(db: sqlite3.Connection, rank_set: str, on: date) -> list[str]:
    """The units ranked in a set on a day, by id."""
    rows = db.execute(
        "SELECT unit FROM rank_set_member WHERE rank_set = :key"
        " AND valid_from <= :on AND COALESCE(valid_to, :on) >= :on ORDER BY unit",
        {"key": rank_set, "on": on.isoformat()},
    )
    return [row["unit"] for row in rows]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in rows."""

    new: int
    changed: int
    same: int


def import_rows(
    db: sqlite3.Connection, rows: Iterable[Unit], *, now: datetime, actor: str, source: str
) -> Imported:
    """Add dated rows, or change those with the same (scheme, code, valid_from); idempotent.

    A newer row of a unit ends the one before on the day before it begins; a row with
    ``valid_to`` ends its unit, whose figures, people and rights stay.
    """
    with write(db):
        known = {
            (row["scheme"], row["code"], row["valid_from"]): tuple(row)
            for row in db.execute(_SELECT)
        }
        codes = {key[:2] for key in known}
        new, changed, same = [], [], 0
        for unit in rows:
            row = {slot: getattr(unit, slot) for slot in unit.__slots__}
            old = known.get((unit.scheme, unit.code, unit.valid_from))
            if old is None:
                new.append(row)
            elif _but_end(old) != _but_end(tuple(row.values())) or unit.valid_to not in (
                None, old[3],
            ):  # fmt: skip
                changed.append(row)
            else:
                same += 1
        db.executemany(
            "INSERT INTO unit (scheme, code, valid_from, valid_to, kind, word, name, name_key,"
            " parent) VALUES (:scheme, :code, :valid_from, :valid_to, :kind, :word, :name,"
            " :name_key, :parent) ON CONFLICT (scheme, code, valid_from) DO UPDATE"
            " SET kind = excluded.kind, word = excluded.word, name = excluded.name,"
            " name_key = excluded.name_key, parent = excluded.parent,"
            " valid_to = COALESCE(excluded.valid_to, unit.valid_to)",
            (*new, *changed),
        )
        for row in new:
            if (row["scheme"], row["code"]) in codes:
                _end_older(db, row)
        done = Imported(len(new), len(changed), same)
        if new or changed:
            detail = {"source": source, "new": len(new), "changed": len(changed)}
            audit.append(db, at=now, actor=actor, action="units.import", subject="", detail=detail)
    return done


def _but_end(row: tuple[object, ...]) -> tuple[object, ...]:
    return (*row[:3], *row[4:])


def _end_older(db: sqlite3.Connection, row: Mapping[str, str]) -> None:
    before = date.fromisoformat(row["valid_from"]) - timedelta(days=1)
    db.execute(
        "UPDATE unit SET valid_to = :before WHERE scheme = :scheme AND code = :code"
        " AND valid_from < :valid_from AND (valid_to IS NULL OR valid_to > :before)",
        {**row, "before": before.isoformat()},
    )
