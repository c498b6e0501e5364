"""A one-stop wave of Nghị định 61: dossiers of three communes, officers, opinions, late ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from small_wave import COMMUNE, TUYEN_QUANG

from forms import rules
from forms.questionnaire import load
from survey.db import write
from survey.store import criteria, doors, dossiers, responses, units, waves

WAVE = "mot-cua-nd61"
SECOND, THIRD = "vn34:08001", "vn34:08002"
SERVICES = ("Cấp bản sao trích lục hộ tịch", "Chứng thực bản sao", "Đăng ký khai sinh")
OFFICERS = ("Lê Văn Ba", "Nguyễn Thị Tư")
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ACT = {"now": NOW, "actor": "shell:test"}
QUARTER = "2026-Q3"


def make(store, *, opinions=60, second=40, third=3):
    """Three communes: one with many opinions, one with fewer, one with too few to publish."""
    with write(store):
        rows = [
            units.Unit("vn34", code, "2025-07-01", None, "commune", word, name,
                       units.name_key(name), TUYEN_QUANG)
            for code, word, name in (("08001", "xã", "Bình An"), ("08002", "xã", "Hồng Thái"))
        ]  # fmt: skip
        units.import_rows(store, rows, source="test", **ACT)
        wave = waves.Wave(
            key=WAVE, name="Đánh giá một cửa năm 2026", questionnaire="nd61-2018.1",
            kind="self_selected", year=2026, opens_on=date(2026, 1, 1),
            closes_on=date(2099, 12, 31), owner=TUYEN_QUANG,
            owner_name="Ủy ban nhân dân tỉnh Tuyên Quang", place="Tuyên Quang", synthetic=True,
        )  # fmt: skip
        waves.new(store, wave, **ACT)
        for n, (unit, count) in enumerate(((COMMUNE, opinions), (SECOND, second), (THIRD, third))):
            fill(store, n, unit, count)
        for unit, answered in ((COMMUNE, 10), (SECOND, 9)):
            counts = {
                "procedures": 100, "received": 100, "on_site": 30, "complaints": 10,
                "answered": answered, "online_procedures": 40, "dossiers": 200, "online": 70,
                "overdue": 0,
            }  # fmt: skip
            criteria.put_counts(store, unit, QUARTER, counts, {"counts": "BC 12"}, version=0, **ACT)


def fill(store, number, unit, count):
    """Twice as many dossiers as opinions, every tenth late; the last one on the quarter's end."""
    rows = [dossier(number, n, unit) for n in range(count * 2)]
    dossiers.put(store, rows, source="test", **ACT)
    for n in range(count):
        answer(store, rows[n].key, unit, number * 1000 + n, marks(number, n))


def dossier(number, n, unit, **changes):
    """Dossier ``n`` of a unit; every tenth was settled three days late."""
    settled = date(2026, 9, 30) - timedelta(days=n % 80)
    due = settled - timedelta(days=3) if n % 10 == 0 else settled + timedelta(days=n % 4)
    facts = {
        "key": f"H{number}.{n:05d}", "service": SERVICES[n % 3], "receiving_unit": unit,
        "resolving_unit": unit, "officer": OFFICERS[n % 2], "received_on": date(2026, 6, 20),
        "due_on": due, "settled_on": settled,
    }  # fmt: skip
    return dossiers.Dossier(**facts | changes)


def marks(number, n):
    """Codes 1..3 of the six criteria of a dossier."""
    return {f"n{c}": 3 - (n * 7 + c + number) % 5 // 3 for c in (1, 2, 3, 4, 6, 7)}


def answer(store, key, unit, n, answers, received=NOW):
    """Store what somebody answered for a dossier, or at a counter (``key`` None)."""
    q = load("nd61-2018.1")
    clean, faults = rules.check(q, answers)
    assert not faults, faults
    if key is None:
        door = doors.add(store, kind="counter", wave=WAVE, unit=unit, label="Quầy 1", **ACT)
    else:
        door = doors.add(store, kind="dossier", wave=WAVE, unit=unit, dossier_key=key, **ACT)
    came = responses.Incoming(
        id=str(UUID(int=10_000_000 + n)), door=door, questionnaire=q.key, answers=clean,
        channel="link" if key else "kiosk", language="vi", started_at=None,
        submitted_at=received,
    )  # fmt: skip
    responses.bulk(store, [came])


def open_late(store, n=3, unit=COMMUNE, **changes):
    """Dossiers that are late and open on 22/11/2026; returns their keys."""
    rows = [
        dossier(9, k, unit, received_on=date(2026, 11, 2), due_on=date(2026, 11, 10 + k),
                settled_on=None, **changes)
        for k in range(n)
    ]  # fmt: skip
    dossiers.put(store, rows, source="test", **ACT)
    return [row.key for row in rows]
