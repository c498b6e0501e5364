"""The demonstration's wave on paper, in mid-work: drawn, handed out, half entered, all made up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from forms import paper
from forms.questionnaire import load
from survey import data
from survey.demonstration import synthetic
from survey.sample import drawing
from survey.store import (
    callbacks,
    cases,
    draws,
    entries,
    frames,
    lots,
    people,
    plans,
    replacements,
    settling,
    units,
    waves,
    weighting,
)
from survey.store.clock import day

if TYPE_CHECKING:
    import sqlite3

    from survey.store.cases import Case

WAVE, QUESTIONNAIRE, PROVINCE = "giay-2026", "sipas-2026.1", "vn34:15"
SEED = "giay-2026 mô phỏng"
#: Code, kind, name, and whether its villages are of the town.
COMMUNES = (
    ("02647", "phường", "Lào Cai"),
    ("02671", "phường", "Cam Đường"),
    ("03006", "phường", "Sa Pa"),
    ("02680", "xã", "Hợp Thành"),
    ("02683", "xã", "Bát Xát"),
    ("02695", "xã", "Trịnh Tường"),
)
VILLAGES, TAKES = 8, {"15-DT": 4, "15-NT": 4}
#: User name, name, role; each with the password of the demonstration.
STAFF = (
    ("giamsat", "Giám sát thực địa (mô phỏng)", "field_supervisor"),
    ("dieutra1", "Điều tra viên 1 (mô phỏng)", "interviewer"),
    ("dieutra2", "Điều tra viên 2 (mô phỏng)", "interviewer"),
    ("dieutra3", "Điều tra viên 3 (mô phỏng)", "interviewer"),
    ("nhaplieu1", "Nhân viên nhập liệu 1 (mô phỏng)", "data_clerk"),
    ("nhaplieu2", "Nhân viên nhập liệu 2 (mô phỏng)", "data_clerk"),
    ("doichieu", "Người đối chiếu (mô phỏng)", "adjudicator"),
)
#: Adults of the listed communes by sex and by age, made up to fit the frame.
MARGINS = {
    "sex": {"1": 5_890, "2": 6_050},
    "age": {"1": 1_900, "2": 2_700, "3": 3_800, "4": 2_100, "5": 1_440},
}
ACTOR = "shell:demo"


def fill(base: sqlite3.Connection, password_hash: str, at: datetime) -> str:
    """Make the wave, its staff and its work inside the caller's transaction; returns its key."""
    act = {"now": at, "actor": ACTOR}
    _units(base, at)
    waves.new(base, _wave(at), **act)  # type: ignore[arg-type]
    staff = {
        username: people.add(
            base, username=username, name=name, role=role, unit=PROVINCE, now=at, actor=ACTOR,
            password_hash=password_hash,
        ).id
        for username, name, role in STAFF
    }  # fmt: skip
    plan = plans.PaperPlan(double_share=0.6, callback_share=0.15, payment=60_000, seed=SEED)
    plans.set(base, WAVE, plan, now=at, actor=ACTOR)
    _draw(base, at)
    _margins(base, at)
    _field_work(base, staff, at)
    _enter(base, staff, at)
    _call_back(base, staff, at)
    return WAVE


def _wave(at: datetime) -> waves.Wave:
    today = day(at)
    return waves.Wave(
        key=WAVE, name="Khảo sát trên giấy tỉnh Lào Cai năm 2026", questionnaire=QUESTIONNAIRE,
        kind="probability", year=2026, opens_on=min(date(2026, 9, 1), today - timedelta(days=60)),
        closes_on=date(today.year + (today.month == 12), 12, 31), owner=PROVINCE,
        owner_name="Sở Nội vụ", parent_name="Ủy ban nhân dân tỉnh Lào Cai", place="Lào Cai",
        words={"commune_word": "xã, phường", "province_word": "tỉnh", "hamlet_word": "thôn, tổ"},
        synthetic=True,
    )  # fmt: skip


def _units(base: sqlite3.Connection, at: datetime) -> None:
    rows = [
        units.Unit(
            "vn34", code, data.NEW_FROM, None, "commune", word, name, units.name_key(name), PROVINCE
        )
        for code, word, name in COMMUNES
    ]
    units.import_rows(base, rows, now=at, actor=ACTOR, source="demo")


def _draw(base: sqlite3.Connection, at: datetime) -> None:
    """List villages and households, then draw both as the commands do."""
    sizes = (60 + 90 * synthetic.uniform("paper.size", len(COMMUNES) * VILLAGES)).astype(int)
    villages = []
    for at_commune, (code, word, _) in enumerate(COMMUNES):
        town = word == "phường"
        for n in range(VILLAGES):
            villages.append(
                frames.Village(
                    psu=f"{code}-{n + 1:02}", stratum="15-DT" if town else "15-NT",
                    unit=f"vn34:{code}", area="urban" if town else "rural",
                    name=f"{'Tổ dân phố' if town else 'Thôn'} {n + 1} (mô phỏng)",
                    size=int(sizes[at_commune * VILLAGES + n]),
                )
            )  # fmt: skip
    frames.put_villages(base, WAVE, villages, whole=True, source="demo", now=at, actor=ACTOR)
    draws.set_plan(
        base, WAVE, draws.Plan(takes=TAKES, households=12, reserves=4, person="one"),
        now=at, actor=ACTOR,
    )  # fmt: skip
    rows, drawn = drawing.villages(base, WAVE, SEED)
    draws.keep_villages(base, WAVE, rows, draw=drawn, now=at, actor=ACTOR)
    listed = {row["psu"] for row in rows}
    frames.put_households(
        base, WAVE, listed,
        [
            frames.Household(
                village.psu, f"H{n:03}", 1 + n % 4, f"Chủ hộ số {n} (mô phỏng)",
                f"Nhà số {n}",
            )
            for village in villages if village.psu in listed
            for n in range(1, village.size + 1)
        ],
        source="demo", now=at, actor=ACTOR,
    )  # fmt: skip
    found, drawn, _ = drawing.households(base, WAVE)
    draws.keep_cases(base, WAVE, found, draw=drawn, done=True, now=at, actor=ACTOR)


def _margins(base: sqlite3.Connection, at: datetime) -> None:
    rows = [
        weighting.Margin(name, code, float(n), "Số liệu mô phỏng, không phải dân số thật")
        for name, each in MARGINS.items()
        for code, n in each.items()
    ]
    weighting.set_margins(base, WAVE, rows, now=at, actor=ACTOR)


def _field_work(base: sqlite3.Connection, staff: dict[str, int], at: datetime) -> None:
    """Four lots: three are back with their losses, one is still out; one village waits."""
    areas = lots.free(base, WAVE)
    for number, interviewer in enumerate(("dieutra1", "dieutra2", "dieutra3", "dieutra1")):
        mine = areas[2 * number : 2 * number + 2][: 2 if number < 3 else 1]
        lot = lots.make(
            base, WAVE, cases=[id for area in mine for id in area.cases],
            interviewer=staff[interviewer], unit=PROVINCE, now=at, actor=ACTOR,
            due_on=day(at) + timedelta(days=2 - 4 * (number == 3)),
        )  # fmt: skip
        lots.issue(base, lot, now=at, actor=ACTOR)
        held = cases.of_lot(base, lot.id)
        if number == 3:
            cases.move(base, [c.id for c in held[:7]], "delivered", now=at, actor=ACTOR)
            cases.move(
                base, [held[0].id], "appointed", now=at, actor=ACTOR,
                appointed_on=(day(at) - timedelta(days=1)).isoformat(),
            )  # fmt: skip
            continue
        lost = {held[4].id: "refused", held[11].id: "absent", held[20].id: "moved"}
        back = {c.id: ("collected", "") for c in held if c.id not in lost}
        lots.take_back(
            base, lot, back | {id: (state, state) for id, state in lost.items()},
            now=at, actor=ACTOR,
        )  # fmt: skip
        replacements.replace_case(base, held[11].id, "absent", now=at, actor=ACTOR)


def _enter(base: sqlite3.Connection, staff: dict[str, int], at: datetime) -> None:
    """Most of what came back is keyed once, what the plan asks for twice, with a few slips."""
    back = [c for lot in lots.of_wave(base, WAVE) for c in cases.of_lot(base, lot.id)
            if c.state == "collected"]  # fmt: skip
    q = load(QUESTIONNAIRE)
    mood = synthetic.normal("paper.village", len(back)) * 0.15
    made = synthetic.people(q, "paper", np.asarray(mood), silent=0.02, comments=0.1)
    read = {c.id: dict(fields(given)) for c, given in zip(back, made, strict=True)}
    first = [case for n, case in enumerate(back) if n % 7 != 3]
    for number, case in enumerate(first):
        _key(base, case, read[case.id], staff["nhaplieu1"], 1, number, at)
    again = [c for c in first if settling.needs_second(base, c, "desk")]
    for number, case in enumerate(again[: len(again) - 4]):
        typed = dict(read[case.id])
        if number % 6 == 3:  # a slip of one key
            typed["s09"] = 5 if typed["s09"] != 5 else 4
        _key(base, case, typed, staff["nhaplieu2"], 2, number, at)
    for case in [c for c in again if cases.get(base, c.id).state == "entered_twice"][:-2]:
        first_entry = entries.get(base, case.id, 1)
        settling.adjudicate(
            base, case.id, first_entry.fields, {"s09": settling.FIRST}, staff=staff["doichieu"],
            now=at, actor="staff:doichieu",
        )  # fmt: skip


def _call_back(base: sqlite3.Connection, staff: dict[str, int], at: datetime) -> None:
    """Draw who is asked again; four have been, one answers a little otherwise."""
    callbacks.draw(base, WAVE, units=callbacks.waiting(base, WAVE), now=at, actor=ACTOR)
    for number, one in enumerate(callbacks.of_wave(base, WAVE)[:4]):
        said = {
            name: one.fields[name] for name in ("sex", "age", "s01", "s09", "s24", "s31", "s37")
        }
        if number == 2:
            said["s31"] = 3 if said["s31"] != 3 else 4
        callbacks.record(
            base, one.case, "done", via="phone", answers=said | {"how": "self"}, note="",
            staff=staff["giamsat"], now=at, actor="staff:giamsat",
        )  # fmt: skip


def fields(answers: dict[str, object]) -> list[tuple[str, object]]:
    """Answers as somebody would key them off paper: blank where there is none."""
    found: list[tuple[str, object]] = []
    for field in paper.fields(load(QUESTIONNAIRE)):
        blank: object = {"one": paper.BLANK, "several": []}.get(field.kind, "")
        given = answers.get(field.name, blank)
        found.append((field.name, [] if given == [paper.BLANK] else given))
    return found


def _key(
    base: sqlite3.Connection, case: Case, typed: dict[str, object], clerk: int, round: int,
    number: int, at: datetime,
) -> None:  # fmt: skip
    took = 45_000 + 900 * (number * 7 % 40)
    began = at - timedelta(minutes=90 - number % 90)
    made = entries.Entry(
        id=str(UUID(int=case.id << 8 | round, version=4)), case_id=case.id, via="desk", staff=clerk,
        questionnaire=QUESTIONNAIRE, fields=typed, started_at=began.astimezone(UTC),
        submitted_at=(began + timedelta(milliseconds=took)).astimezone(UTC), keys=88 + number % 7,
        active_ms=took,
    )  # fmt: skip
    entries.add(base, made, now=at)
