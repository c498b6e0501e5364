"""Refusals: Vietnamese pages with the answers kept, problem+json for machines, headers on all."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from citizens import Phone
from flask.testing import FlaskClient

from survey import create_app, db
from survey.store import Refused, doors, waves
from survey.text import clock, day

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
JSON = {"Accept": "application/json"}
MARKS = {f"m{n}": "4" for n in range(1, 6)} | {"m_all": "5", "comment": "Ghế <b>ít</b> quá"}


def page_token(client, address):
    return re.search(r'name="page" value="([^"]+)"', client.get(address).text).group(1)


def with_store(app, job):
    with app.app_context():
        return app.extensions["sipas"].writer.run(job)


@pytest.fixture
def counter(door_tokens):
    return f"/q/{door_tokens['counter']}"


PATHS = [
    "/",
    "/privacy",
    "/r",
    "/healthz",
    "/api/v1/openapi.json",
    "/nowhere",
    "/k/forged",
    "/login",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_answer_carries_the_headers_errors_included(client, path, method):
    headers = client.open(path, method=method).headers

    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; worker-src 'self'; manifest-src 'self'; media-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Permissions-Policy"].startswith("camera=()")
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers.getlist("Cache-Control") == ["no-store"]
    assert "Strict-Transport-Security" not in headers


def test_transport_security_is_promised_only_behind_tls(settings):
    app = create_app(replace(settings, behind_tls=True))
    try:
        answer = app.test_client().get("/healthz")
    finally:
        app.extensions["sipas"].writer.close()

    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")


@pytest.mark.parametrize("path", ["/nowhere", "/k/forged", "/q/forged", "/k/", "/static/x/y"])
def test_no_such_page_is_said_in_vietnamese(client, path):
    page = client.get(path)

    assert page.status_code == 404
    assert "Không có trang này" in page.text
    assert "quét lại mã tại quầy" in page.text


def test_a_machine_gets_the_same_as_problem_json(client):
    answer = client.get("/k/forged", headers=JSON)

    assert answer.mimetype == "application/problem+json"
    assert answer.status_code == answer.json["status"] == 404
    assert answer.json["title"] == "Không có trang này"


def test_a_browser_that_takes_everything_gets_the_page(client):
    assert client.get("/nowhere", headers={"Accept": "*/*"}).mimetype == "text/html"


def test_english_readers_get_english(client):
    assert "There is no such page" in client.get("/nowhere?lang=en").text


def test_a_wrong_method_names_the_right_ones(client):
    answer = client.delete("/privacy")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_closed_wave_says_when_it_closed(app, client, counter):
    with_store(app, lambda store: waves.close(store, "quay-2026", now=NOW, actor="shell:test"))
    page = client.get(counter)

    assert page.status_code == 410
    assert "Đợt khảo sát đã đóng ngày 22/11/2026." in page.text


def test_an_answer_that_comes_too_late_says_so(app, client, counter):
    token = page_token(client, counter)
    with_store(app, lambda store: waves.close(store, "quay-2026", now=NOW, actor="shell:test"))
    page = client.post(counter, data={"page": token, **MARKS})

    assert page.status_code == 410


def test_a_receipt_lost_before_the_wave_closed_is_still_given(app, client, counter):
    data = {"page": page_token(client, counter), **MARKS}
    first = client.post(counter, data=data)
    with_store(app, lambda store: waves.close(store, "quay-2026", now=NOW, actor="shell:test"))
    again = client.post(counter, data=data)

    receipt = re.compile(r'class="code"[^>]*>([^<]+)')
    assert again.status_code == 200
    assert receipt.search(again.text).group(1) == receipt.search(first.text).group(1)


def test_a_closed_door_says_so(app, client, facts, counter):
    number = facts.doors["counter"]
    with_store(app, lambda store: doors.close(store, number, now=NOW, actor="shell:test"))

    assert client.get(counter).status_code == 410


@pytest.fixture
def stuck(app):
    """The application when nothing can be stored any more."""
    app.extensions["sipas"].writer.close()
    return app


@pytest.mark.parametrize("door", ["/q/", "/k/"])
def test_what_could_not_be_stored_is_kept_in_the_page(client, door_tokens, stuck, door):
    address = door + door_tokens["counter"]
    token = page_token(client, address)
    page = client.post(address, data={"page": token, **MARKS})

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "30"
    assert "Chưa gửi được. Câu trả lời của Ông/Bà vẫn được giữ." in page.text
    assert f'name="page" value="{token}"' in page.text
    assert 'name="m3" value="4"' in page.text
    assert 'name="comment" value="Ghế &lt;b&gt;ít&lt;/b&gt; quá"' in page.text
    assert "7/7" in page.text


def test_the_kept_page_sends_the_same_response(app, client, counter):
    data = {"page": page_token(client, counter), **MARKS}
    app.config["DOOR_RATE"] = (0.0, 1.0)
    kept = client.post(counter, data=data).text
    app.config["DOOR_RATE"] = (10.0, 1.0)
    app.extensions.pop("sipas.buckets")
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', kept)

    assert client.post(counter, data=dict(fields)).status_code == 201


def test_a_flood_through_one_door_waits(app, client, counter):
    app.config["DOOR_RATE"] = (2.0, 0.1)
    data = [{"page": page_token(client, counter), **MARKS} for _ in range(3)]
    answers = [client.post(counter, data=each) for each in data]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["Retry-After"]) >= 1
    assert "gửi quá nhanh" in answers[2].text
    assert 'name="m3" value="4"' in answers[2].text


def test_a_whole_office_behind_one_address_is_never_held_back(client, counter):
    codes = {
        client.post(counter, data={"page": page_token(client, counter), **MARKS}).status_code
        for _ in range(30)
    }

    assert codes == {201}


def test_a_dossier_answers_once(client, door_tokens):
    address = f"/q/{door_tokens['dossier']}"
    pages = [page_token(client, address) for _ in range(2)]  # opened twice before either is sent
    first, second = (client.post(address, data={"page": page, **MARKS}) for page in pages)

    assert (first.status_code, second.status_code) == (201, 409)
    assert "Hồ sơ này đã có ý kiến. Mỗi hồ sơ gửi một lần." in second.text


def test_the_same_page_sent_with_other_answers_changes_nothing(client, counter):
    data = {"page": page_token(client, counter), **MARKS}
    client.post(counter, data=data)
    page = client.post(counter, data=data | {"m1": "1"})

    assert page.status_code == 409
    assert "với nội dung khác" in page.text


def test_a_broken_page_shows_no_traceback(app, settings):
    @app.get("/broken")
    def broken():
        raise RuntimeError("a secret of the house")

    broken.public = True
    app.testing = False
    page = FlaskClient(app, app.response_class).get("/broken")

    assert page.status_code == 500
    assert "Trang này gặp trục trặc" in page.text
    assert "secret" not in page.text
    assert "Traceback" not in page.text
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_a_fault_of_the_storage_while_reading_is_a_503(app, settings):
    settings.database.write_bytes(b"no database" * 1000)
    for name in ("-wal", "-shm"):
        settings.database.with_name(settings.database.name + name).unlink(missing_ok=True)
    from survey import tokens

    address = f"/k/{tokens.issue(settings.secret, 'counter', 1)}"
    answer = app.test_client().get(address, headers=JSON)

    assert answer.status_code == 503
    assert answer.json["code"] == "not_stored"


def test_times_are_those_of_vietnam():
    assert clock("2026-11-22T07:05:00.000Z") == "14:05"
    assert day("2026-11-22T18:30:00.000Z") == "23/11/2026"
    assert day("2026-11-15") == "15/11/2026"


def test_a_refusal_without_words_of_its_own_still_has_its_status(app):
    @app.get("/odd")
    def odd():
        raise Refused("something_new", 409)

    odd.public = True
    answer = app.test_client().get("/odd", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (409, "something_new")


def test_not_stored_is_told_to_machines_too(app):
    @app.get("/full")
    def full():
        raise db.NotStored("disk full")

    full.public = True
    answer = app.test_client().get("/full", headers=JSON)

    assert answer.status_code == 503
    assert "disk full" not in json.dumps(answer.json)


def test_a_kiosk_that_could_not_send_tries_again_by_itself(client, door_tokens, stuck):
    address = f"/k/{door_tokens['counter']}"
    page = client.post(address, data={"page": page_token(client, address), **MARKS})

    assert '<form id="answers" method="post" autocomplete="off" data-retry="10"' in page.text
    assert "data-stop" in page.text


def test_made_up_data_says_so_on_refusals_too(app, client, counter):
    with_store(app, lambda store: waves.close(store, "quay-2026", now=NOW, actor="shell:test"))

    assert "DỮ LIỆU MÔ PHỎNG" in client.get(counter).text


def test_a_refusal_at_a_door_leads_back_to_that_door(client, counter):
    data = {"page": page_token(client, counter), **MARKS}
    client.post(counter, data=data)
    page = client.post(counter + "?lang=en", data=data | {"m1": "1"})

    assert page.status_code == 409
    assert f'href="{counter}?lang=en"' in page.text


def test_a_helper_beside_the_answers_is_not_counted_as_an_answer(app, client, door_tokens):
    phone = Phone(client, f"/q/{door_tokens['counter']}", "mot-cua-2026.1")
    app.extensions["sipas"].writer.close()
    plain = phone.send()
    helped = phone.send(assisted_by="family")

    assert plain.status_code == helped.status_code == 503
    assert 'name="assisted_by" value="family"' in helped.text
    assert re.findall(r"\d+/\d+", plain.text) == re.findall(r"\d+/\d+", helped.text) != []
