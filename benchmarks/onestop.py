"""One-stop pages and reports on a million dossiers, half of them with an opinion."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from forms import rules
from forms.questionnaire import load
from survey import db
from survey.onestop import appraisal
from survey.reporting import kinds, periods
from survey.reporting.kinds import Ask
from survey.store import instances, late, units, waves

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DOSSIERS = int(os.environ.get("SIPAS_BENCH_DOSSIERS", "1000000"))
UNITS = 300
WAVE = "nd61"
FIRST = date(2023, 1, 1)
DAYS = 1400
PERIOD = "2026-Q3"


def run() -> list[tuple[str, float, str]]:
    """Processor time of pages and reports of the last quarter, at first and again."""
    with tempfile.TemporaryDirectory() as home:
        base = _filled(Path(home))
        period, today = periods.of(PERIOD), date(2026, 11, 22)
        first = _timed(lambda: appraisal.scored(base, period))[1]
        again = _timed(lambda: appraisal.scored(base, period))[1]
        one = _timed(lambda: appraisal.one(base, _unit(7), period))[1]
        owed = _timed(lambda: list(late.owed(base, today=today, ahead=1)))[1]
        rows = [
            (f"One-stop scores of {UNITS} units, processor time, first", first * 1000, "ms"),
            ("The same, again", again * 1000, "ms"),
            ("One-stop scores of one unit", one * 1000, "ms"),
            ("Dossiers that need a letter", owed * 1000, "ms"),
        ]
        for name in ("mau03", "coverage", "late", "periodic"):
            ask = Ask(name, today, period=PERIOD)
            took = _timed(partial(kinds.build, base, ask))[1]
            rows.append((f"Report {name} of all units, built", took, "s"))
        base.close()
    return rows


def _timed(job: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    found = job()
    return found, time.process_time() - began


def _unit(n: int) -> str:
    return f"bench:{n:05d}"


def _filled(home: Path) -> sqlite3.Connection:
    settings = instances.init(home, at=NOW)
    base = db.connect(settings.database)
    act = {"now": NOW, "actor": "shell:bench"}
    with db.write(base):
        rows = [
            units.Unit("bench", f"{n:05d}", "2020-01-01", None, "commune", "xã", f"Xã {n}",
                       units.name_key(f"Xã {n}"), "vn34:01")
            for n in range(UNITS)
        ]  # fmt: skip
        units.import_rows(base, rows, source="bench", **act)  # type: ignore[arg-type]
        wave = waves.Wave(
            key=WAVE, name="Một cửa", questionnaire="nd61-2018.1", kind="self_selected", year=2026,
            opens_on=FIRST, closes_on=date(2099, 1, 1), owner="vn34:01", owner_name="UBND",
            synthetic=True,
        )  # fmt: skip
        waves.new(base, wave, **act)  # type: ignore[arg-type]
        base.executemany(
            "INSERT INTO dossier (key, service, receiving_unit, resolving_unit, officer,"
            " received_on, due_on, settled_on, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
            _dossiers(),
        )
        base.executemany(
            "INSERT INTO response (id, wave, questionnaire, channel, receiving_unit, language,"
            " answers, codes, digest, seal, received_at, receipt)"
            " VALUES (?, ?, 'nd61-2018.1', 'link', ?, 'vi', ?, ?, '', '', ?, ?)",
            _responses(),
        )
        base.execute(
            "INSERT INTO dossier_answer (dossier, response) SELECT 'H' || substr(id, 2), id"
            " FROM response"
        )
    return base


def _day(n: int) -> date:
    return FIRST + timedelta(days=n % DAYS)


def _dossiers() -> Iterator[tuple[object, ...]]:
    for n in range(DOSSIERS):
        settled = _day(n)
        due = settled + timedelta(days=3 if n % 10 else -2)
        done = settled.isoformat() if n % 997 else None
        received = (settled - timedelta(days=5)).isoformat()
        unit = _unit(n * 7 % UNITS)
        yield (f"H{n:08d}", f"Thủ tục {n % 40}", unit, unit, f"Cán bộ {n % 5}", received,
               due.isoformat(), done)  # fmt: skip


def _responses() -> Iterator[tuple[object, ...]]:
    q = load("nd61-2018.1")
    made = []
    for n in range(60):
        answers: dict[str, object] = {f"n{c}": 3 - (n * 5 + c) % 3 for c in (1, 2, 3, 4, 6, 7)}
        clean, _ = rules.check(q, answers)
        made.append((json.dumps(clean), rules.pack(q, clean)))
    for n in range(0, DOSSIERS, 2):
        text, codes = made[n % 60]
        received = f"{_day(n).isoformat()}T03:00:00.000Z"
        yield (f"R{n:08d}", WAVE, _unit(n * 7 % UNITS), text, codes, received, f"{n:08d}")


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:55} {value:10.1f} {unit}")
