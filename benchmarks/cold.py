"""Figures of whole samples out of the database: cold, and from stored tallies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from forms import rules
from forms.questionnaire import Questionnaire, load
from survey import db, tallies
from survey.migrations import migrate
from survey.store import reference
from survey.store.clock import now
from tests.villages import ITEMS, LARGE, MIDDLE, Columns, Survey, generate

KEY = "sipas-2022.1"
WAVE = "w"
ROUNDS = 5
#: One process, as long as its figures take: what a cold start of the office's program reads.
WORK = """
import json, sys, time
import numpy as np
from pathlib import Path
from analysis import reader
from analysis.study import study
from forms.questionnaire import load
from survey import db

def figures(base, tallies):
    wave = reader.wave(base, "w")
    ready = study(base, wave, load(wave.questionnaire), tallies=tallies)
    whole = ready.estimates(np.arange(ready.answers.unit.size))
    joint = whole.covariance()
    units = range(len(ready.answers.units))
    grid = ready.grid([np.flatnonzero(ready.answers.unit == u) for u in units])
    assert len(units) == 63 and np.isfinite(grid.value[:, -1]).all() and joint[-1, -1] > 0
    return whole

base = db.connect(Path(sys.argv[1]), readonly=True)
work, clock = time.process_time(), time.perf_counter()
figures(base, sys.argv[2] == "tallies")
print(json.dumps({
    "work": time.process_time() - work,
    "clock": time.perf_counter() - clock,
    # Not ru_maxrss: that begins with what the parent had in memory.
    "peak": int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024,
}))
"""

Measure = tuple[str, float, str]


def run() -> list[Measure]:
    """45 indices (33 items) of the country and 63 provinces, of two samples."""
    found: list[Measure] = []
    for survey, people in ((MIDDLE, "37.695"), (LARGE, "999.828")):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "sipas.sqlite"
            _store(file, survey)
            cold = _measured(file, "responses")
            base = db.connect(file)
            tallies.refresh(base, WAVE)
            base.close()
            warm = _measured(file, "tallies")
        found += [
            (f"Figures of {people} answers, cold from the database", cold["clock"], "s"),
            (f"Peak memory of {people} answers, cold", cold["peak"], "MB"),
            (f"Figures of {people} answers, from stored tallies", warm["clock"], "s"),
            (f"Peak memory of {people} answers, tallies", warm["peak"], "MB"),
        ]
    return found


def _measured(file: Path, source: str) -> dict[str, float]:
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", WORK, str(file), source]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, env=one_thread).stdout)
        for _ in range(ROUNDS)
    ]
    return {name: median(run[name] for run in runs) for name in runs[0]}


def _store(file: Path, survey: Survey) -> None:
    """A wave of the form of 2022, 22 of its items answered, in the 63 old provinces."""
    asked, columns = load(KEY), generate(survey)
    base = db.connect(file)
    migrate(base)
    reference.load(base, now=now(), actor="benchmark")
    places = [row[0] for row in base.execute(
        "SELECT DISTINCT 'vn63:' || code FROM unit WHERE scheme = 'vn63' AND kind = 'province'"
        " ORDER BY code")]  # fmt: skip
    with db.write(base):
        base.execute(
            "INSERT INTO wave (key, name, questionnaire, kind, year, opens_on, closes_on, owner,"
            " owner_name, parent_name, place, created_at) VALUES (?, 'Mẫu', ?, 'probability',"
            " 2024, '2024-09-01', '2024-10-31', 'vn34:00', 'Bộ Nội vụ', '', 'Hà Nội', '')",
            [WAVE, KEY],
        )
        _, first = np.unique(columns["psu"], return_index=True)
        base.executemany(
            "INSERT INTO sample_psu (wave, psu, stratum, fpc, unit, area, name)"
            " VALUES ('w', ?, ?, ?, ?, 'urban', '')",
            [
                (str(columns["psu"][at]), str(columns["stratum"][at]), float(columns["fpc"][at]),
                 places[int(columns["province"][at]) - 1])
                for at in first.tolist()
            ],
        )  # fmt: skip
        n = columns["w"].size
        base.executemany(
            "INSERT INTO sample_case (id, wave, psu, weight, state) VALUES (?, 'w', ?, ?, 'valid')",
            zip(range(1, n + 1), map(str, columns["psu"].tolist()), columns["w"].tolist(),
                strict=True),
        )  # fmt: skip
        base.executemany(
            "INSERT INTO response (id, wave, questionnaire, channel, receiving_unit, language,"
            " case_id, answers, codes, digest, seal, received_at, receipt) VALUES"
            " (?, 'w', ?, 'post', 'vn34:00', 'vi', ?, ?, ?, ?, '', '2024-09-02T00:00:00.000Z', ?)",
            _responses(asked, columns),
        )
    base.close()


def _responses(asked: Questionnaire, columns: Columns) -> Iterator[tuple[Any, ...]]:
    items = [item.id for item in asked.scored[: len(ITEMS)]]
    place = {column.id: c for c, column in enumerate(asked.columns)}
    n = columns["w"].size
    codes = np.zeros((n, len(place)), dtype=np.uint8)
    for item, column in zip(items, ITEMS, strict=True):
        codes[:, place[item]] = columns[column]
    levels = codes[:, [place[item] for item in items]].tolist()
    for at, row in enumerate(levels, 1):
        answers = {item: level for item, level in zip(items, row, strict=True) if level}
        id = f"00000000-0000-4000-8000-{at:012}"
        text = rules.canonical(answers)
        yield id, KEY, at, text, codes[at - 1].tobytes(), f"{at:064}", f"{at:08}"
