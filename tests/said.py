"""People who say something at the counter of the small wave, for the tests of feedback."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from small_wave import COMMUNE, COUNTER, NOW

from forms import rules
from forms.questionnaire import load
from survey.feedback import scan
from survey.store import doors, feedback, responses

TOMORROW = NOW + timedelta(days=1)
GOOD = {"m1": 4, "m2": 4, "m3": 4, "m4": 4, "m5": 4, "m_all": 4}
_ids = iter(range(10_000, 1_000_000))


def say(base, comment="", *, at=NOW, unit=COMMUNE, counter="3", phone="", **marks):
    """Store one response at a counter; returns its number."""
    q = load("mot-cua-2026.1")
    answers = GOOD | marks | ({"comment": comment} if comment else {})
    clean, faults = rules.check(q, answers)
    assert not faults, faults
    door = doors.Door(id=0, kind="counter", wave=COUNTER, unit=unit, counter=counter)
    contact = None
    if phone:
        contact = responses.Contact(phone, (at + timedelta(days=30)).date())
    came = responses.Incoming(
        id=str(UUID(int=next(_ids))), door=door, questionnaire=q.key, answers=clean,
        channel="kiosk", language="vi", started_at=None, submitted_at=at, contact=contact,
    )  # fmt: skip
    responses.bulk(base, [came])
    return base.execute("SELECT MAX(seq) FROM response").fetchone()[0]


def crowd(base, n=5, **more):
    """Let n more people answer who are content and say nothing."""
    for _ in range(n):
        say(base, **more)


read = partial(scan.scan, now=TOMORROW)


def cases(base, *kinds):
    """Every case there is, what is due first, praise at the end."""
    found = [*feedback.due_first(base, feedback.Wish(), 1000), *feedback.done(base)]
    return [case for case in (*found, *feedback.praises(base)) if not kinds or case.kind in kinds]
