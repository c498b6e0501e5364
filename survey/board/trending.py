"""A trend as it is printed: a row a year, breaks as rows of their own, changes with their doubt.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from analysis.compare import Difference
from analysis.report import numbers
from analysis.report.numbers import NONE, num, share, signed, span
from analysis.report.wording import short
from analysis.trend import Change, Point, Trend
from forms.questionnaire import load
from survey.board import charts
from survey.store.waves import Wave
from survey.text import has, t


@dataclass(frozen=True, slots=True)
class Row:
    """A year's figure, or (``reason``) the break before the next one."""

    year: str
    wave: str
    value: str
    span: str
    plot: Markup
    change: str
    mark: str
    n: str
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure's change between two waves."""

    name: str
    sum: bool
    value: str
    span: str
    mark: str


def page(found: Trend, changes: Sequence[Change], wave: Wave) -> dict[str, object]:
    """Return all that the page of a trend prints."""
    ends = (e for p in found.points for e in (p.value, p.low, p.high) if e is not None)
    axis = charts.around(ends)
    by_year = {(c.now.year, c.now.wave): c for c in changes}
    rows: list[Row] = []
    done = 0
    for point in found.points:
        for each in found.breaks:
            if done < each.year <= point.year:
                rows.append(_break(each.year, each.reason, each.source))
        done = point.year
        rows.append(_row(point, axis, by_year.get((point.year, point.wave)), wave))
    last = changes[-1] if changes else None
    return {
        "rows": rows,
        "axis": axis,
        "caption": t("staff.cap_axis" if axis.cut else "staff.cap_full", low=axis.low,
                     high=axis.high),
        "published": any(point.source for point in found.points),
        "moved": _moved(last, wave) if last else [],
        "last": last,
        "why": _why(last) if last and last.differences is None else "",
        "flags": last.differences.flags if last and last.differences else (),
        "level": num(100 * wave.level, 0),
        "charts": charts,
        "numbers": numbers,
    }  # fmt: skip


def _break(year: int, reason: str, source: str) -> Row:
    said = t("board.break_of", "vi", year=year, reason=reason)
    said += f" ({source})" if source else ""
    return Row("", "", "", "", Markup(), "", "", "", "", said)


def _row(point: Point, axis: charts.Axis, change: Change | None, wave: Wave) -> Row:
    total = _total(change)
    return Row(
        year=str(point.year),
        wave=point.wave if point.wave != wave.key else "",
        value=share(point.value, 2) if point.value is not None else NONE,
        span=span(point.low, point.high, 2) if point.low is not None else NONE,
        plot=charts.year(point.value, point.low, point.high, axis, ours=point.ours),
        change=signed(100 * total.published) if total and total.published is not None else NONE,
        mark=_mark(total),
        n=num(point.n, 0) if point.n else NONE,
        source=point.source,
    )


def _total(change: Change | None) -> Difference | None:
    if change is None or change.differences is None:
        return None
    return change.differences.of("total")


def _mark(of: Difference | None) -> str:
    """An arrow for a significant change only."""
    return {1: "▲", -1: "▼"}.get(of.mark, "≈") if of and of.value is not None else ""


def _moved(change: Change, wave: Wave) -> list[Moved]:
    """Return the changes of total, areas and factors of the last pair of waves."""
    if change.differences is None:
        return []
    asked = load(wave.questionnaire)
    names = {a.id: a.name for a in asked.areas} | {f.id: f.name for f in asked.factors}
    return [
        Moved(
            name=t("staff.overall") if d.kind == "total" else short(names.get(d.id, d.id)),
            sum=d.kind in ("total", "area"),
            value=signed(100 * d.published) if d.published is not None else NONE,
            span=f"{signed(100 * d.low)} – {signed(100 * d.high)}"
            if d.low is not None and d.high is not None
            else NONE,
            mark=_mark(d),
        )
        for kind in ("total", "area", "factor")
        for d in change.differences.figures
        if d.kind == kind
    ]


def _why(change: Change) -> str:
    key = f"board.why_{change.why}"
    return t(key if has(key) else "board.why_method", "vi", reason=change.reason)
