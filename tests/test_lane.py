"""The short way of the server: the same answers, whoever gives them, and nobody kept waiting."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import uuid
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlencode

import numpy as np
import pytest

from forms.questionnaire import load
from survey import config, create_app, db, serve, tokens
from survey.citizen import doorstep, lane
from survey.demonstration import demo, synthetic
from survey.store import doors, waves

GIVEN = list(synthetic.people(load("sipas-2026.1"), "lane", np.zeros(4), silent=0.0, comments=1.0))
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Live:
    """The demonstration on a real server in this process, and how often a worker was woken."""

    def __init__(self, folder):
        self.made = demo.make(folder, small=True)
        self.settings = config.load(folder)
        self.app = create_app(self.settings)
        self.writer = self.app.extensions["sipas"].writer
        self.woken = 0
        step = doorstep.before(self.app, self.settings.secret)
        step._now = lambda: 0.0  # what is kept stays kept, however slow this machine is

        def counted(environ, start_response):
            self.woken += 1
            return step(environ, start_response)

        self.lane = lane.Lane(step, self.writer, self.app.app_context)
        self.server = serve.Server(counted, "127.0.0.1", 0, threads=4, lane=self.lane)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._turn)
        self._thread.start()
        # The application takes the first of each kind.
        self.ask(self.get())
        self.ask(self.post(GIVEN[0]))
        self.ask(self.send(GIVEN[0]))

    def _turn(self):
        while not self._stop.is_set():
            self.server._loop.turn(0.05)

    def end(self):
        self._stop.set()
        self._thread.join()
        self.server._drain()
        self.lane.close()
        self.writer.close()

    def request(self, method, path, body=b"", *headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def get(self, *headers):
        return self.request("GET", self.made.qr, b"", *headers)

    def post(self, answers, *headers, id=None, **more):
        body = {
            "id": id or str(uuid.uuid4()),
            "token": self.made.api_token,
            "questionnaire": self.made.questionnaire,
            "answers": answers,
        }
        return self.raw(json.dumps(body | more).encode(), *headers)

    def raw(self, body, *headers):
        return self.request("POST", doorstep.API, body, f"Content-Type: {JSON}", *headers)

    def send(self, answers, *headers, id=None, **more):
        page = tokens.page(self.settings.secret, id or str(uuid.uuid4()), datetime.now(UTC))
        body = urlencode(answers | {"page": page} | more, doseq=True).encode()
        return self.request("POST", self.made.qr, body, f"Content-Type: {FORM}", *headers)

    def ask(self, *requests):
        """The answers to requests that are sent without waiting: head as a list, body."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as client:
            client.sendall(b"".join(requests))
            file = client.makefile("rb")
            found = [self._read(file) for _ in requests]
        return found[0] if len(found) == 1 else found

    def _read(self, file):
        lines = []
        while line := file.readline().strip():
            lines.append(line.decode("latin-1"))
        length = next(int(line[16:]) for line in lines if line.startswith("Content-Length: "))
        return lines, file.read(length)

    def row(self, id):
        with closing(db.connect(self.settings.database, readonly=True)) as base:
            found = base.execute("SELECT * FROM response WHERE id = :id", {"id": id}).fetchone()
        return dict(found) if found else None


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    found = Live(tmp_path_factory.mktemp("lane"))
    yield found
    found.end()


def alone(live, request):
    """The answer, and whether no worker was woken for it."""
    before = live.woken
    return live.ask(request), live.woken == before


def fixed(lines):
    """A head without what differs between two answers."""
    return [line for line in lines if line.split(":")[0] not in {"Date", "Content-Length"}]


def without_close(lines):
    return [line for line in lines if line != "Connection: close"]


@pytest.mark.parametrize("headers", [(), ("Accept-Encoding: gzip",)])
def test_a_kept_page_is_the_servers_own_answer_but_for_its_token(live, headers):
    live.ask(live.get(*headers))
    (head, body), short = alone(live, live.get(*headers))
    slow_head, slow_body = live.ask(live.get("Connection: close", *headers))
    if headers:
        body, slow_body = gzip.decompress(body), gzip.decompress(slow_body)
    mark = re.compile(rb'name="page" value="([\w-]+)"')

    assert short
    assert fixed(head) == without_close(fixed(slow_head))
    assert [line.split(":")[0] for line in head] == [
        line.split(":")[0] for line in without_close(slow_head)
    ]
    assert mark.sub(b"", body) == mark.sub(b"", slow_body)
    assert mark.search(body)[1] != mark.search(slow_body)[1]


WAYS = [Live.post, Live.send]


@pytest.mark.parametrize("way", WAYS)
def test_a_response_gets_the_servers_own_answer_and_the_same_row(live, way):
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    (head, body), short = alone(live, way(live, GIVEN[1], f"User-Agent: {one}", id=one))
    slow = ("Connection: close", f"User-Agent: {other}")
    slow_head, slow_body = live.ask(way(live, GIVEN[1], *slow, id=other))
    apart = {"seq", "id", "receipt", "received_at", "submitted_at", "started_at", "seal"}
    a, b = live.row(one), live.row(other)

    assert short
    assert fixed(head) == without_close(fixed(slow_head))
    assert head[0] == "HTTP/1.1 201 CREATED"
    assert len(body) == len(slow_body)
    assert {k: v for k, v in a.items() if k not in apart} == {
        k: v for k, v in b.items() if k not in apart
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_repeat_gets_its_receipt_and_other_content_is_refused(live, way):
    id = str(uuid.uuid4())
    live.ask(way(live, GIVEN[2], id=id))
    receipt = live.row(id)["receipt"]
    (head, body), short = alone(live, way(live, GIVEN[2], id=id))
    changed, _ = live.ask(way(live, GIVEN[3], id=id))

    assert short
    assert head[0] == "HTTP/1.1 200 OK"
    assert receipt in body.decode().replace("-", "")
    assert changed[0].startswith("HTTP/1.1 409")
    assert live.row(id)["receipt"] == receipt


def test_what_is_not_in_order_reaches_the_application_with_its_body(live):
    for request, status in [
        (live.raw(b"{"), "400"),
        (live.post(GIVEN[1] | {"s01": 7}), "422"),
        (live.post(GIVEN[1], token="cforged"), "404"),
        (live.post(GIVEN[1] | {"comment": "a" * 90_000}), "422"),
        (live.send(GIVEN[1] | {"s01": "7"}), "422"),
        (live.send(GIVEN[1], go="stay"), "200"),
        (live.request("GET", "/q/forged"), "404"),
    ]:
        (head, body), short = alone(live, request)
        assert head[0].split()[1] == status, head[0]
        assert not short
        assert body


def test_requests_sent_without_waiting_are_answered_in_their_order(live):
    ids = [str(uuid.uuid4()) for _ in range(3)]
    found = live.ask(
        live.post(GIVEN[1], id=ids[0]), live.get(), live.raw(b"{"), live.post(GIVEN[1], id=ids[1]),
        live.request("GET", "/healthz"), live.get(), live.send(GIVEN[1], id=ids[2]),
    )  # fmt: skip

    assert [int(head[0].split()[1]) for head, _ in found] == [201, 200, 400, 201, 200, 200, 201]
    assert all(live.row(id) for id in ids)
    assert json.loads(found[0][1])["id"] == ids[0]
    assert json.loads(found[3][1])["id"] == ids[1]


def test_someone_who_asks_much_and_reads_nothing_keeps_nobody_waiting(live):
    pages = live.get() * 3000
    with socket.create_connection(("127.0.0.1", live.server.port), timeout=10) as greedy:
        greedy.setblocking(False)
        sent = 0
        for _ in range(200):
            try:
                sent += greedy.send(pages[sent : sent + 65536])
            except BlockingIOError:
                break
        head, _ = live.ask(live.post(GIVEN[1]))

    assert sent > 65536
    assert head[0] == "HTTP/1.1 201 CREATED"


def test_a_request_that_comes_in_pieces_is_taken_whole(live):
    id = str(uuid.uuid4())
    request = live.post(GIVEN[1], id=id)
    with socket.create_connection(("127.0.0.1", live.server.port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(request), 100):
            client.sendall(request[at : at + 100])
        assert client.recv(12) == b"HTTP/1.1 201"
    assert live.row(id)


def test_someone_who_leaves_before_the_answer_takes_nobody_along(live):
    ids = [str(uuid.uuid4()) for _ in range(20)]
    for id in ids:
        with socket.create_connection(("127.0.0.1", live.server.port), timeout=10) as client:
            client.sendall(live.post(GIVEN[1], id=id))
    head, _ = live.ask(live.post(GIVEN[1]))

    assert head[0] == "HTTP/1.1 201 CREATED"


def test_many_at_once_are_each_stored_once_and_each_gets_its_own_receipt(live):
    ids = [str(uuid.uuid4()) for _ in range(200)]
    found = {}

    def client(mine):
        for id in mine:
            found[id] = json.loads(live.ask(live.post(GIVEN[1], id=id))[1])

    threads = [threading.Thread(target=client, args=(ids[n::20],)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {id: answer["id"] for id, answer in found.items()} == {id: id for id in ids}
    assert all(live.row(id)["receipt"] == found[id]["receipt"] for id in ids)


def test_the_same_response_at_once_on_many_lines_is_stored_once(live):
    id = str(uuid.uuid4())
    receipts = set()

    def client():
        receipts.add(json.loads(live.ask(live.post(GIVEN[1], id=id))[1])["receipt"])

    threads = [threading.Thread(target=client) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert receipts == {live.row(id)["receipt"]}


def at_once(live, requests, threads=20):
    """The statuses of many requests, each on a line of its own, sent by so many threads."""
    found = {}

    def client(start):
        for number in range(start, len(requests), threads):
            found[number] = int(live.ask(requests[number])[0][0].split()[1])

    working = [threading.Thread(target=client, args=(n,)) for n in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    return [found[number] for number in range(len(requests))]


def test_a_hundred_replays_of_one_dossiers_token_are_one_answer(live):
    with closing(db.connect(live.settings.database)) as base:
        unit = base.execute("SELECT unit FROM door WHERE wave = 'qr-2026'").fetchone()["unit"]
        door = doors.add(
            base, kind="dossier", wave="qr-2026", unit=unit, dossier_key="k" * 32,
            now=datetime.now(UTC), actor="shell:test",
        )  # fmt: skip
    token = tokens.issue(live.settings.secret, "dossier", door.id)
    ids = [str(uuid.uuid4()) for _ in range(100)]
    found = at_once(live, [live.post(GIVEN[1], id=id, token=token) for id in ids])

    assert sorted(found) == [201] + [409] * 99
    assert [bool(live.row(id)) for id in ids].count(True) == 1
    assert live.row(ids[found.index(201)])


def test_an_answer_that_spoils_a_transaction_harms_no_other(tmp_path):
    live = Live(tmp_path)
    try:
        with closing(db.connect(live.settings.database)) as base:
            base.execute(
                "CREATE TRIGGER spoil BEFORE INSERT ON response WHEN NEW.language = 'en'"
                " BEGIN SELECT RAISE(ABORT, 'spoilt'); END"
            )
        ids = [str(uuid.uuid4()) for _ in range(60)]
        languages = ["en" if number % 10 == 0 else "vi" for number in range(60)]
        found = at_once(
            live,
            [
                live.post(GIVEN[1], id=id, language=language)
                for id, language in zip(ids, languages, strict=True)
            ],
        )
        assert found == [500 if language == "en" else 201 for language in languages]
        assert [bool(live.row(id)) for id in ids] == [status == 201 for status in found]
    finally:
        live.end()


def test_signs_are_seen_on_the_short_way_too(live):
    signer = live.app.session_interface.get_signing_serializer(live.app)
    cookie = f"Cookie: sipas={signer.dumps({'staff': 1})}"
    id = str(uuid.uuid4())
    _, short = alone(live, live.post(GIVEN[1], cookie, id=id))

    assert short
    assert live.row(id)["state"] == "flagged"
    assert "officer_session" in live.row(id)["flags"]


def test_the_device_is_the_one_the_application_sees(live):
    for way in ((), ("Connection: close",)):
        ids = [str(uuid.uuid4()) for _ in range(7)]
        agent = f"User-Agent: phone {len(way)}"
        for id in ids:
            live.ask(live.post(GIVEN[1], agent, *way, id=id))
        flagged = ["burst" in live.row(id)["flags"] for id in ids]
        assert flagged == [False] * 5 + [True] * 2


def test_a_closed_wave_takes_nothing(tmp_path):
    live = Live(tmp_path)
    try:
        with closing(db.connect(live.settings.database)) as base:
            waves.close(base, "qr-2026", now=datetime.now(UTC), actor="shell:test")
        for way in WAYS:
            assert live.ask(way(live, GIVEN[1]))[0][0].startswith("HTTP/1.1 410")
    finally:
        live.end()


def test_what_cannot_be_stored_is_said_and_nothing_is_acknowledged(tmp_path):
    live = Live(tmp_path)
    try:
        live.writer.close()
        for way in WAYS:
            id = str(uuid.uuid4())
            assert live.ask(way(live, GIVEN[1], id=id))[0][0].startswith("HTTP/1.1 503")
            assert live.row(id) is None
    finally:
        live.end()
