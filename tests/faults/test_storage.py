"""Full disks and crowds: told, undone, healed; nobody hears "database is locked"."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from survey import db
from survey.store import Refused, copies, instances, responses

from . import crowd, disk, ground

TESTS = Path(__file__).parent.parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(TESTS.parent)}


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path)


def start(module, *words):
    command = [sys.executable, "-m", module, *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=TESTS, env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True
    )


def comments(place):
    with place.connect(readonly=True) as store:
        return [
            json.loads(row["answers"])["comment"]
            for row in store.execute("SELECT answers FROM response")
        ]


@pytest.mark.parametrize("step", [0, 3_000])
def test_a_full_disk_is_told_to_everyone_and_heals_without_a_restart(place, step, capsys):
    process = start("faults.disk", place.settings.instance, step)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err  # nothing but NotStored was raised
    told = json.loads(out)
    with capsys.disabled():
        stored = len(told["stored"])
        sys.stdout.write(f"\n  disk full: {told['refused']} refused, {stored} stored\n")
    assert told["refused"] > 0  # the disk really was full
    assert told["healed"] == disk.ROUNDS
    assert sorted(comments(place)) == sorted(told["stored"])  # none lost, none half, none extra
    with place.connect() as store:
        assert instances.check(store) == []


def test_a_disk_with_no_page_left_refuses_whole_responses(place):
    writer = db.Writer(place.settings.database)
    long = "x" * 900

    def fill(base):
        pages = base.execute("PRAGMA page_count").fetchone()[0]
        base.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()

    writer.run(fill)
    stored, refused = [], 0
    for number in range(12):
        comment = f"{number} {long}"
        try:
            responses.add(writer, ground.incoming(place.door, comment=comment), now=ground.NOW)
            stored.append(comment)
        except db.NotStored:
            refused += 1
    writer.close()
    assert refused == 1  # the writer's next connection has the space again
    assert comments(place) == stored
    assert len(stored) == 11


def test_three_processes_and_24_threads_all_write_and_none_is_locked_out(place, capsys):
    running = [start("faults.crowd", place.settings.instance, f"p{n}") for n in range(3)]
    done = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], done
    longest = max(float(out.split()[1]) for out, _ in done)
    with capsys.disabled():
        sys.stdout.write(f"\n  crowd of 24: longest wait {longest} s\n")
    half = 3 * crowd.THREADS * crowd.EACH // 2
    with place.connect() as store:
        assert store.execute("SELECT COUNT(*) FROM response").fetchone()[0] == half
        audited = "SELECT COUNT(*) FROM audit WHERE action = 'crowd'"
        assert store.execute(audited).fetchone()[0] == half
        assert instances.check(store) == []


def test_a_refusal_among_many_costs_the_others_nothing(place):
    writer = db.Writer(place.settings.database)
    same = ground.incoming(place.door)
    responses.add(writer, same, now=ground.NOW)
    late = ground.NOW.replace(year=2030)
    for number in range(20):
        with pytest.raises(Refused):
            responses.add(writer, ground.incoming(place.door), now=late)
        assert responses.add(
            writer, ground.incoming(place.door, comment=str(number)), now=ground.NOW
        ).new
    writer.close()
    assert writer.batches == 41


class Crowd:
    """Threads that send responses until told to stop, and remember what was acknowledged."""

    def __init__(self, place, threads=4):
        self.place, self.writer = place, db.Writer(place.settings.database)
        self.acknowledged, self.stopping = [], threading.Event()
        self.threads = [threading.Thread(target=self._send, args=[n]) for n in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait(20)
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.writer.close()

    def wait(self, more):
        end = len(self.acknowledged) + more
        while len(self.acknowledged) < end:
            time.sleep(0.002)

    def _send(self, number):
        for turn in itertools.count():
            if self.stopping.is_set():
                return
            sent = ground.incoming(self.place.door, comment=f"{number} {turn}")
            responses.add(self.writer, sent, now=ground.NOW)
            self.acknowledged.append(f"{number} {turn}")


def test_copies_made_under_load_are_whole_and_miss_nothing_acknowledged_before(place, tmp_path):
    with Crowd(place) as crowd:
        for number in range(5):
            before = len(crowd.acknowledged)
            with place.connect() as store:
                assert copies.backup(store, tmp_path / f"{number}.sqlite") >= before
            crowd.wait(10)
    for number in range(5):
        with closing(db.connect(tmp_path / f"{number}.sqlite")) as copy:
            assert instances.check(copy) == []


def test_a_restore_under_load_drops_no_answer_between_the_old_and_the_new(place, tmp_path):
    with place.connect() as store:
        copies.backup(store, tmp_path / "empty.sqlite")
    with Crowd(place) as crowd:
        restored = copies.restore(tmp_path / "empty.sqlite", place.settings.database, at=ground.NOW)
        crowd.wait(20)
    _, kept = restored
    with closing(db.connect(kept)) as old:
        before = {
            json.loads(row["answers"])["comment"]
            for row in old.execute("SELECT answers FROM response")
        }
    after = set(comments(place))
    assert before
    assert after
    assert not before & after
    assert before | after == set(crowd.acknowledged)
    with place.connect() as store:
        assert instances.check(store) == []
