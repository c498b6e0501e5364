"""`kill -9` of clerks: two processes enter, enter again and adjudicate while they are killed.

The harness of the tests (``tests/faults/clerks.py``) on fresh instances, each with other kills; its
three sabotaged variants must be caught, or it would be silent.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from survey import config

Measure = tuple[str, float, str]
TESTS = Path(__file__).resolve().parent.parent / "tests"
ROUNDS, SOAK, KILLS = 1, 25, 10
SABOTAGED = ("early", "apart", "two")


def run() -> list[Measure]:
    """A few kills."""
    return _killings(ROUNDS)


def soak() -> list[Measure]:
    """Hundreds of kills."""
    return _killings(SOAK)


def _killings(rounds: int) -> list[Measure]:
    seen: Counter[str] = Counter()
    for seed in range(rounds):
        found = _killed(seed)
        for name in ("kills", "forms", "acknowledged", "repeats", "lost", "doubled", "torn"):
            seen[name] += getattr(found, name)
        seen["faults"] += len(found.faults)
    caught = sum(not _killed(1, variant=name, until_caught=True).clean for name in SABOTAGED)
    return [
        ("kill -9 of clerks at work", seen["kills"], "kills"),
        ("Forms entered, entered again and settled meanwhile", seen["forms"], ""),
        ("Steps acknowledged to clerks", seen["acknowledged"], ""),
        ("The same sent again", seen["repeats"], ""),
        ("Acknowledged entries or decisions lost", seen["lost"], ""),
        ("Forms counted twice", seen["doubled"], ""),
        ("Forms half settled", seen["torn"] + seen["faults"], ""),
        ("Sabotaged desks caught", caught, f"of {len(SABOTAGED)}"),
    ]


def _killed(seed: int, **how: object) -> Any:
    """What the harness found on a fresh small instance."""
    if str(TESTS) not in sys.path:
        sys.path.insert(0, str(TESTS))
    small_wave = importlib.import_module("small_wave")
    clerks = importlib.import_module("faults.clerks")
    with tempfile.TemporaryDirectory(prefix="sipas-clerks-") as folder:
        home = Path(folder) / "instance"
        small_wave.make(home, "scrypt:1024:8:1$x$00")
        settings = config.load(home, environ={})
        return clerks.run(settings, kills=KILLS if not how else 20, seed=seed, **how)
