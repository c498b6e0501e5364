"""Every route, as everybody: walks the address map, so that a new view cannot be forgotten."""

from __future__ import annotations

import re

import pytest
from small_wave import HOUSEHOLD

#: Who may open what; a new route fails here until somebody has thought about it.
PUBLIC = {
    "api.description", "api.healthz", "api.readyz", "api.responses", "assets.serve", "auth.login",
    "auth.code", "invites.open",
    "fairness.flags", "feed.dossiers", "kiosk.all_screens", "kiosk.ask", "kiosk.beat",
    "kiosk.form", "kiosk.send", "kiosk.start", "offline.manifest", "offline.unsent",
    "offline.worker", "pages.front", "pages.privacy", "pages.receipt", "posters.typed",
    "sound.play",
    *(f"readout.{name}" for name in (
        "all_units", "all_waves", "coverage", "dossier", "one_wave", "results")),
}  # fmt: skip
ALL = {"administrator", "clerk", "supervisor", "viewer"}
READERS = {"administrator", "analyst", "supervisor", "viewer", "auditor"}
EVERYBODY = {
    *ALL,
    *READERS,
    "officer",
    "field_supervisor",
    "interviewer",
    "data_clerk",
    "adjudicator",
}
RESULTS = dict.fromkeys(
    ("board.drivers", "board.league", "board.parts", "board.trend", "board.wave", "board.waves",
     "reports.csv", "reports.pdf"),
    READERS,
)  # fmt: skip
CALLS = {
    f"calls.{name}": ALL - {"viewer"} for name in ("interview", "listed", "one", "record", "send")
}
SUPERVISORS = {"administrator", "field_supervisor"}
SAMPLE = {
    f"{door}.{name}": SUPERVISORS
    for door, names in {
        "sampling": ("check", "draw", "index", "listed", "step", "undo", "upload"),
        "planning": ("keep", "plan"),
        "casework": ("drop", "move", "one", "replace", "village", "villages"),
    }.items()
    for name in names
}
FIELD = {
    "field.board": {*SUPERVISORS, "supervisor", "viewer"},
    "field.mark": {"interviewer"},
    "field.mine": {"interviewer"},
    **{
        f"field.{name}": SUPERVISORS
        for name in (
            "add_person", "change_person", "interviewers", "people", "quotas", "reminders",
            "reminders_csv", "set_quotas",
        )
    },
}  # fmt: skip
LOTS = {
    f"{door}.{name}": SUPERVISORS
    for door, names in {
        "lots": ("assign", "back", "extend", "find", "index", "issue", "make", "one", "scan"),
        "printouts": ("forms", "note", "sheet"),
    }.items()
    for name in names
}
STAFF = {
    "jobs.file": READERS,
    "jobs.one": READERS,
    "jobs.stop": READERS - {"auditor"},
    "reporting.ask": READERS - {"auditor"},
    "reporting.index": READERS,
    **LOTS,
    "weighing.index": {*SUPERVISORS, "supervisor"},
    "weighing.keep": SUPERVISORS,
    "weighing.make": SUPERVISORS,
    **RESULTS,
    **dict.fromkeys(
        ("datafiles.index", "datafiles.one", "datafiles.table", "datafiles.table_csv"), READERS
    ),
    "datafiles.keep": {"administrator"},
    "datafiles.take": {"administrator", "analyst"},
    **FIELD,
    **SAMPLE,
    **CALLS,
    "apikeys.end": {"administrator"},
    "apikeys.index": {"administrator", "auditor"},
    "apikeys.make": {"administrator"},
    "auth.logout": EVERYBODY,
    "officer.mine": {"officer"},
    "auth.password": EVERYBODY,
    **{f"account.{name}": EVERYBODY for name in ("change", "end", "factor", "sessions")},
    **{f"audits.{name}": {"administrator", "auditor"} for name in ("chain", "file", "index")},
    **{f"staffing.{name}": {"administrator", "auditor"} for name in ("index", "one")},
    **{f"staffing.{name}": {"administrator"} for name in ("add", "answer", "change")},
    "board.today": READERS,
    "coverage.coverage": READERS,
    **dict.fromkeys(("external.example", "external.index"), READERS),
    **{
        f"external.{name}": {"administrator", "analyst"}
        for name in ("preview", "removal", "remove", "save")
    },
    "kiosks.adjust": {"administrator"},
    "kiosks.all": ALL - {"clerk"},
    "posters.listed": {"administrator"},
    "posters.poster": {"administrator"},
    "posters.posters": {"administrator"},
    **{
        f"scans.{name}": {"administrator", "data_clerk"}
        for name in (
            "again",
            "decide",
            "doubts",
            "go_on",
            "hand_in",
            "index",
            "one",
            "picture",
            "piece",
        )
    },
    **{
        f"verify.{name}": {"administrator", "adjudicator"}
        for name in ("decide", "index", "one", "picture")
    },
    **{
        f"verify.{name}": {"administrator", "adjudicator", "field_supervisor"}
        for name in ("errors", "errors_csv")
    },
    "verify.release": {"administrator"},
    **{
        f"callbacks.{name}": {"administrator", "field_supervisor"}
        for name in ("draw", "index", "one", "record")
    },
    "callbacks.keep_plan": {"administrator"},
    "callbacks.plan": {"administrator"},
    **{
        f"desk.{name}": {"administrator", "data_clerk"}
        for name in ("add", "form", "lot", "send", "start", "token")
    },
}
LETTERS = {"administrator", "supervisor"}
STAFF |= {
    "criteria.index": READERS,
    "criteria.keep": {"administrator", "supervisor"},
    "criteria.one": READERS,
    "letters.head": {*LETTERS, "auditor"},
    "letters.index": {*LETTERS, "auditor"},
    "letters.keep_head": LETTERS,
    "letters.make": LETTERS,
    "letters.mark": LETTERS,
    "letters.pdf": LETTERS,
    "letters.register": {*LETTERS, "auditor"},
    "letters.void": LETTERS,
    "narratives.index": READERS,
    "narratives.keep": {"administrator", "supervisor"},
    "narratives.one": READERS,
}
HANDLERS = {"administrator", "supervisor"}
STAFF |= {
    **{
        f"feedback.{name}": READERS
        for name in (
            "evidence", "figures", "figures_csv", "holidays", "index", "one", "praise", "rules",
        )
    },
    **{f"feedback.{name}": HANDLERS for name in ("act", "attach", "new", "phone")},
    **{f"feedback.{name}": {"administrator"} for name in ("add_holidays", "rule", "set_rule")},
    "alerts.add": {"administrator"},
    "alerts.change": {"administrator"},
    "alerts.index": {"administrator", "auditor"},
    "comments.dictionary": READERS,
    "comments.index": READERS,
    "comments.one_theme": {"administrator"},
    "comments.seen": {"administrator", "analyst", "supervisor"},
    "comments.theme": {"administrator", "analyst", "supervisor"},
}  # fmt: skip
STAFF |= {
    **{
        f"running.{name}": {"administrator", "auditor"}
        for name in ("doors", "index", "one", "series")
    },
    **{
        f"running.{name}": {"administrator"}
        for name in (
            "add_door",
            "close",
            "close_door",
            "declare",
            "edit",
            "empty",
            "new",
            "open_",
            "trial",
        )
    },
    **{
        f"previews.{name}": {*READERS, "field_supervisor"} - {"viewer", "auditor"}
        for name in ("kiosk", "paper", "phone")
    },
    **{
        f"questionnaires.{name}": {"administrator", "analyst", "auditor"}
        for name in ("export", "index", "one")
    },
    **{f"questionnaires.{name}": {"administrator"} for name in ("back", "check", "publish")},
}
#: The one public page with a session: its form carries a token.
WITH_COOKIE = {"auth.login", "auth.code"}


def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def address(rule, door_tokens, key="ho-2026"):
    values = {
        "token": door_tokens["counter"], "key": key, "digest": "0", "name": "app.css",
        "number": 1, "code": "x", "questionnaire": "x", "language": "vi", "item": "x",
        "kind": "villages", "wave": "ho-2026", "psu": "x", "serial": "00000976", "field": "x",
        "unit": "vn34:08", "period": "2026-Q3", "form": "counts", "file": 1, "of": "wave",
    }  # fmt: skip
    _, path = rule.build({name: values[name] for name in rule.arguments})
    return path


def status(client, rule, path):
    method = "GET" if "GET" in rule.methods else "POST"
    return client.open(path, method=method).status_code


def test_every_route_is_public_on_purpose_or_names_its_roles(app):
    for rule in rules(app):
        view = app.view_functions[rule.endpoint]
        marks = hasattr(view, "public"), hasattr(view, "roles")
        assert marks in {(True, False), (False, True)}, rule


def test_the_public_routes_are_these_and_no_others(app):
    public = {
        rule.endpoint for rule in rules(app) if hasattr(app.view_functions[rule.endpoint], "public")
    }

    assert public == PUBLIC
    guarded = {rule.endpoint for rule in rules(app)} - public
    assert {name: set(app.view_functions[name].roles) for name in guarded} == STAFF


def test_nobody_passes_a_guarded_route_without_signing_in(app, client, door_tokens):
    for rule in rules(app):
        if rule.endpoint in PUBLIC:
            continue
        for method in rule.methods - {"OPTIONS"}:
            answer = client.open(address(rule, door_tokens), method=method)
            assert answer.status_code == 303, rule
            assert answer.location.startswith("/login"), rule
            assert not answer.text.count("<table"), rule


def test_no_public_page_sets_a_cookie(app, client, door_tokens):
    for rule in rules(app):
        if rule.endpoint not in PUBLIC - WITH_COOKIE:
            continue
        for method in rule.methods - {"OPTIONS"}:
            answer = client.open(address(rule, door_tokens), method=method)
            assert "Set-Cookie" not in answer.headers, (rule, method)
            assert "cookie" not in answer.headers.get("Vary", "").lower(), (rule, method)


def test_pages_that_do_not_exist_set_no_cookie_either(client):
    for path in ("/nowhere", "/k/nowhere", "/static/0/nowhere.css", "/board.php"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("name", "results"),
    [("administrator", {200}), ("member", {200}), ("neighbour", {200}), ("stranger", {403})],
)
def test_each_person_opens_what_the_role_allows(app, client, door_tokens, name, results):
    client.login(name)
    for rule in rules(app):
        if rule.endpoint in RESULTS:
            assert status(client, rule, address(rule, door_tokens)) in results, rule


@pytest.mark.parametrize(
    ("name", "role"),
    [("administrator", "administrator"), ("member", "viewer"), ("stranger", "clerk")],
)
def test_nobody_opens_a_page_of_another_role(app, client, door_tokens, name, role):
    client.login(name)
    for rule in rules(app):
        if rule.endpoint in STAFF and role not in STAFF[rule.endpoint]:
            assert status(client, rule, address(rule, door_tokens)) == 403, rule


@pytest.mark.parametrize(
    ("name", "first", "rooms"),
    [
        ("administrator", "/board", {"Kết quả", "Tại quầy", "Thực địa", "Nhập phiếu"}),
        ("member", "/board", {"Kết quả", "Tại quầy", "Thực địa"}),
        ("stranger", "/calls", {"Tại quầy"}),
    ],
)
def test_each_person_finds_the_pages_of_the_role(client, name, first, rooms):
    """And every link in the head, and beside the page it leads to, opens."""
    assert client.login(name).location == first
    head = client.get(first).text.partition("</nav>")[0].partition("<nav")[2]
    found = dict(re.findall(r'href="([^"]+)"[^>]*>([^<]+)</a>', head))

    assert rooms | {"Tài khoản"} <= set(found.values())
    for door in found:
        page = client.get(door).text
        beside = re.findall(r'href="([^"]+)"', page.partition('class="row work"')[2][:3000])
        for one in [door, *beside]:
            assert client.get(one.split("#")[0], follow_redirects=True).status_code == 200, one


@pytest.mark.parametrize("endpoint", sorted(RESULTS.keys() - {"board.waves"}))
def test_a_neighbour_opens_no_page_of_another_unit(app, client, door_tokens, endpoint):
    client.login("neighbour")
    [rule] = [rule for rule in rules(app) if rule.endpoint == endpoint]

    assert client.get(f"{address(rule, door_tokens)}?unit=vn34:08").status_code == 403


@pytest.mark.parametrize("endpoint", sorted(RESULTS.keys() - {"board.waves"}))
def test_a_wave_or_unit_that_does_not_exist_is_not_found(app, staff, door_tokens, endpoint):
    [rule] = [rule for rule in rules(app) if rule.endpoint == endpoint]

    assert staff.get(address(rule, door_tokens, key="nowhere")).status_code == 404
    assert staff.get(f"{address(rule, door_tokens)}?unit=vn34:999").status_code == 404
    assert staff.get(f"{address(rule, door_tokens)}?unit=').status_code").status_code == 404


def test_a_wave_without_answers_has_no_report(staff):
    answer = staff.get(f"/board/{HOUSEHOLD}/report.pdf")

    assert answer.status_code == 409
    assert "Chưa có ý kiến nào" in answer.text
