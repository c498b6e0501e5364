import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.ranks import competition, difference_se, differs, holm, rank_sets


def test_equal_units_share_the_better_place():
    assert competition(np.array([0.8, 0.9, 0.9, 0.7])).tolist() == [3, 1, 1, 4]
    assert competition(np.array([0.3, 0.1 + 0.2])).tolist() == [1, 1]
    assert competition(np.array([0.8451, 0.8452])).tolist() == [2, 1]


def test_units_far_apart_have_one_place_each():
    found = rank_sets(np.array([0.9, 0.7, 0.5]), np.eye(3) * 1e-6)

    assert found.rank.tolist() == found.low.tolist() == found.high.tolist() == [1, 2, 3]


def test_units_that_cannot_be_told_apart_share_all_places():
    found = rank_sets(np.array([0.84, 0.85, 0.83]), np.eye(3) * 0.02**2)

    assert found.rank.tolist() == [2, 1, 3]
    assert found.low.tolist() == [1, 1, 1]
    assert found.high.tolist() == [3, 3, 3]


def test_two_units_are_compared_at_the_plain_quantile():
    assert rank_sets(np.array([0.9, 0.8]), np.eye(2)).critical == pytest.approx(1.959963984540)


def test_what_two_units_share_does_not_blur_their_places():
    joint = np.array([[4.0, 3.9], [3.9, 4.0]]) * 1e-4

    assert difference_se(joint)[0, 1] == pytest.approx((0.2e-4) ** 0.5)
    assert rank_sets(np.array([0.86, 0.84]), joint).high.tolist() == [1, 2]
    assert rank_sets(np.array([0.86, 0.84]), np.diag(np.diag(joint))).high.tolist() == [2, 2]


def test_one_unit_is_first():
    found = rank_sets(np.array([0.5]), np.ones((1, 1)))

    assert (found.rank[0], found.low[0], found.high[0]) == (1, 1, 1)


def test_no_units_and_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="no units"):
        rank_sets(np.array([]), np.ones((0, 0)))
    with pytest.raises(ValueError, match="unknown kind"):
        rank_sets(np.ones(2), np.eye(2), kind="both")


def test_holm_by_hand():
    # 0.01 x 4, 0.02 x 3, then 0.03 x 2 and 0.04 x 1 may not fall below what came before.
    found = holm(np.array([0.03, 0.01, 0.04, 0.02]))

    assert found == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_a_difference_is_marked_only_after_adjustment():
    se = np.full(4, 0.01)

    assert differs(np.array([0.05, -0.05, 0.021, 0.0]), se, 1000).tolist() == [1, -1, 0, 0]
    assert differs(np.array([0.021]), se[:1], 1000).tolist() == [1]


def test_a_difference_without_error_is_what_it_is():
    assert differs(np.array([0.1, 0.0]), np.zeros(2), 10).tolist() == [1, 0]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 0.1)), min_size=1, max_size=40))
def test_a_place_lies_in_its_set_and_simultaneous_sets_are_wider(units):
    values = np.array([value for value, _ in units])
    joint = np.diag([se**2 for _, se in units])
    one, all_ = rank_sets(values, joint), rank_sets(values, joint, kind="simultaneous")

    assert (one.low <= one.rank).all()
    assert (one.rank <= one.high).all()
    assert (all_.low <= one.low).all()
    assert (all_.high >= one.high).all()
