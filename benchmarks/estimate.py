"""The figures of a whole wave, cold from the database, against the floor: counting alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from analysis import folds, reader
from analysis.frame import frame
from analysis.sipas import wave_result
from forms.questionnaire import load
from survey import config, db, tallies
from survey.demonstration import demo

WAVE = "sipas-2026"
ROUNDS = 5


def run() -> list[tuple[str, float, str]]:
    """Time the household wave of the demonstration (36.525 answers); medians of cold runs."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        demo.make(instance)
        database = config.load(instance).database
        whole, wall = _medians(lambda: _figures(database, ""))
        one, _ = _medians(lambda: _figures(database, "vn34:08"))
        counted, _ = _medians(lambda: _counts(database))
        base = db.connect(database)
        tallies.refresh(base, WAVE)
        base.close()
        stored, _ = _medians(lambda: _figures(database, "", tallies=True))
    return [
        ("Figures of 36.525 answers, cold, 34 provinces ranked", whole, "CPU s"),
        ("The same on the clock", wall, "s"),
        ("The same from stored tallies", stored, "CPU s"),
        ("Figures of one province of them, cold", one, "CPU s"),
        ("Reading and counting the same answers, nothing else", counted, "CPU s"),
        ("Figures against reading and counting", whole / counted, ""),
    ]


def _medians(work: Callable[[], None]) -> tuple[float, float]:
    """CPU seconds and seconds on the clock, which is the longer the busier the machine is."""
    work_times, clock_times = [], []
    for _ in range(ROUNDS):
        clock, cpu = time.perf_counter(), time.process_time()
        work()
        work_times.append(time.process_time() - cpu)
        clock_times.append(time.perf_counter() - clock)
    return median(work_times), median(clock_times)


def _figures(database: Path, scope: str, *, tallies: bool = False) -> None:
    base = db.connect(database, readonly=True)
    try:
        wave_result(base, WAVE, scope=scope, tallies=tallies, comments=not tallies)
    finally:
        base.close()


def _counts(database: Path) -> None:
    """What no engine can leave out: read every answer and add up the weights per level."""
    base = db.connect(database, readonly=True)
    try:
        wave = reader.wave(base, WAVE)
        folds.whole(base, wave, frame(wave, load(wave.questionnaire)), tallies=False)
    finally:
        base.close()
