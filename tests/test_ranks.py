import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import reference
from scipy.special import stdtrit

from analysis.ranks import (
    KINDS,
    METHODS,
    bands,
    benjamini_hochberg,
    competition,
    difference_se,
    differs,
    holm,
    overlap_interval,
    rank_sets,
)

CASES = [("v1_base", "fpc"), ("v1_base", "nofpc"), ("v3_waves", "fpc"), ("v3_waves", "nofpc"),
         ("v4_extreme", "nofpc"), ("v6_M", "fpc")]  # fmt: skip


def provinces(case="v6_M", design="fpc"):
    """Values and covariance of the provinces of a reference case, and their rank sets."""
    found = reference(case)["designs"][design]
    expected = found["province_ranks"]
    made = [found["domain_province"][unit]["composite"] for unit in expected["units"]]
    total = "overall_mean_of_factors"
    values = np.array([unit["est"][total] for unit in made])
    return values, np.diag([unit["se"][total] ** 2 for unit in made]), expected


def widths(sets):
    return sets.high - sets.low + 1


def inside(inner, outer):
    return bool((inner.low >= outer.low).all() and (inner.high <= outer.high).all())


def test_equal_units_share_the_better_place():
    assert competition(np.array([0.8, 0.9, 0.9, 0.7])).tolist() == [3, 1, 1, 4]
    assert competition(np.array([0.3, 0.1 + 0.2])).tolist() == [1, 1]
    assert competition(np.array([0.8451, 0.8452])).tolist() == [2, 1]


def test_units_far_apart_have_one_place_each():
    found = rank_sets(np.array([0.9, 0.7, 0.5]), np.eye(3) * 1e-6)

    assert found.rank.tolist() == found.low.tolist() == found.high.tolist() == [1, 2, 3]


def test_units_that_cannot_be_told_apart_share_all_places():
    found = rank_sets(np.array([0.84, 0.85, 0.83]), np.eye(3) * 0.02**2)

    assert found.rank.tolist() == [2, 1, 3]
    assert found.low.tolist() == [1, 1, 1]
    assert found.high.tolist() == [3, 3, 3]


def test_two_units_are_compared_at_the_plain_quantile():
    assert rank_sets(np.array([0.9, 0.8]), np.eye(2)).critical == pytest.approx(1.959963984540)


def test_what_two_units_share_does_not_blur_their_places():
    joint = np.array([[4.0, 3.9], [3.9, 4.0]]) * 1e-4

    assert difference_se(joint)[0, 1] == pytest.approx((0.2e-4) ** 0.5)
    assert rank_sets(np.array([0.86, 0.84]), joint).high.tolist() == [1, 2]
    assert rank_sets(np.array([0.86, 0.84]), np.diag(np.diag(joint))).high.tolist() == [2, 2]


def test_one_unit_is_first():
    found = rank_sets(np.array([0.5]), np.ones((1, 1)))

    assert (found.rank[0], found.low[0], found.high[0]) == (1, 1, 1)


def test_no_units_and_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="no units"):
        rank_sets(np.array([]), np.ones((0, 0)))
    with pytest.raises(ValueError, match="unknown kind"):
        rank_sets(np.ones(2), np.eye(2), kind="both")


def test_holm_by_hand():
    # 0.01 x 4, 0.02 x 3, then 0.03 x 2 and 0.04 x 1 may not fall below what came before.
    found = holm(np.array([0.03, 0.01, 0.04, 0.02]))

    assert found == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_a_difference_is_marked_only_after_adjustment():
    se = np.full(4, 0.01)

    assert differs(np.array([0.05, -0.05, 0.021, 0.0]), se, 1000).tolist() == [1, -1, 0, 0]
    assert differs(np.array([0.021]), se[:1], 1000).tolist() == [1]


def test_a_difference_without_error_is_what_it_is():
    assert differs(np.array([0.1, 0.0]), np.zeros(2), 10).tolist() == [1, 0]


@pytest.mark.parametrize(("case", "design"), CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_bonferroni_sets_equal_the_reference(case, design, kind):
    values, joint, expected = provinces(case, design)
    found, bound = rank_sets(values, joint, kind=kind), expected[f"{kind}_bonferroni"]

    assert found.rank.tolist() == expected["rank"]
    assert found.low.tolist() == bound["lower"]
    assert found.high.tolist() == bound["upper"]
    assert found.critical == pytest.approx(bound["z"], rel=1e-9)


def test_of_63_provinces_half_could_stand_in_42_places_or_more():
    values, joint, _ = provinces()

    assert np.median(widths(rank_sets(values, joint))) == 42
    assert np.median(widths(rank_sets(values, joint, kind="simultaneous"))) == 51


@pytest.mark.parametrize("df", [None, 28])
@pytest.mark.parametrize("kind", KINDS)
def test_max_t_is_sharper_than_bonferroni_and_step_down_sharper_still(kind, df):
    values, joint, _ = provinces()
    how = {"kind": kind, "df": None if df is None else np.full(63, df)}
    plain = rank_sets(values, joint, **how)
    once = rank_sets(values, joint, method="max_t", stepdown=False, **how)
    steps = rank_sets(values, joint, method="max_t", **how)

    assert inside(once, plain)
    assert inside(steps, once)
    assert widths(once).sum() < widths(plain).sum()
    assert widths(steps).sum() < widths(once).sum()
    assert (steps.critical < once.critical).all()


@pytest.mark.parametrize("stepdown", [True, False])
def test_marginal_max_t_sets_lie_in_the_simultaneous_ones(stepdown):
    values, joint, _ = provinces()
    one, all_ = (
        rank_sets(values, joint, kind=kind, method="max_t", stepdown=stepdown) for kind in KINDS
    )

    assert inside(one, all_)
    assert (one.critical <= all_.critical).all()


def test_max_t_finds_the_quantiles_of_the_tables():
    alike = {"method": "max_t", "stepdown": False, "draws": 40_000}
    three, ten = (np.zeros(3), np.eye(3)), (np.zeros(10), np.eye(10))

    # Dunnett with two comparisons; Tukey's studentised range over the root of 2.
    assert rank_sets(*three, **alike).critical == pytest.approx(2.212, abs=0.03)
    assert rank_sets(*three, kind="simultaneous", **alike).critical == pytest.approx(
        3.314 / 2**0.5, abs=0.03
    )
    assert rank_sets(*ten, kind="simultaneous", **alike).critical == pytest.approx(
        4.474 / 2**0.5, abs=0.03
    )


def test_a_settled_order_leaves_only_the_opposite_to_be_tested():
    far = rank_sets(np.array([9.0, 0.0]), np.eye(2), method="max_t", draws=40_000)

    assert far.critical == pytest.approx(1.645, abs=0.03)


def written_out(x, joint, kind, j):
    """Critical value of unit j and what is rejected, as the paper writes it, pair by pair."""
    generator, size = np.random.Generator(np.random.PCG64(8)), x.size
    errors = generator.normal(size=(20_000, size)) @ np.linalg.cholesky(joint).T
    se = difference_se(joint) + np.eye(size)
    pairs = [(a, b) for a in range(size) for b in range(size) if a != b]
    open_ = {pair for pair in pairs if kind == "simultaneous" or j in pair}
    while True:
        t = [(errors[:, a] - errors[:, b]) / se[a, b] for a, b in sorted(open_)]
        critical = np.quantile(np.max(t, axis=0), 0.95)
        rejected = {(a, b) for a, b in open_ if (x[a] - x[b]) / se[a, b] > critical}
        if not rejected:
            return critical, [(j, b) in set(pairs) - open_ for b in range(size)]
        open_ -= rejected


@pytest.mark.parametrize("kind", KINDS)
def test_max_t_with_step_down_equals_the_algorithm_written_out(kind):
    root = np.random.Generator(np.random.PCG64(4)).normal(size=(5, 5))
    x, joint = np.array([0.0, 1.0, 2.5, 4.5, 9.0]), root @ root.T / 5 + 0.2 * np.eye(5)
    found = rank_sets(x, joint, kind=kind, method="max_t")

    for j in range(5):
        critical, better = written_out(x, joint, kind, j)
        assert found.critical[j] == pytest.approx(critical, abs=0.06)
        assert (found.sure[j] > 0).tolist() == better
    assert (found.sure > 0).any()


@pytest.mark.parametrize(("method", "near"), [("bonferroni", 1e-12), ("max_t", 0.05)])
def test_few_villages_ask_for_more(method, near):
    # Two equal variances with 4 df each: their sum has 8.
    found = rank_sets(
        np.zeros(2), np.eye(2), method=method, df=np.array([4, 4]), draws=40_000, stepdown=False
    )

    assert found.critical == pytest.approx(float(stdtrit(8, 0.975)), abs=near)


def test_the_unit_with_few_villages_pays_for_them_itself():
    found = rank_sets(np.zeros(3), np.eye(3) * 1.0, df=np.array([2, 500, 500]))
    sure = rank_sets(np.zeros(3), np.eye(3) * 1.0, method="max_t", df=np.array([2, 500, 500]))

    assert found.critical[0] == found.critical[1] > 2.5
    assert sure.critical[0] > sure.critical[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_units_changes_no_set(kind, method):
    values, joint, _ = provinces()
    generator = np.random.Generator(np.random.PCG64(3))
    shuffled = generator.permutation(63)
    one = rank_sets(values, joint, kind=kind, method=method)
    other = rank_sets(values[shuffled], joint[np.ix_(shuffled, shuffled)], kind=kind, method=method)

    assert one.low[shuffled].tolist() == other.low.tolist()
    assert one.high[shuffled].tolist() == other.high.tolist()


def test_the_same_figures_give_the_same_sets_and_another_seed_nearly():
    values, joint, _ = provinces()
    first, again = (rank_sets(values, joint, method="max_t") for _ in range(2))
    other = rank_sets(values, joint, method="max_t", seed=1)

    assert first.critical.tolist() == again.critical.tolist()
    assert np.abs(first.critical - other.critical).max() < 0.15
    assert np.abs(first.high - other.high).max() <= 3


def test_what_units_share_sharpens_max_t():
    shared = np.full((3, 3), 3.99) + np.eye(3) * 0.01
    values = np.array([0.0, 0.5, 1.0])
    found = rank_sets(values, shared, method="max_t")

    assert (found.rank.tolist(), widths(found).tolist()) == ([3, 2, 1], [1, 1, 1])
    assert widths(rank_sets(values, np.diag(np.diag(shared)), method="max_t")).tolist() == [3] * 3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("df", [None, 5])
def test_units_without_error_between_them_differ_if_their_values_do(kind, method, df):
    # Two censuses; two names of one unit; the same with another value, which its twin cannot have.
    values = np.array([0.9, 0.8, 0.8, 0.7, 0.7, 0.6])
    joint = np.zeros((6, 6))
    joint[3:, 3:] = 4.0
    found = rank_sets(
        values, joint, kind=kind, method=method, df=None if df is None else np.full(6, df)
    )

    assert found.sure[0].tolist()[1:3] == [1, 1]
    assert found.sure[1, 2] == found.sure[3, 4] == 0
    assert found.sure[3, 5] == 1
    assert found.sure[0, 3] == 0
    assert np.isfinite(found.critical).all()


def test_only_censuses_are_ranked_as_they_are():
    for method in METHODS:
        found = rank_sets(np.array([0.9, 0.8, 0.9]), np.zeros((3, 3)), method=method)
        assert (found.low.tolist(), found.high.tolist()) == ([1, 3, 1], [2, 3, 2])


def test_bad_figures_and_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="not a number"):
        rank_sets(np.array([0.5, np.nan]), np.eye(2))
    with pytest.raises(ValueError, match="unknown method"):
        rank_sets(np.ones(2), np.eye(2), method="bootstrap")
    with pytest.raises(ValueError, match="degree of freedom"):
        rank_sets(np.ones(2), np.eye(2), df=np.array([3, 0]))
    with pytest.raises(ValueError, match="unknown adjustment"):
        differs(np.ones(1), np.ones(1), 5, adjust="none")


def test_bands_are_the_longest_runs_that_cannot_be_told_apart():
    # One standard error of a difference is 1; simultaneous over six pairs needs 2,64 of them.
    found = rank_sets(np.array([4.0, 6.0, 2.0, 0.0]), np.eye(4) / 2, kind="simultaneous")

    assert [band.tolist() for band in bands(found)] == [[1, 0], [0, 2], [2, 3]]


def test_bands_of_units_all_alike_or_all_apart():
    alike = rank_sets(np.array([0.1, 0.3, 0.2]), np.eye(3), kind="simultaneous")
    apart = rank_sets(np.array([0.1, 0.3, 0.2]), np.eye(3) * 1e-6, kind="simultaneous")

    assert [band.tolist() for band in bands(alike)] == [[1, 2, 0]]
    assert [band.tolist() for band in bands(apart)] == [[1], [2], [0]]


def test_bars_of_a_picture_meet_when_two_equal_errors_do_not_tell_units_apart():
    low, high = overlap_interval(np.array([0.0, 2.77, 2.79]), np.ones(3))

    assert high[0] > low[1]
    assert high[0] < low[2]
    assert pytest.approx(2.78, abs=0.01) == 1.96 * 2**0.5


def test_benjamini_and_hochberg_by_hand():
    # 0.01 x 4 / 1, 0.02 x 4 / 2, 0.03 x 4 / 3, 0.5: from the largest down, never rising.
    found = benjamini_hochberg(np.array([0.03, 0.01, 0.5, 0.02]))

    assert found == pytest.approx([0.04, 0.04, 0.5, 0.04])


def test_marks_by_false_discovery_are_never_fewer_than_by_holm():
    difference, se = np.array([0.03, -0.025, 0.024, 0.0]), np.full(4, 0.01)

    assert differs(difference, se, 1000).tolist() == [1, -1, 1, 0]
    assert differs(difference[[0, 2, 2, 3]] * 0.93, se, 1000).tolist() == [1, 0, 0, 0]
    found = differs(difference[[0, 2, 2, 3]] * 0.93, se, 1000, adjust="bh")
    assert found.tolist() == [1, 1, 1, 0]


def test_each_unit_is_marked_with_its_own_df():
    found = differs(np.full(2, 0.03), np.full(2, 0.01), np.array([2, 100]))

    assert found.tolist() == [0, 1]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 0.1)), min_size=1, max_size=40))
def test_a_place_lies_in_its_set_and_simultaneous_sets_are_wider(units):
    values = np.array([value for value, _ in units])
    joint = np.diag([se**2 for _, se in units])
    one, all_ = rank_sets(values, joint), rank_sets(values, joint, kind="simultaneous")

    assert (one.low <= one.rank).all()
    assert (one.rank <= one.high).all()
    assert (all_.low <= one.low).all()
    assert (all_.high >= one.high).all()
