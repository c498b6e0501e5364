"""The desk: keystrokes and time of a whole 2026 form, at a clerk's pace and at the page's limit.

A data entry operator of 9.000 keystrokes an hour makes 2,5 a second; that is the stated pace.  The
clerk of this measure types the last four digits of the number, then every key of the form, with
one item in eight blank and two boxes ticked where several may be.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from playwright.sync_api import sync_playwright

from benchmarks import servers
from benchmarks.wire import BROWSER, QUIET
from forms import paper
from forms.questionnaire import load
from survey import db, serials
from survey.store import cases, instances, people, samples, waves

if TYPE_CHECKING:
    from playwright.sync_api import Page

WAVE, KEY, PASSWORD = "giay-2026", "sipas-2026.1", "một câu dễ nhớ của phường 2026"
FORMS, PACE, FAST, STORED = 80, 2.5, 10, 40
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SHEET, PICK = "#sheet:not([hidden])", "#pick:not([hidden])"

Measure = tuple[str, float, str]


def run() -> list[Measure]:
    """One form at the stated pace, ten as fast as the page takes them, forty posted."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "instance"
        numbers = make(home)
        with servers.ours(home) as ours, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=BROWSER, args=QUIET)
            page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="vi-VN")
            sign_in(page, f"http://127.0.0.1:{ours.port}")
            keys = len(keys_of(form(0)))
            paced = entered(page, numbers.pop(), form(0), pace=PACE)
            quick = [entered(page, numbers.pop(), form(n)) for n in range(FAST)]
            posted = [post(page, numbers.pop(), n) for n in range(STORED)]
            browser.close()
        kept = stored(home)
    if kept != 1 + FAST + STORED:
        raise AssertionError(f"{kept} entries are stored")
    return [
        ("Desk: keystrokes of a 2026 form, its number included", float(keys + 5), ""),
        ("Desk: a 2026 form at 9.000 keystrokes an hour", paced, "s"),
        ("Desk: a 2026 form as fast as the page takes it", statistics.median(quick), "s"),
        ("Desk: the page's own time for a key", 1000 * statistics.median(quick) / (keys + 5), "ms"),
        ("Desk: storing one entry, at the browser", statistics.median(posted), "ms"),
    ]


def make(home: Path) -> list[int]:
    """An instance with one clerk and one lot of collected forms; their case numbers."""
    act = {"now": NOW, "actor": "shell:benchmark"}
    with closing(db.connect(instances.init(home, at=NOW).database)) as base, db.write(base):
        wave = waves.Wave(
            key=WAVE, name="Khảo sát trên giấy", questionnaire=KEY, kind="probability", year=2026,
            opens_on=date(2026, 1, 1), closes_on=date(2099, 12, 31), owner="vn34:08",
            owner_name="Sở Nội vụ", synthetic=True,
        )  # fmt: skip
        waves.new(base, wave, **act)  # type: ignore[arg-type]
        samples.add_psus(
            base,
            [{"wave": WAVE, "psu": "1", "stratum": "1", "fpc": 40.0, "unit": "vn34:08",
              "area": "rural", "name": "Thôn 1"}],
        )  # fmt: skip
        first = samples.last_case(base) + 1
        numbers = list(range(first, first + FORMS))
        base.execute(
            "INSERT INTO lot (id, wave, code, unit, made_at, actor)"
            " VALUES (1, ?, 'L000001', 'vn34:08', '2026-11-22T03:00:00.000Z', 'shell:benchmark')",
            [WAVE],
        )
        for n, number in enumerate(numbers, 1):
            base.execute(
                "INSERT INTO sample_case (id, wave, psu, weight, base, lot, number)"
                " VALUES (?, ?, '1', 10, 10, 1, ?)",
                [number, WAVE, n],
            )
        cases.move(base, numbers, "collected", **act)  # type: ignore[arg-type]
        people.add(
            base, username="nhap1", name="Lê Văn Phúc", role="data_clerk", unit="vn34:08",
            password_hash=people.hashed(PASSWORD), must_change=False, **act,  # type: ignore[arg-type]
        )  # fmt: skip
    return numbers


def stored(home: Path) -> int:
    """Entries in the database."""
    with closing(db.connect(home / "sipas.sqlite", create=False)) as base:
        return int(base.execute("SELECT COUNT(*) FROM paper_entry").fetchone()[0])


def form(n: int) -> dict[str, object]:
    """A whole form: one item in eight blank, two boxes ticked, a short comment."""
    made: dict[str, object] = {}
    for at, one in enumerate(paper.fields(load(KEY))):
        if one.kind == "one":
            blank = (at + n) % 8 == 0
            made[one.name] = paper.BLANK if blank else one.codes[(at + n) % (len(one.codes) - 1)]
        else:
            made[one.name] = [1, 5] if one.kind == "several" else ""
    return made


def keys_of(fields: dict[str, object]) -> list[str]:
    """The keys of a form, the one that stores it last."""
    pressed: list[str] = []
    for one in paper.fields(load(KEY)):
        value = fields[one.name]
        if isinstance(value, list):
            pressed += [*(str(code) for code in value), "Enter"]
        elif one.kind == "one":
            pressed.append(str(value))
        elif not one.name.endswith(".other"):
            pressed.append("Enter")
    return [*pressed, "Enter"]


def sign_in(page: Page, root: str) -> None:
    """Open the lot as the clerk."""
    page.goto(f"{root}/login?next=/desk/lot/L000001")
    page.fill("[name=username]", "nhap1")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(PICK)


def entered(page: Page, case: int, fields: dict[str, object], pace: float = 0) -> float:
    """Seconds from the first digit of the number until the page asks for the next one."""
    keys = [*serials.serial(case)[-4:], "Enter", *keys_of(fields)]
    begun = time.perf_counter()
    for n, key in enumerate(keys):
        if pace:
            time.sleep(max(0.0, begun + n / pace - time.perf_counter()))
        page.keyboard.press(key)
    page.wait_for_selector(PICK)
    return time.perf_counter() - begun


def post(page: Page, case: int, n: int) -> float:
    """Milliseconds that the browser waits for the receipt of one entry."""
    body = {
        "id": str(uuid4()), "by": 1, "serial": serials.serial(case), "wave": WAVE,
        "questionnaire": KEY, "fields": form(n), "overrides": [], "keys": 90, "active_ms": 40_000,
    }  # fmt: skip
    return float(
        page.evaluate(
            """async body => {
              const line = document.querySelector("#line");
              body.by = +line.dataset.by;
              const begun = performance.now(), answer = await fetch("/desk/entries", {
                method: "POST", body: JSON.stringify(body),
                headers: {"Content-Type": "application/json", "X-CSRFToken": line.dataset.csrf}
              });
              if (answer.status !== 201) throw new Error(await answer.text());
              return performance.now() - begun;
            }""",
            body,
        )
    )
