"""What the reports say: every figure of the result, no bare rank, no doubt nobody measured."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
import report_data
from pypdf import PdfReader

from analysis.report import REPORTS, model, numbers, pdf, ranking, sections
from analysis.results import Account, Coverage, Distribution, UnitResult

ON = date(2027, 2, 5)


def built(kind, result, **more):
    return REPORTS[kind](result, on=ON, **more)


def text_of(report):
    file = io.BytesIO()
    pdf.write(report, file)
    pages = (page.extract_text() for page in PdfReader(file).pages)
    return " ".join(" ".join(pages).split())


def blocks(report, kind):
    return [block for block in report.blocks if isinstance(block, kind)]


def words_of(report):
    """Running text of the body as it was built."""
    return " ".join(block.text for block in blocks(report, model.Paragraph))


def test_the_summary_gives_estimate_interval_best_and_worst_factor():
    result = report_data.unit()
    said = words_of(built("unit", result))
    factors = sorted(result.of("factor"), key=lambda f: f.value)

    assert (
        f"đạt {numbers.pct(result.total.value)} (khoảng tin cậy 95%: "
        f"{numbers.span(result.total.low, result.total.high)})"
    ) in said
    for factor in (factors[0], factors[-1]):
        assert f"“{factor.name}”: {numbers.pct(factor.value)}" in said
    assert "Giới hạn khi sử dụng" in said
    assert "so với năm" not in said  # no earlier wave: nothing about change


def test_every_figure_of_the_result_is_printed():
    result = report_data.unit()
    text = text_of(built("unit", result))

    for figure in result.figures:
        assert numbers.share(figure.value) in text, figure.id
        assert numbers.span(figure.low, figure.high) in text, figure.id
    for account in result.accounts:
        assert numbers.num(account.issued, 0) in text
    assert "cỡ mẫu hiệu dụng" in text
    assert "top2" in text


def test_the_country_is_ranked_with_ranges_and_never_barely():
    result = report_data.national()
    report = built("national", result)
    [chart] = [b for b in blocks(report, model.DotChart) if len(b.dots) == 34]
    league = next(b for b in blocks(report, model.Table) if b.columns[0].head == "Hạng")

    assert league.columns[1].head == "Khoảng\nhạng"
    assert len(league.rows) == 34
    for dot, row, unit in zip(chart.dots, league.rows, result.units, strict=True):
        assert dot.end == row.cells[1] == numbers.places(unit.rank_low, unit.rank_high)
        assert dot.place == row.cells[0] == str(unit.rank)
        assert row.cells[4] == numbers.share(unit.total.value)
    assert "chưa đủ căn cứ để kết luận hơn, kém" in words_of(report)


def test_a_unit_without_a_rank_prints_dashes():
    result = report_data.national()
    lost = replace(result.units[-1], rank=None, rank_low=None, rank_high=None, region_rank=None)
    result = replace(result, units=(*result.units[:-1], lost))
    league = ranking.league(result, "Tỉnh")

    assert league.rows[-1].cells[:2] == ("—", "—")
    assert league.rows[-1].cells[-1] == "—"
    assert text_of(built("national", result))


def test_communes_are_not_called_provinces():
    result = report_data.national()
    units = tuple(replace(u, unit=f"vn34:{i:05d}") for i, u in enumerate(result.units, 1))
    report = built("national", replace(result, units=units, scope_name="tỉnh Tuyên Quang"))
    headings = [block.text for block in blocks(report, model.Heading)]

    assert "IV. SO SÁNH CÁC ĐƠN VỊ" in headings


def test_a_wave_of_one_place_gets_the_report_of_a_unit():
    report = built("national", replace(report_data.national(), units=()))

    assert any(block.text == "I. TÓM TẮT KẾT QUẢ" for block in blocks(report, model.Heading))


def test_self_selected_answers_get_counts_coverage_bounds_and_no_interval():
    result = report_data.counter()
    said = words_of(built("counter", result))
    text = text_of(built("counter", result))

    assert "không có sai số chọn mẫu và không có khoảng tin cậy" in said
    assert f"mức độ bao phủ {numbers.pct(result.coverage.rate, 1)}" in said
    assert numbers.pct(result.coverage.low, 1) in said
    assert numbers.pct(result.coverage.high, 1) in said
    assert "95%" not in text
    assert "±" not in text
    assert not blocks(built("counter", result), model.DotChart)


@pytest.mark.parametrize("name", ["unit", "national", "counter"])
def test_a_self_selected_wave_gets_the_counter_report_under_every_name(name):
    assert built(name, report_data.counter()) == built("counter", report_data.counter())


def test_a_sample_is_never_printed_without_its_doubt():
    with pytest.raises(ValueError, match="self-selected"):
        built("counter", report_data.unit())


def test_without_settled_dossiers_nothing_is_said_about_coverage():
    result = replace(report_data.counter(), coverage=Coverage(412, None, None, None, None))
    said = words_of(built("counter", result))

    assert "Chưa có số hồ sơ đã giải quyết" in said
    assert "nằm trong khoảng từ" not in said


def test_few_and_hidden_figures_are_marked_as_such():
    result = report_data.changed(report_data.unit(), 2, flags=("few",), n=27)
    result = report_data.changed(
        result, 3, flags=("hidden",), n=0, value=None, shares=None, low=None, high=None, deff=None
    )
    table = sections.item_table(result)
    few, hidden = (
        next(row for row in table.rows if row.cells[0] == result.figures[i].number) for i in (2, 3)
    )

    assert few.cells[2] == "27 ○"
    assert hidden.cells[2:] == ("—", "—", "không công bố", "—")
    assert "○: dưới 30 phiếu" in table.note
    assert "“không công bố”: dưới 5 phiếu" in table.note
    text = text_of(built("unit", result))
    assert "27 ○" in text
    assert "không công bố" in text


def test_a_hidden_factor_keeps_its_line_in_every_chart():
    result = report_data.unit()
    place = next(i for i, f in enumerate(result.figures) if f.kind == "factor")
    result = report_data.changed(
        result, place, flags=("hidden",), n=0, value=None, shares=None, low=None, high=None
    )
    report = built("unit", result)
    dots, bars = blocks(report, model.DotChart)[0].dots, blocks(report, model.LevelBars)[0].bars

    assert dots[1].value is None
    assert any(bar.shares is None for bar in bars)
    assert text_of(report).count("không công bố") >= 2


def test_a_complete_count_has_no_interval_but_says_so():
    result = report_data.changed(report_data.unit(), -1, flags=("census",), low=None, high=None)

    assert sections.interval(result.total) == "toàn bộ"
    assert text_of(built("unit", result))


def test_the_method_box_names_every_choice_of_the_wave():
    for index, name in (("top2", "Rất hài lòng"), ("scaled", "chia 4"), ("mean5", "chia 5")):
        result = report_data.unit(index=index, aggregate="pooled", base="experienced", level=0.9)
        [box] = blocks(built("unit", result), model.MethodBox)
        rows = {key: "".join(run.text for run in value) for key, value in box.rows}

        assert name in rows["Chỉ số"]
        assert index in rows["Chỉ số"]
        assert "pooled" in rows["Chỉ số"]
        assert "đã trực tiếp sử dụng" in rows["Cơ sở tính"]
        assert "Khoảng tin cậy 90%" in rows
        assert "1.137 người" in rows["Mẫu"]
        assert "lựa chọn của đợt khảo sát" in rows["Lựa chọn"]


def test_only_top2_is_called_the_right_arm_of_the_bars():
    top2 = blocks(built("unit", report_data.unit()), model.LevelBars)[0].note
    scaled = blocks(built("unit", report_data.unit(index="scaled")), model.LevelBars)[0].note

    assert "(chỉ số)" in top2
    assert "không phải là chỉ số" in scaled


def test_nine_criteria_of_three_points_are_printed_with_their_points():
    result = report_data.counter(key="nd61-2018.1", index="scaled")
    report = built("counter", result)

    assert blocks(report, model.LevelBars)[0].levels == ("0 điểm", "1 điểm", "2 điểm")
    assert "0, 1 hoặc 2 điểm" in text_of(report)


def test_needs_and_judgements_are_said_in_words():
    said = words_of(built("unit", report_data.unit()))

    assert "Các nội dung có nhiều người dân “rất mong muốn” cải thiện nhất: " in said
    assert "Tình trạng công chức gây phiền hà, sách nhiễu: “không có công chức" in said


def test_a_unit_among_others_is_placed_with_range_and_verdict():
    result = report_data.unit()
    others = report_data.national().units[:8]
    own = replace(others[3], unit=result.scope, name="Tuyên Quang")
    result = replace(result, peers=(*others[:3], own, *others[4:]), peers_name="cả nước")
    said = words_of(built("unit", result))
    place = f"Tuyên Quang xếp hạng 4, trong khoảng {ranking.rank_range(own)}, trên 8 tỉnh"

    assert place in said
    assert "mức chung cả nước" in said
    assert "ý nghĩa thống kê" in said


@pytest.mark.parametrize(
    "evil",
    [
        '<img src="/etc/passwd"/>',
        "<para><font color=red>x</font>",
        "5 < 6 && 7 > 2",
        "&lt;b&gt; &#0; &unknown;",
        "</para>",
        "\x00\x01\x1b[31m",
        "W" * 200_000,
        "ư" * 200_000,
        "a " * 100_000,
        "\u202egnaht\u202c \ud83d\ude00",
        "👩‍👩‍👧‍👦 🇻🇳",
        "=cmd|' /C calc'!A0",
    ],
    ids=lambda text: text[:16].encode("ascii", "backslashreplace").decode(),
)
def test_comments_are_printed_as_text_and_nothing_else(evil):
    result = replace(report_data.counter(), comments=(evil, "bình thường"))
    start = time.process_time()
    text = text_of(built("counter", result))

    assert time.process_time() - start < 3
    assert "bình thường" in text
    assert "root:" not in text
    if evil.startswith(("<", "5", "&")) and len(evil) < 50:
        assert evil in text


def test_names_from_the_database_are_text_too():
    evil = '<b>x</b> <img src="/etc/passwd"/> & ' + "A" * 500
    result = report_data.national(owner_name=evil, place=evil[:30], name=evil)
    units = (replace(result.units[0], name=evil), *result.units[1:])
    accounts = (Account(evil, 1, 1, 1), Account("Tổng", 1, 1, 1))

    assert "<b>x</b>" in text_of(
        built("national", replace(result, units=units, accounts=accounts, scope_name=evil))
    )


def test_many_comments_are_cut_and_counted():
    result = replace(report_data.counter(), comments=tuple(f"ý kiến {n}" for n in range(1000)))
    text = text_of(built("counter", result))

    assert "Có 1.000 ý kiến bằng lời; in 100 ý kiến đầu" in text
    assert "ý kiến 99" in text
    assert "ý kiến 101" not in text


def test_equal_comments_are_printed_once_with_their_count():
    result = replace(report_data.counter(), comments=("Tốt.", "Chậm.", "Tốt."))
    text = text_of(built("counter", result))

    assert "Có 3 ý kiến bằng lời" in text
    assert "– Tốt. (2 ý kiến)" in text
    assert text.count("Tốt.") == 1


def test_an_item_that_is_its_factor_is_not_said_twice():
    result = report_data.counter()
    alone = replace(result.of("item")[-1], id="m_all", number="Câu 6", name="Nhìn chung", parent="")
    others = (Distribution("m_all", "Câu 6", "Nhìn chung", 412, ()),)
    result = replace(result, figures=(*result.figures[:-1], alone, result.total), others=others)
    report = built("counter", result)
    table = next(b for b in blocks(report, model.Table) if b.columns[0].head == "TT")

    assert [row.cells[0] for row in table.rows] == ["A", "B", "C", "D", "E", "", "6"]
    assert [row.weight for row in table.rows] == ["plain"] * 5 + ["sum", "plain"]
    assert "không tính vào chỉ số chung" in table.note
    assert not blocks(report, model.Annex)


def test_provinces_are_named_as_the_ministry_prints_them():
    unit = report_data.national().units[0]

    def name(id, text):
        return ranking.named(replace(unit, unit=id, name=text))

    assert name("vn34:79", "thành phố Hồ Chí Minh") == "TP. Hồ Chí Minh"
    assert name("vn34:08", "tỉnh Tuyên Quang") == "Tuyên Quang"
    assert name("vn34:01234", "phường Tùng Thiện") == "Phường Tùng Thiện"


def test_two_threads_print_the_same_pages():
    reports = [built("unit", report_data.unit()), built("counter", report_data.counter())] * 3
    files = [io.BytesIO() for _ in reports]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(pdf.write, reports, files))

    assert len({file.getvalue() for file in files}) == 2


def test_a_result_without_answers_still_prints():
    result = report_data.unit()
    empty = tuple(
        replace(
            f, n=0, value=None, shares=None, low=None, high=None, deff=None, flags=("no_answer",)
        )
        for f in result.figures
    )
    bare = replace(result, figures=empty, accounts=(), channels={}, others=(), design=None)

    assert "chưa có phiếu" in text_of(built("unit", bare))


def test_hundreds_of_units_go_on_over_pages():
    unit = report_data.national().units[0]
    many = tuple(
        UnitResult(f"vn34:{n:05d}", f"Xã số {n}", "", unit.figures, n, max(1, n - 9), n + 9)
        for n in range(1, 181)
    )
    report = built("unit", replace(report_data.unit(), units=many))
    text = text_of(report)

    assert "(tiếp theo)" in text
    assert "Xã số 180" in text


def test_a_long_account_of_forms_becomes_an_annex():
    accounts = tuple(Account(f"Xã {n}", 30, 29, 28) for n in range(40))
    result = replace(
        report_data.unit(), accounts=(*accounts, Account("Tổng cộng", 1200, 1160, 1120))
    )
    report = built("unit", result)

    assert any("KẾT QUẢ PHÁT" in annex.lines[0] for annex in blocks(report, model.Annex))
    assert "1.200" in words_of(report)


def test_equal_results_make_equal_reports():
    assert built("national", report_data.national()) == built("national", report_data.national())
