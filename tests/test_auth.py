"""Signing in and out: who gets in, who waits, and what a session is worth."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from small_wave import PASSWORD

from survey import create_app, db, guard
from survey.office import passwords
from survey.office.passwords import TRIES, TRIES_OF_ADDRESS, weakness
from survey.store import clock, people

NEW = "con ngựa trắng ăn cỏ ngoài đồng"


def wrong(client, name="administrator", password="không phải mật khẩu"):
    return client.login(name, password)


def audited(settings):
    with closing(db.connect(settings.database)) as store:
        rows = store.execute("SELECT actor, action, subject FROM audit ORDER BY seq").fetchall()
    return [tuple(row) for row in rows]


def test_the_right_password_opens_the_results(client):
    answer = client.login()

    assert (answer.status_code, answer.location) == (303, "/board")
    assert client.get("/board").status_code == 200


def test_the_user_name_may_be_typed_in_capitals_and_decomposed(client):
    assert client.login(" ADMINISTRATOR ").status_code == 303


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(client):
    known, unknown = wrong(client), wrong(client, "nobody")

    assert known.status_code == unknown.status_code == 422
    assert "Tên đăng nhập hoặc mật khẩu chưa đúng." in known.text
    assert "Tên đăng nhập hoặc mật khẩu chưa đúng." in unknown.text
    assert client.get("/board").status_code == 303


def test_an_empty_form_names_both_fields(client):
    answer = client.send("/login", username="", password="")

    assert answer.status_code == 422
    assert 'href="#username">Nhập tên đăng nhập.' in answer.text
    assert 'href="#password">Nhập mật khẩu.' in answer.text


def test_an_unknown_name_takes_as_long_as_a_known_one(client, settings):
    with closing(db.connect(settings.database)) as store:
        member = people.find(store, "member")
        people.set_password(store, member.id, people.hashed(NEW), now=clock.now())

    def seconds(name):
        began = time.perf_counter()
        wrong(client, name)
        return time.perf_counter() - began

    wrong(client, "warm up the dummy hash")
    known = min(seconds("member") for _ in range(3))
    unknown = min(seconds("nobody") for _ in range(3))

    assert 0.5 < unknown / known < 2


def test_known_and_unknown_names_leave_the_same_traces(client, settings):
    wrong(client), wrong(client, "nobody")

    assert [row[1] for row in audited(settings)[-2:]] == ["staff.login_refused"] * 2
    with closing(db.connect(settings.database)) as store:
        keys = [row[0] for row in store.execute("SELECT key FROM rate")]
    assert len(keys) == 3  # two names, one address
    assert not any("nobody" in key or "127.0.0.1" in key for key in keys)


def test_five_wrong_tries_pause_the_account_even_for_the_right_password(client):
    for _ in range(TRIES):
        assert wrong(client).status_code == 422
    answer = client.login()

    assert answer.status_code == 429
    assert "Chờ 15 phút" in answer.text
    assert client.login("member").status_code == 303, "other accounts go on"


def test_a_name_nobody_has_pauses_alike(client):
    for _ in range(TRIES):
        wrong(client, "nobody")

    assert wrong(client, "nobody").status_code == 429


def test_the_right_password_forgets_the_wrong_ones(client):
    for _ in range(2):
        for _ in range(TRIES - 1):
            wrong(client)
        assert client.login().status_code == 303
        client.logout()


def test_many_wrong_tries_at_once_are_all_counted(app):
    def attempt(_):
        return wrong(app.test_client()).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(attempt, range(12)))

    assert codes.count(422) == TRIES


def test_one_address_may_not_try_name_after_name(client, monkeypatch):
    monkeypatch.setattr("survey.office.passwords.TRIES_OF_ADDRESS", 3)
    for number in range(3):
        assert wrong(client, f"name{number}").status_code == 422
    answer = client.login()

    assert answer.status_code == 429
    assert "Nơi này" in answer.text
    assert TRIES_OF_ADDRESS > 3 * TRIES, "a whole office may stand behind one address"


def test_a_flood_of_logins_waits_for_a_turn_and_is_not_counted(client, monkeypatch):
    monkeypatch.setattr(passwords, "PATIENCE", 0.01)
    for _ in range(passwords.CHECKS):
        passwords._checks.acquire()
    try:
        answers = [client.login() for _ in range(TRIES + 1)]
    finally:
        for _ in range(passwords.CHECKS):
            passwords._checks.release()

    assert {answer.status_code for answer in answers} == {429}
    assert "Thử lại sau ít giây." in answers[0].text
    assert client.login().status_code == 303


def test_a_disabled_account_stays_out(client, settings):
    with closing(db.connect(settings.database)) as store:
        member = people.find(store, "member")
        people.disable(store, member.id, True, now=clock.now(), actor="shell:test")

    assert client.login("member").status_code == 422


def test_a_disabled_account_is_thrown_out_at_once(client, settings):
    client.login("member")
    with closing(db.connect(settings.database)) as store:
        member = people.find(store, "member")
        people.disable(store, member.id, True, now=clock.now(), actor="shell:test")

    assert client.get("/board").location.startswith("/login")


def test_the_cookie_is_for_the_server_only(client):
    cookie = SimpleCookie(client.login().headers["Set-Cookie"])["sipas"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]


def test_behind_tls_the_cookie_travels_encrypted_only(settings):
    app = create_app(replace(settings, behind_tls=True, secure_cookies=True))
    answer = app.test_client().get("/login", base_url="https://sipas.example")
    app.extensions["sipas"].writer.close()

    assert answer.headers["Set-Cookie"].startswith("__Host-sipas=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Path=/" in answer.headers["Set-Cookie"]


def test_signing_in_begins_a_new_session(client):
    client.get("/login")
    with client.session_transaction() as session:
        session["planted"] = "x"
        before = session["csrf_token"]
    client.login()

    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


def test_a_forged_cookie_is_no_session(client):
    client.set_cookie("sipas", "eyJzdGFmZiI6MX0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")

    assert client.get("/board").location == "/login?next=/board"


def test_signing_out_ends_this_session_for_a_copy_of_its_cookie_too(app):
    here, copy, there = app.test_client(), app.test_client(), app.test_client()
    here.login(), there.login()
    copy.set_cookie("sipas", here.get_cookie("sipas").value)
    assert copy.get("/board").status_code == 200
    assert here.logout().location == "/login"

    assert here.get("/board").status_code == 303
    assert copy.get("/board").status_code == 303
    assert there.get("/board").status_code == 200, "another session goes on"


def test_signing_out_takes_a_post_with_a_token(staff):
    assert staff.get("/logout").status_code == 405
    assert staff.post("/logout").status_code == 400
    assert staff.get("/board").status_code == 200


@pytest.mark.parametrize("age", [guard.IDLE + 1, guard.LONGEST + 1])
def test_a_session_ends_by_itself(staff, age):
    with staff.session_transaction() as session:
        session["began" if age > guard.LONGEST else "seen"] -= age
    answer = staff.get("/board/ho-2026")

    assert answer.location == "/login?next=/board/ho-2026&expired=True"
    assert "Phiên làm việc đã hết" in staff.get(answer.location).text


def test_a_clock_that_steps_back_throws_nobody_out(staff, monkeypatch):
    past = time.time() - 3600
    monkeypatch.setattr("time.time", lambda: past)

    page = staff.get("/password")
    assert page.status_code == 200
    assert "chưa đúng" in staff.send("/password", current="x" * 15, new=NEW, again=NEW).text


def test_after_signing_in_the_page_that_was_asked_for_opens(client):
    asked = client.get("/board/ho-2026?unit=vn34:08").location
    answer = client.send(asked, username="administrator", password=PASSWORD)

    assert answer.location == "/board/ho-2026?unit=vn34:08"


@pytest.mark.parametrize(
    "wish", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "x"]
)
def test_signing_in_leads_nowhere_else(client, wish):
    page = client.get("/login", query_string={"next": wish})
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "username": "administrator", "password": PASSWORD}

    assert client.post("/login", query_string={"next": wish}, data=data).location == "/board"


def test_a_first_password_is_changed_before_anything_else(client):
    assert client.login("newcomer").status_code == 303
    assert client.get("/board").location == "/password"
    assert "mật khẩu tạm" in client.get("/password").text
    answer = client.send("/password", current=PASSWORD, new=NEW, again=NEW)

    assert answer.location == "/board"
    assert "Đã đổi mật khẩu" in client.get("/board").text
    assert client.get("/board").status_code == 200


def test_a_changed_password_ends_the_other_sessions_and_is_the_only_one(app, settings):
    here, there = app.test_client(), app.test_client()
    here.login(), there.login()
    here.send("/password", current=PASSWORD, new=NEW, again=NEW)

    assert here.get("/board").status_code == 200
    assert there.get("/board").status_code == 303
    assert there.login().status_code == 422
    assert there.login(password=NEW).status_code == 303
    assert ("staff:administrator", "staff.password", "administrator") in audited(settings)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"new": "ngắn quá"}, "Mật khẩu mới có 8 ký tự, cần ít nhất 15."),
        ({"new": "x" * 201}, "tối đa 200"),
        ({"new": PASSWORD, "again": PASSWORD}, "phải khác mật khẩu đang dùng"),
        ({"new": "Administrator 2026!"}, "không được chứa tên đăng nhập"),
        ({"new": "aaaaaaaaaaaaaaaaaaaa"}, "lặp lại vài ký tự"),
        ({"again": "một câu khác hẳn câu kia"}, "Hai lần nhập mật khẩu mới khác nhau."),
        ({"current": "không phải mật khẩu"}, "Mật khẩu đang dùng chưa đúng."),
        ({"current": ""}, "Nhập mật khẩu đang dùng."),
    ],
)
def test_a_bad_new_password_is_refused_and_the_old_one_stays(staff, fields, says):
    answer = staff.send("/password", **{"current": PASSWORD, "new": NEW, "again": NEW} | fields)

    assert answer.status_code == 422
    assert says in answer.text
    assert staff.get("/board").status_code == 200


def test_a_short_user_name_is_part_of_many_words():
    assert weakness("mùa xuân ở quê hương tôi", "an") == ""


def test_guessing_at_the_password_page_is_counted_too(staff):
    for _ in range(TRIES):
        staff.send("/password", current="không phải mật khẩu", new=NEW, again=NEW)

    answer = staff.send("/password", current=PASSWORD, new=NEW, again=NEW)
    assert "Chờ 15 phút" in answer.text
