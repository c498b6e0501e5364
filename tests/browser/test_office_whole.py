"""A day at the office: each role does its own work on the demonstration, in a real browser."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from werkzeug.security import generate_password_hash

from analysis.report.numbers import pct
from analysis.sipas import wave_result
from browser.chrome import DESK, Site, free_port, opened, served
from survey import config, db
from survey.store import people

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "một câu mật khẩu để thử"
CITY, WARD = "vn34:01", "vn34:09604"


def sipas(home: Path, *words: str) -> str:
    command = [str(Path(sys.executable).parent / "sipas"), "--instance", str(home), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A demonstration of its own; its people have chosen their password already."""
    home = tmp_path_factory.mktemp("office") / "instance"
    facts = json.loads(sipas(home, "demo", "--small", "--json"))
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    with closing(sqlite3.connect(home / "sipas.sqlite")) as base, base:
        base.execute("UPDATE staff SET password_hash = ?, must_change = 0", [cheap])
    port = free_port()
    with served(home, port):
        yield Site(home, port, facts)


@pytest.fixture
def desk(chromium: Browser, site: Site) -> Iterator[Page]:
    with opened(chromium, viewport=DESK, accept_downloads=True) as page:
        yield page


def enter(page: Page, site: Site, name: str, path: str = "") -> None:
    page.goto(site.url("/login"))
    page.get_by_label("Tên đăng nhập").fill(name)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    if path:
        page.goto(site.url(path))


def estimated(site: Site, wave: str, scope: str = "") -> object:
    settings = config.load(site.instance, environ={})
    with closing(db.connect(settings.database, readonly=True)) as base:
        return wave_result(base, wave, scope=scope)


def report(page: Page, site: Site, name: str, form: str, **about: str) -> bytes:
    """Ask for a report on its page, wait for its own process, and take the file."""
    query = "&".join(f"{key}={value}" for key, value in about.items())
    page.goto(site.url(f"/reports?{query}"))
    page.locator(f"input[name=name][value={name}]").check()
    page.get_by_label("Dạng tệp").select_option(form)
    page.get_by_role("button", name="Lập báo cáo").click()
    button = page.locator("a[href$='/file']")
    expect(button.first).to_be_visible(timeout=60_000)
    with page.expect_download() as waited:
        button.first.click()
    return Path(waited.value.path()).read_bytes()


def test_the_system_administrator_runs_a_wave_from_draft_to_reopening(
    desk: Page, site: Site
) -> None:
    enter(desk, site, "quantri", "/office/waves/qr-2026")
    desk.get_by_role("link", name="Nhân bản").click()
    desk.locator("#key").fill("qr-thu-2026")
    desk.locator("#name").fill("Khảo sát mã QR, đợt hai")
    desk.locator("#opens_on").fill("2026-01-01")
    desk.locator("#closes_on").fill("2099-12-31")
    desk.get_by_role("button", name="Lưu bản nháp").click()
    desk.wait_for_url("**/office/waves/qr-thu-2026")
    expect(desk.locator("main")).to_contain_text("nháp")

    with desk.expect_response("**/preview/wave/qr-thu-2026/phone") as shown:
        desk.get_by_role("link", name="Điện thoại").click()
    assert shown.value.status == 200
    desk.goto(site.url("/office/waves/qr-thu-2026"))
    desk.get_by_role("button", name="Chạy thử").click()
    desk.wait_for_load_state()
    assert site.rows("SELECT key FROM wave WHERE trial_of = 'qr-thu-2026'")

    desk.goto(site.url("/office/waves/qr-thu-2026"))
    desk.get_by_role("button", name="Mở đợt").click()
    desk.wait_for_load_state()
    assert site.rows("SELECT stage FROM wave WHERE key = 'qr-thu-2026'")[0]["stage"] == "live"
    desk.goto(site.url("/office/waves/qr-thu-2026/close"))
    desk.locator("form button.btn").last.click()
    desk.wait_for_url("**/office/waves/qr-thu-2026")
    assert site.rows("SELECT closed_at FROM wave WHERE key = 'qr-thu-2026'")[0]["closed_at"]
    desk.get_by_label("Lý do").fill("Thu thêm ý kiến sau bão")
    desk.get_by_role("button", name="Mở lại").click()
    desk.wait_for_load_state()
    expect(desk.locator("main")).to_contain_text("Thu thêm ý kiến sau bão")
    assert not site.rows("SELECT closed_at FROM wave WHERE key = 'qr-thu-2026'")[0]["closed_at"]


def test_an_invited_person_chooses_a_password_and_is_in_the_audit(
    chromium: Browser, desk: Page, site: Site
) -> None:
    enter(desk, site, "quantriphuong", f"/office/people?unit={WARD}")
    desk.locator("summary", has_text="Thêm người").click()
    form = desk.locator("form[action$='/office/people']").last
    form.locator("#name").fill("Lê Thị Mới")
    form.locator("#username").fill("lemoi")
    form.locator("#role").select_option("viewer")
    form.get_by_role("button", name="Tạo lời mời").click()
    desk.wait_for_load_state()
    link = re.search(r"/invite/[\w.-]+", desk.locator(".link-shown").inner_text())
    assert link
    with opened(chromium) as phone:
        phone.goto(site.url(link[0]))
        phone.locator("input[name=username]").fill("lemoi")
        phone.locator("input[name=new]").fill("bảy con vịt bơi qua hồ")
        phone.locator("input[name=again]").fill("bảy con vịt bơi qua hồ")
        phone.locator("main button.btn").click()
        phone.wait_for_load_state()
        assert site.rows("SELECT role, unit FROM staff WHERE username = 'lemoi'")[0]["unit"] == WARD
        used = phone.goto(site.url(link[0]))
        assert used is not None
        assert used.status == 410
    desk.goto(site.url("/office/audit"))
    expect(desk.locator("main")).to_contain_text("lemoi")


def test_the_city_appraises_a_ward_and_hands_in_the_year(desk: Page, site: Site) -> None:
    enter(desk, site, "quantritinh", "/criteria")
    desk.get_by_role("link", name=re.compile("Sơn Tây")).first.click()
    desk.locator("#appraised-n5").fill("1,5")
    desk.locator("#appraised-e_n5").fill("Biên bản kiểm tra số 12/BB-KT")
    desk.locator("form[action$='/appraised'] button.btn").click()
    desk.wait_for_load_state()
    kept = site.rows("SELECT points FROM criterion_score WHERE kind = 'appraised' AND version = 2")
    assert [json.loads(row["points"])["n5"] for row in kept] == ["1.5"]

    desk.goto(site.url("/board/sipas-2026/league"))
    expect(desk.locator("main")).to_contain_text("Khoảng hạng")
    ask = {"wave": "sipas-2026", "unit": CITY}
    pdf = PdfReader(io.BytesIO(report(desk, site, "annual", "pdf", **ask)))
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    known = estimated(site, "sipas-2026", CITY)
    assert pct(known.total.value) in text  # type: ignore[attr-defined]
    for family in ("nhận định", "hài lòng", "nhu cầu"):
        assert family in text.lower()


def test_the_analyst_s_figures_are_the_same_in_every_format(desk: Page, site: Site) -> None:
    known = pct(estimated(site, "sipas-2026", CITY).total.value)  # type: ignore[attr-defined]
    enter(desk, site, "phantich", "/board/sipas-2026")
    expect(desk.locator("main")).to_contain_text(known)
    ask = {"wave": "sipas-2026", "unit": CITY}
    found = {
        form: report(desk, site, "unit", form, **ask)
        for form in ("pdf", "docx", "xlsx", "csv", "html")
    }

    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(found["pdf"])).pages)
    assert known in " ".join(text.split())
    assert known in found["html"].decode()
    assert known in found["csv"].decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(found["docx"])) as held:
        words = re.sub(r"<[^>]+>", "", held.read("word/document.xml").decode())
        assert known in words
    with zipfile.ZipFile(io.BytesIO(found["xlsx"])) as held:
        whole = "".join(held.read(n).decode() for n in held.namelist() if n.endswith(".xml"))
        value = estimated(site, "sipas-2026", CITY).total.value  # type: ignore[attr-defined]
        assert any(
            abs(float(number) - value) < 1e-12 for number in re.findall(r"<v>(0\.\d+)</v>", whole)
        )


def test_the_analyst_takes_data_that_prove_themselves(
    desk: Page, site: Site, tmp_path: Path
) -> None:
    enter(desk, site, "phantich", "/data/sipas-2026")
    desk.get_by_label("Dạng tệp").select_option("zip")
    with desk.expect_download() as waited:  # a small file comes at once
        desk.get_by_role("button", name="Lấy tệp").click()
    with zipfile.ZipFile(waited.value.path()) as held:
        held.extractall(tmp_path)
    [manifest] = tmp_path.rglob("manifest.json")
    sipas(site.instance, "data", "check", str(manifest))
    told = json.loads(manifest.read_text("utf-8"))
    [rows] = [path for path in tmp_path.rglob("*.csv") if "codes" not in path.name][:1]
    with rows.open(encoding="utf-8-sig", newline="") as file:
        n = sum(1 for _ in csv.reader(file)) - 1
    known = estimated(site, "sipas-2026", CITY)
    assert n == sum(known.channels.values())  # type: ignore[attr-defined]
    assert str(n) in json.dumps(told)


def test_the_supervisor_answers_a_case_and_apologises_for_a_late_dossier(
    desk: Page, site: Site
) -> None:
    enter(desk, site, "phutrach", "/feedback")
    desk.locator("main tr", has_text="Mới").locator("a").first.click()
    number = int(desk.url.rsplit("/", 1)[1])
    desk.locator("#owner").select_option(index=1)
    desk.locator("form:has(#owner) button.btn").click()
    desk.wait_for_load_state()
    desk.locator("#answer-text").fill("Đã nhắc cán bộ và niêm yết lại giấy tờ cần nộp.")
    desk.locator("form:has(#answer-text) button.btn").click()
    desk.wait_for_load_state()
    state = "SELECT state FROM feedback_case WHERE id = ?"
    assert site.rows(state, number)[0]["state"] == "waiting"

    desk.goto(site.url("/letters"))
    boxes = desk.locator("input[name=dossier]")
    if not boxes.count():
        desk.get_by_role("link", name=re.compile("Đã trễ hẹn|Đã trả trễ")).first.click()
    desk.locator("input[name=dossier]").first.check()
    desk.locator("#reason").fill("Phải xác minh thực địa")
    desk.locator("#new_due_on").fill("2099-01-05")
    desk.get_by_role("button", name="Lập thư").click()
    desk.goto(site.url("/letters/register"))
    desk.locator("input[name=letter]").first.check()
    with desk.expect_download() as waited:
        desk.locator("button[value=print]").click()
    paper = PdfReader(waited.value.path())
    assert "xin lỗi" in " ".join(page.extract_text() for page in paper.pages).lower()
    desk.goto(site.url("/letters/register"))
    desk.locator("input[name=letter]").first.check()
    desk.locator("button[value=sent]").click()
    desk.wait_for_load_state()
    last = site.rows("SELECT state, sent_at FROM letter ORDER BY id DESC LIMIT 1")[0]
    assert last["state"] == "sent"
    assert last["sent_at"]


def test_the_supervisor_hands_in_the_quarter(desk: Page, site: Site) -> None:
    enter(desk, site, "phutrach", "/reports/fields")
    desk.locator("textarea").first.fill("Quý này hồ sơ được trả sớm hơn.")
    desk.locator("form[method=post] main button, form[method=post] button.btn").last.click()
    desk.wait_for_load_state()
    unit, period = desk.url.split("?")[0].rsplit("/", 2)[1:]
    pdf = PdfReader(io.BytesIO(report(desk, site, "periodic", "pdf", unit=unit, period=period)))

    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    assert "Quý này hồ sơ được trả sớm hơn." in text
    assert "DỮ LIỆU MÔ PHỎNG" in text


def test_the_officer_the_clerk_and_the_viewer_open_their_own_pages(
    chromium: Browser, site: Site
) -> None:
    for name, path, words in (
        ("canbo", "/mine", "Ý kiến về hồ sơ của tôi"),
        ("goidien", "/calls", "Gọi điện hỏi ý kiến"),
        ("lanhdao", "/today", "Tùng Thiện"),
    ):
        with opened(chromium) as phone:
            enter(phone, site, name, path)
            expect(phone.locator("main")).to_contain_text(words)
            refused = phone.goto(site.url("/office/people"))
            assert refused is not None
            assert refused.status == 403


def test_the_auditor_reads_everything_and_changes_nothing(desk: Page, site: Site) -> None:
    enter(desk, site, "kiemtra", "/office/audit")
    with desk.expect_download() as waited:
        desk.locator("a[href*='audit.csv']").first.click()
    text = Path(waited.value.path()).read_text("utf-8-sig")
    assert len(text.splitlines()) > 10
    for path in ("/board/sipas-2026", "/feedback", "/office/waves", "/letters/register"):
        answer = desk.goto(site.url(path))
        assert answer is not None
        assert answer.status == 200, path
    token = desk.locator("input[name=csrf_token]").first.input_value()
    refused = desk.request.post(
        site.url("/office/keys"), form={"csrf_token": token, "name": "x", "scopes": "waves"}
    )
    assert refused.status == 403
