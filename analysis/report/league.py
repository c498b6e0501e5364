"""The league table as a document: ranks with ranges in every set, changes, points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from analysis.annual import Annual, Unit
from analysis.report import model, moved, provinces, ranking, sections, unit, wording
from analysis.report.model import Column, Heading, Row, body
from analysis.report.numbers import NONE, num, pct, points, share, signed
from analysis.report.numbers import places as printed
from analysis.report.ranking import named
from analysis.report.sections import Captions
from analysis.results import Result


def build(
    result: Result,
    facts: Annual,
    *,
    on: date,
    number: str = "",
    earned: Mapping[str, Decimal] | None = None,
) -> model.Report:
    """The ranking of a wave's units, dated ``on``; ``earned``: their PAR points by unit."""
    source, result = result, wording.so_far(result, on)
    wave, captions = result.wave, Captions()
    names, capitals = ranking.kind_of(result.units)
    lines = (
        f"Bảng xếp hạng Chỉ số hài lòng năm {wave.year}",
        f"của các {names}",
    )
    belongs = wording.belongs(wave, on, number)
    sets = provinces.standings(result, facts.units, names.capitalize())
    blocks: list[model.Block] = [
        wording.masthead(wave, on, number),
        model.Title("BÁO CÁO", lines),
        *wording.addressed(wave),
        body(f"{wording.basis(wave)} báo cáo kết quả xếp hạng như sau:"),
        *sections.warning(wave),
        Heading("I. CÁCH ĐỌC BẢNG XẾP HẠNG"),
        *_reading(result, names),
        Heading(f"II. XẾP HẠNG {num(len(result.units), 0)} {capitals}"),
        ranking.unit_chart(
            result,
            result.units,
            captions.figure(f"Chỉ số hài lòng và khoảng hạng của các {names}"),
            names=names.capitalize(),
            whole=result.scope_name,
        ),
        Heading("III. THAY ĐỔI SO VỚI ĐỢT TRƯỚC"),
        *_changes(result, facts),
        Heading("IV. PHƯƠNG PHÁP"),
        model.MethodBox(wording.method_rows(result)),
        body(_closing(result)),
        wording.sign_off(wave, above=True),
        model.Annex(
            "I" if sets else "", (f"BẢNG XẾP HẠNG CHỈ SỐ HÀI LÒNG NĂM {wave.year}",), belongs
        ),
        table(result, facts.units, names.capitalize(), earned or {}),
    ]
    if sets:
        blocks += [model.Annex("II", ("XẾP HẠNG TRONG VÙNG VÀ NHÓM",), belongs), *sets]
    return model.Report(
        title=f"{lines[0]} {lines[1]}",
        author=wave.owner_name,
        blocks=tuple(blocks),
        synthetic=wave.synthetic,
        created=on,
        source=source,
        sheets=sheets(facts, earned or {}),
    )


def _reading(result: Result, names: str) -> list[model.Block]:
    """What a rank says and what it does not."""
    said = ranking.ties(result)
    spread = ranking.spread(result, names, result.scope_name)
    return [
        body(
            f"Chỉ số hài lòng năm {result.wave.year} của {result.scope_name} đạt ",
            *sections.estimate(result.total, wording.level(result.wave)),
            f", tính trên {num(result.total.n, 0)} phiếu hợp lệ.",
            f" {spread}" if spread else "",
        ),
        body(
            "Mỗi đơn vị có một hạng và một khoảng hạng: vị trí thật nằm trong khoảng hạng ở mức "
            f"tin cậy {wording.level(result.wave)}. Hai đơn vị có khoảng hạng giao nhau chưa đủ "
            "căn cứ để kết luận hơn, kém; không dùng thứ hạng tách rời khoảng hạng."
            + (f" {said}." if said else "")
        ),
    ]


def _changes(result: Result, facts: Annual) -> list[model.Block]:
    change = moved.last(facts, result.wave.key)
    if change is None:
        return [body("Chưa có đợt trước trong cùng chuỗi để so sánh.")]
    if change.differences is None:
        return [body(moved.summary(facts, result.wave.key))]
    found = [(u, u.change) for u in facts.units if u.change is not None]
    up, down = ([u.name for u, d in found if d.mark == sign] for sign in (1, -1))
    said = moved.summary(facts, result.wave.key)
    listed = [
        f"{word} có ý nghĩa thống kê: {', '.join(names)}"
        for word, names in (("tăng", up), ("giảm", down))
        if names
    ]
    tail = "; ".join(listed) or "chưa đơn vị nào thay đổi có ý nghĩa thống kê"
    return [
        body(f"{said} Theo đơn vị: {tail} (hiệu chỉnh Holm trên {num(len(found), 0)} đơn vị)."),
        body(
            "Thứ hạng có thể tăng khi chỉ số giảm và ngược lại; thay đổi bậc nằm trong khoảng hạng "
            "không nên coi là bước tiến hay bước lùi."
        ),
    ]


def table(
    result: Result, units: Sequence[Unit], names: str, earned: Mapping[str, Decimal]
) -> model.Table:
    """Place, range, index with interval, change in points and places, points: thick rules part
    the bands of tied units."""
    changed = any(u.change is not None for u in units)
    columns = (
        Column("Hạng", 12, "right"),
        Column("Khoảng\nhạng", 16, "centre"),
        Column(
            names, 165 - 12 - 16 - 15 - 16 - 27 - (34 if changed else 0) - (14 if earned else 0)
        ),
        Column("Số\nphiếu", 15, "right"),
        Column("Chỉ số\n(%)", 16, "right", bold=True),
        Column(f"Khoảng tin cậy\n{wording.level(result.wave)} (%)", 27, "centre"),
        *(
            (
                Column("Thay đổi\n(điểm)", 16, "right"),
                Column("", 6, "centre"),
                Column("Bậc", 12, "right"),
            )
            if changed
            else ()
        ),
        *((Column("Điểm\nPAR", 14, "right"),) if earned else ()),
    )
    rows: list[Row] = []
    reach = 0
    for unit_ in units:
        place = unit_.places[0] if unit_.places else None
        rule = bool(rows) and place is not None and place.low > reach
        if place is not None and (not rows or rule):
            reach = place.high
        rows.append(Row(_cells(unit_, earned, changed=changed), rule=rule))
    note = sections.notes(
        (u.total for u in units),
        "Vạch đậm phân cách các dải có khoảng hạng không giao với khoảng hạng của đơn vị đầu dải.",
        "▲, ▼: thay đổi có ý nghĩa thống kê (Holm)." if changed else "",
        hide_n=result.wave.hide_n,
        min_n=result.wave.min_n,
    )
    return model.Table(columns, tuple(rows), note=note, size=10.5, tight=True)


def _cells(unit_: Unit, earned: Mapping[str, Decimal], *, changed: bool) -> tuple[str, ...]:
    place = unit_.places[0] if unit_.places else None
    cells = [
        NONE if place is None else str(place.rank),
        NONE if place is None else printed(place.low, place.high),
        named(unit_),
        sections.persons(unit_.total),
        sections.value(unit_.total),
        sections.interval(unit_.total),
    ]
    if changed:
        difference = unit_.change
        known = difference is not None and difference.published is not None
        cells += [
            signed(points(difference.published or 0.0, 0.0)) if difference and known else NONE,
            moved.arrow(difference.mark) if difference else "",
            NONE if unit_.moved is None else signed(float(unit_.moved), 0),
        ]
    if earned:
        got = earned.get(unit_.unit)
        cells.append(NONE if got is None else num(float(got)))
    return tuple(cells)


def sheets(facts: Annual, earned: Mapping[str, Decimal]) -> tuple[model.Sheet, ...]:
    """Places in every set with all digits."""
    rows = tuple(
        (
            u.unit, u.name, p.key or "all", p.name, p.rank, p.low, p.high, p.size, u.total.value,
            u.total.low, u.total.high, u.total.n, u.change.value if u.change else None, u.moved,
            float(earned[u.unit]) if u.unit in earned else None,
        )
        for u in facts.units
        for p in u.places
    )  # fmt: skip
    head = (
        "unit", "unit_name", "set", "set_name", "rank", "rank_low", "rank_high", "size", "value",
        "low", "high", "n", "change", "places_up", "points",
    )  # fmt: skip
    return (model.Sheet("Xếp hạng", head, rows),)


def _closing(result: Result) -> str:
    return unit.closing(result, "kết quả xếp hạng")


def told(unit_: Unit, earlier: str) -> str:
    """The published style: "đạt 84,40%, tăng 2,58 điểm, giảm 5 bậc, hạng 56 trong khoảng …"."""
    if sections.hidden(unit_.total):
        return "không công bố."
    parts = [f"đạt {pct(unit_.total.value)}"]
    if unit_.total.low is not None:
        parts[0] += f" ({share(unit_.total.low)}–{share(unit_.total.high)})"
    if unit_.change is not None and (words := moved.told(unit_.change)):
        parts.append(f"{words} so với {earlier}")
    if steps := moved.places(unit_.moved):
        parts.append(steps)
    if unit_.places:
        place = unit_.places[0]
        parts.append(
            f"hạng {place.rank} trong khoảng {printed(place.low, place.high)} trên "
            f"{num(place.size, 0)} đơn vị"
        )
    return ", ".join(parts)
