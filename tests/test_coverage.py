"""A short run of the simulation in ``benchmarks/coverage.py``; the long one has the figures."""

import importlib
import sys
from pathlib import Path

import pytest

from analysis.ranks import KINDS, METHODS

sys.path.append(str(Path(__file__).resolve().parent.parent))  # benchmarks are not installed
coverage = importlib.import_module("benchmarks.coverage")
DESIGNS, intervals, ranks = coverage.DESIGNS, coverage.intervals, coverage.ranks
FEW = [DESIGNS[0]] * coverage.UNITS


@pytest.mark.parametrize("share", coverage.SHARES)
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: f"df{design.df}")
def test_the_default_interval_holds_the_truth_as_often_as_it_says(design, share):
    # 4.000 runs: a true coverage of 95 % is seen below 94 % once in 500 times.
    assert intervals(design, share, 4000)["beta"] >= 0.94


def test_a_plain_interval_would_not():
    assert intervals(DESIGNS[1], 0.97, 4000)["t"] < 0.9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_rank_sets_of_few_villages_hold_the_true_places(kind, method):
    # 150 runs: a true coverage of 95 % is seen below 90 % once in 100 times.
    assert ranks(FEW, kind, method, 150)[1] >= 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_rank_sets_that_are_not_told_the_few_villages_are_too_sure(kind):
    told = ranks(FEW, kind, "max_t", 150)[1]
    untold = ranks(FEW, kind, "max_t", 150, df=False)[1]

    assert untold < told - 0.03


def test_units_of_all_sizes_are_held_on_the_whole():
    assert ranks(coverage.MIXED, "marginal", "max_t", 150)[0] >= 0.95
