"""Data out in a browser: no barrier, the keyboard suffices, the file proves itself."""

from __future__ import annotations

import zipfile

import pytest
from click.testing import CliRunner

from browser.chrome import DESK, PHONE, opened, violations
from browser.test_main_job import signed_in
from browser.test_pages import NARROW, sideways
from survey.cli import main

pytestmark = pytest.mark.browser
WAVE = "mot-cua-2026"


def test_pages_of_data_have_no_barrier(site, chromium):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        signed_in(page, site)
        for path in ("/data", f"/data/{WAVE}", f"/data/{WAVE}/table?rows=service&columns=m1",
                     f"/data/{WAVE}/file?level=x"):  # fmt: skip
            page.goto(site.url(path))
            for size in (PHONE, NARROW, DESK):
                page.set_viewport_size(size)
                assert sideways(page) <= 0, path
                assert violations(page) == [], path


def test_a_file_is_taken_with_the_keyboard_alone_and_checked(site, chromium, tmp_path):
    with opened(chromium, viewport=DESK, java_script_enabled=True) as page:
        signed_in(page, site)
        page.goto(site.url(f"/data/{WAVE}"))
        page.focus("#form")
        page.keyboard.press("Home")
        page.keyboard.press("End")  # the last form: everything in one ZIP
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('form[method=get] button')"):
                break
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        path = tmp_path / "taken.zip"
        download.value.save_as(path)
        assert "MÔ PHỎNG" in download.value.suggested_filename

    with zipfile.ZipFile(path) as bag:
        assert "manifest.json" in bag.namelist()
    done = CliRunner().invoke(main, ["--instance", str(site.instance), "data", "check", str(path)])
    assert done.exit_code == 0, done.output
    assert "Khớp." in done.output
