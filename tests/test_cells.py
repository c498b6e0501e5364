import numpy as np
import pytest

from analysis.cells import BadCells, Cells, Key, differences
from analysis.index import scheme
from analysis.tally import Folder, layout

LAYOUT = layout(scheme(["a", "b"], {"F": ["a", "b"]}), "top2")


def cells(*rows, weight=1.0):
    """Cells of rows (psu, day, flagged, codes)."""
    keys = list(dict.fromkeys(Key(psu, day, "kiosk", flagged) for psu, day, flagged, _ in rows))
    at = np.array([keys.index(Key(psu, day, "kiosk", flag)) for psu, day, flag, _ in rows])
    folder = Folder(LAYOUT, squares=True)
    codes = np.array([codes for *_, codes in rows], np.uint8)
    folder.add(at, np.full(len(rows), weight), codes)
    numbers = np.arange(1, len(keys) + 1)
    return Cells(tuple(keys), folder.sums(), numbers, numbers + 10)


ONE = cells(("u|1", "2026-09-01", False, [4, 5]), ("u|1", "2026-09-02", False, [2, 5]))


def test_cells_with_the_same_key_are_added_up():
    both = ONE.merge(cells(("u|1", "2026-09-02", False, [1, 1]), ("v|", "", True, [1, 1])))

    assert [key.psu for key in both.keys] == ["u|1", "u|1", "v|"]
    assert both.sums.people.tolist() == [1, 2, 1]
    assert both.sums.counts[1].tolist() == [1, 1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert both.first.tolist() == [1, 1, 2]
    assert both.last.tolist() == [11, 12, 12]


def test_merging_with_nothing_is_the_same_cells():
    nothing = Cells.of_rows([], LAYOUT)

    assert nothing.merge(ONE) is ONE
    assert ONE.merge(nothing) is ONE
    assert nothing.rolled().keys == ()


def test_all_days_together_are_the_sum_of_the_days():
    rolled = ONE.rolled()

    assert rolled.keys == (Key("u|1", "", "kiosk", False),)
    assert rolled.sums.people.tolist() == [2]
    assert (rolled.first[0], rolled.last[0]) == (1, 12)


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_cells_come_back_from_their_rows_as_they_were(weight):
    made = cells(("p", "", False, [4, 9]), ("p", "", True, [0, 1]), weight=weight)
    back = Cells.of_rows(made.rows(), LAYOUT)

    assert back.keys == made.keys
    assert differences(back, made) == []
    assert back.last.tolist() == made.last.tolist()


def test_weights_of_1_are_not_written_twice():
    [row] = cells(("p", "", False, [4, 9])).rows()
    [heavy] = cells(("p", "", False, [4, 9]), weight=2.0).rows()

    assert (row["sums"], row["square_sums"]) == (None, None)
    assert len(heavy["sums"]) == 8 * LAYOUT.size


def test_a_row_of_another_layout_is_refused_by_its_place():
    [row] = ONE.keep(lambda key: key.day.endswith("01")).rows()

    with pytest.raises(BadCells, match=r"u\|1 2026-09-01: counts"):
        Cells.of_rows([row | {"counts": b"123"}], LAYOUT)


def test_cells_that_disagree_are_named():
    other = cells(("u|1", "2026-09-01", False, [4, 5]), ("u|1", "2026-09-02", False, [3, 5]))

    assert differences(ONE, other) == [Key("u|1", "2026-09-02", "kiosk", False)]
    assert differences(ONE, ONE.take(np.array([0]))) == [Key("u|1", "2026-09-02", "kiosk", False)]


def test_a_sum_of_weights_may_differ_by_the_order_of_adding_only():
    [row] = cells(("p", "", False, [4, 4]), weight=3.0).rows()
    a = Cells.of_rows([row], LAYOUT)

    assert differences(a, Cells.of_rows([row | {"weight": 3 * (1 + 1e-12)}], LAYOUT)) == []
    assert differences(a, Cells.of_rows([row | {"weight": 3 * (1 + 1e-6)}], LAYOUT)) == [a.keys[0]]


def test_a_cell_without_persons_is_as_good_as_none():
    emptied = Cells(ONE.keys, ONE.sums.emptied(), ONE.first, ONE.last)

    assert differences(emptied, Cells.of_rows([], LAYOUT)) == []
