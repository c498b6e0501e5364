"""Step 17: feedback that becomes cases, comments one can search, and alerts that go out."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m017_feedback(db: Database) -> None:
    """Working days, cases with their history, the index of comments, rules and queue of alerts.

    ``feedback_mark``: ``seq`` is how far responses are in the index, ``opened`` how far they were
    looked at for cases.  Answers older than this step open no case: nobody could have kept its
    date.  Everything called ``comment`` but notes and themes can be folded anew from responses.
    """
    _cases(db)
    _comments(db)
    _alerts(db)


def _cases(db: Database) -> None:
    all_of(
        db,
        """CREATE TABLE holiday (
            day TEXT PRIMARY KEY, name TEXT NOT NULL, works INTEGER NOT NULL DEFAULT 0
                CHECK (works IN (0, 1)), source TEXT NOT NULL DEFAULT '') STRICT""",
        """CREATE TABLE feedback_rule (
            wave TEXT PRIMARY KEY REFERENCES wave (key), items TEXT NOT NULL,
            level INTEGER NOT NULL, least INTEGER NOT NULL CHECK (least >= 1),
            days INTEGER NOT NULL CHECK (days >= 1), themes INTEGER NOT NULL DEFAULT 1
                CHECK (themes IN (0, 1)), version INTEGER NOT NULL DEFAULT 1) STRICT""",
        """CREATE TABLE feedback_mark (
            id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL,
            opened INTEGER NOT NULL, dictionary TEXT NOT NULL) STRICT""",
        "INSERT INTO feedback_mark (id, seq, opened, dictionary)"
        " SELECT 1, 0, COALESCE(MAX(seq), 0), '' FROM response",
        """CREATE TABLE feedback_day (
            wave TEXT NOT NULL, unit TEXT NOT NULL, day TEXT NOT NULL, counter TEXT NOT NULL,
            n INTEGER NOT NULL, PRIMARY KEY (wave, unit, day, counter)) STRICT""",
        """CREATE TABLE feedback_case (
            id INTEGER PRIMARY KEY, wave TEXT REFERENCES wave (key), unit TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('low', 'complaint', 'praise', 'hand')),
            response INTEGER UNIQUE, since_on TEXT NOT NULL, arrived_on TEXT NOT NULL, due_on TEXT,
            state TEXT NOT NULL DEFAULT 'new'
                CHECK (state IN ('held', 'new', 'working', 'waiting', 'answered', 'closed')),
            owner INTEGER REFERENCES staff (id), words TEXT NOT NULL DEFAULT '',
            answer TEXT NOT NULL DEFAULT '', answered_on TEXT, closed_on TEXT,
            calls INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,
            changed_at TEXT NOT NULL, changed_by TEXT NOT NULL) STRICT""",
        # What is due first, of everybody and of one unit; what was ended last; and the counts.
        "CREATE INDEX feedback_case_due ON feedback_case (due_on, id)"
        " WHERE state IN ('new', 'working', 'waiting')",
        "CREATE INDEX feedback_case_unit ON feedback_case (unit, due_on, id)"
        " WHERE state IN ('new', 'working', 'waiting')",
        "CREATE INDEX feedback_case_done ON feedback_case (changed_at)"
        " WHERE state IN ('answered', 'closed')",
        "CREATE INDEX feedback_case_held ON feedback_case (wave, unit) WHERE state = 'held'",
        "CREATE INDEX feedback_case_praise ON feedback_case (arrived_on) WHERE kind = 'praise'",
        "CREATE INDEX feedback_case_count ON feedback_case"
        " (unit, kind, state, arrived_on, due_on, answered_on, closed_on)",
        """CREATE TABLE feedback_event (
            id INTEGER PRIMARY KEY, feedback_case INTEGER NOT NULL REFERENCES feedback_case (id),
            at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL,
            note TEXT NOT NULL DEFAULT '') STRICT""",
        "CREATE INDEX feedback_event_case ON feedback_event (feedback_case)",
        """CREATE TABLE feedback_evidence (
            id INTEGER PRIMARY KEY,
            feedback_case INTEGER NOT NULL REFERENCES feedback_case (id), digest TEXT NOT NULL,
            name TEXT NOT NULL, kind TEXT NOT NULL, bytes INTEGER NOT NULL, at TEXT NOT NULL,
            actor TEXT NOT NULL, UNIQUE (feedback_case, digest)) STRICT""",
    )


def _comments(db: Database) -> None:
    all_of(
        db,
        """CREATE TABLE comment (
            wave TEXT NOT NULL, n INTEGER NOT NULL, response INTEGER NOT NULL UNIQUE,
            unit TEXT NOT NULL, day TEXT NOT NULL, counter TEXT NOT NULL,
            PRIMARY KEY (wave, n)) STRICT""",
        # One bit a comment, by its number in the wave: of a word, a theme, a unit, a month.
        """CREATE TABLE comment_bits (
            wave TEXT NOT NULL, word TEXT NOT NULL, block INTEGER NOT NULL, bits BLOB NOT NULL,
            PRIMARY KEY (wave, word, block)) STRICT""",
        """CREATE TABLE comment_note (
            response INTEGER PRIMARY KEY, seen_at TEXT, seen_by TEXT NOT NULL DEFAULT '',
            themes TEXT) STRICT""",
        """CREATE TABLE comment_theme (
            key TEXT PRIMARY KEY, place INTEGER NOT NULL, name TEXT NOT NULL,
            tone TEXT NOT NULL CHECK (tone IN ('complaint', 'praise', 'neutral')),
            words TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1) STRICT""",
    )


def _alerts(db: Database) -> None:
    all_of(
        db,
        """CREATE TABLE alert_rule (
            id INTEGER PRIMARY KEY, unit TEXT NOT NULL, kind TEXT NOT NULL,
            threshold INTEGER NOT NULL, via TEXT NOT NULL CHECK (via IN ('email', 'webhook')),
            target TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
            version INTEGER NOT NULL DEFAULT 1, changed_at TEXT NOT NULL) STRICT""",
        """CREATE TABLE alert (
            id INTEGER PRIMARY KEY, rule INTEGER NOT NULL REFERENCES alert_rule (id),
            mark TEXT NOT NULL, subject TEXT NOT NULL, words TEXT NOT NULL,
            facts TEXT NOT NULL DEFAULT '{}', at TEXT NOT NULL, state TEXT NOT NULL
                DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
            tries INTEGER NOT NULL DEFAULT 0, next_at TEXT NOT NULL, sent_at TEXT,
            fault TEXT NOT NULL DEFAULT '', UNIQUE (rule, mark)) STRICT""",
        "CREATE INDEX alert_waiting ON alert (state, next_at)",
    )
