"""Pages on which staff print and call: no barrier, nothing sideways, the keyboard suffices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from browser.chrome import DESK, PHONE, Site, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import NARROW, sideways
from survey import db
from survey.store import clock, dossiers, messages, waves

pytestmark = pytest.mark.browser
KEY = "000.19.08.H08-261122-9999"
WAVE = "mot-cua-2026"


@pytest.fixture
def silent(site: Site) -> Iterator[int]:
    """The door of a dossier whose link has been silent for thirty hours; gone afterwards."""
    sent = clock.now() - timedelta(hours=30)
    day = clock.day(sent)
    with closing(db.connect(site.instance / "sipas.sqlite")) as base:
        wave, before = waves.get(base, WAVE), clock.day(sent - timedelta(days=1))
        unit = base.execute("SELECT unit FROM door WHERE wave = ?", [WAVE]).fetchone()[0]
        row = dossiers.Dossier(
            key=KEY, service="Đăng ký khai sinh", receiving_unit=unit, resolving_unit=unit,
            officer=None, received_on=before, due_on=day, settled_on=max(day, wave.opens_on),
            phone="0912345678",
        )  # fmt: skip
        dossiers.put(base, [row], now=sent, actor="shell:test", source="test")
        [due] = messages.due(base, wave, today=day, key=KEY)
        held = messages.take(base, wave, due, via="test", now=sent, actor="shell:test")
        messages.finish(base, held.id)
        yield held.door.id
        with db.write(base):
            for table in ("message", "phone_call", "dossier_contact"):
                base.execute(f"DELETE FROM {table} WHERE dossier = ?", [KEY])
            base.execute("DELETE FROM dossier WHERE key = ?", [KEY])


def fits(page) -> None:
    for size in (PHONE, NARROW, DESK):
        page.set_viewport_size(size)
        assert sideways(page) <= 0
        assert violations(page) == []


def test_the_page_of_counters_has_no_barrier_and_prints(site, chromium):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        page.goto(site.url(f"/doors?wave={WAVE}"))
        fits(page)
        poster = page.request.get(site.root + page.get_attribute("table .btn", "href"))

        assert poster.headers["content-type"] == "application/pdf"


def test_a_call_and_its_interview_have_no_barrier(site, chromium, silent):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        page.goto(site.url("/calls"))
        fits(page)
        page.click(f'a[href="/calls/{silent}"]')
        page.wait_for_selector("text=0912345678")
        fits(page)
        page.click('[value="answered"]')
        page.wait_for_selector('[type="radio"]')
        fits(page)
        page.click("main form .btn")
        page.wait_for_selector("#errors")
        fits(page)


def test_a_call_is_made_and_noted_with_the_keyboard_alone(site, chromium, silent):
    with opened(chromium, viewport=DESK, java_script_enabled=True) as page:
        signed_in(page, site)
        page.goto(site.url("/calls"))

        def press_on(selector: str) -> None:
            for _ in range(60):
                page.keyboard.press("Tab")
                if page.evaluate("s => document.activeElement.matches(s)", selector):
                    page.keyboard.press("Enter")
                    return
            raise AssertionError(selector)

        press_on(f'a[href="/calls/{silent}"]')
        page.wait_for_selector("text=0912345678")
        press_on('[value="answered"]')
        page.wait_for_selector('[type="radio"]')
        press_on('[value="later"]')
        page.wait_for_selector('main [role="status"]')

    [row] = site.rows("SELECT outcome FROM phone_call WHERE dossier = ?", KEY)
    assert row["outcome"] == "later"
