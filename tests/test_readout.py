"""Figures for other programs: what a key reaches, what it is not told, and the shape of it all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from small_wave import COMMUNE, COUNTER, LAI_CHAU, NOW, SURVEY, TUYEN_QUANG

from analysis.sipas import wave_result
from survey import db
from survey.machines import openapi
from survey.store import dossiers, keys, waves

EVERY = keys.SCOPES


@pytest.fixture
def key(settings):
    """Make keys: ``key("results", unit=…)`` gives the headers of a request."""

    def make(*scopes, unit=""):
        store = db.connect(settings.database)
        try:
            name = f"{scopes}{unit}"
            _, text = keys.add(store, name, scopes=scopes, unit=unit, now=NOW, actor="shell:test")
        finally:
            store.close()
        return {"Authorization": f"Bearer {text}"}

    return make


def put(settings, n, *, unit=COMMUNE, answered=0):
    """Settle dossiers on the first days of March; the first few have an opinion."""
    store = db.connect(settings.database)
    try:
        first = date(2026, 3, 2)
        made = [
            dossiers.Dossier(
                key=f"H08-{unit[-2:]}-{number:04}", service="Chứng thực", receiving_unit=unit,
                resolving_unit=unit, officer=None, received_on=first, due_on=first,
                settled_on=first + timedelta(days=number % 2),
            )
            for number in range(n)
        ]  # fmt: skip
        dossiers.put(store, made, now=NOW, actor="shell:test", source="test")
        free = [
            row["id"]
            for row in store.execute(
                "SELECT id FROM response WHERE wave = ? AND id NOT IN"
                " (SELECT response FROM dossier_answer) ORDER BY seq",
                [COUNTER],
            )
        ]
        with db.write(store):
            for dossier, response in zip(made[:answered], free, strict=False):
                dossiers.link(store, dossier.key, response)
    finally:
        store.close()


def test_a_program_without_a_key_is_told_how_to_get_one(client):
    answer = client.get("/api/v1/waves")

    assert answer.status_code == 401
    assert answer.json["code"] == "no_key"
    assert "Khóa API" in answer.json["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("text", ["Bearer sipas_wrong", "Bearer ", "Basic YTpi", "sipas_x"])
def test_a_wrong_key_opens_nothing(client, text):
    assert client.get("/api/v1/units", headers={"Authorization": text}).status_code == 401


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/api/v1/waves", "waves"),
        (f"/api/v1/waves/{SURVEY}", "waves"),
        (f"/api/v1/waves/{SURVEY}/results", "results"),
        ("/api/v1/units", "units"),
        ("/api/v1/coverage?since=2026-01-01&until=2026-12-31", "coverage"),
        ("/api/v1/dossiers/H08-00-0000", "dossiers.read"),
    ],
)
def test_a_key_opens_what_its_scopes_name_and_nothing_else(client, key, settings, path, scope):
    put(settings, 1)
    others = key(*(name for name in EVERY if name != scope))

    assert client.get(path, headers=key(scope)).status_code == 200
    refused = client.get(path, headers=others)
    assert (refused.status_code, refused.json["code"]) == (403, "scope")


def test_a_revoked_key_opens_nothing(client, key, settings):
    headers = key("waves")
    store = db.connect(settings.database)
    keys.revoke(store, "('waves',)", now=NOW, actor="shell:test")
    store.close()

    assert client.get("/api/v1/waves", headers=headers).json["code"] == "wrong_key"


def test_results_are_the_figures_of_the_estimate(client, key, settings):
    found = client.get(f"/api/v1/waves/{SURVEY}/results", headers=key("results")).json
    store = db.connect(settings.database, readonly=True)
    try:
        known = wave_result(store, SURVEY)
    finally:
        store.close()

    assert [f["id"] for f in found["figures"]] == [f.id for f in known.figures]
    for told, figure in zip(found["figures"], known.figures, strict=True):
        assert (told["value"], told["se"], told["low"], told["high"], told["n"]) == (
            figure.value, figure.se, figure.low, figure.high, figure.n,
        )  # fmt: skip
    assert [u["unit"] for u in found["units"]] == [u.unit for u in known.units]
    assert all(u["rank_low"] <= u["rank"] <= u["rank_high"] for u in found["units"])


def test_a_unit_s_key_is_given_its_own_figures_and_no_neighbour_s(client, key):
    headers = key("results", "units", "waves", unit=TUYEN_QUANG)
    own = client.get(f"/api/v1/waves/{SURVEY}/results", headers=headers).json
    strange = f"/api/v1/waves/{SURVEY}/results?unit={LAI_CHAU}"

    assert own["unit"] == TUYEN_QUANG
    assert LAI_CHAU not in str(own)
    assert client.get(strange, headers=headers).status_code == 404
    assert {u["id"] for u in client.get("/api/v1/units", headers=headers).json["units"]} == {
        TUYEN_QUANG, COMMUNE,
    }  # fmt: skip


def test_a_wave_of_somebody_else_is_not_there(client, key):
    headers = key("waves", "results", unit=LAI_CHAU)

    assert client.get("/api/v1/waves", headers=headers).json["waves"] == []
    assert client.get(f"/api/v1/waves/{SURVEY}", headers=headers).status_code == 404
    assert client.get(f"/api/v1/waves/{SURVEY}/results", headers=headers).status_code == 404


def test_a_trial_or_a_draft_is_not_told(client, key, settings):
    store = db.connect(settings.database)
    with db.write(store):
        store.execute("UPDATE wave SET stage = 'draft' WHERE key = ?", [SURVEY])
        store.execute("UPDATE wave SET trial_of = 'x' WHERE key = ?", [COUNTER])
    store.close()
    found = client.get("/api/v1/waves", headers=key("waves")).json["waves"]

    assert {wave["key"] for wave in found} == {"qr-2026"}


def test_a_wave_is_described_as_it_is_stored(client, key, settings):
    store = db.connect(settings.database, readonly=True)
    known = waves.get(store, SURVEY)
    store.close()
    found = client.get(f"/api/v1/waves/{SURVEY}", headers=key("waves")).json

    assert found["name"] == known.name
    assert (found["opens_on"], found["closes_on"]) == ("2026-01-01", "2026-10-31")
    assert (found["index"], found["level"], found["synthetic"]) == ("top2", 0.95, True)


def test_units_come_in_pages_that_leave_none_out(client, key):
    headers, seen, after = key("units"), [], ""
    while True:
        page = client.get(f"/api/v1/units?limit=10&after={after}", headers=headers).json
        seen += [unit["id"] for unit in page["units"]]
        if not (after := page.get("next", "")):
            break

    assert len(seen) == len(set(seen)) > 30
    assert COMMUNE in seen


@pytest.mark.parametrize(
    "query",
    ["since=2026-02-30&until=2026-03-01", "since=2026-03-02&until=2026-03-01", "since=2026-01-01",
     "since=hôm qua&until=2026-03-01", "since=0001-01-01&until=9999-12-31"],
)  # fmt: skip
def test_days_that_are_none_are_refused(client, key, query):
    answer = client.get(f"/api/v1/coverage?{query}", headers=key("coverage"))

    assert answer.status_code == 400
    assert answer.json["status"] == 400


def test_coverage_counts_dossiers_and_hides_the_few(client, key, settings):
    put(settings, 40, answered=30)
    put(settings, 20, unit=LAI_CHAU)
    store = db.connect(settings.database)
    try:
        row = store.execute("SELECT id FROM response WHERE wave = ? ORDER BY seq DESC", [COUNTER])
        last = row.fetchone()["id"]
        with db.write(store):
            dossiers.link(store, f"H08-{LAI_CHAU[-2:]}-0000", last)
    finally:
        store.close()
    path = "/api/v1/coverage?since=2026-03-01&until=2026-03-31"
    whole = client.get(path, headers=key("coverage")).json
    mine = client.get(path, headers=key("coverage", unit=LAI_CHAU)).json

    assert (whole["settled"], whole["answered"]) == (60, 31)
    assert {part["name"]: part["settled"] for part in whole["units"]} == {
        TUYEN_QUANG: 40, LAI_CHAU: 20,
    }  # fmt: skip
    assert [part["answered"] for part in whole["units"]] == [None, None]  # 1, and what tells it
    assert (mine["settled"], mine["answered"]) == (20, None)
    assert all(part["answered"] is None for part in mine["services"])


def test_one_dossier_says_whether_it_has_its_opinion_and_not_which(client, key, settings):
    put(settings, 2, answered=1)
    headers = key("dossiers.read")
    first = client.get("/api/v1/dossiers/H08-00-0000", headers=headers).json
    second = client.get("/api/v1/dossiers/H08-00-0001", headers=headers).json

    assert (first["answered"], second["answered"]) == (True, False)
    assert (first["late"], second["late"]) == (False, True)
    assert set(first) == set(openapi.DOCUMENT["components"]["schemas"]["Dossier"]["properties"])
    strange = key("dossiers.read", unit=LAI_CHAU)
    assert client.get("/api/v1/dossiers/H08-00-0000", headers=strange).status_code == 404


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (f"/api/v1/waves/{SURVEY}", "Wave"),
        (f"/api/v1/waves/{SURVEY}/results", "Results"),
        (f"/api/v1/waves/{COUNTER}/results", "Results"),
        ("/api/v1/waves", "Waves"),
        ("/api/v1/units", "Units"),
        ("/api/v1/coverage?since=2026-03-01&until=2026-03-31", "Coverage"),
    ],
)
def test_answers_have_the_described_shape(client, key, settings, path, schema):
    put(settings, 30, answered=20)
    schemas = openapi.DOCUMENT["components"]["schemas"]
    checked = []

    def check(value, of):
        if "$ref" in of:
            of = schemas[of["$ref"].rpartition("/")[2]]
        kinds = of.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        names = {
            dict: "object", list: "array", str: "string", bool: "boolean", int: "integer",
            float: "number", type(None): "null",
        }  # fmt: skip
        kind = names[type(value)]
        assert kind in kinds or (kind == "integer" and "number" in kinds), (value, of)
        if kind == "object" and "properties" in of:
            assert set(of["required"]) <= set(value) <= set(of["properties"])
            for name, held in value.items():
                check(held, of["properties"][name])
        if kind == "array" and "items" in of:
            for one in value:
                check(one, of["items"])
        checked.append(kind)

    check(client.get(path, headers=key(*EVERY)).json, schemas[schema])
    assert len(checked) > 5


def test_a_program_gone_wild_is_told_to_wait(client, key, monkeypatch):
    monkeypatch.setattr("survey.machines.keyring.MOST", 3)
    headers = key("waves")
    found = [client.get("/api/v1/waves", headers=headers) for _ in range(4)]

    assert [answer.status_code for answer in found] == [200, 200, 200, 429]
    assert 0 < int(found[-1].headers["Retry-After"]) <= 60


def test_an_empty_wave_has_no_figures_and_no_fault(client, key, settings):
    found = client.get("/api/v1/waves/qr-2026/results", headers=key("results"))

    assert found.status_code == 200
    assert (found.json["answers"], found.json["figures"]) == (None, [])
