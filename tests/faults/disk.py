"""A process whose disk fills up: files may grow to a limit, then every write fails, then heals.

``python -m faults.disk INSTANCE STEP`` raises the limit by STEP bytes at a time, so that the
failure hits another write each time, and prints one JSON object with what its clients were told.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from survey import config, db
from survey.store import doors, responses

from . import ground

ROUNDS = 12
CLIENTS = 8


def main(instance, step):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a full disk is an error, not a death
    settings = config.load(Path(instance), environ={})
    reader = db.connect(settings.database, readonly=True)
    door = doors.of_wave(reader, "quay")[0]
    reader.close()
    writer = db.Writer(settings.database)
    told = {"stored": [], "refused": 0, "healed": 0}
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def send(comment):
        try:
            responses.add(writer, ground.incoming(door, comment=comment), now=ground.NOW)
        except db.NotStored:
            return False
        told["stored"].append(comment)
        return True

    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(ROUNDS):
            files = [f for f in Path(instance).iterdir() if f.suffix != ".lock"]
            full = max(file.stat().st_size for file in files) + number * int(step)
            resource.setrlimit(resource.RLIMIT_FSIZE, (full, hard))
            found = list(pool.map(send, [f"{number} đầy {n} " + "x" * 900 for n in range(60)]))
            told["refused"] += found.count(False)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            told["healed"] += all(pool.map(send, [f"{number} lành {n}" for n in range(3)]))
    writer.close()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
