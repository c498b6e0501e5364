"""kill -9 under load: clients that repeat what was not acknowledged, and what must hold after.

``python -m tests.faults.kills [KILLS] [SEED]`` runs the long soak and prints what it found.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from survey import db
from survey.store import instances

from . import ground

CLIENTS = 8
TESTS = Path(__file__).parent.parent


@dataclass
class Found:
    """What a run did and what it proved."""

    kills: int = 0  # processes that really died of signal 9 while clients were being served
    sent: int = 0
    acknowledged: int = 0
    repeats: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled, torn or otherwise wrong."""
        return not (self.lost or self.doubled or self.torn or self.faults)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.sent} sent, {self.acknowledged} acknowledged,"
            f" {self.repeats} repeats: {self.lost} lost, {self.doubled} doubled, {self.torn} torn"
        )


class Nursery:
    """The loaded process that forks one server after another."""

    def __init__(self, path, instance, variant):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faults.server", str(path), str(instance), variant],
            cwd=TESTS, env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._line() == "ready"

    def start(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        word, number = self._line().split()
        assert word == "child"
        return int(number)

    def end(self):
        """How the last child ended: -9 for a kill."""
        word, code = self._line().split()
        assert word == "ended"
        return int(code)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def _line(self):
        return self.process.stdout.readline().strip()


class Client(threading.Thread):
    """Sends one response after another, each until it is acknowledged."""

    def __init__(self, number, path, seed):
        super().__init__(daemon=True)
        self.number, self.path = number, str(path)
        self.random = random.Random(f"{seed} {number}")
        self.stopping = threading.Event()
        self.acknowledged: list[str] = []  # comments, one for each response
        self.repeats = 0

    def run(self):
        line = None
        while not self.stopping.is_set():
            comment = f"khách {self.number}, phiếu {len(self.acknowledged)}"
            id = str(UUID(int=self.random.getrandbits(128), version=4))
            request = (json.dumps({"id": id, "comment": comment}) + "\n").encode()
            while True:
                try:
                    line = line or self._connect()
                    line.write(request)
                    line.flush()
                    if not line.readline().endswith(b"\n"):
                        raise ConnectionError
                except OSError:
                    line = self._hang_up(line)
                    self.repeats += 1
                    time.sleep(0.002)
                else:
                    self.acknowledged.append(comment)
                    break
        self._hang_up(line)

    def _connect(self):
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(20)
            wire.connect(self.path)
            return wire.makefile("rwb")

    def _hang_up(self, line):
        if line is not None:
            with suppress(OSError):
                line.close()


def run(home: Path, *, kills: int, seed: int, variant: str = "true", until_caught: bool = False):
    """Kill servers under load, look at the rows after each kill, judge everything at the end.

    ``until_caught`` judges everything after each kill and stops at the first fault.
    """
    place = ground.make(home / "instance")
    dice, found, torn = random.Random(seed), Found(), set()
    nursery = Nursery(home / "s", place.settings.instance, variant)
    clients = [Client(number, home / "s", seed) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    child = nursery.start()
    try:
        while found.kills < kills and not (until_caught and not found.clean):
            _served(clients)
            time.sleep(dice.uniform(0, 0.06))
            os.kill(child, signal.SIGKILL)
            assert nursery.end() == -signal.SIGKILL
            found.kills += 1
            torn |= _torn(place)  # a repeat may mend it: look while nobody serves
            if until_caught:
                _judge(found, place, clients, torn)
            child = nursery.start()
        _served(clients)
    finally:
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(30)
        os.kill(child, signal.SIGTERM)
        nursery.end()
        nursery.close()
    assert not any(client.is_alive() for client in clients)
    _judge(found, place, clients, torn | _torn(place))
    return found


def _served(clients):
    """Wait until one more response is acknowledged: kills hit servers at work."""
    before = sum(len(client.acknowledged) for client in clients)
    _wait(lambda: sum(len(client.acknowledged) for client in clients) > before)


def _torn(place):
    """Rows that hold their answers but not what belongs to them."""
    with closing(db.connect(place.settings.database)) as store:
        return {row["seq"] for row in store.execute("SELECT seq FROM response WHERE codes = x''")}


def _judge(found, place, clients, torn):
    """Compare what was acknowledged with what is stored."""
    acknowledged = [comment for client in clients for comment in list(client.acknowledged)]
    with closing(db.connect(place.settings.database)) as store:
        stored = Counter(
            json.loads(row["answers"])["comment"]
            for row in store.execute("SELECT answers FROM response")
        )
        found.faults = instances.check(store)
    found.sent = sum(stored.values())
    found.acknowledged = len(acknowledged)
    found.repeats = sum(client.repeats for client in clients)
    found.lost = sum(stored[comment] == 0 for comment in acknowledged)
    found.doubled = sum(times - 1 for times in stored.values())
    found.torn = len(torn)


def _wait(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the clients got no answer")
        time.sleep(0.001)


def main(kills=1_000, seed=0):
    """The soak: everything true, every kill counted."""
    with tempfile.TemporaryDirectory(prefix="sipas-kills-") as home:
        begun = time.monotonic()
        found = run(Path(home), kills=kills, seed=seed)
        lines = [f"{found} ({time.monotonic() - begun:.0f} s)", *found.faults]
        sys.stdout.write("\n".join(lines) + "\n")
        return 0 if found.clean and found.kills == kills else 1


if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    sys.exit(main(*map(int, sys.argv[1:])))
