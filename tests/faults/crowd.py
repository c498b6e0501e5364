"""One of several processes that all write: threads of its own connections, and the writer.

``python -m faults.crowd INSTANCE NAME`` prints how many rows it was told are stored, and the
longest wait in seconds.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from survey import config, db
from survey.store import audit, doors, responses

from . import ground

THREADS, EACH = 8, 15


def main(instance, name):
    settings = config.load(Path(instance), environ={})
    with closing(db.connect(settings.database, readonly=True)) as reader:
        door = doors.of_wave(reader, "quay")[0]
    writer = db.Writer(settings.database)

    def officer(number):
        """Every thread writes on a connection of its own, as a command does."""
        longest = 0.0
        with closing(db.connect(settings.database)) as store:
            for turn in range(EACH):
                begun = time.monotonic()
                subject = f"{name} {number} {turn}"
                audit.append(store, at=ground.NOW, actor=name, action="crowd", subject=subject)
                longest = max(longest, time.monotonic() - begun)
        return longest

    def citizen(number):
        """Every thread sends through the process's writer, as a door does."""
        longest = 0.0
        for turn in range(EACH):
            begun = time.monotonic()
            sent = ground.incoming(door, id=f"{name}-{number}-{turn}")
            assert responses.add(writer, sent, now=ground.NOW).new
            longest = max(longest, time.monotonic() - begun)
        return longest

    with ThreadPoolExecutor(THREADS) as pool:
        waits = [pool.submit((officer, citizen)[n % 2], n) for n in range(THREADS)]
        longest = max(wait.result() for wait in waits)
    writer.close()
    sys.stdout.write(f"{THREADS * EACH} {longest:.3f}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
