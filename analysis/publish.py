"""From estimates to what may be printed: flags, hidden cells, questions outside the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analysis.bounds import hidden_parts, publication
from analysis.design import Floats
from analysis.estimate import Estimate
from analysis.keying import Limits
from analysis.results import Choice, Distribution, Figure, Kind
from analysis.tally import Counts, Layout
from forms.questionnaire import Item, Questionnaire

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


def total(estimate: Estimate, *, sampled: bool, min_n: int, hide_n: int) -> Figure:
    """The overall index alone, as ``figures`` has it, without its shares."""
    figure = replace(_figure(estimate, "", TOTAL_NAME, ""), shares=None)
    return _shown(figure, sampled=sampled, min_n=min_n, hide_n=hide_n)


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


def widened(figures: Iterable[Figure], limits: Limits) -> tuple[Figure, ...]:
    """Figures whose intervals hold what keying may have changed (flag ``keyed``); their values
    stay as they are."""
    found = []
    for figure in figures:
        low, high = limits.apart(figure.low, figure.high)
        flags = (*figure.flags, *(("keyed",) if low is not None else ()))
        found.append(replace(figure, low=low, high=high, flags=flags))
    return tuple(found)


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
    q: Questionnaire, layout: Layout, counts: Counts, sums: Floats, *, hide_n: int
) -> tuple[Distribution, ...]:
    """Weighted shares of the answers to every closed question outside the index.

    ``counts`` (S,) persons and ``sums`` (S,) weights in the slots of ``layout``.  The base is
    who gave an answer; "no answer" is none.  A question with several answers has one
    distribution whose shares add to more than 1.  With fewer than ``hide_n`` answers everything
    is left out.
    """
    slots = layout.starts.tolist()
    place = {column.id: slots[c] for c, column in enumerate(q.columns)}
    found: list[Distribution] = []
    for item in (i for i in q.items if i.closed and not i.factor):
        if item.kind == "multiple":
            first = [place[f"{item.id}.{choice.code}"] for choice in item.choices]
            found.append(_several(item, first, counts, sums, hide_n))
            continue
        for n, row in enumerate(item.rows or (None,), 1):
            id = f"{item.id}.{row.id}" if row else item.id
            number = f"{item.number}.{n}" if row and item.number else item.number
            name = row.label if row else item.text
            head = Distribution(id, number, name, 0, (), item.text)
            at = place[id] - 1
            each = {c.code: (int(counts[at + c.code]), float(sums[at + c.code]))
                    for c in item.choices}  # fmt: skip
            n_all, base = sum(n for n, _ in each.values()), sum(w for _, w in each.values())
            found.append(_filled(head, item, each, (n_all, base), hide_n))
    return tuple(found)


def _several(
    item: Item, first: Sequence[int], counts: Counts, sums: Floats, hide_n: int
) -> Distribution:
    """Choices of a question with several answers; each has a slot for yes and one for no."""
    each = {
        c.code: (int(counts[at]), float(sums[at]))
        for c, at in zip(item.choices, first, strict=True)
    }
    answered = max(first, key=lambda at: int(counts[at] + counts[at + 1]))
    n, base = int(counts[answered : answered + 2].sum()), float(sums[answered : answered + 2].sum())
    head = Distribution(item.id, item.number, item.text, 0, (), item.text)
    return _filled(head, item, each, (n, base), hide_n)


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
