"""Step 11: what happened to each wave, and questionnaires that an office publishes by itself."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m011_running(db: Database) -> None:
    """Events of waves by version; questionnaires with their translations, never changed again.

    A version of a wave is one change of it, so its event has the same number: whoever changes a
    version that somebody else has just changed meets the key.
    """
    all_of(
        db,
        """CREATE TABLE wave_event (
            wave TEXT NOT NULL REFERENCES wave (key), version INTEGER NOT NULL,
            at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '{}',
            PRIMARY KEY (wave, version)) STRICT""",
        """CREATE TABLE questionnaire (
            key TEXT PRIMARY KEY, text TEXT NOT NULL, translations TEXT NOT NULL DEFAULT '{}',
            digest TEXT NOT NULL, published_at TEXT NOT NULL, actor TEXT NOT NULL) STRICT""",
        "CREATE INDEX wave_trial ON wave (trial_of)",
    )
