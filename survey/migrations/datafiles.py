"""Step 16: what may be handed out of a wave, and every file that was."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m016_datafiles(db: Database) -> None:
    """The rule of a wave for its files, and a register that proves what was in each.

    ``k``: persons that must share what is known of a person in a public file.  ``comments``: the
    furthest level whose files may hold what people wrote, '' for none.  ``upto``: the last
    response there was when a file was made, so that it can be counted again later.
    """
    all_of(
        db,
        """CREATE TABLE data_rule (
            wave TEXT PRIMARY KEY REFERENCES wave (key),
            k INTEGER NOT NULL DEFAULT 5 CHECK (k BETWEEN 2 AND 100),
            comments TEXT NOT NULL DEFAULT '' CHECK (comments IN ('', 'internal', 'research'))
        ) STRICT""",
        """CREATE TABLE data_export (
            id INTEGER PRIMARY KEY, wave TEXT NOT NULL REFERENCES wave (key),
            unit TEXT NOT NULL DEFAULT '', level TEXT NOT NULL, form TEXT NOT NULL,
            ask TEXT NOT NULL, n INTEGER NOT NULL, upto INTEGER NOT NULL,
            digest TEXT NOT NULL DEFAULT '', at TEXT NOT NULL, actor TEXT NOT NULL) STRICT""",
        "CREATE INDEX data_export_wave ON data_export (wave)",
        "CREATE INDEX data_export_digest ON data_export (digest)",
    )
