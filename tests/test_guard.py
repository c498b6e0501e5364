"""The guard: nothing is served that is not public on purpose or open to the role that asks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from survey import guard


@pytest.fixture
def forgotten(app):
    """An application with a view whose author forgot to say who may see it."""
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    return app.test_client()


def test_a_view_nobody_declared_is_closed_to_strangers(forgotten):
    assert forgotten.get("/forgotten").location == "/login?next=/forgotten"


def test_a_view_nobody_declared_is_closed_to_administrators_too(forgotten):
    forgotten.login()

    assert forgotten.get("/forgotten").status_code == 403


def test_staff_without_the_role_are_told_so_in_vietnamese(client):
    client.login("stranger")
    answer = client.get("/board")

    assert answer.status_code == 403
    assert "Tài khoản này không được mở trang này." in answer.text


def test_the_post_of_someone_without_a_session_changes_nothing_and_leads_to_login(client):
    answer = client.post("/password", data={"new": "x"})

    assert (answer.status_code, answer.location) == (303, "/login")


def test_a_post_without_the_token_of_the_session_is_refused(staff):
    assert staff.post("/password", data={"new": "x"}).status_code == 400


def test_a_token_of_another_session_is_refused(app, staff):
    other = app.test_client()
    token = other.get("/login").text.split('name="csrf_token" value="')[1].split('"')[0]

    assert staff.post("/logout", data={"csrf_token": token}).status_code == 400


def test_citizens_post_without_a_token_of_a_session(client, door_tokens):
    answer = client.post(f"/q/{door_tokens['household']}", data={})

    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


def test_a_member_sees_the_own_unit_whatever_the_address_says(client):
    client.login("member")

    assert "Tỉnh Tuyên Quang · " in client.get("/board/ho-2026").text
    assert "Tỉnh Tuyên Quang · " in client.get("/board/ho-2026?unit=vn34:08").text


@pytest.mark.parametrize("path", ["/board/ho-2026", "/board/ho-2026/report.pdf"])
def test_another_unit_is_refused_by_its_name(client, path):
    client.login("neighbour")
    answer = client.get(f"{path}?unit=vn34:08")

    assert answer.status_code == 403
    assert "Tài khoản này không được xem đơn vị tỉnh Tuyên Quang." in answer.text


@pytest.mark.parametrize("unit", ["vn34:00", "vn63:08", "x", "'; --", "vn34:08 "])
def test_no_spelling_of_a_unit_opens_another_one(client, unit):
    client.login("neighbour")

    assert client.get("/board/ho-2026", query_string={"unit": unit}).status_code == 403


def test_a_member_sees_what_lies_under_the_own_unit(client):
    client.login("member")

    assert client.get("/board/quay-2026?unit=vn34:08000").status_code == 200


def test_pages_of_staff_are_kept_by_no_cache(staff):
    for path in ("/board", "/board/ho-2026", "/password", "/board/ho-2026/report.csv"):
        assert staff.get(path).headers["Cache-Control"] == "no-store"


def test_the_marks_of_a_view_are_read_from_the_view():
    @guard.roles("administrator")
    def view():
        return ""

    assert view.roles == {"administrator"}
    assert not hasattr(view, "public")


def test_serving_citizens_never_loads_the_statistics(instance, door_tokens):
    code = f"""
import sys
from pathlib import Path
from survey import config, create_app
app = create_app(config.load(Path({str(instance)!r}), environ={{}}))
client = app.test_client()
assert client.get("/k/{door_tokens["counter"]}").status_code == 200
assert client.get("/q/{door_tokens["household"]}").status_code == 200
assert client.get("/login").status_code == 200
app.extensions["sipas"].writer.close()
print(sorted({{"numpy", "scipy", "analysis", "reportlab"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
