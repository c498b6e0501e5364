"""The figures as a table: readable by machines and by spreadsheets, never a formula."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest
import report_data

from analysis.report import REPORTS
from analysis.report.csv import safe, write


def table(source):
    file = io.StringIO(newline="")
    write(source, file)
    text = file.getvalue()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""))), text


def test_every_figure_stands_as_a_share_and_as_printed_percent():
    result = report_data.unit()
    rows, text = table(result)
    total = next(row for row in rows if row["loai"] == "chỉ số chung")

    assert len([row for row in rows if row["loai"] == "nội dung"]) == 39
    assert float(total["gia_tri"]) == result.total.value
    assert float(total["can_duoi"]) == result.total.low
    assert total["phan_tram"].endswith("%")
    assert "," in total["phan_tram"]
    assert text.count("\r\n") == len(rows) + 1


def test_a_report_writes_the_same_table_as_its_result():
    result = report_data.national()
    report = REPORTS["national"](result, on=date(2027, 2, 5))

    assert table(report) == table(result)


def test_a_rank_never_stands_without_its_range():
    rows, _ = table(report_data.national())
    ranked = [row for row in rows if row["hang"]]

    assert len(ranked) == 34
    assert all(int(r["hang_tu"]) <= int(r["hang"]) <= int(r["hang_den"]) for r in ranked)


def test_hidden_figures_leave_no_number_behind():
    result = report_data.changed(report_data.unit(), 2, flags=("hidden",), n=3)
    rows, _ = table(result)
    row = next(row for row in rows if row["ma"] == result.figures[2].id)

    assert row["phan_tram"] == "không công bố"
    assert not any(row[name] for name in ("n", "gia_tri", "can_duoi", "muc_1", "muc_5"))


def test_self_selected_answers_have_no_error_columns_filled():
    rows, _ = table(report_data.counter())

    assert not any(row["can_duoi"] or row["sai_so_chuan"] or row["bac_tu_do"] for row in rows)


def test_made_up_data_say_so_in_every_row():
    rows, _ = table(report_data.counter())
    true, _ = table(report_data.counter(synthetic=False))

    assert {row["ghi_chu"] for row in rows} == {"DỮ LIỆU MÔ PHỎNG"}
    assert {row["ghi_chu"] for row in true} == {""}


@pytest.mark.parametrize(
    "evil",
    [
        '=HYPERLINK("http://x","y")',
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "  =1+1",
        "＝1+1",
        "\u200b=1+1",
    ],
)
def test_no_text_becomes_a_formula(evil):
    result = replace(report_data.counter(), comments=(evil,))
    rows, _ = table(result)
    cell = rows[-1]["ten"]

    assert cell.startswith("'")
    assert safe(evil).startswith("'")


def test_numbers_stay_numbers_and_texts_stay_texts():
    assert safe("Tuyên Quang") == "Tuyên Quang"
    rows, _ = table(report_data.unit())
    assert not any(cell.startswith("'") for row in rows for cell in row.values())


def test_a_comment_of_several_lines_with_quotes_comes_back_whole():
    result = replace(report_data.counter(), comments=('Một "hai",\nba; bốn\x00\x1b',))
    rows, _ = table(result)

    assert rows[-1]["ten"] == 'Một "hai", ba; bốn'
