"""The demonstration's office: the year before, dossiers with officers, an account a role."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from survey import data
from survey.demonstration import synthetic
from survey.store import dossiers, people, responses, units, waves
from survey.store.clock import VIETNAM, day
from survey.store.doors import Door
from survey.store.dossiers import Dossier
from survey.store.responses import Incoming
from survey.store.units import Unit, name_key
from survey.store.waves import Wave

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

ACTOR = "shell:demo"
CITY = "vn34:01"
CRITERIA_WAVE, CRITERIA = "nd61-2026", "nd61-2018.1"


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward with its one-stop point; ``mood`` is how it pleases people, ``late`` how often late.

    ``share`` of its settled dossiers have an opinion.
    """

    code: str
    name: str
    short: str
    dossiers: int
    share: float
    mood: float
    late: float

    @property
    def unit(self) -> str:
        """The ward."""
        return f"vn34:{self.code}"

    @property
    def point(self) -> str:
        """Its one-stop point."""
        return f"local:01-{self.code}"


WARDS = (
    Ward("09604", "Tùng Thiện", "TT", 1100, 0.78, 0.30, 0.04),
    Ward("09574", "Sơn Tây", "ST", 820, 0.61, 0.05, 0.07),
    Ward("00004", "Ba Đình", "BD", 640, 0.43, 0.18, 0.05),
    Ward("00070", "Hoàn Kiếm", "HK", 430, 0.66, -0.35, 0.13),
)
#: Procedures with their working days and how many of a hundred dossiers ask for them.
SERVICES = (
    ("Chứng thực bản sao", 1, 34),
    ("Đăng ký khai sinh", 1, 14),
    ("Đăng ký kết hôn", 2, 9),
    ("Xác nhận tình trạng hôn nhân", 3, 11),
    ("Trợ giúp xã hội", 7, 12),
    ("Đăng ký biến động đất đai", 10, 13),
    ("Cấp giấy phép xây dựng nhà ở", 15, 7),
)
#: User name, name, role, unit, officer's code; each with the password of the demonstration.
STAFF = (
    ("quantritinh", "Quản trị thành phố (mô phỏng)", "administrator", CITY, ""),
    ("quantriphuong", "Quản trị phường (mô phỏng)", "administrator", "vn34:09604", ""),
    ("phantich", "Người phân tích (mô phỏng)", "analyst", CITY, ""),
    ("phutrach", "Phụ trách một cửa (mô phỏng)", "supervisor", "vn34:09604", ""),
    ("goidien", "Nhân viên gọi điện (mô phỏng)", "clerk", "vn34:09604", ""),
    ("canbo", "Cán bộ tiếp nhận (mô phỏng)", "officer", "vn34:09604", "TT-01"),
    ("lanhdao", "Lãnh đạo phường (mô phỏng)", "viewer", "vn34:09604", ""),
    ("kiemtra", "Người kiểm tra (mô phỏng)", "auditor", "", ""),
)
#: Who handed in what is still open: made up.
APPLICANTS = (
    "Trần Thị Mỹ Hạnh (mô phỏng)", "Nguyễn Văn Thuận (mô phỏng)", "Lê Hoàng Oanh (mô phỏng)",
    "Công ty TNHH Ví Dụ (mô phỏng)",
)  # fmt: skip
#: Days of the past that dossiers came in.
DAYS = 200


def staff(base: sqlite3.Connection, password_hash: str, at: datetime) -> tuple[str, ...]:
    """Make an account of every role; returns their user names."""
    for username, name, role, unit, officer in STAFF:
        people.add(
            base, username=username, name=name, role=role, unit=unit, officer=officer, now=at,
            actor=ACTOR, password_hash=password_hash,
        )  # fmt: skip
    return tuple(username for username, *_ in STAFF)


def fill(base: sqlite3.Connection, at: datetime, *, part: int) -> int:
    """Make wards, dossiers and opinions on them inside the caller's transaction.

    ``part``: one dossier of so many is made.  Returns how many dossiers.
    """
    _units(base, at)
    waves.new(base, _wave(at), now=at, actor=ACTOR)
    made = [one for ward in WARDS for one in _dossiers(ward, at, part)]
    dossiers.put(base, made, now=at, actor=ACTOR, source="demo")
    for ward in WARDS:
        mine = [d for d in made if d.receiving_unit == ward.point and d.settled_on]
        responses.bulk(base, _opinions(ward, mine, at))
    return len(made)


def _units(base: sqlite3.Connection, at: datetime) -> None:
    rows = []
    for ward in WARDS[1:]:  # the first is the demonstration's own
        point = f"Điểm phục vụ hành chính công phường {ward.name}"
        for id, kind, word, name, parent in (
            (ward.unit, "commune", "phường", ward.name, CITY),
            (ward.point, "point", "", point, ward.unit),
        ):
            scheme, _, code = id.partition(":")
            rows.append(
                Unit(scheme, code, data.NEW_FROM, None, kind, word, name, name_key(name), parent)
            )
    units.import_rows(base, rows, now=at, actor=ACTOR, source="demo")


def _wave(at: datetime) -> Wave:
    today = day(at)
    return Wave(
        key=CRITERIA_WAVE, name="Ý kiến theo hồ sơ năm 2026 (9 tiêu chí)", questionnaire=CRITERIA,
        kind="self_selected", year=2026, opens_on=min(date(2026, 1, 1), today),
        closes_on=date(today.year + (today.month == 12), 12, 31), owner=CITY,
        owner_name="Ủy ban nhân dân thành phố Hà Nội", place="Hà Nội", synthetic=True,
        series="nd61",
    )  # fmt: skip


def _later(start: date, days: int) -> date:
    """Return the day that many working days after another one."""
    while days > 0:
        start += timedelta(days=1)
        days -= start.weekday() < 5
    return start


def _dossiers(ward: Ward, at: datetime, part: int) -> Iterator[Dossier]:
    n, today, own = ward.dossiers // part, day(at), f"dossier.{ward.code}"
    back = np.sort((synthetic.uniform(f"{own}.day", n) * DAYS).astype(int))[::-1].tolist()
    shares = np.cumsum([share for *_, share in SERVICES]) / 100
    which = np.searchsorted(shares, synthetic.uniform(f"{own}.service", n)).tolist()
    pace = synthetic.uniform(f"{own}.pace", n).tolist()
    desk = (synthetic.uniform(f"{own}.officer", n) * 3).astype(int).tolist()
    for number in range(n):
        received = today - timedelta(days=back[number])
        received -= timedelta(days=max(0, received.weekday() - 4))
        service, days, _ = SERVICES[which[number]]
        due, late = _later(received, days), ward.late * (1 + days / 8)
        settled = _later(received, max(1, round(days * (0.4 + 0.65 * pace[number]))))
        if pace[number] < late:
            settled = _later(due, 1 + int(pace[number] / late * 6))
        yield Dossier(
            key=f"H26.{ward.code}-{received:%y%m%d}-{number + 1:04}", service=service,
            receiving_unit=ward.point, resolving_unit=ward.unit,
            officer=f"{ward.short}-{desk[number] + 1:02}", received_on=received, due_on=due,
            settled_on=settled if settled <= today else None,
            applicant=APPLICANTS[number % len(APPLICANTS)] if settled > today else None,
            organisation=number % len(APPLICANTS) == len(APPLICANTS) - 1,
        )  # fmt: skip


def _opinions(ward: Ward, settled: list[Dossier], at: datetime) -> Iterator[Incoming]:
    """Opinions on a share of the settled dossiers; what the clock says agrees with the dossier."""
    n, own = len(settled), f"opinion.{ward.code}"
    wants = (synthetic.uniform(f"{own}.wants", n) < ward.share).tolist()
    mood = (ward.mood + synthetic.normal(f"{own}.mood", n)).tolist()
    noise = {
        name: synthetic.normal(f"{own}.{name}", n).tolist()
        for name in ("n2", "n3", "n4", "n6", "n7")
    }
    minutes = (synthetic.uniform(f"{own}.minute", n) * 500).astype(int).tolist()
    high, low = synthetic.words(f"{own}.high", n), synthetic.words(f"{own}.low", n)
    for at_, dossier in enumerate(settled):
        on = dossier.settled_on
        if not wants[at_] or on is None:
            continue
        late = on > dossier.due_on
        given: dict[str, object] = {"n1": 1 if late else 3 if on < dossier.due_on else 2}
        for name, offset in (("n2", 0.8), ("n3", 1.1), ("n4", 0.9), ("n6", 1.2), ("n7", 0.9)):
            feel = offset + 0.7 * mood[at_] + 0.7 * noise[name][at_] - 1.4 * late
            given[name] = 3 if feel > 0.5 else 2 if feel > -0.6 else 1
        when = datetime.combine(on, datetime.min.time(), VIETNAM) + timedelta(
            hours=8, minutes=minutes[at_]
        )
        door = Door(
            id=0, kind="dossier", wave=CRITERIA_WAVE, unit=ward.point, resolving=ward.unit,
            service=dossier.service, dossier_key=dossier.key,
        )  # fmt: skip
        id = str(UUID(int=int(high[at_]) << 64 | int(low[at_]), version=4))
        yield Incoming(id, door, CRITERIA, given, "link", "vi", None, min(when, at))


def before(wave: Wave) -> Wave:
    """Return the household wave of the year before, of the same series and method."""
    return replace(
        wave,
        key="sipas-2025",
        name="Khảo sát hộ gia đình năm 2025",
        year=2025,
        opens_on=date(2025, 8, 4),
        closes_on=date(2025, 9, 30),
        closed_at=datetime(2025, 10, 3, 10, tzinfo=UTC),
    )
