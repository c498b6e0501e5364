"""The annual report at full length: three families of figures, the trend, every unit and group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from analysis.annual import Annual, Unit
from analysis.report import (
    counter,
    groups,
    judged,
    model,
    moved,
    opinions,
    provinces,
    ranking,
    satisfied,
    sections,
    unit,
    wording,
)
from analysis.report.model import Heading, body
from analysis.report.numbers import num, pct
from analysis.results import Result

#: Fewer units than this are told in the body, more in an annex of their own.
MANY = 12


@dataclass(frozen=True, slots=True)
class Own:
    """The unit that a provincial report is about, and the whole it is part of."""

    unit: Unit
    whole: Result


def build(
    result: Result, facts: Annual, *, on: date, number: str = "", own: Own | None = None
) -> model.Report:
    """The annual report of ``result``'s scope, dated ``on``; ``own`` of one unit of the wave."""
    if result.wave.kind == "self_selected":
        return counter.build(result, on=on, number=number)
    source, result = result, wording.so_far(result, on)
    wave, captions = result.wave, sections.Captions()
    names, _ = ranking.kind_of(result.units)
    lines = (
        "Chỉ số hài lòng của người dân đối với sự phục vụ",
        f"của cơ quan hành chính nhà nước năm {wave.year}" + (_of(result) if own else ""),
    )
    chapters: list[tuple[str, Sequence[model.Block]]] = [
        ("TÓM TẮT", _summary(result, facts, names, own)),
        ("TÌNH HÌNH PHÁT, THU PHIẾU", _fieldwork(result, facts, captions)),
        ("NHẬN ĐỊNH CỦA NGƯỜI DÂN", judged.judgements(result, captions)),
        ("MỨC ĐỘ HÀI LÒNG", satisfied.chapter(result, facts.units, captions)),
        ("NHU CẦU, MONG ĐỢI", judged.needs(result, captions)),
        ("XU HƯỚNG VÀ THAY ĐỔI", moved.chapter(result, facts, captions)),
        *_compared(result, names, captions, own),
        ("SO SÁNH CÁC NHÓM NGƯỜI TRẢ LỜI", groups.chapter(result, facts, captions)),
        ("ĐÁNH GIÁ, KIẾN NGHỊ", advice(result, facts)),
        ("PHƯƠNG PHÁP", [model.MethodBox(wording.method_rows(result)), body(_closing(result))]),
    ]
    blocks: list[model.Block] = [
        wording.masthead(wave, on, number),
        model.Title("BÁO CÁO", lines),
        *wording.addressed(wave),
        body(f"{wording.basis(wave)} báo cáo kết quả của {result.scope_name} như sau:"),
        *sections.warning(wave),
    ]
    shown = [(title, content) for title, content in chapters if content]
    for place, (title, content) in enumerate(shown, 1):
        blocks += [Heading(f"{sections.roman(place)}. {title}"), *content]
    blocks.append(wording.sign_off(wave, above=True))
    blocks += annexes(result, facts, wording.belongs(wave, on, number), names, own)
    return model.Report(
        title=f"Báo cáo {lines[0][0].lower()}{lines[0][1:]} {lines[1]}",
        author=wave.owner_name,
        blocks=tuple(blocks),
        synthetic=wave.synthetic,
        created=on,
        source=source,
        sheets=sheets(facts),
    )


def _of(result: Result) -> str:
    return f" của {result.scope_name}" if result.scope_name else ""


def _summary(result: Result, facts: Annual, names: str, own: Own | None) -> list[model.Block]:
    wave, total = result.wave, result.total
    change = moved.summary(facts, wave.key)
    if own is not None:
        place = provinces.place_sentence(own.unit.places)
        spread = f"{place}." if place else ""
    else:
        spread = ranking.spread(result, names, result.scope_name)
    blocks: list[model.Block] = [
        body(
            f"Chỉ số hài lòng (SIPAS) năm {wave.year} của {result.scope_name} đạt ",
            *sections.estimate(total, wording.level(wave)),
            f", tính trên {num(total.n, 0)} phiếu hợp lệ.",
            f" {change}" if change else "",
            f" {spread}" if spread else "",
        )
    ]
    known = [area for area in result.of("area") if not sections.hidden(area)]
    if known:
        listed = "; ".join(f"{wording.inner(a.name)} đạt {pct(a.value)}" for a in known)
        blocks.append(body(f"Mức độ hài lòng về {listed}."))
    said = [text for text in (*opinions.judgements(result), opinions.needs(result)) if text]
    blocks += [body(text) for text in said]
    return [*blocks, *sections.extremes(result), *sections.cautions(result)]


def _fieldwork(result: Result, facts: Annual, captions: sections.Captions) -> list[model.Block]:
    blocks = list(unit.fieldwork(result, captions))
    if said := moved.modes(facts):
        blocks.append(body(said))
    people = [one for one in opinions.beside(result) if not one.number]
    if people:
        table = opinions.people_table(people, sampled=result.design is not None)
        blocks.append(replace(table, caption=captions.table("Cơ cấu người trả lời")))
    return blocks


def _compared(
    result: Result, names: str, captions: sections.Captions, own: Own | None
) -> list[tuple[str, list[model.Block]]]:
    found: list[tuple[str, list[model.Block]]] = []
    if own is not None:
        caption = captions.table(f"Chỉ số của {result.scope_name} và {own.whole.scope_name}")
        place = provinces.place_sentence(own.unit.places)
        blocks: list[model.Block] = [body(f"{place}.")] if place else []
        if own.whole.units:
            blocks.append(_peers(result, own, captions))
        blocks.append(provinces.factors(own.whole, own.unit, caption))
        title = f"VỊ TRÍ SO VỚI {own.whole.scope_name.upper()}"
        found.append((title, blocks))
    if len(result.units) > 1:
        _, capitals = ranking.kind_of(result.units)
        said = ranking.ties(result)
        chart = ranking.unit_chart(
            result,
            result.units,
            captions.figure(
                f"Chỉ số hài lòng và khoảng hạng của {num(len(result.units), 0)} {names}"
            ),
            names=names.capitalize(),
            whole=result.scope_name,
        )
        text = [body(f"{said}. Bảng xếp hạng đầy đủ ở phụ lục.")] if said else []
        found.append((f"SO SÁNH CÁC {capitals}", [*text, chart]))
    return found


def _peers(result: Result, own: Own, captions: sections.Captions) -> model.DotChart:
    """The unit among its peers, itself spoken of."""
    whole = replace(own.whole, scope=own.unit.unit)
    names = ranking.kind_of(own.whole.units)[0]
    return ranking.unit_chart(
        whole,
        own.whole.units,
        captions.figure(f"{result.scope_name[:1].upper()}{result.scope_name[1:]} giữa các {names}"),
        names=names.capitalize(),
        whole=own.whole.scope_name,
    )


def advice(result: Result, facts: Annual) -> list[model.Block]:
    """Lowest items, factors that fell, groups that stay behind: what the office has to look at."""
    blocks: list[model.Block] = []
    items = unit.lowest(result)
    if items:
        listed = "; ".join(
            f"nội dung {i.number} “{wording.abbreviated(i.name)}” ({pct(i.value)})" for i in items
        )
        blocks.append(body(f"Các nội dung có chỉ số thấp nhất: {listed}."))
    change = moved.last(facts, result.wave.key)
    if change is not None and change.differences is not None:
        names = {(str(f.kind), f.id): f for f in result.of("factor", "item")}
        fell = [d for d in change.differences.figures if d.mark < 0 and (d.kind, d.id) in names]
        if fell:
            listed = "; ".join(
                f"“{wording.abbreviated(names[d.kind, d.id].name)}” {moved.told(d)}" for d in fell
            )
            blocks.append(body(f"So với {facts.earlier}, các chỉ số giảm: {listed}."))
        else:
            blocks.append(
                body(f"So với {facts.earlier}, chưa yếu tố, nội dung nào giảm có ý nghĩa thống kê.")
            )
    behind = [u for u in facts.units if u.marks.get("total", 0) < 0]
    if behind:
        listed = ", ".join(f"{u.name} ({pct(u.total.value)})" for u in behind)
        blocks.append(
            body(
                f"{num(len(behind), 0)} đơn vị có chỉ số thấp hơn mức chung "
                f"{result.scope_name} có ý nghĩa thống kê: {listed}."
            )
        )
    blocks.append(
        body(
            "Đề nghị các cơ quan, đơn vị có liên quan xem xét nguyên nhân và có giải pháp cải "
            "thiện, trước hết với các nội dung, đơn vị nêu trên."
        )
    )
    return blocks


def annexes(
    result: Result, facts: Annual, belongs: str, names: str, own: Own | None
) -> list[model.Block]:
    """Ranking, rank sets, items, accounts, factors and items by unit, units, words of citizens."""
    title, capitals = names.capitalize(), names.upper()
    units = facts.units
    level = f"NĂM {result.wave.year}"
    parts: list[tuple[str, Sequence[model.Block], bool]] = []
    if len(result.units) > 1:
        league = ranking.league(result, title)
        parts.append((f"BẢNG XẾP HẠNG CHỈ SỐ HÀI LÒNG {level}", [league], False))
        if found := provinces.standings(result, units, title):
            parts.append(("XẾP HẠNG TRONG VÙNG VÀ NHÓM", found, False))
    items = satisfied.answers(result, "", own.whole if own else None)
    count = len(result.of("item"))
    parts.append((f"CÂU TRẢ LỜI THEO CÁC MỨC CỦA {count} NỘI DUNG", [items], False))
    precise = sections.item_table(result)
    parts.append((f"KHOẢNG TIN CẬY CỦA {count} NỘI DUNG", [precise], False))
    if len(result.accounts) > unit.MOST_ACCOUNTS and (table := sections.accounts(result, "")):
        parts.append(("KẾT QUẢ PHÁT, THU PHIẾU KHẢO SÁT", [table], False))
    if found := satisfied.factors_by_unit(result, units, title):
        parts.append((f"CHỈ SỐ THEO YẾU TỐ CỦA CÁC {capitals}", found, True))
    if found := satisfied.items_by_unit(result, units, title):
        parts.append((f"CHỈ SỐ THEO NỘI DUNG CỦA CÁC {capitals}", found, False))
    if found := judged.by_unit(result, units, title):
        parts.append((f"NHẬN ĐỊNH VÀ NHU CẦU THEO {capitals}", found, False))
    if len(units) > 1:
        each = provinces.chapter(result, units, facts.earlier)
        parts.append((f"KẾT QUẢ CỦA TỪNG {capitals}", each, False))
    if voices := opinions.voices(result):
        parts.append(("Ý KIẾN CỦA NGƯỜI DÂN", voices, False))
    blocks: list[model.Block] = []
    lying = False
    for place, (head, content, wide) in enumerate(parts, 1):
        if wide is not lying:
            blocks.append(model.Turn(wide))
            lying = wide
        number = sections.roman(place) if len(parts) > 1 else ""
        blocks += [model.Annex(number, (head,), belongs), *content]
    return blocks


def _closing(result: Result) -> str:
    owner = result.wave.owner_name
    if owner.startswith("Bộ "):
        return f"{owner} kính báo cáo Thủ tướng Chính phủ./."
    if result.wave.parent_name and not owner.startswith("Ủy ban nhân dân"):
        return f"{owner} kính trình {result.wave.parent_name} xem xét, chỉ đạo./."
    return f"{owner} báo cáo để các cơ quan, đơn vị biết, thực hiện./."


def sheets(facts: Annual) -> tuple[model.Sheet, ...]:
    """Every figure with all its digits: units, groups, changes."""
    level = ("kind", "id", "number", "name", "n", "value", "se", "low", "high", "deff", "df")
    rows = tuple(
        (u.unit, u.name, *_digits(f), u.marks.get(f.id, 0)) for u in facts.units for f in u.figures
    )
    groups = tuple(
        (question, g.label, *_digits(f), g.mark if f.kind == "total" else None)
        for question, found in (("Vùng", facts.regions), *facts.groups)
        for g in found
        for f in g.figures
    )
    changes = tuple(
        (c.before.wave, c.now.wave, d.kind, d.id, d.value, d.published, d.se, d.low, d.high,
         d.p_value, d.mark)
        for c in facts.changes if c.differences is not None for d in c.differences.figures
    )  # fmt: skip
    places = tuple(
        (u.unit, u.name, p.key or "all", p.name, p.rank, p.low, p.high, p.size)
        for u in facts.units
        for p in u.places
    )
    points = tuple(
        (p.year, p.label, p.value, p.low, p.high, p.n, p.source, p.wave)
        for p in (facts.trend.points if facts.trend else ())
    )
    found = (
        model.Sheet("Đơn vị", ("unit", "unit_name", *level, "mark"), rows),
        model.Sheet(
            "Thứ hạng",
            ("unit", "unit_name", "set", "set_name", "rank", "low", "high", "size"),
            places,
        ),
        model.Sheet("Nhóm người trả lời", ("question", "group", *level, "mark"), groups),
        model.Sheet(
            "Thay đổi",
            ("before", "now", "kind", "id", "value", "published", "se", "low", "high", "p", "mark"),
            changes,
        ),
        model.Sheet(
            "Xu hướng", ("year", "label", "value", "low", "high", "n", "source", "wave"), points
        ),
    )
    return tuple(sheet for sheet in found if sheet.rows)


def _digits(f: object) -> tuple[model.Cell, ...]:
    names = ("kind", "id", "number", "name", "n", "value", "se", "low", "high", "deff", "df")
    return tuple(getattr(f, name) for name in names)
