"""Questionnaires as XLSForm workbooks: out, in again, and every fault by sheet, row and column."""

import zipfile
from dataclasses import fields
from io import BytesIO

import openpyxl
import pytest

from forms import questionnaire, xlsform, xlsform_write, xlsx
from forms.questionnaire import Faulty, keys, load, localized

#: A small form as other software makes it.
SURVEY = [
    ["type", "name", "label", "required", "relevant", "constraint"],
    ["start", "start"],
    ["begin_group", "visit", "Chuyến đi"],
    ["note", "lead", "Vài câu về lần gần nhất."],
    ["select_one yn", "came", "Ông/Bà có đến không?", "yes"],
    ["select_one five", "staff", "Thái độ phục vụ thế nào?", "yes", "${came} = '1'"],
    ["select_multiple why", "why", "Vì sao?", "", "${staff} = '1' or ${staff} = '2'"],
    ["integer", "minutes", "Chờ bao nhiêu phút?", "", "", ". >= 0 and . <= 600"],
    ["text", "say", "Ý kiến khác", "", "selected(${why}, '2')", "string-length(.) <= 300"],
    ["end_group"],
]
CHOICES = [
    ["list_name", "name", "label"],
    ["yn", 1, "Có"], ["yn", 2, "Không"],
    *[["five", n, f"Mức {'rất' * n}"] for n in range(1, 6)], ["five", 9, "Không biết"],
    ["why", 1, "Xa"], ["why", 2, "Khác"],
]  # fmt: skip
SETTINGS = [["form_title", "form_id", "version"], ["Hỏi nhanh", "nhanh-2026", "1"]]


def book(**sheets):
    """A workbook as another program writes it."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in {
        "survey": SURVEY,
        "choices": CHOICES,
        "settings": SETTINGS,
        **sheets,
    }.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = BytesIO()
    made.save(file)
    file.seek(0)
    return file


def changed(rows, row, column, value):
    copy = [list(one) + [""] * (6 - len(one)) for one in rows]
    copy[row - 1][column] = value
    return copy


def faults(**sheets):
    with pytest.raises(Faulty) as caught:
        xlsform.read(book(**sheets))
    return caught.value.faults


@pytest.mark.parametrize("key", keys())
def test_every_questionnaire_of_ours_comes_back_as_it_went_out(key):
    file = BytesIO()
    xlsform_write.write(key, file)
    file.seek(0)
    found, ours = xlsform.read(file).questionnaire, load(key)

    names = {field.name for field in fields(ours)} - {"digest", "_by_id"}
    assert {name: getattr(found, name) for name in names} == {
        name: getattr(ours, name) for name in names
    }


def test_the_translation_comes_back_too(monkeypatch):
    file = BytesIO()
    xlsform_write.write("sipas-2026.1", file)
    text = file.getvalue()
    form = xlsform.read(BytesIO(text))
    held = {"sipas-2099.1": (form.text.replace("sipas-2026.1", "sipas-2099.1"), form.translations)}
    try:
        questionnaire.provide(questionnaire.Provider(lambda: tuple(held), held.get))
        mine, ours = (localized(key, "en", frozenset()) for key in ("sipas-2099.1", "sipas-2026.1"))
        assert mine.items == ours.items
        assert (mine.sections, mine.factors, mine.areas) == (
            ours.sections,
            ours.factors,
            ours.areas,
        )
        assert questionnaire.missing("sipas-2099.1", "en") == ()
        assert len(questionnaire.lineage("sipas-2099.1", "sipas-2022.1")) == 20
        assert len(questionnaire.lineage("sipas-2099.1", "sipas-2026.1")) == 20
    finally:
        questionnaire.provide(None)


def test_equal_questionnaires_are_equal_bytes():
    one, two = BytesIO(), BytesIO()
    xlsform_write.write("sipas-2026.1", one)
    xlsform_write.write("sipas-2026.1", two)
    assert one.getvalue() == two.getvalue()


def test_a_form_of_another_program_is_read():
    form = xlsform.read(book(), "nhanh.xlsx")
    q = form.questionnaire

    assert (q.key, q.title, q.short) == ("nhanh-2026.1", "Hỏi nhanh", "Hỏi nhanh")
    assert q.source == "Nhập từ tệp XLSForm nhanh.xlsx"
    assert [(item.id, item.kind) for item in q.items] == [
        ("came", "single"), ("staff", "single"), ("why", "multiple"), ("minutes", "number"),
        ("say", "text"),
    ]  # fmt: skip
    assert q.sections[0].intro == "Vài câu về lần gần nhất."
    assert q.item("staff").no_answer
    assert not q.item("came").no_answer
    assert q.item("why").when.any_of == (1, 2)
    assert (q.item("say").when.column, q.item("say").when.any_of) == ("why", (2,))
    assert (q.item("minutes").minimum, q.item("minutes").maximum) == (0, 600)
    assert q.item("say").max_length == 300


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        (5, 0, "select_one none", "Trang “survey”, dòng 5, cột “type”: trang “choices” không có"),
        (5, 0, "geopoint", "Trang “survey”, dòng 5, cột “type”: loại “geopoint” chưa hỗ trợ."),
        (5, 0, "select_one yn or_other", "cột “type”: “or_other” chưa hỗ trợ."),
        (5, 2, "", "Trang “survey”, dòng 5, cột “label”: để trống."),
        (6, 1, "came", "Trang “survey”, dòng 6, cột “name”: “came” đã dùng ở dòng 5."),
        (6, 1, "Thái độ", "Trang “survey”, dòng 6, cột “name”: “Thái độ” chỉ được gồm"),
        (6, 4, "${came} > 3", "Trang “survey”, dòng 6, cột “relevant”: chỉ hỗ trợ một câu"),
        (6, 4, "${later} = '1'", "Trang “survey”, dòng 6: Mục staff, điều kiện: không có cột"),
        (8, 5, "", "Trang “survey”, dòng 8, cột “constraint”: cần giới hạn"),
        (10, 0, "", "Trang “survey”, dòng 3, cột “type”: nhóm không có end_group."),
        (3, 4, "${came} = '1'", "Trang “survey”, dòng 3, cột “relevant”: điều kiện phải đặt ở"),
    ],
)
def test_a_fault_names_its_sheet_row_and_column(row, column, value, said):
    assert any(said in fault for fault in faults(survey=changed(SURVEY, row, column, value)))


def test_every_fault_of_a_file_is_told_at_once():
    rows = changed(changed(SURVEY, 5, 2, ""), 6, 0, "geopoint")
    found = faults(
        survey=rows, choices=[*CHOICES, ["yn", "có", "Chữ"]], settings=[["form_id"], ["X"]]
    )
    for place in ("dòng 5, cột “label”", "dòng 6, cột “type”", "“choices”, dòng 12", "“settings”"):
        assert any(place in fault for fault in found), (place, found)


def test_a_code_beyond_eight_is_refused():
    assert any(
        "“10” phải là một số từ 1 đến 8" in one
        for one in faults(choices=[*CHOICES, ["yn", 10, "x"]])
    )


@pytest.mark.parametrize("content", [b"", b"PK", b"name,label\n1,2\n", b"<html></html>"])
def test_what_is_no_workbook_is_refused(content):
    with pytest.raises(Faulty, match="không phải tệp Excel"):
        xlsform.read(BytesIO(content))


def test_a_workbook_with_a_dtd_is_refused():
    file = BytesIO()
    with zipfile.ZipFile(book()) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/workbook.xml":
                text = b'<!DOCTYPE a [<!ENTITY b "c">]>' + text
            new.writestr(name, text)
    file.seek(0)
    with pytest.raises(Faulty, match="không phải của một bảng tính"):
        xlsform.read(file)


def test_a_zip_that_swells_is_refused(monkeypatch):
    monkeypatch.setattr(xlsx, "MOST_PART", 100)
    with pytest.raises(Faulty, match="quá lớn"):
        xlsform.read(book())


def test_a_file_larger_than_any_form_is_refused(monkeypatch):
    monkeypatch.setattr(xlsx, "MOST_BYTES", 10)
    with pytest.raises(Faulty, match="lớn hơn"):
        xlsform.read(book())


def test_a_formula_in_a_label_is_written_as_text():
    cell = {"label": "=1+1"}
    assert cell["label"].startswith("=")
    file = BytesIO()
    xlsform_write.write("mot-cua-2026.1", file)
    sheet = openpyxl.load_workbook(BytesIO(file.getvalue()))["survey"]
    assert all(one.data_type in ("s", "n") for row in sheet.iter_rows() for one in row)


def test_items_claimed_twice_or_asked_otherwise_are_no_kin():
    doubled = changed(SURVEY, 1, 5, "sipas::same_as")
    for row in (5, 6):
        doubled = changed(doubled, row, 5, "sipas-2022.1:s01")
    doubled = [row if n not in (7, 8) else [*row[:5], ""] for n, row in enumerate(doubled)]
    found = faults(survey=[row for n, row in enumerate(doubled) if n not in (7, 8)])
    assert any("được ghi ở nhiều mục" in one for one in found)
    assert any("loại câu khác nhau" in one for one in found)
