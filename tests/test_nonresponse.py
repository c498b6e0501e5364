import numpy as np
import pytest

from analysis.weights.calibrate import BadWeights
from analysis.weights.nonresponse import BadOutcomes, NoRespondents, Outcomes, adjust

LABELS = ("a", "b", "c", "d")


def asked(responded, cell, weight=None, **facts):
    weights = np.ones(len(cell)) if weight is None else np.array(weight, float)
    return adjust(weights, np.array(responded, bool), np.array(cell), LABELS, **facts)


def test_respondents_carry_the_weight_of_their_cell():
    found = asked([1, 0, 1, 1, 0], [0, 0, 1, 1, 1], [1, 3, 2, 2, 1])

    assert found.factor[:2] == pytest.approx([4.0, 1.25])
    assert found.weight == pytest.approx([4, 0, 2.5, 2.5, 0])
    assert found.merged == ()


def test_unequal_factors_cost_precision_by_kish():
    found = asked([1, 0, 0, 1], [0, 0, 0, 1])

    assert found.before == pytest.approx(1.0)
    assert found.after == pytest.approx(2 * (9 + 1) / 16)


def test_a_cell_without_respondents_joins_the_next():
    found = asked([0, 1, 1, 1], [0, 1, 2, 2], [2, 1, 1, 1])

    assert found.merged == (("a", "b"),)
    assert found.factor[:3] == pytest.approx([3, 3, 1])


def test_the_last_cell_joins_the_one_before():
    assert asked([1, 1, 0, 0], [0, 1, 2, 3]).merged == (("b", "c", "d"),)


def test_cells_are_merged_only_inside_their_stratum():
    found = asked([1, 0, 1, 1], [0, 1, 2, 3], within=np.array([0, 0, 1, 1]))

    assert found.merged == (("a", "b"),)
    assert found.factor == pytest.approx([2, 2, 1, 1])
    with pytest.raises(NoRespondents) as caught:
        asked([1, 1, 0, 0], [0, 1, 2, 3], within=np.array([0, 0, 1, 1]))
    assert caught.value.cells == ("c", "d")


def test_more_respondents_a_cell_can_be_asked_for():
    found = asked([1, 1, 1, 1, 0], [0, 0, 1, 2, 2], least=2)

    assert found.merged == (("b", "c"),)
    assert found.factor[:3] == pytest.approx([1, 1.5, 1.5])


def test_a_cell_that_nobody_was_drawn_from_stays_out():
    found = asked([1, 0], [0, 3])

    assert found.merged == (("a", "d"),)
    assert found.factor == pytest.approx([2, 1, 1, 2])


def test_no_weight_is_lost_whatever_answers():
    chance = np.random.default_rng(5)
    weight, cell = chance.uniform(1, 9, 400), chance.integers(0, 40, 400)
    responded = chance.random(400) < 0.15
    within = np.repeat(np.arange(4), 10)
    found = adjust(weight, responded, cell, [str(k) for k in range(40)], within=within)

    assert found.merged
    assert np.bincount(within[cell], found.weight) == pytest.approx(
        np.bincount(within[cell], weight)
    )
    assert (found.weight[~responded] == 0).all()


def test_nobody_answered_at_all_is_refused():
    with pytest.raises(NoRespondents) as caught:
        asked([0, 0], [0, 1])

    assert caught.value.cells == ("a", "b")


def test_bad_weights_and_cells_are_refused():
    with pytest.raises(BadWeights):
        asked([1, 1], [0, 1], [1, np.nan])
    with pytest.raises(ValueError, match="label"):
        asked([1, 1], [0, 4])


def test_response_rates_are_those_of_aapor():
    found = Outcomes(600, 50, 150, 80, 20, unknown=100, ineligible=100)

    assert found.rr1 == pytest.approx(600 / 1000)
    assert found.eligible_share == pytest.approx(0.9)
    assert found.rr3() == pytest.approx(600 / 990)
    assert found.rr3(0.5) == pytest.approx(600 / 950)
    assert found.rr3(1.0) == found.rr1


def test_without_unknown_persons_the_rates_agree():
    found = Outcomes(30, refused=10, ineligible=60)

    assert found.rr1 == found.rr3() == pytest.approx(0.75)


def test_counts_that_carry_no_rate_are_refused():
    with pytest.raises(BadOutcomes, match="below 0"):
        Outcomes(10, refused=-1)
    with pytest.raises(BadOutcomes, match="nobody"):
        Outcomes(0, ineligible=5)
    with pytest.raises(BadOutcomes, match="within"):
        Outcomes(10, unknown=5).rr3(1.5)
    with pytest.raises(BadOutcomes, match="nobody"):
        Outcomes(0, unknown=5).rr3(0.0)
