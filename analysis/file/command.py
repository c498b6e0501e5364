"""``sipas estimate``: figures of any file of answers, so that anybody can check the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from analysis.design import Design, Floats, Ints, build
from analysis.estimate import Estimate, Estimates, estimate
from analysis.file import plan as plans
from analysis.file import table as tables
from analysis.file.plan import BadInput, Plan
from analysis.file.table import Table
from analysis.index import Scheme, scheme
from analysis.ranks import rank_sets
from analysis.tally import Sample, sample

__all__ = ["BadInput", "run"]

DIGITS = 15


def run(design: Path, data: Path) -> dict[str, Any]:
    """Estimate DATA.csv as DESIGN.toml says; the result is plain data for OUT.json.

    Every value is a share 0..1, whatever the index, with 15 significant digits; what is not
    known is None with a flag, never NaN.

    Raises
    ------
    BadInput
        Faults of either file, each with its place, in Vietnamese; nothing is estimated then.
    """
    plan = plans.load(design)
    table = tables.load(data, plan)
    drawn = _design(plan, table, data.name)
    study = sample(drawn, table.levels, plan.levels)
    layout = scheme(plan.items, plan.factors, aggregate=plan.aggregate)
    whole = _estimate(study, layout, plan, None)
    domains: list[tuple[dict[str, str] | None, Estimates]] = [(None, whole)]
    for column in plan.by:
        domains += [
            ({column: name}, _estimate(study, layout, plan, rows))
            for name, rows in _domains(table, column)
        ]
    return {
        "design": _summary(plan, drawn, whole),
        "estimates": [
            _figure(domain, figure) for domain, found in domains for figure in found.figures
        ],
        "covariance": _covariance(layout, whole),
        "differences": [],
        "ranks": _ranks(study, layout, plan, table) if plan.ranking else [],
        "weights": {
            "sum": _number(table.weight.sum()),
            "sum_squares": _number(table.weight @ table.weight),
            "min": _number(table.weight.min()),
            "max": _number(table.weight.max()),
        },
    }


def _design(plan: Plan, table: Table, name: str) -> Design:
    strata, psus = table.labels[plan.stratum], table.labels[plan.psu]
    labels = np.array(strata.names)[strata.codes]
    design = build(labels, psus.codes, table.weight, table.fpc, lonely=plan.lonely)
    if plan.lonely == "fail" and design.lonely_strata:
        lonely = ", ".join(f"«{label}»" for label in design.lonely_strata)
        raise BadInput([f'{name}: lonely = "fail": tầng chỉ có một đơn vị mẫu: {lonely}'])
    if plan.lonely == "average" and (design.sampled == 1).all():
        raise BadInput([f'{name}: lonely = "average": mọi tầng đều chỉ có một đơn vị mẫu'])
    return design


def _estimate(study: Sample, layout: Scheme, plan: Plan, rows: Ints | None) -> Estimates:
    return estimate(
        study,
        layout,
        plan.index,
        rows=rows,
        interval=plan.ci,
        cap=plan.beta_cap,
        level=plan.level,
    )


def _domains(table: Table, column: str) -> list[tuple[str, Ints]]:
    """Labels of a column with their rows; numbers in their order, texts after them."""
    labels = table.labels[column]
    order = np.argsort(labels.codes, kind="stable")
    ends = np.cumsum(np.bincount(labels.codes, minlength=len(labels.names)))
    rows = np.split(order, ends[:-1])
    return sorted(zip(labels.names, rows, strict=True), key=lambda pair: _natural(pair[0]))


def _natural(label: str) -> tuple[bool, float, str]:
    number = label.isascii() and label.isdigit()
    return (not number, float(label) if number else 0.0, label)


def _summary(plan: Plan, design: Design, whole: Estimates) -> dict[str, Any]:
    return {
        "n": int(design.weight.size),
        "n_psu": design.n_psu,
        "n_strata": design.n_strata,
        "df": design.df(whole.present),
        "lonely_strata": list(design.lonely_strata),
        "lonely": plan.lonely,
        "fpc": design.fpc,
        "index": plan.index,
        "aggregate": plan.aggregate,
        "ci": plan.ci,
        "beta_cap": plan.beta_cap,
        "level": plan.level,
    }


def _figure(domain: dict[str, str] | None, figure: Estimate) -> dict[str, Any]:
    row: dict[str, Any] = {
        "domain": domain,
        "kind": figure.kind,
        "name": figure.id,
        "n": figure.n,
        "estimate": _number(figure.value),
        "se": _number(figure.se),
        "low": _number(figure.low),
        "high": _number(figure.high),
        "deff": _number(figure.deff),
        "deff_replace": _number(figure.deff_replace),
        "neff": _number(figure.neff),
        "df": figure.df,
    }
    if figure.kind == "item":
        shares = figure.shares
        row["shares"] = None if shares is None else [_number(share) for share in shares]
    return row | {"flags": list(figure.flags)}


def _covariance(layout: Scheme, whole: Estimates) -> dict[str, Any]:
    """Joint covariance of items, factors and the total over the whole sample."""
    matrix = whole.covariance()
    return {
        "names": list(layout.names),
        "matrix": [[_number(value) for value in row] for row in matrix],
    }


def _ranks(study: Sample, layout: Scheme, plan: Plan, table: Table) -> list[dict[str, Any]]:
    ranking = plan.ranking
    assert ranking is not None
    at = layout.names.index(ranking.of)
    known = [
        (name, found.figures[at].value, found.z[:, at])
        for name, found in (
            (name, _estimate(study, layout, plan, rows))
            for name, rows in _domains(table, ranking.by)
        )
        if found.figures[at].value is not None
    ]
    values = np.array([value for _, value, _ in known], dtype=np.float64)
    joint = study.design.covariance(np.column_stack([z for _, _, z in known]))
    sets = rank_sets(values, joint, level=plan.level, kind=ranking.kind)
    return [
        {"unit": name, "rank": int(rank), "low": int(low), "high": int(high)}
        for (name, _, _), rank, low, high in zip(known, sets.rank, sets.low, sets.high, strict=True)
    ]


def _number(value: Floats | float | None) -> float | None:
    """15 significant digits: what R prints, and as much as a double keeps."""
    return None if value is None else float(f"{float(value):.{DIGITS}g}")
