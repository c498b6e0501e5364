"""A second household wave a year earlier, in the villages of the small instance's first one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from small_wave import NOW, SURVEY

from forms import rules
from forms.questionnaire import load
from survey import db
from survey.store import doors, responses, samples, waves

EARLIER, SERIES = "ho-2025", "sipas"
_act = {"now": NOW, "actor": "shell:test"}


def make(store, *, series=SERIES, villages="", year=2025, key=EARLIER, **changes):
    """Add the wave; ``villages`` before the names of its villages makes them other ones."""
    with db.write(store):
        first = waves.get(store, SURVEY)
        wave = replace(
            first, key=key, name=f"Khảo sát hộ gia đình năm {year}", year=year,
            opens_on=date(year, 1, 1), closes_on=date(year, 10, 31), **changes,
        )  # fmt: skip
        waves.new(store, wave, **_act)
        _sample(store, key, villages)
        _answers(store, key)
        store.execute(
            "UPDATE wave SET series = :series WHERE key IN (:one, :other)",
            {"series": series, "one": SURVEY, "other": key},
        )


def _sample(store, key, villages):
    start = store.execute("SELECT MAX(id) AS id FROM sample_case").fetchone()["id"]
    psus = store.execute(
        "SELECT psu, stratum, fpc, unit, area, name FROM sample_psu WHERE wave = :wave",
        {"wave": SURVEY},
    ).fetchall()
    named = [dict(row) | {"wave": key, "psu": villages + row["psu"]} for row in psus]
    samples.add_psus(store, named)
    cases = store.execute(
        "SELECT psu, weight FROM sample_case WHERE wave = :wave ORDER BY id", {"wave": SURVEY}
    ).fetchall()
    samples.add_cases(
        store,
        [
            {"id": start + n, "wave": key, "psu": villages + row["psu"], "weight": row["weight"],
             "state": "locked"} for n, row in enumerate(cases, 1)
        ],
    )  # fmt: skip


def _answers(store, key):
    survey = load("sipas-2026.1")
    fixed = {i.id: 1 for i in survey.items if i.kind == "single" and not i.consent}
    fixed |= {f"{i.id}.{r.id}": 2 for i in survey.items for r in i.rows} | {"c2": [1, 3]}
    rows = store.execute(
        "SELECT c.id, p.unit FROM sample_case c JOIN sample_psu p ON p.wave = c.wave"
        " AND p.psu = c.psu WHERE c.wave = :wave ORDER BY c.id",
        {"wave": key},
    ).fetchall()
    came = []
    for n, row in enumerate(rows, 1):
        door = doors.Door(id=0, kind="case", wave=key, unit=row["unit"], case_id=row["id"])
        scores = {
            i.id: min(5, 1 + (n * 7 + k * 5 + n // 8) % 4 + (n + k) % 3 // 2)
            for k, i in enumerate(survey.scored)
        }
        clean, faults = rules.check(survey, {**fixed, **scores})
        assert not faults, faults
        came.append(
            responses.Incoming(
                id=str(UUID(int=10_000 + row["id"])), door=door, questionnaire=survey.key,
                answers=clean, channel="post", language="vi", started_at=None, submitted_at=NOW,
            )
        )  # fmt: skip
    responses.bulk(store, came)
