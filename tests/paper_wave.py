"""A small wave on paper: two provinces, their villages, cases, households and field staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import small_wave
from werkzeug.security import generate_password_hash

from forms import paper
from forms.questionnaire import load
from survey import db
from survey.store import people, plans, samples, waves

WAVE, QUESTIONNAIRE = "giay-2026", "sipas-2026.1"
HOME, AWAY = small_wave.TUYEN_QUANG, small_wave.LAI_CHAU
PASSWORD = small_wave.PASSWORD
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
#: User name, role, unit.
STAFF = (
    ("giamsat", "field_supervisor", HOME),
    ("dieutra", "interviewer", HOME),
    ("dieutra2", "interviewer", HOME),
    ("nhap1", "data_clerk", HOME),
    ("nhap2", "data_clerk", HOME),
    ("doichieu", "adjudicator", HOME),
    ("nhapnoikhac", "data_clerk", AWAY),
)
MAIN, RESERVES = 6, 2
_act = {"now": NOW, "actor": "shell:test"}


@dataclass(frozen=True)
class Facts:
    """``cases`` by PSU: main ones first, then the reserves; ``staff`` number by user name."""

    wave: str
    psus: tuple[str, ...]
    cases: dict[str, tuple[int, ...]]
    staff: dict[str, int]

    @property
    def main(self) -> list[int]:
        """Every case of the main list."""
        return [case for psu in self.psus for case in self.cases[psu][:MAIN]]


def make(store) -> Facts:
    """Add the wave to an instance; its numbers are the same in every test."""
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    with db.write(store):
        wave = waves.Wave(
            key=WAVE, name="Khảo sát trên giấy năm 2026", kind="probability", year=2026,
            questionnaire=QUESTIONNAIRE, opens_on=date(2026, 1, 1), closes_on=date(2099, 12, 31),
            owner=HOME, owner_name="Sở Nội vụ",
            parent_name="Ủy ban nhân dân tỉnh Tuyên Quang", place="Tuyên Quang", synthetic=True,
        )  # fmt: skip
        waves.new(store, wave, **_act)
        plans.set(store, WAVE, plans.PaperPlan(seed="hat-giong-2026"), **_act)
        psus = _psus(store)
        cases = _cases(store, psus)
        staff = {
            name: people.add(
                store, username=name, name=name.title(), role=role, unit=unit,
                password_hash=cheap, must_change=False, **_act,
            ).id
            for name, role, unit in STAFF
        }  # fmt: skip
    return Facts(WAVE, psus, cases, staff)


def _psus(store) -> tuple[str, ...]:
    rows = [
        {
            "wave": WAVE, "psu": f"{unit[5:]}-{area[0]}{n}", "stratum": f"{unit}-{area}",
            "fpc": 40.0, "unit": unit, "area": area,
            "name": f"{'Tổ dân phố' if area == 'urban' else 'Thôn'} {n}",
        }
        for unit in (HOME, AWAY)
        for area in ("urban", "rural")
        for n in (1, 2)
    ]  # fmt: skip
    samples.add_psus(store, rows)
    return tuple(str(row["psu"]) for row in rows)


def _cases(store, psus) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    first = samples.last_case(store) + 1
    for at, psu in enumerate(psus):
        numbers = []
        for n in range(1, MAIN + RESERVES + 1):
            id, reserve = first, n > MAIN
            first += 1
            numbers.append(id)
            weight = 50.0 + 10 * (at % 4)
            store.execute(
                "INSERT INTO sample_case (id, wave, psu, weight, base, state, household, number,"
                " reserve, probability, double_ballot, callback_ballot) VALUES (:id, :wave, :psu,"
                " :weight, :weight, :state, :household, :number, :reserve, :probability, :double,"
                " :again)",
                {
                    "id": id, "wave": WAVE, "psu": psu, "weight": weight,
                    "state": "reserve" if reserve else "planned", "household": f"h{n:02}",
                    "number": None if reserve else n, "reserve": n - MAIN if reserve else None,
                    "probability": f"1/{int(weight)}", "double": (id * 37 % 100) / 100,
                    "again": (id * 53 % 100) / 100,
                },
            )  # fmt: skip
            store.execute(
                "INSERT INTO frame_household (wave, psu, household, adults, name, address,"
                " position) VALUES (?, ?, ?, 2, ?, ?, ?)",
                (WAVE, psu, f"h{n:02}", f"Nguyễn Văn {n}", f"Số {n}, {psu}", n),
            )
        found[psu] = tuple(numbers)
    return found


def fields(n: int = 0, **changes) -> dict[str, object]:
    """A whole form as somebody would key it in; another ``n`` answers otherwise."""
    made: dict[str, object] = {}
    for at, field in enumerate(paper.fields(load(QUESTIONNAIRE))):
        if field.kind == "one":
            made[field.name] = field.codes[(n * 7 + at * 5 + at // 3) % len(field.codes)]
        elif field.kind == "several":
            made[field.name] = [field.codes[n % 3], field.codes[4]]
        else:
            made[field.name] = ""
    return made | changes
