import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.bounds import hidden_parts, publication, response_bounds


def test_the_worst_case_by_hand():
    # 40 % answered, 90 % of them are satisfied: 36 % at least, 96 % at most.
    assert response_bounds(0.9, 0.4) == pytest.approx((0.36, 0.96))


def test_everybody_answered_leaves_no_doubt_and_nobody_leaves_all():
    assert response_bounds(0.9, 1.0) == pytest.approx((0.9, 0.9))
    assert response_bounds(0.9, 0.0) == pytest.approx((0.0, 1.0))


@given(share=st.floats(0, 1), rate=st.floats(0, 1))
def test_bounds_hold_what_any_silent_majority_would_give(share, rate):
    low, high = response_bounds(share, rate)
    for silent in (0.0, 0.3, 1.0):
        truth = rate * share + (1 - rate) * silent
        assert low - 1e-12 <= truth <= high + 1e-12


@pytest.mark.parametrize(("share", "rate"), [(1.2, 0.5), (0.5, -0.1)])
def test_shares_outside_0_to_1_are_refused(share, rate):
    with pytest.raises(ValueError, match=r"0\.\.1"):
        response_bounds(share, rate)


@pytest.mark.parametrize(
    ("n", "neff", "expected"),
    [
        (30, 30.0, ""),
        (29, None, "few"),
        (300, 29.9, "few"),
        (5, None, "few"),
        (4, None, "hidden"),
        (0, None, ""),
    ],
)
def test_few_and_hidden(n, neff, expected):
    assert publication(n, neff) == expected


def test_the_rule_is_data_of_the_wave():
    assert publication(40, None, min_n=50, hide_n=10) == "few"
    assert publication(9, None, min_n=50, hide_n=10) == "hidden"


def test_a_single_hidden_part_takes_the_next_smallest_along():
    assert hidden_parts([100, 3, 60, 8]) == {1, 3}
    assert hidden_parts([100, 3, 60, 2]) == {1, 3}
    assert hidden_parts([100, 60]) == frozenset()
    assert hidden_parts([0, 60, 100]) == frozenset()
    assert hidden_parts([3]) == {0}
