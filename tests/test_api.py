"""The machines' contract, status by status, and everything that may arrive instead of it."""

import json
import re
import unicodedata
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from survey import db
from survey.machines import openapi
from survey.store import responses, waves

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
URL = "/api/v1/responses"
MARKS = {f"m{n}": 4 for n in range(1, 6)} | {"m_all": 5}


@pytest.fixture
def good(door_tokens):
    return {
        "id": str(uuid4()),
        "token": door_tokens["counter"],
        "questionnaire": "mot-cua-2026.1",
        "answers": dict(MARKS),
        "started_at": "2026-11-22T09:29:00+07:00",
        "submitted_at": "2026-11-22T09:30:00+07:00",
        "language": "vi",
    }


def stored(app, receipt):
    with app.app_context():
        return responses.by_receipt(db.get(), receipt)


def count(app):
    with app.app_context():
        return responses.counts(db.get(), "quay-2026").total


def faults(answer):
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    return {fault["item"]: fault["code"] for fault in answer.json["faults"]}


def test_a_new_response_is_stored_and_gets_its_receipt(app, client, good):
    answer = client.post(URL, json=good)
    row = stored(app, answer.json["receipt"])

    assert answer.status_code == 201
    assert answer.json["id"] == row["id"] == good["id"]
    assert answer.json["received_at"] == row["received_at"]
    assert row["channel"] == "api"
    assert row["started_at"] == "2026-11-22T02:29:00.000Z"
    assert json.loads(row["answers"]) == MARKS


def test_a_repeat_gets_the_same_receipt_and_is_not_stored_twice(app, client, good):
    first = client.post(URL, json=good)
    before = count(app)
    again = client.post(URL, json=good)

    assert again.status_code == 200
    assert again.json == first.json
    assert count(app) == before


def test_the_same_answers_in_another_order_are_the_same(client, good):
    client.post(URL, json=good)
    turned = good | {"answers": dict(reversed(good["answers"].items()))}

    assert client.post(URL, json=turned).status_code == 200


def test_a_changed_resend_is_refused_and_changes_nothing(app, client, good):
    first = client.post(URL, json=good)
    answer = client.post(URL, json=good | {"answers": MARKS | {"m1": 1}})

    assert answer.status_code == 409
    assert answer.json["code"] == "changed"
    assert json.loads(stored(app, first.json["receipt"])["answers"]) == MARKS


def test_a_dossier_that_has_answered_is_refused(client, good, door_tokens):
    good["token"] = door_tokens["dossier"]
    client.post(URL, json=good)
    answer = client.post(URL, json=good | {"id": str(uuid4())})

    assert (answer.status_code, answer.json["code"]) == (409, "used")


@pytest.mark.parametrize(
    "token", ["", "forged", "c" * 300, "caaaaaaaaaaaaaaaaa", "ký hiệu", "\ud800"]
)
def test_a_wrong_token_is_not_found(client, good, token):
    assert client.post(URL, json=good | {"token": token}).status_code == 404


def test_a_closed_wave_is_gone(app, client, good):
    with app.app_context():
        app.extensions["sipas"].writer.run(
            lambda store: waves.close(store, "quay-2026", now=NOW, actor="shell:test")
        )
    answer = client.post(URL, json=good)

    assert (answer.status_code, answer.json["code"]) == (410, "closed")
    assert "22/11/2026" in answer.json["title"]


@pytest.mark.parametrize("field", ["id", "questionnaire", "answers", "token"])
def test_a_missing_field_is_named(client, good, field):
    del good[field]

    assert faults(client.post(URL, json=good))[field] == "missing"


def test_all_faults_come_at_once(client, good):
    good |= {"id": "1", "language": "km", "started_at": "yesterday", "more": 1}
    good["answers"] = {"m1": 6, "m2": "4", "m3": True, "x9": 1}

    assert faults(client.post(URL, json=good)) == {
        "id": "not_uuid",
        "language": "language",
        "started_at": "not_time",
        "more": "unknown",
        "m1": "off_scale",
        "m2": "not_a_number",
        "m3": "not_a_number",
        "m4": "unanswered",
        "m5": "unanswered",
        "m_all": "unanswered",
        "x9": "unknown_item",
    }


def test_every_fault_says_in_vietnamese_what_to_do(client, good):
    good["answers"] = {**MARKS, "m1": 0}
    [fault] = client.post(URL, json=good).json["faults"]

    assert "ngoài các mức được hỏi" in fault["message"]


@pytest.mark.parametrize(
    "id",
    [
        "0192F6C4-7D1B-4B7E-9C55-1F6F0A2C9D10",
        "0192f6c47d1b4b7e9c551f6f0a2c9d10",
        "{0192f6c4-7d1b-4b7e-9c55-1f6f0a2c9d10}",
        "urn:uuid:0192f6c4-7d1b-4b7e-9c55-1f6f0a2c9d10",
        "",
        "x" * 5000,
    ],
)
def test_an_id_has_one_way_of_being_written(client, good, id):
    assert faults(client.post(URL, json=good | {"id": id})) == {"id": "not_uuid"}


@pytest.mark.parametrize("field", ["id", "token", "questionnaire", "language"])
@pytest.mark.parametrize("value", [None, 7, True, [], {}])
def test_words_must_be_words(client, good, field, value):
    assert faults(client.post(URL, json=good | {field: value}))[field] == "not_string"


@pytest.mark.parametrize("time", ["2026-11-22T09:30:00", "22/11/2026", 7, "", "9999-99-99T00:00Z"])
def test_a_time_needs_its_zone(client, good, time):
    assert faults(client.post(URL, json=good | {"submitted_at": time})) == {
        "submitted_at": "not_time"
    }


def test_a_clock_set_back_costs_no_answer(client, good):
    good["submitted_at"] = "2026-11-22T08:30:00+07:00"

    assert client.post(URL, json=good).status_code == 201


def test_an_end_days_before_the_beginning_is_refused(client, good):
    good["submitted_at"] = "2026-11-01T08:30:00+07:00"

    assert faults(client.post(URL, json=good)) == {"submitted_at": "time_order"}


def test_times_and_language_may_be_left_out(client, good):
    for field in ("started_at", "submitted_at", "language"):
        del good[field]

    assert client.post(URL, json=good).status_code == 201


class TestBeside:
    """What may come beside the answers: the channel, a helper, a person who left, a number."""

    @pytest.fixture
    def keeping(self, app):
        def change(store):
            with db.write(store):
                store.execute("UPDATE wave SET partial = 'keep', contact_days = 30")

        app.extensions["sipas"].writer.run(change)

    @pytest.mark.parametrize(
        ("door", "channel", "status"),
        [
            ("counter", "kiosk", 201),
            ("counter", "qr", 201),
            ("counter", "phone", 201),
            ("counter", "link", 422),
            ("dossier", "link", 201),
            ("dossier", "phone", 201),
            ("dossier", "kiosk", 422),
            ("dossier", "qr", 422),
            ("counter", "post", 422),
            ("counter", None, 422),
            ("counter", [], 422),
        ],
    )
    def test_a_channel_fits_its_door(
        self, app, client, good, door_tokens, *, door, channel, status
    ):
        answer = client.post(URL, json=good | {"token": door_tokens[door], "channel": channel})

        assert answer.status_code == status
        if status == 201:
            assert stored(app, answer.json["receipt"])["channel"] == channel
        else:
            assert faults(answer) == {"channel": "channel"}

    @pytest.mark.parametrize("helper", ["family", "officer", "interviewer", "other", None])
    def test_who_helped_is_stored(self, app, client, good, helper):
        receipt = client.post(URL, json=good | {"assisted_by": helper}).json["receipt"]

        assert stored(app, receipt)["assisted_by"] == helper

    @pytest.mark.parametrize("helper", ["self", "", 1, [], {}])
    def test_other_helpers_are_refused(self, client, good, helper):
        answer = client.post(URL, json=good | {"assisted_by": helper})

        assert faults(answer) == {"assisted_by": "helper"}

    def test_answers_left_behind_are_kept_as_flagged_where_the_wave_keeps_them(
        self, app, client, good, keeping
    ):
        good |= {"answers": {"m1": 4, "m2": 2}, "partial": True, "channel": "kiosk"}
        row = stored(app, client.post(URL, json=good).json["receipt"])

        assert json.loads(row["answers"]) == {"m1": 4, "m2": 2}
        assert row["state"] == "flagged"
        assert "partial" in json.loads(row["flags"])

    def test_and_are_refused_where_it_does_not(self, client, good):
        answer = client.post(URL, json=good | {"answers": {"m1": 4}, "partial": True})

        assert faults(answer) == {"partial": "partial_not_kept"}

    def test_of_a_dossier_too(self, client, good, door_tokens, keeping):
        good |= {"token": door_tokens["dossier"], "answers": {"m1": 4}, "partial": True}

        assert faults(client.post(URL, json=good)) == {"partial": "partial_not_kept"}

    def test_wrong_answers_are_refused_in_part_as_in_whole(self, client, good, keeping):
        good |= {"answers": {"m1": 7, "x9": 1}, "partial": True}

        assert faults(client.post(URL, json=good)) == {"m1": "off_scale", "x9": "unknown_item"}

    def test_nothing_answered_is_nothing_to_keep(self, client, good, keeping):
        assert faults(client.post(URL, json=good | {"answers": {}, "partial": True})) == {
            "partial": "partial_empty"
        }

    @pytest.mark.parametrize("partial", [None, 1, "true"])
    def test_part_or_whole_is_true_or_false(self, client, good, partial):
        assert faults(client.post(URL, json=good | {"partial": partial})) == {"partial": "not_bool"}

    def test_a_number_left_with_consent_is_kept_apart(self, app, client, good, keeping):
        good["contact"] = {"phone": "+84 912 345 678", "consent": True}
        answer = client.post(URL, json=good)
        with app.app_context():
            [left] = db.get().execute("SELECT * FROM contact").fetchall()

        assert answer.status_code == 201
        assert (left["response"], left["phone"]) == (good["id"], "0912345678")
        assert "912" not in stored(app, answer.json["receipt"])["answers"]

    @pytest.mark.parametrize(
        ("contact", "code"),
        [
            ({"phone": "0912345678", "consent": False}, "contact_consent"),
            ({"phone": "0912345678", "consent": 1}, "contact_consent"),
            ({"phone": "0912345678"}, "not_contact"),
            ({"phone": 912345678, "consent": True}, "not_contact"),
            ({"phone": "0" * 99, "consent": True}, "not_contact"),
            ({"phone": "12345", "consent": True}, "contact_phone"),
            ("0912345678", "not_contact"),
            ({"phone": "0912345678", "consent": True, "name": "A"}, "not_contact"),
        ],
    )
    def test_a_number_in_doubt_is_refused(self, client, good, keeping, contact, code):
        assert faults(client.post(URL, json=good | {"contact": contact})) == {"contact": code}

    def test_no_number_is_taken_where_none_is_asked(self, client, good):
        good["contact"] = {"phone": "0912345678", "consent": True}

        assert faults(client.post(URL, json=good)) == {"contact": "contact_not_asked"}


def test_another_questionnaire_is_refused(client, good):
    good |= {"questionnaire": "sipas-2026.1"}

    assert faults(client.post(URL, json=good)) == {"questionnaire": "questionnaire"}


def test_an_item_of_another_questionnaire_is_refused(client, good):
    good["answers"]["s31"] = 4

    assert faults(client.post(URL, json=good)) == {"s31": "unknown_item"}


@pytest.mark.parametrize("answers", [None, [], "m1", 4])
def test_answers_are_an_object(client, good, answers):
    assert faults(client.post(URL, json=good | {"answers": answers})) == {"answers": "not_answers"}


BROKEN = [
    b"",
    b"{",
    b"m1=4",
    b"[]",
    b"4",
    b"null",
    b'{"id": NaN}',
    b'{"id": 1, "id": 2}',
    b'{"id": "\xff"}',
    b"[" * 100_000,
    b'{"id": ' + b"9" * 10_000 + b"}",
    '{"id": "é"}'.encode("utf-16"),
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_broken_json_is_a_problem_in_vietnamese(client, body):
    answer = client.post(URL, data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.json["title"] == "Nội dung gửi lên không phải JSON"


def test_ten_megabytes_are_too_much(client, good):
    good["answers"]["comment"] = "a" * 10_000_000
    answer = client.post(URL, json=good)

    assert answer.status_code == 413
    assert answer.json["title"] == "Nội dung gửi quá lớn"


def test_a_text_of_200000_letters_is_too_long(client, good):
    good["answers"]["comment"] = "ế" * 200_000
    answer = client.post(URL, json=good)

    assert faults(answer) == {"comment": "too_long"}
    assert "200.000" in answer.json["faults"][0]["message"]


def test_decomposed_letters_are_stored_composed(app, client, good):
    good["answers"]["comment"] = unicodedata.normalize("NFD", "Phục vụ tốt, nên có thêm ghế")
    receipt = client.post(URL, json=good).json["receipt"]

    text = json.loads(stored(app, receipt)["answers"])["comment"]
    assert text == "Phục vụ tốt, nên có thêm ghế"


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\u202e", "\ud800", "\ufeff"])
def test_control_characters_are_refused(client, good, letter):
    good["answers"]["comment"] = f"a{letter}b"

    assert faults(client.post(URL, json=good)) == {"comment": "control_characters"}


def test_names_nobody_can_print_are_given_back_harmless(client, good):
    good["answers"]["\ud800"] = 1
    good["\udfff"] = 1

    assert client.post(URL, json=good).status_code == 422


def test_what_is_not_stored_is_said_with_the_time_to_wait(app, client, good):
    app.extensions["sipas"].writer.close()
    answer = client.post(URL, json=good)

    assert (answer.status_code, answer.json["code"]) == (503, "not_stored")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_flood_is_told_to_wait(app, client, good):
    app.config["DOOR_RATE"] = (1.0, 0.1)
    client.post(URL, json=good)
    answer = client.post(URL, json=good | {"id": str(uuid4())})

    assert (answer.status_code, answer.json["code"]) == (429, "too_fast")
    assert int(answer.headers["Retry-After"]) > 0


def test_messages_are_english_on_request(client, good):
    good["answers"]["m1"] = 7

    assert client.post(URL + "?lang=en", json=good).json["title"] == "Faults: 1"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused(client, method):
    answer = client.open(URL, method=method)

    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"


def test_probes(app, client):
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready"}
    app.extensions["sipas"].writer.close()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_no_answer_of_the_api_sets_a_cookie(client, good):
    assert "Set-Cookie" not in client.post(URL, json=good).headers


class TestDescription:
    """The description is the contract: every property and every status has its words."""

    def test_is_served_as_written(self, client):
        answer = client.get("/api/v1/openapi.json")

        assert answer.json == openapi.DOCUMENT
        assert answer.json["openapi"].startswith("3.1")

    def test_names_every_route_and_method_of_the_api_and_no_other(self, app):
        routes = {
            (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/api/") or rule.endpoint in {"api.healthz", "api.readyz"}
            for method in rule.methods - {"HEAD", "OPTIONS"}
        }
        paths = openapi.DOCUMENT["paths"]

        assert routes == {(path, method) for path, held in paths.items() for method in held}
        for path, held in paths.items():
            named = {p["name"] for op in held.values() for p in op.get("parameters", ())
                     if p.get("in") == "path"}  # fmt: skip
            assert named == set(re.findall(r"{(\w+)}", path))

    def test_names_every_field_and_status(self):
        from survey.machines.api import OPTIONAL, REQUIRED

        assert set(openapi.RESPONSE["properties"]) == {*REQUIRED, *OPTIONAL}
        assert openapi.RESPONSE["required"] == list(REQUIRED)
        assert set(openapi.STORE["responses"]) == {
            "200", "201", "400", "404", "409", "410", "413", "422", "429", "503",
        }  # fmt: skip

    def test_every_property_is_described(self):
        for name, schema in openapi.DOCUMENT["components"]["schemas"].items():
            for field, facts in schema["properties"].items():
                assert facts.get("description"), f"{name}.{field}"

    def test_every_reference_leads_somewhere(self):
        text = json.dumps(openapi.DOCUMENT)
        for part in text.split('"$ref": "#/')[1:]:
            spot = openapi.DOCUMENT
            for step in part.split('"')[0].split("/"):
                spot = spot[step]

    def test_answers_have_the_described_shape(self, client, good):
        receipt = client.post(URL, json=good).json
        problem = client.post(URL, json={}).json

        assert set(receipt) == set(openapi.RECEIPT["properties"])
        assert set(problem) <= set(openapi.PROBLEM["properties"])
        assert set(openapi.PROBLEM["required"]) <= set(problem)
        assert set(problem["faults"][0]) == set(openapi.FAULT["properties"])
