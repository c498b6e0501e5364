"""Dossiers of the one-stop shop, and apart from them which of them had an answer."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from survey.db import write
from survey.store import Refused, applicants, audit, units
from survey.store.clock import day, stamp
from survey.store.inside import Inside

#: A telephone number that came with a dossier is kept so many days after the dossier was settled
#: (or was due), for a link or a call; then it goes.
PHONE_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One dossier as the one-stop software has it; ``settled_on`` None while it is worked on.

    ``phone``: None says nothing about a number, "" that there is none; ``applicant`` likewise
    about the name of who handed it in, a person's or that of an organisation.
    """

    key: str
    service: str
    receiving_unit: str
    resolving_unit: str
    officer: str | None
    received_on: date
    due_on: date
    settled_on: date | None
    phone: str | None = None
    applicant: str | None = None
    organisation: bool = False

    def late(self, today: date) -> bool:
        """Whether it was settled after its day, or is still not settled."""
        return (self.settled_on or today) > self.due_on


@dataclass(frozen=True, slots=True)
class Put:
    """What became of the rows of a file or a message."""

    new: int
    changed: int
    same: int


class Cell(NamedTuple):
    """Settled dossiers that share these facts; ``channel`` is that of their answers, or None."""

    unit: str
    service: str
    month: str
    late: bool
    channel: str | None
    n: int


class Waiting(NamedTuple):
    """Dossiers of a unit that are not settled, and how many of them are past their day."""

    unit: str
    n: int
    late: int


_COLUMNS = (
    "key", "service", "receiving_unit", "resolving_unit", "officer", "received_on", "due_on",
    "settled_on",
)  # fmt: skip
_SELECT = (
    "SELECT key, service, receiving_unit, resolving_unit, officer, received_on, due_on, settled_on"
    " FROM dossier WHERE key = :key"
)
_PUT = (
    "INSERT INTO dossier (key, service, receiving_unit, resolving_unit, officer, received_on,"
    " due_on, settled_on, changed_at) VALUES (:key, :service, :receiving_unit, :resolving_unit,"
    " :officer, :received_on, :due_on, :settled_on, :changed_at)"
    " ON CONFLICT (key) DO UPDATE SET service = excluded.service,"
    " receiving_unit = excluded.receiving_unit, resolving_unit = excluded.resolving_unit,"
    " officer = excluded.officer, received_on = excluded.received_on, due_on = excluded.due_on,"
    " settled_on = excluded.settled_on, changed_at = excluded.changed_at"
)
_RING = (
    "INSERT INTO dossier_contact (dossier, phone, purge_on) VALUES (:key, :phone, :purge_on)"
    " ON CONFLICT (dossier) DO UPDATE SET phone = :phone, purge_on = :purge_on"
)


def get(db: sqlite3.Connection, key: str) -> Dossier:
    """The dossier with this key, without its telephone number; raises LookupError."""
    row = db.execute(_SELECT, {"key": key}).fetchone()
    if row is None:
        raise LookupError(key)
    settled = row["settled_on"]
    return Dossier(
        key=row["key"], service=row["service"], receiving_unit=row["receiving_unit"],
        resolving_unit=row["resolving_unit"], officer=row["officer"],
        received_on=date.fromisoformat(row["received_on"]),
        due_on=date.fromisoformat(row["due_on"]),
        settled_on=date.fromisoformat(settled) if settled else None,
    )  # fmt: skip


def put(
    db: sqlite3.Connection,
    rows: Iterable[Dossier],
    *,
    now: datetime,
    actor: str,
    source: str,
    within: str = "",
) -> Put:
    """Add dossiers, each once, or change those known by their key; idempotent, all or nothing.

    Raises Refused ``not_yours`` (403, ``keys``) when ``within`` names a unit and a dossier is,
    or was until now, received outside it.
    """
    with write(db):
        today, at = day(now), stamp(now)
        mine = Inside(db, within)
        states: Counter[str] = Counter()
        changes: list[dict[str, Any]] = []
        numbers: list[dict[str, Any]] = []
        names: list[dict[str, Any]] = []
        strange: list[str] = []
        for dossier in rows:
            was = db.execute(_SELECT, {"key": dossier.key}).fetchone()
            if not mine(dossier.receiving_unit) or (was and not mine(was["receiving_unit"])):
                strange.append(dossier.key)
                continue
            row, state = _row(dossier, today), _state(db, dossier, was, today)
            states[state] += 1
            if state != "same":
                changes.append(row | {"changed_at": at})
                numbers += [row] if dossier.phone is not None else []
                names += [row] if dossier.applicant is not None else []
        if strange:
            raise Refused("not_yours", 403, keys=strange)
        db.executemany(_PUT, changes)
        db.executemany(_RING, (row for row in numbers if row["phone"]))
        db.executemany(
            "DELETE FROM dossier_contact WHERE dossier = :key",
            (row for row in numbers if not row["phone"]),
        )
        applicants.put(db, names)
        done = Put(states["new"], states["changed"], states["same"])
        if changes:
            detail = {"source": source, "new": done.new, "changed": done.changed}
            audit.append(
                db, at=now, actor=actor, action="dossiers.import", subject="", detail=detail
            )
    return done


def differing(db: sqlite3.Connection, rows: Iterable[Dossier], *, today: date) -> list[Dossier]:
    """Those that ``put`` would change now: to be asked first, for reading keeps nobody waiting."""
    return [
        dossier
        for dossier in rows
        if _state(db, dossier, db.execute(_SELECT, {"key": dossier.key}).fetchone(), today)
        != "same"
    ]


def known_units(db: sqlite3.Connection) -> dict[str, str]:
    """What may stand for a unit in a file -> its id: the id, its code, its name in any spelling.

    A code or a name of several units stands for the one that exists today, or for none of them.
    Ended units count, for a dossier may be older than the unit that has it now.
    """
    today: dict[str, set[str]] = {}
    ever: dict[str, set[str]] = {}
    for row in db.execute("SELECT scheme, code, word, name_key, valid_to FROM unit"):
        id = f"{row['scheme']}:{row['code']}"
        title = f"{units.name_key(row['word'])} {row['name_key']}".strip()
        for name in {id, row["code"], row["name_key"], title}:
            ever.setdefault(name, set()).add(id)
            if row["valid_to"] is None:
                today.setdefault(name, set()).add(id)
    found = ((name, today.get(name, ids)) for name, ids in ever.items())
    return {name: min(ids) for name, ids in found if len(ids) == 1}


def answered(db: sqlite3.Connection, key: str) -> bool:
    """Whether somebody answered for this dossier; not who or what."""
    found = db.execute("SELECT 1 FROM dossier_answer WHERE dossier = :key", {"key": key})
    return found.fetchone() is not None


def link(db: sqlite3.Connection, key: str, response: str) -> None:
    """Note that a response answers for a dossier, in the caller's transaction.

    The unique key decides.  Raises Refused ``used`` (409) when the dossier has its answer.
    """
    made = db.execute(
        "INSERT INTO dossier_answer (dossier, response) VALUES (:key, :response)"
        " ON CONFLICT (dossier) DO NOTHING",
        {"key": key, "response": response},
    ).rowcount
    if made != 1:
        raise Refused("used", 409)


def unlink(db: sqlite3.Connection, response: str) -> None:
    """Forget which dossier a response answered for: the dossier may be answered once more.

    Its telephone number goes as well: who takes an answer back is not called for another.  The
    name stays with the dossier, whose business is not done.
    """
    db.execute(
        "DELETE FROM dossier_contact WHERE dossier IN"
        " (SELECT dossier FROM dossier_answer WHERE response = :response)",
        {"response": response},
    )
    db.execute("DELETE FROM dossier_answer WHERE response = :response", {"response": response})


#: The only reading of dossiers together with answers: counts, and of an answer its channel only.
_COVERAGE = """
SELECT d.receiving_unit, d.service, substr(d.settled_on, 1, 7), d.settled_on > d.due_on, r.channel,
       COUNT(*)
FROM dossier d LEFT JOIN dossier_answer a ON a.dossier = d.key
LEFT JOIN response r ON r.id = a.response AND r.state <> 'void'
WHERE d.settled_on BETWEEN :since AND :until
GROUP BY d.receiving_unit, d.service, substr(d.settled_on, 1, 7), d.settled_on > d.due_on,
         r.channel"""


def coverage(db: sqlite3.Connection, *, since: date, until: date, within: str = "") -> list[Cell]:
    """Settled dossiers counted by unit, service, month, lateness and channel of their answer.

    Plain counts, however small: who shows them hides the small ones.  Days of settling, both
    included; ``within`` counts only dossiers received in that unit or under it.
    """
    rows = db.execute(_COVERAGE, {"since": since.isoformat(), "until": until.isoformat()})
    mine = Inside(db, within)
    return [
        Cell(unit, service, month, bool(late), channel, n)
        for unit, service, month, late, channel, n in rows
        if mine(unit)
    ]


def waiting(db: sqlite3.Connection, *, today: date, within: str = "") -> list[Waiting]:
    """Dossiers that are not settled, by unit."""
    rows = db.execute(
        "SELECT receiving_unit, COUNT(*), SUM(due_on < :today) FROM dossier"
        " WHERE settled_on IS NULL GROUP BY receiving_unit",
        {"today": today.isoformat()},
    )
    mine = Inside(db, within)
    return [Waiting(*row) for row in rows if mine(row[0])]


def years(db: sqlite3.Connection) -> list[int]:
    """The years in which dossiers were settled, the newest first."""
    row = db.execute(  # each is one step down the index; both in one SELECT would read all of it
        "SELECT (SELECT MIN(settled_on) FROM dossier), (SELECT MAX(settled_on) FROM dossier)"
    ).fetchone()
    if row[0] is None:
        return []
    return list(range(int(row[1][:4]), int(row[0][:4]) - 1, -1))


def stray(db: sqlite3.Connection) -> Iterator[str]:
    """Keys of dossiers whose answer is not there, or was taken back."""
    rows = db.execute(
        "SELECT a.dossier FROM dossier_answer a LEFT JOIN response r ON r.id = a.response"
        " WHERE r.id IS NULL OR (r.state = 'void' AND r.answers = '{}') ORDER BY a.dossier"
    )
    return (row["dossier"] for row in rows)


def _row(dossier: Dossier, today: date) -> dict[str, Any]:
    """What is stored of a dossier; ``phone`` is "" when no number is to be kept.

    A number whose day is over is not taken up again, however often the file is imported.
    """
    settled = dossier.settled_on
    purge_on = (settled or dossier.due_on) + timedelta(days=PHONE_DAYS)
    return {
        "key": dossier.key, "service": dossier.service, "receiving_unit": dossier.receiving_unit,
        "resolving_unit": dossier.resolving_unit, "officer": dossier.officer,
        "received_on": dossier.received_on.isoformat(), "due_on": dossier.due_on.isoformat(),
        "settled_on": settled.isoformat() if settled else None,
        "phone": dossier.phone if purge_on > today else "", "purge_on": purge_on.isoformat(),
        **applicants.row(dossier.applicant, dossier.organisation, settled, dossier.due_on, today),
    }  # fmt: skip


def _state(db: sqlite3.Connection, dossier: Dossier, was: sqlite3.Row | None, today: date) -> str:
    """Whether a dossier is new, changed or the same as what is stored."""
    if was is None:
        return "new"
    row = _row(dossier, today)
    if any(was[name] != row[name] for name in _COLUMNS):
        return "changed"
    if dossier.applicant is not None and applicants.differs(db, row):
        return "changed"
    if dossier.phone is None:
        return "same"
    held = db.execute(
        "SELECT phone, purge_on FROM dossier_contact WHERE dossier = :key", {"key": dossier.key}
    ).fetchone()
    wanted = (row["phone"], row["purge_on"]) if row["phone"] else None
    return "same" if (tuple(held) if held else None) == wanted else "changed"


class Own(NamedTuple):
    """An officer's settled dossiers in a period, and how many of them were late."""

    settled: int
    late: int


def of_officer(
    db: sqlite3.Connection, officer: str, *, since: date, until: date, within: str = ""
) -> Own:
    """Count the dossiers that an officer took in and that were settled in a period."""
    rows = db.execute(
        "SELECT receiving_unit, COUNT(*), SUM(settled_on > due_on) FROM dossier"
        " WHERE settled_on BETWEEN :since AND :until AND officer = :officer"
        " GROUP BY receiving_unit",
        {"since": since.isoformat(), "until": until.isoformat(), "officer": officer},
    )
    mine = Inside(db, within)
    found = [(n, late) for unit, n, late in rows if mine(unit)]
    return Own(sum(n for n, _ in found), sum(late for _, late in found))
