from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from analysis.design import build
from analysis.drivers import (
    ConstantItem,
    NoOverall,
    NothingExplained,
    TooFewPsus,
    importance,
    place,
)

TWO = ("access", "officials")
FOUR = ("access", "procedures", "officials", "results")


def drawn(psu, stratum=None):
    stratum = np.zeros(psu.size, int) if stratum is None else stratum
    made = build(stratum, psu, np.ones(psu.size))
    return made.design, made.psu


def one_person_per_psu(overall, factors, names=TWO):
    design, psu = drawn(np.arange(overall.size))
    return importance(design, psu, np.ones(overall.size), overall, factors, names=names)


def rng(seed):
    return np.random.Generator(np.random.PCG64(seed))


def people(seed, villages=60, each=12, weights=(0.5, 0.3, 0.2, 0.0)):
    """Satisfied citizens: factors that go together, villages that differ, an overall item."""
    draw = rng(seed)
    psu = np.repeat(np.arange(villages), each)
    village = draw.normal(0, 0.5, villages)[psu]
    common = draw.normal(0, 1, psu.size) + village
    factors = common[:, None] + draw.normal(0, 1, (psu.size, len(weights)))
    overall = factors @ np.array(weights) + draw.normal(0, 0.8, psu.size) + 0.3 * village
    return psu, draw.uniform(0.5, 2, psu.size), overall, factors


def estimated(psu, weight, overall, factors, names=FOUR):
    design, place_of = drawn(psu, psu % 4)
    return importance(design, place_of, weight, overall, factors, names=names)


def brute(weight, overall, factors):
    """Mean gain of R² over all orders of entry, each R² by weighted least squares."""
    root = np.sqrt(weight)[:, None]
    centred = np.column_stack([overall, factors])
    centred = root * (centred - weight @ centred / weight.sum())
    y, x = centred[:, 0], centred[:, 1:]

    def r2(subset):
        if not subset:
            return 0.0
        beta, *_ = np.linalg.lstsq(x[:, subset], y, rcond=None)
        return 1 - ((y - x[:, subset] @ beta) ** 2).sum() / (y**2).sum()

    gain = np.zeros(x.shape[1])
    orders = list(permutations(range(x.shape[1])))
    for order in orders:
        for at, j in enumerate(order):
            gain[j] += r2(list(order[: at + 1])) - r2(list(order[:at]))
    return gain / len(orders)


def test_unrelated_factors_share_by_their_squared_effects():
    a = np.tile([-1.0, -1.0, 1.0, 1.0], 3)
    b = np.tile([-1.0, 1.0, -1.0, 1.0], 3)
    got = one_person_per_psu(2 * a + b, np.column_stack([a, b]))

    assert got.share == pytest.approx([0.8, 0.2])
    assert got.r2 == pytest.approx(1)


def test_two_related_factors_follow_the_formula_worked_by_hand():
    psu, weight, overall, factors = people(3, weights=(0.6, 0.2))
    got = estimated(psu, weight, overall, factors, TWO)
    r1, r2 = got.correlation**2
    first = (r1 + got.r2 - r2) / 2

    assert got.share == pytest.approx([first / got.r2, 1 - first / got.r2])


def test_shares_are_the_mean_gain_over_all_orders():
    psu, weight, overall, factors = people(4)
    got = estimated(psu, weight, overall, factors)
    gain = brute(weight, overall, factors)

    assert got.share == pytest.approx(gain / gain.sum(), rel=1e-10)
    assert got.r2 == pytest.approx(gain.sum(), rel=1e-10)
    assert got.share.sum() == pytest.approx(1)


def test_the_linearised_error_agrees_with_the_jackknife_over_psus():
    psu, weight, overall, factors = people(5, villages=40)
    got = estimated(psu, weight, overall, factors)
    strata, total = np.arange(40) % 4, np.zeros(5)
    for one in range(40):
        factor = np.where(psu == one, 0.0, np.where(strata[psu] == one % 4, 10 / 9, 1.0))
        again = estimated(psu, weight * factor, overall, factors)
        total += 0.9 * (np.append(again.share, again.r2) - np.append(got.share, got.r2)) ** 2

    assert np.append(got.se, got.r2_se) == pytest.approx(np.sqrt(total), rel=0.05)


def test_linearised_totals_add_to_nothing_over_factors_and_villages():
    got = estimated(*people(6))

    assert got.z.sum(axis=1) == pytest.approx(0, abs=1e-14)
    assert got.z.sum(axis=0) == pytest.approx(0, abs=1e-14)


def test_intervals_cover_the_share_of_a_large_population():
    truth = estimated(*people(7, villages=20_000)).share
    found = [estimated(*people(100 + seed)) for seed in range(150)]
    covered = [(one.low <= truth) & (truth <= one.high) for one in found]

    assert np.mean(covered) > 0.92
    assert np.mean([one.se for one in found], axis=0) == pytest.approx(
        np.std([one.share for one in found], axis=0), rel=0.2
    )


def test_twin_factors_share_alike():
    psu, weight, overall, factors = people(8, weights=(0.5, 0.3))
    got = estimated(psu, weight, overall, factors[:, [0, 1, 1]], FOUR[:3])

    assert got.share[1] == pytest.approx(got.share[2])
    assert np.isfinite(got.se).all()


def test_scaling_the_weights_and_the_points_changes_nothing():
    psu, weight, overall, factors = people(9)
    a = estimated(psu, weight, overall, factors)
    b = estimated(psu, 1000 * weight, 100 * overall + 5, factors * 20)

    assert np.stack([a.share, a.se]) == pytest.approx(np.stack([b.share, b.se]))


def test_persons_without_the_overall_item_are_out_and_those_lacking_a_factor_are_counted():
    psu, weight, overall, factors = people(10)
    overall[:5] = np.nan
    factors[5:8, 2] = np.nan
    got = estimated(psu, weight, overall, factors)

    assert (got.n, got.dropped) == (overall.size - 8, 3)


def test_nobody_with_the_overall_item_is_refused():
    psu, weight, overall, factors = people(11)

    with pytest.raises(NoOverall):
        estimated(psu, weight, np.full_like(overall, np.nan), factors)


def test_a_factor_everybody_scores_alike_is_named():
    psu, weight, overall, factors = people(12)
    factors[:, 2] = 0.75

    with pytest.raises(ConstantItem, match="officials") as caught:
        estimated(psu, weight, overall, factors)

    assert caught.value.name == "officials"


def test_a_constant_overall_item_is_refused():
    psu, weight, overall, factors = people(13)

    with pytest.raises(ConstantItem, match="the overall item"):
        estimated(psu, weight, np.ones_like(overall), factors)


def test_factors_that_explain_nothing_are_refused():
    a = np.tile([-1.0, -1.0, 1.0, 1.0], 3)
    b = np.tile([-1.0, 1.0, -1.0, 1.0], 3)

    with pytest.raises(NothingExplained):
        one_person_per_psu(a * b, np.column_stack([a, b]))


def test_fewer_degrees_of_freedom_than_factors_are_refused():
    psu, weight, overall, factors = people(14, villages=7)

    with pytest.raises(TooFewPsus) as caught:
        estimated(psu, weight, overall, factors)

    assert (caught.value.df, caught.value.factors) == (3, 4)


def test_one_factor_has_nothing_to_be_compared_with():
    psu, weight, overall, factors = people(15)

    with pytest.raises(ValueError, match="2 to 12 factors"):
        estimated(psu, weight, overall, factors[:, :1], FOUR[:1])


def placed(performance, spread):
    """Performance with errors of about ``spread`` beside the importance of 60 villages."""
    psu, weight, overall, factors = people(16, weights=(0.9, 0.8, 0.0, 0.0))
    design, place_of = drawn(psu, psu % 4)
    found = importance(design, place_of, weight, overall, factors, names=FOUR)
    z = rng(17).normal(0, spread / 60**0.5, (60, 4))
    return place(design, found, np.array(performance), z - z.mean(axis=0))


def test_each_quadrant_is_named_where_the_sample_can_tell():
    got = placed([0.7, 0.9, 0.7, 0.9], 0.01)

    assert got.quadrants == ("concentrate", "keep", "low_priority", "overkill")


def test_a_quadrant_stays_unknown_when_an_interval_holds_its_cut():
    got = placed([0.7, 0.9, 0.7, 0.9], 0.2)

    assert got.quadrants == ("unknown",) * 4
    assert (got.performance[:, 1] < 0).all()
    assert (got.performance[:, 2] > 0).all()


def test_a_performance_without_error_of_its_own_is_not_called_certain():
    assert placed([0.7, 0.9, 0.7, 0.9], 0.0).quadrants == ("unknown",) * 4
