"""A clerk hands in scans in Chromium and decides what is doubtful by the keys alone."""

from __future__ import annotations

from pathlib import Path

import paper_wave
import scanned
from paper_wave import WAVE
from playwright.sync_api import Browser
from small_wave import PASSWORD

from browser.chrome import Site, free_port, served
from survey import config, db
from survey.store import cases, entries, plans

FIELDS = paper_wave.fields(3)


def odd(number: int, page: object) -> None:
    """Two marks for one answer and words in a line on the first page."""
    if number == 1:
        for place in scanned.places(1, "sex"):
            scanned.hand(page).mark(place)
        scanned.write(page, "c2.other")


def test_scans_go_in_by_pieces_and_doubts_are_decided_by_keys(
    chromium: Browser, instance: Path, tmp_path: Path
) -> None:
    settings = config.load(instance, environ={})
    store = db.connect(settings.database)
    wave = paper_wave.make(store)
    plan = plans.PaperPlan(scan_share=0.0, seed="hat-giong-2026")
    plans.set(store, WAVE, plan, now=paper_wave.NOW, actor="x")
    run = scanned.printed(store, wave.main)
    case = wave.main[0]
    pages = scanned.filled(FIELDS, secret=settings.secret, run=run, case=case, change=odd)
    file = scanned.pdf(tmp_path / "lô 1.pdf", pages)
    assert file.stat().st_size > 2**20, "more than one piece"
    port = free_port()
    with served(instance, port):
        page = chromium.new_page()
        site = Site(instance, port, {})
        page.goto(site.url("/login"))
        page.fill("[name=username]", "nhap1")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url("**/desk")
        page.goto(site.url(f"/desk/scans?wave={WAVE}"))
        page.set_input_files("#file", file)
        page.click("#hand-in button")
        page.get_by_text("2 chỗ nghi ngờ chờ quyết định").wait_for(timeout=60_000)

        page.goto(site.url(f"/desk/scans/doubts?wave={WAVE}"))
        page.keyboard.press("1")
        page.wait_for_url("**last=**")
        page.locator("#value").wait_for()
        page.keyboard.type("loa của thôn")
        page.keyboard.press("Enter")
        page.get_by_text("Không còn chỗ nghi ngờ nào").wait_for()
        page.close()
    [entry] = entries.of_case(store, case)
    assert entry.fields == FIELDS | {"sex": 1, "c2.other": "loa của thôn"}
    assert entry.staff == wave.staff["nhap1"]
    assert cases.get(store, case).state == "compared"
    store.close()
