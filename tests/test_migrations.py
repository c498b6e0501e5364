"""The schema: every step whole, once, whoever else starts at the same time."""

import gzip
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from faults import ground
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from survey import db, migrations
from survey.migrations import citizens
from survey.store import instances, responses

ROOT = Path(__file__).parent.parent
STEPS = [step.name for step in migrations.schema._migrations]


def tables(base):
    return {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_new_database_gets_every_step_and_a_second_run_none(tmp_path):
    with closing(db.connect(tmp_path / "t.sqlite")) as base:
        assert migrations.pending(base) == STEPS
        assert migrations.migrate(base) == STEPS
        assert migrations.migrate(base) == []
        assert tables(base) >= {"unit", "wave", "door", "response", "staff", "audit", "rate"}


def test_every_table_of_ours_is_strict(tmp_path):
    with closing(db.connect(tmp_path / "t.sqlite")) as base:
        migrations.migrate(base)
        loose = [
            row["name"]
            for row in base.execute("PRAGMA table_list")
            if not row["strict"] and not row["name"].startswith(("sqlite_", "_sqlite"))
        ]
    assert loose == []


def test_a_step_that_fails_leaves_nothing_of_itself_and_no_mark(tmp_path, monkeypatch):
    broken = Migrations("sipas")
    broken()(citizens.m001_units)

    def m002_broken(tables: Database) -> None:
        tables.conn.execute("CREATE TABLE half (x INTEGER) STRICT")
        raise KeyboardInterrupt

    broken()(m002_broken)
    monkeypatch.setattr(migrations, "schema", broken)
    with closing(db.connect(tmp_path / "t.sqlite")) as base:
        with pytest.raises(KeyboardInterrupt):
            migrations.migrate(base)
        assert "half" not in tables(base)
        assert "unit" in tables(base)
        assert migrations.pending(base) == ["m002_broken"]


def test_every_step_is_one_immediate_transaction_with_its_mark(tmp_path):
    with closing(db.connect(tmp_path / "t.sqlite")) as base:
        seen = []
        base.set_trace_callback(lambda sql: seen.append(" ".join(sql.split()[:3])))
        migrations.migrate(base)
        base.set_trace_callback(None)
    begun = [sql for sql in seen if sql.startswith(("BEGIN", "COMMIT"))]
    assert begun == ["BEGIN IMMEDIATE", "COMMIT"] * (len(STEPS) + 1)  # the last finds nothing
    inside = seen[seen.index("BEGIN IMMEDIATE") : seen.index("COMMIT")]
    assert any(sql.startswith("CREATE TABLE unit") for sql in inside)
    assert any("_sqlite_migrations" in sql for sql in inside if sql.startswith("INSERT"))


def test_processes_that_start_together_do_each_step_once(tmp_path):
    script = (
        "import sys; from pathlib import Path; from survey import db, migrations\n"
        "base = db.connect(Path(sys.argv[1])); sys.stdin.readline()\n"
        "print(len(migrations.migrate(base))); base.close()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "t.sqlite")]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(3)
    ]
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    done = [int(process.communicate()[0]) for process in running]
    assert sum(done) == len(STEPS)
    assert {process.returncode for process in running} == {0}


@contextmanager
def kept(path, name):
    """A database of an earlier program, as it was written then (``tests/data/databases``)."""
    text = gzip.decompress((ROOT / "tests/data/databases" / f"{name}.sql.gz").read_bytes()).decode()
    with closing(sqlite3.connect(path / "old.sqlite")) as base:
        base.executescript(text)
    with closing(db.connect(path / "old.sqlite")) as base:
        yield base


def test_a_database_from_before_the_tallies_keeps_its_answers_and_counts_them(tmp_path):
    with kept(tmp_path, "0.1-before-tallies") as base:
        asked = "SELECT id, receipt, answers FROM response ORDER BY seq"
        before = base.execute(asked).fetchall()
        assert "tally" not in tables(base)
        assert migrations.migrate(base)[0] == "m005_tallies"
        assert base.execute(
            "SELECT id, receipt, answers FROM response ORDER BY seq"
        ).fetchall() == (before)
        assert responses.counts(base, "quay").valid == 6
        assert instances.check(base, None) == []
        assert responses.withdraw(base, before[0]["receipt"], now=ground.NOW)
        assert responses.counts(base, "quay").valid == 5


def test_the_dossier_s_key_leaves_its_answer_and_nothing_else_changes(tmp_path):
    with kept(tmp_path, "0.1-before-tallies") as base:
        sealed = {row["seq"]: dict(row) for row in base.execute("SELECT * FROM response")}
        last = base.execute("SELECT seq FROM sqlite_sequence WHERE name = 'response'").fetchone()[0]
        tied = [(r["dossier_key"], r["id"]) for r in sealed.values() if r["dossier_key"]]
        migrations.migrate(base)
        links = [tuple(row) for row in base.execute("SELECT * FROM dossier_answer")]
        assert links == tied
        assert len(tied) == 1
        for row in base.execute("SELECT * FROM response"):
            before = sealed[row["seq"]]
            gone = set(before) - set(row.keys())
            changed = {name for name in row.keys() if row[name] != before[name]}  # noqa: SIM118
            assert (gone, changed) == ({"dossier_key"}, {"seal"})
        kept_on = base.execute("SELECT seq FROM sqlite_sequence WHERE name = 'response'").fetchone()
        assert kept_on[0] == last  # a number is never given again
        indexes = {row["name"] for row in base.execute("PRAGMA index_list(response)")}
        assert "response_wave" in indexes
        assert list(base.execute("PRAGMA foreign_key_check")) == []


def test_what_was_withdrawn_before_is_erased_by_the_upgrade(tmp_path):
    with kept(tmp_path, "0.1-before-tallies") as base:
        base.execute("UPDATE response SET state = 'void', flags = '[\"withdrawn\"]'")
        migrations.migrate(base)
        rows = base.execute("SELECT answers, codes, language FROM response").fetchall()
        assert {row["answers"] for row in rows} == {"{}"}
        assert not any(any(row["codes"]) for row in rows)
        assert base.execute("SELECT COUNT(*) FROM dossier_answer").fetchone()[0] == 0
        assert [fault for fault in instances.check(base) if "nhật ký" not in fault] == []


def test_a_database_from_before_the_paper_keeps_its_cases_staff_and_figures(tmp_path):
    with kept(tmp_path, "0.1-before-paper") as base:
        known = "SELECT username, role, unit FROM staff ORDER BY id"
        staff = [tuple(row) for row in base.execute(known)]
        weights = [tuple(r) for r in base.execute("SELECT id, weight FROM sample_case ORDER BY id")]
        tallies = base.execute("SELECT COUNT(*) FROM tally").fetchone()[0]
        assert migrations.migrate(base)[0] == "m008_paper"
        assert [tuple(row) for row in base.execute(known)] == staff
        cases = base.execute("SELECT id, weight, base, state FROM sample_case ORDER BY id")
        rows = cases.fetchall()
        assert [(r["id"], r["weight"]) for r in rows] == weights
        assert all(row["base"] == row["weight"] for row in rows)
        states = {row["id"]: row["state"] for row in rows}
        assert states[1] == "locked"
        assert [states[n] for n in range(1000, 1010)] == [
            "planned", "delivered", "collected", "locked", "absent", "refused", "moved",
            "wrong_address", "deceased", "other",
        ]  # fmt: skip
        assert base.execute("SELECT COUNT(*) FROM tally").fetchone()[0] == tallies > 0
        assert instances.check(base) == []
        assert list(base.execute("PRAGMA foreign_key_check")) == []


def test_a_database_from_before_the_office_keeps_its_waves_staff_and_keys(tmp_path):
    with kept(tmp_path, "0.1-before-office") as base:
        known = "SELECT username, role, unit FROM staff ORDER BY id"
        staff = [tuple(row) for row in base.execute(known)]
        names = "SELECT key, name, settled FROM wave ORDER BY key"
        waves = [tuple(row) for row in base.execute(names)]
        answers = "SELECT id, seal, digest, state FROM response ORDER BY seq"
        responses_before = [tuple(row) for row in base.execute(answers)]
        programs = "SELECT name, hash, scopes FROM api_key"
        keys = [tuple(row) for row in base.execute(programs)]
        assert migrations.migrate(base)[0] == "m009_office"
        assert [tuple(row) for row in base.execute(known)] == staff
        assert [tuple(row) for row in base.execute(names)] == waves
        assert [tuple(row) for row in base.execute(answers)] == responses_before
        assert [
            tuple(row) for row in base.execute("SELECT name, hash, scopes FROM api_key")
        ] == keys
        stages = base.execute("SELECT DISTINCT stage, trial_of, series, version FROM wave")
        assert [tuple(row) for row in stages] == [("live", None, "", 1)]
        assert instances.check(base) == []
        assert list(base.execute("PRAGMA foreign_key_check")) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from survey import db, migrations
from survey.migrations import citizens
whole = citizens._m007_rows
def rows(base):
    for number, row in enumerate(whole(base)):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield row
citizens._m007_rows = rows
migrations.migrate(db.connect(Path(sys.argv[1])))
"""


def test_an_upgrade_that_is_killed_while_it_copies_leaves_whole_steps(tmp_path):
    with kept(tmp_path, "0.1-before-tallies") as base:
        before = [tuple(row) for row in base.execute("SELECT * FROM response")]
        command = [sys.executable, "-c", KILLED, str(tmp_path / "old.sqlite")]
        assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
        assert [tuple(row) for row in base.execute("SELECT * FROM response")] == before
        assert "response_m007" not in tables(base)
        assert migrations.pending(base)[0] == "m007_dossier_answers"
        migrations.migrate(base)
        assert instances.check(base) == []


def test_steps_of_a_newer_program_are_known_as_such(tmp_path):
    with closing(db.connect(tmp_path / "t.sqlite")) as base:
        migrations.migrate(base)
        assert migrations.unknown(base) == []
        base.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('sipas', 'm999_later', '')"
        )
        assert migrations.unknown(base) == ["m999_later"]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO unit (scheme, code, valid_from, kind, name, name_key)"
        " VALUES ('vn34', '1', '2025-07-01', 'planet', 'x', 'x')",
        "INSERT INTO staff (username, name, password_hash, role, created_at)"
        " VALUES ('a', 'a', 'a', 'king', '')",
        "INSERT INTO door (kind, wave, unit, created_at) VALUES ('case', 'w', 'u', '')",
    ],
)
def test_the_database_itself_refuses_what_is_not_in_a_list(tmp_path, sql):
    with closing(db.connect(tmp_path / "t.sqlite")) as base:
        migrations.migrate(base)
        with pytest.raises(sqlite3.IntegrityError):
            base.execute(sql)
