"""The four questionnaires that ship, their languages, and what published means."""

import hashlib
import json
import re
import unicodedata

import pytest

from forms import document
from forms.language import marked, parts
from forms.questionnaire import (
    FOLDER,
    NO_ANSWER,
    Faulty,
    catalogue_faults,
    keys,
    lineage,
    load,
    localized,
    missing,
    published,
    read,
)

KEYS = ("mot-cua-2026.1", "nd61-2018.1", "sipas-2022.1", "sipas-2026.1")
WARD = frozenset(
    {("commune_word", "phường"), ("province_word", "thành phố"), ("hamlet_word", "tổ dân phố")}
)
POLICIES = ["economy", "health", "education", "water", "electricity", "security"]
POLICIES += ["roads", "welfare", "reform"]


@pytest.fixture
def q():
    return load("sipas-2026.1")


def both(key):
    return [localized(key, language, frozenset()) for language in ("vi", "en")]


def texts(q):
    yield from (q.title, q.short, q.intro)
    for block in (*q.areas, *q.factors):
        yield block.name
    for section in q.sections:
        yield from (section.title, section.intro)
    for item in q.items:
        yield from (item.text, item.note)
        yield from (choice.label for choice in item.choices)
        yield from (row.label for row in item.rows)


def test_the_four_questionnaires_ship():
    assert keys() == KEYS


@pytest.mark.parametrize("key", ["", "sipas-2026", "sipas-2026.1.en", "../x", "sipas-2027.1"])
def test_an_unknown_questionnaire_is_a_lookup_error(key):
    with pytest.raises(LookupError):
        load(key)
    with pytest.raises(LookupError):
        localized(key, "vi", frozenset())


def test_a_questionnaire_is_loaded_once():
    assert load("sipas-2026.1") is load("sipas-2026.1")
    assert localized("sipas-2026.1", "en", WARD) is localized("sipas-2026.1", "en", WARD)


def test_2026_has_39_satisfaction_items_23_of_policy_and_16_of_service(q):
    area = {factor.id: factor.area for factor in q.factors}
    of = [area[item.factor] for item in q.scored]
    assert (len(of), of.count("I"), of.count("II")) == (39, 23, 16)


def test_2026_has_nine_factors_of_the_published_sizes(q):
    assert [len(factor.items) for factor in q.factors] == [2, 2, 9, 10, 3, 4, 3, 3, 3]
    assert [area.id for area in q.areas] == ["I", "II"]
    assert [len(area.factors) for area in q.areas] == [4, 5]


def test_2026_gives_the_51_indices_that_were_announced(q):
    assert len(q.scored) + len(q.factors) + len(q.areas) + 1 == 51


def test_2022_gives_the_45_indices_that_were_announced():
    old = load("sipas-2022.1")
    assert len(old.scored) == 33
    assert len(old.scored) + len(old.factors) + len(old.areas) + 1 == 45
    assert [len(factor.items) for factor in old.factors] == [2, 2, 8, 2, 4, 4, 5, 3, 3]


def test_2026_has_ten_needs_and_ten_numbered_questions(q):
    assert len(q.item("c10").rows) == 10
    numbers = dict.fromkeys(section.number for section in q.sections if section.number)
    assert list(numbers) == [f"Câu {n}" for n in range(1, 11)]


def test_question_9_is_shown_in_nine_parts_one_for_each_factor(q):
    parts = [section.items for section in q.sections if section.number == "Câu 9"]
    assert parts == [factor.items for factor in q.factors]


def test_2026_has_83_single_answers_and_seven_channels(q):
    assert len(q.columns) == 90
    assert sum(column.item.kind == "multiple" for column in q.columns) == 7


def test_columns_have_the_agreed_names(q):
    ids = [column.id for column in q.columns]
    assert ids[:5] == ["sex", "ethnicity", "age", "education", "occupation"]
    assert ids[5:14] == [f"c1.{policy}" for policy in POLICIES]
    assert ids[14:21] == [f"c2.{n}" for n in range(1, 8)]
    assert [id for id in ids if id[0] == "s" and id[1:].isdigit()] == [
        f"s{n:02d}" for n in range(1, 40)
    ]
    assert ids[-10:] == [f"c10.{n}" for n in range(1, 11)]
    assert len(set(ids)) == len(ids)


def test_policies_are_matched_by_key_and_stand_in_another_order_in_question_9(q):
    asked = [row.policy for row in q.item("c1").rows]
    quality = [i.policy for i in q.items if i.factor == "I.C"]
    assert asked == POLICIES
    assert sorted(asked) == sorted(quality)
    assert asked != quality


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ("economy", "kinh tế"),
        ("health", "khám, chữa bệnh"),
        ("education", "phổ thông"),
        ("water", "nước sinh hoạt"),
        ("electricity", "điện sinh hoạt"),
        ("security", "trật tự, an toàn xã hội"),
        ("roads", "đường bộ"),
        ("welfare", "an sinh xã hội"),
        ("reform", "hành chính"),
    ],
)
def test_a_policy_key_stands_at_the_texts_that_speak_of_it(q, policy, word):
    rows = [row.label for row in q.item("c1").rows if row.policy == policy]
    items = [item.text for item in q.items if item.policy == policy]
    assert len(rows) == 1
    assert len(items) == (3 if policy == "economy" else 2)
    assert all(word in text.lower() for text in rows + items)


def test_nine_policies_have_ten_outcomes_because_the_economy_has_two(q):
    outcomes = [item.policy for item in q.items if item.factor == "I.D"]
    assert len(outcomes) == 10
    assert set(outcomes) == set(POLICIES)
    assert outcomes.count("economy") == 2


def test_satisfaction_runs_from_1_to_5_with_every_level_in_words(q):
    labels = [(choice.code, choice.label) for choice in q.item("s31").choices]
    assert labels == [
        (1, "Rất không hài lòng"),
        (2, "Không hài lòng"),
        (3, "Bình thường"),
        (4, "Hài lòng"),
        (5, "Rất hài lòng"),
    ]
    assert {tuple(item.choices) for item in q.scored} == {q.item("s31").choices}


def test_levels_of_judgements_and_needs_are_the_printed_four(q):
    for id in ("c1", "c3", "c7", "c10"):
        assert [choice.code for choice in q.item(id).choices] == [1, 2, 3, 4]
        assert q.item(id).choices[0].label.startswith("Không ")


def test_ethnicity_is_optional_and_asked_only_after_its_own_consent(q):
    item = q.item("ethnicity")
    assert not item.required
    assert item.consent == "ethnicity"
    assert item.when is not None
    assert (item.when.column, item.when.any_of) == ("consent_ethnicity", (1,))
    assert q.consents == ("consent_ethnicity",)


def test_ethnicity_is_the_only_closed_question_that_is_optional(q):
    assert [i.id for i in q.items if i.closed and not i.required] == ["ethnicity"]


def test_the_one_stop_form_takes_at_most_eight_taps():
    q = load("mot-cua-2026.1")
    assert [item.id for item in q.items] == ["m1", "m2", "m3", "m4", "m5", "m_all", "comment"]
    start_and_send = 2
    assert sum(item.kind == "scale" for item in q.items) + start_and_send <= 8


def test_the_one_stop_form_asks_each_service_factor_once_and_the_whole_apart():
    q = load("mot-cua-2026.1")
    assert [f.id for f in q.factors] == ["II.A", "II.B", "II.C", "II.D", "II.E"]
    assert all(len(factor.items) == 1 for factor in q.factors)
    assert q.item("m_all").factor == ""
    assert q.item("m_all") not in q.scored


def test_one_stop_factors_bear_the_names_of_the_household_form(q):
    names = {factor.id: factor.name for factor in q.factors}
    assert all(names[f.id] == f.name for f in load("mot-cua-2026.1").factors)


def test_nd61_has_nine_criteria_of_three_levels_printed_from_the_best_down():
    q = load("nd61-2018.1")
    assert len(q.scored) == 9
    assert q.index_scale == 3
    for item in q.items:  # the stored value is the code, never the position
        assert [choice.code for choice in item.choices] == [3, 2, 1]


def test_nd61_criteria_of_a_unit_are_not_required_of_a_dossier():
    q = load("nd61-2018.1")
    assert {item.id for item in q.items if not item.required} == {"n5", "n8", "n9"}


def test_items_that_stayed_the_same_point_to_2022(q):
    links = {item.id: item.same_as for item in q.items if item.same_as}
    old = load("sipas-2022.1")
    assert len(links) == 20
    assert len(set(links.values())) == 20
    assert links["s31"] == "sipas-2022.1:s23"
    for link in links.values():
        old.item(link.split(":")[1])


def test_linked_items_stand_in_the_same_factor(q):
    old = load("sipas-2022.1")
    for item in q.items:
        if item.same_as:
            assert old.item(item.same_as.split(":")[1]).factor == item.factor


def test_an_unknown_item_is_a_lookup_error(q):
    with pytest.raises(LookupError):
        q.item("s40")


@pytest.mark.parametrize("key", KEYS)
def test_every_file_says_where_its_wording_comes_from(key):
    assert len(load(key).source) > 80


@pytest.mark.parametrize("key", KEYS)
def test_every_closed_question_offers_no_answer_apart_from_its_choices(key):
    for column in load(key).columns:
        assert NO_ANSWER in column.codes
        assert NO_ANSWER not in {choice.code for choice in column.item.choices}


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_answered_beforehand(key):
    content = read(f"{key}.json")
    for word in ("default", "checked", "selected", "preset"):
        assert f'"{word}"' not in content


@pytest.mark.parametrize("key", KEYS)
def test_every_text_is_composed_printable_and_more_than_digits(key):
    for q in both(key):
        for text in filter(None, texts(q)):
            assert unicodedata.normalize("NFC", text) == text
            assert text.isprintable()
            assert not text.isdigit()
            assert "{" not in text


@pytest.mark.parametrize("key", KEYS)
def test_every_item_choice_and_row_has_its_text_in_both_languages(key):
    source = document.decode(read(f"{key}.json"))
    english = document.decode(read(f"{key}.en.json"))
    assert document.texts(source).keys() == english["texts"].keys()
    assert catalogue_faults(source, english) == []


@pytest.mark.parametrize("key", KEYS)
def test_english_has_no_vietnamese_left_but_names(key):
    vietnamese = re.compile("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE)
    for text in texts(localized(key, "en", frozenset())):
        assert not vietnamese.search(text.replace("NĐ-CP", "")), text


@pytest.mark.parametrize("key", KEYS)
def test_english_keeps_ids_codes_and_columns(key):
    vi, en = both(key)
    assert [c.id for c in vi.columns] == [c.id for c in en.columns]
    assert [c.codes for c in vi.columns] == [c.codes for c in en.columns]
    assert vi.digest == en.digest == load(key).digest


def test_place_words_of_a_ward_are_put_in():
    q = localized("sipas-2026.1", "vi", WARD)
    assert q.item("c2").choices[0].label == "Qua loa phát thanh phường"
    assert "tuyến thành phố, tuyến phường" in q.item("c8").rows[1].label
    assert "họp tổ dân phố" in q.item("s01").note


def test_place_words_of_a_ward_are_english_in_english():
    q = localized("sipas-2026.1", "en", WARD)
    assert q.item("c2").choices[0].label == "The ward loudspeakers"
    assert "of the city or the ward" in q.item("c8").rows[1].label


def test_a_wave_may_give_its_own_english_name_of_an_office():
    words = frozenset({("office", "Chi nhánh số 3"), ("en:office", "Branch No. 3")})
    en, vi = (localized("sipas-2026.1", language, words) for language in ("en", "vi"))
    assert en.item("s31").text.startswith("Officials at the Branch No. 3 are")
    assert vi.item("s31").text.startswith("Công chức ở Chi nhánh số 3 có")


def test_a_sentence_that_begins_with_a_place_word_keeps_its_capital():
    q = localized("sipas-2026.1", "vi", frozenset({("office", "bộ phận Một cửa")}))
    assert q.item("s24").text.startswith("Bộ phận Một cửa có biển hiệu")
    assert "tại bộ phận Một cửa" in q.item("s27").text


def test_words_nobody_gave_come_from_the_file():
    assert "phường/xã" in localized("sipas-2026.1", "vi", frozenset()).item("c2").choices[0].label


def test_a_place_word_is_put_in_once_and_never_read_again():
    q = localized("sipas-2026.1", "vi", frozenset({("commune_word", "{office}")}))
    assert q.item("c2").choices[0].label == "Qua loa phát thanh {office}"


@pytest.mark.parametrize("language", ["km", "../en", "", "EN"])
def test_a_language_without_catalogue_falls_back_to_vietnamese(language):
    q = localized("sipas-2026.1", language, WARD)
    assert parts(q.item("sex").text) == [("vi", "Giới tính")]
    assert parts(q.item("c2").choices[0].label) == [("vi", "Qua loa phát thanh phường")]
    assert q.item("s31").number == "31"


def test_vietnamese_says_nothing_of_its_language():
    assert not any(marked(text) for text in texts(localized("sipas-2026.1", "vi", WARD)))


def test_a_place_word_without_translation_is_marked_inside_its_sentence():
    q = localized("sipas-2026.1", "en", frozenset({("office", "Chi nhánh số 3")}))
    assert parts(q.item("s31").text)[:2] == [("", "Officials at the "), ("vi", "Chi nhánh số 3")]


@pytest.mark.parametrize("key", KEYS)
def test_english_is_complete_and_the_languages_to_come_are_not(key):
    assert missing(key, "vi") == missing(key, "en") == ()
    assert missing(key, "km")[0] == "title"
    with pytest.raises(LookupError):
        missing("sipas-2027.1", "km")


def test_a_text_without_translation_falls_back_alone():
    source = document.decode(read("mot-cua-2026.1.json"))
    changed = document.change(source, lambda key, text: {"item.m1": "English"}.get(key, text))
    assert changed["items"][0]["text"] == "English"
    assert changed["items"][1]["text"].startswith("Ông/Bà")


def test_a_catalogue_is_refused_with_all_its_faults():
    source = document.decode(read("mot-cua-2026.1.json"))
    bad = {"texts": {"item.m9": "x", "item.m1": " ", "item.m2": "{ward}", "item.m3": 4}, "x": 1}
    faults = "\n".join(catalogue_faults(source, bad))
    for part in ("“x”", "item.m9", "item.m1: để trống", "“{ward}”", "item.m3: phải là chữ"):
        assert part in faults


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_every_file_is_published_and_unchanged(path):
    assert published()[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_published_names_no_file_that_is_gone():
    assert all((FOLDER / name).is_file() for name in published())


def copy_of(tmp_path, name="mot-cua-2026.1.json"):
    for file in (name, "published.sha256"):
        (tmp_path / file).write_bytes((FOLDER / file).read_bytes())
    return tmp_path / name


def test_a_published_file_that_was_changed_is_refused(tmp_path):
    path = copy_of(tmp_path)
    path.write_bytes(path.read_bytes().replace("tôn trọng".encode(), "tử tế".encode()))
    with pytest.raises(Faulty, match="đã phát hành mà bị sửa"):
        read(path.name, tmp_path)


def test_a_published_file_is_read_as_it_is(tmp_path):
    path = copy_of(tmp_path)
    assert read(path.name, tmp_path) == path.read_text("utf-8")


def test_a_draft_may_change(tmp_path):
    (tmp_path / "published.sha256").write_text("")
    (tmp_path / "draft-1.1.json").write_text("{}")
    assert read("draft-1.1.json", tmp_path) == "{}"


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "published.sha256").write_text("")
    (tmp_path / "draft-1.1.json").write_bytes("Câu".encode("cp1258"))
    with pytest.raises(Faulty, match=r"không phải UTF-8 \(byte thứ 2\)"):
        read("draft-1.1.json", tmp_path)


def test_the_digest_does_not_depend_on_spaces_or_order():
    one = document.decode('{"a": 1, "b": [2]}')
    assert document.digest(one) == document.digest(json.loads('{"b":[2],"a":1}'))
    assert document.digest(one) != document.digest({"a": 1, "b": [3]})


def test_items_of_two_versions_are_the_same_only_where_it_was_declared():
    found = lineage("sipas-2026.1", "sipas-2022.1")
    assert len(found) == 20
    assert (found["s14"], found["s39"]) == ("s13", "s33")
    assert "s15" not in found
    back = lineage("sipas-2022.1", "sipas-2026.1")
    assert back == {theirs: mine for mine, theirs in found.items()}


def test_a_questionnaire_is_all_of_itself_and_nothing_of_a_stranger():
    assert lineage("mot-cua-2026.1", "mot-cua-2026.1")["comment"] == "comment"
    assert lineage("mot-cua-2026.1", "sipas-2026.1") == {}
    with pytest.raises(LookupError):
        lineage("sipas-2026.1", "none-1.1")
