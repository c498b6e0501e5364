"""Step 12: what the board keeps so that nobody waits: settled dossiers counted, moments summed."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m012_board(db: Database) -> None:
    """Counts of settled dossiers by month, the cross products that key drivers are made of, and
    parts of pages that took long to make.

    All of it can be thrown away and made anew, so nothing here refers to another table.
    ``channel`` and ``wave`` "" are dossiers without an opinion.  ``sums`` hold a PSU's weighted
    products of the persons' own factors with each other and with the overall item.
    """
    all_of(
        db,
        """CREATE TABLE settled (
            month TEXT NOT NULL, unit TEXT NOT NULL, service TEXT NOT NULL,
            late INTEGER NOT NULL CHECK (late IN (0, 1)), channel TEXT NOT NULL,
            wave TEXT NOT NULL, n INTEGER NOT NULL,
            PRIMARY KEY (month, unit, service, late, channel, wave)) STRICT""",
        """CREATE TABLE settled_mark (
            month TEXT PRIMARY KEY, counted_at TEXT NOT NULL, took REAL NOT NULL) STRICT""",
        """CREATE TABLE crossed (
            wave TEXT NOT NULL, place TEXT NOT NULL, people INTEGER NOT NULL,
            dropped INTEGER NOT NULL, sums BLOB NOT NULL, PRIMARY KEY (wave, place)) STRICT""",
        """CREATE TABLE crossed_mark (
            wave TEXT PRIMARY KEY, rule TEXT NOT NULL,
            seq INTEGER NOT NULL, edits INTEGER NOT NULL, counted_at TEXT NOT NULL,
            took REAL NOT NULL) STRICT""",
        """CREATE TABLE kept_page (
            name TEXT PRIMARY KEY, mark TEXT NOT NULL, body BLOB NOT NULL,
            made_at TEXT NOT NULL) STRICT""",
    )
