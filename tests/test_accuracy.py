"""Rates of operators and of call-backs worked by hand on a few forms."""

import numpy as np
import pytest
from paper_wave import QUESTIONNAIRE, fields

from analysis.keying import error_rate
from forms import paper
from forms.questionnaire import load
from survey.entry import accuracy
from survey.store.callbacks import Called
from survey.store.comparisons import Double

Q = load(QUESTIONNAIRE)
CODED = len(paper.coded(Q))


def double(case, first, second, right, *, staff=(1, 2)):
    return Double(case, "u", *staff, "desk", first, second, right)


def called(case, outcome="done", interviewer=5, **answers):
    held = fields(0, sex=1, age=2, s01=3, s02=3, s03=9)
    return Called(
        case, "p", "P", "u", "L1", interviewer, "called_back", outcome, "phone", answers, "", 1,
        None, held,
    )  # fmt: skip


def test_each_operator_is_judged_by_what_was_settled():
    right = fields(1, s01=4, s02=4)
    rows = [
        double(1, right | {"s01": 2, "s02": 1}, right, right),
        double(2, right, right | {"s01": 5}, right, staff=(2, 1)),
        double(3, right, right, right),
    ]
    found = accuracy.operators(rows, Q)
    one, two = sorted(found.operators, key=lambda each: each.staff)

    assert (one.forms, one.fields, one.wrong) == (3, 3 * CODED, 3)
    assert (two.forms, two.fields, two.wrong) == (3, 3 * CODED, 0)
    forms = np.arange(3)
    expected = error_rate(np.array([2, 1, 0]), np.full(3, CODED), forms)
    assert (one.rate.low, one.rate.high) == pytest.approx((expected.low, expected.high))
    assert found.first == error_rate(np.array([2, 0, 0]), np.full(3, CODED), forms)


def test_a_text_written_otherwise_is_no_keying_error():
    right = fields(1, comment="Tốt", c2=[1, 3])
    [one, two] = accuracy.operators([double(1, right | {"comment": ""}, right, right)], Q).operators

    assert (one.wrong, two.wrong) == (0, 0)


def test_what_was_taken_for_what_counts_first_entries_only():
    right = fields(1, s01=4, s02=2)
    first = right | {"s01": 2, "s02": 9}
    rows = [double(n, first if n == 1 else right, right | {"s01": 1}, right) for n in (1, 2, 3)]
    confusion = accuracy.operators(rows, Q).keying.confusion

    assert (confusion[4, 2], confusion[2, 0], confusion[4, 1]) == (1, 1, 0)
    assert confusion.sum() == 3 * len(Q.scored)


def test_one_form_shows_no_spread_and_no_rate():
    right = fields(1)
    found = accuracy.operators([double(1, right, right, right)], Q)

    assert found.first is None
    assert [each.rate for each in found.operators] == [None, None]
    assert accuracy.operators([], Q).operators == []


def test_facts_must_agree_and_levels_may_lie_one_apart():
    rows = [
        called(1, sex=1, age=2, s01=4, s02=3, s03=5, how="self"),
        called(2, sex=2, age=2, s01=1, s02=9, how="helped"),
        called(3, "not_visited"),
        called(4, "", interviewer=None),
    ]
    one, nobody = accuracy.agreement(rows, Q)

    assert (one.interviewer, one.drawn, one.outcomes["done"]) == (5, 3, 2)
    assert one.facts == [3, 4]
    assert one.exact == [1, 3]  # a blank on either side is not compared
    assert one.near == [2, 3]
    assert (one.helped, one.outcomes["not_visited"]) == (1, 1)
    assert one.rate == error_rate(np.array([0, 1]), np.array([2, 1]), np.arange(2))
    assert (nobody.interviewer, nobody.rate) == (None, None)
