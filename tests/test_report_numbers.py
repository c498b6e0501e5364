"""Numbers and dates as they are printed."""

from datetime import date

import pytest

from analysis.report import numbers as n


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1234567.89, 2, "1.234.567,89"),
        (2.675, 2, "2,68"),  # a binary float just below: half up of what is written
        (1.005, 2, "1,01"),
        (-0.004, 2, "0,00"),
        (-0.66, 2, "−0,66"),
        (36525, 0, "36.525"),
        (0, 0, "0"),
        (84.70232, 5, "84,70232"),
        (1e-7, 2, "0,00"),
        (1e15, 0, "1.000.000.000.000.000"),
    ],
)
def test_a_number_is_rounded_once_half_up_with_decimal_comma(value, decimals, text):
    assert n.num(value, decimals) == text


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_never_printed(bad):
    with pytest.raises(ValueError, match="not a number"):
        n.num(bad)


def test_a_share_becomes_percent_only_here_and_is_rounded_once():
    assert n.pct(0.83935) == "83,94%"  # not 83,93 by way of 83.93499999
    assert n.share(0.83935) == "83,94"
    assert n.pct(1.0) == "100,00%"
    assert n.pct(0.945, 0) == "95%"
    assert n.pct(None) == n.share(None) == "—"


def test_intervals_and_ranges_carry_an_en_dash():
    assert n.span(0.8287, 0.8604) == "82,87–86,04"
    assert n.span(None, 0.9) == "—"
    assert n.places(4, 31) == "4–31"
    assert n.places(1, 1) == "1"


def test_a_change_is_the_difference_of_the_rounded_values():
    assert n.signed(n.points(0.82664, 0.80076)) == "+2,58"  # unrounded: 2,588 -> 2,59
    assert n.signed(n.points(0.8266, 0.8266)) == "0,00"
    assert n.signed(-0.66) == "−0,66"


def test_dates_of_documents_pad_as_the_decree_says():
    assert n.day(date(2026, 2, 5)) == "ngày 05 tháng 02 năm 2026"
    assert n.day(date(2027, 3, 26)) == "ngày 26 tháng 3 năm 2027"
    assert n.day(date(2026, 12, 1)) == "ngày 01 tháng 12 năm 2026"
    assert n.short_day(date(2026, 2, 5)) == "05/02/2026"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "không"),
        (5, "năm"),
        (10, "mười"),
        (15, "mười lăm"),
        (21, "hai mươi mốt"),
        (24, "hai mươi tư"),
        (55, "năm mươi lăm"),
        (105, "một trăm linh năm"),
        (350, "ba trăm năm mươi"),
        (1000, "một nghìn"),
        (1005, "một nghìn không trăm linh năm"),
        (36525, "ba mươi sáu nghìn năm trăm hai mươi lăm"),
        (1_000_010, "một triệu không trăm mười"),
        (2_000_350_001, "hai tỷ ba trăm năm mươi nghìn không trăm linh một"),
    ],
)
def test_counts_in_letters(count, text):
    assert n.words(count) == text


def test_a_count_below_nothing_has_no_letters():
    with pytest.raises(ValueError, match="-1"):
        n.words(-1)
