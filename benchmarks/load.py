"""A load generator: keep-alive clients in a process of their own that only count and time."""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

CLIENTS = 50


@dataclass(frozen=True, slots=True)
class Run:
    """What the clients saw: answers by status, seconds of the run, seconds of each answer."""

    statuses: Counter[int]
    seconds: float
    waits: list[float] = field(repr=False)
    broken: int = 0  # connections that ended before their answer

    @property
    def rate(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds

    def quantile(self, share: float) -> float:
        """The wait (milliseconds) that this share of the answers did not exceed."""
        ordered = sorted(self.waits)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Client:
    """One keep-alive connection: sends a request, reads its answer whole, sends the next."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.started = 0.0

    def send(self, request: bytes) -> None:
        self.buffer = b""
        self.started = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> int | None:
        """The status once the answer is complete, None before; raises ConnectionError."""
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionError("closed before the answer was complete")
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        if len(self.buffer) < end + 4 + _length(self.buffer[:end]):
            return None
        return int(self.buffer[9:12])


def _length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    return int(head[at + 17 :].split(b"\r\n", 1)[0])


def request(
    method: str, path: str, body: bytes = b"", *, headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    """One HTTP/1.1 request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers)]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def drive(
    port: int,
    requests: Sequence[bytes],
    *,
    clients: int = CLIENTS,
    seconds: float = 3.0,
    again: bool = True,
) -> Run:
    """Send the requests from so many clients for so long; ``again``: start over at the end.

    The clients live in another process, so that they do not take turns with the caller.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_work, args=(theirs,), daemon=True)
    worker.start()
    theirs.close()
    ours.send((port, list(requests), clients, seconds, again))
    found: Run = ours.recv()
    worker.join()
    ours.close()
    return found


def _work(pipe: multiprocessing.connection.Connection) -> None:
    port, requests, clients, seconds, again = pipe.recv()
    pipe.send(_measure(port, requests, clients, seconds, again))
    pipe.close()


def _measure(port: int, requests: list[bytes], clients: int, seconds: float, again: bool) -> Run:
    selector = selectors.DefaultSelector()
    statuses: Counter[int] = Counter()
    waits: list[float] = []
    sent = broken = 0
    start = time.perf_counter()
    stop = start + seconds
    for _ in range(min(clients, len(requests)) if not again else clients):
        client = _Client(port)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(requests[sent % len(requests)])
        sent += 1
    while selector.get_map() and time.perf_counter() < stop + 30:
        for key, _ in selector.select(1):
            client = key.data
            try:
                status = client.read()
            except OSError:
                broken += 1
                selector.unregister(client.socket)
                client.socket.close()
                continue
            if status is None:
                continue
            now = time.perf_counter()
            statuses[status] += 1
            waits.append(now - client.started)
            if now < stop and (again or sent < len(requests)):
                client.send(requests[sent % len(requests)])
                sent += 1
            else:
                selector.unregister(client.socket)
                client.socket.close()
    selector.close()
    return Run(statuses, time.perf_counter() - start, waits, broken)
