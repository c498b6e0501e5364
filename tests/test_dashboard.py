"""A small run of the measure in ``benchmarks/dashboard.py``; the long one has the figures."""

from __future__ import annotations

import importlib
import sys
from contextlib import closing
from pathlib import Path

from analysis.sipas import wave_result
from survey import db, tallies
from survey.store import responses

sys.path.append(str(Path(__file__).resolve().parent.parent))  # benchmarks are not installed
dashboard = importlib.import_module("benchmarks.dashboard")


def test_the_large_survey_is_the_small_one_many_times_over(tmp_path):
    few = dashboard.survey(tmp_path / "few", 250)
    many = dashboard.multiplied(tmp_path / "many", few, 4)
    seen = []
    for database in (few, many):
        dashboard.fold(database)
        with closing(db.connect(database, readonly=True)) as base:
            assert tallies.faults(base) == []
            counts = responses.counts(base, dashboard.WAVE)
            result = wave_result(base, dashboard.WAVE, comments=False)
            cells = base.execute("SELECT COUNT(*) FROM tally").fetchone()[0]
            seen.append((counts, result.figures, cells))
    (small, figures, cells), (large, same, also) = seen

    assert (small.total, large.total) == (250, 1000)
    assert small.days.keys() == large.days.keys()
    assert cells == also
    assert [f.value for f in figures] == [f.value for f in same]
    assert [4 * f.n for f in figures] == [f.n for f in same]


def test_the_measure_prints_how_many_against_few(monkeypatch):
    monkeypatch.setattr(dashboard, "ROUNDS", 1)
    found = {name: (value, unit) for name, value, unit in dashboard.run(120, 2)}

    value, unit = found["Dashboard figures, many against few"]
    assert value > 0
    assert unit == "x"
    assert "Dashboard figures at 240 responses" in found
