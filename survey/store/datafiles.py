"""Files of responses: which rows go out, the rule of a wave for them, and what was handed out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from survey.db import write
from survey.store import audit
from survey.store.clock import stamp


@dataclass(frozen=True, slots=True)
class Rule:
    """``k`` persons share what a public file tells of a person; ``comments``: the furthest level
    ("internal", "research") whose files may hold what people wrote, "" for none."""

    k: int = 5
    comments: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was handed out; ``ask`` is what was asked for, ``digest`` that of its rows."""

    id: int
    wave: str
    unit: str
    level: str
    form: str
    ask: Mapping[str, Any]
    n: int
    upto: int
    digest: str
    at: str
    actor: str


def rule(db: sqlite3.Connection, wave: str) -> Rule:
    """The rule of a wave; the default while none was set."""
    row = db.execute(
        "SELECT k, comments FROM data_rule WHERE wave = :wave", {"wave": wave}
    ).fetchone()
    return Rule(**dict(row)) if row else Rule()


def set_rule(db: sqlite3.Connection, wave: str, to: Rule, *, now: datetime, actor: str) -> None:
    """Give a wave its rule; files handed out before stay as they are."""
    with write(db):
        db.execute(
            "INSERT INTO data_rule (wave, k, comments) VALUES (:wave, :k, :comments)"
            " ON CONFLICT (wave) DO UPDATE SET k = excluded.k, comments = excluded.comments",
            {"wave": wave, **asdict(to)},
        )
        audit.append(db, at=now, actor=actor, action="data.rule", subject=wave, detail=asdict(to))


def register(
    db: sqlite3.Connection,
    *,
    wave: str,
    unit: str,
    level: str,
    form: str,
    ask: Mapping[str, object],
    now: datetime,
    actor: str,
) -> int:
    """Write down that a file is handed out, before its first byte; returns its number."""
    with write(db):
        row = db.execute(
            "INSERT INTO data_export (wave, unit, level, form, ask, n, upto, at, actor) VALUES"
            " (:wave, :unit, :level, :form, :ask, 0, 0, :at, :actor) RETURNING id",
            {"wave": wave, "unit": unit, "level": level, "form": form,
             "ask": json.dumps(ask, ensure_ascii=False, sort_keys=True), "at": stamp(now),
             "actor": actor},
        ).fetchone()  # fmt: skip
        detail = {"export": row["id"], "level": level, "format": form, "unit": unit}
        if ask.get("comments"):  # what people wrote may name them: that somebody has it is told
            detail["comments"] = "x"
        audit.append(db, at=now, actor=actor, action="data.export", subject=wave, detail=detail)
    return int(row["id"])


def seal(db: sqlite3.Connection, number: int, *, digest: str, n: int, upto: int) -> None:
    """Note of a file that was made whole: the digest of its rows, how many they are, and the last
    response there was."""
    with write(db):
        db.execute(
            "UPDATE data_export SET digest = :digest, n = :n, upto = :upto WHERE id = :id",
            {"id": number, "digest": digest, "n": n, "upto": upto},
        )


def exports(db: sqlite3.Connection, wave: str, *, most: int = 50) -> list[Export]:
    """The files of a wave that were handed out, the newest first."""
    rows = db.execute(
        "SELECT id, wave, unit, level, form, ask, n, upto, digest, at, actor FROM data_export"
        " WHERE wave = :wave ORDER BY id DESC LIMIT :most",
        {"wave": wave, "most": most},
    )
    return [_export(row) for row in rows]


def by_digest(db: sqlite3.Connection, digest: str) -> Export | None:
    """The file whose rows have this digest as it was first handed out, None of an unknown one."""
    row = db.execute(
        "SELECT id, wave, unit, level, form, ask, n, upto, digest, at, actor FROM data_export"
        " WHERE digest = :digest AND digest <> '' ORDER BY id LIMIT 1",
        {"digest": digest},
    ).fetchone()
    return _export(row) if row else None


def _export(row: sqlite3.Row) -> Export:
    return Export(**dict(row) | {"ask": json.loads(row["ask"])})


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


_DRAWN = """
SELECT r.seq, r.state, substr(r.received_at, 1, 13), c.psu, r.questionnaire
FROM response r LEFT JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
WHERE r.wave = :wave AND r.seq <= :upto"""
_FREE = """
SELECT seq, state, substr(received_at, 1, 13), receiving_unit, questionnaire
FROM response WHERE wave = :wave AND seq <= :upto"""
#: The last number there can be.
ENDLESS = 2**62


def listed(
    db: sqlite3.Connection, wave: str, *, drawn: bool, upto: int = ENDLESS
) -> Iterator[tuple[int, str, str, str | None, str]]:
    """Of every response up to ``upto``: seq, state, hour (UTC), questionnaire last; before it the
    village of its sampled case (``drawn``, None without a case) or the unit that received it."""
    cursor = db.cursor()
    cursor.row_factory = None
    return iter(cursor.execute(_DRAWN if drawn else _FREE, {"wave": wave, "upto": upto}))


#: Columns of a row after its codes and answers: how it came, then its case.
CAME = (
    "channel", "state", "flags", "hour", "receiving_unit", "resolving_unit", "counter", "service",
    "language", "assisted_by",
)  # fmt: skip
_ROW = """
SELECT r.codes, r.answers, r.channel, r.state, r.flags, substr(r.received_at, 1, 13),
       r.receiving_unit, r.resolving_unit, r.counter, r.service, r.language, r.assisted_by,
       c.psu, c.base, c.start, c.weight, c.cell
FROM json_each(:numbers) n CROSS JOIN response r
     LEFT JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
WHERE r.seq = n.value"""
#: Rows looked up by one statement.
AT_ONCE = 500
#: Without what is only wanted for texts: half the bytes of a row.
_BARE = _ROW.replace("r.answers,", "'',")


def rows(
    db: sqlite3.Connection, numbers: Iterable[int], *, answers: bool
) -> Iterator[tuple[Any, ...]]:
    """Of these responses, in this order: codes, answers (JSON, "" unless asked for), ``CAME``,
    then village, base, start, weight and cell of the sampled case.

    In an order that tells nothing about who came when, and without a sort of the whole wave
    before the first row: ``CROSS JOIN`` makes SQLite look the rows up as they are asked for.
    """
    cursor = db.cursor()
    cursor.row_factory = None
    sql, waiting = _ROW if answers else _BARE, iter(numbers)
    while part := list(islice(waiting, AT_ONCE)):
        yield from cursor.execute(sql, {"numbers": json.dumps(part)})


def villages(db: sqlite3.Connection, wave: str) -> dict[str, dict[str, Any]]:
    """By village: unit, area, and stratum, psu and fpc of the variance.

    First-stage units, the commune where communes were drawn first; a commune that was drawn
    surely is a stratum of its own.
    """
    found = db.execute(
        "SELECT psu AS village, unit, area, fpc, COALESCE(NULLIF(certain, ''), stratum) AS stratum,"
        " COALESCE(NULLIF(cluster, ''), psu) AS psu FROM sample_psu WHERE wave = :wave",
        {"wave": wave},
    )
    return {row["village"]: dict(row) for row in found}


def some(db: sqlite3.Connection, wave: str) -> bool:
    """Whether a wave has responses that count; found without a scan."""
    found = db.execute(
        "SELECT 1 FROM response WHERE wave = :wave AND state IN ('valid', 'flagged') LIMIT 1",
        {"wave": wave},
    ).fetchone()
    return found is not None


def last(db: sqlite3.Connection) -> int:
    """The highest number of a response of the instance, 0 without any."""
    return int(db.execute("SELECT COALESCE(MAX(seq), 0) FROM response").fetchone()[0])


def home(db: sqlite3.Connection) -> Path:
    """The directory of the instance whose database this is."""
    row = db.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    return Path(row[0]).parent


def units(db: sqlite3.Connection, wave: str) -> list[str]:
    """The units a wave is about: where villages were drawn, or where its doors are."""
    rows = db.execute(
        "SELECT unit FROM sample_psu WHERE wave = :wave UNION SELECT unit FROM door"
        " WHERE wave = :wave AND kind <> 'case' ORDER BY 1",
        {"wave": wave},
    )
    return [row["unit"] for row in rows]


#: Persons and weights by a fact and two answers; ``:by`` says which fact.
_CELLS_DRAWN = """
SELECT CASE :by WHEN 'unit' THEN p.unit WHEN 'area' THEN p.area WHEN 'channel' THEN r.channel
       ELSE '' END AS fact, substr(r.codes, :rows, 1) AS asked,
       substr(r.codes, :columns, 1) AS code, p.unit, COUNT(*), SUM(c.weight)
FROM response r JOIN sample_case c ON c.id = r.case_id AND c.wave = r.wave
     JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu
WHERE r.wave = :wave AND r.state IN ('valid', 'flagged') AND r.questionnaire = :questionnaire
GROUP BY 1, 2, 3, 4"""
_CELLS_FREE = """
SELECT CASE :by WHEN 'unit' THEN receiving_unit WHEN 'channel' THEN channel
       WHEN 'service' THEN COALESCE(service, '') WHEN 'counter' THEN COALESCE(counter, '')
       WHEN 'month' THEN substr(received_at, 1, 13) ELSE '' END AS fact,
       substr(codes, :rows, 1) AS asked, substr(codes, :columns, 1) AS code, receiving_unit,
       COUNT(*), 1.0 * COUNT(*)
FROM response
WHERE wave = :wave AND state IN ('valid', 'flagged') AND questionnaire = :questionnaire
GROUP BY 1, 2, 3, 4"""


def cells(
    db: sqlite3.Connection, wave: str, questionnaire: str, *, by: str, rows: int, columns: int,
    drawn: bool,
) -> Iterator[tuple[str, int, int, str, int, float]]:  # fmt: skip
    """Persons and weights of the answers that count: fact ``by`` ("unit", "area", "channel",
    "service", "counter", "month" as an hour, "" for none), codes of the columns ``rows`` and
    ``columns`` (places in the packed answers from 1), unit, persons, weight."""
    facts = {"wave": wave, "questionnaire": questionnaire, "by": by, "rows": rows,
             "columns": columns}  # fmt: skip
    cursor = db.cursor()
    cursor.row_factory = None
    for fact, asked, code, unit, n, weight in cursor.execute(
        _CELLS_DRAWN if drawn else _CELLS_FREE, facts
    ):
        yield fact, asked[0], code[0], unit, n, weight
