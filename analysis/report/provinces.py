"""A section a unit: its index and place, what changed, factors, five answers, items, needs."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.annual import Place, Unit
from analysis.report import judged, model, moved, opinions, sections, wording
from analysis.report.model import Column, Heading, Row, body
from analysis.report.numbers import NONE, num, pct, share
from analysis.report.numbers import places as printed
from analysis.report.ranking import named
from analysis.report.sections import hidden
from analysis.results import Figure, Result


def chapter(result: Result, units: Sequence[Unit], earlier: str) -> list[model.Block]:
    """Every unit with figures, a page or two each, in the order of the ranking."""
    blocks: list[model.Block] = []
    for number, unit in enumerate(units, 1):
        blocks.append(Heading(f"{number}. {named(unit)}", 2))
        blocks += section(result, unit, earlier)
    return blocks


def section(result: Result, unit: Unit, earlier: str) -> list[model.Block]:
    """One unit; a unit that may not be shown gets a sentence that says so."""
    if hidden(unit.total):
        return [body("Số phiếu chưa đủ để công bố số liệu của đơn vị này.")]
    said = judged_of(unit)
    return [
        _summary(result, unit, earlier),
        *((body(said),) if said else ()),
        answers(result, unit),
        items(result, unit),
    ]


def _summary(result: Result, unit: Unit, earlier: str) -> model.Paragraph:
    level = wording.level(result.wave)
    name = unit.name[:1].upper() + unit.name[1:]
    ranks = place_sentence(unit.places)
    said = [f" {ranks}." if ranks else ""]
    if unit.change is not None and (words := moved.told(unit.change)):
        steps = moved.places(unit.moved)
        said.append(f" So với {earlier}, chỉ số {words}{f'; {steps}' if steps else ''}.")
    sign = unit.marks.get("total", 0)
    verdict = {1: "cao hơn", -1: "thấp hơn"}.get(sign)
    whole = f"mức chung {result.scope_name} ({pct(result.total.value)})"
    said.append(
        f" Chỉ số {verdict} {whole} có ý nghĩa thống kê."
        if verdict
        else f" Chênh lệch so với {whole} chưa có ý nghĩa thống kê."
    )
    return body(
        f"{name} đạt ",
        *sections.estimate(unit.total, level),
        f", tính trên {num(unit.total.n, 0)} phiếu hợp lệ.",
        *said,
    )


def place_sentence(places: Sequence[Place]) -> str:
    """ "Xếp hạng 12, trong khoảng 7–21, trên 34 đơn vị; hạng 3 (1–5) trên 9 trong vùng …"."""
    parts = []
    for place in places:
        span = printed(place.low, place.high)
        if place.kind == "all":
            parts.append(
                f"hạng {place.rank}, trong khoảng {span}, trên {num(place.size, 0)} đơn vị"
            )
        else:
            name = place.name[:1].lower() + place.name[1:] if place.kind == "group" else place.name
            where = f"vùng {name}" if place.kind == "region" else f"nhóm {name}"
            parts.append(
                f"hạng {place.rank} (khoảng {span}) trên {num(place.size, 0)} đơn vị của {where}"
            )
    return f"Xếp {'; '.join(parts)}" if parts else ""


def factors(result: Result, unit: Unit, caption: str = "") -> model.Table:
    """Areas and factors beside the whole's, marked where they differ."""
    columns = (
        Column("TT", 11, "centre"),
        Column("Lĩnh vực, yếu tố", 63),
        Column("Số\nphiếu", 15, "right"),
        Column("Chỉ số\n(%)", 17, "right", bold=True),
        Column("", 7, "centre"),
        Column(f"Khoảng tin cậy\n{wording.level(result.wave)} (%)", 27, "centre"),
        Column(_short(result.scope_name), 25, "right"),
    )
    whole = {f.id: f for f in result.figures}
    figures = unit.of("area", "factor", "total")
    rows = tuple(_factor(f, whole.get(f.id), unit.marks.get(f.id, 0)) for f in figures)
    wave = result.wave
    note = sections.notes(
        figures,
        f"▲, ▼: cao hơn, thấp hơn {result.scope_name} có ý nghĩa thống kê (Holm).",
        hide_n=wave.hide_n,
        min_n=wave.min_n,
    )
    return model.Table(columns, rows, caption, note=note, size=11, tight=True)


def _factor(figure: Figure, whole: Figure | None, sign: int) -> Row:
    cells = (
        figure.number.split(".")[-1] if figure.kind != "total" else "",
        wording.short(figure.name),
        sections.persons(figure),
        sections.value(figure),
        moved.arrow(sign),
        sections.interval(figure),
        sections.value(whole) if whole is not None else NONE,
    )
    weight: model.Weight = "sum" if figure.kind == "total" else "plain"
    return Row(cells, "area" if figure.kind == "area" else weight)


def answers(result: Result, unit: Unit) -> model.Table:
    """Areas and factors with their five answers, the index and its interval, beside the whole."""
    figures = unit.of("area", "factor", "total")
    count = max((len(f.shares) for f in figures if f.shares), default=5)
    each = 52.5 / count
    columns = (
        Column("Lĩnh vực, yếu tố", 41.5),
        Column("Số\nphiếu", 12.5, "right"),
        *(Column(f"Mức\n{n}", each, "right") for n in range(1, count + 1)),
        Column("Chỉ số", 14, "right", bold=True),
        Column("", 5.5, "centre"),
        Column(f"Khoảng\ntin cậy {wording.level(result.wave)}", 24, "centre"),
        Column(_short(result.scope_name).split("\n")[0], 15, "right"),
    )
    whole = {f.id: f for f in result.figures}
    rows = []
    for figure in figures:
        parts = figure.shares if figure.shares and not hidden(figure) else (None,) * count
        number = figure.number.split(".")[-1]
        name = wording.short(figure.name)
        cells = (
            f"{number}. {name}" if number else name,
            sections.persons(figure),
            *(NONE if part is None else share(part, 1) for part in parts),
            sections.value(figure),
            moved.arrow(unit.marks.get(figure.id, 0)),
            sections.interval(figure),
            sections.value(whole[figure.id]) if figure.id in whole else NONE,
        )
        rows.append(Row(cells, _WEIGHTS.get(figure.kind, "plain")))
    wave = result.wave
    levels = wording.LEVELS if count == 5 else wording.POINTS
    note = sections.notes(
        figures,
        f"Mức 1: {wording.inner(levels[0])}; mức {count}: {wording.inner(levels[-1])}. "
        f"▲, ▼: cao hơn, thấp hơn mức chung {result.scope_name} có ý nghĩa thống kê (Holm).",
        hide_n=wave.hide_n,
        min_n=wave.min_n,
    )
    return model.Table(
        columns,
        tuple(rows),
        f"{named(unit)}: lĩnh vực, yếu tố",
        unit="Đơn vị tính: %",
        note=note,
        size=10,
        tight=True,
    )


_WEIGHTS: dict[str, model.Weight] = {"area": "area", "total": "sum"}


def _short(name: str) -> str:
    text = name[:1].upper() + name[1:]
    return f"{text}\n(%)" if len(text) <= 14 else "Mức chung\n(%)"


def items(result: Result, unit: Unit) -> model.Table:
    """Every item of the unit beside the whole's index; the five answers stand in the figure."""
    found = unit.of("item")
    columns = (
        Column("TT", 10, "centre"),
        Column("Nội dung", 109),
        Column("Số\nphiếu", 15, "right"),
        Column("Chỉ số\n(%)", 15, "right", bold=True),
        Column(_short(result.scope_name), 16, "right"),
    )
    whole = {i.id: i for i in result.of("item")}
    names = {f.id: f for f in unit.of("factor")}
    rows: list[Row] = []
    parent = None
    for item in found:
        if item.parent != parent and item.parent in names:
            factor = names[item.parent]
            rows.append(Row((factor.number, wording.short(factor.name)), "group"))
        parent = item.parent
        other = whole.get(item.id)
        rows.append(
            Row(
                (
                    item.number,
                    wording.abbreviated(item.name),
                    sections.persons(item),
                    sections.value(item),
                    NONE if other is None else sections.value(other),
                )
            )
        )
    wave = result.wave
    note = sections.notes(
        found,
        wording.explained(row.cells[1] for row in rows),
        hide_n=wave.hide_n,
        min_n=wave.min_n,
    )
    caption = f"{named(unit)}: các nội dung"
    return model.Table(columns, tuple(rows), caption, note=note, size=10, tight=True)


def judged_of(unit: Unit) -> str:
    """Harassment, informal payments and the strongest needs of a unit, in words."""
    others = {one.id: one for one in unit.others}
    said = []
    first = [
        one.choices[0]
        for one in (others.get("c5"), others.get("c6"))
        if one is not None and one.choices and one.choices[0].share is not None
    ]
    if first:
        listed = "; ".join(f"“{wording.inner(c.label)}” {pct(c.share)}" for c in first)
        said.append(f"Nhận định về công chức: {listed}.")
    wishes = [one for one in unit.others if opinions.question_of(one) == judged.NEEDS]
    strong = [(one, one.choices[-1].share) for one in wishes if one.choices]
    known = sorted(((o, s) for o, s in strong if s is not None), key=lambda pair: -pair[1])
    if known:
        wish = known[0][0].choices[-1].label.lower()
        listed = "; ".join(f"{wording.inner(o.name)} ({pct(s)})" for o, s in known[:3])
        said.append(f"Nhu cầu có nhiều người “{wish}” nhất: {listed}.")
    return " ".join(said)


def standings(result: Result, units: Sequence[Unit], names: str) -> list[model.Block]:
    """The units of every rank set among themselves, with their ranges: a table a set."""
    inside = sorted(units, key=lambda unit: unit.unit)  # sets in the order of their first unit
    keys = {p.key: p for unit in inside for p in unit.places if p.kind != "all"}
    blocks: list[model.Block] = []
    for key, head in sorted(keys.items(), key=lambda pair: pair[1].kind):
        ranked = [(p, u) for u in units for p in u.places if p.key == key]
        ranked.sort(key=lambda pair: (pair[0].rank, pair[1].unit))
        columns = (
            Column("Hạng", 14, "right"),
            Column("Khoảng\nhạng", 20, "centre"),
            Column(names, 53),
            Column("Số\nphiếu", 18, "right"),
            Column("Chỉ số\n(%)", 20, "right", bold=True),
            Column(f"Khoảng tin cậy\n{wording.level(result.wave)} (%)", 30, "centre"),
        )
        rows = tuple(
            Row(
                (
                    str(place.rank),
                    printed(place.low, place.high),
                    named(unit),
                    sections.persons(unit.total),
                    share(unit.total.value),
                    sections.interval(unit.total),
                )
            )
            for place, unit in ranked
        )
        title = f"Vùng {head.name}" if head.kind == "region" else head.name
        blocks.append(model.Table(columns, rows, title, size=11, tight=True))
    return blocks
