"""The vendored faces: unchanged, complete, and harmless with whatever people write."""

import hashlib
import json
import re
import unicodedata
from pathlib import Path

import pytest

from analysis.report import faces, model, sections, wording
from analysis.report.faces import LONGEST_WORD, balanced, fill, line, plain, width
from forms import questionnaire

ROOT = Path(__file__).resolve().parent.parent
VOWELS = "aăâeêioôơuưy"
TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
LETTERS = {
    unicodedata.normalize("NFC", letter + tone)
    for letter in VOWELS + VOWELS.upper()
    for tone in TONES
} | set("bcdđghklmnpqrstvxfjwzBCDĐGHKLMNPQRSTVXFJWZ0123456789")


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from texts(key)
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def test_the_fonts_are_the_ones_that_were_measured():
    folder = faces.FOLDER
    listed = dict(reversed(row.split()) for row in (folder / "SHA256SUMS").read_text().splitlines())

    assert set(listed) == {*faces.FILES.values(), "OFL.txt"}
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "OFL.txt").read_text()


def test_a_changed_font_is_refused(tmp_path, monkeypatch):
    for path in faces.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "Tinos-Italic.ttf").write_bytes(b"\0\1\0\0")
    monkeypatch.setattr(faces, "FOLDER", tmp_path)

    with pytest.raises(faces.FontChangedError, match=r"Tinos-Italic\.ttf"):
        faces.register.__wrapped__()


def test_all_four_faces_have_every_vietnamese_letter():
    assert len(LETTERS) == 12 * 6 * 2 + 21 * 2 + 10
    assert {ord(letter) for letter in LETTERS} <= faces.register()


@pytest.mark.parametrize("key", questionnaire.keys())
def test_the_faces_have_every_character_of_the_questionnaires(key):
    files = list((ROOT / "forms/questionnaires").glob(f"{key}*.json"))
    used = {c for file in files for text in texts(json.loads(file.read_text())) for c in text}

    assert files
    assert not {c for c in used if ord(c) not in faces.register() and not c.isspace()}


def test_the_faces_have_every_character_of_the_fixed_texts():
    used = set()
    for path in (ROOT / "analysis/report").glob("*.py"):
        used |= set(path.read_text("utf-8"))
    used -= set("\n＝＋－＠\u200b")  # dangers named in csv.py

    assert not {c for c in used if ord(c) not in faces.register() and not c.isspace()}


def test_text_is_printed_in_one_form_without_invisible_characters():
    assert line(unicodedata.normalize("NFD", "Ủy ban Nhân dân")) == "Ủy ban Nhân dân"
    assert line("a\u200bb\u202ec\x07d\ufeff") == "abcd"
    assert line("người 😀 ok") == "người □ ok"
    assert line("tab\tvà\u2009hẹp") == "tab và hẹp"


@pytest.mark.parametrize(
    "text", ["<b>đậm</b>", "5 < 6 & 7 > 2", '<img src="/etc/passwd"/>', "&amp;"]
)
def test_markup_stays_the_characters_it_is(text):
    assert plain(text) == text


def test_long_words_and_long_texts_are_cut_to_what_a_page_can_bear():
    monster = plain("W" * 200_000)

    assert len(monster) < 2200
    assert monster.endswith("…")
    assert max(map(len, monster.split(" "))) <= LONGEST_WORD + 1
    assert plain("x " * 5000).endswith("…")
    assert plain("vừa đủ") == "vừa đủ"


def test_lines_never_pass_their_limit_unless_a_word_does():
    text = "Sự tham gia của người dân vào quá trình xây dựng, tổ chức thực hiện chính sách"
    faces.register()
    for limit in (60, 100, 200):
        lines = fill(text, faces.REGULAR, 11.5, limit)
        assert " ".join(lines) == text
        assert all(width(one, faces.REGULAR, 11.5) <= limit for one in lines if " " in one)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("SỞ NỘI VỤ", ["SỞ NỘI VỤ"]),
        ("ỦY BAN NHÂN DÂN TỈNH TUYÊN QUANG", ["ỦY BAN NHÂN DÂN", "TỈNH TUYÊN QUANG"]),
        (
            "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG PHƯỜNG MINH XUÂN",
            ["TRUNG TÂM PHỤC VỤ", "HÀNH CHÍNH CÔNG", "PHƯỜNG MINH XUÂN"],
        ),
    ],
)
def test_names_of_agencies_break_where_a_typist_breaks_them(name, lines):
    faces.register()

    assert balanced(name, faces.BOLD, 13, 66 * 72 / 25.4) == lines


def test_names_too_long_for_anything_are_still_set():
    faces.register()
    name = " ".join(["CỘNG HÒA"] * 40)

    assert " ".join(balanced(name, faces.BOLD, 13, 180)) == name


@pytest.mark.parametrize(
    ("owner", "number", "printed"),
    [
        ("Sở Nội vụ", "05", "Số: 05/BC-SNV"),
        ("Bộ Nội vụ", "", "Số:      /BC-BNV"),
        ("Ủy ban nhân dân xã Tân Trào", "7", "Số: 7/BC-UBND"),
        ("Trung tâm Phục vụ hành chính công phường Minh Xuân", "1", "Số: 1/BC-TTPVHCC"),
        ("Sở Nội vụ", "12/BC-CCHC", "Số: 12/BC-CCHC"),
    ],
)
def test_the_number_of_a_document_ends_with_its_agency(owner, number, printed):
    assert wording.document_number(number, owner) == printed


@pytest.mark.parametrize(
    ("owner", "title"),
    [
        ("Sở Nội vụ", ("GIÁM ĐỐC",)),
        ("Bộ Nội vụ", ("BỘ TRƯỞNG",)),
        ("Ủy ban nhân dân phường Minh Xuân", ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH")),
        ("Phòng Văn hóa", ("THỦ TRƯỞNG CƠ QUAN",)),
    ],
)
def test_the_signature_follows_the_kind_of_agency(owner, title):
    assert wording.signature(owner) == title


def test_names_are_shortened_for_tables_but_not_maimed():
    assert (
        wording.short("VIỆC XÂY DỰNG CHÍNH SÁCH CÔNG (NÊU Ở CÂU 1)")
        == "Việc xây dựng chính sách công"
    )
    assert wording.short("Đủ chỗ ngồi. (Ghế, quạt.)") == "Đủ chỗ ngồi"
    assert wording.inner("Nâng cao năng lực.") == "nâng cao năng lực"
    assert wording.inner("UBND làm tốt") == "UBND làm tốt"
    assert re.search("PVHCC", wording.abbreviated("Điểm phục vụ hành chính công"))


def test_roman_numbers_and_captions_count():
    captions = sections.Captions()

    assert [sections.roman(n) for n in (1, 4, 5)] == ["I", "IV", "V"]
    assert captions.table("a") == "Bảng 1. a"
    assert captions.figure("b") == "Hình 1. b"
    assert captions.table("c") == "Bảng 2. c"
    assert model.body("a", model.bold("b")).text == "ab"
