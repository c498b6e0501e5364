"""Entries of paper forms: each kept once, the second one blind and by somebody else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from forms import paper
from forms.questionnaire import load
from survey.db import write
from survey.serials import printed
from survey.store import Refused, cases, waves
from survey.store.cases import Case
from survey.store.clock import day, stamp
from survey.store.waves import Wave

#: Reasons for which something unlikely may stand; any other reason is a text of its own.
REASONS = ("as_paper", "hard_to_read", "explained")
#: Letters of a reason in own words, and reasons of one entry (there are about as many fields).
REASON_LENGTH, MOST_REASONS = 200, 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one form as it came from the desk or from the scanner.

    ``id`` is a UUID made where it was entered: whoever sends it again means the same entry.
    ``fields`` are those of ``forms.paper``; ``overrides`` lists what was unlikely and stands all
    the same (``name``, ``code``, ``reason``).  ``staff`` is who keyed it, for a scan who settled
    its doubtful marks, None when nobody had to.  ``keys`` strokes in ``active_ms`` milliseconds.
    """

    id: str
    case_id: int
    via: str
    staff: int | None
    questionnaire: str
    fields: Mapping[str, object]
    overrides: Sequence[Mapping[str, str]] = ()
    started_at: datetime | None = None
    submitted_at: datetime | None = None
    keys: int = 0
    active_ms: int = 0


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A stored entry: first or second, and the state its case came to; ``new`` is False for an
    identical repeat."""

    id: str
    case_id: int
    round: int
    state: str
    new: bool


class Row(NamedTuple):
    """An entry as it is kept."""

    id: str
    case_id: int
    round: int
    via: str
    staff: int | None
    fields: dict[str, object]
    overrides: list[dict[str, str]]
    received_at: str


class Speed(NamedTuple):
    """How one person keys one wave: forms, strokes, active time, and how often something unlikely
    was kept."""

    staff: int
    name: str
    first: int
    second: int
    keys: int
    active_ms: int
    unlikely: int


class Waiting(NamedTuple):
    """What a lot, or (``lot`` None) everything outside the lots, holds for one person to enter."""

    wave: str
    unit: str
    lot: int | None
    code: str
    forms: int
    first: int
    second: int
    mine: int
    done: int


def add(db: sqlite3.Connection, incoming: Entry, *, now: datetime) -> StoredEntry:
    """Store one entry inside the caller's write job, and bring its case on its way.

    The store decides which round it is: the second is taken only where the plan asked for one,
    from the desk, and never from who made the first.

    Raises
    ------
    LookupError
        There is no such case.
    Refused
        ``changed_entry`` (409): this id is stored with other content.  ``closed`` (410): the wave.
        ``other_version``, ``other_form`` (422): the wave, or the form as it was printed, has
        another questionnaire.  ``faulty_entry`` (422): ``faults`` lists names of fields.
        ``entry_state``, ``entry_reserve``, ``entry_replaced`` (409): a form that is not in
        people's hands.  ``same_clerk``, ``entered``
        (409): the second entry is somebody else's, or nobody's.  What ``settling.advance`` raises.
    """
    with write(db):
        case = cases.get(db, incoming.case_id)
        wave = waves.get(db, case.wave)
        if incoming.questionnaire != wave.questionnaire:
            raise Refused(
                "other_version", 422, serial=printed(case.id), sent=incoming.questionnaire,
                questionnaire=wave.questionnaire,
            )  # fmt: skip
        whole, faults = paper.clean(load(wave.questionnaire), incoming.fields)
        sum = paper.digest(incoming.questionnaire, whole)
        if held := _again(db, case, incoming, sum):
            return held
        round = _round(db, case, wave, incoming.via, incoming.staff, now=now)
        if faults:
            names = [fault.column for fault in faults]
            raise Refused("faulty_entry", 422, serial=printed(case.id), faults=names)
        facts = {"wave": wave.key, "round": round, "digest": sum, "at": stamp(now)}
        _insert(db, incoming, facts | {"fields": paper.canonical(whole)})
        actor = _actor(db, incoming)
        cases.move(
            db, [case.id], "entered" if round == 1 else "entered_twice", now=now, actor=actor,
            action=f"entry.{incoming.via}", subject=f"{printed(case.id)} ({round})",
        )  # fmt: skip
        from survey.store import settling  # settles what entries.py stores: it imports this module

        state = settling.advance(db, case.id, now=now, actor=actor)
    return StoredEntry(incoming.id, case.id, round, state, True)


def round_of(
    db: sqlite3.Connection, case: Case, staff: int | None, *, via: str = "desk", now: datetime
) -> int:
    """Which entry of this form a person may make now, 1 or 2; raises Refused as ``add`` does."""
    return _round(db, case, waves.get(db, case.wave), via, staff, now=now)


def get(db: sqlite3.Connection, case_id: int, round: int) -> Row:
    """One entry of a form; raises LookupError."""
    for row in of_case(db, case_id):
        if row.round == round:
            return row
    raise LookupError((case_id, round))


def of_case(db: sqlite3.Connection, case_id: int) -> list[Row]:
    """The entries of a form, the first one first."""
    rows = db.execute(
        "SELECT id, case_id, round, via, staff, fields, overrides, received_at"
        " FROM paper_entry WHERE case_id = :case_id ORDER BY round",
        {"case_id": case_id},
    )
    return [_row(row) for row in rows]


def waiting(db: sqlite3.Connection, wave: str, staff: int) -> list[Waiting]:
    """What each lot of a wave holds for one person to enter, by code; forms without a lot last.

    ``first`` counts forms brought back and not entered, ``second`` those whose second entry this
    person may make, ``mine`` those whose second entry must be somebody else's.
    """
    rows = db.execute(
        "SELECT c.wave, COALESCE(l.unit, '') AS unit, c.lot, COALESCE(l.code, '') AS code,"
        " COUNT(*) AS forms, SUM(c.state = 'collected') AS first,"
        " SUM(c.state = 'entered' AND e.staff IS NOT :staff) AS second,"
        " SUM(c.state = 'entered' AND e.staff IS :staff) AS mine,"
        " SUM(c.state IN ('entered_twice', 'compared', 'called_back', 'locked')) AS done"
        " FROM sample_case c LEFT JOIN lot l ON l.id = c.lot"
        " LEFT JOIN paper_entry e ON e.case_id = c.id AND e.round = 1"
        " WHERE c.wave = :wave AND c.state NOT IN ('reserve', 'replaced')"
        " GROUP BY c.lot ORDER BY c.lot IS NULL, l.code",
        {"wave": wave, "staff": staff},
    )
    return [Waiting(**dict(row)) for row in rows]


def hands(db: sqlite3.Connection, ids: Sequence[int]) -> dict[int, set[int]]:
    """Case -> everybody with a hand in what was entered of it, for these forms.

    Of a scanned form these are all who decided one of its doubtful marks: none of them makes the
    second entry or judges it.
    """
    rows = db.execute(
        "SELECT case_id, staff FROM paper_entry"
        " WHERE case_id IN (SELECT value FROM json_each(:ids)) AND staff IS NOT NULL"
        " UNION SELECT p.case_id, json_extract(s.value, '$.staff') FROM scan_page p,"
        " json_each(p.solved) s WHERE p.case_id IN (SELECT value FROM json_each(:ids))"
        " AND json_extract(s.value, '$.staff') IS NOT NULL",
        {"ids": json.dumps(list(ids))},
    )
    found: dict[int, set[int]] = {}
    for row in rows:
        found.setdefault(row["case_id"], set()).add(row["staff"])
    return found


def speeds(db: sqlite3.Connection, wave: str) -> list[Speed]:
    """How each person keys a wave, by name."""
    rows = db.execute(
        "SELECT e.staff, s.name, SUM(e.round = 1) AS first, SUM(e.round = 2) AS second,"
        " SUM(e.keys) AS keys, SUM(e.active_ms) AS active_ms,"
        " SUM(json_array_length(e.overrides)) AS unlikely"
        " FROM paper_entry e JOIN staff s ON s.id = e.staff"
        " WHERE e.wave = :wave AND e.via = 'desk' GROUP BY e.staff ORDER BY s.name, e.staff",
        {"wave": wave},
    )
    return [Speed(**dict(row)) for row in rows]


def today(db: sqlite3.Connection, staff: int, *, now: datetime) -> tuple[int, int]:
    """Forms a person has keyed since midnight in Vietnam, and the milliseconds they took."""
    row = db.execute(
        "SELECT COUNT(*) AS n, COALESCE(SUM(active_ms), 0) AS ms FROM paper_entry"
        " WHERE staff = :staff AND via = 'desk'"
        " AND date(received_at, '+7 hours') = :today",
        {"staff": staff, "today": day(now).isoformat()},
    ).fetchone()
    return row["n"], row["ms"]


def _again(db: sqlite3.Connection, case: Case, incoming: Entry, sum: str) -> StoredEntry | None:
    """The answer to an entry that is stored already."""
    held = db.execute(
        "SELECT case_id, round, staff, digest FROM paper_entry WHERE id = :id", {"id": incoming.id}
    ).fetchone()
    if held is None:
        return None
    if (held["case_id"], held["staff"], held["digest"]) != (case.id, incoming.staff, sum):
        raise Refused("changed_entry", 409, serial=printed(case.id))
    return StoredEntry(incoming.id, case.id, held["round"], case.state, False)


def _round(
    db: sqlite3.Connection, case: Case, wave: Wave, via: str, staff: int | None, *, now: datetime
) -> int:
    """Which entry this would be; raises Refused where it may not be made."""
    if wave.closed_at is not None or wave.stage == "draft" or day(now) < wave.opens_on:
        raise wave.shut(now)
    _check_form(db, case, wave)
    serial = printed(case.id)
    held = of_case(db, case.id)
    if not held:
        if case.state not in cases.ENTERABLE:
            code = {"reserve": "entry_reserve", "replaced": "entry_replaced"}.get(case.state)
            raise Refused(code or "entry_state", 409, serial=serial, state=case.state)
        return 1
    # A form that waits takes its second entry even if the plan asks for fewer by now: somebody
    # may have it in hand.
    if len(held) > 1 or case.state != "entered" or via != "desk":
        raise Refused("entered", 409, serial=serial)
    if staff is None or staff in hands(db, [case.id]).get(case.id, ()):
        raise Refused("same_clerk", 409, serial=serial)
    return 2


def _check_form(db: sqlite3.Connection, case: Case, wave: Wave) -> None:
    """Refuse a form that was printed from another questionnaire than the wave asks by now."""
    if case.print_run is None:
        return
    run = db.execute(
        "SELECT questionnaire, questionnaire_digest FROM print_run WHERE id = :id",
        {"id": case.print_run},
    ).fetchone()
    now = (wave.questionnaire, load(wave.questionnaire).digest)
    if tuple(run) != now:
        raise Refused(
            "other_form", 422, serial=printed(case.id), printed=run["questionnaire"],
            questionnaire=wave.questionnaire,
        )  # fmt: skip


def _insert(db: sqlite3.Connection, incoming: Entry, facts: Mapping[str, object]) -> None:
    started, submitted = incoming.started_at, incoming.submitted_at
    db.execute(
        "INSERT INTO paper_entry (id, case_id, wave, round, via, staff, questionnaire, fields,"
        " overrides, digest, started_at, submitted_at, received_at, keys, active_ms)"
        " VALUES (:id, :case_id, :wave, :round, :via, :staff, :questionnaire, :fields,"
        " :overrides, :digest, :started_at, :submitted_at, :at, :keys, :active_ms)",
        {
            **facts,
            "id": incoming.id,
            "case_id": incoming.case_id,
            "via": incoming.via,
            "staff": incoming.staff,
            "questionnaire": incoming.questionnaire,
            "overrides": json.dumps([dict(one) for one in incoming.overrides], ensure_ascii=False),
            "started_at": stamp(started) if started else None,
            "submitted_at": stamp(submitted) if submitted else None,
            "keys": max(0, incoming.keys),
            "active_ms": max(0, incoming.active_ms),
        },
    )


def _actor(db: sqlite3.Connection, incoming: Entry) -> str:
    row = db.execute(
        "SELECT username FROM staff WHERE id = :staff", {"staff": incoming.staff}
    ).fetchone()
    return f"staff:{row['username']}" if row else incoming.via


def _row(row: sqlite3.Row) -> Row:
    facts = dict(row) | {
        "fields": json.loads(row["fields"]),
        "overrides": json.loads(row["overrides"]),
    }
    return Row(**facts)
