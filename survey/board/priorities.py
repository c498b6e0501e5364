"""The importance-performance map as it is printed: a plot, its table and what may be said.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.crossed import Driver, Drivers
from analysis.report import numbers
from analysis.report.numbers import NONE, num, pct, share, span
from analysis.report.wording import short
from survey.board import charts
from survey.text import t

#: Quadrants in the order of what to do first.
ORDER = ("concentrate", "keep", "low_priority", "overkill", "unknown")


@dataclass(frozen=True, slots=True)
class Row:
    """One factor: its number on the map, what it carries, how it does, and what follows."""

    number: int
    name: str
    importance: str
    importance_span: str
    performance: str
    performance_span: str
    quadrant: str


def page(found: Drivers) -> dict[str, object]:
    """Return all that the page of priorities prints."""
    digits = 2 if found.sampled else 1
    points = sorted(found.points, key=lambda p: (ORDER.index(p.quadrant), -p.importance))
    marks = [
        charts.Mark(str(n), p.importance, p.performance, _box(p), p.quadrant == "concentrate")
        for n, p in enumerate(points, 1)
    ]
    axes = (
        charts.around(_ends(points, "importance")),
        charts.around(_ends(points, "performance")),
    )
    return {
        "found": found,
        "rows": [_row(n, point, digits) for n, point in enumerate(points, 1)],
        "map": charts.scatter(marks, axes, (found.importance_cut, found.performance_cut)),
        "importance_axis": axes[0],
        "performance_axis": axes[1],
        "importance_cut": pct(found.importance_cut, 1),
        "performance_cut": pct(found.performance_cut, digits),
        "r2": pct(found.r2, 0),
        "n": num(found.n, 0),
        "dropped": num(found.dropped, 0) if found.dropped else "",
        "level": num(100 * found.wave.level, 0),
        "lead": _lead(points, sampled=found.sampled),
        "numbers": numbers,
    }


def _lead(points: list[Driver], *, sampled: bool) -> str:
    """Return the one sentence that says what to look at first, or that nobody can tell."""
    first = [short(point.name) for point in points if point.quadrant == "concentrate"]
    if first:
        key = "board.first" if sampled else "board.first_plain"
        return t(key, names="; ".join(first))
    return t("board.no_first" if sampled else "board.no_first_plain")


def _row(number: int, point: Driver, digits: int) -> Row:
    return Row(
        number=number,
        name=short(point.name),
        importance=share(point.importance, 1),
        importance_span=span(point.importance_low, point.importance_high, 1)
        if point.importance_low is not None
        else NONE,
        performance=share(point.performance, digits),
        performance_span=span(point.performance_low, point.performance_high, digits)
        if point.performance_low is not None
        else NONE,
        quadrant=t(f"board.quadrant_{point.quadrant}"),
    )


def _box(point: Driver) -> tuple[float, float, float, float] | None:
    ends = (
        point.importance_low, point.importance_high, point.performance_low, point.performance_high,
    )  # fmt: skip
    known = [end for end in ends if end is not None]
    return (known[0], known[1], known[2], known[3]) if len(known) == 4 else None


def _ends(points: list[Driver], what: str) -> list[float]:
    names = (what, f"{what}_low", f"{what}_high")
    return [end for p in points for name in names if (end := getattr(p, name)) is not None]
