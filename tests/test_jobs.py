"""Long work: queued, done in another process, followed, stopped, fetched by who may."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from small_wave import SURVEY, TUYEN_QUANG

from survey import db, jobs
from survey.store import Refused, people
from survey.store import jobs as store

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ASK = {"name": "national", "on": "2026-11-22", "wave": SURVEY, "format": "csv"}


@pytest.fixture
def own(settings):
    with closing(db.connect(settings.database)) as connection:
        yield connection


def put(own, ask=ASK, *, who="administrator", unit="", kind="report", at=NOW):
    staff = people.find(own, who).id if who else None
    return jobs.ask(own, kind, ask, title="Báo cáo", unit=unit, staff=staff, now=at)


def actions(own):
    rows = own.execute("SELECT action FROM audit ORDER BY seq DESC LIMIT 4")
    return [row["action"] for row in rows]


def test_work_is_done_and_its_file_is_what_was_noted(own, settings):
    job = put(own)
    assert jobs.work(settings) == 1
    done = store.get(own, job.id)

    assert (done.state, done.done, done.whole) == ("done", 100, 100)
    assert done.name == "Báo cáo toàn đợt – Khảo sát hộ gia đình năm 2026.csv"
    data = jobs.path(settings, job.id).read_bytes()
    assert len(data) == done.bytes
    assert data.startswith("\ufeff".encode())
    assert not list(jobs.home(settings).glob(".*.part"))


def test_the_same_wish_of_the_same_person_is_one_piece_of_work(own):
    assert put(own).id == put(own).id
    assert put(own, ASK | {"format": "pdf"}).id != put(own).id
    assert put(own, who="member").id != put(own).id


def test_nobody_fills_the_queue(own):
    for n in range(store.MOST):
        put(own, ASK | {"number": str(n)})
    with pytest.raises(Refused, match="jobs_many"):
        put(own, ASK | {"number": "x"})
    assert put(own, who="member")


def test_a_kind_nobody_knows_is_not_queued(own):
    with pytest.raises(LookupError):
        put(own, kind="tea")


def test_a_refusal_is_told_with_its_facts(own, settings):
    job = put(own, ASK | {"name": "counter"})
    jobs.work(settings)

    assert store.get(own, job.id).fault == ("report_probability", {"status": 409})


def test_what_is_gone_is_told_and_the_next_piece_is_done(own, settings):
    lost, kept = put(own, ASK | {"wave": "gone"}), put(own)
    jobs.work(settings)

    assert store.get(own, lost.id).fault[0] == "job_gone"
    assert store.get(own, kept.id).state == "done"


def test_a_piece_that_breaks_says_so_and_leaves_no_file(own, settings):
    job = put(own, ASK | {"on": "no day"})
    jobs.work(settings)

    assert store.get(own, job.id).fault[0] == "job_failed"
    assert not jobs.path(settings, job.id).exists()


def test_what_a_dead_worker_left_is_begun_again_but_not_for_ever(own, settings):
    job = put(own)
    assert store.begin(own, job.id, now=NOW)
    jobs.work(settings)
    assert store.get(own, job.id).state == "done"
    assert store.get(own, job.id).tries == 2

    other = put(own, ASK | {"number": "5"})
    for _ in range(store.TRIES):
        own.execute("UPDATE job SET state = 'asked' WHERE id = :id", {"id": other.id})
        store.begin(own, other.id, now=NOW)
    jobs.work(settings)
    assert store.get(own, other.id).fault[0] == "job_died"


def test_work_that_was_stopped_leaves_nothing(own, settings):
    job = put(own)
    assert store.stop(own, job.id, staff=None, now=NOW)
    jobs.work(settings)

    assert store.get(own, job.id).state == "stopped"
    assert not jobs.path(settings, job.id).exists()
    assert not store.stop(own, job.id, staff=None, now=NOW)
    assert "job.stop" in actions(own)


def test_stopped_while_it_runs_nothing_more_is_told_of_it(own):
    job = put(own)
    store.begin(own, job.id, now=NOW)
    assert store.tell(own, job.id, 1, 2)
    store.stop(own, job.id, staff=None, now=NOW)

    assert not store.tell(own, job.id, 2, 2)
    assert not store.finish(own, job.id, name="x", digest="", size=1, now=NOW)
    store.fail(own, job.id, "job_failed", {}, now=NOW)
    assert store.get(own, job.id).state == "stopped"


def test_files_go_when_their_time_is_over(own, settings):
    job = put(own)
    jobs.work(settings)
    assert jobs.sweep(settings, own) == 0
    old = datetime.now(UTC) - timedelta(days=jobs.KEPT + 1)
    own.execute("UPDATE job SET ended_at = :at", {"at": old.isoformat()})

    assert jobs.sweep(settings, own) == 1
    assert not jobs.path(settings, job.id).exists()
    assert store.get(own, job.id).removed_on


def test_two_workers_never_work_at_once(own, settings):
    put(own)
    with jobs._lock(settings) as held:
        assert held
        assert jobs.running(settings)
        assert jobs.work(settings) == 0
    assert jobs.work(settings) == 1


def worker(settings):
    command = [sys.executable, "-m", "survey.cli", "--instance", str(settings.instance)]
    return subprocess.Popen([*command, "jobs", "work", "--linger", "20"], start_new_session=True)


def test_a_killed_worker_leaves_its_child_to_end_the_piece(own, settings):
    job = put(own, ASK | {"format": "pdf"})
    child = worker(settings)
    until = time.monotonic() + 30
    while store.get(own, job.id).done < 20 and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    while store.get(own, job.id).state == "running" and time.monotonic() < until:
        time.sleep(0.05)

    assert store.get(own, job.id).state == "done"
    assert jobs.path(settings, job.id).read_bytes().startswith(b"%PDF")


@pytest.fixture
def slow(monkeypatch):
    for name in ("sleep", "hang", "die", "evil_name"):
        monkeypatch.setitem(jobs.KINDS, name, f"slow_work:{name}")


@pytest.mark.parametrize("kind", ["sleep", "hang"])
def test_work_under_way_is_stopped_at_once(own, settings, slow, kind):
    job = put(own, {}, kind=kind)
    working = threading.Thread(target=jobs.work, args=(settings,))
    working.start()
    until = time.monotonic() + 20
    while not list(jobs.home(settings).glob(".*.part")) and time.monotonic() < until:
        time.sleep(0.02)
    began = time.monotonic()
    store.stop(own, job.id, staff=None, now=NOW)
    working.join(20)

    assert not working.is_alive()
    assert time.monotonic() - began < 10
    assert store.get(own, job.id).state == "stopped"
    assert [path.name for path in jobs.home(settings).iterdir()] == ["work.lock"]


def test_a_piece_that_takes_its_process_with_it_is_told_and_the_next_is_done(own, settings, slow):
    dead, next_one = put(own, {}, kind="die"), put(own)
    jobs.work(settings)

    assert store.get(own, dead.id).fault[0] == "job_died"
    assert store.get(own, next_one.id).state == "done"
    assert not list(jobs.home(settings).glob(".*.part"))


# Pages.


def test_a_name_from_outside_breaks_no_header(staff, settings, slow, own):
    job = put(own, {}, kind="evil_name")
    jobs.work(settings)
    with staff.get(f"/jobs/{job.id}/file") as answer:
        assert answer.status_code == 200
        assert "a=b" not in (answer.headers.get("Set-Cookie") or "")
        assert "\n" not in answer.headers["Content-Disposition"]
        assert 'filename="sipas' in answer.headers["Content-Disposition"]


def asked(client, settings, **changes):
    """Queue work without a worker, as the signed-in person."""
    with closing(db.connect(settings.database)) as own:
        return put(own, **changes)


def test_the_page_follows_work_without_scripts(staff, settings, own):
    job = asked(staff, settings)
    with jobs._lock(settings):  # a worker is there
        page = staff.get(f"/jobs/{job.id}")
        told = staff.get(f"/jobs/{job.id}", headers={"Accept": "application/json"})

    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page.text
    assert "Đang chờ đến lượt" in page.text
    assert told.json == {
        "state": "asked", "done": 0, "whole": 0, "far": "Đang chờ đến lượt", "ended": False,
    }  # fmt: skip
    jobs.work(settings)
    page = staff.get(f"/jobs/{job.id}")
    assert "http-equiv" not in page.text
    assert f'href="/jobs/{job.id}/file"' in page.text


def test_a_file_has_its_name_and_every_fetch_is_noted(staff, settings, own):
    job = asked(staff, settings)
    assert staff.get(f"/jobs/{job.id}/file").status_code == 409
    jobs.work(settings)
    answer = staff.get(f"/jobs/{job.id}/file")

    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert "filename*=UTF-8''B%C3%A1o%20c%C3%A1o" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert actions(own)[0] == "job.download"
    answer.close()
    jobs.path(settings, job.id).unlink()
    assert staff.get(f"/jobs/{job.id}/file").status_code == 410


@pytest.mark.parametrize("who", ["member", "neighbour"])
def test_nobody_sees_the_work_of_somebody_else(client, settings, who):
    job = asked(client, settings)
    client.login(who)

    for path in ("", "/file"):
        answer = client.get(f"/jobs/{job.id}{path}")
        assert answer.status_code == 403
        assert "Báo cáo toàn đợt" not in answer.text
    assert client.get("/jobs/99").status_code == 404


def test_an_administrator_sees_what_was_asked_in_the_own_unit(client, settings, own):
    people.add(
        own, username="local", name="Local", role="administrator", unit=TUYEN_QUANG,
        password_hash=people.find(own, "member").password_hash, must_change=False, now=NOW,
        actor="shell",
    )  # fmt: skip
    mine = put(own, who="member", unit=TUYEN_QUANG)
    theirs = put(own, who="neighbour", unit="vn34:12")
    whole = put(own)
    client.login("local")

    assert client.get(f"/jobs/{mine.id}").status_code == 200
    assert client.get(f"/jobs/{theirs.id}").status_code == 403
    assert client.get(f"/jobs/{whole.id}").status_code == 403


def test_stopping_is_a_button_that_needs_the_token(staff, settings, own):
    job = asked(staff, settings)
    with jobs._lock(settings):
        assert staff.post(f"/jobs/{job.id}/stop").status_code == 400
        answer = staff.send(f"/jobs/{job.id}", to=f"/jobs/{job.id}/stop")
    assert answer.status_code == 303
    page = staff.get(f"/jobs/{job.id}")
    assert "Đã dừng theo yêu cầu" in page.text
    assert store.get(own, job.id).state == "stopped"


def test_a_broken_piece_says_why_and_what_to_do(staff, settings):
    job = asked(staff, settings, ask=ASK | {"name": "counter"})
    jobs.work(settings)
    page = staff.get(f"/jobs/{job.id}")

    assert "Báo cáo này chỉ dùng cho đợt thu ý kiến tự nguyện." in page.text
    assert re.search(r'role="alert"', page.text)
