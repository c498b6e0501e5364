"""Signs of careless or invented answers: everything is flagged with its reason, nothing deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.design import Bools, Floats, Ints
from analysis.ranks import holm

#: Known durations that a median must rest on; below, only the limit in seconds is used.
MEDIAN_OF = 20
#: Huber's bound on a distance in standard deviations and the normal mean of squares so bounded.
BOUND, BOUNDED_MEAN = 1.345, 0.7101645
#: Degrees of freedom that a bounded mean is worth: 0.66 for many normal values, less for few.
EFFICIENCY = 0.4


class NoDurations(ValueError):
    """No answer has a known duration."""


class NoComparison(ValueError):
    """No area has three interviewers with enough answers to be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Straight:
    """``same`` (n,) every answer alike, ``near`` (n,) almost every one; ``answered`` (n,)."""

    same: Bools
    near: Bools
    answered: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Speed:
    """``fast`` (n,) answered too fast, ``known`` (n,) duration usable, ``limit`` seconds an item.

    ``median`` seconds an item, None when too few durations are known for it to set the limit.
    """

    fast: Bools
    known: Bools
    limit: float
    median: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Flags:
    """``marks`` (n, r) one column a reason; ``counts``, ``shares`` (r,); ``flagged`` (n,) any."""

    reasons: tuple[str, ...]
    marks: Bools
    counts: Ints
    shares: Floats
    flagged: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Funnel:
    """Interviewers (k,) against the others of their area, all shares 0..1.

    ``value`` own share, ``expected`` of the others, ``low`` and ``high`` the limits between
    which an interviewer like the others falls, one at a time; ``p_value`` two-sided, adjusted
    by Holm over all k; ``outlier`` where it is below 1 - level.  ``spread`` is the usual
    standard deviation between interviewers (arcsine scale).  ``left_out`` (m, 2): area and
    interviewer not judged, for too few answers or too few others.
    """

    area: Ints
    interviewer: Ints
    n: Ints
    value: Floats
    expected: Floats
    low: Floats
    high: Floats
    p_value: Floats
    outlier: Bools
    spread: float
    left_out: Ints


def straight_lines(
    codes: NDArray[Any], *, levels: int = 5, min_answered: int = 5, near: float = 0.9
) -> Straight:
    """Persons who gave the same answer throughout.

    ``codes`` (n, J): codes outside 1..levels are no answer.  Persons with fewer than
    ``min_answered`` answers are not judged.  ``near``: one level has at least this share of the
    answers, but not all.  The limits are our choice; contented citizens answer 4 throughout
    honestly, so this is a sign, stronger where an interviewer or a device shows it more often.
    """
    per_level = np.stack([(codes == level).sum(axis=1) for level in range(1, levels + 1)], axis=1)
    answered = per_level.sum(axis=1)
    top, judged = per_level.max(axis=1), answered >= min_answered
    same = judged & (top == answered)
    return Straight(same, judged & ~same & (top >= near * answered - 1e-9), answered)


def speeders(
    seconds: Floats, items: Ints, *, fraction: float = 1 / 3, per_item: float = 1.0
) -> Speed:
    """Answers given faster than one can read.

    Parameters
    ----------
    seconds : (n,) duration of each answer of one channel; NaN or negative (a clock set back)
        is unknown and never flagged
    items : (n,) questions answered, so that skips do not look like haste
    fraction : of the median time an item
    per_item : seconds an item below which nobody reads, whatever the median

    Raises NoDurations.

    Notes
    -----
    The limit is the larger of the two.  A fraction of the median is the usual rule, as the
    median is not moved by pauses (Greszki, Meyer & Schoen 2015, Public Opinion Quarterly 79(2);
    Zhang & Conrad 2014, Survey Research Methods 8(2)); 1/3 and 1 s are our choice, careful on
    purpose.
    """
    known = np.isfinite(seconds) & (np.nan_to_num(seconds, nan=-1.0) >= 0) & (items > 0)
    if not known.any():
        raise NoDurations("no answer has a known duration")
    pace = np.where(known, seconds, 0.0) / np.where(known, items, 1)
    median = float(np.median(pace[known])) if known.sum() >= MEDIAN_OF else None
    limit = max(per_item, fraction * median) if median is not None else per_item
    return Speed(known & (pace < limit), known, limit, median)


def bursts(device: Ints, at: Floats, *, limit: int, window: float) -> Bools:
    """Answers (n,) that stand in ``limit`` or more of one device inside ``window`` seconds.

    ``device`` (n,) label of the tablet, counter or link; ``at`` (n,) seconds on one clock.
    """
    order = np.lexsort((at, device))
    label, time = device[order], at[order]
    first = np.arange(max(0, order.size - limit + 1))
    last = first + limit - 1
    full = (label[first] == label[last]) & (time[last] - time[first] <= window)
    found = np.zeros(order.size, dtype=bool)
    for later in range(limit):
        found[order[first[full] + later]] = True
    return found


def flags(reasons: Mapping[str, Bools]) -> Flags:
    """Lay masks (n,) side by side under their reasons, with counts and shares of all n."""
    marks = np.stack(list(reasons.values()), axis=1)
    counts, flagged = marks.sum(axis=0), np.asarray(marks.any(axis=1))
    return Flags(tuple(reasons), marks, counts, counts / max(1, len(marks)), flagged)


def interviewers(
    value: Floats, interviewer: Ints, area: Ints, *, min_n: int = 10, level: float = 0.95
) -> Funnel:
    """Compare each interviewer with the other interviewers of the area.

    Parameters
    ----------
    value : (n,) 0..1 of each answer: its share of 5s, straight line or not, faster than the
        area's median or not, share of items left blank.  Unweighted: this judges work
    interviewer, area : (n,) labels; an interviewer of two areas is judged in each
    min_n : answers an interviewer needs, to be judged and to judge others by

    Raises NoComparison.

    Notes
    -----
    Funnel limits with additive over-dispersion (Spiegelhalter 2005, Statist Med 24:1185), on
    the arcsine scale, where a share of n answers has variance φ / 4n; φ is the spread within
    interviewers over that of yes-no answers.  Villages differ honestly: the variance τ² between
    interviewers makes the mean of the squared distances, each bounded (Huber 1964, proposal 2),
    that of the normal law, so a few inventors do not hide each other.  Student t with 0.4
    (interviewers less areas) degrees of freedom, at which 50 honest interviewers of unlike
    villages are left in peace in 94 of 100 surveys; Holm over interviewers.  In a small area an
    inventor also moves what is expected of the honest: look at the area, not at a mark alone.
    """
    groups, code = np.unique(np.stack([area, interviewer], axis=1), axis=0, return_inverse=True)
    code = code.ravel()
    n = np.bincount(code, minlength=len(groups))
    enough = n >= min_n
    place = np.unique(groups[:, 0], return_inverse=True)[1]
    judged = enough & (np.bincount(place, enough) >= 3)[place]
    if not judged.any():
        raise NoComparison(f"no area has three interviewers with {min_n} answers")
    mean = np.bincount(code, value) / n
    within = np.bincount(code, (value - mean[code]) ** 2)[judged].sum()
    found = _Peers.of(n[judged], mean[judged], place[judged], float(within))
    between = _between(found)
    df = EFFICIENCY * float(judged.sum() - np.unique(place[judged]).size)
    error = np.sqrt(found.alone + found.shared * between)
    p_value = holm(2 * stdtr(df, -np.abs(found.distance) / error))
    half = float(stdtrit(df, (1 + level) / 2)) * error
    centre = np.arcsin(np.sqrt(found.expected))
    return Funnel(
        area=groups[judged, 0],
        interviewer=groups[judged, 1],
        n=n[judged],
        value=mean[judged],
        expected=found.expected,
        low=np.sin(np.maximum(centre - half, 0.0)) ** 2,
        high=np.sin(np.minimum(centre + half, np.pi / 2)) ** 2,
        p_value=p_value,
        outlier=p_value < 1 - level,
        spread=between**0.5,
        left_out=groups[~judged],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Peers:
    """Distance (k,) from the others' share, with variance ``alone`` + ``shared`` τ² (k,)."""

    expected: Floats
    distance: Floats
    alone: Floats
    shared: Floats

    @classmethod
    def of(cls, n: Ints, mean: Floats, place: Ints, within: float) -> _Peers:
        others = np.bincount(place, n)[place] - n
        expected = np.clip((np.bincount(place, n * mean)[place] - n * mean) / others, 0.0, 1.0)
        binary = float((n * mean * (1 - mean)).sum())
        ratio = min(1.0, within / binary) if min(within, binary) > 1e-12 else 1.0
        squares = np.bincount(place, n**2)[place] - n**2
        return cls(
            expected=expected,
            distance=np.arcsin(np.sqrt(np.clip(mean, 0.0, 1.0))) - np.arcsin(np.sqrt(expected)),
            alone=ratio / 4 * (1 / n + 1 / others),
            shared=1 + squares / others**2,
        )


def _between(found: _Peers) -> float:
    """Variance between interviewers that gives the distances their normal size."""

    def size(between: float) -> float:
        square = found.distance**2 / (found.alone + found.shared * between)
        return float(np.minimum(square, BOUND**2).mean())

    if size(0.0) <= BOUNDED_MEAN:
        return 0.0
    low, high = 0.0, float((found.distance**2).max()) / BOUNDED_MEAN
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if size(middle) > BOUNDED_MEAN else (low, middle)
    return high
