"""One wave on paper from the frame to the report, each person doing their own part of it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from random import Random

import paper_wave
import pytest
import scanned
import small_wave
from pypdf import PdfReader
from werkzeug.security import generate_password_hash

from analysis.sipas import wave_result
from browser.chrome import DESK, Site, free_port, opened, served
from browser.test_desk import keys_of, type_in
from survey import config, db, serials
from survey.store import instances, people, plans, units

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WAVE, PROVINCE = "giay", "vn34:08"
STAFF = [(name, role) for name, role, unit in paper_wave.STAFF if unit == PROVINCE]
VILLAGES = """Mã thôn;Tầng;Mã xã;Khu vực;Tên thôn;Số hộ
{rows}"""
act = {"now": small_wave.NOW, "actor": "shell:test"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An instance with its people and an open wave, and nothing of the wave's work."""
    home = tmp_path_factory.mktemp("whole") / "instance"
    cheap = generate_password_hash(people.plain(small_wave.PASSWORD), method="scrypt:1024:8:1")
    with closing(db.connect(instances.init(home, at=small_wave.NOW).database)) as base:
        made = [
            units.Unit("vn34", code, "2025-07-01", None, "commune", word, name,
                       units.name_key(name), PROVINCE)
            for code, word, name in (("08001", "phường", "Minh Xuân"), ("08002", "xã", "Yên Sơn"))
        ]  # fmt: skip
        units.import_rows(base, made, source="test", **act)
        for name, role in STAFF:
            people.add(base, username=name, name=name, role=role, unit=PROVINCE,
                       password_hash=cheap, must_change=False, **act)  # fmt: skip
    sipas(home, "wave", "new", WAVE, "--name", "Khảo sát trên giấy", "--kind", "probability",
          "--opens", "2026-01-01", "--closes", "2099-12-31", "--owner", PROVINCE,
          "--owner-name", "Sở Nội vụ", "--place", "Tuyên Quang")  # fmt: skip
    with closing(db.connect(config.load(home, environ={}).database)) as base:
        plan = plans.PaperPlan(callback_share=0.4, scan_share=0.3, seed="hạt giống 22/11")
        plans.set(base, WAVE, plan, **act)
    port = free_port()
    with served(home, port):
        yield Site(home, port, {})


def sipas(home: Path, *words: str) -> str:
    """Run the command as an operator does."""
    command = [str(Path(sys.executable).parent / "sipas"), "--instance", str(home), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sign_in(page, site, name):
    page.goto(site.url("/login"))
    page.fill("[name=username]", name)
    page.fill("[name=password]", small_wave.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def villages() -> str:
    rows = [
        f"{commune}-{n};{commune}-T;vn34:{commune};{area};Thôn {n};{30 + 7 * n}"
        for commune, area in (("08001", "thành thị"), ("08002", "nông thôn"))
        for n in range(1, 6)
    ]
    return VILLAGES.format(rows="\n".join(rows))


def households(psus) -> str:
    rows = [f"{psu};H{n:02};{1 + n % 3};Hộ số {n};Nhà {n}" for psu in psus for n in range(1, 31)]
    return "Mã thôn;Mã hộ;Số người lớn;Chủ hộ;Địa chỉ\n" + "\n".join(rows)


def upload(page, kind, text, tmp_path):
    file = tmp_path / f"{kind}.csv"
    file.write_text(text, "utf-8")
    page.set_input_files(f"#file-{kind}", file)
    page.click(f'form[action*="{kind}"] button.btn')


def drawn(page, site, tmp_path):
    """The supervisor lists villages, plans, draws, lists households and draws again."""
    page.goto(site.url(f"/field/sample?wave={WAVE}"))
    upload(page, "villages", villages().replace(";37\n", ";nhiều\n", 1), tmp_path)
    assert "dòng 2" in page.text_content("main").lower(), "a fault is told with its line"
    upload(page, "villages", villages(), tmp_path)
    page.goto(site.url(f"/field/sample?wave={WAVE}"))
    page.click("a.btn[href*='plan']")
    for name, value in (("households", "3"), ("reserves", "2")):
        page.fill(f"[name={name}]", value)
    for take in page.query_selector_all("input.short"):
        take.fill("2")
    page.click("button[value=save]")
    page.goto(site.url(f"/field/sample?wave={WAVE}"))
    page.fill("#seed", "rút ngày 22/11/2026")
    page.click("form:has(#seed) button.btn")
    psus = [row["psu"] for row in site.rows("SELECT psu FROM sample_psu ORDER BY psu")]
    assert len(psus) == 4
    upload(page, "households", households(psus), tmp_path)
    page.goto(site.url(f"/field/sample?wave={WAVE}"))
    page.click('form:has([name=stage][value="households"]) button.btn')
    assert len(site.rows("SELECT 1 FROM sample_case")) == 4 * 5
    page.click("text=Rút lại để kiểm tra")
    assert "giống" in page.text_content("[role=status]")


def handed_out(page, site):
    """One lot with every form is made, printed, handed out; one household refuses."""
    page.goto(site.url(f"/field/lots?wave={WAVE}"))
    for box in page.query_selector_all("input[name=psu]"):
        box.check()
    page.select_option("#interviewer", label="dieutra (dieutra)")
    page.click("form:has([name=psu]) button.btn")
    ask = page.context.request  # a browser shows a PDF; the test wants its bytes
    token = page.get_attribute("form:has([name=edition]) [name=csrf_token]", "value")
    address = page.get_attribute("form:has([name=edition])", "action")
    data = {"csrf_token": token, "edition": "normal"}
    forms = ask.post(site.url(address), form=data).body()
    for link in page.query_selector_all("section[aria-labelledby=h-print] p a"):
        sheet = ask.get(site.url(link.get_attribute("href")))
        assert sheet.body().startswith(b"%PDF-1.4")
    page.click("form[action$='issue'] button")
    cases = [row["id"] for row in site.rows("SELECT id FROM sample_case WHERE lot = 1 ORDER BY id")]
    page.fill("#serial", serials.serial(cases[-1]))
    page.select_option("#outcome", "refused")
    page.click("form[action$='scan'] button")
    page.click("button[name=all]")
    return cases[:-1], forms


def keyed(page, site, case, fields):
    type_in(page, [*serials.serial(case), "Enter"])
    page.wait_for_selector("#sheet:not([hidden])")
    type_in(page, keys_of(fields))
    page.wait_for_function("document.activeElement.id === 'save'")
    page.keyboard.press("Enter")
    page.wait_for_selector(f'tr[data-serial="{serials.serial(case)}"] >> text=đã lưu')


def at_the_desk(chromium, site, clerk, read):
    """A clerk opens the lot and keys in forms by keyboard alone."""
    with opened(chromium, viewport=DESK) as page:
        sign_in(page, site, clerk)
        page.goto(site.url("/desk/lot/L000001"))
        page.wait_for_selector("#pick:not([hidden])")
        for case, fields in read.items():
            keyed(page, site, case, fields)


def scans(site, forms: bytes, cases, read, tmp_path) -> Path:
    """The forms that were printed, filled by hands and put through a scanner."""
    import pypdfium2

    layout = json.loads(site.rows("SELECT layout FROM print_run")[0]["layout"])
    pages = []
    with pypdfium2.PdfDocument(forms) as document:
        every = [row["id"] for row in site.rows("SELECT id FROM sample_case WHERE lot = 1"
                                                " ORDER BY psu, number, id")]  # fmt: skip
        for at, case in enumerate(every):
            if case not in cases:
                continue
            for number in range(1, layout["pages"] + 1):
                image = document[at * layout["pages"] + number - 1].render(scale=200 / 72)
                rnd = Random(f"{case}/{number}")
                marked, _ = scanned.pens.fill(
                    image.to_numpy().copy(), scanned.places(number, layout=layout), 200,
                    layout["radius"], rnd, wanted=read[case],
                )  # fmt: skip
                pages.append(scanned.pens.scan(marked, 200, rnd, scanned.PLAIN))
    return scanned.pdf(tmp_path / "lo-1.pdf", pages)


def read_by_machine(chromium, site, file, read):
    """The clerk hands in the scans, then decides doubtful marks by key from their crops."""
    with opened(chromium, viewport=DESK) as page:
        sign_in(page, site, "nhap1")
        page.goto(site.url(f"/desk/scans?wave={WAVE}"))
        page.set_input_files("#file", file)
        page.click("#hand-in button")
        settled_down(site, "SELECT 1 FROM scan_upload WHERE state = 'waiting' OR state = 'reading'")
        page.goto(site.url(f"/desk/scans/doubts?wave={WAVE}"))
        while form := page.query_selector("#decide"):
            *_, number, name = form.get_attribute("action").split("?")[0].split("/")
            [case] = site.rows("SELECT case_id FROM scan_page WHERE id = ?", int(number))
            wanted = read[case["case_id"]][name]
            assert page.query_selector(".crop img"), "a person sees what is doubtful"
            with page.expect_navigation():
                several = isinstance(wanted, list)
                type_in(page, [*map(str, wanted), "Enter"] if several else [str(wanted)])
        for _ in range(300):
            entered = site.rows("SELECT 1 FROM paper_entry WHERE via = 'scan'")
            if len(entered) == len(read):
                break
            time.sleep(0.2)
        assert len(entered) == len(read)
        assert site.rows("SELECT fault FROM scan_page WHERE state = 'refused'") == []


def settled_down(site, left):
    """Wait until a question to the database finds nothing more."""
    for _ in range(600):
        if not site.rows(left) and site.rows("SELECT 1 FROM scan_upload"):
            return
        time.sleep(0.2)
    raise AssertionError(left)


def adjudicated(chromium, site):
    """The adjudicator takes the first entry wherever the two differ, by keys."""
    with opened(chromium, viewport=DESK) as page:
        sign_in(page, site, "doichieu")
        while True:
            page.goto(site.url(f"/desk/compare?wave={WAVE}"))
            link = page.query_selector("main table a, main a.btn[href*='/desk/compare/']")
            if link is None:
                return
            link.click()
            n = len(page.query_selector_all("fieldset.duel"))
            type_in(page, ["1"] * n)
            with page.expect_navigation():
                page.keyboard.press("Enter")


def called_back(page, site):
    """The supervisor draws the call-backs and asks one household again."""
    page.goto(site.url(f"/field/callbacks?wave={WAVE}"))
    page.click("main form[method=post] button")
    page.goto(site.url(f"/field/callbacks?wave={WAVE}"))
    page.click("a.btn[href*='/field/callbacks/']")
    for group in page.query_selector_all("form.asks fieldset"):
        group.query_selector("input[type=radio]").check()
    page.click("button[value=done]")
    assert site.rows("SELECT outcome FROM callback WHERE outcome = 'done'")


def weighted(page, site):
    """Weights to a known total of men and women, with its source."""
    page.goto(site.url(f"/field/weights?wave={WAVE}"))
    page.click("summary")
    page.fill("#text", "name,category,target,source\nsex,1,20000,Niên giám\nsex,2,21000,Niên giám")
    page.click("form:has(#text) button.btn")
    page.goto(site.url(f"/field/weights?wave={WAVE}"))
    page.click("button[value=apply]")
    assert site.rows("SELECT 1 FROM weighting")


def test_a_wave_on_paper_from_the_frame_to_the_report(site, chromium, tmp_path):
    with opened(chromium, viewport=DESK) as page:
        sign_in(page, site, "giamsat")
        drawn(page, site, tmp_path)
        cases, forms = handed_out(page, site)
    assert len(PdfReader(BytesIO(forms)).pages) == 4 * (len(cases) + 1)

    read = {case: paper_wave.fields(n) for n, case in enumerate(cases)}
    by_hand, by_machine = cases[:4], cases[4:]
    at_the_desk(chromium, site, "nhap1", {case: read[case] for case in by_hand})
    slipped = dict(read[by_hand[0]], s09=5 if read[by_hand[0]]["s09"] != 5 else 4)
    second = {case: read[case] for case in by_hand} | {by_hand[0]: slipped}
    at_the_desk(chromium, site, "nhap2", second)
    file = scans(site, forms, by_machine, read, tmp_path)
    read_by_machine(chromium, site, file, {case: read[case] for case in by_machine})
    again = [row["case_id"] for row in site.rows(
        "SELECT c.id AS case_id FROM sample_case c JOIN paper_entry e ON e.case_id = c.id"
        " WHERE e.via = 'scan' AND c.state = 'entered'")]  # fmt: skip
    assert again, "some of the scanned forms are keyed in as well"
    at_the_desk(chromium, site, "nhap2", {case: read[case] for case in again})
    adjudicated(chromium, site)
    settled = site.rows("SELECT s.case_id, s.fields FROM paper_settled s")
    assert {row["case_id"]: json.loads(row["fields"]) for row in settled} == read

    with opened(chromium, viewport=DESK) as page:
        sign_in(page, site, "giamsat")
        called_back(page, site)
        weighted(page, site)
        page.goto(site.url(f"/field?wave={WAVE}"))
        assert "11" in page.text_content("main")
    sipas(site.instance, "wave", "close", WAVE)
    answered = "SELECT state FROM sample_case WHERE id IN (SELECT case_id FROM response)"
    assert {row["state"] for row in site.rows(answered)} == {"locked"}
    assert "không có lỗi" in sipas(site.instance, "check")
    figures_agree(site, tmp_path)


def figures_agree(site, tmp_path):
    """The report's figures are those of ``sipas estimate`` on the exported file."""
    data, design, out = tmp_path / "f.csv", tmp_path / "d.toml", tmp_path / "o.json"
    sipas(site.instance, "responses", "export", WAVE, "-o", str(data), "--design", str(design))
    sipas(site.instance, "estimate", str(design), str(data), "-o", str(out))
    told = json.loads(out.read_text("utf-8"))["estimates"]
    estimated = {(e["kind"], e["name"]): e for e in told if not e["domain"]}
    with closing(db.connect(config.load(site.instance, environ={}).database)) as base:
        result = wave_result(base, WAVE)
    compared = 0
    for figure in result.figures:
        e = estimated.get((figure.kind, "total" if figure.kind == "total" else figure.id))
        if e is None or figure.value is None:
            continue
        compared += 1
        for ours, theirs in ((figure.value, e["estimate"]), (figure.se, e["se"]),
                             (figure.low, e["low"]), (figure.high, e["high"])):  # fmt: skip
            assert ours == (None if theirs is None else pytest.approx(theirs, rel=1e-9, abs=1e-12))
        assert figure.n == e["n"]
    assert compared >= 39 + 9 + 1
    report = tmp_path / "report.csv"
    sipas(site.instance, "report", "unit", "--wave", WAVE, "--unit", PROVINCE, "--format", "csv",
          "-o", str(report))  # fmt: skip
    total = estimated["total", "total"]["estimate"]
    with report.open(encoding="utf-8-sig", newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    assert any(f"{100 * total:.2f}".replace(".", ",") in cell for cell in cells)
    pdf = tmp_path / "report.pdf"
    sipas(site.instance, "report", "unit", "--wave", WAVE, "--unit", PROVINCE, "-o", str(pdf))
    text = "".join(page.extract_text() for page in PdfReader(pdf).pages)
    assert f"{100 * total:.2f}".replace(".", ",") in text
