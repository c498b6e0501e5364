"""Waves: one survey with its questionnaire, its days, its method and its publication rule."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from survey.db import write
from survey.store import Refused, audit, cases, wave_rules, weighting
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

    ``stage``: a ``draft`` takes no answers and may still change in everything.  ``trial_of``: the
    wave that this one tries out; its answers are in no figure of that one.  ``series``: waves of
    one series are one trend, "" is a trend of its own.  ``version`` grows with every change.
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
    stage: str = "live"
    trial_of: str | None = None
    series: str = ""
    version: int = 1

    def is_open(self, now: datetime) -> bool:
        """Whether answers are taken at that moment."""
        return (
            self.closed_at is None
            and self.stage == "live"
            and self.opens_on <= day(now) <= self.closes_on
        )

    def is_over(self, now: datetime) -> bool:
        """Whether its time has passed, closed by hand or by its last day."""
        return self.stage == "live" and (self.closed_at is not None or self.closes_on < day(now))

    def shut(self, now: datetime) -> Refused:
        """Why answers are not taken; ``on`` is the day it closed, or opens (``before``)."""
        if self.stage == "draft":
            return Refused("draft_wave", 410)
        if self.closed_at is not None:
            return Refused("closed", 410, on=day(self.closed_at), before=False)
        before = day(now) < self.opens_on
        return Refused("closed", 410, on=self.opens_on if before else self.closes_on, before=before)


_COLUMNS = tuple(f.name for f in fields(Wave))


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a wave: which version it made, when, who, and why where a reason was asked."""

    version: int
    at: str
    actor: str
    action: str
    reason: str
    detail: Mapping[str, Any]


def get(db: sqlite3.Connection, key: str) -> Wave:
    """The wave with this key; raises LookupError."""
    row = db.execute("SELECT * FROM wave WHERE key = :key", {"key": key}).fetchone()
    if row is None:
        raise LookupError(key)
    return _wave(row)


def all(db: sqlite3.Connection) -> list[Wave]:
    """Every wave, drafts and trials too, the newest first."""
    rows = db.execute("SELECT * FROM wave ORDER BY opens_on DESC, created_at DESC, key")
    return [_wave(row) for row in rows]


def live(db: sqlite3.Connection) -> list[Wave]:
    """Every wave whose figures count, neither a draft nor a trial, the newest first."""
    return [wave for wave in all(db) if wave.stage == "live" and wave.trial_of is None]


def made_up(db: sqlite3.Connection) -> bool:
    """Whether this instance holds made-up data only: then its dossiers are, too."""
    row = db.execute("SELECT MIN(synthetic) AS least FROM wave").fetchone()
    return bool(row["least"])


def new(db: sqlite3.Connection, wave: Wave, *, now: datetime, actor: str) -> Wave:
    """Store a wave.

    Raises
    ------
    Refused
        ``exists`` (409): the key is taken.  ``faulty_wave`` (422): ``faults`` lists everything
        that does not fit, in Vietnamese.
    """
    if faults := wave_rules.faults(db, wave):
        raise Refused("faulty_wave", 422, faults=faults)
    row = _row(wave) | {"created_at": stamp(now)}
    with write(db):
        stored = db.execute(
            "INSERT INTO wave (key, name, questionnaire, kind, year, opens_on, closes_on, owner,"
            " owner_name, parent_name, place, closed_at, index_method, aggregate, weights, base,"
            " interval, level, lonely, rank_sets, min_n, hide_n, words, synthetic, settled,"
            " partial, contact_days, stage, trial_of, series, version, created_at)"
            " VALUES (:key, :name, :questionnaire, :kind, :year, :opens_on, :closes_on, :owner,"
            " :owner_name, :parent_name, :place, :closed_at, :index_method, :aggregate, :weights,"
            " :base, :interval, :level, :lonely, :rank_sets, :min_n, :hide_n, :words, :synthetic,"
            " :settled, :partial, :contact_days, :stage, :trial_of, :series, :version,"
            " :created_at) ON CONFLICT (key) DO NOTHING",
            row,
        ).rowcount
        if not stored:
            raise Refused("exists", 409, key=wave.key)
        _note(db, wave, "wave.new", row, now=now, actor=actor)
    return wave


def change(
    db: sqlite3.Connection,
    key: str,
    changes: Mapping[str, Any],
    *,
    version: int,
    now: datetime,
    actor: str,
) -> Wave:
    """Set fields of a wave, seen in its ``version``; what is set already is no change.

    Raises
    ------
    Refused
        ``changed_meanwhile`` (409, ``who``, ``at``, ``on``): somebody else was faster.
        ``wave_fixed`` (409, ``names``): after answers may have come, what figures rest on stays.
        ``faulty_wave`` (422): ``faults`` lists everything that does not fit, in Vietnamese.
    """
    with write(db):
        wave = _seen(db, key, version)
        asked = {name: value for name, value in changes.items() if getattr(wave, name) != value}
        if not asked:
            return wave
        if names := sorted(asked.keys() & wave_rules.fixed(db, wave, now)):
            raise Refused("wave_fixed", 409, names=names)
        changed = replace(wave, **asked)
        if faults := wave_rules.faults(db, changed):
            raise Refused("faulty_wave", 422, faults=faults)
        old, new = _row(wave), _row(changed)
        detail = {name: {"from": old[name], "to": new[name]} for name in sorted(asked)}
        return _change(db, changed, "wave.edit", now=now, actor=actor, detail=detail)


def open(
    db: sqlite3.Connection,
    key: str,
    *,
    until: date | None,
    now: datetime,
    actor: str,
    reason: str = "",
    version: int | None = None,
) -> Wave:
    """Take answers from today on (again), until ``until`` or the day it closes already.

    Forms locked at its closing come back to where they were; weights that were frozen then may
    be made anew.  The trial of a wave that opens is closed: its posters must mislead nobody.
    Raises LookupError (unknown), Refused ``past`` (422) when that last day is over, and
    ``reason_missing`` (422) for a wave whose time was over.
    """
    with write(db):
        wave, today = _seen(db, key, version), day(now)
        again = wave.is_over(now)
        if again and not reason.strip():
            raise Refused("reason_missing", 422)
        last = until or wave.closes_on
        if last < today:
            raise Refused("past", 422, on=last)
        begins = today if wave.stage == "draft" else min(wave.opens_on, today)
        opened = replace(wave, opens_on=begins, closes_on=last, closed_at=None, stage="live")
        action = "wave.reopen" if again else "wave.open"
        opened = _change(db, opened, action, now=now, actor=actor, reason=reason.strip())
        if opened.kind == "probability":
            cases.unlock(db, key, now=now, actor=actor)
        weighting.thaw(db, key, now, actor)
        for trial in trials(db, key):
            close(db, trial.key, now=now, actor=actor)
    return opened


def close(
    db: sqlite3.Connection, key: str, *, now: datetime, actor: str, version: int | None = None
) -> Wave:
    """Take no answers from this moment on; closing twice changes nothing.

    Settled forms of a sample are locked and its weights frozen: Refused ``weights_stale`` (409)
    while they are older than its answers.  A draft has nothing to close: ``draft_wave`` (409).
    """
    with write(db):
        wave = _seen(db, key, version)
        if wave.closed_at is not None:
            return wave
        if wave.stage == "draft":
            raise Refused("draft_wave", 409)
        closed = _change(db, replace(wave, closed_at=now), "wave.close", now=now, actor=actor)
        if closed.kind == "probability":
            cases.lock(db, key, now=now, actor=actor)
            weighting.freeze(db, key, now, actor)
    return closed


def renew(db: sqlite3.Connection, trial: Wave, *, now: datetime, actor: str) -> Wave:
    """Bring an empty trial to its wave as it is now; ``trials.begin`` calls this."""
    with write(db):
        return _change(db, trial, "wave.open", now=now, actor=actor)


def trials(db: sqlite3.Connection, key: str) -> list[Wave]:
    """The waves that try out this one, the newest first."""
    rows = db.execute(
        "SELECT * FROM wave WHERE trial_of = :key ORDER BY created_at DESC, key", {"key": key}
    )
    return [_wave(row) for row in rows]


def events(db: sqlite3.Connection, key: str) -> list[Event]:
    """What happened to a wave, the newest first."""
    rows = db.execute(
        "SELECT version, at, actor, action, reason, detail FROM wave_event WHERE wave = :key"
        " ORDER BY version DESC",
        {"key": key},
    )
    return [Event(**dict(row) | {"detail": json.loads(row["detail"])}) for row in rows]


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
        return _change(db, known, "wave.settle", now=now, actor=actor)


def _seen(db: sqlite3.Connection, key: str, version: int | None) -> Wave:
    """The wave as it was seen; raises LookupError, Refused ``changed_meanwhile`` (409)."""
    wave = get(db, key)
    if version is None or version == wave.version:
        return wave
    row = db.execute(
        "SELECT e.at, e.actor, s.name FROM wave_event e"
        " LEFT JOIN staff s ON 'staff:' || s.username = e.actor"
        " WHERE e.wave = :key AND e.version = :version",
        {"key": key, "version": wave.version},
    ).fetchone()
    at, who = moment(row["at"]), row["name"] or row["actor"]
    raise Refused("changed_meanwhile", 409, who=who, at=at, on=day(at))


def _change(
    db: sqlite3.Connection,
    wave: Wave,
    action: str,
    *,
    now: datetime,
    actor: str,
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> Wave:
    """Store a wave as it is now, one version on, with its event and its audit row."""
    changed = replace(wave, version=wave.version + 1)
    row = _row(changed)
    db.execute(
        "UPDATE wave SET name = :name, questionnaire = :questionnaire, kind = :kind, year = :year,"
        " opens_on = :opens_on, closes_on = :closes_on, owner = :owner, owner_name = :owner_name,"
        " parent_name = :parent_name, place = :place, closed_at = :closed_at,"
        " index_method = :index_method, aggregate = :aggregate, weights = :weights, base = :base,"
        " interval = :interval, level = :level, lonely = :lonely, rank_sets = :rank_sets,"
        " min_n = :min_n, hide_n = :hide_n, words = :words, settled = :settled,"
        " partial = :partial, contact_days = :contact_days, stage = :stage, series = :series,"
        " version = :version WHERE key = :key",
        row,
    )
    names = ("opens_on", "closes_on", "closed_at", "settled")
    told = dict(detail) if detail is not None else {name: row[name] for name in names}
    _note(db, changed, action, told, now=now, actor=actor, reason=reason)
    return changed


def _note(
    db: sqlite3.Connection,
    wave: Wave,
    action: str,
    detail: Mapping[str, object],
    *,
    now: datetime,
    actor: str,
    reason: str = "",
) -> None:
    """Write down one version of a wave: in its own history and in the audit."""
    kept = {} if action == "wave.new" else dict(detail)
    db.execute(
        "INSERT INTO wave_event (wave, version, at, actor, action, reason, detail)"
        " VALUES (:wave, :version, :at, :actor, :action, :reason, :detail)",
        {
            "wave": wave.key,
            "version": wave.version,
            "at": stamp(now),
            "actor": actor,
            "action": action,
            "reason": reason,
            "detail": json.dumps(kept, ensure_ascii=False, sort_keys=True),
        },
    )
    told = dict(detail) | ({"reason": reason} if reason else {})
    audit.append(db, at=now, actor=actor, action=action, subject=wave.key, detail=told)


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
