"""The household form: everything asked has its place, nothing overlaps, marks keep their white."""

from __future__ import annotations

import cv2
import pytest

from forms import paper
from forms.questionnaire import keys, load, parse
from survey.printing import aruco, faces, form
from survey.printing.drawing import EDGE, HEIGHT, MARK, WIDTH, Text
from survey.printing.form_parts import BOTTOM, LEFT, RIGHT

ISSUER = form.Issuer("Sở Nội vụ", "Ủy ban nhân dân tỉnh Tuyên Quang", True)
EVERY = [(key, edition) for key in keys() for edition in form.EDITIONS]


def test_the_whole_form_of_2026_needs_four_pages():
    laid = form.geometry(load("sipas-2026.1"), ISSUER)

    assert laid["pages"] == 4
    assert len(laid["answers"]) == 364
    assert form.geometry(load("sipas-2026.1"), ISSUER, "large")["pages"] == 6


@pytest.mark.parametrize(("key", "edition"), EVERY)
def test_every_field_has_a_place_for_each_of_its_codes(key, edition):
    q = load(key)
    laid = form.geometry(q, ISSUER, edition)
    placed = {}
    for answer in laid["answers"]:
        placed.setdefault(answer["field"], []).append(answer["code"])
    wanted = {f.name: list(f.codes) for f in paper.fields(q) if f.kind in ("one", "several")}

    assert placed == wanted
    written = {f.name for f in paper.fields(q) if f.kind in ("text", "number")}
    assert {text["field"] for text in laid["texts"]} == written
    several = {f.name for f in paper.fields(q) if f.kind == "several"}
    assert several == {a["field"] for a in laid["answers"] if a["shape"] == "square"}


@pytest.mark.parametrize(("key", "edition"), EVERY)
def test_places_to_mark_keep_clear_of_each_other_and_of_the_edge(key, edition):
    laid = form.geometry(load(key), ISSUER, edition)
    for page in range(1, laid["pages"] + 1):
        spots = [(a["x"], a["y"]) for a in laid["answers"] if a["page"] == page]
        for at, (x, y) in enumerate(spots):
            assert LEFT + laid["radius"] <= x <= RIGHT - laid["radius"]
            assert y + laid["radius"] <= BOTTOM
            for other_x, other_y in spots[at + 1 :]:
                apart = (x - other_x) ** 2 + (y - other_y) ** 2
                assert apart >= (2 * laid["radius"] + 0.3) ** 2


@pytest.mark.parametrize(("key", "edition"), EVERY)
def test_no_word_runs_off_its_page_or_into_a_mark(key, edition):
    for page in form.lay(load(key), ISSUER, edition):
        for one in page.ink:
            if not isinstance(one, Text):
                continue
            w = faces.width(one.text, one.face, one.size)
            left = one.x - {"left": 0, "right": w, "centre": w / 2}[one.align]
            assert left >= LEFT - 0.1, one
            assert left + w <= RIGHT + 0.1, one
            for x in (EDGE, WIDTH - EDGE - MARK):
                for y in (EDGE, HEIGHT - EDGE - MARK):
                    beside = left + w < x - 1.2 or left > x + MARK + 1.2
                    above = one.y < y - 1.2 or one.y - one.size * 0.3 > y + MARK + 1.2
                    assert beside or above, one


def test_the_code_has_four_modules_of_white_inside_the_marks():
    for page in form.lay(load("sipas-2026.1"), ISSUER):
        x, y, side = page.code
        quiet = 4 * side / 29
        assert x + side + quiet <= WIDTH - EDGE - MARK + 0.1 or side < 12
        for one in page.ink:
            if isinstance(one, Text) and one.y > y - 1 and one.y - 3 < y + side:
                assert one.x + faces.width(one.text, one.face, one.size) < x or one.align != "left"


def test_the_marks_are_those_of_opencv():
    whole = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for ident in range(len(aruco.PATTERNS)):
        drawn = cv2.aruco.generateImageMarker(whole, ident, aruco.CELLS)
        white = {(r, c) for r in range(6) for c in range(6) if drawn[r, c]}
        assert set(aruco.white(ident)) == white


def test_an_office_with_a_very_long_name_still_has_its_form():
    name = "Trung tâm Phục vụ hành chính công " * 3
    laid = form.geometry(load("sipas-2026.1"), form.Issuer(name.strip(), name.strip()))

    assert laid["pages"] <= 5


def test_letters_the_faces_lack_do_not_stop_a_form():
    pages = form.lay(load("mot-cua-2026.1"), form.Issuer("Ủy ban \U0001f600 ខ្មែរ"))

    assert any(isinstance(i, Text) and i.text.startswith("ỦY BAN ?") for i in pages[0].ink)


def test_a_synthetic_form_says_so_on_every_page():
    for page in form.lay(load("sipas-2026.1"), ISSUER):
        assert "DỮ LIỆU MÔ PHỎNG" in [one.text for one in page.ink if isinstance(one, Text)]
    real = form.lay(load("sipas-2026.1"), form.Issuer("Bộ Nội vụ"))
    assert not [o for p in real for o in p.ink if isinstance(o, Text) and "MÔ PHỎNG" in o.text]


def test_a_changed_font_file_is_refused(tmp_path, monkeypatch):
    for file in faces.FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "BeVietnamPro-Bold.ttf").write_bytes(b"another")
    monkeypatch.setattr(faces, "FOLDER", tmp_path)

    with pytest.raises(faces.FontChangedError):
        faces.register.__wrapped__()


OPEN = """{
 "key": "thu-2026.1", "title": "Phiếu thử", "short": "Thử", "intro": "Mời trả lời.", "minutes": 2,
 "index_scale": 5, "source": "thử", "languages": ["vi"],
 "scales": {"yes": [{"code": 2, "label": "Có"}, {"code": 1, "label": "Không"}]},
 "sections": [{"id": "a", "title": "A", "items": ["n", "y", "t", "m"]}],
 "items": [
  {"id": "n", "kind": "number", "number": "Câu 1", "text": "Nhà có mấy người?",
   "minimum": 1, "maximum": 20},
  {"id": "y", "kind": "single", "number": "Câu 2", "text": "Có đi làm không?", "scale": "yes"},
  {"id": "t", "kind": "text", "number": "Câu 3", "text": "Làm ở đâu?", "max_length": 100,
   "when": {"column": "y", "any_of": [2]}},
  {"id": "m", "kind": "matrix", "number": "Câu 4", "text": "Những điều sau?", "scale": "yes",
   "rows": [{"id": "1", "label": "Một"}, {"id": "2", "label": "Hai"}]}
 ]}"""


def test_any_questionnaire_prints_with_its_numbers_texts_and_conditions():
    q = parse(OPEN)
    laid = form.geometry(q, ISSUER)
    words = " ".join(o.text for p in form.lay(q, ISSUER) for o in p.ink if isinstance(o, Text))

    assert {text["field"] for text in laid["texts"]} == {"n", "t"}
    assert [a["code"] for a in laid["answers"] if a["field"] == "y"] == [2, 1]
    assert "Chỉ trả lời khi Câu 2 chọn: Có." in words
    assert "(từ 1 đến 20)" in words


def test_a_questionnaire_of_too_many_pages_is_refused():
    rows = ", ".join(f'{{"id": "{n}", "label": "Nội dung {n}"}}' for n in range(800))
    q = parse(OPEN.replace('{"id": "1", "label": "Một"}, {"id": "2", "label": "Hai"}', rows))

    with pytest.raises(form.TooLongError):
        form.lay(q, ISSUER)
