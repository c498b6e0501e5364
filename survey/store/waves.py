"""Waves: one survey with its questionnaire, its days, its method and its publication rule."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from survey.db import write
from survey.store import Refused, audit, cases, weighting
from survey.store.clock import day, moment, stamp

_JSON = ("weights", "rank_sets", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One wave; everything a report prints about its method stands here.

    ``opens_on``/``closes_on`` are days in Vietnam, both included; ``closed_at`` is set when it
    was closed by hand.  ``weights``: factor or area id -> weight, for ``aggregate="explicit"``.
    ``words``: the place words put into the questions.  ``settled``: dossiers settled in the time
    of a self-selected wave, None while unknown.  ``partial``: what becomes of answers left behind
    at a kiosk, ``discard`` or ``keep``.  ``contact_days``: how many days a telephone number that
    somebody left is kept; 0 asks for none.
    """

    key: str
    name: str
    questionnaire: str
    kind: str
    year: int
    opens_on: date
    closes_on: date
    owner: str
    owner_name: str
    parent_name: str = ""
    place: str = ""
    closed_at: datetime | None = None
    index_method: str = "top2"
    aggregate: str = "item"
    weights: Mapping[str, float] = field(default_factory=dict)
    base: str = "ask_all"
    interval: str = "beta"
    level: float = 0.95
    lonely: str = "adjust"
    rank_sets: tuple[str, ...] = ()
    min_n: int = 30
    hide_n: int = 5
    words: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
    settled: int | None = None
    partial: str = "discard"
    contact_days: int = 0

    def is_open(self, now: datetime) -> bool:
        """Whether answers are taken at that moment."""
        return self.closed_at is None and self.opens_on <= day(now) <= self.closes_on

    def shut(self, now: datetime) -> Refused:
        """Why answers are not taken; ``on`` is the day it closed, or opens (``before``)."""
        if self.closed_at is not None:
            return Refused("closed", 410, on=day(self.closed_at), before=False)
        before = day(now) < self.opens_on
        return Refused("closed", 410, on=self.opens_on if before else self.closes_on, before=before)


_COLUMNS = tuple(f.name for f in fields(Wave))


def get(db: sqlite3.Connection, key: str) -> Wave:
    """The wave with this key; raises LookupError."""
    row = db.execute("SELECT * FROM wave WHERE key = :key", {"key": key}).fetchone()
    if row is None:
        raise LookupError(key)
    return _wave(row)


def all(db: sqlite3.Connection) -> list[Wave]:
    """Every wave, the newest first."""
    rows = db.execute("SELECT * FROM wave ORDER BY opens_on DESC, created_at DESC, key")
    return [_wave(row) for row in rows]


def new(db: sqlite3.Connection, wave: Wave, *, now: datetime, actor: str) -> Wave:
    """Store a wave.

    Raises
    ------
    Refused
        ``exists`` (409): the key is taken.  ``faulty_wave`` (422): ``faults`` lists everything
        that does not fit, in Vietnamese.
    """
    if faults := _faults(db, wave):
        raise Refused("faulty_wave", 422, faults=faults)
    row = _row(wave) | {"created_at": stamp(now)}
    with write(db):
        stored = db.execute(
            "INSERT INTO wave (key, name, questionnaire, kind, year, opens_on, closes_on, owner,"
            " owner_name, parent_name, place, closed_at, index_method, aggregate, weights, base,"
            " interval, level, lonely, rank_sets, min_n, hide_n, words, synthetic, settled,"
            " partial, contact_days, created_at) VALUES (:key, :name, :questionnaire, :kind, :year,"
            " :opens_on,"
            " :closes_on, :owner, :owner_name, :parent_name, :place, :closed_at, :index_method,"
            " :aggregate, :weights, :base, :interval, :level, :lonely, :rank_sets, :min_n,"
            " :hide_n, :words, :synthetic, :settled, :partial, :contact_days, :created_at)"
            " ON CONFLICT (key) DO NOTHING",
            row,
        ).rowcount
        if not stored:
            raise Refused("exists", 409, key=wave.key)
        audit.append(db, at=now, actor=actor, action="wave.new", subject=wave.key, detail=row)
    return wave


def open(
    db: sqlite3.Connection, key: str, *, until: date | None, now: datetime, actor: str
) -> Wave:
    """Take answers from today on (again), until ``until`` or the day it closes already.

    Forms locked at its closing come back to where they were; weights that were frozen then may
    be made anew.
    Raises LookupError (unknown), Refused ``past`` (422) when that last day is over.
    """
    with write(db):
        wave, today = get(db, key), day(now)
        last = until or wave.closes_on
        if last < today:
            raise Refused("past", 422, on=last)
        opened = replace(wave, opens_on=min(wave.opens_on, today), closes_on=last, closed_at=None)
        _change(db, opened, "wave.open", now=now, actor=actor)
        if opened.kind == "probability":
            cases.unlock(db, key, now=now, actor=actor)
        weighting.thaw(db, key, now, actor)
    return opened


def close(db: sqlite3.Connection, key: str, *, now: datetime, actor: str) -> Wave:
    """Take no answers from this moment on; closing twice changes nothing.

    Settled forms of a sample are locked and its weights frozen: Refused ``weights_stale`` (409)
    while they are older than its answers.
    """
    with write(db):
        wave = get(db, key)
        if wave.closed_at is not None:
            return wave
        closed = replace(wave, closed_at=now)
        _change(db, closed, "wave.close", now=now, actor=actor)
        if closed.kind == "probability":
            cases.lock(db, key, now=now, actor=actor)
            weighting.freeze(db, key, now, actor)
    return closed


def unsettled(db: sqlite3.Connection, key: str) -> int:
    """How many forms were entered and are not settled: closing leaves them out of the figures."""
    row = db.execute(
        "SELECT COUNT(*) FROM sample_case WHERE wave = :wave"
        " AND state IN ('entered', 'entered_twice')",
        {"wave": key},
    ).fetchone()
    return int(row[0])


def settle(
    db: sqlite3.Connection, key: str, settled: int | None, *, now: datetime, actor: str
) -> Wave:
    """Record how many dossiers were settled in the wave's time: the base of its coverage."""
    with write(db):
        known = replace(get(db, key), settled=settled)
        _change(db, known, "wave.settle", now=now, actor=actor)
    return known


def _change(db: sqlite3.Connection, wave: Wave, action: str, *, now: datetime, actor: str) -> None:
    row = _row(wave)
    names = ("opens_on", "closes_on", "closed_at", "settled")
    db.execute(
        "UPDATE wave SET opens_on = :opens_on, closes_on = :closes_on, closed_at = :closed_at,"
        " settled = :settled WHERE key = :key",
        row,
    )
    detail = {name: row[name] for name in names}
    audit.append(db, at=now, actor=actor, action=action, subject=wave.key, detail=detail)


def _faults(db: sqlite3.Connection, wave: Wave) -> list[str]:
    """Everything that does not fit, in Vietnamese."""
    from forms import questionnaire
    from survey.store import units

    known = questionnaire.keys()
    faults = []
    if not wave.key or not _plain_key(wave.key):
        faults.append(f"Mã đợt «{wave.key}» chỉ được gồm chữ thường a-z, số, dấu - . _")
    if wave.questionnaire not in known:
        faults.append(f"Không có bảng hỏi «{wave.questionnaire}» (có: {', '.join(known)})")
    if wave.closes_on < wave.opens_on:
        faults.append("Ngày kết thúc trước ngày bắt đầu")
    if units.get(db, wave.owner) is None:
        faults.append(f"Không có đơn vị «{wave.owner}»")
    sets = {row["key"] for row in db.execute("SELECT key FROM rank_set")}
    faults += [f"Không có nhóm xếp hạng «{key}»" for key in wave.rank_sets if key not in sets]
    choices = {
        "kind": ("probability", "self_selected"),
        "index_method": ("top2", "scaled", "mean5"),
        "aggregate": ("item", "factor", "pooled", "explicit"),
        "base": ("ask_all", "experienced"),
        "interval": ("beta", "logit", "wilson", "asin", "t"),
        "lonely": ("adjust", "remove", "certainty", "average", "fail"),
        "partial": ("discard", "keep"),
    }
    for name, allowed in choices.items():
        if getattr(wave, name) not in allowed:
            faults.append(f"{name}: «{getattr(wave, name)}» không thuộc {', '.join(allowed)}")
    if not 0 < wave.level < 1:
        faults.append(f"level: {wave.level} phải nằm giữa 0 và 1")
    return faults


def _plain_key(key: str) -> bool:
    """Whether a key is fit for addresses and file names."""
    return (
        key.isascii()
        and key == key.lower()
        and key.replace("-", "").replace(".", "").replace("_", "").isalnum()
    )


def _row(wave: Wave) -> dict[str, Any]:
    row: dict[str, Any] = asdict(wave)
    for name in _JSON:
        row[name] = json.dumps(row[name], ensure_ascii=False, sort_keys=True)
    return row | {
        "opens_on": wave.opens_on.isoformat(),
        "closes_on": wave.closes_on.isoformat(),
        "closed_at": stamp(wave.closed_at) if wave.closed_at else None,
        "synthetic": int(wave.synthetic),
    }


def _wave(row: sqlite3.Row) -> Wave:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    for name in _JSON:
        values[name] = json.loads(values[name])
    return Wave(
        **values
        | {
            "opens_on": date.fromisoformat(row["opens_on"]),
            "closes_on": date.fromisoformat(row["closes_on"]),
            "closed_at": moment(row["closed_at"]) if row["closed_at"] else None,
            "rank_sets": tuple(values["rank_sets"]),
            "synthetic": bool(row["synthetic"]),
        }
    )
