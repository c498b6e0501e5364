"""The printed page measured against Nghị định 30/2020/NĐ-CP, annex I, in millimetres."""

import io
import unicodedata
from datetime import date

import pdfplumber
import pytest
import report_data
from pypdf import PdfReader

from analysis.report import REPORTS, pdf

MM = 72 / 25.4
MIDDLE = 30 + 165 / 2  # of the text, from the paper's edge


def printed(kind, result, on=date(2027, 2, 5), number="05"):
    file = io.BytesIO()
    pages = pdf.write(REPORTS[kind](result, on=on, number=number), file)
    file.seek(0)
    return file, pages


@pytest.fixture(scope="module")
def files():
    made = {
        "unit": printed("unit", report_data.unit()),
        "national": printed("national", report_data.national(), date(2027, 3, 26)),
        "counter": printed("counter", report_data.counter()),
    }
    return {name: file.getvalue() for name, (file, _) in made.items()}


@pytest.fixture(scope="module")
def pages(files):
    """Lines of text of every page, without the stamp, by report."""
    out = {}
    for name, data in files.items():
        with pdfplumber.open(io.BytesIO(data)) as file:
            out[name] = [(lines_of(page), rules_of(page)) for page in file.pages]
    return out


def lines_of(page):
    rows = {}
    for c in page.chars:
        if c["upright"] and abs(c["matrix"][1]) < 1e-6:
            rows.setdefault(round(page.height - c["matrix"][5], 1), []).append(c)
    out = []
    for y, row in sorted(rows.items()):
        row.sort(key=lambda c: c["x0"])
        runs = [[row[0]]]
        for c in row[1:]:
            if c["x0"] - runs[-1][-1]["x1"] > 12:
                runs.append([c])
            else:
                runs[-1].append(c)
        out += [line_of(y, run) for run in runs]
    return out


def line_of(y, run):
    return {
        "y": y / MM,
        "x0": run[0]["x0"] / MM,
        "x1": run[-1]["x1"] / MM,
        "axis": (run[0]["x0"] + run[-1]["x1"]) / 2 / MM,
        "size": round(run[0]["size"], 3),
        "font": run[0]["fontname"].split("+")[-1],
        "text": "".join(c["text"] for c in run).strip(),
    }


def rules_of(page):
    flat = [line for line in page.lines if abs(line["top"] - line["bottom"]) < 0.1]
    return [{"x0": r["x0"] / MM, "x1": r["x1"] / MM, "y": r["top"] / MM} for r in flat]


def find(lines, start):
    return next(line for line in lines if line["text"].startswith(start))


def under(rules, line):
    near = [
        rule
        for rule in rules
        if 0 < rule["y"] - line["y"] < 4 and abs((rule["x0"] + rule["x1"]) / 2 - line["axis"]) < 8
    ]
    return min(near, key=lambda rule: rule["y"])


def length(line):
    return line["x1"] - line["x0"]


@pytest.mark.parametrize("name", ["unit", "national", "counter"])
def test_the_state_stands_over_its_motto_with_a_rule_as_long(pages, name):
    lines, rules = pages[name][0]
    state, motto = find(lines, "CỘNG HÒA"), find(lines, "Độc lập")
    rule = under(rules, motto)

    assert state["text"] == "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
    assert (state["size"], motto["size"]) == (13, 14)
    assert "Bold" in state["font"]
    assert "Bold" in motto["font"]
    assert abs(state["axis"] - motto["axis"]) < 0.3
    assert abs(motto["axis"] - 147.0) < 0.2
    assert abs(length(rule) - length(motto)) < 0.3


@pytest.mark.parametrize(
    ("name", "own", "parent"),
    [
        ("unit", "SỞ NỘI VỤ", "ỦY BAN NHÂN DÂN"),
        ("national", "BỘ NỘI VỤ", None),
        ("counter", "TRUNG TÂM PHỤC VỤ", "ỦY BAN NHÂN DÂN"),
    ],
)
def test_agencies_stand_left_with_a_rule_of_a_third_to_a_half(pages, name, own, parent):
    lines, rules = pages[name][0]
    left = [line for line in lines if line["x1"] < 100 and line["y"] < 60]
    block = [line for line in left if line["text"].isupper() and not line["text"].startswith("SỐ")]
    bold = [line for line in block if "Bold" in line["font"]]
    rule = under(rules, bold[-1])

    assert bold[0]["text"].startswith(own)
    assert {line["size"] for line in block} == {13}
    assert 1 / 3 <= length(rule) / max(map(length, bold)) <= 1 / 2
    assert all(abs(line["axis"] - 64.5) < 0.3 for line in block)
    assert min(find(lines, "CỘNG")["x0"] - line["x1"] for line in block) >= 3
    assert (parent is None) == ("Bold" in block[0]["font"])


def test_number_and_date_stand_on_one_line(pages):
    for name, number, dated in (
        ("unit", "Số: 05/BC-SNV", "Tuyên Quang, ngày 05 tháng 02 năm 2027"),
        ("national", "Số: 05/BC-BNV", "Hà Nội, ngày 26 tháng 3 năm 2027"),
        ("counter", "Số: 05/BC-TTPVHCC", "Minh Xuân, ngày 05 tháng 02 năm 2027"),
    ):
        lines, _ = pages[name][0]
        left, right = find(lines, "Số:"), find(lines, dated)

        assert left["text"] == number
        assert abs(left["y"] - right["y"]) < 0.1
        assert (left["size"], right["size"]) == (13, 14)
        assert "Italic" in right["font"]
        assert "Italic" not in left["font"]


@pytest.mark.parametrize("name", ["unit", "national", "counter"])
def test_title_is_bold_in_the_middle_of_the_text_with_its_rule(pages, name):
    lines, rules = pages[name][0]
    kind = find(lines, "BÁO CÁO")
    subject = [
        line for line in lines if kind["y"] < line["y"] < kind["y"] + 15 and "Bold" in line["font"]
    ]
    rule = under(rules, subject[-1])

    assert kind["size"] == 14
    assert all(line["size"] == 14 and abs(line["axis"] - MIDDLE) < 0.3 for line in subject)
    assert 1 / 3 <= length(rule) / max(map(length, subject)) <= 1 / 2


@pytest.mark.parametrize("name", ["unit", "national", "counter"])
def test_margins_and_page_numbers(pages, name):
    number = 0
    for lines, _ in pages[name]:
        body = [line for line in lines if line["y"] > 18 and line["size"] != 8]
        top = [line for line in lines if line["y"] < 18]
        first = any(line["text"].startswith(("CỘNG HÒA", "Phụ lục ")) for line in body[:4])
        number = 1 if first else number + 1

        assert min(line["x0"] for line in body) >= 29.9
        assert max(line["x1"] for line in body) <= 195.2
        assert min(line["y"] for line in body) >= 20
        assert max(line["y"] for line in body) <= 277
        if first:
            assert not top
        else:
            assert [line["text"] for line in top] == [str(number)]
            assert top[0]["size"] == 14
            assert abs(top[0]["axis"] - MIDDLE) < 0.2
            assert abs(top[0]["y"] - 13.5) < 0.2


def test_body_is_justified_and_its_first_line_starts_at_one_centimetre(pages):
    lines, _ = pages["unit"][0]
    i = next(k for k, line in enumerate(lines) if line["text"].startswith("Thực hiện"))
    first, second = lines[i], lines[i + 1]

    assert abs(first["x0"] - 40) < 0.2
    assert abs(second["x0"] - 30) < 0.2
    assert abs(first["x1"] - 195) < 0.4
    assert first["size"] == 14
    assert abs((second["y"] - first["y"]) * MM - 17.5) < 0.2
    heading = find(lines, "I. TÓM TẮT")
    after = next(line for line in lines if line["y"] > heading["y"] + 1)
    assert "Bold" in heading["font"]
    assert (after["y"] - heading["y"]) * MM - 17.5 >= 5.9


@pytest.mark.parametrize("name", ["unit", "national", "counter"])
def test_the_body_ends_with_its_mark_and_the_signature(pages, name):
    everything = [lines for lines, _ in pages[name]]
    page = next(lines for lines in everything if any("Nơi nhận:" in x["text"] for x in lines))
    receivers = find(page, "Nơi nhận:")
    position = next(
        line for line in page if abs(line["y"] - receivers["y"]) < 0.2 and line["x0"] > 105
    )
    listed = [line for line in page if line["text"].startswith("- ") and line["size"] == 11]
    end = [line for line in page if line["text"].endswith("./.")]

    assert receivers["size"] == 12
    assert "BoldItalic" in receivers["font"]
    assert position["size"] == 14
    assert position["text"].isupper()
    assert abs(position["axis"] - 155.5) < 0.3
    assert listed[-1]["text"] == "- Lưu: VT."
    assert all(line["text"].endswith(";") for line in listed[:-1] if length(line) < 70)
    assert len(end) == 1
    assert end[0]["y"] < receivers["y"]


def test_a_ministry_names_its_receivers_at_the_head(pages):
    lines, _ = pages["national"][0]
    head = find(lines, "Kính gửi:")
    first, last = find(lines, "- Thủ tướng"), find(lines, "- Ban Chỉ đạo")

    assert head["size"] == first["size"] == 14
    assert first["text"].endswith(";")
    assert last["text"].endswith(".")
    assert head["y"] < first["y"] < last["y"]


def test_annexes_start_a_page_with_number_title_and_whose_they_are(pages):
    lines = next(lines for lines, _ in pages["national"] if lines[0]["text"] == "Phụ lục I")

    assert lines[0]["size"] == 14
    assert "Bold" in lines[0]["font"]
    assert lines[1]["text"].isupper()
    kept = find(lines, "(Kèm theo Báo cáo số 05/BC-BNV ngày 26 tháng 3 năm 2027 của Bộ Nội vụ)")
    assert kept["size"] == 13
    assert "Italic" in kept["font"]


@pytest.mark.parametrize("name", ["unit", "national", "counter"])
def test_the_file_is_pdf_1_4_with_all_faces_inside(files, name):
    data = files[name]
    reader = PdfReader(io.BytesIO(data))

    assert data.startswith(b"%PDF-1.4")
    assert reader.trailer["/Root"]["/Lang"] == "vi-VN"
    assert reader.metadata.title.startswith("Báo cáo ")
    assert reader.metadata.author
    assert reader.outline[0].title.startswith("I. ")
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            face = font.get_object()
            assert "Tinos" in face["/BaseFont"], face["/BaseFont"]
            assert "/FontFile2" in face["/FontDescriptor"].get_object()


@pytest.mark.parametrize("name", ["unit", "national", "counter"])
def test_text_comes_out_in_one_form_and_says_the_data_are_made_up(files, name):
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(files[name])).pages]
    text = " ".join(" ".join(pages).split())

    assert unicodedata.is_normalized("NFC", text)
    assert "Độc lập - Tự do - Hạnh phúc" in text
    assert "\u25a1" not in text  # no letter was missing
    assert all("DỮ LIỆU MÔ PHỎNG" in page for page in pages)


def test_true_data_carry_no_stamp():
    file, _ = printed("unit", report_data.unit(synthetic=False))

    assert not any("MÔ PHỎNG" in page.extract_text().upper() for page in PdfReader(file).pages)


def test_nothing_is_printed_over_something_else(pages):
    for name in pages:
        for number, (lines, _) in enumerate(pages[name], 1):
            small = [line for line in lines if line["size"] > 8.5]
            for i, a in enumerate(small):
                for b in small[i + 1 :]:
                    same = abs(a["y"] - b["y"]) < 0.3 * a["size"] / MM
                    across = min(a["x1"], b["x1"]) - max(a["x0"], b["x0"])
                    assert not (same and across > 0.3), (name, number, a["text"], b["text"])


def test_the_same_report_gives_the_same_bytes_and_says_its_pages():
    one, pages = printed("national", report_data.national())
    two, _ = printed("national", report_data.national())

    assert one.getvalue() == two.getvalue()
    assert pages == len(PdfReader(one).pages)


def test_a_heading_never_ends_a_page(pages):
    for name in pages:
        for lines, _ in pages[name]:
            body = [line for line in lines if line["y"] > 18 and line["size"] != 8]
            last = body[-1]
            assert not (last["size"] == 14 and "Bold" in last["font"] and "." in last["text"][:5])
