"""A national sample brought to known totals: making, figures with residuals, the exported file."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

from analysis.file import command
from analysis.sipas import wave_result
from analysis.weights.making import Settings
from forms.questionnaire import load
from survey import db, tallies
from survey.demonstration import demo
from survey.store import waves, weighting
from survey.store.weighting import Margin
from survey.weighting import weights

WAVE, ROUNDS = "sipas-2026", 5
ACT: Any = {"now": datetime(2026, 11, 22, tzinfo=UTC), "actor": "shell:benchmark"}


def run() -> list[tuple[str, float, str]]:
    """Weigh 36.525 answers by 43 totals and trim; compare every figure with ``sipas estimate``."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "instance"
        demo.make(home)
        with closing(db.connect(home / "sipas.sqlite")) as store:
            tallies.refresh(store, WAVE)
            plain = _figures(store)
            weighting.set_margins(store, WAVE, _margins(store), **ACT)
            made, making = _timed(lambda: weights.preview(store, WAVE, Settings(cap=2.5)))
            _, storing = _timed(
                lambda: weighting.put(
                    store, WAVE, made.rows, settings=made.settings, report=made.report, **ACT
                )
            )
            tallies.refresh(store, WAVE)
            weighted = _figures(store)
            numbers, worst = _compared(store, home, Path(folder))
            waves.open(store, WAVE, until=date(2099, 12, 31), reason="benchmark", **ACT)
            _, closing_up = _timed(lambda: waves.close(store, WAVE, **ACT))
    return [
        ("Weights of 36.525 answers by 43 totals, made", making, "s"),
        ("Weights of 36.525 answers, stored", storing, "s"),
        ("Figures of 36.525 answers, weights of the draw", plain * 1000, "ms"),
        ("Figures of 36.525 answers, calibrated weights", weighted * 1000, "ms"),
        ("Numbers of the report compared with sipas estimate", float(numbers), ""),
        ("Largest relative difference, report against sipas estimate", worst, ""),
        ("Closing a wave of 36.525 cases, weights frozen", closing_up, "s"),
    ]


def _timed(job: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    found = job()
    return found, time.process_time() - start


def _figures(store: sqlite3.Connection) -> float:
    """CPU seconds of a whole result, 34 ranked provinces included; the median."""
    return median(_timed(lambda: wave_result(store, WAVE))[1] for _ in range(ROUNDS))


def _margins(store: sqlite3.Connection) -> list[Margin]:
    """Sex and age moved by a few percent; area and province as drawn."""
    place = {column.id: k for k, column in enumerate(load("sipas-2026.1").columns)}
    cases = weighting.places(store, WAVE)
    whole = sum(case["base"] for case in cases)
    rows: list[Margin] = []
    for name in ("sex", "age", "area", "unit"):
        found: Counter[str] = Counter()
        for case in cases:
            label = str(case["codes"][place[name]] if name in place else case[name])
            if label not in ("0", "9"):
                found[label] += case["base"]
        moved = {k: v * (1 + 0.05 * (n % 2) * (name in place))
                 for n, (k, v) in enumerate(sorted(found.items()))}  # fmt: skip
        scale = whole / sum(moved.values())
        rows += [Margin(name, label, n * scale, "benchmark") for label, n in moved.items()]
    return rows


def _compared(store: sqlite3.Connection, home: Path, folder: Path) -> tuple[int, float]:
    """How many numbers of the report were found again in the exported file, and how well."""
    data, design = folder / "answers.csv", folder / "design.toml"
    subprocess.run(
        [sys.executable, "-m", "survey.cli", "--instance", str(home), "responses", "export", WAVE,
         "-o", str(data), "--design", str(design)], check=True, capture_output=True,
    )  # fmt: skip
    result, found = wave_result(store, WAVE), command.run(design, data)
    rows = {(json.dumps(r["domain"]), r["kind"], r["name"]): r for r in found["estimates"]}
    pairs = []
    domains = [(None, result.figures)] + [({"part": u.unit}, u.figures) for u in result.units]
    for domain, figures in domains:
        for f in figures:
            row = rows[json.dumps(domain), f.kind, f.id]
            pairs += [(row["estimate"], f.value)]
            pairs += [(row[name], getattr(f, name)) for name in ("se", "low", "high", "deff")]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return len(known), max(abs(a - b) / max(abs(b), 1e-12) for a, b in known)


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name}: {value:.3g} {unit}")
