"""The people of the field work: made by their supervisor, in the own unit, never above."""

import re
from contextlib import closing

import pytest
from field_work import audited
from paper_wave import AWAY, HOME, PASSWORD

from survey import db
from survey.store import people

URL = "/field/people"
NEW = {"name": "Lò Thị Ba", "username": "Ba.Lo", "role": "interviewer", "unit": HOME}


@pytest.fixture
def store(paper, settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def press(client, number, do):
    return client.send(URL, to=f"{URL}/{number}", do=do)


def test_a_supervisor_lists_the_people_of_the_own_unit(client, paper):
    client.login("giamsat")
    page = text(client.get(URL))

    assert "(dieutra)" in page
    assert "Người đối chiếu" in page
    for other in ("nhapnoikhac", "(administrator)", "(member)"):
        assert other not in page


def test_a_new_interviewer_signs_in_with_the_first_password_and_changes_it(client, paper, store):
    client.login("giamsat")
    answer = client.send(URL, **NEW)
    password = re.search(r'class="code long">([^<]+)<', answer.text)[1]
    assert answer.headers["Cache-Control"] == "no-store"
    made = people.find(store, "ba.lo")
    assert (made.role, made.unit, made.must_change) == ("interviewer", HOME, True)
    assert audited(store, "staff.add")[-1][:2] == ("staff:giamsat", "ba.lo")
    assert password not in client.get(URL).text

    client.send(URL, to="/logout")
    assert client.login("ba.lo", password).status_code == 303
    assert client.get("/field/mine").location == "/password"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""), ("username", "ba lo"), ("username", "x" * 101), ("name", ""),
        ("role", "administrator"), ("role", "field_supervisor"), ("role", "viewer"),
        ("unit", AWAY), ("unit", ""), ("unit", "vn34:999"),
    ],
)  # fmt: skip
def test_what_a_supervisor_may_not_make_is_told_with_what_was_typed(
    client, paper, store, field, value
):
    client.login("giamsat")
    answer = client.send(URL, **NEW | {field: value})

    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    if field != "name":
        assert "Lò Thị Ba" in answer.text
    assert people.find(store, "ba.lo") is None


def test_a_user_name_that_is_taken_is_told(client, paper):
    client.login("giamsat")
    answer = client.send(URL, **NEW | {"username": "DIEUTRA"})

    assert answer.status_code == 422
    assert "đã có người dùng" in answer.text


def test_only_an_administrator_makes_supervisors(client, paper, store):
    client.login("administrator")
    answer = client.send(URL, **NEW | {"role": "field_supervisor", "unit": AWAY})

    assert answer.status_code == 200
    assert people.find(store, "ba.lo").unit == AWAY


def test_an_account_is_shut_opened_and_given_a_new_password(client, paper, store, app):
    number = paper.staff["dieutra"]
    theirs = app.test_client()
    theirs.login("dieutra")
    client.login("giamsat")

    assert press(client, number, "disable").status_code == 303
    assert theirs.get("/field/mine").status_code == 303  # signed out
    assert theirs.login("dieutra", PASSWORD).status_code == 422
    assert press(client, number, "enable").status_code == 303
    assert theirs.login("dieutra", PASSWORD).status_code == 303
    answer = press(client, number, "reset")
    assert 'class="code long"' in answer.text
    assert people.get(store, number).must_change
    assert press(client, number, "promote").status_code == 400


def test_nobody_changes_themselves_their_equals_or_people_of_others(client, paper, store):
    client.login("administrator")
    client.send(URL, **NEW | {"role": "field_supervisor"})
    client.send(URL, to="/logout")
    client.login("giamsat")

    for name, status in (
        ("giamsat", 403), ("ba.lo", 403), ("nhapnoikhac", 404), ("administrator", 404),
        ("member", 404),
    ):  # fmt: skip
        assert press(client, people.find(store, name).id, "disable").status_code == status, name
        assert not people.find(store, name).disabled
    assert press(client, 999, "disable").status_code == 404
