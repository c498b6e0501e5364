"""The event loop under the server: nobody is forgotten, whatever a client does."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

CODE = """
import time
from survey import serve

old = serve.options
soon = {"channel_timeout": 4, "cleanup_interval": 1}
serve.options = lambda threads=4, **more: old(threads, **more) | soon

def app(environ, start_response):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read()
    if path == "/big":
        body = b"0123456789abcdef" * 524288
    elif path == "/parts":
        start_response("200 OK", [("Content-Length", "2000000")])
        return (b"x" * 20000 for _ in range(100))
    elif path == "/later":
        time.sleep(0.3)
        body = b"later"
    elif path != "/echo":
        body = path.encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

server = serve.Server(app, "127.0.0.1", 0, threads=4)
server.run(lambda: print(server.address, flush=True))
"""


@pytest.fixture(scope="module")
def port():
    process = subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield int(re.search(r":(\d+)$", process.stdout.readline().strip())[1])
    process.terminate()
    _, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (0, "")


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    return client


def read(client, size):
    found = b""
    while len(found) < size and (data := client.recv(65536)):
        found += data
    return found


def get(path, *more):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *more, "", ""]).encode()


def test_one_connection_serves_many_requests(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(200):
        connection.request("POST", "/echo", body=f"n{number}")
        assert connection.getresponse().read() == f"n{number}".encode()
    connection.close()


def test_requests_sent_without_waiting_are_answered_in_their_order(port):
    with connect(port) as client:
        client.sendall(get("/a") + get("/later") + get("/c", "Connection: close"))
        bodies = re.findall(rb"\r\n\r\n(/a|later|/c)", read(client, 10**6))

    assert bodies == [b"/a", b"later", b"/c"]


def test_a_big_answer_reaches_a_slow_reader_whole_while_others_are_served(port):
    with connect(port) as client, ThreadPoolExecutor(8) as pool:
        client.sendall(get("/big", "Connection: close"))
        time.sleep(0.2)
        assert set(pool.map(lambda n: ask(port, f"/{n}"), range(40))) == {
            f"/{n}".encode() for n in range(40)
        }
        body = read(client, 10**9).partition(b"\r\n\r\n")[2]

    assert len(body) == 16 * 524288


def test_an_answer_made_in_parts_arrives_whole(port):
    assert ask(port, "/parts") == b"x" * 2000000


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_client_that_asks_whether_to_go_on_is_told_so(port):
    with connect(port) as client:
        client.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"yes")
        assert read(client, 10**6).endswith(b"\r\n\r\nyes")


def test_an_old_client_without_keep_alive_is_answered_and_let_go(port):
    with connect(port) as client:
        client.sendall(b"GET /old HTTP/1.0\r\n\r\n")
        assert read(client, 10**6).endswith(b"\r\n\r\n/old")


def test_clients_that_hang_up_in_the_middle_harm_nobody(port):
    for beginning in (get("/later"), get("/big"), b"POST /echo HTTP/1.1\r\nContent-Length: 9\r\n"):
        for _ in range(20):
            client = connect(port)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(beginning)
            client.close()

    assert ask(port, "/after") == b"/after"


def test_a_silent_connection_is_closed_in_time(port):
    with connect(port) as silent, connect(port) as spoken:
        spoken.sendall(get("/once"))
        started = time.monotonic()
        assert silent.recv(1) == b""
        assert read(spoken, 10**6).endswith(b"/once")

    assert time.monotonic() - started < 10
