"""What goes wrong at a desk between two people, in a real browser: named, and nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime

import paper_wave
import pytest

from browser.chrome import DESK, opened
from browser.test_desk import at_lot, desk, keys_of, open_form, stored, type_in
from survey import db, serials
from survey.store import replacements, waves

pytestmark = pytest.mark.browser
__all__ = ["desk"]  # the fixture


def act(**more):
    return {"now": datetime.now(UTC), "actor": "shell:test"} | more


def change(site, work):
    """Do what somebody else does meanwhile."""
    base = db.connect(site.instance / "sipas.sqlite")
    try:
        return work(base)
    finally:
        base.close()


def test_a_wave_closed_while_forms_wait_gives_them_back_to_be_sent_again(desk, chromium):
    case, fields = desk.take(), paper_wave.fields(3)
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        page.context.set_offline(True)
        open_form(page, case)
        type_in(page, [*keys_of(fields), "Enter"])
        page.wait_for_selector("#line >> text=Mất mạng: 1 phiếu")
        change(desk, lambda base: waves.close(base, paper_wave.WAVE, **act()))
        page.context.set_offline(False)
        page.wait_for_selector("#spurned >> text=Đợt khảo sát đã đóng")
        page.wait_for_selector("#spurned >> text=Phiếu chưa lưu thì giữ lại")
        assert desk.entries(case) == []
        again = {"until": None, "reason": "thử"}
        change(desk, lambda base: waves.open(base, paper_wave.WAVE, **again, **act()))
        page.goto(desk.url("/desk"))  # the form lies on this computer, not in the page
        page.wait_for_selector(f"#line >> text=1 phiếu không nhận được ({serials.printed(case)})")
        page.go_back()
        page.click("#spurned >> text=Gửi lại")
        page.wait_for_selector("#spurned", state="hidden")
        page.wait_for_function("document.querySelector('#n-unsent').textContent === '0'")

    [entry] = desk.entries(case)
    assert entry["fields"] == fields


def test_of_two_clerks_with_one_form_open_the_later_is_told_and_keeps_the_entry(desk, chromium):
    case = desk.take()
    desk.change("UPDATE sample_case SET double_ballot = 0.9 WHERE id = ?", case)
    desk.change("UPDATE paper_plan SET double_share = 0.5")
    try:
        with opened(chromium, viewport=DESK) as one, opened(chromium, viewport=DESK) as two:
            at_lot(one, desk)
            at_lot(two, desk, "nhap2")
            open_form(one, case)
            open_form(two, case)
            type_in(one, [*keys_of(paper_wave.fields(3)), "Enter"])
            stored(one, case)
            type_in(two, [*keys_of(paper_wave.fields(4)), "Enter"])
            two.wait_for_selector(f"#spurned >> text={serials.printed(case)} đã nhập rồi")
            two.wait_for_selector("#spurned >> text=Kiểm tra số phiếu trên giấy")
            next_one = desk.take()
            open_form(two, next_one)  # the lot goes on
            type_in(two, [*keys_of(paper_wave.fields(5)), "Enter"])
            stored(two, next_one)
            two.reload()
            two.wait_for_selector("#spurned li")
    finally:
        desk.change("UPDATE paper_plan SET double_share = 1")

    assert [entry["username"] for entry in desk.entries(case)] == ["nhap1"]


def test_a_household_replaced_while_its_form_is_keyed_is_named(desk, chromium):
    case = desk.take()
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, case)
        keys = keys_of(paper_wave.fields(6))
        type_in(page, keys[:40])
        desk.change("UPDATE sample_case SET state = 'spoiled' WHERE id = ?", case)
        change(desk, lambda base: replacements.replace_case(base, case, "other", **act()))
        type_in(page, [*keys[40:], "Enter"])
        said = f"Hộ của phiếu {serials.printed(case)} đã được thay bằng hộ khác"
        page.wait_for_selector(f"#spurned >> text={said}")
        page.click("#spurned >> text=Bỏ")
        page.click("#spurned >> text=Bỏ hẳn phiếu này?")
        page.wait_for_selector("#spurned", state="hidden")

    assert desk.entries(case) == []
