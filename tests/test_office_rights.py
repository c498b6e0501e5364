"""Every route as every role: what it opens, what it refuses, and that it tells nobody else's."""

from __future__ import annotations

from contextlib import closing

import office_rights
import pytest
from office_rights import SECRET

from survey import db

#: Who walks: user name -> role.  Those of the first line belong to the province or are above it.
INSIDE = {"administrator": "administrator", "chief": "administrator", "member": "viewer",
          "auditor": "auditor", "officer": "officer"}  # fmt: skip
OUTSIDE = {"other": "administrator", "neighbour": "viewer"}
EVERYBODY = INSIDE | OUTSIDE | {"stranger": "clerk"}
#: What a page may answer: shown, led on, refused in words; never a fault of the program.
SOUND = {200, 303, 400, 403, 404, 405, 409, 410, 413, 415, 422, 503}
#: What an auditor may send: of the own account, and previews, which store nothing.
HARMLESS = ("auth.", "account.")


@pytest.fixture
def made(settings, facts):
    return office_rights.fill(settings, facts)


def rules(app):
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and hasattr(app.view_functions[rule.endpoint], "roles")
    ]


def allowed(app, rule, role):
    return role in app.view_functions[rule.endpoint].roles


def token(client):
    page = client.get("/account/sessions").text
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def audited(settings):
    with closing(db.connect(settings.database)) as store:
        return store.execute("SELECT COUNT(*) FROM audit").fetchone()[0]


@pytest.mark.parametrize(("name", "role"), EVERYBODY.items())
def test_every_page_answers_everybody_by_the_role(app, client, made, door_tokens, name, role):
    client.login(name)
    for rule in rules(app):
        if "GET" not in rule.methods or rule.endpoint == "auth.logout":
            continue
        answer = client.get(office_rights.address(rule, made, door_tokens))
        if allowed(app, rule, role):
            assert answer.status_code in SOUND, (rule, answer.status_code)
        else:
            assert answer.status_code == 403, (rule, answer.status_code)
            assert SECRET not in answer.text, rule


@pytest.mark.parametrize(("name", "role"), OUTSIDE.items())
def test_no_page_tells_another_province_anything(app, client, made, door_tokens, name, role):
    client.login(name)
    for rule in rules(app):
        if "GET" in rule.methods and rule.endpoint != "auth.logout":
            answer = client.get(office_rights.address(rule, made, door_tokens))
            assert SECRET not in answer.text, rule
            if office_rights.owned(rule):
                assert answer.status_code in {403, 404}, (rule, answer.status_code)


@pytest.mark.parametrize(("name", "role"), (OUTSIDE | {"stranger": "clerk"}).items())
def test_no_button_of_another_province_does_anything(
    app, client, settings, made, door_tokens, name, role
):
    client.login(name)
    held, before = token(client), audited(settings)
    for rule in rules(app):
        if "POST" in rule.methods and rule.endpoint.split(".")[0] not in {"auth", "account"}:
            path = office_rights.address(rule, made, door_tokens)
            answer = client.post(path, data={"csrf_token": held})
            assert answer.status_code in SOUND, (rule, answer.status_code)
            assert SECRET not in answer.text, rule
            if not allowed(app, rule, role):
                assert answer.status_code == 403, (rule, answer.status_code)
            elif office_rights.owned(rule) and role != "clerk":
                assert answer.status_code in {403, 404}, (rule, answer.status_code)

    assert audited(settings) == before, "nothing was changed"


def test_an_auditor_sends_nothing_but_for_the_own_account(app, client, made, door_tokens):
    client.login("auditor")
    held = token(client)
    for rule in rules(app):
        if "POST" in rule.methods and not rule.endpoint.startswith(HARMLESS):
            path = office_rights.address(rule, made, door_tokens)
            assert client.post(path, data={"csrf_token": held}).status_code == 403, rule


def test_an_auditor_reads_what_an_administrator_reads_of_results_and_office(app, client, made):
    client.login("auditor")
    for path in ("/board", "/office/people", "/office/audit", "/office/waves", "/coverage"):
        assert client.get(path).status_code == 200, path


def test_an_officer_opens_the_own_feedback_and_account_alone(app):
    mine = {rule.endpoint for rule in rules(app) if allowed(app, rule, "officer")}

    assert {name.split(".")[0] for name in mine} <= {"auth", "account", "officer"}


def test_every_button_needs_the_token_of_the_session(app, client, made, door_tokens):
    client.login("administrator")
    for rule in rules(app):
        if "POST" in rule.methods:
            path = office_rights.address(rule, made, door_tokens)
            assert client.post(path).status_code in {400, 403}, rule


def test_nobody_gets_in_without_signing_in(app, client, made, door_tokens):
    for rule in rules(app):
        path = office_rights.address(rule, made, door_tokens)
        for method in rule.methods - {"OPTIONS"}:
            answer = client.open(path, method=method)
            assert answer.status_code == 303, rule
            assert SECRET not in answer.text


@pytest.mark.parametrize("name", ["chief", "administrator"])
def test_the_own_province_opens_what_is_its_own(app, client, made, door_tokens, name):
    """Without this, a walk where everything is refused would pass."""
    client.login(name)
    opened = {
        rule.endpoint
        for rule in rules(app)
        if "GET" in rule.methods
        and office_rights.owned(rule)
        and client.get(office_rights.address(rule, made, door_tokens)).status_code == 200
    }

    assert {"kiosks.adjust", "posters.poster", "staffing.one", "feedback.one", "jobs.one",
            "criteria.one", "letters.head", "narratives.one"} <= opened  # fmt: skip
