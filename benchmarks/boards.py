"""Every page of the board at a million responses: the first in a process, and the next ones."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import dashboard
from survey import config, create_app, db, tallies
from survey.store import people

RESPONSES, COPIES = 100_000, 10
PASSWORD = "câu mật khẩu đo tốc độ"
#: Pages by name, as a reader opens them.
PAGES = {
    "wave": "/board/{wave}",
    "units": "/board/{wave}/parts",
    "units of a quarter": "/board/{wave}/parts?p=2026-Q3",
    "services": "/board/{wave}/parts?by=service",
    "counters": "/board/{wave}/parts?by=counter",
    "channels": "/board/{wave}/parts?by=channel",
    "months": "/board/{wave}/parts?by=time",
    "days": "/board/{wave}/parts?by=time&p=2026-09",
    "priorities": "/board/{wave}/drivers",
    "trend": "/board/{wave}/trend",
    "today": "/today",
    "waves": "/board",
}
ROUNDS = 5


def run(n: int = RESPONSES, copies: int = COPIES) -> list[tuple[str, float, str]]:
    """Fold once, then open each page first in a process of its own and again in that process."""
    with tempfile.TemporaryDirectory() as folder:
        home = laid_down(Path(folder), n, copies)
        found = [
            ("Pages of the board: " + name, *times(home, path)) for name, path in PAGES.items()
        ]
    rows = []
    for name, cold, warm in found:
        rows.append((f"{name}, first of a process", cold * 1000, "ms"))
        rows.append((f"{name}, again", warm * 1000, "ms"))
    rows.append(("Slowest page of the board, first of a process",
                 1000 * max(cold for _, cold, _ in found), "ms"))  # fmt: skip
    rows.append(("Slowest page of the board, again",
                 1000 * max(warm for *_, warm in found), "ms"))  # fmt: skip
    return rows


def laid_down(folder: Path, n: int, copies: int) -> Path:
    """An instance with n × copies responses, folded, its pages looked at once, and a reader."""
    few = dashboard.survey(folder / "few", n)
    home = folder / "many"
    database = dashboard.multiplied(home, few, copies)
    with closing(db.connect(database)) as base:
        tallies.refresh(base, dashboard.WAVE)
        people.add(
            base, username="reader", name="Reader", role="administrator", unit="",
            password_hash=people.hashed(PASSWORD), must_change=False, now=datetime.now(UTC),
            actor="shell:benchmark",
        )  # fmt: skip
    for path in PAGES.values():
        times(home, path)
    return home


def times(home: Path, path: str) -> tuple[float, float]:
    """Seconds of a page first in a process of its own, and the median of the next ones."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.boards", str(home), path.format(wave=dashboard.WAVE)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    cold, warm = done.stdout.split()
    return float(cold), float(warm)


def opened(home: Path, path: str) -> tuple[float, float]:
    """Open a page as a reader who is signed in; seconds of CPU and waiting inside the server."""
    client = create_app(config.load(home, environ={})).test_client()
    page = client.get("/login").text
    token = page.rpartition('name="csrf_token" value="')[2].split('"')[0]
    client.post("/login", data={"username": "reader", "password": PASSWORD, "csrf_token": token})
    spans = []
    for _ in range(1 + ROUNDS):
        begun = time.perf_counter()
        answer = client.get(path)
        spans.append(time.perf_counter() - begun)
        assert answer.status_code == 200, (path, answer.status_code)
    return spans[0], median(spans[1:])


def size(home: Path) -> int:
    """Bytes of the database."""
    with closing(sqlite3.connect(home / "sipas.sqlite")) as base:
        return int(base.execute("PRAGMA page_count").fetchone()[0]) * 4096


if __name__ == "__main__":
    print(*opened(Path(sys.argv[1]), sys.argv[2]))
