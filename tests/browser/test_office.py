"""People of the office at their own pages: invited, signed in by two steps, with keys alone."""

from __future__ import annotations

import re

import pyotp
import pytest

from browser.chrome import DESK, PHONE, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import sideways

pytestmark = pytest.mark.browser
OWN = "con ngựa trắng ăn cỏ ngoài đồng"


@pytest.fixture(scope="module")
def chief(site, chromium):
    """A browser signed in as administrator of the whole instance."""
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        yield page


def fits(page) -> None:
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        assert sideways(page) <= 0, page.url
        assert violations(page) == [], page.url


def invite(page, site, username, unit="vn34:01") -> str:
    page.goto(site.url(f"/office/people?unit={unit}"))
    page.click("summary")
    page.fill("#name", "Lê Thị Mơ")
    page.fill("#username", username)
    page.click('button[value="invite"]')
    return re.search(r"/invite/[\w-]+", page.inner_text(".link-shown"))[0]


def test_the_pages_of_the_office_have_no_barrier(site, chief):
    person = site.rows("SELECT id FROM staff WHERE unit IS NOT NULL")[0]["id"]
    for path in (
        "/office/people", "/office/people?unit=vn34:01", "/office/people?q=quan",
        f"/office/people/{person}", "/office/audit", "/office/audit?looks=1",
        "/account/sessions", "/account/factor", "/invite/nothing",
    ):  # fmt: skip
        chief.goto(site.url(path))
        fits(chief)


def test_somebody_invited_gets_in_with_two_steps_by_keys_alone(site, chromium, chief):
    """Without scripts: a form is a form."""
    path = invite(chief, site, "mo.hai.buoc")
    fits(chief)
    with opened(chromium, viewport=PHONE, java_script_enabled=False) as page:
        page.goto(site.url(path))
        page.focus("#new")
        page.keyboard.type(OWN)
        page.keyboard.press("Tab")
        page.keyboard.type(OWN)
        page.keyboard.press("Enter")
        page.wait_for_url("**/board")

        page.goto(site.url("/account/factor"))
        page.focus("#begin")
        page.keyboard.type(OWN)
        page.keyboard.press("Enter")
        telephone = pyotp.TOTP(page.locator(".typed").inner_text().replace(" ", ""))
        page.focus("#confirm")
        page.keyboard.type(telephone.now())
        page.keyboard.press("Enter")
        spare = page.locator(".codes li").first.inner_text()
        assert page.locator(".codes li").count() == 10

        page.click(".top form button")
        page.fill("#username", "mo.hai.buoc")
        page.fill("#password", OWN)
        page.keyboard.press("Enter")
        page.wait_for_url("**/login/code")
        page.fill("#code", spare)
        page.keyboard.press("Enter")
        page.wait_for_url("**/board")
        assert "Còn 9 mã" in page.inner_text("main")

        page.goto(site.url(path))
        assert "không còn dùng được" in page.inner_text("main")


def test_a_session_is_ended_from_another_browser(site, chromium, chief):
    path = invite(chief, site, "mo.hai.phien")
    with opened(chromium) as first, opened(chromium) as second:
        first.goto(site.url(path))
        first.fill("#new", OWN)
        first.fill("#again", OWN)
        first.click("main button")
        first.wait_for_url("**/board")
        second.goto(site.url("/login"))
        second.fill("#username", "mo.hai.phien")
        second.fill("#password", OWN)
        second.click("main button")
        second.goto(site.url("/account/sessions"))
        second.get_by_role("button", name="Kết thúc mọi phiên khác").click()
        assert "Đã kết thúc 1 phiên khác" in second.inner_text("main")
        first.goto(site.url("/board"))

        assert "/login" in first.url


def test_the_audit_says_who_did_that(site, chief):
    chief.goto(site.url("/office/audit?action=staff.invite"))

    assert "Tạo lời mời" in chief.inner_text("table")
    with chief.expect_download() as download:
        chief.get_by_role("link", name="Tải CSV").click()
    assert download.value.suggested_filename.startswith("nhat-ky-")
