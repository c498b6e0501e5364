"""Mẫu 01 and 02: points dossier by dossier, and of one unit with class, evidence, officers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analysis import criteria
from analysis.bounds import hidden_parts
from analysis.report import model
from analysis.report.model import Column, Heading, Row, Sheet, Table, body, bold
from analysis.report.numbers import NONE, num
from forms.questionnaire import load
from forms.scoring import CRITERIA, GRADES, MAXIMUM, OFFICER, QUESTIONNAIRE, UNIT
from survey.onestop import appraisal, heads
from survey.onestop.appraisal import HIDE_N, MIN_N
from survey.onestop.heads import About, about, capital, points
from survey.store import Refused, opinions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from fractions import Fraction

    from analysis.report.model import Report
    from survey.onestop.appraisal import Scored
    from survey.reporting.kinds import Ask
    from survey.store.opinions import Opinion

OTHER = "Thủ tục khác"
FEW = f" ○: dưới {MIN_N} ý kiến, chỉ để tham khảo."
ROUNDED = (
    "Ghi chú: Điểm in tròn một chữ số sau dấu phẩy; tổng điểm và xếp loại tính từ số chưa làm tròn."
)


def dossiers(db: sqlite3.Connection, ask: Ask) -> Report:
    """Mẫu 01: a row an opinion, without the dossier's number, day and officer.

    Whoever answered was promised that nobody at the counter sees the answers of a single person;
    so the rows say no more of the dossier than a procedure that at least five others have.
    Raises Refused ``onestop_empty`` (409) for fewer than five opinions.
    """
    of = about(db, ask)
    found = _one(of)
    each = _shown(of, found)
    if not each:
        raise Refused("onestop_empty", 409)
    services = _services(each)
    rows = sorted(each, key=lambda o: services[o.service])
    blocks: list[model.Block] = [
        body(
            f"{capital(of.name)} có {num(found.n, 0)} ý kiến đánh giá hợp lệ trong "
            f"{of.period.words}. Mỗi dòng là một hồ sơ; tiêu chí 5, 8, 9 chấm một lần cho đơn vị "
            "(Mẫu 02)."
        ),
        body(
            "Bảng không ghi mã hồ sơ, ngày và người xử lý, để không ai biết câu trả lời của từng "
            f"người (Nghị định 224/2026/NĐ-CP, Điều 10); thủ tục có dưới {HIDE_N} ý kiến gộp thành "
            f"“{OTHER}”."
        ),
        _opinion_table(rows, services, of.captions.table("Điểm đánh giá từng hồ sơ")),
    ]
    sheet = Sheet(
        "Mẫu 01",
        ("thu_tuc", *(f"tieu_chi_{n[1:]}" for n in criteria.OPINION), "tong_cong_chuc"),
        tuple(
            (services[o.service], *(o.points.get(n) for n in criteria.OPINION), _officer_sum(o))
            for o in rows
        ),
    )
    lines = ("Điểm đánh giá từng hồ sơ (Mẫu 01)", f"của {of.name}, {of.period.words}")
    return heads.document(of, "BẢNG TỔNG HỢP", lines, blocks, sheets=(sheet,))


def unit(db: sqlite3.Connection, ask: Ask) -> Report:
    """Mẫu 02: the nine criteria of a unit and period, self-score beside appraised score."""
    of = about(db, ask)
    found = _one(of)
    if not (found.n or found.points or found.own):
        raise Refused("onestop_empty", 409)
    blocks: list[model.Block] = [
        Heading("I. KẾT QUẢ"),
        *_result(of, found),
        _criteria_table(found, of.captions.table("Điểm chín tiêu chí")),
        *_evidence(found),
        Heading("II. CƠ CẤU Ý KIẾN"),
        *_distribution(of, found),
        Heading("III. ĐIỂM THEO CÔNG CHỨC"),
        *_officers(of, found),
        Heading("IV. CÁCH TÍNH"),
        method(),
    ]
    sheet = Sheet(
        "Mẫu 02",
        (
            "tieu_chi",
            "n",
            "muc_0",
            "muc_1",
            "muc_2",
            "do_duoc",
            "tu_cham",
            "tham_dinh",
            "tinh_diem",
        ),
        tuple(_sheet_row(found, name) for name in CRITERIA),
    )
    lines = (
        "Kết quả đánh giá việc giải quyết thủ tục hành chính (Mẫu 02)",
        f"của {of.name}, {of.period.words}",
    )
    return heads.document(of, "BÁO CÁO", lines, blocks, sheets=(sheet,))


def _one(of: About) -> Scored:
    return appraisal.one(of.db, of.unit, of.period)


def _shown(of: About, found: Scored) -> list[Opinion]:
    """The single opinions of units that have enough of them."""
    each = opinions.of(of.db, since=of.period.first, until=of.period.last, within=of.unit)
    return [one for one in each if one.unit in found.shown] if found.shown else []


def _services(rows: Sequence[Opinion]) -> dict[str, str]:
    """Service -> as printed: those with too few opinions are one."""
    counts = Counter(opinion.service for opinion in rows)
    names = sorted(counts)
    small = {names[at] for at in hidden_parts([counts[name] for name in names], hide_n=HIDE_N)}
    return {name: OTHER if name in small or not name else name for name in names}


def _opinion_table(rows: Sequence[Opinion], services: dict[str, str], caption: str) -> Table:
    columns = (
        Column("TT", 12, "right"),
        Column("Thủ tục", 60),
        *(Column(f"Tiêu\nchí {name[1:]}", 12, "centre") for name in criteria.OPINION),
        Column("Tổng\n1+2+3+4+7", 21, "centre", bold=True),
    )
    printed = [
        Row(
            (
                num(place, 0), services[opinion.service],
                *(str(opinion.points.get(name, NONE)) for name in criteria.OPINION),
                str(total) if (total := _officer_sum(opinion)) is not None else NONE,
            )
        )
        for place, opinion in enumerate(rows, 1)
    ]  # fmt: skip
    note = "Ghi chú: —: không trả lời, không tính điểm. Tổng 1+2+3+4+7 tối đa 10 điểm."
    return Table(columns, tuple(printed), caption, note=note, size=10.5, tight=True)


def _officer_sum(opinion: Opinion) -> int | None:
    known = [opinion.points.get(name) for name in OFFICER]
    return None if None in known else sum(value or 0 for value in known)


def _result(of: About, found: Scored) -> list[model.Paragraph]:
    if found.total is None or found.grade is None:
        missing = ", ".join(name[1:] for name in CRITERIA if name not in found.points)
        first = body(
            f"Chưa đủ căn cứ tính tổng điểm và xếp loại {of.name}: thiếu điểm tiêu chí {missing}. "
            "Tiêu chí chưa có câu trả lời không được tính điểm."
        )
    else:
        own = found.own_total
        said = "" if own is None else f"; đơn vị tự chấm {points(own)} điểm"
        first = body(
            f"{capital(of.name)} đạt ", bold(f"{points(found.total)}/{MAXIMUM} điểm"),
            ", xếp loại ", bold(found.grade.name), f"{said}.",
        )  # fmt: skip
    if found.hidden:
        base = f"Có dưới {HIDE_N} ý kiến nên không công bố điểm theo ý kiến."
    else:
        base = (
            f"Điểm dựa trên {num(found.n, 0)} ý kiến, trong đó {num(found.settled_n, 0)} ý kiến "
            f"gắn với hồ sơ trong số {num(found.settled, 0)} hồ sơ đã trả kết quả."
        )
        if found.n < MIN_N:
            base += f" Số ý kiến dưới {MIN_N}, kết quả chỉ để tham khảo."
    if found.left_out:
        base += f" Không gồm {found.left_out} đơn vị trực thuộc có dưới {HIDE_N} ý kiến."
    return [first, body(base)]


def _texts() -> dict[str, str]:
    return {item.id: item.text for item in load(QUESTIONNAIRE).items}


def _criteria_table(found: Scored, caption: str) -> Table:
    texts = _texts()
    columns = (
        Column("TT", 9, "centre"),
        Column("Tiêu chí", 66),
        Column("Số\ný kiến", 15, "right"),
        Column("Đo\nđược", 15, "right"),
        Column("Tự\nchấm", 15, "right"),
        Column("Thẩm\nđịnh", 15, "right"),
        Column("Chênh\nlệch", 15, "right"),
        Column("Tính\nđiểm", 15, "right", bold=True),
    )
    rows = []
    for name in CRITERIA:
        mean = found.means.get(name)
        own, points_of = found.own.get(name), found.points.get(name)
        rows.append(
            Row(
                (
                    name[1:], texts[name], num(mean.n, 0) if mean and mean.n else NONE,
                    points(found.measured.get(name)), points(own),
                    points(found.appraised.get(name)), _gap(own, points_of), points(points_of),
                )
            )
        )  # fmt: skip
    measured = criteria.total(found.measured)
    sums = (
        "", "Tổng số", "", points(measured), points(found.own_total), "",
        _gap(found.own_total, found.total), points(found.total),
    )  # fmt: skip
    rows.append(Row(sums, "sum"))
    note = f"{ROUNDED} Chênh lệch: điểm tự chấm trừ điểm tính."
    return Table(columns, tuple(rows), caption, note=note, size=11)


def _gap(own: Fraction | None, counted: Fraction | None) -> str:
    from analysis.report.numbers import signed

    if own is None or counted is None:
        return NONE
    return signed(float(own - counted), heads.DECIMALS)


def _evidence(found: Scored) -> list[model.Paragraph]:
    said = []
    for name in UNIT:
        for who, kept in (("tự chấm", found.sheet.own), ("thẩm định", found.sheet.appraised)):
            if text := kept.evidence.get(name):
                said.append(
                    model.Paragraph(
                        model.runs(f"Tiêu chí {name[1:]}, căn cứ {who}: {text.rstrip('.')}."),
                        "note",
                    )
                )
    return said


def _distribution(of: About, found: Scored) -> list[model.Block]:
    known = [name for name in criteria.OPINION if found.means[name].n]
    if not known:
        return [body("Chưa có ý kiến nào đủ số lượng để công bố.")]
    texts = _texts()
    columns = (
        Column("TT", 9, "centre"),
        Column("Tiêu chí", 84),
        Column("Số\ný kiến", 18, "right"),
        Column("2 điểm\n(%)", 18, "right"),
        Column("1 điểm\n(%)", 18, "right"),
        Column("0 điểm\n(%)", 18, "right"),
    )
    rows = tuple(
        Row(
            (
                name[1:], texts[name], num(mean.n, 0),
                *(heads.part(mean.by_points[value], mean.n) for value in (2, 1, 0)),
            )
        )
        for name, mean in ((name, found.means[name]) for name in known)
    )  # fmt: skip
    note = "Ghi chú: Tỷ lệ tính trên số người trả lời từng tiêu chí, không có khoảng tin cậy."
    table = Table(columns, rows, of.captions.table("Tỷ lệ ý kiến theo mức điểm"), note=note)
    return [table]


def _officers(of: About, found: Scored) -> list[model.Block]:
    each = criteria.officers((o.officer, o.points) for o in _shown(of, found))
    counts = [one.n for one in each]
    rest = found.n - sum(counts)
    small = hidden_parts([*counts, *([rest] if rest > 0 else [])], hide_n=HIDE_N)
    shown = [one for at, one in enumerate(each) if at not in small and one.total is not None]
    if not shown:
        return [
            body(
                f"Không có công chức nào có từ {HIDE_N} ý kiến trở lên gắn với hồ sơ do mình xử "
                "lý, nên không công bố."
            )
        ]
    columns = (
        Column("Công chức", 65),
        Column("Số\ný kiến", 18, "right"),
        *(Column(f"Tiêu\nchí {name[1:]}", 12, "right") for name in OFFICER),
        Column("Tổng\n(tối đa 10)", 20, "right", bold=True),
    )
    rows = tuple(
        Row(
            (
                one.officer, num(one.n, 0) + (" ○" if one.n < MIN_N else ""),
                *(points(one.points.get(name)) for name in OFFICER), points(one.total),
            )
        )
        for one in shown
    )  # fmt: skip
    note = (
        "Ghi chú: Tổng điểm của công chức là điểm tiêu chí 1, 2, 3, 4 và 7; công chức có dưới "
        f"{HIDE_N} ý kiến không công bố.{FEW}"
    )
    caption = of.captions.table("Điểm trung bình theo công chức xử lý hồ sơ")
    return [Table(columns, rows, caption, note=note, size=11)]


def method() -> model.MethodBox:
    """How points, classes and ranks are made."""
    edges = [f"{grade.name} từ {grade.least} điểm" for grade in GRADES[:-1]]
    edges.append(f"{GRADES[-1].name} dưới {GRADES[-2].least} điểm")
    return heads.box(
        {
            "Công cụ": "Chín tiêu chí của Nghị định 61/2018/NĐ-CP, mỗi tiêu chí 2, 1 hoặc 0 điểm, "
            f"tối đa {MAXIMUM} điểm. Tiêu chí 1, 2, 3, 4, 6, 7 là điểm trung bình của các ý kiến; "
            "tiêu chí 5, 8, 9 chấm một lần theo số liệu của đơn vị trong kỳ.",
            "Kỳ": "Ý kiến về hồ sơ tính vào ngày trả kết quả, ý kiến khác vào ngày gửi; kỳ gồm cả "
            "ngày cuối cùng (giờ Việt Nam). Đơn vị là nơi tiếp nhận hồ sơ.",
            "Điểm tính": "Điểm thẩm định nếu có; nếu không, điểm đo được. Điểm tự chấm chỉ để so "
            "sánh. Tiêu chí chưa có câu trả lời không được tính điểm và đơn vị chưa có tổng điểm.",
            "Xếp loại": f"{', '.join(edges)}; điểm đúng bằng mốc thuộc loại trên.",
            "Quy tắc công bố": f"Dưới {HIDE_N} ý kiến không công bố và không gộp vào đơn vị cấp "
            f"trên; dưới {MIN_N} ý kiến đánh dấu ○.",
        }
    )


def _sheet_row(found: Scored, name: str) -> tuple[model.Cell, ...]:
    mean = found.means.get(name)
    counts = mean.by_points if mean and mean.n else (None, None, None)
    return (
        name, mean.n if mean and mean.n else None, *counts, as_float(found.measured.get(name)),
        as_float(found.own.get(name)), as_float(found.appraised.get(name)),
        as_float(found.points.get(name)),
    )  # fmt: skip


def as_float(value: Fraction | None) -> float | None:
    """Points with all their digits, for spreadsheets."""
    return None if value is None else float(value)
