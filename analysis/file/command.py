"""``sipas estimate``: figures of any file of answers, so that anybody can check the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import stdtrit

from analysis import compare
from analysis.design import Floats
from analysis.estimate import Estimate
from analysis.file import output
from analysis.file import plan as plans
from analysis.file.faults import BadInput
from analysis.file.plan import Ranking
from analysis.file.study import Study, study
from analysis.file.table import opened_table
from analysis.index import BadIndex, scheme
from analysis.ranks import rank_sets

__all__ = ["BadInput", "run"]


def run(design: Path, data: Path, tell: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Estimate DATA.csv as DESIGN.toml says; the result is plain data for OUT.json.

    Every value is a share 0..1, whatever the index, with 15 significant digits; what is not
    known is None with a flag, never NaN.  ``tell`` hears how many bytes of DATA.csv are read.

    Raises
    ------
    BadInput
        Faults of either file, each with its place, in Vietnamese; nothing is estimated then.
    """
    plan = plans.load(design)
    try:
        layout = scheme(
            plan.items, plan.factors, plan.areas, aggregate=plan.aggregate, weights=plan.weights
        )
    except BadIndex as fault:
        raise BadInput([f"{design.name}: [weights]: {fault}"]) from fault
    with opened_table(data, plan, tell) as table:
        _check_levels(plan.difference, "difference", table.names, data.name)
        _check_levels(plan.ranking.by if plan.ranking else None, "ranks", table.names, data.name)
        found = study(table, layout, design.name)
    return {
        "design": output.summary(found),
        "estimates": [
            output.figure(domain, figure)
            for domain, figures, _ in output.domains(found)
            for figure in figures
        ],
        "covariance": output.covariance(found),
        "differences": _differences(found) if plan.difference else [],
        "ranks": _ranks(found, plan.ranking, data.name) if plan.ranking else [],
        "weights": output.weights(found),
        "calibration": output.calibration(found),
        "replicates": output.replicates(found),
    }


def _check_levels(
    column: str | None, section: str, names: dict[str, tuple[str, ...]], file: str
) -> None:
    if column is not None and len(names[column]) < 2:
        wrong = f"[{section}] cần ít nhất hai giá trị, ở đây chỉ có «{names[column][0]}»"
        raise BadInput([f"{file}: cột «{column}»: {wrong}"])


def _differences(found: Study) -> list[dict[str, Any]]:
    by = found.plan.difference
    assert by is not None
    of = found.domains[by]
    assert of.pair is not None
    made = compare.domains(*of.pair, level=found.plan.level)
    return output.differences(by, of.labels, made)


def _ranks(found: Study, how: Ranking, file: str) -> list[dict[str, Any]]:
    """Places of the units whose figure has a sampling error; the others stand below, unranked."""
    of, at, design = found.domains[how.by], found.scheme.names.index(how.of), found.table.design
    assert of.z is not None
    if design.census:  # a place says something of the years to come, for which all is a sample
        design = replace(design, fraction=np.zeros_like(design.fraction))
    figures = [figures[at] for figures in of.figures]
    can = [d for d, f in enumerate(figures) if None not in (f.value, f.se) and f.df > 0]
    if len(can) < 2:
        wrong = "[ranks] cần ít nhất hai đơn vị có sai số (mỗi đơn vị từ hai đơn vị mẫu trở lên)"
        raise BadInput([f"{file}: cột «{how.by}»: {wrong}"])
    values = np.array([figures[d].value for d in can], dtype=np.float64)
    joint = design.covariance(of.z[:, can])
    own = np.diag_indices(len(can))
    joint[own] = np.maximum(joint[own], _least([figures[d] for d in can], found.plan.level))
    # Bonferroni is the reference's normal quantile; draws can also carry how few villages know.
    df = np.array([figures[d].df for d in can]) if how.method == "max_t" else None
    sets = rank_sets(values, joint, level=found.plan.level, kind=how.kind, method=how.method, df=df)
    places = zip(sets.rank.tolist(), sets.low.tolist(), sets.high.tolist(), strict=True)
    rows = dict(zip(can, places, strict=True))
    return [
        {"unit": label, "rank": rank, "low": low, "high": high,
         "flags": [] if d in rows else ["not_ranked"]}
        for d, label in enumerate(of.labels)
        for rank, low, high in [rows.get(d, (None, None, None))]
    ]  # fmt: skip


def _least(figures: Sequence[Estimate], level: float) -> Floats:
    """Variance behind the interval of a unit at 0 or 100 %, whose own variance is 0."""
    least = np.zeros(len(figures))
    for u, f in enumerate(figures):
        if f.se == 0 and f.value is not None and f.low is not None and f.high is not None:
            reach = max(f.value - f.low, f.high - f.value)
            least[u] = (reach / float(stdtrit(f.df, (1 + level) / 2))) ** 2
    return least
