"""The phone form on a bad line: nothing is lost, nothing is doubled, and people are told."""

from __future__ import annotations

import importlib
import json
import random
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from browser.chrome import DESK, PHONE, opened, violations
from forms import questionnaire, rules, web
from survey import config, create_app
from survey.citizen import intake, kiosk, pages

sys.path.append(str(Path(__file__).resolve().parent.parent.parent))  # benchmarks are not installed
offline = importlib.import_module("benchmarks.offline")
pytestmark = pytest.mark.browser
RECEIPT = re.compile(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}")
NO_SECURE_CONTEXT = """
delete Navigator.prototype.serviceWorker; delete Navigator.prototype.locks;
delete Crypto.prototype.randomUUID; delete window.BroadcastChannel; delete window.caches;
"""
NO_DATABASE = "delete window.indexedDB; delete Window.prototype.indexedDB;" + NO_SECURE_CONTEXT
#: Answers everything that is asked, as fast as no person can.
FILL = """comment => {
  for (let round = 0; round < 3; round++)
    for (const block of document.querySelectorAll("[data-column]")) {
      if (block.closest("[hidden]")) continue;
      const field = block.querySelector("input[type=radio],input[type=checkbox]");
      if (field && !block.querySelector("input:checked")) {
        field.checked = true;
        field.dispatchEvent(new Event("change", {bubbles: true}));
      }
    }
  const box = document.querySelector('[name="comment"]');
  box.value = comment;
  box.dispatchEvent(new Event("input", {bubbles: true}));
}"""


@pytest.fixture(scope="module")
def line(site):
    made = offline.Line(int(site.root.rpartition(":")[2]))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def fair_weather(line):
    line.fate = offline.fair
    line.asked.clear()
    line.met.clear()


@contextmanager
def phone(chromium, line, site, script="", **options):
    """A phone with the form open and everything for the offline case loaded."""
    options.setdefault("bypass_csp", True)
    with opened(chromium, **options) as page:
        if script:
            page.add_init_script(script)
        page.goto(line.root + site.facts["qr"])
        ready(page)
        yield page


def until(page, promise):
    """Wait for what a promise says: ``wait_for_function`` takes the promise itself for true."""
    for _ in range(200):
        if page.evaluate(promise):
            return
        page.wait_for_timeout(50)
    raise AssertionError(promise)


def ready(page):
    page.evaluate("document.dispatchEvent(new Event('change'))")
    until(page, "window.sipasUnsent && sipasUnsent.ready.then(() => true)")


def again(page):
    """Send what waits, whether or not a timer has begun to."""
    page.evaluate("void sipasQueue.flush()")


def failing(kind, path=""):
    return lambda method, asked: kind if method == "POST" and asked.startswith(path) else ""


def dead(method, path):
    return "down"


def fill(page, comment):
    page.evaluate(FILL, comment)
    while page.locator("#next").is_visible():
        page.click("#next")
        assert page.locator("#errors").count() == 0, page.inner_text("#errors")


def send(page, comment):
    fill(page, comment)
    page.click("#send")


def receipt(page):
    page.wait_for_selector("#receipt:not([hidden]) .code, .code:visible")
    return RECEIPT.search(page.inner_text("main")).group()


def rows(site, comment):
    return site.rows("SELECT * FROM response WHERE json_extract(answers, '$.comment') = ?", comment)


def count(page):
    return page.evaluate("sipasQueue.count()")


def sent(page):
    until(page, "sipasQueue.count().then(n => n === 0)")


def kept_for_later(page):
    """The service worker has the form and the page of waiting answers."""
    until(
        page,
        "caches.keys().then(n => n.length && caches.open(n.find(x => x.startsWith('sipas-')))"
        ".then(c => c.keys()).then(k => k.filter(r => /offline|[/]q[/]/.test(r.url)).length > 1))",
    )


def test_an_answer_without_a_network_waits_and_is_stored_once(chromium, line, site):
    with phone(chromium, line, site) as page:
        line.fate = dead
        send(page, "chờ mạng")
        page.wait_for_selector("#held")

        assert page.inner_text("h1").startswith("Chưa có mạng. Câu trả lời được giữ trên máy này")
        assert page.inner_text("#left") == "Còn 1 phiếu chờ gửi"
        assert page.evaluate("document.activeElement.id") == "held"
        assert rows(site, "chờ mạng") == []
        line.fate = offline.fair
        page.click("#again")
        code = receipt(page)

    [row] = rows(site, "chờ mạng")
    assert row["receipt"] == code.replace("-", "")
    assert row["channel"] == "qr"
    assert row["submitted_at"] <= row["received_at"]


@pytest.mark.parametrize("fate", ["lost", "busy", "portal"])
def test_a_bad_reply_neither_loses_nor_doubles(chromium, line, site, fate):
    comment = f"trả lời hỏng {fate}"
    with phone(chromium, line, site) as page:
        # a portal's page is what the form shows; the queue alone must see through it
        line.fate = failing("lost" if fate == "portal" else fate, "/q/")
        queue_fate = failing(fate, offline.API)
        form_fate = line.fate
        line.fate = lambda method, path: form_fate(method, path) or queue_fate(method, path)
        send(page, comment)
        page.wait_for_selector("#held")
        page.evaluate("sipasQueue.flush().then(() => true)")

        assert count(page) == 1
        line.fate = offline.fair
        again(page)
        code = receipt(page)

    [row] = rows(site, comment)
    assert row["receipt"] == code.replace("-", "")


def test_a_lost_reply_to_the_form_itself_gives_the_same_receipt(chromium, line, site):
    with phone(chromium, line, site) as page:
        line.fate = failing("lost", "/q/")
        send(page, "mất lời đáp")
        code = receipt(page)

    [row] = rows(site, "mất lời đáp")
    assert row["receipt"] == code.replace("-", "")
    assert line.met["lost"] >= 1  # Chromium itself sends again over a connection it had kept


def test_two_tabs_that_send_at_once_store_each_answer_once(chromium, line, site):
    with phone(chromium, line, site) as page:
        line.fate = dead
        send(page, "hai thẻ")
        page.wait_for_selector("#held")
        line.fate = offline.fair
        other = page.context.new_page()
        other.goto(line.root + "/offline")
        for tab in (page, other, page, other):
            tab.evaluate("void sipasQueue.flush()")
        sent(page)
        code = receipt(page)

    [row] = rows(site, "hai thẻ")
    assert row["receipt"] == code.replace("-", "")


def test_a_reload_without_a_network_keeps_the_queue_and_opens_the_form(chromium, line, site):
    with phone(chromium, line, site) as page:
        kept_for_later(page)
        line.fate = dead
        send(page, "tải lại")
        page.wait_for_selector("#held")
        page.reload()
        page.wait_for_selector("#answers")
        ready(page)

        assert page.input_value('[name="page"]') == ""
        page.wait_for_selector("#waiting")
        assert page.inner_text("#waiting") == "Còn 1 phiếu chờ gửi"
        send(page, "người thứ hai")
        page.wait_for_selector("#held")
        assert page.inner_text("#left") == "Còn 2 phiếu chờ gửi"
        line.fate = offline.fair
        again(page)
        code = receipt(page)

    assert [len(rows(site, who)) for who in ("tải lại", "người thứ hai")] == [1, 1]
    assert rows(site, "người thứ hai")[0]["receipt"] == code.replace("-", "")


def test_the_next_person_gets_a_page_of_their_own(chromium, line, site):
    with phone(chromium, line, site, NO_SECURE_CONTEXT) as page:
        line.fate = dead
        for who in ("một", "hai", "ba"):
            send(page, f"máy chung {who}")
            page.wait_for_selector("#held")
            page.click("#fresh")
            page.wait_for_selector("#answers")
            assert page.locator("input:checked").count() == 0
            assert page.input_value('[name="comment"]') == ""
        assert count(page) == 3
        line.fate = offline.fair
        again(page)
        sent(page)

    assert [len(rows(site, f"máy chung {who}")) for who in ("một", "hai", "ba")] == [1, 1, 1]


def test_plain_http_keeps_the_servers_id_and_the_queue(chromium, line, site):
    with phone(chromium, line, site, NO_SECURE_CONTEXT) as page:
        assert page.evaluate("'serviceWorker' in navigator") is False
        line.fate = failing("lost", "/q/")
        send(page, "http thường")
        code = receipt(page)

    [row] = rows(site, "http thường")
    assert row["receipt"] == code.replace("-", "")


def test_without_a_database_the_page_itself_keeps_the_answers(chromium, line, site):
    with phone(chromium, line, site, NO_DATABASE) as page:
        line.fate = dead
        send(page, "chế độ riêng tư")
        page.wait_for_selector("#held")

        assert "chỉ được giữ trên trang này" in page.inner_text("h1")
        line.fate = offline.fair
        again(page)
        receipt(page)

    assert len(rows(site, "chế độ riêng tư")) == 1


def test_a_full_disk_leaves_the_answers_in_the_page(chromium, line, site):
    full = (
        "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError') }"
    )
    with phone(chromium, line, site, full) as page:
        line.fate = dead
        send(page, "đĩa đầy")
        page.wait_for_selector("#held")
        assert count(page) == 1
        line.fate = offline.fair
        again(page)
        receipt(page)

    assert len(rows(site, "đĩa đầy")) == 1


def test_a_wrong_clock_costs_nothing_and_both_times_are_kept(chromium, line, site):
    with phone(chromium, line, site) as page:
        line.fate = dead
        page.clock.set_system_time("2031-05-01T09:00:00+07:00")
        fill(page, "đồng hồ sai")
        page.clock.set_system_time("2021-05-01T09:00:00+07:00")
        page.click("#send")
        page.wait_for_selector("#held")
        line.fate = offline.fair
        again(page)
        receipt(page)

    [row] = rows(site, "đồng hồ sai")
    assert row["submitted_at"].startswith("2021-05-01T02:00")
    assert row["received_at"] > "2026"


def test_what_can_never_be_stored_is_kept_with_its_reason_and_goes_into_the_rescue_file(
    chromium, line, site
):
    with phone(chromium, line, site) as page:
        line.fate = dead
        send(page, "bị từ chối")
        page.wait_for_selector("#held")
        page.evaluate(
            "sipasQueue.add({id: sipasQueue.id(), token: 'cnowhere', questionnaire: 'x',"
            " answers: {}, submitted_at: new Date().toISOString()})"
        )
        line.fate = offline.fair
        again(page)
        receipt(page)
        page.wait_for_selector("#lost:not([hidden])")
        with page.expect_download() as got:
            page.click("#save")
        file = json.loads(Path(got.value.path()).read_text("utf-8"))

        assert got.value.suggested_filename.startswith("sipas-")
        assert file["unsent"] == []
        assert [one["reason"]["status"] for one in file["refused"]] == [404]


def test_a_rescue_file_is_sent_from_another_device(chromium, line, site):
    with phone(chromium, line, site) as page:
        line.fate = dead
        send(page, "tệp dự phòng")
        page.wait_for_selector("#held")
        with page.expect_download() as got:
            page.click("#save")
        text = Path(got.value.path()).read_bytes()
        line.fate = offline.fair
        with opened(chromium) as other:
            for _ in range(2):
                other.goto(line.root + "/offline")
                other.set_input_files(
                    "#load",
                    files=[{"name": "s.json", "mimeType": "application/json", "buffer": text}],
                )
                other.wait_for_selector("text=Đã nạp 1 phiếu.")
                sent(other)
            other.set_input_files(
                "#load", files=[{"name": "x", "mimeType": "text/plain", "buffer": b"x"}]
            )
            other.wait_for_selector("text=Đây không phải tệp dự phòng")
        again(page)
        receipt(page)

    assert len(rows(site, "tệp dự phòng")) == 1


def test_no_page_token_is_kept_and_staff_pages_are_not(chromium, line, site):
    with phone(chromium, line, site) as page:
        kept_for_later(page)
        page.goto(line.root + "/login")
        page.goto(line.root + "/r")
        held = page.evaluate(
            "async () => { const found = {}; for (const name of await caches.keys()) {"
            " const cache = await caches.open(name); for (const r of await cache.keys())"
            " found[new URL(r.url).pathname] = await (await cache.match(r)).text(); }"
            " return found }"
        )

    kept = {path for path in held if not path.startswith("/static/")}
    assert kept == {site.facts["qr"], "/offline"}
    assert 'name="page" value=""' in held[site.facts["qr"]]
    assert any(path.endswith("/queue.js") for path in held)


def test_a_closed_door_is_not_opened_from_the_cache(chromium, line, site):
    with phone(chromium, line, site) as page:
        kept_for_later(page)
        page.reload()
        line.fate = lambda method, path: "gone" if path.startswith("/q/") else ""
        page.reload()
        assert page.locator("#answers").count() == 0
        line.fate = dead
        page.reload()
        page.wait_for_selector("#held")


def test_new_files_bring_a_new_cache_that_holds_the_same_pages(chromium, line, site):
    with phone(chromium, line, site) as page:
        kept_for_later(page)
        line.swaps = (('var VERSION="sipas-', 'var VERSION="sipas-new-'),)
        try:
            page.evaluate("navigator.serviceWorker.ready.then(r => r.update()).then(() => true)")
            until(page, "caches.keys().then(n => n.length === 1 && /new/.test(n[0]))")
        finally:
            line.swaps = ()
        kept_for_later(page)
        line.fate = dead
        page.reload()

        assert page.locator("#answers").count() == 1


def test_an_update_on_a_bad_line_leaves_the_old_cache_whole(chromium, line, site):
    with phone(chromium, line, site) as page:
        kept_for_later(page)
        line.swaps = (('var VERSION="sipas-', 'var VERSION="sipas-new-'),)
        line.fate = lambda method, path: "" if path == "/sw.js" else "busy"
        try:
            page.evaluate("navigator.serviceWorker.ready.then(r => r.update()).then(() => true)")
            page.wait_for_timeout(200)
        finally:
            line.swaps = ()
        line.fate = dead
        page.reload()

        assert page.locator("#answers").count() == 1


def test_the_worker_sends_what_waits_when_every_tab_is_closed(chromium, line, site):
    with phone(chromium, line, site) as page:
        kept_for_later(page)
        line.fate = dead
        send(page, "đóng mọi thẻ")
        page.wait_for_selector("#held")
        [worker] = page.context.service_workers
        page.goto("about:blank")
        line.fate = offline.fair
        worker.evaluate("sipasQueue.flush().then(() => true)")

        assert worker.evaluate("sipasQueue.count()") == 0

    assert len(rows(site, "đóng mọi thẻ")) == 1


def test_a_kiosk_starts_and_takes_answers_without_a_network(chromium, line, site):
    comment = "ki-ốt không mạng"
    with opened(chromium, bypass_csp=True, viewport={"width": 768, "height": 1024}) as page:
        page.goto(line.root + site.facts["kiosk"])
        until(
            page,
            "caches.keys().then(n => n.length && caches.open(n[0]).then(c => c.keys())"
            ".then(k => k.some(r => /screens/.test(r.url))))",
        )
        line.fate = dead
        page.reload()
        page.click("main button.btn")
        for _ in range(30):
            page.wait_for_selector("main button:visible")
            if page.locator("main textarea:visible").count():
                page.fill("main textarea", comment)
                page.click("main button.btn:visible")
                break
            page.locator("main .faces button:visible").nth(3).click()
            page.wait_for_timeout(60)
        until(page, "sipasQueue.count().then(n => n === 1)")
        assert rows(site, comment) == []
        line.fate = offline.fair
        again(page)
        sent(page)

    [row] = rows(site, comment)
    assert row["channel"] == "kiosk"


def test_the_phone_form_needs_no_script(chromium, line, site):
    with opened(chromium, java_script_enabled=False) as page:
        page.goto(line.root + site.facts["qr"])

        assert page.locator("#send").is_visible()
        assert page.input_value('[name="page"]') != ""
        page.goto(line.root + "/offline")
        assert "JavaScript" in page.inner_text("main")


@pytest.mark.parametrize("look", ["", "?chu=to", "?tuong-phan=cao", "?lang=en"])
def test_every_state_without_a_network_has_no_barrier(chromium, line, site, look):
    with opened(chromium, bypass_csp=True, viewport=PHONE) as page:
        page.goto(line.root + site.facts["qr"] + look)
        ready(page)
        line.fate = dead
        send(page, f"rào cản {look}")
        page.wait_for_selector("#held")
        for size in (PHONE, DESK, {"width": 320, "height": 640}):
            page.set_viewport_size(size)
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        heights = page.eval_on_selector_all(
            "main button, main input",
            "all => all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)",
        )
        assert min(heights) >= 48
        line.fate = offline.fair
        again(page)
        receipt(page)
        assert violations(page) == []
        page.goto(line.root + "/offline" + look)
        assert violations(page) == []


DRAWN = """([seed]) => {
  let n = seed; const next = m => (n = (n * 48271) % 2147483647) % m;
  const words = ["", " ",
    "5 < 6 & \\"ý kiến\\"", "hai\\ndòng", "  thừa chỗ ", "dấu Tiê\\u0301ng", "12"];
  for (const field of document.querySelectorAll("#answers input,#answers textarea")) {
    if (/radio|checkbox/.test(field.type)) field.checked = next(3) === 0;
    else if (field.type !== "hidden") field.value = words[next(words.length)];
  }
  document.querySelector("#answers").dispatchEvent(new Event("change", {bubbles: true}));
  const form = document.querySelector("#answers");
  return [[...new FormData(form)], sipasUnsent.answers(form)];
}"""


@pytest.mark.parametrize("key", questionnaire.keys())
def test_the_queue_reads_the_form_as_the_server_does(chromium, line, site, key):
    app = create_app(config.load(site.instance))
    place = pages.Place(key, frozenset(), "Quầy 1", "Đợt", "Sở Nội vụ", synthetic=True)
    with app.test_request_context():
        html = pages.draw(kiosk.FORM, place, pages.Look())
    app.extensions["sipas"].writer.close()
    with phone(chromium, line, site) as page:
        page.evaluate("html => sipasForm.swap(html, 0, '')", html)
        chance, q = random.Random(key), questionnaire.load(key)
        for _ in range(40):
            posted, read = page.evaluate(DRAWN, [chance.randrange(1, 2**31 - 1)])
            pairs = [(name, value.replace("\n", "\r\n")) for name, value in posted]
            expected = web.from_form(q, intake.Posted(urlencode(pairs).encode()))
            theirs, ours = rules.check(q, expected), rules.check(q, read)

            assert ours[0] == theirs[0]
            assert [f.column for f in ours[1]] == [f.column for f in theirs[1]]
            assert set(read) == set(expected)


def test_a_short_week_on_a_bad_line_stores_each_answer_once(chromium):
    found = offline.week(12, browser=chromium)

    assert (found.stored, found.lost, found.doubled) == (12, 0, 0)
    assert found.down
    assert found.lost_replies
    assert found.jumps
    assert found.reopened


def test_a_queue_that_forgets_its_ids_is_caught(chromium):
    swaps = (offline.FORGETFUL, offline.FORGIVING)

    assert offline.week(12, swaps=swaps, browser=chromium).doubled


def test_a_queue_that_drops_what_failed_is_caught(chromium):
    assert offline.week(12, swaps=(offline.LOSSY,), browser=chromium).lost
