"""Trends, changes, ranks and points as they are printed: no bare rank, nothing across a break."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import report_data
from pypdf import PdfReader

from analysis import annual
from analysis.annual import Annual, Place, Unit
from analysis.compare import Difference
from analysis.report import annual as yearly
from analysis.report import forms, league, marks, model, moved, numbers, pdf, provinces
from analysis.trend import Break, Point, trend

ON = date(2027, 2, 5)


def text_of(report):
    file = io.BytesIO()
    pdf.write(report, file)
    pages = (page.extract_text() for page in PdfReader(file).pages)
    return " ".join(" ".join(pages).split())


def difference(value, mark=0, **more):
    facts = {
        "kind": "total", "id": "total", "value": value, "published": round(value, 4), "se": 0.01,
        "low": value - 0.02, "high": value + 0.02, "t": 1.0, "df": 30, "p_value": 0.1,
        "correlation": 0.4, "mark": mark, "flags": (),
    }  # fmt: skip
    return Difference(**(facts | more))


def units(result, **more):
    """Units of a made-up national result with places in the country and one region."""
    found = []
    for u in result.units:
        places = (
            Place("", "", "all", u.rank, u.rank_low, u.rank_high, len(result.units)),
            Place("r", "Bắc Trung Bộ", "region", 2, 1, 4, 5),
        )
        found.append(
            Unit(u.unit, u.name, u.region, u.figures, result.others, {"total": u.differs},
                 places, difference(0.0258, 1), -5)
        )  # fmt: skip
    return tuple(found)


@pytest.fixture(scope="module")
def national():
    return report_data.national()


@pytest.fixture(scope="module")
def whole(national):
    points = [
        Point(2021, "2021", 0.8716, source="Bộ Nội vụ"),
        Point(2022, "2022", 0.8008, source="Bộ Nội vụ"),
        Point(2025, "2025", 0.83, 0.82, 0.84, 30_000, wave="sipas-2025"),
        Point(2026, "2026", 0.84, 0.83, 0.85, 36_000, wave="sipas-2026"),
    ]
    return Annual(
        units=units(national),
        trend=trend(points, [Break(2022, "Khảo sát người dân nói chung")]),
        earlier="năm 2025",
    )


def test_a_rank_and_a_change_are_told_in_the_published_style(whole):
    told = league.told(whole.units[0], "năm 2025")

    assert "tăng 2,58 điểm (thay đổi có ý nghĩa thống kê) so với năm 2025" in told
    assert "giảm 5 bậc" in told
    place = whole.units[0].places[0]
    assert f"hạng {place.rank} trong khoảng {numbers.places(place.low, place.high)}" in told


def test_a_change_that_does_not_hold_is_said_so():
    assert moved.told(difference(-0.0066)) == "giảm 0,66 điểm (thay đổi chưa có ý nghĩa thống kê)"
    assert moved.told(None) == ""
    assert moved.told(difference(0.0)) == "không đổi"
    assert (moved.places(16), moved.places(-5), moved.places(0), moved.places(None)) == (
        "tăng 16 bậc", "giảm 5 bậc", "giữ nguyên bậc", "",
    )  # fmt: skip


def test_no_rank_is_printed_without_its_range(national, whole):
    report = league.build(national, whole, on=ON)
    tables = [
        b for b in report.blocks if isinstance(b, model.Table) and b.columns[0].head == "Hạng"
    ]

    assert len(tables) == 2
    for table in tables:
        assert table.columns[1].head == "Khoảng\nhạng"
        assert all(row.cells[1] != "—" for row in table.rows)
    said = provinces.place_sentence(whole.units[0].places)
    assert said.count("khoảng") == said.count("hạng ") == 2


def test_the_break_is_drawn_and_said_and_no_change_crosses_it(national, whole):
    report = yearly.build(national, whole, on=ON)
    text = text_of(report)

    assert "đổi phương pháp" in text
    assert "không có số liệu" in text  # 2023 and 2024 keep their places
    assert "Phương pháp đo thay đổi từ năm 2022" in text
    [chart] = [b for b in report.blocks if isinstance(b, model.TrendChart)]
    assert [b[0] for b in chart.breaks] == ["2022"]
    assert [p.ours for p in chart.points if p.value is not None] == [False, False, True, True]


def test_three_families_stand_side_by_side(national, whole):
    headings = [b.text for b in yearly.build(national, whole, on=ON).blocks
                if isinstance(b, model.Heading) and b.level == 1]  # fmt: skip

    assert headings[2:5] == [
        "III. NHẬN ĐỊNH CỦA NGƯỜI DÂN", "IV. MỨC ĐỘ HÀI LÒNG", "V. NHU CẦU, MONG ĐỢI",
    ]  # fmt: skip


def test_every_unit_has_a_section_and_its_figures_are_printed(national, whole):
    text = text_of(yearly.build(national, whole, on=ON))

    for unit in whole.units:
        assert numbers.pct(unit.total.value) in text
    assert text.count("Nhận định về công chức:") == len(whole.units)


def test_a_hidden_unit_says_nothing_but_that(national, whole):
    from analysis import publish

    lost = replace(
        whole.units[0], figures=tuple(map(publish.hidden, whole.units[0].figures)), others=(),
        places=(), change=None,
    )  # fmt: skip
    [said] = provinces.section(national, lost, "năm 2025")

    assert "chưa đủ để công bố" in said.text
    assert league.told(lost, "năm 2025") == "không công bố."
    assert yearly.build(national, replace(whole, units=(lost, *whole.units[1:])), on=ON)


@pytest.mark.parametrize(
    ("index", "points"), [(0.8, "6.5"), (0.7999999, "2"), (0.9, "10"), (0.59, "0")]
)
def test_an_edge_that_is_reached_exactly_earns_its_points(index, points):
    steps = ((Decimal("0.6"), Decimal(2)), (Decimal("0.8"), Decimal("6.5")),
             (Decimal("0.9"), Decimal(10)))  # fmt: skip
    rule = marks.Rule(Decimal(10), steps, "QĐ")

    assert rule.points()(index) == Decimal(points)


def test_points_in_proportion_are_rounded_once():
    assert marks.Rule(Decimal(10)).points()(0.9117) == Decimal("9.12")


def test_the_range_of_points_is_that_of_the_interval(national, whole):
    report = marks.build(national, whole, marks.Rule(Decimal(10)), on=ON)
    table = next(b for b in report.blocks if isinstance(b, model.Table))
    unit, row = whole.units[0], table.rows[0]
    low, high = (marks.Rule(Decimal(10)).points()(end) for end in (unit.total.low, unit.total.high))

    assert row.cells[5] == f"{numbers.num(float(low))}–{numbers.num(float(high))}"
    assert "9,12 điểm" in text_of(report)


def test_the_account_of_forms_has_its_rates_and_outcomes(national):
    taken = [
        forms.Taken("Xã A", 100, 70, 5, 0.7, 0.72, {"complete": 70, "refused": 30}),
        forms.Taken("Tổng cộng", 100, 70, 5, 0.7, 0.72, {"complete": 70, "refused": 30}),
    ]
    text = text_of(forms.build(national, (), taken, on=ON))

    assert "Từ chối 30 30,00%" in text
    assert "AAPOR 1 đạt 70,00%" in text
    for account in national.accounts:
        assert numbers.num(account.issued, 0) in text


def test_equal_facts_make_equal_bytes(national, whole):
    one, other = io.BytesIO(), io.BytesIO()
    for file in (one, other):
        pdf.write(yearly.build(national, whole, on=ON), file)

    assert one.getvalue() == other.getvalue()


def test_a_plane_is_drawn_with_its_quarters_and_its_key():
    spots = tuple(
        model.Spot(str(n), f"Yếu tố {n}", 0.1 * n, 0.7 + 0.02 * n, (0.05 * n, 0.15 * n))
        for n in range(1, 6)
    )
    chart = model.Scatter("Hình 1. Mặt phẳng", "Quan trọng", "Hài lòng", spots, 0.2, 0.8,
                          ("A", "B", "C", "D"))  # fmt: skip
    report = model.Report("t", "a", (chart,), synthetic=False, created=ON)
    text = text_of(report)

    for word in ("Quan trọng (%)", "Hài lòng (%)", "Yếu tố 5", "Hình 1. Mặt phẳng"):
        assert word in text


def test_a_unit_without_error_is_never_ranked(national):
    total = national.units[0].total

    assert annual.rankable(total)
    assert not annual.rankable(replace(total, se=None))
    assert not annual.rankable(replace(total, flags=("few",)))
