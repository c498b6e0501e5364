"""The application as a whole: hosts, sizes of requests, proxies, and what every answer carries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from survey import BODY_LIMIT, create_app


@pytest.fixture
def made():
    """Build applications with other settings; their writers are closed at the end."""
    apps = []

    def make(settings, **changes):
        apps.append(create_app(replace(settings, **changes)))
        return apps[-1]

    yield make
    for app in apps:
        app.extensions["sipas"].writer.close()


def test_only_trusted_names_are_answered_when_they_are_set(made, settings):
    client = made(settings, trusted_hosts=("sipas.example",)).test_client()

    assert client.get("/login", base_url="http://sipas.example").status_code == 200
    answer = client.get("/login", base_url="http://evil.example")
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


def test_a_body_of_ten_megabytes_is_refused(client):
    answer = client.post("/login", data={"username": "x" * 10_000_000})

    assert answer.status_code == 413
    assert "lớn" in answer.text or "dài" in answer.text


def test_a_text_of_two_hundred_thousand_letters_reaches_its_own_refusal():
    assert len("%E1%BA%BF" * 200_000) < BODY_LIMIT


def test_behind_tls_browsers_are_told_to_stay_there(made, settings):
    client = made(settings, behind_tls=True, secure_cookies=True).test_client()
    answer = client.get("/login", headers={"X-Forwarded-Proto": "https"})

    assert "max-age=" in answer.headers["Strict-Transport-Security"]


def test_the_proxy_is_believed_only_behind_tls(made, settings):
    def seen(**changes):
        app = made(settings, **changes)
        app.before_request_funcs.setdefault(None, []).insert(0, spy)
        app.test_client().get("/login", headers={"X-Forwarded-For": "203.0.113.7"})
        return addresses.pop()

    def spy():
        from flask import request

        addresses.append(request.remote_addr)

    addresses = []
    assert seen() == "127.0.0.1"
    assert seen(behind_tls=True) == "203.0.113.7"


@pytest.mark.parametrize("path", ["/", "/login", "/board", "/nowhere", "/readyz"])
def test_every_answer_carries_the_headers(client, path):
    headers = client.get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
