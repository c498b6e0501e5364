import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.intervals import METHODS, NoInterval, interval


def one(method, p, se, n, df, **facts):
    low, high = interval(
        method, np.array([p]), np.array([se]), np.array([n]), np.array([df]), **facts
    )
    return float(low[0]), float(high[0])


def test_beta_of_a_simple_random_sample_is_clopper_and_pearson():
    # Newcombe 1998: 81 of 263 -> 0.2527 to 0.3676.
    p, n = 81 / 263, 263
    se = (p * (1 - p) / n) ** 0.5

    assert one("beta", p, se, n, n - 1) == pytest.approx((0.2527, 0.3676), abs=5e-5)


def test_wilson_with_many_degrees_of_freedom_is_wilsons():
    # Newcombe 1998: 81 of 263 -> 0.2553 to 0.3662.
    p, n = 81 / 263, 263
    se = (p * (1 - p) / n) ** 0.5

    assert one("wilson", p, se, n, 10**9) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_effective_sample_of_beta_is_capped_at_the_persons():
    free = one("beta", 0.9, 0.005, 100, 30, cap=False)
    capped = one("beta", 0.9, 0.005, 100, 30)

    assert capped[0] < free[0]
    assert capped[1] > free[1]
    assert capped == pytest.approx(
        one("beta", 0.9, 0.03, 100, 99)
    )  # the interval of a simple random sample


def test_the_cap_of_a_composite_is_a_design_effect_of_one():
    # Persons vary by 0.04 around it, not by p(1-p) = 0.09: se 0.02 is what 100 of them give.
    loose = one("beta", 0.9, 0.02, 100, 99, spread=np.array([0.04]))
    tight = one("beta", 0.9, 0.01, 100, 99, spread=np.array([0.04]))

    assert loose == pytest.approx(tight)
    assert loose == pytest.approx(one("beta", 0.9, 0.02, 100, 99, cap=False))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("p", "bound"), [(1.0, 0), (0.0, 1)])
def test_nobody_or_everybody_still_leaves_doubt(method, p, bound):
    found = one(method, p, 0.0, 88, 87)

    assert found[1 - bound] == p
    assert abs(found[bound] - p) == pytest.approx(1 - 0.025 ** (1 / 88))


def test_clusters_widen_the_doubt_about_everybody():
    assert one("beta", 1.0, 0.0, 88, 7)[0] < one("beta", 1.0, 0.0, 88, 87)[0]


def test_two_persons_who_agree_by_chance_have_no_interval_of_no_width():
    low, high = one("t", 0.5, 0.0, 20, 3)

    assert low < 0.5 < high


@given(
    p=st.floats(1e-6, 1 - 1e-6),
    relative=st.floats(1e-3, 3),
    n=st.integers(2, 10**6),
    df=st.integers(1, 2000),
    method=st.sampled_from(METHODS),
    level=st.floats(0.5, 0.999),
    cap=st.booleans(),
)
def test_every_interval_lies_in_0_to_1_around_its_estimate(p, relative, n, df, method, level, cap):
    se = relative * (p * (1 - p) / n) ** 0.5
    low, high = one(method, p, se, n, df, level=level, cap=cap)

    assert 0 <= low <= high <= 1
    assert low <= p + 1e-12
    assert high >= p - 1e-12


@given(df=st.integers(1, 50), method=st.sampled_from(METHODS))
def test_more_confidence_is_wider(df, method):
    narrow = one(method, 0.84, 0.02, 500, df, level=0.8)
    wide = one(method, 0.84, 0.02, 500, df, level=0.99)

    assert wide[0] < narrow[0]
    assert wide[1] > narrow[1]


@given(p=st.floats(0.01, 0.99), df=st.integers(2, 60), method=st.sampled_from(METHODS))
def test_dissatisfied_is_the_mirror_of_satisfied(p, df, method):
    low, high = one(method, p, 0.01, 400, df)

    assert one(method, 1 - p, 0.01, 400, df) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize(
    "facts",
    [{"df": 0}, {"n": 1}, {"level": 1.0}, {"level": 0.0}, {"method": "wald"}],
)
def test_an_interval_that_cannot_be_is_refused(facts):
    full = {"method": "beta", "p": 0.5, "se": 0.1, "n": 20, "df": 5} | facts
    level = full.pop("level", 0.95)
    with pytest.raises(NoInterval):
        one(*(full[k] for k in ("method", "p", "se", "n", "df")), level=level)
