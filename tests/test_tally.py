import numpy as np
import pytest

from analysis.design import build
from analysis.index import scheme
from analysis.tally import Folder, composites, fold, layout

CODES = np.array([[1, 5], [4, 9], [5, 0], [4, 4], [2, 5]])
SAMPLE = build(np.zeros(5, int), np.array([0, 0, 1, 1, 2]), np.array([1.0, 2, 3, 4, 5]))
TREE = scheme(["a", "b"], {"F": ["a", "b"]})


def test_sums_are_weighted_per_psu_item_and_level():
    found, _ = fold(SAMPLE, CODES, TREE, "top2")

    assert found.sums[0, 0].tolist() == [1, 0, 0, 2, 0]
    assert found.sums[1, 0].tolist() == [0, 0, 0, 4, 3]
    assert found.counts[:, 0].tolist() == [[1, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0, 1, 0, 0, 0]]
    assert found.people.tolist() == [2, 2, 1]
    assert found.weight.tolist() == [3, 7, 5]
    assert found.squares.tolist() == [5, 25, 25]


def test_no_answer_and_blank_are_no_level():
    found, _ = fold(SAMPLE, CODES, TREE, "top2")

    assert found.counts[:, 1].sum() == 3
    assert found.sums[:, 1].sum() == 1 + 4 + 5


def test_composites_are_each_persons_mean_of_the_answered_items():
    # Persons of village 1: (0 + 1) / 2 and, with one item only, 1.
    found, _ = fold(SAMPLE, CODES, TREE, "top2")

    assert found.persons[:, 0].tolist() == [2, 2, 1]
    assert found.moments[0, 0].tolist() == [3, 0.5 * 1 + 1 * 2, 0.25 * 1 + 1 * 2]


def test_who_answered_nothing_is_in_no_composite():
    own, answered = composites(layout(TREE, "scaled"), np.array([[0, 9], [1, 5]], np.uint8))

    assert answered[:, 0].tolist() == [False, True]
    assert own[:, 0].tolist() == [0, 0.5]


def test_a_label_parts_the_villages_into_cells():
    found, label = fold(SAMPLE, CODES, TREE, "top2", label=np.array([1, 0, 0, 0, 1]))

    assert list(zip(found.psu.tolist(), label.tolist(), strict=True)) == [
        (0, 0), (0, 1), (1, 0), (2, 1),
    ]  # fmt: skip
    assert found.sums[:, 0].sum(axis=0).tolist() == [1, 5, 0, 6, 3]


def test_rows_in_many_blocks_make_the_same_cells_as_rows_at_once():
    rng = np.random.default_rng(3)
    n = 10_000
    cell, weight = rng.integers(0, 40, n), rng.uniform(1, 9, n)
    codes = rng.integers(0, 10, (n, 2)).astype(np.uint8)
    whole, pieces = Folder(layout(TREE, "scaled"), squares=True), Folder(layout(TREE, "scaled"))
    whole.add(cell, weight, codes)
    for at in range(0, n, 777):
        part = slice(at, at + 777)
        pieces.add(cell[part], weight[part], codes[part])
    a, b = whole.sums(), pieces.sums()

    assert (a.counts == b.counts).all()
    assert a.sums == pytest.approx(b.sums)
    assert a.moments == pytest.approx(b.moments)
    assert b.square_sums is None
    assert a.square_sums.sum() == pytest.approx(weight**2 @ ((codes > 0) & (codes < 6)).sum(axis=1))


def test_cells_grow_as_they_come():
    folder = Folder(layout(TREE, "top2"))
    for cell in (0, 5, 2):
        folder.add(np.array([cell]), np.array([2.0]), np.array([[4, 4]], np.uint8))

    assert folder.sums().people.tolist() == [1, 0, 1, 0, 0, 1]


def test_items_lie_among_columns_of_other_widths():
    slots = layout(TREE, "scaled", 3, widths=[2, 3, 7, 3], items=[1, 3])
    folder = Folder(slots)
    folder.add(np.array([0, 0]), np.ones(2), np.array([[1, 3, 7, 1], [2, 2, 9, 3]], np.uint8))
    found = folder.tally(np.zeros(1, int))

    assert slots.size == 15
    assert folder.sums().counts[0].tolist() == [1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1]
    assert found.counts[0].tolist() == [[0, 1, 1], [1, 0, 1]]
    assert found.moments[0, 0].tolist() == [2, 0.5 + 0.75, 0.25 + 0.5625]


def test_an_item_of_another_scale_is_refused():
    with pytest.raises(ValueError, match="number of levels"):
        layout(TREE, "top2", 5, widths=[5, 4], items=[0, 1])


def test_multiplying_the_weights_of_a_cell_reaches_every_sum():
    found, _ = fold(SAMPLE, CODES, TREE, "top2")
    twice = found.scaled(np.array([2.0, 1, 1]))

    assert twice.weight.tolist() == [6, 7, 5]
    assert twice.squares.tolist() == [20, 25, 25]
    assert (twice.sums[0] == 2 * found.sums[0]).all()
    assert (twice.moments[0] == 2 * found.moments[0]).all()
    assert (twice.counts == found.counts).all()


def test_a_scale_of_three_levels():
    rows = np.array([[3], [2], [1], [4], [9]])
    found, _ = fold(SAMPLE, rows, scheme(["a"], {}), "scaled", levels=3)

    assert found.sums[:, 0].tolist() == [[0, 2, 1], [3, 0, 0], [0, 0, 0]]


def test_rows_that_do_not_fit_the_design_are_refused():
    with pytest.raises(ValueError, match="one row of answers"):
        fold(SAMPLE, CODES[:3], TREE, "top2")
    with pytest.raises(ValueError, match="one row of answers"):
        Folder(layout(TREE, "top2")).add(np.zeros(2, int), np.ones(2), np.zeros((2, 3), np.uint8))
