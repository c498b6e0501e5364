"""Every page of the staff side in a browser, as its role: nothing for axe, nothing sideways."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing

import pytest

from browser.chrome import AXE, DESK, PHONE, RULES, opened
from browser.test_main_job import signed_in
from browser.test_pages import sideways
from survey import config, create_app, serials

pytestmark = [pytest.mark.browser, pytest.mark.slow]
#: Whose page is opened by whom; the first one whose role may is taken.
PEOPLE = {
    "quantri": "administrator", "phantich": "analyst", "phutrach": "supervisor",
    "goidien": "clerk", "canbo": "officer", "kiemtra": "auditor", "giamsat": "field_supervisor",
    "dieutra1": "interviewer", "nhaplieu1": "data_clerk", "doichieu": "adjudicator",
}  # fmt: skip
#: Pages of somebody whose work they are.
OWN = {
    "calls.listed": "goidien", "criteria.index": "phutrach", "criteria.one": "phutrach",
    "letters.index": "phutrach", "letters.head": "phutrach", "letters.register": "phutrach",
    "feedback.index": "phutrach", "feedback.one": "phutrach", "feedback.new": "phutrach",
    "feedback.praise": "phutrach", "narratives.index": "phutrach", "comments.index": "phantich",
    "reporting.index": "phantich", "audits.index": "kiemtra", "board.today": "phutrach",
    "desk.start": "nhaplieu1", "desk.form": "nhaplieu1", "verify.index": "doichieu",
}  # fmt: skip
#: What answers with a file, a step elsewhere or a token, and no page.
NO_PAGE = {
    "audits.file", "callbacks.csv", "datafiles.table_csv", "datafiles.take", "desk.token",
    "external.example", "feedback.evidence", "feedback.figures_csv", "field.reminders_csv",
    "jobs.file", "lots.find", "posters.poster", "posters.posters", "previews.paper",
    "printouts.forms", "printouts.sheet", "questionnaires.export", "reports.csv", "reports.pdf",
    "sampling.listed", "sampling.step", "scans.picture", "verify.errors_csv", "verify.picture",
}  # fmt: skip
#: Pages of things the demonstration has none of; tests of their own open them.
NONE_YET = {"calls.one", "calls.interview", "jobs.one", "scans.one"}
#: The variable part of an address, by endpoint or by its first word: a value, or where it is read.
EXAMPLES = {
    "board": {"key": "sipas-2026"},
    "comments": {"key": "moi"},
    "datafiles": {"key": "sipas-2026"},
    "running": {"key": "qr-2026"},
    "feedback": {"key": "qr-2026", "number": "SELECT id FROM feedback_case LIMIT 1"},
    "letters": {"unit": "vn34:09604"},
    "criteria": {"unit": "local:01-09604", "period": "2026-Q3"},
    "narratives": {"unit": "vn34:09604", "period": "2026-Q3"},
    "external": {"number": "SELECT id FROM external_file LIMIT 1"},
    "kiosks": {"number": "SELECT id FROM door LIMIT 1"},
    "questionnaires": {"key": "sipas-2026.1"},
    "staffing": {"number": "SELECT id FROM staff WHERE username = 'canbo'"},
    "previews": {"of": "wave", "key": "qr-2026"},
    "sampling": {"key": "giay-2026", "kind": "villages"},
    "planning": {"key": "giay-2026"},
    "casework": {
        "wave": "giay-2026",
        "psu": "SELECT psu FROM sample_case WHERE wave = 'giay-2026' LIMIT 1",
        "number": "SELECT id FROM sample_case WHERE wave = 'giay-2026' LIMIT 1",
    },
    "lots": {"code": "SELECT code FROM lot LIMIT 1"},
    "callbacks": {"number": "SELECT case_id FROM callback LIMIT 1"},
    "desk": {
        "code": "SELECT code FROM lot LIMIT 1",
        "serial": "SELECT id FROM sample_case WHERE state = 'collected' LIMIT 1",
    },
    "verify": {"number": "SELECT id FROM sample_case WHERE state = 'entered_twice' LIMIT 1"},
}


def address(site, rule) -> str:
    """The address of a rule, about something the demonstration has."""
    known = EXAMPLES.get(rule.endpoint.split(".")[0], {})
    values = {}
    for name in rule.arguments:
        value = known[name]
        if value.startswith("SELECT"):
            value = site.rows(value)[0][0]
        values[name] = serials.serial(value) if name == "serial" else value
    return rule.build(values)[1]


def pages(site) -> dict[str, list[str]]:
    """Every page of staff, by the person who opens it."""
    app = create_app(config.load(site.instance, environ={}))
    found = {name: [] for name in PEOPLE}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if "GET" not in rule.methods or rule.endpoint in NO_PAGE | NONE_YET:
            continue
        if not hasattr(view, "public"):
            able = [name for name, role in PEOPLE.items() if role in view.roles]
            found[OWN.get(rule.endpoint, able[0])].append(address(site, rule))
    return found


def entered(page, site, name: str) -> None:
    if name == "quantri":
        signed_in(page, site)
        return
    with closing(sqlite3.connect(site.instance / "sipas.sqlite", timeout=20)) as base, base:
        base.execute("UPDATE staff SET must_change = 0 WHERE username = ?", [name])
    page.goto(site.url("/login"))
    page.fill("[name=username]", name)
    page.fill("[name=password]", site.facts["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def faults(page) -> list[str]:
    """What axe finds, and how much wider than the window the page is, at both sizes."""
    said = []
    page.evaluate(AXE)
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        if (over := sideways(page)) > 0:
            said.append(f"{size['width']}: {over} pixels too wide")
        found = page.evaluate(
            "async rules => (await axe.run(document, {resultTypes: ['violations'],"
            " runOnly: {type: 'tag', values: rules}})).violations.map("
            "v => v.id + ': ' + v.nodes[0].html.slice(0, 160))", RULES,
        )  # fmt: skip
        said += [f"{size['width']}: {one}" for one in found]
    page.set_viewport_size(DESK)
    return said


def test_no_page_of_the_staff_side_has_a_barrier_or_scrolls_sideways(site, chromium):
    wrong = {}
    with ExitStack() as stack:
        for name, paths in pages(site).items():
            if not paths:
                continue
            page = stack.enter_context(opened(chromium, viewport=DESK, bypass_csp=True))
            entered(page, site, name)
            for path in paths:
                status = page.goto(site.url(path)).status
                if found := [*([] if status == 200 else [f"status {status}"]), *faults(page)]:
                    wrong[f"{name} {path}"] = found

    assert wrong == {}
