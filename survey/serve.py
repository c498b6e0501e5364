"""The web server: waitress with limits that slow or rude clients cannot use up."""

from __future__ import annotations

import gc
import json
import logging
import resource
import signal
import socket
import sys
import time
from html import escape
from types import FrameType
from typing import TYPE_CHECKING, Any

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask

from survey import loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.citizen.lane import Lane
    from survey.config import Settings

#: Worker threads.  A thread that stores a response waits for the disk together with the
#: others (group commit), so there are more of them than processors.
THREADS = 48
#: Connections open at once, slow ones included.
CONNECTIONS = 2000
#: Bodies beyond this are refused while they arrive; below it the application answers, with its
#: own page and its own, much lower limit.
BODY_LIMIT = 12 * 1024 * 1024
#: Seconds that answers under way may take after the order to stop.
DRAIN = 5.0

#: Status -> title, detail for requests so broken that the application never sees them.
REFUSALS: dict[int, tuple[str, str]] = {
    400: ("Yêu cầu không đọc được", "Trình duyệt đã gửi một yêu cầu không đúng quy cách."),
    413: ("Nội dung gửi quá lớn", "Xin gửi nội dung ngắn hơn. Chưa có gì được lưu."),
    431: ("Yêu cầu có phần đầu quá dài", "Xin xoá bớt dữ liệu của trang này rồi thử lại."),
    500: ("Máy chủ gặp lỗi", "Câu trả lời của Ông/Bà chưa được ghi nhận. Xin thử lại sau ít phút."),
    501: ("Cách gửi chưa được hỗ trợ", "Xin gửi lại bằng trình duyệt thông thường."),
}
HEADERS = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]
PAGE = (
    '<!doctype html><html lang="vi"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title>'
    "<h1>{title}</h1><p>{detail}</p></html>"
)


class AddressError(OSError):
    """The address could not be taken; the message says why, in Vietnamese."""


class Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to a request that never reaches the application: no English, no version."""

    def execute(self) -> None:
        """Write a page, or problem+json to a client that sends or asks for JSON."""
        status, _, _ = self.request.error.to_response()
        code = int(status.split(" ", 1)[0])
        title, detail = REFUSALS.get(code, REFUSALS[500 if code >= 500 else 400])
        asked = self.request.headers
        if "json" in asked.get("ACCEPT", "") + asked.get("CONTENT_TYPE", ""):
            kind = "application/problem+json"
            told = {"type": "about:blank", "title": title, "status": code, "detail": detail}
            body = json.dumps(told, ensure_ascii=False).encode()
        else:
            kind = "text/html; charset=utf-8"
            body = PAGE.format(title=escape(title), detail=escape(detail)).encode()
        self.status = status
        self.response_headers.extend([("Content-Type", kind), *HEADERS])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(loop.Channel):
    """A connection whose refusals are ours."""

    error_task_class = Refusal


def options(threads: int = THREADS, *, proxied: bool = False) -> dict[str, Any]:
    """waitress's adjustments; with those it ships, 150 slow connections stop it altogether.

    waitress reads a request whole before a thread sees it, so slow headers and slow bodies
    cost a connection each, never a thread: what matters is that there are connections enough
    (2000, by poll: select ends at 1024) and that silent ones are closed soon.  ``proxied``: a
    proxy of ours stands before, so the application reads its X-Forwarded headers; else anybody
    could send them and they are taken away.
    """
    return {
        "threads": threads,
        "connection_limit": CONNECTIONS,
        "backlog": 2048,
        "channel_timeout": 20,
        "cleanup_interval": 5,
        "asyncore_use_poll": True,
        "max_request_header_size": 64 * 1024,
        "max_request_body_size": BODY_LIMIT,
        "ident": "",
        "clear_untrusted_proxy_headers": not proxied,
        "expose_tracebacks": False,
    }


class Server:
    """A listening server: made with its socket open, runs until told to stop."""

    def __init__(
        self,
        app: Callable[..., Any],
        host: str,
        port: int,
        *,
        threads: int = THREADS,
        proxied: bool = False,
        lane: Lane | None = None,
    ) -> None:
        """Listen on host and port (0 takes a free one); raises AddressError."""
        # A deep queue is what a busy morning looks like, not a fault worth a line a request.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        _raise_file_limit()
        self._map: dict[int, Any] = {}
        try:
            self._server = create_server(
                app, map=self._map, host=host, port=port, **options(threads, proxied=proxied)
            )
        except (OSError, ValueError) as error:
            raise AddressError(_why(error, host, port)) from error
        self._doors = [d for d in self._map.values() if isinstance(d, BaseWSGIServer)]
        for door in self._doors:
            door.channel_class = Channel
        self._loop = loop.Loop(self._map, self._doors, lane)
        self.port = int(self._doors[0].effective_port)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self.port}"

    def run(self, ready: Callable[[], None] | None = None) -> None:
        """Serve until SIGTERM or SIGINT, then finish the answers that are under way.

        ``ready`` is called once, when requests and signals are both taken.
        """
        before = {s: signal.signal(s, _stop) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            if ready:
                ready()
            while True:
                self._loop.turn(1.0)
        except (SystemExit, KeyboardInterrupt):
            for number in before:
                signal.signal(number, signal.SIG_IGN)
            self._drain()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _drain(self) -> None:
        for door in self._doors:
            door.accepting = False
            door.socket.close()
            door.del_channel()
        until = time.monotonic() + DRAIN
        while time.monotonic() < until and any(
            c.requests or c.total_outbufs_len for c in self._channels()
        ):
            self._loop.turn(0.05)
        self._server.task_dispatcher.shutdown(timeout=DRAIN)
        wasyncore.close_all(self._map, ignore_all=True)
        self._loop.close()

    def _channels(self) -> list[HTTPChannel]:
        return [c for c in self._map.values() if isinstance(c, HTTPChannel)]


def _raise_file_limit() -> None:
    """Allow as many open files as connections; many systems start a process with 1024."""
    wanted = CONNECTIONS + 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _why(error: Exception, host: str, port: int) -> str:
    if isinstance(error, PermissionError):
        return f"Không được phép mở cổng {port}. Xin chọn một cổng từ 1024 trở lên (--port)."
    if isinstance(error, ValueError | socket.gaierror):
        return f"Không có địa chỉ {host}:{port} trên máy này."
    return f"Cổng {port} đang được chương trình khác dùng. Xin chọn cổng khác (--port)."


def run(
    settings: Settings, host: str = "127.0.0.1", port: int = 8000, threads: int = THREADS
) -> None:
    """Serve this instance until SIGTERM or SIGINT, printing one line once it really listens.

    Raises AddressError when the address cannot be taken.  Answers under way are finished and
    the writer is closed after its last commit.
    """
    from survey import create_app
    from survey.alerts import rounds
    from survey.citizen import doorstep, lane

    app = create_app(settings)
    short, beside = None, None
    try:
        step = doorstep.before(app, settings.secret)
        gc.freeze()  # what lives as long as the process is not looked through again and again
        short = lane.Lane(step, app.extensions["sipas"].writer, app.app_context)
        server = Server(step, host, port, threads=threads, proxied=settings.behind_tls, lane=short)
        beside = rounds.start(settings)
        server.run(lambda: _say(f"SIPAS đang chạy tại {server.address}\n"))
    finally:
        rounds.stop(beside)
        if short is not None:
            short.close()
        app.extensions["sipas"].writer.close()
