"""Interviewers whose forms differ from those of the others in their area, with usual ranges.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis import quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.design import Bools, Floats
    from forms.questionnaire import Questionnaire
    from survey.store.progress import Form

#: Forms that an interviewer needs, to be judged and to judge others by.
MIN_N = 10
#: Confidence at which somebody is called unlike the others.
LEVEL = 0.95
#: What is compared, in the order of the page.
MEASURES = ("one_answer", "satisfied", "blank", "quick")


@dataclass(frozen=True, slots=True)
class Mark:
    """An interviewer in an area against the others there; shares 0..1."""

    interviewer: int
    area: str
    n: int
    value: float
    expected: float
    low: float
    high: float
    p_value: float
    outlier: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """One comparison: those judged, the most unlike first, and those who could not be.

    ``left_out``: (interviewer, area, forms).
    """

    name: str
    marks: tuple[Mark, ...]
    left_out: tuple[tuple[int, str, int], ...]


def measures(
    forms: Sequence[Form], q: Questionnaire, area: Callable[[str], str]
) -> tuple[Measure, ...]:
    """Compare the interviewers of a wave; ``area`` names the area that a unit lies in.

    ``one_answer``: mean share of the commonest level among the scored answers of a form;
    ``satisfied``: mean share of answers that count as satisfied; ``blank``: share of scored items
    without an answer; ``quick``: share of forms that were back sooner than half of those of the
    area, among forms whose handing out and collecting were both marked.
    """
    usable = [form for form in forms if len(form.codes) == len(q.columns)]
    if not usable:
        return tuple(Measure(name, (), ()) for name in MEASURES)
    areas = sorted({area(form.unit) for form in usable})
    place = np.array([areas.index(area(form.unit)) for form in usable], dtype=np.int64)
    who = np.array([form.interviewer for form in usable], dtype=np.int64)
    found = []
    for name, (value, known) in _values(usable, q, place).items():
        people, where = who[known], place[known]
        try:
            funnel = quality.interviewers(value[known], people, where, min_n=MIN_N, level=LEVEL)
        except quality.NoComparison:
            found.append(Measure(name, (), _alone(people, where, areas)))
            continue
        marks = [
            Mark(
                interviewer=int(funnel.interviewer[k]),
                area=areas[int(funnel.area[k])],
                n=int(funnel.n[k]),
                value=float(funnel.value[k]),
                expected=float(funnel.expected[k]),
                low=float(funnel.low[k]),
                high=float(funnel.high[k]),
                p_value=float(funnel.p_value[k]),
                outlier=bool(funnel.outlier[k]),
            )
            for k in range(len(funnel.n))
        ]
        marks.sort(
            key=lambda mark: (not mark.outlier, mark.p_value, -abs(mark.value - mark.expected))
        )
        judged = {(mark.area, mark.interviewer) for mark in marks}
        rest = [one for one in _alone(people, where, areas) if (one[1], one[0]) not in judged]
        found.append(Measure(name, tuple(marks), tuple(rest)))
    return tuple(found)


def _values(
    forms: Sequence[Form], q: Questionnaire, place: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Mapping[str, tuple[Floats, Bools]]:
    """Return each measure (n,) 0..1 and for which forms it is known."""
    packed = np.frombuffer(b"".join(form.codes for form in forms), dtype=np.uint8)
    at = [k for k, column in enumerate(q.columns) if column.item.factor]
    scored = packed.reshape(len(forms), len(q.columns))[:, at]
    levels = q.index_scale
    per_level = np.stack([(scored == level).sum(axis=1) for level in range(1, levels + 1)], axis=1)
    answered = per_level.sum(axis=1)
    some = answered > 0
    base = np.maximum(answered, 1)
    high = per_level[:, levels - (2 if levels == 5 else 1) :].sum(axis=1)
    hours = np.array([np.nan if form.hours is None else form.hours for form in forms])
    timed = np.isfinite(hours) & (np.nan_to_num(hours, nan=-1.0) >= 0)
    quick = np.zeros(len(forms))
    for each in np.unique(place[timed]):
        here = timed & (place == each)
        quick[here] = hours[here] < np.median(hours[here])
    return {
        "one_answer": (per_level.max(axis=1) / base, some),
        "satisfied": (high / base, some),
        "blank": (1 - answered / max(1, len(at)), np.ones(len(forms), dtype=bool)),
        "quick": (quick, timed),
    }


def _alone(
    who: np.ndarray[tuple[int], np.dtype[np.int64]],
    place: np.ndarray[tuple[int], np.dtype[np.int64]],
    areas: Sequence[str],
) -> tuple[tuple[int, str, int], ...]:
    """Return everybody with the area and the forms known of them."""
    pairs, counts = np.unique(np.stack([who, place], axis=1), axis=0, return_counts=True)
    return tuple(
        (int(person), areas[int(where)], int(n))
        for (person, where), n in zip(pairs, counts, strict=True)
    )
