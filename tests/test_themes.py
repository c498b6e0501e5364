"""The dictionary: what its phrases find, and which phrases are refused, by line."""

import time
from contextlib import closing
from dataclasses import replace

import pytest
from small_wave import NOW

from survey import db
from survey.store import themes, words
from survey.store.themes import Finder, Theme

_act = {"now": NOW, "actor": "staff:administrator"}
SHIPPED = Finder(themes._shipped())


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def found(text, *phrases):
    return bool(Finder([Theme("x", "X", "neutral", "\n".join(phrases))]).find(text))


@pytest.mark.parametrize(
    ("text", "phrase", "hit"),
    [
        ("Tôi phải CHỜ LÂU.", "chờ lâu", True),
        ("toi phai cho lau", "chờ lâu", True),  # typed without diacritics
        ("chờ, lâu lắm", "chờ lâu", True),
        ("Đã cho lâu rồi", "chờ lâu", False),  # another word where diacritics are typed
        ("chờ rất là lâu", "chờ * lâu", True),
        ("chờ một hai ba bốn lâu", "chờ * lâu", False),
        ("chờ lâu", "chờ * lâu", True),
        ("nhân viên hoà nhã", "hòa nhã", True),
        ("đợi", "doi", False),
    ],
)
def test_what_a_phrase_finds(text, phrase, hit):
    assert found(text, phrase) is hit


def test_what_is_taken_away_does_not_count_but_the_rest_does():
    assert not found("Thái độ không tốt", "tốt", "- không tốt")
    assert found("Quầy không tốt nhưng cán bộ tốt", "tốt", "- không tốt")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Cán bộ hướng dẫn tận tình, dễ hiểu.", ("khen",)),
        ("Can bo khong nhiet tinh", ()),
        ("Thái độ không tốt, quát người già", ("thai-do",)),
        ("Phải đưa phong bì mới nhanh", ("phi",)),
        ("", ()),
    ],
)
def test_what_the_shipped_dictionary_says(text, names):
    assert SHIPPED.find(text) == names


@pytest.mark.parametrize(
    ("line", "code"),
    [("chờ (lâu", "sign"), ("[a-z]+", "sign"), ("* chờ", "star"), ("chờ *", "star"),
     ("chờ * * lâu", "star"), ("ch*ờ lâu", "star"), ("- ", "empty"), ("...", "empty"),
     ("một hai ba bốn năm sáu bảy tám chín", "long"), ("x" * 81, "long")],
)  # fmt: skip
def test_a_broken_phrase_is_refused_by_its_line(line, code):
    [fault] = themes.faults(Theme("x", "X", "neutral", f"chờ lâu\n{line}"))

    assert (fault.line, fault.code) == (2, code)
    assert "Dòng 2" in fault.text


def test_a_theme_without_name_tone_or_phrase_is_refused():
    codes = {fault.code for fault in themes.faults(Theme("x", " ", "loud", "- tốt"))}

    assert codes == {"name", "tone", "none"}
    again = themes.faults(Theme("x", "X", "neutral", "chờ lâu\nchờ  lâu"))
    assert [(fault.line, fault.code) for fault in again] == [(2, "repeated")]


def test_no_dictionary_takes_long_however_it_is_written():
    phrases = "\n".join(f"a * a * a * {'b ' * (n % 3)}c{n}" for n in range(200))
    finder = Finder([Theme("x", "X", "neutral", phrases)])
    began = time.process_time()
    finder.find("a " * 2000)

    assert time.process_time() - began < 5


def test_a_theme_changed_by_somebody_else_is_not_overwritten(base):
    held = next(one for one in themes.all(base) if one.key == "khen")
    themes.put(base, replace(held, words="tuyệt vời"), **_act)

    with pytest.raises(Exception, match="theme_changed"):
        themes.put(base, replace(held, words="hay"), **_act)
    assert next(one for one in themes.all(base) if one.key == "khen").words == "tuyệt vời"
    assert len(themes.all(base)) == len(themes._shipped())


def test_a_theme_is_taken_out_but_never_the_last(base):
    for one in themes.all(base)[1:]:
        themes.drop(base, one.key, **_act)

    with pytest.raises(Exception, match="theme_last"):
        themes.drop(base, themes.all(base)[0].key, **_act)


def test_one_word_has_one_spelling():
    assert words.tokens("Hoà HÒA ho\u0300a") == ["hoa\u0300"] * 3
    assert words.bare("đường".casefold()) == "duong"
