"""A sample drawn in a real browser: no script, then no barrier, and the keyboard suffices."""

from __future__ import annotations

from contextlib import closing

import pytest

from browser.chrome import DESK, PHONE, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import NARROW, sideways
from survey import db
from survey.store import clock, draws, waves

pytestmark = pytest.mark.browser
WAVE = "mau-thu"
VILLAGES = "Mã thôn;Tầng;Mã xã;Khu vực;Tên thôn;Số hộ\n" + "".join(
    f"08-{n};08;08;nông thôn;Thôn {n};{30 + n}\n" for n in range(1, 9)
)


@pytest.fixture(scope="module")
def wave(site):
    with closing(db.connect(site.instance / "sipas.sqlite")) as base:
        now = clock.now()
        made = waves.Wave(
            key=WAVE, name="Mẫu thử", kind="probability", year=2026, owner="vn34:08",
            questionnaire="sipas-2026.1", opens_on=clock.day(now), closes_on=clock.day(now),
            owner_name="Sở Nội vụ",
        )  # fmt: skip
        waves.new(base, made, now=now, actor="shell:test")
        yield WAVE


def choose(page, kind, text):
    """Choose a file for a step and press its button with the keyboard."""
    file = {"name": f"{kind}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files(f"#file-{kind}", file)
    enter(page, f"form[method=post][action$='/{kind}'] button")


def enter(page, on):
    """Press the Enter key on a field or a button and wait for the page it leads to."""
    page.focus(on)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def psus(site):
    with closing(db.connect(site.instance / "sipas.sqlite", readonly=True)) as base:
        return [area.psu for area in draws.areas(base, WAVE) if not area.dropped_at]


def test_a_sample_is_drawn_without_a_script(site, chromium, wave):
    with opened(chromium, viewport=DESK, java_script_enabled=False) as page:
        signed_in(page, site)
        page.goto(site.url(f"/field/sample?wave={wave}"))
        choose(page, "villages", VILLAGES + "08-1;08;99;rừng;;0\n")
        assert page.locator("[role=alert] li").count() == 4
        choose(page, "villages", VILLAGES)
        page.click("a[href$='/plan']")
        for name, value in (("households", "4"), ("reserves", "2"), ("take\\.08", "3")):
            page.fill(f"#{name}", value)
        enter(page, "button[value=save]")
        page.fill("#seed", "xổ số 21/11")
        enter(page, "#seed")
        lists = "ma thon,ma ho\n" + "".join(f"{p},{n}\n" for p in psus(site) for n in range(9))
        choose(page, "households", lists)
        enter(page, "form[action$='/draw'] button")
        page.click("a[href*='/check']")

        assert "giống hệt" in page.inner_text("[role=status]")
    assert len(psus(site)) == 3


def test_its_pages_have_no_barrier_and_nothing_goes_sideways(site, chromium, wave):
    [case] = site.rows("SELECT MIN(id) AS id FROM sample_case WHERE wave = ?", WAVE)
    paths = (
        f"/field/sample?wave={wave}",
        f"/field/sample/{wave}/check",
        f"/field/cases/{wave}",
        f"/field/cases/{wave}/{psus(site)[0]}",
        f"/field/cases/form/{case['id']}",
    )
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        for path in paths:
            page.goto(site.url(path))
            for size in (PHONE, NARROW, DESK):
                page.set_viewport_size(size)
                assert sideways(page) <= 0, path
                assert violations(page) == [], path


def test_a_household_is_replaced_by_the_keyboard_alone(site, chromium, wave):
    [case] = site.rows("SELECT MIN(id) AS id FROM sample_case WHERE wave = ?", WAVE)
    with opened(chromium, viewport=PHONE, java_script_enabled=False) as page:
        signed_in(page, site)
        page.goto(site.url(f"/field/cases/form/{case['id']}"))
        page.focus("#reason")
        page.keyboard.type("vắng")
        enter(page, "form[action$='/replace'] button")

        assert "hộ dự phòng số 1" in page.inner_text("[role=status]")
    [row] = site.rows("SELECT state, reason FROM sample_case WHERE id = ?", case["id"])
    assert tuple(row) == ("replaced", "absent")
