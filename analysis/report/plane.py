"""What to improve first: how much each factor carries, beside how it is rated."""

from __future__ import annotations

from analysis.crossed import Driver, Drivers
from analysis.report import model, wording
from analysis.report.model import Column, Row, body
from analysis.report.numbers import NONE, num, share
from analysis.report.sections import Captions

#: Quarters of the plane in words, in the order of ``model.Scatter``.
QUARTERS = ("Giữ mức, không cần thêm", "Tiếp tục phát huy", "Ưu tiên sau", "Ưu tiên cải thiện")
NAMES = {
    "overkill": QUARTERS[0],
    "keep": QUARTERS[1],
    "low_priority": QUARTERS[2],
    "concentrate": QUARTERS[3],
    "unknown": "chưa kết luận được",
}


def section(found: Drivers, captions: Captions) -> list[model.Block]:
    """A sentence, the plane and its figures; the overall item must have been asked."""
    first = [p for p in found.points if p.quadrant == "concentrate"]
    listed = "; ".join(f"“{wording.short(p.name)}”" for p in first)
    said = (
        f"Trên {num(found.n, 0)} người trả lời đủ các yếu tố và câu hỏi chung “"
        f"{wording.short(found.overall)}”, các yếu tố giải thích {share(found.r2, 0)}% khác biệt "
        "của câu hỏi chung. "
    )
    none = "Chưa yếu tố nào vừa quan trọng hơn vừa được đánh giá thấp hơn các yếu tố khác."
    said += f"Ưu tiên cải thiện: {listed}." if listed else none
    limit = (
        " Tầm quan trọng cho biết yếu tố nào đi cùng sự hài lòng chung, không phải là kết quả chắc "
        "chắn đạt được khi cải thiện yếu tố đó."
    )
    level = "" if found.sampled else " Ý kiến do người dân tự gửi nên không có khoảng tin cậy."
    return [body(said + limit + level), _chart(found, captions), _table(found, captions)]


def _chart(found: Drivers, captions: Captions) -> model.Scatter:
    return model.Scatter(
        caption=captions.figure("Tầm quan trọng và kết quả của các yếu tố"),
        x_name="Tầm quan trọng",
        y_name="Chỉ số",
        spots=tuple(_spot(n, point) for n, point in enumerate(found.points, 1)),
        x_middle=found.importance_cut,
        y_middle=found.performance_cut,
        quarters=QUARTERS,
        note="Ghi chú: Vạch đứt là mức chia đều của tầm quan trọng và trung bình của các yếu tố.",
    )


def _spot(number: int, point: Driver) -> model.Spot:
    return model.Spot(
        str(number),
        wording.short(point.name),
        point.importance,
        point.performance,
        _interval(point.importance_low, point.importance_high),
        _interval(point.performance_low, point.performance_high),
    )


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _table(found: Drivers, captions: Captions) -> model.Table:
    columns = (
        Column("TT", 12, "centre"),
        Column("Yếu tố", 65),
        Column("Tầm quan trọng\n(%)", 30, "right"),
        Column("Chỉ số\n(%)", 22, "right"),
        Column("Vị trí", 36),
    )
    rows = tuple(
        Row(
            (
                str(n),
                wording.short(p.name),
                share(p.importance, 1),
                share(p.performance, 1),
                NAMES.get(p.quadrant, NONE),
            )
        )
        for n, p in enumerate(found.points, 1)
    )
    return model.Table(columns, rows, captions.table("Tầm quan trọng và chỉ số của các yếu tố"))
