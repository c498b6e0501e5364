"""Points of PAR INDEX that the index of satisfaction earns: how, how many, and their doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from analysis.annual import Annual, Unit
from analysis.par import proportional, thresholds
from analysis.report import league, model, ranking, sections, unit, wording
from analysis.report.model import Column, Heading, Row, body
from analysis.report.numbers import NONE, num, short_day, signed
from analysis.report.numbers import places as printed
from analysis.report.ranking import named
from analysis.report.sections import Captions, hidden
from analysis.results import Figure, Result


@dataclass(frozen=True, slots=True)
class Rule:
    """How an index becomes points: ``steps`` (from a share 0..1, points), or in proportion to
    ``most`` where there are none; ``source``: who laid it down."""

    most: Decimal
    steps: tuple[tuple[Decimal, Decimal], ...] = ()
    source: str = ""

    def points(self) -> Callable[[float], Decimal]:
        """The points of an index, a share 0..1 not rounded before."""
        if self.steps:
            return thresholds(self.steps).points
        return lambda index: proportional(index, self.most)


@dataclass(frozen=True, slots=True)
class Said:
    """What others published of a unit: the measure in words, value as printed, source, date."""

    unit: str
    measure: str
    value: str
    source: str
    dated: str


def most_of(rule: Rule) -> str:
    """The highest number of points as printed: "10", "6,5"."""
    return num(float(rule.most), 0 if rule.most == rule.most.to_integral_value() else 2)


def earned(units: Sequence[Unit], rule: Rule) -> dict[str, Decimal]:
    """The points of every unit whose index is published."""
    give = rule.points()
    return {u.unit: give(u.total.value) for u in units if u.total.value is not None}


def build(
    result: Result,
    facts: Annual,
    rule: Rule,
    said: Sequence[Said] = (),
    *,
    on: date,
    number: str = "",
    about: Unit | None = None,
) -> model.Report:
    """The points of a wave's units, or of the one it is ``about``, dated ``on``."""
    source, result = result, wording.so_far(result, on)
    wave, captions = result.wave, Captions()
    of = f" của {about.name}" if about else ""
    lines = (
        "Điểm Chỉ số cải cách hành chính (PAR INDEX)",
        f"theo Chỉ số hài lòng năm {wave.year}{of}",
    )
    units = (about,) if about else facts.units
    blocks: list[model.Block] = [
        wording.masthead(wave, on, number),
        model.Title("BÁO CÁO", lines),
        *wording.addressed(wave),
        body(f"{wording.basis(wave)} báo cáo điểm theo Chỉ số hài lòng như sau:"),
        *sections.warning(wave),
        Heading("I. KẾT QUẢ"),
        *_results(result, facts, rule, units, about),
        Heading("II. CÁCH TÍNH ĐIỂM"),
        *_how(rule, captions),
        Heading("III. BẢNG ĐIỂM"),
        table(units, rule, captions),
    ]
    number_of = 4
    if said:
        blocks += [
            Heading("IV. SỐ LIỆU ĐÃ CÔNG BỐ, TỰ CHẤM"),
            body(
                "Số liệu dưới đây do cơ quan khác công bố hoặc đơn vị tự chấm, chỉ đặt bên cạnh để "
                "đối chiếu, không dùng để tính điểm ở trên."
            ),
            _published(said, units, captions),
        ]
        number_of += 1
    blocks += [
        Heading(f"{sections.roman(number_of)}. PHƯƠNG PHÁP"),
        model.MethodBox(wording.method_rows(result)),
        body(unit.closing(result, "kết quả tính điểm")),
        wording.sign_off(wave, above=True),
    ]
    return model.Report(
        title=f"{lines[0]} {lines[1]}",
        author=wave.owner_name,
        blocks=tuple(blocks),
        synthetic=wave.synthetic,
        created=on,
        source=source,
        sheets=(_sheet(units, rule),),
    )


def _results(
    result: Result, facts: Annual, rule: Rule, units: Sequence[Unit], about: Unit | None
) -> list[model.Block]:
    """Each unit in the published style; of many only how they lie, then each on a line."""
    give = rule.points()
    lines = []
    for one in units:
        told = league.told(one, facts.earlier)
        if one.total.value is not None:
            most = most_of(rule)
            told += f"; {num(float(give(one.total.value)))} trên {most} điểm"
        name = one.name[:1].upper() + one.name[1:]
        lines.append(f"{name}: {told.rstrip('.')}.")
    if about:
        return [body(line) for line in lines]
    names = ranking.kind_of(result.units)[0]
    known = [give(u.total.value) for u in units if u.total.value is not None]
    if not known:
        return [body("Chưa có đơn vị nào đủ số liệu để tính điểm.")]
    first = body(
        f"Điểm của {num(len(known), 0)} {names} từ {num(float(min(known)))} đến "
        f"{num(float(max(known)))} trên {most_of(rule)} điểm. Điểm được tính từ chỉ số "
        "chưa làm tròn và chỉ làm tròn một lần; khoảng điểm ứng với hai đầu khoảng tin cậy của "
        "chỉ số."
    )
    return [first, *(model.Paragraph(model.runs(f"– {line}"), "voice") for line in lines)]


def _how(rule: Rule, captions: Captions) -> list[model.Block]:
    source = f" Căn cứ: {rule.source}." if rule.source else ""
    if not rule.steps:
        return [
            body(
                f"Tính theo tỷ lệ: điểm = chỉ số × {most_of(rule)} điểm tối đa, làm tròn "
                f"hai chữ số thập phân. Ví dụ chỉ số 91,17% được "
                f"{num(float(proportional(0.9117, rule.most)))} điểm.{source}"
            )
        ]
    columns = (Column("Chỉ số đạt từ (%)", 60, "right"), Column("Điểm", 40, "right"))
    rows = tuple(Row((num(float(edge * 100)), num(float(points)))) for edge, points in rule.steps)
    return [
        body(
            "Tính theo ngưỡng: chỉ số chưa làm tròn đạt đúng ngưỡng được điểm của ngưỡng đó; dưới "
            f"ngưỡng đầu không có điểm.{source}"
        ),
        model.Table(columns, rows, captions.table("Ngưỡng và điểm")),
    ]


def table(units: Sequence[Unit], rule: Rule, captions: Captions) -> model.Table:
    """Place, index, points, points at both ends of the interval, change of the points."""
    columns = (
        Column("Hạng", 12, "right"),
        Column("Khoảng\nhạng", 17, "centre"),
        Column("Đơn vị", 44),
        Column("Chỉ số\n(%)", 18, "right"),
        Column("Điểm", 16, "right", bold=True),
        Column("Khoảng điểm", 26, "centre"),
        Column("Điểm\nđợt trước", 17, "right"),
        Column("Thay đổi", 15, "right"),
    )
    rows = tuple(Row(_cells(one, rule)) for one in units)
    most = most_of(rule)
    caption = captions.table(f"Điểm theo Chỉ số hài lòng (tối đa {most} điểm)")
    note = (
        "Ghi chú: Khoảng điểm tính từ hai đầu khoảng tin cậy của chỉ số. Điểm đợt trước chỉ có khi "
        "hai đợt cùng phương pháp."
    )
    return model.Table(columns, rows, caption, note=note, size=11, tight=True)


def _cells(one: Unit, rule: Rule) -> tuple[str, ...]:
    give = rule.points()
    place = one.places[0] if one.places else None
    total = one.total
    rank = NONE if place is None else str(place.rank)
    span = NONE if place is None else printed(place.low, place.high)
    if hidden(total) or total.value is None:
        return (rank, span, named(one), NONE, NONE, NONE, NONE, NONE)
    now = give(total.value)
    before = _before(one)
    earlier = None if before is None else give(before)
    return (
        rank,
        span,
        named(one),
        sections.value(total),
        num(float(now)),
        _span(total, give),
        NONE if earlier is None else num(float(earlier)),
        NONE if earlier is None else signed(now - earlier),
    )


def _before(one: Unit) -> float | None:
    if one.change is None or one.change.value is None or one.total.value is None:
        return None
    return min(1.0, max(0.0, one.total.value - one.change.value))


def _span(total: Figure, give: Callable[[float], Decimal]) -> str:
    if total.low is None or total.high is None:
        return NONE
    low, high = (num(float(give(end))) for end in (total.low, total.high))
    return low if low == high else f"{low}–{high}"


def _published(said: Sequence[Said], units: Sequence[Unit], captions: Captions) -> model.Table:
    names: Mapping[str, str] = {u.unit: named(u) for u in units}
    columns = (
        Column("Đơn vị", 36),
        Column("Loại số liệu", 38),
        Column("Giá trị", 24, "right"),
        Column("Nguồn", 45),
        Column("Ngày", 22, "centre"),
    )
    rows = tuple(
        Row((names.get(s.unit, s.unit), s.measure, s.value, s.source, _day(s.dated))) for s in said
    )
    return model.Table(columns, rows, captions.table("Số liệu đặt bên cạnh"), size=10.5, tight=True)


def _day(text: str) -> str:
    parts = text.split("-")
    if len(parts) == 3:
        return short_day(date.fromisoformat(text))
    return "/".join(reversed(parts))


def _sheet(units: Sequence[Unit], rule: Rule) -> model.Sheet:
    give = rule.points()
    rows: list[tuple[model.Cell, ...]] = []
    for u in units:
        value, low, high = u.total.value, u.total.low, u.total.high
        place = u.places[0] if u.places else None
        ends = [None if end is None else float(give(end)) for end in (value, low, high)]
        rows.append(
            (u.unit, u.name, place.rank if place else None, place.low if place else None,
             place.high if place else None, value, low, high, *ends)
        )  # fmt: skip
    head = ("unit", "unit_name", "rank", "rank_low", "rank_high", "value", "low", "high",
            "points", "points_low", "points_high")  # fmt: skip
    return model.Sheet("Điểm", head, tuple(rows))
