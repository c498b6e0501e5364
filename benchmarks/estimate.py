"""The figures of a whole wave, cold from the database, against the floor: counting alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis import reader
from analysis.sipas import wave_result
from forms.questionnaire import load
from survey import config, db, demo

WAVE = "sipas-2026"
ROUNDS = 5


def run() -> list[tuple[str, float, str]]:
    """Time the household wave of the demonstration (36.525 answers); medians of cold runs."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        demo.make(instance)
        database = config.load(instance).database
        whole = _median(lambda: _figures(database, ""))
        one = _median(lambda: _figures(database, "vn34:08"))
        counted = _median(lambda: _counts(database))
    return [
        ("Figures of 36.525 answers, cold, 34 provinces ranked", whole, "s"),
        ("Figures of one province of them, cold", one, "s"),
        ("Reading and counting the same answers, nothing else", counted, "s"),
        ("Figures against reading and counting", whole / counted, ""),
    ]


def _median(work: Callable[[], None]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def _figures(database: Path, scope: str) -> None:
    base = db.connect(database, readonly=True)
    try:
        wave_result(base, WAVE, scope=scope)
    finally:
        base.close()


def _counts(database: Path) -> None:
    """What no engine can leave out: read every answer and add up the weights per level."""
    base = db.connect(database, readonly=True)
    try:
        wave = reader.wave(base, WAVE)
        rows = reader.rows(base, wave, len(load(wave.questionnaire).columns))
        assert rows.drawn is not None
        for column in rows.codes.T:
            np.bincount(column, rows.drawn.weight)
    finally:
        base.close()
