"""The kiosk as one document: offline, idle, clean for the next person, open to everybody."""

from __future__ import annotations

import json
import shutil
from contextlib import closing, contextmanager

import pytest

from browser.chrome import DESK, FLAGS, PHONE, TABLET, Site, opened, violations
from survey.db import connect, write

pytestmark = pytest.mark.browser
WIDE = "qr"  # the household questionnaire, opened as a kiosk
#: A tap as assistive tools make it: no guard against a second one.
TAP = "document.querySelector('.faces button').click()"
READY = "main:not(:has([aria-disabled])) button:enabled, .code"
SECRET = "điều chỉ người trước biết"


@contextmanager
def kiosk(chromium, site, door="kiosk", *, query="", **options):
    """A kiosk that holds its screens, with the clock in our hands if asked."""
    options.setdefault("viewport", TABLET)
    clock = options.pop("clock", False)
    with opened(chromium, **options) as page:
        if clock:
            page.clock.install()
        page.goto(site.url(door).replace("/q/", "/k/") + query)
        page.wait_for_selector("[data-begin]")
        yield page


def binary():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))


def begin(page):
    page.click("[data-begin]")
    page.wait_for_selector("[data-step]")


def to_comment(page, face=3):
    begin(page)
    for n in range(2, 8):
        page.click(f".faces button >> nth={face}")
        page.wait_for_selector(f"text=/(Câu|Question) {n}\\b/")


def finish(page):
    page.click("[data-next]")
    page.wait_for_selector(".code")
    return page.inner_text(".code")


def column(page):
    return page.locator("main form").evaluate(
        "f => [...f.querySelectorAll('button,input,textarea')]"
        ".map(e => e.name).filter(n => n && n !== 'go')[0]"
    )


def last(site):
    return site.rows("select * from response order by seq desc limit 1")[0]


def held_everywhere(page):
    """All text the document and this tab's storage still hold."""
    return page.evaluate(
        "() => document.documentElement.outerHTML + JSON.stringify(sessionStorage)"
        " + JSON.stringify(localStorage) + [...document.querySelectorAll('input,textarea')]"
        ".map(f => f.value) + location.href + JSON.stringify(history.state)"
    )


def test_a_finished_answer_is_the_kiosks_and_has_both_clocks(site, chromium):
    with kiosk(chromium, site) as page:
        to_comment(page)
        page.fill("textarea", "  Chỗ ngồi ít  ")
        receipt = finish(page)
        row = last(site)

    assert row["receipt"] == receipt.replace("-", "")
    assert (row["channel"], row["language"], row["assisted_by"]) == ("kiosk", "vi", None)
    assert json.loads(row["answers"])["comment"] == "Chỗ ngồi ít"
    assert row["started_at"] <= row["submitted_at"] <= row["received_at"]


def test_nothing_leaves_the_document_before_the_end(site, chromium):
    with kiosk(chromium, site) as page:
        sent = []
        page.on("request", lambda request: sent.append(request.url))
        to_comment(page)
        page.fill("textarea", SECRET)

        assert [url for url in sent if "/beat" not in url and "/static/" not in url] == []
        assert page.evaluate("history.length") <= 2


def test_an_answer_without_a_network_is_kept_thanked_and_sent_later(site, chromium):
    before = len(site.rows("select id from response"))
    with kiosk(chromium, site) as page:
        page.context.set_offline(True)
        for _ in range(2):
            to_comment(page)
            page.click("[data-next]")
            page.wait_for_selector("text=được giữ trên máy này và tự gửi khi có mạng")
            assert page.locator(".code").count() == 0
            page.click("[data-stop]")
            page.wait_for_selector("[data-begin]")
        page.wait_for_selector("text=Còn 2 phiếu chờ gửi")
        assert len(site.rows("select id from response")) == before
        page.context.set_offline(False)
        page.wait_for_function("() => document.querySelector('[data-waiting]').hidden")

    found = site.rows("select channel from response order by seq desc limit 2")
    assert len(site.rows("select id from response")) == before + 2
    assert [row["channel"] for row in found] == ["kiosk", "kiosk"]


def test_a_tablet_switched_on_without_a_network_still_asks(site, chromium):
    with kiosk(chromium, site) as page:
        page.wait_for_function(
            "async () => navigator.serviceWorker.controller"
            " && await caches.match(location.pathname)"
            " && await caches.match(location.pathname + '/screens')"
        )
        page.context.set_offline(True)
        page.reload()
        page.wait_for_selector("[data-begin]")
        to_comment(page)
        page.click("[data-next]")
        page.wait_for_selector("[data-why]")
        page.reload()
        page.wait_for_selector("text=Còn 1 phiếu chờ gửi")
        page.context.set_offline(False)
        page.evaluate("sipasQueue.flush()")
        page.wait_for_function("() => document.querySelector('[data-waiting]').hidden")

    assert last(site)["channel"] == "kiosk"


def test_a_kiosk_on_a_plain_office_network_makes_its_own_ids(site, chromium):
    """No https: the browser has no randomUUID, no locks and no service worker there."""
    names = "--host-resolver-rules=MAP kiosk.lan 127.0.0.1"
    found = chromium.browser_type.launch(executable_path=binary(), args=[*FLAGS, names])
    office = Site(site.instance, 0, site.facts)
    office.root = site.root.replace("127.0.0.1", "kiosk.lan")
    try:
        with kiosk(found, office) as page:
            assert page.evaluate("[isSecureContext, typeof crypto.randomUUID]") == [
                False,
                "undefined",
            ]
            ids = []
            for _ in range(2):
                to_comment(page)
                finish(page)
                ids.append(last(site)["id"])
                page.click("[data-stop]")
                page.wait_for_selector("[data-begin]")
    finally:
        found.close()

    assert len(set(ids)) == 2
    assert all(id[14] == "4" for id in ids)


def test_without_the_screens_the_server_asks_question_by_question(site, chromium):
    with opened(chromium, viewport=TABLET) as page:
        page.route("**/screens*", lambda route: route.abort())
        page.goto(site.url("kiosk"))
        page.click("main button.btn")
        for n in range(1, 7):
            page.wait_for_selector(f"text=/Câu {n}\\//")
            page.click(".faces button >> nth=4")
        page.wait_for_selector("textarea")
        page.click('button[value="next"]')
        page.wait_for_selector(".code")

    assert last(site)["channel"] == "kiosk"


def test_a_tap_before_the_screens_are_there_is_not_lost(site, chromium):
    with opened(chromium, viewport=TABLET) as page:
        waiting = []
        page.route("**/screens", lambda route: waiting.append(route))
        page.goto(site.url("kiosk"))
        page.click("main button.btn")
        while not waiting:
            page.wait_for_timeout(20)
        waiting[0].continue_()
        page.wait_for_selector(".faces [name=m1]")

        assert page.locator("[data-back]").count() == 1


def test_the_next_person_finds_nothing_of_the_last_one(site, chromium):
    with kiosk(chromium, site) as page:
        to_comment(page, face=0)
        page.fill("textarea", SECRET)
        page.click("[data-stop]")
        page.wait_for_selector("[data-begin]")
        assert SECRET not in held_everywhere(page)

        to_comment(page)
        assert page.input_value("textarea") == ""
        assert page.locator(".was").count() == 0
        page.keyboard.press("Control+z")
        assert page.input_value("textarea") == ""
        page.fill("textarea", SECRET)
        page.goto(site.url("/privacy"))
        page.go_back()
        page.wait_for_selector("[data-begin]")
        assert SECRET not in held_everywhere(page)
        page.go_forward()
        page.go_back()
        page.wait_for_selector("[data-begin]")
        assert SECRET not in held_everywhere(page)


def test_after_the_thanks_the_screen_goes_back_by_itself(site, chromium):
    with kiosk(chromium, site, clock=True) as page:
        to_comment(page)
        page.fill("textarea", SECRET)
        receipt = finish(page)
        page.clock.run_for(16_000)
        page.wait_for_selector("[data-begin]")

        assert receipt not in held_everywhere(page)
        assert SECRET not in held_everywhere(page)


def test_silence_asks_first_and_then_clears_the_screen(site, chromium):
    before = len(site.rows("select id from response"))
    with kiosk(chromium, site, clock=True) as page:
        to_comment(page)
        page.fill("textarea", SECRET)
        page.clock.run_for(61_000)
        page.wait_for_selector("dialog[open]")
        assert "sẽ được xóa sau" in page.inner_text("dialog")
        page.click("#stay")
        assert page.input_value("textarea") == SECRET

        page.clock.run_for(61_000)
        page.clock.run_for(21_000)
        page.wait_for_selector("[data-begin]")
        assert SECRET not in held_everywhere(page)

    assert len(site.rows("select id from response")) == before


def test_no_question_interrupts_a_syllable_being_written(site, chromium):
    with kiosk(chromium, site, clock=True) as page:
        to_comment(page)
        page.focus("textarea")
        page.clock.run_for(55_000)
        page.dispatch_event("textarea", "compositionstart")
        page.clock.run_for(120_000)
        assert page.locator("dialog[open]").count() == 0

        page.dispatch_event("textarea", "compositionend")
        page.clock.run_for(61_000)
        assert page.locator("dialog[open]").count() == 1


@contextmanager
def waves(site, *, partial="discard", contact_days=0):
    """All waves follow other rules while we look."""

    def rule(*values):
        with closing(connect(site.instance / "sipas.sqlite")) as db, write(db):
            db.execute("UPDATE wave SET partial = ?, contact_days = ?", values)

    rule(partial, contact_days)
    try:
        yield
    finally:
        rule("discard", 0)


def test_answers_left_behind_are_kept_where_the_wave_says_so(site, chromium):
    with waves(site, partial="keep"), kiosk(chromium, site, clock=True) as page:
        assert "các câu đã trả lời được gửi" in page.inner_text("main")
        begin(page)
        page.click(".faces button >> nth=1")
        page.wait_for_selector("text=/Câu 2/")
        page.clock.run_for(61_000)
        assert "sẽ được gửi như đã trả lời tới đây" in page.inner_text("dialog")
        with page.expect_response("**/api/v1/responses") as answer:
            page.clock.run_for(21_000)
        assert answer.value.status == 201
        page.wait_for_selector("[data-begin]")
        row = last(site)

    assert json.loads(row["answers"]) == {"m1": 2}
    assert (row["state"], "partial" in json.loads(row["flags"])) == ("flagged", True)


def test_nothing_scored_is_nothing_to_keep(site, chromium):
    before = len(site.rows("select id from response"))
    with waves(site, partial="keep"), kiosk(chromium, site, clock=True) as page:
        begin(page)
        page.clock.run_for(61_000)
        assert "sẽ được xóa sau" in page.inner_text("dialog")
        page.clock.run_for(21_000)
        page.wait_for_selector("[data-begin]")

    assert len(site.rows("select id from response")) == before


def test_switches_of_size_contrast_and_language_keep_the_answers(site, chromium):
    with kiosk(chromium, site) as page:
        begin(page)
        page.click(".faces button >> nth=0")
        page.wait_for_selector("text=/Câu 2/")
        page.click("[data-switch=size]")
        page.click("[data-switch=contrast]")
        assert page.get_attribute("html", "data-size") == "large"
        assert page.get_attribute("html", "data-look") == "contrast"
        page.click("[data-switch=language]")
        page.wait_for_selector("text=/Question 2/")
        assert page.get_attribute("html", "lang") == "en"
        page.click("[data-back]")
        assert page.locator(".was").get_attribute("value") == "1"
        page.click("[data-stop]")
        page.wait_for_selector("text=Bắt đầu trả lời")
        assert page.get_attribute("html", "data-size") is None


def test_a_long_comment_is_measured_in_the_servers_words(site, chromium):
    with kiosk(chromium, site) as page:
        to_comment(page)
        page.fill("textarea", "ế" * 2140)
        page.click("[data-next]")

        assert "Ý kiến dài 2.140 chữ cái, tối đa 1.000." in page.inner_text("[role=alert]")
        assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
        page.fill("textarea", "ế" * 1000)
        finish(page)


def test_the_second_tap_of_a_double_tap_answers_nothing(site, chromium):
    with kiosk(chromium, site) as page:
        begin(page)
        page.wait_for_selector(".faces button:enabled")
        box = page.locator(".faces button >> nth=2").bounding_box()
        page.mouse.dblclick(box["x"] + 40, box["y"] + 20)
        page.wait_for_timeout(50)

        assert "Câu 2/" in page.inner_text("[data-step]")


def test_every_kind_of_question_follows_the_skip_rules(site, chromium):
    seen = []
    with kiosk(chromium, site, WIDE) as page:
        begin(page)
        for _ in range(120):
            name = column(page)
            seen.append(name)
            if name == "consent_ethnicity":
                page.click("button[value=refuse]")
            elif page.locator("main input[type=checkbox]").count() and name == "c2":
                page.check("[data-other]", force=True)
                page.fill(".other input", "Trưởng thôn")
                page.click("[data-next]")
            elif page.locator("main textarea").count():
                page.click("[data-next]")
            else:
                page.evaluate(TAP)
            page.wait_for_selector(READY)
            if page.locator(".code").count():
                break
        answers = json.loads(last(site)["answers"])

    assert "ethnicity" not in seen
    assert answers["c2.other"] == "Trưởng thôn"
    assert not {"ethnicity", "consent_ethnicity"} & answers.keys()
    assert answers["c1.economy"] == 1


def test_consent_taken_back_takes_the_answer_back(site, chromium):
    with kiosk(chromium, site, WIDE) as page:
        begin(page)
        while column(page) != "consent_ethnicity":
            page.click(".faces button >> nth=0")
            page.wait_for_timeout(20)
        page.click(".faces button >> nth=0")
        page.wait_for_selector("[name=ethnicity]")
        page.click("[name=ethnicity] >> nth=1")
        page.click("[data-back]")
        page.click("[data-back]")
        assert page.locator(".was").count() == 1
        page.click("button[value=refuse]")
        page.click("[data-back]")

        assert page.locator(".was").count() == 0


def test_who_helped_is_asked_on_the_last_screen_and_stored(site, chromium):
    with kiosk(chromium, site) as page:
        to_comment(page)
        page.click("details.extras summary")
        page.check('[name=assisted_by][value="family"]', force=True)
        page.click("[data-back]")
        page.click(".faces button >> nth=3")
        assert page.is_checked('[name=assisted_by][value="family"]')
        finish(page)

    assert last(site)["assisted_by"] == "family"


def test_a_number_is_kept_apart_and_only_with_its_consent(site, chromium):
    with waves(site, contact_days=30), kiosk(chromium, site, bypass_csp=True) as page:
        to_comment(page)
        page.click("details.extras summary")
        for typed, said in (("12", "chỉ gồm chữ số"), ("0912 345 678", "khi Ông/Bà đồng ý")):
            page.fill("#contact_phone", typed)
            page.click("[data-next]")
            assert said in page.inner_text("[role=alert]")
        assert violations(page) == []
        page.check("#contact_consent", force=True)
        receipt = finish(page)
        row = last(site)

    assert row["receipt"] == receipt.replace("-", "")
    [kept] = site.rows("select phone from contact where response = ?", row["id"])
    assert kept["phone"] == "0912345678"
    assert "0912" not in row["answers"]


def test_a_recorded_question_is_heard_only_when_asked_for(site, chromium):
    folder = site.instance / "sound/mot-cua-2026.1/vi"
    folder.mkdir(parents=True)
    (folder / "m1.wav").write_bytes(
        b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00"
        b"\x40\x1f\x00\x00\x01\x00\x08\x00data\x08\x00\x00\x00" + b"\x80" * 8
    )
    asked = []
    try:
        with kiosk(chromium, site) as page:
            page.on("request", lambda r: asked.append(r.url) if "/sound/" in r.url else None)
            begin(page)
            button = page.locator("[data-sound]")
            assert button.bounding_box()["height"] >= 64
            assert asked == []
            with page.expect_request("**/sound/**"):
                button.click()
            page.click(".faces button >> nth=0")
            page.wait_for_selector("text=/Câu 2/")
            assert page.locator("[data-sound]").count() == 0
    finally:
        (folder / "m1.wav").unlink()


def test_settings_reach_a_kiosk_that_nobody_uses(site, chromium):
    def sets(text):
        with closing(connect(site.instance / "sipas.sqlite")) as db, write(db):
            db.execute("UPDATE door SET settings = ? WHERE kind = 'counter'", (text,))

    chosen = {"idle": 30, "language": "en", "large": True, "contrast": False, "sound": True}
    try:
        with kiosk(chromium, site, clock=True) as page:
            page.wait_for_function("() => document.querySelector('[data-waiting]').hidden")
            sets(json.dumps(chosen))
            with page.expect_response("**/beat"):
                page.clock.run_for(61_000)
            page.wait_for_selector("html[lang=en][data-size=large]")
            begin(page)
            page.clock.run_for(31_000)
            page.wait_for_selector("dialog[open]")
    finally:
        sets("{}")


def test_a_new_version_is_loaded_only_when_nobody_is_there(site, chromium):
    with kiosk(chromium, site, clock=True) as page:
        loads = []
        page.on("framenavigated", lambda frame: loads.append(frame.url))

        def newer(route):
            answer = route.fetch()
            route.fulfill(response=answer, json=answer.json() | {"version": "newer"})

        page.route("**/beat", newer)
        begin(page)
        with page.expect_response("**/beat"):
            page.clock.run_for(61_000)
        assert loads == []
        page.click("#stay")
        page.click("[data-stop]")
        page.wait_for_selector("[data-begin]")
        page.evaluate("window.before = true")
        with page.expect_navigation():
            page.clock.run_for(61_000)
        page.unroute_all(behavior="wait")  # a beat under way would end in the next test


def nothing(page):
    """Leave the page at its start."""


def error(page):
    to_comment(page)
    page.fill("textarea", "ế" * 1001)
    page.click("[data-next]")


def idle(page):
    begin(page)
    page.clock.run_for(61_000)
    page.wait_for_selector("dialog[open]")


def offline(page):
    page.context.set_offline(True)
    to_comment(page)
    page.click("[data-next]")
    page.wait_for_selector("[data-why]")


def helped(page):
    to_comment(page)
    page.click("details.extras summary")


def thanked(page):
    to_comment(page)
    finish(page)


def private(page):
    page.click("main summary")


STATES = {
    "start": nothing, "privacy": private, "question": begin, "comment": to_comment,
    "error": error, "idle": idle, "offline": offline, "thanks": thanked, "helped": helped,
}  # fmt: skip
LOOKS = {
    "plain": "",
    "large": "?chu=to",
    "contrast": "?tuong-phan=cao",
    "both": "?chu=to&tuong-phan=cao&lang=en",
}


#: Every state as it is, and in the heaviest dress; each switch alone where its words are.
SEEN = [(state, look) for state in STATES for look in ("plain", "both")]
SEEN += [(state, look) for state in ("start", "question") for look in ("large", "contrast")]


@pytest.mark.parametrize(("state", "look"), SEEN)
def test_every_state_is_open_to_everybody(site, chromium, state, look):
    with kiosk(chromium, site, query=LOOKS[look], bypass_csp=True, clock=state == "idle") as page:
        STATES[state](page)
        if state == "idle":
            page.clock.resume()
        page.wait_for_timeout(300)  # the guard against double taps is over
        for size in (TABLET, PHONE, DESK):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            small = page.eval_on_selector_all(
                "main button, main .pick, .btn, header button, summary",
                "all => all.filter(e => e.offsetParent && !e.closest('[inert]'))"
                ".map(e => [e.textContent, e.getBoundingClientRect().height])"
                ".filter(pair => pair[1] < 64)",
            )
            assert small == []
        assert violations(page) == []


@pytest.mark.parametrize("kind", ["c2", "c1.economy", "consent_ethnicity", "age", "comment"])
def test_every_kind_of_question_is_open_to_everybody(site, chromium, kind):
    with kiosk(chromium, site, WIDE, bypass_csp=True) as page:
        begin(page)
        for _ in range(120):
            name = column(page)
            if name == kind:
                break
            if name == "consent_ethnicity":
                page.click("button[value=refuse]")
            elif name == "c2":
                page.check("main .pick input >> nth=0", force=True)
                page.click("[data-next]")
            elif name == "comment":
                break
            else:
                page.evaluate(TAP)
            page.wait_for_selector("main button:enabled >> nth=0")
        page.wait_for_timeout(300)

        assert violations(page) == []
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert violations(page) == []


def test_the_keyboard_alone_answers_everything(site, chromium):
    with kiosk(chromium, site) as page:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('main .btn, .faces button')"):
                page.keyboard.press("Enter")
                page.wait_for_selector(READY)
            elif page.evaluate("document.activeElement.matches('textarea')"):
                page.keyboard.press("Tab")
                page.keyboard.press("Tab")
                page.keyboard.press("Enter")
                page.wait_for_selector(".code")
            if page.locator(".code").count():
                break

        assert page.locator(".code").count() == 1
