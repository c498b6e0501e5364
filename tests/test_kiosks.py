"""Kiosks seen from the office: their beat, who is silent, and how they are set."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from small_wave import LAI_CHAU

from survey import db
from survey.board import silence
from survey.citizen import screens
from survey.counter import kiosks
from survey.store import doors
from survey.store import kiosks as store

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # a Monday, 9:00 in Vietnam


def beat(client, token, **changes):
    said = {"unsent": 0, "oldest_at": None, "version": screens.version()}
    said |= {"at": datetime.now(UTC).isoformat()} | changes
    return client.post(f"/k/{token}/beat", json=said)


def known(app, door):
    with app.app_context():
        return next(kiosk for kiosk in store.all(db.get()) if kiosk.door == door)


def seen(app, door, *, ago, unsent=0, offset=0, version=""):
    """Write a beat as old as the test wants it."""
    said = store.Beat(
        unsent=unsent,
        oldest_at="2026-11-20T01:05:00.000Z" if unsent else None,
        version=version or screens.version(),
        clock_offset=offset,
    )
    at = datetime.now(UTC) - ago
    writer = app.extensions["sipas"].writer
    writer.run(lambda db: store.heard(db, door, said, now=at))


def test_a_beat_is_answered_with_the_settings_and_the_version(app, client, facts, door_tokens):
    answer = beat(client, door_tokens["counter"], unsent=3, oldest_at="2026-11-20T01:05:00Z")

    assert answer.status_code == 200
    assert answer.json == {
        "settings": {
            "idle": 60, "language": "", "large": False, "contrast": False, "sound": True,
        },
        "version": screens.version(),
        "open": True,
    }  # fmt: skip
    kiosk = known(app, facts.doors["counter"])
    assert (kiosk.unsent, kiosk.oldest_at) == (3, "2026-11-20T01:05:00.000Z")
    assert abs(kiosk.clock_offset) <= 5


def test_a_kiosk_has_one_row_however_often_it_speaks(app, client, facts, door_tokens):
    for unsent in (5, 2, 0):
        beat(client, door_tokens["counter"], unsent=unsent)

    with app.app_context():
        assert db.get().execute("SELECT count(*) FROM kiosk").fetchone()[0] == 1
    assert known(app, facts.doors["counter"]).unsent == 0


def test_a_wrong_clock_is_measured_against_ours(app, client, facts, door_tokens):
    at = (datetime.now(UTC) + timedelta(hours=7)).isoformat()
    beat(client, door_tokens["counter"], at=at)

    assert abs(known(app, facts.doors["counter"]).clock_offset - 7 * 3600) <= 5


@pytest.mark.parametrize(
    "changes",
    [
        {"unsent": -1}, {"unsent": "3"}, {"unsent": True}, {"unsent": 10**7}, {"unsent": None},
        {"at": "now"}, {"at": "2026-11-20T01:05:00"}, {"at": None}, {"at": 5},
        {"oldest_at": "x"}, {"oldest_at": 7}, {"version": "<b>"}, {"version": "x" * 41},
        {"version": None}, {"at": "9999-12-31T23:59:59+00:00x"},
    ],
    ids=str,
)  # fmt: skip
def test_what_no_kiosk_would_say_is_refused(app, client, facts, door_tokens, changes):
    assert beat(client, door_tokens["counter"], **changes).status_code == 422
    assert known(app, facts.doors["counter"]).seen_at is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 900, b"1" * 5000])
def test_a_beat_that_is_no_object_is_refused(client, door_tokens, body):
    path = f"/k/{door_tokens['counter']}/beat"
    answer = client.post(path, data=body, content_type="application/json")

    assert answer.status_code == 422
    assert answer.json["code"] == "no_beat"


def test_only_a_counter_has_a_kiosk(client, door_tokens):
    assert beat(client, door_tokens["dossier"]).status_code == 422
    assert beat(client, "nowhere").status_code == 404


def test_a_closed_door_still_tells_what_it_holds(app, client, facts, door_tokens):
    writer = app.extensions["sipas"].writer
    door = facts.doors["counter"]
    writer.run(lambda db: doors.close(db, door, now=MORNING, actor="shell:test"))
    answer = beat(client, door_tokens["counter"], unsent=2)

    assert answer.json["open"] is False
    assert known(app, door).unsent == 2


def test_the_page_marks_who_is_silent_with_words(app, staff, facts, monkeypatch):
    monkeypatch.setattr(silence, "working", lambda now: True)
    seen(app, facts.doors["counter"], ago=timedelta(hours=3), unsent=12, offset=-900, version="old")
    seen(app, facts.doors["household"], ago=timedelta(seconds=30))
    page = staff.get("/kiosks").text

    assert "2 ki-ốt · 1 im lặng · 12 phiếu chờ gửi" in page
    assert "Im lặng 3 giờ" in page
    assert "từ 08:05 ngày 20/11/2026" in page
    assert "chậm 15 phút" in page
    assert "cũ, tự tải lại khi không có ai" in page
    assert "đang chạy" in page
    assert page.index("Quầy 3") < page.index("Phường Minh Xuân</th>")


def test_a_counter_without_a_kiosk_is_not_called_silent(staff):
    page = staff.get("/kiosks").text

    assert "Chưa mở ki-ốt" in page
    assert "0 im lặng" in page


@pytest.mark.parametrize(
    ("hour", "minute", "day", "open"),
    [(6, 59, 23, False), (7, 0, 23, True), (17, 30, 23, True), (17, 31, 23, False),
     (9, 0, 22, False), (9, 0, 28, True)],
)  # fmt: skip
def test_offices_have_hours(hour, minute, day, open):
    there = datetime(2026, 11, day, hour, minute, tzinfo=kiosks.clock.VIETNAM)

    assert silence.working(there) is open


def test_silence_outside_office_hours_is_no_alarm(app, staff, facts, monkeypatch):
    monkeypatch.setattr(silence, "working", lambda now: False)
    seen(app, facts.doors["counter"], ago=timedelta(hours=37))
    assert "ngoài giờ làm việc" in staff.get("/kiosks").text

    seen(app, facts.doors["counter"], ago=timedelta(days=3), offset=7 * 3600)
    page = staff.get("/kiosks").text
    assert "Im lặng 3 ngày" in page
    assert "nhanh 7 giờ" in page


def test_a_member_sees_the_kiosks_of_the_own_unit_only(app, client):
    client.login("neighbour")
    assert "Chưa có ki-ốt nào" in client.get("/kiosks").text
    client.logout()
    client.login("member")
    assert "Quầy 3" in client.get("/kiosks").text
    assert client.get(f"/kiosks?unit={LAI_CHAU}").status_code == 403


def test_only_administrators_set_a_kiosk(client, facts):
    client.login("member")

    assert "/kiosks/" not in client.get("/kiosks").text
    assert client.get(f"/kiosks/{facts.doors['counter']}").status_code == 403


def test_settings_are_kept_delivered_and_written_down(app, staff, facts, door_tokens):
    path = f"/kiosks/{facts.doors['counter']}"
    answer = staff.send(path, idle="120", language="en", large="1", contrast="1")

    assert (answer.status_code, answer.location) == (303, "/kiosks")
    told = {"idle": 120, "language": "en", "large": True, "contrast": True, "sound": False}
    assert beat(staff, door_tokens["counter"]).json["settings"] == told
    with app.app_context():
        row = db.get().execute("SELECT * FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    assert (row["actor"], row["action"]) == ("staff:administrator", "door.set")
    assert json.loads(row["detail"]) == told


def test_settings_saved_unchanged_leave_no_mark(app, staff, facts):
    def marks():
        with app.app_context():
            return db.get().execute("SELECT count(*) FROM audit").fetchone()[0]

    before = marks()
    staff.send(f"/kiosks/{facts.doors['counter']}", idle="60", language="", sound="1")

    assert marks() == before


@pytest.mark.parametrize("idle", ["", "19", "301", "abc", "6٠", "-60", "60.5", "99999"])
def test_an_idle_time_nobody_could_answer_in_is_refused(staff, facts, idle):
    answer = staff.send(f"/kiosks/{facts.doors['counter']}", idle=idle, large="1")

    assert answer.status_code == 422
    assert "Số giây phải là số nguyên từ 20 đến 300" in answer.text
    assert 'name="large" value="1" checked' in answer.text


def test_an_unknown_language_is_refused(staff, facts):
    answer = staff.send(f"/kiosks/{facts.doors['counter']}", idle="60", language="xx")

    assert answer.status_code == 422
    assert "Chọn một ngôn ngữ trong danh sách." in answer.text


def test_a_door_that_is_no_counter_has_no_settings(staff, facts):
    assert staff.get(f"/kiosks/{facts.doors['dossier']}").status_code == 404
    assert staff.get("/kiosks/9999").status_code == 404


def test_the_store_refuses_what_the_page_would(app, facts):
    writer = app.extensions["sipas"].writer
    settings = doors.Settings(idle=90)

    with pytest.raises(ValueError, match="idle"):
        doors.Settings(idle=10)
    with pytest.raises(ValueError, match="language"):
        doors.Settings(language="../x")
    with pytest.raises(ValueError, match="counter"):
        writer.run(
            lambda db: doors.adjust(
                db, facts.doors["dossier"], settings, now=MORNING, actor="shell:test"
            )
        )


def test_the_command_sets_a_kiosk_and_leaves_the_rest(instance, facts):
    from click.testing import CliRunner

    from survey.cli import main

    def sipas(*words):
        return CliRunner().invoke(main, ["--instance", str(instance), "door", "set", *words])

    number = str(facts.doors["counter"])
    first = sipas(number, "--idle", "90", "--large", "on")
    then = sipas(number, "--sound", "off")

    assert "chờ 90 giây" in first.output
    assert "chờ 90 giây, ngôn ngữ theo địa chỉ, chữ to, không âm thanh" in then.output
    assert sipas(number, "--idle", "5").exit_code == 2
    assert "không phải của một quầy" in sipas(str(facts.doors["dossier"])).output
    assert "Không có địa chỉ số 9999." in sipas("9999").output
