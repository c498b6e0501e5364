"""Alerts: the rules that raise them, and the queue they go out from, each once a mark."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import stamp

#: What may be watched, with the threshold that is suggested and its bounds.
KINDS: Mapping[str, tuple[int, int, int]] = {
    "overdue": (0, 0, 60),  # working days past the date
    "silent": (60, 15, 2880),  # minutes in office hours
    "burst": (10, 5, 1000),  # bad ratings in 24 hours
    "coverage": (50, 1, 100),  # percent of dossiers with an opinion
    "job": (1, 1, 1),
}
VIAS = ("email", "webhook")
#: After a failure it is tried again so much later; after the last one it is given up.
PAUSES = (
    timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2),
    timedelta(hours=12),
)  # fmt: skip
#: Letters of a reason that are kept; alerts that a page shows; days they are kept.
REASON, LISTED, KEPT = 200, 50, 180


class Rule(NamedTuple):
    """Who hears of what: ``target`` is an address of e-mail or of the web."""

    id: int
    unit: str
    kind: str
    threshold: int
    via: str
    target: str
    active: bool
    version: int


class Alert(NamedTuple):
    """One alert of the queue, with the rule that raised it."""

    id: int
    rule: int
    mark: str
    subject: str
    words: str
    facts: Mapping[str, Any]
    at: str
    state: str
    tries: int
    sent_at: str | None
    fault: str
    via: str
    target: str
    unit: str


@dataclass(frozen=True, slots=True)
class Raised:
    """Something to tell; ``mark`` is the same for what is the same thing."""

    mark: str
    subject: str
    words: str
    facts: Mapping[str, Any]


_RULE = "SELECT id, unit, kind, threshold, via, target, active, version FROM alert_rule"
_ALERT = (
    "SELECT a.id, a.rule, a.mark, a.subject, a.words, a.facts, a.at, a.state, a.tries, a.sent_at,"
    " a.fault, r.via, r.target, r.unit FROM alert a JOIN alert_rule r ON r.id = a.rule"
)


def rules(db: sqlite3.Connection, *, active: bool = False) -> list[Rule]:
    """The rules, those at work only with ``active``."""
    rows = db.execute(_RULE + " WHERE active = 1 OR :all = 1 ORDER BY id", {"all": int(not active)})
    return [_rule(row) for row in rows]


def rule(db: sqlite3.Connection, id: int) -> Rule:
    """One rule.  Raises LookupError."""
    row = db.execute(_RULE + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return _rule(row)


def add(
    db: sqlite3.Connection, *, unit: str, kind: str, threshold: int, via: str, target: str,
    now: datetime, actor: str,
) -> Rule:  # fmt: skip
    """Make a rule.  Raises ValueError for a kind, threshold or way that is none."""
    _, low, high = KINDS.get(kind, (0, 1, 0))
    if via not in VIAS or not low <= threshold <= high:
        raise ValueError(kind)
    with write(db):
        row = db.execute(
            "INSERT INTO alert_rule (unit, kind, threshold, via, target, changed_at)"
            " VALUES (:unit, :kind, :threshold, :via, :target, :now) RETURNING id",
            {"unit": unit, "kind": kind, "threshold": threshold, "via": via, "target": target,
             "now": stamp(now)},
        ).fetchone()  # fmt: skip
        audit.append(
            db, at=now, actor=actor, action="alert.add", subject=str(row["id"]),
            detail={"unit": unit, "kind": kind, "via": via, "target": target},
        )  # fmt: skip
    return rule(db, row["id"])


def switch(
    db: sqlite3.Connection, id: int, active: bool, *, seen: int, now: datetime, actor: str
) -> Rule:
    """Put a rule to work or to rest.  Raises LookupError, Refused ``alert_changed`` (409)."""
    with write(db):
        rule(db, id)
        done = db.execute(
            "UPDATE alert_rule SET active = :active, version = version + 1, changed_at = :now"
            " WHERE id = :id AND version = :seen",
            {"id": id, "active": int(active), "seen": seen, "now": stamp(now)},
        ).rowcount
        if not done:
            raise Refused("alert_changed", 409)
        action = "alert.start" if active else "alert.stop"
        audit.append(db, at=now, actor=actor, action=action, subject=str(id))
    return rule(db, id)


def put(db: sqlite3.Connection, rule: int, told: Raised, *, now: datetime) -> int | None:
    """Queue an alert; None when this rule has told of it."""
    with write(db):
        row = db.execute(
            "INSERT INTO alert (rule, mark, subject, words, facts, at, next_at)"
            " VALUES (:rule, :mark, :subject, :words, :facts, :now, :now)"
            " ON CONFLICT (rule, mark) DO NOTHING RETURNING id",
            {
                "rule": rule, "mark": told.mark, "subject": told.subject, "words": told.words,
                "facts": json.dumps(dict(told.facts), ensure_ascii=False, sort_keys=True),
                "now": stamp(now),
            },
        ).fetchone()  # fmt: skip
    return int(row["id"]) if row else None


def known(db: sqlite3.Connection, rule: int, mark: str) -> bool:
    """Whether a rule has told of something already."""
    row = db.execute(
        "SELECT 1 FROM alert WHERE rule = :rule AND mark = :mark", {"rule": rule, "mark": mark}
    ).fetchone()
    return row is not None


def due(db: sqlite3.Connection, *, now: datetime) -> list[Alert]:
    """The alerts to send now, the oldest first."""
    rows = db.execute(
        _ALERT + " WHERE a.state = 'waiting' AND a.next_at <= :now ORDER BY a.id",
        {"now": stamp(now)},
    )
    return [_alert(row) for row in rows]


def get(db: sqlite3.Connection, id: int) -> Alert:
    """One alert.  Raises LookupError."""
    row = db.execute(_ALERT + " WHERE a.id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return _alert(row)


def take(db: sqlite3.Connection, alert: Alert, *, now: datetime) -> bool:
    """Take an alert for sending before it is sent; False when somebody else was quicker.

    Whoever is killed before ``finish`` leaves it to be tried again: it may come twice, and its
    number says that it is the same.
    """
    pause = PAUSES[min(alert.tries, len(PAUSES) - 1)]
    with write(db):
        return bool(
            db.execute(
                "UPDATE alert SET tries = tries + 1, next_at = :next WHERE id = :id"
                " AND state = 'waiting' AND tries = :tries",
                {"id": alert.id, "tries": alert.tries, "next": stamp(now + pause)},
            ).rowcount
        )


def finish(db: sqlite3.Connection, id: int, fault: str, *, now: datetime) -> None:
    """Say how sending ended; "" is sent.  What failed too often is given up."""
    with write(db):
        tries = db.execute("SELECT tries FROM alert WHERE id = :id", {"id": id}).fetchone()[0]
        over = "failed" if tries > len(PAUSES) else "waiting"
        db.execute(
            "UPDATE alert SET state = :state, fault = :fault, sent_at = :sent WHERE id = :id",
            {
                "id": id, "state": over if fault else "sent", "fault": fault[:REASON],
                "sent": None if fault else stamp(now),
            },
        )  # fmt: skip


def log(db: sqlite3.Connection) -> list[Alert]:
    """Alerts that were raised, the newest first."""
    rows = db.execute(_ALERT + " ORDER BY a.id DESC LIMIT :n", {"n": 10 * LISTED})
    return [_alert(row) for row in rows]


def sweep(db: sqlite3.Connection, *, now: datetime) -> int:
    """Delete alerts that are through and older than ``KEPT`` days; returns how many."""
    before = stamp(now - timedelta(days=KEPT))
    with write(db):
        return db.execute(
            "DELETE FROM alert WHERE at < :before AND state <> 'waiting'", {"before": before}
        ).rowcount


def failed_jobs(db: sqlite3.Connection, since: datetime) -> list[tuple[int, str, str]]:
    """Pieces of long work that failed since a moment: number, title, unit."""
    rows = db.execute(
        "SELECT id, title, unit FROM job WHERE state = 'failed' AND ended_at >= :since ORDER BY id",
        {"since": stamp(since)},
    )
    return [(row["id"], row["title"], row["unit"] or "") for row in rows]


def _rule(row: sqlite3.Row) -> Rule:
    return Rule(**{**dict(row), "active": bool(row["active"])})


def _alert(row: sqlite3.Row) -> Alert:
    return Alert(**{**dict(row), "facts": json.loads(row["facts"])})
