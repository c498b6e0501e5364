"""The results pages: the figures of the estimate, their doubt, and what must not be said."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from uuid import UUID

import pytest
from small_wave import COMMUNE, COUNTER, HOUSEHOLD, LAI_CHAU, NOW, SURVEY, TUYEN_QUANG

from analysis.report.numbers import pct, share, span
from analysis.sipas import wave_result
from forms.questionnaire import load
from survey import db
from survey.board import charts
from survey.store import doors, responses, waves


def result(settings, wave, scope=""):
    with closing(db.connect(settings.database, readonly=True)) as store:
        return wave_result(store, wave, scope=scope)


def text(page):
    """What a reader sees of a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def answer(settings, door, marks, number=1):
    """Store one more answer through a door."""
    with closing(db.connect(settings.database)) as store:
        came = responses.Incoming(
            id=str(UUID(int=9000 + number)), door=doors.get(store, door),
            questionnaire=waves.get(store, doors.get(store, door).wave).questionnaire,
            answers=marks, channel="kiosk", language="vi", started_at=None, submitted_at=NOW,
        )  # fmt: skip
        responses.bulk(store, [came])


def test_the_list_tells_each_wave_with_its_state_kind_and_counts(staff):
    seen = text(staff.get("/board"))

    assert "Khảo sát hộ gia đình năm 2026 MÔ PHỎNG Đã đóng ngày 31/10/2026 Mẫu xác suất 95" in seen
    assert "Ý kiến tại quầy năm 2026 MÔ PHỎNG Đang mở đến 31/12/2099 Người trả lời tự chọn" in seen


def test_an_instance_without_waves_says_what_to_expect(staff, settings):
    with closing(db.connect(settings.database)) as store:
        store.execute("PRAGMA foreign_keys = OFF")
        for table in ("response", "door", "sample_case", "sample_psu", "account", "wave"):
            store.execute(f"DELETE FROM {table}")

    assert "Chưa có đợt khảo sát nào" in staff.get("/board").text


def test_every_index_of_the_estimate_stands_on_the_page_with_its_interval(staff, settings):
    seen = text(staff.get(f"/board/{SURVEY}"))
    for figure in result(settings, SURVEY).figures:
        assert f"{share(figure.value)} {span(figure.low, figure.high)}" in seen, figure.id


def test_a_sample_shows_its_interval_its_accounting_and_its_units(staff, settings):
    found, seen = result(settings, SURVEY), text(staff.get(f"/board/{SURVEY}"))

    assert pct(found.total.value) in seen
    assert f"Khoảng tin cậy 95%: {span(found.total.low, found.total.high)}." in seen
    assert "Phát ra 120 Thu về 100 (83,3%) Hợp lệ 95 (95,0%)" in seen
    assert "Xếp hạng 2 đơn vị" in seen
    assert "12 đơn vị mẫu sơ cấp trong 4 tầng" in seen


def test_the_page_of_a_unit_tells_its_rank_with_the_range(staff, settings):
    whole = result(settings, SURVEY)
    unit = next(u for u in whole.units if u.unit == TUYEN_QUANG)
    seen = text(staff.get(f"/board/{SURVEY}?unit={TUYEN_QUANG}"))

    assert "Tỉnh Tuyên Quang · Khảo sát hộ gia đình năm 2026" in seen
    assert f"hạng {unit.rank} ({unit.rank_low}–{unit.rank_high})" in seen
    assert share(unit.total.value) in seen
    assert "Xếp hạng 2 đơn vị" not in seen


def test_answers_people_chose_to_give_get_coverage_and_bounds_and_no_interval(staff, settings):
    found, page = result(settings, COUNTER), staff.get(f"/board/{COUNTER}")
    seen = text(page)

    assert "40 ý kiến / 120 hồ sơ đã trả kết quả." in seen
    assert f"{span(found.coverage.low, found.coverage.high, 1)}%" in seen
    assert "không ghi sai số chọn mẫu" in seen
    assert "Khoảng tin cậy" not in seen
    assert 'class="ci"' not in page.text
    assert "Trục từ 0 đến 100." in seen


def test_a_cut_axis_is_named_in_the_caption(staff, settings):
    found, seen = result(settings, SURVEY), text(staff.get(f"/board/{SURVEY}"))
    scale = charts.axis([f for f in found.figures if f.kind != "item"])

    assert scale.cut
    assert f"Trục từ {scale.low} đến {scale.high}." in seen


def test_synthetic_data_are_called_so_first_on_the_page(staff):
    main = staff.get(f"/board/{SURVEY}").text.split("<main")[1]

    assert main.index("DỮ LIỆU MÔ PHỎNG") < main.index("<h1")


def test_a_wave_without_answers_says_so_and_shows_no_figure(staff):
    seen = text(staff.get(f"/board/{HOUSEHOLD}"))

    assert "Chưa có ý kiến nào trong đợt này" in seen
    assert "%" not in seen


def test_four_answers_are_too_few_to_publish(staff, settings, facts):
    marks = {item.id: 5 for item in load("sipas-2026.1").scored}
    for number in range(4):
        answer(settings, facts.doors["household"], marks, number)
    seen = text(staff.get(f"/board/{HOUSEHOLD}"))

    assert "Đã nhận 4 ý kiến. Số liệu hiện khi có từ 5 ý kiến." in seen
    assert "%" not in seen


def test_a_unit_without_answers_is_not_told_of_the_answers_of_others(staff):
    seen = text(staff.get(f"/board/{SURVEY}?unit={COMMUNE}"))

    assert "Phường Minh Xuân · Khảo sát hộ gia đình năm 2026" in seen
    assert "Chưa có ý kiến nào của đơn vị này" in seen


def test_data_that_do_not_fit_the_method_are_no_traceback(staff, settings):
    with closing(db.connect(settings.database)) as store:
        store.execute("UPDATE wave SET lonely = 'fail' WHERE key = 'ho-2026'")
        store.execute("UPDATE sample_psu SET stratum = 'alone' WHERE psu = 'vn34:08-urban-0'")
    page = staff.get(f"/board/{SURVEY}")

    assert page.status_code == 200
    assert "Chưa tính được số liệu" in page.text


def test_ten_answers_are_shown_with_hollow_dots(staff, settings, facts):
    marks = {item.id: 4 for item in load("sipas-2026.1").scored}
    for number in range(10):
        answer(settings, facts.doors["household"], marks, number)
    page = staff.get(f"/board/{HOUSEHOLD}")

    assert 'class="dot few"' in page.text
    assert "Chấm rỗng ○: dưới 30 người trả lời." in text(page)
    assert "10 ○" in text(page)


def test_a_new_answer_is_on_the_page_at_once(staff, settings, facts):
    assert "40 ý kiến" in text(staff.get(f"/board/{COUNTER}"))
    answer(settings, facts.doors["counter"], {"m1": 1})

    assert "41 ý kiến" in text(staff.get(f"/board/{COUNTER}"))


def test_a_withdrawn_answer_leaves_the_page_at_once(staff, settings):
    staff.get(f"/board/{COUNTER}")
    with closing(db.connect(settings.database)) as store:
        receipt = store.execute("SELECT receipt FROM response WHERE wave = 'quay-2026'").fetchone()
        assert responses.withdraw(store, receipt[0], now=NOW)

    assert "39 ý kiến" in text(staff.get(f"/board/{COUNTER}"))


def test_a_comment_is_never_markup(staff, settings, facts):
    for number in range(6):
        marks = {"m1": 5, "comment": "<script>alert(1)</script> {{ 7*7 }}"}
        answer(settings, facts.doors["counter"], marks, number)

    assert "<script>alert" not in staff.get(f"/board/{COUNTER}").text


def test_three_answers_are_drawn_and_named_as_three(staff, settings):
    with closing(db.connect(settings.database)) as store:
        base = waves.get(store, COUNTER)
        waves.new(
            store, replace(base, key="nd61", name="Chín tiêu chí", questionnaire="nd61-2018.1"),
            now=NOW, actor="shell:test",
        )  # fmt: skip
        door = doors.add(
            store, kind="counter", wave="nd61", unit=COMMUNE, now=NOW, actor="shell:test"
        )
    for number in range(8):
        answer(settings, door.id, {f"n{n}": 1 + (n + number) % 3 for n in range(1, 10)}, number)
    page = staff.get("/board/nd61")

    assert page.status_code == 200
    assert "tỷ lệ ý kiến ở mức cao nhất" in text(page)
    assert page.text.count('class="key"') == 3


@pytest.mark.parametrize("name", ["Kết quả", "Tài khoản", "Đăng xuất"])
def test_the_head_of_the_page_leads_to_everything(staff, name):
    assert name in staff.get("/board").text.split("</header>")[0]


def flag(settings, *reasons, wave=COUNTER, n=3):
    """Flag some answers of a wave."""
    with closing(db.connect(settings.database)) as store:
        rows = store.execute(
            "SELECT seq FROM response WHERE wave = :wave AND state = 'valid' LIMIT :n",
            {"wave": wave, "n": n},
        ).fetchall()
        for row in rows:
            for reason in reasons:
                responses.judge(store, row["seq"], "flagged", reason, now=NOW, actor="shell:test")


def test_a_wave_without_flags_says_nothing_of_them(staff, settings):
    with closing(db.connect(settings.database)) as store:
        store.execute("UPDATE response SET state = 'valid' WHERE state = 'flagged'")

    assert "Câu trả lời bị đánh dấu" not in staff.get(f"/board/{COUNTER}").text


def test_figures_with_and_without_flagged_answers_stand_side_by_side(staff, settings):
    flag(settings, "night", "too_fast", wave=SURVEY)
    whole = result(settings, SURVEY)
    with closing(db.connect(settings.database, readonly=True)) as store:
        less = wave_result(store, SURVEY, flagged=False)
    seen = text(staff.get(f"/board/{SURVEY}"))

    assert less.total.n < whole.total.n
    for word, found in (("Có tính", whole), ("Không tính", less)):
        total = found.total
        told = f"{word} {total.n} {pct(total.value)} {span(total.low, total.high)}"
        assert told.replace(" %", "%") in seen.replace(" %", "%"), told
    assert "Giữa đêm 3" in seen
    assert "Nhanh hơn người có thể đọc 3" in seen


def test_a_page_without_flagged_answers_says_so(staff, settings):
    flag(settings, "night", wave=SURVEY)
    with closing(db.connect(settings.database, readonly=True)) as store:
        less = wave_result(store, SURVEY, flagged=False)
    seen = text(staff.get(f"/board/{SURVEY}?flagged=0"))

    assert "không tính 3 câu trả lời bị đánh dấu" in seen
    assert f"{share(less.total.value)} {span(less.total.low, less.total.high)}" in seen


def test_a_reason_that_nobody_explains_is_still_counted(staff, settings):
    flag(settings, "seen by hand", wave=SURVEY)

    assert "Lý do khác 3" in text(staff.get(f"/board/{SURVEY}"))


@pytest.mark.parametrize(("query", "word"), [("", "Vì sao"), ("?lang=en", "Why")])
def test_everybody_may_read_how_answers_are_flagged(client, query, word):
    page = client.get("/flags" + query)

    assert page.status_code == 200
    assert text(page).count(word + ":") == 8
    assert "Set-Cookie" not in page.headers


def test_the_list_holds_waves_of_one_s_own_unit_and_those_above_and_under(client, settings):
    """A wave of another province is not news of this one."""
    store = db.connect(settings.database)
    try:
        other = replace(
            waves.get(store, COUNTER), key="lai-chau", name="Đợt của Lai Châu", owner=LAI_CHAU
        )
        waves.new(store, other, now=NOW, actor="shell:test")
    finally:
        store.close()
    client.login("member")
    mine = client.get("/board").text
    client.logout()
    client.login("neighbour")
    theirs = client.get("/board").text

    assert "Đợt của Lai Châu" not in mine
    assert "Ý kiến tại quầy năm 2026" in mine
    assert "Đợt của Lai Châu" in theirs
    assert "Ý kiến tại quầy năm 2026" not in theirs
