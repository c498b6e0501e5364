"""The table that stands beside a chart: the same figures, for readers, machines and editors."""

from __future__ import annotations

from analysis.report import model
from analysis.report.model import Column, Row, Table
from analysis.report.numbers import NONE, share, span
from analysis.report.pens import Chart

HIDDEN = "không công bố"
OURS, PUBLISHED = "tính từ dữ liệu của hệ thống", "số liệu đã công bố"


def table(chart: Chart) -> Table:
    """The figures of a chart as a table without caption."""
    match chart:
        case model.DotChart():
            return _dots(chart)
        case model.LevelBars():
            return _levels(chart)
        case model.ShareBars():
            columns = (Column("Nội dung", 120), Column("Tỷ lệ (%)", 45, "right"))
            return Table(columns, tuple(Row((name, share(part))) for name, part in chart.bars))
        case model.TrendChart():
            return _trend(chart)
        case model.Scatter():
            return _spots(chart)


def _dots(chart: model.DotChart) -> Table:
    place, label, plot, value, end = (" ".join(head.split()) for head in chart.heads)
    placed = any(dot.place for dot in chart.dots)
    columns = (
        *((Column(place, 15, "right"),) if placed else ()),
        Column(label or "Nội dung", 75),
        Column(value or "Chỉ số (%)", 25, "right"),
        Column(_interval_head(plot), 30, "centre"),
        Column(end or "n", 20, "centre"),
    )
    rows = []
    for dot in chart.dots:
        shown = HIDDEN if dot.value is None else share(dot.value)
        cells = (dot.label, shown, span(dot.low, dot.high), dot.end)
        weight: model.Weight = "sum" if dot.spoken_of or dot.weight == "sum" else dot.weight
        weight = "area" if weight == "group" else weight  # it has all its cells
        rows.append(Row((dot.place, *cells) if placed else cells, weight))
    if chart.whole is not None:
        cells = (chart.whole_name, share(chart.whole), NONE, NONE)
        rows.append(Row(("", *cells) if placed else cells, "sum"))
    return Table(columns, tuple(rows))


def _interval_head(plot: str) -> str:
    return plot if "khoảng" in plot.lower() else "Khoảng tin cậy (%)"


def _levels(chart: model.LevelBars) -> Table:
    columns = (
        Column("Nội dung", 65),
        *(Column(f"{name} (%)", 17, "right") for name in chart.levels),
        Column(" ".join(chart.end_head.split()) or "Chỉ số", 17, "right"),
    )
    rows = []
    for bar in chart.bars:
        parts = [share(p) for p in bar.shares] if bar.shares else [HIDDEN] * len(chart.levels)
        rows.append(Row((bar.label, *parts, bar.end), _full(bar.weight)))
    return Table(columns, tuple(rows))


def _full(weight: model.Weight) -> model.Weight:
    return "area" if weight == "group" else weight


def _trend(chart: model.TrendChart) -> Table:
    columns = (
        Column("Năm", 25),
        Column("Chỉ số (%)", 30, "right"),
        Column("Khoảng tin cậy (%)", 40, "centre"),
        Column("Nguồn", 70),
    )
    breaks = dict(chart.breaks)
    rows: list[Row] = []
    for point in chart.points:
        if point.label in breaks:
            rows.append(Row(("", f"Đổi phương pháp: {breaks[point.label]}"), "group"))
        shown = share(point.value) if point.value is not None else "không có số liệu"
        source = OURS if point.ours else PUBLISHED
        cells = (point.label, shown, span(point.low, point.high))
        rows.append(Row((*cells, source if point.value is not None else NONE)))
    return Table(columns, tuple(rows))


def _spots(chart: model.Scatter) -> Table:
    columns = (
        Column("Số", 15, "right"),
        Column("Nội dung", 80),
        Column(chart.x_name, 35, "right"),
        Column(chart.y_name, 35, "right"),
    )
    rows = [Row((spot.number, spot.label, share(spot.x), share(spot.y))) for spot in chart.spots]
    rows.append(Row(("", "Mức chia", share(chart.x_middle), share(chart.y_middle)), "sum"))
    return Table(columns, tuple(rows))
