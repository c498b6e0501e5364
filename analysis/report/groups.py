"""The index of groups of people: regions, town and country, sex, age and the rest of the form."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.annual import Annual, Group
from analysis.report import model, sections, wording
from analysis.report.model import Column, Heading, Row, body
from analysis.report.moved import arrow
from analysis.report.numbers import NONE, num, pct
from analysis.report.sections import Captions, hidden
from analysis.results import Figure, Result


def chapter(result: Result, facts: Annual, captions: Captions) -> list[model.Block]:
    """A sentence and a table a question."""
    blocks: list[model.Block] = []
    found = [("Vùng", facts.regions), *facts.groups]
    asked = [(name, groups) for name, groups in found if len(groups) > 1]
    for place, (name, groups) in enumerate(asked, 1):
        title = wording.short(name)
        blocks.append(Heading(f"{place}. {title}", 2))
        blocks.append(body(sentence(groups, result.scope_name)))
        blocks.append(table(groups, result, title, captions))
    return blocks


def sentence(groups: Sequence[Group], whole: str) -> str:
    """Highest and lowest group, and which of them differ from all."""
    known = [(g, total(g)) for g in groups if not hidden(total(g)) and "few" not in total(g).flags]
    if len(known) < 2:
        return "Số phiếu chưa đủ để so sánh các nhóm."
    top = max(known, key=lambda pair: pair[1].value or 0.0)
    low = min(known, key=lambda pair: pair[1].value or 0.0)
    said = (
        f"Chỉ số từ {pct(low[1].value)} ({_inner(low[0].label)}) đến {pct(top[1].value)} "
        f"({_inner(top[0].label)})"
    )
    marked = [(g, word) for g, _ in known for sign, word in _SIDES if g.mark == sign]
    if not marked:
        return f"{said}; chưa nhóm nào khác mức chung {whole} có ý nghĩa thống kê."
    listed = "; ".join(f"{_inner(g.label)} {word}" for g, word in marked)
    return f"{said}. Khác mức chung {whole} có ý nghĩa thống kê: {listed}."


_SIDES = ((1, "cao hơn"), (-1, "thấp hơn"))


def table(groups: Sequence[Group], result: Result, title: str, captions: Captions) -> model.Table:
    """Persons, the index with its interval, the areas, and the mark against the whole."""
    areas = result.of("area")
    columns = (
        Column("Nhóm", 165 - 18 - 17 - 7 - 27 - 19 * len(areas)),
        Column("Số\nphiếu", 18, "right"),
        *(Column(f"Lĩnh vực\n{area.number}", 19, "right") for area in areas),
        Column("Chỉ số", 17, "right", bold=True),
        Column("", 7, "centre"),
        Column(f"Khoảng tin cậy\n{wording.level(result.wave)}", 27, "centre"),
    )
    rows = [_row(group, areas) for group in groups]
    figures = {f.id: f for f in result.of("area", "total")}
    whole = Group(
        result.scope_name[:1].upper() + result.scope_name[1:],
        result.total.n,
        tuple(figures.values()),
        0,
    )
    rows.append(_row(whole, areas, "sum"))
    wave = result.wave
    note = sections.notes(
        [total(g) for g in groups],
        "▲, ▼: cao hơn, thấp hơn mức chung có ý nghĩa thống kê (Holm trên các nhóm).",
        hide_n=wave.hide_n,
        min_n=wave.min_n,
    )
    caption = captions.table(f"Chỉ số hài lòng theo {title[:1].lower()}{title[1:]}")
    return model.Table(
        columns, tuple(rows), caption, unit="Đơn vị tính: %", note=note, size=11, tight=True
    )


def _row(group: Group, areas: Sequence[Figure], weight: model.Weight = "plain") -> Row:
    own = {f.id: f for f in group.figures}
    last = total(group)
    n = NONE if hidden(last) else num(group.n, 0) + (" ○" if "few" in last.flags else "")
    return Row(
        (
            group.label,
            n,
            *(sections.value(own[a.id]) if a.id in own else NONE for a in areas),
            sections.value(last),
            arrow(group.mark),
            sections.interval(last),
        ),
        weight,
    )


def total(group: Group) -> Figure:
    """The overall index of a group."""
    return next(f for f in group.figures if f.kind == "total")


def _inner(label: str) -> str:
    return f"“{label}”"
