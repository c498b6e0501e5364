"""The estimators against R's survey package: the whole chain, to the last digits it gives."""

from __future__ import annotations

import numpy as np
import pytest
from folding import estimate_rows
from oracle import FACTORS, ITEMS, columns, drawn, reference

from analysis.design import NoVariance
from analysis.estimate import Estimates
from analysis.index import scheme
from analysis.intervals import interval
from analysis.ranks import rank_sets

ESTIMATE, SE, INTERVAL, DEFF = 1e-12, 1e-10, 1e-9, 1e-9
CASES = [
    ("v1_base", "fpc", "adjust"),
    ("v1_base", "nofpc", "adjust"),
    ("v2_lonely", "fpc", "average"),
    ("v4_extreme", "nofpc", "adjust"),
]
TOTALS = {
    "item": "overall_mean_of_criteria",
    "factor": "overall_mean_of_factors",
    "pooled": "overall_pooled",
}
SCALES = {"top2": 1.0, "scaled": 100.0}


def figures(case, fpc, lonely, method="top2", *, aggregate="item", rows=None) -> Estimates:
    taken = drawn(case, fpc == "fpc", lonely)
    layout = scheme(ITEMS, FACTORS, aggregate=aggregate)
    return estimate_rows(taken, layout, method, rows=rows, cap=False)


@pytest.mark.parametrize(("case", "fpc", "lonely"), CASES)
def test_shares_of_satisfied_persons_equal_r(case, fpc, lonely):
    found = figures(case, fpc, lonely)
    for item, expected in reference(case)["designs"][fpc]["top2"].items():
        got = found.of("item", item)
        assert got.value == pytest.approx(expected["p"], rel=ESTIMATE)
        assert got.shares == pytest.approx(expected["by_level"], abs=ESTIMATE)
        assert (got.n, got.df) == (expected["n"], expected["df"])
        if expected["deff"] is None:  # everybody alike: R has no design effect and no interval
            assert got.value in (0, 1)
            assert got.se == 0
            assert got.low < got.high
            continue
        assert got.se == pytest.approx(expected["se"], rel=SE)
        assert got.deff == pytest.approx(expected["deff"], rel=DEFF)
        assert got.deff_replace == pytest.approx(expected["deff_replace"], rel=DEFF)
        assert got.neff == pytest.approx(expected["neff"], rel=DEFF)


@pytest.mark.parametrize(
    ("method", "name"),
    [("beta", "beta"), ("logit", "xlogit"), ("wilson", "wilson"), ("asin", "asin"), ("t", "mean")],
)
@pytest.mark.parametrize(("case", "fpc"), [("v1_base", "fpc"), ("v1_base", "nofpc")])
def test_five_intervals_of_a_share_equal_r(case, fpc, method, name):
    for expected in reference(case)["designs"][fpc]["top2"].values():
        one = [np.array([expected[k]]) for k in ("p", "se", "n", "df")]
        low, high = interval(method, *one, cap=False)
        assert [low[0], high[0]] == pytest.approx(expected[f"ci_{name}"], rel=INTERVAL)


@pytest.mark.parametrize(("case", "fpc", "lonely"), CASES)
def test_mean_scores_equal_r(case, fpc, lonely):
    found = figures(case, fpc, lonely, "scaled")
    for item, expected in reference(case)["designs"][fpc]["score"].items():
        got = found.of("item", item)
        assert got.value * 100 == pytest.approx(expected["mean"], rel=ESTIMATE)
        assert got.se * 100 == pytest.approx(expected["se"], rel=SE)
        assert got.deff == pytest.approx(expected["deff"], rel=DEFF)
        assert got.deff_replace == pytest.approx(expected["deff_replace"], rel=DEFF)


@pytest.mark.parametrize(("method", "key"), [("top2", "top2"), ("scaled", "score")])
@pytest.mark.parametrize("aggregate", TOTALS)
@pytest.mark.parametrize(("case", "fpc", "lonely"), CASES)
def test_composites_and_their_joint_covariance_equal_r(case, fpc, lonely, aggregate, method, key):
    expected = reference(case)["designs"][fpc][f"composite_{key}"]
    found = figures(case, fpc, lonely, method, aggregate=aggregate)
    scale, total = SCALES[method], TOTALS[aggregate]
    for factor in FACTORS:
        got = found.of("factor", factor)
        assert got.value * scale == pytest.approx(expected["est"][factor], rel=ESTIMATE)
        assert got.se * scale == pytest.approx(expected["se"][factor], rel=SE)
    assert found.of("total").value * scale == pytest.approx(expected["est"][total], rel=ESTIMATE)
    assert found.of("total").se * scale == pytest.approx(expected["se"][total], rel=SE)

    names = expected["vcov"]["names"]
    at = [names.index(name) for name in [*ITEMS, *FACTORS, total]]
    matrix = np.array(expected["vcov"]["matrix"], dtype=float)[np.ix_(at, at)]
    # Written in fixed point: the smallest entries have fewer digits.
    assert found.covariance() * scale**2 == pytest.approx(matrix, rel=SE, abs=1e-14 * scale**2)


@pytest.mark.parametrize("by", ["province", "sex", "area"])
@pytest.mark.parametrize(("case", "fpc", "lonely"), CASES)
def test_domains_keep_the_whole_design_and_equal_r(case, fpc, lonely, by):
    for label, expected in reference(case)["designs"][fpc][f"domain_{by}"].items():
        rows = np.flatnonzero(columns(case)[by] == float(label))
        found = figures(case, fpc, lonely, rows=rows)
        share = expected["top2"]
        if share.get("deff") is not None:
            got = found.of("item", "c05")
            assert got.value == pytest.approx(share["p"], rel=ESTIMATE)
            assert got.se == pytest.approx(share["se"], rel=SE)
            assert got.deff == pytest.approx(share["deff"], rel=DEFF)
            assert [got.low, got.high] == pytest.approx(share["ci_beta"], rel=INTERVAL)
            assert (got.n, got.df) == (share["n"], share["df"])
        for name, value in expected["composite"]["est"].items():
            if name in (*ITEMS, *FACTORS, TOTALS["item"]):
                kind = "total" if name in TOTALS.values() else _kind(name)
                got = found.of(kind, "total" if kind == "total" else name)
                assert got.value == pytest.approx(value, rel=ESTIMATE)
                if (se := expected["composite"]["se"][name]) is not None and se > 1e-12:
                    assert got.se == pytest.approx(se, rel=SE)


def _kind(name):
    return "factor" if name in FACTORS else "item"


@pytest.mark.parametrize("rule", ["remove", "certainty", "adjust", "average"])
def test_strata_with_one_psu_follow_the_rule_as_in_r(rule):
    expected = reference("v2_lonely")["lonely"][rule]
    score = figures("v2_lonely", "fpc", rule, "scaled").of("item", "c05")
    top2 = figures("v2_lonely", "fpc", rule)
    assert score.se * 100 == pytest.approx(expected["score_c05"]["se"], rel=SE)
    assert score.deff == pytest.approx(expected["score_c05"]["deff"], rel=DEFF)
    assert top2.of("item", "c05").se == pytest.approx(expected["top2_c05"]["se"], rel=SE)

    sex = columns("v2_lonely")["sex"]
    women = figures("v2_lonely", "fpc", rule, "scaled", rows=np.flatnonzero(sex == 1))
    assert women.of("item", "c05").se * 100 == pytest.approx(expected["sex1_c05"]["se"], rel=SE)

    province = columns("v2_lonely")["province"]
    alone = figures("v2_lonely", "fpc", rule, "scaled", rows=np.flatnonzero(province == 1))
    got, se = alone.of("item", "c05"), expected["province1_c05"]["se"]
    assert got.df == 0
    assert got.low is None
    if se is None:  # nothing to average: said so, not invented
        assert got.se is None
        assert "no_variance" in got.flags
        with pytest.raises(NoVariance):
            alone.covariance()
    else:
        assert got.se * 100 == pytest.approx(se, rel=SE, abs=1e-12)


@pytest.mark.parametrize(("case", "fpc"), [("v1_base", "fpc"), ("v1_base", "nofpc"),
                                           ("v4_extreme", "nofpc")])  # fmt: skip
@pytest.mark.parametrize("kind", ["marginal", "simultaneous"])
def test_rank_sets_of_provinces_equal_the_reference(case, fpc, kind):
    expected = reference(case)["designs"][fpc]["province_ranks"]
    province = columns(case)["province"]
    values, variances = [], []
    for unit in expected["units"]:
        rows = np.flatnonzero(province == float(unit))
        got = figures(case, fpc, "adjust", rows=rows).of("total")
        values.append(got.value)
        variances.append(got.se**2)
    found = rank_sets(np.array(values), np.diag(variances), kind=kind)
    bound = expected[f"{kind}_bonferroni"]
    assert found.rank.tolist() == expected["rank"]
    assert found.critical == pytest.approx(bound["z"], rel=INTERVAL)
    assert found.low.tolist() == bound["lower"]
    assert found.high.tolist() == bound["upper"]
