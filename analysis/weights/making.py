"""Final weights of a sample: nonresponse, calibration, trimming, with a report on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from analysis.design import Bools, Floats, Ints
from analysis.weights.calibrate import Calibration, Margin, calibrate, thin_cells
from analysis.weights.nonresponse import Adjusted, adjust
from analysis.weights.trim import Trimmed, cap_by_median, kish, trim

#: Label of persons who left the question of a margin blank, what parts labels of margins, and
#: the label of everybody where there is no margin: only who has no weight yet has none.
BLANK, BETWEEN, ALONE = "?", "|", "."


@dataclass(frozen=True, slots=True)
class Settings:
    """How weights are made.

    ``cells`` in which respondents stand for those who did not answer: ``psu``, ``stratum``,
    ``unit`` or ``none``; cells with fewer than ``least`` respondents are merged, inside their
    stratum where they are PSUs.  ``method`` of calibration with its ``bounds``, "" for none;
    ``cap`` times the median is the largest weight, 0 for no trimming; ``rescale`` scales every
    margin to the total of the first.
    """

    cells: str = "psu"
    least: int = 1
    method: str = "rake"
    bounds: tuple[float, float] = (0.5, 2.0)
    cap: float = 5.0
    rescale: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Eligible persons drawn (n,): ``base`` weights, who ``responded``, ``cell`` of nonresponse
    as an index into ``labels`` (K,), merged only ``within`` (K,) the same value."""

    base: Floats
    responded: Bools
    cell: Ints
    labels: Sequence[str]
    within: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A margin of the respondents (r,): their ``values``, BLANK where none, and its targets."""

    name: str
    values: Sequence[str]
    targets: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Of each respondent (r,): weight after nonresponse, final weight, and categories of all
    margins as one label; ``report`` is plain data."""

    start: Floats
    weight: Floats
    cell: tuple[str, ...]
    report: dict[str, Any]


def make(drawn: Drawn, margins: Sequence[Known], how: Settings) -> Made:
    """Adjust, calibrate and trim.

    Persons who left a margin blank keep the share of the weights they have: the category BLANK
    gets that share of the total, the others are scaled down to the rest.

    Raises NoRespondents, CannotCalibrate (with its kinds), CapTooTight.

    Notes
    -----
    Order of Kalton & Flores-Cervantes (2003).  Trimming keeps the totals of the margins.
    """
    adjusted = adjust(
        drawn.base, drawn.responded, drawn.cell, drawn.labels, within=drawn.within, least=how.least
    )
    start = adjusted.weight[drawn.responded]
    report: dict[str, Any] = {"nonresponse": _nonresponse(drawn, adjusted)}
    made: Calibration | None = None
    weight = start
    if margins and how.method:
        given = [_margin(each, start) for each in margins]
        made = calibrate(start, given, method=how.method, bounds=how.bounds, rescale=how.rescale)
        weight = made.weight
        report["calibration"] = _calibration(made)
    if how.cap:
        cut = trim(weight, cap_by_median(weight, how.cap), margins=made.margins if made else ())
        report["trimming"] = _trimming(cut, weight)
        weight = cut.weight if cut.rounds else weight
    if made is not None:
        report["margins"] = _reached(made, weight)
    report["weights"] = _weights(drawn.base[drawn.responded], start, weight)
    cells = zip(*(each.values for each in margins), strict=True) if made else ()
    labels = tuple(BETWEEN.join(row) for row in cells) if made else (ALONE,) * start.size
    return Made(start, weight, labels, report)


def _margin(known: Known, start: Floats) -> Margin:
    """The margin with a category for blanks where there are any."""
    values = np.array(known.values)
    targets = dict(known.targets)
    blank = values == BLANK
    if blank.any() and BLANK not in targets:
        share = float(start[blank].sum() / start.sum())
        total = sum(targets.values())
        targets = {label: target * (1 - share) for label, target in targets.items()}
        targets[BLANK] = total * share
    place = {label: k for k, label in enumerate(targets)}
    codes = np.array([place[value] for value in known.values], dtype=np.int64)
    return Margin(known.name, codes, tuple(targets), np.array(list(targets.values())))


def _nonresponse(drawn: Drawn, found: Adjusted) -> dict[str, Any]:
    used = found.factor[np.unique(drawn.cell)] if drawn.cell.size else np.ones(1)
    return {
        "eligible": int(drawn.base.size),
        "responded": int(drawn.responded.sum()),
        "cells": int(np.unique(drawn.cell).size),
        "merged": [list(group) for group in found.merged],
        "factor_min": float(used.min()),
        "factor_max": float(used.max()),
        "kish_before": found.before,
        "kish_after": found.after,
    }


def _calibration(made: Calibration) -> dict[str, Any]:
    """Thin categories are judged when the weights already add to the whole population."""
    scale = made.weight.sum() / made.start.sum()
    whole = replace(made, start=made.start * scale, g=made.g / scale)
    return {
        "method": made.method,
        "cycles": made.cycles,
        "error": made.error,
        "factor_min": float(made.g.min()),
        "factor_max": float(made.g.max()),
        "kish_before": kish(made.start),
        "kish_after": kish(made.weight),
        "thin": [asdict(cell) for cell in thin_cells(whole) if cell.category != BLANK],
    }


def _trimming(cut: Trimmed, before: Floats) -> dict[str, Any]:
    return {
        "cap": cut.cap,
        "largest": float(before.max()),
        "capped": cut.capped,
        "rounds": cut.rounds,
        "moved": cut.moved,
        "kish_before": cut.kish_before,
        "kish_after": cut.kish_after,
    }


def _reached(made: Calibration, weight: Floats) -> list[dict[str, Any]]:
    rows = []
    for each in made.margins:
        size = len(each.labels)
        n = np.bincount(each.codes, minlength=size)
        before = np.bincount(each.codes, made.start, minlength=size)
        after = np.bincount(each.codes, weight, minlength=size)
        rows += [
            {"margin": each.name, "category": label, "n": int(n[k]),
             "target": float(each.targets[k]), "before": float(before[k]),
             "after": float(after[k])}
            for k, label in enumerate(each.labels)
        ]  # fmt: skip
    return rows


def _weights(base: Floats, start: Floats, weight: Floats) -> dict[str, Any]:
    return {
        "sum_base": float(base.sum()),
        "sum_start": float(start.sum()),
        "sum": float(weight.sum()),
        "least": float(weight.min()),
        "median": float(np.median(weight)),
        "most": float(weight.max()),
        "kish_base": kish(base),
        "kish": kish(weight),
    }
