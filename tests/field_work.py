"""Lots, visits and settled forms for the tests of the field work, put in as the store has them."""

from __future__ import annotations

import json
from uuid import UUID

from paper_wave import NOW, QUESTIONNAIRE, WAVE, fields

from forms import paper
from forms.questionnaire import load
from survey.store import cases, doors, responses
from survey.store.clock import stamp

ACT = {"now": NOW, "actor": "shell:test"}


def lot(store, number, unit, who, held, *, due_on=None, issued=True, returned=False):
    """A lot of cases, handed over to an interviewer; returns its number."""
    at = stamp(NOW)
    store.execute(
        "INSERT INTO lot (id, wave, code, unit, interviewer, due_on, made_at, issued_at,"
        " returned_at, actor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'shell:test')",
        (number, WAVE, f"L{number:06}", unit, who, due_on, at, at if issued else None,
         at if returned else None),
    )  # fmt: skip
    for case in held:
        store.execute("UPDATE sample_case SET lot = ? WHERE id = ?", (number, case))
    if issued:
        cases.move(store, held, "assigned", **ACT)
    return number


def settle(store, case, unit, n=0, **changes):
    """Bring a case to its response, as the desk and the comparison do in many steps."""
    for state in ("collected", "entered", "compared"):
        cases.move(store, [case], state, **ACT)
    q = load(QUESTIONNAIRE)
    door = doors.Door(id=0, kind="case", wave=WAVE, unit=unit, case_id=case)
    came = responses.Incoming(
        id=str(UUID(int=90_000 + case)), door=door, questionnaire=q.key, channel="post",
        answers=paper.answers(q, fields(n, **changes)), language="vi", started_at=None,
        submitted_at=NOW,
    )  # fmt: skip
    responses.bulk(store, [came])


def replace(store, case, reserve, reason):
    """Give a lost case up and take a reserve for it."""
    cases.move(store, [case], reason, reason=reason, **ACT)
    cases.move(store, [case], "replaced", reason=reason, **ACT)
    cases.move(store, [reserve], "planned", **ACT)
    store.execute("UPDATE sample_case SET replaces = ? WHERE id = ?", (case, reserve))


def audited(store, action):
    """Who did it, to what, with which detail."""
    rows = store.execute("SELECT * FROM audit WHERE action = ? ORDER BY seq", (action,))
    return [(row["actor"], row["subject"], json.loads(row["detail"])) for row in rows]
