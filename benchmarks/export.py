"""Data out: 200.000 household responses as CSV from a running server, and as every other form."""

from __future__ import annotations

import http.client
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.servers import Serving, ours
from survey import config, db
from survey.datafiles import asking, extract, making
from survey.store import clock, datafiles, people

WAVE, FEW, MANY = "sipas-2026", 36_525, 200_000
NAME, PASSWORD = "benchmark", "câu mật khẩu của phép đo"
Measure = tuple[str, float, str]


def run() -> list[Measure]:
    """The wave of the demonstration as it is, then made 200.000 by copies of its responses."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        _made(instance)
        few = _streamed(instance, FEW)
        _multiplied(instance)
        many = _streamed(instance, MANY)
        found = [
            ("Export of 200.000 responses, first byte", many["first"] * 1000, "ms"),
            ("Export of 200.000 responses, CSV", many["all"], "s"),
            ("Export of 200.000 responses, CSV, processor", many["cpu"], "s"),
            ("Export of 200.000 responses, size", many["bytes"] / 1e6, "MB"),
            ("Memory of the server while it sends 36.525", few["grown"], "MB"),
            ("Memory of the server while it sends 200.000", many["grown"], "MB"),
        ]
        for level in ("research", "public"):
            again = _streamed(instance, MANY, level)
            found.append((f"Export of 200.000 responses, CSV, {level}", again["all"], "s"))
        return [*found, *_forms(instance)]


def _made(instance: Path) -> None:
    command = [sys.executable, "-m", "survey.cli", "--instance", str(instance), "demo"]
    subprocess.run(command, check=True, capture_output=True)
    with closing(db.connect(config.load(instance).database)) as base:
        people.add(
            base, username=NAME, name="Benchmark", role="analyst", unit="", must_change=False,
            password_hash=people.hashed(PASSWORD), now=clock.now(), actor="benchmark",
        )  # fmt: skip


def _multiplied(instance: Path) -> None:
    """Copies with cases of their own in the same villages."""
    with closing(sqlite3.connect(config.load(instance).database)) as base, base:
        last = base.execute("SELECT MAX(id) FROM sample_case").fetchone()[0]
        for copy in range(1, -(-MANY // FEW)):
            facts = {"wave": WAVE, "copy": copy, "add": copy * last, "most": MANY - copy * FEW}
            base.execute(
                "INSERT INTO sample_case (id, wave, psu, weight, state) SELECT id + :add, wave,"
                " psu, weight, 'locked' FROM sample_case WHERE wave = :wave AND id <= :last",
                facts | {"last": last},
            )
            base.execute(
                "INSERT INTO response (id, wave, questionnaire, channel, receiving_unit, language,"
                " case_id, answers, codes, digest, seal, received_at, receipt, state, flags)"
                " SELECT id || :copy, wave, questionnaire, channel, receiving_unit, language,"
                " case_id + :add, answers, codes, digest, seal, received_at, receipt || :copy,"
                " state, flags FROM response WHERE wave = :wave AND case_id <= :last LIMIT :most",
                facts | {"last": last},
            )


def _streamed(instance: Path, n: int, level: str = "internal") -> dict[str, float]:
    with ours(instance) as server:
        cookie = _login(server)
        before, work = _memory(server), server.cpu()
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        start = time.perf_counter()
        query = urlencode({"form": "csv", "level": level})
        client.request("GET", f"/data/{WAVE}/file?{query}", headers={"Cookie": cookie})
        answer = client.getresponse()
        assert answer.status == 200, answer.read()
        size, rows = len(answer.read(1)), 0
        first = time.perf_counter() - start
        while piece := answer.read(1 << 16):
            size += len(piece)
            rows += piece.count(b"\n")
        whole = time.perf_counter() - start
        assert rows == n + 1, rows
        grown, work = _memory(server, peak=True) - before, server.cpu() - work
    return {"first": first, "cpu": work, "all": whole, "bytes": float(size), "grown": grown}


def _login(server: Serving) -> str:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    client.request("GET", "/login")
    page = client.getresponse()
    held = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    assert held
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    body = urlencode({"csrf_token": held[1], "username": NAME, "password": PASSWORD})
    head = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    client.request("POST", "/login", body, head)
    answer = client.getresponse()
    answer.read()
    assert answer.status == 303, answer.status
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    client.request("GET", f"/data/{WAVE}", headers={"Cookie": cookie})  # modules are loaded
    client.getresponse().read()
    return cookie


def _memory(server: Serving, *, peak: bool = False) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:" if peak else "VmRSS:")[1].split()[0]) / 1024


def _forms(instance: Path) -> list[Measure]:
    """The other forms, made one after another in this process."""
    settings, found = config.load(instance), []
    with closing(db.connect(settings.database, readonly=True)) as base:
        for form in ("sav", "dta", "zip"):
            file = instance / f"made.{form}"
            start = time.perf_counter()
            with datafiles.snapshot(base):
                ask = asking.Ask(wave=WAVE)
                made = extract.opened(base, ask, settings.secret, on=date(2026, 11, 22))
                making.write(made, base, form, file, lambda _done, _whole: None)
            spent = time.perf_counter() - start
            found.append((f"Export of 200.000 responses, {form}", spent, "s"))
    return found


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name}: {value:.2f} {unit}")
