"""The field work by keyboard, on a telephone and without scripts; no page has a barrier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import paper_wave
import pytest
import small_wave
from field_work import ACT, lot, settle
from paper_wave import HOME, PASSWORD
from playwright.sync_api import Browser, Page
from werkzeug.security import generate_password_hash

from browser.chrome import DESK, PHONE, Site, free_port, opened, served, violations
from browser.test_pages import NARROW, sideways
from survey import db
from survey.store import cases, people

pytestmark = pytest.mark.browser
SUPERVISOR = ("", "/interviewers", "/quotas", "/reminders", "/people")


@pytest.fixture(scope="module")
def fieldwork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served instance with a lot that an interviewer carries and some settled forms."""
    instance = tmp_path_factory.mktemp("field") / "instance"
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    small_wave.make(instance, cheap)
    with closing(db.connect(instance / "sipas.sqlite")) as store:
        paper = paper_wave.make(store)
        first, second = (paper.cases[psu][:6] for psu in paper.psus[:2])
        lot(store, 1, HOME, paper.staff["dieutra"], first)
        lot(store, 2, HOME, paper.staff["dieutra2"], second, due_on="2026-11-20")
        for n, case in enumerate(second[:3]):
            settle(store, case, HOME, n)
        cases.move(store, [second[3]], "appointed", appointed_on="2026-11-20", **ACT)
    port = free_port()
    with served(instance, port):
        yield Site(instance, port, {"first": str(first[0])})


def enter(page: Page, site: Site, name: str) -> None:
    page.goto(site.url("/login"))
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/field**")


def state(site: Site, case: str) -> str:
    return str(site.rows("SELECT state FROM sample_case WHERE id = ?", case)[0]["state"])


def reach(page: Page, wanted: str) -> None:
    """Press Tab until the control with this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(
            "(document.activeElement.getAttribute('aria-label')"
            " || document.activeElement.innerText || '').trim()"
        ).startswith(wanted):
            return
    raise AssertionError(wanted)


def test_pages_of_the_supervisor_fit_every_screen(fieldwork: Site, chromium: Browser) -> None:
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        enter(page, fieldwork, "giamsat")
        for path in SUPERVISOR:
            page.goto(fieldwork.url(f"/field{path}"))
            for size in (PHONE, NARROW, DESK):
                page.set_viewport_size(size)
                assert sideways(page) <= 0, path
            assert violations(page) == [], path


def test_an_interviewer_works_by_keyboard_without_scripts_on_a_telephone(
    fieldwork: Site, chromium: Browser
) -> None:
    case = fieldwork.facts["first"]
    with opened(chromium, viewport=PHONE, java_script_enabled=False) as page:
        enter(page, fieldwork, "dieutra")
        assert page.url.endswith("/field/mine")
        page.locator(f"#c{case} button[value=delivered]").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**#c{case}")
        assert state(fieldwork, case) == "delivered"

        page.locator(f"#c{case} summary").focus()
        page.keyboard.press("Enter")
        page.locator(f"#reason-{case}").focus()
        page.keyboard.type("từ chối")
        page.locator(f"#c{case} button[value=lost]").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#c{case} strong:has-text('từ chối')")
        assert state(fieldwork, case) == "refused"


def test_buttons_of_the_interviewer_are_as_large_as_a_thumb(
    fieldwork: Site, chromium: Browser
) -> None:
    with opened(chromium, viewport=PHONE, bypass_csp=True) as page:
        enter(page, fieldwork, "dieutra")
        for control in page.locator(".visit button:visible, .visit summary").all():
            assert control.bounding_box()["height"] >= 40
        assert sideways(page) <= 0
        assert violations(page) == []


def test_a_supervisor_makes_an_account_by_keyboard_alone(
    fieldwork: Site, chromium: Browser
) -> None:
    with opened(chromium, viewport=DESK) as page:
        enter(page, fieldwork, "giamsat")
        reach(page, "Nhân sự")
        page.keyboard.press("Enter")
        page.wait_for_url("**/field/people**")
        page.locator("#name").focus()
        for typed in ("Lò Thị Ba", "ba.lo"):
            page.keyboard.type(typed)
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        reach(page, "Tạo tài khoản")
        page.keyboard.press("Enter")
        page.wait_for_selector(".code")
        assert (
            fieldwork.rows("SELECT role FROM staff WHERE username = 'ba.lo'")[0][0] == "data_clerk"
        )


def test_a_first_password_is_read_whole_on_a_telephone(fieldwork: Site, chromium: Browser) -> None:
    with opened(chromium, viewport=NARROW) as page:
        enter(page, fieldwork, "giamsat")
        page.goto(fieldwork.url("/field/people"))
        page.locator("button[value=reset]").first.click()
        box = page.locator(".code").bounding_box()
        assert box["x"] + page.evaluate("document.querySelector('.code').scrollWidth") <= 320
