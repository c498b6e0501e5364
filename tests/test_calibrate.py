import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import reference
from weighing import DESIGNS, FIGURES, drawn, facts, figures, margins

from analysis.weights.calibrate import (
    BadTarget,
    BadWeights,
    EmptyCategory,
    Margin,
    MarginsDiffer,
    NegativeFactor,
    NoTarget,
    NotConverged,
    calibrate,
    margin,
    poststratify,
    thin_cells,
)

HOW = {
    "calibrate_raking": lambda w, all_: calibrate(w, all_),
    "calibrate_linear": lambda w, all_: calibrate(w, all_, method="linear"),
    "calibrate_logit_0.5_2": lambda w, all_: calibrate(w, all_, method="logit"),
    "poststratify_province": lambda w, all_: poststratify(w, all_[0]),
}


def two(a=(40.0, 60.0), b=(30.0, 70.0), codes=((0, 0, 1, 1), (0, 1, 0, 1))):
    return [
        Margin("sex", np.array(codes[0]), ("m", "f"), np.array(a)),
        Margin("age", np.array(codes[1]), ("young", "old"), np.array(b)),
    ]


@pytest.mark.parametrize("kind", DESIGNS)
@pytest.mark.parametrize("key", HOW)
def test_weights_are_those_of_r(key, kind):
    expected = reference("v1_base")["designs"][kind][key]
    weight = HOW[key](facts()["w"], margins()).weight

    assert weight[:10] == pytest.approx(expected["weights_head"], rel=1e-10)
    assert weight.sum() == pytest.approx(expected["weights_sum"], rel=1e-12)
    assert weight @ weight == pytest.approx(expected["weights_ss"], rel=1e-10)
    assert weight.min() == pytest.approx(expected["weights_min"], rel=1e-10)
    assert weight.max() == pytest.approx(expected["weights_max"], rel=1e-10)


@pytest.mark.parametrize("kind", DESIGNS)
@pytest.mark.parametrize("key", HOW)
def test_figures_with_calibrated_weights_and_their_errors_are_those_of_r(key, kind):
    expected = reference("v1_base")["designs"][kind][key]
    found = HOW[key](facts()["w"], margins())
    got = figures(drawn(kind), found.weight, lambda u: found.project(found.start[:, None] * u))

    for name, value in FIGURES.items():
        assert got[name][0] == pytest.approx(expected[name][value], rel=1e-12)
        assert got[name][1] == pytest.approx(expected[name]["se"], rel=1e-10)


@pytest.mark.parametrize("kind", DESIGNS)
def test_the_other_error_of_r_for_raking_comes_from_its_sweeps_of_plain_means(kind):
    expected = reference("v1_base")["designs"][kind]["rake"]
    all_, weight = margins(), calibrate(facts()["w"], margins()).weight
    got = figures(drawn(kind), weight, lambda u: swept(weight[:, None] * u, weight, all_))

    for name, value in FIGURES.items():  # R stops its sweeps of the weights at 1e-9 or so
        assert got[name][0] == pytest.approx(expected[name][value], rel=1e-10)
        assert got[name][1] == pytest.approx(expected[name]["se"], rel=1e-10)


def swept(totals, weight, all_):
    for _ in range(10):
        for each in all_:
            y, n = totals / weight[:, None], np.bincount(each.codes)
            mean = np.stack([np.bincount(each.codes, v) / n for v in y.T], axis=1)
            totals = totals - weight[:, None] * mean[each.codes]
    return totals


def test_post_strata_get_target_over_weight():
    one = Margin("sex", np.array([0, 0, 1]), ("m", "f"), np.array([10.0, 30.0]))
    found = poststratify(np.array([1.0, 3.0, 5.0]), one)

    assert found.g == pytest.approx([2.5, 2.5, 6.0])
    assert found.weight == pytest.approx([2.5, 7.5, 30.0])


def test_raking_an_independent_table_gives_products():
    # Four equal cells: raked to 40:60 and 30:70 they are 100 times the products of the shares.
    found = calibrate(np.full(4, 25.0), two())

    assert found.weight == pytest.approx([12, 28, 18, 42])
    assert found.error <= 1e-10


def test_linear_calibration_of_an_independent_table_adds_the_changes():
    # The change of a row and of a column add: 25 - 5 - 10, 25 - 5 + 10, 25 + 5 - 10, ...
    assert calibrate(np.full(4, 25.0), two(), method="linear").weight == pytest.approx(
        [10, 30, 20, 40]
    )


@pytest.mark.parametrize("method", ["rake", "linear", "logit"])
def test_cells_and_rows_get_the_same_factors_and_errors(method):
    rows = drawn()
    labels = [each.codes for each in margins()]
    cell = np.unique(np.stack([rows.psu, *labels]), axis=1, return_inverse=True)[1].ravel()
    first = np.unique(cell, return_index=True)[1]
    totals = np.stack([facts()["w"] * facts()["c05"], facts()["w"]], axis=1)
    by_cell = np.stack([np.bincount(cell, column) for column in totals.T], axis=1)
    each = [Margin(m.name, m.codes[first], m.labels, m.targets) for m in margins()]

    a = calibrate(facts()["w"], margins(), method=method)
    b = calibrate(np.bincount(cell, facts()["w"]), each, method=method)

    assert b.g[cell] == pytest.approx(a.g, rel=1e-12)
    folded = np.stack([np.bincount(cell, column) for column in a.project(totals).T], axis=1)
    assert b.project(by_cell) == pytest.approx(folded, rel=1e-9, abs=1e-9)


def test_what_the_margins_explain_has_no_error_left():
    found = calibrate(facts()["w"], margins())
    women = (facts()["sex"] == 2).astype(float)

    assert found.project((found.start * women)[:, None]) == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 10_000), st.sampled_from(["rake", "linear", "logit"]))
@settings(max_examples=30, deadline=None)
def test_every_margin_is_met_whatever_the_method_and_the_scale(seed, method):
    chance = np.random.default_rng(seed)
    n, scale = 200, 1 if method == "logit" else 10.0 ** chance.integers(-3, 4)
    start = chance.uniform(1, 5, n)
    wanted = start * chance.uniform(0.8, 1.25, n)
    all_ = [
        Margin(f"m{k}", codes, tuple("abc"), scale * np.bincount(codes, wanted, minlength=3))
        for k, codes in enumerate(chance.integers(0, 3, (3, n)))
    ]
    found = calibrate(start, all_, method=method)

    assert found.weight.min() > 0
    for each in all_:
        assert np.bincount(each.codes, found.weight) == pytest.approx(each.targets, rel=1e-9)
    if method == "logit":
        assert 0.5 <= found.g.min() <= found.g.max() <= 2


@pytest.mark.parametrize(
    ("start", "a", "b"),
    [
        ([50, 1, 1, 50], (95, 5), (10, 90)),
        ([1, 1e-3, 1e-3, 1], (1, 99), (99, 1)),
        ([1, 1, 1, 1], (4e8, 6e8), (3e8, 7e8)),
        ([1e9, 1e9, 1e9, 1e9], (40, 60), (30, 70)),
    ],
)
def test_raking_reaches_totals_far_from_the_sample(start, a, b):
    found = calibrate(np.array(start, float), two(a, b)).weight.reshape(2, 2)

    assert found.sum(axis=1) == pytest.approx(a)
    assert found.sum(axis=0) == pytest.approx(b)
    assert found[0, 0] * found[1, 1] / found[0, 1] / found[1, 0] == pytest.approx(
        start[0] * start[3] / start[1] / start[2], rel=1e-6
    )


def test_bounds_are_kept():
    assert calibrate(facts()["w"], margins()).g.min() < 0.8
    g = calibrate(facts()["w"], margins(), method="logit", bounds=(0.8, 1.3)).g

    assert 0.8 <= g.min() <= g.max() <= 1.3


def test_a_margin_given_twice_changes_nothing():
    once, twice = calibrate(np.full(4, 25.0), two()), calibrate(np.full(4, 25.0), two() + two())
    u = np.array([[3.0], [1.0], [4.0], [1.0]])

    assert twice.g == pytest.approx(once.g)
    assert twice.project(u) == pytest.approx(once.project(u))


def test_bounds_too_tight_say_how_far_they_came():
    with pytest.raises(NotConverged) as caught:
        calibrate(np.full(4, 25.0), two(), method="logit", bounds=(0.9, 1.1))

    assert caught.value.cycles >= 1
    assert 0.01 < caught.value.error < 1
    assert caught.value.margin in ("sex", "age")


def test_totals_that_no_weights_can_meet_do_not_converge():
    codes = ((0, 0, 1, 1), (0, 0, 1, 1))  # men are the young: 40 cannot be 30
    with pytest.raises(NotConverged):
        calibrate(np.full(4, 25.0), two(codes=codes))


def test_margins_with_different_totals_are_refused():
    with pytest.raises(MarginsDiffer) as caught:
        calibrate(np.full(4, 25.0), two(b=(60.0, 140.0)))

    assert caught.value.names == ("sex", "age")
    assert caught.value.totals == (100.0, 200.0)


def test_margins_are_scaled_to_the_first_when_asked():
    found = calibrate(np.full(4, 25.0), two(b=(60.0, 140.0)), rescale=True)

    assert found.weight == pytest.approx([12, 28, 18, 42])
    assert found.margins[1].targets == pytest.approx([30, 70])


def test_a_category_nobody_belongs_to_is_named():
    with pytest.raises(EmptyCategory) as caught:
        calibrate(np.full(4, 25.0), two(codes=((0, 0, 1, 1), (1, 1, 1, 1))))

    assert (caught.value.margin, caught.value.category) == ("age", "young")
    assert caught.value.target == 30


def test_a_category_without_target_is_named():
    with pytest.raises(NoTarget) as caught:
        margin("province", np.array([1, 2, 3]), {"1": 5.0, "2": 6.0})

    assert (caught.value.margin, caught.value.category) == ("province", "3")


@pytest.mark.parametrize("target", [0.0, -1.0, np.nan, np.inf])
def test_a_target_that_is_no_number_of_persons_is_named(target):
    with pytest.raises(BadTarget) as caught:
        margin("province", np.array([1, 2]), {"1": 5.0, "2": target})

    assert (caught.value.margin, caught.value.category) == ("province", "2")


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_that_is_no_weight_is_named(weight):
    with pytest.raises(BadWeights) as caught:
        calibrate(np.array([1.0, 1.0, weight, 1.0]), two())

    assert caught.value.rows == (2,)


def test_negative_factors_of_the_linear_method_are_refused():
    with pytest.raises(NegativeFactor) as caught:
        calibrate(np.full(4, 25.0), two(a=(20.0, 80.0), b=(20.0, 80.0)), method="linear")

    assert caught.value.cells == 1


@pytest.mark.parametrize(
    "facts_", [{"method": "ipf"}, {"method": "logit", "bounds": (1.1, 2.0)}, {"margins": []}]
)
def test_senseless_orders_are_refused(facts_):
    order = {"margins": two()} | facts_
    with pytest.raises(ValueError, match=r"method|bounds|margin"):
        calibrate(np.full(4, 25.0), order.pop("margins"), **order)


def test_a_margin_must_fit_its_codes():
    with pytest.raises(ValueError, match="outside"):
        Margin("sex", np.array([0, 2]), ("m", "f"), np.array([1.0, 1.0]))
    with pytest.raises(ValueError, match="one target"):
        Margin("sex", np.array([0, 1]), ("m", "f"), np.array([1.0]))
    with pytest.raises(ValueError, match="one code a weight"):
        calibrate(np.full(3, 25.0), two())


def test_few_persons_and_large_changes_are_thin():
    one = Margin("sex", np.repeat([0, 1, 2], 30), tuple("mfx"), np.array([100.0, 30.0, 9.0]))
    found = poststratify(np.ones(90), one)

    assert [(t.category, t.n) for t in thin_cells(found)] == [("m", 30), ("x", 30)]
    few = thin_cells(found, np.repeat([2, 0, 1], 30))
    assert [(t.category, t.n) for t in few] == [("m", 60), ("f", 0), ("x", 30)]
    assert few[0].g == pytest.approx(100 / 30)
