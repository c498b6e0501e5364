"""A wave made ready for estimation: its items, its index and its sample."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis import publish
from analysis.design import Floats, Ints, build
from analysis.estimate import Estimate, Estimates, estimate
from analysis.index import Scheme, scheme
from analysis.reader import Rows, Wave
from analysis.results import DesignSummary, Figure, Kind
from analysis.tally import Sample, sample
from forms.questionnaire import Item, Questionnaire

#: Lines of "Câu 8" that mean: dealt with a procedure at the centre or at the point.
EXPERIENCE = ("c8.3", "c8.4")
SERVICE_AREA = "II"


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A wave with its answers; ``sample`` is None while there are none.

    ``weight`` (n,) of the rows: persons represented, 1 each when self-selected.  ``base`` is
    the base that was used: ``experienced`` only where the questionnaire asks for experience.
    """

    wave: Wave
    questionnaire: Questionnaire
    scheme: Scheme
    sample: Sample | None
    weight: Floats
    base: str

    @property
    def sampled(self) -> bool:
        """Whether sampling error may be claimed."""
        return self.wave.kind == "probability"

    def estimates(self, rows: Ints, *, items: bool = True) -> Estimates | None:
        """Estimates of the domain ``rows`` (indices), None when it is empty."""
        if self.sample is None or rows.size == 0:
            return None
        return estimate(
            self.sample,
            self.scheme,
            self.wave.index_method,
            rows=None if rows.size == self.weight.size else rows,
            interval=self.wave.interval,
            level=self.wave.level,
            items=items,
        )

    def composites(self, rows: Ints) -> Estimates | None:
        """Areas, factors and the total only."""
        return self.estimates(rows, items=False)

    def figures(self, estimates: Estimates | None) -> tuple[Figure, ...]:
        """Estimates as they are printed; without any, figures that say "no answer"."""
        return publish.figures(
            self.questionnaire,
            estimates.figures if estimates else self._nothing(),
            sampled=self.sampled,
            min_n=self.wave.min_n,
            hide_n=self.wave.hide_n,
        )

    def summary(self, rows: Ints, estimates: Estimates | None) -> DesignSummary | None:
        """The sample behind a domain; None for self-selected answers."""
        if not self.sampled or self.sample is None or estimates is None:
            return None
        design, present = self.sample.design, estimates.present
        strata = np.unique(design.stratum[present])
        mine = {design.labels[h] for h in strata}
        return DesignSummary(
            n=int(rows.size),
            n_psu=int(present.sum()),
            n_strata=int(strata.size),
            df=design.df(present),
            weight_sum=float(self.weight[rows].sum()),
            fpc=design.fpc,
            lonely=tuple(label for label in design.lonely_strata if label in mine),
        )

    def _nothing(self) -> list[Estimate]:
        items = [_unanswered("item", id) for id in self.scheme.items]
        pairs = zip(self.scheme.kinds, self.scheme.ids, strict=True)
        return items + [_unanswered(kind, id) for kind, id in pairs]


def _unanswered(kind: Kind, id: str) -> Estimate:
    none = (None,) * 7
    return Estimate(kind, id, 0, *none, 0, None, ("no_answer",))


def study(wave: Wave, questionnaire: Questionnaire, rows: Rows) -> Study:
    """Lay out the index of a wave and take its rows in.

    Raises BadIndex (weights that do not fit), BadDesign (a sample that contradicts itself).
    """
    items = _items(questionnaire)
    inside = {item.id for item in items}
    layout = scheme(
        [item.id for item in items],
        {f.id: [id for id in f.items if id in inside] for f in questionnaire.factors},
        {area.id: area.factors for area in questionnaire.areas},
        aggregate=wave.aggregate,
        weights=wave.weights,
    )
    codes, base = _codes(wave, questionnaire, items, rows)
    n = rows.seq.size
    weight = np.ones(n) if rows.drawn is None else rows.drawn.weight
    if n == 0:
        return Study(wave, questionnaire, layout, None, weight, base)
    if rows.drawn is None:
        nowhere = np.zeros(n, dtype=np.int64)
        design = build(nowhere, nowhere, weight, lonely="remove")
    else:
        drawn = rows.drawn
        design = build(drawn.stratum, drawn.psu, weight, drawn.fpc, lonely=wave.lonely)
        labels = tuple(drawn.strata[int(label)] for label in design.labels)
        design = replace(design, labels=labels)
    taken = sample(design, codes, questionnaire.index_scale)
    return Study(wave, questionnaire, layout, taken, weight, base)


def _items(questionnaire: Questionnaire) -> list[Item]:
    """Scored items, and scales of the same length that stand beside the index."""
    size = questionnaire.index_scale
    return [
        item
        for item in questionnaire.items
        if item.factor or (item.kind == "scale" and len(item.choices) == size)
    ]


def _codes(
    wave: Wave, questionnaire: Questionnaire, items: list[Item], rows: Rows
) -> tuple[NDArray[np.uint8], str]:
    """Codes (n, J) of the items, with the base the wave asks for."""
    place = {column.id: c for c, column in enumerate(questionnaire.columns)}
    codes = rows.codes[:, [place[item.id] for item in items]]
    asked = [place[id] for id in EXPERIENCE if id in place]
    if wave.base != "experienced" or not asked:
        return codes, "ask_all"
    outside = ~(rows.codes[:, asked] == 1).any(axis=1)
    factors = {f.id for f in questionnaire.factors if f.area == SERVICE_AREA}
    service = np.array([item.factor in factors for item in items])
    return np.where(outside[:, None] & service, np.uint8(0), codes), "experienced"
