"""Ranked units as a chart, a table and sentences; a rank never stands without its range."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from analysis.annual import Unit
from analysis.report import model, wording
from analysis.report.model import Column, Dot, Row
from analysis.report.numbers import NONE, num, pct, places
from analysis.report.sections import hidden, interval, notes, persons, value
from analysis.results import Figure, Result, UnitResult

PROVINCE = r"vn\d\d:\d\d"  # ids of provinces in every scheme
TALL = 5.25  # mm a line of a chart of many units


def unit_chart(
    result: Result, units: tuple[UnitResult, ...], caption: str, *, names: str, whole: str
) -> model.DotChart:
    """Ranked units as dots with intervals and rank ranges, tied bands tinted in turn."""
    bands = _bands(units)
    dots = tuple(
        Dot(
            label=named(unit),
            value=None if hidden(unit.total) else unit.total.value,
            low=unit.total.low,
            high=unit.total.high,
            place="" if unit.rank is None else str(unit.rank),
            end=rank_range(unit),
            filled=unit.differs != 0,
            spoken_of=unit.unit == result.scope,
            band=band,
        )
        for unit, band in zip(units, bands, strict=True)
    )
    level = wording.level(result.wave)
    return model.DotChart(
        caption=caption,
        heads=("Hạng", names, f"Chỉ số và khoảng tin cậy {level} (%)", "Chỉ số", "Khoảng hạng"),
        dots=dots,
        whole=None if hidden(result.total) else result.total.value,
        whole_name=whole,
        note="Ghi chú: Dải nền xen kẽ gồm các đơn vị có khoảng hạng giao với khoảng hạng của đơn "
        f"vị đầu dải. Chấm đặc: khác mức chung {whole} có ý nghĩa thống kê; chấm rỗng: chưa khác.",
        pitch=TALL,
    )


def _bands(units: tuple[UnitResult, ...]) -> list[int]:
    """A band number a unit: a unit joins while its rank range meets that of the band's first."""
    out: list[int] = []
    reach = -1
    for unit in units:
        low, high = unit.rank_low or 0, unit.rank_high or 0
        if not out or low > reach:
            out.append(out[-1] + 1 if out else 1)
            reach = high
        else:
            out.append(out[-1])
    return out


def rank_range(unit: UnitResult) -> str:
    """ "4–31"; a dash when the unit is not ranked."""
    if unit.rank_low is None or unit.rank_high is None:
        return NONE
    return places(unit.rank_low, unit.rank_high)


def league(result: Result, names: str) -> model.Table:
    """The ranked units: place and range, index with interval, the areas, place in the region."""
    areas = result.of("area")
    regional = any(unit.region_rank is not None for unit in result.units)
    columns = (
        Column("Hạng", 11, "right"),
        Column("Khoảng\nhạng", 15, "centre"),
        Column(names, 165 - 80 - 15.5 * len(areas) - (13 if regional else 0)),
        Column("Số\nphiếu", 14, "right"),
        Column("Chỉ số\n(%)", 15, "right", bold=True),
        Column(f"Khoảng tin cậy\n{wording.level(result.wave)} (%)", 25, "centre"),
        *(Column(f"Lĩnh vực\n{area.number}", 15.5, "right") for area in areas),
        *((Column("Hạng\ntrong\nvùng", 13, "centre"),) if regional else ()),
    )
    bands = _bands(result.units)
    rows = tuple(
        Row(_league_row(unit, areas, regional=regional), rule=i > 0 and bands[i] != bands[i - 1])
        for i, unit in enumerate(result.units)
    )
    note = notes(
        (unit.total for unit in result.units),
        "Vạch đậm phân cách các dải có khoảng hạng không giao nhau.",
        "Hai đơn vị có khoảng hạng giao nhau chưa đủ căn cứ để kết luận hơn, kém"
        + ("; hạng trong vùng cũng phải đọc cùng khoảng hạng." if regional else "."),
        hide_n=result.wave.hide_n,
        min_n=result.wave.min_n,
    )
    return model.Table(columns, rows, note=note, size=10.5, tight=True)


def _league_row(unit: UnitResult, areas: tuple[Figure, ...], *, regional: bool) -> tuple[str, ...]:
    own = {figure.id: figure for figure in unit.figures}
    cells = [
        NONE if unit.rank is None else str(unit.rank),
        rank_range(unit),
        named(unit),
        persons(unit.total),
        value(unit.total),
        interval(unit.total),
        *(value(own[area.id]) if area.id in own else NONE for area in areas),
    ]
    if regional:
        cells.append(NONE if unit.region_rank is None else f"{unit.region_rank}/{unit.region_size}")
    return tuple(cells)


def kind_of(units: Sequence[UnitResult]) -> tuple[str, str]:
    """What the compared units are called, in a sentence and in capitals."""
    provinces = all(re.fullmatch(PROVINCE, unit.unit) for unit in units)
    name = "tỉnh, thành phố" if provinces and units else "đơn vị"
    return name, name.upper()


def named(unit: UnitResult | Unit) -> str:
    """A unit's name at the head of a line; a province without its kind, as the Ministry prints."""
    name = unit.name[:1].upper() + unit.name[1:]
    if not re.fullmatch(PROVINCE, unit.unit):
        return name
    if name.endswith("Hồ Chí Minh"):
        return "TP. Hồ Chí Minh"
    return re.sub("^(Tỉnh|Thành phố) ", "", name)


def spread(result: Result, names: str, whole: str) -> str:
    """Highest and lowest unit, and how many differ from the whole, in words."""
    known = [unit for unit in result.units if not hidden(unit.total)]
    if len(known) < 2:
        return ""
    top = max(known, key=lambda unit: unit.total.value or 0.0)
    low = min(known, key=lambda unit: unit.total.value or 0.0)
    above, below = (sum(unit.differs == side for unit in known) for side in (1, -1))
    return (
        f"Chỉ số của {num(len(known), 0)} {names} nằm trong khoảng từ {pct(low.total.value)} "
        f"({low.name}) đến {pct(top.total.value)} ({top.name}). Có {num(above, 0)} đơn vị cao hơn "
        f"và {num(below, 0)} đơn vị thấp hơn mức chung {whole} một cách có ý nghĩa thống kê; "
        f"{num(len(known) - above - below, 0)} đơn vị còn lại chưa khác mức chung."
    )


def own_place(result: Result) -> str:
    """Where the unit of the report stands among its peers; nothing when it is not ranked."""
    own = next((unit for unit in result.peers if unit.unit == result.scope), None)
    if own is None or own.rank is None:
        return ""
    name, whole = own.name[:1].upper() + own.name[1:], result.peers_name
    text = (
        f"{name} xếp hạng {own.rank}, trong khoảng {rank_range(own)}, trên "
        f"{num(len(result.peers), 0)} {kind_of(result.peers)[0]}"
    )
    if own.region_rank is not None and own.region:
        text += f"; xếp thứ {own.region_rank}/{own.region_size} trong vùng {own.region}"
    verdict = {
        1: f"cao hơn mức chung {whole} có ý nghĩa thống kê",
        -1: f"thấp hơn mức chung {whole} có ý nghĩa thống kê",
    }.get(own.differs, f"chênh lệch so với mức chung {whole} chưa có ý nghĩa thống kê")
    return f"{text}; {verdict}."


def ties(result: Result) -> str:
    """What the ranking cannot say: how many neighbours are not told apart."""
    ranked = [unit for unit in result.units if unit.rank_low is not None]
    if len(ranked) < 2:
        return ""
    pairs = list(pairwise(ranked))
    tied = sum((b.rank_low or 0) <= (a.rank_high or 0) for a, b in pairs)
    of_them = "cả" if tied == len(pairs) else "có"
    return (
        f"Trong {num(len(pairs), 0)} cặp đơn vị đứng liền nhau trên bảng xếp hạng {of_them} "
        f"{num(tied, 0)} cặp có khoảng hạng giao nhau, chưa đủ căn cứ để kết luận hơn, kém"
    )
