from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sampling.allocation import RULES, BadAllocation, allocate


def test_the_four_rules_by_hand():
    people = [100, 400, 900]

    assert allocate(60, people, rule="equal") == (20, 20, 20)
    assert allocate(28, people) == (2, 8, 18)
    assert allocate(60, people, rule="power") == (10, 20, 30)
    assert allocate(60, people, rule="neyman", spread=[0.9, 0.4, 0.1]) == (16, 28, 16)
    assert allocate(28, people, rule="power", power=1) == (2, 8, 18)
    assert allocate(60, people, rule="power", spread=[0.3, 0.15, 0.1]) == (20, 20, 20)


def test_the_largest_remainder_gets_the_person_and_equal_ones_in_order():
    assert allocate(10, [1000, 1000, 1000]) == (4, 3, 3)
    assert allocate(11, [1000, 1000, 1000]) == (4, 4, 3)
    assert allocate(10, [150, 250, 600]) == (2, 2, 6)  # 1.5, 2.5, 6.0


def test_what_does_not_fit_goes_to_the_others_by_the_same_rule():
    # 30 each; the first has 10 only, so that 80 go to two.
    assert allocate(90, [10, 500, 500], rule="equal") == (10, 40, 40)
    assert allocate(90, [10, 45, 500], rule="equal") == (10, 40, 40)
    assert allocate(90, [10, 30, 500], rule="equal") == (10, 30, 50)


def test_no_stratum_falls_below_the_minimum_or_what_it_has():
    assert allocate(100, [10, 3, 9990], minimum=5) == (5, 3, 92)


def test_an_empty_stratum_gets_nobody():
    assert allocate(10, [0, 50], minimum=2) == (0, 10)
    assert allocate(4, [0, 0, 9], rule="power", power=0) == (0, 0, 4)


def test_neyman_gives_the_least_variance_of_all_whole_numbers():
    people, spread = [60, 30, 90], [0.5, 0.2, 0.3]

    def variance(shares):
        return sum((n * s) ** 2 / k for n, s, k in zip(people, spread, shares, strict=True))

    every = [s for s in product(range(1, 19), repeat=3) if sum(s) == 20]
    best = min(every, key=variance)
    found = allocate(20, people, rule="neyman", spread=spread)
    assert variance(found) <= variance(best) * 1.005
    assert variance(found) < variance(allocate(20, people))


@given(
    people=st.lists(st.integers(0, 5000), min_size=1, max_size=40),
    rule=st.sampled_from(RULES),
    share=st.floats(0, 1),
    minimum=st.integers(0, 20),
    data=st.data(),
)
def test_the_sum_is_exact_and_everybody_keeps_inside(people, rule, share, minimum, data):
    spread = None
    if rule == "neyman":
        spreads = st.floats(0.01, 1)
        spread = data.draw(st.lists(spreads, min_size=len(people), max_size=len(people)))
    least = sum(min(minimum, size) for size in people)
    total = least + int(share * (sum(people) - least))

    found = allocate(total, people, rule=rule, spread=spread, minimum=minimum)

    assert sum(found) == total
    assert all(min(minimum, size) <= n <= size for n, size in zip(found, people, strict=True))


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30), st.floats(0.01, 1))
def test_proportional_shares_are_less_than_one_person_away(people, share):
    total = int(share * sum(people))
    found = allocate(total, people)

    for n, size in zip(found, people, strict=True):
        assert abs(n - total * size / sum(people)) < 1


@pytest.mark.parametrize(
    ("changes", "message", "strata"),
    [
        ({"rule": "best"}, "unknown rule", ()),
        ({"population": [5, -1, 3]}, "below 0", (1,)),
        ({"rule": "neyman"}, "spread is needed", ()),
        ({"spread": [1, 1, 1]}, "allowed by power", ()),
        ({"rule": "neyman", "spread": [1.0, float("nan"), -1.0]}, "not a number", (1, 2)),
        ({"rule": "neyman", "spread": [1.0]}, "not one spread", ()),
        ({"population": []}, "no strata", ()),
        ({"total": 10**6}, "to be had", ()),
        ({"minimum": 10}, "minima take 30", ()),
        ({"minimum": -1}, "minima", ()),
        ({"rule": "power", "power": 2}, "power lies", ()),
        ({"rule": "neyman", "spread": [0.0, 0.0, 0.0]}, "0 to be had", ()),
    ],
)
def test_what_cannot_be_shared_out_is_refused(changes, message, strata):
    given = {"total": 20, "population": [50, 60, 70]} | changes
    with pytest.raises(BadAllocation, match=message) as refused:
        allocate(given.pop("total"), given.pop("population"), **given)

    assert refused.value.strata == strata
