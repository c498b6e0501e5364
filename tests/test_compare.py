from dataclasses import replace

import numpy as np
import pytest
from oracle import FACTORS, ITEMS, columns, reference

from analysis.compare import (
    NotComparable,
    Wave,
    domains,
    mode_mix_change,
    published,
    units,
    waves,
)
from analysis.design import build
from analysis.estimate import estimate
from analysis.index import scheme
from analysis.tally import fold

ONE = scheme(["q"], {"F": ["q"]})


def estimates(case, label=None, *, rows=slice(None), fpc=True, method="scaled", aggregate="item"):
    """Estimates of each value of ``label`` in a reference case, their scheme, the villages."""
    found = {name: column[rows] for name, column in columns(case).items()}
    population = found["fpc"] if fpc else None
    sample = build(found["stratum"], found["psu"], found["w"], population)
    layout = scheme(ITEMS, FACTORS, aggregate=aggregate)
    codes = np.stack([found[item] for item in ITEMS], axis=1).astype(np.uint8)
    labels = None if label is None else found[label].astype(int)
    tally, of = fold(sample, codes, layout, method, label=labels)
    villages = np.zeros(sample.design.n_psu)
    villages[sample.psu] = found["psu"]
    made = {0: estimate(tally, sample.design, layout, method)}
    for value in np.unique(of[of > 0]):
        made[int(value)] = estimate(tally, sample.design, layout, method, cells=of == value)
    return made, layout, villages


def wave(number, *, by=None, fpc=True, method="scaled", aggregate="item"):
    rows = np.flatnonzero(columns("v3_waves")["wave"] == number)
    made, layout, villages = estimates(
        "v3_waves", by, rows=rows, fpc=fpc, method=method, aggregate=aggregate
    )
    return Wave(made.pop(0), layout, method, villages), made


def drawn(codes, psu, stratum=None, *, label=None):
    """Estimates of one item with equal weights; codes 5 satisfied, 1 not, 0 no answer."""
    codes, psu = np.array(codes, np.uint8)[:, None], np.array(psu)
    stratum = np.zeros(psu.size, int) if stratum is None else np.array(stratum)
    sample = build(stratum, psu, np.ones(psu.size))
    tally, of = fold(sample, codes, ONE, "top2", label=None if label is None else np.array(label))
    villages = np.zeros(sample.design.n_psu, int)
    villages[sample.psu] = psu
    made = [estimate(tally, sample.design, ONE, "top2", cells=of == v) for v in np.unique(of)]
    return made, Wave(made[0], ONE, "top2", villages)


def a_wave(seed, villages):
    generator = np.random.Generator(np.random.PCG64(seed))
    return drawn(generator.choice([1, 5, 5], 10 * len(villages)), np.repeat(villages, 10))[1]


@pytest.mark.parametrize("case", ["v1_base", "v3_waves"])
@pytest.mark.parametrize("fpc", ["fpc", "nofpc"])
@pytest.mark.parametrize("by", ["sex", "area", "province"])
def test_a_difference_of_two_domains_equals_r(case, fpc, by):
    expected = reference(case)["designs"][fpc][f"diff_{by}"]
    made, _, _ = estimates(case, by, fpc=fpc == "fpc")
    got = domains(made[1], made[2]).of("item", "c05")
    vcov = np.array(expected["vcov"], dtype=float)

    assert got.value * 100 == pytest.approx(expected["diff_1_minus_2"], rel=1e-12)
    assert got.se * 100 == pytest.approx(expected["se_diff"], rel=1e-10)
    assert got.correlation == pytest.approx(
        vcov[0, 1] / (vcov[0, 0] * vcov[1, 1]) ** 0.5, rel=1e-9, abs=1e-12
    )
    if by != "province":  # R takes the df of the whole design however small the domains are
        assert got.df == expected["df"]


def test_the_df_of_a_difference_are_those_of_the_two_domains():
    made, _, _ = estimates("v1_base", "province")
    one, other = made[1].of("item", "c05"), made[2].of("item", "c05")

    assert domains(made[1], made[2]).of("item", "c05").df == one.df + other.df == 13


@pytest.mark.parametrize("fpc", ["fpc", "nofpc"])
@pytest.mark.parametrize(
    ("method", "key", "scale"), [("scaled", "diff_wave", 100), ("top2", "diff_wave_top2", 1)]
)
def test_the_change_in_the_same_villages_equals_r(fpc, method, key, scale):
    expected = reference("v3_waves")["designs"][fpc][key]
    first, second = (wave(n, fpc=fpc == "fpc", method=method)[0] for n in (1, 2))
    found = waves(first, second)
    got, vcov = found.of("item", "c05"), np.array(expected["vcov"])

    assert (found.overlap, found.joint, got.df) == (1.0, True, expected["df"])
    assert got.value * scale == pytest.approx(expected["diff_1_minus_2"], rel=1e-12)
    assert got.se * scale == pytest.approx(expected["se_diff"], rel=1e-10)
    assert got.correlation == pytest.approx(vcov[0, 1] / (vcov[0, 0] * vcov[1, 1]) ** 0.5)


def test_the_change_of_the_total_equals_r():
    for fpc in ("fpc", "nofpc"):
        expected = reference("v3_waves")["designs"][fpc]["diff_wave_overall_top2"]
        before, now = (
            wave(n, fpc=fpc == "fpc", method="top2", aggregate="factor")[0] for n in (1, 2)
        )
        got = waves(now, before).of("total")

        assert got.value == pytest.approx(expected["est"]["diff"], rel=1e-12)
        assert got.se**2 == pytest.approx(expected["vcov"][2][2], rel=1e-10)


def test_the_villages_may_stand_in_any_order():
    found = columns("v3_waves")
    rows = np.flatnonzero(found["wave"] == 2)
    first, second = wave(1)[0], wave(2)[0]
    backwards, layout, villages = estimates("v3_waves", rows=rows[::-1])
    # Other labels of the same villages, so that they also sort another way.
    turned = Wave(backwards[0], layout, "scaled", villages)
    one = waves(replace(first, villages=-first.villages), replace(turned, villages=-villages))

    assert one.of("total").se == pytest.approx(waves(first, second).of("total").se, rel=1e-12)


def test_turning_the_waves_round_turns_the_sign():
    first, second = wave(1)[0], wave(2)[0]
    there, back = waves(first, second).of("total"), waves(second, first).of("total")

    assert there.value == -back.value
    assert (there.se, there.df, there.low) == pytest.approx((back.se, back.df, -back.high))


def test_other_villages_are_independent_with_df_by_satterthwaite():
    now, before = a_wave(1, range(8)), a_wave(2, range(100, 105))
    found = waves(now, before)
    got = found.of("total")
    one, other = (w.estimates.of("total") for w in (now, before))
    both = one.se**2 + other.se**2

    assert (found.overlap, found.joint, got.correlation) == (0.0, False, 0.0)
    assert got.se**2 == pytest.approx(both, rel=1e-12)
    assert got.df == int(both**2 / (one.se**4 / one.df + other.se**4 / other.df))
    assert min(one.df, other.df) <= got.df <= one.df + other.df


def test_villages_that_stayed_carry_the_covariance_of_a_rotating_sample():
    now, before = a_wave(1, [1, 2, 3, 4, 5]), a_wave(2, [4, 5, 6, 7])
    found = waves(now, before)
    got = found.of("item", "q")
    a = now.estimates.z[:, 0] - now.estimates.z[:, 0].mean()
    b = before.estimates.z[:, 0] - before.estimates.z[:, 0].mean()
    shared = (5 / 4 * 4 / 3) ** 0.5 * (a[3:] * b[:2]).sum()
    variance = 5 / 4 * (a**2).sum() + 4 / 3 * (b**2).sum() - 2 * shared

    assert (found.overlap, found.joint) == (0.5, True)
    assert got.se == pytest.approx(variance**0.5, rel=1e-12)
    assert got.df == 7 - 1


def test_a_village_met_again_by_chance_does_not_join_two_samples():
    found = waves(a_wave(1, range(12)), a_wave(2, range(11, 23)))

    assert found.overlap == pytest.approx(1 / 12)
    assert not found.joint
    assert found.of("total").correlation == 0


def test_the_same_label_in_another_stratum_is_another_village():
    codes, psu = [1, 5, 5, 5] * 2, [1, 1, 2, 2, 1, 1, 2, 2]
    plain = [0, 0, 0, 0, 1, 1, 1, 1]
    sample = build(np.array(plain), np.array(psu), np.ones(8), nest=True)
    tally, _ = fold(sample, np.array(codes, np.uint8)[:, None], ONE, "top2")
    whole = Wave(estimate(tally, sample.design, ONE, "top2"), ONE, "top2", [1, 2, 1, 2])
    moved = build(np.array(plain) + 5, np.array(psu), np.ones(8), nest=True)
    other = Wave(estimate(tally, moved.design, ONE, "top2"), ONE, "top2", [1, 2, 1, 2])

    assert waves(whole, whole).overlap == 1
    assert waves(whole, other).overlap == 0


def test_a_domain_differs_from_itself_by_nothing():
    made, _, _ = estimates("v1_base")
    got = domains(made[0], made[0]).of("total")

    assert (got.value, got.se, got.p_value, got.mark) == (0.0, 0.0, 1.0, 0)
    assert got.low is None


def test_two_domains_where_everybody_is_satisfied_leave_doubt():
    first, second = drawn([5] * 40, np.repeat(range(4), 10), label=[0, 1] * 20)[0]
    got = domains(first, second).of("total")

    assert (got.value, got.mark) == (0.0, 0)
    assert got.se > 0.05
    assert got.low < 0 < got.high
    assert got.p_value == 1


def test_a_figure_of_100_percent_brings_its_own_doubt_into_a_difference():
    label = [0, 1] * 20
    codes = [
        5 if part else code for part, code in zip(label, [5, 5, 5, 5, 1, 5, 1, 5] * 5, strict=True)
    ]
    part, sure = drawn(codes, np.repeat(range(4), 10), label=label)[0]
    got = domains(part, sure).of("total")

    assert sure.of("total").se == 0
    assert got.se > part.of("total").se


def test_an_item_nobody_answered_has_no_difference():
    first, second = drawn([5, 0, 1, 0] * 10, np.repeat(range(4), 10), label=[0, 1] * 20)[0]
    got = domains(first, second).of("item", "q")

    assert got.flags == ("unknown",)
    assert (got.value, got.se, got.p_value, got.published, got.mark) == (None, None, None, None, 0)


def test_one_village_shows_no_difference_however_large():
    first, second = drawn([5, 1, 5, 5, 1, 1], [1] * 6, label=[0, 1] * 3)[0]
    got = domains(first, second).of("item", "q")

    assert (got.df, got.se, got.low, got.p_value, got.mark) == (0, None, None, None, 0)
    assert got.flags == ("no_variance", "low_df")


def test_provinces_change_as_each_would_alone_and_marks_are_adjusted_over_them():
    (now, later), (before, earlier) = (wave(n, by="province") for n in (2, 1))
    pairs = [(later[p], earlier[p]) for p in sorted(later)]
    found = units(now, before, pairs, "total")

    for got, (one, other) in zip(found, pairs, strict=True):
        alone = waves(replace(now, estimates=one), replace(before, estimates=other)).of("total")
        assert (got.value, got.se, got.df) == pytest.approx((alone.value, alone.se, alone.df))
    # At a level where some are marked one by one, Holm asks for more.
    smallest = min(got.p_value for got in found)
    level = 1 - 2 * smallest
    assert not any(got.mark for got in units(now, before, pairs, "total", level=level))
    assert any(got.p_value < 1 - level for got in found)


def test_a_published_change_is_the_difference_of_rounded_values():
    assert published(0.8266, 0.8008) == 0.0258
    assert published(0.8394, 0.8266) == 0.0128
    assert published(0.82664, 0.80076) == 0.0258  # 2,588 points unrounded
    assert published(0.84525, 0.84515) == 0.0001  # half up, on the decimals written


def test_a_change_carries_both_the_exact_and_the_published_value():
    got = waves(wave(1)[0], wave(2)[0]).of("item", "c05")

    assert got.value == pytest.approx(0.00399120108413229, rel=1e-12)
    assert got.published == 0.004


def test_a_new_series_and_a_new_mix_of_channels_are_flagged():
    now, before = a_wave(1, range(5)), a_wave(2, range(5))
    paper, online = {"paper": 900, "online": 100}, {"paper": 700, "online": 300}

    assert waves(now, before).flags == ()
    assert waves(replace(now, series="2022"), before).flags == ("method_break",)
    mixed = waves(replace(now, channels=online), replace(before, channels=paper))
    assert mixed.flags == ("mode_mix",)


def test_ten_points_of_another_channel_are_not_yet_a_new_mix():
    now, before = a_wave(1, range(5)), a_wave(2, range(5))
    with_mix = replace(now, channels={"paper": 0.6, "kiosk": 0.4})

    assert waves(with_mix, replace(before, channels={"paper": 0.5, "kiosk": 0.5})).flags == ()


def test_the_change_of_the_mix_is_the_share_that_moved():
    assert mode_mix_change({"paper": 3, "kiosk": 1}, {"paper": 1}) == pytest.approx(0.25)
    assert mode_mix_change({"a": 2, "b": 2}, {"a": 50, "b": 50}) == 0
    assert mode_mix_change({"a": 1}, {"b": 1}) == 1


@pytest.mark.parametrize("mix", [{}, {"a": 0}, {"a": 2, "b": -1}])
def test_a_mix_without_shares_is_refused(mix):
    with pytest.raises(NotComparable) as caught:
        mode_mix_change({"a": 1}, mix)

    assert caught.value.what == "channels"


def test_waves_with_another_index_are_not_comparable():
    now = a_wave(1, range(5))
    pooled = scheme(["q"], {"F": ["q"]}, aggregate="pooled")
    other = scheme(["p"], {"F": ["p"]})

    for changed, what in [
        (replace(now, method="scaled"), "method"),
        (replace(now, scheme=other), "items"),
        (replace(now, scheme=pooled), "weights"),
        (replace(now, villages=[1, 1, 2, 3, 4]), "villages"),
    ]:
        with pytest.raises(NotComparable) as caught:
            waves(now, changed)
        assert caught.value.what == what


def test_domains_of_two_samples_and_units_of_another_sample_are_refused():
    now, before = a_wave(1, range(5)), a_wave(2, range(5))

    with pytest.raises(NotComparable, match="different samples"):
        domains(now.estimates, before.estimates)
    with pytest.raises(NotComparable, match="other samples"):
        units(now, before, [(before.estimates, now.estimates)], "total")


def test_a_figure_that_is_not_there_is_not_found():
    now = a_wave(1, range(5))

    with pytest.raises(LookupError):
        waves(now, now).of("area")
    with pytest.raises(LookupError):
        units(now, now, [(now.estimates, now.estimates)], "item", "p")
