from __future__ import annotations

import numpy as np
import pytest

from analysis.design import build
from analysis.modes import NoMatchedCell, mode_effect


def drawn(stratum, psu, weight):
    made = build(np.asarray(stratum), np.asarray(psu), np.asarray(weight, float))
    return made.design, made.psu


def effect(rows, **changes):
    """``rows``: (psu, cell, second mode, weight, points of one answer)."""
    psu, cell, second, weight, x = (np.array(column) for column in zip(*rows, strict=True))
    design, place = drawn(np.zeros(psu.size, int), psu, np.ones(psu.size))
    given = {"weight": weight.astype(float), "points": weight * x.astype(float)} | changes
    return mode_effect(design, place, cell, second.astype(bool), **given)


# Four PSUs, two cells; paper (0) in PSUs 0 and 1, kiosk (1) in PSUs 2 and 3.
ROWS = [
    *[(0, 0, 0, 1, 1), (0, 0, 0, 1, 0), (1, 0, 0, 1, 1), (1, 0, 0, 1, 1)],  # 3/4
    *[(2, 0, 1, 1, 1), (2, 0, 1, 1, 1), (3, 0, 1, 1, 1), (3, 0, 1, 1, 1)],  # 4/4
    *[(0, 1, 0, 1, 0), (1, 1, 0, 1, 1), (0, 1, 0, 1, 0), (1, 1, 0, 1, 0)],  # 1/4
    *[(2, 1, 1, 1, 1), (3, 1, 1, 1, 0)],  # 1/2
]


def test_the_difference_is_taken_in_each_cell_and_over_the_first_modes_cells():
    got = effect(ROWS)

    assert [one.value for one in got.each] == pytest.approx([0.25, 0.25])
    assert got.overall.value == pytest.approx(0.25)
    assert (got.first, got.second) == pytest.approx((0.5, 0.75))
    assert got.share == pytest.approx([0.5, 0.5])


def test_the_error_is_the_one_worked_by_hand():
    # Cell 0: kiosk all 1, z = 0; paper z = -(1 - 2 * .75)/4 = .125 and -(2 - 1.5)/4 = -.125.
    # One stratum of 4 PSUs: 4/3 * (.125^2 + .125^2) = .0416667.
    got = effect(ROWS).each[0]

    assert got.se == pytest.approx((4 / 3 * 2 * 0.125**2) ** 0.5)
    assert got.df == 3
    assert "low_df" in got.flags
    assert got.low < got.value < got.high


def test_equal_cell_effects_make_the_overall_error_the_sum_of_both():
    # d_0 = d_1, so the estimated cell shares add nothing: z = (z_0 + z_1) / 2.
    # z_1: paper -(0 - .5)/4 = .125, -(1 - .5)/4 = -.125; kiosk (1 - .5)/2 = .25, -.25.
    z = np.array([0.125 + 0.125, -0.125 - 0.125, 0.25, -0.25]) / 2
    got = effect(ROWS).overall

    assert got.se == pytest.approx((4 / 3 * (z**2).sum()) ** 0.5)


def test_cells_with_one_mode_only_are_left_out_and_counted():
    got = effect([*ROWS, (0, 2, 0, 4, 1), (1, 2, 0, 4, 1), (2, 3, 1, 6, 1)])

    assert got.cells.tolist() == [0, 1]
    assert got.unmatched == 2
    assert got.matched_first == pytest.approx(8 / 16)
    assert got.matched_second == pytest.approx(6 / 12)
    assert got.overall == effect(ROWS).overall


def test_a_first_cell_with_one_mode_only_is_left_out_as_well():
    shifted = [(psu, cell + 1, second, w, x) for psu, cell, second, w, x in ROWS]
    got = effect([*shifted, (0, 0, 0, 4, 1)])

    assert got.cells.tolist() == [1, 2]
    assert got.overall.value == pytest.approx(0.25)


def test_a_mode_with_one_psu_in_a_cell_has_no_spread_and_is_not_matched():
    got = effect([row for row in ROWS if row[:3] != (3, 1, 1)])

    assert got.cells.tolist() == [0]


def test_no_matched_cell_is_refused():
    with pytest.raises(NoMatchedCell, match="none of the 2 cells") as caught:
        effect([(psu, second, second, w, x) for psu, _, second, w, x in ROWS])

    assert caught.value.cells == 2


def test_everybody_satisfied_in_both_modes_is_flagged_not_sure():
    got = effect([(psu, cell, second, w, 1) for psu, cell, second, w, _ in ROWS]).overall

    assert (got.value, got.se, got.low, got.high) == (0, None, None, None)
    assert got.flags == ("no_variance",)


def test_either_modes_scale_of_weights_changes_nothing():
    scaled = [(p, c, m, w * (1000 if m else 7), x) for p, c, m, w, x in ROWS]
    a, b = effect(ROWS).overall, effect(scaled).overall

    assert (a.value, a.se, a.df) == pytest.approx((b.value, b.se, b.df))


def test_folded_cells_give_what_rows_give():
    folded: dict[tuple[int, int, int], list[float]] = {}
    for psu, cell, second, w, x in ROWS:
        entry = folded.setdefault((psu, cell, second), [0.0, 0.0])
        entry[0] += w
        entry[1] += w * x
    rows = [(*key, w, y / w) for key, (w, y) in folded.items()]
    a, b = effect(ROWS).overall, effect(rows).overall

    assert (a.value, a.se, a.low, a.high) == pytest.approx((b.value, b.se, b.low, b.high))


def sampled(rng, effect_size):
    """Two modes in the same 20 villages, cells of different answers and different mode mix."""
    villages, people = 20, 40
    psu = np.repeat(np.arange(villages), people)
    cell = rng.integers(0, 3, psu.size)
    second = rng.random(psu.size) < np.array([0.2, 0.5, 0.8])[cell]
    level = np.array([0.3, 0.5, 0.7])[cell] + rng.normal(0, 0.08, villages)[psu]
    satisfied = rng.random(psu.size) < np.clip(level + effect_size * second, 0, 1)
    design, place = drawn(psu // 10, psu, np.ones(psu.size))
    return mode_effect(
        design, place, cell, second, weight=np.ones(psu.size), points=satisfied.astype(float)
    )


def test_matching_removes_what_the_mix_of_cells_feigns_and_the_interval_covers():
    rng = np.random.Generator(np.random.PCG64(11))
    found = [sampled(rng, 0.1).overall for _ in range(300)]

    assert np.mean([one.value for one in found]) == pytest.approx(0.1, abs=0.01)
    assert np.mean([one.low <= 0.1 <= one.high for one in found]) > 0.92
    spread = np.std([one.value for one in found])
    assert np.mean([one.se for one in found]) == pytest.approx(spread, rel=0.1)


def test_the_error_agrees_with_the_jackknife_over_psus():
    rng = np.random.Generator(np.random.PCG64(12))
    psu = np.repeat(np.arange(40), 25)
    cell, weight = rng.integers(0, 3, psu.size), rng.uniform(0.5, 2, psu.size)
    second = rng.random(psu.size) < np.array([0.2, 0.5, 0.8])[cell]
    satisfied = rng.random(psu.size) < 0.4 + 0.1 * cell + 0.1 * second * cell
    design, place = drawn(psu // 8, psu, weight)

    def overall(w):
        return mode_effect(design, place, cell, second, weight=w, points=w * satisfied).overall

    whole, total = overall(weight), 0.0
    for one in range(40):
        factor = np.where(psu == one, 0.0, np.where(psu // 8 == one // 8, 8 / 7, 1.0))
        total += 7 / 8 * (overall(weight * factor).value - whole.value) ** 2

    assert whole.df == 35
    assert whole.se == pytest.approx(total**0.5, rel=0.05)
