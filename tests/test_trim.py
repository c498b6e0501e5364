import numpy as np
import pytest
from oracle import reference
from test_calibrate import swept
from weighing import DESIGNS, FIGURES, drawn, facts, figures, margins

from analysis.weights.calibrate import BadWeights, Margin, calibrate
from analysis.weights.trim import (
    CapTooTight,
    cap_by_median,
    cap_by_quartiles,
    kish,
    trim,
    trim_once,
)


def raked():
    return calibrate(facts()["w"], margins())


def test_what_is_cut_off_is_spread_in_proportion():
    found = trim(np.array([1.0, 2.0, 3.0, 14.0]), 8.0)

    assert found.weight == pytest.approx([2, 4, 6, 8])  # 6 over weights of 6: doubled
    assert (found.capped, found.raised, found.rounds) == (1, 0, 1)
    assert found.moved == pytest.approx(6 / 20)
    assert found.kish_before == pytest.approx(4 * 210 / 400)
    assert found.kish_after == pytest.approx(4 * 120 / 400)


def test_weights_pushed_over_the_cap_are_cut_in_the_next_round():
    found = trim(np.array([1.0, 2.0, 5.0, 12.0]), 6.0)

    # Round 1: 6 over 8, the third becomes 8.75.  Round 2: 2.75 over 5.25: 1.75 and 3.5
    # become 2.67 and 5.33.
    assert found.weight == pytest.approx([8 / 3, 16 / 3, 6, 6])
    assert (found.capped, found.rounds) == (2, 2)


def test_no_weight_is_above_the_cap_even_by_rounding():
    found = trim(np.array([2 - 2e-9, 4 + 2e-9, 14.0]), 8.0)  # the second becomes 8 + 4e-9

    assert found.weight.max() <= 8.0


def test_weights_below_the_floor_are_lifted_at_the_cost_of_the_others():
    found = trim(np.array([1.0, 4.0, 5.0]), 10.0, floor=2.8)

    assert found.weight == pytest.approx([2.8, 3.2, 4.0])
    assert (found.capped, found.raised) == (0, 1)


def test_weights_within_the_limits_stay_as_they_are():
    weight = np.array([1.0, 2.0, 3.0])
    found = trim(weight, 3.0)

    assert found.weight.tolist() == weight.tolist()
    assert (found.capped, found.rounds, found.moved) == (0, 0, 0.0)


@pytest.mark.parametrize("multiple", [2.5, 3.0, 3.5])
def test_trimmed_weights_keep_the_cap_and_every_margin(multiple):
    start = raked()
    found = trim(start.weight, cap_by_median(start.weight, multiple), margins=start.margins)

    assert found.weight.max() <= found.cap
    assert found.capped >= 20
    assert found.kish_after < found.kish_before
    assert start.ending(found.weight).error < 1e-9


def test_trimming_moves_the_error_only_a_little_and_loses_no_margin():
    start = raked()
    found = trim(start.weight, cap_by_median(start.weight), margins=start.margins)
    ended = start.ending(found.weight)
    women = (facts()["sex"] == 2).astype(float)

    assert ended.weight == pytest.approx(found.weight)
    assert ended.project((ended.start * women)[:, None]) == pytest.approx(0, abs=1e-9)
    got, before = (
        figures(drawn(), c.weight, lambda u, c=c: c.project(c.start[:, None] * u))
        for c in (ended, start)
    )
    assert got["composite"][1] == pytest.approx(before["composite"][1], rel=0.1)


def test_a_cap_below_the_mean_of_a_category_is_refused():
    start = raked()
    with pytest.raises(CapTooTight) as caught:
        trim(start.weight, cap_by_median(start.weight, 2.0), margins=start.margins)

    assert caught.value.of == 596
    assert 0 < caught.value.trimmed < 596
    assert "province = 5" in str(caught.value.__cause__)


def test_a_cap_below_the_mean_is_refused():
    with pytest.raises(CapTooTight) as caught:
        trim(np.array([1.0, 2.0, 3.0]), 1.5)

    assert caught.value.trimmed == 3


def test_more_rounds_than_allowed_are_refused():
    with pytest.raises(CapTooTight) as caught:
        trim(np.array([1.0, 2.0, 5.0, 12.0]), 6.0, rounds=1)

    assert caught.value.rounds == 2


def test_bad_weights_and_limits_are_refused():
    with pytest.raises(BadWeights):
        trim(np.array([1.0, np.nan]), 2.0)
    with pytest.raises(ValueError, match="floor"):
        trim(np.array([1.0, 2.0]), 2.0, floor=2.0)


def test_only_the_categories_cut_pay_for_themselves():
    one = Margin("sex", np.array([0, 0, 0, 1, 1]), ("m", "f"), np.array([16.0, 5.0]))
    found = trim(np.array([2.0, 4.0, 10.0, 2.0, 3.0]), 8.5, margins=[one])

    assert found.weight == pytest.approx([2.5, 5.0, 8.5, 2.0, 3.0])


def test_caps_come_from_the_median_and_the_quartiles():
    weight = np.array([1.0, 2.0, 3.0, 4.0, 100.0])

    assert cap_by_median(weight, 4.0) == 12.0
    assert cap_by_quartiles(weight) == 3.0 + 6 * 2.0


def test_equal_weights_have_no_kish_effect():
    assert kish(np.full(7, 3.0)) == pytest.approx(1.0)
    assert kish(np.array([1.0, 3.0])) == pytest.approx(1 + 0.25)  # cv = 1/2


@pytest.mark.parametrize("kind", DESIGNS)
def test_a_single_pass_is_the_one_of_r(kind):
    expected = reference("v1_base")["designs"][kind]["trim_after_rake"]
    start, all_ = raked().weight, margins()
    upper, lower = expected["upper"], expected["lower"]
    weight = trim_once(start, upper, lower)

    assert (2.5 * np.median(start), 0.3 * np.median(start)) == pytest.approx((upper, lower))
    assert weight[:10] == pytest.approx(expected["weights_head"])
    assert weight.sum() == pytest.approx(expected["weights_sum"], rel=1e-12)
    assert weight @ weight == pytest.approx(expected["weights_ss"], rel=1e-10)
    assert weight.min() == pytest.approx(expected["weights_min"], rel=1e-10)
    assert weight.max() == pytest.approx(expected["weights_max"], rel=1e-9)
    got = figures(drawn(kind), weight, lambda u: swept(weight[:, None] * u, start, all_))
    for name, value in FIGURES.items():
        assert got[name][0] == pytest.approx(expected[name][value], rel=1e-11)
        assert got[name][1] == pytest.approx(expected[name]["se"], rel=1e-10)


def test_a_single_pass_leaves_weights_above_the_cap():
    start = raked().weight
    cap = cap_by_median(start, 2.5)

    assert trim_once(start, cap).max() > cap * 1.02


def test_a_single_pass_with_nobody_to_give_to_is_refused():
    with pytest.raises(CapTooTight):
        trim_once(np.array([3.0, 4.0]), 2.0)
