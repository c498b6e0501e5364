"""The tables of a results page: texts printed, marks drawn, nothing left to decide in a template.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from analysis.report.numbers import NONE, num, pct, places, share, span
from analysis.results import Distribution, Figure, Result, UnitResult
from survey import charts
from survey.text import t


@dataclass(frozen=True, slots=True)
class Row:
    """One index: printed value, interval and base, its mark and its five answers."""

    id: str
    name: str
    sum: bool
    value: str
    span: str
    n: str
    deff: str
    plot: Markup
    shares: tuple[str, ...]
    bar: Markup


@dataclass(frozen=True, slots=True)
class Place:
    """One unit of the league, with its rank and the range the rank may lie in."""

    unit: str
    name: str
    here: bool
    rank: str
    value: str
    span: str
    differs: str
    n: str
    plot: Markup
    ranks: Markup


@dataclass(frozen=True, slots=True)
class Question:
    """Questions that share their answers; alone, a question has one bar an answer."""

    number: str
    name: str
    n: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], str], ...]  # name, shares in the order of labels, n
    bars: tuple[tuple[str, Markup, str, str], ...]  # answer, bar, share, n


def decimals(result: Result) -> int:
    """Return how many decimals are printed: 2 for a sample, 1 for answers people chose to give."""
    return 2 if result.design else 1


def indexes(result: Result) -> tuple[list[Row], charts.Axis]:
    """Return total, areas and factors, the total first, with the axis they are drawn on."""
    figures = [result.total, *result.of("area", "factor")]
    scale = charts.axis(figures)
    return [_row(result, figure, scale) for figure in figures], scale


def items(result: Result) -> tuple[list[tuple[Row, list[Row]]], charts.Axis]:
    """Return each factor with its items, and the axis of the items."""
    own = result.of("item")
    scale = charts.axis(own)
    groups = []
    for head in result.of("factor"):
        rows = [_row(result, item, scale) for item in own if item.parent == head.id]
        if rows:
            groups.append((_row(result, head, scale), rows))
    return groups, scale


def league(result: Result, here: str = "") -> tuple[list[Place], charts.Axis, charts.Axis]:
    """Return the ranked units, the axis of their indexes and the axis of their ranks."""
    scale = charts.axis([unit.total for unit in result.units])
    ranks = charts.rank_axis(len(result.units))
    whole = result.total.value
    rows = [_place(unit, scale, ranks, whole, decimals(result), here) for unit in result.units]
    return rows, scale, ranks


def differing(units: Iterable[UnitResult]) -> tuple[int, int, int]:
    """Return how many units are shown to lie above the whole, not shown to differ, and below."""
    signs = [unit.differs for unit in units]
    return signs.count(1), signs.count(0), signs.count(-1)


def questions(result: Result) -> list[Question]:
    """Return the questions outside the index; neighbours with the same answers form one table."""
    found = []
    for labels, group in groupby(result.others, lambda d: tuple(c.label for c in d.choices)):
        asked = tuple(group)
        found.append(_question(labels, asked))
    return found


def _row(result: Result, figure: Figure, scale: charts.Axis) -> Row:
    digits = decimals(result)
    hidden = figure.value is None
    number = f"{figure.number} · " if figure.number else ""
    name = t("staff.overall") if figure.kind == "total" else f"{number}{figure.name}"
    return Row(
        id=figure.id,
        name=name,
        sum=figure.kind in ("total", "area"),
        value=share(figure.value, digits),
        span=t("staff.not_published") if hidden else span(figure.low, figure.high, digits),
        n=_base(figure, result.wave.hide_n),
        deff=num(figure.deff, 2) if figure.deff is not None else NONE,
        plot=charts.interval(figure, scale, result.total.value),
        shares=tuple(share(s, 1) for s in figure.shares or ()),
        bar=charts.bar(figure.shares) if figure.shares else Markup(),
    )


def _base(figure: Figure, hide_n: int) -> str:
    if "hidden" in figure.flags:
        return t("staff.under", n=hide_n)
    return num(figure.n, 0) + (" ○" if "few" in figure.flags else "")


def _place(
    unit: UnitResult, scale: charts.Axis, ranks: charts.Axis, whole: float | None, digits: int,
    here: str,
) -> Place:  # fmt: skip
    total = unit.total
    order = NONE if unit.rank is None else str(unit.rank)
    if unit.rank_low is not None and unit.rank_high is not None:
        order += f" ({places(unit.rank_low, unit.rank_high)})"
    return Place(
        unit=unit.unit,
        name=unit.name,
        here=unit.unit == here,
        rank=order,
        value=share(total.value, digits),
        span=span(total.low, total.high, digits),
        differs=t(("staff.lower", "staff.alike", "staff.higher")[unit.differs + 1]),
        n=num(total.n, 0) + (" ○" if "few" in total.flags else ""),
        plot=charts.interval(total, scale, whole),
        ranks=charts.rank(unit.rank, unit.rank_low, unit.rank_high, ranks),
    )


def _question(labels: tuple[str, ...], asked: Sequence[Distribution]) -> Question:
    first = asked[0]
    bars = tuple(
        (
            c.label,
            charts.length(c.share) if c.share is not None else Markup(),
            pct(c.share, 1),
            num(c.n, 0),
        )
        for c in first.choices
    )
    rows = tuple((d.name, tuple(share(c.share, 1) for c in d.choices), num(d.n, 0)) for d in asked)
    several = len(asked) > 1
    return Question(
        number=first.number,
        name=first.name,
        n=num(first.n, 0),
        labels=labels if several else (),
        rows=rows if several else (),
        bars=() if several else bars,
    )
