"""The doorstep: what it repeats, for how long, and what it never keeps."""

from __future__ import annotations

import gzip
import re

import pytest

from survey import tokens
from survey.citizen import pages
from survey.citizen.doorstep import AGE, PAGE, Doorstep

SECRET = b"s" * 32
DRAWN = pages.cut("<!doctype html><form><p>Hài lòng</p></form>")


class House:
    """An application that counts its visitors."""

    def __init__(self, status="200 OK", extra=(), offered=True):
        self.visits = 0
        self.status, self.extra, self.offered = status, extra, offered

    def __call__(self, environ, start_response):
        self.visits += 1
        if self.offered:
            environ[PAGE] = DRAWN
        body = DRAWN.plain(b"first")
        headers = [("Content-Type", pages.HTML), ("Content-Length", str(len(body))), *self.extra]
        if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            headers.append(("Content-Encoding", "gzip"))
        start_response(self.status, headers)
        return [body]


class Visit:
    """Someone who knocks at the doorstep."""

    def __init__(self, house, time=lambda: 0.0):
        self.step = Doorstep(house, SECRET, now=time)

    def __call__(self, path="/q/abc", **environ):
        told = []
        body = b"".join(
            self.step(
                {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_HOST": "x", **environ},
                lambda status, headers: told.append((status, dict(headers))),
            )
        )
        return *told[0], body


def token_in(page):
    return re.search(rb'name="page" value="([\w-]+)"', page)[1].decode()


def test_the_second_visitor_does_not_wake_the_application_but_gets_an_own_token():
    house = House()
    visit = Visit(house)
    visit()
    status, headers, second = visit()
    _, _, third = visit()

    assert house.visits == 1
    assert status == "200 OK"
    assert headers == {"Content-Type": pages.HTML, "Content-Length": str(len(second))}
    ids = {tokens.read_page(SECRET, token_in(page))[0] for page in (second, third)}
    assert len(ids) == 2


def test_a_browser_that_reads_gzip_gets_one_sound_member():
    visit = Visit(House())
    visit(HTTP_ACCEPT_ENCODING="gzip")
    _, headers, body = visit(HTTP_ACCEPT_ENCODING="gzip")
    plain = gzip.decompress(body)

    assert headers["Content-Encoding"] == "gzip"
    assert "Hài lòng".encode() in plain
    assert token_in(plain)


def test_after_a_second_the_application_is_asked_again():
    house, times = House(), iter([0.0, AGE - 0.01, AGE + 0.01, AGE + 0.01])
    visit = Visit(house, time=lambda: next(times))
    visit()
    visit()
    assert house.visits == 1
    visit()
    assert house.visits == 2


@pytest.mark.parametrize(
    "other",
    [
        {"QUERY_STRING": "lang=en"},
        {"HTTP_HOST": "y"},
        {"HTTP_ACCEPT_ENCODING": "gzip"},
        {"wsgi.url_scheme": "https"},
        {"path": "/q/other"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_may_change_the_page_is_asked_for_itself(other):
    house = House()
    visit = Visit(house)
    visit()
    visit(**other)

    assert house.visits == 2


@pytest.mark.parametrize(
    "house",
    [
        House(status="410 GONE"),
        House(status="404 NOT FOUND"),
        House(extra=(("Set-Cookie", "sipas=1"),)),
        House(offered=False),
    ],
    ids=["closed", "unknown", "with a cookie", "not an empty form"],
)
def test_what_is_not_everybodys_is_not_kept(house):
    visit = Visit(house)
    visit()
    visit()

    assert house.visits == 2


@pytest.mark.parametrize(
    "request_", [{"REQUEST_METHOD": "POST"}, {"REQUEST_METHOD": "HEAD"}, {"path": "/board"}]
)
def test_all_else_goes_straight_to_the_application(request_):
    house = House()
    visit = Visit(house)
    visit(**request_)
    visit(**request_)

    assert house.visits == 2


def test_a_stranger_who_varies_the_address_does_not_fill_the_memory():
    visit = Visit(House())
    for number in range(2000):
        visit(QUERY_STRING=f"x={number}")

    assert len(visit.step._kept) <= 256
