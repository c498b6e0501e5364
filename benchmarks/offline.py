"""A week on a bad line: two tabs of one tablet queue answers, and what the database then holds.

Between Chromium and the real server stands a line that fails on purpose: it is down for hours,
takes an answer and loses the reply, or says 503.  Clocks jump, tabs are closed and opened again.
Two sabotaged queues must be caught, or the harness would be silent: one that forgets its ids and
one that forgets an answer as soon as sending it failed.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from benchmarks import servers, wire
from survey.demonstration import demo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

API = "/api/v1/responses"
ANSWERS, SOAK, SABOTAGED = 60, 500, 24
DAYS = 7
#: Text of queue.js -> what stands there instead: new ids at every try; failed means forgotten.
FORGETFUL = ("var body = copy(record),", "var body = copy(record), fresh = (body.id = id()),")
FORGIVING = ("said.id === record.id", "said.id")
LOSSY = ('fault = "offline"; return false;', 'fault = "offline"; return settle(record, null, {});')

#: Fate -> status of an answer that the server never gave.
CANNED = {"busy": 503, "gone": 404, "portal": 200}

Measure = tuple[str, float, str]
Swap = tuple[str, str]


def fair(method: str, path: str) -> str:
    """Let everything pass."""
    del method, path
    return ""


class Line:
    """A line to a server that fails as it is told; ``fate`` names what happens to a request.

    "" passes, "down" closes the connection, "lost" delivers the request and loses the reply,
    "busy" answers 503, "gone" 404, "portal" 200 with a page of somebody else's.
    """

    def __init__(self, port: int, swaps: tuple[Swap, ...] = ()) -> None:
        self.upstream, self.swaps = port, swaps
        self.fate: Callable[[str, str], str] = fair
        self.met: Counter[str] = Counter()
        self.asked: list[tuple[str, str]] = []
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                line.pass_on(self)

            def do_POST(self) -> None:
                line.pass_on(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A browser that hangs up is no news."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        self.root = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        """End the line and wait for its thread."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        """Take one request, and let its fate decide."""
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        fate = self.fate(asked.command, asked.path)
        self.asked.append((asked.command, asked.path))
        self.met[fate] += 1
        if fate == "down":
            asked.close_connection = True
            return
        if fate in CANNED:
            self._say(asked, CANNED[fate], {"Content-Type": "text/html"}, b"<p>")
            return
        status, headers, said = self._fetch(asked, body)
        if fate == "lost":
            asked.close_connection = True
            return
        self._say(asked, status, headers, said)

    def _fetch(
        self, asked: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        keep = ("Content-Type", "Accept", "User-Agent", "Cookie")
        headers = {name: asked.headers[name] for name in keep if asked.headers[name]}
        connection = HTTPConnection("127.0.0.1", self.upstream, timeout=20)
        try:
            connection.request(asked.command, asked.path, body or None, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            return 503, {}, b""
        finally:
            connection.close()
        for old, new in self.swaps:
            text = text.replace(old.encode(), new.encode())
        kept = {k: v for k, v in answer.getheaders() if k not in {"Content-Length", "Connection"}}
        return answer.status, kept, text

    def _say(
        self, asked: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        asked.send_response(status)
        for name, value in headers.items():
            asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)


@dataclass(slots=True)
class Outcome:
    """What went wrong on purpose, and what the database holds in the end."""

    answers: int = 0
    down: int = 0
    lost_replies: int = 0
    busy: int = 0
    jumps: int = 0
    reopened: int = 0
    most_waiting: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        """All that happened to the poor tablet."""
        return self.down + self.lost_replies + self.busy + self.jumps + self.reopened


@dataclass(slots=True)
class _Tablet:
    """Two tabs of one browser on one line."""

    context: BrowserContext
    line: Line
    address: str
    made: demo.Demo
    answers: dict[str, object]
    chance: random.Random
    found: Outcome
    now: datetime
    tabs: list[Page] = field(default_factory=list)

    def open(self, at: int) -> None:
        """Open a tab, again if it was open; what it does on its own runs on the false clock."""
        page = self.context.new_page()
        page.clock.install(time=self.now)
        page.goto(self.address)
        page.clock.run_for(5000)
        page.wait_for_function("window.sipasQueue && window.sipasUnsent")
        if at < len(self.tabs):
            self.tabs[at].close(run_before_unload=False)
            self.tabs[at] = page
        else:
            self.tabs.append(page)

    def answer(self, mark: str) -> None:
        """Put one person's answers into the queue of one tab, as the form does."""
        at = self.chance.randrange(2)
        record = {
            "token": self.made.api_token,
            "questionnaire": self.made.questionnaire,
            "answers": self.answers | {"comment": mark},
            "channel": "qr",
            "started_at": self.now.isoformat(),
        }
        self.tabs[at].evaluate(
            "r => { r.id = sipasQueue.id(); r.submitted_at = new Date().toISOString();"
            " return sipasQueue.add(r) }",
            record,
        )

    def pass_time(self, span: timedelta) -> None:
        """Let both tabs live through some time, whatever their clock says."""
        self.now += span
        for tab in self.tabs:
            tab.clock.fast_forward(int(span.total_seconds() * 1000))

    def jump(self) -> None:
        """Set the clock of one tab wrong, by minutes or by days, back or forth."""
        off = timedelta(minutes=self.chance.choice((-2880, -90, -5, 7, 600, 4320)))
        self.chance.choice(self.tabs).clock.set_system_time(self.now + off)
        self.found.jumps += 1

    def waiting(self) -> int:
        """How many answers the device says it holds."""
        return int(self.tabs[0].evaluate("sipasQueue.count()"))

    def drain(self, patience: float = 60.0) -> None:
        """With the line up again, let the queue empty itself."""
        end = time.monotonic() + patience
        while self.waiting() and time.monotonic() < end:
            self.pass_time(timedelta(minutes=6))
            self.tabs[0].wait_for_timeout(100)


@contextmanager
def launched(given: Browser | None) -> Iterator[Browser]:
    """A browser that runs already (Playwright is one to a process), or one of our own."""
    if given is not None:
        yield given
        return
    with sync_playwright() as play:
        own = play.chromium.launch(executable_path=wire.BROWSER, args=wire.QUIET)
        yield own
        own.close()


def week(
    answers: int,
    *,
    swaps: tuple[Swap, ...] = (),
    seed: int = 2026,
    browser: Browser | None = None,
) -> Outcome:
    """Queue so many answers in seven simulated days; compare promises with rows."""
    chance, started, found = random.Random(seed), time.monotonic(), Outcome(answers=answers)
    with tempfile.TemporaryDirectory() as folder:
        made = demo.make(Path(folder), small=True)
        with servers.ours(Path(folder)) as ours:
            line = Line(ours.port, swaps)
            try:
                with launched(browser) as running:
                    _live(running, line, made, chance, found)
            finally:
                line.close()
            found.down, found.busy = line.met["down"], line.met["busy"]
            found.lost_replies = line.met["lost"]
        _compare(Path(folder) / "sipas.sqlite", found)
    found.seconds = time.monotonic() - started
    return found


def _live(
    browser: Browser, line: Line, made: demo.Demo, chance: random.Random, found: Outcome
) -> None:
    from benchmarks.ingest import answers

    one = next(iter(answers(made.questionnaire, 1)))
    # The service worker is not under test here, and would hide the line from us.
    context = browser.new_context(service_workers="block", bypass_csp=True)
    tablet = _Tablet(
        context, line, line.root + made.qr, made, one, chance, found, datetime.now(UTC)
    )
    tablet.open(0)
    tablet.open(1)
    step = timedelta(days=DAYS) / found.answers
    skies = ["", "down", "lost", "busy", "mixed"]
    for n in range(found.answers):
        if n % 3 == 0:  # some hours of good or bad weather; pages themselves still open
            sky = skies[n // 3 % len(skies)]
            line.fate = _weather(sky, chance)
        if n % 5 == 3 or chance.random() < 0.05:
            tablet.jump()
        if n % 9 == 7 or chance.random() < 0.03:
            tablet.open(chance.randrange(2))
            found.reopened += 1
        tablet.answer(f"tuần {n}")
        tablet.pass_time(step)
        found.most_waiting = max(found.most_waiting, tablet.waiting())
    line.fate = fair
    tablet.drain()
    context.close()


def _weather(kind: str, chance: random.Random) -> Callable[[str, str], str]:
    kinds = ("", "down", "lost", "busy") if kind == "mixed" else (kind,)

    def fate(method: str, path: str) -> str:
        return chance.choice(kinds) if path == API else ""

    return fate


def _compare(database: Path, found: Outcome) -> None:
    with closing(sqlite3.connect(database)) as db:
        stored = Counter(
            mark
            for (mark,) in db.execute("SELECT json_extract(answers, '$.comment') FROM response")
            if mark and mark.startswith("tuần ")
        )
    found.stored = len(stored)
    found.lost = sum(f"tuần {n}" not in stored for n in range(found.answers))
    found.doubled = sum(count > 1 for count in stored.values())


def run() -> list[Measure]:
    """A short week, then the two sabotaged queues."""
    return _measured(ANSWERS)


def soak() -> list[Measure]:
    """As ``run``, with as many answers as the issue asks."""
    return _measured(SOAK)


def _measured(answers: int) -> list[Measure]:
    found = week(answers)
    print(json.dumps({name: getattr(found, name) for name in found.__slots__}), file=sys.stderr)
    if not (found.down and found.lost_replies and found.busy and found.jumps and found.reopened):
        raise RuntimeError("some kind of fault never happened: nothing was shown")
    caught = [
        week(SABOTAGED, swaps=(FORGETFUL, FORGIVING)).doubled > 0,
        week(SABOTAGED, swaps=(LOSSY,)).lost > 0,
    ]
    return [
        ("Answers queued in seven simulated days", float(found.answers), ""),
        ("Faults that really happened", float(found.faults), ""),
        ("Most answers waiting at once", float(found.most_waiting), ""),
        ("Answers lost offline", float(found.lost), ""),
        ("Answers doubled offline", float(found.doubled), ""),
        ("Sabotaged queues caught", float(sum(caught)), "of 2"),
    ]
