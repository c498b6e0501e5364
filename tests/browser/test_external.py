"""Published figures in Chromium: brought in, looked at, kept and taken out by keyboard alone."""

from __future__ import annotations

import pytest

from browser.chrome import DESK, PHONE, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import NARROW, sideways

pytestmark = pytest.mark.browser

HEAD = "measure,unit,year,value,source,dated\n"


def fits(page) -> None:
    for size in (PHONE, NARROW, DESK):
        page.set_viewport_size(size)
        assert sideways(page) <= 0, page.url
    assert violations(page) == []


def press(page, words) -> None:
    """Press a button by the keyboard alone."""
    page.locator("main .btn", has_text=words).first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")


def choose(page, site, rows) -> None:
    """Choose a file of figures and ask to see what it holds."""
    page.goto(site.url("/external"))
    content = (HEAD + rows).encode()
    file = {"name": "so-lieu.csv", "mimeType": "text/csv", "buffer": content}
    page.set_input_files("#file", files=[file])
    press(page, "Xem trước")


@pytest.mark.parametrize("scripts", [True, False])
def test_figures_are_brought_in_looked_at_kept_and_taken_out(site, chromium, scripts):
    value = "71,25" if scripts else "72,35"
    source = "Bộ Nội vụ, lần " + ("một" if scripts else "hai")
    options = {"viewport": DESK, "java_script_enabled": scripts, "bypass_csp": True}
    with opened(chromium, **options) as page:
        signed_in(page, site)
        choose(page, site, f'par,vn34:01,2025,"{value}","{source}",2026\n')
        assert f"{value}%" in page.inner_text("main")
        if scripts:
            fits(page)
        press(page, "Lưu số liệu")
        assert page.url.endswith("/external")
        assert f"{value}%" in page.inner_text("main")
        if scripts:
            fits(page)
        press(page, "Bỏ số liệu")
        page.fill("#reason", "Nguồn đã đính chính")
        if scripts:
            fits(page)
        press(page, "Bỏ số liệu")
        assert f"{value}%" not in page.inner_text("main")
        assert "Nguồn đã đính chính" in page.inner_text("main")


def test_faults_are_told_by_line_and_nothing_is_kept(site, chromium):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        choose(page, site, "par,vn34:01,2025,999,Bộ,2026\nx,vn34:99,năm,y,,z\n")
        told = page.inner_text("[role=alert]")

        assert "Có 2 lỗi" in told
        assert "Dòng 2, cột “Giá trị”" in told
        assert "999%" not in page.inner_text("main")
        fits(page)
