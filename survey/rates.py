"""The tables of keying errors and of call-backs: texts printed, marks drawn.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.report.numbers import NONE, num, pct, span
from analysis.results import Figure
from survey.board import charts
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.keying import Rate
    from forms.questionnaire import Questionnaire
    from survey.entry.accuracy import Accuracy, Agreement


def table(found: Accuracy, names: Mapping[int, str], q: Questionnaire) -> dict[str, object]:
    """Return what the page of keying errors prints."""
    drawn = [_figure(one.rate) for one in found.operators]
    scale = charts.axis(figure for figure in drawn if figure.value is not None)
    rows = [
        {
            "name": names.get(one.staff, "") if one.staff else t("verify.scanner"),
            "forms": num(one.forms, 0),
            "fields": num(one.fields, 0),
            "wrong": num(one.wrong, 0),
            "rate": pct(one.wrong / one.fields if one.fields else None),
            "span": span(one.rate.low, one.rate.high) if one.rate else NONE,
            "plot": charts.interval(figure, scale),
        }
        for one, figure in zip(found.operators, drawn, strict=True)
    ]
    return {
        "rows": rows,
        "forms": num(found.forms, 0),
        "first": _words(found.first),
        "ticks": charts.ticks(scale),
        "axis": scale,
        **_reach(found, q),
    }


def agreements(found: Sequence[Agreement], names: Mapping[int, str]) -> dict[str, object]:
    """Return what the table of call-backs prints; shares of agreement, not of errors."""
    drawn = [_figure(one.rate, turned=True) for one in found]
    scale = charts.axis(figure for figure in drawn if figure.value is not None)
    rows = [
        {
            "name": names.get(one.interviewer or 0, t("callbacks.nobody")),
            "drawn": num(one.drawn, 0),
            "done": num(one.outcomes["done"], 0),
            "missing": num(one.outcomes["not_visited"], 0),
            "bad": one.outcomes["not_visited"] > 0,
            "helped": _of(one.helped, one.outcomes["done"]),
            "facts": _of(*one.facts),
            "exact": _of(*one.exact),
            "near": _of(*one.near),
            "span": span(figure.low, figure.high, 1),
            "plot": charts.interval(figure, scale),
        }
        for one, figure in zip(found, drawn, strict=True)
    ]
    return {"table": rows, "ticks": charts.ticks(scale), "axis": scale}


def _reach(found: Accuracy, q: Questionnaire) -> dict[str, object]:
    """Return the table of what was taken for what, and the two rates that reach the figures."""
    if found.keying is None:
        return {"confusion": [], "levels": [], "lost": None, "gained": None}
    labels = {choice.code: choice.label for choice in q.scored[0].choices}
    levels = [
        (str(level), labels.get(level, "")) if level else (t("verify.no_level"), "")
        for level in (*range(1, q.index_scale + 1), 0)
    ]
    counts = found.keying.confusion.tolist()
    order = [*range(1, q.index_scale + 1), 0]
    confusion = [
        (levels[at], [(num(counts[row][column], 0), row == column) for column in order])
        for at, row in enumerate(order)
    ]
    return {
        "confusion": confusion,
        "levels": levels,
        "lost": _words(found.keying.lost),
        "gained": _words(found.keying.gained),
    }


def _words(rate: Rate | None) -> dict[str, str] | None:
    if rate is None:
        return None
    return {
        "value": pct(rate.value),
        "span": span(rate.low, rate.high),
        "errors": num(rate.errors, 0),
        "fields": num(rate.fields, 0),
    }


def _figure(rate: Rate | None, *, turned: bool = False) -> Figure:
    if rate is None:
        return Figure("item", "", "", "", 0, None)
    value, low, high = rate.value, rate.low, rate.high
    if turned:
        value, low, high = 1 - value, 1 - high, 1 - low
    return Figure("item", "", "", "", rate.fields, value, rate.se, low, high)


def _of(yes: int, all: int) -> str:
    return NONE if not all else pct(yes / all, 1)
