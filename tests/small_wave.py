"""A small instance with one wave of each kind, its doors, its staff and made-up answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from forms import rules
from forms.questionnaire import load
from survey import db
from survey.store import doors, instances, people, responses, samples, units, waves

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SURVEY, COUNTER, HOUSEHOLD = "ho-2026", "quay-2026", "qr-2026"
TUYEN_QUANG, LAI_CHAU, COMMUNE = "vn34:08", "vn34:12", "vn34:08000"
PASSWORD = "câu mật khẩu thử nghiệm"
_act = {"now": NOW, "actor": "shell:test"}


@dataclass(frozen=True)
class Facts:
    """Door ids by kind and the staff's user names."""

    doors: dict[str, int]
    staff: tuple[str, ...]


def make(instance: Path, password_hash: str) -> Facts:
    """Fill an instance; figures never change from run to run."""
    settings = instances.init(instance, at=NOW)
    store = db.connect(settings.database)
    try:
        with db.write(store):
            return _fill(store, password_hash)
    finally:
        store.close()


def _fill(store, password_hash):
    commune = units.Unit(
        "vn34", "08000", "2025-07-01", None, "commune", "phường", "Minh Xuân",
        units.name_key("Minh Xuân"), TUYEN_QUANG,
    )  # fmt: skip
    units.import_rows(store, [commune], source="test", **_act)
    wave = partial(
        waves.Wave, year=2026, opens_on=date(2026, 1, 1), owner=TUYEN_QUANG,
        owner_name="Sở Nội vụ", parent_name="Ủy ban nhân dân tỉnh Tuyên Quang",
        place="Tuyên Quang", synthetic=True,
    )  # fmt: skip
    survey = wave(
        key=SURVEY, name="Khảo sát hộ gia đình năm 2026", kind="probability",
        questionnaire="sipas-2026.1", closes_on=date(2026, 10, 31),
    )  # fmt: skip
    counter = wave(
        key=COUNTER, name="Ý kiến tại quầy năm 2026", kind="self_selected", settled=120,
        questionnaire="mot-cua-2026.1", closes_on=date(2099, 12, 31),
    )  # fmt: skip
    household = wave(
        key=HOUSEHOLD, name="Phiếu trên mạng năm 2026", kind="self_selected",
        questionnaire="sipas-2026.1", closes_on=date(2099, 12, 31),
    )  # fmt: skip
    for each in (survey, counter, household):
        waves.new(store, each, **_act)
    _sample(store)
    for name, role, unit in STAFF:
        people.add(
            store, username=name, name=name.title(), role=role, unit=unit,
            password_hash=password_hash, must_change=name == "newcomer", **_act,
        )  # fmt: skip
    made = _doors(store)
    _answers(store, doors.get(store, made["counter"]))
    return Facts(made, tuple(name for name, _, _ in STAFF))


#: user name, role, unit: the whole instance, one unit, another unit, no right to results.
STAFF = (
    ("administrator", "administrator", ""),
    ("member", "viewer", TUYEN_QUANG),
    ("neighbour", "viewer", LAI_CHAU),
    ("stranger", "clerk", ""),
    ("newcomer", "administrator", ""),
)


def _doors(store):
    add = partial(doors.add, store, unit=COMMUNE, **_act)
    return {
        "counter": add(kind="counter", wave=COUNTER, counter="3", label="Quầy 3").id,
        "dossier": add(kind="dossier", wave=COUNTER, dossier_key="H08.000-261122-0001").id,
        "household": add(kind="counter", wave=HOUSEHOLD, label="Phường Minh Xuân").id,
        "case": add(kind="case", wave=SURVEY, case_id=1).id,
    }


def _sample(store):
    """Draw two provinces, town and country, three PSUs each, eight persons a PSU."""
    psus, cases = [], []
    for unit in (TUYEN_QUANG, LAI_CHAU):
        for area in ("urban", "rural"):
            for number in range(3):
                psu = f"{unit}-{area}-{number}"
                psus.append(
                    {
                        "wave": SURVEY, "psu": psu, "stratum": f"{unit}-{area}", "fpc": 60.0,
                        "unit": unit, "area": area, "name": f"Thôn {len(psus) + 1}",
                    }
                )  # fmt: skip
                cases += [
                    {"id": len(cases) + n + 1, "wave": SURVEY, "psu": psu, "weight": 100.0 + number,
                     "state": "locked"} for n in range(8)
                ]  # fmt: skip
    samples.add_psus(store, psus)
    samples.add_cases(store, cases)
    samples.add_accounts(
        store,
        [
            {"wave": SURVEY, "unit": u, "issued": 60, "returned": 50}
            for u in (TUYEN_QUANG, LAI_CHAU)
        ],
    )


def _answers(store, counter):
    survey = load("sipas-2026.1")
    fixed = {i.id: 1 for i in survey.items if i.kind == "single" and not i.consent}
    fixed |= {f"{i.id}.{r.id}": 2 for i in survey.items for r in i.rows} | {"c2": [1, 3]}
    for n in range(2, 97):  # case 1 has not answered yet: its door is open
        unit = TUYEN_QUANG if n <= 48 else LAI_CHAU
        door = doors.Door(id=0, kind="case", wave=SURVEY, unit=unit, case_id=n)
        scores = {i.id: 2 + (n * 7 + k * 5 + n // 8) % 4 for k, i in enumerate(survey.scored)}
        _store(store, n, door, survey, {**fixed, **scores}, "post")
    short = load("mot-cua-2026.1")
    for n in range(100, 140):
        marks = {i.id: 3 + (n + k) % 3 for k, i in enumerate(short.items) if i.kind == "scale"}
        _store(store, n, counter, short, marks, "kiosk")


def _store(store, n, door, asked, answers, channel):
    clean, faults = rules.check(asked, answers)
    assert not faults, faults
    came = responses.Incoming(
        id=str(UUID(int=n)), door=door, questionnaire=asked.key, answers=clean, channel=channel,
        language="vi", started_at=None, submitted_at=NOW,
    )  # fmt: skip
    responses.bulk(store, [came])
