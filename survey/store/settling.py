"""Paper forms settled: when two entries of one form become the one response of its case."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from forms import paper
from forms.questionnaire import Questionnaire, load
from survey.db import write
from survey.store import Refused, audit, cases, entries, plans, responses, waves
from survey.store.cases import Case
from survey.store.clock import stamp
from survey.store.doors import Door
from survey.store.entries import Row

#: States in which a form waits for its second entry or for somebody to compare both.
OPEN = ("entered", "entered_twice")
#: What ``decided`` says of a field: the number of the entry that is right, or neither.
FIRST, SECOND, NEITHER = 1, 2, 0


def needs_second(db: sqlite3.Connection, case: Case, via: str) -> bool:
    """Whether the plan asks for a second entry of a form entered ``via`` "desk" or "scan".

    The ballot was drawn with the sample, so nobody at the desk can tell or choose which forms
    are checked.  A case without a ballot is entered twice only where every form is.
    """
    plan = plans.get(db, case.wave)
    share = plan.double_share if via == "desk" else plan.scan_share
    return share >= 1 or (case.double_ballot is not None and case.double_ballot < share)


def advance(db: sqlite3.Connection, case_id: int, *, now: datetime, actor: str) -> str:
    """Settle a form as soon as its entries allow it; returns the state its case is in then.

    Runs inside the transaction that stores an entry, and whenever somebody asks again; a form
    that is settled stays as it is.  One entry is enough where the plan asks for no second one;
    two that agree are settled; two that differ wait for an adjudicator.

    Raises LookupError, or Refused ``case_used`` (409: the household has answered by its link),
    ``closed`` (410), ``other_questionnaire`` (422): nothing of the form is stored then.
    """
    with write(db):
        case = cases.get(db, case_id)
        entered = entries.of_case(db, case_id)
        if case.state not in OPEN or not entered:
            return case.state
        if answered(db, case_id):
            raise Refused("case_used", 409, case=case_id)
        first, *more = entered
        if not more and needs_second(db, case, first.via):
            return case.state
        asked = _asked(db, case)
        if more and paper.differences(asked, first.fields, more[0].fields):
            return case.state
        return _settle(db, case, asked, first.fields, entered, {}, None, now=now, actor=actor)


def adjudicate(
    db: sqlite3.Connection,
    case_id: int,
    fields: Mapping[str, object],
    decided: Mapping[str, int],
    *,
    staff: int,
    now: datetime,
    actor: str,
) -> str:
    """Settle a form whose two entries differ as a third person read the paper.

    ``fields`` is the whole form as it is to stand; ``decided`` says of each field that differs
    which entry is right (``FIRST``, ``SECOND`` or ``NEITHER``).  The same decision sent again
    changes nothing.

    Raises LookupError, or Refused ``own_entry`` (409: one of the entries is theirs),
    ``already_settled`` (409), ``not_twice`` (409), ``undecided`` (422: ``fields``), ``case_used``
    (409), ``closed`` (410), ``faulty_form`` (422: ``fields``).
    """
    with write(db):
        case = cases.get(db, case_id)
        entered = entries.of_case(db, case_id)
        if staff in entries.hands(db, [case_id]).get(case_id, ()):
            raise Refused("own_entry", 409, case=case_id)
        if len(entered) != 2:
            raise Refused("not_twice", 409, case=case_id)
        asked = _asked(db, case)
        whole, faults = paper.clean(asked, fields)
        if faults:
            raise Refused("faulty_form", 422, fields=[fault.column for fault in faults])
        if case.state != "entered_twice":
            return _again(db, case, whole, staff)
        if answered(db, case_id):
            raise Refused("case_used", 409, case=case_id)
        differing = set(paper.differences(asked, entered[0].fields, entered[1].fields))
        if missing := _unfounded(whole, entered, differing, decided):
            raise Refused("undecided", 422, fields=missing)
        audit.append(
            db, at=now, actor=actor, action="paper.adjudicate", subject=str(case_id),
            detail={"fields": len(differing)},
        )  # fmt: skip
        return _settle(db, case, asked, whole, entered, decided, staff, now=now, actor=actor)


def set_aside(
    db: sqlite3.Connection, case_id: int, *, staff: int, now: datetime, actor: str
) -> str:
    """Close a form on paper whose household answered by its link meanwhile: the link's counts.

    Both entries stay stored; the form becomes no response.  Raises LookupError, or Refused
    ``not_answered`` (409) where there is no other answer.
    """
    with write(db):
        case = cases.get(db, case_id)
        entered = entries.of_case(db, case_id)
        if case.state not in OPEN or not entered:
            return case.state
        if not answered(db, case_id):
            raise Refused("not_answered", 409, case=case_id)
        facts = _facts(_asked(db, case), case, entered[0].fields, entered, {}, staff, now)
        db.execute(_SETTLED, facts | {"response": None})
        cases.move(db, [case_id], "compared", now=now, actor=actor, action="paper.set_aside")
    return "compared"


def release(db: sqlite3.Connection, wave: str, *, now: datetime, actor: str) -> int:
    """Settle every form of a wave that may be settled now (its plan was changed); how many.

    A form whose household answered by its link stays where it is.
    """
    with write(db):
        rows = db.execute(
            "SELECT id FROM sample_case WHERE wave = :wave"
            " AND state IN ('entered', 'entered_twice') ORDER BY id",
            {"wave": wave},
        ).fetchall()
        done = 0
        for row in rows:
            if not answered(db, row["id"]):
                done += advance(db, row["id"], now=now, actor=actor) == "compared"
    return done


def releasable(db: sqlite3.Connection, wave: str) -> int:
    """How many forms wait for a second entry that the plan does not ask for any more."""
    plan = plans.get(db, wave)
    row = db.execute(
        "SELECT COUNT(*) FROM sample_case c JOIN paper_entry e ON e.case_id = c.id AND e.round = 1"
        " WHERE c.wave = :wave AND c.state = 'entered'"
        " AND CASE e.via WHEN 'desk' THEN :desk ELSE :scan END < 1"
        " AND COALESCE(c.double_ballot, 1) >= CASE e.via WHEN 'desk' THEN :desk ELSE :scan END"
        " AND NOT EXISTS (SELECT 1 FROM response r WHERE r.case_id = c.id)",
        {"wave": wave, "desk": plan.double_share, "scan": plan.scan_share},
    ).fetchone()
    return int(row[0])


def answered(db: sqlite3.Connection, case_id: int) -> bool:
    """Whether a case has a response already, by its link or from paper."""
    found = db.execute("SELECT 1 FROM response WHERE case_id = :id", {"id": case_id}).fetchone()
    return found is not None


_SETTLED = (
    "INSERT INTO paper_settled (case_id, wave, fields, n_fields, n_differing, decided, staff,"
    " response, at) VALUES (:case_id, :wave, :fields, :n_fields, :n_differing, :decided, :staff,"
    " :response, :at)"
)


def _settle(
    db: sqlite3.Connection,
    case: Case,
    asked: Questionnaire,
    fields: Mapping[str, object],
    entered: list[Row],
    decided: Mapping[str, int],
    staff: int | None,
    *,
    now: datetime,
    actor: str,
) -> str:
    """Store the settled form and its response, and move its case: all of it or nothing."""
    # Random: who could foresee it could take it at an open door first, or ask for its receipt.
    response = str(uuid4())
    incoming = responses.Incoming(
        id=response,
        door=Door(id=0, kind="case", wave=case.wave, unit=case.unit, case_id=case.id),
        questionnaire=asked.key,
        answers=paper.answers(asked, fields),
        channel="post",
        language="vi",
        started_at=None,  # when it was keyed says nothing about the person who answered
        submitted_at=None,
    )
    facts = _facts(asked, case, fields, entered, decided, staff, now)
    responses.keep(db, incoming, now=now)
    db.execute(_SETTLED, facts | {"response": response})
    cases.move(db, [case.id], "compared", now=now, actor=actor, action="paper.settle")
    return "compared"


def _facts(
    asked: Questionnaire,
    case: Case,
    fields: Mapping[str, object],
    entered: list[Row],
    decided: Mapping[str, int],
    staff: int | None,
    now: datetime,
) -> dict[str, object]:
    """A row of ``paper_settled``; only fields that hold codes are counted in it."""
    coded = set(paper.coded(asked))
    differing: set[str] = set()
    if len(entered) > 1:
        differing = coded.intersection(
            paper.differences(asked, entered[0].fields, entered[1].fields)
        )
    return {
        "case_id": case.id,
        "wave": case.wave,
        "fields": paper.canonical(fields),
        "n_fields": len(coded),
        "n_differing": len(differing),
        "decided": json.dumps(decided, sort_keys=True),
        "staff": staff,
        "at": stamp(now),
    }


def _asked(db: sqlite3.Connection, case: Case) -> Questionnaire:
    """The questionnaire of both entries: no other is taken for this wave."""
    return load(waves.get(db, case.wave).questionnaire)


def _unfounded(
    whole: Mapping[str, object],
    entered: list[Row],
    differing: set[str],
    decided: Mapping[str, int],
) -> list[str]:
    """Fields that nobody decided, or that stand otherwise than the decision says."""
    first, second = (entry.fields for entry in entered)
    right = {FIRST: first, SECOND: second}
    bad = [name for name in whole if name in differing and decided.get(name) not in (0, 1, 2)]
    for name, value in whole.items():
        taken = decided.get(name, FIRST) if name in differing else FIRST
        if taken in right and name not in bad and value != right[taken].get(name):
            bad.append(name)
    return bad


def _again(db: sqlite3.Connection, case: Case, fields: Mapping[str, object], staff: int) -> str:
    """The same decision sent twice is one; another one comes too late."""
    row = db.execute(
        "SELECT fields, staff FROM paper_settled WHERE case_id = :id", {"id": case.id}
    ).fetchone()
    if row is None:
        raise Refused("not_twice", 409, case=case.id)
    if row["staff"] != staff or row["fields"] != paper.canonical(fields):
        raise Refused("already_settled", 409, case=case.id)
    return case.state
