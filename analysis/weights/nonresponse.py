"""Nonresponse: respondents stand for those of their cell who did not answer; response rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from analysis.design import Bools, Floats, Ints
from analysis.weights.calibrate import refuse_bad
from analysis.weights.trim import kish


class NoRespondents(ValueError):
    """Cells in which too few answered and that have nothing to be merged with."""

    def __init__(self, cells: tuple[str, ...]) -> None:
        super().__init__(f"too few respondents in {', '.join(cells)}, and no cell to merge with")
        self.cells = cells


class BadOutcomes(ValueError):
    """Counts of outcomes that are negative, or that leave nobody who could have answered."""


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """Weights after nonresponse: ``weight`` (n,) of respondents, 0 of all others.

    ``factor`` (K,) of each cell, ``merged`` the labels of cells adjusted together, and Kish's
    1 + cv² of the respondents' weights ``before`` and ``after``.
    """

    weight: Floats
    factor: Floats
    merged: tuple[tuple[str, ...], ...]
    before: float
    after: float


def adjust(
    weight: Floats,
    responded: Bools,
    cell: Ints,
    labels: Sequence[str],
    *,
    within: Ints | None = None,
    least: int = 1,
) -> Adjusted:
    """Multiply respondents' weights by Σw(eligible) / Σw(respondents) of their cell.

    Parameters
    ----------
    weight : (n,) design weights of the ELIGIBLE persons drawn, above 0
    responded : (n,) who answered
    cell : (n,) index into ``labels`` (K,): PSU, or stratum x age x sex.  The order of the
        labels is the order of merging: a cell with fewer than ``least`` respondents is joined
        with the next one, the last with those before it
    within : (K,) cells are merged only inside the same value (of a stratum), None = anywhere

    Raises
    ------
    NoRespondents
        All cells of a ``within`` together have fewer than ``least`` respondents.
    BadWeights, and ValueError for a cell without a label.

    Notes
    -----
    Kalton & Flores-Cervantes (2003).  Removes the bias only so far as those who answered and
    those who did not are alike inside a cell.  Comes before calibration.
    """
    size = len(labels)
    if cell.size and not 0 <= cell.min() <= cell.max() < size:
        raise ValueError("a cell outside the labels")
    refuse_bad(weight)
    inside = np.zeros(size, dtype=np.int64) if within is None else within
    persons = np.bincount(cell, minlength=size)
    groups = _groups(np.bincount(cell[responded], minlength=size), persons, inside, labels, least)
    of = np.empty(size, dtype=np.int64)
    for k, members in enumerate(groups):
        of[members] = k
    asked = np.bincount(of[cell], weight)
    answered = np.bincount(of[cell[responded]], weight[responded], minlength=asked.size)
    factor = np.where(persons > 0, (asked / np.where(answered > 0, answered, 1.0))[of], 1.0)
    after = np.where(responded, weight * factor[cell], 0.0)
    return Adjusted(
        weight=after,
        factor=factor,
        merged=tuple(tuple(labels[k] for k in group) for group in groups if len(group) > 1),
        before=kish(weight[responded]),
        after=kish(after[responded]),
    )


def _groups(
    respondents: Ints, persons: Ints, within: Ints, labels: Sequence[str], least: int
) -> list[list[int]]:
    """Cells to be adjusted together, each with enough respondents; cells of nobody stand alone."""
    groups: list[list[int]] = [[int(k)] for k in np.flatnonzero(persons == 0)]
    for place in dict.fromkeys(within.tolist()):
        done: list[list[int]] = []
        waiting: list[int] = []
        for k in np.flatnonzero((within == place) & (persons > 0)).tolist():
            waiting.append(k)
            if respondents[waiting].sum() >= least:
                done.append(waiting)
                waiting = []
        if waiting and not done:
            raise NoRespondents(tuple(labels[k] for k in waiting))
        if waiting:
            done[-1].extend(waiting)
        groups += done
    return groups


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How the persons drawn were met: final disposition codes of AAPOR, in persons.

    Eligible: ``complete`` and ``partial`` interviews, ``refused``, ``no_contact``, ``other``;
    ``unknown`` whether eligible; ``ineligible``.  Raises BadOutcomes.
    """

    complete: int
    partial: int = 0
    refused: int = 0
    no_contact: int = 0
    other: int = 0
    unknown: int = 0
    ineligible: int = 0

    def __post_init__(self) -> None:
        if any(getattr(self, field.name) < 0 for field in fields(self)):
            raise BadOutcomes("a count of persons is below 0")
        if self.known + self.unknown == 0:
            raise BadOutcomes("nobody who could have answered")

    @property
    def known(self) -> int:
        """Persons known to be eligible."""
        return self.complete + self.partial + self.refused + self.no_contact + self.other

    @property
    def eligible_share(self) -> float:
        """``e`` of AAPOR: share of eligible persons among those whose eligibility is known
        (the proportional or CASRO method); 1 when it is known of nobody, the cautious end.
        """
        settled = self.known + self.ineligible
        return self.known / settled if settled else 1.0

    @property
    def rr1(self) -> float:
        """Response rate 1, the lowest: every unknown person counts as eligible (AAPOR 2023)."""
        return self.complete / (self.known + self.unknown)

    def rr3(self, e: float | None = None) -> float:
        """Response rate 3: a share ``e`` of the unknown is eligible (None = ``eligible_share``).

        Raises BadOutcomes: ``e`` outside 0..1, or nobody left who could have answered.
        """
        share = self.eligible_share if e is None else e
        if not 0 <= share <= 1:
            raise BadOutcomes(f"the share of eligible persons is not within 0..1: {share}")
        base = self.known + share * self.unknown
        if base == 0:
            raise BadOutcomes("nobody who could have answered")
        return self.complete / base
