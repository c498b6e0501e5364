"""Answers given on the server's main thread: kept pages at once, responses in batches.

A thread that is woken for one request costs more than the request.  What the application has
just allowed (``doorstep``) is therefore answered where it was read: a page immediately, a
response when the transaction that took all those waiting is on disk.  Whatever is not plain
goes to a worker and the application, with its body untouched.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, cast

from waitress.channel import ClientDisconnected

from survey.citizen import doorstep
from survey.db import NotStored, write
from survey.store import Refused, responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from sqlite3 import Connection

    from survey.citizen.doorstep import Doorstep, Thanked
    from survey.citizen.intake import Taken
    from survey.db import Job, Writer

#: Responses stored in one transaction.
BATCH = 500
#: Bytes a connection may have waiting; beyond, writing might make the main thread wait.
UNSENT = 1024 * 1024
#: What the doorstep may look at, by the server's names of the headers.
_HEADERS = {
    "CONTENT_TYPE": "CONTENT_TYPE",
    **{
        name: f"HTTP_{name}"
        for name in (
            "HOST", "ACCEPT_ENCODING", "ACCEPT_LANGUAGE", "USER_AGENT", "COOKIE", "X_FORWARDED_FOR"
        )
    },
}  # fmt: skip

log = logging.getLogger(__name__)


class Caught:
    """Stands where a writer stands and keeps the job, for a transaction of many."""

    job: Job
    single: bool

    def run(self, job: Job, *, single: bool = False) -> None:
        """Take the job instead of doing it."""
        self.job, self.single = job, single


class Lane:
    """The short way of one server; all but ``_work`` runs on the server's main thread."""

    def __init__(
        self,
        step: Doorstep,
        writer: Writer,
        context: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._step = step
        self._writer = writer
        self._context = context
        self._offered: list[Any] = []
        self._taken: deque[tuple[Any, Taken, Thanked]] = deque()
        self._done: deque[tuple[Any, bytes | None]] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._second, self._date = 0, b""
        self.wake: Callable[[], None] = lambda: None  # the server's, once it has one

    def offer(self, channel: Any) -> bool:
        """Say whether a connection's next request will be looked at in this turn."""
        request = channel.requests[0]
        if request.error is not None or request.version != "1.1" or request.chunked:
            return False
        if request.headers.get("CONNECTION", "keep-alive").lower() != "keep-alive":
            return False
        if channel.total_outbufs_len > UNSENT:
            return False
        path: str = request.path
        if request.command == "POST":
            known = path == doorstep.API or path.startswith(doorstep.PHONE)
            mine = known and 0 < int(request.content_length) <= doorstep.LONGEST
        else:
            mine = bool(request.command == "GET") and path.startswith(doorstep.DOORS)
        if mine:
            self._offered.append(channel)
        return mine

    def turn(self) -> None:
        """Send what is stored, answer what was offered, hand over what is not plain."""
        while self._done:
            channel, answer = self._done.popleft()
            _reply(channel, answer)
        while self._offered:  # an answer may uncover the next request of its connection
            offered, self._offered = self._offered, []
            posts = [channel for channel in offered if not self._page(channel)]
            if posts:
                self._begin_all(posts)

    def close(self) -> None:
        """End the thread after what it has taken."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        if self._thread is not None:
            self._thread.join()

    def _page(self, channel: Any) -> bool:
        """Answer a GET, or hand it over; False for a response."""
        request = channel.requests[0]
        if request.command != "GET":
            return False
        try:
            answer = self._step.page(_environ(channel, request), self._now())
        except Exception:  # whatever it is, a worker says so and the server lives
            log.exception("a page on the short way")
            answer = None
        _reply(channel, answer)
        return True

    def _begin_all(self, channels: list[Any]) -> None:
        with self._context():
            taken = [found for channel in channels if (found := self._begin(channel))]
        if taken:
            with self._ready:
                self._thread = self._thread or self._begun()
                self._taken.extend(taken)
                self._ready.notify()

    def _begin(self, channel: Any) -> tuple[Any, Taken, Thanked] | None:
        """Read a response, or hand it over."""
        request = channel.requests[0]
        try:
            body = request.body_rcv.getbuf().get()
            found = self._step.begin(_environ(channel, request), body)
        except Exception:  # as above
            log.exception("a response on the short way")
            found = None
        if found is None:
            _reply(channel, None)
            return None
        return channel, *found

    def _now(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True).encode()
        return self._date

    def _begun(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, name="lane", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._taken or self._closed)
                if not self._taken:
                    return
                batch = [self._taken.popleft() for _ in range(min(BATCH, len(self._taken)))]
            self._done.extend(self._stored(batch))
            self.wake()

    def _stored(self, batch: list[tuple[Any, Taken, Thanked]]) -> list[tuple[Any, bytes | None]]:
        """Store a batch in one transaction; what could not be stored so has no answer here."""
        try:
            jobs = [_job(taken) for _, taken, _ in batch]
            found = self._writer.run(lambda db: [_attempt(db, *job) for job in jobs])
            date = formatdate(usegmt=True).encode()
            return [
                (channel, None if stored is None else _answer(taken, thanked, stored, date))
                for (channel, taken, thanked), stored in zip(batch, found, strict=True)
            ]
        except NotStored:
            pass
        except Exception:  # one at a time the workers find out whose it is
            log.exception("responses on the short way")
        return [(channel, None) for channel, _, _ in batch]


def _job(taken: Taken) -> tuple[Job, bool]:
    caught = Caught()
    responses.add(cast("Writer", caught), taken.incoming, now=taken.received)
    return caught.job, caught.single


def _attempt(db: Connection, job: Job, single: bool) -> responses.Stored | None:
    """Do one job of a transaction; a refusal is said by the application, which tries again."""
    try:
        if single:  # one statement undoes itself
            return cast("responses.Stored", job(db))
        with write(db):
            return cast("responses.Stored", job(db))
    except (Refused, LookupError):
        return None


def _answer(taken: Taken, thanked: Thanked, stored: responses.Stored, date: bytes) -> bytes:
    head = thanked.new if stored.new else thanked.again
    return head.whole(taken.answer(stored), date)


def _environ(channel: Any, request: Any) -> dict[str, Any]:
    """Return of a request what the doorstep looks at, by the names it has there."""
    headers = request.headers
    environ = {name: headers[key] for key, name in _HEADERS.items() if key in headers}
    environ["PATH_INFO"] = request.path
    environ["QUERY_STRING"] = request.query
    environ["REMOTE_ADDR"] = channel.addr[0]
    environ["wsgi.url_scheme"] = request.url_scheme
    return environ


def _reply(channel: Any, answer: bytes | None) -> None:
    """Send the answer to a connection's first request; None hands it to a worker."""
    if answer is None:
        channel.server.task_dispatcher.add_task(channel)
        return
    try:
        _send(channel, answer)
    except Exception:  # one connection must not end the server
        log.exception("an answer on the short way")
        channel.will_close = True
    channel.server.loop.look_at(channel)


def _send(channel: Any, answer: bytes) -> None:
    try:
        channel.write_soon(answer)
    except ClientDisconnected:
        channel.close_when_flushed = True
    with channel.requests_lock:
        if channel.close_when_flushed:
            for request in channel.requests:
                request.close()
            channel.requests = []
        else:
            channel.requests.pop(0).close()
            # As the server does: the next answer gets a buffer of its own.
            if channel.current_outbuf_count > 0:
                channel.current_outbuf_count = channel.adj.outbuf_high_watermark
        more = channel.connected and channel.requests
    channel.last_activity = time.time()
    if more:
        channel.server.add_task(channel)
