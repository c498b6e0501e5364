"""A talk with another machine ends in time, however slowly the other side speaks."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer


@contextmanager
def within(seconds: float, line: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut the connection that ``line`` returns when the time is over; reading from it then fails.

    A timeout of a socket is for each piece that comes: a byte now and then would last for ever.
    """

    def cut() -> None:
        with suppress(OSError):
            if held := line():  # the plain call: one of TLS would talk once more
                socket.socket.shutdown(held, socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
