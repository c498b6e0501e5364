"""Responses taken before the application: the same outcome, whoever takes them."""

from __future__ import annotations

import re
import uuid
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import pytest
from werkzeug.test import Client

from forms.questionnaire import load
from survey import config, create_app, db, tokens
from survey.citizen import doorstep, intake
from survey.demonstration import demo, synthetic
from survey.store import waves

API = "/api/v1/responses"
GIVEN = list(
    synthetic.people(load("sipas-2026.1"), "intake", np.zeros(6), silent=0.0, comments=1.0)
)


class Served:
    """The demonstration with the doorstep before it, and how often the application was woken."""

    def __init__(self, folder):
        self.made = demo.make(folder, small=True)
        self.database = folder / config.DATABASE
        self.settings = config.load(folder)
        self.app = create_app(self.settings)
        self.woken = 0
        inner = self.app.wsgi_app

        def counted(environ, start_response):
            self.woken += 1
            return inner(environ, start_response)

        self.app.wsgi_app = counted
        self.direct = Client(self.app)
        self.client = Client(doorstep.before(self.app, self.settings.secret))

    def post(self, answers, id=None, client=None, **more):
        body = {
            "id": id or str(uuid.uuid4()),
            "token": self.made.api_token,
            "questionnaire": self.made.questionnaire,
            "answers": answers,
        }
        return (client or self.client).post(API, json=body | more)

    def send(self, answers, id=None, client=None, **more):
        page = tokens.page(self.settings.secret, id or str(uuid.uuid4()), datetime.now(UTC))
        return (client or self.client).post(self.made.qr, data=answers | {"page": page} | more)

    def session(self):
        """A cookie as staff have it."""
        signer = self.app.session_interface.get_signing_serializer(self.app)
        return signer.dumps({"staff": 1, "version": 1})

    def row(self, id):
        with closing(db.connect(self.database, readonly=True)) as base:
            return dict(
                base.execute("SELECT * FROM response WHERE id = :id", {"id": id}).fetchone()
            )


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("intake"))
    found.post(GIVEN[0])  # the application takes the first of each kind
    found.send(GIVEN[0])
    yield found
    found.app.extensions["sipas"].writer.close()


def asleep(served, act):
    """What ``act`` returns, and whether the application slept through it."""
    before = served.woken
    return act(), served.woken == before


WAYS = [Served.post, Served.send]


@pytest.mark.parametrize("way", WAYS)
def test_a_response_in_order_is_stored_without_the_application_and_the_same_row(served, way):
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    quick, slept = asleep(served, lambda: way(served, GIVEN[1], id=one))
    slow = way(served, GIVEN[1], id=other, client=served.direct)

    assert slept
    assert quick.status_code == slow.status_code == 201
    mine, theirs = dict(quick.headers), dict(slow.headers)
    assert {k: v for k, v in mine.items() if k != "Content-Length"} == {
        k: v for k, v in theirs.items() if k != "Content-Length"
    }
    a, b = served.row(one), served.row(other)
    apart = {"seq", "id", "receipt", "received_at", "submitted_at", "started_at", "seal"}
    assert {k: v for k, v in a.items() if k not in apart} == {
        k: v for k, v in b.items() if k not in apart
    }
    assert (a["started_at"] is None) == (b["started_at"] is None)


def test_the_page_of_thanks_is_the_applications_but_for_receipt_and_time(served):
    pages = [served.send(GIVEN[2]).text, served.send(GIVEN[2], client=served.direct).text]
    alike = [re.sub(r"[2-9A-Z]{4}-[2-9A-Z]{4}|\d\d:\d\d", "#", page) for page in pages]

    assert alike[0] == alike[1]


@pytest.mark.parametrize("way", WAYS)
def test_a_repeat_gets_the_same_receipt_and_other_content_is_refused(served, way):
    id = str(uuid.uuid4())
    way(served, GIVEN[3], id=id)
    receipt = served.row(id)["receipt"]
    again, slept = asleep(served, lambda: way(served, GIVEN[3], id=id))
    changed = way(served, GIVEN[4], id=id)

    assert slept
    assert again.status_code == 200
    assert receipt in again.text.replace("-", "")
    assert changed.status_code == 409
    assert served.row(id)["receipt"] == receipt


def test_what_is_not_in_order_is_answered_by_the_application(served):
    wrong = [
        served.post(GIVEN[1] | {"s01": 7}),
        served.post({}),
        served.post(GIVEN[1], id="not-a-uuid"),
        served.post(GIVEN[1], language="fr"),
        served.post(GIVEN[1], unknown=1),
        served.post(GIVEN[1], started_at="yesterday"),
        served.post(GIVEN[1], questionnaire="mot-cua-2026.1"),
        served.send(GIVEN[1] | {"s01": "7"}),
        served.send({}),
    ]

    assert [answer.status_code for answer in wrong] == [422] * len(wrong)
    assert served.post(GIVEN[1], token="cforged").status_code == 404
    assert served.client.post(API, data=b"{", content_type="application/json").status_code == 400
    twice = b'{"id":"1","id":"2"}'
    assert served.client.post(API, data=twice, content_type="application/json").status_code == 400


def test_what_stands_beside_the_answers_is_taken_here_or_handed_over(served):
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    beside = {"channel": "kiosk", "assisted_by": "family"}
    quick, slept = asleep(served, lambda: served.post(GIVEN[1], id=one, **beside))
    helped, slept_too = asleep(
        served, lambda: served.send(GIVEN[1], id=other, assisted_by="officer")
    )

    assert slept
    assert slept_too
    assert quick.status_code == helped.status_code == 201
    assert (served.row(one)["channel"], served.row(one)["assisted_by"]) == ("kiosk", "family")
    assert served.row(other)["assisted_by"] == "officer"
    refused = [
        served.post(GIVEN[1], channel="link"),
        served.post(GIVEN[1], channel=[]),
        served.post(GIVEN[1], channel="carrier pigeon"),
        served.post(GIVEN[1], assisted_by="a friend"),
        served.post(GIVEN[1], partial=True),
        served.post(GIVEN[1], contact={"phone": "0912345678", "consent": True}),
    ]
    assert [answer.status_code for answer in refused] == [422] * len(refused)


@pytest.mark.parametrize("way", WAYS)
def test_flags_are_those_of_the_application_and_nobody_sees_them(served, way):
    found = []
    for client in (served.client, served.direct):
        id = str(uuid.uuid4())
        client.set_cookie("sipas", served.session())
        answer = way(served, GIVEN[1], id=id, client=client)
        client.delete_cookie("sipas")
        found.append((answer.status_code, served.row(id)["state"], served.row(id)["flags"]))

    assert found[0] == found[1]
    assert found[0][:2] == (201, "flagged")
    assert "officer_session" in found[0][2]


def test_a_page_that_lost_its_token_is_shown_again(served):
    assert served.client.post(served.made.qr, data=GIVEN[1]).status_code == 422


def test_another_look_of_the_form_keeps_the_answers_and_stores_nothing(served):
    id = str(uuid.uuid4())
    assert served.send(GIVEN[1], id=id, go="stay").status_code == 200
    with pytest.raises(TypeError):
        served.row(id)


def test_a_closed_wave_takes_nothing(tmp_path):
    served = Served(tmp_path)
    served.post(GIVEN[0])
    served.send(GIVEN[0])
    with closing(db.connect(served.database)) as base:
        waves.close(base, "qr-2026", now=datetime.now(UTC), actor="shell:test")
    try:
        assert served.post(GIVEN[1]).status_code == 410
        assert served.send(GIVEN[1]).status_code == 410
    finally:
        served.app.extensions["sipas"].writer.close()


def test_a_long_body_is_read_by_the_application_alone(served):
    answer, slept = asleep(served, lambda: served.post(GIVEN[1] | {"comment": "a" * 100_000}))

    assert not slept
    assert answer.status_code == 422


def test_a_form_is_read_as_the_framework_reads_it():
    posted = intake.Posted(b"a=1&b=x+y%20z&b=%E1%BA%A5&c=&d&&e=a%3Db%26")

    assert dict(posted.lists()) == {
        "a": ["1"], "b": ["x y z", "ấ"], "c": [""], "d": [""], "e": ["a=b&"],
    }  # fmt: skip
    with pytest.raises(ValueError, match="codec"):
        intake.Posted(b"a=%FF")
