"""The figures of a dashboard over ten million responses, against a hundred thousand."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

import numpy as np

from analysis.sipas import wave_result
from forms.questionnaire import load
from survey import db, tallies
from survey.demonstration import synthetic
from survey.store import instances, responses, waves
from survey.store.doors import Door

WAVE = "mot-cua"
QUESTIONNAIRE = "mot-cua-2026.1"
RESPONSES, COPIES = 100_000, 100
#: Each province receives at this many counters, and the survey lasts this many days.
COUNTERS, DAYS = 3, 60
OPENS = date(2026, 8, 3)
ROUNDS = 7
SERVICES = ("Hộ tịch", "Đất đai", "Bảo trợ xã hội")

#: Every response of the small survey COPIES times, in the order they came in.  Ids and receipts
#: are numbers here, so that the index of a survey that grew in weeks is built in a minute.
MULTIPLY = """
WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < :copies)
INSERT INTO response (id, wave, questionnaire, channel, receiving_unit, counter, service, language,
                      answers, codes, digest, seal, submitted_at, received_at, receipt)
SELECT printf('%012d', r.seq * :copies + n), wave, questionnaire, channel, receiving_unit,
       counter, service, language, answers, codes, digest, seal, submitted_at, received_at,
       printf('%012d', r.seq * :copies + n)
FROM small.response r CROSS JOIN copy"""


def run(n: int = RESPONSES, copies: int = COPIES) -> list[tuple[str, float, str]]:
    """Fold both surveys, then ask for the figures of each in turns; medians on the clock."""
    with tempfile.TemporaryDirectory() as folder:
        few = survey(Path(folder) / "few", n)
        begun = time.perf_counter()
        many = multiplied(Path(folder) / "many", few, copies)
        made = time.perf_counter() - begun
        rates = [fold(database) for database in (few, many)]
        times = [(dashboard(few), dashboard(many)) for _ in range(ROUNDS)]
    small, large = (median(each) for each in zip(*times, strict=True))
    least, most = (f"{rows:,}".replace(",", ".") for rows in (n, n * copies))
    return [
        (f"Laying down {most} responses", made, "s"),
        (f"Folding {most} responses for the first time", rates[1], "responses per s"),
        (f"Dashboard figures at {least} responses", small * 1000, "ms"),
        (f"Dashboard figures at {most} responses", large * 1000, "ms"),
        ("Dashboard figures, many against few", large / small, "x"),
    ]


def survey(home: Path, n: int) -> Path:
    """An instance with n answers given at the counters of all provinces; its database."""
    home.mkdir(parents=True)
    database = instances.init(home).database
    wave = waves.Wave(
        key=WAVE, name="Đo tốc độ", questionnaire=QUESTIONNAIRE, kind="self_selected", year=2026,
        opens_on=OPENS, closes_on=OPENS + timedelta(DAYS), owner="vn34:00", owner_name="",
        synthetic=True, settled=2 * n * COPIES,
    )  # fmt: skip
    with closing(db.connect(database)) as base:
        waves.new(base, wave, now=datetime.now(UTC), actor="shell:benchmark")
        responses.bulk(base, _answers(n))
    return database


def _answers(n: int) -> Iterator[responses.Incoming]:
    doors = [
        Door(
            id=0,
            kind="counter",
            wave=WAVE,
            unit=f"vn34:{province}",
            counter=str(number),
            service=SERVICES[number % len(SERVICES)],
        )
        for province in synthetic.COMMUNES
        for number in range(COUNTERS)
    ]
    given = synthetic.people(load(QUESTIONNAIRE), "load", np.zeros(n), silent=0.02, comments=0.1)
    start = datetime(OPENS.year, OPENS.month, OPENS.day, 1, tzinfo=UTC)
    for number, answers in enumerate(given):
        day, rest = divmod(number * DAYS, n)
        yield responses.Incoming(
            id=str(UUID(int=number)), door=doors[number % len(doors)],
            questionnaire=QUESTIONNAIRE, answers=answers, channel="kiosk", language="vi",
            started_at=None, submitted_at=start + timedelta(days=day, hours=8 * rest / n),
        )  # fmt: skip


def multiplied(home: Path, few: Path, copies: int) -> Path:
    """An instance with every response of ``few`` so many times; its database."""
    database = survey(home, 0)
    with closing(sqlite3.connect(database, isolation_level=None)) as base:
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        base.execute("ATTACH :few AS small", {"few": str(few)})
        base.execute(MULTIPLY, {"copies": copies})
    return database


def fold(database: Path) -> float:
    """Fold everything; responses a second."""
    with closing(db.connect(database)) as base:
        begun = time.perf_counter()
        return tallies.refresh(base, WAVE) / (time.perf_counter() - begun)


def dashboard(database: Path) -> float:
    """Seconds for everything a dashboard asks for, nothing kept in memory before."""
    begun = time.perf_counter()
    with closing(db.connect(database, readonly=True)) as base:
        responses.mark(base, WAVE)
        responses.counts(base, WAVE)
        wave_result(base, WAVE, comments=False)
    return time.perf_counter() - begun
