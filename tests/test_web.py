"""Posted forms: read fast, and judged exactly as the WTForms reference judges them."""

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rules import RULED
from werkzeug.datastructures import MultiDict

from forms import rules
from forms.questionnaire import keys, load
from forms.web import FIELDS, form_for, from_form

Q = load("sipas-2026.1")


def whole(**changes):
    single = [c for c in Q.columns if c.item.kind != "multiple" and c.item.id != "ethnicity"]
    fields = {c.id: [str(max(c.codes - {9}))] for c in single} | {"c2": ["1", "5"]} | changes
    return MultiDict({name: values for name, values in fields.items() if values})


@pytest.fixture(scope="module", autouse=True)
def app():
    with Flask("forms").app_context():
        yield


def reference(q, posted):
    return form_for(q)(formdata=posted).validate()


def ours(q, posted):
    return not rules.check(q, from_form(q, posted))[1]


def test_codes_become_numbers_and_several_become_a_list():
    answers = from_form(Q, whole(comment=["Tốt"]))
    assert (answers["s31"], answers["c2"], answers["comment"]) == (5, [1, 5], "Tốt")


def test_a_whole_posted_form_is_accepted():
    assert ours(Q, whole())
    assert reference(Q, whole())


def test_an_empty_post_gives_no_answers():
    assert from_form(Q, MultiDict()) == {}


@pytest.mark.parametrize("blank", ["", " ", "\r\n"])
def test_a_blank_field_is_no_answer(blank):
    assert from_form(Q, MultiDict({"s31": blank, "c2": blank, "comment": blank})) == {}


def test_nothing_is_invented_for_what_was_not_posted():
    assert from_form(Q, MultiDict({"s31": "4"})) == {"s31": 4}


@pytest.mark.parametrize("text", ["04", "4 ", "+4", "4.0", "٤", "４", "0", "10", "on", "Hài lòng"])
def test_a_text_that_is_no_code_is_refused(text):
    posted = whole(s31=[text])
    assert [(f.column, f.code) for f in rules.check(Q, from_form(Q, posted))[1]] == [
        ("s31", "not_a_number")
    ]
    assert not reference(Q, posted)


def test_a_code_off_the_scale_is_refused():
    posted = whole(s31=["7"])
    assert rules.check(Q, from_form(Q, posted))[1][0].code == "off_scale"
    assert not reference(Q, posted)


def test_a_single_answer_posted_twice_is_refused_not_chosen_from():
    posted = whole(s31=["1", "5"])
    assert not ours(Q, posted)
    assert not reference(Q, posted)


def test_a_field_posted_blank_twice_is_no_answer():
    posted = whole(ethnicity=["", " "])
    assert ours(Q, posted)
    assert reference(Q, posted)


def test_the_pages_own_fields_are_passed_over():
    posted = whole(page=["signed"], language=["vi"], response_id=["x"])
    assert ours(Q, posted)


def test_an_item_of_another_questionnaire_is_named():
    faults = rules.check(Q, from_form(Q, whole(m1=["4"])))[1]
    assert [(fault.column, fault.code) for fault in faults] == [("m1", "unknown_item")]


def test_a_consent_that_was_not_ticked_is_no_consent():
    assert not ours(Q, whole(ethnicity=["1"]))
    assert not reference(Q, whole(ethnicity=["1"]))
    assert ours(Q, whole(ethnicity=["1"], consent_ethnicity=["1"]))
    assert reference(Q, whole(ethnicity=["1"], consent_ethnicity=["1"]))


def test_a_number_is_read_as_a_number():
    assert from_form(RULED, MultiDict({"g": "-5"})) == {"g": -5}
    assert from_form(RULED, MultiDict({"g": "1_0"})) == {"g": "1_0"}


def test_the_reference_form_is_made_once_and_has_every_kind():
    assert form_for(Q) is form_for(Q)
    assert {item.kind for key in keys() for item in load(key).items} <= FIELDS.keys()
    assert set(rules.names(Q)) <= {field.name for field in form_for(Q)(formdata=MultiDict())}


def test_the_reference_form_has_nothing_chosen_beforehand():
    form = form_for(Q)(formdata=MultiDict())
    assert not any(field.data for field in form)


ODD = ["", " ", "0", "1", "2", "3", "5", "7", "9", "10", "04", "x", "-1", "\x00", "ộ" * 201]
ODD += [
    "a\r\nb",
    "a\tb",
    "\u202e",
    "\ufeff",
    "o\u0323\u0302",
    "ộ" * 2001,
    "=1+1",
    "\x1c",
    "12345678901",
]


def good(q):
    """Return a good post; questions that depend on others are left out."""
    p = rules.plan(q)
    skipped = {name for _, _, fields in p.conditional for name in fields}
    fields = {name: [str(max(codes - {9}))] for name, codes in (p.codes | p.several).items()}
    fields |= {name: ["4"] for name in p.numbers}
    optional = skipped | set(q.consents)
    return {name: values for name, values in fields.items() if name not in optional}


def posts(q, names=()):
    """Return good posts with up to four fields changed: left out, odd, repeated or answered."""
    p = rules.plan(q)

    def changed(name):
        codes = [[str(code)] for code in sorted(p.codes.get(name, p.several.get(name, ())))]
        codes += [["Tốt"]] if name in p.texts else [["4"]] if name in p.numbers else []
        several = st.lists(st.sampled_from(["1", "2", "7", "9", ""]), max_size=3)
        odd = st.one_of(st.sampled_from(ODD).map(lambda value: [value]), several)
        return st.tuples(st.just(name), st.one_of(st.sampled_from(codes), odd))

    changes = st.lists(st.sampled_from(names or p.order).flatmap(changed), max_size=4)
    return changes.map(
        lambda some: MultiDict({k: v for k, v in (good(q) | dict(some)).items() if v})
    )


def judged_alike(q, posted):
    form = form_for(q)(formdata=posted)
    faults = rules.check(q, from_form(q, posted))[1]
    assert form.validate() == (not faults)
    refused = {fault.column for fault in faults}
    assert refused <= form.errors.keys()
    follow = {name for name, (item, _) in rules.plan(q).others.items() if item in refused}
    follow |= {name for _, _, fields in rules.plan(q).conditional for name in fields}
    assert form.errors.keys() <= refused | follow  # a question speaks for what depends on it


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(posts(RULED))
def test_a_small_form_with_rules_is_judged_alike(posted):
    judged_alike(RULED, posted)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(posts(load("mot-cua-2026.1")))
def test_the_one_stop_form_is_judged_alike(posted):
    judged_alike(load("mot-cua-2026.1"), posted)


NAMES = ("consent_ethnicity", "sex", "ethnicity", "ethnicity.other", "education")
NAMES += ("education.other", "c1.water", "c2", "c2.other", "s31", "c10.1", "comment")


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(posts(Q, NAMES))
def test_the_household_form_is_judged_alike(posted):
    judged_alike(Q, posted)
