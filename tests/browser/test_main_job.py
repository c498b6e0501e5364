"""The main job in a real browser: a citizen answers, the office downloads a true report."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from contextlib import closing
from datetime import date

import pypdf
import pytest

from analysis.report import numbers
from analysis.sipas import wave_result
from browser.chrome import DESK, TABLET, opened, violations
from forms import questionnaire, rules

RECEIPT = re.compile(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}")
PASSWORD = "một câu dễ nhớ của phường 2026"
pytestmark = pytest.mark.browser


def wanted(consent: bool = False) -> dict[str, object]:
    """One answer to every question of the household form, levels 1 to 5 and 9 all used."""
    q = questionnaire.load("sipas-2026.1")
    answers: dict[str, object] = {"consent_ethnicity": 1} if consent else {}
    for n, column in enumerate(q.columns):
        item = column.item
        if item.kind == "multiple":
            answers[item.id] = [1, 5]
        elif not item.consent or consent:
            codes = sorted(column.codes)
            answers[column.id] = codes[n % len(codes)]
    return answers


def fill(page, answers, part="") -> None:
    """Choose what is wanted among the controls that are on the screen."""
    for name, value in answers.items():
        for code in value if isinstance(value, list) else [value]:
            box = page.locator(f'{part} input[name="{name}"][value="{code}"]')
            if box.count() and box.first.is_visible():
                box.first.check(force=True)


def stored(site, receipt: str) -> dict[str, object]:
    [row] = site.rows("select * from response where receipt = ?", receipt.replace("-", ""))
    q = questionnaire.load(row["questionnaire"])
    answers = json.loads(row["answers"])
    assert row["codes"] == rules.pack(q, answers)
    return answers | {"channel": row["channel"]}


def test_a_phone_without_javascript_fills_the_whole_form(site, chromium):
    answers = wanted()
    with opened(chromium, java_script_enabled=False) as page:
        page.goto(site.url("qr"))
        fill(page, answers)
        page.fill('textarea[name="comment"]', "Giờ làm việc phù hợp; 5 < 6 & <b>đúng</b>")
        page.click("#send")

        receipt = RECEIPT.search(page.inner_text("main"))
        assert receipt, page.inner_text("main")[:600]
        assert page.context.cookies() == []

    found = stored(site, receipt.group())
    assert found.pop("comment") == "Giờ làm việc phù hợp; 5 < 6 & <b>đúng</b>"
    assert found.pop("channel") == "qr"
    assert found == answers


def test_a_phone_with_javascript_goes_part_by_part(site, chromium):
    answers = wanted(consent=True)
    with opened(chromium) as page:
        page.goto(site.url("qr"))
        page.check('input[name="consent_ethnicity"]', force=True)
        for _ in range(40):
            fill(page, answers)
            if page.locator("#send").is_visible():
                break
            page.click("#next")
            assert page.locator("#errors").count() == 0, page.inner_text("#errors")
        page.click("#send")
        page.wait_for_selector(".code")

        receipt = page.inner_text(".code")
        assert page.context.cookies() == []

    found = stored(site, receipt)
    assert found.pop("channel") == "qr"
    assert found == answers


def test_a_part_left_open_is_named_and_nothing_is_lost(site, chromium):
    with opened(chromium, bypass_csp=True) as page:
        page.goto(site.url("qr"))
        page.click("#next")
        first = page.locator(".part.on input[type=radio]").first
        first.check(force=True)
        page.click("#next")

        assert page.locator("#errors").evaluate("e => e === document.activeElement")
        assert first.is_checked()
        assert violations(page) == []
        page.locator("#errors a").first.click()
        assert page.evaluate("document.activeElement.tagName") == "INPUT"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_kiosk_takes_one_tap_a_question(site, chromium, script):
    taps = 0
    with opened(chromium, viewport=TABLET, java_script_enabled=script) as page:
        page.goto(site.url("kiosk"))
        page.click("button.btn")
        page.wait_for_selector(".faces")
        for step in range(1, 9):
            page.wait_for_selector(f"text=/Câu {step}\\//")
            if page.locator(".faces").count() == 0:
                page.click('button[value="next"]')
                taps += 1
                break
            page.click(f'.faces button[value="{5 - step % 3}"]')
            taps += 1
        page.wait_for_selector(".code")
        receipt = page.inner_text(".code")
        assert page.context.cookies() == []

    assert taps <= 8
    found = stored(site, receipt)
    assert found.pop("channel") == "kiosk"
    assert [found[f"m{n}"] for n in range(1, 6)] == [5 - n % 3 for n in range(1, 6)]


def test_a_citizen_takes_an_answer_back_with_the_receipt(site, chromium):
    with opened(chromium, java_script_enabled=False) as page:
        page.goto(site.url("qr"))
        fill(page, wanted())
        page.click("#send")
        receipt = page.inner_text(".code")
        page.goto(site.url("/r"))
        page.fill("#receipt", receipt.lower())
        page.click("main button")
        page.click('button[value="erase"]')

    [row] = site.rows("select state from response where receipt = ?", receipt.replace("-", ""))
    assert row["state"] == "void"


def signed_in(page, site) -> None:
    """Sign in; the first time the first password must be changed."""
    page.goto(site.url("/login"))
    for password in (PASSWORD, site.facts["password"]):
        page.fill('[name="username"]', site.facts["login"])
        page.fill('[name="password"]', password)
        page.click("main button")
        if "/password" in page.url:
            fields = page.locator('main input[type="password"]')
            for at, value in enumerate([password, PASSWORD, PASSWORD]):
                fields.nth(at).fill(value)
            page.click("main button")
        if "/board" in page.url:
            return
    raise AssertionError(page.inner_text("main"))


def pdf_text(page, address: str) -> str:
    """The text of a report downloaded by the browser's own session."""
    answer = page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    reader = pypdf.PdfReader(io.BytesIO(answer.body()))
    return re.sub(r"\s+", " ", " ".join(leaf.extract_text() for leaf in reader.pages))


@pytest.mark.parametrize("wave", ["wave", "open_wave", "mot-cua-2026"])
def test_the_office_downloads_a_report_that_says_what_the_estimate_says(site, chromium, wave):
    key = site.facts.get(wave, wave)
    with opened(chromium, viewport=DESK) as page:
        signed_in(page, site)
        page.goto(site.url(f"/board/{key}"))
        shown = page.inner_text("main")
        text = pdf_text(page, site.url(f"/board/{key}/report.pdf"))

    with closing(sqlite3.connect(site.instance / "sipas.sqlite")) as db:
        db.row_factory = sqlite3.Row
        result = wave_result(db, key)
    total = result.total
    assert "DỮ LIỆU MÔ PHỎNG" in shown
    assert "DỮ LIỆU MÔ PHỎNG" in text
    digits = 2 if result.design or result.coverage is None else 1
    for figure in result.of("factor", "total"):
        if figure.value is not None and not {"hidden", "few"} & set(figure.flags):
            assert numbers.share(figure.value, digits) in text, figure.name
    if result.design:
        assert total.low is not None
        assert total.high is not None
        span = numbers.span(total.low, total.high)
        assert span in text
        assert span in shown
    else:
        assert "sai số" in text
    assert str(date.today().year) in text  # noqa: DTZ011 - the day printed is the office's
