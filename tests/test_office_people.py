"""People and rights: made, moved and shut inside one's own unit, and never more than one has."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from office_people import ACT, add, audited
from small_wave import COMMUNE, LAI_CHAU, PASSWORD, TUYEN_QUANG

from survey import db
from survey.store import Refused, people

PERSON = {"name": "Lê Thị Mơ", "username": "mo", "role": "viewer"}


@pytest.fixture
def ids(settings):
    return add(settings)


@pytest.fixture
def chief(client, ids):
    """The administrator of a province."""
    client.login("chief")
    return client


def made(client, unit="", do="add", **changes):
    values = PERSON | {"unit": unit, "do": do} | changes
    return client.send("/office/people", **values)


def moved(client, number, **changes):
    """Send the form of a person with what it shows, and these changes."""
    page = client.get(f"/office/people/{number}").text
    fields = dict(re.findall(r'name="(seen_\w+)" value="([^"]*)"', page))
    shown = {name.removeprefix("seen_"): value for name, value in fields.items()}
    return client.send(f"/office/people/{number}", do="save", **fields, **shown | changes)


def held(settings, name):
    with closing(db.connect(settings.database)) as store:
        return people.find(store, name)


def test_the_page_shows_the_tree_with_its_people(staff, ids):
    page = staff.get("/office/people").text
    assert "Người của cả hệ thống" in page
    assert re.search(r"Tỉnh Tuyên Quang</a> <strong>6</strong>", page)

    below = staff.get(f"/office/people?unit={TUYEN_QUANG}").text
    assert "Chief" in below
    assert "Người của tỉnh Tuyên Quang" in below
    assert re.search(r"Phường Minh Xuân</a> <strong>2</strong>", below)


def test_a_unit_administrator_sees_the_own_part_only(chief):
    page = chief.get("/office/people").text

    assert "Người của tỉnh Tuyên Quang" in page
    assert "Lai Châu" not in page
    assert "Cả hệ thống" not in page
    for unit in (LAI_CHAU, "vn34:00", "vn34:999"):
        assert chief.get(f"/office/people?unit={unit}").status_code == 403


def test_a_search_finds_without_diacritics_and_never_outside(chief, staff_of):
    assert "Member" in chief.get("/office/people?q=membér").text
    page = chief.get("/office/people?q=neighbour").text
    assert "Không có người nào" in page
    assert "office/people/" not in page.partition("<main")[2].replace("/office/people?", "")


@pytest.fixture
def staff_of(settings):
    return settings


def test_an_account_is_made_with_a_first_password_shown_once(chief, settings):
    page = made(chief, COMMUNE)
    secret = re.search(r'class="code long">([^<]+)', page.text)[1]
    person = held(settings, "mo")

    assert (person.unit, person.role, person.must_change) == (COMMUNE, "viewer", True)
    assert people.matches(person, secret)
    assert ("staff:chief", "mo") in audited(settings, "staff.add")


@pytest.mark.parametrize("unit", ["", LAI_CHAU, "vn34:00"])
@pytest.mark.parametrize("do", ["add", "invite"])
def test_nobody_is_made_outside_the_own_unit(chief, settings, unit, do):
    page = chief.get("/office/people").text
    token = re.search(r'name="csrf_token" value="([^"]+)', page)[1]
    data = PERSON | {"unit": unit, "do": do, "csrf_token": token}
    answer = chief.post("/office/people", data=data)
    if unit:
        assert answer.status_code == 403
        assert "Lai Châu" not in answer.text
        assert held(settings, "mo") is None
    else:  # an empty unit is the reader's own
        assert answer.status_code == 200
        assert do == "invite" or held(settings, "mo").unit == TUYEN_QUANG


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "Nhập họ và tên"),
        ({"username": "có dấu cách"}, "không có dấu cách"),
        ({"role": "king"}, "Chọn một vai trò."),
        ({"officer": "x" * 101}, "Mã cán bộ dài quá"),
        ({"username": "member"}, "đã có người dùng"),
    ],
)
def test_a_faulty_person_comes_back_with_what_was_typed(chief, changes, says):
    answer = made(chief, COMMUNE, **changes)

    assert answer.status_code == 422
    assert says in answer.text
    if "name" not in changes:
        assert 'value="Lê Thị Mơ"' in answer.text


def test_a_person_is_moved_and_the_sessions_end(app, chief, ids, settings):
    member = app.test_client()
    member.login("member")
    answer = moved(chief, ids["member"], role="analyst", unit=COMMUNE, officer="TT-01")

    assert answer.status_code == 303
    person = held(settings, "member")
    assert (person.role, person.unit, person.officer) == ("analyst", COMMUNE, "TT-01")
    assert member.get("/board").status_code == 303
    with closing(db.connect(settings.database)) as store:
        [row] = store.execute("SELECT detail FROM audit WHERE action = 'staff.change'")
    assert '"role": ["viewer", "analyst"]' in row["detail"]


@pytest.mark.parametrize("unit", ["", LAI_CHAU, "vn34:00", "nowhere"])
def test_nobody_is_moved_out_of_the_own_unit(chief, ids, settings, unit):
    answer = moved(chief, ids["member"], unit=unit)

    assert answer.status_code == 422
    assert "Chọn một đơn vị" in answer.text
    assert held(settings, "member").unit == TUYEN_QUANG


def test_a_ward_makes_nobody_of_the_province(client, ids, settings):
    client.login("ward")

    assert moved(client, ids["officer"], unit=TUYEN_QUANG, role="administrator").status_code == 422
    assert held(settings, "officer").role == "officer"


@pytest.mark.parametrize("name", ["administrator", "auditor", "other", "neighbour", "stranger"])
@pytest.mark.parametrize("do", ["save", "reset", "end", "factor", "disable"])
def test_people_of_elsewhere_are_as_if_they_were_not(chief, ids, settings, name, do):
    before = held(settings, name)
    assert chief.get(f"/office/people/{ids[name]}").status_code == 404
    token = re.search(r'name="csrf_token" value="([^"]+)', chief.get("/office/people").text)[1]
    data = {"csrf_token": token, "do": do, "name": "x", "role": "viewer", "unit": TUYEN_QUANG}
    answer = chief.post(f"/office/people/{ids[name]}", data=data)

    assert answer.status_code == 404
    assert before.name not in answer.text
    assert held(settings, name) == before


@pytest.mark.parametrize("do", ["save", "reset", "end", "factor", "disable"])
def test_nobody_changes_or_shuts_oneself(chief, ids, settings, do):
    before = held(settings, "chief")
    page = chief.get(f"/office/people/{ids['chief']}")
    assert "Không ai đổi quyền" in page.text
    answer = chief.send("/office/people", to=f"/office/people/{ids['chief']}", do=do)

    assert answer.status_code == 403
    assert held(settings, "chief") == before


def test_the_last_administrator_of_the_whole_stays(settings, ids):
    with closing(db.connect(settings.database)) as store:
        people.disable(store, ids["newcomer"], True, **ACT)
        last = people.find(store, "administrator")
        down = people.Post(last.name, "viewer", "", "")
        with pytest.raises(Refused, match="last_administrator"):
            people.disable(store, last.id, True, **ACT)
        with pytest.raises(Refused, match="last_administrator"):
            people.move(store, last.id, down, seen=people.post(last), **ACT)
        renamed = people.Post("Người khác", "administrator", "", "")
        assert people.move(store, last.id, renamed, seen=people.post(last), **ACT).name


def test_two_administrators_do_not_overwrite_each_other(app, chief, ids, settings):
    page = chief.get(f"/office/people/{ids['member']}").text
    fields = dict(re.findall(r'name="(seen_\w+)" value="([^"]*)"', page))
    token = re.search(r'name="csrf_token" value="([^"]+)', page)[1]
    second = app.test_client()
    second.login()
    assert moved(second, ids["member"], name="Tên mới").status_code == 303
    data = fields | {"csrf_token": token, "do": "save", "name": "Tên khác", "role": "analyst",
                     "unit": TUYEN_QUANG, "officer": ""}  # fmt: skip
    answer = chief.post(f"/office/people/{ids['member']}", data=data)

    assert answer.status_code == 409
    assert "Administrator đã sửa người này lúc" in answer.text
    assert 'value="Tên khác"' in answer.text
    assert held(settings, "member").name == "Tên mới"


def test_an_account_is_shut_and_opened_and_reset(app, chief, ids, settings):
    member = app.test_client()
    member.login("member")
    path = f"/office/people/{ids['member']}"
    assert chief.send(path, do="disable").status_code == 303
    assert member.get("/board").status_code == 303
    assert member.login("member").status_code == 422
    assert chief.send(path, do="enable").status_code == 303
    assert member.login("member").status_code == 303
    assert chief.send(path, do="end").status_code == 303
    assert member.get("/board").status_code == 303
    page = chief.send(path, do="reset")
    secret = re.search(r'class="code long">([^<]+)', page.text)[1]
    assert member.login("member", secret).status_code == 303
    assert member.get("/board").location == "/password"
    assert chief.send(path, do="x").status_code == 400
    assert chief.send(path, do="factor").status_code == 409


def test_an_auditor_reads_people_and_changes_nothing(client, ids):
    client.login("auditor")
    assert client.get("/office/people").status_code == 200
    page = client.get(f"/office/people/{ids['member']}")
    assert page.status_code == 200
    assert '<form method="post"' not in page.text.partition("<main")[2]
    assert client.send("/password", to=f"/office/people/{ids['member']}",
                       do="disable").status_code == 403  # fmt: skip


def test_what_a_session_may_do_ends_with_the_right(app, ids, settings):
    client = app.test_client()
    client.login("chief")
    with closing(db.connect(settings.database)) as store:
        chief = people.find(store, "chief")
        people.move(store, chief.id, people.Post(chief.name, "viewer", LAI_CHAU),
                    seen=people.post(chief), **ACT)  # fmt: skip

    assert client.get("/office/people").location.startswith("/login")
    client.login("chief", PASSWORD)
    assert client.get("/office/people").status_code == 403
