"""Step 15: points of the nine criteria, letters of apology, and what offices add to reports."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m015_onestop(db: Database) -> None:
    """Counts and points of a unit and period, a register of letters, fields of reports.

    ``letter_number`` gives the numbers: its row is locked by who raises it and falls back with
    the transaction, so there is no gap and no number twice.  Names of applicants stand apart,
    each with the day it goes.
    """
    all_of(
        db,
        """CREATE TABLE dossier_person (
            dossier TEXT PRIMARY KEY, name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('person', 'organisation')),
            purge_on TEXT NOT NULL) STRICT""",
        """CREATE TABLE unit_input (
            unit TEXT NOT NULL, period TEXT NOT NULL, counts TEXT NOT NULL,
            evidence TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL,
            actor TEXT NOT NULL, PRIMARY KEY (unit, period)) STRICT""",
        """CREATE TABLE criterion_score (
            unit TEXT NOT NULL, period TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('self', 'appraised')),
            points TEXT NOT NULL, evidence TEXT NOT NULL, version INTEGER NOT NULL,
            at TEXT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (unit, period, kind)) STRICT""",
        """CREATE TABLE report_field (
            kind TEXT NOT NULL, unit TEXT NOT NULL, period TEXT NOT NULL,
            version INTEGER NOT NULL, fields TEXT NOT NULL, at TEXT NOT NULL,
            actor TEXT NOT NULL, PRIMARY KEY (kind, unit, period, version)) STRICT""",
        """CREATE TABLE letter_head (
            unit TEXT PRIMARY KEY, facts TEXT NOT NULL, days INTEGER NOT NULL CHECK (days >= 0),
            version INTEGER NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL) STRICT""",
        """CREATE TABLE letter_number (
            unit TEXT NOT NULL, year INTEGER NOT NULL, last INTEGER NOT NULL,
            PRIMARY KEY (unit, year)) STRICT""",
        """CREATE TABLE letter (
            id INTEGER PRIMARY KEY, unit TEXT NOT NULL, year INTEGER NOT NULL,
            number INTEGER NOT NULL, dossier TEXT NOT NULL, due_on TEXT NOT NULL,
            new_due_on TEXT NOT NULL, reason TEXT NOT NULL, dated_on TEXT NOT NULL,
            channel TEXT NOT NULL CHECK (channel IN ('letter', 'sms', 'zalo', 'email')),
            state TEXT NOT NULL DEFAULT 'made' CHECK (state IN ('made', 'sent', 'void')),
            made_at TEXT NOT NULL, made_by TEXT NOT NULL, sent_at TEXT,
            sent_by TEXT NOT NULL DEFAULT '', void_reason TEXT NOT NULL DEFAULT '',
            UNIQUE (unit, year, number), CHECK (new_due_on >= due_on),
            CHECK ((state = 'sent') <= (sent_at IS NOT NULL))) STRICT""",
        # One letter for one missed day of a dossier; the number of a void one stays used.
        "CREATE UNIQUE INDEX letter_once ON letter (dossier, due_on) WHERE state <> 'void'",
        # Opinions on the nine criteria by the day they came; nothing for any other questionnaire.
        "CREATE INDEX response_nd61 ON response (received_at) WHERE questionnaire = 'nd61-2018.1'",
        "CREATE INDEX dossier_received ON dossier (received_on, receiving_unit, service)",
    )
