"""Connections, write transactions, and the group commit that answers after the commit."""

import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pytest
from flask import Flask

from survey import config, db
from survey.store import Refused


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "t.sqlite"
    with closing(db.connect(file)) as base:
        base.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT")
    return file


@pytest.fixture
def writer(path):
    made = db.Writer(path)
    yield made
    made.close()


def note(text):
    def job(base):
        base.execute("INSERT INTO note (text) VALUES (:text)", {"text": text})
        return text

    return job


def notes(path):
    with closing(db.connect(path, readonly=True)) as base:
        return [row["text"] for row in base.execute("SELECT text FROM note ORDER BY id")]


def hold(writer, pragma="PRAGMA user_version"):
    """Occupy the writer until the event is set; returns when it is occupied."""
    begun, release = threading.Event(), threading.Event()

    def job(base):
        base.execute(pragma).fetchall()
        begun.set()
        assert release.wait(10)

    thread = threading.Thread(target=writer.run, args=[job])
    thread.start()
    assert begun.wait(10)
    return release, thread


def queued(writer, jobs, **first):
    """Run jobs in threads, all waiting for the same transaction; returns values or exceptions."""
    release, first = hold(writer, **first)
    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = []
        for number, job in enumerate(jobs, 1):
            futures.append(pool.submit(writer.run, job))
            while writer.waiting < number:
                time.sleep(0.001)
        release.set()
        first.join()
    return [future.exception() or future.result() for future in futures]


def test_a_connection_syncs_fully_keeps_a_log_and_checks_references(path):
    with closing(db.connect(path)) as base:
        pragmas = {
            name: base.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000
    }  # fmt: skip


def test_a_reading_connection_cannot_write(path):
    with (
        closing(db.connect(path, readonly=True)) as base,
        pytest.raises(db.NotStored),
        db.write(base),
    ):
        note("x")(base)


def test_opening_a_database_that_should_exist_makes_none(tmp_path):
    with pytest.raises(db.NotStored):
        db.connect(tmp_path / "none.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_a_write_undoes_all_of_it(path):
    with closing(db.connect(path)) as base:
        with pytest.raises(sqlite3.IntegrityError), db.write(base):
            note("x")(base), note("x")(base)
        assert not base.in_transaction
    assert notes(path) == []


def test_a_write_inside_a_write_is_undone_alone(path):
    with closing(db.connect(path)) as base, db.write(base):
        note("outer")(base)
        with pytest.raises(sqlite3.IntegrityError), db.write(base):
            note("inner")(base), note("inner")(base)
        note("after")(base)
    assert notes(path) == ["outer", "after"]


def test_a_wrong_statement_is_no_storage_fault(path):
    with closing(db.connect(path)) as base, pytest.raises(sqlite3.OperationalError), db.write(base):
        base.execute("INSERT INTO nowhere VALUES (1)")


def test_a_job_is_durable_when_it_answers(path, writer):
    assert writer.run(note("x")) == "x"
    assert notes(path) == ["x"]


def test_what_waits_together_is_committed_together(path, writer):
    assert queued(writer, [note(str(n)) for n in range(5)]) == list("01234")
    assert writer.batches == 2  # the one that occupied the writer, and the five
    assert sorted(notes(path)) == list("01234")


def test_a_refused_job_undoes_only_itself(path, writer):
    def refused(base):
        note("refused")(base)
        raise Refused("used", 409)

    one, no, double, two = queued(writer, [note("one"), refused, note("one"), note("two")])
    assert (one, two) == ("one", "two")
    assert isinstance(no, Refused)
    assert isinstance(double, sqlite3.IntegrityError)
    assert notes(path) == ["one", "two"]
    assert writer.batches == 2


@pytest.mark.parametrize(
    "trouble",
    [
        "PRAGMA max_page_count = 1",  # the disk is full
        "PRAGMA query_only = ON",  # the file system became read-only
    ],
)
def test_storage_trouble_is_told_to_all_that_waited_and_heals_itself(path, writer, trouble):
    long = "x" * 9_000
    found = queued(writer, [note(long + "1"), note(long + "2")], pragma=trouble)
    assert [type(fault) for fault in found] == [db.NotStored, db.NotStored]
    assert notes(path) == []
    assert writer.run(note("after")) == "after"
    assert notes(path) == ["after"]


def test_a_database_that_is_busy_for_too_long_is_told(path, writer):
    writer.run(lambda base: base.execute("PRAGMA busy_timeout = 20").fetchall())
    with closing(db.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")  # a foreign program that knows no lock file
        with pytest.raises(db.NotStored):
            writer.run(note("x"))
        other.execute("ROLLBACK")
    assert writer.run(note("y")) == "y"
    assert notes(path) == ["y"]


def test_a_caller_does_not_wait_for_ever(path):
    writer = db.Writer(path, wait=0.05)
    with closing(db.connect(path)) as other, db.write(other), pytest.raises(db.NotStored):
        writer.run(note("late"))
    writer.close()
    assert len(notes(path)) <= 1  # it may have come in after all: the same id decides


def test_closing_finishes_what_waits_and_takes_no_more(path):
    writer = db.Writer(path)
    release, first = hold(writer)
    late = threading.Thread(target=writer.run, args=[note("waiting")])
    late.start()
    while writer.waiting < 1:
        time.sleep(0.001)
    closer = threading.Thread(target=writer.close)
    closer.start()
    release.set()
    for thread in (first, late, closer):
        thread.join()
    assert notes(path) == ["waiting"]
    with pytest.raises(db.NotStored):
        writer.run(note("x"))


def test_a_forked_child_has_a_writer_of_its_own(path, writer):
    writer.run(note("parent"))
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if writer.run(note("child")) == "child" else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert writer.run(note("parent again"))
    assert notes(path) == ["parent", "child", "parent again"]


@pytest.fixture
def app(path, writer):
    app = Flask("t")
    settings = config.Settings(instance=path.parent, database=path, secret=b"")
    app.extensions["sipas"] = SimpleNamespace(settings=settings, writer=writer)
    db.init_app(app)
    yield app
    for base, _ in app.extensions["sipas.readers"]._idle:
        base.close()


def test_a_context_reads_through_one_connection_and_sees_new_commits(app, writer):
    with app.app_context():
        first = db.get()
        assert db.get() is first
        writer.run(note("x"))
        assert first.execute("SELECT COUNT(*) FROM note").fetchone()[0] == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            first.execute("DELETE FROM note")
    with app.app_context():
        assert db.get() is first  # opening one costs more than a page


def test_a_database_that_was_replaced_is_read_anew(app, path, tmp_path):
    with app.app_context():
        first = db.get()
    with closing(db.connect(tmp_path / "new.sqlite")) as base:
        base.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT) STRICT")
        note("restored")(base)
    (tmp_path / "new.sqlite").replace(path)
    with app.app_context():
        assert db.get() is not first
        assert db.get().execute("SELECT text FROM note").fetchone()[0] == "restored"
