"""Every word in both languages, as Unicode has it and as the house speaks."""

import json
import re
import unicodedata

import pytest

from forms.language import parts
from forms.rules import CODES
from survey import text
from survey.text import FOLDER, LANGUAGES, STAFF_TOPICS, STRICT, catalogue, t

FILES = sorted(FOLDER.glob("*.json"))


def test_both_catalogues_are_complete():
    assert catalogue("vi").keys() == catalogue("en").keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_catalogue_is_nfc_without_blank_or_doubled_keys(file):
    raw = file.read_text("utf-8")
    pairs = json.loads(raw, object_pairs_hook=list)

    assert unicodedata.is_normalized("NFC", raw)
    assert len({key for key, _ in pairs}) == len(pairs)
    assert all(words.strip() == words and words for _, words in pairs)


def test_both_languages_take_the_same_facts():
    def facts(words):
        return set(re.findall(r"\{(\w+)\}", words))

    differing = [
        key for key, words in catalogue("vi").items() if facts(words) != facts(catalogue("en")[key])
    ]

    assert differing == []


def test_every_fault_of_the_rules_has_its_words():
    assert [code for code in CODES if not text.has(f"fault.{code}")] == []


def test_a_missing_word_is_an_error():
    with pytest.raises(LookupError):
        t("no.such.word")


def test_a_language_without_a_catalogue_is_an_error():
    with pytest.raises(LookupError):
        catalogue("xx")


@pytest.mark.parametrize("language", STRICT)
def test_a_missing_word_of_a_complete_language_is_an_error(language):
    with pytest.raises(LookupError):
        t("no.such.word", language)


def test_a_missing_word_of_a_language_to_come_stays_vietnamese_and_says_so():
    assert parts(t("form.part", "km", n=1, total=2)) == [("vi", "Phần 1/2")]


def test_nobody_is_offered_a_word_that_nobody_knows():
    with pytest.raises(LookupError):
        t("no.such.word", "km")


def test_topics_of_staff_name_files():
    assert {topic for topic in STAFF_TOPICS if not (FOLDER / f"{topic}.vi.json").exists()} == set()


def test_a_key_in_two_files_is_refused(tmp_path, monkeypatch):
    for name in ("vi.json", "staff.vi.json"):
        (tmp_path / name).write_text('{"twice": "a"}', "utf-8")
    monkeypatch.setattr(text, "FOLDER", tmp_path)
    catalogue.cache_clear()
    try:
        with pytest.raises(ValueError, match="twice"):
            catalogue("vi")
    finally:
        catalogue.cache_clear()


def test_the_languages_are_vietnamese_first():
    assert LANGUAGES[0] == "vi"


def test_citizens_read_no_exclamation_marks_and_no_system_errors():
    own = json.loads((FOLDER / "vi.json").read_text("utf-8"))

    loud = [key for key, words in own.items() if "!" in words or "lỗi hệ thống" in words.lower()]

    assert loud == []
