"""Long work in its queue: asked for, begun, how far, and how it ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from survey.db import write
from survey.store import Refused, audit, people
from survey.store.clock import stamp

#: One person may have so many pieces of work waiting or under way.
MOST = 20
#: Pieces of work that a list shows.
LISTED = 50
#: A worker that ended so often over one piece does not begin it again.
TRIES = 2


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work; ``staff`` is who asked, None from the shell.

    ``state``: asked, running, done, failed (``fault`` is the code and the facts of why), stopped.
    ``done`` of ``whole`` steps; ``whole`` 0 = nobody knows.  ``name`` is what its file is called.
    """

    id: int
    kind: str
    ask: Mapping[str, Any]
    title: str
    unit: str
    staff: int | None
    state: str
    done: int
    whole: int
    tries: int
    fault: tuple[str, Mapping[str, Any]]
    name: str
    digest: str
    bytes: int
    asked_at: str
    started_at: str | None
    ended_at: str | None
    removed_on: str | None

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("asked", "running")


_JOB = (
    "SELECT id, kind, ask, title, unit, staff, state, done, whole, tries, fault, name, digest,"
    " bytes, asked_at, started_at, ended_at, removed_on FROM job"
)


def add(
    db: sqlite3.Connection, kind: str, ask: Mapping[str, Any], *,
    title: str, unit: str, staff: int | None, now: datetime,
) -> Job:  # fmt: skip
    """Put work into the queue; what the same person asked for and still waits is that one.

    Raises Refused ``jobs_many`` (429: ``n``) for somebody with MOST pieces waiting.
    """
    text = json.dumps(ask, ensure_ascii=False, sort_keys=True)
    with write(db):
        held = db.execute(
            _JOB + " WHERE staff IS :staff AND state IN ('asked', 'running') ORDER BY id",
            {"staff": staff},
        ).fetchall()
        for row in held:
            if (row["kind"], row["ask"], row["unit"]) == (kind, text, unit):
                return _job(row)
        if len(held) >= MOST:
            raise Refused("jobs_many", 429, n=MOST)
        row = db.execute(
            "INSERT INTO job (kind, ask, title, unit, staff, asked_at)"
            " VALUES (:kind, :ask, :title, :unit, :staff, :at) RETURNING id",
            {
                "kind": kind, "ask": text, "title": title[:300], "unit": unit, "staff": staff,
                "at": stamp(now),
            },
        ).fetchone()  # fmt: skip
        _note(db, "job.ask", int(row["id"]), {"kind": kind, "ask": ask, "unit": unit}, staff, now)
        return get(db, int(row["id"]))


def get(db: sqlite3.Connection, id: int) -> Job:
    """The work of this number; raises LookupError."""
    row = db.execute(_JOB + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return _job(row)


def of_staff(db: sqlite3.Connection, staff: int, kind: str = "") -> list[Job]:
    """What somebody asked for (of one kind), the newest first."""
    rows = db.execute(
        _JOB + " WHERE staff = :staff AND (:kind = '' OR kind = :kind) ORDER BY id DESC LIMIT :n",
        {"staff": staff, "kind": kind, "n": LISTED},
    )
    return [_job(row) for row in rows]


def latest(db: sqlite3.Connection) -> list[Job]:
    """What anybody asked for, the newest first."""
    rows = db.execute(_JOB + " ORDER BY id DESC LIMIT :n", {"n": LISTED})
    return [_job(row) for row in rows]


def next_asked(db: sqlite3.Connection) -> Job | None:
    """The work that has waited longest."""
    row = db.execute(_JOB + " WHERE state = 'asked' ORDER BY id LIMIT 1").fetchone()
    return _job(row) if row else None


def unfinished(db: sqlite3.Connection) -> bool:
    """Whether anything waits or was begun and has not ended."""
    row = db.execute("SELECT 1 FROM job WHERE state IN ('asked', 'running') LIMIT 1").fetchone()
    return row is not None


def before(db: sqlite3.Connection, job: Job) -> int:
    """How many pieces of work come before one that waits."""
    row = db.execute(
        "SELECT COUNT(*) FROM job WHERE state IN ('asked', 'running') AND id < :id",
        {"id": job.id},
    ).fetchone()
    return int(row[0])


def begin(db: sqlite3.Connection, id: int, *, now: datetime) -> bool:
    """Say that work has begun; False when it does not wait any more (it was stopped)."""
    with write(db):
        row = db.execute(
            "UPDATE job SET state = 'running', tries = tries + 1, done = 0, whole = 0,"
            " started_at = :at WHERE id = :id AND state = 'asked' RETURNING id",
            {"id": id, "at": stamp(now)},
        ).fetchone()
    return row is not None


def tell(db: sqlite3.Connection, id: int, done: int, whole: int) -> bool:
    """Say how far work is; False when it was stopped meanwhile."""
    with write(db):
        row = db.execute(
            "UPDATE job SET done = :done, whole = :whole WHERE id = :id AND state = 'running'"
            " RETURNING id",
            {"id": id, "done": done, "whole": whole},
        ).fetchone()
    return row is not None


def finish(
    db: sqlite3.Connection, id: int, *, name: str, digest: str, size: int, now: datetime
) -> bool:
    """Say that work is done and what its file is; False when it was stopped meanwhile."""
    with write(db):
        row = db.execute(
            "UPDATE job SET state = 'done', done = whole, name = :name, digest = :digest,"
            " bytes = :size, ended_at = :at WHERE id = :id AND state = 'running' RETURNING id",
            {"id": id, "name": name, "digest": digest, "size": size, "at": stamp(now)},
        ).fetchone()
    return row is not None


def fail(
    db: sqlite3.Connection, id: int, code: str, facts: Mapping[str, Any], *, now: datetime
) -> None:
    """Say that nothing came of work, and why; one that has ended already stays as it is."""
    fault = json.dumps([code, facts], ensure_ascii=False, default=str)
    with write(db):
        db.execute(
            "UPDATE job SET state = 'failed', fault = :fault, ended_at = :at"
            " WHERE id = :id AND state IN ('asked', 'running')",
            {"id": id, "fault": fault, "at": stamp(now)},
        )


def take_up(db: sqlite3.Connection, *, now: datetime) -> None:
    """Let what a dead worker has left begin again, or fail (``job_died``) after TRIES of them.

    Only for who holds the worker's lock: then nothing can be running.
    """
    with write(db):
        db.execute(
            "UPDATE job SET state = 'asked' WHERE state = 'running' AND tries < :tries",
            {"tries": TRIES},
        )
        left = db.execute("SELECT id FROM job WHERE state = 'running'").fetchall()
        for row in left:
            fail(db, int(row["id"]), "job_died", {}, now=now)


def stop(db: sqlite3.Connection, id: int, *, staff: int | None, now: datetime) -> bool:
    """Stop work that has not ended; False when it has.  Raises LookupError."""
    with write(db):
        job = get(db, id)
        if not job.open:
            return False
        db.execute(
            "UPDATE job SET state = 'stopped', ended_at = :at WHERE id = :id",
            {"id": id, "at": stamp(now)},
        )
        _note(db, "job.stop", id, {"kind": job.kind}, staff, now)
    return True


def downloaded(db: sqlite3.Connection, job: Job, *, staff: int | None, now: datetime) -> None:
    """Write down that somebody fetched the file of a piece of work."""
    with write(db):
        detail = {"kind": job.kind, "name": job.name, "sha256": job.digest, "unit": job.unit}
        _note(db, "job.download", job.id, detail, staff, now)


def expired(db: sqlite3.Connection, until: datetime) -> list[int]:
    """Numbers of the pieces that ended before a moment and still have their file."""
    rows = db.execute(
        "SELECT id FROM job WHERE removed_on IS NULL AND ended_at < :until ORDER BY id",
        {"until": stamp(until)},
    )
    return [int(row["id"]) for row in rows]


def removed(db: sqlite3.Connection, ids: list[int], *, on: date) -> None:
    """Say that the files of these pieces are gone since a day."""
    with write(db):
        db.executemany(
            "UPDATE job SET removed_on = :day WHERE id = :id",
            [{"id": id, "day": on.isoformat()} for id in ids],
        )


def _note(
    db: sqlite3.Connection, action: str, id: int, detail: Mapping[str, object],
    staff: int | None, now: datetime,
) -> None:  # fmt: skip
    who = people.get(db, staff) if staff is not None else None
    actor = f"staff:{who.username}" if who else "shell"
    audit.append(db, at=now, actor=actor, action=action, subject=str(id), detail=detail)


def _job(row: sqlite3.Row) -> Job:
    facts = dict(row)
    code, told = json.loads(facts["fault"]) if facts["fault"] else ("", {})
    return Job(**facts | {"ask": json.loads(facts["ask"]), "fault": (code, told)})
