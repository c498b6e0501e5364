"""One report in five formats: the same figures, the same bytes each time, nothing smuggled in."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import docx
import html_checks
import openpyxl
import pdfplumber
import pytest
import report_data

from analysis.report import REPORTS, beside, csv, model, writers
from analysis.report.numbers import share, span
from analysis.report.pens import pictures
from analysis.report.xlsx import parsed

ON = date(2027, 2, 5)
EVIL = '=HYPERLINK("http://x","y") <script>alert(1)</script> & ]]> \x00\x1b \u202e {{7*7}}'
FORMATS = ("pdf", "docx", "xlsx", "csv", "html")


def report(name, **changes):
    return REPORTS[name](getattr(report_data, name)(**changes), on=ON)


def written(made, form, folder):
    path = Path(folder) / f"a.{form}"
    writers.write(made, form, path)
    return path.read_bytes()


def words(data, form):
    """Everything a file says, by a program that is not ours."""
    if form == "pdf":
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            return "\n".join(page.extract_text() for page in pdf.pages)
    if form == "docx":
        found = docx.Document(io.BytesIO(data))
        cells = [c.text for table in found.tables for row in table.rows for c in row.cells]
        return "\n".join([p.text for p in found.paragraphs] + cells)
    if form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(data))
        rows = [row for sheet in book for row in sheet.iter_rows(values_only=True)]
        return "\n".join(str(cell) for row in rows for cell in row if cell is not None)
    return data.decode("utf-8-sig")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["national", "unit", "counter"])
def test_equal_reports_give_equal_bytes(name, form, tmp_path):
    assert written(report(name), form, tmp_path) == written(report(name), form, tmp_path)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_that_data_are_made_up(form, tmp_path):
    def whole(made):
        data = written(made, form, tmp_path)
        if form != "docx":
            return words(data, form)
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            return parts.read("word/footer1.xml").decode()

    assert "DỮ LIỆU MÔ PHỎNG" in whole(report("counter"))
    assert "DỮ LIỆU MÔ PHỎNG" not in whole(report("counter", synthetic=False))


@pytest.mark.parametrize("form", ["pdf", "docx", "html"])
@pytest.mark.parametrize("name", ["national", "unit"])
def test_printed_figures_are_those_of_the_result(name, form, tmp_path):
    made = report(name)
    text = words(written(made, form, tmp_path), form)

    for figure in made.source.of("area", "factor", "total"):
        assert share(figure.value) in text, figure.id
        assert span(figure.low, figure.high) in text, figure.id


def test_a_workbook_has_real_numbers_and_all_digits(tmp_path):
    made = report("national")
    book = openpyxl.load_workbook(io.BytesIO(written(made, "xlsx", tmp_path)))
    table = book["Bảng 2"]
    rows = {row[1]: row for row in table.iter_rows(min_row=4, values_only=True) if row[1]}
    total = made.source.total
    assert rows["Chỉ số hài lòng chung"][3] == pytest.approx(round(total.value * 100, 2), abs=0.006)
    assert rows["Chỉ số hài lòng chung"][2] == total.n

    figures = book["Số liệu"]
    head = [cell.value for cell in figures[2]]
    assert tuple(head) == csv.COLUMNS
    lines = [dict(zip(head, row, strict=True)) for row in figures.iter_rows(3, values_only=True)]
    found = next(line for line in lines if line["ma"] == "total")
    assert found["gia_tri"] == total.value
    assert found["can_duoi"] == total.low


@pytest.mark.parametrize(
    ("text", "number", "shape"),
    [
        ("84,52", 84.52, "#,##0.00"),
        ("1.234", 1234, "#,##0"),
        ("1.234.567,8", 1234567.8, "#,##0.0"),
        ("83,94%", 0.8394, "0.00%"),
        ("\u22120,66", -0.66, "#,##0.00"),
        ("+1,28", 1.28, "+#,##0.00;\u2212#,##0.00;#,##0.00"),
        ("27 ○", 27, '#,##0" ○"'),
        ("0", 0, "#,##0"),
    ],
)
def test_a_printed_number_is_a_number_again(text, number, shape):
    assert parsed(text) == (pytest.approx(number), shape)


@pytest.mark.parametrize("text", ["—", "01", "II", "4–31", "12.34", "", "1,2,3", "05/02/2026", "≈"])
def test_what_is_no_number_stays_a_text(text):
    assert parsed(text) is None


def page_faults(text):
    """A file that is handed on carries its own style: it has no server to load it from."""
    return [fault for fault in html_checks.faults(text) if "style" not in fault]


def charts(made):
    kinds = model.DotChart | model.LevelBars | model.ShareBars
    return [block for block in made.blocks if isinstance(block, kinds)]


def evil():
    """A report full of what people with bad intentions write."""
    made = report("counter")
    columns = (model.Column(EVIL, 80), model.Column("n", 30, "right"))
    table = model.Table(columns, (model.Row((EVIL, EVIL)),), caption=EVIL, note=EVIL, unit=EVIL)
    dots = model.DotChart(
        EVIL, ("", EVIL, "", "", ""), (model.Dot(EVIL, 0.5, 0.4, 0.6, end=EVIL),), 0.5, EVIL
    )
    bars = model.ShareBars(EVIL, ((EVIL, 0.5),), EVIL)
    blocks = (
        model.Heading(EVIL), model.body(EVIL), model.Paragraph(model.runs(EVIL), "voice"), table,
        dots, bars, model.MethodBox(((EVIL, model.runs(EVIL)),)), model.Annex("I", (EVIL,), EVIL),
    )  # fmt: skip
    sheet = model.Sheet(EVIL, (EVIL,), ((EVIL,), (None,), (1.5,), (ON,)))
    return replace(made, title=EVIL, blocks=made.blocks + blocks, source=None, sheets=(sheet,))


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_citizen_writes_stays_a_text(form, tmp_path):
    data = written(evil(), form, tmp_path)
    text = words(data, form)

    assert "\x1b" not in text
    assert "HYPERLINK" in text
    if form == "html":
        assert "<script" not in text
        assert page_faults(text) == []
    if form == "docx":
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            for name in parts.namelist():
                if name.endswith((".xml", ".rels")):
                    ElementTree.fromstring(parts.read(name))
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            sheets = [parts.read(n).decode() for n in parts.namelist() if "worksheets/" in n]
        assert not any("<f>" in sheet or "r:id" in sheet for sheet in sheets)  # links lead inside
    if form == "csv":
        assert "\n=" not in text
        assert "'=HYPERLINK" in text


def test_a_page_for_browsers_is_whole_in_itself(tmp_path):
    made = report("national")
    text = words(written(made, "html", tmp_path), "html")

    assert page_faults(text) == []
    assert not re.search(r"(src|href)=", text)
    assert text.count("<figure") == text.count("<details>") == len(charts(made))
    assert text.count('<th scope="col"') > 20
    assert 'lang="vi"' in text


def test_a_word_file_has_real_headings_and_heads_that_come_again(tmp_path):
    made = report("national")
    found = docx.Document(io.BytesIO(written(made, "docx", tmp_path)))
    heads = [p.text for p in found.paragraphs if p.style.name.lower().startswith("heading")]

    assert heads == [b.text for b in made.blocks if isinstance(b, model.Heading)]
    assert found.core_properties.created.date() == ON
    tables = [t for t in found.tables if len(t.columns) > 2]
    assert len(tables) == sum(isinstance(b, model.Table) for b in made.blocks)
    assert all("w:tblHeader" in t.rows[0]._tr.xml for t in tables)
    page = found.sections[0]
    assert round(page.left_margin.mm) == 30
    assert round(page.right_margin.mm) == 15
    assert round(page.page_width.mm) == 210


def test_charts_of_a_word_file_are_drawings_with_words_beside(tmp_path):
    made = report("national")
    data = written(made, "docx", tmp_path)
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        images = [parts.read(n) for n in parts.namelist() if n.endswith(".emf")]
        text = parts.read("word/document.xml").decode()

    assert len(images) == text.count("<w:drawing>") == len(charts(made))
    assert all(image[40:44] == b" EMF" for image in images)
    assert all(int.from_bytes(image[48:52], "little") == len(image) for image in images)
    assert 'descr="Hình 1.' in text


def wide():
    made = report("unit")
    columns = tuple(model.Column(f"C{n}", 25, "right") for n in range(10))
    table = model.Table(columns, (model.Row(("1",) * 10),) * 3)
    turned = (model.Turn(True), table, model.Turn(False), model.body("Đứng."))
    return replace(made, blocks=made.blocks + turned)


def test_pages_turn_in_print_and_in_word(tmp_path):
    made = wide()
    with pdfplumber.open(io.BytesIO(written(made, "pdf", tmp_path))) as pdf:
        lying = [page.width > page.height for page in pdf.pages]
        assert lying[-2:] == [True, False]
        assert not any(lying[:-2])
        last = pdf.pages[-2].extract_words()
        assert all(0 < word["x0"] < word["x1"] < 842 for word in last)
    found = docx.Document(io.BytesIO(written(made, "docx", tmp_path)))
    assert [s.page_width > s.page_height for s in found.sections][-2:] == [True, False]


def test_a_row_taller_than_a_page_is_cut_and_the_table_goes_on(tmp_path):
    made = report("unit")
    columns = (model.Column("A", 12), model.Column("B", 150))
    rows = tuple(model.Row(("rất dài " * 70, str(n))) for n in range(4))
    made = replace(made, blocks=(*made.blocks, model.Table(columns, rows, "Bảng. Cao")))
    text = words(written(made, "pdf", tmp_path), "pdf")

    assert "…" in text


@pytest.mark.parametrize("name", ["national", "unit", "counter"])
def test_the_table_beside_a_chart_has_all_of_its_figures(name):
    charts = [b for b in report(name).blocks if isinstance(b, model.DotChart | model.LevelBars)]
    for chart in charts:
        rows = beside.table(chart).rows
        text = " ".join(cell for row in rows for cell in row.cells)
        parts = chart.dots if isinstance(chart, model.DotChart) else chart.bars
        assert len(rows) >= len(parts)
        for part in parts:
            assert part.label in text
            shares = [part.value] if isinstance(part, model.Dot) else part.shares or ()
            assert all(share(value) in text for value in shares if value is not None)


def test_drawings_of_a_chart_keep_every_label():
    chart = next(b for b in report("national").blocks if isinstance(b, model.DotChart))
    said = " ".join(m.text for p in pictures(chart) for m in p.marks if hasattr(m, "text"))

    assert all(share(dot.value) in said for dot in chart.dots if dot.value is not None)
