"""Every number of every reference file against ours: what is not compared stands here by name."""

from __future__ import annotations

import math
import re
from functools import cache

import numpy as np
import pytest
import rebuilt
import schools
from oracle import FACTORS, ITEMS, reference

from analysis.design import NoVariance

ESTIMATE, SE, INTERVAL, WEIGHT = 1e-12, 1e-10, 1e-9, 1e-7
#: Where R's own iteration stops: svyglm behind its logit interval, and rake() with its trimming.
GLM, RAKE = 1e-8, 1e-9
#: R writes matrices in fixed point, and sums that are 0 as 1e-17.
NOISE = 1e-15

#: Numbers of each file that are compared; a test that drops one has to say so here.
COMPARED = {
    "v1_base": 8_033,
    "v2_lonely": 3_930,
    "v3_waves": 7_777,
    "v4_extreme": 3_868,
    "v5_api": 373,
    "v6_M": 11_241,
}

#: Not compared, and why.
NOT_OURS = {
    r"case/.*|R|survey|.*/raowu_bootstrap/(rscales|mse|factors_file)": "what a file says of itself",
    r"designs/fpc/domain_province/1/top2/error": "R stops: only lonely strata, rule average",
    r".*/ci_likelihood/\d": "the profile-likelihood interval is not offered",
    r"designs/\w+/rake/.*/se": "R's rake() sweeps unweighted cell means; calibrate() is followed",
    r"designs/\w+/trim_after_rake/.*/se": "rests on the standard error of R's rake()",
}

#: R has no figure here and we do: at 100 % the exact bound, and 0 where R takes the root of -1e-34.
ONLY_OURS = {
    r"designs/nofpc/(top2/c03|domain_province/2/top2)/ci_wilson/\d": (0.9, 1.0),
    r"designs/nofpc/domain_province/2/composite/se/(F5|F1_minus_F2)": (0.0, 0.0),
}

EXACT = {
    "n",
    "df",
    "degf",
    "nrep",
    "replicates",
    "names",
    "levels",
    "units",
    "rank",
    "lower",
    "upper",
}


def leaves(tree, path=()):
    """Every number or word of a file with the keys that lead to it."""
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(value, (*path, str(key)))
    else:
        yield "/".join(path), tree


@cache
def expected(case):
    return dict(leaves(reference(case)))


@cache
def ours(case):
    return dict(leaves(schools.case() if case == "v5_api" else rebuilt.case(case)))


def named(rules, path):
    return [rule for rule in rules if re.fullmatch(rule, path)]


@cache
def compared(case):
    return [path for path in expected(case) if not named(NOT_OURS, path)]


def tolerance(path):
    """How far apart two numbers may be, relative to the reference."""
    keys = [key for key in path.split("/") if not key.isdigit()]
    last = keys[-2] if keys[-2:-1] in (["se"], ["vcov"]) else keys[-1]
    if last.startswith("weights_") or last == "ss":
        return WEIGHT
    if {"rake", "trim_after_rake", "apiclus1_rake_stype_schwide"} & {*keys}:
        return RAKE
    if last in EXACT:
        return 0.0
    if last == "ci_logit":
        return GLM
    if last.startswith("ci_") or last in ("deff", "deff_replace", "neff", "z"):
        return INTERVAL
    return SE if last.endswith(("se", "vcov", "se_diff")) else ESTIMATE


def apart(path, theirs, mine):
    """Distance relative to the reference; 0 for the same, infinite where they cannot be."""
    if theirs == mine:
        return 0.0
    if theirs is None and (rule := named(ONLY_OURS, path)):
        low, high = ONLY_OURS[rule[0]]
        return 0.0 if low <= mine <= high else math.inf
    if isinstance(theirs, str | None) or isinstance(mine, str | None):
        return math.inf
    if "/ci_mean/" in path:  # R's plain interval leaves 0..1, ours is cut
        theirs = min(max(theirs, 0.0), 1.0)
    gap = abs(theirs - mine)
    return 0.0 if gap <= NOISE else gap / abs(theirs) if theirs else math.inf


def family(path):
    """The part of a file a number belongs to: `designs/fpc/top2`, `apistrat_fpc/mean`."""
    keys = path.split("/")
    return "/".join(keys[: 3 if keys[0] == "designs" else 2])


FAMILIES = [
    (case, name)
    for case in COMPARED
    for name in dict.fromkeys(family(path) for path in compared(case))
]


@pytest.mark.parametrize(("case", "name"), FAMILIES)
def test_every_number_equals_r(case, name):
    theirs, mine, far = expected(case), ours(case), {}
    for path in compared(case):
        if family(path) == name:
            gap = apart(path, theirs[path], mine.get(path, "missing"))
            if gap > tolerance(path):
                far[path] = (gap, theirs[path], mine.get(path))

    assert not far


@pytest.mark.parametrize("case", COMPARED)
def test_as_many_numbers_are_compared_as_we_say(case):
    assert len(compared(case)) == COMPARED[case]


@pytest.mark.parametrize("rule", [*NOT_OURS, *ONLY_OURS])
def test_every_exception_is_still_one(rule):
    assert any(named([rule], path) for case in COMPARED for path in expected(case))


def test_a_wrong_digit_is_found():
    path = "designs/fpc/top2/c05/se"
    right = expected("v1_base")[path]

    assert apart(path, right, right * (1 + 2e-10)) > tolerance(path)
    assert apart(path, right, right * (1 + 1e-12)) < tolerance(path)


def test_everybody_satisfied_still_leaves_doubt():
    """R gives no interval here, so nothing above holds ours to anything."""
    at = rebuilt.Setting("v4_extreme", "nofpc")
    got = at.figures("top2", where=("province", 2))

    assert {figure.value for figure in got.figures} == {1.0}
    assert all("all" in figure.flags for figure in got.figures)
    assert all(figure.low < figure.high == 1 for figure in got.figures)


def test_a_domain_of_lonely_strata_says_that_it_knows_no_error():
    """R gives a missing standard error under the rule average; ours says why."""
    at = rebuilt.Setting("v2_lonely", "fpc", "average")
    got = at.figures("top2", where=("province", 1))

    assert {(figure.se, figure.low, figure.df) for figure in got.figures} == {(None, None, 0)}
    assert all("no_variance" in figure.flags for figure in got.figures)
    with pytest.raises(NoVariance):
        got.covariance()


def test_the_joint_covariance_of_the_engine_is_the_one_compared():
    at = rebuilt.Setting("v1_base", "fpc")
    names = [*ITEMS, *FACTORS, "overall_mean_of_factors"]
    compared_one = rebuilt.composite(at, "top2")["vcov"]
    place = [compared_one["names"].index(name) for name in names]

    assert at.figures("top2").covariance() == pytest.approx(
        np.array(compared_one["matrix"])[np.ix_(place, place)], rel=1e-12, abs=1e-18
    )
