"""What must hold of every sample: hypothesis draws small ones and tries to break it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.design import BadDesign, NoVariance, build
from analysis.estimate import estimate, parts
from analysis.index import METHODS, scheme
from analysis.intervals import METHODS as INTERVALS
from analysis.tally import fold

ITEMS = ["a", "b", "c", "d"]
FACTORS = {"F1": ["a", "b"], "F2": ["c", "d"]}
NUMBERS = ("value", "se", "low", "high", "deff_replace", "neff")
CLOSE = {"rel": 1e-9, "abs": 1e-12}

checked = settings(derandomize=True, max_examples=40, deadline=None, database=None)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a small survey with how it is to be estimated."""

    stratum: np.ndarray
    psu: np.ndarray
    weight: np.ndarray
    codes: np.ndarray
    label: np.ndarray
    fpc: np.ndarray | None
    lonely: str
    method: str
    aggregate: str

    def take(self, at):
        cut = {
            name: getattr(self, name)[at] for name in ("stratum", "psu", "weight", "codes", "label")
        }
        return replace(self, **cut, fpc=None if self.fpc is None else self.fpc[at])

    @property
    def layout(self):
        return scheme(ITEMS, FACTORS, aggregate=self.aggregate)

    def folded(self, label=None):
        sample = build(self.stratum, self.psu, self.weight, self.fpc, lonely=self.lonely)
        tally, of_cell = fold(sample, self.codes, self.layout, self.method, label=label)
        return sample.design, tally, of_cell

    def estimates(self, **how):
        design, tally, _ = self.folded()
        return estimate(tally, design, self.layout, self.method, **how)


ROW = st.tuples(
    st.integers(1, 3),  # stratum
    st.integers(1, 4),  # village in it
    st.integers(1, 40),  # weight
    st.tuples(*[st.integers(0, 5)] * 4),  # answers, 0 = none
    st.integers(0, 2),  # a label inside villages
)


@st.composite
def surveys(draw):
    rows = draw(st.lists(ROW, min_size=2, max_size=30))
    stratum, village, weight, codes, label = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    population = np.array([0, 4, 7, 40])[stratum]
    return Rows(
        stratum=stratum,
        psu=stratum * 10 + village,
        weight=weight / 4,
        codes=codes.astype(np.uint8),
        label=label,
        fpc=population if draw(st.booleans()) else None,
        lonely=draw(st.sampled_from(["adjust", "remove", "certainty", "average"])),
        method=draw(st.sampled_from(METHODS)),
        aggregate=draw(st.sampled_from(["item", "factor", "pooled"])),
    )


def close(mine, theirs):
    """Equal up to the noise of doubles, or both unknown."""
    if mine is None or theirs is None:
        return mine is theirs
    return mine == pytest.approx(theirs, **CLOSE)


def same(one, other, leave_out=()):
    """Two results agree in every figure, flag and count."""
    for mine, theirs in zip(one.figures, other.figures, strict=True):
        assert (mine.id, mine.df, mine.flags) == (theirs.id, theirs.df, theirs.flags)
        assert mine.n == theirs.n or "n" in leave_out
        for name in NUMBERS:
            if name not in leave_out:
                assert close(getattr(mine, name), getattr(theirs, name)), name
        assert close(mine.shares, theirs.shares)


def covariance(of):
    """A joint covariance to compare, None where there is none."""
    try:
        return of()
    except NoVariance:
        return None


@checked
@given(surveys(), st.sampled_from([1e-3, 7.0, 1e6]))
def test_weights_count_only_against_each_other(rows, times):
    same(rows.estimates(), replace(rows, weight=rows.weight * times).estimates())


@checked
@given(surveys(), st.randoms(use_true_random=False))
def test_the_order_of_rows_is_of_no_account(rows, chance):
    order = list(range(rows.weight.size))
    chance.shuffle(order)

    same(rows.estimates(), rows.take(np.array(order)).estimates())


@checked
@given(surveys(), st.permutations(range(60)))
def test_the_names_of_villages_are_of_no_account(rows, names):
    same(rows.estimates(), replace(rows, psu=np.array(names)[rows.psu]).estimates())


@checked
@given(surveys())
def test_a_village_may_be_folded_in_several_cells(rows):
    design, tally, _ = rows.folded(rows.label)

    same(rows.estimates(), estimate(tally, design, rows.layout, rows.method))


@checked
@given(surveys())
def test_two_persons_of_half_the_weight_add_no_knowledge(rows):
    twice = rows.take(np.repeat(np.arange(rows.weight.size), 2))
    twice = replace(twice, weight=twice.weight / 2)

    same(rows.estimates(), twice.estimates(), ("n", "low", "high", "deff_replace"))


@checked
@given(surveys(), st.data())
def test_a_row_of_no_weight_is_refused(rows, data):
    weight = rows.weight.copy()
    weight[data.draw(st.integers(0, weight.size - 1))] = data.draw(
        st.sampled_from([0.0, -1.0, np.nan, np.inf])
    )

    with pytest.raises(BadDesign, match="weights"):
        replace(rows, weight=weight).folded()


@checked
@given(surveys())
def test_a_domain_of_everybody_is_the_whole(rows):
    design, tally, _ = rows.folded(rows.label)
    every = np.ones(tally.psu.size, dtype=bool)

    same(rows.estimates(), estimate(tally, design, rows.layout, rows.method, cells=every))


@checked
@given(surveys())
def test_the_value_of_a_union_is_the_weighted_mean_of_its_parts(rows):
    design, tally, of_cell = rows.folded(rows.label)
    total, mass = np.zeros(len(ITEMS)), np.zeros(len(ITEMS))
    for label in np.unique(of_cell):
        mine = of_cell == label
        found = estimate(tally, design, rows.layout, rows.method, cells=mine)
        answers = tally.sums[mine].sum(axis=(0, 2))
        values = [figure.value or 0.0 for figure in found.figures[: len(ITEMS)]]
        total, mass = total + answers * values, mass + answers

    for figure, y, a in zip(rows.estimates().figures, total, mass, strict=False):
        assert (figure.value is None) == (a == 0)
        assert a == 0 or figure.value == pytest.approx(y / a, **CLOSE)


@checked
@given(surveys())
def test_domains_at_once_are_domains_one_by_one(rows):
    design, tally, of_cell = rows.folded(rows.label)
    names, part = np.unique(of_cell, return_inverse=True)
    grid = parts(tally, design, rows.layout, rows.method, part, names.size)

    for d in range(names.size):
        alone = estimate(tally, design, rows.layout, rows.method, cells=part == d)
        same(grid.estimates(d), alone)
        assert grid.estimates(d).z == pytest.approx(alone.z, **CLOSE)
        assert close(covariance(lambda d=d: grid.covariance(d)), covariance(alone.covariance))


@checked
@given(surveys())
def test_the_joint_covariance_is_one(rows):
    found = rows.estimates()
    try:
        matrix = found.covariance()
    except NoVariance:
        assert all(figure.se is None for figure in found.figures)
        return
    se = np.array([figure.se or 0.0 for figure in found.figures])

    assert np.linalg.eigvalsh(matrix).min() >= -1e-12 * max(1.0, np.abs(matrix).max())
    assert np.sqrt(np.maximum(np.diag(matrix), 0)) == pytest.approx(se, rel=1e-9, abs=1e-9)


@checked
@given(surveys())
def test_a_composite_of_one_item_is_that_item(rows):
    alone = replace(rows, codes=rows.codes[:, :1])
    layout = scheme(["a"], {"F": ["a"]}, aggregate=rows.aggregate)
    sample = build(alone.stratum, alone.psu, alone.weight, alone.fpc, lonely=alone.lonely)
    tally, _ = fold(sample, alone.codes, layout, alone.method)
    found = estimate(tally, sample.design, layout, alone.method)
    item, *others = found.figures

    for other in others:
        assert (other.n, other.df) == (item.n, item.df)
        for name in (*NUMBERS, "deff"):
            assert close(getattr(other, name), getattr(item, name)), name


@checked
@given(surveys(), st.sampled_from(INTERVALS), st.booleans(), st.sampled_from([0.5, 0.95, 0.999]))
def test_an_interval_holds_its_estimate_and_is_never_a_point(rows, method, cap, level):
    found = rows.estimates(interval=method, cap=cap, level=level)
    seen = [figure for figure in found.figures if figure.low is not None]
    assume(seen)

    for figure in seen:
        assert 0 <= figure.low <= figure.value <= figure.high <= 1
        assert figure.low < figure.high


@checked
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from([0.1, 0.7, 1.3])), min_size=2, max_size=6
    ),
    st.sampled_from(INTERVALS),
)
def test_villages_that_agree_leave_doubt_whatever_their_size(villages, method):
    """Sums of unequal villages differ in the last digit; that is no sampling error."""
    sizes, weights = zip(*villages, strict=True)
    psu = np.repeat(np.arange(len(sizes)), 3 * np.array(sizes))
    sample = build(np.zeros(psu.size), psu, np.array(weights)[psu])
    codes = np.concatenate([np.tile([1, 4, 5], size) for size in sizes])[:, None]
    layout = scheme(["a"], {})
    tally, _ = fold(sample, codes, layout, "top2")
    item = estimate(tally, sample.design, layout, "top2", interval=method, cap=False).of("item")

    assert (item.se, item.deff, item.neff) == (0.0, None, None)
    assert item.high - item.low > 0.1


@checked
@given(surveys(), st.sampled_from(["remove", "certainty", "average"]))
def test_a_village_that_is_its_whole_stratum_is_not_a_lonely_one(rows, rule):
    """Its error is known to be 0, so nothing has to be put in its place (R counts it as good)."""
    sampled = {h: np.unique(rows.psu[rows.stratum == h]).size for h in (1, 2, 3)}
    population = np.array([1 if sampled[h] == 1 else 9 for h in rows.stratum])
    whole = replace(rows, fpc=population, lonely="adjust")

    same(whole.estimates(), replace(whole, lonely=rule).estimates())
