import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.bounds import (
    hidden_parts,
    presentation,
    publication,
    response_bounds,
    selection_range,
    whole,
)


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
    assert hidden_parts([100, 1, 60, 1]) == {1, 2, 3}  # 2 = 1 + 1 is no secret
    assert hidden_parts([0, 60, 100]) == frozenset()
    assert hidden_parts([3]) == {0}


def test_the_range_of_the_silent_by_hand():
    # 40 % answered, 80 % satisfied; the others 70 % to 90 %: 0.32 + 0.42 and 0.32 + 0.54.
    assert selection_range(0.8, 0.4) == pytest.approx((0.74, 0.86))
    assert selection_range(0.95, 0.5) == pytest.approx((0.90, 0.975))
    assert selection_range(0.8, 0.4, delta=0) == pytest.approx((0.8, 0.8))


@given(share=st.floats(0, 1), rate=st.floats(0, 1), delta=st.floats(0, 1))
def test_the_range_of_the_silent_lies_inside_the_worst_case(share, rate, delta):
    worst, range_ = response_bounds(share, rate), selection_range(share, rate, delta=delta)

    assert worst[0] <= range_[0] <= share + 1e-12
    assert share - 1e-12 <= range_[1] <= worst[1]
    assert selection_range(share, rate, delta=1) == pytest.approx(worst)


def test_a_range_wider_than_everything_is_refused():
    with pytest.raises(ValueError, match=r"0\.\.1"):
        selection_range(0.5, 0.5, delta=10)


def test_the_whole_is_an_answer_for_every_dossier_settled():
    assert whole(120, 120)
    assert not whole(119, 120)
    assert not whole(120, None)
    assert not whole(0, 0)
    with pytest.raises(ValueError, match="121 answers to 120"):
        whole(121, 120)


@pytest.mark.parametrize(
    ("value", "bounds", "changes", "verdict", "reasons"),
    [
        (0.5, (0.45, 0.55), {}, "show", ()),
        (0.5, (0.45, 0.55), {"n": 29, "neff": 29}, "suppress", ("n", "neff")),
        (0.5, (0.45, 0.55), {"neff": 29.9}, "suppress", ("neff",)),
        (0.5, (0.45, 0.55), {"n": 30, "neff": 30}, "show", ()),
        (0.5, (0.375, 0.625), {}, "show", ()),
        (0.5, (0.25, 0.75), {}, "suppress", ("width",)),
        (0.02, (0.01, 0.05), {}, "show", ()),  # 200 % of the share, but narrow
        (0.04, (0.01, 0.07), {}, "suppress", ("relative",)),
        (0.05, (0.02, 0.08), {}, "show", ()),  # 120 % of the share
        (0.96, (0.93, 0.99), {}, "show", ("complement",)),
        (0.5, (0.45, 0.55), {"df": 7}, "review", ("df",)),
        (0.0, (0.0, 0.1), {}, "review", ("extreme",)),
        (1.0, (0.95, 1.0), {"df": 3}, "review", ("df", "extreme")),
        (1.0, (0.6, 1.0), {}, "suppress", ("width", "extreme")),
    ],
)
def test_what_may_be_shown_by_the_standards_of_nchs(value, bounds, changes, verdict, reasons):
    found = presentation(value, bounds, **({"n": 200, "neff": 100.0, "df": 20} | changes))

    assert (found.verdict, found.reasons) == (verdict, reasons)


def test_a_share_outside_its_bounds_is_refused():
    with pytest.raises(ValueError, match="inside its bounds"):
        presentation(0.5, (0.6, 0.7), n=100, neff=100, df=20)
