"""The reference files once more, built by our own engine: same keys, our figures."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import villages
from numpy.typing import NDArray
from oracle import FACTORS, FOLDER, ITEMS, columns, reference

from analysis import compare, replicates
from analysis.design import Sample, build
from analysis.estimate import Estimate, Estimates, estimate, parts
from analysis.index import points, scheme
from analysis.intervals import interval
from analysis.ranks import rank_sets
from analysis.tally import Tally, fold
from analysis.weights.calibrate import calibrate, margin, poststratify
from analysis.weights.trim import trim_once

TOTALS = {
    "overall_mean_of_factors": "factor",
    "overall_mean_of_criteria": "item",
    "overall_pooled": "pooled",
}
INTERVALS = {"beta": "beta", "logit": "logit", "xlogit": "logit", "wilson": "wilson",
             "asin": "asin", "mean": "t"}  # fmt: skip
SCALES = {"top2": 1.0, "scaled": 100.0}


@cache
def table(case: str) -> dict[str, NDArray[Any]]:
    """Columns of a case; those of the large one are made, not stored."""
    if case == "v6_M":
        return villages.generate(villages.MIDDLE)
    return columns(case)


@cache
def facts(case: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / case / "data.meta.json").read_text("utf-8"))
    return found


@dataclass(frozen=True, eq=False)
class Folded:
    """Rows folded into cells of village × province × area × sex × age × wave."""

    sample: Sample
    tally: Tally
    row_cell: NDArray[np.int64]
    labels: dict[str, NDArray[np.int64]]  # of the cells


@cache
def folded(case: str, fpc: str, lonely: str, method: str, aggregate: str) -> Folded:
    found = table(case)
    sample = build(
        found["stratum"],
        found["psu"],
        found["w"],
        found["fpc"] if fpc == "fpc" else None,
        lonely=lonely,
    )
    names = ["province", "area", "sex", "age", "wave"]
    kinds, label = np.unique(
        np.stack([found[name] for name in names], axis=1), axis=0, return_inverse=True
    )
    codes = np.stack([found[item] for item in ITEMS], axis=1)
    tally, of_cell = fold(sample, codes, layout(aggregate), method, label=label.ravel())
    cells = sample.psu * len(kinds) + label.ravel()
    _, row_cell = np.unique(cells, return_inverse=True)
    at = {name: kinds[of_cell, k].astype(np.int64) for k, name in enumerate(names)}
    return Folded(sample, tally, row_cell, at)


def layout(aggregate: str):
    return scheme(ITEMS, FACTORS, aggregate=aggregate)


@dataclass(frozen=True)
class Setting:
    """A case with its design: what every figure below is asked of."""

    case: str
    fpc: str
    lonely: str = "adjust"

    def cells(self, method: str, aggregate: str = "factor") -> Folded:
        return folded(self.case, self.fpc, self.lonely, method, aggregate)

    @property
    def design(self):
        return self.cells("top2").sample.design

    def figures(self, method, aggregate="factor", where=None, ci="beta", **how) -> Estimates:
        """The engine's figures, in the domain ``where`` = (column, value)."""
        if where is not None:
            names, grid = domains_of(self, method, aggregate, where[0], ci)
            return grid.estimates(names.index(where[1]))
        tally = self.cells(method, aggregate).tally
        return estimate(
            tally, self.design, layout(aggregate), method, interval=ci, cap=False, **how
        )


@cache
def domains_of(at: Setting, method: str, aggregate: str, by: str, ci: str = "beta"):
    """Every value of a column with its figures, all at once."""
    found = at.cells(method, aggregate)
    names, part = np.unique(found.labels[by], return_inverse=True)
    grid = parts(
        found.tally, at.design, layout(aggregate), method, part, names.size,
        interval=ci, cap=False,
    )  # fmt: skip
    return names.tolist(), grid


def share(at: Setting, item: str, where=None) -> dict[str, Any]:
    got = at.figures("top2", where=where).of("item", item)
    return {
        "p": got.value,
        "se": got.se,
        "deff": got.deff,
        "deff_replace": got.deff_replace,
        "df": got.df,
        "n": got.n,
        "neff": got.neff,
        "by_level": list(got.shares),
        **{f"ci_{name}": bounds(got, ci) for name, ci in INTERVALS.items()},
    }


def bounds(got: Estimate, ci: str) -> list[float | None]:
    """The interval of a share by another method than the estimate's own."""
    if got.low is None:
        return [None, None]
    one = (np.array([value]) for value in (got.value, got.se, got.n, got.df))
    low, high = interval(ci, *one, cap=False)
    return [float(low[0]), float(high[0])]


def score(at: Setting, item: str, where=None) -> dict[str, Any]:
    got = at.figures("scaled", where=where, ci="t").of("item", item)
    return {
        "mean": got.value * 100,
        "se": None if got.se is None else got.se * 100,
        "deff": got.deff,
        "deff_replace": got.deff_replace,
        "df": got.df,
        "ci_t": [None, None] if got.low is None else [got.low * 100, got.high * 100],
        "n": got.n,
    }


def composite(at: Setting, method: str, where=None) -> dict[str, Any]:
    """Items, factors, three totals and a difference with their joint covariance."""
    found = {name: at.figures(method, rule, where) for name, rule in TOTALS.items()}
    first = found["overall_mean_of_factors"]
    figures = {figure.id: (figure.value, figure.se) for figure in first.figures[:-1]}
    z = dict(zip(figures, first.z.T, strict=False))
    for name, one in found.items():
        total = one.of("total")
        figures[name], z[name] = (total.value, total.se), one.z[:, one.at("total")]
    apart = figures["F1"][0] - figures["F2"][0]
    z["F1_minus_F2"] = z["F1"] - z["F2"]
    scale, joint = SCALES[method], None
    if figures["F1"][1] is None:  # only lonely strata: nothing is known of any error
        figures["F1_minus_F2"] = (apart, None)
    else:
        joint = at.design.covariance(np.stack(list(z.values()), axis=1), first.present)
        figures["F1_minus_F2"] = (apart, float(joint[-1, -1]) ** 0.5)
        joint = (joint * scale**2).tolist()
    return {
        "est": {name: value * scale for name, (value, _) in figures.items()},
        "se": {name: None if se is None else se * scale for name, (_, se) in figures.items()},
        "vcov": {"names": list(figures), "matrix": joint},
        "df": whole_df(at),
    }


def domains(at: Setting, by: str) -> dict[str, Any]:
    labels = at.cells("top2").labels[by]
    rows = table(at.case)[by]
    found = {}
    for value in np.unique(labels).tolist():
        where = (by, value)
        found[str(value)] = {
            "n": int((rows == value).sum()),
            "df": at.design.df(at.figures("top2", where=where).present),
            "top2": share(at, "c05", where),
            "score": score(at, "c05", where),
            "composite": composite(at, "top2", where),
        }
    return found


def differences(at: Setting, by: str, method: str = "scaled") -> dict[str, Any]:
    """Domains side by side on one list of villages: their covariance comes with them."""
    names, grid = domains_of(at, method, "factor", by)
    item, scale = ITEMS.index("c05"), SCALES[method]
    z = grid.z(item)
    apart = compare.domains(grid.estimates(0), grid.estimates(1)).of("item", "c05")
    se = apart.se
    if se is None:  # only lonely strata in a domain, rule "average": R averages over them all
        assert "no_variance" in apart.flags
        se = float(at.design.variances(z[:, [0]] - z[:, [1]])[0]) ** 0.5
    return {
        "levels": [str(name) for name in names],
        "est": (grid.value[:, item] * scale).tolist(),
        "vcov": (at.design.covariance(z) * scale**2).tolist(),
        "diff_1_minus_2": apart.value * scale,
        "se_diff": se * scale,
        "df": whole_df(at),
    }


def waves_overall(at: Setting) -> dict[str, Any]:
    """Two waves drawn and folded apart, then compared by the labels of their villages."""
    made = [wave(at, number) for number in (1, 2)]
    first, second = (one.estimates.of("total") for one in made)
    change = compare.waves(made[1], made[0]).of("total")
    v1, v2, v = first.se**2, second.se**2, change.se**2
    shared = (v1 + v2 - v) / 2
    return {
        "est": {"w1": first.value, "w2": second.value, "diff": change.value},
        "vcov": [[v1, shared, shared - v1], [shared, v2, v2 - shared],
                 [shared - v1, v2 - shared, v]],
        "names": ["w1", "w2", "diff"],
    }  # fmt: skip


def wave(at: Setting, number: int) -> compare.Wave:
    found = table(at.case)
    rows = found["wave"] == number
    sample = build(
        found["stratum"][rows],
        found["psu"][rows],
        found["w"][rows],
        found["fpc"][rows] if at.fpc == "fpc" else None,
    )
    codes = np.stack([found[item][rows] for item in ITEMS], axis=1)
    tally, _ = fold(sample, codes, layout("factor"), "top2")
    got = estimate(tally, sample.design, layout("factor"), "top2", cap=False)
    villages = np.empty(sample.design.n_psu)
    villages[sample.psu] = found["psu"][rows]
    return compare.Wave(got, layout("factor"), "top2", villages)


def whole_df(at: Setting) -> int:
    return at.design.df(np.ones(at.design.n_psu, bool))


def ranks(at: Setting) -> dict[str, Any]:
    names, grid = domains_of(at, "top2", "factor", "province")
    total = len(ITEMS) + len(FACTORS)
    joint = at.design.covariance(grid.z(total))
    out: dict[str, Any] = {"units": [str(name) for name in names]}
    for kind in ("marginal", "simultaneous"):
        sets = rank_sets(grid.value[:, total], joint, kind=kind)
        out["rank"] = sets.rank.tolist()
        out[f"{kind}_bonferroni"] = {
            "z": float(sets.critical[0]),
            "lower": sets.low.tolist(),
            "upper": sets.high.tolist(),
        }
    return out


def calibrated(at: Setting, name: str) -> dict[str, Any]:
    """Calibration of the cells; weights of the rows from the factors of their cells."""
    found = at.cells("scaled")
    made = _calibration(at, name, found)
    weight = table(at.case)["w"] * made.g[found.row_cell]
    mean = at.figures("scaled", calibration=made).of("item", "c05")
    other = at.figures("top2", calibration=made)
    return {
        **_weights(weight),
        "score_c05": {"mean": mean.value * 100, "se": mean.se * 100},
        "top2_c05": {"p": other.of("item", "c05").value, "se": other.of("item", "c05").se},
        "composite": {"est": other.of("total").value, "se": other.of("total").se},
    }


def _calibration(at: Setting, name: str, found: Folded):
    known = facts(at.case)["margins"]
    margins = [margin(by, found.labels[by], known[by]) for by in ("province", "sex", "age")]
    weight = found.tally.weight
    if name == "poststratify_province":
        return poststratify(weight, margins[0])
    method = {"rake": "rake", "calibrate_raking": "rake", "calibrate_linear": "linear",
              "calibrate_logit_0.5_2": "logit"}[name]  # fmt: skip
    return calibrate(weight, margins, method=method)


def trimmed(at: Setting) -> dict[str, Any]:
    """R's single pass over raked weights, between 0.3 and 2.5 times their median."""
    found = at.cells("top2")
    raked = table(at.case)["w"] * _calibration(at, "rake", found).g[found.row_cell]
    median = float(np.median(raked))
    weight = trim_once(raked, 2.5 * median, 0.3 * median)
    rows = _reweighted(at, weight)
    return {
        "upper": 2.5 * median,
        "lower": 0.3 * median,
        **_weights(weight),
        "score_c05": {"mean": rows["scaled"].of("item", "c05").value * 100},
        "top2_c05": {"p": rows["top2"].of("item", "c05").value},
        "composite": {"est": rows["top2"].of("total").value},
    }


def _reweighted(at: Setting, weight) -> dict[str, Estimates]:
    found = table(at.case)
    sample = build(found["stratum"], found["psu"], weight)
    codes = np.stack([found[item] for item in ITEMS], axis=1)
    made = {}
    for method in SCALES:
        tally, _ = fold(sample, codes, layout("factor"), method)
        made[method] = estimate(tally, sample.design, layout("factor"), method)
    return made


def _weights(weight) -> dict[str, Any]:
    return {
        "weights_head": weight[:10].tolist(),
        "weights_sum": float(weight.sum()),
        "weights_ss": float(weight @ weight),
        "weights_min": float(weight.min()),
        "weights_max": float(weight.max()),
    }


def jackknifed(at: Setting) -> dict[str, Any]:
    made = replicates.jkn(at.design)
    found = _replicated(at, made)
    item, total = ITEMS.index("c05"), len(found.full) - 1
    around = made.se(found.thetas, found.thetas.mean(axis=0))

    def block(se) -> dict[str, Any]:
        return {
            "top2_c05": found.full[item],
            "se": se[item],
            "composite": found.full[total],
            "composite_se": se[total],
        }

    return {"mse_true": block(found.se), "mse_false": block(around), "nrep": len(made.factors)}


def bootstrapped(at: Setting) -> dict[str, Any]:
    """The 200 replicates of the reference, given village by village."""
    with gzip.open(FOLDER / at.case / f"raowu_psu_factors_{at.fpc}.csv.gz", "rt") as file:
        rows = np.array([[float(cell) for cell in row] for row in csv.reader(file)])
    place = np.searchsorted(np.unique(table(at.case)["psu"]), rows[:, 0])
    found = at.cells("top2")
    of_psu = np.zeros(len(rows), dtype=np.int64)  # the design orders villages by stratum
    of_psu[found.sample.psu] = np.searchsorted(rows[:, 0], table(at.case)["psu"])
    assert (place == np.arange(len(rows))).all()
    made = replicates.given(rows[of_psu, 1:].T, at.design)
    got = _replicated(at, made)
    item = ITEMS.index("c05")
    return {
        "replicates": len(made.factors),
        "scale": float(made.scale[0]),
        "top2_c05": got.full[item],
        "se": got.se[item],
    }


def _replicated(at: Setting, made):
    found = at.cells("top2").tally
    return replicates.replicate_estimates(
        found.psu, found.sums, points("top2"), layout("factor"), made
    )


def design(at: Setting) -> dict[str, Any]:
    """Everything the reference gives for one case and design."""
    expected = reference(at.case)["designs"][at.fpc]
    built: dict[str, Any] = {
        "degf": whole_df(at),
        "sum_w": float(table(at.case)["w"].sum()),
        "top2": {item: share(at, item) for item in expected["top2"]},
        "score": {item: score(at, item) for item in expected["score"]},
        "composite_score": composite(at, "scaled"),
        "composite_top2": composite(at, "top2"),
    }
    for key in expected:
        by = key.partition("_")[2]
        if key.startswith("domain_"):
            built[key] = domains(at, by)
        elif key in ("diff_sex", "diff_area", "diff_province", "diff_wave"):
            built[key] = differences(at, by)
        elif key == "diff_wave_top2":
            built[key] = differences(at, "wave", "top2")
        elif key == "diff_wave_overall_top2":
            built[key] = waves_overall(at)
        elif key == "province_ranks":
            built[key] = ranks(at)
        elif key.startswith(("calibrate_", "poststratify_")) or key == "rake":
            built[key] = calibrated(at, key)
        elif key == "trim_after_rake":
            built[key] = trimmed(at)
        elif key == "jkn":
            built[key] = jackknifed(at)
        elif key == "raowu_bootstrap":
            built[key] = bootstrapped(at)
    return built


def lonely(case: str, fpc: str) -> dict[str, Any]:
    """The four rules; inside a domain the design is kept whole either way."""
    built = {}
    for rule in ("remove", "certainty", "adjust", "average"):
        at = Setting(case, fpc, rule)
        built[rule] = built[f"{rule}+adjust_domain"] = {
            "score_c05": score(at, "c05"),
            "top2_c05": share(at, "c05"),
            "composite_top2_overall_se": at.figures("top2").of("total").se,
            "sex1_c05": score(at, "c05", ("sex", 1)),
            "province1_c05": score(at, "c05", ("province", 1)),
        }
    return built


def case(name: str) -> dict[str, Any]:
    """A whole reference file but for what the file says about itself."""
    rule = "average" if facts(name)["args"]["lonely"] else "adjust"
    expected = reference(name)
    built: dict[str, Any] = {
        "n": int(table(name)["w"].size),
        "designs": {fpc: design(Setting(name, fpc, rule)) for fpc in expected["designs"]},
    }
    if "lonely" in expected:
        built["lonely"] = lonely(name, "fpc")
    return built
