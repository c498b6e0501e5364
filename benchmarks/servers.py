"""The servers under test: our own and a Flask "hello", both on the same waitress settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HELLO = """
from flask import Flask
from survey.serve import Server
app = Flask("hello")
app.add_url_rule("/", "hello", lambda: "Xin chào")
server = Server(app, "127.0.0.1", 0)
print(server.address, flush=True)
server.run()
"""
OURS = """
import sys
from pathlib import Path
from survey import config, serve
serve.run(config.load(Path(sys.argv[1])), port=int(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server process that listens."""

    process: subprocess.Popen[str]
    port: int

    def cpu(self) -> float:
        """Processor seconds the server has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(code: str, *arguments: str) -> Serving:
    """Start a server and wait for the line with its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r":(\d+)\s*$", line)
    if not found:
        process.kill()
        process.wait()
        raise RuntimeError(f"the server did not start: {line!r}")
    return Serving(process, int(found[1]))


def stop(serving: Serving) -> None:
    """Ask the server to end and wait until it has."""
    serving.process.terminate()
    try:
        serving.process.wait(15)
    except subprocess.TimeoutExpired:
        serving.process.kill()
        serving.process.wait()
    assert serving.process.stdout
    serving.process.stdout.close()


@contextmanager
def hello() -> Iterator[Serving]:
    """A Flask application that says hello, on our server."""
    serving = start(HELLO)
    try:
        yield serving
    finally:
        stop(serving)


@contextmanager
def ours(instance: Path) -> Iterator[Serving]:
    """The product itself, serving an instance on a free port."""
    serving = start(OURS, str(instance), "0")
    try:
        yield serving
    finally:
        stop(serving)
