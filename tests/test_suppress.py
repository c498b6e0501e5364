import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from analysis.suppress import hidden_units, suppress

TABLES = npst.arrays(
    np.int64,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 20, 31, 50]),
)


def with_margins(counts):
    inner = np.vstack([counts, counts.sum(axis=0)])
    return np.hstack([inner, inner.sum(axis=1, keepdims=True)])


def mask(found):
    inner = np.vstack([found.cells, found.columns])
    return np.hstack([inner, np.append(found.rows, found.total)[:, None]])


def solved(hidden):
    """Hidden cells that the shown cells and the sums of all lines determine: exact algebra."""
    places = [tuple(place) for place in np.argwhere(hidden)]
    rows, columns = hidden.shape
    lines = np.zeros((rows + columns, len(places)))
    for k, (r, c) in enumerate(places):
        lines[r, k] = -1 if c == columns - 1 else 1
        lines[rows + c, k] = -1 if r == rows - 1 else 1
    rank = np.linalg.matrix_rank(lines) if places else 0
    free = [
        k
        for k in range(len(places))
        if np.linalg.matrix_rank(np.vstack([lines, np.eye(len(places))[k]])) == rank
    ]
    return {places[k] for k in free}


def thin_lines(counts, hidden, least=5):
    """Lines with a printed total whose hidden cells together are fewer than ``least``."""
    full = with_margins(counts)
    found = 0
    for table, gone in ((full, hidden), (full.T, hidden.T)):
        for line, where in zip(table, gone, strict=True):
            inner = where[:-1]
            found += bool(inner.any() and not where[-1] and line[:-1][inner].sum() < least)
    return found


def test_a_small_cell_takes_the_cheapest_rectangle_along():
    counts = np.array([[3, 20, 30], [40, 9, 50], [8, 60, 70]])
    found = suppress(counts)

    # Round the corner are 20 + 9 + 40, 20 + 60 + 8, 30 + 50 + 40 and 30 + 70 + 8 persons.
    assert np.argwhere(found.cells).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert (found.primary, found.complementary) == (1, 3)
    assert not found.rows.any()
    assert not found.columns.any()
    assert not found.total


def test_two_in_each_line_are_not_enough_where_one_bridge_joins_two_blocks():
    counts = np.full((5, 5), 50)
    for place in [(0, 0), (0, 1), (1, 0), (1, 1), (3, 3), (3, 4), (4, 3), (4, 4), (1, 3)]:
        counts[place] = 3
    hidden = with_margins(counts) < 5

    assert hidden[:-1].sum(axis=1).tolist() == [2, 3, 0, 2, 2]
    assert solved(hidden) == {(1, 3)}
    assert not solved(mask(suppress(counts)))


def test_a_rectangle_of_small_cells_needs_nothing_more():
    counts = np.array([[3, 4, 30], [4, 3, 50], [80, 60, 70]])
    found = suppress(counts)

    assert (found.primary, found.complementary) == (4, 0)


def test_one_and_one_are_no_secret_of_a_line_that_lacks_two():
    counts = np.array([[1, 1, 30], [1, 1, 50], [80, 60, 70]])
    found = suppress(counts)

    assert found.primary == 4
    assert not thin_lines(counts, mask(found))


def test_a_small_total_is_hidden_too():
    counts = np.array([[1, 2], [30, 40], [50, 60]])
    found = suppress(counts)

    assert found.rows.tolist()[0]
    assert not solved(mask(found))


def test_nobody_is_shown_as_nobody():
    counts = np.array([[0, 20], [30, 0]])

    assert not mask(suppress(counts)).any()


def test_one_row_is_a_table_too():
    found = suppress(np.array([[3, 40, 8]]))

    assert found.cells.tolist() == [[True, False, True]]
    assert found.columns.tolist() == [True, False, True]


@given(TABLES, st.sampled_from([3, 5, 10]))
def test_nobody_can_solve_for_a_hidden_cell(counts, least):
    hidden = mask(suppress(counts, hide_n=least))
    full = with_margins(counts)

    assert hidden[(full > 0) & (full < least)].all()
    assert not hidden[full == 0].any()
    assert solved(hidden) == set()
    assert not thin_lines(counts, hidden, least)


@given(TABLES)
def test_no_cell_is_hidden_in_vain(counts):
    found = suppress(counts)
    hidden, full = mask(found), with_margins(counts)
    small = (full > 0) & (full < 5)

    assert (found.primary, found.complementary) == (small.sum(), (hidden & ~small).sum())
    for place in np.argwhere(hidden & ~small):
        less = hidden.copy()
        less[tuple(place)] = False
        assert solved(less) or thin_lines(counts, less)


def test_one_small_cell_costs_three_others_at_most():
    counts = np.random.Generator(np.random.PCG64(7)).poisson(12, (34, 9))
    found = suppress(counts)

    assert not solved(mask(found))
    assert 0 < found.complementary <= 3 * found.primary


def test_the_tree_hides_the_next_smallest_and_all_below():
    #         0    1  2   3     4   5      6  7
    counts = [100, 3, 60, 37, 30, 30, 20, 17]
    above = [-1, 0, 0, 0, 2, 2, 3, 3]

    assert hidden_units(counts, above) == {1, 3, 6, 7}
    assert hidden_units([100, 50, 50], [-1, 0, 0]) == frozenset()


@pytest.mark.parametrize(
    "counts", [np.zeros((0, 3), np.int64), np.array([1, 2]), np.array([[1, -1]])]
)
def test_what_is_no_table_is_refused(counts):
    with pytest.raises(ValueError, match="rows, columns"):
        suppress(counts)
