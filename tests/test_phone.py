"""The phone form without JavaScript: one page, every answer kept, every fault named."""

import json
import re
from contextlib import closing

import pytest
from citizens import Phone, receipt, stored

from survey import db, tokens
from survey.citizen import answering


@pytest.fixture
def phone(client, door_tokens):
    return Phone(client, f"/q/{door_tokens['household']}", "sipas-2026.1")


def test_the_phone_form_holds_every_question_and_chooses_none(phone):
    page = phone.client.get(phone.address).text

    assert "checked" not in page
    names = set(re.findall(r'<(?:input|textarea)[^>]* name="([^"]+)"', page))
    from forms import rules

    assert names == {*rules.names(phone.q), "page", "assisted_by"}


def test_a_full_form_is_stored_once_and_thanked(app, phone):
    page = phone.send(comment="Tốt")
    row = stored(app, receipt(page.text))

    assert page.status_code == 201
    assert "Cảm ơn Ông/Bà. Câu trả lời đã được lưu." in page.text
    assert re.search(r"Nhận lúc \d\d:\d\d ngày \d\d/\d\d/20\d\d", page.text)
    assert (row["channel"], row["wave"], row["questionnaire"]) == ("qr", "qr-2026", "sipas-2026.1")
    assert row["started_at"] <= row["submitted_at"]


def test_a_dossier_address_is_a_link_and_its_answer_does_not_name_it(app, client, door_tokens):
    phone = Phone(client, f"/q/{door_tokens['dossier']}", "mot-cua-2026.1")
    row = stored(app, receipt(phone.send().text))

    assert row["channel"] == "link"
    assert "H08.000-261122-0001" not in [str(value) for value in dict(row).values()]


def test_a_dossier_that_has_answered_says_so_before_anybody_answers_again(client, door_tokens):
    address = f"/q/{door_tokens['dossier']}"
    phone = Phone(client, address, "mot-cua-2026.1")
    first = phone.send()
    page = client.get(address)

    assert page.status_code == 409
    assert "Hồ sơ này đã có ý kiến. Mỗi hồ sơ gửi một lần." in page.text
    assert receipt(phone.send().text) == receipt(first.text)  # sent again: the same receipt


def test_a_missing_answer_comes_back_with_the_rest_kept(app, phone):
    page = phone.send(s32=None, s31="4", comment="Chờ lâu quá", c2=["1", "3"])

    assert page.status_code == 422
    main = page.text.split("<main")[1]
    assert main.index('class="note bad" id="errors"') < main.index("<h1")
    assert "Còn 1 mục chưa có câu trả lời" in main
    assert '<a href="#s32">Mục 32: ' in main
    assert re.search(
        r'role="radiogroup" class="miss" aria-invalid="true" aria-describedby="e-s32"', main
    )
    assert "Mục 32 chưa có câu trả lời. Ông/Bà chọn một mức" in main
    assert re.search(r'name="s31" value="4" checked', main)
    assert len(re.findall(r'name="c2" value="[13]"[^>]* checked', main)) == 2
    assert "Chờ lâu quá</textarea>" in main
    assert phone.token in main
    assert phone.send().status_code == 201


def test_all_faults_of_a_page_come_at_once_in_order(phone):
    page = phone.client.post(phone.address, data={"page": phone.token, "go": "send"})
    links = re.findall(r'<li><a href="#([^"]+)"', page.text)

    assert links[:4] == ["sex", "age", "education", "occupation"]
    assert links[4] == "c1.economy"
    assert links[-1] == "c10.10"
    assert f"Còn {len(links)} mục chưa có câu trả lời" in page.text


def test_markup_in_an_answer_stays_text(phone):
    page = phone.send(s01=None, comment='</textarea><script>alert(1)</script>"')

    assert "<script>alert" not in page.text


def test_another_size_keeps_the_answers_and_complains_of_nothing(phone):
    page = phone.client.post(
        phone.address + "?chu=to", data={"page": phone.token, "s31": "2", "go": "stay"}
    )

    assert page.status_code == 200
    assert 'data-size="large"' in page.text
    assert re.search(r'name="s31" value="2" checked', page.text)
    assert 'id="errors"' not in page.text


def test_ethnicity_is_asked_only_with_its_own_consent(app, phone):
    refused = phone.send(ethnicity="1")
    assert refused.status_code == 422
    assert '<a href="#consent_ethnicity">' in refused.text

    agreed = phone.send(ethnicity="1", consent_ethnicity="1")
    answers = json.loads(stored(app, receipt(agreed.text))["answers"])
    assert (answers["ethnicity"], answers["consent_ethnicity"]) == (1, 1)


def test_consent_is_never_ticked_beforehand(phone):
    page = phone.client.get(phone.address).text

    assert re.search(r'<input type="checkbox" id="consent_ethnicity"[^>]*>', page)
    assert "Không đánh dấu thì câu này được bỏ qua." in page


def test_a_text_beside_other_needs_that_choice(phone):
    page = phone.send(c2=["1"], c2__other="Trưởng thôn")

    assert page.status_code == 422
    assert '<a href="#c2.other">' in page.text
    assert 'value="Trưởng thôn"' in page.text


def test_fields_of_nobody_are_passed_over(app, phone):
    page = phone.send(csrf_token="x", utm_source="zalo")

    assert page.status_code == 201


def test_an_item_of_another_questionnaire_is_refused(phone):
    page = phone.send(m1="4")

    assert page.status_code == 422
    assert "không thuộc bảng hỏi này" in page.text


def test_a_page_opened_long_ago_is_still_good(app, phone, settings):
    from datetime import UTC, datetime

    old = tokens.page(
        settings.secret, "0192f6c4-7d1b-4b7e-9c55-1f6f0a2c9d10", datetime(2020, 1, 1, tzinfo=UTC)
    )

    assert phone.send(page=old).status_code == 201


def test_a_page_from_a_clock_ahead_is_still_good(phone, settings):
    from datetime import UTC, datetime

    ahead = tokens.page(
        settings.secret, "0192f6c4-7d1b-4b7e-9c55-1f6f0a2c9d11", datetime(2099, 1, 1, tzinfo=UTC)
    )

    assert phone.send(page=ahead).status_code == 201


def test_a_door_is_read_again_after_anything_was_written(app, client, door_tokens, facts):
    from survey.store import doors
    from survey.store.clock import now

    address = f"/k/{door_tokens['counter']}"
    assert client.get(address).status_code == 200
    number = facts.doors["counter"]
    app.extensions["sipas"].writer.run(
        lambda store: doors.close(store, number, now=now(), actor="shell:test")
    )

    assert client.get(address).status_code == 410


def test_what_tokens_opened_is_kept_within_bounds():
    known = answering.Known()
    for number in range(answering.Known.MOST + 5):
        known.put(str(number), (), None)

    assert len(known._held) <= answering.Known.MOST


def test_a_text_of_200000_letters_comes_back_whole_with_its_length(phone):
    page = phone.send(comment="ế" * 200_000)

    assert page.status_code == 422
    assert "Ý kiến dài 200.000 chữ cái, tối đa 2.000. Ông/Bà rút bớt giúp." in page.text
    assert "ế" * 200_000 in page.text


def test_ten_megabytes_are_refused_before_they_are_read(phone):
    page = phone.send(comment="a" * 10_000_000)

    assert page.status_code == 413
    assert "Nội dung gửi quá lớn" in page.text


def test_decomposed_letters_are_stored_composed(app, phone):
    import unicodedata

    page = phone.send(comment=unicodedata.normalize("NFD", "Phường phục vụ tốt"))

    assert json.loads(stored(app, receipt(page.text))["answers"])["comment"] == "Phường phục vụ tốt"


@pytest.mark.parametrize("letter", ["\x00", "\x08", "\x1b", "\u202e", "\u2028"])
def test_control_characters_are_named_not_stored(phone, letter):
    page = phone.send(comment=f"a{letter}b")

    assert page.status_code == 422
    assert "ký tự không in được" in page.text


def test_a_body_that_is_no_utf8_is_not_a_broken_page(phone):
    page = phone.client.post(
        phone.address,
        data=b"page=%FF&comment=%FF%FE&s01=%C0",
        content_type="application/x-www-form-urlencoded",
    )

    assert page.status_code == 422


@pytest.mark.parametrize("door", ["/k/", "/q/"])
def test_a_single_choice_sent_twice_is_refused(client, door_tokens, door):
    address = door + door_tokens["counter"]
    page = client.post(address, data={"m1": ["4", "5"], "at": "m1"})

    assert page.status_code == 422


def test_a_number_is_asked_and_kept_only_where_the_wave_says_for_how_long(settings, phone):
    assert "contact_phone" not in phone.client.get(phone.address).text
    with closing(db.connect(settings.database)) as store:
        store.execute("UPDATE wave SET contact_days = 90 WHERE key = 'qr-2026'")
    page = phone.client.get(phone.address + "?chu=to").text

    assert 'name="contact_phone"' in page
    assert "90 ngày" in page
    assert phone.send(contact_phone="0912 345 678").status_code == 422  # without the consent
    assert phone.send(contact_phone="0912 345 678", contact_consent="1").status_code == 201
    with closing(db.connect(settings.database)) as store:
        [row] = store.execute("SELECT phone FROM contact")
        assert row["phone"] == "0912345678"
