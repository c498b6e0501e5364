"""waitress's event loop on epoll: a turn costs what happened in it, not how many are connected.

As shipped, every turn asks every connection what it waits for and hands the whole list to the
kernel: with fifty phones that is most of the server's own work, with 500 slow ones nearly all.
Here a connection is asked again only after something happened to it: it had an event, a worker
has just served it, or the sweep for silent connections ran; and everyone once a second, so that
nothing can be forgotten.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer

    from survey.citizen.lane import Lane

#: Seconds after which everyone is asked again: a change nobody told of costs no more than this.
SURELY = 1.0
_READ = select.EPOLLIN | select.EPOLLPRI

#: The connection this worker thread is serving.
_serving = threading.local()


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that tells the loop when to look at it again."""

    def service(self) -> None:
        """Answer one request; the server's trigger then knows whom it is pulled for."""
        _serving.channel = self
        try:
            super().service()
        finally:
            _serving.channel = None

    def add_channel(self, map: dict[int, Any] | None = None) -> None:
        """Begin: the loop has not seen it yet."""
        super().add_channel(map)
        self.server.loop.look_at(self)

    def del_channel(self, map: dict[int, Any] | None = None) -> None:
        """End: its number may soon be another connection's."""
        self.server.loop.forget(self._fileno)
        super().del_channel(map)


class Loop:
    """The turns of one server's main thread."""

    def __init__(
        self, map: dict[int, Any], doors: list[BaseWSGIServer], lane: Lane | None = None
    ) -> None:
        self._map = map
        self._doors = doors
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._waiting: dict[int, int] = {}  # file number -> events the kernel watches for
        self._changed: deque[Any] = deque()
        self._sure_until = 0.0
        for door in doors:
            door.loop = self
            door.pull_trigger = self._trigger(door)
        self._lane = lane if self._epoll else None
        if self._lane:
            self._lane.wake = doors[0].pull_trigger
            for door in doors:
                door.add_task = self._offering(door, self._lane)
        self.look_at_all()

    def look_at(self, channel: object) -> None:
        """Ask this connection again before the next wait; any thread may say so."""
        self._changed.append(channel)

    def look_at_all(self) -> None:
        """Ask everyone again: something about all of them changed."""
        self._changed.extend(self._map.values())
        self._sure_until = time.monotonic() + SURELY

    def forget(self, number: int | None) -> None:
        """Stop watching a file number, before it is closed."""
        if number is not None and self._epoll and self._waiting.pop(number, 0):
            with suppress(OSError):
                self._epoll.unregister(number)

    def turn(self, timeout: float) -> None:
        """Wait for events, or until a worker pulls the trigger, and handle them."""
        if self._epoll is None:  # not Linux: as shipped
            self._changed.clear()
            wasyncore.poll2(timeout, self._map)
            return
        if time.monotonic() >= self._sure_until:
            self.look_at_all()
        for door in self._doors:
            swept = door.next_channel_cleanup
            self._watch(door)
            if door.next_channel_cleanup != swept:  # silent connections were marked for closing
                self.look_at_all()
        while self._changed:
            self._watch(self._changed.popleft())
        for number, events in self._epoll.poll(timeout):
            found = self._map.get(number)
            if found is not None:
                wasyncore.readwrite(found, events)
                self._changed.append(found)
        if self._lane:
            self._lane.turn()

    def close(self) -> None:
        """Watch nothing any more."""
        self._waiting.clear()
        if self._epoll:
            self._epoll.close()

    def _watch(self, who: Any) -> None:
        number = who._fileno
        if number is None or number not in self._map:  # closed meanwhile
            return
        wanted = _READ if who.readable() else 0
        if who.writable() and not who.accepting:
            wanted |= select.EPOLLOUT
        known = self._waiting.get(number, 0)
        if wanted == known:
            return
        if not wanted:
            self.forget(number)
            return
        assert self._epoll
        (self._epoll.modify if known else self._epoll.register)(number, wanted)
        self._waiting[number] = wanted

    def _offering(self, door: BaseWSGIServer, lane: Lane) -> Any:
        """Return what begins a task: the short way for what this thread has read, or a worker."""

        def add_task(channel: Any) -> None:
            working = getattr(_serving, "channel", None) is not None
            if working or not lane.offer(channel):
                door.task_dispatcher.add_task(channel)

        return add_task

    def _trigger(self, door: BaseWSGIServer) -> Any:
        pull = door.pull_trigger

        def pulled() -> None:
            channel = getattr(_serving, "channel", None)
            if channel is not None:
                self.look_at(channel)
            pull()

        return pulled
