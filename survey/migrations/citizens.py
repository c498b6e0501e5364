"""Steps 1-7: units, waves, responses, staff, tallies, and what citizens need."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m001_units(db: Database) -> None:
    """Units as dated rows, where they came from, and the sets they are ranked in."""
    all_of(
        db,
        """CREATE TABLE unit (
            scheme TEXT NOT NULL, code TEXT NOT NULL,
            valid_from TEXT NOT NULL, valid_to TEXT,
            kind TEXT NOT NULL CHECK (kind IN ('country', 'province', 'department', 'district',
                'commune', 'one_stop_centre', 'branch', 'point', 'counter')),
            word TEXT NOT NULL DEFAULT '', name TEXT NOT NULL, name_key TEXT NOT NULL, parent TEXT,
            PRIMARY KEY (scheme, code, valid_from),
            CHECK (valid_to IS NULL OR valid_to >= valid_from)
        ) STRICT""",
        "CREATE INDEX unit_parent ON unit (parent)",
        "CREATE INDEX unit_name ON unit (name_key)",
        """CREATE TABLE unit_origin (
            unit TEXT NOT NULL, origin TEXT NOT NULL, PRIMARY KEY (unit, origin)) STRICT""",
        """CREATE TABLE rank_set (
            key TEXT PRIMARY KEY, name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('region', 'group')),
            valid_from TEXT NOT NULL, valid_to TEXT) STRICT""",
        """CREATE TABLE rank_set_member (
            rank_set TEXT NOT NULL REFERENCES rank_set (key), unit TEXT NOT NULL,
            valid_from TEXT NOT NULL, valid_to TEXT,
            PRIMARY KEY (rank_set, unit, valid_from)) STRICT""",
        "CREATE INDEX rank_set_member_unit ON rank_set_member (unit)",
    )


@schema()
def m002_waves(db: Database) -> None:
    """Waves, their samples and the accounts of forms handed out."""
    all_of(
        db,
        """CREATE TABLE wave (
            key TEXT PRIMARY KEY, name TEXT NOT NULL, questionnaire TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('probability', 'self_selected')),
            year INTEGER NOT NULL, opens_on TEXT NOT NULL, closes_on TEXT NOT NULL, closed_at TEXT,
            index_method TEXT NOT NULL DEFAULT 'top2'
                CHECK (index_method IN ('top2', 'scaled', 'mean5')),
            aggregate TEXT NOT NULL DEFAULT 'item'
                CHECK (aggregate IN ('item', 'factor', 'pooled', 'explicit')),
            weights TEXT NOT NULL DEFAULT '{}',
            base TEXT NOT NULL DEFAULT 'ask_all' CHECK (base IN ('ask_all', 'experienced')),
            interval TEXT NOT NULL DEFAULT 'beta'
                CHECK (interval IN ('beta', 'logit', 'wilson', 'asin', 't')),
            level REAL NOT NULL DEFAULT 0.95 CHECK (level > 0 AND level < 1),
            lonely TEXT NOT NULL DEFAULT 'adjust'
                CHECK (lonely IN ('adjust', 'remove', 'certainty', 'average', 'fail')),
            rank_sets TEXT NOT NULL DEFAULT '[]',
            min_n INTEGER NOT NULL DEFAULT 30, hide_n INTEGER NOT NULL DEFAULT 5,
            words TEXT NOT NULL DEFAULT '{}',
            owner TEXT NOT NULL, owner_name TEXT NOT NULL, parent_name TEXT NOT NULL,
            place TEXT NOT NULL, synthetic INTEGER NOT NULL DEFAULT 0 CHECK (synthetic IN (0, 1)),
            settled INTEGER CHECK (settled >= 0), created_at TEXT NOT NULL,
            CHECK (closes_on >= opens_on)
        ) STRICT""",
        """CREATE TABLE sample_psu (
            wave TEXT NOT NULL REFERENCES wave (key), psu TEXT NOT NULL, stratum TEXT NOT NULL,
            fpc REAL CHECK (fpc > 0), unit TEXT NOT NULL,
            area TEXT NOT NULL CHECK (area IN ('urban', 'rural')), name TEXT NOT NULL,
            PRIMARY KEY (wave, psu)) STRICT""",
        """CREATE TABLE sample_case (
            id INTEGER PRIMARY KEY, wave TEXT NOT NULL, psu TEXT NOT NULL,
            weight REAL NOT NULL CHECK (weight > 0),
            state TEXT NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'issued', 'returned',
                'valid', 'absent', 'refused', 'moved', 'wrong_address', 'deceased', 'other')),
            number INTEGER, replaces INTEGER REFERENCES sample_case (id),
            FOREIGN KEY (wave, psu) REFERENCES sample_psu (wave, psu)) STRICT""",
        "CREATE INDEX sample_case_psu ON sample_case (wave, psu)",
        """CREATE TABLE account (
            wave TEXT NOT NULL REFERENCES wave (key), unit TEXT NOT NULL,
            issued INTEGER NOT NULL CHECK (issued >= 0),
            returned INTEGER NOT NULL CHECK (returned >= 0),
            PRIMARY KEY (wave, unit)) STRICT""",
    )


@schema()
def m003_responses(db: Database) -> None:
    """Doors that addresses open, and the answers that come through them: one row each."""
    all_of(
        db,
        """CREATE TABLE door (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL
                CHECK (kind IN ('counter', 'dossier', 'case')),
            wave TEXT NOT NULL REFERENCES wave (key), unit TEXT NOT NULL, resolving TEXT,
            counter TEXT, service TEXT, case_id INTEGER REFERENCES sample_case (id),
            dossier_key TEXT UNIQUE, label TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL, closed_at TEXT,
            CHECK ((kind = 'case') = (case_id IS NOT NULL)),
            CHECK ((kind = 'dossier') = (dossier_key IS NOT NULL))
        ) STRICT""",
        "CREATE INDEX door_wave ON door (wave, unit)",
        """CREATE TABLE response (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
            wave TEXT NOT NULL REFERENCES wave (key), questionnaire TEXT NOT NULL,
            channel TEXT NOT NULL
                CHECK (channel IN ('kiosk', 'qr', 'link', 'post', 'phone', 'api')),
            receiving_unit TEXT NOT NULL, resolving_unit TEXT, counter TEXT, service TEXT,
            language TEXT NOT NULL, assisted_by TEXT,
            case_id INTEGER UNIQUE REFERENCES sample_case (id), dossier_key TEXT UNIQUE,
            answers TEXT NOT NULL, codes BLOB NOT NULL, digest TEXT NOT NULL, seal TEXT NOT NULL,
            started_at TEXT, submitted_at TEXT, received_at TEXT NOT NULL,
            receipt TEXT NOT NULL UNIQUE,
            state TEXT NOT NULL DEFAULT 'valid' CHECK (state IN ('valid', 'flagged', 'void')),
            flags TEXT NOT NULL DEFAULT '[]'
        ) STRICT""",
        "CREATE INDEX response_wave ON response (wave, state)",
    )


@schema()
def m004_staff(db: Database) -> None:
    """Staff, counters of attempts, the chain of what staff did, and facts of the instance."""
    all_of(
        db,
        """CREATE TABLE staff (
            id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
            password_hash TEXT NOT NULL, role TEXT NOT NULL
                CHECK (role IN ('administrator', 'supervisor', 'clerk', 'viewer')),
            unit TEXT, must_change INTEGER NOT NULL DEFAULT 1 CHECK (must_change IN (0, 1)),
            disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
            session_version INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL) STRICT""",
        """CREATE TABLE rate (
            key TEXT PRIMARY KEY, window_started_at TEXT NOT NULL, count INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE audit (
            seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
            subject TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL,
            hash TEXT NOT NULL UNIQUE) STRICT""",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    )


@schema()
def m005_tallies(db: Database) -> None:
    """Tallies: sums over responses, how far they reach, and places that an edit made stale.

    All of it can be thrown away and folded anew from ``response`` at any time, so nothing here
    refers to another table.  ``day`` leads the key: the figures read the rows of day '' only,
    which so lie side by side however many days there are.  What they do not read stands last in
    its row, where it costs them nothing.
    """
    all_of(
        db,
        """CREATE TABLE tally (
            wave TEXT NOT NULL, psu TEXT NOT NULL, day TEXT NOT NULL, channel TEXT NOT NULL,
            flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)),
            people INTEGER NOT NULL, weight REAL NOT NULL, squares REAL NOT NULL,
            first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
            persons BLOB NOT NULL, moments BLOB NOT NULL,
            counts BLOB NOT NULL, sums BLOB, square_sums BLOB,
            PRIMARY KEY (wave, day, psu, channel, flagged)) STRICT""",
        "CREATE INDEX tally_psu ON tally (wave, psu)",
        """CREATE TABLE tally_mark (
            wave TEXT PRIMARY KEY, rule TEXT NOT NULL,
            seq INTEGER NOT NULL, edits INTEGER NOT NULL) STRICT""",
        """CREATE TABLE tally_dirty (
            wave TEXT NOT NULL, psu TEXT NOT NULL, day TEXT NOT NULL,
            PRIMARY KEY (wave, psu, day)) STRICT""",
        """CREATE TABLE tally_day (
            wave TEXT NOT NULL, day TEXT NOT NULL, channel TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('valid', 'flagged', 'void')),
            n INTEGER NOT NULL, PRIMARY KEY (wave, day, channel, state)) STRICT""",
    )


@schema()
def m006_citizens(db: Database) -> None:
    """What a counter, a dossier and a person who left a number need beside the answers.

    Nothing here says who answered what: dossiers stand apart from answers, telephone numbers
    from both, each with the day it goes.
    """
    all_of(
        db,
        "ALTER TABLE wave ADD COLUMN partial TEXT NOT NULL DEFAULT 'discard'"
        " CHECK (partial IN ('discard', 'keep'))",
        "ALTER TABLE wave ADD COLUMN contact_days INTEGER NOT NULL DEFAULT 0"
        " CHECK (contact_days >= 0)",
        "ALTER TABLE door ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'",
        """CREATE TABLE kiosk (
            door INTEGER PRIMARY KEY REFERENCES door (id), seen_at TEXT NOT NULL,
            unsent INTEGER NOT NULL CHECK (unsent >= 0), oldest_at TEXT, version TEXT NOT NULL,
            clock_offset INTEGER NOT NULL) STRICT""",
        """CREATE TABLE dossier (
            key TEXT PRIMARY KEY, service TEXT NOT NULL, receiving_unit TEXT NOT NULL,
            resolving_unit TEXT NOT NULL, officer TEXT, received_on TEXT NOT NULL,
            due_on TEXT NOT NULL, settled_on TEXT, changed_at TEXT NOT NULL) STRICT""",
        "CREATE INDEX dossier_settled ON dossier (settled_on, receiving_unit)",
        "CREATE INDEX dossier_unit ON dossier (receiving_unit, settled_on)",
        """CREATE TABLE dossier_answer (
            dossier TEXT PRIMARY KEY, response TEXT NOT NULL UNIQUE) STRICT""",
        """CREATE TABLE dossier_contact (
            dossier TEXT PRIMARY KEY, phone TEXT NOT NULL, purge_on TEXT NOT NULL) STRICT""",
        """CREATE TABLE contact (
            id INTEGER PRIMARY KEY, response TEXT NOT NULL UNIQUE, wave TEXT NOT NULL,
            unit TEXT NOT NULL, phone TEXT NOT NULL, consented_at TEXT NOT NULL,
            purge_on TEXT NOT NULL) STRICT""",
        """CREATE TABLE message (
            id INTEGER PRIMARY KEY, dossier TEXT NOT NULL, door INTEGER NOT NULL,
            via TEXT NOT NULL, at TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('sent', 'failed')), fault TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX message_dossier ON message (dossier)",
        """CREATE TABLE phone_call (
            id INTEGER PRIMARY KEY, dossier TEXT NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('answered', 'no_answer', 'later', 'refused',
                'wrong_number'))) STRICT""",
        "CREATE INDEX phone_call_dossier ON phone_call (dossier)",
        """CREATE TABLE api_key (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE,
            scopes TEXT NOT NULL, unit TEXT, created_at TEXT NOT NULL, revoked_at TEXT) STRICT""",
    )


@schema()
def m007_dossier_answers(db: Database) -> None:
    """Take the dossier's key out of the response's row; who answered for it stands apart.

    Every seal is made anew without the key.  Answers that their givers took back, which earlier
    programs kept as void rows, are erased as the receipt page says.
    """
    all_of(
        db,
        """CREATE TABLE response_m007 (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
            wave TEXT NOT NULL REFERENCES wave (key), questionnaire TEXT NOT NULL,
            channel TEXT NOT NULL
                CHECK (channel IN ('kiosk', 'qr', 'link', 'post', 'phone', 'api')),
            receiving_unit TEXT NOT NULL, resolving_unit TEXT, counter TEXT, service TEXT,
            language TEXT NOT NULL, assisted_by TEXT,
            case_id INTEGER UNIQUE REFERENCES sample_case (id),
            answers TEXT NOT NULL, codes BLOB NOT NULL, digest TEXT NOT NULL, seal TEXT NOT NULL,
            started_at TEXT, submitted_at TEXT, received_at TEXT NOT NULL,
            receipt TEXT NOT NULL UNIQUE,
            state TEXT NOT NULL DEFAULT 'valid' CHECK (state IN ('valid', 'flagged', 'void')),
            flags TEXT NOT NULL DEFAULT '[]'
        ) STRICT""",
        "INSERT INTO dossier_answer (dossier, response)"
        " SELECT dossier_key, id FROM response WHERE dossier_key IS NOT NULL"
        " AND NOT (state = 'void' AND flags LIKE '%\"withdrawn\"%')",
    )
    db.conn.executemany(
        "INSERT INTO response_m007 (seq, id, wave, questionnaire, channel, receiving_unit,"
        " resolving_unit, counter, service, language, assisted_by, case_id, answers, codes,"
        " digest, seal, started_at, submitted_at, received_at, receipt, state, flags)"
        " VALUES (:seq, :id, :wave, :questionnaire, :channel, :receiving_unit, :resolving_unit,"
        " :counter, :service, :language, :assisted_by, :case_id, :answers, :codes, :digest, :seal,"
        " :started_at, :submitted_at, :received_at, :receipt, :state, :flags)",
        _m007_rows(db.conn),
    )
    all_of(
        db,
        "DELETE FROM sqlite_sequence WHERE name = 'response_m007'",
        "INSERT INTO sqlite_sequence (name, seq)"
        " SELECT 'response_m007', seq FROM sqlite_sequence WHERE name = 'response'",
        "DROP TABLE response",
        "ALTER TABLE response_m007 RENAME TO response",
        "CREATE INDEX response_wave ON response (wave, state)",
        # Coverage reads settled dossiers from the index alone: half the time for a million.
        "DROP INDEX dossier_settled",
        "CREATE INDEX dossier_settled"
        " ON dossier (settled_on, receiving_unit, service, due_on, key)",
    )


#: What a seal covers since m007; not taken from the store, whose next seal may cover other things.
_M007_SEALED = (
    "id", "wave", "questionnaire", "channel", "receiving_unit", "resolving_unit", "counter",
    "service", "language", "assisted_by", "case_id", "digest", "started_at", "submitted_at",
    "received_at", "receipt",
)  # fmt: skip


def _m007_rows(db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    for found in db.execute("SELECT * FROM response ORDER BY seq"):
        row = dict(found)
        if row["state"] == "void" and "withdrawn" in json.loads(row["flags"]):
            row |= {
                "answers": "{}", "codes": bytes(len(row["codes"])), "language": "",
                "assisted_by": None, "started_at": None, "submitted_at": None,
                "digest": sha256(f"{row['questionnaire']}\n{{}}".encode()).hexdigest(),
                "flags": '["withdrawn"]',
            }  # fmt: skip
        text = json.dumps([row[name] for name in _M007_SEALED], ensure_ascii=False)
        yield row | {"seal": sha256(text.encode()).hexdigest()}
