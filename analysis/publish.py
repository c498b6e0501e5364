"""From estimates to what may be printed: flags, hidden cells, questions outside the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.bounds import hidden_parts, publication
from analysis.design import Floats
from analysis.estimate import Estimate
from analysis.results import Choice, Distribution, Figure, Kind
from forms.questionnaire import NO_ANSWER, Item, Questionnaire

TOTAL_NAME = "Chỉ số hài lòng chung"
#: Flags that speak about sampling error and so never stand beside self-selected answers.
SAMPLING = frozenset({"low_df", "no_variance", "census"})


def figures(
    q: Questionnaire, estimates: Iterable[Estimate], *, sampled: bool, min_n: int, hide_n: int
) -> tuple[Figure, ...]:
    """Estimates in the order of the questionnaire, named, flagged and cut to what may be said.

    ``sampled`` False leaves n, value and shares only: no error is claimed for self-selected
    answers (AAPOR 2013).
    """
    found = {(e.kind, e.id): e for e in estimates}
    areas, factors = {a.id: a for a in q.areas}, {f.id: f for f in q.factors}
    order: list[Figure] = []

    def put(kind: Kind, id: str, number: str, name: str, parent: str) -> None:
        estimate = found.pop((kind, id), None)
        if estimate is not None:
            figure = _figure(estimate, number, name, parent)
            order.append(_shown(figure, sampled=sampled, min_n=min_n, hide_n=hide_n))

    inside = {name for area in areas.values() for name in area.factors}
    groups = [(area.id, area.factors) for area in areas.values()]
    groups.append(("", tuple(name for name in factors if name not in inside)))
    for area, members in groups:
        if area:
            put("area", area, area, areas[area].name, "total")
        for name in members:
            put("factor", name, name, factors[name].name, area or "total")
            for id in factors[name].items:
                put("item", id, q.item(id).number, q.item(id).text, name)
    for item in q.items:
        put("item", item.id, item.number, item.text, "" if factors else "total")
    put("total", "total", "", TOTAL_NAME, "")
    return tuple(order)


def _figure(estimate: Estimate, number: str, name: str, parent: str) -> Figure:
    return Figure(
        kind=estimate.kind,
        id=estimate.id,
        number=number,
        name=name,
        n=estimate.n,
        value=estimate.value,
        se=estimate.se,
        low=estimate.low,
        high=estimate.high,
        deff=estimate.deff,
        neff=estimate.neff,
        df=estimate.df,
        shares=estimate.shares,
        parent=parent,
        flags=estimate.flags,
    )


def _shown(figure: Figure, *, sampled: bool, min_n: int, hide_n: int) -> Figure:
    if not sampled:
        flags = tuple(flag for flag in figure.flags if flag not in SAMPLING)
        figure = replace(
            figure, se=None, low=None, high=None, deff=None, neff=None, df=0, flags=flags
        )
    rule = publication(figure.n, figure.neff, min_n=min_n, hide_n=hide_n)
    if rule == "hidden":
        return hidden(figure)
    return replace(figure, flags=(*figure.flags, rule)) if rule else figure


def hidden(figure: Figure) -> Figure:
    """The figure with everything taken out that could tell about single persons."""
    return replace(
        figure,
        n=0,
        value=None,
        se=None,
        low=None,
        high=None,
        deff=None,
        neff=None,
        df=0,
        shares=None,
        flags=("hidden",),
    )


def distributions(
    q: Questionnaire, codes: NDArray[np.uint8], weight: Floats, *, hide_n: int
) -> tuple[Distribution, ...]:
    """Weighted shares of the answers to every closed question outside the index.

    ``codes`` (n, columns).  The base is who gave an answer; "no answer" is none.  A question
    with several answers has one distribution whose shares add to more than 1.  With fewer than
    ``hide_n`` answers everything is left out.
    """
    place = {column.id: c for c, column in enumerate(q.columns)}
    found: list[Distribution] = []
    for item in (i for i in q.items if i.closed and not i.factor):
        if item.kind == "multiple":
            chosen = codes[:, [place[f"{item.id}.{choice.code}"] for choice in item.choices]]
            found.append(_several(item, chosen, weight, hide_n))
            continue
        for n, row in enumerate(item.rows or (None,), 1):
            id = f"{item.id}.{row.id}" if row else item.id
            number = f"{item.number}.{n}" if row and item.number else item.number
            name = row.label if row else item.text
            head = Distribution(id, number, name, 0, (), item.text)
            found.append(_single(head, item, codes[:, place[id]], weight, hide_n))
    return tuple(found)


def _single(
    head: Distribution, item: Item, column: NDArray[np.uint8], weight: Floats, hide_n: int
) -> Distribution:
    sums = np.bincount(column, weight, minlength=NO_ANSWER + 1)
    plain = np.bincount(column, minlength=NO_ANSWER + 1)
    counts = {c.code: (int(plain[c.code]), float(sums[c.code])) for c in item.choices}
    n, base = sum(n for n, _ in counts.values()), sum(total for _, total in counts.values())
    return _filled(head, item, counts, (n, base), hide_n)


def _several(item: Item, columns: NDArray[np.uint8], weight: Floats, hide_n: int) -> Distribution:
    answered = ((columns == 1) | (columns == 2)).any(axis=1)
    chosen = columns == 1
    sums, plain = np.einsum("i,ij->j", weight, chosen), chosen.sum(axis=0)
    counts = {c.code: (int(plain[k]), float(sums[k])) for k, c in enumerate(item.choices)}
    n, base = int(answered.sum()), float(weight[answered].sum())
    head = Distribution(item.id, item.number, item.text, 0, (), item.text)
    return _filled(head, item, counts, (n, base), hide_n)


def _filled(
    head: Distribution,
    item: Item,
    counts: Mapping[int, tuple[int, float]],
    whole: tuple[int, float],
    hide_n: int,
) -> Distribution:
    """The distribution with its choices; small cells about the persons themselves are left out.

    Questions without a number are those about the respondent (sex, ethnicity, age ...).
    """
    n, base = whole
    if n < max(hide_n, 1):
        none = (Choice(c.code, c.label, 0, None) for c in item.choices)
        return replace(head, choices=tuple(none))
    about = [counts[c.code][0] for c in item.choices] if not item.number else []
    small = hidden_parts(about, hide_n=hide_n)
    choices = (
        Choice(c.code, c.label, 0, None)
        if at in small
        else Choice(c.code, c.label, counts[c.code][0], counts[c.code][1] / base)
        for at, c in enumerate(item.choices)
    )
    return replace(head, n=n, choices=tuple(choices))
