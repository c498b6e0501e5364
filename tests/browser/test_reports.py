"""Asking for a report at a browser: with and without scripts, by keyboard, in every format."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser.chrome import DESK, PHONE, Site, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import sideways

pytestmark = pytest.mark.browser
WAVE = "sipas-2026"
STARTS = {"pdf": b"%PDF-1.4", "docx": b"PK", "html": b"<!doctype html>"}


def ask(page, site, form):
    """Choose a report and its kind of file and press the button, by keyboard alone."""
    page.goto(site.url(f"/reports?wave={WAVE}"))
    page.locator("#kind-national input").focus()
    page.keyboard.press("Space")
    page.locator("#format").focus()
    page.select_option("#format", form)
    page.get_by_role("button", name="Lập báo cáo").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")


@pytest.mark.parametrize("form", STARTS)
def test_a_report_is_asked_for_followed_and_fetched(site: Site, chromium, tmp_path: Path, form):
    with opened(chromium, viewport=DESK, bypass_csp=True, accept_downloads=True) as page:
        signed_in(page, site)
        ask(page, site, form)
        assert violations(page) == []
        link = page.get_by_role("link", name="Tải tệp")
        link.wait_for(timeout=60_000)
        assert violations(page) == []
        with page.expect_download() as coming:
            link.click()
        file = tmp_path / "a"
        coming.value.save_as(file)

        assert coming.value.suggested_filename.startswith("Báo cáo toàn đợt")
        assert file.read_bytes().startswith(STARTS[form])
        if form == "html":
            page.goto(file.rename(tmp_path / "a.html").as_uri())
            assert violations(page) == []
            page.set_viewport_size(PHONE)
            assert sideways(page) <= 0


def test_without_scripts_the_page_looks_again_by_itself(site: Site, chromium):
    with opened(chromium, viewport=DESK, java_script_enabled=False) as page:
        signed_in(page, site)
        ask(page, site, "csv")
        page.get_by_role("link", name="Tải tệp").wait_for(timeout=60_000)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_room_of_reports_has_no_barrier(site: Site, chromium, size):
    with opened(chromium, viewport=size, bypass_csp=True) as page:
        signed_in(page, site)
        page.goto(site.url("/reports"))

        assert violations(page) == []
        assert sideways(page) <= 0
