"""`kill -9` under load: clients that send again until they have a receipt, and what is stored.

The server is the real one over HTTP.  Two sabotaged servers must be caught, or the harness would
be silent: one that gives the receipt before the commit, one that ignores the client's id.
"""

from __future__ import annotations

import itertools
import json
import random
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks import servers
from survey.demonstration import demo

CLIENTS = 8
KILLS, SOAK, SABOTAGED = 25, 1000, 6

#: What is done to the server before it starts, and what must then be seen.
EARLY = """
import threading, time
from survey import db
from survey.citizen import lane
from survey.store import responses
promise = responses.Stored("AAAAAAAA", "2026-11-22T09:30:00.123Z", True)
def afterwards(work):
    def later():
        time.sleep(0.05)
        try:
            work()
        except db.NotStored:
            pass
    threading.Thread(target=later, daemon=True).start()
real, stored = db.Writer.run, lane.Lane._stored
def early(self, job, **how):
    if threading.current_thread().name == "later":
        return real(self, job, **how)
    afterwards(lambda: real(self, job, **how))
    return promise
def early_batch(self, batch):
    def work():
        threading.current_thread().name = "later"
        stored(self, batch)
    afterwards(work)
    return [(way, lane._answer(taken, thanked, promise, b"")) for way, taken, thanked in batch]
db.Writer.run, lane.Lane._stored = early, early_batch
"""
FORGETFUL = """
import uuid
from survey.store import responses
real = responses._row
def forgetful(incoming, **more):
    return real(incoming, **more) | {"id": str(uuid.uuid4())}
responses._row = forgetful
"""

Measure = tuple[str, float, str]


@dataclass(slots=True)
class Outcome:
    """What the clients were promised and what the database holds."""

    kills: int = 0
    under_way: int = 0  # requests waiting for their answer when the server was killed
    again: int = 0  # requests sent once more
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Clients:
    """Threads that send one response after the other, each until it is acknowledged."""

    port: int
    made: demo.Demo
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    receipts: dict[str, str] = field(default_factory=dict)  # mark -> receipt
    again: int = 0
    waiting: int = 0
    refused: list[str] = field(default_factory=list)

    def work(self, name: int) -> None:
        """Send responses until told to stop; the last one is acknowledged too."""
        for number in itertools.count():
            if self.stop.is_set():
                return
            mark = f"{name}-{number}"
            body = json.dumps(
                {
                    "id": str(uuid.uuid4()),
                    "token": self.made.api_token,
                    "questionnaire": self.made.questionnaire,
                    "answers": _complete() | {"comment": mark},
                }
            )
            receipt = self._send(body)
            with self.lock:
                self.receipts[mark] = receipt

    def _send(self, body: str) -> str:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        kind = {"Content-Type": "application/json"}
        while True:
            try:
                with self.lock:
                    self.waiting += 1
                try:
                    connection.request("POST", "/api/v1/responses", body, kind)
                    answer = connection.getresponse()
                    text = answer.read()
                finally:
                    with self.lock:
                        self.waiting -= 1
                if answer.status in {200, 201}:
                    connection.close()
                    return str(json.loads(text)["receipt"])
                if answer.status != 503:
                    self.refused.append(f"{answer.status} {text[:200]!r}")
                    self.stop.set()
                    return ""
            except (OSError, HTTPException, ValueError):
                connection.close()
            with self.lock:
                self.again += 1
            time.sleep(0.02)


def _complete() -> dict[str, object]:
    from benchmarks.ingest import answers

    if not _ONE:
        _ONE.append(next(iter(answers("sipas-2026.1", 1))))
    return _ONE[0]


_ONE: list[dict[str, object]] = []


def siege(kills: int, *, sabotage: str = "", seed: int = 2026, tell: bool = False) -> Outcome:
    """Kill and restart the server so many times under load; compare promises with rows."""
    chance, started = random.Random(seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        made = demo.make(Path(folder), small=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        code = sabotage + servers.OURS
        serving = servers.start(code, folder, str(port))
        clients = _Clients(port, made)
        threads = [threading.Thread(target=clients.work, args=(n,)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        found = Outcome()
        try:
            for _ in range(kills):
                time.sleep(chance.uniform(0.1, 0.5))
                found.under_way += clients.waiting
                serving.process.send_signal(signal.SIGKILL)
                servers.stop(serving)
                found.kills += 1
                serving = servers.start(code, folder, str(port))
                if tell and found.kills % 50 == 0:
                    print(f"{found.kills} kills, {len(clients.receipts)} receipts", file=sys.stderr)
            time.sleep(0.5)
        finally:
            clients.stop.set()
            for thread in threads:
                thread.join()
            servers.stop(serving)
        if clients.refused:
            raise RuntimeError(f"the server refused a good response: {clients.refused[0]}")
        found.again, found.acknowledged = clients.again, len(clients.receipts)
        _compare(Path(folder) / "sipas.sqlite", clients.receipts, found)
    found.seconds = time.monotonic() - started
    return found


def _compare(database: Path, receipts: dict[str, str], found: Outcome) -> None:
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute(
            "SELECT json_extract(answers, '$.comment'), receipt FROM response WHERE channel = 'api'"
        ).fetchall()
    stored = Counter(mark for mark, _ in rows)
    kept = dict(rows)
    found.lost = sum(mark not in kept for mark in receipts)
    found.doubled = sum(count > 1 for count in stored.values())
    wrong = [m for m, receipt in receipts.items() if kept.get(m, receipt) != receipt]
    if wrong and not found.doubled and not found.lost:
        raise RuntimeError(f"a receipt of something else was given: {wrong[:3]}")


def run() -> list[Measure]:
    """The real server, then the two sabotaged ones."""
    return _measured(KILLS)


def soak() -> list[Measure]:
    """As ``run``, with many more kills."""
    return _measured(SOAK, tell=True)


def _measured(kills: int, *, tell: bool = False) -> list[Measure]:
    found = siege(kills, tell=tell)
    if not found.under_way or not found.again:
        raise RuntimeError("no kill hit a request under way: nothing was shown")
    caught = [
        siege(SABOTAGED, sabotage=EARLY).lost > 0,
        siege(SABOTAGED, sabotage=FORGETFUL).doubled > 0,
    ]
    return [
        ("kill -9 under load", float(found.kills), "kills"),
        ("Requests under way when killed", float(found.under_way), ""),
        ("Responses acknowledged meanwhile", float(found.acknowledged), ""),
        ("Acknowledged responses lost", float(found.lost), ""),
        ("Responses stored twice", float(found.doubled), ""),
        ("Sabotaged servers caught", float(sum(caught)), "of 2"),
    ]
