"""Two provinces in the middle of their work on paper, with one of everything to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import paper_wave
import scanned
from paper_wave import AWAY, HOME, NOW, PASSWORD, WAVE
from test_verify import enter
from werkzeug.security import generate_password_hash

from survey import serials
from survey.entry.shelf import Shelf
from survey.store import callbacks, cases, lots, people, plans, quotas, scans

ACT = {"now": NOW, "actor": "shell:test"}
#: The field work's people by province; the commune lies in the first one.
TEAM = {
    HOME: {"field_supervisor": "giamsat", "interviewer": "dieutra", "data_clerk": "nhap1",
           "second": "nhap2", "adjudicator": "doichieu"},
    AWAY: {"field_supervisor": "giamsatlai", "interviewer": "langlai",
           "data_clerk": "nhapnoikhac", "second": "nhaplai2", "adjudicator": "doichieulai"},
}  # fmt: skip
COMMUNE, ABOVE = "vn34:08000", {HOME: "Pác Bó", AWAY: "Sìn Hồ"}


@dataclass(frozen=True)
class Side:
    """What one province has: ``secrets`` are words that only its own people may read."""

    unit: str
    psu: str
    lot: str
    waiting: str
    planned: int
    collected: int
    once: int
    twice: int
    settled: int
    upload: int
    page: int
    refused: int
    staff: dict[str, int]
    secrets: tuple[str, ...]


def make(base, settings, facts) -> dict[str, Side]:
    """Fill a paper wave; both provinces are alike."""
    plan = plans.get(base, WAVE)
    plan = replace(plan, double_share=1.0, callback_share=1.0, payment=20_000)
    plans.set(base, WAVE, plan, **ACT)
    ids = dict(facts.staff)
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    for role, name in TEAM[AWAY].items():
        if name not in ids:
            held = "data_clerk" if role == "second" else role
            ids[name] = _person(base, name, held, AWAY, cheap)
    for role in ("field_supervisor", "data_clerk", "adjudicator"):
        _person(base, f"xa.{role}", role, COMMUNE, cheap)
    run = scanned.printed(base, facts.main)
    return {unit: _side(base, settings, facts, ids, unit, run) for unit in (HOME, AWAY)}


def _person(base, name, role, unit, password_hash):
    made = people.add(
        base, username=name, name=name.title(), role=role, unit=unit, must_change=False,
        password_hash=password_hash, **ACT,
    )  # fmt: skip
    return made.id


def _side(base, settings, facts, ids, unit, run) -> Side:
    mine = [psu for psu in facts.psus if psu.startswith(unit[5:])]
    word, staff = ABOVE[unit], {role: ids[name] for role, name in TEAM[unit].items()}
    for at, psu in enumerate(mine):
        name = f"Thôn {word} {at}"
        base.execute("UPDATE sample_psu SET name = ? WHERE psu = ?", (name, psu))
        base.execute(
            "UPDATE frame_household SET name = 'Lò Thị ' || ? || position,"
            " address = 'Ngõ ' || ? || position WHERE psu = ?", (word, word, psu),
        )  # fmt: skip
    first, second = facts.cases[mine[0]][:6], facts.cases[mine[1]][:6]
    made = [
        lots.make(base, WAVE, cases=held, interviewer=staff["interviewer"], unit=unit,
                  due_on=None, **ACT)
        for held in (first, second)
    ]  # fmt: skip
    lots.issue(base, made[0], **ACT)
    planned, collected, once, twice, settled, scan = first
    cases.move(base, [collected, once, twice, settled], "collected", **ACT)
    clerk, other = staff["data_clerk"], staff["second"]
    enter(base, once, clerk, paper_wave.fields(1, comment=f"Lời của {word}"))
    enter(base, twice, clerk, paper_wave.fields(1, s01=2))
    enter(base, twice, other, paper_wave.fields(1, s01=4))
    for who in (clerk, other):
        enter(base, settled, who, paper_wave.fields(2))
    callbacks.draw(base, WAVE, units=[unit], **ACT)
    quotas.put(base, WAVE, [quotas.Quota(unit, "sex", 1, 4)], **ACT)
    upload, page, refused = _scan(base, settings, unit, clerk, scan, run)
    held = [serials.printed(case) for psu in mine for case in facts.cases[psu]]
    raw = [serials.serial(case) for psu in mine for case in facts.cases[psu]]
    secrets = (word, *held, *raw, *(lot.code for lot in made), f"quet-{unit[5:]}.pdf",
               TEAM[unit]["interviewer"].title())  # fmt: skip
    return Side(
        unit, mine[0], made[0].code, made[1].code, planned, collected, once, twice, settled,
        upload, page, refused, staff, secrets,
    )  # fmt: skip


def _scan(base, settings, unit, staff, case, run):
    cases.move(base, [case], "collected", **ACT)
    shelf = Shelf(settings.instance)
    whole, crop, bad = (shelf.put(f"{what} {unit}".encode()) for what in ("trang", "ô", "hỏng"))
    upload, _ = scans.add(
        base, WAVE, name=f"quet-{unit[5:]}.pdf", digest=whole, staff=staff, **ACT
    )  # fmt: skip
    scans.begin(base, upload.id, pages=2)
    facts = {"upload": upload.id, "reader": "x", "print_run": run}
    doubts = {"sex": {"kind": "double", "codes": [1, 2], "file": crop}}
    page = scans.insert(
        base, facts | {"number": 1, "digest": whole, "file": whole, "case_id": case, "page": 1,
                       "state": "read", "fields": '{"age": 2}', "doubts": scans.text(doubts)},
        now=NOW,
    )  # fmt: skip
    refused = scans.insert(
        base, facts | {"number": 2, "digest": bad, "file": bad, "print_run": None,
                       "state": "refused", "fault": scans.fault("code")},
        now=NOW,
    )  # fmt: skip
    scans.end(base, upload.id, now=NOW)
    return upload.id, page, refused
