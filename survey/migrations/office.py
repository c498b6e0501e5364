"""Step 9: the roles of the office, how a wave begins, and what no trend may cross."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m009_office(db: Database) -> None:
    """Analysts, officers and auditors; drafts, trials and versions of waves; method breaks.

    ``series``: waves of one series are one trend, "" is a trend of its own.  ``trial_of``: the
    wave that a trial tries out; its answers are in no figure of that one.  ``version`` grows with
    every change, so that nobody overwrites what somebody else has just changed.
    """
    all_of(
        db,
        "ALTER TABLE staff RENAME COLUMN role TO former",
        "ALTER TABLE staff ADD COLUMN role TEXT NOT NULL DEFAULT 'viewer'"
        " CHECK (role IN ('administrator', 'analyst', 'supervisor', 'clerk', 'officer', 'viewer',"
        " 'auditor', 'field_supervisor', 'interviewer', 'data_clerk', 'adjudicator'))",
        "UPDATE staff SET role = former",
        "ALTER TABLE staff DROP COLUMN former",
        # Who an officer is in the dossiers of the one-stop software.
        "ALTER TABLE staff ADD COLUMN officer TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE wave ADD COLUMN stage TEXT NOT NULL DEFAULT 'live'"
        " CHECK (stage IN ('draft', 'live'))",
        "ALTER TABLE wave ADD COLUMN trial_of TEXT",
        "ALTER TABLE wave ADD COLUMN series TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE wave ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
        """CREATE TABLE method_break (
            series TEXT NOT NULL, year INTEGER NOT NULL, reason TEXT NOT NULL,
            source TEXT NOT NULL DEFAULT '', PRIMARY KEY (series, year)) STRICT""",
    )
