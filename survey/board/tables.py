"""The tables of a results page: texts printed, marks drawn, nothing left to decide in a template.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from markupsafe import Markup

from analysis.report import numbers
from analysis.report.numbers import NONE, num, pct, places, share, short_day, span
from analysis.report.ranking import named
from analysis.report.wording import QUESTIONS, method_rows, short
from analysis.results import Distribution, Figure, Result, UnitResult
from analysis.slices import Slices
from forms.questionnaire import load
from survey.board import charts
from survey.text import t

#: Days of progress shown.
DAYS = 14
#: What has figures of its own: a wave, or a period of it cut into parts.
Told = Result | Slices


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

    title: str
    n: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], str], ...]  # name, shares in the order of labels, n
    bars: tuple[tuple[str, Markup, str, str], ...]  # answer, bar, share, n


def page(result: Result, whole: Result) -> dict[str, object]:
    """Return all that the results page prints; ``whole`` is the wave that ``result`` is part of."""
    mine = next((unit for unit in whole.units if unit.unit == result.scope), None)
    rows, scale = indexes(result)
    groups, item_scale = items(result)
    places, place_scale, ranks = league(result)
    return {
        "result": result,
        "total": result.total,
        "decimals": decimals(result),
        "level": num(100 * result.wave.level, 0),
        "interval": result.design is not None,
        "mine": mine,
        "ranked": sum(unit.rank is not None for unit in whole.units),
        "whole": whole.total.value,
        "apart": differing(result.units),
        "account": result.accounts[-1] if result.accounts else None,
        "index_name": t(f"staff.index_{result.wave.index}_{len(levels(result))}"),
        "valid": sum(result.channels.values()),
        "rows": rows,
        "axis": scale,
        "caption": caption(result, scale, rows),
        "levels": levels(result),
        "groups": groups,
        "item_axis": item_scale,
        "item_caption": caption(result, item_scale, [row for _, own in groups for row in own]),
        "places": places,
        "ranks_known": any(unit.rank is not None for unit in result.units),
        "place_axis": place_scale,
        "rank_axis": ranks,
        "place_caption": _axis_words(place_scale),
        "questions": questions(result),
        "method": method(result),
        "numbers": numbers,
        "charts": charts,
    }


def levels(result: Told) -> tuple[str, ...]:
    """Return the words of the answers that the index is made of, worst to best.

    Where the items have words of their own, the answers are called by their place.
    """
    asked = load(result.wave.questionnaire)
    words = {tuple(c.label for c in sorted(item.choices, key=lambda c: c.code))
             for item in asked.scored}  # fmt: skip
    if len(words) == 1:
        return words.pop()
    size = asked.index_scale if words else 0
    special = {(size + 1) / 2: "_middle", 1: "_low", size: "_high"}
    return tuple(t(f"board.level{special.get(n, '')}", n=n) for n in range(1, size + 1))


def method(result: Result) -> list[tuple[str, str]]:
    """Return the method box in the words of the official report, so that both say the same."""
    rows = [(name, "".join(run.text for run in text)) for name, text in method_rows(result)]
    return [*rows, (t("staff.m_wave"), result.wave.key)]


def decimals(result: Told) -> int:
    """Return how many decimals are printed: 2 for a sample, 1 for answers people chose to give."""
    return 2 if result.design else 1


def indexes(result: Told) -> tuple[list[Row], charts.Axis]:
    """Return total, areas and factors, the total first, with the axis they are drawn on.

    A single area says the same as the total and is left out.
    """
    areas = result.of("area")
    kinds = ("area", "factor") if len(areas) > 1 else ("factor",)
    figures = [result.total, *(f for f in result.figures if f.kind in kinds)]
    scale = scale_of(result, figures)
    return [row(result, figure, scale) for figure in figures], scale


def items(result: Told) -> tuple[list[tuple[Row | None, list[Row]]], charts.Axis]:
    """Return each factor with its items, and the axis of the items.

    A factor of one item says the same as the item and is left out.
    """
    own = result.of("item")
    scale = scale_of(result, own)
    groups = []
    for head in result.of("factor"):
        rows = [row(result, item, scale) for item in own if item.parent == head.id]
        if rows:
            groups.append((row(result, head, scale) if len(rows) > 1 else None, rows))
    return groups, scale


def league(result: Result) -> tuple[list[Place], charts.Axis, charts.Axis]:
    """Return the ranked units, the axis of their indexes and the axis of their ranks."""
    scale = scale_of(result, [unit.total for unit in result.units])
    ranks = charts.rank_axis(len(result.units))
    return [_place(result, unit, scale, ranks) for unit in result.units], scale, ranks


def differing(units: Iterable[UnitResult]) -> tuple[int, int, int]:
    """Return how many units are shown to lie above the whole, not shown to differ, and below."""
    signs = [unit.differs for unit in units]
    return signs.count(1), signs.count(0), signs.count(-1)


def questions(result: Told) -> list[list[Question]]:
    """Return the questions outside the index, in runs of tables that are laid out alike.

    Neighbours with the same answers form one table; single questions stand side by side.
    """
    found = [
        _question(labels, tuple(asked))
        for labels, asked in groupby(
            result.others, lambda d: (d.id.split(".")[0], *(c.label for c in d.choices))
        )
    ]
    return [list(run) for _, run in groupby(found, lambda question: bool(question.rows))]


def scale_of(result: Told, figures: Sequence[Figure]) -> charts.Axis:
    """Cut the axis only where intervals show what a small difference is worth."""
    return charts.axis(figures) if result.design else charts.WHOLE


def caption(result: Told, scale: charts.Axis, rows: Sequence[Row]) -> str:
    """Say what the marks mean, and only of marks that are there."""
    said = [t("staff.cap_interval" if result.design else "staff.cap_dot")]
    said.append(t("staff.cap_whole", whole=pct(result.total.value, decimals(result))))
    if result.keyed and result.keyed.widened:
        said.append(t("weights.cap_keyed"))
    if any("○" in row.n for row in rows):
        said.append(t("staff.cap_few", n=result.wave.min_n))
    if any(row.value == NONE for row in rows):
        said.append(t("staff.cap_hidden", n=result.wave.hide_n))
    return " ".join([*said, _axis_words(scale)])


def _axis_words(scale: charts.Axis) -> str:
    return t("staff.cap_axis" if scale.cut else "staff.cap_full", low=scale.low, high=scale.high)


def row(result: Told, figure: Figure, scale: charts.Axis) -> Row:
    digits = decimals(result)
    number = f"{figure.number} · " if figure.number else ""
    name = (
        t("staff.overall")
        if figure.kind == "total"
        else f"{number}{short(figure.name) if figure.kind != 'item' else figure.name}"
    )
    return Row(
        id=figure.id,
        name=name,
        sum=figure.kind in ("total", "area"),
        value=share(figure.value, digits),
        span=_span(figure, digits),
        n=_base(figure, result.wave.hide_n),
        deff=num(figure.deff, 2) if figure.deff is not None else NONE,
        plot=charts.interval(figure, scale, result.total.value),
        shares=tuple(share(s, 1) for s in figure.shares or ()),
        bar=charts.bar(figure.shares) if figure.shares else Markup(),
    )


def _span(figure: Figure, digits: int) -> str:
    if figure.value is None:
        return t("staff.not_published")
    return t("staff.census") if "census" in figure.flags else span(figure.low, figure.high, digits)


def _base(figure: Figure, hide_n: int) -> str:
    if "hidden" in figure.flags:
        return t("staff.under", n=hide_n)
    return num(figure.n, 0) + (" ○" if "few" in figure.flags else "")


def _place(result: Result, unit: UnitResult, scale: charts.Axis, ranks: charts.Axis) -> Place:
    total, digits = unit.total, decimals(result)
    order = NONE if unit.rank is None else str(unit.rank)
    if unit.rank_low is not None and unit.rank_high is not None:
        order += f" ({places(unit.rank_low, unit.rank_high)})"
    return Place(
        unit=unit.unit,
        name=named(unit),
        rank=order,
        value=share(total.value, digits),
        span=_span(total, digits),
        differs=t(("staff.lower", "staff.alike", "staff.higher")[unit.differs + 1]),
        n=_base(total, result.wave.hide_n),
        plot=charts.interval(total, scale, result.total.value),
        ranks=charts.rank(unit.rank, unit.rank_low, unit.rank_high, ranks),
    )


def _question(labels: tuple[str, ...], asked: Sequence[Distribution]) -> Question:
    first, several = asked[0], len(asked) > 1
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
    if several:
        base = first.id.split(".")[0]
        title = f"{first.number.rpartition('.')[0] or first.number}. {QUESTIONS.get(base, '')}"
    else:
        title = f"{first.number}. {first.name}" if first.number else first.name
    return Question(
        title=title.removesuffix(". "),
        n=num(first.n, 0),
        labels=labels[1:] if several else (),
        rows=rows if several else (),
        bars=() if several else bars,
    )


def days(counts: Mapping[date, int]) -> list[tuple[str, Markup, str]]:
    """Return the latest days with answers, the newest first: day, bar, count."""
    latest = sorted(counts.items(), reverse=True)[:DAYS]
    most = max((n for _, n in latest), default=1)
    return [(short_day(on), charts.length(n / most), num(n, 0)) for on, n in latest]
