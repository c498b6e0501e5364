"""What there is to tell now: each rule looks at its unit and queues what is new."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import TYPE_CHECKING

from survey.board import silence
from survey.feedback import scan
from survey.store import alerts, clock, dossiers, feedback, kiosks, units, workdays
from survey.store.alerts import Raised
from survey.text import day, t, thousands

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from survey.store.alerts import Rule

#: Coverage is of the dossiers settled in so many days, and wants so many of them.
DAYS, SETTLED = 30, 20
#: Overdue cases that are counted.
_MANY = 10_000


def look(db: sqlite3.Connection, *, now: datetime) -> int:
    """Queue what every rule at work has to tell; returns how many alerts are new."""
    new = 0
    for rule in alerts.rules(db, active=True):
        for told in _LOOKS[rule.kind](db, rule, now):
            new += alerts.put(db, rule.id, told, now=now) is not None
    return new


def trial(*, now: datetime) -> Raised:
    """Return an alert that only shows that the way works."""
    at = clock.stamp(now)
    return Raised(f"test:{at}", t("alerts.test_subject"), t("alerts.test_words"), {"kind": "test"})


def _overdue(db: sqlite3.Connection, rule: Rule, now: datetime) -> Iterator[Raised]:
    """Tell once a day how many cases are past their date."""
    today, held = clock.day(now), workdays.known(db)
    if not workdays.works(today, held):
        return
    within = [unit for unit in feedback.places(db) if _within(db, unit, rule.unit)]
    late = [
        case
        for case in feedback.due_first(
            db, feedback.Wish(before=today.isoformat()), _MANY, within if rule.unit else None
        )
        if workdays.between(date.fromisoformat(case.due_on or ""), today, held) > rule.threshold
    ]
    if late:
        n, oldest = thousands(len(late)), day(late[0].due_on or "")
        yield Raised(
            f"overdue:{today}", t("alerts.overdue_subject", n=n, unit=_name(db, rule.unit)),
            t("alerts.overdue_words", n=n, oldest=oldest, unit=_name(db, rule.unit))
            + _link("/feedback?view=late"),
            {"kind": "overdue", "unit": rule.unit, "n": len(late)},
        )  # fmt: skip


def _silent(db: sqlite3.Connection, rule: Rule, now: datetime) -> Iterator[Raised]:
    """Tell once of each silence of a kiosk, in office hours."""
    for one in kiosks.all(db):
        if one.seen_at is None or not _within(db, one.unit, rule.unit):
            continue
        minutes = silence.minutes(one.seen_at, now)
        if minutes <= rule.threshold or silence.state(one.seen_at, now) != "silent":
            continue
        spot = one.label or one.counter or str(one.door)
        yield Raised(
            f"silent:{one.door}:{one.seen_at}", t("alerts.silent_subject", spot=spot),
            t("alerts.silent_words", spot=spot, unit=_name(db, one.unit), n=thousands(minutes))
            + _link("/kiosks"),
            {"kind": "silent", "unit": one.unit, "door": one.door, "minutes": minutes},
        )  # fmt: skip


def _burst(db: sqlite3.Connection, rule: Rule, now: datetime) -> Iterator[Raised]:
    """Tell once a day of a unit with many bad ratings in 24 hours; never of few."""
    for (wave, unit), n in sorted(scan.burst(db, now).items()):
        if n >= rule.threshold and _within(db, unit, rule.unit):
            yield Raised(
                f"burst:{wave}:{unit}:{clock.day(now)}",
                t("alerts.burst_subject", n=thousands(n), unit=_name(db, unit)),
                t("alerts.burst_words", n=thousands(n), unit=_name(db, unit)) + _link("/feedback"),
                {"kind": "burst", "wave": wave, "unit": unit, "n": n},
            )


def _coverage(db: sqlite3.Connection, rule: Rule, now: datetime) -> Iterator[Raised]:
    """Tell once a week that too few settled dossiers have an opinion."""
    today = clock.day(now)
    year, week, _ = today.isocalendar()
    mark = f"coverage:{year}-{week}"
    if alerts.known(db, rule.id, mark) or _counted.get(rule.id) == today:
        return  # counting takes seconds on a large instance
    _counted[rule.id] = today
    settled = answered = 0
    inside: dict[str, bool] = {}
    for cell in dossiers.coverage(db, since=today - timedelta(DAYS), until=today - timedelta(1)):
        if cell.unit not in inside:
            inside[cell.unit] = _within(db, cell.unit, rule.unit)
        if inside[cell.unit]:
            settled += cell.n
            answered += cell.n if cell.channel else 0
    if settled < SETTLED or 100 * answered >= rule.threshold * settled:
        return
    share = f"{100 * answered / settled:.1f}%".replace(".", ",")
    facts = {"share": share, "n": thousands(settled), "unit": _name(db, rule.unit)}
    yield Raised(
        mark, t("alerts.coverage_subject", **facts),
        t("alerts.coverage_words", **facts, days=DAYS, least=rule.threshold) + _link("/coverage"),
        {"kind": "coverage", "unit": rule.unit, "settled": settled, "answered": answered},
    )  # fmt: skip


def _job(db: sqlite3.Connection, rule: Rule, now: datetime) -> Iterator[Raised]:
    """Tell once of each piece of long work that failed."""
    for number, title, unit in alerts.failed_jobs(db, now - timedelta(days=2)):
        if _within(db, unit, rule.unit):
            yield Raised(
                f"job:{number}", t("alerts.job_subject", title=title),
                t("alerts.job_words", title=title, n=number) + _link("/reports"),
                {"kind": "job", "unit": unit, "job": number},
            )  # fmt: skip


#: By rule of coverage: the day this process counted last.
_counted: dict[int, date] = {}

_LOOKS = {
    "overdue": _overdue, "silent": _silent, "burst": _burst, "coverage": _coverage, "job": _job,
}  # fmt: skip


def _within(db: sqlite3.Connection, unit: str, scope: str) -> bool:
    return not scope or scope in units.path(db, unit)


def _name(db: sqlite3.Connection, unit: str) -> str:
    return units.name(db, unit) if unit else t("coverage.everywhere").lower()


def _link(path: str) -> str:
    root = os.environ.get("SIPAS_ADDRESS", "").strip().rstrip("/")
    return f"\n\n{root}{path}" if root else ""
