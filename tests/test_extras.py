"""What comes beside the answers: who helped, and a number that nobody keeps without consent."""

import pytest
from flask import render_template_string
from html_checks import faults
from werkzeug.datastructures import MultiDict

from survey.citizen import extras
from survey.citizen.extras import HELPERS, phone, read
from survey.citizen.pages import Look, Place

PLACE = Place("mot-cua-2026.1", frozenset(), "Quầy 3", "Đợt thử", "Sở Nội vụ", False, 90)
PAGE = """{% import "citizen/_extras.html" as more %}<!doctype html><html lang="vi"><head>
<title>x</title></head><body><h1>x</h1><form>{{ more.assisted(look, values, notices) }}
{{ more.contact(place, look, values, notices) }}</form></body></html>"""


def form(**fields):
    return MultiDict(fields)


def drawn(app, place=PLACE, language="vi", values=(), notices=()):
    with app.test_request_context():
        return render_template_string(
            PAGE,
            place=place,
            look=Look(language),
            values=dict(values),
            notices=dict(notices),
        )


def test_a_form_without_extras_has_none():
    assert read(form(m1="4", assisted_by="", contact_phone="")) == extras.NOTHING


@pytest.mark.parametrize("helper", HELPERS)
def test_who_helped_is_read(helper):
    assert read(form(assisted_by=helper)).assisted_by == helper


def test_somebody_who_answered_alone_had_no_helper():
    assert read(form(assisted_by="self")).assisted_by is None
    assert not read(form(assisted_by="self")).faults


def test_a_helper_nobody_offered_is_a_fault():
    [fault] = read(form(assisted_by="robot")).faults

    assert (fault.column, fault.code) == ("assisted_by", "assisted")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0912345678", "0912345678"),
        ("0912 345 678", "0912345678"),
        ("0912.345.678", "0912345678"),
        ("0912-345-678", "0912345678"),
        (" (091) 234 5678 ", "0912345678"),
        ("+84912345678", "0912345678"),
        ("+84 (0)912 345 678", "0912345678"),
        ("0084 912345678", "0912345678"),
        ("84912345678", "0912345678"),
        ("０９１２３４５６７８", "0912345678"),
        ("0912\u00a0345\u00a0678", "0912345678"),
        ("024 3825 1234", "02438251234"),
        ("+84 24 3825 1234", "02438251234"),
        ("0368 000 111", "0368000111"),
    ],
)
def test_a_number_is_read_however_people_write_it(typed, number):
    assert phone(typed) == (number, None)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("chín không", "phone_letters"),
        ("0912 345 67o", "phone_letters"),
        ("+1 202 555 0100", "phone_abroad"),
        ("912345678", "phone_start"),
        ("1900 1234", "phone_start"),
        ("091234567", "phone_length"),
        ("09123456789", "phone_length"),
        ("02438251", "phone_length"),
        ("0412345678", "phone_unknown"),
        ("0612345678", "phone_unknown"),
        ("+", "phone_abroad"),
        ("٠٩١٢٣٤٥٦٧٨", "phone_letters"),
    ],
)
def test_what_is_no_number_is_told_why(typed, code):
    number, wrong = phone(typed)

    assert number == ""
    assert wrong[0] == code


def test_a_number_with_consent_is_taken():
    found = read(form(contact_phone="0912 345 678", contact_consent="1"))

    assert found.contact == "0912345678"
    assert found.faults == ()


@pytest.mark.parametrize("consent", ["", "0", "on", "yes"])
def test_a_number_without_consent_is_a_fault_and_is_not_given_on(consent):
    found = read(form(contact_phone="0912345678", contact_consent=consent))

    assert found.contact is None
    assert [fault.code for fault in found.faults] == ["phone_no_consent"]


def test_a_consent_without_a_number_asks_for_it():
    found = read(form(contact_consent="1"))

    assert [fault.code for fault in found.faults] == ["phone_missing"]


def test_all_faults_come_at_once():
    found = read(form(assisted_by="robot", contact_phone="abc"))

    assert [f.column for f in found.faults] == ["assisted_by", "contact_phone", "contact_consent"]


def test_a_wave_that_keeps_no_numbers_takes_none():
    found = read(form(contact_phone="abc", assisted_by="family"), asks_contact=False)

    assert (found.assisted_by, found.contact, found.faults) == ("family", None, ())


def test_what_was_typed_is_given_back():
    found = read(form(contact_phone="<b>", contact_consent="1", m1="4"))

    assert found.given == {"contact_phone": "<b>", "contact_consent": "1"}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_fault_has_its_words(language):
    sent = [form(assisted_by="robot", contact_phone=typed) for typed in ("a", "+1", "9", "04")]
    sent += [form(contact_phone="091"), form(contact_consent="1")]

    for one in sent:
        for notice in extras.notices(read(one), language).values():
            assert notice.short
            assert "{" not in notice.message


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nothing_is_ticked_beforehand_and_every_control_has_its_label(app, language):
    page = drawn(app, language=language)

    assert faults(page.replace('lang="vi"', f'lang="{language}"')) == []
    assert "checked" not in page
    assert page.count('type="radio"') == 5
    assert "90" in page
    assert "Sở Nội vụ" in page


def test_a_number_is_asked_for_only_when_the_wave_keeps_numbers(app):
    page = drawn(app, place=Place("mot-cua-2026.1", frozenset(), "", "", "", False))

    assert "contact_" not in page
    assert 'name="assisted_by"' in page


def test_faults_stand_at_their_controls_with_what_was_typed(app):
    sent = read(form(assisted_by="family", contact_phone='0912"><script>'))
    page = drawn(app, values=sent.given, notices=extras.notices(sent, "vi"))

    assert faults(page) == []
    assert 'id="e-contact_phone"' in page
    assert 'id="e-contact_consent"' in page
    assert "<script>" not in page
    assert page.count("checked") == 1
