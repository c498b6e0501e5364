"""Waves and questionnaires in Chromium: a draft tried out and opened by keyboard, no barrier."""

from __future__ import annotations

from io import BytesIO

import pytest

from browser.chrome import DESK, PHONE, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import NARROW, sideways
from forms import xlsform_write

pytestmark = pytest.mark.browser


def fits(page) -> None:
    for size in (PHONE, NARROW, DESK):
        page.set_viewport_size(size)
        assert sideways(page) <= 0, page.url
    assert violations(page) == []


def press(page, words) -> None:
    """Press a button by the keyboard alone."""
    page.locator("main button.btn", has_text=words).first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_wave_is_made_tried_and_opened_by_keyboard(site, chromium, scripts):
    key = f"thu-nghiem-{'js' if scripts else 'khong'}"
    options = {"viewport": DESK, "java_script_enabled": scripts, "bypass_csp": True}
    with opened(chromium, **options) as page:
        signed_in(page, site)
        page.goto(site.url("/office/waves/new"))
        for name, value in (
            ("key", key), ("name", "Đợt thử nghiệm"), ("owner", "vn34:01"),
            ("owner_name", "Sở Nội vụ"), ("closes_on", "31/12/2099"),
        ):  # fmt: skip
            page.fill(f"#{name}", value)
        press(page, "Lưu bản nháp")
        assert page.url.endswith(f"/office/waves/{key}")
        assert page.locator(".state.draft").count() == 1
        if scripts:
            fits(page)
        press(page, "Chạy thử")
        page.goto(site.url(f"/doors?wave={key}-thu"))
        page.goto(site.root + page.get_attribute('a[href^="/q/"]', "href"))
        assert "BẢN THỬ" in page.inner_text(".ribbon")
        page.goto(site.url(f"/office/waves/{key}"))
        press(page, "Mở đợt")
        assert page.locator(".state.open").count() >= 1
        assert site.rows("SELECT closed_at FROM wave WHERE key = ?", f"{key}-thu")[0][0]


def test_every_page_of_waves_and_questionnaires_has_no_barrier(site, chromium):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        for path in (
            "/office/waves", "/office/waves/new", "/office/waves/sipas-2026",
            "/office/waves/mot-cua-2026/edit", "/office/waves/giay-2026/close", "/office/series",
            "/office/questionnaires", "/office/questionnaires/sipas-2026.1",
            "/office/preview/wave/sipas-2026/phone", "/office/preview/wave/sipas-2026/kiosk",
        ):  # fmt: skip
            page.goto(site.url(path))
            fits(page)


def test_a_questionnaire_goes_out_and_a_faulty_one_is_told(site, chromium):
    file = BytesIO()
    xlsform_write.write("sipas-2026.1", file)
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        page.goto(site.url("/office/questionnaires"))
        sent = {"name": "sai.xlsx", "mimeType": "application/zip", "buffer": b"PK sai"}
        page.set_input_files("#file", files=[sent])
        press(page, "Đọc và kiểm tra")
        assert "không phải tệp Excel" in page.inner_text(".note.bad")
        fits(page)
        page.set_input_files("#file", files=[dict(sent, buffer=file.getvalue())])
        press(page, "Đọc và kiểm tra")
        assert "sipas-2026.1 đã phát hành" in page.inner_text(".note.bad")


def test_a_preview_of_the_kiosk_ends_in_thanks_and_stores_nothing(site, chromium):
    count = "SELECT COUNT(*) FROM response"
    before = site.rows(count)[0][0]
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        page.goto(site.url("/office/preview/wave/mot-cua-2026/kiosk"))
        with page.expect_navigation():
            page.click('button[value="start"]')
        for _ in range(12):
            if page.locator(".code").count():
                break
            first = page.locator(".faces button")
            with page.expect_navigation():
                (first.first if first.count() else page.locator('button[value="next"]')).click()
        assert "0000-0000" in page.inner_text(".code")
        assert site.rows(count)[0][0] == before
