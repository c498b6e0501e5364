"""The one-stop software hands over dossiers: with a key, once, all or none."""

import json
from contextlib import closing

import pytest
from small_wave import COMMUNE, LAI_CHAU, NOW, TUYEN_QUANG

from survey import db
from survey.store import dossiers, keys

URL = "/api/v1/dossiers"


@pytest.fixture
def make_key(settings):
    def make(name="Một cửa", scopes=("dossiers",), unit=""):
        with closing(db.connect(settings.database)) as store:
            return keys.add(store, name, scopes=scopes, unit=unit, now=NOW, actor="test")[1]

    return make


@pytest.fixture
def send(client, make_key):
    key = make_key()

    def post(body, key=key, **headers):
        return client.post(
            URL,
            data=body if isinstance(body, bytes | str) else json.dumps(body),
            headers={"Authorization": f"Bearer {key}"} | headers,
            content_type="application/json",
        )

    return post


@pytest.fixture
def store(settings):
    with closing(db.connect(settings.database)) as base:
        yield base


def row(key="H08.000-260901-0001", **changes):
    return {
        "key": key, "service": "Cấp giấy khai sinh", "receiving_unit": COMMUNE,
        "received_on": "2026-01-05", "due_on": "2026-01-12", "settled_on": "2026-01-14",
    } | changes  # fmt: skip


def count(store):
    return store.execute("SELECT COUNT(*) FROM dossier").fetchone()[0]


def test_dossiers_are_taken_and_the_same_again_change_nothing(send, store):
    rows = [row(), row("H2", settled_on=None, officer="Lê Văn Ba", resolving_unit="vn34:08")]
    answer = send(rows)
    assert (answer.status_code, answer.json) == (
        200, {"received": 2, "new": 2, "changed": 0, "same": 0},
    )  # fmt: skip
    assert send(rows).json == {"received": 2, "new": 0, "changed": 0, "same": 2}
    assert send([row("H2")]).json["changed"] == 1
    assert dossiers.get(store, "H2").late(NOW.date())
    assert store.execute("SELECT actor FROM audit ORDER BY seq DESC").fetchone()[0] == "key:Một cửa"


def test_the_same_dossier_twice_in_one_message_is_one(send, store):
    assert send([row(), row()]).json == {"received": 2, "new": 1, "changed": 0, "same": 0}
    assert count(store) == 1


def test_nothing_is_taken_without_a_key_that_may(client, send, make_key, settings, store):
    assert client.post(URL, json=[row()]).status_code == 401
    answer = send([row()], key="sipas_wrong")
    assert (answer.status_code, answer.json["code"]) == (401, "wrong_key")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.mimetype == "application/problem+json"
    assert send([row()], key=make_key("khác", scopes=())).status_code == 403
    key = make_key("cũ")
    keys.revoke(store, "cũ", now=NOW, actor="test")
    assert send([row()], key=key).status_code == 401
    assert count(store) == 0


def test_a_staff_session_is_no_key(staff, store):
    assert staff.post(URL, json=[row()]).status_code == 401
    assert count(store) == 0


def test_a_key_of_a_unit_hands_over_what_that_unit_receives(send, make_key, store):
    key = make_key("xã", unit=TUYEN_QUANG)
    assert send([row()], key=key).json["new"] == 1
    answer = send([row("H2"), row("H3", receiving_unit=LAI_CHAU)], key=key)
    assert answer.status_code == 422
    [fault] = answer.json["faults"]
    assert (fault["index"], fault["field"], fault["code"]) == (1, "receiving_unit", "not_yours")
    assert count(store) == 1


def test_a_key_of_a_unit_cannot_take_over_a_dossier_by_its_number(send, make_key, store):
    send([row("theirs", receiving_unit=LAI_CHAU)])
    answer = send([row("theirs")], key=make_key("xã", unit=TUYEN_QUANG))
    assert answer.json["faults"][0]["code"] == "not_yours"
    assert dossiers.get(store, "theirs").receiving_unit == LAI_CHAU


def test_every_fault_is_told_by_place_and_field_and_nothing_is_stored(send, store):
    rows = [
        row(), "x", row("H2", service=None, due_on="2026-13-01"), row(settled_on="2025-01-01"),
        row("H4", receiving_unit="vn34:999", phone="123", extra=1), {}, row(service="khác"),
    ]  # fmt: skip
    answer = send(rows)
    assert answer.status_code == 422
    faults = {(f["index"], f["field"], f["code"]) for f in answer.json["faults"]}
    assert faults == {
        (1, "", "not_object"), (2, "service", "empty"), (2, "due_on", "day"),
        (3, "settled_on", "settled_early"), (4, "receiving_unit", "unit"), (4, "phone", "phone"),
        (4, "extra", "unknown"), (5, "key", "empty"), (5, "service", "empty"),
        (5, "receiving_unit", "empty"), (5, "received_on", "empty"), (5, "due_on", "empty"),
        (6, "key", "twice"),
    }  # fmt: skip
    assert all(f["message"] for f in answer.json["faults"])
    assert count(store) == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"\xff", 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b"{}", 422, "not_list"),
        (b'[{"key": 1' + b"0" * 5000 + b"}]", 400, "not_json"),
        ([row(f"H{n}") for n in range(1001)], 422, "too_many"),
    ],
)
def test_a_body_that_is_no_list_of_dossiers_is_refused(send, store, body, status, code):
    answer = send(body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert count(store) == 0


def test_a_thousand_at_once_and_an_empty_list_are_taken(send, store):
    assert send([row(f"H{n}") for n in range(1000)]).json["new"] == 1000
    assert send([]).json == {"received": 0, "new": 0, "changed": 0, "same": 0}


def test_faults_come_in_the_language_asked_for(client, make_key):
    answer = client.post(
        f"{URL}?lang=en", json=[{}], headers={"Authorization": f"bearer {make_key('en')}"}
    )
    assert answer.json["title"] == "5 faults; no dossier was stored"
    assert "Set-Cookie" not in answer.headers
