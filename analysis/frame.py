"""What a wave's answers are folded by: its items, its composites, its base."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from analysis.index import Scheme, scheme
from analysis.reader import Wave
from analysis.tally import Codes, Layout, layout
from forms.questionnaire import NO_ANSWER, Item, Questionnaire

#: Lines of "Câu 8" that mean: dealt with a procedure at the centre or at the point.
EXPERIENCE = ("c8.3", "c8.4")
SERVICE_AREA = "II"
#: Another number when stored tallies would mean something else.
VERSION = 2


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """``layout`` counts every closed column of the questionnaire; ``base`` is what was used:
    ``experienced`` only where the questionnaire asks for experience."""

    questionnaire: Questionnaire
    scheme: Scheme
    layout: Layout
    base: str
    _asked: tuple[int, ...]
    _service: tuple[int, ...]

    def codes(self, packed: Codes) -> Codes:
        """Codes (n, K) of the columns with what is outside the base taken out."""
        if self.base != "experienced":
            return packed
        outside = ~(packed[:, self._asked] == 1).any(axis=1)
        codes = packed.copy()
        codes[np.ix_(outside, self._service)] = 0
        return codes


def frame(wave: Wave, questionnaire: Questionnaire) -> Frame:
    """Lay out the items and composites of a wave; raises BadIndex for weights that do not fit.

    Items are the scored ones, and scales of the same length that stand beside the index.
    """
    size = questionnaire.index_scale
    items = [
        item
        for item in questionnaire.items
        if item.factor or (item.kind == "scale" and len(item.choices) == size)
    ]
    inside = {item.id for item in items}
    tree = scheme(
        [item.id for item in items],
        {f.id: [id for id in f.items if id in inside] for f in questionnaire.factors},
        {area.id: area.factors for area in questionnaire.areas},
        aggregate=wave.aggregate,
        weights=wave.weights,
    )
    columns = questionnaire.columns
    place = {column.id: c for c, column in enumerate(columns)}
    slots = layout(
        tree,
        wave.index_method,
        size,
        widths=[max(column.codes - {NO_ANSWER}) for column in columns],
        items=[place[item.id] for item in items],
    )
    asked = tuple(place[id] for id in EXPERIENCE if id in place)
    base = "experienced" if wave.base == "experienced" and asked else "ask_all"
    service = tuple(place[item.id] for item in items if _service(questionnaire, item))
    return Frame(questionnaire, tree, slots, base, asked, service)


def _service(questionnaire: Questionnaire, item: Item) -> bool:
    return item.factor in {f.id for f in questionnaire.factors if f.area == SERVICE_AREA}


def rule(wave: Wave) -> str:
    """A digest of all that stored tallies of the wave depend on beside its answers."""
    facts = (VERSION, wave.questionnaire, wave.kind, wave.index_method, wave.aggregate,
             sorted(wave.weights.items()), wave.base)  # fmt: skip
    return sha256(repr(facts).encode()).hexdigest()
