"""A sampled wave with unequal weights and lost households, ready to be weighted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import small_wave

from forms.questionnaire import load
from survey.db import write
from survey.store import doors, responses, samples, waves, weighting
from survey.store.weighting import Margin

WAVE = "can-2026"
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
ACT = {"now": NOW, "actor": "shell:test"}
UNITS = (small_wave.TUYEN_QUANG, small_wave.LAI_CHAU)
TAKE, VILLAGES = 14, 4
MARGINS = [
    *(Margin("sex", code, n, "Tổng điều tra 2024") for code, n in (("1", 6_900), ("2", 7_100))),
    *(Margin("age", code, n, "Tổng điều tra 2024")
      for code, n in (("1+2", 5_300), ("3", 4_700), ("4+5", 4_000))),
    *(Margin("area", code, n, "Niên giám 2025")
      for code, n in (("urban", 5_000), ("rural", 9_000))),
]  # fmt: skip
LOST = ("refused", "absent", "moved", "deceased", "other")


def make(store, *, key=WAVE, margins=True, fpc=80.0, **method):
    """Two provinces, town and country, four villages each; every fifth household is lost."""
    with write(store):
        wave = waves.Wave(
            key=key, name="Khảo sát có quyền số", kind="probability", year=2026,
            questionnaire="sipas-2026.1", opens_on=date(2026, 1, 1), closes_on=date(2099, 12, 31),
            owner="vn34:08", owner_name="Sở Nội vụ", synthetic=True,
        )  # fmt: skip
        waves.new(store, replace(wave, **method), **ACT)
        cases = _sample(store, key, fpc)
        _answer(store, key, cases)
        if margins:
            weighting.set_margins(store, key, MARGINS, **ACT)


def _sample(store, key, fpc):
    psus, found = [], []
    first = samples.last_case(store) + 1
    for unit in UNITS:
        for area in ("urban", "rural"):
            for n in range(VILLAGES):
                psu = f"{key}-{unit[5:]}-{area[0]}{n}"
                psus.append({"wave": key, "psu": psu, "stratum": f"{unit}-{area}", "fpc": fpc,
                             "unit": unit, "area": area, "name": psu})  # fmt: skip
                for k in range(TAKE):
                    at = len(found)
                    state = LOST[at // 5 % 5] if at % 5 == 2 else "locked"
                    weight = 40.0 + 9 * n + 30 * (k % 3 == 0)
                    found.append({"id": first + at, "wave": key, "psu": psu, "at": at,
                                  "unit": unit, "weight": weight, "state": state})  # fmt: skip
    samples.add_psus(store, psus)
    samples.add_cases(store, found)
    return found


def answers(at):
    """What the household at a place of the sample says."""
    asked = load("sipas-2026.1")
    given = {i.id: 1 for i in asked.items if i.kind == "single" and not i.consent}
    given |= {f"{i.id}.{r.id}": 2 for i in asked.items for r in i.rows} | {"c2": [1, 3]}
    given |= {"sex": 1 + (at * 5 // 3) % 2, "age": 1 + (at * 7 // 4) % 5}
    given |= {"c8.receive_result": 1 + at % 2} if "c8.receive_result" in given else {}
    for k, item in enumerate(asked.scored):
        level = 1 + (at * 7 + k * 3 + at // 9 + (at // TAKE) * 2) % 5
        given[item.id] = level if (at + k) % 11 else 9
    given["s02"] = 5
    if at % 29 == 0:
        del given["sex"]
    return given


def _answer(store, key, cases):
    asked = load("sipas-2026.1")
    rows = []
    for case in cases:
        if case["state"] != "locked":
            continue
        door = doors.Door(id=0, kind="case", wave=key, unit=case["unit"], case_id=case["id"])
        clean = {k: v for k, v in answers(case["at"]).items() if v != 9 or k[0] == "s"}
        rows.append(responses.Incoming(
            id=str(UUID(int=10**6 + case["id"])), door=door, questionnaire=asked.key,
            answers=clean, channel="post", language="vi", started_at=None, submitted_at=NOW,
            flags=("straight",) if case["at"] % 17 == 0 else (),
        ))  # fmt: skip
    responses.bulk(store, rows)
