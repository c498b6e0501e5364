"""Who sees what of the work on paper: every route, as everybody, in two provinces."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from uuid import UUID, uuid4, uuid5

import paper_rights
import paper_wave
import pytest
from paper_rights import COMMUNE, TEAM
from paper_wave import AWAY, HOME, WAVE
from test_verify import enter

from survey import db, serials
from survey.store import entries, plans, readings
from survey.text import t

DOORS = {
    "callbacks", "casework", "desk", "field", "lots", "planning", "printouts", "sampling", "scans",
    "verify", "weighing",
}  # fmt: skip
UNKNOWN = {"number": 999_999, "code": "L999999", "serial": serials.serial(999_999), "psu": "x-9"}


def _number(name):
    return lambda side: {"number": getattr(side, name)}


def _lot(name="lot"):
    return lambda side: {"code": getattr(side, name)}


def _serial(name):
    return lambda side: {"serial": serials.serial(getattr(side, name))}


def _psu(side):
    return {"wave": WAVE, "psu": side.psu}


#: What lies in one province: how its address names it.
PLACED = {
    "callbacks.one": _number("settled"),
    "callbacks.record": _number("settled"),
    "casework.drop": _psu,
    "casework.move": _number("planned"),
    "casework.one": _number("planned"),
    "casework.replace": _number("planned"),
    "casework.village": _psu,
    "desk.form": _serial("collected"),
    "desk.lot": _lot(),
    "desk.send": _serial("collected"),
    "field.change_person": lambda side: {"number": side.staff["interviewer"]},
    "field.mark": _number("planned"),
    "lots.assign": _lot(),
    "lots.back": _lot(),
    "lots.extend": _lot(),
    "lots.issue": _lot("waiting"),
    "lots.one": _lot(),
    "lots.scan": _lot(),
    "printouts.forms": _lot(),
    "printouts.note": _lot(),
    "printouts.sheet": lambda side: {"code": side.lot, "kind": "households"},
    "scans.again": _number("upload"),
    "scans.decide": lambda side: {"number": side.page, "field": "sex"},
    "scans.one": _number("upload"),
    "scans.picture": _number("page"),
    "scans.piece": lambda side: {"token": f"{side.staff['data_clerk']}-{uuid4().hex}"},
    "verify.decide": _number("twice"),
    "verify.one": _number("twice"),
    "verify.picture": _number("twice"),
}
#: What belongs to a whole wave: for those of the unit that owns it.
OWNED = {
    "planning.keep", "planning.plan", "sampling.draw", "sampling.undo", "weighing.index",
    "weighing.keep", "weighing.make",
}  # fmt: skip
#: Pages of a wave that show everybody the own part of it.
SHARED = {
    "callbacks.draw", "callbacks.index", "callbacks.keep_plan", "callbacks.plan",
    "casework.villages", "desk.add", "desk.start", "desk.token", "field.add_person",
    "field.board", "field.interviewers", "field.mine", "field.people", "field.quotas",
    "field.reminders", "field.reminders_csv", "field.set_quotas", "lots.find", "lots.index",
    "lots.make", "sampling.check", "sampling.index", "sampling.listed", "sampling.step",
    "sampling.upload", "scans.doubts", "scans.go_on", "scans.hand_in", "scans.index",
    "verify.errors", "verify.errors_csv", "verify.index", "verify.release",
}  # fmt: skip
ROLES = ("field_supervisor", "interviewer", "data_clerk", "adjudicator")
PEOPLE = [(TEAM[unit][role], role, unit) for unit in (HOME, AWAY) for role in ROLES]
PEOPLE += [(f"xa.{role}", role, COMMUNE) for role in ROLES if role != "interviewer"]


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def world(base, settings, paper):
    return paper_rights.make(base, settings, paper)


def routes(app):
    """Every rule and method of the work on paper."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if rule.endpoint.split(".")[0] in DOORS:
            for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
                yield rule, method


def path(rule, side):
    """The address of a rule, of what lies in this province where it names something."""
    values = {"key": WAVE, "wave": WAVE, "kind": "villages"}
    if place := PLACED.get(rule.endpoint):
        values |= place(side)
    _, built = rule.build({name: values[name] for name in rule.arguments})
    return built + (f"?wave={WAVE}" if rule.endpoint in SHARED else "")


def body(answer):
    return answer.get_data().decode(errors="ignore") + str(answer.headers)


def leaks(answer, side, asked=""):
    """Words of a province in an answer, but for what the address itself said."""
    text = body(answer).replace(asked, "") if asked else body(answer)
    return [word for word in side.secrets if word in text]


def kept(base):
    """A digest of all that is stored, who looked and who signed in left out."""
    lines = [
        line for line in base.iterdump()
        if not line.startswith(('INSERT INTO "audit"', 'INSERT INTO "meta"', 'INSERT INTO "login'))
    ]  # fmt: skip
    return sha256("\n".join(lines).encode()).hexdigest()


def signed_in(app, name):
    client = app.test_client()
    assert client.login(name).status_code == 303
    return client


def token(client):
    return client.get("/password").text.rpartition('name="csrf_token" value="')[2].split('"')[0]


def allowed(app, rule, role):
    return role in app.view_functions[rule.endpoint].roles


def test_every_route_of_the_work_on_paper_was_thought_about(app):
    found = {rule.endpoint for rule, _ in routes(app)}

    assert found == {*PLACED, *OWNED, *SHARED}
    assert not [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/field", "/desk")) and rule.endpoint.split(".")[0] not in DOORS
    ]


def test_who_is_not_signed_in_is_led_to_the_login(app, base, client, world):
    before = kept(base)
    for rule, method in routes(app):
        answer = client.open(path(rule, world[HOME]), method=method)
        assert (answer.status_code, answer.location.split("?")[0]) == (303, "/login"), rule
        assert leaks(answer, world[AWAY]) == [], rule
    assert kept(base) == before


@pytest.mark.parametrize(("name", "role", "unit"), PEOPLE)
def test_nothing_of_another_province_is_seen_or_changed(app, base, client, world, name, role, unit):
    client.login(name)
    sign, before = token(client), kept(base)
    for other in {HOME, AWAY} - {unit}:
        side = world[other]
        for rule, method in routes(app):
            address = path(rule, side)
            data = {"csrf_token": sign, "step": "delivered"} if method == "POST" else None
            answer = client.open(address, method=method, data=data)
            where = (rule.endpoint, method, answer.status_code)
            if not allowed(app, rule, role):
                assert answer.status_code == 403, where
            elif rule.endpoint in PLACED or (rule.endpoint in OWNED and unit != HOME):
                assert answer.status_code in (403, 404), where
            if method == "GET" or answer.status_code >= 400:
                asked = address.rpartition("/")[2] if rule.endpoint.startswith("desk.") else ""
                assert leaks(answer, side, asked) == [], where
    assert kept(base) == before or role in WRITES


#: Roles whose shared pages may write something of their own unit when they are posted empty.
WRITES = {"field_supervisor", "data_clerk"}


@pytest.mark.parametrize(("name", "role", "unit"), PEOPLE[:8])
def test_the_own_province_is_open_to_its_people(app, client, world, name, role, unit):
    client.login(name)
    for rule, method in routes(app):
        if method == "GET" and allowed(app, rule, role) and rule.endpoint in PLACED:
            answer = client.get(path(rule, world[unit]))
            open_to = (200, 303, 404) if rule.endpoint in MAYBE else (200, 303)
            assert answer.status_code in open_to, (rule.endpoint, answer.status_code)


#: No scan of a form that was keyed; no print run in the address.
MAYBE = {"verify.picture", "printouts.forms"}


@pytest.mark.parametrize(
    ("name", "role", "unit"), [("administrator", "administrator", ""), *PEOPLE[:4]]
)
def test_nothing_is_posted_without_a_token(app, base, client, world, name, role, unit):
    client.login(name)
    before = kept(base)
    for rule, method in routes(app):
        if method != "POST":
            continue
        for data in ({}, {"csrf_token": "x"}):
            answer = client.post(path(rule, world[HOME]), data=data)
            wanted = 400 if allowed(app, rule, role) else 403
            assert answer.status_code == wanted, (rule.endpoint, answer.status_code)
    assert kept(base) == before


def test_what_does_not_exist_is_not_found_by_anybody(app, client, world):
    client.login()
    sign = token(client)
    for rule, method in routes(app):
        if rule.endpoint not in PLACED or rule.endpoint == "field.mark":
            continue
        names = {name: UNKNOWN.get(name, WAVE) for name in rule.arguments} | {
            "token": "999-x", "field": "sex", "kind": "households",
        }  # fmt: skip
        _, address = rule.build({name: names[name] for name in rule.arguments})
        answer = client.open(address, method=method, data={"csrf_token": sign})
        assert answer.status_code in (400, 404), (rule.endpoint, answer.status_code)


def test_the_desk_tells_other_units_numbers_from_unknown_ones_by_nothing(client, settings, world):
    client.login("nhapnoikhac")
    case, side, none = world[HOME].collected, world[HOME], 999_999
    pairs = [
        ("/desk?q={}", serials.serial(case), serials.serial(none)),
        ("/desk?q={}", side.lot, "L999999"),
        ("/desk/form/{}", serials.serial(case), serials.serial(none)),
        ("/desk/lot/{}", side.lot, "L999999"),
    ]
    codes = [serials.code(settings.secret, 1, one, 1) for one in (case, none)]
    pairs.append(("/desk?q={}", *codes))
    for address, theirs, unknown in pairs:
        found, lost = (client.get(address.format(one)) for one in (theirs, unknown))
        assert (found.status_code, lost.status_code) in ((404, 404), (422, 422))
        assert _still(found, theirs) == _still(lost, unknown)


def _still(answer, asked):
    """An answer without what was asked and what changes from one to the next."""
    text = re.sub(
        r'name="csrf_token" value="[^"]*"|(Set-Cookie|Content-Length):.*', "", body(answer)
    )
    text = re.sub(r"\s+", " ", text)
    return re.sub("|".join({asked, asked[:40]}), "", text)


def test_an_entry_for_another_unit_is_refused_like_one_for_no_form(client, base, world, paper):
    client.login("nhapnoikhac")
    sign, before, answers = token(client), kept(base), []
    for case in (world[HOME].collected, 999_999):
        sent = {
            "id": str(uuid4()), "by": paper.staff["nhapnoikhac"], "serial": serials.serial(case),
            "wave": WAVE, "questionnaire": paper_wave.QUESTIONNAIRE, "overrides": [],
            "fields": paper_wave.fields(1), "keys": 1, "active_ms": 1,
        }  # fmt: skip
        answer = client.post("/desk/entries", json=sent, headers={"X-CSRFToken": sign})
        answers.append((answer.status_code, answer.text.replace(sent["serial"], "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert kept(base) == before


def test_a_supervisor_finds_no_lot_of_another_unit(client, world):
    client.login(TEAM[AWAY]["field_supervisor"])
    for code in (world[HOME].lot, serials.serial(world[HOME].planned)):
        found = client.get(f"/field/lots/find?code={code}")
        lost = client.get("/field/lots/find?code=L999999")
        assert (found.status_code, lost.status_code) == (404, 404)
        assert found.text.replace(code, "") == lost.text.replace("L999999", "")


def test_a_refusal_does_not_say_of_which_unit_something_is(client, world):
    client.login(TEAM[AWAY]["field_supervisor"])
    answer = client.get(f"/field/cases/form/{world[HOME].planned}")

    assert answer.status_code == 403
    assert "Tuyên Quang" not in answer.text


def test_an_interviewer_sees_the_own_lots_and_no_answer(app, world):
    page = signed_in(app, "dieutra2").get(f"/field/mine?wave={WAVE}")
    assert set(leaks(page, world[HOME])) <= {"Dieutra"}
    client = signed_in(app, "dieutra")
    for rule, method in routes(app):
        answer = client.open(path(rule, world[HOME]), method=method)
        assert "Lời của" not in body(answer)
        assert rule.endpoint in ("field.mine", "field.mark") or answer.status_code == 403


def test_who_opens_names_of_households_is_written_down(app, base, world):
    side = world[HOME]
    client = signed_in(app, "giamsat")
    client.get(f"/field/cases/{WAVE}/{side.psu}")
    client.get(f"/field/cases/form/{side.planned}")
    client.get(f"/field/callbacks/{side.settled}")
    client.get(f"/field/lots/{side.lot}/households.pdf")
    client.get(f"/field/lots/{side.lot}/payments.pdf")
    signed_in(app, "dieutra").get(f"/field/mine?wave={WAVE}")
    rows = base.execute(
        "SELECT actor, action, subject FROM audit"
        " WHERE action LIKE 'household.%' OR action = 'lot.names' ORDER BY seq"
    )

    assert [tuple(row) for row in rows] == [
        ("staff:giamsat", "household.list", f"{WAVE}/{side.psu}"),
        ("staff:giamsat", "household.view", str(side.planned)),
        ("staff:giamsat", "household.view", str(side.settled)),
        ("staff:giamsat", "lot.names", side.lot),
        ("staff:giamsat", "lot.names", side.lot),
        ("staff:dieutra", "household.list", f"{side.lot}, {side.waiting}"),
    ]


@pytest.mark.parametrize(("name", "role", "unit"), PEOPLE[:4])
def test_names_stand_on_these_pages_and_on_no_other(app, client, base, world, name, role, unit):
    client.login(name)
    shown = {
        rule.endpoint
        for rule, method in routes(app)
        if method == "GET" and "Lò Thị" in body(client.get(path(rule, world[unit])))
    }

    assert shown == {
        "field_supervisor": {"callbacks.one", "casework.one", "casework.village"},
        "interviewer": {"field.mine"},
    }.get(role, set())


def test_names_that_were_deleted_are_looked_at_by_nobody(client, base, world):
    base.execute("UPDATE frame_household SET name = '', address = ''")
    client.login("giamsat")
    client.get(f"/field/cases/{WAVE}/{world[HOME].psu}")
    client.get(f"/field/cases/form/{world[HOME].planned}")

    assert base.execute("SELECT 1 FROM audit WHERE action LIKE 'household.%'").fetchall() == []


def test_the_second_clerk_learns_nothing_of_the_first_entry(app, client, base, world, paper):
    side = world[HOME]
    client.login("nhap2")
    for rule, method in routes(app):
        if method == "GET" and allowed(app, rule, "data_clerk"):
            for case in (side.once, side.twice):
                built = path(rule, side)
                if rule.endpoint == "desk.form":
                    built = f"/desk/form/{serials.serial(case)}"
                text = body(client.get(built))
                assert "Lời của" not in text, rule
                assert "Nhap1" not in text, rule
                assert "đã đối chiếu" not in text, rule


def test_the_receipt_of_a_second_entry_does_not_tell_whether_both_agree(client, base, world, paper):
    client.login("nhap2")
    sign, receipts = token(client), []
    cases = paper.cases[paper.psus[1]][:2]
    for case in cases:
        base.execute("UPDATE sample_case SET state = 'collected' WHERE id = ?", (case,))
        enter(base, case, paper.staff["nhap1"], paper_wave.fields(1))
    for case, changes in zip(cases, ({}, {"s01": 1, "s02": 5}), strict=True):
        sent = {
            "id": str(uuid4()), "by": paper.staff["nhap2"], "serial": serials.serial(case),
            "wave": WAVE, "questionnaire": paper_wave.QUESTIONNAIRE, "overrides": [],
            "fields": paper_wave.fields(1, **changes), "keys": 1, "active_ms": 1,
        }  # fmt: skip
        answer = client.post("/desk/entries", json=sent, headers={"X-CSRFToken": sign})
        receipts.append(answer.json | {"id": "", "serial": ""})
    page = client.get(f"/desk/lot/{world[HOME].waiting}").text
    rows = re.findall(r"<td class=\"text\" data-state>([^<]*)</td>", page)

    states = base.execute("SELECT state FROM sample_case WHERE id IN (?, ?) ORDER BY id", cases)
    assert [row["state"] for row in states] == ["compared", "entered_twice"]
    assert receipts[0] == receipts[1]
    assert rows[0] == rows[1] == "đã nhập"


def test_everybody_who_decided_a_mark_of_a_scan_is_out_of_what_follows(app, base, world):
    side = world[HOME]
    clerk, second = side.staff["data_clerk"], side.staff["second"]
    solved = {"sex": {"value": 1, "staff": second}, "age": {"value": 2, "staff": clerk}}
    base.execute("UPDATE scan_page SET solved = ? WHERE id = ?", (json.dumps(solved), side.page))
    [case] = base.execute("SELECT case_id FROM scan_page WHERE id = ?", (side.page,)).fetchone()
    came = entries.Entry(
        id=str(uuid4()), case_id=case, via="scan", staff=clerk, fields=paper_wave.fields(1),
        questionnaire=paper_wave.QUESTIONNAIRE, submitted_at=paper_wave.NOW,
    )  # fmt: skip
    plan = replace(plans.get(base, WAVE), scan_share=1.0)
    plans.set(base, WAVE, plan, **paper_rights.ACT)
    with db.write(base):
        assert entries.add(base, came, now=paper_wave.NOW).state == "entered"

    for name in ("nhap1", "nhap2"):
        answer = signed_in(app, name).get(f"/desk/form/{serials.serial(case)}")
        assert answer.status_code == 409, name
        assert t("refused.same_clerk", serial=serials.printed(case)) in answer.text


def test_who_keyed_is_hidden_from_who_decides_until_it_is_decided(client, base, world):
    side = world[HOME]
    client.login("doichieu")
    for address in (
        f"/desk/compare?wave={WAVE}", f"/desk/compare/{side.twice}",
        f"/desk/compare/{side.twice}/picture?page=1",
    ):  # fmt: skip
        text = body(client.get(address))
        assert "Nhap1" not in text, address
        assert "Nhap2" not in text, address
    assert "Nhap1" in client.get(f"/desk/compare/{side.settled}").text


def test_an_administrator_of_a_unit_plans_no_wave_of_another(app, base, world):
    cheap = paper_rights.generate_password_hash(
        paper_rights.people.plain(paper_wave.PASSWORD), method="scrypt:1024:8:1"
    )
    paper_rights._person(base, "quantri.lai", "administrator", AWAY, cheap)
    client, side = signed_in(app, "quantri.lai"), world[HOME]
    sign, before = token(client), kept(base)
    for rule, method in routes(app):
        if not allowed(app, rule, "administrator"):
            continue
        address = path(rule, side)
        answer = client.open(address, method=method, data={"csrf_token": sign})
        where = (rule.endpoint, method, answer.status_code)
        if rule.endpoint in {*PLACED, *OWNED, "callbacks.plan", "callbacks.keep_plan"}:
            assert answer.status_code in (403, 404), where
        asked = address.rpartition("/")[2] if rule.endpoint.startswith("desk.") else ""
        assert leaks(answer, side, asked) == [], where
        if rule.endpoint == "verify.release":
            assert answer.status_code == 403
    assert before


def test_nobody_foresees_the_ids_of_a_form(client, base, world, paper):
    found = base.execute(
        "SELECT e.id, s.response FROM paper_settled s JOIN paper_entry e USING (case_id)"
    ).fetchall()
    assert {UUID(row["response"]).version for row in found} == {4}

    case, who = world[HOME].collected, paper.staff["nhap1"]
    client.login("nhap1")
    sent = {
        "id": str(uuid5(readings._SPACE, str(case))), "by": who, "serial": serials.serial(case),
        "wave": WAVE, "questionnaire": paper_wave.QUESTIONNAIRE, "overrides": [],
        "fields": paper_wave.fields(1), "keys": 1, "active_ms": 1,
    }  # fmt: skip
    headers = {"X-CSRFToken": token(client)}
    assert client.post("/desk/entries", json=sent, headers=headers).status_code == 422
    assert (
        client.post("/desk/entries", json=sent | {"id": str(uuid4())}, headers=headers).status_code
        == 201
    )
