"""The error of calibrated weights from respondents beside a tally of final weights."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.design import build
from analysis.estimate import estimate, parts
from analysis.index import scheme
from analysis.residuals import Regression, dummies
from analysis.tally import Folder, layout
from analysis.weights.calibrate import Margin, calibrate

N = 600


def sample(*, lonely="adjust", aggregate="item"):
    """Rows of a sample with two margins; the same folded by PSU and by PSU and margins."""
    rng = np.random.default_rng(5)
    tree = scheme(["a", "b", "c"], {"F": ["a", "b"], "G": ["c"]}, {"I": ["F", "G"]},
                  aggregate=aggregate)  # fmt: skip
    psu = np.sort(rng.integers(0, 30, N))
    stratum = np.where(psu < 29, psu // 10, 9)
    start = rng.uniform(1, 5, N)
    codes = rng.integers(0, 6, (N, 3)).astype(np.uint8)
    sex, age = rng.integers(0, 2, N), rng.integers(0, 3, N)
    made = build(stratum, psu, start, lonely=lonely)
    kind = sex * 3 + age
    of = [Margin("sex", sex, ("1", "2"), np.array([900.0, 1100])),
          Margin("age", age, ("1", "2", "3"), np.array([600.0, 700, 700]))]  # fmt: skip
    return tree, made, codes, kind, of, psu % 3


def folded(tree, cell, weight, codes, psu):
    folder = Folder(layout(tree, "top2"))
    folder.add(cell, weight, codes)
    return folder.tally(psu)


@pytest.mark.parametrize("lonely", ["adjust", "remove", "average"])
@pytest.mark.parametrize("aggregate", ["item", "factor", "pooled"])
@pytest.mark.parametrize("method", ["rake", "linear"])
def test_both_ways_to_the_residuals_agree(lonely, aggregate, method):
    tree, made, codes, kind, margins, part = sample(lonely=lonely, aggregate=aggregate)
    calibration = calibrate(made.weight, margins, method=method)
    fine = made.psu * 6 + kind
    cells, cell = np.unique(fine, return_inverse=True)
    first = np.unique(cell, return_index=True)[1]
    # The reference: cells of start weights that share every category.
    start = folded(tree, cell, made.weight, codes, cells // 6)
    by_cell = calibrate(start.weight, [
        Margin(m.name, m.codes[first], m.labels, m.targets) for m in margins
    ], method=method)  # fmt: skip
    # The way of a wave: cells of final weights, respondents beside them.
    place = made.psu
    final = folded(tree, place, calibration.weight, codes, np.arange(made.design.n_psu))
    labels = [f"{k // 3}|{k % 3}" for k in range(6)]
    regression = Regression(
        place, place, made.weight, calibration.weight, codes, kind, dummies(labels, "|"),
        layout(tree, "top2"),
    )  # fmt: skip
    domain = np.zeros(made.design.n_psu, dtype=np.int64)
    domain[made.psu] = part
    grid = parts(final, made.design, tree, "top2", domain, 3, regression=regression)
    for d in (None, 0, 1, 2):
        marks = None if d is None else domain == d
        wanted = estimate(start, made.design, tree, "top2", calibration=by_cell,
                          cells=None if marks is None else marks[cells // 6])  # fmt: skip
        found = estimate(final, made.design, tree, "top2", cells=marks, regression=regression)
        assert found.z == pytest.approx(wanted.z, abs=1e-12)
        assert (found.present == wanted.present).all()
        for one, other in zip(found.figures, wanted.figures, strict=True):
            assert (one.n, one.df, one.flags) == (other.n, other.df, other.flags)
            assert (one.value, one.se, one.low) == pytest.approx((other.value, other.se, other.low))
        if d is not None:
            assert grid.figures(d) == found.figures
            if lonely != "average":  # which strata a domain has is another question there
                assert grid.covariance(d) == pytest.approx(
                    grid.estimates(d).covariance(), abs=1e-15
                )


def test_a_respondent_without_categories_is_left_as_he_is():
    assert dummies(["1|u", "", "2|u"], "|").tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 1]]
