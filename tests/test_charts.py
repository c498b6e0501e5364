"""Charts: every mark lies where its figure says, and nothing is drawn that is not known."""

from __future__ import annotations

import re

import pytest

from analysis.results import Figure
from survey.board import charts


def figure(value, low=None, high=None, flags=(), n=100):
    return Figure("factor", "II.C", "II.C", "Công chức", n, value, None, low, high, flags=flags)


def numbers(svg, attribute):
    return [float(x) for x in re.findall(rf'{attribute}="([\d.]+)%"', svg)]


def test_the_axis_holds_every_interval_and_says_that_it_is_cut():
    scale = charts.axis([figure(0.865, 0.841, 0.889), figure(0.83, 0.772, 0.892)])

    assert (scale.low, scale.high, scale.cut) == (75, 90, True)
    assert scale.ticks[0] == 75
    assert scale.ticks[-1] == 90


def test_an_axis_is_never_narrower_than_ten_points():
    scale = charts.axis([figure(0.865, 0.861, 0.869)])

    assert scale.high - scale.low == 10
    assert scale.low <= 86 < 87 <= scale.high


def test_a_wide_spread_gets_the_whole_axis():
    scale = charts.axis([figure(0.1), figure(0.9)])

    assert (scale.low, scale.high, scale.cut) == (0, 100, False)


@pytest.mark.parametrize("value", [0.0, 0.001, 0.05, 0.5, 0.95, 0.999, 1.0])
def test_no_value_falls_off_its_axis(value):
    scale = charts.axis([figure(value)])

    assert scale.low <= 100 * value <= scale.high


def test_nothing_known_still_has_an_axis():
    assert not charts.axis([figure(None)]).cut


def test_dot_and_interval_lie_in_proportion():
    scale = charts.Axis(70, 100, (70, 80, 90, 100))
    svg = charts.interval(figure(0.85, 0.82, 0.88), scale, 0.865)

    assert numbers(svg, "cx") == [50.0]
    assert '<line class="ci" x1="40.00%" x2="60.00%"' in svg
    assert '<line class="mean" x1="55.00%"' in svg


def test_an_interval_beyond_the_axis_is_cut_at_its_end():
    svg = charts.interval(figure(0.75, 0.5, 0.8), charts.Axis(70, 100, (70, 100)))

    assert 'x1="0.00%" x2="33.33%"' in svg


def test_self_selected_answers_get_a_dot_and_no_interval():
    svg = charts.interval(figure(0.9), charts.Axis(0, 100, (0, 100)))

    assert "dot" in svg
    assert 'class="ci"' not in svg


def test_few_answers_make_a_hollow_dot():
    scale = charts.Axis(0, 100, (0, 100))

    assert 'class="dot few"' in charts.interval(figure(0.9, flags=("few",), n=27), scale)


def test_a_hidden_figure_leaves_no_mark():
    svg = charts.interval(figure(None, flags=("hidden",), n=3), charts.Axis(0, 100, (0, 100)))

    assert "circle" not in svg
    assert 'class="ci"' not in svg


def test_a_bar_fills_its_cell_and_labels_only_wide_parts():
    svg = charts.bar((0.011, 0.03, 0.126, 0.531, 0.302))

    assert sum(numbers(svg, "width")) == pytest.approx(100, abs=0.05)
    assert re.findall(r">(\d+)</text>", svg) == ["13", "53", "30"]
    assert svg.count('class="lite"') == 1


def test_a_part_nobody_chose_is_not_drawn():
    assert charts.bar((0, 0, 0, 0.5, 0.5)).count("<rect") == 2


def test_ranks_run_from_one_to_the_number_of_units():
    scale = charts.rank_axis(34)
    svg = charts.rank(12, 3, 26, scale)

    assert scale.ticks == (1, 12, 23, 34)
    assert numbers(svg, "cx") == [33.33]
    assert 'x1="6.06%" x2="75.76%"' in svg


def test_the_worst_case_band_spans_its_bounds():
    svg = charts.bounds(0.612, 0.938, 0.908)

    assert 'x="61.20%" width="32.60%"' in svg


def test_no_chart_carries_a_style_attribute_or_speaks_to_a_screen_reader():
    scale = charts.rank_axis(3)
    drawn = [charts.bar((0.2,) * 5), charts.rank(1, 1, 2, scale), charts.ticks(scale)]

    assert all("style" not in svg and 'aria-hidden="true"' in svg for svg in drawn)
