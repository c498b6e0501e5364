"""Long work as pages have it: put it into the queue, and say how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, url_for

from survey import db, guard, jobs, services
from survey.store import Refused, clock
from survey.store import jobs as store
from survey.text import day, has, t, thousands, told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from sqlite3 import Connection

    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.jobs import Job


def queued(kind: str, ask: Mapping[str, Any], *, title: str, unit: str) -> BaseResponse:
    """Have long work done for who is signed in, and lead to the page that follows it.

    The caller has checked that the reader may have it.  Raises Refused ``jobs_many`` (429), and
    ``job_disk`` (503) where no file can be written.
    """
    if not jobs.room(services().settings):
        raise Refused("job_disk", 503)
    staff = guard.current_staff()
    number = staff.id if staff else None
    now = clock.now()

    def put(connection: Connection) -> Job:
        return jobs.ask(connection, kind, ask, title=title, unit=unit, staff=number, now=now)

    job = services().writer.run(put)
    call()
    return redirect(url_for("jobs.one", number=job.id), 303)


def call() -> None:
    """Have a worker there: one is also called when somebody is about to ask for something.

    Tests do the work themselves.
    """
    if not current_app.testing:
        try:
            jobs.start(services().settings)
        except OSError:  # the page is shown all the same; who asks is told
            current_app.logger.exception("no worker")


def tend() -> bool:
    """Start a worker where something waits and none is there; say whether one was there."""
    settings = services().settings
    if not jobs.room(settings):
        return False
    if jobs.running(settings):
        return True
    if store.unfinished(db.get()):
        call()
        return False
    return True


def said(job: Job, *, tended: bool = True) -> dict[str, object]:
    """A piece of work as people read of it; ``tended``: a worker was there."""
    state = job.state
    if state == "running" and not tended:
        state = "broken_off"
    code, facts = job.fault
    why, advice = _why(code, facts)
    return {
        "job": job,
        "state": state,
        "far": _far(state, job),
        "why": why,
        "advice": advice,
        "size": _size(job.bytes),
        "asked": _moment(job.asked_at),
        "kept": day(_until(job)) if job.state == "done" and not job.removed_on else "",
        "removed": day(job.removed_on) if job.removed_on else "",
        "seconds": jobs.KEPT,
    }


def _far(state: str, job: Job) -> str:
    if state == "asked":
        n = store.before(db.get(), job)
        return t("jobs.asked_after", n=n) if n else t("jobs.asked")
    if state == "running" and job.whole > 1:
        return t("jobs.running_far", part=int(100 * job.done / job.whole))
    return t(f"jobs.{state}")


def _why(code: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    key = f"refused.{code}"
    if not code:
        return "", ""
    if not has(key):
        return t("refused.job_failed"), t("refused.job_failed.advice")
    shown: dict[str, Any] = told({name: facts[name] for name in facts if name != "status"})
    advice = next((k for k in (f"{key}.staff", f"{key}.advice") if has(k)), "")
    return t(key, **shown), t(advice, **shown) if advice else ""


def _until(job: Job) -> str:
    from datetime import timedelta

    ended: datetime = clock.moment(job.ended_at or job.asked_at)
    return clock.stamp(ended + timedelta(days=jobs.KEPT))


def _moment(text: str) -> str:
    from survey.text import clock as hour

    return f"{hour(text)} {day(text)}"


def _size(n: int) -> str:
    if n < 1024 * 1024:
        return t("jobs.kilobytes", n=thousands(max(1, round(n / 1024)))) if n else ""
    return t("jobs.megabytes", n=f"{n / 1024 / 1024:.1f}".replace(".", ","))
