"""Responses: one row each, stored once whatever is sent again, and never deleted."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from forms import questionnaire as questionnaires
from forms import rules
from survey.db import Writer, write
from survey.store import Refused, arrivals, audit, dossiers, tally, waves
from survey.store.clock import day, moment, stamp
from survey.store.counts import Counts as Counts
from survey.store.counts import counts as counts
from survey.store.counts import mark as mark
from survey.store.doors import Door
from survey.store.seals import digest, seal

#: Letters and digits of receipts: without 0 O 1 I, which are misread.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
RECEIPT_LETTERS = 8
#: The flag of a response that its giver took back.
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Contact:
    """A telephone number left with consent, and the day it is deleted; never among answers."""

    phone: str
    purge_on: date


@dataclass(frozen=True, slots=True)
class Incoming:
    """One response as it came through a door, its answers checked by ``forms.rules.check``.

    ``id`` is a UUID made by the client: whoever sends it again means the same response.
    ``channel`` is kiosk, qr, link, post, phone or api; ``assisted_by`` says who helped.
    With ``flags`` it is stored as flagged.
    """

    id: str
    door: Door
    questionnaire: str
    answers: Mapping[str, object]
    channel: str
    language: str
    started_at: datetime | None
    submitted_at: datetime | None
    assisted_by: str | None = None
    flags: tuple[str, ...] = ()
    contact: Contact | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The receipt of a stored response; ``new`` is False for an identical repeat."""

    receipt: str
    received_at: str
    new: bool


def add(writer: Writer, incoming: Incoming, *, now: datetime) -> Stored:
    """Store one response durably, once.

    Raises
    ------
    Refused
        ``changed`` (409): this id is stored with other content.  ``used`` (409): this dossier or
        case has answered.  ``closed`` (410, ``on``, ``before``): the wave or the door takes no
        answers; an identical repeat still gets its receipt.  ``other_questionnaire`` (422).
    NotStored
        It could not be kept: the client keeps it and sends it again with the same id.
    """
    row, door = _row(incoming, received_at=now), incoming.door
    if door.dossier_key is None and incoming.contact is None:
        return writer.run(lambda db: _insert(db, door, row, now), single=True)
    return writer.run(lambda db: _insert_with(db, incoming, row, now))


def keep(db: sqlite3.Connection, incoming: Incoming, *, now: datetime) -> Stored:
    """Store the response of a settled paper form inside the caller's transaction, once.

    Neither a door nor the last day stands before it, only the closing of its wave: paper comes in
    when the field work is over.

    Raises Refused ``closed`` (410), ``other_questionnaire`` (422), ``used`` (409: its case has
    answered) or ``changed`` (409: this id holds other content).
    """
    row, wave = _row(incoming, received_at=now), waves.get(db, incoming.door.wave)
    with write(db):
        if wave.closed_at is not None:
            raise wave.shut(now)
        if wave.questionnaire != incoming.questionnaire:
            raise Refused("other_questionnaire", 422, questionnaire=wave.questionnaire)
        while (stored := db.execute(_KEEP, row).fetchone()) is None:
            if (taken := _conflict(db, row)) is not None:
                return _first(db, row, taken)
            row["receipt"] = receipt()
            row["seal"] = seal(row)
    return Stored(stored["receipt"], stored["received_at"], new=True)


def receipt() -> str:
    """A random receipt code: never a counter, so nobody can guess a neighbour's."""
    number = secrets.randbits(5 * RECEIPT_LETTERS)
    return "".join(ALPHABET[number >> 5 * at & 31] for at in range(RECEIPT_LETTERS))


def printed(receipt: str) -> str:
    """The receipt as people read it: "7KQM-3XWT"."""
    return f"{receipt[:4]}-{receipt[4:]}"


def by_receipt(db: sqlite3.Connection, receipt: str) -> sqlite3.Row | None:
    """The response with this receipt, typed with or without dash, blanks and capitals."""
    code = "".join(letter for letter in receipt.upper() if letter.isalnum())
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM response WHERE receipt = :code", {"code": code}
    ).fetchone()
    return found


def answered(db: sqlite3.Connection, door: Door) -> bool:
    """Whether a door for one answer (a dossier's, a case's) has had it."""
    if door.dossier_key is not None:
        return dossiers.answered(db, door.dossier_key)
    found = db.execute(
        "SELECT 1 FROM response WHERE case_id = :case_id", {"case_id": door.case_id}
    ).fetchone()
    return found is not None


def withdraw(db: sqlite3.Connection, receipt: str, *, now: datetime) -> bool:
    """Erase a response because its giver asks; False if there is none or it is erased already.

    What is left is a void row with its id and receipt, so that the same response sent again is
    still the same: no answer, no language, no telephone number, no link to a dossier, which may
    then be answered once more.
    """
    with write(db):
        row = by_receipt(db, receipt)
        if row is None or WITHDRAWN in json.loads(row["flags"]):
            return False
        judge(db, row["seq"], "void", WITHDRAWN, now=now, actor="citizen")
        _erase(db, dict(row))
    return True


def _erase(db: sqlite3.Connection, row: dict[str, Any]) -> None:
    """Take out of a stored response whatever its giver said, and its ties to other tables."""
    arrivals.withdraw(db, row)
    row |= {
        "answers": "{}", "codes": bytes(len(row["codes"])), "language": "", "assisted_by": None,
        "started_at": None, "submitted_at": None, "digest": digest(row["questionnaire"], "{}"),
        "flags": json.dumps([WITHDRAWN]),
    }  # fmt: skip
    db.execute(
        "UPDATE response SET answers = :answers, codes = :codes, language = :language,"
        " assisted_by = :assisted_by, started_at = :started_at, submitted_at = :submitted_at,"
        " digest = :digest, seal = :seal, flags = :flags WHERE seq = :seq",
        row | {"seal": seal(row)},
    )
    db.execute("DELETE FROM contact WHERE response = :id", row)
    dossiers.unlink(db, row["id"])


def judge(
    db: sqlite3.Connection, seq: int, state: str, reason: str, *, now: datetime, actor: str
) -> None:
    """Flag or void a response for a reason; the answers stay.  Raises LookupError.

    Where it is tallied already, its place in the tallies is marked as stale.
    """
    with write(db):
        row = db.execute("SELECT flags FROM response WHERE seq = :seq", {"seq": seq}).fetchone()
        if row is None:
            raise LookupError(seq)
        flags = json.loads(row["flags"])
        tally.edited(db, seq, state)
        db.execute(
            "UPDATE response SET state = :state, flags = :flags WHERE seq = :seq",
            {"seq": seq, "state": state, "flags": json.dumps(sorted({*flags, reason}))},
        )
        audit.append(
            db, at=now, actor=actor, action=f"response.{state}", subject=str(seq),
            detail={"reason": reason},
        )  # fmt: skip


def bulk(
    db: sqlite3.Connection,
    rows: Iterable[Incoming],
    *,
    received_at: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Store many responses in one transaction (imports, demonstrations); returns how many.

    Their doors need not be stored.  Each is received at ``received_at``, or when it was
    submitted.  All or nothing: Refused ``used`` (409) when an id, a case or a dossier is there.
    """
    with write(db):
        taken = {row["receipt"] for row in db.execute("SELECT receipt FROM response")}
        before = len(taken)
        tied: list[tuple[Incoming, dict[str, Any]]] = []
        try:
            db.executemany(_INSERT, _bulk_rows(rows, received_at, taken, tied, progress))
        except sqlite3.IntegrityError as fault:
            raise Refused("used", 409, reason=str(fault)) from fault
        for incoming, row in tied:
            _tie(db, incoming, row)
    return len(taken) - before


def export(db: sqlite3.Connection, wave: str) -> Iterator[dict[str, Any]]:
    """Rows for files: where and how it came, its sample, its codes and texts, in random order.

    ``stratum`` and ``psu`` are those of the variance: first-stage units, the commune where
    communes were drawn first; ``village`` is where the person lives.
    Without id, receipt and time of day, which could point at a person.  The order is that of the
    digests, so it says nothing about who came when.
    """
    rows = db.execute(
        "SELECT r.*, c.psu AS village, COALESCE(NULLIF(p.cluster, ''), c.psu) AS psu, c.base,"
        " c.start, c.weight, c.cell, COALESCE(NULLIF(p.certain, ''), p.stratum) AS stratum, p.fpc,"
        " p.unit AS psu_unit, p.area"
        " FROM response r LEFT JOIN sample_case c ON c.id = r.case_id"
        " LEFT JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " WHERE r.wave = :wave ORDER BY r.digest, r.seq",
        {"wave": wave},
    )
    for row in rows:
        asked = questionnaires.load(row["questionnaire"])
        answers = json.loads(row["answers"])
        codes = rules.unpack(asked, row["codes"])
        texts = {key: value for key, value in answers.items() if isinstance(value, str)}
        yield {
            "wave": row["wave"], "questionnaire": row["questionnaire"],
            "channel": row["channel"], "state": row["state"],
            "flags": " ".join(json.loads(row["flags"])),
            "received_on": day(moment(row["received_at"])).isoformat(),
            "receiving_unit": row["receiving_unit"], "resolving_unit": row["resolving_unit"],
            "counter": row["counter"], "service": row["service"],
            "language": row["language"], "assisted_by": row["assisted_by"],
            "stratum": row["stratum"], "psu": row["psu"], "village": row["village"],
            "fpc": row["fpc"],
            "weight": row["weight"], "psu_unit": row["psu_unit"], "area": row["area"],
            "base": row["base"], "start": row["start"], "cell": row["cell"],
            **codes, **texts,
        }  # fmt: skip


_INTO = (
    "INSERT INTO response (id, wave, questionnaire, channel, receiving_unit, resolving_unit,"
    " counter, service, language, assisted_by, case_id, answers, codes, digest, seal,"
    " started_at, submitted_at, received_at, receipt, state, flags)"
)
_VALUES = (
    " :id, :wave, :questionnaire, :channel, :receiving_unit, :resolving_unit, :counter, :service,"
    " :language, :assisted_by, :case_id, :answers, :codes, :digest, :seal, :started_at,"
    " :submitted_at, :received_at, :receipt, :state, :flags"
)
_INSERT = _INTO + " VALUES (" + _VALUES + ")"
_KEEP = _INSERT + " ON CONFLICT DO NOTHING RETURNING receipt, received_at"
#: ``_ADD`` adds a row only while its door and its wave are open and no key of it is taken.
_OPEN = (
    " FROM door d JOIN wave w ON w.key = d.wave WHERE d.id = :door AND d.wave = :wave"
    " AND d.closed_at IS NULL AND w.closed_at IS NULL AND w.questionnaire = :questionnaire"
    " AND w.stage = 'live' AND :today BETWEEN w.opens_on AND w.closes_on"
)
_ADD = f"{_INTO} SELECT {_VALUES}{_OPEN} ON CONFLICT DO NOTHING RETURNING receipt, received_at"


def _row(incoming: Incoming, *, received_at: datetime) -> dict[str, Any]:
    asked = questionnaires.load(incoming.questionnaire)
    answers, door = rules.canonical(incoming.answers), incoming.door
    row: dict[str, Any] = {
        "id": incoming.id,
        "wave": door.wave,
        "questionnaire": incoming.questionnaire,
        "channel": incoming.channel,
        "receiving_unit": door.unit,
        "resolving_unit": door.resolving,
        "counter": door.counter,
        "service": door.service,
        "language": incoming.language,
        "assisted_by": incoming.assisted_by,
        "case_id": door.case_id,
        "answers": answers,
        "codes": rules.pack(asked, incoming.answers),
        "digest": digest(incoming.questionnaire, answers),
        "started_at": stamp(incoming.started_at) if incoming.started_at else None,
        "submitted_at": stamp(incoming.submitted_at) if incoming.submitted_at else None,
        "received_at": stamp(received_at),
        "receipt": receipt(),
        "state": "flagged" if incoming.flags else "valid",
        "flags": json.dumps(sorted(set(incoming.flags))) if incoming.flags else "[]",
    }
    return row | {"seal": seal(row)}


def _insert(db: sqlite3.Connection, door: Door, row: dict[str, Any], now: datetime) -> Stored:
    """Let the unique keys and the open door decide in one statement; then look which it was."""
    facts = row | {"door": door.id, "today": day(now).isoformat()}
    while True:
        stored = db.execute(_ADD, facts).fetchone()
        if stored is not None:
            return Stored(stored["receipt"], stored["received_at"], new=True)
        refusal = _refusal(db, door, row, now) or _conflict(db, row)
        if refusal is not None:
            break
        facts["receipt"] = receipt()  # the only key left is the receipt's: draw another
        facts["seal"] = seal(facts)
    return _first(db, row, refusal)


def _first(db: sqlite3.Connection, row: Mapping[str, Any], refusal: Refused) -> Stored:
    """The response stored under this id if it is the same one, or why there is none."""
    first = db.execute(
        "SELECT wave, digest, receipt, received_at, flags FROM response WHERE id = :id", row
    ).fetchone()
    if first is None:
        raise refusal
    same = first["digest"] == row["digest"] or WITHDRAWN in json.loads(first["flags"])
    if first["wave"] != row["wave"] or not same:
        raise Refused("changed", 409)
    return Stored(first["receipt"], first["received_at"], new=False)


def _insert_with(
    db: sqlite3.Connection, incoming: Incoming, row: dict[str, Any], now: datetime
) -> Stored:
    """Store a response with its link to a dossier and its telephone number, or none of them."""
    stored = _insert(db, incoming.door, row, now)
    if stored.new:
        _tie(db, incoming, row)
    return stored


def _tie(db: sqlite3.Connection, incoming: Incoming, row: Mapping[str, Any]) -> None:
    """Store what belongs to a response but not in it.  Refused ``used``: the dossier answered."""
    if (key := incoming.door.dossier_key) is not None:
        dossiers.link(db, key, row["id"])
    if (left := incoming.contact) is not None:
        db.execute(
            "INSERT INTO contact (response, wave, unit, phone, consented_at, purge_on)"
            " VALUES (:id, :wave, :receiving_unit, :phone, :received_at, :purge_on)",
            {name: row[name] for name in ("id", "wave", "receiving_unit", "received_at")}
            | {"phone": left.phone, "purge_on": left.purge_on.isoformat()},
        )


def _refusal(
    db: sqlite3.Connection, door: Door, row: Mapping[str, Any], now: datetime
) -> Refused | None:
    """Why no new response may come through this door now."""
    wave = waves.get(db, door.wave)
    if not wave.is_open(now):
        return wave.shut(now)
    shut = db.execute("SELECT closed_at FROM door WHERE id = :id", {"id": door.id}).fetchone()
    if shut is None:
        raise LookupError(door.id)
    if shut["closed_at"] is not None:
        return Refused("closed", 410, on=day(moment(shut["closed_at"])), before=False)
    if wave.questionnaire != row["questionnaire"]:
        return Refused("other_questionnaire", 422, questionnaire=wave.questionnaire)
    return None


def _conflict(db: sqlite3.Connection, row: Mapping[str, Any]) -> Refused | None:
    """Which key was taken: None if it was only the receipt's."""
    taken = db.execute(
        "SELECT 1 FROM response WHERE id = :id OR case_id = :case_id", row
    ).fetchone()
    return Refused("used", 409) if taken else None


def _bulk_rows(
    rows: Iterable[Incoming],
    received_at: datetime | None,
    taken: set[str],
    tied: list[tuple[Incoming, dict[str, Any]]],
    progress: Callable[[int], None] | None,
) -> Iterator[dict[str, Any]]:
    for done, incoming in enumerate(rows, 1):
        at = received_at or incoming.submitted_at
        if at is None:
            raise ValueError("a response needs the time it was received")
        row = _row(incoming, received_at=at)
        while row["receipt"] in taken:
            row["receipt"] = receipt()
            row["seal"] = seal(row)
        taken.add(row["receipt"])
        if incoming.door.dossier_key is not None or incoming.contact is not None:
            tied.append((incoming, row))
        yield row
        if progress and done % 1000 == 0:
            progress(done)
