"""What changed since the wave before, and the trend: never across a change of method."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from analysis.annual import Annual, Unit
from analysis.compare import Difference
from analysis.report import model, wording
from analysis.report.model import Column, Heading, Row, TrendPoint, body
from analysis.report.numbers import NONE, num, pct, points, share, signed
from analysis.report.ranking import named
from analysis.report.sections import Captions
from analysis.results import Result
from analysis.trend import Change, Trend

#: Why two waves are not compared, in words.
WHY = {
    "break": "phương pháp đo thay đổi",
    "volunteers": "ý kiến do người dân tự nguyện gửi, không có sai số chọn mẫu",
    "method": "cách tính chỉ số khác nhau",
    "weights": "trọng số các nội dung khác nhau",
    "items": "không có nội dung nào giống nhau",
    "villages": "danh sách địa bàn mẫu có tên trùng nhau",
    "no_answers": "một trong hai đợt chưa có số liệu công bố được",
}
NOT_MIXED = (
    "Số liệu đã công bố của Bộ Nội vụ chỉ đặt bên cạnh để tham khảo, không trộn vào kết quả của "
    "đợt khảo sát này."
)


def last(facts: Annual, wave: str) -> Change | None:
    """The change up to the wave of the report."""
    return next((c for c in facts.changes if c.now.wave == wave), None)


def told(difference: Difference | None) -> str:
    """ "tăng 1,28 điểm, thay đổi có ý nghĩa thống kê"; "" where nothing is known."""
    if difference is None or difference.published is None:
        return ""
    printed = points(difference.published, 0.0)
    if not printed:
        return "không đổi"
    word = "tăng" if printed > 0 else "giảm"
    sure = f"thay đổi {'' if difference.mark else 'chưa '}có ý nghĩa thống kê"
    low, high = difference.low, difference.high
    if not difference.mark and low is not None and high is not None and low * high > 0:
        sure += " sau hiệu chỉnh Holm"  # its own interval alone would say otherwise
    return f"{word} {_plain(printed)} điểm ({sure})"


def _plain(change: Decimal) -> str:
    """A change without its sign: "1,28"."""
    return signed(abs(change)).removeprefix("+")


def places(moved: int | None) -> str:
    """ "tăng 16 bậc", "giữ nguyên bậc"; "" where nothing is known."""
    if moved is None:
        return ""
    if not moved:
        return "giữ nguyên bậc"
    return f"{'tăng' if moved > 0 else 'giảm'} {num(abs(moved), 0)} bậc"


def summary(facts: Annual, wave: str) -> str:
    """What became of the overall index since the wave before, a sentence; "" without a wave."""
    change = last(facts, wave)
    if change is None:
        return ""
    if change.differences is None:
        why = WHY.get(change.why, "hai đợt khác nhau")
        return f"Không so sánh với năm {change.before.year}: {change.reason or why}."
    try:
        total = change.differences.of("total")
    except LookupError:
        return ""
    if total.published is None:
        return ""
    words = told(total)
    before = pct(change.before.value)
    around = f"; khoảng tin cậy của thay đổi: {_around(total)} điểm" if total.low is not None else ""  # fmt: skip  # noqa: E501
    return f"So với năm {change.before.year} ({before}), chỉ số {words}{around}."


def _around(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return NONE
    low, high = (signed(points(end, 0.0)) for end in (difference.low, difference.high))
    return f"từ {low} đến {high}"


def chapter(result: Result, facts: Annual, captions: Captions) -> list[model.Block]:
    """Trend, changes of areas and factors, of units, and what others published."""
    blocks: list[model.Block] = []
    number = 1
    if facts.trend is not None and sum(p.value is not None for p in facts.trend.points) > 1:
        blocks += [
            Heading(f"{number}. Xu hướng", 2),
            *_trend(facts.trend, captions, result.scope_name),
        ]
        number += 1
    change = last(facts, result.wave.key)
    if change is not None:
        blocks.append(Heading(f"{number}. Thay đổi so với năm {change.before.year}", 2))
        blocks += _change(result, facts, change, captions)
        number += 1
    if facts.published:
        blocks.append(Heading(f"{number}. Số liệu đã công bố", 2))
        blocks += [body(NOT_MIXED), _published(facts, captions)]
    return blocks


def _trend(trend: Trend, captions: Captions, whole: str) -> list[model.Block]:
    ours = [p for p in trend.points if p.ours and p.value is not None]
    listed = "; ".join(f"năm {p.label} {pct(p.value)}" for p in ours)
    said = f"Kết quả các đợt khảo sát của {whole}: {listed}." if ours else ""
    for broken in trend.breaks:
        reason = f"{broken.reason[:1].lower()}{broken.reason[1:]}"
        said += f" Phương pháp đo thay đổi từ năm {broken.year}: {reason}."
    chart = chart_of(trend, captions.figure(f"Chỉ số hài lòng của {whole} qua các năm (%)"))
    return [body(said.strip()), chart]


def chart_of(trend: Trend, caption: str) -> model.TrendChart:
    """The trend as a figure."""
    others = any(p.source for p in trend.points)
    marks = "Chấm đặc: kết quả khảo sát, vạch đứng là khoảng tin cậy"
    note = marks + ("; chấm rỗng: số liệu đã công bố, không trộn vào kết quả." if others else ".")
    if trend.breaks:
        note += " Vạch gạch chéo: phương pháp đo thay đổi, không so sánh trực tiếp hai giai đoạn."
    return model.TrendChart(
        caption=caption,
        points=tuple(TrendPoint(p.label, p.value, p.low, p.high, p.ours) for p in trend.points),
        breaks=tuple(
            (next(p.label for p in trend.points if p.year >= b.year), b.reason)
            for b in trend.breaks
        ),
        note=f"Ghi chú: {note}",
    )


def _change(result: Result, facts: Annual, change: Change, captions: Captions) -> list[model.Block]:
    said = summary(facts, result.wave.key)
    if change.differences is None:
        return [body(said)]
    found = change.differences
    shared = (
        f" {pct(found.overlap, 0)} số địa bàn của hai đợt là chung nên sai số đã tính phần chung."
        if found.joint and found.overlap
        else " Hai đợt chọn địa bàn độc lập."
    )
    blocks: list[model.Block] = [body(said + shared + _mode(found.flags))]
    blocks.append(_changes(result, change, captions))
    moved = [unit for unit in facts.units if unit.change is not None]
    if len(moved) > 1:
        blocks += _units(moved, change, captions)
    return blocks


def _mode(flags: Sequence[str]) -> str:
    """What is said where the ways of asking are not those of the wave before."""
    if "mode_mix" not in flags:
        return ""
    return (
        " Cơ cấu kênh thu phiếu của hai đợt khác nhau trên 10 điểm phần trăm; cách hỏi khác nhau có"
        " thể làm chỉ số khác nhau, nên phải thận trọng khi so sánh."
    )


def modes(facts: Annual) -> str:
    """What the two channels of a wave differ by, in the same units; "" where one was used."""
    found = facts.modes
    if found is None:
        return ""
    first, second = (wording.CHANNELS.get(name, name) for name in (found.first, found.second))
    overall = found.effect.overall
    apart = points(overall.value, 0.0)
    said = (
        f"Trong cùng địa bàn, chỉ số của phiếu thu qua {second} "
        f"{'cao' if apart >= 0 else 'thấp'} hơn qua {first} {_plain(apart)} điểm"
    )
    if overall.low is not None and overall.high is not None:
        low, high = (signed(points(end, 0.0)) for end in (overall.low, overall.high))
        sure = overall.low > 0 or overall.high < 0
        said += f" (khoảng tin cậy: từ {low} đến {high} điểm)"
        said += "" if sure else ", chưa có ý nghĩa thống kê"
    return (
        f"{said}. Chênh lệch gồm cả khác biệt giữa những người trả lời của hai kênh; chỉ số không "
        "hiệu chỉnh theo kênh."
    )


def _changes(result: Result, change: Change, captions: Captions) -> model.Table:
    found = change.differences
    assert found is not None
    columns = (
        Column("TT", 12, "centre"),
        Column("Lĩnh vực, yếu tố", 66),
        Column(f"Năm\n{change.before.label}", 17, "right"),
        Column(f"Năm\n{change.now.label}", 17, "right"),
        Column("Thay đổi\n(điểm)", 20, "right", bold=True),
        Column("", 7, "centre"),
        Column("Khoảng tin cậy\ncủa thay đổi", 26, "centre"),
    )
    known = {(d.kind, d.id): d for d in found.figures}
    rows = []
    for figure in result.of("area", "factor", "total"):
        difference = known.get((figure.kind, figure.id))
        if difference is None or difference.value is None or figure.value is None:
            continue
        before = figure.value - difference.value
        rows.append(
            Row(
                (
                    figure.number.split(".")[-1] if figure.kind != "total" else "",
                    wording.short(figure.name),
                    share(before),
                    share(figure.value),
                    signed(points(figure.value, before)),
                    arrow(difference.mark),
                    _ends(difference),
                ),
                {"area": "area", "total": "sum"}.get(figure.kind, "plain"),  # type: ignore[arg-type]
            )
        )
    note = (
        "Ghi chú: ▲, ▼: tăng, giảm có ý nghĩa thống kê sau hiệu chỉnh Holm trên tất cả các chỉ số "
        "được so sánh. Thay đổi là hiệu của hai giá trị đã làm tròn."
    )
    year = change.before.year
    caption = captions.table(f"Thay đổi của các chỉ số so với năm {year}")
    return model.Table(columns, tuple(rows), caption, unit="Đơn vị tính: %", note=note)


def arrow(mark: int) -> str:
    """▲ or ▼ for a significant difference, nothing else."""
    return {1: "▲", -1: "▼"}.get(mark, "")


def _ends(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return NONE
    low, high = (signed(points(end, 0.0)) for end in (difference.low, difference.high))
    return f"{low}; {high}"


def _units(units: Sequence[Unit], change: Change, captions: Captions) -> list[model.Block]:
    found = [(unit, unit.change) for unit in units if unit.change is not None]
    up = [u for u, d in found if d.mark > 0]
    down = [u for u, d in found if d.mark < 0]
    higher = sum((d.published or 0) > 0 for _, d in found)
    lower = sum((d.published or 0) < 0 for _, d in found)
    said = (
        f"Trong {num(len(found), 0)} đơn vị có số liệu của cả hai năm, {num(higher, 0)} đơn vị có "
        f"chỉ số cao hơn và {num(lower, 0)} đơn vị có chỉ số thấp hơn năm {change.before.year}; "
        f"thay đổi có ý nghĩa thống kê ở {num(len(up) + len(down), 0)} đơn vị"
    )
    for word, some in (("tăng", up), ("giảm", down)):
        if some:
            said += f"; {word}: {', '.join(unit.name for unit in some)}"
    moved = [unit.moved for unit in units if unit.moved is not None]
    if moved:
        said += (
            f". Thứ hạng: {num(sum(m > 0 for m in moved), 0)} đơn vị tăng bậc, "
            f"{num(sum(m < 0 for m in moved), 0)} đơn vị giảm bậc, "
            f"{num(sum(m == 0 for m in moved), 0)} đơn vị giữ nguyên; thay đổi bậc nằm trong "
            "khoảng hạng không nên coi là bước tiến hay bước lùi"
        )
    return [body(said + "."), _table(found, change, captions)]


def _table(
    found: Sequence[tuple[Unit, Difference]], change: Change, captions: Captions
) -> model.Table:
    columns = (
        Column("Đơn vị", 46),
        Column(f"Năm\n{change.before.label}", 18, "right"),
        Column(f"Năm\n{change.now.label}", 18, "right"),
        Column("Thay đổi\n(điểm)", 20, "right", bold=True),
        Column("", 7, "centre"),
        Column("Khoảng tin cậy\ncủa thay đổi", 30, "centre"),
        Column("Thay đổi\nbậc", 20, "right"),
    )
    rows = []
    for unit, difference in found:
        value = unit.total.value
        if value is None or difference.value is None:
            continue
        before = value - difference.value
        moved = NONE if unit.moved is None else signed(float(unit.moved), 0)
        cells = (share(before), share(value), signed(points(value, before)))
        rows.append(Row((named(unit), *cells, arrow(difference.mark), _ends(difference), moved)))
    note = "Ghi chú: ▲, ▼: thay đổi có ý nghĩa thống kê sau hiệu chỉnh Holm trên tất cả các đơn vị."
    return model.Table(
        columns,
        tuple(rows),
        captions.table(f"Thay đổi của các đơn vị so với năm {change.before.year}"),
        unit="Đơn vị tính: %",
        note=note,
        size=10.5,
        tight=True,
    )


def _published(facts: Annual, captions: Captions) -> model.Table:
    columns = (
        Column("Năm", 16, "centre"),
        Column("Chỉ số", 52),
        Column("Giá trị (%)", 25, "right"),
        Column("Nguồn", 72),
    )
    rows = tuple(
        Row((str(year), part, share(value), source))
        for year, part, value, source in facts.published
    )
    return model.Table(
        columns, rows, captions.table("Số liệu đã công bố của các năm"), size=10.5, tight=True
    )
