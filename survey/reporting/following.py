"""The page that follows long work: how far it is, its file, and the button that stops it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, send_file, url_for

from survey import db, errors, guard, jobs, queueing, services
from survey.store import Refused, clock
from survey.store import jobs as store
from survey.text import t

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from survey.store.jobs import Job

bp = Blueprint("jobs", __name__)

#: Seconds until a page without scripts looks again.
AGAIN = 3
#: Endings of files and what they are.
TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


@bp.get("/jobs/<int:number>")
@guard.roles(*guard.READERS)
def one(number: int) -> str | Response:
    """Show how far a piece of work is; a script asks for the same as JSON."""
    job = _job(number)
    tended = queueing.tend() if job.open else True
    said = queueing.said(job, tended=tended)
    if errors.wants_json():
        return _told(job, str(said["far"]))
    return render_template(
        "jobs/one.html", said=said, job=job, again=AGAIN if job.open else 0, mine=_mine(job)
    )


@bp.get("/jobs/<int:number>/file")
@guard.roles(*guard.READERS)
def file(number: int) -> Response:
    """Send the file of a piece of work, and write down who fetched it."""
    job = _job(number)
    if job.state != "done":
        raise Refused("job_open", 409)
    where = jobs.path(services().settings, job.id)
    if job.removed_on or not where.is_file():
        raise Refused("job_removed", 410)
    note = partial(store.downloaded, job=job, staff=_staff(), now=clock.now())
    services().writer.run(note)
    ending = job.name.rpartition(".")[2].lower()
    answer = send_file(where, TYPES.get(ending, "application/octet-stream"), etag=job.digest)
    plain = f"sipas-{job.id}.{ending}" if ending.isascii() and ending.isalnum() else "sipas"
    name = quote(job.name, safe="")
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}"
    )
    return answer


@bp.post("/jobs/<int:number>/stop")
@guard.roles(*(role for role in guard.READERS if role != "auditor"))
def stop(number: int) -> BaseResponse:
    """Stop a piece of work; one that has ended stays as it is."""
    job = _job(number)
    job_of_mine = partial(store.stop, id=job.id, staff=_staff(), now=clock.now())
    services().writer.run(job_of_mine)
    return redirect(url_for(".one", number=job.id), 303)


def _told(job: Job, far: str) -> Response:
    return jsonify(state=job.state, done=job.done, whole=job.whole, far=far, ended=not job.open)


def _job(number: int) -> Job:
    """Work that the reader asked for or administers, or end the request."""
    try:
        job = store.get(db.get(), number)
    except LookupError:
        abort(404, t("jobs.none"))
    if not _mine(job):
        staff = guard.current_staff() or abort(403)
        if staff.role != "administrator":
            abort(403, t("staff.refused_page"))
        if job.unit:
            guard.owns(job.unit)
        else:
            guard.system()
    return job


def _mine(job: Job) -> bool:
    return job.staff is not None and job.staff == _staff()


def _staff() -> int | None:
    staff = guard.current_staff()
    return staff.id if staff else None
