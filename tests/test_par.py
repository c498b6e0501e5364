from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.par import BadPoints, proportional, thresholds

TABLE = thresholds([(0.6, 2), (0.8, 4), (0.9, 6.5)])


def test_ha_tinh_earned_9_12_of_10():
    assert proportional(0.9117, 10) == Decimal("9.12")


def test_halves_go_up_as_they_are_written():
    assert proportional(0.8125, 10) == Decimal("8.13")
    assert proportional(0.8005, 10) == Decimal("8.01")  # 8.005 as a double is below it
    assert proportional(np.float64(0.2675), np.int64(10)) == Decimal("2.68")
    assert proportional(0.84702321, 100, decimals=5) == Decimal("84.70232")


def test_all_and_nothing():
    assert proportional(1.0, 6.5) == Decimal("6.50")
    assert proportional(0.0, 10) == 0


@pytest.mark.parametrize(
    ("index", "points"),
    [(0.5999, 0), (0.6, 2), (0.7999, 2), (0.8, 4), (0.8999, 4), (0.9, 6.5), (1.0, 6.5), (0.0, 0)],
)
def test_an_edge_belongs_to_its_step(index, points):
    assert TABLE.points(index) == Decimal(str(points))


def test_the_last_bit_of_a_double_costs_no_points():
    assert 0.3 + 0.6 < 0.9
    assert TABLE.points(0.3 + 0.6) == Decimal("6.5")
    assert TABLE.points(0.9 - 1e-9) == 4


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_more_satisfaction_never_costs_points(indices):
    low, high = indices

    assert TABLE.points(low) <= TABLE.points(high)
    assert proportional(low, 10) <= proportional(high, 10)


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [(0.8, 4), (0.6, 2)],
        [(0.6, 2), (0.6, 3)],
        [(0.6, 4), (0.8, 2)],
        [(60, 2)],
        [(0.6, -1)],
        [(float("nan"), 1)],
    ],
)
def test_a_table_that_does_not_rise_is_refused(steps):
    with pytest.raises(BadPoints):
        thresholds(steps)


@pytest.mark.parametrize("index", [91.17, -0.1, float("nan")])
def test_an_index_outside_0_to_1_is_refused(index):
    with pytest.raises(BadPoints):
        proportional(index, 10)
    with pytest.raises(BadPoints):
        TABLE.points(index)


def test_points_below_0_are_refused():
    with pytest.raises(BadPoints, match="0 or more"):
        proportional(0.5, -10)
