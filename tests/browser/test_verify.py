"""The third person and the call-back in a real browser: keys only, no script, no barrier."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import paper_wave
import pytest
import small_wave
from paper_wave import NOW, PASSWORD, WAVE
from playwright.sync_api import Browser, Page
from werkzeug.security import generate_password_hash

from browser.chrome import DESK, PHONE, Site, free_port, opened, served, violations
from browser.test_pages import sideways
from survey import config, db
from survey.store import callbacks, entries, people, plans

pytestmark = pytest.mark.browser
ACT = {"now": NOW, "actor": "staff:test"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served instance: four forms whose entries differ, two that agree and wait for a call."""
    home = tmp_path_factory.mktemp("verify") / "instance"
    small_wave.make(home, generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1"))
    with closing(db.connect(config.load(home, environ={}).database)) as base:
        facts = paper_wave.make(base)
        for at, case in enumerate(facts.main[:6]):
            first = paper_wave.fields(at, comment="Cán bộ hướng dẫn rõ")
            changes = {"s05": 1 + int(str(first["s05"])) % 5, "c2": [1, 7], "comment": "Rõ"}
            second = first | (changes if at < 4 else {})
            for number, (name, fields) in enumerate((("nhap1", first), ("nhap2", second)), 1):
                came = entries.Entry(
                    id=str(UUID(int=10 * case + number)), case_id=case, via="desk",
                    staff=facts.staff[name], questionnaire=paper_wave.QUESTIONNAIRE, fields=fields,
                )  # fmt: skip
                with db.write(base):
                    entries.add(base, came, now=NOW)
        plans.set(base, WAVE, replace(plans.get(base, WAVE), callback_share=1.0), **ACT)
        callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT)
    port = free_port()
    with served(home, port):
        yield Site(home, port, {})


def settled(site: Site) -> list[sqlite3.Row]:
    return site.rows("SELECT * FROM paper_settled WHERE staff IS NOT NULL ORDER BY at, case_id")


def sign_in(page: Page, site: Site, name: str) -> None:
    page.goto(site.url("/login"))
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def enter(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_forms_are_compared_one_after_another_by_keyboard_only(desk: Site, chromium: Browser):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        sign_in(page, desk, "doichieu")
        page.goto(desk.url("/desk/compare"))
        enter(page)  # the first form has the focus
        assert "Còn 3 ô" in page.inner_text("#left")
        page.keyboard.press("2")  # c2
        page.keyboard.press("3")  # s05: another value, one digit goes on by itself
        page.keyboard.press("9")
        page.keyboard.press("1")  # the comment
        assert page.evaluate("document.activeElement.tagName") == "BUTTON"
        enter(page)
        enter(page)  # to the next form
        for key in ("1", "1", "Backspace", "2", "2"):  # back once, decided otherwise
            page.keyboard.press(key)
        enter(page)
        assert "Phiếu đã chốt" in page.inner_text("main")

    one, two = settled(desk)
    assert json.loads(one["decided"]) == {"c2": 2, "comment": 1, "s05": 0}
    assert json.loads(one["fields"])["s05"] == 9
    assert json.loads(two["decided"]) == {"c2": 1, "comment": 2, "s05": 2}


def test_what_is_left_open_takes_the_focus_back(desk: Site, chromium: Browser):
    with opened(chromium, viewport=DESK) as page:
        sign_in(page, desk, "doichieu")
        page.goto(desk.url("/desk/compare"))
        enter(page)
        before = len(settled(desk))
        page.keyboard.press("1")
        page.click("#duels button")

        assert page.evaluate("document.activeElement.name") == "d.s05"
        assert len(settled(desk)) == before


def test_forms_are_compared_without_any_script(desk: Site, chromium: Browser):
    before = len(settled(desk))
    with opened(chromium, viewport=PHONE, java_script_enabled=False) as page:
        sign_in(page, desk, "doichieu")
        page.goto(desk.url("/desk/compare"))
        page.click("main a.btn >> nth=0")
        for at in range(3):
            page.locator(".duel").nth(at).locator("input[type=radio]").nth(1).check()
        page.click("#duels button")
        page.wait_for_load_state()

    assert len(settled(desk)) == before + 1


def test_a_household_is_asked_again_by_keyboard_only(desk: Site, chromium: Browser):
    with opened(chromium, viewport=DESK) as page:
        sign_in(page, desk, "giamsat")
        page.goto(desk.url("/field/callbacks"))
        page.click("main p > a.btn >> nth=0")
        page.focus("#via")
        for _ in range(9):  # via, seven questions, how it was filled in
            page.keyboard.press("Space")
            page.keyboard.press("Tab")
        page.keyboard.press("Tab")  # past the note
        enter(page)
        assert "đã hỏi" in page.inner_text("main")

    [row] = desk.rows("SELECT * FROM callback WHERE outcome = 'done'")
    assert json.loads(row["answers"])["how"] == "self"
    assert len(json.loads(row["answers"])) == 8


def test_no_page_has_a_barrier_or_goes_sideways(desk: Site, chromium: Browser):
    case = desk.rows("SELECT id FROM sample_case WHERE state = 'entered_twice'")[0]["id"]
    called = desk.rows("SELECT case_id FROM callback ORDER BY outcome")
    pages = {
        "doichieu": ["/desk/compare", f"/desk/compare/{case}", "/desk/errors"],
        "giamsat": ["/field/callbacks", *(f"/field/callbacks/{row['case_id']}" for row in called)],
        "administrator": [f"/field/plan?wave={WAVE}"],
    }
    for name, paths in pages.items():
        with opened(chromium, viewport=DESK, bypass_csp=True) as page:
            sign_in(page, desk, name)
            for path in paths:
                page.goto(desk.url(path))
                assert violations(page) == [], path
                for size in (DESK, PHONE):
                    page.set_viewport_size(size)
                    assert sideways(page) <= 0, path


def test_the_instance_is_whole_afterwards(desk: Site):
    from survey.store import instances

    with closing(db.connect(Path(desk.instance) / "sipas.sqlite")) as base:
        assert instances.check(base) == []
