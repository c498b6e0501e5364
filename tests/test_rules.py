"""What is accepted as an answer, what is refused, and how answers are stored."""

import json
import timeit
import unicodedata

import pytest

from forms import rules
from forms.questionnaire import load, localized, parse
from forms.rules import asked, canonical, check, pack, unpack

Q = load("sipas-2026.1")
SHORT = load("mot-cua-2026.1")


def whole(**changes):
    """Return a whole good set of answers; a change to None takes an answer away."""
    single = [c for c in Q.columns if c.item.kind != "multiple" and c.item.id != "ethnicity"]
    answers = {c.id: max(c.codes - {9}) for c in single} | {"c2": [1, 5], "comment": "Tốt."}
    answers |= changes
    return {name: value for name, value in answers.items() if value is not None}


def short(**changes):
    answers = {"m1": 4, "m2": 5, "m3": 3, "m4": 4, "m5": 9, "m_all": 4} | changes
    return {name: value for name, value in answers.items() if value is not None}


def codes(answers, q=Q):
    return [(fault.column, fault.code) for fault in check(q, answers)[1]]


def test_a_whole_form_is_accepted():
    clean, faults = check(Q, whole())
    assert faults == []
    assert clean == whole()


def test_education_other_and_occupation_other_are_answers_too():
    assert codes(whole(education=6) | {"education.other": "Cao học nghề"}) == []


def test_clean_answers_stand_in_the_order_of_the_questionnaire():
    backwards = dict(reversed(whole(consent_ethnicity=1, ethnicity=2).items()))
    clean, _ = check(Q, backwards)
    assert list(clean)[:4] == ["consent_ethnicity", "sex", "ethnicity", "age"]
    assert list(clean) == [name for name in rules.names(Q) if name in clean]


def test_no_answer_is_accepted_wherever_it_is_offered():
    every = {name: 9 for name, value in whole().items() if isinstance(value, int)}
    assert codes(whole(**every, c2=[9])) == []


def test_an_empty_form_names_every_required_question():
    clean, faults = check(Q, {})
    assert clean == {}
    assert {fault.code for fault in faults} == {"unanswered"}
    assert len(faults) == 83  # 82 single answers and the channels
    assert "ethnicity" not in {fault.column for fault in faults}


@pytest.mark.parametrize("name", ["sex", "c1.water", "c2", "c3.7", "c4", "s01", "s39", "c10.10"])
def test_a_required_answer_that_is_missing_is_named(name):
    assert codes({k: v for k, v in whole().items() if k != name}) == [(name, "unanswered")]


def test_items_31_to_39_are_checked_like_the_others():
    answers = {k: v for k, v in whole().items() if k not in {f"s{n}" for n in range(31, 40)}}
    assert codes(answers) == [(f"s{n}", "unanswered") for n in range(31, 40)]


def test_a_fault_tells_the_number_and_text_of_its_question():
    [fault] = check(Q, whole(s31=7))[1]
    assert fault.facts["number"] == "31"
    assert "lịch sự, tôn trọng" in fault.facts["text"]
    assert fault.facts["codes"] == [1, 2, 3, 4, 5, 9]


def test_a_fault_in_a_matrix_tells_the_text_of_its_row():
    [fault] = check(Q, whole() | {"c1.water": 8})[1]
    assert fault.facts["number"] == "Câu 1"
    assert fault.facts["text"] == "Chính sách nước sinh hoạt ở địa phương"


def test_faults_speak_the_language_of_the_questionnaire():
    english = localized("sipas-2026.1", "en", frozenset())
    [fault] = check(english, whole(s31=7))[1]
    assert "polite and respectful" in fault.facts["text"]


def test_faults_come_in_the_order_of_the_questionnaire():
    answers = dict(reversed(whole(s39=8, sex=7, s01=None, zz=1).items()))
    assert [column for column, _ in codes(answers)] == ["sex", "s01", "s39", "zz"]


@pytest.mark.parametrize("code", [0, 6, 7, 8, 10, -1, 10**30])
def test_a_code_off_the_scale_is_refused(code):
    assert codes(whole(s31=code)) == [("s31", "off_scale")]


@pytest.mark.parametrize(("name", "code"), [("sex", 3), ("c8.1", 3), ("c4", 5), ("c10.1", 5)])
def test_a_code_of_another_question_is_refused(name, code):
    assert codes(whole() | {name: code}) == [(name, "off_scale")]


@pytest.mark.parametrize("value", [True, False, 4.0, "4", "", None, [4], {"4": 4}, "4.23/5.0"])
def test_an_answer_that_is_no_whole_number_is_refused(value):
    answers = whole()
    answers["s31"] = value
    assert codes(answers) == [("s31", "not_a_number")]


@pytest.mark.parametrize("name", ["m1", "s40", "", "c1", "c2.1", "c1.sport", "S31", "token"])
def test_a_name_the_questionnaire_does_not_have_is_refused(name):
    assert codes(whole() | {name: 1}) == [(name, "unknown_item")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([1, 1], "not_a_list"),
        ("1,2", "not_a_list"),
        (1, "not_a_list"),
        (None, "not_a_list"),
        ([1, "2"], "not_a_number"),
        ([True], "not_a_number"),
        ([1.0], "not_a_number"),
        ([[1]], "not_a_number"),
        ([8], "off_scale"),
        ([0], "off_scale"),
        ([1, 9], "not_alone"),
        ([9, 9], "not_a_list"),
        ([], "unanswered"),
    ],
)
def test_several_choices_that_cannot_be_are_refused(value, code):
    answers = whole()
    answers["c2"] = value
    assert codes(answers) == [("c2", code)]


def test_several_choices_are_kept_sorted():
    assert check(Q, whole(c2=[5, 1, 3]))[0]["c2"] == [1, 3, 5]


def test_a_text_beside_other_is_kept_with_that_choice():
    clean, faults = check(Q, whole(c2=[1, 7]) | {"c2.other": "Qua bảng tin"})
    assert faults == []
    assert clean["c2.other"] == "Qua bảng tin"


def test_a_text_beside_other_without_that_choice_is_named_not_dropped():
    answers = whole(c2=[1]) | {"c2.other": "Qua bảng tin"}
    [fault] = check(Q, answers)[1]
    assert (fault.column, fault.code) == ("c2.other", "not_asked")
    assert fault.facts["choice"] == "Qua hình thức khác (xin ghi cụ thể)"


def test_other_without_a_text_is_enough():
    assert codes(whole(c2=[7], education=6)) == []


def test_a_text_beside_other_has_its_own_length():
    answers = whole(c2=[7]) | {"c2.other": "a" * 201}
    [fault] = check(Q, answers)[1]
    assert (fault.code, fault.facts["maximum"]) == ("too_long", 200)


def test_ethnicity_is_accepted_after_its_consent():
    clean, faults = check(Q, whole(consent_ethnicity=1, ethnicity=2) | {"ethnicity.other": "Tày"})
    assert faults == []
    assert (clean["consent_ethnicity"], clean["ethnicity"]) == (1, 2)


def test_ethnicity_without_consent_is_refused_and_not_kept():
    clean, faults = check(Q, whole(ethnicity=1))
    assert [(fault.column, fault.code) for fault in faults] == [("ethnicity", "no_consent")]
    assert "ethnicity" not in clean


def test_a_consent_does_not_oblige_to_answer():
    assert codes(whole(consent_ethnicity=1)) == []


@pytest.mark.parametrize(("value", "code"), [(0, "off_scale"), (True, "not_a_number")])
def test_a_consent_is_given_by_1_alone(value, code):
    assert codes(whole(consent_ethnicity=value)) == [("consent_ethnicity", code)]


def test_a_text_is_composed():
    clean, faults = check(Q, whole(comment=unicodedata.normalize("NFD", "Phục vụ tốt")))
    assert faults == []
    assert clean["comment"] == "Phục vụ tốt"


def test_a_text_keeps_its_lines_as_newlines_and_loses_its_edges():
    clean, _ = check(Q, whole(comment="  Một\r\nHai\rBa\n\n"))
    assert clean["comment"] == "Một\nHai\nBa"


@pytest.mark.parametrize("text", ["", "   ", "\r\n\r\n"])
def test_a_blank_text_is_no_answer(text):
    clean, faults = check(Q, whole(comment=text))
    assert faults == []
    assert "comment" not in clean


@pytest.mark.parametrize(
    "letter",
    [
        *("\x00", "\t", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066"),
        *("\ufeff", "\ud800", "\udfff", "\uffff"),
    ],
)
def test_a_text_with_control_characters_is_refused(letter):
    assert codes(whole(comment=f"Tốt{letter}lắm")) == [("comment", "control_characters")]


@pytest.mark.parametrize("text", ["=1+1", "<b>đậm</b>", "👍🏽 tốt", "កម្ពុជា", "a\u200db", "-2"])
def test_a_text_that_looks_odd_but_can_be_printed_is_kept_as_it_is(text):
    assert check(Q, whole(comment=text))[0]["comment"] == text


@pytest.mark.parametrize("value", [1, True, ["Tốt"], {}, None])
def test_a_text_that_is_no_text_is_refused(value):
    answers = whole()
    answers["comment"] = value
    assert codes(answers) == [("comment", "not_text")]


def test_a_text_of_the_greatest_length_is_accepted():
    assert codes(whole(comment="ộ" * 2000)) == []


def test_length_is_counted_after_composing():
    assert codes(whole(comment=unicodedata.normalize("NFD", "ộ" * 2000))) == []


@pytest.mark.parametrize("length", [2001, 2140, 200_000])
def test_a_text_too_long_is_refused_with_its_length(length):
    [fault] = check(Q, whole(comment="ộ" * length))[1]
    assert fault.code == "too_long"
    assert (fault.facts["length"], fault.facts["maximum"]) == (length, 2000)


def test_a_long_run_of_combining_marks_costs_no_time():
    bomb = "a" + "\u0323\u0302" * 500_000
    assert timeit.timeit(lambda: check(Q, whole(comment=bomb)), number=1) < 1


def test_checking_twice_changes_nothing():
    clean, _ = check(Q, whole(comment=" Tốt\r\nlắm ", c2=[5, 1]))
    assert check(Q, clean) == (clean, [])


def test_checking_leaves_the_given_answers_alone():
    answers = whole(c2=[5, 1])
    before = json.dumps(answers)
    check(Q, answers)
    assert json.dumps(answers) == before


def test_the_short_form_is_accepted_without_a_comment():
    assert codes(short(), SHORT) == []


@pytest.mark.parametrize("name", ["m1", "m5", "m_all"])
def test_the_short_form_asks_every_question(name):
    assert codes(short(**{name: None}), SHORT) == [(name, "unanswered")]


def test_criteria_of_the_unit_may_be_left_out_of_a_dossier():
    answers = dict.fromkeys(("n1", "n2", "n3", "n4", "n6", "n7"), 3)
    assert codes(answers, load("nd61-2018.1")) == []


def test_nothing_is_stored_as_zero_points():
    assert codes({"n1": 0}, load("nd61-2018.1"))[0] == ("n1", "off_scale")


# A small questionnaire with every kind and rules on every kind.
def item(id, kind, **more):
    choices = [{"code": 1, "label": "Có"}, {"code": 2, "label": "Không"}]
    closed = {} if kind in ("number", "text") else {"choices": choices}
    return {"id": id, "kind": kind, "text": "Hỏi?"} | closed | more


RULED = parse(
    json.dumps(
        {
            "key": "thu-2026.1",
            "title": "Thử",
            "short": "Thử",
            "intro": "Thử.",
            "minutes": 1,
            "index_scale": 2,
            "source": "Để thử.",
            "languages": ["vi"],
            "sections": [{"id": "p", "title": "Phần", "items": [*"abcdefg"]}],
            "items": [
                item("a", "single"),
                item("b", "single", when={"column": "a", "any_of": [1]}),
                item("c", "multiple", when={"column": "b", "any_of": [1, 9]}),
                item("d", "number", when={"column": "c", "any_of": [2]}, minimum=1, maximum=9),
                item("e", "matrix", rows=[{"id": "x", "label": "Một"}]),
                item("f", "text", when={"column": "e.x", "any_of": [1]}, required=True),
                item("g", "number", required=True, minimum=-5, maximum=10_000),
            ],
        }
    )
)


@pytest.mark.parametrize(
    ("answers", "questions"),
    [
        ({}, "aeg"),
        ({"a": 2}, "aeg"),
        ({"a": 1}, "abeg"),
        ({"a": 1, "b": 2}, "abeg"),
        ({"a": 1, "b": 9}, "abceg"),
        ({"a": 1, "b": 1, "c": [1]}, "abceg"),
        ({"a": 1, "b": 1, "c": [1, 2]}, "abcdeg"),
        ({"a": 2, "b": 1, "c": [2]}, "aeg"),
        ({"a": 9, "e.x": 1}, "aefg"),
    ],
)
def test_questions_are_asked_as_the_rules_say(answers, questions):
    assert asked(RULED, answers) == set(questions)


def test_a_question_that_is_not_asked_need_not_be_answered():
    assert codes({"a": 2, "e.x": 2, "g": 0}, RULED) == []


def test_a_question_that_is_asked_must_be_answered():
    answers = {"a": 1, "e.x": 1, "g": 0}
    assert codes(answers, RULED) == [("b", "unanswered"), ("f", "unanswered")]


def test_answers_to_questions_that_are_not_asked_are_dropped_with_all_that_follows():
    clean, faults = check(RULED, {"a": 2, "b": 1, "c": [2], "d": 3, "e.x": 2, "f": "x", "g": 1})
    assert faults == []
    assert clean == {"a": 2, "e.x": 2, "g": 1}


def test_a_wrong_answer_to_a_question_that_is_not_asked_does_not_matter():
    assert codes({"a": 2, "b": 77, "e.x": 2, "g": 1}, RULED) == []


@pytest.mark.parametrize(("value", "code"), [(0, "out_of_range"), (10, "out_of_range")])
def test_a_number_out_of_range_is_refused(value, code):
    answers = {"a": 1, "b": 1, "c": [2], "d": value, "e.x": 2, "g": 1}
    [fault] = check(RULED, answers)[1]
    assert (fault.column, fault.code) == ("d", code)
    assert (fault.facts["minimum"], fault.facts["maximum"]) == (1, 9)


@pytest.mark.parametrize("value", ["5", 5.0, True, None, []])
def test_a_number_that_is_no_whole_number_is_refused(value):
    assert codes({"a": 2, "e.x": 2, "g": value}, RULED) == [("g", "not_a_number")]


def test_a_number_may_be_zero():
    assert check(RULED, {"a": 2, "e.x": 2, "g": 0})[0]["g"] == 0


def test_only_ethnicity_depends_on_another_answer_in_2026():
    everything = {item.id for item in Q.items}
    assert asked(Q, {}) == everything - {"ethnicity"}
    assert asked(Q, {"consent_ethnicity": 1}) == everything


def test_the_stored_text_is_compact_sorted_and_readable():
    assert canonical({"s02": 4, "c2": [1, 5], "comment": "Tốt"}) == (
        '{"c2":[1,5],"comment":"Tốt","s02":4}'
    )


def test_the_stored_text_does_not_depend_on_the_order_of_answers():
    answers = whole()
    assert canonical(answers) == canonical(dict(reversed(answers.items())))
    assert json.loads(canonical(answers)) == answers


def test_packed_answers_are_one_byte_a_column():
    packed = pack(Q, whole())
    assert len(packed) == len(Q.columns) == 90
    assert set(packed) <= set(range(10))


def test_unpacking_gives_every_column_its_code():
    codes = unpack(Q, pack(Q, whole(s31=2, c8=None)))
    assert list(codes) == [column.id for column in Q.columns]
    assert (codes["s31"], codes["ethnicity"], codes["sex"]) == (2, 0, 2)


def test_several_choices_are_packed_as_chosen_and_not_chosen():
    codes = unpack(Q, pack(Q, whole(c2=[1, 7])))
    assert [codes[f"c2.{n}"] for n in range(1, 8)] == [1, 2, 2, 2, 2, 2, 1]


def test_several_choices_without_an_answer_are_packed_as_such():
    assert set(pack(Q, whole(c2=[9]))[14:21]) == {9}
    assert set(pack(Q, {})) == {0}


def test_no_answer_is_packed_apart_from_nothing():
    codes = unpack(SHORT, pack(SHORT, {"m1": 9, "m2": 1}))
    assert codes == {"m1": 9, "m2": 1, "m3": 0, "m4": 0, "m5": 0, "m_all": 0}


def test_every_packed_code_is_one_its_column_allows():
    for column, code in zip(Q.columns, pack(Q, whole(c2=[3])), strict=True):
        assert code in column.codes | {0}


def test_bytes_of_another_questionnaire_are_refused():
    with pytest.raises(ValueError, match="90 columns, not 6"):
        unpack(Q, pack(SHORT, short()))


def test_packing_is_the_same_in_every_language():
    english = localized("sipas-2026.1", "en", frozenset())
    assert pack(english, whole()) == pack(Q, whole())


def test_every_fault_code_is_documented():
    bad = whole(s01=7, s02="x", c2=[1, 9], comment="a\0", ethnicity=1, zz=1, sex=None)
    assert {code for _, code in codes(bad)} < rules.CODES.keys()
