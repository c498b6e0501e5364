import numpy as np
import pytest
from oracle import FACTORS, ITEMS, reference
from weighing import DESIGNS, drawn, facts, multipliers

from analysis.design import LonelyStratum, arrange
from analysis.index import points, scheme
from analysis.replicates import (
    BadFactors,
    EmptyReplicate,
    NotPaired,
    brr,
    fay,
    given,
    hadamard,
    jkn,
    raowu,
    replicate_estimates,
)

SCHEME = scheme(ITEMS, FACTORS, aggregate="factor")
TOP2 = points("top2")


def answers(layout=SCHEME):
    answered = np.stack([facts()[item] for item in layout.items], axis=1)
    return (answered[:, :, None] == np.arange(1, 6)) * facts()["w"][:, None, None]


def estimates(replicates, kind="fpc", layout=SCHEME):
    return replicate_estimates(drawn(kind).psu, answers(layout), TOP2, layout, replicates)


def design(sizes, fpc=None, lonely="adjust"):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    return arrange(strata, None if fpc is None else np.repeat(fpc, sizes), lonely=lonely)[0]


@pytest.mark.parametrize("kind", DESIGNS)
def test_the_jackknife_is_that_of_r(kind):
    expected = reference("v1_base")["designs"][kind]["jkn"]["mse_true"]
    got = estimates(jkn(drawn(kind).design), kind)

    assert got.full[4] == pytest.approx(expected["top2_c05"], rel=1e-12)
    assert got.se[4] == pytest.approx(expected["se"], rel=1e-10)
    assert got.full[-1] == pytest.approx(expected["composite"], rel=1e-12)
    assert got.se[-1] == pytest.approx(expected["composite_se"], rel=1e-10)


@pytest.mark.parametrize("kind", DESIGNS)
def test_centred_at_its_own_mean_it_is_the_other_jackknife_of_r(kind):
    expected = reference("v1_base")["designs"][kind]["jkn"]["mse_false"]
    made = jkn(drawn(kind).design)
    thetas = estimates(made, kind).thetas

    se = made.se(thetas, thetas.mean(axis=0))
    assert (se[4], se[-1]) == pytest.approx((expected["se"], expected["composite_se"]), rel=1e-10)


@pytest.mark.parametrize("kind", DESIGNS)
def test_factors_from_a_file_give_the_bootstrap_of_r(kind):
    expected = reference("v1_base")["designs"][kind]["raowu_bootstrap"]
    made = given(multipliers(kind), drawn(kind).design)

    assert made.scale == pytest.approx(np.full(200, expected["scale"]))
    assert estimates(made, kind).full[4] == pytest.approx(expected["top2_c05"], rel=1e-12)
    assert estimates(made, kind).se[4] == pytest.approx(expected["se"], rel=1e-10)


def test_composites_are_those_of_the_taylor_engine():
    expected = reference("v1_base")["designs"]["fpc"]["composite_top2"]["est"]
    for aggregate, name in (("item", "criteria"), ("factor", "factors"), ("pooled", None)):
        layout = scheme(ITEMS, FACTORS, {"all": list(FACTORS)}, aggregate=aggregate)
        got = estimates(jkn(drawn().design), layout=layout)
        total = expected[f"overall_mean_of_{name}" if name else "overall_pooled"]

        assert got.full[22:27] == pytest.approx([expected[f] for f in FACTORS], rel=1e-12)
        assert got.full[-2:] == pytest.approx([total, total], rel=1e-12)


@pytest.mark.parametrize("kind", DESIGNS)
def test_the_bootstrap_is_near_taylor_and_heeds_the_fraction(kind):
    taylor = reference("v1_base")["designs"][kind]["composite_top2"]["se"]
    got = estimates(raowu(drawn(kind).design, 2000), kind)

    assert got.se[-1] == pytest.approx(taylor["overall_mean_of_factors"], rel=0.04)
    assert got.se[4] == pytest.approx(taylor["c05"], rel=0.04)


def test_the_bootstrap_keeps_each_stratum_and_repeats_itself():
    drawn_ = design([3, 5], fpc=[6, 50])
    made = raowu(drawn_, 400, seed=3)

    assert made.factors[:, :3].sum(axis=1) == pytest.approx(np.full(400, 3))
    assert made.factors[:, 3:].sum(axis=1) == pytest.approx(np.full(400, 5))
    assert made.factors.min() == pytest.approx(1 - 0.9**0.5)
    assert np.array_equal(made.factors, raowu(drawn_, 400, seed=3).factors)
    assert not np.array_equal(made.factors, raowu(drawn_, 400, seed=4).factors)


def test_a_bootstrap_of_a_total_has_the_variance_of_taylor():
    drawn_ = design([3, 5, 2], fpc=[6, 50, 4])
    z = np.random.default_rng(1).normal(size=(10, 1))
    made = raowu(drawn_, 40_000, seed=11)

    variance = made.covariance(made.factors @ z, z.sum(axis=0))
    assert variance == pytest.approx(drawn_.covariance(z), rel=0.03)


@pytest.mark.parametrize("strata", [1, 3, 4, 12, 21])
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_half_samples_of_totals_have_exactly_the_variance_of_taylor(strata, rho):
    chance = np.random.default_rng(strata)
    drawn_ = design([2] * strata, fpc=chance.integers(3, 20, strata))
    z = chance.normal(size=(2 * strata, 3))
    made = fay(drawn_, rho)

    thetas = made.factors @ z
    assert made.covariance(thetas, z.sum(axis=0)) == pytest.approx(drawn_.covariance(z))
    assert made.se(thetas, z.sum(axis=0)) == pytest.approx(np.sqrt(drawn_.variances(z)))
    assert thetas.mean(axis=0) == pytest.approx(z.sum(axis=0))


def test_the_jackknife_of_totals_has_exactly_the_variance_of_taylor():
    drawn_ = design([2, 3, 5], fpc=[4, 0, 9])
    z = np.random.default_rng(2).normal(size=(10, 3))
    made = jkn(drawn_)

    variance = made.covariance(made.factors @ z, z.sum(axis=0))
    assert variance == pytest.approx(drawn_.covariance(z))


def test_half_samples_double_one_psu_and_drop_the_other():
    made = brr(design([2, 2, 2]))

    assert made.factors.shape == (4, 6)
    assert set(made.factors.ravel()) == {0.0, 2.0}
    assert (made.factors[:, ::2] + made.factors[:, 1::2] == 2).all()


def test_half_samples_need_pairs():
    with pytest.raises(NotPaired) as caught:
        brr(design([2, 3, 2]))
    assert caught.value.strata == ("1",)

    made = brr(design([2, 3, 2], fpc=[0, 3, 0]))  # the whole stratum was drawn: no error
    assert (made.factors[:, 2:5] == 1).all()
    with pytest.raises(ValueError, match="rho"):
        fay(design([2]), 1.0)


@pytest.mark.parametrize("make", [jkn, raowu, brr])
def test_lonely_strata_are_refused_or_silent_as_the_rule_says(make):
    with pytest.raises(LonelyStratum) as caught:
        make(design([2, 1, 2]))
    assert caught.value.strata == ("1",)

    made = make(design([2, 1, 2], lonely="remove"))
    assert made.silent == ("1",)
    assert (made.factors[:, 2] == 1).all()
    assert make(design([2, 1, 2], fpc=[0, 1, 0])).silent == ()  # a whole population


@pytest.mark.parametrize("least", [1, 2, 3, 12, 13, 20, 25, 127, 200])
def test_hadamard_matrices_are_orthogonal(least):
    matrix = hadamard(least)
    size = matrix.shape[0]

    assert least <= size < max(3, 1.4 * least + 4)
    assert set(np.unique(matrix)) <= {1.0, -1.0}
    assert (matrix[:, 0] == 1).all()
    assert np.array_equal(matrix.T @ matrix, size * np.eye(size))


@pytest.mark.parametrize(
    ("factors", "scale"),
    [
        (np.ones((5, 3)), None),
        (np.ones((1, 4)), None),
        (np.ones(4), None),
        (np.full((5, 4), np.nan), None),
        (-np.ones((5, 4)), None),
        (np.ones((5, 4)), np.ones(4)),
        (np.ones((5, 4)), -np.ones(5)),
    ],
)
def test_factors_that_do_not_fit_are_refused(factors, scale):
    with pytest.raises(BadFactors):
        given(factors, design([2, 2]), scale)


def test_a_bootstrap_needs_two_draws():
    with pytest.raises(ValueError, match="2 draws"):
        raowu(design([2]), 1)


def pair(second):
    """Two items, four PSUs of one person each; ``second`` says who answered the second."""
    sums = np.zeros((4, 2, 5))
    sums[:, 0, [0, 3, 4, 1]] = np.eye(4)
    sums[np.array(second, bool), 1, 4] = 1
    return sums


def test_an_item_nobody_answered_is_unknown_and_leaves_its_composites():
    layout = scheme(["a", "b"], {"F": ["a"], "G": ["b"]})
    made = jkn(design([2, 2]))
    got = replicate_estimates(np.arange(4), pair([0, 0, 0, 0]), TOP2, layout, made)

    assert got.known.tolist() == [True, False, True, False, True]
    assert got.full == pytest.approx([0.5, 0, 0.5, 0, 0.5])
    assert got.se[2] == pytest.approx(got.se[0])
    assert got.se[1] == 0


def test_a_replicate_without_anybody_who_answered_is_named():
    layout = scheme(["a", "b"], {"F": ["a", "b"]})
    with pytest.raises(EmptyReplicate) as caught:
        replicate_estimates(np.arange(4), pair([0, 1, 0, 0]), TOP2, layout, jkn(design([2, 2])))

    assert (caught.value.replicate, caught.value.item) == (2, "b")
    half = fay(design([2, 2]))
    assert replicate_estimates(np.arange(4), pair([0, 1, 0, 0]), TOP2, layout, half).full[1] == 1
