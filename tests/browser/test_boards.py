"""The pages of the board in a browser: nothing for axe to find, nothing wider than the screen."""

from __future__ import annotations

import pytest

from browser.chrome import DESK, PHONE, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import sideways

pytestmark = pytest.mark.browser
PAGES = (
    "/today", "/board/mot-cua-2026/parts", "/board/mot-cua-2026/parts?by=time&p=2026",
    "/board/mot-cua-2026/parts?by=counter", "/board/sipas-2026/parts?by=channel",
    "/board/sipas-2026/league", "/board/sipas-2026/drivers", "/board/mot-cua-2026/drivers",
    "/board/sipas-2026/trend",
)  # fmt: skip


def test_no_page_of_the_board_has_a_barrier_or_scrolls_sideways(site, chromium):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        for path in PAGES:
            page.goto(site.url(path))
            for size in (DESK, PHONE):
                page.set_viewport_size(size)
                assert sideways(page) <= 0, path
                assert violations(page) == [], path
            page.set_viewport_size(DESK)


def test_a_period_is_chosen_by_the_keyboard_alone(site, chromium):
    with opened(chromium, viewport=DESK) as page:
        signed_in(page, site)
        page.goto(site.url("/board/mot-cua-2026/parts"))
        page.focus("#by")
        page.keyboard.press("ArrowDown")
        page.focus("#p")
        page.keyboard.press("ArrowDown")
        page.focus("form.jump .btn")
        page.keyboard.press("Enter")
        page.wait_for_url("**by=service**")

        assert page.locator("h1").count() == 1
