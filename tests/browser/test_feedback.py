"""Cases, comments and alerts in a browser: no barrier, the keyboard suffices, scripts or not."""

from __future__ import annotations

from contextlib import closing

import pytest

from browser.chrome import DESK, PHONE, Site, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import sideways
from survey import db
from survey.feedback import scan
from survey.store import clock, feedback

pytestmark = pytest.mark.browser
PAGES = (
    "/feedback", "/feedback/praise", "/feedback/figures", "/feedback/rules",
    "/feedback/rules/mot-cua-2026", "/feedback/holidays", "/feedback/new", "/comments",
    "/comments?wave=mot-cua-2026&q=tan", "/comments/themes", "/comments/themes/khen",
    "/office/alerts",
)  # fmt: skip


@pytest.fixture(scope="module")
def case(site: Site) -> int:
    """A case written down by hand, beside those of the demonstration."""
    with closing(db.connect(site.instance / "sipas.sqlite")) as base:
        scan.scan(base, now=clock.now())
        unit = base.execute("SELECT unit FROM door WHERE wave = 'mot-cua-2026'").fetchone()[0]
        return feedback.begin(
            base, unit=unit, words="Bàn viết hỏng", kind="hand", days=5, now=clock.now(),
            actor="shell:test",
        )  # fmt: skip


def test_no_page_has_a_barrier_or_runs_sideways(site, chromium, case):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        for path in (*PAGES, f"/feedback/{case}"):
            page.goto(site.url(path))
            page.set_viewport_size(DESK)
            assert sideways(page) <= 0, path
            page.set_viewport_size(PHONE)
            assert sideways(page) <= 0, path
            assert violations(page) == [], path


def test_a_case_is_answered_by_keyboard_alone(site, chromium, case):
    with opened(chromium, viewport=DESK) as page:
        signed_in(page, site)
        page.goto(site.url(f"/feedback/{case}"))
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "answer-text":
                break
        page.keyboard.type("Đã thay bàn viết.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Đã trình câu trả lời")

        assert page.locator("text=Duyệt câu trả lời").count() == 1
        assert page.locator("text=Đã thay bàn viết.").count() == 1


def test_comments_are_searched_without_scripts(site, chromium, case):
    with opened(chromium, viewport=PHONE, java_script_enabled=False) as page:
        signed_in(page, site)
        page.goto(site.url("/comments?wave=mot-cua-2026"))
        page.fill("#q", "khong co y kien nay dau")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=khong**")

        assert page.locator("text=Không có ý kiến nào như vậy").count() == 1
