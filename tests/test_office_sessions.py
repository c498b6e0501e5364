"""Sessions: each is listed for its owner, and ended one by one or all at once."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta

import pytest
from office_people import add, audited
from small_wave import NOW, PASSWORD

from survey import db, guard
from survey.office import devices
from survey.store import sessions

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0 Safari/537.36": "Chrome trên Windows",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/131.0 Safari/537.36 Edg/131.0": "Edge trên Windows",
    "Mozilla/5.0 (Windows NT 10.0) coc_coc_browser/120 Chrome/114 Safari": "Cốc Cốc trên Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1": "Safari trên iPhone",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox trên Linux",
    "Mozilla/5.0 (Linux; Android 14) Chrome/131.0 Mobile Safari": "Chrome trên Android",
    "curl/8.5": "curl",
    "": "Trình duyệt khác",
    "<script>alert(1)</script>": "Trình duyệt khác",
}


@pytest.fixture
def two(app):
    """The same account in two browsers."""
    here, there = app.test_client(), app.test_client()
    here.login()
    there.environ_base["HTTP_USER_AGENT"] = next(iter(AGENTS))
    there.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    there.login()
    return here, there


def listed(client):
    page = client.get("/account/sessions").text
    return dict(re.findall(r'name="session" value="(\w+)" aria-label="([^"]+)"', page))


@pytest.mark.parametrize(("agent", "words"), AGENTS.items())
def test_a_browser_is_known_by_its_name(agent, words):
    assert devices.words(agent) == words


def test_the_owner_sees_every_session_and_which_one_this_is(two):
    found = listed(two[0])

    assert len(found) == 2
    assert next(iter(found.values())).startswith("Kết thúc phiên Chrome trên Windows")
    page = two[0].get("/account/sessions").text
    assert page.count("phiên này</span>") == 1
    assert "mạng khác" in page


def test_no_address_and_no_cookie_is_kept(two, settings):
    with closing(db.connect(settings.database)) as store:
        rows = [tuple(row) for row in store.execute("SELECT * FROM staff_session")]
    with two[1].session_transaction() as held:
        token = held["id"]

    assert "203.0.113.9" not in str(rows)
    assert token not in str(rows)
    assert sessions.digest(token) in str(rows)


def test_one_session_is_ended_at_once(two, settings):
    here, there = two
    [other] = [id for id, words in listed(here).items() if "Windows" in words]
    here.send("/account/sessions", session=other)

    assert there.get("/board").location.startswith("/login")
    assert here.get("/board").status_code == 200
    assert audited(settings, "staff.end_session") == [("staff:administrator", "administrator")]
    assert "Phiên đã kết thúc gần đây" in here.get("/account/sessions").text
    here.send("/account/sessions", session=other)
    assert "đã kết thúc từ trước" in here.get("/account/sessions").text


def test_all_others_are_ended_with_one_button(two, settings):
    here, there = two
    here.send("/account/sessions", session="")

    assert there.get("/board").status_code == 303
    assert here.get("/board").status_code == 200
    assert len(audited(settings, "staff.end_sessions")) == 1


def test_ending_this_one_is_signing_out(two, settings):
    here, there = two
    [mine] = [id for id, words in listed(here).items() if words == "Đăng xuất"]

    assert here.send("/account/sessions", session=mine).location == "/login"
    assert here.get("/board").status_code == 303
    assert there.get("/board").status_code == 200
    assert len(audited(settings, "staff.logout")) == 1


def test_nobody_ends_a_session_of_somebody_else(app, two, settings):
    member = app.test_client()
    member.login("member")
    for id in listed(two[0]):
        member.send("/account/sessions", session=id)

    assert two[0].get("/board").status_code == two[1].get("/board").status_code == 200
    assert audited(settings, "staff.end_session") == []


def test_every_role_has_an_account_of_its_own(app, settings):
    add(settings)
    for name in ("auditor", "officer", "stranger"):
        client = app.test_client()
        client.login(name)
        for path in ("/account/sessions", "/account/factor", "/password"):
            assert client.get(path).status_code == 200
        assert client.send("/account/sessions", session="").status_code == 303


def test_the_row_says_when_a_session_was_used_last(staff, settings, app):
    with closing(db.connect(settings.database)) as store, db.write(store):
        store.execute("UPDATE staff_session SET seen_at = ?", ("2026-01-01T00:00:00.000Z",))
    staff.get("/board")
    app.extensions["sipas"].writer.run(lambda store: None)
    with closing(db.connect(settings.database)) as store:
        [row] = store.execute("SELECT seen_at FROM staff_session")

    assert row["seen_at"] > "2026-01-01T00:00:00.000Z"


def test_a_page_is_shown_although_that_cannot_be_written(staff, settings, app):
    with closing(db.connect(settings.database)) as store, db.write(store):
        store.execute("UPDATE staff_session SET seen_at = ?", ("2026-01-01T00:00:00.000Z",))
    app.extensions["sipas"].writer.close()

    assert staff.get("/board").status_code == 200


def test_a_cookie_without_its_row_is_none(staff, settings):
    with closing(db.connect(settings.database)) as store, db.write(store):
        store.execute("DELETE FROM staff_session")

    assert staff.get("/board").location.startswith("/login")


def test_rows_go_after_a_month(settings):
    with closing(db.connect(settings.database)) as store:
        begin = {"staff": 1, "device": "x", "place": "y", "factor": False}
        sessions.begin(store, "old", now=NOW, **begin)
        sessions.begin(store, "new", now=NOW + timedelta(days=31), **begin)
        late = NOW + timedelta(days=31, seconds=1)
        limits = {"idle": guard.IDLE, "longest": guard.LONGEST}

        assert sessions.get(store, "old") is None
        assert len(sessions.running(store, 1, now=late, **limits)) == 1
        assert sessions.running(store, 1, now=late + timedelta(hours=1), **limits) == []


def test_a_changed_password_leaves_one_session(two):
    here, there = two
    new = "con ngựa trắng ăn cỏ ngoài đồng"
    here.send("/password", current=PASSWORD, new=new, again=new)

    assert len(listed(here)) == 1
    assert there.get("/board").status_code == 303
