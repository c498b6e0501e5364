"""Every page in every state: axe finds nothing, nothing scrolls sideways, the keyboard suffices."""

from __future__ import annotations

import pytest

from browser.chrome import DESK, PHONE, TABLET, opened, violations
from browser.test_main_job import fill, signed_in, wanted

pytestmark = pytest.mark.browser
NARROW = {"width": 320, "height": 640}


def sideways(page) -> int:
    """How many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def nothing(page, site) -> None:
    """Leave the page as it opened."""


def start(page, site) -> None:
    page.click("main button.btn")
    page.wait_for_selector(".faces")


def to_comment(page, site) -> None:
    start(page, site)
    for n in range(2, 8):
        page.click(".faces button >> nth=3")
        page.wait_for_selector(f"text=/Câu {n}\\/|Question {n}/")


def to_thanks(page, site) -> None:
    to_comment(page, site)
    page.click('button[value="next"]')
    page.wait_for_selector(".code")


def idle(page, site) -> None:
    page.clock.install()
    page.reload()
    start(page, site)
    page.clock.fast_forward("01:01")
    page.wait_for_selector("dialog[open]")


def second_part(page, site) -> None:
    page.click("#next")


def left_open(page, site) -> None:
    page.click("#next")
    page.click("#next")
    page.wait_for_selector("#errors")


def matrix(page, site) -> None:
    for _ in range(2):
        page.click("#next")
        fill(page, wanted())


def sent(page, site) -> None:
    for _ in range(40):
        fill(page, wanted())
        if page.locator("#send").is_visible():
            break
        page.click("#next")
    page.click("#send")
    page.wait_for_selector(".code")


def wrong_receipt(page, site) -> None:
    page.fill("#receipt", "AAAA-AAAA")
    page.click("main button")


def wrong_password(page, site) -> None:
    page.fill('[name="username"]', "không có")
    page.fill('[name="password"]', "không đúng mật khẩu")
    page.click("main button")


STATES = {
    "front": ("/", nothing),
    "privacy": ("/privacy", nothing),
    "receipt": ("/r", nothing),
    "receipt unknown": ("/r", wrong_receipt),
    "not found": ("/k/nowhere", nothing),
    "kiosk start": ("kiosk", nothing),
    "kiosk question": ("kiosk", start),
    "kiosk comment": ("kiosk", to_comment),
    "kiosk idle": ("kiosk", idle),
    "kiosk thanks": ("kiosk", to_thanks),
    "phone start": ("qr", nothing),
    "phone part": ("qr", second_part),
    "phone matrix": ("qr", matrix),
    "phone errors": ("qr", left_open),
    "phone thanks": ("qr", sent),
    "login": ("/login", nothing),
    "login refused": ("/login", wrong_password),
}
LOOKS = {"plain": "", "large": "?chu=to", "contrast": "?tuong-phan=cao", "English": "?lang=en"}


@pytest.mark.parametrize("state", STATES)
def test_a_page_for_everybody_has_no_barrier(site, chromium, state):
    address, act = STATES[state]
    viewport = TABLET if state.startswith("kiosk") else PHONE
    with opened(chromium, viewport=viewport, bypass_csp=True) as page:
        page.goto(site.url(address))
        act(page, site)

        assert violations(page) == []
        assert sideways(page) <= 0
        page.set_viewport_size(NARROW)
        assert sideways(page) <= 0
        page.set_viewport_size(DESK)
        assert violations(page) == []


@pytest.mark.parametrize("look", list(LOOKS)[1:])
@pytest.mark.parametrize("state", ["kiosk start", "kiosk question", "phone part", "phone errors"])
def test_large_type_contrast_and_english_have_no_barrier_either(site, chromium, state, look):
    address, act = STATES[state]
    with opened(chromium, viewport=NARROW, bypass_csp=True) as page:
        page.goto(site.url(address) + LOOKS[look])
        act(page, site)

        assert violations(page) == []
        assert sideways(page) <= 0


@pytest.mark.parametrize("address", ["kiosk", "qr"])
def test_targets_are_large_enough_for_a_thumb(site, chromium, address):
    least = 64 if address == "kiosk" else 44
    with opened(chromium, viewport=TABLET if address == "kiosk" else PHONE) as page:
        page.goto(site.url(address))
        (start if address == "kiosk" else second_part)(page, site)
        heights = page.eval_on_selector_all(
            ".faces button, .pick, .btn",
            "all => all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)",
        )

        assert heights
        assert min(heights) >= least


def test_a_kiosk_is_answered_with_the_keyboard_alone(site, chromium):
    with opened(chromium, viewport=TABLET) as page:
        page.goto(site.url("kiosk"))
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('main button')"):
                page.keyboard.press("Enter")
                page.wait_for_timeout(150)
            elif page.evaluate("document.activeElement.matches('textarea')"):
                page.keyboard.press("Tab")
                page.keyboard.press("Enter")
                page.wait_for_timeout(150)
            if page.locator(".code").count():
                break

        assert page.locator(".code").count() == 1


def test_nothing_comes_from_anywhere_else(site, chromium):
    with opened(chromium) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(site.url("qr"), wait_until="networkidle")

        assert all(url.startswith((site.root, "data:")) for url in asked)
        assert len([url for url in asked if not url.startswith("data:")]) <= 4


BOARDS = ["", "/sipas-2026", "/sipas-2026?unit=vn34:01", "/mot-cua-2026", "/qr-2026", "/nowhere"]


@pytest.mark.parametrize("board", BOARDS)
def test_a_staff_page_has_no_barrier(site, chromium, board):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        page.goto(site.url(f"/board{board}"))

        assert violations(page) == []
        for size in (DESK, PHONE, NARROW):
            page.set_viewport_size(size)
            assert sideways(page) <= 0
        assert violations(page) == []


def test_the_password_page_has_no_barrier(site, chromium):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        page.goto(site.url("/password"))

        assert violations(page) == []


def test_axe_itself_sees_a_barrier(chromium):
    with opened(chromium, bypass_csp=True) as page:
        page.set_content("<html lang=vi><title>x</title><main><h1>x</h1><img src='data:,'></main>")

        assert any("image-alt" in found for found in violations(page))
