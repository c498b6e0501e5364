"""The demonstration's office at work: scores, letters, remedies, cases and published figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from survey import external
from survey.demonstration.demo_office import ACTOR, CITY, WARDS, Ward
from survey.feedback import scan
from survey.reporting import periods
from survey.store import (
    breaks,
    criteria,
    datafiles,
    feedback,
    invitations,
    late,
    letters,
    narratives,
    people,
    trials,
    waves,
)
from survey.store import external as figures
from survey.store.clock import VIETNAM, day

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from survey.reporting.periods import Period
    from survey.store.late import Late

#: Points a ward gives itself, and its appraiser gives it, by criterion; the rest is measured.
SELF = {f"n{n}": "2" for n in (2, 3, 4, 5, 6, 8, 9)} | {"n1": "1.75", "n7": "1.75"}
APPRAISED = {
    "TT": {"n5": "2", "n8": "2", "n9": "2"},
    "ST": {"n5": "2", "n8": "1", "n9": "1"},
    "BD": {"n5": "1", "n8": "2", "n9": "1"},
    "HK": {"n5": "1", "n8": "1", "n9": "0"},
}
PROOF = dict.fromkeys(("n5", "n8", "n9"), "Báo cáo số 118/BC-UBND của phường (mô phỏng)")
#: Share of late dossiers whose letter was made, in tenths.
LETTERS = {"TT": 10, "ST": 8, "BD": 6, "HK": 4}
REASONS = (
    "Cần thêm thời gian lấy ý kiến của cơ quan phối hợp.",
    "Hồ sơ phải xác minh thực địa, thời tiết xấu nên chậm.",
    "Phần mềm liên thông tạm ngừng hai ngày.",
)
REMEDIES = {
    "problems": [
        {
            "issue": "Hồ sơ biến động đất đai trễ hạn còn nhiều",
            "cause": "Chậm lấy ý kiến cơ quan phối hợp",
            "unit": "Công chức địa chính – xây dựng",
            "remedy": "Mỗi bước lấy ý kiến không quá 2 ngày làm việc, theo dõi hằng tuần",
            "deadline": "2026-12-15",
        },
        {
            "issue": "Người cao tuổi khó nộp hồ sơ trực tuyến",
            "cause": "Chưa có người hướng dẫn tại điểm phục vụ vào buổi chiều",
            "unit": "Điểm phục vụ hành chính công",
            "remedy": "Bố trí đoàn viên hướng dẫn cả ngày",
            "deadline": "2026-11-30",
        },
    ],
    "assessment": "Phần lớn hồ sơ được trả đúng hẹn hoặc sớm hơn hẹn.",
    "praise": "Người dân nhiều lần khen bộ phận hộ tịch hướng dẫn tận tình.",
    "proposal": "Đề nghị cấp trên sớm kết nối phần mềm đất đai với phần mềm một cửa.",
}
ANSWER = (
    "Điểm phục vụ đã bố trí thêm ghế chờ, niêm yết lại danh mục giấy tờ và nhắc cán bộ hướng dẫn "
    "một lần cho đủ. Cảm ơn người dân đã góp ý."
)


def fill(base: sqlite3.Connection, at: datetime) -> None:
    """Put the office to work inside the caller's transaction, up to ``at``."""
    read = external.read(external.PUBLISHED.read_text("utf-8"), base)
    figures.add(base, read.figures, name="published.csv", digest=read.digest, now=at, actor=ACTOR)
    breaks.declare(
        base, breaks.Break("sipas", 2022, "Bảng hỏi, đối tượng và cách tính mới", "1001/QĐ-BNV"),
        now=at, actor=ACTOR,
    )  # fmt: skip
    draft = replace(
        waves.get(base, "sipas-2026"), key="sipas-2027", name="Khảo sát hộ gia đình năm 2027",
        year=2027, opens_on=date(2027, 8, 2), closes_on=date(2027, 9, 30), closed_at=None,
        stage="draft",
    )  # fmt: skip
    waves.new(base, draft, now=at, actor=ACTOR)
    trials.begin(base, draft.key, now=at, actor=ACTOR)
    datafiles.set_rule(
        base, "mot-cua-2026", datafiles.Rule(5, "internal"), now=at, actor=ACTOR
    )  # fmt: skip
    if (inviter := people.find(base, "quantritinh")) is not None:
        wish = invitations.Wish(
            username="moi01", name="Người được mời (mô phỏng)", role="viewer", unit=CITY
        )
        invitations.make(base, wish, inviter=inviter, now=at)
    quarters = periods.latest(day(at), "quarter", 3)[1:]
    for ward in WARDS:
        _head(base, ward, at)
        for quarter in quarters:
            _scores(base, ward, quarter, at)
        _letters(base, ward, at)
    narratives.put(
        base, "periodic", WARDS[0].unit, quarters[0].key, REMEDIES, version=0, now=at,
        actor="staff:phutrach",
    )  # fmt: skip
    scan.scan(base, now=at)
    _cases(base, at)


def _head(base: sqlite3.Connection, ward: Ward, at: datetime) -> None:
    facts = {
        "agency": f"Điểm phục vụ hành chính công phường {ward.name}",
        "parent": f"Ủy ban nhân dân phường {ward.name}", "place": ward.name,
        "symbol": f"TXL-{ward.short}", "title": "PHỤ TRÁCH ĐIỂM PHỤC VỤ",
    }  # fmt: skip
    letters.put_head(base, ward.point, facts, letters.DAYS, version=0, now=at, actor=ACTOR)


def _scores(base: sqlite3.Connection, ward: Ward, quarter: Period, at: datetime) -> None:
    counts = {
        "procedures": 120, "received": 120, "on_site": 31, "required": 20, "complaints": 11,
        "answered": 11 if ward.short in {"TT", "BD"} else 10, "online_procedures": 48,
        "dossiers": ward.dossiers // 3, "online": int(ward.dossiers / 3 * (0.2 + ward.share / 4)),
        "overdue": 0,
    }  # fmt: skip
    criteria.put_counts(base, ward.point, quarter.key, counts, {}, version=0, now=at, actor=ACTOR)
    for kind, points in (("self", SELF), ("appraised", APPRAISED[ward.short])):
        criteria.put_score(
            base, ward.point, quarter.key, kind, points, PROOF, version=0, now=at, actor=ACTOR
        )


def _letters(base: sqlite3.Connection, ward: Ward, at: datetime) -> None:
    """Letters for a share of the late dossiers, each made on the day it was owed, most sent."""
    for n, (on, one) in enumerate(
        sorted(_owed(base, ward, at), key=lambda o: (o[0], o[1].dossier))
    ):
        then = datetime.combine(on, datetime.min.time(), VIETNAM) + timedelta(
            hours=9, minutes=n % 60
        )
        if n % 10 >= LETTERS[ward.short] or then > at:
            continue
        later = max(one.settled_on or one.due_on, one.due_on + timedelta(days=3))
        wanted = letters.Wanted(
            one.dossier, one.due_on, later, REASONS[n % len(REASONS)],
            letters.CHANNELS[n % len(letters.CHANNELS)],
        )  # fmt: skip
        made = letters.make(base, [wanted], now=then, actor=ACTOR)
        if n % 7:
            ids = [letter.id for letter in made]
            letters.sent(base, ids, wanted.channel, now=then + timedelta(hours=1), actor=ACTOR)


def _owed(base: sqlite3.Connection, ward: Ward, at: datetime) -> Iterator[tuple[date, Late]]:
    today = day(at)
    since = periods.latest(today, "quarter", 2)[-1].first
    for one in late.of(base, since=since, until=today, today=today, within=ward.point):
        yield one.due_on - timedelta(days=1), one


def _cases(base: sqlite3.Connection, at: datetime) -> None:
    """Cases go their way, each some days after its answer came; the newest wait."""
    head = people.find(base, "phutrach")
    whole = (
        ("assign", str(head.id if head else 0), "", 1), ("answer", ANSWER, "", 2),
        ("approve", "", "", 3), ("close", "", "", 4),
    )  # fmt: skip
    found = feedback.due_first(base, feedback.Wish(), 1000)
    found.sort(key=lambda case: (case.arrived_on, case.id))
    open_ones = {case.id for case in found[-4:]}
    for n, case in enumerate(case for case in found if case.id not in open_ones):
        came = datetime.combine(date.fromisoformat(case.arrived_on), time(10), VIETNAM)
        late = 6 if n % 9 == 0 else 0
        for action, value, note, days in whole:
            then = came + timedelta(days=days + late, minutes=n)
            if then > at or (n % 11 == 0 and action == "approve"):
                break
            seen = feedback.get(base, case.id).version
            wish = feedback.Step(case=case.id, action=action, seen=seen, value=value, note=note)
            feedback.step(base, wish, now=then, actor="staff:phutrach")
