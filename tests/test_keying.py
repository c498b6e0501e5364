from __future__ import annotations

import numpy as np
import pytest

from analysis.intervals import interval
from analysis.keying import (
    NoFields,
    TooFewClusters,
    UselessKeying,
    error_rate,
    keying,
)

#: Four forms of five fields: verified, then keyed (9 = no answer, 0 = blank).
VERIFIED = np.array([[5, 4, 3, 2, 9], [4, 4, 4, 1, 5], [3, 3, 4, 5, 5], [2, 4, 0, 4, 5]])
ENTERED = np.array([[5, 3, 3, 2, 9], [4, 5, 4, 1, 5], [3, 4, 4, 5, 0], [2, 4, 9, 4, 5]])
OPERATOR = np.array([0, 0, 1, 1])


def bounds(low, high):
    return np.array([low]), np.array([high])


def test_errors_are_counted_by_what_they_do():
    got = keying(ENTERED, VERIFIED, OPERATOR)

    assert (got.overall.errors, got.overall.fields) == (4, 20)
    assert (got.lost.errors, got.lost.fields) == (1, 11)  # 4 keyed as 3
    assert (got.gained.errors, got.gained.fields) == (1, 6)  # 3 keyed as 4


def test_blank_and_no_answer_are_the_same_answer():
    got = keying(ENTERED, VERIFIED, OPERATOR)

    assert got.confusion[0, 0] == 2


def test_the_confusion_matrix_has_paper_in_rows_and_keys_in_columns():
    got = keying(ENTERED, VERIFIED, OPERATOR).confusion

    assert (got[4, 3], got[4, 5], got[3, 4], got[5, 0]) == (1, 1, 1, 1)
    assert got.sum() == 20
    assert np.trace(got) == 16


def test_the_error_of_the_rate_is_the_one_worked_by_hand():
    # Two operators, 10 fields each, 3 errors and 1: z = (3 - 2)/20, (1 - 2)/20.
    got = error_rate(np.array([3, 1]), np.array([10, 10]), np.array([7, 9]))

    assert got.value == pytest.approx(0.2)
    assert got.se == pytest.approx((2 * 2 * 0.05**2) ** 0.5)
    assert got.deff == pytest.approx(0.01 / (0.2 * 0.8 / 20))
    assert got.df == 1
    assert got.low < 0.2 < got.high


def test_no_error_seen_still_leaves_room_for_one():
    got = error_rate(np.zeros(300, int), np.ones(300, int), np.arange(300))

    assert (got.value, got.low) == (0, 0)
    assert got.high == pytest.approx(1 - 0.025 ** (1 / 300))
    assert got.deff is None


def test_no_error_of_few_operators_says_less_than_of_many():
    many = error_rate(np.zeros(30, int), np.full(30, 10), np.arange(30))
    few = error_rate(np.zeros(3, int), np.full(3, 100), np.arange(3))

    assert few.high > 2 * many.high


def test_errors_heaped_on_one_operator_widen_the_interval():
    fields, operator = np.full(12, 100), np.arange(12)
    even = error_rate(np.tile([1, 3], 6), fields, operator)
    heaped = error_rate(np.array([24] + [0] * 11), fields, operator)

    assert even.value == heaped.value
    assert heaped.high > 1.5 * even.high


def test_one_operator_alone_is_refused():
    with pytest.raises(TooFewClusters):
        error_rate(np.array([1, 0]), np.array([10, 10]), np.array([4, 4]))


def test_no_double_entry_is_refused():
    with pytest.raises(NoFields, match="no field"):
        error_rate(np.zeros(0, int), np.zeros(0, int), np.zeros(0, int))


def test_double_entry_without_an_unsatisfied_answer_cannot_tell_how_they_are_keyed():
    with pytest.raises(NoFields) as caught:
        keying(np.full((4, 3), 5), np.full((4, 3), 5), OPERATOR)

    assert caught.value.kind == "unsatisfied"


def test_keys_that_say_nothing_of_the_paper_are_refused():
    wrong = np.where(VERIFIED > 3, 2, 5)

    with pytest.raises(UselessKeying):
        keying(wrong, VERIFIED, OPERATOR).widen(*bounds(0.4, 0.6))


def entry(rng, forms, loses, gains, operators=10, fields=20):
    """Double-entered forms of operators who differ; true share satisfied 0.9."""
    operator = np.arange(forms) % operators
    careless = rng.gamma(4, 0.25, operators)[operator][:, None]
    verified = np.where(rng.random((forms, fields)) < 0.9, 4, 3)
    slip = rng.random(verified.shape)
    entered = np.where(
        verified == 4, np.where(slip < loses * careless, 3, 4), np.where(slip < gains, 4, 3)
    )
    return keying(entered, verified, operator)


def covered(seed, loses, gains, runs=400, persons=800, truth=0.9):
    """Shares of runs in which the plain and the widened interval hold the truth on paper."""
    rng = np.random.Generator(np.random.PCG64(seed))
    keyed = truth * (1 - loses) + (1 - truth) * gains
    p = rng.binomial(persons, keyed, runs) / persons
    n = np.full(runs, persons)
    low, high = interval("beta", p, np.sqrt(p * (1 - p) / (n - 1)), n, n - 1)
    wide = [entry(rng, 100, loses, gains).widen(*bounds(low[i], high[i])) for i in range(runs)]
    plain = (low <= truth) & (truth <= high)
    held = [a[0] <= truth <= b[0] for a, b in wide]
    return plain.mean(), np.mean(held)


def test_the_widened_interval_holds_where_answers_are_lost_and_the_plain_one_fails():
    plain, widened = covered(21, 0.03, 0.02)

    assert plain < 0.50
    assert widened >= 0.95


def test_the_widened_interval_holds_where_answers_are_gained_and_the_plain_one_fails():
    plain, widened = covered(22, 0.0, 0.25)

    assert plain < 0.50
    assert widened >= 0.95


def test_the_widened_interval_holds_where_nothing_is_keyed_wrong():
    _, widened = covered(23, 0.0, 0.0)

    assert widened >= 0.95


def test_a_bound_only_moves_outward():
    rng = np.random.Generator(np.random.PCG64(24))
    got = entry(rng, 100, 0.03, 0.0)
    low, high = got.widen(*bounds(0.85, 0.90))

    assert low[0] <= 0.85
    assert high[0] > 0.92  # satisfied answers were lost: the paper is better than the keys


def test_more_double_entry_narrows_the_widened_interval():
    few, many = (
        entry(np.random.Generator(np.random.PCG64(25)), forms, 0.01, 0.01).widen(*bounds(0.8, 0.9))
        for forms in (50, 800)
    )

    assert many[0][0] > few[0][0]
    assert many[1][0] < few[1][0]


def test_bounds_stay_inside_nothing_and_all():
    got = entry(np.random.Generator(np.random.PCG64(26)), 100, 0.02, 0.1)
    low, high = got.widen(np.array([0.0, 0.99]), np.array([0.01, 1.0]))

    assert low[0] == 0
    assert high[1] == 1
