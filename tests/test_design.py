import numpy as np
import pytest

from analysis.design import BadDesign, LonelyStratum, NoVariance, build


def plain(n=6, **changes):
    facts = {
        "stratum": np.repeat([1, 2], n // 2),
        "psu": np.arange(n),
        "weight": np.ones(n),
    } | changes
    return build(**facts).design


def test_the_variance_of_a_total_is_the_textbook_one():
    # Two strata of three PSUs: n/(n-1) sum (z - mean)^2 = 1.5 (1 + 0 + 1) + 1.5 (16 + 0 + 16).
    z = np.array([[1.0], [2.0], [3.0], [10.0], [14.0], [18.0]])

    assert plain().variances(z) == pytest.approx([3.0 + 48.0])
    assert plain().covariance(z) == pytest.approx(np.array([[51.0]]))


def test_the_correction_for_finite_populations_is_one_less_the_fraction():
    z = np.array([[1.0], [2.0], [3.0], [10.0], [14.0], [18.0]])
    design = plain(fpc=np.repeat([6, 12], 3))

    assert design.fpc
    assert design.variances(z) == pytest.approx([0.5 * 3.0 + 0.75 * 48.0])


def test_a_whole_population_has_no_sampling_error():
    design = plain(fpc=np.full(6, 3))

    assert design.census
    assert design.variances(np.arange(6.0)[:, None]) == pytest.approx([0.0])


def test_zero_in_the_fpc_column_means_no_correction():
    assert not plain(fpc=np.zeros(6)).fpc
    assert plain(fpc=np.zeros(6)).fraction.tolist() == [0, 0]


def test_rows_in_any_order_make_the_same_design():
    rng = np.random.default_rng(3)
    stratum, psu = np.repeat([5, 2, 9], 8), np.repeat(np.arange(12), 2)
    order = rng.permutation(24)
    a = build(stratum, psu, np.ones(24))
    b = build(stratum[order], psu[order], np.ones(24))

    assert a.design.labels == b.design.labels == ("2", "5", "9")
    assert a.design.sampled.tolist() == b.design.sampled.tolist()
    sums = np.bincount(b.psu, np.arange(24.0)[order]), np.bincount(a.psu, np.arange(24.0))
    expected = b.design.variances(sums[0][:, None])
    assert a.design.variances(sums[1][:, None]) == pytest.approx(expected)


def test_degrees_of_freedom_are_psus_less_strata_with_members():
    design = plain()

    assert design.df(np.ones(6, bool)) == 4
    assert design.df(np.array([1, 1, 0, 0, 0, 0], bool)) == 1
    assert design.df(np.array([1, 0, 0, 1, 0, 0], bool)) == 0


@pytest.mark.parametrize(
    ("rule", "expected"), [("remove", 4.0), ("certainty", 4.0), ("adjust", 29.0), ("average", 8.0)]
)
def test_a_stratum_with_one_psu_contributes_by_the_rule(rule, expected):
    design = build(np.array([1, 1, 2]), np.arange(3), np.ones(3), lonely=rule).design

    assert design.lonely_strata == ("2",)
    # 2 (1 + 1) of the good stratum; the lonely one: nothing, 5 squared, or as much as the other.
    assert design.variances(np.array([[1.0], [3.0], [5.0]])) == pytest.approx([expected])


def test_fail_refuses_and_names_the_stratum():
    design = build(np.array([1, 1, 2]), np.arange(3), np.ones(3), lonely="fail").design

    with pytest.raises(LonelyStratum, match="2") as caught:
        design.variances(np.ones((3, 1)))
    assert caught.value.strata == ("2",)


def test_nothing_to_average_is_refused_not_called_zero():
    design = build(np.array([1, 2]), np.arange(2), np.ones(2), lonely="average").design

    with pytest.raises(NoVariance):
        design.variances(np.ones((2, 1)))


def test_a_lonely_stratum_that_is_a_whole_population_is_not_lonely():
    design = build(np.array([1, 1, 2]), np.arange(3), np.ones(3), np.array([4, 4, 1])).design

    assert design.lonely_strata == ()


def test_the_same_psu_label_in_two_strata_is_refused_unless_nested():
    stratum, psu = np.array([1, 1, 2, 2]), np.array([7, 8, 7, 8])

    with pytest.raises(BadDesign, match="7 lies in two strata"):
        build(stratum, psu, np.ones(4))
    nested = build(stratum, psu, np.ones(4), nest=True).design
    assert (nested.n_psu, nested.n_strata) == (4, 2)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_that_is_no_number_of_persons_is_refused(weight):
    with pytest.raises(BadDesign, match="finite and above 0"):
        plain(weight=np.array([1, 1, 1, 1, 1, weight]))


@pytest.mark.parametrize(
    ("fpc", "message"),
    [
        ([9, 9, 8, 5, 5, 5], "varies inside stratum 1"),
        ([9, 9, 9, 2, 2, 2], "stratum 2 is below"),
        ([9, 9, 9, -1, -1, -1], "number of PSUs"),
        ([9, 9, 9, np.nan, 5, 5], "number of PSUs"),
    ],
)
def test_an_impossible_population_is_refused(fpc, message):
    with pytest.raises(BadDesign, match=message):
        plain(fpc=np.array(fpc, float))


def test_no_rows_unequal_columns_and_unknown_rules_are_refused():
    with pytest.raises(BadDesign, match="at least one row"):
        build(np.array([]), np.array([]), np.array([]))
    with pytest.raises(BadDesign, match="one value a row"):
        build(np.array([1]), np.array([1, 2]), np.ones(2))
    with pytest.raises(BadDesign, match="one value a row"):
        plain(fpc=np.ones(2))
    with pytest.raises(BadDesign, match="unknown rule"):
        plain(lonely="collapse")
