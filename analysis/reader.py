"""The one place where figures are read from the database: a wave's rows as arrays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.design import Bools, Floats, Ints

#: Item id of the open comment, in every questionnaire.
COMMENT = "comment"


class BadRows(ValueError):
    """Stored rows that do not fit the wave's questionnaire or its sample."""


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave as stored; days are YYYY-MM-DD."""

    key: str
    name: str
    questionnaire: str
    kind: str
    year: int
    opens_on: str
    closes_on: str
    index_method: str
    aggregate: str
    weights: Mapping[str, float]
    base: str
    interval: str
    level: float
    lonely: str
    rank_sets: tuple[str, ...]
    min_n: int
    hide_n: int
    words: Mapping[str, str]
    owner: str
    owner_name: str
    parent_name: str
    place: str
    synthetic: bool
    settled: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What the sample says about each row: codes of stratum and PSU, weight, fpc (0 = none)."""

    stratum: Ints
    psu: Ints
    weight: Floats
    fpc: Floats
    strata: tuple[str, ...]  # labels of the stratum codes
    frame: tuple[str, ...]  # units of all drawn PSUs, answered or not


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Answers of a wave in the order they came in; ``codes`` (n, columns of the questionnaire).

    ``unit`` (n,) and ``channel`` (n,) are indices into ``units`` and ``channels``.  ``drawn`` is
    None for self-selected answers.  ``loose`` counts answers of a probability wave that belong
    to no sampled case: they have no weight and stay out.  ``texts`` are the whole answers (JSON)
    of those who may have written a comment, by their number in ``seq``.
    """

    seq: Ints
    codes: NDArray[np.uint8]
    flagged: Bools
    unit: Ints
    units: tuple[str, ...]
    channel: Ints
    channels: tuple[str, ...]
    drawn: Drawn | None
    texts: Mapping[int, str]
    loose: int

    def keep(self, mask: Bools) -> Rows:
        """The rows marked in ``mask`` (n,)."""
        drawn = self.drawn
        if drawn is not None:
            drawn = Drawn(
                drawn.stratum[mask],
                drawn.psu[mask],
                drawn.weight[mask],
                drawn.fpc[mask],
                drawn.strata,
                drawn.frame,
            )
        return replace(
            self,
            seq=self.seq[mask],
            codes=self.codes[mask],
            flagged=self.flagged[mask],
            unit=self.unit[mask],
            channel=self.channel[mask],
            drawn=drawn,
        )


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it was on a day."""

    id: str
    kind: str
    word: str
    name: str
    parent: str

    @property
    def title(self) -> str:
        """The name inside a sentence, "tỉnh Tuyên Quang"; of the country "cả nước"."""
        return "cả nước" if self.kind == "country" else f"{self.word} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class RankSet:
    """Units that are ranked among themselves."""

    key: str
    name: str
    kind: str
    members: frozenset[str]


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
SELECT r.seq, r.codes, r.state, r.channel, CASE WHEN r.answers LIKE :written THEN r.answers END,
       c.psu, c.weight
FROM response r JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
WHERE r.wave = :wave AND r.state IN ('valid', 'flagged') AND r.questionnaire = :questionnaire"""

FREE = """
SELECT r.seq, r.codes, r.state, r.channel, CASE WHEN r.answers LIKE :written THEN r.answers END,
       r.receiving_unit
FROM response r
WHERE r.wave = :wave AND r.state IN ('valid', 'flagged') AND r.questionnaire = :questionnaire"""


def rows(db: sqlite3.Connection, of: Wave, width: int) -> Rows:
    """All valid and flagged answers of a wave; ``width`` columns are packed in each.

    Raises BadRows: a row of another width, or a PSU that is not in the sample.
    """
    sampled = of.kind == "probability"
    # The last letter and not the quote before the name: LIKE stops at every quote of the answers.
    written = f'%{COMMENT[-1]}":"%'
    facts = {"wave": of.key, "questionnaire": of.questionnaire, "written": written}
    found = _rows(db, SAMPLED if sampled else FREE, facts)
    found.sort(key=itemgetter(0))  # in sequence already but for the flagged: cheaper than in SQL
    columns = list(zip(*found, strict=True)) if found else [()] * 7
    seq, packed, state, channel, texts, place = columns[:6]
    channel_code, channels = _coded(channel)
    place_code, places = _coded(place)
    unit_code, units, drawn = place_code, places, None
    if sampled:
        unit_code, units, drawn = _drawn(db, of, place_code, places, columns[6])
    return Rows(
        seq=np.array(seq, dtype=np.int64),
        codes=_unpacked(packed, seq, width),
        flagged=np.fromiter(map("flagged".__eq__, state), dtype=bool, count=len(state)),
        unit=unit_code,
        units=units,
        channel=channel_code,
        channels=channels,
        drawn=drawn,
        texts={n: text for n, text in zip(seq, texts, strict=True) if text},
        loose=_kept(db, of) - len(found) if sampled else 0,
    )


def _drawn(
    db: sqlite3.Connection, of: Wave, psu: Ints, psus: tuple[str, ...], weight: Sequence[float]
) -> tuple[Ints, tuple[str, ...], Drawn]:
    sql = "SELECT psu, stratum, fpc, unit FROM sample_psu WHERE wave = :wave"
    facts = {key: rest for key, *rest in _rows(db, sql, {"wave": of.key})}
    if missing := [key for key in psus if key not in facts]:
        raise BadRows(f"PSU {missing[0]} is not in the sample of {of.key}")
    strata = tuple(sorted({facts[key][0] for key in psus}))
    at = {label: h for h, label in enumerate(strata)}
    stratum = np.array([at[facts[key][0]] for key in psus], dtype=np.int64)
    fpc = np.array([facts[key][1] or 0.0 for key in psus], dtype=np.float64)
    unit, units = _coded([facts[key][2] for key in psus])
    frame = tuple(sorted({unit for _, _, unit in facts.values()}))
    weights = np.array(weight, dtype=np.float64)
    drawn = Drawn(stratum[psu], psu, weights, fpc[psu], strata, frame)
    return unit[psu], units, drawn


def _unpacked(packed: Sequence[bytes], seq: Sequence[int], width: int) -> NDArray[np.uint8]:
    if set(map(len, packed)) - {width}:
        wrong = next(n for n, row in zip(seq, packed, strict=True) if len(row) != width)
        raise BadRows(f"answer {wrong} does not have {width} columns")
    return np.frombuffer(b"".join(packed), dtype=np.uint8).reshape(len(packed), width)


def _coded(values: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Codes of the values and the values in their order of first appearance."""
    names = dict.fromkeys(values)
    seen = {name: code for code, name in enumerate(names)}
    return np.array(list(map(seen.__getitem__, values)), dtype=np.int64), tuple(names)


def _kept(db: sqlite3.Connection, of: Wave) -> int:
    states = counts(db, of.key)
    return states.get("valid", 0) + states.get("flagged", 0)


def counts(db: sqlite3.Connection, wave: str) -> dict[str, int]:
    """Answers of a wave per state."""
    sql = "SELECT state, COUNT(*) FROM response WHERE wave = :wave GROUP BY state"
    return dict(_rows(db, sql, {"wave": wave}))


def comments(found: Rows, of: Ints) -> tuple[str, ...]:
    """The comments written in the rows with indices ``of``, in their order, no blank ones."""
    wanted = set(found.seq[of].tolist())
    texts = [json.loads(text).get(COMMENT) for n, text in found.texts.items() if n in wanted]
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


def accounts(db: sqlite3.Connection, wave: str) -> list[tuple[str, int, int]]:
    """Unit, forms issued and forms returned, by unit."""
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
        if not rows:
            return None
        then = [row for row in rows if row[4] <= self._on <= row[5]]
        kind, word, name, parent = (then or rows)[0][:4]
        return Unit(id, kind, word, name, parent)


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
