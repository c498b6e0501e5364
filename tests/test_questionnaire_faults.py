"""A questionnaire file with any fault is refused, and every fault is named with its place."""

import copy
import json
import random
import unicodedata

import pytest

from forms.questionnaire import FOLDER, Faulty, parse

SCALE = [{"code": 1, "label": "Không"}, {"code": 2, "label": "Có"}]
GOOD = {
    "key": "thu-2026.1",
    "title": "Bảng hỏi thử",
    "short": "Thử",
    "intro": "Xin cảm ơn Ông/Bà.",
    "minutes": 1,
    "index_scale": 2,
    "source": "Viết để thử.",
    "languages": ["vi"],
    "words": {"office": "Bộ phận Một cửa"},
    "scales": {"two": SCALE},
    "areas": [{"id": "I", "name": "Dịch vụ"}],
    "factors": [{"id": "I.A", "name": "Tiếp cận", "area": "I"}],
    "sections": [
        {"id": "p1", "title": "Phần một", "items": ["a", "b", "c"]},
        {"id": "p2", "number": "Câu 4", "title": "Phần hai", "items": ["d", "e", "f"]},
    ],
    "items": [
        {"id": "a", "kind": "scale", "text": "Hỏi một?", "scale": "two", "factor": "I.A"},
        {
            "id": "b",
            "kind": "multiple",
            "text": "Hỏi hai?",
            "choices": [{"code": 3, "label": "Báo"}, {"code": 1, "label": "Khác", "other": True}],
        },
        {
            "id": "c",
            "kind": "matrix",
            "text": "Hỏi ba?",
            "scale": "two",
            "rows": [{"id": "x", "label": "Một"}, {"id": "y", "label": "Hai"}],
        },
        {
            "id": "d",
            "kind": "single",
            "text": "Hỏi {office}?",
            "choices": SCALE,
            "when": {"column": "c.x", "any_of": [2, 9]},
        },
        {"id": "e", "kind": "number", "text": "Số?", "minimum": 1, "maximum": 9},
        {"id": "f", "kind": "text", "text": "Ý kiến?", "max_length": 50},
    ],
}


def changed(path, value):
    """Return the good file with the value at "items.0.kind" replaced (or taken away)."""
    document = copy.deepcopy(GOOD)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    block = document
    for part in way:
        block = block[part]
    if value is GONE:
        del block[last]
    else:
        block[last] = value
    return document


GONE = object()


def faults(document):
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(Faulty) as caught:
        parse(text)
    return caught.value.faults


def faults_if_any(document):
    try:
        parse(json.dumps(document))
    except Faulty as refused:
        return refused.faults
    return []


def test_the_good_file_is_good():
    q = parse(json.dumps(GOOD))
    assert [c.id for c in q.columns] == ["a", "b.3", "b.1", "c.x", "c.y", "d"]
    assert q.item("b").other.code == 1


CASES = [
    ("key", "Sipas", "Tệp, “key”: “Sipas” phải như"),
    ("title", GONE, "Tệp: thiếu “title”."),
    ("title", "  ", "Tệp, “title”: để trống."),
    ("title", 7, "Tệp, “title”: phải là chữ."),
    ("title", unicodedata.normalize("NFD", "Bảng hỏi"), "Tệp, “title”: chưa ở dạng Unicode"),
    ("title", "Bảng\thỏi", "Tệp, “title”: có ký tự điều khiển."),
    ("title", "Bảng \u202ehỏi", "Tệp, “title”: có ký tự điều khiển."),
    ("title", "Bảng \ud800hỏi", "Tệp, “title”: có ký tự điều khiển."),
    ("title", " Bảng hỏi", "Tệp, “title”: thừa dấu cách"),
    ("colour", "red", "Tệp: tên lạ “colour”."),
    ("minutes", 0, "thời gian trả lời phải từ 1"),
    ("minutes", "ba", "Tệp, “minutes”: phải là một số nguyên."),
    ("minutes", True, "Tệp, “minutes”: phải là một số nguyên."),
    ("minutes", 1.5, "Tệp, “minutes”: phải là một số nguyên."),
    ("index_scale", 9, "số mức phải từ 2 đến 8"),
    ("languages", ["en"], "tiếng Việt (vi) phải đứng đầu"),
    ("languages", ["vi", "../en"], "phải là mã ngôn ngữ"),
    ("languages", ["vi", "en", "en"], "Tệp, “languages”: “en” được ghi hai lần."),
    ("words.ward", "phường", "từ địa danh lạ “ward”"),
    ("words.office", "", "Tệp, “words”, office: để trống."),
    ("words", ["x"], "Tệp, “words”: phải là một bảng chữ."),
    ("items", [], "Tệp: “items” để trống."),
    ("items", {}, "Tệp, “items”: phải là một danh sách khối."),
    ("items.0", "a", "Tệp, “items”: phải là một danh sách khối."),
    ("scales.two", [SCALE[0]], "Thang đo two: cần ít nhất hai phương án."),
    ("scales.two", "x", "Thang đo two: phải là một danh sách phương án."),
    ("scales.Tốt", SCALE, "Thang đo Tốt: mã chỉ gồm chữ thường"),
    ("scales.two.0.code", 0, "Thang đo two: mã 0 phải từ 1 đến 8."),
    ("scales.two.0.code", 9, "Thang đo two: mã 9 dành cho “Không biết"),
    ("scales.two.0.code", 10, "Thang đo two: mã 10 phải từ 1 đến 8."),
    ("scales.two.0.code", -1, "Thang đo two: mã -1 phải từ 1 đến 8."),
    ("scales.two.0.code", 2, "Thang đo two, phương án 2: mã được dùng 2 lần."),
    ("scales.two.0.label", "Có", "Thang đo two, lời Có: mã được dùng 2 lần."),
    ("scales.two.0.label", "1", "chỉ có chữ số, không có chữ."),
    ("scales.two.0.label", "", "Thang đo two, phương án 1, “label”: để trống."),
    ("areas.0.id", "II", "Yếu tố I.A: không có lĩnh vực “I”."),
    ("areas.0.id", "II", "Lĩnh vực II: không có yếu tố nào."),
    ("areas.0.id", "I I", "Lĩnh vực I I, “id”: “I I” phải như"),
    ("factors.0.name", "", "Yếu tố I.A, “name”: để trống."),
    ("factors.0.id", "I.B", "Yếu tố I.B: không có mục nào."),
    ("factors.0.id", "I.B", "Mục a: không có yếu tố “I.A”."),
    ("sections.0.items", ["a", "b", "c", "z"], "Phần p1: không có mục “z”."),
    ("sections.0.items", ["a", "b"], "Mục c: không nằm trong phần nào."),
    ("sections.0.items", ["a", "b", "c", "d"], "Mục d: nằm trong nhiều phần."),
    ("sections.0.items", ["a", "a", "b", "c"], "Phần p1, “items”: “a” được ghi hai lần."),
    ("sections.0.items", [], "Phần p1: không có mục nào."),
    ("sections.0.items", [1], "Phần p1, “items”: phải là một danh sách chữ."),
    ("sections.1.id", "p1", "Phần p1: mã được dùng 2 lần."),
    ("items.1.id", "a", "Mục a: mã được dùng 2 lần."),
    ("items.0.id", "", "Mục thứ 1, “id”"),
    ("items.0.id", "A", "Mục A, “id”: “A” chỉ gồm chữ thường"),
    ("items.0.id", "a.b", "Mục a.b, “id”"),
    ("items.0.id", "consent_x", "mã bắt đầu bằng “consent_”"),
    ("items.0.kind", "slider", "Mục a: loại câu hỏi lạ “slider”."),
    ("items.0.kind", "single", "Mục a: chỉ câu scale được tính vào yếu tố."),
    ("items.0.scale", "three", "Mục a: không có thang đo “three”."),
    ("items.0.choices", SCALE, "Mục a: ghi “choices” hoặc “scale”, không ghi cả hai."),
    ("items.0.rows", [{"id": "x", "label": "Một"}], "Mục a: chỉ câu matrix có “rows”."),
    ("items.0.text", "Hỏi {ward}?", "Mục a, “text”: từ địa danh lạ “{ward}”."),
    ("items.0.text", "Hỏi {office?", "Mục a, “text”: thừa dấu ngoặc nhọn."),
    ("items.0.required", 1, "Mục a, “required”: phải là true hoặc false."),
    ("items.0.same_as", "sipas-2021.1:s01", "không có bảng hỏi “sipas-2021.1”"),
    ("items.0.same_as", "sipas-2022.1:s34", "bảng hỏi “sipas-2022.1” không có mục “s34”"),
    ("items.0.same_as", "s01", "không có bảng hỏi “s01”"),
    ("items.0.default", 2, "Mục a: tên lạ “default”."),
    ("items.1.choices.0.code", 9, "Mục b: mã 9 dành cho"),
    ("items.1.choices.0.code", 1, "Mục b, phương án 1: mã được dùng 2 lần."),
    ("items.1.choices.0.other", True, "chỉ một phương án được kèm lời ghi thêm"),
    ("items.1.choices", [], "Mục b: cần ít nhất hai phương án."),
    ("items.1.choices.0.value", 3, "Mục b, phương án 3: tên lạ “value”."),
    ("items.2.rows", [], "Mục c: bảng không có dòng nào."),
    ("items.2.rows.1.id", "x", "Mục c, dòng x: mã được dùng 2 lần."),
    ("items.2.rows.1.label", "", "Mục c, dòng y, “label”: để trống."),
    ("items.2.kind", "scale", "Mục c: chỉ câu matrix có “rows”."),
    ("items.3.choices.0.other", True, None),
    ("items.3.when.column", "z", "Mục d, điều kiện: không có cột “z”."),
    ("items.3.when.column", "c", "Mục d, điều kiện: không có cột “c”."),
    ("items.3.when.column", "e", "Mục d, điều kiện: không có cột “e”."),
    ("items.3.when.column", "d", "Mục d, điều kiện: “d” được hỏi sau mục này."),
    ("items.3.when.any_of", [3], "Mục d, điều kiện: “c.x” không có mã 3."),
    ("items.3.when.any_of", [], "Mục d, điều kiện: “any_of” để trống."),
    ("items.3.when.any_of", ["2"], "“any_of”: phải là một danh sách số nguyên."),
    ("items.3.when", {"column": "a"}, "Mục d, điều kiện: thiếu “any_of”."),
    ("items.3.when", [], "Mục d, “when”: phải là một khối."),
    ("items.0.when", {"column": "b", "any_of": [3]}, "Mục a, điều kiện: “b” được hỏi sau"),
    ("items.3.consent", "health", "Mục d: câu cần đồng ý riêng thì không được bắt buộc."),
    ("items.3.consent", "health", "Mục d: phải có điều kiện trên “consent_health”."),
    ("items.4.minimum", 10, "Mục e: “minimum” 10 lớn hơn “maximum” 9."),
    ("items.4.maximum", GONE, "Mục e: câu number cần “minimum” và “maximum”."),
    ("items.4.scale", "two", "Mục e: câu number không có “scale”."),
    ("items.5.choices", SCALE, "Mục f: câu text không có “choices”."),
    ("items.5.no_answer", True, "Mục f: câu text không có “no_answer”."),
    ("items.5.maximum", 3, "Mục f: chỉ câu number có “minimum”, “maximum”."),
    ("items.5.max_length", 0, "Mục f: “max_length” phải từ 1"),
    ("index_scale", 3, "Mục a: mã của thang đo phải là 1 đến 3."),
]


@pytest.mark.parametrize(("path", "value", "fault"), [case for case in CASES if case[2]])
def test_a_fault_is_named_with_its_place(path, value, fault):
    assert any(fault in found for found in faults(changed(path, value)))


def test_a_single_question_may_have_a_text_beside_a_choice():
    q = parse(json.dumps(changed("items.3.choices", [SCALE[0], SCALE[1] | {"other": True}])))
    assert q.item("d").other.label == "Có"


def test_a_scale_may_not_have_a_text_beside_a_choice():
    document = changed("items.0.scale", GONE)
    document["items"][0]["choices"] = [SCALE[0], SCALE[1] | {"other": True}]
    assert any("câu scale không có lời ghi thêm" in fault for fault in faults(document))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "Dòng 1, cột 1: tệp không phải JSON đúng"),
        ('{"key": "a-1.1",\n "title": }', "Dòng 2, cột 11: tệp không phải JSON đúng"),
        ("[]", "Tệp phải là một khối"),
        ("null", "Tệp phải là một khối"),
        ('{"key": 1, "key": 2}', "Tên “key” được ghi hai lần"),
        ('{"minutes": NaN}', "Giá trị NaN không phải là số."),
        ('{"minutes": ' + "9" * 5000 + "}", "Tệp không đọc được"),
        ("[" * 100_000, "Tệp không đọc được"),
        ("\ufeff{}", "Dòng 1, cột 1"),
    ],
)
def test_a_file_that_is_no_json_object_is_refused(text, fault):
    assert fault in "\n".join(faults(text))


def test_an_empty_object_is_told_everything_it_lacks():
    found = "\n".join(faults("{}"))
    for name in ("key", "title", "short", "intro", "minutes", "source", "sections", "items"):
        assert f"thiếu “{name}”" in found


def test_all_faults_are_named_at_once():
    document = changed("title", "")
    document["items"][0]["kind"] = "slider"
    document["items"][3]["when"]["column"] = "f"
    document["sections"][1]["items"].append("zz")
    document["scales"]["two"][0]["code"] = 9
    found = "\n".join(faults(document))
    for part in ("“title”: để trống", "“slider”", "cột “f”", "mục “zz”", "mã 9 dành cho"):
        assert part in found


def test_the_message_of_a_faulty_file_holds_every_fault():
    with pytest.raises(Faulty) as caught:
        parse("{}")
    assert str(caught.value).count("\n") == len(caught.value.faults) - 1


def test_a_rule_may_look_at_the_consent_of_its_item():
    document = changed("items.3.consent", "health")
    document["items"][3] |= {
        "required": False,
        "when": {"column": "consent_health", "any_of": [1]},
    }
    assert parse(json.dumps(document)).consents == ("consent_health",)


def test_a_rule_on_a_consent_nobody_asks_for_is_refused():
    document = changed("items.3.when", {"column": "consent_x", "any_of": [1]})
    assert any("không có cột “consent_x”" in fault for fault in faults(document))


def test_order_is_that_of_the_sections_not_of_the_list_of_items():
    document = copy.deepcopy(GOOD)
    document["sections"].reverse()
    assert any("“c.x” được hỏi sau mục này" in fault for fault in faults(document))


def spots(value, way=()):
    """Every place of a document."""
    yield way
    inside = value.items() if isinstance(value, dict) else ()
    inside = enumerate(value) if isinstance(value, list) else inside
    for name, one in inside:
        yield from spots(one, (*way, name))


ODD = [None, True, -1, 0, 9, 10**9, 1.5, "", "x", "\u0000", "\ud800", "{x}", [], [[]], {}, [{}]]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_put_into_a_file_it_is_read_or_refused_but_never_breaks(seed):
    luck = random.Random(seed)
    places = [way for way in spots(GOOD) if way]
    for way in places:
        document = copy.deepcopy(GOOD)
        block = document
        for part in way[:-1]:
            block = block[part]
        block[way[-1]] = luck.choice(ODD)
        assert all(fault.endswith(".") for fault in faults_if_any(document))


def test_a_shipped_file_cut_short_anywhere_is_refused():
    text = (FOLDER / "mot-cua-2026.1.json").read_text("utf-8")
    for end in range(0, len(text) - 2, 97):
        assert faults(text[:end])
