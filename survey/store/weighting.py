"""Weights of a sampled wave: known totals, what was made of them, the seal of the final ones."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from survey.db import write
from survey.store import Refused, audit, tally
from survey.store.clock import stamp


@dataclass(frozen=True, slots=True)
class Margin:
    """Persons of the population in one category of one margin, and where the number stands.

    ``name`` is a closed question, ``area``, ``stratum`` or ``unit``, or several of these crossed
    with ``*``; ``category`` its code, several codes merged with ``+``.
    """

    name: str
    category: str
    target: float
    source: str


@dataclass(frozen=True, slots=True)
class Weighting:
    """Weights that were made: by which settings, with which report, since when unchangeable.

    ``settings`` is empty when a wave was closed with the weights its cases were drawn with.
    """

    wave: str
    settings: Mapping[str, Any]
    report: Mapping[str, Any]
    digest: str
    made_at: str
    actor: str
    frozen_at: str | None


def margins(db: sqlite3.Connection, wave: str) -> list[Margin]:
    """The margins of a wave, in the order in which they were entered."""
    rows = db.execute(
        "SELECT name, category, target, source FROM margin WHERE wave = :wave ORDER BY rowid",
        {"wave": wave},
    )
    return [Margin(**dict(row)) for row in rows]


def set_margins(
    db: sqlite3.Connection, wave: str, rows: Iterable[Margin], *, now: datetime, actor: str
) -> int:
    """Put these margins in the place of all a wave had; returns how many categories.

    Weights made before stay as they are until they are made again.  Raises Refused
    ``weights_frozen`` (409).
    """
    held = list(rows)
    with write(db):
        _refuse_frozen(db, wave)
        db.execute("DELETE FROM margin WHERE wave = :wave", {"wave": wave})
        db.executemany(
            "INSERT INTO margin (wave, name, category, target, source)"
            " VALUES (:wave, :name, :category, :target, :source)",
            [{"wave": wave, **asdict(row)} for row in held],
        )
        detail = {"margins": [[m.name, m.category, m.target, m.source] for m in held]}
        audit.append(db, at=now, actor=actor, action="weights.margins", subject=wave, detail=detail)
    return len(held)


def get(db: sqlite3.Connection, wave: str) -> Weighting | None:
    """The weights of a wave as they were made last; None while they are those of the draw."""
    row = db.execute(
        "SELECT wave, settings, report, digest, made_at, actor, frozen_at FROM weighting"
        " WHERE wave = :wave",
        {"wave": wave},
    ).fetchone()
    if row is None:
        return None
    held = dict(row)
    for name in ("settings", "report"):
        held[name] = json.loads(held[name])
    return Weighting(**held)


#: Cases on the main list and the reserves that took a place of it.
_PLACES = (
    "SELECT c.id, c.psu, p.stratum, p.area, p.unit, COALESCE(c.base, c.weight) AS base, c.state,"
    " c.reason, p.dropped_at IS NOT NULL AS dropped, r.codes FROM sample_case c"
    " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
    " LEFT JOIN response r ON r.case_id = c.id AND r.wave = c.wave"
    " AND r.state IN ('valid', 'flagged')"
    " WHERE c.wave = :wave AND c.state <> 'reserve' ORDER BY c.id"
)


def places(db: sqlite3.Connection, wave: str) -> list[dict[str, Any]]:
    """Every case that was drawn or took another's place: id, psu, stratum, area, unit, base,
    state, reason, whether its PSU was dropped, the ``codes`` of its answer (None without)."""
    return [dict(row) for row in db.execute(_PLACES, {"wave": wave})]


def put(
    db: sqlite3.Connection,
    wave: str,
    rows: Iterable[Mapping[str, object]],
    *,
    settings: Mapping[str, object],
    report: Mapping[str, object],
    now: datetime,
    actor: str,
) -> Weighting:
    """Give cases their weights: id, start, weight, cell; all others go back to those of the draw.

    Tallies of the wave are thrown away: they were folded with other weights.  A wave that was
    closed before there were weights has them frozen at once.  Raises LookupError (a case of
    another wave), or Refused ``weights_frozen`` (409).
    """
    with write(db):
        _refuse_frozen(db, wave)
        _as_drawn(db, wave)
        for row in rows:
            done = db.execute(
                "UPDATE sample_case SET start = :start, weight = :weight, cell = :cell"
                " WHERE id = :id AND wave = :wave",
                {**row, "wave": wave},
            ).rowcount
            if not done:
                raise LookupError(row["id"])
        made = _keep(db, wave, settings, report, now=now, actor=actor)
        detail = {"settings": dict(settings), "digest": made.digest}
        audit.append(db, at=now, actor=actor, action="weights.make", subject=wave, detail=detail)
        if _closed(db, wave):
            freeze(db, wave, now, actor)
    return made


def clear(db: sqlite3.Connection, wave: str, *, now: datetime, actor: str) -> None:
    """Go back to the weights of the draw.  Raises Refused ``weights_frozen`` (409)."""
    with write(db):
        _refuse_frozen(db, wave)
        _as_drawn(db, wave)
        db.execute("DELETE FROM weighting WHERE wave = :wave", {"wave": wave})
        audit.append(db, at=now, actor=actor, action="weights.clear", subject=wave)


def _as_drawn(db: sqlite3.Connection, wave: str) -> None:
    db.execute(
        "UPDATE sample_case SET weight = COALESCE(base, weight), base = COALESCE(base, weight),"
        " start = NULL, cell = '' WHERE wave = :wave",
        {"wave": wave},
    )
    tally.reset(db, tally.mark(db, wave), "")


def stale(db: sqlite3.Connection, wave: str) -> int:
    """How many cases answered, or took their answer back, after the weights had been made."""
    row = db.execute(
        "SELECT COUNT(*) FROM sample_case c LEFT JOIN response r ON r.case_id = c.id"
        " AND r.wave = c.wave AND r.state IN ('valid', 'flagged')"
        " WHERE c.wave = :wave AND (c.cell = '') <> (r.seq IS NULL)",
        {"wave": wave},
    ).fetchone()
    return int(row[0])


def freeze(db: sqlite3.Connection, wave: str, now: datetime, actor: str) -> None:
    """Let the weights of a closing wave never change again; nothing without a sample.

    Raises Refused ``weights_stale`` (409: ``n`` cases answered after they were made).
    """
    with write(db):
        held, drawn = get(db, wave), _drawn(db, wave)
        if not drawn or (held and held.frozen_at):
            return
        if held is None:
            made = _keep(db, wave, {}, {}, now=now, actor=actor)
        elif (n := stale(db, wave)) or digest(db, wave) != held.digest:
            raise Refused("weights_stale", 409, n=n, wave=wave)
        else:
            made = held
        db.execute(
            "UPDATE weighting SET frozen_at = :at WHERE wave = :wave",
            {"wave": wave, "at": stamp(now)},
        )
        detail = {"digest": made.digest}
        audit.append(db, at=now, actor=actor, action="weights.freeze", subject=wave, detail=detail)


def thaw(db: sqlite3.Connection, wave: str, now: datetime, actor: str) -> None:
    """Let the weights of a wave that is opened again be made anew."""
    with write(db):
        held = get(db, wave)
        if held is None or held.frozen_at is None:
            return
        if held.settings:
            db.execute("UPDATE weighting SET frozen_at = NULL WHERE wave = :wave", {"wave": wave})
        else:
            db.execute("DELETE FROM weighting WHERE wave = :wave", {"wave": wave})
        detail = {"digest": held.digest}
        audit.append(db, at=now, actor=actor, action="weights.thaw", subject=wave, detail=detail)


def faults(db: sqlite3.Connection) -> list[str]:
    """Waves whose weights are not those that were frozen at their closing, in Vietnamese."""
    rows = db.execute(
        "SELECT wave, digest FROM weighting WHERE frozen_at IS NOT NULL ORDER BY wave"
    ).fetchall()
    return [
        f"Đợt {row['wave']}: quyền số không còn đúng như khi khóa (mã băm khác)"
        for row in rows
        if digest(db, row["wave"]) != row["digest"]
    ]


def digest(db: sqlite3.Connection, wave: str) -> str:
    """SHA-256 of case, base, start, final weight and cell of every case, by case number."""
    total = sha256()
    for row in db.execute(
        "SELECT id, base, start, weight, cell FROM sample_case WHERE wave = :wave ORDER BY id",
        {"wave": wave},
    ):
        line = " ".join(repr(row[name]) for name in ("id", "base", "start", "weight"))
        total.update(f"{line} {row['cell']}\n".encode())
    return total.hexdigest()


def _keep(
    db: sqlite3.Connection,
    wave: str,
    settings: Mapping[str, object],
    report: Mapping[str, object],
    *,
    now: datetime,
    actor: str,
) -> Weighting:
    made = Weighting(wave, settings, report, digest(db, wave), stamp(now), actor, None)
    facts = {
        "wave": wave, "settings": json.dumps(settings, ensure_ascii=False),
        "report": json.dumps(report, ensure_ascii=False), "digest": made.digest,
        "made_at": made.made_at, "actor": actor,
    }  # fmt: skip
    db.execute(
        "INSERT INTO weighting (wave, settings, report, digest, made_at, actor)"
        " VALUES (:wave, :settings, :report, :digest, :made_at, :actor)"
        " ON CONFLICT (wave) DO UPDATE SET settings = :settings, report = :report,"
        " digest = :digest, made_at = :made_at, actor = :actor, frozen_at = NULL",
        facts,
    )
    return made


def _closed(db: sqlite3.Connection, wave: str) -> bool:
    row = db.execute("SELECT closed_at FROM wave WHERE key = :wave", {"wave": wave}).fetchone()
    return row is not None and row["closed_at"] is not None


def _drawn(db: sqlite3.Connection, wave: str) -> bool:
    row = db.execute("SELECT 1 FROM sample_case WHERE wave = :wave LIMIT 1", {"wave": wave})
    return row.fetchone() is not None


def _refuse_frozen(db: sqlite3.Connection, wave: str) -> None:
    held = get(db, wave)
    if held is not None and held.frozen_at is not None:
        raise Refused("weights_frozen", 409, wave=wave)
