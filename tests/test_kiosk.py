"""The kiosk without JavaScript: every tap posts, every answer is kept, none is made up."""

import json
import re
from datetime import UTC, datetime

import pytest
from citizens import SHORT, Tablet, hidden, question, receipt, stored

from survey import db
from survey.citizen import kiosk, screens
from survey.citizen.pages import Look
from survey.db import connect, write
from survey.store import doors


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

    from survey.citizen import pages

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


def test_who_helped_is_asked_on_the_last_screen_and_kept_on_the_way_back(app, tablet):
    page = tablet.to_the_comment()
    assert '<details class="extras"' in page
    assert "contact_phone" not in page  # this wave keeps no numbers

    tablet.tap("go", "back", assisted_by="family")
    page = tablet.tap("m_all", "5")
    assert re.search(r'name="assisted_by" value="family" checked', page)
    tablet.tap("go", "next", comment="", assisted_by="family")

    assert stored(app, receipt(tablet.page))["assisted_by"] == "family"


def test_a_number_without_its_consent_is_refused_and_the_answers_stay(app, settings, tablet):
    store = connect(settings.database)
    with write(store):
        store.execute("UPDATE wave SET contact_days = 30")
    store.close()
    tablet.answer = tablet.client.get(tablet.address)
    tablet.to_the_comment()
    page = tablet.tap("go", "next", comment="hay", contact_phone="0912 345 678")

    assert tablet.answer.status_code == 422
    assert "Chúng tôi chỉ giữ số điện thoại khi Ông/Bà đồng ý." in page
    assert 'value="0912 345 678"' in page
    tablet.tap("go", "next", comment="hay", contact_phone="0912 345 678", contact_consent="1")
    assert tablet.answer.status_code == 201
    with app.app_context():
        [row] = db.get().execute("SELECT phone FROM contact").fetchall()
    assert row["phone"] == "0912345678"
    assert "0912" not in stored(app, receipt(tablet.page))["answers"]


def test_the_idle_time_of_the_counter_is_the_servers_flows_too(app, facts, tablet):
    door, at = facts.doors["counter"], datetime(2026, 11, 22, tzinfo=UTC)
    patient = doors.Settings(idle=120)
    app.extensions["sipas"].writer.run(
        lambda db: doors.adjust(db, door, patient, now=at, actor="shell:test")
    )
    tablet.answer = tablet.client.get(tablet.address)

    assert re.search(r'data-after="120" data-left="20"', tablet.begin())
