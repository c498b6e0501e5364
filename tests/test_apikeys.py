"""The page of keys: made once, shown once, ended for good, each unit its own."""

from __future__ import annotations

import re

import pytest
from small_wave import COMMUNE, LAI_CHAU, NOW, PASSWORD, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from survey import db
from survey.store import keys, people


@pytest.fixture
def unit_admin(client, settings):
    """A browser of the administrator of one province."""
    store = db.connect(settings.database)
    people.add(
        store, username="tinh", name="Tỉnh", role="administrator", unit=TUYEN_QUANG,
        password_hash=generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1"),
        must_change=False, now=NOW, actor="shell:test",
    )  # fmt: skip
    store.close()
    client.login("tinh")
    return client


def make(client, **fields):
    return client.send("/office/keys", **{"name": "Một cửa", "scopes": ["results"], **fields})


def all_keys(settings):
    store = db.connect(settings.database, readonly=True)
    try:
        return keys.all(store)
    finally:
        store.close()


def test_a_key_is_shown_once_and_works(staff):
    made = make(staff, scopes=["results", "waves"])
    text = re.search(r"sipas_[\w-]+", made.text)[0]

    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    assert text not in staff.get("/office/keys").text
    answer = staff.get("/api/v1/waves", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 200


def test_an_ended_key_works_no_more_and_its_name_is_not_used_again(staff, settings):
    text = re.search(r"sipas_[\w-]+", make(staff, scopes=["waves"]).text)[0]
    number = all_keys(settings)[0].id
    assert staff.send("/office/keys", to=f"/office/keys/{number}/end").status_code == 303

    assert "Đã hủy ngày" in staff.get("/office/keys").text
    headers = {"Authorization": f"Bearer {text}"}
    assert staff.get("/api/v1/waves", headers=headers).status_code == 401
    again = make(staff)
    assert again.status_code == 422
    assert "đã được dùng" in again.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "Tên phần mềm phải có"),
        ({"name": "x" * 101}, "Tên phần mềm phải có"),
        ({"scopes": []}, "Chọn ít nhất một quyền"),
        ({"scopes": ["everything"]}, "Chọn ít nhất một quyền"),
        ({"unit": "vn34:99999"}, "Không có đơn vị «vn34:99999»"),
    ],
)
def test_a_faulty_key_is_not_made_and_what_was_typed_stays(staff, settings, fields, words):
    answer = make(staff, **{"name": "Kho dữ liệu", **fields})

    assert answer.status_code == 422
    assert words in answer.text
    assert all_keys(settings) == []
    if "name" not in fields:
        assert 'value="Kho dữ liệu"' in answer.text


def test_an_administrator_of_a_unit_makes_keys_of_it_only(unit_admin, settings):
    make(unit_admin)
    assert make(unit_admin, name="Phường", unit=COMMUNE).status_code == 200
    assert make(unit_admin, name="Tỉnh khác", unit=LAI_CHAU).status_code == 403

    assert [key.unit for key in all_keys(settings)] == [TUYEN_QUANG, COMMUNE]


def test_an_administrator_of_a_unit_sees_and_ends_no_key_of_others(unit_admin, settings):
    store = db.connect(settings.database)
    for name, unit in (("Cả nước", ""), ("Lai Châu", LAI_CHAU)):
        keys.add(store, name, scopes=("waves",), unit=unit, now=NOW, actor="shell:test")
    store.close()

    page = unit_admin.get("/office/keys").text
    assert "Cả nước" not in page
    assert "Lai Châu" not in page
    for key in all_keys(settings):
        ended = unit_admin.send("/office/keys", to=f"/office/keys/{key.id}/end")
        assert ended.status_code == 403
    assert unit_admin.send("/office/keys", to="/office/keys/999/end").status_code == 404
    assert not any(key.revoked_at for key in all_keys(settings))
