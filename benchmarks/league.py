"""League tables of 63 provinces and of 3.321 communes, with rank sets and tie bands."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, date, datetime
from statistics import median

import numpy as np

from analysis.league import leagues
from forms import rules
from forms.questionnaire import load
from survey import db, tallies
from survey.migrations import migrate
from survey.store import reference, units, waves

QUESTIONNAIRE = "mot-cua-2026.1"
ACT = {"now": datetime(2026, 11, 22, tzinfo=UTC), "actor": "shell:benchmark"}
ROUNDS = 3


def run() -> list[tuple[str, float, str]]:
    """Draw each survey in memory, then rank it a few times; medians of processor time."""
    found = []
    for n, word in ((63, "63"), (3321, "3.321")):
        with closing(drawn(n)) as base:
            times = []
            for _ in range(ROUNDS):
                begun = time.process_time()
                made = leagues(base, "w")
                times.append(time.process_time() - begun)
            assert made.sets[0].ranked > 0.9 * n
        found.append((f"League table of {word} units with rank sets", median(times), "s"))
    return found


def drawn(n: int, psus: int = 8, persons: int = 8) -> sqlite3.Connection:
    """A survey in memory: n units, each of two strata of four villages of eight persons."""
    base = sqlite3.connect(":memory:", isolation_level=None)
    base.row_factory = sqlite3.Row
    migrate(base)
    reference.load(base, now=ACT["now"], actor="benchmark")  # type: ignore[arg-type]
    wave = waves.Wave(
        key="w", name="Đo", questionnaire=QUESTIONNAIRE, kind="probability", year=2026,
        opens_on=date(2026, 8, 3), closes_on=date(2026, 9, 30), owner="vn34:00", owner_name="",
        synthetic=True,
    )  # fmt: skip
    waves.new(base, wave, **ACT)  # type: ignore[arg-type]
    rows = [
        units.Unit("do", f"{u:05}", "2025-07-01", None, "commune", "xã", f"Xã {u}", f"xã {u}",
                   "vn34:00")
        for u in range(n)
    ]  # fmt: skip
    units.import_rows(base, rows, source="benchmark", **ACT)  # type: ignore[arg-type]
    with db.write(base):
        _fill(base, n, psus, persons)
    tallies.refresh(base, "w")
    return base


def _fill(base: sqlite3.Connection, n: int, psus: int, persons: int) -> None:
    rng = np.random.default_rng(1)
    asked = load(QUESTIONNAIRE)
    forms = [
        {f"m{k}": level for k in range(1, 6)} | {"m_all": level} for level in (3, 4)
    ]  # fmt: skip
    packed = [(rules.canonical(form), rules.pack(asked, form)) for form in forms]
    share = rng.normal(0.84, 0.04, n).clip(0.5, 0.99)
    case = 0
    for u in range(n):
        villages = [
            {"wave": "w", "psu": f"{u}-{p}", "stratum": f"{u}-{p % 2}", "fpc": 40.0,
             "unit": f"do:{u:05}", "area": "rural", "name": f"{u}-{p}"}
            for p in range(psus)
        ]  # fmt: skip
        base.executemany(
            "INSERT INTO sample_psu (wave, psu, stratum, fpc, unit, area, name)"
            " VALUES (:wave, :psu, :stratum, :fpc, :unit, :area, :name)", villages,
        )  # fmt: skip
        good = rng.random(psus * persons) < share[u]
        for k in range(psus * persons):
            case += 1
            answers, codes = packed[int(good[k])]
            base.execute(
                "INSERT INTO sample_case (id, wave, psu, weight, state)"
                " VALUES (?, 'w', ?, 100.0, 'locked')", [case, f"{u}-{k % psus}"],
            )  # fmt: skip
            base.execute(
                "INSERT INTO response (id, wave, questionnaire, channel, receiving_unit, language,"
                " case_id, answers, codes, digest, seal, received_at, receipt)"
                " VALUES (?, 'w', ?, 'post', ?, 'vi', ?, ?, ?, '', '',"
                " '2026-09-02T00:00:00.000Z', ?)",
                [f"{case:012}", QUESTIONNAIRE, f"do:{u:05}", case, answers, codes, f"{case}"],
            )  # fmt: skip
