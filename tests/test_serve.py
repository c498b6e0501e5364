"""The server as it is run: its one line, its end, and what slow and rude clients cannot do."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from survey.demonstration import demo

SLOW = 500
GOOD = 100
COMMAND = "from survey.cli import main; main()"


class Running:
    """`sipas serve` in a process of its own, on a free port."""

    def __init__(self, instance):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = str(probe.getsockname()[1])
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "--instance", str(instance), "serve", "--port", port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self.line = self.process.stdout.readline()
        found = re.search(r":(\d+)$", self.line.strip())
        assert found, (self.line, self.process.stderr.read() if not found else "")
        self.port = int(found[1])

    def end(self, how=signal.SIGTERM):
        """Send the signal; status and whatever else was printed."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=15)
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    return folder, demo.make(folder, small=True)


@pytest.fixture(scope="module")
def shared(made):
    running = Running(made[0])
    yield running
    running.end()


def ask(port, method, path, body=None, headers=None, timeout=10):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_one_line_is_printed_when_it_really_listens_and_sigterm_ends_it_cleanly(made):
    running = Running(made[0])
    status, _, _ = ask(running.port, "GET", "/healthz")
    code, out, err = running.end()

    assert running.line == f"SIPAS đang chạy tại http://127.0.0.1:{running.port}\n"
    assert (status, code, out, err) == (200, 0, "", "")


def test_ctrl_c_ends_it_as_cleanly(made):
    assert Running(made[0]).end(signal.SIGINT) == (0, "", "")


def test_a_port_in_use_is_said_in_one_sentence(made, shared):
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "--instance", str(made[0]), "serve",
         "--port", str(shared.port)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stdout == ""
    assert f"Cổng {shared.port} đang được chương trình khác dùng" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_answer_names_the_server_or_its_version(shared):
    _, headers, _ = ask(shared.port, "GET", "/healthz")

    assert not {"Server", "Via", "X-Powered-By"} & set(headers)


def test_a_request_nobody_can_read_gets_a_vietnamese_page_with_the_safe_headers(shared):
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n")
        answer = read_all(client)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "Yêu cầu không đọc được" in answer.decode()
    assert b"frame-ancestors 'none'" in answer
    assert b"nosniff" in answer
    assert b"waitress" not in answer.lower()


def test_a_body_beyond_all_measure_is_a_problem_for_machines(shared):
    head = (
        "POST /api/v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {10**9}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", shared.port), timeout=5) as client:
        client.sendall(head.encode())
        answer = read_all(client)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["title"] == "Nội dung gửi quá lớn"


def test_ten_megabytes_are_read_and_then_refused_by_the_application(shared):
    body = b"x" * (10 * 1024 * 1024)
    kind = {"Content-Type": "application/json", "Accept": "application/json"}
    status, headers, answer = ask(shared.port, "POST", "/api/v1/responses", body, kind)

    assert status == 413
    assert headers["Content-Type"].startswith("application/problem+json")
    assert json.loads(answer)["status"] == 413


@pytest.mark.parametrize(("behind", "scheme"), [("1", "https"), ("", "http")])
def test_only_a_proxy_of_ours_may_say_that_the_browser_came_over_https(made, behind, scheme):
    code = (
        "import sys\nfrom pathlib import Path\nfrom flask import request\n"
        "import survey\nfrom survey import config, guard, serve\n"
        "real = survey.create_app\n"
        "def create_app(settings):\n"
        "    app = real(settings)\n"
        "    app.add_url_rule('/scheme', 'scheme', guard.public(lambda: request.scheme))\n"
        "    return app\n"
        "survey.create_app = create_app\n"
        "serve.run(config.load(Path(sys.argv[1])), port=0)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(made[0])],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"SIPAS_BEHIND_TLS": behind},
    )
    port = int(process.stdout.readline().rsplit(":", 1)[1])
    try:
        told = ask(port, "GET", "/scheme", headers={"X-Forwarded-Proto": "https"})[2]
    finally:
        process.terminate()
        process.communicate(timeout=15)

    assert told.decode() == scheme


def read_all(client):
    found = b""
    while data := client.recv(65536):
        found += data
    return found


HEADS = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODIES = (
    b"POST /api/v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100000\r\n\r\n{"
)


@pytest.mark.slow
@pytest.mark.parametrize("beginning", [HEADS, BODIES], ids=["slow headers", "slow bodies"])
def test_500_slow_connections_leave_100_good_clients_served(made, beginning):
    running = Running(made[0])
    stop = threading.Event()
    slow = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(SLOW)]
    for client in slow:
        client.sendall(beginning)
        client.setblocking(False)
    dribbling = threading.Thread(target=dribble, args=(slow, stop))
    dribbling.start()
    try:
        time.sleep(1)
        with ThreadPoolExecutor(20) as pool:
            path = made[1].qr
            served = list(pool.map(lambda _: good(running.port, path), range(GOOD)))
        still_open = sum(alive(client) for client in slow)
    finally:
        stop.set()
        dribbling.join()
        for client in slow:
            client.close()
    code, _, err = running.end()

    assert served == [200] * GOOD
    assert still_open == SLOW, "the slow ones were slow to the end, or this shows nothing"
    assert (code, err) == (0, "")


def dribble(clients, stop):
    """A byte a second from each, so that none of them counts as silent."""
    while not stop.wait(1.0):
        for client in clients:
            try:
                client.send(b"a")
            except OSError:
                continue


def good(port, path):
    try:
        return ask(port, "GET", path, timeout=10)[0]
    except OSError as error:
        return repr(error)


def alive(client):
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
