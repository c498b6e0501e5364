"""The doors without JavaScript: every tap posts, every answer is kept, none is made up."""

import json
import re
from html import unescape

import pytest

from forms.questionnaire import load
from survey import answering, db, kiosk, screens, tokens
from survey.pages import Look
from survey.store import responses

SHORT = ["m1", "m2", "m3", "m4", "m5", "m_all"]


def hidden(page):
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return [(name, unescape(value)) for name, value in fields]


def receipt(page):
    return re.search(r'class="code"[^>]*>([^<]+)', page).group(1)


def question(page):
    return unescape(re.search(r'<h1 id="q"[^>]*>(.*?)</h1>', page).group(1))


def stored(app, code):
    with app.app_context():
        return responses.by_receipt(db.get(), code)


class Tablet:
    """Somebody at the counter: sees a page, taps a button of it."""

    def __init__(self, client, address):
        self.client, self.address, self.fields = client, address, []
        self.answer = client.get(address)

    @property
    def page(self):
        return self.answer.text

    def tap(self, name, value, **typed):
        data = {}
        for field, given in [*hidden(self.page), *typed.items(), (name, value)]:
            data.setdefault(field, []).extend(given if isinstance(given, list) else [given])
        self.answer = self.client.post(self.address, data=data)
        return self.page

    def begin(self):
        return self.tap("go", "start")

    def to_the_comment(self, code="4"):
        self.begin()
        for item in SHORT:
            self.tap(item, code)
        return self.page


@pytest.fixture
def tablet(client, door_tokens):
    return Tablet(client, f"/k/{door_tokens['counter']}")


@pytest.fixture
def wide(client, door_tokens):
    """A kiosk with the household questionnaire: every kind of question."""
    return Tablet(client, f"/k/{door_tokens['household']}")


def test_the_start_asks_nothing_and_promises_what_is_kept(tablet):
    assert "Không hỏi tên, không cần đăng nhập" in tablet.page
    assert "7 câu, khoảng 1 phút" in tablet.page
    assert "DỮ LIỆU MÔ PHỎNG" in tablet.page.split("<main")[1][:200]


def test_eight_taps_answer_the_one_stop_form(app, tablet):
    tablet.to_the_comment()
    tablet.tap("go", "next", comment="  Chỗ ngồi ít  ")
    row = stored(app, receipt(tablet.page))

    assert tablet.answer.status_code == 201
    assert json.loads(row["answers"]) == dict.fromkeys(SHORT, 4) | {"comment": "Chỗ ngồi ít"}
    assert (row["channel"], row["counter"], row["language"]) == ("kiosk", "3", "vi")


def test_each_screen_has_one_question_and_no_answer_chosen(tablet):
    page = tablet.begin()

    assert page.count("<h1") == 1
    assert "Câu 1/7" in page
    assert re.findall(r'<button name="m1" value="(\d)"', page) == ["1", "2", "3", "4", "5", "9"]
    assert "checked" not in page
    assert 'class="was"' not in page


def test_do_not_know_is_an_answer_of_its_own(app, tablet):
    tablet.to_the_comment("9")
    tablet.tap("go", "next", comment="")

    assert json.loads(stored(app, receipt(tablet.page))["answers"]) == dict.fromkeys(SHORT, 9)


def test_back_shows_what_was_chosen_and_keeps_the_rest(app, tablet):
    tablet.begin()
    tablet.tap("m1", "2")
    tablet.tap("m2", "3")
    page = tablet.tap("go", "back")
    assert re.search(r'<button name="m2" value="3" class="was">', page)
    assert "(đã chọn)" in page

    page = tablet.tap("go", "back")
    assert re.search(r'<button name="m1" value="2" class="was">', page)
    tablet.tap("m1", "5")
    assert re.search(r'<button name="m2" value="3" class="was">', tablet.page)
    for item in SHORT[1:]:
        tablet.tap(item, "4")
    tablet.tap("go", "next", comment="")

    kept = json.loads(stored(app, receipt(tablet.page))["answers"])
    assert (kept["m1"], kept["m2"]) == (5, 4)


def test_another_language_or_size_keeps_the_answers(tablet):
    tablet.begin()
    tablet.tap("m1", "2")
    tablet.address += "?lang=en&chu=to"
    page = tablet.tap("go", "stay")

    assert '<html lang="en" data-size="large">' in page
    assert "Question 2 of 7" in page
    assert ("m1", "2") in hidden(page)


def test_an_empty_screen_does_not_go_on(tablet):
    tablet.begin()
    page = tablet.tap("go", "next")

    assert tablet.answer.status_code == 422
    assert "chưa có câu trả lời" in page
    assert "Câu 1/7" in page


@pytest.mark.parametrize("value", ["0", "6", "8", "-1", "4.0", "abc", "٤"])
def test_an_answer_off_the_scale_is_refused(tablet, value):
    tablet.begin()
    page = tablet.tap("m1", value)

    assert tablet.answer.status_code == 422
    assert "Câu 1/7" in page


def test_a_changed_earlier_answer_is_found_at_the_end(tablet):
    tablet.to_the_comment()
    data = dict(hidden(tablet.page)) | {"m2": "7", "comment": "", "go": "next"}
    tablet.answer = tablet.client.post(tablet.address, data=data)

    assert tablet.answer.status_code == 422
    assert "Câu 2/7" in tablet.page
    assert "ngoài các mức được hỏi" in tablet.page


def test_a_long_comment_is_kept_and_measured(tablet):
    tablet.to_the_comment()
    page = tablet.tap("go", "next", comment="ế" * 2140)

    assert tablet.answer.status_code == 422
    assert "Ý kiến dài 2.140 chữ cái, tối đa 1.000." in page
    assert "ế" * 2140 in page


def test_the_last_screen_sent_twice_is_one_response(tablet):
    tablet.to_the_comment()
    fields = dict(hidden(tablet.page)) | {"comment": "", "go": "next"}
    first = tablet.client.post(tablet.address, data=fields)
    again = tablet.client.post(tablet.address, data=fields)

    assert (first.status_code, again.status_code) == (201, 200)
    assert receipt(first.text) == receipt(again.text)
    assert re.search(r"đã được nhận lúc \d\d:\d\d\. Mã biên nhận không đổi", again.text)


def test_each_person_at_the_kiosk_is_another_response(tablet):
    tablet.to_the_comment()
    tablet.tap("go", "next", comment="")
    first = receipt(tablet.page)
    tablet.answer = tablet.client.get(tablet.address)
    tablet.to_the_comment()
    tablet.tap("go", "next", comment="")

    assert receipt(tablet.page) != first
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", first)


def test_a_forged_page_token_loses_no_answer(tablet):
    tablet.to_the_comment()
    data = dict(hidden(tablet.page)) | {"page": "forged", "comment": "hay", "go": "next"}
    tablet.answer = tablet.client.post(tablet.address, data=data)
    assert tablet.answer.status_code == 422

    tablet.tap("go", "next", comment="hay")
    assert tablet.answer.status_code == 201


def test_stopping_is_a_link_to_the_start_that_carries_nothing(tablet):
    tablet.begin()
    page = tablet.tap("m1", "1")

    [href] = set(re.findall(r'<a class="btn plain[^"]*" href="([^"]+)" data-stop>', page))
    assert href == "?"


def test_the_idle_question_waits_in_the_page(tablet):
    page = tablet.begin()

    assert re.search(r'<dialog id="idle"(?! open)[^>]* data-after="60" data-left="20">', page)
    assert "Tôi cần thêm thời gian" in page


def test_a_page_may_not_be_kept_by_the_browser(tablet):
    tablet.begin()

    assert tablet.answer.headers["Cache-Control"] == "no-store"
    assert 'autocomplete="off"' in tablet.page


def test_no_citizen_gets_a_cookie(tablet):
    tablet.to_the_comment()
    tablet.tap("go", "next", comment="")

    assert "Set-Cookie" not in tablet.answer.headers


def test_every_kind_of_question_can_be_answered_at_the_kiosk(app, wide):
    page, taps = wide.begin(), 0
    while 'class="code"' not in page:
        column, taps = dict(hidden(page))["at"], taps + 1
        assert taps < 100
        if column == "consent_ethnicity":
            page = wide.tap("go", "refuse")
        elif column == "c2":
            page = wide.tap("go", "next", c2=["1", "7"], **{"c2.other": "Trưởng thôn"})
        elif column == "comment":
            page = wide.tap("go", "next", comment="")
        else:
            page = wide.tap(column, "1")
    answers = json.loads(stored(app, receipt(page))["answers"])

    assert answers["c1.economy"] == answers["s39"] == 1
    assert answers["c2"] == [1, 7]
    assert answers["c2.other"] == "Trưởng thôn"
    assert "ethnicity" not in answers


def test_consent_comes_before_its_question_and_refusing_skips_it(wide):
    wide.begin()
    page = wide.tap("sex", "1")
    assert question(page) == "Câu hỏi về dân tộc"
    assert "tiếp tục" not in page.lower()

    page = wide.tap("go", "refuse")
    assert question(page) == "Độ tuổi"
    page = wide.tap("go", "back")
    page = wide.tap("consent_ethnicity", "1")
    assert question(page) == "Dân tộc"


def test_taking_consent_back_takes_the_answer_back(wide):
    wide.begin()
    wide.tap("sex", "1")
    wide.tap("consent_ethnicity", "1")
    wide.tap("ethnicity", "2")
    wide.tap("go", "back")
    wide.tap("go", "back")
    page = wide.tap("go", "refuse")

    assert "ethnicity" not in dict(hidden(page))
    assert question(page) == "Độ tuổi"


def test_do_not_know_stands_alone(wide):
    wide.begin()
    data = {"page": dict(hidden(wide.page))["page"], "at": "c2", "c2": ["1", "9"]}
    wide.answer = wide.client.post(wide.address, data=data)

    assert wide.answer.status_code == 422
    assert "bỏ bớt một bên" in wide.page


@pytest.mark.parametrize("key", ["sipas-2026.1", "sipas-2022.1", "mot-cua-2026.1", "nd61-2018.1"])
@pytest.mark.parametrize("look", [Look(), Look("en")])
@pytest.mark.parametrize("name", [kiosk.START, kiosk.FORM])
def test_every_questionnaire_is_drawn_at_both_doors(app, key, look, name):
    import html_checks

    from survey import pages

    place = pages.Place(key, frozenset(), "Quầy 1", "Đợt thử", "Sở Nội vụ", synthetic=False)
    with app.test_request_context("/k/x"):
        assert html_checks.faults(pages.draw(name, place, look)) == []
        for screen in screens.every(place.read(look)):
            page = pages.draw(
                kiosk.ASK, place, look, screen=screen, carried=[], step=2, total=9, last=False,
                notice=None,
            )  # fmt: skip
            assert html_checks.faults(page) == []
            assert "DỮ LIỆU MÔ PHỎNG" not in page


class Phone:
    """Somebody with the phone form and no JavaScript."""

    def __init__(self, client, address, key):
        self.client, self.address, self.q = client, address, load(key)
        self.token = dict(hidden(client.get(address).text))["page"]

    def answers(self, **changes):
        data = {"page": self.token, "go": "send"}
        for item in self.q.items:
            if item.consent or item.kind == "text":
                continue
            for row in item.rows or (None,):
                data[f"{item.id}.{row.id}" if row else item.id] = str(item.choices[0].code)
        data |= {name.replace("__", "."): value for name, value in changes.items()}
        return {name: value for name, value in data.items() if value is not None}

    def send(self, **changes):
        return self.client.post(self.address, data=self.answers(**changes))


@pytest.fixture
def phone(client, door_tokens):
    return Phone(client, f"/q/{door_tokens['household']}", "sipas-2026.1")


def test_the_phone_form_holds_every_question_and_chooses_none(phone):
    page = phone.client.get(phone.address).text

    assert "checked" not in page
    names = set(re.findall(r'<(?:input|textarea)[^>]* name="([^"]+)"', page))
    from forms import rules

    assert names == {*rules.names(phone.q), "page"}


def test_a_full_form_is_stored_once_and_thanked(app, phone):
    page = phone.send(comment="Tốt")
    row = stored(app, receipt(page.text))

    assert page.status_code == 201
    assert "Cảm ơn Ông/Bà. Câu trả lời đã được lưu." in page.text
    assert re.search(r"Nhận lúc \d\d:\d\d ngày \d\d/\d\d/20\d\d", page.text)
    assert (row["channel"], row["wave"], row["questionnaire"]) == ("qr", "qr-2026", "sipas-2026.1")
    assert row["started_at"] <= row["submitted_at"]


def test_a_dossier_address_is_a_link_and_names_its_dossier(app, client, door_tokens):
    phone = Phone(client, f"/q/{door_tokens['dossier']}", "mot-cua-2026.1")
    row = stored(app, receipt(phone.send().text))

    assert (row["channel"], row["dossier_key"]) == ("link", "H08.000-261122-0001")


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


def test_the_kiosk_survives_whatever_steers_it(client, door_tokens):
    address = f"/k/{door_tokens['counter']}"
    for data in (
        {"at": "m9", "go": "next"},
        {"at": "m1", "go": "sideways"},
        {"at": "m1", "go": "back"},
        {"at": "comment", "go": "refuse"},
        {"at": "m1", "was": "99", "go": "stay"},
        {"was": "4"},
        {"go": "stay"},
        {"go": "back"},
        {},
    ):
        assert client.post(address, data=data).status_code in {200, 422}, data
