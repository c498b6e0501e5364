"""Step 13: long work that a process of its own does, one piece after another."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m013_jobs(db: Database) -> None:
    """The queue of long work: who asked for what, how far it is, and the file that came of it.

    ``ask`` is JSON; ``fault`` is JSON of a refusal (code and facts), "" without one; ``tries``
    counts how often a worker began.  ``removed_on``: the day the file was thrown away.
    """
    all_of(
        db,
        """CREATE TABLE job (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ask TEXT NOT NULL, title TEXT NOT NULL,
            unit TEXT NOT NULL DEFAULT '', staff INTEGER REFERENCES staff (id),
            state TEXT NOT NULL DEFAULT 'asked'
                CHECK (state IN ('asked', 'running', 'done', 'failed', 'stopped')),
            done INTEGER NOT NULL DEFAULT 0, whole INTEGER NOT NULL DEFAULT 0,
            tries INTEGER NOT NULL DEFAULT 0, fault TEXT NOT NULL DEFAULT '',
            name TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '',
            bytes INTEGER NOT NULL DEFAULT 0,
            asked_at TEXT NOT NULL, started_at TEXT, ended_at TEXT, removed_on TEXT) STRICT""",
        "CREATE INDEX job_waiting ON job (state, id)",
        "CREATE INDEX job_staff ON job (staff, id)",
    )
