import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sampling.size import (
    BadSize,
    Size,
    cluster_deff,
    optimum_take,
    precision,
    size,
    slovin,
)


@pytest.mark.parametrize(
    ("population", "expected"), [(100, 80), (1000, 286), (5000, 371), (20000, 393), (None, 400)]
)
def test_the_official_sizes(population, expected):
    assert slovin(population) == expected


def test_a_size_that_is_whole_is_not_one_more_by_doubles():
    assert math.ceil(100 / (1 + 100 * 0.7**2)) == 3  # what doubles make of 100 / 50
    assert slovin(100, 0.7) == 2
    assert slovin(900, 0.1) == 90


def test_the_precision_of_a_province_in_the_method_is_that_of_84_percent():
    assert 100 * precision(580, share=0.84) == pytest.approx(2.98, abs=0.005)
    assert 100 * precision(580, share=0.84, deff=2) == pytest.approx(4.22, abs=0.005)
    assert 100 * precision(580) == pytest.approx(4.07, abs=0.005)


def test_the_textbook_size_and_its_population():
    # Cochran: 1.96^2 / 4 / 0.05^2 = 384.1; of 1000 persons 384.1 / (1 + 383.1 / 1000) = 277.7.
    assert size(0.05) == Size(385, 385)
    assert size(0.05, population=1000).answers == 278
    assert size(0.05, deff=2).answers == 769
    assert size(0.05, share=0.84).answers == 207


def test_forms_to_hand_out_are_exact():
    assert math.ceil(42 / 0.35) == 121  # what doubles make of 120
    assert size(0.152, response=0.35) == Size(42, 120)
    assert size(0.05, response=0.8) == Size(385, 482)


def test_more_forms_than_persons_are_refused():
    with pytest.raises(BadSize, match="there are 100") as refused:
        size(0.02, population=100, response=0.9)

    assert refused.value.name == "response"


@given(
    half=st.floats(0.005, 0.3),
    share=st.floats(0.05, 0.95),
    deff=st.floats(0.5, 5),
    population=st.one_of(st.none(), st.integers(50, 10**6)),
)
def test_the_size_reaches_the_precision_and_one_person_less_does_not(half, share, deff, population):
    n = size(half, share=share, deff=deff, population=population).answers
    given = {"share": share, "deff": deff, "population": population}

    assert precision(n, **given) <= half * (1 + 1e-9)
    if n > 1:
        assert precision(n - 1, **given) >= half * (1 - 1e-9)


def test_asking_everybody_leaves_no_error():
    assert precision(50, population=50) == 0
    assert precision(1, population=1) == 0


def test_thirty_persons_of_one_village_count_for_fewer():
    assert cluster_deff(0.08, 30) == pytest.approx(3.32)
    assert cluster_deff(0.5, 1) == 1
    assert cluster_deff(-0.1, 11) == 0


def test_the_best_take_by_hand():
    # sqrt(25 x 0.95 / 0.05) = 21.79; costs times variances of 21 and 22 decide.
    assert optimum_take(0.05, 25) == 22
    assert optimum_take(0.9, 1) == 1


@given(icc=st.floats(0.001, 0.9), ratio=st.floats(0.1, 1000))
def test_no_other_take_is_cheaper(icc, ratio):
    def price(m):
        return (ratio + m) * (1 + (m - 1) * icc) / m

    best = optimum_take(icc, ratio)
    assert price(best) <= min(price(m) for m in range(1, 2 * best + 10)) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda: slovin(0), "population"),
        (lambda: slovin(10, 0), "error"),
        (lambda: slovin(10, float("nan")), "error"),
        (lambda: slovin(10, float("inf")), "error"),
        (lambda: size(1.0), "half_width"),
        (lambda: size(0.05, share=1.2), "share"),
        (lambda: size(0.05, deff=0), "deff"),
        (lambda: size(0.05, response=0), "response"),
        (lambda: size(0.05, level=1.0), "level"),
        (lambda: precision(0), "answers"),
        (lambda: precision(11, population=10), "answers"),
        (lambda: cluster_deff(1.1, 5), "icc"),
        (lambda: cluster_deff(-0.5, 5), "icc"),
        (lambda: cluster_deff(0.1, 0), "take"),
        (lambda: optimum_take(0, 10), "icc"),
        (lambda: optimum_take(0.1, 0), "cost_ratio"),
    ],
)
def test_what_cannot_be_is_refused_by_name(ask, name):
    with pytest.raises(BadSize) as refused:
        ask()

    assert refused.value.name == name
