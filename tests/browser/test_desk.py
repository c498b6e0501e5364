"""The desk in a real browser: keys alone, a network that drops, a session that ends, blindly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import paper_wave
import pytest
import small_wave
from werkzeug.security import generate_password_hash

from browser.chrome import DESK, PHONE, Site, free_port, opened, served, violations
from browser.test_pages import NARROW, sideways
from forms import paper
from forms.questionnaire import load
from survey import config, db, serials
from survey.store import people

pytestmark = pytest.mark.browser
Q = load(paper_wave.QUESTIONNAIRE)
FIELDS = paper.fields(Q)
LOT = "L000001"
SHEET = "#sheet:not([hidden])"


class PaperSite(Site):
    """A served instance with a wave on paper, one lot of it on the desk."""

    def __init__(self, instance: Path, port: int, cases: list[int]) -> None:
        super().__init__(instance, port, {})
        self.cases = cases
        self.used = 0

    def take(self) -> int:
        """A case of the lot that no test has touched."""
        self.used += 1
        return self.cases[self.used - 1]

    def change(self, statement: str, *values: object) -> None:
        """Change the database as somebody else would meanwhile."""
        with closing(db.connect(self.instance / "sipas.sqlite")) as base, db.write(base):
            base.execute(statement, values)

    def entries(self, case: int) -> list[dict[str, object]]:
        """What is stored of a form, the first entry first."""
        rows = self.rows(
            "SELECT e.*, s.username FROM paper_entry e JOIN staff s ON s.id = e.staff"
            " WHERE case_id = ? ORDER BY round",
            case,
        )
        return [dict(row) | {"fields": json.loads(row["fields"])} for row in rows]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperSite]:
    home = tmp_path_factory.mktemp("paper") / "instance"
    cheap = generate_password_hash(people.plain(small_wave.PASSWORD), method="scrypt:1024:8:1")
    small_wave.make(home, cheap)
    with closing(db.connect(config.load(home, environ={}).database)) as base:
        facts = paper_wave.make(base)
        lot = facts.main[:16]
        base.execute(
            "INSERT INTO lot (id, wave, code, unit, made_at, actor)"
            " VALUES (1, ?, ?, ?, '2026-11-22T03:00:00.000Z', 'shell:test')",
            (facts.wave, LOT, paper_wave.HOME),
        )
        for case in lot:
            base.execute(
                "UPDATE sample_case SET lot = 1, state = 'collected' WHERE id = ?", (case,)
            )
    port = free_port()
    with served(home, port):
        yield PaperSite(home, port, lot)


def sign_in(page, desk, name="nhap1", path="/login"):
    page.goto(desk.url(path))
    page.fill("[name=username]", name)
    page.fill("[name=password]", small_wave.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def at_lot(page, desk, name="nhap1"):
    sign_in(page, desk, name)
    page.goto(desk.url(f"/desk/lot/{LOT}"))
    page.wait_for_selector("#pick:not([hidden])")


def keys_of(fields) -> list[str]:
    """What a clerk presses for these fields: a digit an answer, Enter after ticks and texts."""
    pressed: list[str] = []
    for field in FIELDS:
        value = fields[field.name]
        if field.kind == "one":
            pressed.append(str(value if value in (0, 9) else field.codes.index(value) + 1))
        elif field.kind == "several":
            pressed += [str(field.codes.index(code) + 1) for code in value] + ["Enter"]
        elif not field.name.endswith(".other") or asked(field, fields):
            pressed += [*value, "Enter"]
    return pressed


def asked(field, fields) -> bool:
    given = fields[field.item.id]
    return field.item.other.code in (given if isinstance(given, list) else [given])


def type_in(page, keys) -> None:
    for key in keys:
        page.keyboard.press(key)


def open_form(page, case) -> None:
    type_in(page, [*serials.serial(case)[-4:], "Enter"])
    page.wait_for_selector(SHEET)


def stored(page, case) -> None:
    page.wait_for_selector(f'tr[data-serial="{serials.serial(case)}"] >> text=đã lưu')


def test_a_whole_form_is_keyed_in_by_keyboard_alone(desk, chromium):
    case, fields = desk.take(), paper_wave.fields(5, comment="Phuc vu tot")
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, case)
        keys = keys_of(fields)
        type_in(page, keys)
        assert page.evaluate("document.activeElement.id") == "save"
        page.keyboard.press("Enter")
        stored(page, case)
        assert page.evaluate("document.activeElement.id") == "serial"

    [entry] = desk.entries(case)
    assert entry["fields"] == fields
    assert entry["keys"] == len(keys) + 1
    assert 0 < entry["active_ms"] < 60_000
    assert len(keys) < 115


def test_the_second_entry_is_blind_and_settles_the_form(desk, chromium):
    case, fields = desk.take(), paper_wave.fields(1)
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, case)
        type_in(page, [*keys_of(fields), "Enter"])
        stored(page, case)
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk, "nhap2")
        open_form(page, case)
        assert "Nhập lần 2" in page.inner_text("#round")
        assert page.locator("#sheet :checked").count() == 0
        type_in(page, [*keys_of(fields), "Enter"])
        stored(page, case)

    assert [entry["username"] for entry in desk.entries(case)] == ["nhap1", "nhap2"]
    [row] = desk.rows("SELECT state FROM sample_case WHERE id = ?", case)
    assert row["state"] == "compared"
    assert len(desk.rows("SELECT 1 FROM response WHERE case_id = ?", case)) == 1


def test_a_clerk_goes_on_while_the_network_is_away(desk, chromium):
    first, second = desk.take(), desk.take()
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, first)
        keys = keys_of(paper_wave.fields(2))
        type_in(page, keys[:40])
        page.context.set_offline(True)
        type_in(page, [*keys[40:], "Enter"])
        page.wait_for_selector("#line >> text=Mất mạng: 1 phiếu")
        open_form(page, second)
        type_in(page, [*keys_of(paper_wave.fields(3)), "Enter"])
        page.wait_for_selector("#line >> text=Mất mạng: 2 phiếu")
        assert desk.entries(first) == []
        page.context.set_offline(False)
        stored(page, first)
        stored(page, second)

    assert [len(desk.entries(case)) for case in (first, second)] == [1, 1]
    assert desk.entries(second)[0]["fields"] == paper_wave.fields(3)


def test_a_form_whose_receipt_is_lost_is_stored_once(desk, chromium):
    case, fates = desk.take(), ["busy", "portal", "lost"]

    def line(route) -> None:
        fate = fates.pop(0) if fates else ""
        if fate == "busy":
            route.fulfill(status=503, body="")
        elif fate == "portal":
            route.fulfill(status=200, content_type="text/html", body="<p>Wi-Fi</p>")
        elif fate == "lost":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    with opened(chromium, viewport=DESK) as page:
        page.route("**/desk/entries", line)
        at_lot(page, desk)
        open_form(page, case)
        type_in(page, [*keys_of(paper_wave.fields(2)), "Enter"])
        for _ in range(20):
            page.evaluate("window.dispatchEvent(new Event('online'))")
            page.wait_for_timeout(250)
            if not fates and page.locator("#line.bad").count() == 0:
                break
        stored(page, case)

    assert fates == []
    assert len(desk.entries(case)) == 1


def test_a_session_that_ends_in_mid_form_costs_nothing(desk, chromium):
    case, fields = desk.take(), paper_wave.fields(4)
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, case)
        keys = keys_of(fields)
        type_in(page, keys[:30])
        page.context.clear_cookies()
        type_in(page, [*keys[30:], "Enter"])
        link = page.wait_for_selector("#line a")
        assert "Phiên làm việc đã hết: 1 phiếu" in page.inner_text("#line")
        assert desk.entries(case) == []
        link.press("Enter")
        page.wait_for_selector("[name=username]")
        page.fill("[name=username]", "nhap1")
        page.fill("[name=password]", small_wave.PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#pick:not([hidden])")
        for _ in range(100):
            if desk.entries(case):
                break
            time.sleep(0.1)

    [entry] = desk.entries(case)
    assert entry["fields"] == fields


def test_a_login_in_another_tab_sends_what_waits(desk, chromium):
    case = desk.take()
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        page.context.clear_cookies()
        open_form(page, case)
        type_in(page, [*keys_of(paper_wave.fields(4)), "Enter"])
        page.wait_for_selector("#line a")
        sign_in(page.context.new_page(), desk)
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        stored(page, case)

    assert len(desk.entries(case)) == 1


def test_another_person_does_not_send_what_somebody_left(desk, chromium):
    case = desk.take()
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        page.context.clear_cookies()
        open_form(page, case)
        type_in(page, [*keys_of(paper_wave.fields(4)), "Enter"])
        page.wait_for_selector("#line a")
        sign_in(page, desk, "nhap2")
        page.goto(desk.url("/desk"))
        page.wait_for_selector("#line >> text=Máy này còn 1 phiếu của người khác")
        assert desk.entries(case) == []
        page.context.clear_cookies()
        sign_in(page, desk)
        page.goto(desk.url("/desk"))
        for _ in range(100):  # the line is hidden before it is drawn, too
            if desk.entries(case):
                break
            page.wait_for_timeout(100)
        page.wait_for_selector("#line", state="hidden")

    assert [entry["username"] for entry in desk.entries(case)] == ["nhap1"]


def test_the_form_in_hand_survives_a_reload(desk, chromium):
    case = desk.take()
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, case)
        keys = keys_of(paper_wave.fields(4))
        type_in(page, keys[:30])
        page.reload()
        page.wait_for_selector(f'tr[data-serial="{serials.serial(case)}"] >> text=nhập dở')
        open_form(page, case)
        page.wait_for_selector("#line >> text=Đã lấy lại phần nhập dở")
        type_in(page, [*keys[30:], "Enter"])
        stored(page, case)

    assert desk.entries(case)[0]["fields"] == paper_wave.fields(4)


def test_a_refused_form_is_kept_beside_and_opened_again(desk, chromium):
    case, fields = desk.take(), paper_wave.fields(6)
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        desk.change("UPDATE sample_case SET state = 'spoiled' WHERE id = ?", case)
        open_form(page, case)
        type_in(page, [*keys_of(fields), "Enter"])
        page.wait_for_selector("#spurned >> text=ghi là “phiếu hỏng”")
        assert desk.entries(case) == []
        desk.change("UPDATE sample_case SET state = 'collected' WHERE id = ?", case)
        page.locator("#spurned button").first.press("Enter")
        page.wait_for_selector(SHEET)
        type_in(page, ["End", "Enter"])
        stored(page, case)
        assert page.locator("#spurned").is_hidden()

    assert desk.entries(case)[0]["fields"] == fields


def test_keys_go_back_undo_and_refuse_what_is_not_there(desk, chromium):
    case = desk.cases[-1]
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, case)

        def here() -> str:
            return str(page.evaluate("document.activeElement.name"))

        type_in(page, "7")
        assert here() == "sex"
        assert "Phím 7" in page.inner_text("#now-done")
        type_in(page, "11")
        assert here() == "age"
        page.keyboard.press("ArrowLeft")
        assert here() == "ethnicity"
        type_in(page, "2")
        assert here() == "ethnicity.other"
        page.keyboard.press("Backspace")
        page.keyboard.press("Backspace")
        assert (here(), page.locator('[name="ethnicity"]:checked').input_value()) == (
            "ethnicity", "1",
        )  # fmt: skip
        type_in(page, "23")  # nothing is written beside "Khác": the digit answers the next item
        assert here() == "education"
        assert page.locator('[name="age"]:checked').input_value() == "3"
        assert page.input_value('[name="ethnicity.other"]') == ""
        page.keyboard.press("End")
        assert here() == "occupation"
        page.keyboard.press("PageDown")
        assert here() == "c1.economy"
        page.keyboard.press("Home")
        assert here() == "sex"
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "serial"


def test_what_is_unlikely_needs_a_reason_or_a_second_look(desk, chromium):
    case = desk.take()
    fields = paper_wave.fields(4, **{item.id: 9 for item in Q.scored})
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        open_form(page, case)
        type_in(page, keys_of(fields))
        assert "Để trống 39/39 mục" in page.inner_text("#doubts")
        assert page.locator("#save").is_hidden()
        type_in(page, ["1", "Enter"])
        stored(page, case)

    [entry] = desk.entries(case)
    [override] = json.loads(str(entry["overrides"]))
    assert override == {"name": "s01", "code": "blank", "reason": "as_paper"}
    assert [w.code for w in paper.warnings(Q, fields)] == ["blank"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("00000977", "sai một chữ số"), ("1234", "Gõ đủ tám số"), ("00001511", "không thuộc lô này")],
)
def test_a_wrong_number_opens_nothing(desk, chromium, typed, said):
    with opened(chromium, viewport=DESK) as page:
        at_lot(page, desk)
        type_in(page, [*typed, "Enter"])
        page.wait_for_selector(f"#serial-wrong >> text={said}")


def test_the_desk_has_no_barrier_and_fits_every_screen(desk, chromium):
    with opened(chromium, viewport=DESK, bypass_csp=True) as page:
        at_lot(page, desk)
        for size in (PHONE, NARROW, DESK):
            page.set_viewport_size(size)
            assert sideways(page) <= 0
            assert violations(page) == []
        open_form(page, desk.cases[-1])
        type_in(page, "1")
        for size in (PHONE, NARROW, DESK):
            page.set_viewport_size(size)
            assert sideways(page) <= 0
            assert violations(page) == []


def test_without_javascript_the_form_is_a_form(desk, chromium):
    case, fields = desk.take(), paper_wave.fields(3)
    with opened(chromium, viewport=DESK, java_script_enabled=False) as page:
        sign_in(page, desk)
        page.goto(desk.url(f"/desk/lot/{LOT}"))
        page.click(f'a[href="/desk/form/{serials.serial(case)}"]')
        for name, value in fields.items():
            for code in value if isinstance(value, list) else [value] if value != "" else []:
                page.check(f'[name="{name}"][value="{code}"]')
        page.click("#save")
        page.wait_for_selector("main [role=status]")

    assert desk.entries(case)[0]["fields"] == fields
