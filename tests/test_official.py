"""The figures that official sources print, computed by the functions that print ours."""

from decimal import Decimal

import numpy as np
import pytest

from analysis.index import points as level_points
from analysis.index import scheme
from analysis.par import proportional
from analysis.ranks import competition
from analysis.report.numbers import num, points, rounded, share, signed
from forms.questionnaire import load
from forms.scoring import CRITERIA, MAXIMUM, OFFICER, grade, total


def layout(key, aggregate="item"):
    form = load(key)
    return scheme(
        [item.id for item in form.items if item.factor],
        {factor.id: factor.items for factor in form.factors},
        {area.id: area.factors for area in form.areas},
        aggregate=aggregate,
    )


def policy_weight(aggregate="item"):
    """The weight that the policy area has in the total, from the form in force."""
    found = layout("sipas-2026.1", aggregate)
    rows = dict(zip(found.ids, found.weights, strict=True))
    return float(rows["total"][rows["I"] > 0].sum())


def test_the_parts_of_ha_noi_2019_add_to_its_par_index():
    parts = [8, 8.78, 13, 10.17, 11.87, 9.24, 10.84, 12.74]

    assert num(sum(parts)) == "84,64"
    assert num(6.5 + 13.99) == "20,49"
    assert 6.5 + 13.99 < 24.5


@pytest.mark.parametrize(
    ("part", "whole", "printed"),
    [
        (8, 8.5, "94,12"),
        (13, 14, "92,86"),
        (28_439, 30_000, "94,80"),
        (28_372, 28_439, "99,76"),
        (35_268, 36_630, "96,28"),
    ],
)
def test_published_rates(part, whole, printed):
    assert share(part / whole) == printed


def test_shares_of_those_who_answered_add_to_the_whole():
    assert sum(rounded(x, shift=2) for x in (0.9006, 0.0898, 0.0096)) == Decimal("100.00")
    assert num(90.06 + 8.98 + 0.96) == "100,00"


@pytest.mark.parametrize(
    ("later", "earlier", "printed"),
    [
        (0.8266, 0.8008, "+2,58"),  # country 2023
        (0.8394, 0.8266, "+1,28"),  # country 2024
        (0.8440, 0.8182, "+2,58"),  # Khánh Hòa 2021
        (0.8182, 0.8440, "−2,58"),
    ],
)
def test_published_changes(later, earlier, printed):
    assert signed(points(later, earlier)) == printed


def test_a_change_is_that_of_the_printed_figures():
    later, earlier = 0.82664, 0.80075  # printed 82,66 and 80,08; unrounded 2,589 apart

    assert points(later, earlier) == Decimal("2.58")
    assert rounded(later - earlier, shift=2) == Decimal("2.59")


def test_equal_provinces_share_a_place_and_the_next_one_is_left_out():
    assert competition(np.array([0.9, 0.8, 0.8, 0.7])).tolist() == [1, 2, 2, 4]


def test_places_go_by_unrounded_values():
    values = np.array([0.84504, 0.84496])

    assert [share(v) for v in values] == ["84,50", "84,50"]
    assert competition(values).tolist() == [1, 2]


def test_khanh_hoa_gained_points_and_lost_places():
    others = np.arange(62)
    before = np.where(others < 50, 0.83, 0.80)
    after = np.where(others < 55, 0.86, 0.80)

    place = {
        year: int(competition(np.append(rest, own))[-1])
        for year, rest, own in ((2020, before, 0.8182), (2021, after, 0.8440))
    }

    assert place == {2020: 51, 2021: 56}
    assert points(0.8440, 0.8182) > 0 > place[2020] - place[2021] == -5


def test_the_forms_give_the_numbers_of_indices_announced():
    assert len(layout("sipas-2022.1").names) == 33 + 9 + 2 + 1 == 45
    assert len(layout("sipas-2026.1").names) == 39 + 9 + 2 + 1 == 51


def test_the_items_of_policy_and_service_are_those_of_the_form_in_force():
    form = load("sipas-2026.1")
    items = {
        area.id: [len(f.items) for f in form.factors if f.area == area.id] for area in form.areas
    }

    assert items == {"I": [2, 2, 9, 10], "II": [3, 4, 3, 3, 3]}


def test_equal_items_give_policy_23_of_39():
    assert policy_weight() == pytest.approx(23 / 39)
    assert policy_weight("factor") == pytest.approx(4 / 9)


def admitted(policy, service, whole):
    """The policy weights that figures rounded to two decimals admit, in points."""
    half = 0.005
    ends = [
        (service + b - whole - c) / (service + b - policy - a)
        for a in (-half, half)
        for b in (-half, half)
        for c in (-half, half)
    ]
    return min(ends), max(ends)


def test_equal_items_fit_2024_and_not_2023_and_the_plain_mean_neither():
    of_2023, of_2024 = admitted(82.49, 82.97, 82.66), admitted(83.84, 84.09, 83.94)

    assert of_2023 == pytest.approx((0.625, 0.667), abs=0.001)
    assert of_2024 == pytest.approx((0.560, 0.640), abs=0.001)
    assert of_2024[0] < policy_weight() < of_2024[1]
    assert policy_weight() < of_2023[0]
    assert of_2024[0] > 0.5


def test_service_2023_is_not_the_plain_mean_of_its_factors():
    assert num(sum([83.00, 83.02, 83.12, 83.03, 82.27]) / 5) == "82,89" != "82,97"


def test_the_least_of_the_mean_is_20_and_of_the_others_0():
    assert [100 * level_points(m)[0] for m in ("mean5", "scaled", "top2")] == [20, 0, 0]
    assert [100 * level_points(m)[4] for m in ("mean5", "scaled", "top2")] == [100, 100, 100]
    assert (100 * level_points("scaled", 3)).tolist() == [0, 50, 100]


def test_ha_tinh_2021_earned_9_12_points():
    assert num(float(proportional(0.9117, 10))) == "9,12"


def test_decree_61_gives_18_points_and_a_class_to_every_edge():
    best = dict.fromkeys(CRITERIA, 3)

    assert total(best) == MAXIMUM == 18
    assert total(best, OFFICER) == 10
    assert [grade(edge).name for edge in (15, 12, 9, 6, 5.99, 0)] == [
        "Xuất sắc",
        "Tốt",
        "Khá",
        "Trung bình",
        "Yếu",
        "Yếu",
    ]
    assert grade(14.99).name == "Tốt"
