"""Points and classes of the nine criteria of Nghị định 61/2018."""

import pytest

from forms.questionnaire import load
from forms.scoring import CRITERIA, MAXIMUM, OFFICER, QUESTIONNAIRE, UNIT, grade, points, total


def test_the_criteria_are_the_items_of_the_questionnaire():
    q = load(QUESTIONNAIRE)
    assert {item.id for item in q.items} == set(CRITERIA)
    assert {item.id for item in q.scored if item.factor == "A"} == set(OFFICER)
    assert set(q.sections[1].items) == set(UNIT)


def test_eighteen_points_are_the_most():
    assert total(dict.fromkeys(CRITERIA, 3)) == MAXIMUM == 18
    assert total(dict.fromkeys(CRITERIA, 1)) == 0


def test_a_code_is_one_more_than_its_points():
    assert points({"n1": 3, "n2": 2, "n3": 1}) == {"n1": 2, "n2": 1, "n3": 0}


def test_the_official_is_judged_by_criteria_1_2_3_4_and_7():
    answers = {"n1": 3, "n2": 2, "n3": 3, "n4": 1, "n7": 3}
    assert total(answers, OFFICER) == 2 + 1 + 2 + 0 + 2


@pytest.mark.parametrize("left", [None, 9])
def test_an_unanswered_criterion_is_never_counted_as_the_best(left):
    answers = dict.fromkeys(CRITERIA, 3) | {"n5": left}
    assert "n5" not in points(answers)
    assert total(answers) is None
    assert total(answers, OFFICER) == 10


@pytest.mark.parametrize(
    ("total", "name"),
    [
        (18, "Xuất sắc"),
        (15, "Xuất sắc"),
        (14.999, "Tốt"),
        (12, "Tốt"),
        (11.95, "Khá"),  # a mean is not rounded before it is classed
        (9, "Khá"),
        (8.9, "Trung bình"),
        (6, "Trung bình"),
        (5.9, "Yếu"),
        (0, "Yếu"),
    ],
)
def test_a_total_on_an_edge_belongs_to_the_better_class(total, name):
    assert grade(total).name == name


@pytest.mark.parametrize("total", [-1, 18.1, float("nan")])
def test_a_total_that_cannot_be_is_refused(total):
    with pytest.raises(ValueError, match=r"not in 0\.\.18"):
        grade(total)
