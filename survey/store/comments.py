"""The index of comments: which hold a word or a theme, one bit for each comment of a wave.

A comment has a number in its wave.  Of every word, theme, unit and month the numbers are kept as
bits in blocks, so that a million comments are counted and found in milliseconds.  The words
themselves stay in the response; whoever takes an answer back takes its bits with it.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from survey.db import write
from survey.store import audit, words
from survey.store.clock import stamp

#: Comments of one block of bits.
BLOCK = 32768
#: Keys that no word can be: seen by somebody, taken back, typed without any diacritics.
SEEN, GONE, PLAIN = "=seen", "=gone", "=plain"


@dataclass(frozen=True, slots=True)
class Entry:
    """A comment on its way into the index; ``themes`` are those the dictionary finds."""

    response: int
    unit: str
    day: str
    counter: str
    text: str
    themes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for: every word of ``words``; ``units`` None = all, ``months`` "" = all."""

    wave: str
    units: tuple[str, ...] | None = None
    months: tuple[str, ...] = ()
    theme: str = ""
    words: str = ""
    unseen: bool = False


class Comment(NamedTuple):
    """One comment as it is listed; ``answers`` is the response's JSON, ``themes`` by hand."""

    n: int
    response: int
    unit: str
    day: str
    counter: str
    answers: str
    questionnaire: str
    state: str
    seen_at: str | None
    seen_by: str
    themes: str | None


def put(db: sqlite3.Connection, wave: str, entries: Sequence[Entry]) -> None:
    """Add comments to the index, inside the caller's transaction."""
    row = db.execute(
        "SELECT COALESCE(MAX(n), -1) AS n FROM comment WHERE wave = :wave", {"wave": wave}
    ).fetchone()
    first, found = int(row["n"]) + 1, dict[tuple[str, int], int]()
    rows = []
    for n, entry in enumerate(entries, first):
        rows.append(
            {"wave": wave, "n": n, "response": entry.response, "unit": entry.unit,
             "day": entry.day, "counter": entry.counter}
        )  # fmt: skip
        for key in keys(entry) | _noted(db, entry.response):
            place = (key, n // BLOCK)
            found[place] = found.get(place, 0) | 1 << n % BLOCK
    db.executemany(
        "INSERT INTO comment (wave, n, response, unit, day, counter)"
        " VALUES (:wave, :n, :response, :unit, :day, :counter)",
        rows,
    )
    for (key, block), bits in found.items():
        _write(db, wave, key, block, _block(db, wave, key, block) | bits)


def keys(entry: Entry) -> set[str]:
    """Return everything a comment is found by."""
    return (
        _spoken(entry.text)
        | {f"=u:{entry.unit}", f"=m:{entry.day[:7]}"}
        | {f"=t:{theme}" for theme in entry.themes}
    )


def _spoken(text: str) -> set[str]:
    said = set(words.tokens(text))
    bare = {f"~{words.bare(word)}" for word in said}
    return said | bare | ({PLAIN} if all(map(words.plain, said)) else set())


def _noted(db: sqlite3.Connection, response: int) -> set[str]:
    row = db.execute(
        "SELECT seen_at, themes FROM comment_note WHERE response = :id", {"id": response}
    ).fetchone()
    if row is None:
        return set()
    hand = {f"=h:{theme}" for theme in json.loads(row["themes"] or "[]")}
    return hand | ({SEEN} if row["seen_at"] else set())


def total(db: sqlite3.Connection, wave: str) -> int:
    """How many comments of a wave are in the index, those taken back too."""
    row = db.execute(
        "SELECT MAX(n) AS n FROM comment WHERE wave = :wave", {"wave": wave}
    ).fetchone()
    return 0 if row["n"] is None else int(row["n"]) + 1


def bits(db: sqlite3.Connection, wave: str, key: str) -> int:
    """The comments of a wave that a key stands for, bit n for comment n."""
    rows = db.execute(
        "SELECT block, bits FROM comment_bits WHERE wave = :wave AND word = :word ORDER BY block",
        {"wave": wave, "word": key},
    )
    found = 0
    for block, packed in rows:
        found |= int.from_bytes(zlib.decompress(packed), "little") << block * BLOCK
    return found


def known(db: sqlite3.Connection, wave: str, kind: str) -> list[str]:
    """The units (kind ``u``), months (``m``) or themes (``t``) that comments of a wave have."""
    rows = db.execute(
        "SELECT DISTINCT word FROM comment_bits WHERE wave = :wave AND word >= :low"
        " AND word < :high ORDER BY word",
        {"wave": wave, "low": f"={kind}:", "high": f"={kind};"},
    )
    return [row["word"][3:] for row in rows]


def find(db: sqlite3.Connection, wish: Wish) -> int:
    """The comments that are wished for, bit n for comment n."""
    found = (1 << total(db, wish.wave)) - 1
    if wish.units is not None:
        found &= _any(db, wish.wave, [f"=u:{unit}" for unit in wish.units])
    if wish.months:
        found &= _any(db, wish.wave, [f"=m:{month}" for month in wish.months])
    for word in words.tokens(wish.words):
        found &= _holding(db, wish.wave, word)
    if wish.theme:
        found &= themed(db, wish.wave, wish.theme)
    if wish.unseen:
        found &= ~bits(db, wish.wave, SEEN)
    return found & ~bits(db, wish.wave, GONE)


def _holding(db: sqlite3.Connection, wave: str, word: str) -> int:
    """The comments with a word; one with diacritics is also found where none at all were typed."""
    if words.plain(word):
        return bits(db, wave, f"~{word}")
    return bits(db, wave, word) | (bits(db, wave, words.bare(word)) & bits(db, wave, PLAIN))


def themed(db: sqlite3.Connection, wave: str, theme: str) -> int:
    """The comments of a theme: as the dictionary says, unless somebody has said otherwise."""
    by_hand, hand = bits(db, wave, "=h:="), bits(db, wave, f"=h:{theme}")
    return (bits(db, wave, f"=t:{theme}") & ~by_hand) | hand


def top(found: int, n: int, *, below: int | None = None) -> list[int]:
    """The ``n`` highest numbers of ``found``, those under ``below`` where one is given."""
    if below is not None:
        found &= (1 << max(below, 0)) - 1
    numbers: list[int] = []
    while found and len(numbers) < n:
        highest = found.bit_length() - 1
        numbers.append(highest)
        found ^= 1 << highest
    return numbers


def get(db: sqlite3.Connection, wave: str, n: int) -> Comment:
    """One comment.  Raises LookupError."""
    row = db.execute(
        "SELECT c.n, c.response, c.unit, c.day, c.counter, r.answers, r.questionnaire, r.state,"
        " o.seen_at, COALESCE(o.seen_by, '') AS seen_by, o.themes"
        " FROM comment c JOIN response r ON r.seq = c.response"
        " LEFT JOIN comment_note o ON o.response = c.response"
        " WHERE c.wave = :wave AND c.n = :n",
        {"wave": wave, "n": n},
    ).fetchone()
    if row is None:
        raise LookupError(n)
    return Comment(*row)


def see(
    db: sqlite3.Connection, wave: str, numbers: Collection[int], *, now: datetime, actor: str
) -> int:
    """Mark comments as seen; returns how many were not."""
    new = 0
    with write(db):
        held = bits(db, wave, SEEN)
        for n in sorted(numbers):
            if held >> n & 1:
                continue
            new += 1
            db.execute(
                "INSERT INTO comment_note (response, seen_at, seen_by) VALUES (:id, :at, :by)"
                " ON CONFLICT (response) DO UPDATE SET seen_at = excluded.seen_at,"
                " seen_by = excluded.seen_by",
                {"id": get(db, wave, n).response, "at": stamp(now), "by": actor},
            )
            _set(db, wave, SEEN, n)
        if new:
            audit.append(
                db, at=now, actor=actor, action="comment.seen", subject=wave, detail={"n": new}
            )
    return new


def theme(
    db: sqlite3.Connection, wave: str, n: int, chosen: Iterable[str], *, now: datetime, actor: str
) -> None:
    """Say by hand which themes a comment has, whatever the dictionary says.

    Raises LookupError for a comment that is not there.
    """
    names = sorted(set(chosen))
    with write(db):
        held = get(db, wave, n)
        db.execute(
            "INSERT INTO comment_note (response, themes) VALUES (:id, :themes)"
            " ON CONFLICT (response) DO UPDATE SET themes = excluded.themes",
            {"id": held.response, "themes": json.dumps(["=", *names])},
        )
        for name in known(db, wave, "h"):
            _set(db, wave, f"=h:{name}", n, on=False)
        for name in ("=", *names):
            _set(db, wave, f"=h:{name}", n)
        audit.append(
            db, at=now, actor=actor, action="comment.theme", subject=f"{wave}/{n}",
            detail={"themes": names},
        )  # fmt: skip


def forget(db: sqlite3.Connection, response: int, said: Iterable[str]) -> None:
    """Take a comment out of the index because its giver does; ``said`` are its texts.

    Inside the transaction that erases the response.
    """
    row = db.execute(
        "SELECT wave, n, unit, day, counter FROM comment WHERE response = :id", {"id": response}
    ).fetchone()
    db.execute("DELETE FROM comment_note WHERE response = :id", {"id": response})
    if row is None:
        return
    gone = _spoken(" ".join(said)) | {f"=u:{row['unit']}", f"=m:{row['day'][:7]}", SEEN}
    for kind in ("t", "h"):
        gone |= {f"={kind}:{name}" for name in known(db, row["wave"], kind)}
    for key in gone:
        _set(db, row["wave"], key, row["n"], on=False)
    _set(db, row["wave"], GONE, row["n"])


def clear(db: sqlite3.Connection) -> None:
    """Throw the index away, inside the caller's transaction; what people noted stays."""
    db.execute("DELETE FROM comment_bits")
    db.execute("DELETE FROM comment")


def _any(db: sqlite3.Connection, wave: str, sought: Sequence[str]) -> int:
    found = 0
    for key in sought:
        found |= bits(db, wave, key)
    return found


def _set(db: sqlite3.Connection, wave: str, key: str, n: int, *, on: bool = True) -> None:
    block, bit = n // BLOCK, 1 << n % BLOCK
    held = _block(db, wave, key, block)
    wanted = held | bit if on else held & ~bit
    if wanted != held:
        _write(db, wave, key, block, wanted)


def _block(db: sqlite3.Connection, wave: str, key: str, block: int) -> int:
    row = db.execute(
        "SELECT bits FROM comment_bits WHERE wave = :wave AND word = :word AND block = :block",
        {"wave": wave, "word": key, "block": block},
    ).fetchone()
    return int.from_bytes(zlib.decompress(row["bits"]), "little") if row else 0


def _write(db: sqlite3.Connection, wave: str, key: str, block: int, found: int) -> None:
    facts: Mapping[str, object] = {"wave": wave, "word": key, "block": block}
    if not found:
        db.execute(
            "DELETE FROM comment_bits WHERE wave = :wave AND word = :word AND block = :block",
            facts,
        )
        return
    packed = zlib.compress(found.to_bytes((found.bit_length() + 7) // 8, "little"), 1)
    db.execute(
        "INSERT INTO comment_bits (wave, word, block, bits) VALUES (:wave, :word, :block, :bits)"
        " ON CONFLICT (wave, word, block) DO UPDATE SET bits = excluded.bits",
        {**facts, "bits": packed},
    )
