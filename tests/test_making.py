"""Final weights step by step: nonresponse, calibration, trimming, blanks."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.weights.calibrate import EmptyCategory, MarginsDiffer
from analysis.weights.making import Drawn, Known, Settings, make
from analysis.weights.nonresponse import NoRespondents
from analysis.weights.trim import CapTooTight

BASE = np.array([10.0, 10, 20, 20, 10, 10, 40, 40])
CAME = np.array([True, True, True, False, True, True, True, False])
CELL = np.array([0, 0, 0, 0, 1, 1, 1, 1])
DRAWN = Drawn(BASE, CAME, CELL, ("A", "B"))
SEX = Known("sex", ("1", "2", "1", "1", "2", "2"), {"1": 90.0, "2": 110.0})


def test_without_margins_respondents_stand_for_their_cell():
    made = make(DRAWN, (), Settings(cap=0))

    assert made.start == pytest.approx([15, 15, 30, 100 / 6, 100 / 6, 400 / 6])
    assert made.weight is made.start
    assert set(made.cell) == {"."}
    assert made.report["nonresponse"]["factor_max"] == pytest.approx(100 / 60)


def test_margins_are_reached_and_named_in_the_cell():
    area = Known("area", ("u", "r", "u", "r", "u", "r"), {"u": 80.0, "r": 120.0})
    made = make(DRAWN, (SEX, area), Settings(cap=0))

    assert made.cell == ("1|u", "2|r", "1|u", "1|r", "2|u", "2|r")
    assert made.weight[[0, 2, 3]].sum() == pytest.approx(90)
    assert made.weight[[0, 2, 4]].sum() == pytest.approx(80)
    assert [row["target"] for row in made.report["margins"]] == [90, 110, 80, 120]


def test_categories_are_thin_for_their_persons_or_their_own_change():
    values = ("1",) * 30 + ("2",) * 30
    drawn = Drawn(np.ones(60), np.ones(60, bool), np.zeros(60, int), ("A",))

    def thin(**targets):
        report = make(drawn, (Known("sex", values, targets),), Settings(cap=0)).report
        return [cell["category"] for cell in report["calibration"]["thin"]]

    assert thin(**{"1": 30_000, "2": 30_000}) == []
    assert thin(**{"1": 5_000, "2": 55_000}) == ["1"]


def test_blanks_keep_their_share():
    sex = Known("sex", ("1", "2", "?", "1", "2", "2"), {"1": 90.0, "2": 110.0})
    made = make(DRAWN, (sex,), Settings(cap=0))
    share = made.start[2] / made.start.sum()

    assert made.weight[2] == pytest.approx(200 * share)
    assert made.weight.sum() == pytest.approx(200)
    assert made.weight[[0, 3]].sum() == pytest.approx(90 * (1 - share))


def test_trimming_keeps_the_margins_and_says_what_it_cut():
    values = tuple("12"[n % 2] for n in range(40))
    weight = np.where(np.arange(40) < 2, 60.0, 10.0)
    drawn = Drawn(weight, np.ones(40, bool), np.zeros(40, int), ("A",))
    made = make(drawn, (Known("sex", values, {"1": 250.0, "2": 250.0}),), Settings(cap=3.0))
    report = made.report["trimming"]

    assert report["capped"] == 2
    assert made.weight.max() == pytest.approx(report["cap"])
    assert made.weight[::2].sum() == pytest.approx(250)
    assert made.report["weights"]["kish"] < made.report["weights"]["kish_base"]


def test_a_method_without_a_name_calibrates_nothing():
    made = make(DRAWN, (SEX,), Settings(method="", cap=0))

    assert "calibration" not in made.report


def test_other_totals_are_scaled_to_the_first_only_when_asked():
    area = Known("area", ("u", "r", "u", "r", "u", "r"), {"u": 8.0, "r": 12.0})

    with pytest.raises(MarginsDiffer):
        make(DRAWN, (SEX, area), Settings())
    made = make(DRAWN, (SEX, area), Settings(rescale=True, cap=0))
    assert made.weight.sum() == pytest.approx(200)


def test_what_cannot_be_weighted_is_refused():
    nobody = Drawn(BASE, np.zeros(8, bool), CELL, ("A", "B"))
    empty = Known("sex", SEX.values, {**SEX.targets, "3": 5.0})

    with pytest.raises(NoRespondents):
        make(nobody, (), Settings())
    with pytest.raises(EmptyCategory):
        make(DRAWN, (empty,), Settings())
    with pytest.raises(CapTooTight):
        make(DRAWN, (SEX,), Settings(cap=1.01))
