"""Invitations: one use, an end, and nothing told to whoever holds a link that is over."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from office_people import ACT, add, audited
from small_wave import COMMUNE, NOW, PASSWORD, TUYEN_QUANG

from survey import db
from survey.store import Refused, clock, invitations, people

OWN = "câu mật khẩu của riêng mơ"
WISH = {"name": "Lê Thị Mơ", "username": "mo", "role": "analyst", "unit": TUYEN_QUANG,
        "officer": "TT-09", "do": "invite"}  # fmt: skip


@pytest.fixture
def chief(client, settings):
    add(settings)
    client.login("chief")
    return client


def link(client, **changes):
    page = client.send("/office/people", **WISH | changes)
    return re.search(r"/invite/[\w-]+", page.text)[0]


def joined(client, path, **changes):
    return client.post(path, data={"username": "mo", "new": OWN, "again": OWN} | changes)


def held(settings, name="mo"):
    with closing(db.connect(settings.database)) as store:
        return people.find(store, name)


def over(answer):
    return (
        answer.status_code == 410
        and "Lời mời này không còn dùng được." in answer.text
        and "Mơ" not in answer.text
        and "Tuyên Quang" not in answer.text
    )


def test_a_link_makes_the_account_it_promises_with_a_password_of_ones_own(app, chief, settings):
    path, guest = link(chief), app.test_client()
    page = guest.get(path)
    assert "Lê Thị Mơ" in page.text
    assert "tỉnh Tuyên Quang" in page.text
    assert 'value="mo"' in page.text
    assert "Set-Cookie" not in page.headers

    answer = joined(guest, path)
    person = held(settings)
    assert answer.status_code == 303
    assert (person.role, person.unit, person.officer) == ("analyst", TUYEN_QUANG, "TT-09")
    assert not person.must_change
    assert guest.get("/board").status_code == 200, "and lets in"
    assert guest.get("/account/sessions").status_code == 200
    assert app.test_client().login("mo", OWN).status_code == 303
    assert audited(settings, "staff.invite") == [("staff:chief", "mo")]
    assert ("staff:mo", "mo") in audited(settings, "staff.add")


def test_a_user_name_of_ones_own_may_be_chosen(app, chief, settings):
    joined(app.test_client(), link(chief), username="Lê.Mơ")

    assert held(settings, "lê.mơ")
    assert held(settings) is None


def test_a_link_works_once(app, chief):
    path = link(chief)
    assert joined(app.test_client(), path).status_code == 303

    assert over(app.test_client().get(path))
    assert over(joined(app.test_client(), path, username="khac"))


def test_a_link_sent_from_many_sides_at_once_makes_one_account(app, chief, settings):
    path = link(chief)
    with ThreadPoolExecutor(4) as pool:
        codes = list(
            pool.map(lambda n: joined(app.test_client(), path, username=f"mo{n}").status_code,
                     range(4))
        )  # fmt: skip

    assert sorted(codes) == [303, 410, 410, 410]
    assert sum(held(settings, f"mo{n}") is not None for n in range(4)) == 1


def test_a_link_that_nobody_made_or_that_is_over_says_the_same(app, chief, settings):
    path = link(chief)
    with closing(db.connect(settings.database)) as store, db.write(store):
        store.execute("UPDATE invitation SET expires_at = ?", (clock.stamp(clock.now()),))

    guest = app.test_client()
    assert over(guest.get(path))
    assert over(guest.get("/invite/" + "x" * 43))
    assert guest.get(path).text == guest.get("/invite/y").text


def test_a_link_ends_with_the_rights_of_who_gave_it(app, chief, settings):
    path = link(chief)
    with closing(db.connect(settings.database)) as store:
        people.disable(store, people.find(store, "chief").id, True, **ACT)

    assert over(app.test_client().get(path))


def test_a_link_is_withdrawn_and_a_new_one_ends_the_old_one(app, chief, settings):
    first = link(chief)
    page = chief.get("/office/people")
    assert "Lời mời chưa dùng" in page.text
    number = re.search(r"/office/people/invitations/(\d+)", page.text)[1]
    again = chief.send("/office/people", to=f"/office/people/invitations/{number}", do="renew")
    second = re.search(r"/invite/[\w-]+", again.text)[0]
    assert over(app.test_client().get(first))
    assert app.test_client().get(second).status_code == 200

    number = re.search(r"/office/people/invitations/(\d+)", chief.get("/office/people").text)[1]
    gone = chief.send("/office/people", to=f"/office/people/invitations/{number}", do="withdraw")
    assert gone.status_code == 303
    assert over(app.test_client().get(second))
    assert audited(settings, "staff.uninvite") == [("staff:chief", "mo")] * 2


def test_another_units_invitation_is_as_if_it_were_not(app, chief, settings):
    path, other = link(chief), app.test_client()
    other.login("other")
    assert "Mơ" not in other.get("/office/people").text
    for do in ("withdraw", "renew"):
        answer = other.send("/office/people", to="/office/people/invitations/1", do=do)
        assert answer.status_code == 404

    assert app.test_client().get(path).status_code == 200


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"new": "ngắn", "again": "ngắn"}, "cần ít nhất 15"),
        ({"again": "một câu khác hẳn câu kia"}, "khác nhau"),
        ({"username": ""}, "Nhập tên đăng nhập."),
        ({"username": "hai từ"}, "không có dấu cách"),
        ({"username": "member"}, "đã có người dùng"),
        ({"username": "mật khẩu"}, "không có dấu cách"),
        ({"username": "riêng", "new": "câu của riêng tôi đây", "again": "câu của riêng tôi đây"},
         "không được chứa tên đăng nhập"),
    ],
)  # fmt: skip
def test_a_bad_name_or_password_is_said_and_the_link_stays(app, chief, settings, changes, says):
    path = link(chief)
    answer = joined(app.test_client(), path, **changes)

    assert answer.status_code == 422
    assert says in answer.text
    assert held(settings) is None
    assert joined(app.test_client(), path).status_code == 303


def test_the_token_is_nowhere_kept(chief, settings):
    token = link(chief).removeprefix("/invite/")
    with closing(db.connect(settings.database)) as store:
        assert token not in "\n".join(store.iterdump())


def test_nobody_invites_above_the_own_rights(settings):
    add(settings)
    with closing(db.connect(settings.database)) as store:
        ward, viewer = people.find(store, "ward"), people.find(store, "member")
        for inviter, unit in ((ward, TUYEN_QUANG), (ward, ""), (viewer, COMMUNE)):
            wish = invitations.Wish(username="x", name="X", role="viewer", unit=unit)
            with pytest.raises(Refused, match="no_right"):
                invitations.make(store, wish, inviter=inviter, now=NOW)


def test_a_link_lasts_a_week(settings):
    with closing(db.connect(settings.database)) as store:
        wish = invitations.Wish(username="x", name="X", role="viewer")
        _, token = invitations.make(store, wish, inviter=people.get(store, 1), now=NOW)
        assert invitations.find(store, token, now=NOW + timedelta(days=6, hours=23)).wish == wish
        with pytest.raises(Refused, match="invitation"):
            invitations.find(store, token, now=NOW + timedelta(days=7))


def test_where_mail_is_set_up_the_link_is_sent_and_not_shown(chief, settings, monkeypatch):
    monkeypatch.setenv("SIPAS_MAIL", "file")
    page = chief.send("/office/people", **WISH, mail="mo@tinh.gov.vn")
    [file] = (settings.instance / "mail").glob("*.jsonl")
    letter = json.loads(file.read_text("utf-8"))

    assert "Đã gửi tới mo@tinh.gov.vn" in page.text
    assert "/invite/" not in page.text
    assert letter["to"] == "mo@tinh.gov.vn"
    assert re.search(r"http://localhost/invite/[\w-]{43}\n", letter["text"])


def test_a_letter_that_does_not_go_leaves_the_link_to_hand_over(chief, settings, monkeypatch):
    monkeypatch.setenv("SIPAS_MAIL", "file")
    (settings.instance / "mail").write_text("in the way")
    page = chief.send("/office/people", **WISH, mail="mo@tinh.gov.vn")

    assert "Chưa gửi được thư tới mo@tinh.gov.vn" in page.text
    assert "/invite/" in page.text


def test_an_address_that_is_none_is_refused(chief):
    answer = chief.send("/office/people", **WISH, mail="mo@tinh\nBcc: x@y.vn")

    assert answer.status_code == 422
    assert "Địa chỉ thư chưa đúng" in answer.text


def test_a_guest_who_is_signed_in_as_somebody_else_becomes_the_new_one(app, chief):
    path, guest = link(chief), app.test_client()
    guest.login("member", PASSWORD)
    joined(guest, path)

    assert "Lê Thị Mơ" in guest.get("/account/sessions").text
