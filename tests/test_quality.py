from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit

from analysis.quality import (
    NoComparison,
    NoDurations,
    bursts,
    flags,
    interviewers,
    speeders,
    straight_lines,
)


def rng(seed):
    return np.random.Generator(np.random.PCG64(seed))


def test_the_same_answer_throughout_is_a_straight_line():
    got = straight_lines(np.array([[4] * 6, [5] * 6, [4, 4, 4, 4, 4, 5]]))

    assert got.same.tolist() == [True, True, False]


def test_blanks_and_no_answer_do_not_break_a_straight_line():
    got = straight_lines(np.array([[4, 4, 0, 9, 4, 4, 4]]))

    assert got.same.tolist() == [True]
    assert got.answered.tolist() == [5]


def test_too_few_answers_are_not_judged():
    got = straight_lines(np.array([[4, 4, 4, 4, 0, 0]]))

    assert not got.same.any()
    assert not got.near.any()


def test_nine_alike_of_ten_are_nearly_straight_and_eight_are_not():
    got = straight_lines(np.array([[5] * 9 + [1], [5] * 8 + [1, 2], [5] * 10]))

    assert got.near.tolist() == [True, False, False]


def test_a_third_of_the_median_pace_is_too_fast():
    seconds = np.append(np.full(20, 120.0), [39.0, 41.0])
    got = speeders(seconds, np.full(22, 10))

    assert got.median == 12
    assert got.limit == 4
    assert np.flatnonzero(got.fast).tolist() == [20]


def test_nobody_reads_an_item_in_less_than_a_second():
    got = speeders(np.append(np.full(20, 20.0), [9.0]), np.full(21, 10))

    assert got.limit == 1
    assert np.flatnonzero(got.fast).tolist() == [20]


def test_skipped_questions_do_not_look_like_haste():
    seconds = np.append(np.full(20, 120.0), [30.0, 30.0])
    got = speeders(seconds, np.append(np.full(20, 10), [2, 10]))

    assert np.flatnonzero(got.fast).tolist() == [21]


def test_a_median_of_few_durations_sets_no_limit():
    got = speeders(np.array([300.0, 300.0, 20.0]), np.full(3, 10))

    assert got.median is None
    assert not got.fast.any()


def test_an_unknown_duration_is_never_flagged():
    got = speeders(np.array([np.nan, -5.0, 3.0, 50.0]), np.array([10, 10, 10, 10]))

    assert got.known.tolist() == [False, False, True, True]
    assert got.fast.tolist() == [False, False, True, False]


def test_no_known_duration_is_refused():
    with pytest.raises(NoDurations):
        speeders(np.array([np.nan, 5.0]), np.array([10, 0]))


def test_many_answers_of_one_device_in_a_short_time_are_a_burst():
    device = np.array([1, 1, 1, 2, 1, 1])
    at = np.array([0.0, 200.0, 30.0, 10.0, 60.0, 400.0])

    assert bursts(device, at, limit=3, window=60).tolist() == [
        True,
        False,
        True,
        False,
        True,
        False,
    ]


def test_answers_of_different_devices_make_no_burst():
    assert not bursts(np.arange(4), np.zeros(4), limit=2, window=60).any()


def test_fewer_answers_than_a_burst_needs_are_none():
    assert bursts(np.zeros(2, int), np.zeros(2), limit=3, window=60).tolist() == [False, False]


def test_every_reason_of_an_answer_is_kept_and_nothing_is_deleted():
    got = flags(
        {"straight": np.array([True, False, True, False]), "fast": np.array([True, False] * 2)}
    )

    assert got.reasons == ("straight", "fast")
    assert got.marks.tolist() == [[True, True], [False, False], [True, True], [False, False]]
    assert got.counts.tolist() == [2, 2]
    assert got.shares.tolist() == [0.5, 0.5]
    assert got.flagged.tolist() == [True, False, True, False]


def team(shares, n=20):
    """One area; interviewer k has ``n`` yes-no answers of which a share says yes."""
    value = np.concatenate(
        [np.repeat([1.0, 0.0], [round(s * n), n - round(s * n)]) for s in shares]
    )
    return value, np.repeat(np.arange(len(shares)), n), np.zeros(value.size, int)


def test_each_interviewer_is_held_to_the_answers_of_the_others():
    got = interviewers(*team([0.2, 0.4, 0.6]))

    assert got.value == pytest.approx([0.2, 0.4, 0.6])
    assert got.expected == pytest.approx([0.5, 0.4, 0.3])


def test_the_limits_are_the_ones_worked_by_hand():
    # Equal shares: no spread between interviewers, variance 1/4 (1/20 + 1/120) on the arcsine.
    got = interviewers(*team([0.5] * 7))
    half = stdtrit(0.4 * 6, 0.975) * (7 / 480) ** 0.5

    assert got.spread == 0
    assert got.low == pytest.approx(np.sin(np.pi / 4 - half) ** 2)
    assert got.high == pytest.approx(np.sin(np.pi / 4 + half) ** 2)
    assert got.p_value == pytest.approx(1)


def test_few_answers_are_neither_judged_nor_used_to_judge():
    value, who, area = team([0.2, 0.4, 0.6])
    got = interviewers(
        np.append(value, [1.0] * 9), np.append(who, [8] * 9), np.append(area, [0] * 9)
    )

    assert got.interviewer.tolist() == [0, 1, 2]
    assert got.left_out.tolist() == [[0, 8]]
    assert got.expected == pytest.approx([0.5, 0.4, 0.3])


def test_an_area_with_two_interviewers_is_left_out():
    value, who, area = team([0.2, 0.4, 0.6, 0.5, 0.5])
    got = interviewers(value, who, np.where(who > 2, 1, area))

    assert got.area.tolist() == [0, 0, 0]
    assert got.left_out.tolist() == [[1, 3], [1, 4]]


def test_nobody_to_compare_with_is_refused():
    with pytest.raises(NoComparison):
        interviewers(*team([0.5, 0.9]))


def test_an_interviewer_of_two_areas_is_judged_in_each():
    value, who, area = team([0.2, 0.4, 0.6])
    twice = interviewers(np.tile(value, 2), np.tile(who, 2), np.append(area, area + 1))

    assert twice.area.tolist() == [0, 0, 0, 1, 1, 1]
    assert twice.expected == pytest.approx([0.5, 0.4, 0.3] * 2)


def field_work(draw, cheats=(), areas=5, team_size=10, n=30):
    """Honest interviewers of villages that differ; those in ``cheats`` tick 5 in 9 of 10."""
    who = np.repeat(np.arange(areas * team_size), n)
    area = who // team_size
    village = 0.05 * draw.normal(size=areas)[area] + 0.08 * draw.normal(size=who.max() + 1)[who]
    value = (draw.random(who.size) < 0.3 + village).astype(float)
    invented = np.isin(who, cheats)
    value[invented] = draw.random(int(invented.sum())) < 0.93
    return interviewers(value, who, area)


def test_honest_villages_that_differ_seldom_accuse_anybody():
    draw = rng(31)
    accused = [field_work(draw).outlier.any() for _ in range(400)]

    assert np.mean(accused) < 0.09


def test_an_inventor_is_found_and_the_honest_are_left_alone():
    draw = rng(32)
    found = [field_work(draw, cheats=(0, 20)).outlier for _ in range(60)]

    assert np.mean([one[[0, 20]].mean() for one in found]) > 0.8
    assert np.mean([np.delete(one, [0, 20]).mean() for one in found]) < 0.005


def test_the_funnel_holds_nine_of_ten_honest_interviewers_and_more():
    draw = rng(33)
    runs = [field_work(draw) for _ in range(60)]
    inside = [((one.low <= one.value) & (one.value <= one.high)).mean() for one in runs]

    assert 0.93 < np.mean(inside) < 0.98


def test_persons_alike_in_their_shares_make_a_narrower_funnel():
    # Persons of 4 items, half of them all yes: φ = 1; one half 3 of 4, one half 1 of 4: φ = 1/4.
    who, area = np.repeat(np.arange(7), 20), np.zeros(140, int)
    apart = interviewers(np.tile([1.0, 0.0], 70), who, area)
    middling = interviewers(np.tile([0.75, 0.25], 70), who, area)

    assert middling.expected == pytest.approx(apart.expected)
    assert (middling.high < apart.high).all()


def test_nobody_with_the_sign_leaves_room_for_chance():
    got = interviewers(*team([0.0, 0.0, 0.0, 0.05], n=40))

    assert not got.outlier.any()
    assert (got.high > 0).all()
