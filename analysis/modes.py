"""The mode effect: how two ways of asking differ inside matched cells, shown and never adjusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from analysis.design import Bools, Design, Floats, Ints
from analysis.estimate import LOW_DF

#: PSUs of each mode that a matched cell needs: one PSU alone shows no spread.
MIN_PSUS = 2


class NoMatchedCell(ValueError):
    """No cell holds both modes; ``cells`` is the number of cells looked at."""

    def __init__(self, cells: int) -> None:
        super().__init__(f"none of the {cells} cells holds {MIN_PSUS} PSUs of both modes")
        self.cells = cells


@dataclass(frozen=True, slots=True)
class Difference:
    """Second mode less first mode, on the scale of the points (-1..1 for shares).

    ``se``, ``low`` and ``high`` are None when the sample shows no error of the difference:
    flag ``no_variance`` (everybody gave the same answer) or ``no_df``; ``low_df`` below 8.
    """

    value: float
    se: float | None
    low: float | None
    high: float | None
    df: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ModeEffect:
    """Differences of two modes with equal cells.

    ``overall`` is standardised to the first mode's weights; ``cells`` (g,) labels of the
    matched cells, ``each`` (g,) their differences, ``share`` (g,) their part in ``overall``,
    adding to 1.  ``first``, ``second``: the two standardised values.  ``unmatched`` cells are
    left out; ``matched_first`` and ``matched_second`` are the shares 0..1 of each mode's weight
    that the matched cells hold.
    """

    overall: Difference
    first: float
    second: float
    cells: Ints
    each: tuple[Difference, ...]
    share: Floats
    unmatched: int
    matched_first: float
    matched_second: float


@dataclass(frozen=True, slots=True, eq=False)
class _Half:
    """One mode in g cells: ``parts`` (P, g), ``weight`` (g,) Σw, ``value`` (g,), ``z`` (P, g)."""

    parts: Floats
    weight: Floats
    value: Floats
    z: Floats


def mode_effect(
    design: Design,
    psu: Ints,
    cell: Ints,
    second: Bools,
    *,
    weight: Floats,
    points: Floats,
    level: float = 0.95,
) -> ModeEffect:
    """Difference of two modes inside cells alike in unit, age, sex or what the labels say.

    Parameters
    ----------
    design : one design over the PSUs of both modes (counter-days are PSUs of strata of their own)
    psu : (c,) index of the PSU in ``design``
    cell : (c,) label >= 0 of the matched cell
    second : (c,) True for the second mode, False for the first
    weight, points : (c,) Σw and Σwx of the persons who answered.  An entry may be one person or
        any fold of persons of one PSU, cell and mode: a column of a tally's ``moments`` serves

    Raises
    ------
    NoMatchedCell
        No cell with answers in at least two PSUs of each mode.

    Notes
    -----
    d_g = R_g2 - R_g1 and D = Σ a_g d_g with a_g = A_g1 / Σ A_g1: direct standardisation to the
    first mode, so that the result depends on neither mode's scale of weights.  Linearised as a
    function of cell totals, a_g included (Woodruff 1971; Särndal, Swensson & Wretman 1992,
    ch. 5), both modes on one PSU list: villages asked in both ways bring their covariance.
    Student t interval, df of the design's PSUs with matched members.
    Memory is PSUs x cells: take a country province by province.
    A difference is of who answers by the mode as well as of the mode, unless the mode was
    assigned at random: cells match only what they name.
    """
    shape = (design.n_psu, int(cell.max(initial=-1)) + 1)
    both = _matched(shape, psu, cell, second, weight)
    if not both.any():
        raise NoMatchedCell(int(np.unique(cell).size))
    inside = both[cell]
    labels = np.flatnonzero(both)
    code = np.cumsum(both)[cell] - 1
    one, two = (
        _half((design.n_psu, labels.size), psu[m], code[m], weight[m], points[m])
        for m in (inside & ~second, inside & second)
    )
    share = one.weight / one.weight.sum()
    difference = two.value - one.value
    z = two.z - one.z
    overall = float(share @ difference)
    # The shares are estimated too: the first mode's cell totals times what each cell adds.
    joint = z @ share + one.parts @ (difference - overall) / one.weight.sum()
    present = (one.parts > 0) | (two.parts > 0)
    return ModeEffect(
        overall=_difference(design, overall, joint, np.asarray(present.any(axis=1)), level),
        first=float(share @ one.value),
        second=float(share @ two.value),
        cells=labels,
        each=tuple(
            _difference(design, float(difference[g]), z[:, g], present[:, g], level)
            for g in range(labels.size)
        ),
        share=share,
        unmatched=int(np.unique(cell[weight > 0]).size - labels.size),
        matched_first=float(one.weight.sum() / weight[~second].sum()),
        matched_second=float(two.weight.sum() / weight[second].sum()),
    )


def _matched(shape: tuple[int, int], psu: Ints, cell: Ints, second: Bools, weight: Floats) -> Bools:
    """Cells (G,) with answers in enough PSUs of each mode."""
    both = np.ones(shape[1], dtype=bool)
    for mode in (~second, second):
        rows = mode & (weight > 0)
        pairs = np.unique(cell[rows] * shape[0] + psu[rows])
        both &= np.bincount(pairs // shape[0], minlength=shape[1]) >= MIN_PSUS
    return both


def _totals(shape: tuple[int, int], psu: Ints, code: Ints, values: Floats) -> Floats:
    """Sums (P, g) of ``values`` by PSU and cell."""
    flat = np.bincount(psu * shape[1] + code, values, minlength=shape[0] * shape[1])
    return np.asarray(flat.reshape(shape), dtype=np.float64)


def _half(shape: tuple[int, int], psu: Ints, code: Ints, weight: Floats, points: Floats) -> _Half:
    a, y = _totals(shape, psu, code, weight), _totals(shape, psu, code, points)
    total = a.sum(axis=0)
    value = y.sum(axis=0) / total
    return _Half(a, total, value, (y - value * a) / total)


def _difference(
    design: Design, value: float, z: Floats, present: Bools, level: float
) -> Difference:
    df = design.df(present)
    variance = float(design.covariance(z[:, None], present)[0, 0]) if df >= 1 else 0.0
    if df < 1:
        return Difference(value, None, None, None, df, ("no_df",))
    if variance <= 1e-30:
        return Difference(value, None, None, None, df, ("no_variance",))
    se = variance**0.5
    half = float(stdtrit(df, (1 + level) / 2)) * se
    flags = ("low_df",) if df < LOW_DF else ()
    return Difference(value, se, max(-1.0, value - half), min(1.0, value + half), df, flags)
