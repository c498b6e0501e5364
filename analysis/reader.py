"""The one place where figures are read from the database: waves, answers, tallies, units."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.stored import Block, Psu, RankSet, Roster, Unit, Wave

__all__ = ["BadRows", "Block", "Psu", "RankSet", "Roster", "Unit", "Units", "Wave"]

#: Item id of the open comment, in every questionnaire.
COMMENT = "comment"
#: Vietnam has had one offset and no summer time since 1975.
VIETNAM = timedelta(hours=7)


class BadRows(ValueError):
    """Stored rows that do not fit the wave's questionnaire or its sample."""


#: The columns in the order of ``Wave``.
WAVE = """
SELECT key, name, questionnaire, kind, year, opens_on, closes_on, index_method, aggregate, weights,
       base, interval, level, lonely, rank_sets, min_n, hide_n, words, owner, owner_name,
       parent_name, place, synthetic, settled
FROM wave WHERE key = :key"""


def wave(db: sqlite3.Connection, key: str) -> Wave:
    """The wave with this key; LookupError when there is none."""
    rows = _rows(db, WAVE, {"key": key})
    if not rows:
        raise LookupError(f"no wave {key}")
    stored: dict[str, Any] = dict(zip(Wave.__dataclass_fields__, rows[0], strict=True))
    for name in ("weights", "rank_sets", "words"):
        stored[name] = json.loads(stored[name])
    stored["rank_sets"] = tuple(stored["rank_sets"])
    stored["synthetic"] = bool(stored["synthetic"])
    return Wave(**stored)


SAMPLED = """
SELECT r.seq, r.codes, r.channel, COALESCE(c.psu, ''), COALESCE(c.weight, 1.0){hour}
FROM response r LEFT JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
WHERE r.wave = :wave AND r.state = :state AND r.seq > :after AND r.seq <= :upto
  AND r.questionnaire = :questionnaire"""

FREE = """
SELECT r.seq, r.codes, r.channel, r.receiving_unit || '|' || COALESCE(r.counter, ''), 1.0{hour}
FROM response r
WHERE r.wave = :wave AND r.state = :state AND r.seq > :after AND r.seq <= :upto
  AND r.questionnaire = :questionnaire"""

OF_PSU = """
SELECT r.seq, r.codes, r.channel, c.psu, c.weight
FROM sample_case c JOIN response r ON r.case_id = c.id AND r.wave = c.wave
WHERE c.wave = :wave AND c.psu = :psu AND r.state = :state AND r.seq > :after AND r.seq <= :upto
  AND r.questionnaire = :questionnaire ORDER BY r.seq"""

OF_COUNTER = f"""{FREE}
  AND r.receiving_unit = :unit AND COALESCE(r.counter, '') = :counter ORDER BY r.seq"""

OF_SERVICE = f"""{FREE}
  AND r.receiving_unit = :unit AND r.service = :counter ORDER BY r.seq"""

HOUR = ", substr(r.received_at, 1, 13), COALESCE(r.service, '')"
#: Rows in a block, and fetched at once: too few to wake the garbage collector, a quarter quicker.
CHUNK, AT_ONCE = 20_000, 500
STATES = ("valid", "flagged", "void")


def blocks(
    db: sqlite3.Connection,
    of: Wave,
    width: int,
    state: str,
    numbers: tuple[int, int],
    *,
    dated: bool = True,
) -> Iterator[Block]:
    """Responses in ``state`` numbered ``numbers[0]`` + 1 .. ``numbers[1]``; ``width`` columns each.

    Without ``dated`` they have no day, which saves a tenth of the time.  Raises BadRows: a
    response of another width.
    """
    sql = (SAMPLED if of.kind == "probability" else FREE) + " ORDER BY r.seq"
    sql = sql.format(hour=HOUR if dated else "")
    facts = {"wave": of.key, "questionnaire": of.questionnaire, "state": state}
    after, upto = numbers
    yield from _blocks(db, sql, facts | {"after": after, "upto": upto}, width)


def of_place(
    db: sqlite3.Connection, of: Wave, width: int, state: str, psu: str, numbers: tuple[int, int],
    *, service: bool = False,
) -> Iterator[Block]:  # fmt: skip
    """As ``blocks``, of one sampled PSU, one counter ("unit|counter") or one service only."""
    unit, _, counter = psu.partition("|")
    facts = {
        "wave": of.key, "questionnaire": of.questionnaire, "state": state, "after": numbers[0],
        "upto": numbers[1], "psu": psu, "unit": unit, "counter": counter,
    }  # fmt: skip
    free = (OF_SERVICE if service else OF_COUNTER).format(hour=HOUR)
    sql = OF_PSU if of.kind == "probability" else free
    yield from _blocks(db, sql, facts, width)


def _blocks(
    db: sqlite3.Connection, sql: str, facts: Mapping[str, object], width: int
) -> Iterator[Block]:
    cursor = db.cursor()
    cursor.row_factory = None  # plain tuples: half the time of named rows
    try:
        cursor.execute(sql, facts)
        while found := list(islice(_columns(cursor), CHUNK // AT_ONCE)):
            joined = (list(chain.from_iterable(parts)) for parts in zip(*found, strict=True))
            yield _block(str(facts["state"]), list(joined), width)
    finally:
        cursor.close()


def _columns(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while found := cursor.fetchmany(AT_ONCE):
        yield list(zip(*found, strict=True))


def _block(state: str, columns: list[list[Any]], width: int) -> Block:
    seq, packed, channel, psu, weight, *more = columns
    numbers, codes = np.array(seq, dtype=np.int64), _unpacked(packed, seq, width)
    day, service = (list(map(_day, more[0])), more[1]) if more else ([], [])
    held = np.array(weight, dtype=np.float64)
    return Block(state, numbers, codes, channel, psu, day, held, service)


@cache
def _day(hour: str) -> str:
    """The day in Vietnam (UTC + 7) of an hour "2026-11-22T09" in UTC."""
    return (datetime.fromisoformat(f"{hour}:00:00") + VIETNAM).date().isoformat()


CALIBRATED = """
SELECT 1 FROM weighting WHERE wave = :wave
  AND json_array_length(json_extract(settings, '$.margins')) > 0"""

ROSTER = """
SELECT r.seq, r.codes, r.channel, r.state, c.psu, COALESCE(c.start, c.weight), c.weight, c.cell
FROM response r JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
WHERE r.wave = :wave AND r.state IN ('valid', 'flagged') AND r.questionnaire = :questionnaire
ORDER BY r.seq"""


def roster(db: sqlite3.Connection, of: Wave, width: int) -> Roster | None:
    """Who answered a wave whose weights were fitted to margins; None for every other wave."""
    if of.kind != "probability" or not _rows(db, CALIBRATED, {"wave": of.key}):
        return None
    found = _rows(db, ROSTER, {"wave": of.key, "questionnaire": of.questionnaire})
    if not found:
        return None
    seq, packed, channel, state, psu, start, weight, label = zip(*found, strict=True)
    return Roster(
        _unpacked(packed, seq, width), channel, state, psu,
        np.array(start, dtype=np.float64), np.array(weight, dtype=np.float64), label,
    )  # fmt: skip


WEIGHTING = """
SELECT settings, report, frozen_at, (SELECT COUNT(*) FROM sample_case c WHERE c.wave = w.wave
  AND c.cell = '' AND c.state IN ('compared', 'called_back', 'locked') AND EXISTS (SELECT 1 FROM
  response r WHERE r.case_id = c.id AND r.state <> 'void')) FROM weighting w WHERE wave = :wave"""
SOURCES = """
SELECT name, source FROM margin WHERE wave = :wave GROUP BY name, source ORDER BY MIN(rowid)"""


def weighting(db: sqlite3.Connection, wave: str) -> tuple[Any, Any, bool, int]:
    """Settings, report ({}: weights of the draw), whether frozen, how many answered since."""
    for said, report, frozen_at, late in _rows(db, WEIGHTING, {"wave": wave}):
        return json.loads(said), json.loads(report), frozen_at is not None, late
    return {}, {}, False, 0


def sources(db: sqlite3.Connection, wave: str) -> list[tuple[str, str]]:
    """Name and source of the margins of a wave, in the order they were entered."""
    return _rows(db, SOURCES, {"wave": wave})


#: Settled forms by way of entry and whether they were entered a second time; void ones, too.
ENTRIES = """
SELECT e.via, two.id IS NOT NULL, COUNT(*)
FROM paper_settled s JOIN paper_entry e ON e.case_id = s.case_id AND e.round = 1
  LEFT JOIN paper_entry two ON two.case_id = s.case_id AND two.round = 2
WHERE s.wave = :wave AND s.response IS NOT NULL GROUP BY 1, 2"""

#: Forms that were entered twice; only where both differ the fields themselves.
TWICE = """
SELECT e.via, s.case_id, r.codes,
       CASE WHEN s.n_differing > 0 THEN e.fields END, CASE WHEN s.n_differing > 0 THEN s.fields END
FROM paper_settled s JOIN paper_entry e ON e.case_id = s.case_id AND e.round = 1
  JOIN paper_entry two ON two.case_id = s.case_id AND two.round = 2
  JOIN response r ON r.id = s.response AND r.state IN ('valid', 'flagged')
WHERE s.wave = :wave ORDER BY s.case_id"""


def entries(db: sqlite3.Connection, wave: str) -> dict[str, tuple[int, int]]:
    """By way of entry ("desk", "scan"): settled forms, entered once and twice."""
    found = {(via, twice): n for via, twice, n in _rows(db, ENTRIES, {"wave": wave})}
    return {via: (found.get((via, 0), 0), found.get((via, 1), 0)) for via, _ in found}


def entered_twice(db: sqlite3.Connection, wave: str) -> list[tuple[Any, ...]]:
    """Paper forms entered twice: way of the first entry, case, the codes of its answer, and the
    fields (JSON) as first entered and as settled where the two entries differed."""
    return _rows(db, TWICE, {"wave": wave})


def last(db: sqlite3.Connection, wave: str) -> int:
    """The highest number of a response of the wave, 0 without any; found without a scan."""
    sql = "SELECT MAX(seq) FROM response WHERE wave = :wave AND state = :state"
    return max(_rows(db, sql, {"wave": wave, "state": state})[0][0] or 0 for state in STATES)


def psus(db: sqlite3.Connection, wave: str) -> dict[str, Psu]:
    """The sampled villages of a wave."""
    sql = """SELECT psu, COALESCE(NULLIF(certain, ''), stratum), COALESCE(fpc, 0.0), unit, cluster
             FROM sample_psu WHERE wave = :wave ORDER BY psu"""
    return {psu: Psu(*facts) for psu, *facts in _rows(db, sql, {"wave": wave})}


TALLY = """
SELECT psu, day, channel, flagged, people, weight, squares, first_seq, last_seq, persons, moments,
       counts, sums, CASE WHEN :squares THEN square_sums END
FROM tally WHERE wave = :wave AND day >= :first AND day <= :last"""
#: What stands in ``day``: nothing, a day, "m" or (of a service) "s" before a month; all of it.
ALL_DAYS, DAYS, EVERY = ("", ""), ("0", "9"), ("", "~")
_TALLY = ("psu", "day", "channel", "flagged", "people", "weight", "squares", "first_seq",
          "last_seq", "persons", "moments", "counts", "sums", "square_sums")  # fmt: skip


def tally(
    db: sqlite3.Connection,
    wave: str,
    *,
    psu: str | None = None,
    span: tuple[str, str] = ALL_DAYS,
    squares: bool = False,
) -> dict[str, tuple[Any, ...]]:
    """Stored cells of a wave, by column, whose ``day`` lies in ``span``; of one place with
    ``psu``; with the sums of squared weights if asked for."""
    first, last = span
    facts = {"wave": wave, "psu": psu, "first": first, "last": last, "squares": squares}
    sql = TALLY if psu is None else TALLY.replace("WHERE", "WHERE psu = :psu AND")
    found = _rows(db, sql, facts)
    columns = zip(*found, strict=True) if found else ((),) * len(_TALLY)
    named = dict(zip(_TALLY, columns, strict=True))
    return named if squares else {n: column for n, column in named.items() if n != _TALLY[-1]}


def tally_mark(db: sqlite3.Connection, wave: str) -> tuple[str, int]:
    """The rule the wave's tallies were folded by, and the last response in them."""
    found = _rows(db, "SELECT rule, seq FROM tally_mark WHERE wave = :wave", {"wave": wave})
    return found[0] if found else ("", 0)


def dirty(db: sqlite3.Connection, wave: str) -> list[tuple[str, str]]:
    """Places (psu, day) where a response was edited after it had been folded."""
    sql = "SELECT psu, day FROM tally_dirty WHERE wave = :wave ORDER BY psu, day"
    return _rows(db, sql, {"wave": wave})


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Read everything inside as of one moment, whoever writes meanwhile."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def _unpacked(packed: Sequence[bytes], seq: Sequence[int], width: int) -> NDArray[np.uint8]:
    if set(map(len, packed)) - {width}:
        wrong = next(n for n, row in zip(seq, packed, strict=True) if len(row) != width)
        raise BadRows(f"answer {wrong} does not have {width} columns")
    return np.frombuffer(b"".join(packed), dtype=np.uint8).reshape(len(packed), width)


#: Counted up to the mark of the tallies, looked for after it.
VOID = """
SELECT COALESCE(SUM(n), 0) FROM (
  SELECT n FROM tally_day WHERE wave = :wave AND state = 'void'
  UNION ALL SELECT COUNT(*) FROM response WHERE wave = :wave AND state = 'void'
    AND seq > COALESCE((SELECT seq FROM tally_mark WHERE wave = :wave), 0))"""


def void(db: sqlite3.Connection, wave: str) -> int:
    """How many answers of a wave are void."""
    return int(_rows(db, VOID, {"wave": wave})[0][0])


COMMENTED = """
SELECT r.answers, COALESCE(p.unit, r.receiving_unit), r.state
FROM response r LEFT JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
     LEFT JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
WHERE r.wave = :wave AND r.state IN ('valid', 'flagged') AND r.questionnaire = :questionnaire
  AND r.answers LIKE :written AND (p.unit IS NOT NULL OR :sampled = 0) ORDER BY r.seq"""


def comments(
    db: sqlite3.Connection, of: Wave, *, flagged: bool, units: Container[str] | None
) -> tuple[str, ...]:
    """The comments of a wave in the order they came, no blank ones; ``units`` None for all."""
    # The last letter and not the quote before the name: LIKE stops at every quote of the answers.
    facts = {
        "wave": of.key,
        "questionnaire": of.questionnaire,
        "written": f'%{COMMENT[-1]}":"%',
        "sampled": int(of.kind == "probability"),
    }
    texts = (
        json.loads(answers).get(COMMENT)
        for answers, unit, state in _rows(db, COMMENTED, facts)
        if (units is None or unit in units) and (flagged or state == "valid")
    )
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


#: Counted from the cases where forms went out in lots; those of a spoiled form came back, too.
LOTS = """
SELECT p.unit, COUNT(*), SUM(c.state IN ('collected', 'entered', 'entered_twice', 'compared',
  'called_back', 'locked', 'spoiled'))
FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
  LEFT JOIN lot l ON l.id = c.lot
WHERE c.wave = :wave AND (l.issued_at IS NOT NULL OR c.state IN ('entered', 'entered_twice',
  'compared', 'called_back', 'locked'))
GROUP BY p.unit ORDER BY p.unit"""


def accounts(db: sqlite3.Connection, wave: str) -> list[tuple[str, int, int]]:
    """Unit, forms issued and forms returned, by unit: from the lots where there are any."""
    sent = "SELECT 1 FROM lot WHERE wave = :wave AND issued_at IS NOT NULL LIMIT 1"
    if _rows(db, sent, {"wave": wave}):
        return _rows(db, LOTS, {"wave": wave})
    sql = "SELECT unit, issued, returned FROM account WHERE wave = :wave ORDER BY unit"
    return [(unit, issued, returned) for unit, issued, returned in _rows(db, sql, {"wave": wave})]


class Units:
    """Units as they were on a day, fetched when first asked for."""

    def __init__(self, db: sqlite3.Connection, on: str) -> None:
        self._db, self._on = db, on
        self._known: dict[str, Unit | None] = {}

    def get(self, id: str) -> Unit | None:
        """The unit on that day, else its newest row, None if it never was."""
        if id not in self._known:
            self._known[id] = self._fetch(id)
        return self._known[id]

    def title(self, id: str) -> str:
        """The unit's name in a sentence; the id itself for an unknown unit."""
        unit = self.get(id)
        return unit.title if unit else id

    def path(self, id: str) -> tuple[str, ...]:
        """The unit and everything above it, itself first; an unknown unit stands alone."""
        found = [id]
        unit = self.get(id)
        while unit is not None and unit.parent and unit.parent not in found:
            found.append(unit.parent)
            unit = self.get(unit.parent)
        return tuple(found)

    def _fetch(self, id: str) -> Unit | None:
        scheme, _, code = id.partition(":")
        sql = """SELECT kind, word, name, COALESCE(parent, ''), valid_from, COALESCE(valid_to, '9')
                 FROM unit WHERE scheme = :scheme AND code = :code ORDER BY valid_from DESC"""
        rows = _rows(self._db, sql, {"scheme": scheme, "code": code})
        then = [row for row in rows if row[4] <= self._on <= row[5]]
        return Unit(id, *(then or rows)[0][:4]) if rows else None


def rank_sets(db: sqlite3.Connection, on: str) -> list[RankSet]:
    """The rank sets of a day with the members they had on it."""
    sql = """SELECT s.key, s.name, s.kind, m.unit
             FROM rank_set s JOIN rank_set_member m ON m.rank_set = s.key
             WHERE s.valid_from <= :on AND COALESCE(s.valid_to, :on) >= :on
               AND m.valid_from <= :on AND COALESCE(m.valid_to, :on) >= :on
             ORDER BY s.key, m.unit"""
    found: dict[tuple[str, str, str], set[str]] = {}
    for key, name, kind, unit in _rows(db, sql, {"on": on}):
        found.setdefault((key, name, kind), set()).add(unit)
    return [RankSet(*head, frozenset(members)) for head, members in found.items()]


def _rows(db: sqlite3.Connection, sql: str, facts: Mapping[str, object]) -> list[tuple[Any, ...]]:
    cursor = db.cursor()
    cursor.row_factory = None  # plain tuples: half the time of named rows
    try:
        return cursor.execute(sql, facts).fetchall()
    finally:
        cursor.close()
