"""The head of a one-stop unit does a quarter's work: points, letters, the report's fields."""

from __future__ import annotations

import onestop_data
import pytest
from onestop_data import COMMUNE, QUARTER
from small_wave import PASSWORD, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from browser.chrome import DESK, PHONE, free_port, opened, served, violations
from browser.test_pages import NARROW, sideways
from survey import config, db
from survey.store import letters, narratives, people

pytestmark = pytest.mark.browser


@pytest.fixture
def place(instance):
    store = db.connect(config.load(instance, environ={}).database)
    onestop_data.make(store)
    onestop_data.open_late(store, applicant="Trần Thị Mỹ Hạnh")
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    for name, role, unit in (
        ("head", "supervisor", COMMUNE), ("above", "administrator", TUYEN_QUANG),
    ):  # fmt: skip
        people.add(
            store, username=name, name=name.title(), role=role, unit=unit, password_hash=cheap,
            must_change=False, **onestop_data.ACT,
        )  # fmt: skip
    yield store
    store.close()


@pytest.fixture
def root(place, instance):
    port = free_port()
    with served(instance, port):
        yield f"http://127.0.0.1:{port}"


def enter(page, root, name):
    page.goto(f"{root}/login")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def test_a_head_does_the_work_of_a_quarter_without_scripts(place, root, chromium):
    with opened(chromium, viewport=DESK, java_script_enabled=False) as page:
        enter(page, root, "head")
        page.goto(f"{root}/criteria/{COMMUNE}/{QUARTER}")
        for n in range(1, 10):
            page.fill(f"#self-n{n}", "2")
        page.click("text=Lưu điểm tự chấm")
        assert page.locator("[aria-invalid]").count() == 3, "5, 8, 9 want evidence"
        for n in (5, 8, 9):
            page.fill(f"#self-e_n{n}", "Báo cáo 12")
        page.click("text=Lưu điểm tự chấm")
        assert "Đã lưu điểm tự chấm" in page.inner_text("main")

        page.goto(f"{root}/letters")
        page.check('input[value="H9.00000"]')
        page.fill("#reason", "Chờ xác minh")
        page.fill("#new_due_on", "2099-01-05")
        page.click('button:has-text("Lập thư")')
        with page.expect_download() as printed:
            page.click('button:has-text("In thư")')
        assert printed.value.suggested_filename.endswith(".pdf")
        page.check("input[name=letter]")
        page.click("button[value=sent]")
        assert "Đã ghi 1 thư" in page.inner_text("main")
        [year] = letters.years(place)
        assert [one.state for one in letters.register(place, year=year)] == ["sent"]

        page.goto(f"{root}/reports/fields/{COMMUNE}/{QUARTER}")
        page.fill("#issue0", "Trả chậm")
        page.fill("#praise", "Quầy 1")
        page.click("text=Lưu nội dung")
        assert narratives.newest(place, "periodic", COMMUNE, QUARTER).version == 1


def test_the_pages_fit_every_screen_without_barrier(root, chromium):
    pages = (
        f"/criteria?period={QUARTER}", f"/criteria/{COMMUNE}/{QUARTER}", "/letters",
        "/letters/register", f"/letters/head/{COMMUNE}", f"/reports/fields/{COMMUNE}/{QUARTER}",
    )  # fmt: skip
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        enter(page, root, "above")
        for path in pages:
            page.goto(root + path)
            for size in (PHONE, NARROW, DESK):
                page.set_viewport_size(size)
                assert sideways(page) <= 0, path
                assert violations(page) == [], path


def test_the_keyboard_alone_makes_a_letter(place, root, chromium):
    with opened(chromium, viewport=DESK) as page:
        enter(page, root, "head")
        page.goto(f"{root}/letters")
        page.focus('input[value="H9.00001"]')
        page.keyboard.press("Space")
        page.focus("#reason")
        page.keyboard.type("Chờ xác minh")
        page.focus("#new_due_on")
        page.keyboard.type("01052099")
        page.focus("#channel")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/letters/register**")

        assert "H9.00001" in page.inner_text("table")
