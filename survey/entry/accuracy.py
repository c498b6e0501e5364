"""How right keying and paper are: error rates of operators, agreement of what is asked again.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.keying import Keying, NoFields, Rate, TooFewClusters, error_rate, keying
from forms import paper

if TYPE_CHECKING:
    from forms.questionnaire import Questionnaire
    from survey.store.callbacks import Called
    from survey.store.comparisons import Double

#: How far two answers of one person on a scale may lie apart and still say the same.
NEAR = 1


@dataclass(slots=True)
class Operator:
    """One person (or the scanner, ``staff`` None): forms compared, codes keyed, codes wrong."""

    staff: int | None
    forms: int = 0
    fields: int = 0
    wrong: int = 0
    rate: Rate | None = None
    each: list[tuple[int, int]] = field(default_factory=list, repr=False)

    def add(self, wrong: int, fields: int) -> None:
        """Count one form."""
        self.forms += 1
        self.fields += fields
        self.wrong += wrong
        self.each.append((wrong, fields))


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What double entry of a wave showed; None where it is too little to say.

    ``first`` is the rate of first entries; ``keying`` how far it reaches into the figures.
    """

    operators: list[Operator]
    forms: int
    first: Rate | None
    keying: Keying | None


@dataclass(slots=True)
class Agreement:
    """How one interviewer's forms agree with what the households said when asked again.

    ``facts`` and ``exact``: answers alike of those compared, outside and inside the scale;
    ``near``: on the scale at most one level apart, ``rate`` its disagreement with an interval.
    """

    interviewer: int | None
    drawn: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    helped: int = 0
    facts: list[int] = field(default_factory=lambda: [0, 0])
    exact: list[int] = field(default_factory=lambda: [0, 0])
    near: list[int] = field(default_factory=lambda: [0, 0])
    rate: Rate | None = None
    each: list[tuple[int, int]] = field(default_factory=list, repr=False)


def operators(rows: Iterable[Double], q: Questionnaire) -> Accuracy:
    """Return the error rates of everybody whose entries were compared, against what was settled.

    An error made alike by both operators is not seen.  Forms are the clusters throughout: they
    were drawn by ballot, while the operators of a wave are all there and no sample of others.
    """
    coded, scored = paper.coded(q), [item.id for item in q.scored]
    found: dict[int | None, Operator] = {}
    firsts: list[tuple[int, int]] = []
    entered: list[list[int]] = []
    verified: list[list[int]] = []
    for row in rows:
        wrong = _wrong(coded, row.first_fields, row.fields)
        found.setdefault(row.first, Operator(row.first)).add(wrong, len(coded))
        firsts.append((wrong, len(coded)))
        wrong = _wrong(coded, row.second_fields, row.fields)
        found.setdefault(row.second, Operator(row.second)).add(wrong, len(coded))
        entered.append([_level(row.first_fields.get(name)) for name in scored])
        verified.append([_level(row.fields.get(name)) for name in scored])
    for one in found.values():
        one.rate = _rate(one.each)
    table = sorted(found.values(), key=lambda one: (one.staff is None, -one.fields, one.staff or 0))
    if not firsts:
        return Accuracy(table, 0, None, None)
    return Accuracy(table, len(firsts), _rate(firsts), _keying(entered, verified, q))


def agreement(rows: Iterable[Called], q: Questionnaire) -> list[Agreement]:
    """Return how the forms of each interviewer agree with their call-backs, most called first."""
    levels = {item.id for item in q.scored}
    found: dict[int | None, Agreement] = {}
    for row in rows:
        one = found.setdefault(row.interviewer, Agreement(row.interviewer))
        one.drawn += 1
        one.outcomes[row.outcome] += 1
        if row.outcome != "done":
            continue
        one.helped += row.answers.get("how") == "helped"
        far = compared = 0
        for name, said, on_paper in pairs(row.answers, row.fields):
            if name not in levels:
                _count(one.facts, said == on_paper)
                continue
            _count(one.exact, said == on_paper)
            _count(one.near, abs(said - on_paper) <= NEAR)
            far += abs(said - on_paper) > NEAR
            compared += 1
        if compared:
            one.each.append((far, compared))
    for one in found.values():
        one.rate = _rate(one.each)
    return sorted(found.values(), key=lambda one: (-one.drawn, one.interviewer or 0))


def pairs(
    again: Mapping[str, Any], on_paper: Mapping[str, object]
) -> Iterable[tuple[str, int, int]]:
    """Yield field, answer given again and answer on paper, where there are both."""
    for name, said in again.items():
        held = on_paper.get(name)
        if type(said) is not int or type(held) is not int:
            continue
        if said not in (paper.BLANK, paper.INVALID) and held not in (paper.BLANK, paper.INVALID):
            yield name, said, held


def _wrong(
    coded: tuple[str, ...], entered: Mapping[str, object], right: Mapping[str, object]
) -> int:
    if entered is right:
        return 0
    return sum(entered.get(name) != right.get(name) for name in coded)


def _count(of: list[int], yes: bool) -> None:
    of[0] += yes
    of[1] += 1


def _level(value: object) -> int:
    return value if type(value) is int else 0


def _rate(each: list[tuple[int, int]]) -> Rate | None:
    """Return the rate of one operator, each form a cluster; None with less than two forms."""
    if not each:
        return None
    numbers = np.array(each, dtype=np.int64)
    try:
        return error_rate(numbers[:, 0], numbers[:, 1], np.arange(len(each)))
    except (NoFields, TooFewClusters):
        return None


def _keying(entered: list[list[int]], verified: list[list[int]], q: Questionnaire) -> Keying | None:
    if not q.scored:
        return None
    try:
        forms = np.arange(len(entered))
        return keying(np.array(entered), np.array(verified), forms, levels=q.index_scale)
    except (NoFields, TooFewClusters):
        return None
