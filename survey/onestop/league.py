"""Mẫu 03: all units with their points, class and rank."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analysis import criteria
from analysis.report import model
from analysis.report.model import Column, Heading, Row, Sheet, Table, body
from analysis.report.numbers import NONE, num
from forms.scoring import CRITERIA, GRADES
from survey.onestop import appraisal, heads
from survey.onestop.appraisal import HIDE_N, MIN_N
from survey.onestop.heads import About, about, capital, points
from survey.onestop.marks import FEW, ROUNDED, as_float, method
from survey.store import Refused

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from analysis.report.model import Report
    from survey.onestop.appraisal import Scored
    from survey.reporting.kinds import Ask


def report(db: sqlite3.Connection, ask: Ask) -> Report:
    """Mẫu 03: all units under one with their points, class and rank."""
    of = about(db, ask)
    found = appraisal.scored(db, of.period, within=ask.unit)
    if not found:
        raise Refused("onestop_empty", 409)
    order = sorted(found, key=lambda one: (one.rank or len(found) + 1, capital(one.name)))
    blocks: list[model.Block] = [
        Heading("I. KẾT QUẢ"),
        *_classes(of, found),
        _league(order, of.captions.table("Điểm, xếp loại và xếp hạng các đơn vị")),
        Heading("II. CÁCH TÍNH"),
        method(),
    ]
    sheet = Sheet(
        "Mẫu 03",
        ("don_vi", "ten_don_vi", "n", "tu_cham", "tong_diem", "xep_loai", "hang",
         *(f"tieu_chi_{name[1:]}" for name in CRITERIA)),
        tuple(
            (
                one.unit, one.name, None if one.hidden else one.n, as_float(one.own_total),
                as_float(one.total), one.grade.name if one.grade else "", one.rank,
                *(as_float(one.points.get(name)) for name in CRITERIA),
            )
            for one in order
        ),
    )  # fmt: skip
    where = f"thuộc {of.name}" if of.unit else "trong toàn hệ thống"
    lines = ("Điểm, xếp loại và xếp hạng các đơn vị (Mẫu 03)", f"{where}, {of.period.words}")
    annex = ("ĐIỂM TỪNG TIÊU CHÍ", [_by_criterion(order)], False)
    return heads.document(of, "BÁO CÁO", lines, blocks, annexes=(annex,), sheets=(sheet,))


def _classes(of: About, found: Sequence[Scored]) -> list[model.Paragraph]:
    counts = Counter(one.grade.name if one.grade else "" for one in found)
    said = [f"{num(counts[g.name], 0)} xếp loại {g.name}" for g in GRADES if counts[g.name]]
    if counts[""]:
        said.append(f"{num(counts[''], 0)} chưa đủ căn cứ xếp loại")
    return [
        body(f"Trong {of.period.words} có {num(len(found), 0)} đơn vị: {'; '.join(said)}."),
        body(
            "Thứ hạng xếp theo tổng điểm chưa làm tròn; đơn vị bằng điểm cùng hạng. Ý kiến do "
            "người dân tự nguyện gửi nên không có sai số chọn mẫu và không có khoảng hạng: chênh "
            "lệch nhỏ giữa hai đơn vị chưa đủ căn cứ để kết luận hơn, kém."
        ),
    ]


def _league(order: Sequence[Scored], caption: str) -> Table:
    columns = (
        Column("Hạng", 13, "centre"),
        Column("Đơn vị", 58),
        Column("Số\ný kiến", 19, "right"),
        Column("Tự\nchấm", 16, "right"),
        Column("Đo\nđược", 16, "right"),
        Column("Tổng\nđiểm", 16, "right", bold=True),
        Column("Xếp loại", 27, "centre"),
    )
    rows = tuple(
        Row(
            (
                str(one.rank or NONE), capital(one.name), _n(one), points(one.own_total),
                points(criteria.total(one.measured)), points(one.total),
                one.grade.name if one.grade else "chưa xếp loại",
            )
        )
        for one in order
    )  # fmt: skip
    note = f"{ROUNDED}{FEW} Số ý kiến “—”: dưới {HIDE_N}, không công bố."
    return Table(columns, rows, caption, note=note, size=11, tight=len(rows) > 20)


def _n(one: Scored) -> str:
    if one.hidden or not one.n:
        return NONE
    return num(one.n, 0) + (" ○" if one.n < MIN_N else "")


def _by_criterion(order: Sequence[Scored]) -> Table:
    columns = (
        Column("Đơn vị", 48),
        *(Column(f"Tiêu\nchí {name[1:]}", 11.5, "right") for name in CRITERIA),
        Column("Tổng", 13, "right", bold=True),
    )
    rows = tuple(
        Row((capital(one.name), *(points(one.points.get(n)) for n in CRITERIA), points(one.total)))
        for one in order
    )
    return Table(columns, rows, note=ROUNDED, size=10.5, tight=True)
