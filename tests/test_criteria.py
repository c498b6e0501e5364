"""The nine criteria: exact at every edge, never better than what was said."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import criteria
from analysis.criteria import Counts
from forms.scoring import CRITERIA, GRADES, Grade


def points(*values):
    return dict(zip(CRITERIA, map(Fraction, values), strict=True))


@pytest.mark.parametrize(
    ("total", "name"),
    [
        ("18", "Xuất sắc"), ("15", "Xuất sắc"), ("14.9999999", "Tốt"), ("12", "Tốt"),
        ("11.9999999", "Khá"), ("9", "Khá"), ("8.9999999", "Trung bình"), ("6", "Trung bình"),
        ("5.9999999", "Yếu"), ("0", "Yếu"),
    ],
)  # fmt: skip
def test_an_edge_belongs_to_the_class_it_opens(total, name):
    assert criteria.grade(Fraction(total)).name == name


def test_a_total_of_exactly_fifteen_made_of_thirds_is_excellent():
    """In floats 1.9 + 1.8 + … may be 14,999999999999998 and fall to the class below."""
    thirds = [Fraction(5, 3)] * 9
    floats = sum([5 / 3] * 3 + [1.9, 1.9, 1.9, 1.8, 1.7, 0.8])

    assert criteria.total(points(*thirds)) == 15
    assert criteria.grade(criteria.total(points(*thirds))).name == "Xuất sắc"
    assert floats != 15


def test_the_edges_are_data():
    edges = (Grade(16, "Hơn", "More"), Grade(0, "Kém", "Less"))

    assert criteria.grade(Fraction(15), edges).name == "Kém"
    assert [g.least for g in GRADES] == [15, 12, 9, 6, 0]


@pytest.mark.parametrize("total", [Fraction(-1, 100), Fraction(1801, 100)])
def test_no_class_for_what_no_total_can_be(total):
    with pytest.raises(ValueError, match="not in"):
        criteria.grade(total)


def test_rounding_waits_for_the_printer():
    """Rounded to one decimal before, this would be 15,0 and one class better."""
    total = criteria.total(points(*[Fraction("1.66")] * 9))

    assert total == Fraction("14.94")
    assert criteria.grade(total).name == "Tốt"


def test_a_criterion_without_an_answer_has_no_points_and_the_unit_no_total():
    known = criteria.means([{"n1": 2, "n2": 2, "n3": 2, "n4": 2, "n6": 2}] * 40)

    assert known["n7"].value is None
    assert criteria.total(criteria.measured(known, None)) is None


def test_who_left_one_empty_counts_for_the_others():
    known = criteria.means([{"n1": 2, "n2": 0}, {"n2": 1}, {"n2": 1}])

    assert (known["n1"].n, known["n1"].value) == (1, 2)
    assert (known["n2"].n, known["n2"].value) == (3, Fraction(2, 3))


def test_points_of_an_unknown_size_are_refused():
    with pytest.raises(ValueError, match="n1"):
        criteria.means([{"n1": 3}])


def test_what_a_unit_says_of_itself_in_an_opinion_does_not_count():
    assert criteria.means([{"n5": 2, "n8": 2, "n9": 2}]).keys() == set(criteria.OPINION)


@pytest.mark.parametrize(
    ("procedures", "received", "on_site", "required", "points"),
    [
        (100, 100, 20, None, 2), (100, 100, 19, None, 1), (100, 99, 99, None, 0),
        (100, 100, 50, 50, 2), (100, 100, 49, 50, 1), (3, 3, 1, 33, 2), (3, 3, 1, 34, 1),
        (0, 0, 0, None, None), (None, 1, 1, None, None), (5, 5, None, None, None),
    ],
)  # fmt: skip
def test_criterion_5_is_the_share_dealt_with_on_the_spot(
    procedures, received, on_site, required, points
):
    counts = Counts(procedures=procedures, received=received, on_site=on_site, required=required)

    assert criteria.at_counter(counts) == points


@pytest.mark.parametrize(
    ("complaints", "answered", "points"),
    [(0, None, 2), (0, 0, 2), (7, 7, 2), (10, 9, 1), (100, 90, 1), (100, 89, 0), (1, 0, 0),
     (None, None, None), (3, None, None)],
)  # fmt: skip
def test_criterion_8_has_its_edge_at_nine_of_ten(complaints, answered, points):
    assert criteria.complaints(Counts(complaints=complaints, answered=answered)) == points


@pytest.mark.parametrize(
    ("offered", "came", "overdue", "points"),
    [
        (20, 30, 0, 2), (19, 30, 0, 0), (20, 29, 0, 1), (0, 15, 3, 1), (20, 14, 0, 0),
        (20, 30, 1, 0), (100, 100, 0, 2), (None, 30, 0, None), (20, 30, None, None),
    ],
)  # fmt: skip
def test_criterion_9_asks_for_procedures_dossiers_and_no_delay(offered, came, overdue, points):
    counts = Counts(
        procedures=100, online_procedures=offered, dossiers=100, online=came, overdue=overdue
    )

    assert criteria.online(counts) == points


def test_the_appraiser_s_points_come_before_the_measured_ones():
    found = criteria.settled(points(*[1] * 9), {"n3": Fraction(2)})

    assert found["n3"] == 2
    assert criteria.total(found) == 10


def test_equal_totals_share_a_rank_and_the_next_one_counts_on():
    totals = {
        "a": Fraction(15),
        "b": Fraction(45, 3),
        "c": Fraction(16),
        "d": None,
        "e": Fraction(2),
    }

    assert criteria.ranked(totals) == {"c": 1, "a": 2, "b": 2, "e": 4}


def test_an_officer_s_total_is_that_of_five_criteria():
    opinions = [("B", {"n1": 2, "n2": 2, "n3": 1, "n4": 1, "n6": 0, "n7": 2})] * 3
    opinions += [("A", {"n1": 2}), ("", {"n1": 0})]

    a, b = criteria.officers(opinions)

    assert (b.officer, b.n, b.total) == ("B", 3, 8)
    assert (a.officer, a.n, a.total) == ("A", 0, None)


@given(st.lists(st.dictionaries(st.sampled_from(CRITERIA), st.integers(0, 2)), max_size=30))
def test_a_mean_lies_between_its_points_and_counts_each_answer_once(opinions):
    for name, mean in criteria.means(opinions).items():
        given = [o[name] for o in opinions if name in o]
        assert mean.n == len(given)
        if given:
            assert min(given) <= mean.value <= max(given)
            assert mean.value * mean.n == sum(given)
