import subprocess
import sys

import numpy as np
import pytest
from folding import estimate_rows as estimate
from folding import rows_of
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import FACTORS, ITEMS, columns

from analysis.estimate import NoRows
from analysis.index import points, scheme
from analysis.report.numbers import pct
from analysis.report.numbers import points as change

LAYOUT = scheme(["a", "b"], {"F": ["a", "b"]})


def study(codes, weight=None, psu=None, stratum=None, **facts):
    codes = np.asarray(codes)
    n = len(codes)
    return rows_of(
        np.zeros(n, int) if stratum is None else np.asarray(stratum),
        np.arange(n) if psu is None else np.asarray(psu),
        np.ones(n) if weight is None else np.asarray(weight, float),
        codes,
        **facts,
    )


def test_equal_weights_and_one_person_a_psu_give_the_textbook_variance():
    answers = [[4, 5]] * 7 + [[2, 5]] * 3
    found = estimate(study(answers), LAYOUT, "top2").of("item", "a")

    assert found.value == pytest.approx(0.7)
    assert found.se == pytest.approx((0.7 * 0.3 / 9) ** 0.5)
    assert (found.n, found.df) == (10, 9)
    assert found.deff_replace == pytest.approx(1)
    assert found.neff == pytest.approx(9)


def test_a_ratio_by_hand_with_two_villages_and_weights():
    # Village 1: 3 of weight 4 satisfied; village 2: 2 of 4. R = 5/8.
    # z = (3 - 4 R)/8, (2 - 4 R)/8 = 1/16, -1/16; variance 2 (2 / 256).
    found = estimate(
        study([[4, 1], [1, 1], [5, 1], [3, 1]], weight=[3, 1, 2, 2], psu=[1, 1, 2, 2]),
        LAYOUT,
        "top2",
    ).of("item", "a")

    assert found.value == pytest.approx(5 / 8)
    assert found.se == pytest.approx((2 * 2 / 256) ** 0.5)
    assert found.df == 1


def test_blanks_and_no_answer_are_not_in_the_base():
    found = estimate(study([[4, 9], [9, 9], [0, 5], [2, 1]]), LAYOUT, "top2")

    assert (found.of("item", "a").n, found.of("item", "a").value) == (2, 0.5)
    assert found.of("factor", "F").n == 3  # persons with at least one of the two


def test_the_error_of_a_mean_of_items_counts_their_agreement():
    same = estimate(study([[4, 4], [2, 2], [5, 5], [1, 1]]), LAYOUT, "top2")
    against = estimate(study([[4, 2], [2, 4], [5, 1], [1, 5]]), LAYOUT, "top2")

    assert same.of("factor").se == pytest.approx(same.of("item", "a").se)
    assert against.of("factor").se == pytest.approx(0)
    assert same.of("factor").value == against.of("factor").value == 0.5


def test_villages_without_members_of_a_domain_stay_in_its_design():
    taken = study([[4, 4], [2, 4], [5, 4], [3, 4]], psu=[1, 2, 3, 4])
    found = estimate(taken, LAYOUT, "top2", rows=np.array([0, 1])).of("item", "a")

    # z = 1/4, -1/4, 0, 0 over four villages: 4/3 (2/16), not 2 (2/16).
    assert found.se == pytest.approx((4 / 3 * 2 / 16) ** 0.5)
    assert found.df == 1


def test_a_domain_of_whole_villages_equals_the_same_rows_counted_alone():
    rng = np.random.default_rng(11)
    codes, psu = rng.integers(1, 6, (60, 2)), np.repeat(np.arange(12), 5)
    taken = study(codes, psu=psu, stratum=psu // 4)
    rows = np.flatnonzero(psu // 4 == 1)
    mixed = np.flatnonzero(rng.random(60) < 0.5)
    found = estimate(taken, LAYOUT, "top2", rows=rows)
    alone = estimate(study(codes[rows], psu=psu[rows]), LAYOUT, "top2")

    assert found.of("total").se == pytest.approx(alone.of("total").se)
    assert estimate(taken, LAYOUT, "top2", rows=mixed).of("total").n == mixed.size


def test_pooling_weighs_an_item_by_its_answers():
    codes = [[5, 1], [5, 0], [5, 0], [1, 0]]
    pooled = scheme(["a", "b"], {"F": ["a", "b"]}, aggregate="pooled")

    assert estimate(study(codes), pooled, "top2").of("total").value == pytest.approx(3 / 5)
    assert estimate(study(codes), LAYOUT, "top2").of("total").value == pytest.approx(3 / 8)


def test_everybody_satisfied_is_exactly_1_with_doubt_left():
    found = estimate(study([[4, 5]] * 20, weight=np.full(20, 0.1)), LAYOUT, "top2")
    for figure in found.figures:
        assert figure.value == 1.0
        assert figure.se == 0.0
        assert figure.high == 1.0
        assert figure.low == pytest.approx(0.025 ** (1 / 20))
        assert "all" in figure.flags
        assert figure.deff is None


def test_nobody_satisfied_is_exactly_0():
    found = estimate(study([[1, 3]] * 20), LAYOUT, "top2").of("total")

    assert (found.value, found.low) == (0.0, 0.0)
    assert "none" in found.flags


def test_an_item_without_answers_is_named_and_left_out_of_its_composite():
    found = estimate(study([[4, 9], [2, 0], [4, 9]]), LAYOUT, "top2")
    item, factor = found.of("item", "b"), found.of("factor", "F")

    assert (item.value, item.se, item.shares, item.n) == (None, None, None, 0)
    assert "no_answer" in item.flags
    assert factor.value == pytest.approx(2 / 3)
    assert "incomplete" in factor.flags


def test_a_whole_population_prints_no_interval():
    taken = study([[4, 5], [2, 5], [5, 5], [3, 5]], fpc=np.full(4, 4))
    found = estimate(taken, LAYOUT, "top2").of("item", "a")

    assert (found.se, found.low, found.high) == (0, None, None)
    assert "census" in found.flags


def test_one_village_has_no_interval_and_says_so():
    found = estimate(study([[4, 5], [2, 5]], psu=[1, 1]), LAYOUT, "top2").of("item", "a")

    assert (found.df, found.low, found.high) == (0, None, None)
    assert "low_df" in found.flags


def test_an_empty_domain_is_refused():
    with pytest.raises(NoRows):
        estimate(study([[4, 5]]), LAYOUT, "top2", rows=np.array([], int))


def test_a_figure_that_is_not_there_is_a_lookup_error():
    with pytest.raises(LookupError):
        estimate(study([[4, 5], [1, 2]]), LAYOUT, "top2").of("item", "zzz")


def test_a_composite_of_one_item_is_that_item_in_every_figure():
    rng = np.random.default_rng(5)
    codes, psu = rng.integers(0, 6, (90, 2)), np.repeat(np.arange(15), 6)
    taken = study(codes, rng.uniform(1, 9, 90), psu, psu // 5, fpc=np.full(90, 50))
    for method in ("top2", "scaled", "mean5"):
        found = estimate(taken, scheme(["a", "b"], {"F": ["a"]}), method)
        item, factor = found.of("item", "a"), found.of("factor", "F")
        for name in ("value", "se", "low", "high", "deff", "deff_replace", "neff", "shares"):
            assert getattr(factor, name) == pytest.approx(getattr(item, name)), name
        assert (factor.n, factor.df) == (item.n, item.df)


def test_estimators_never_load_the_slow_statistics():
    code = "import analysis.sipas, analysis.file.command, sys; print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_shares_of_a_composite_are_those_of_its_items():
    found = estimate(study([[4, 5], [1, 5]]), LAYOUT, "top2")

    assert found.of("factor").shares == pytest.approx((0.25, 0, 0, 0.25, 0.5))
    for method in ("top2", "scaled", "mean5"):
        total = estimate(study([[4, 5], [1, 5]]), LAYOUT, method).of("total")
        assert total.value == pytest.approx(np.array(total.shares) @ points(method))


answers = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0.5, 50), st.integers(0, 5)),
    min_size=6,
    max_size=40,
)


def _figures(rows, scale=1.0, copies=1):
    rows = [*rows, (3, 3, 1.0, 0)]  # somebody answers both items
    codes = [[a, b] for a, b, _, _ in rows for _ in range(copies)]
    weight = [w * scale / copies for *_, w, _ in rows for _ in range(copies)]
    psu = [p for *_, p in rows for _ in range(copies)]
    found = estimate(study(codes, weight, psu, np.array(psu) // 3), LAYOUT, "scaled")
    return [(f.value, f.se) for f in found.figures]


def _same(a, b):
    for (value, se), (value2, se2) in zip(a, b, strict=True):
        assert value == pytest.approx(value2, rel=1e-9)
        assert se == pytest.approx(se2, rel=1e-6, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(rows=answers, scale=st.floats(0.01, 1000))
def test_scaling_all_weights_changes_nothing(rows, scale):
    _same(_figures(rows), _figures(rows, scale))


@settings(max_examples=40, deadline=None)
@given(rows=answers, data=st.data())
def test_the_order_of_rows_changes_nothing(rows, data):
    _same(_figures(rows), _figures(data.draw(st.permutations(rows))))


@settings(max_examples=40, deadline=None)
@given(rows=answers, copies=st.integers(2, 4))
def test_splitting_a_person_into_parts_of_the_weight_changes_nothing(rows, copies):
    _same(_figures(rows), _figures(rows, copies=copies))


def test_the_joint_error_is_wider_than_adding_items_as_if_independent():
    found = columns("v1_base")
    codes = np.stack([found[item] for item in ITEMS], axis=1).astype(np.uint8)
    taken = rows_of(found["stratum"], found["psu"], found["w"], codes)
    figures = estimate(taken, scheme(ITEMS, FACTORS, aggregate="item"), "top2")
    independent = sum(f.se**2 for f in figures.figures[:22]) ** 0.5 / 22

    assert figures.of("total").se / independent == pytest.approx(3.2, abs=0.1)


def test_published_figures_are_worked_as_published():
    assert pct(8 / 8.5) == "94,12%"
    assert pct(13 / 14) == "92,86%"
    assert pct(28_439 / 30_000) == "94,80%"
    assert pct(28_372 / 28_439) == "99,76%"
    assert pct(35_268 / 36_630) == "96,28%"
    assert str(change(0.8266, 0.8008)) == "2.58"
    assert str(change(0.8394, 0.8266)) == "1.28"


def test_three_shares_of_a_question_add_to_100():
    # 90,06 + 8,98 + 0,96: of those who answered, so blanks are not in the base.
    codes = np.repeat([[1], [2], [3], [9]], [9006, 898, 96, 500], axis=0)
    taken = rows_of(np.zeros(10500), np.arange(10500), np.ones(10500), codes, levels=3)
    shares = estimate(taken, scheme(["c5"], {}), "scaled").of("item").shares

    assert [pct(share) for share in shares] == ["90,06%", "8,98%", "0,96%"]
