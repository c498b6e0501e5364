"""Step 8: the household survey on paper, from the frame of the draw to the frozen weights."""

from __future__ import annotations

from sqlite_utils import Database

from survey.migrations.schema import all_of, schema


@schema()
def m008_paper(db: Database) -> None:
    """Frames and draws, cases on their way, printed forms, entries, scans, call-backs, weights."""
    _samples(db)
    _field(db)
    _entries(db)
    _weights(db)
    _cases(db)


def _cases(db: Database) -> None:
    """New states and roles: a column with another CHECK takes the place of the old one."""
    all_of(
        db,
        "ALTER TABLE staff RENAME COLUMN role TO former",
        "ALTER TABLE staff ADD COLUMN role TEXT NOT NULL DEFAULT 'viewer'"
        " CHECK (role IN ('administrator', 'supervisor', 'clerk', 'viewer', 'field_supervisor',"
        " 'interviewer', 'data_clerk', 'adjudicator'))",
        "UPDATE staff SET role = former",
        "ALTER TABLE staff DROP COLUMN former",
        "ALTER TABLE sample_case RENAME COLUMN state TO former",
        "ALTER TABLE sample_case ADD COLUMN state TEXT NOT NULL DEFAULT 'planned'"
        " CHECK (state IN ('reserve', 'planned', 'assigned', 'delivered', 'appointed',"
        " 'collected', 'entered', 'entered_twice', 'compared', 'called_back', 'locked',"
        " 'spoiled', 'refused', 'absent', 'moved', 'wrong_address', 'deceased', 'other',"
        " 'replaced'))",
        "UPDATE sample_case SET state = CASE former WHEN 'issued' THEN 'delivered'"
        " WHEN 'returned' THEN 'collected' WHEN 'valid' THEN 'locked' ELSE former END",
        "ALTER TABLE sample_case DROP COLUMN former",
        "ALTER TABLE sample_case ADD COLUMN household TEXT",
        "ALTER TABLE sample_case ADD COLUMN reserve INTEGER",
        "ALTER TABLE sample_case ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sample_case ADD COLUMN probability TEXT",
        "ALTER TABLE sample_case ADD COLUMN base REAL",
        "ALTER TABLE sample_case ADD COLUMN start REAL",
        "ALTER TABLE sample_case ADD COLUMN cell TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sample_case ADD COLUMN lot INTEGER REFERENCES lot (id)",
        "ALTER TABLE sample_case ADD COLUMN appointed_on TEXT",
        "ALTER TABLE sample_case ADD COLUMN print_run INTEGER REFERENCES print_run (id)",
        "ALTER TABLE sample_case ADD COLUMN double_ballot REAL",
        "ALTER TABLE sample_case ADD COLUMN callback_ballot REAL",
        "ALTER TABLE sample_case ADD COLUMN changed_at TEXT",
        "UPDATE sample_case SET base = weight",
        "CREATE INDEX sample_case_lot ON sample_case (lot)",
        "CREATE INDEX sample_case_state ON sample_case (wave, state)",
    )


def _samples(db: Database) -> None:
    all_of(
        db,
        "ALTER TABLE sample_psu ADD COLUMN probability TEXT",
        "ALTER TABLE sample_psu ADD COLUMN replaces TEXT",
        "ALTER TABLE sample_psu ADD COLUMN dropped_at TEXT",
        "ALTER TABLE sample_psu ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        # What the variance counts: the unit of the first stage, '' where that is the village;
        # and the commune drawn surely whose villages are a stratum of their own.
        "ALTER TABLE sample_psu ADD COLUMN cluster TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sample_psu ADD COLUMN certain TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE frame (
            wave TEXT NOT NULL REFERENCES wave (key),
            kind TEXT NOT NULL CHECK (kind IN ('village', 'household')),
            source TEXT NOT NULL, digest TEXT NOT NULL, n INTEGER NOT NULL,
            imported_at TEXT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (wave, kind)) STRICT""",
        """CREATE TABLE frame_village (
            wave TEXT NOT NULL REFERENCES wave (key), psu TEXT NOT NULL, stratum TEXT NOT NULL,
            unit TEXT NOT NULL, area TEXT NOT NULL CHECK (area IN ('urban', 'rural')),
            name TEXT NOT NULL, size INTEGER NOT NULL CHECK (size > 0), position INTEGER NOT NULL,
            PRIMARY KEY (wave, psu)) STRICT""",
        """CREATE TABLE frame_household (
            wave TEXT NOT NULL REFERENCES wave (key), psu TEXT NOT NULL, household TEXT NOT NULL,
            adults INTEGER NOT NULL DEFAULT 1 CHECK (adults > 0),
            name TEXT NOT NULL DEFAULT '', address TEXT NOT NULL DEFAULT '',
            position INTEGER NOT NULL, PRIMARY KEY (wave, psu, household)) STRICT""",
        """CREATE TABLE sample_plan (
            wave TEXT PRIMARY KEY REFERENCES wave (key), stages TEXT NOT NULL,
            seed TEXT NOT NULL DEFAULT '', algorithm TEXT NOT NULL DEFAULT '',
            village_digest TEXT, household_digest TEXT,
            villages_at TEXT, households_at TEXT, actor TEXT NOT NULL DEFAULT '') STRICT""",
        """CREATE TABLE quota (
            wave TEXT NOT NULL REFERENCES wave (key), unit TEXT NOT NULL, item TEXT NOT NULL,
            code INTEGER NOT NULL, target INTEGER NOT NULL CHECK (target >= 0),
            PRIMARY KEY (wave, unit, item, code)) STRICT""",
    )


def _field(db: Database) -> None:
    all_of(
        db,
        """CREATE TABLE paper_plan (
            wave TEXT PRIMARY KEY REFERENCES wave (key),
            double_share REAL NOT NULL DEFAULT 1 CHECK (double_share BETWEEN 0 AND 1),
            scan_share REAL NOT NULL DEFAULT 0.05 CHECK (scan_share BETWEEN 0 AND 1),
            callback_share REAL NOT NULL DEFAULT 0.05 CHECK (callback_share BETWEEN 0 AND 1),
            callback_items TEXT NOT NULL DEFAULT '[]',
            keep_days INTEGER NOT NULL DEFAULT 2 CHECK (keep_days >= 0),
            payment INTEGER NOT NULL DEFAULT 0 CHECK (payment >= 0),
            seed TEXT NOT NULL DEFAULT '') STRICT""",
        """CREATE TABLE lot (
            id INTEGER PRIMARY KEY, wave TEXT NOT NULL REFERENCES wave (key),
            code TEXT NOT NULL UNIQUE, unit TEXT NOT NULL,
            interviewer INTEGER REFERENCES staff (id), due_on TEXT,
            made_at TEXT NOT NULL, issued_at TEXT, returned_at TEXT, actor TEXT NOT NULL) STRICT""",
        "CREATE INDEX lot_wave ON lot (wave, unit)",
        """CREATE TABLE print_run (
            id INTEGER PRIMARY KEY, wave TEXT NOT NULL REFERENCES wave (key),
            edition TEXT NOT NULL CHECK (edition IN ('normal', 'large')),
            questionnaire TEXT NOT NULL, questionnaire_digest TEXT NOT NULL,
            layout TEXT NOT NULL, forms INTEGER NOT NULL, pages INTEGER NOT NULL,
            printed_at TEXT NOT NULL, actor TEXT NOT NULL) STRICT""",
        """CREATE TABLE case_event (
            id INTEGER PRIMARY KEY, case_id INTEGER NOT NULL REFERENCES sample_case (id),
            at TEXT NOT NULL, actor TEXT NOT NULL, former TEXT NOT NULL, state TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT '') STRICT""",
        "CREATE INDEX case_event_case ON case_event (case_id)",
        """CREATE TABLE callback (
            case_id INTEGER PRIMARY KEY REFERENCES sample_case (id),
            wave TEXT NOT NULL REFERENCES wave (key), drawn_at TEXT NOT NULL,
            outcome TEXT NOT NULL DEFAULT ''
                CHECK (outcome IN ('', 'done', 'not_reached', 'refused', 'not_visited')),
            via TEXT NOT NULL DEFAULT '' CHECK (via IN ('', 'phone', 'visit')),
            answers TEXT NOT NULL DEFAULT '{}', note TEXT NOT NULL DEFAULT '',
            staff INTEGER REFERENCES staff (id), at TEXT) STRICT""",
        "CREATE INDEX callback_wave ON callback (wave)",
    )


def _entries(db: Database) -> None:
    all_of(
        db,
        """CREATE TABLE paper_entry (
            id TEXT PRIMARY KEY, case_id INTEGER NOT NULL REFERENCES sample_case (id),
            wave TEXT NOT NULL REFERENCES wave (key),
            round INTEGER NOT NULL CHECK (round IN (1, 2)),
            via TEXT NOT NULL CHECK (via IN ('desk', 'scan')),
            staff INTEGER REFERENCES staff (id), questionnaire TEXT NOT NULL,
            fields TEXT NOT NULL, overrides TEXT NOT NULL DEFAULT '[]', digest TEXT NOT NULL,
            started_at TEXT, submitted_at TEXT, received_at TEXT NOT NULL,
            keys INTEGER NOT NULL DEFAULT 0, active_ms INTEGER NOT NULL DEFAULT 0,
            UNIQUE (case_id, round)) STRICT""",
        "CREATE INDEX paper_entry_wave ON paper_entry (wave, staff)",
        """CREATE TABLE paper_settled (
            case_id INTEGER PRIMARY KEY REFERENCES sample_case (id),
            wave TEXT NOT NULL REFERENCES wave (key), fields TEXT NOT NULL,
            n_fields INTEGER NOT NULL, n_differing INTEGER NOT NULL,
            decided TEXT NOT NULL DEFAULT '{}', staff INTEGER REFERENCES staff (id),
            response TEXT, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX paper_settled_wave ON paper_settled (wave)",
        """CREATE TABLE scan_upload (
            id INTEGER PRIMARY KEY, wave TEXT NOT NULL REFERENCES wave (key), name TEXT NOT NULL,
            digest TEXT NOT NULL UNIQUE, pages INTEGER NOT NULL DEFAULT 0,
            state TEXT NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'reading', 'done', 'failed')),
            fault TEXT NOT NULL DEFAULT '', at TEXT NOT NULL, done_at TEXT,
            staff INTEGER REFERENCES staff (id), removed_on TEXT) STRICT""",
        """CREATE TABLE scan_page (
            id INTEGER PRIMARY KEY, upload INTEGER NOT NULL REFERENCES scan_upload (id),
            number INTEGER NOT NULL, digest TEXT NOT NULL, reader TEXT NOT NULL,
            case_id INTEGER REFERENCES sample_case (id),
            print_run INTEGER REFERENCES print_run (id), page INTEGER,
            state TEXT NOT NULL CHECK (state IN ('read', 'refused', 'superseded')),
            fault TEXT NOT NULL DEFAULT '', file TEXT NOT NULL DEFAULT '',
            fields TEXT NOT NULL DEFAULT '{}', confidence TEXT NOT NULL DEFAULT '{}',
            doubts TEXT NOT NULL DEFAULT '{}',
            solved TEXT NOT NULL DEFAULT '{}', staff INTEGER REFERENCES staff (id),
            at TEXT NOT NULL, UNIQUE (upload, number)) STRICT""",
        "CREATE INDEX scan_page_case ON scan_page (case_id)",
        "CREATE INDEX scan_page_digest ON scan_page (digest)",
    )


def _weights(db: Database) -> None:
    all_of(
        db,
        """CREATE TABLE margin (
            wave TEXT NOT NULL REFERENCES wave (key), name TEXT NOT NULL, category TEXT NOT NULL,
            target REAL NOT NULL CHECK (target > 0), source TEXT NOT NULL,
            PRIMARY KEY (wave, name, category)) STRICT""",
        """CREATE TABLE weighting (
            wave TEXT PRIMARY KEY REFERENCES wave (key), settings TEXT NOT NULL,
            report TEXT NOT NULL, digest TEXT NOT NULL, made_at TEXT NOT NULL,
            actor TEXT NOT NULL, frozen_at TEXT) STRICT""",
    )
