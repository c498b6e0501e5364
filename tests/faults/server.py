"""A process that stores responses and is made to be killed: real processes, a real socket.

``python -m faults.server SOCKET INSTANCE VARIANT`` loads everything once, then forks one server
for each line it reads ("go") and prints the child's number, and later how the child ended.
Variants: ``true`` acknowledges after the commit; the others are sabotage that a harness must
catch: ``early`` acknowledges before the commit, ``no_id`` gives each request an id of its own,
``two`` writes the answers in one transaction and their codes in the next.
"""

from __future__ import annotations

import json
import os
import socketserver
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from survey import config, db
from survey.store import doors, responses

from . import ground


def true(writer, sent, acknowledge):
    acknowledge(responses.add(writer, sent, now=ground.NOW).receipt)


def early(writer, sent, acknowledge):
    acknowledge("?")
    responses.add(writer, sent, now=ground.NOW)


def no_id(writer, sent, acknowledge):
    true(writer, replace(sent, id=str(uuid4())), acknowledge)


def two(writer, sent, acknowledge):
    def codes(base, codes):
        base.execute("UPDATE response SET codes = ? WHERE id = ?", (codes, sent.id))

    row = responses._row(sent, received_at=ground.NOW)
    whole, row["codes"] = row["codes"], b""
    stored = writer.run(lambda base: responses._insert(base, sent.door, row, ground.NOW))
    writer.run(lambda base: codes(base, whole))
    acknowledge(stored.receipt)


VARIANTS = {"true": true, "early": early, "no_id": no_id, "two": two}


class Handler(socketserver.StreamRequestHandler):
    """One client: a line with id and comment in, a line with the receipt out."""

    def handle(self):
        for line in self.rfile:
            asked = json.loads(line)
            sent = ground.incoming(self.server.door, **asked)
            self.server.store(self.server.writer, sent, self.acknowledge)

    def acknowledge(self, receipt):
        with suppress(OSError):
            self.wfile.write(f"{receipt}\n".encode())


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def serve(socket, instance, variant):
    settings = config.load(instance, environ={})
    reader = db.connect(settings.database, readonly=True)
    door = doors.of_wave(reader, "quay")[0]
    reader.close()
    fresh = Path(f"{socket}.{os.getpid()}")
    with Server(str(fresh), Handler) as server:
        server.door, server.store = door, VARIANTS[variant]
        server.writer = db.Writer(settings.database)
        fresh.replace(socket)  # clients never see a name nobody listens at
        server.serve_forever()


def main(socket, instance, variant):
    ground.answers()  # load the questionnaire before the first child
    lock = threading.Lock()

    def tell(text):
        with lock:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def bury(child):
        tell(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")

    tell("ready")
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                serve(socket, Path(instance), variant)
            finally:
                os._exit(1)
        tell(f"child {child}")
        threading.Thread(target=bury, args=[child], daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
