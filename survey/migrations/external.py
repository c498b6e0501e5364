"""Step 14: figures that others published, beside ours and never mixed; how points are given."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m014_external(db: Database) -> None:
    """Files that were imported, and the figures in them as they were printed.

    ``value``, ``most``, ``lowest`` and ``highest`` are decimal numbers as text, so that 84,70232
    stays what it is; ``most`` is the highest number of points, "" for a percentage.  ``dated``:
    the day (or year) of the source, or the day it was read.
    """
    all_of(
        db,
        """CREATE TABLE external_file (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, rows INTEGER NOT NULL,
            imported_at TEXT NOT NULL, actor TEXT NOT NULL, removed_at TEXT,
            removed_by TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '') STRICT""",
        """CREATE TABLE external_figure (
            id INTEGER PRIMARY KEY, file INTEGER NOT NULL REFERENCES external_file (id),
            measure TEXT NOT NULL, part TEXT NOT NULL DEFAULT '', unit TEXT NOT NULL,
            year INTEGER NOT NULL, period TEXT NOT NULL DEFAULT '', value TEXT NOT NULL,
            most TEXT NOT NULL DEFAULT '', place INTEGER, places INTEGER,
            lowest TEXT NOT NULL DEFAULT '', highest TEXT NOT NULL DEFAULT '', n INTEGER,
            source TEXT NOT NULL, dated TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
            UNIQUE (measure, part, unit, year, period, source)) STRICT""",
        # How the index of a wave becomes points: [] of steps is in proportion to the most.
        """CREATE TABLE par_rule (
            wave TEXT PRIMARY KEY REFERENCES wave (key), most TEXT NOT NULL, steps TEXT NOT NULL,
            source TEXT NOT NULL) STRICT""",
        "CREATE INDEX external_figure_unit ON external_figure (unit, measure, year)",
    )
