"""The plain data of OUT.json: numbers of 15 significant digits, None with a flag where unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.compare import Differences
from analysis.design import Floats
from analysis.estimate import Estimate
from analysis.file.study import Errors, Study
from analysis.weights.calibrate import thin_cells

DIGITS = 15
Row = dict[str, Any]
Domain = dict[str, str] | None


def number(value: float | None) -> float | None:
    """15 significant digits: what R prints, and as much as a double keeps."""
    return None if value is None else float(f"{float(value):.{DIGITS}g}")


def domains(study: Study) -> Iterator[tuple[Domain, Sequence[Estimate], Errors]]:
    """The whole, then the domains of each column in the order of the plan."""
    yield None, _widened(study, study.whole.figures), study.errors
    for column in study.plan.domains:
        of = study.domains[column]
        for d, (label, figures) in enumerate(zip(of.labels, of.figures, strict=True)):
            yield {column: label}, _widened(study, figures), of.errors[d] if of.errors else []


def _widened(study: Study, figures: Sequence[Estimate]) -> Sequence[Estimate]:
    """Figures whose intervals hold the keying errors of the plan."""
    limits = study.plan.keying
    if limits is None or study.plan.index != "top2":
        return figures
    pairs = ((each, limits.apart(each.low, each.high)) for each in figures)
    return [replace(each, low=low, high=high) for each, (low, high) in pairs]


def summary(study: Study) -> Row:
    """The design and the settings."""
    plan, design = study.plan, study.table.design
    return {
        "n": int(study.weights.people.sum()),
        "n_psu": design.n_psu,
        "n_strata": design.n_strata,
        "df": design.df(study.whole.present),
        "lonely_strata": list(design.lonely_strata),
        "lonely": plan.lonely,
        "fpc": design.fpc,
        "index": plan.index,
        "aggregate": plan.aggregate,
        "ci": plan.ci,
        "beta_cap": plan.beta_cap,
        "level": plan.level,
    }


def figure(domain: Domain, found: Estimate) -> Row:
    """One estimate."""
    row: Row = {
        "domain": domain,
        "kind": found.kind,
        "name": found.id,
        "n": found.n,
        "estimate": number(found.value),
        "se": number(found.se),
        "low": number(found.low),
        "high": number(found.high),
        "deff": number(found.deff),
        "deff_replace": number(found.deff_replace),
        "neff": number(found.neff),
        "df": found.df,
    }
    if found.kind == "item":
        shares = found.shares
        row["shares"] = None if shares is None else [number(share) for share in shares]
    bare = found.value is not None and found.low is None and "census" not in found.flags
    return row | {"flags": [*found.flags, *(["no_interval"] if bare else [])]}


def covariance(study: Study) -> Row:
    """Joint covariance of items, factors and the total over the whole sample."""
    matrix = study.whole.covariance()
    return {
        "names": list(study.scheme.names),
        "matrix": [[number(value) for value in row] for row in matrix.tolist()],
    }


def differences(by: str, levels: Sequence[str], found: Differences) -> list[Row]:
    """The first level less the second, for each figure."""
    return [
        {
            "by": by,
            "levels": list(levels[:2]),
            "kind": one.kind,
            "name": one.id,
            "estimate": number(one.value),
            "se": number(one.se),
            "low": number(one.low),
            "high": number(one.high),
            "df": one.df,
            "p_value": number(one.p_value),
            "flags": list(one.flags),
        }
        for one in found.figures
    ]


def weights(study: Study) -> Row:
    """The final weights: calibrated ones where the plan calibrates."""
    calibration = study.calibration
    return _weights(study, np.ones(1) if calibration is None else calibration.g)


def calibration(study: Study) -> Row | None:
    """What calibration did to the weights."""
    made, how = study.calibration, study.plan.calibrating
    if made is None or how is None:
        return None
    return {
        "method": how.method,
        "bounds": list(how.bounds) if how.method == "logit" else None,
        "cycles": made.cycles,
        "error": number(made.error),
        "factor_min": number(float(made.g.min())),
        "factor_max": number(float(made.g.max())),
        "margins": {
            m.name: dict(zip(m.labels, map(number, m.targets.tolist()), strict=True))
            for m in made.margins
        },
        "thin": [
            {"margin": t.margin, "category": t.category, "n": t.n, "factor": number(t.g)}
            for t in thin_cells(made, study.weights.people)
        ],
        "design_weights": _weights(study, np.ones(1)),
    }


def replicates(study: Study) -> Row | None:
    """Standard errors by replicates, beside those by linearisation."""
    made, how = study.replicates, study.plan.replicating
    if made is None or how is None:
        return None
    drawn = how.method == "raowu" and how.factors is None
    return {
        "method": how.method,
        "n": int(made.scale.size),
        "seed": how.seed if drawn else None,
        "factors": how.factors.name if how.factors else None,
        "silent_strata": list(made.silent),
        "estimates": [
            {
                "domain": domain,
                "kind": found.kind,
                "name": found.id,
                "estimate": number(found.value),
                "se": number(se),
                "flags": ["empty_replicate"] * (se is None and found.value is not None),
            }
            for domain, figures, errors in domains(study)
            for found, se in zip(figures, errors, strict=True)
        ],
    }


def _weights(study: Study, g: Floats) -> Row:
    of = study.weights
    return {
        "sum": number(float((of.total * g).sum())),
        "sum_squares": number(float((of.squares * g**2).sum())),
        "min": number(float((of.least * g).min())),
        "max": number(float((of.most * g).max())),
    }
