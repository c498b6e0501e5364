import numpy as np
import pytest

from analysis.index import BadIndex, points, scheme

FACTORS = {"I.A": ["a", "b"], "II.A": ["c"], "II.B": ["d", "e", "f"]}
AREAS = {"I": ["I.A"], "II": ["II.A", "II.B"]}
ITEMS = list("abcdef")


def row(layout, id):
    return dict(zip(ITEMS, layout.weights[layout.ids.index(id)], strict=True))


@pytest.mark.parametrize(
    ("method", "levels", "expected"),
    [
        ("top2", 5, [0, 0, 0, 1, 1]),
        ("scaled", 5, [0, 0.25, 0.5, 0.75, 1]),
        ("mean5", 5, [0.2, 0.4, 0.6, 0.8, 1]),
        ("top2", 3, [0, 0, 1]),
        ("scaled", 3, [0, 0.5, 1]),
        ("top2", 4, [0, 0, 1, 1]),
    ],
)
def test_points_of_the_levels(method, levels, expected):
    assert points(method, levels) == pytest.approx(expected)


def test_the_three_methods_on_one_table_of_frequencies():
    # 2, 3, 5, 60 and 30 answers: 90 satisfied; sum of levels 413.
    shares = np.array([2, 3, 5, 60, 30]) / 100

    assert shares @ points("top2") == pytest.approx(0.90)
    assert shares @ points("mean5") == pytest.approx(413 / 500)
    assert shares @ points("scaled") == pytest.approx(313 / 400)


def test_nine_criteria_of_two_points_reach_eighteen():
    criteria = np.array([2, 2, 1, 2, 0, 2, 1, 2, 2])

    assert points("scaled", 3)[criteria].sum() * 2 == pytest.approx(14)


def test_each_item_equal_gives_a_policy_weight_of_23_of_39():
    sizes = {"I.A": 2, "I.B": 2, "I.C": 9, "I.D": 10} | {
        "II.A": 3, "II.B": 4, "II.C": 3, "II.D": 3, "II.E": 3,
    }  # fmt: skip
    factors = {name: [f"{name}{n}" for n in range(size)] for name, size in sizes.items()}
    items = [item for members in factors.values() for item in members]
    layout = scheme(items, factors)

    assert layout.weights[-1][:23].sum() == pytest.approx(23 / 39)


def test_equal_items_equal_factors_and_given_weights():
    item = scheme(ITEMS, FACTORS, AREAS)
    factor = scheme(ITEMS, FACTORS, AREAS, aggregate="factor")
    given = scheme(
        ITEMS, FACTORS, AREAS, aggregate="explicit",
        weights={"I": 3, "II": 1, "II.A": 1, "II.B": 3},
    )  # fmt: skip

    assert row(item, "total") == pytest.approx(dict.fromkeys(ITEMS, 1 / 6))
    assert row(item, "II") == pytest.approx({"a": 0, "b": 0} | dict.fromkeys("cdef", 1 / 4))
    assert row(factor, "total") == pytest.approx(
        dict.fromkeys("ab", 1 / 6) | {"c": 1 / 3} | dict.fromkeys("def", 1 / 9)
    )
    assert row(given, "total") == pytest.approx(
        dict.fromkeys("ab", 3 / 8) | {"c": 1 / 16} | dict.fromkeys("def", 1 / 16)
    )


def test_every_row_of_weights_adds_to_one():
    for aggregate in ("item", "factor", "pooled"):
        layout = scheme(ITEMS, FACTORS, AREAS, aggregate=aggregate)
        assert layout.weights.sum(axis=1) == pytest.approx(np.ones(len(layout.ids)))
        assert layout.names[:6] == tuple(ITEMS)


def test_pooling_concerns_areas_and_the_total_not_factors():
    layout = scheme(ITEMS, FACTORS, AREAS, aggregate="pooled")

    assert dict(zip(layout.kinds, layout.pooled, strict=True)) == {
        "factor": False, "area": True, "total": True,
    }  # fmt: skip


def test_without_areas_and_without_factors():
    flat = scheme(ITEMS, FACTORS)
    bare = scheme(ITEMS, {})

    assert flat.ids == ("I.A", "II.A", "II.B", "total")
    assert bare.ids == ("total",)
    assert row(bare, "total") == pytest.approx(dict.fromkeys(ITEMS, 1 / 6))


def test_an_item_beside_the_index_is_in_no_composite():
    layout = scheme([*ITEMS, "all"], FACTORS, AREAS)

    assert layout.weights[:, -1].tolist() == [0] * len(layout.ids)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"factors": {"F": ["a", "x"]}}, "unknown items: x"),
        ({"factors": {"F": ["a"], "G": ["a"]}}, "twice"),
        ({"factors": {"F": []}}, "without members"),
        ({"aggregate": "median"}, "unknown aggregate"),
        ({"aggregate": "explicit", "weights": {"I": 1}}, "no weight for: II"),
        ({"aggregate": "explicit", "weights": {"I": -1, "II": 1}}, "0 or more"),
        ({"aggregate": "explicit", "weights": {"I": 0, "II": 0}}, "0 or more"),
    ],
)
def test_a_definition_that_does_not_hold_together_is_refused(facts, message):
    facts = {"factors": FACTORS, "areas": AREAS if "factors" not in facts else {}} | facts
    with pytest.raises(BadIndex, match=message):
        scheme(ITEMS, **facts)


def test_unknown_methods_and_scales_are_refused():
    with pytest.raises(BadIndex, match="unknown index method"):
        points("median")
    with pytest.raises(BadIndex, match="two levels"):
        points("top2", 1)
