"""The persons behind a wave's cells, one row each: for domains that cut through villages."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

import numpy as np

from analysis import reader
from analysis.design import Bools, Floats, Ints
from analysis.folds import KEPT
from analysis.residuals import Regression
from analysis.study import Study
from analysis.tally import Codes, Layout


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Kept answers (n,) of a wave: ``codes`` (n, columns), ``psu`` (n,) of the design, ``weight``.

    ``inside`` (n,) marks those of the scope; ``fitted`` is the regression of a wave whose weights
    were fitted to margins, over the same persons in the same order.
    """

    codes: Codes
    psu: Ints
    weight: Floats
    inside: Bools
    fitted: Regression | None = None

    def regression(self, cell: Ints, of: Layout) -> Regression | None:
        """The regression for a tally in which these persons lie in ``cell`` (n,)."""
        return None if self.fitted is None else replace(self.fitted, cell=cell, layout=of)


def people(db: sqlite3.Connection, ready: Study, of: Ints) -> People:
    """Read the answers of a wave; those in the cells ``of`` are inside.

    The persons of a calibrated wave come from its roster: its error is that of residuals over
    the whole sample, so all of them are needed whatever the scope.
    """
    if ready.tally is None:
        raise ValueError("no answers")
    cell = {
        (key.psu, key.channel, key.flagged): c for c, key in enumerate(ready.answers.cells.keys)
    }
    roster, width = ready.roster, len(ready.questionnaire.columns)
    codes = [np.zeros((0, width), dtype=np.uint8)]
    cells, weight = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    if roster is not None:
        flagged = (state == "flagged" for state in roster.state)
        keys = zip(roster.psu, roster.channel, flagged, strict=True)
        at = np.array([cell.get(key, -1) for key in keys], dtype=np.int64)
        codes, cells, weight = [roster.codes[at >= 0]], [at[at >= 0]], [roster.weight[at >= 0]]
    for state in KEPT if roster is None else ():
        numbers = (0, reader.last(db, ready.wave.key))
        for block in reader.blocks(db, ready.wave, width, state, numbers, dated=False):
            pairs = zip(block.psu, block.channel, strict=True)
            at = np.array([cell.get((*pair, state == "flagged"), -1) for pair in pairs])
            codes.append(block.codes[at >= 0])
            cells.append(at[at >= 0])
            weight.append(block.weight[at >= 0])
    lie = np.concatenate(cells).astype(np.int64)
    mine = np.zeros(len(cell), dtype=bool)
    mine[of] = True
    return People(
        codes=np.concatenate(codes),
        psu=ready.tally.psu[lie],
        weight=np.concatenate(weight),
        inside=mine[lie],
        fitted=ready.regression,
    )
