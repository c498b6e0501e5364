"""Call-backs: which settled forms are asked again, what the households said, what it showed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from forms import paper
from survey.db import write
from survey.store import Refused, audit, cases, plans, waves
from survey.store.clock import stamp

#: What may come of a call-back; after the first two the form counts as called back.
OUTCOMES = ("done", "not_visited", "not_reached", "refused")
CONTACT = ("done", "not_visited")
VIAS = ("phone", "visit")
#: How the form was filled in, as the household says.
HOW = ("self", "helped")
#: Letters of a note.
NOTE = 500


class Called(NamedTuple):
    """A form that is asked again: where it is from, who handed it out, what came of it.

    ``answers`` holds what was said again and ``how`` (one of HOW), ``fields`` the settled form.
    """

    case: int
    psu: str
    psu_name: str
    unit: str
    lot: str
    interviewer: int | None
    state: str
    outcome: str
    via: str
    answers: dict[str, object]
    note: str
    staff: int | None
    at: str | None
    fields: dict[str, object]


def waiting(db: sqlite3.Connection, wave: str) -> dict[str, int]:
    """Settled forms by unit whose ballot picks them for a call-back and that are not drawn yet."""
    rows = db.execute(
        "SELECT p.unit, COUNT(*) AS n FROM sample_case c"
        " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " JOIN paper_settled s ON s.case_id = c.id AND s.response IS NOT NULL"
        " WHERE c.wave = :wave AND c.state = 'compared'"
        " AND (:share >= 1 OR c.callback_ballot < :share)"
        " AND NOT EXISTS (SELECT 1 FROM callback b WHERE b.case_id = c.id) GROUP BY p.unit",
        {"wave": wave, "share": plans.get(db, wave).callback_share},
    )
    return {row["unit"]: row["n"] for row in rows}


def draw(
    db: sqlite3.Connection, wave: str, *, units: Collection[str], now: datetime, actor: str
) -> int:
    """Put every form of these units whose ballot picks it on the list; returns how many are new.

    Ballots were drawn with the sample from its seed: nobody chooses who is called, and drawing
    again adds only what was settled since.  Raises LookupError, or Refused ``closed`` (410).
    """
    with write(db):
        held = waves.get(db, wave)
        if held.closed_at is not None:
            raise held.shut(now)
        share = plans.get(db, wave).callback_share
        facts = {"wave": wave, "share": share, "at": stamp(now)}
        drawn = 0
        for unit in sorted(set(units)):
            drawn += db.execute(
                "INSERT INTO callback (case_id, wave, drawn_at) SELECT c.id, c.wave, :at"
                " FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
                " JOIN paper_settled s ON s.case_id = c.id AND s.response IS NOT NULL"
                " WHERE c.wave = :wave AND p.unit = :unit AND c.state = 'compared'"
                " AND (:share >= 1 OR c.callback_ballot < :share)"
                " ON CONFLICT (case_id) DO NOTHING",
                facts | {"unit": unit},
            ).rowcount
        if drawn:
            audit.append(
                db, at=now, actor=actor, action="callback.draw", subject=wave,
                detail={"share": share, "cases": drawn, "units": sorted(set(units))},
            )  # fmt: skip
    return drawn


def of_wave(db: sqlite3.Connection, wave: str) -> list[Called]:
    """The call-backs of a wave: those without a result first, by PSU and case."""
    rows = db.execute(
        "SELECT b.case_id, c.psu, p.name AS psu_name, p.unit, COALESCE(l.code, '') AS lot,"
        " l.interviewer, c.state, b.outcome, b.via, b.answers, b.note, b.staff, b.at, s.fields"
        " FROM callback b JOIN sample_case c ON c.id = b.case_id"
        " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " JOIN paper_settled s ON s.case_id = b.case_id LEFT JOIN lot l ON l.id = c.lot"
        " WHERE b.wave = :wave"
        " ORDER BY CASE b.outcome WHEN '' THEN 0 WHEN 'not_reached' THEN 1 ELSE 2 END,"
        " c.psu, b.case_id",
        {"wave": wave},
    )
    return [_called(row) for row in rows]


def get(db: sqlite3.Connection, case_id: int) -> Called:
    """One call-back; raises LookupError for a form that was not drawn."""
    row = db.execute(
        "SELECT b.case_id, c.psu, p.name AS psu_name, p.unit, COALESCE(l.code, '') AS lot,"
        " l.interviewer, c.state, b.outcome, b.via, b.answers, b.note, b.staff, b.at, s.fields"
        " FROM callback b JOIN sample_case c ON c.id = b.case_id"
        " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " JOIN paper_settled s ON s.case_id = b.case_id LEFT JOIN lot l ON l.id = c.lot"
        " WHERE b.case_id = :id",
        {"id": case_id},
    ).fetchone()
    if row is None:
        raise LookupError(case_id)
    return _called(row)


def household(
    db: sqlite3.Connection, case_id: int, *, now: datetime, actor: str
) -> tuple[str, str]:
    """Name and address of whom to ask again, "" once deleted; who looked is written down first."""
    with write(db):
        called = get(db, case_id)
        row = db.execute(
            "SELECT h.name, h.address FROM sample_case c JOIN frame_household h"
            " ON h.wave = c.wave AND h.psu = c.psu AND h.household = c.household WHERE c.id = :id",
            {"id": case_id},
        ).fetchone()
        if row is None or not (row["name"] or row["address"]):
            return "", ""
        audit.append(db, at=now, actor=actor, action="household.view", subject=str(called.case))
    return row["name"], row["address"]


def record(
    db: sqlite3.Connection,
    case_id: int,
    outcome: str,
    *,
    via: str,
    answers: Mapping[str, object],
    note: str,
    staff: int,
    now: datetime,
    actor: str,
) -> Called:
    """Write down what came of a call-back; the same sent again changes nothing.

    A household that was not reached may be tried again; everything else is final.  The form
    moves on when it was spoken about (``CONTACT``).

    Raises LookupError, ValueError (no such outcome), or Refused ``callback_done`` (409: there is
    another result), ``closed`` (410).
    """
    if outcome not in OUTCOMES or via not in VIAS or len(note) > NOTE:
        raise ValueError(outcome)
    row = {
        "id": case_id, "outcome": outcome, "via": via, "note": note, "staff": staff,
        "answers": paper.canonical(answers), "at": stamp(now),
    }  # fmt: skip
    with write(db):
        held = get(db, case_id)
        if held.outcome not in ("", "not_reached"):
            told = (held.outcome, held.via, held.answers, held.note, held.staff)
            if told == (outcome, via, dict(answers), note, staff):
                return held
            raise Refused("callback_done", 409, case=case_id)
        wave = waves.get(db, cases.get(db, case_id).wave)
        if held.state != "compared":
            raise wave.shut(now) if wave.closed_at else Refused("callback_done", 409, case=case_id)
        db.execute(
            "UPDATE callback SET outcome = :outcome, via = :via, answers = :answers, note = :note,"
            " staff = :staff, at = :at WHERE case_id = :id",
            row,
        )
        if outcome in CONTACT:
            cases.move(
                db, [case_id], "called_back", now=now, actor=actor,
                action=f"callback.{outcome}",
            )  # fmt: skip
        else:
            audit.append(
                db, at=now, actor=actor, action=f"callback.{outcome}", subject=str(case_id)
            )
        return get(db, case_id)


def _called(row: sqlite3.Row) -> Called:
    held = dict(row)
    held["answers"], held["fields"] = json.loads(held["answers"]), json.loads(held["fields"])
    return Called(*held.values())
