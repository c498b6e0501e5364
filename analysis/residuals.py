"""What calibration takes out of the error: the part of the answers that its margins explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.design import Floats, Ints
from analysis.tally import Codes, Folder, Layout, Tally
from analysis.weights.calibrate import solve

#: Linearised totals (c, q) of cells of which each has its domain (c,).
Linear = Callable[[Tally, Ints], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """The respondents (n,) behind calibrated weights, and the margins they were fitted to.

    ``cell`` (n,) of the tally each is counted in, ``psu`` (n,) of the design, ``start`` weights
    before calibration and final ``weight``, ``codes`` (n, J) of the items in ``layout``;
    ``kind`` (n,) the combination of categories, with its ``dummies`` (K, M).
    """

    cell: Ints
    psu: Ints
    start: Floats
    weight: Floats
    codes: Codes
    kind: Ints
    dummies: Floats
    layout: Layout

    def fitted(self, part: Ints, n_parts: int, n_psu: int, linear: Linear) -> Floats:
        """Totals (D, P, q) of what the margins explain of u in each PSU.

        ``part`` (c,) domain of each cell of the tally, -1 for none.  u is the linearised value
        with the ratios of the final weights, 0 outside its domain; its regression on the dummies
        is by the START weights over the whole sample, its totals by the final ones (Deville &
        Särndal 1992; equal to R's ``calibrate``, as ``Calibration.project``).
        """
        x, kinds = self.dummies, self.dummies.shape[0]
        of = part[self.cell]
        inside = of >= 0
        keys, cell = np.unique(of[inside] * kinds + self.kind[inside], return_inverse=True)
        folder = Folder(self.layout)
        folder.add(cell, self.start[inside], self.codes[inside])
        tally = folder.tally(np.zeros(keys.size, dtype=np.int64))
        totals = linear(tally, keys // kinds)
        moved = np.zeros((n_parts, kinds, totals.shape[1]))
        moved[keys // kinds, keys % kinds] = totals
        mass = np.bincount(self.kind, self.start, minlength=kinds)
        right = np.tensordot(x, moved, (0, 1))  # (M, D, q)
        slopes = solve(x.T @ (mass[:, None] * x), right.reshape(x.shape[1], -1))
        final = np.bincount(self.psu * kinds + self.kind, self.weight, minlength=n_psu * kinds)
        fitted = (final.reshape(n_psu, kinds) @ x) @ slopes
        return np.moveaxis(fitted.reshape(n_psu, n_parts, -1), 0, 1)


def dummies(labels: list[str], between: str) -> Floats:
    """Indicators (K, M) of the categories in each label, margin by margin; none in an empty one."""
    rows = [label.split(between) if label else [] for label in labels]
    places: dict[tuple[int, str], int] = {}
    for row in rows:
        for at, category in enumerate(row):
            places.setdefault((at, category), len(places))
    found = np.zeros((len(rows), len(places)))
    for k, row in enumerate(rows):
        found[k, [places[at, category] for at, category in enumerate(row)]] = 1.0
    return found
