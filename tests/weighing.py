"""The reference case v1_base as its weights see it: margins, and figures with given weights."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from oracle import FACTORS, FOLDER, ITEMS, columns

from analysis.design import Sample, build
from analysis.weights.calibrate import Margin, margin

Floats = NDArray[np.float64]
DESIGNS = ("fpc", "nofpc")
FIGURES = {"score_c05": "mean", "top2_c05": "p", "composite": "est"}


def facts() -> dict[str, Floats]:
    return columns("v1_base")


def drawn(kind: str = "fpc") -> Sample:
    found = facts()
    fpc = found["fpc"] if kind == "fpc" else None
    return build(found["stratum"], found["psu"], found["w"], fpc)


def margins() -> list[Margin]:
    known = json.loads((FOLDER / "v1_base" / "data.meta.json").read_text("utf-8"))["margins"]
    return [margin(name, facts()[name].astype(int), known[name]) for name in known]


def multipliers(kind: str) -> Floats:
    """R's bootstrap factors (200, 60): in the file a row is a PSU, headed by its number."""
    path = FOLDER / "v1_base" / f"raowu_psu_factors_{kind}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = sorted((int(row[0]), row[1:]) for row in csv.reader(file))
    return np.array([row for _, row in rows], dtype=np.float64).T


def figures(
    sample: Sample, weight: Floats, project: Callable[[Floats], Floats]
) -> dict[str, tuple[float, float]]:
    """Estimate and error with final ``weight``; ``project`` turns u (n, J) into totals (n, J)."""
    answers = np.stack([facts()[item] for item in ITEMS], axis=1)
    given = answers > 0
    found = {}
    for name, x in (("score", (answers - 1) * 25), ("top2", (answers >= 4) * 1.0)):
        base = weight @ given
        ratio = weight @ (x * given) / base
        totals = project((x - ratio) * given / base)
        z = [np.bincount(sample.psu, each, minlength=sample.design.n_psu) for each in totals.T]
        v = sample.design.covariance(np.stack(z, axis=1))
        found[f"{name}_c05"] = float(ratio[4]), float(v[4, 4] ** 0.5)
    mean = np.concatenate([np.full(len(items), 0.2 / len(items)) for items in FACTORS.values()])
    found["composite"] = float(mean @ ratio), float((mean @ v @ mean) ** 0.5)
    return found
