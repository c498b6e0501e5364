"""How satisfied people are, factor by factor: the index, its items, their five answers."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.annual import Unit
from analysis.report import model, sections, wording
from analysis.report.model import Column, Heading, Row, body
from analysis.report.numbers import NONE, num, pct, share
from analysis.report.ranking import named
from analysis.report.sections import Captions, hidden
from analysis.results import Figure, Result


def chapter(result: Result, units: Sequence[Unit], captions: Captions) -> list[model.Block]:
    """The whole with areas and factors, then a section a factor."""
    blocks: list[model.Block] = [Heading("1. Chỉ số chung, theo lĩnh vực và yếu tố", 2)]
    blocks += sections.by_factor(result, captions)
    for place, factor in enumerate(result.of("factor"), 2):
        blocks.append(Heading(f"{place}. {wording.short(factor.name)}", 2))
        blocks += _factor(result, factor, units, captions)
    return blocks


def _factor(
    result: Result, factor: Figure, units: Sequence[Unit], captions: Captions
) -> list[model.Block]:
    level = wording.level(result.wave)
    items = [item for item in result.of("item") if item.parent == factor.id]
    said = body(
        f"Chỉ số của yếu tố “{wording.short(factor.name)}” đạt ",
        *sections.estimate(factor, level),
        f", tính trên {num(factor.n, 0)} phiếu." if not hidden(factor) else ".",
        _items(items),
        _spread(factor, units, result.scope_name),
    )
    caption = captions.figure(f"{wording.short(factor.name)}: câu trả lời theo các mức (%)")
    chart = sections.bars(items, caption, result.wave.index)
    return [said, chart] if chart else [said]


def _items(items: Sequence[Figure]) -> str:
    known = [i for i in items if not hidden(i) and "few" not in i.flags]
    if len(known) < 2:
        return ""
    best = max(known, key=lambda i: i.value or 0.0)
    worst = min(known, key=lambda i: i.value or 0.0)
    return (
        f" Trong {num(len(items), 0)} nội dung, cao nhất là nội dung {best.number} "
        f"“{wording.abbreviated(best.name)}” ({pct(best.value)}), thấp nhất là nội dung "
        f"{worst.number} “{wording.abbreviated(worst.name)}” ({pct(worst.value)})."
    )


def _spread(factor: Figure, units: Sequence[Unit], whole: str) -> str:
    """How the units lie around the whole in this factor."""
    own = [(u, f) for u in units for f in u.of("factor") if f.id == factor.id and not hidden(f)]
    own = [(u, f) for u, f in own if "few" not in f.flags]
    if len(own) < 2:
        return ""
    top = max(own, key=lambda pair: pair[1].value or 0.0)
    low = min(own, key=lambda pair: pair[1].value or 0.0)
    above, below = (sum(u.marks.get(factor.id) == sign for u, _ in own) for sign in (1, -1))
    return (
        f" Giữa {num(len(own), 0)} đơn vị, chỉ số từ {pct(low[1].value)} ({low[0].name}) đến "
        f"{pct(top[1].value)} ({top[0].name}); {num(above, 0)} đơn vị cao hơn và "
        f"{num(below, 0)} đơn vị thấp hơn mức chung {whole} có ý nghĩa thống kê."
    )


def answers(result: Result, caption: str, whole: Result | None = None) -> model.Table:
    """Every item under its factor with the five answers and the index, beside the whole's."""
    items = result.of("item")
    count = max((len(i.shares) for i in items if i.shares), default=5)
    other = {i.id: i for i in whole.of("item")} if whole else {}
    last = (Column(_cut(whole.scope_name), 15, "right"),) if whole else ()
    each = 11.5
    columns = (
        Column("TT", 9, "centre"),
        Column("Nội dung", 165 - 9 - 15 - 16 - each * count - (15 if whole else 0)),
        Column("Số\nphiếu", 15, "right"),
        *(Column(f"Mức\n{n}", each, "right") for n in range(1, count + 1)),
        Column("Chỉ số", 16, "right", bold=True),
        *last,
    )
    rows = item_rows(items, result.of("factor"), count, other if whole else None)
    named_levels = wording.LEVELS if count == 5 else wording.POINTS
    levels = "; ".join(f"mức {n}: {wording.inner(name)}" for n, name in enumerate(named_levels, 1))
    letters = wording.explained(row.cells[1] for row in rows)
    wave = result.wave
    note = sections.notes(
        items, f"{levels[:1].upper()}{levels[1:]}.", letters, hide_n=wave.hide_n, min_n=wave.min_n
    )
    return model.Table(
        columns, tuple(rows), caption, unit="Đơn vị tính: %", note=note, size=10, tight=True
    )


def item_rows(
    items: Sequence[Figure],
    factors: Sequence[Figure],
    count: int,
    other: dict[str, Figure] | None,
) -> list[Row]:
    """Rows of items, a group row before each factor's."""
    names = {f.id: f for f in factors}
    rows: list[Row] = []
    parent = None
    for item in items:
        if item.parent != parent and item.parent in names:
            factor = names[item.parent]
            rows.append(Row((factor.number, wording.short(factor.name)), "group"))
        parent = item.parent
        parts = item.shares if item.shares and not hidden(item) else (None,) * count
        cells = [item.number, wording.abbreviated(item.name), sections.persons(item)]
        cells += [NONE if part is None else share(part, 1) for part in parts]
        cells.append(sections.value(item))
        if other is not None:
            cells.append(sections.value(other[item.id]) if item.id in other else NONE)
        rows.append(Row(tuple(cells)))
    return rows


def _cut(name: str) -> str:
    text = name[:1].upper() + name[1:]
    return text.replace(" ", "\n", 1) if len(text) <= 14 else "Mức\nchung"


def factors_by_unit(result: Result, units: Sequence[Unit], names: str) -> list[model.Block]:
    """Areas and factors of every unit on pages that lie on their side, marked against the whole."""
    shown = result.of("area", "factor", "total")
    if len(units) < 2 or len(shown) < 2:
        return []
    wide = min(19.0, (257 - 44) / len(shown))
    columns = (
        Column(names, 257 - wide * len(shown)),
        *(Column(f.number or "Chung", wide, "right", bold=f.kind == "total") for f in shown),
    )
    rows = [Row((_whole(result), *(sections.value(f) for f in shown)), "sum")]
    for unit in units:
        own = {f.id: f for f in unit.figures}
        cells = (_marked(own.get(f.id), unit.marks.get(f.id, 0)) for f in shown)
        rows.append(Row((named(unit), *cells)))
    listed = "; ".join(f"{f.number}: {wording.inner(f.name)}" for f in shown if f.number)
    note = (
        f"Ghi chú: {listed}. ▲, ▼: cao hơn, thấp hơn mức chung {result.scope_name} có ý nghĩa "
        "thống kê (hiệu chỉnh Holm trong từng đơn vị)."
    )
    table = model.Table(
        columns, tuple(rows), unit="Đơn vị tính: %", note=note, size=10.5, tight=True
    )
    return [table]


def items_by_unit(result: Result, units: Sequence[Unit], names: str) -> list[model.Block]:
    """Every item of every unit: factors side by side while their items fit on a page."""
    if len(units) < 2:
        return []
    blocks: list[model.Block] = []
    for factors, items in _bundles(result):
        wide = min(24.0, (165 - 38) / len(items))
        columns = (
            Column(names, 165 - wide * len(items)),
            *(Column(i.number, wide, "right") for i in items),
        )
        rows = [Row((_whole(result), *(sections.value(i) for i in items)), "sum")]
        for unit in units:
            own = {f.id: f for f in unit.figures}
            cells = (sections.value(own[i.id]) if i.id in own else NONE for i in items)
            rows.append(Row((named(unit), *cells)))
        listed = "; ".join(f"({i.number}) {wording.abbreviated(i.name)}" for i in items)
        caption = "; ".join(f"{f.number}. {wording.short(f.name)}" for f in factors)
        letters = wording.explained([listed])
        blocks.append(
            model.Table(
                columns, tuple(rows), caption, unit="Đơn vị tính: %",
                note=f"Ghi chú: {listed}. {letters}".strip(), size=10, tight=True,
            )
        )  # fmt: skip
    return blocks


MOST = 10  # items side by side


def _bundles(result: Result) -> list[tuple[list[Figure], list[Figure]]]:
    """Factors of one area in order, as many together as fit, with their items."""
    found: list[tuple[list[Figure], list[Figure]]] = []
    for factor in result.of("factor"):
        items = [item for item in result.of("item") if item.parent == factor.id]
        last = found[-1] if found else None
        if last and last[0][-1].parent == factor.parent and len(last[1]) + len(items) <= MOST:
            last[0].append(factor)
            last[1].extend(items)
        elif items:
            found.append(([factor], items))
    return found


def _whole(result: Result) -> str:
    return result.scope_name[:1].upper() + result.scope_name[1:]


def _marked(figure: Figure | None, sign: int) -> str:
    if figure is None or hidden(figure):
        return NONE
    return sections.value(figure) + {1: " ▲", -1: " ▼"}.get(sign, "")
