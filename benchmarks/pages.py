"""The QR form page (the whole sipas-2026.1) against a Flask "hello" on the same server."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks import load, servers
from benchmarks.load import Run
from survey.demonstration import demo

ROUNDS = 7
SECONDS = 2.0

Measure = tuple[str, float, str]


def get(path: str) -> bytes:
    """What a phone sends for a page."""
    accept = (("Accept-Encoding", "gzip"), ("Accept", "text/html"), ("Accept-Language", "vi"))
    return load.request("GET", path, headers=accept)


def run() -> list[Measure]:
    """Interleaved rounds at 50 keep-alive clients; the median of the rounds' ratios."""
    with tempfile.TemporaryDirectory() as folder:
        made = demo.make(Path(folder), small=True)
        with servers.hello() as hello, servers.ours(Path(folder)) as ours:
            pages = {"hello": (hello, get("/")), "qr": (ours, get(made.qr))}
            for server, page in pages.values():
                load.drive(server.port, [page], seconds=1.0)
            rounds: list[dict[str, tuple[Run, float]]] = []
            for _ in range(ROUNDS):
                rounds.append({name: _timed(*pages[name]) for name in pages})
    return _measures(rounds)


def _timed(server: servers.Serving, page: bytes) -> tuple[Run, float]:
    before = server.cpu()
    found = load.drive(server.port, [page], seconds=SECONDS)
    if set(found.statuses) != {200} or found.broken:
        raise RuntimeError(f"not every page was served: {found}")
    return found, (server.cpu() - before) / found.statuses[200]


def _measures(rounds: list[dict[str, tuple[Run, float]]]) -> list[Measure]:
    rate = statistics.median(r["qr"][0].rate / r["hello"][0].rate for r in rounds)
    cpu = statistics.median(r["hello"][1] / r["qr"][1] for r in rounds)
    wait = statistics.median(r["qr"][0].quantile(0.99) for r in rounds)
    return [
        ("QR form page, rate against hello", rate, "x"),
        ("QR form page, pages a CPU second against hello", cpu, "x"),
        ("QR form page, p99 at 50 clients", wait, "ms"),
    ]
