import numpy as np
import pytest

from analysis.design import build
from analysis.tally import count, sample, whole_psus

CODES = np.array([[1, 5], [4, 9], [5, 0], [4, 4], [2, 5]])
DESIGN = build(np.zeros(5, int), np.array([0, 0, 1, 1, 2]), np.array([1.0, 2, 3, 4, 5]))


def test_sums_are_weighted_per_psu_item_and_level():
    found = sample(DESIGN, CODES).tally

    assert found.sums[0, 0].tolist() == [1, 0, 0, 2, 0]
    assert found.sums[1, 0].tolist() == [0, 0, 0, 4, 3]
    assert found.counts[:, 0].tolist() == [[1, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0, 1, 0, 0, 0]]


def test_no_answer_and_blank_are_no_level():
    found = sample(DESIGN, CODES).tally

    assert found.counts[:, 1].sum() == 3
    assert found.sums[:, 1].sum() == 1 + 4 + 5


def test_counting_some_rows_and_keeping_whole_psus_agree():
    taken = sample(DESIGN, CODES)
    rows = np.array([2, 3, 4])
    psus = whole_psus(DESIGN, rows)
    kept = taken.tally.keep(psus)
    counted = count(DESIGN, taken.codes, 5, rows)

    assert kept.psus.tolist() == [1, 2]
    assert kept.spread(kept.sums, 3) == pytest.approx(counted.sums)


def test_rows_that_cut_through_a_psu_are_noticed():
    assert whole_psus(DESIGN, np.array([0, 2, 3])) is None


def test_a_scale_of_three_levels():
    found = sample(DESIGN, np.array([[3], [2], [1], [4], [9]]), levels=3).tally

    assert found.sums[:, 0].tolist() == [[0, 2, 1], [3, 0, 0], [0, 0, 0]]


def test_rows_that_do_not_fit_the_design_are_refused():
    with pytest.raises(ValueError, match="one row of answers"):
        sample(DESIGN, CODES[:3])
