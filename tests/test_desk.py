"""The desk: forms opened by serial or lot, keyed without JavaScript, posted from the queue."""

import json
import re
from contextlib import closing
from uuid import uuid4

import paper_wave
import pytest

from forms import paper as forms_paper
from forms.questionnaire import keys, load
from survey import db, serials
from survey.entry import keyed, mirror
from survey.store import cases, clock, entries

Q = load(paper_wave.QUESTIONNAIRE)


@pytest.fixture
def base(settings, paper):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def lot(base, paper):
    """A lot of three collected forms; its code."""
    base.execute(
        "INSERT INTO lot (id, wave, code, unit, made_at, actor)"
        " VALUES (7, ?, 'L000007', ?, ?, 'shell:test')",
        [paper.wave, paper_wave.HOME, clock.stamp(paper_wave.NOW)],
    )
    for case in paper.main[:3]:
        base.execute("UPDATE sample_case SET lot = 7, state = 'collected' WHERE id = ?", [case])
    return "L000007"


def serial(paper, n=0):
    return serials.serial(paper.main[n])


def posted(fields):
    """Fields as a page without JavaScript sends them."""
    data = {}
    for name, value in fields.items():
        data[name] = [str(one) for one in value] if isinstance(value, list) else str(value)
    return data


def send(client, paper, n=0, fields=None, **more):
    path = f"/desk/form/{serial(paper, n)}"
    page = client.get(path).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return client.post(path, data=hidden | posted(fields or paper_wave.fields(n)) | more)


def record(paper, who="nhap1", n=0, **changes):
    """One entry as the queue sends it."""
    return {
        "id": str(uuid4()), "by": paper.staff[who], "serial": serial(paper, n), "wave": paper.wave,
        "questionnaire": paper_wave.QUESTIONNAIRE, "fields": paper_wave.fields(n),
        "overrides": [], "started_at": "2026-11-22T03:00:00.000Z",
        "submitted_at": "2026-11-22T03:00:41.000Z", "keys": 88, "active_ms": 41_000,
    } | changes  # fmt: skip


def post(client, body):
    token = client.get("/desk/token").json["token"]
    return client.post("/desk/entries", json=body, headers={"X-CSRFToken": token})


def test_a_serial_number_leads_to_its_form(client, paper):
    client.login("nhap1")
    number = serials.printed(paper.main[0])

    assert client.get(f"/desk?q={number}").location == f"/desk/form/{serial(paper)}"


def test_the_code_of_a_page_leads_to_its_form(client, paper, settings):
    client.login("nhap1")
    code = serials.code(settings.secret, 1, paper.main[0], 3)

    assert client.get("/desk", query_string={"q": code}).location.endswith(serial(paper))


@pytest.mark.parametrize("typed", ["00000977", "L999999", "xin chào", "S1/1/00000976/1/AAAA"])
def test_a_mistyped_number_is_asked_again(client, paper, typed):
    client.login("nhap1")
    answer = client.get("/desk", query_string={"q": typed})

    assert answer.status_code == 422
    assert "Kiểm tra lại từng chữ số" in answer.text


def test_the_desk_counts_what_waits(client, paper, lot):
    client.login("nhap1")
    page = client.get("/desk").text

    assert f'<a href="/desk/lot/{lot}">{lot}</a>' in page


def test_the_administrator_sees_how_fast_each_person_keys(app, client, paper):
    client.login("nhap1")
    post(client, record(paper))
    post(client, record(paper, n=1))
    assert "Tốc độ nhập" not in client.get(f"/desk?wave={paper.wave}").text
    boss = app.test_client()
    boss.login()
    page = boss.get(f"/desk?wave={paper.wave}").text

    cells = re.findall(r'<td data-of="(?:Lần|Phím|Giây)[^"]*">(\d+)</td>', page)
    assert cells == ["2", "0", "88", "41"]


def test_a_form_is_entered_without_javascript(client, base, paper, lot):
    client.login("nhap1")
    answer = send(client, paper)

    assert (answer.status_code, answer.location) == (303, f"/desk/lot/{lot}")
    [row] = entries.of_case(base, paper.main[0])
    assert row.fields == paper_wave.fields(0)
    assert "đã" in client.get(answer.location).text


def test_what_is_missing_is_named_and_what_was_entered_stays(client, base, paper):
    client.login("nhap1")
    fields = paper_wave.fields(0)
    del fields["s07"]
    answer = send(client, paper, fields=fields)

    assert answer.status_code == 422
    assert 'id="e-s07"' in answer.text
    assert len(re.findall(r"<input[^>]*checked", answer.text)) > 80
    assert entries.of_case(base, paper.main[0]) == []


def test_what_is_unlikely_is_stored_with_a_reason_only(client, base, paper):
    client.login("nhap1")
    alike = paper_wave.fields(0, **{item.id: 4 for item in Q.scored})
    first = send(client, paper, fields=alike)
    assert first.status_code == 422
    [name] = re.findall(r'name="(why:[^"]+)" value="as_paper"', first.text)

    assert send(client, paper, fields=alike, **{name: "as_paper"}).status_code == 303
    [row] = entries.of_case(base, paper.main[0])
    assert row.overrides == [{"name": "s01", "code": "alike", "reason": "as_paper"}]


def test_the_queue_stores_an_entry_once(client, base, paper):
    client.login("nhap1")
    body = record(paper)
    first, again = post(client, body), post(client, body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert (first.json["id"], first.json["round"]) == (body["id"], 1)
    assert len(entries.of_case(base, paper.main[0])) == 1


def test_what_is_unlikely_is_never_lost_in_the_queue(client, base, paper):
    client.login("nhap1")
    alike = paper_wave.fields(0, **{item.id: 4 for item in Q.scored})

    assert post(client, record(paper, fields=alike)).status_code == 201
    [row] = entries.of_case(base, paper.main[0])
    assert row.overrides == [{"name": "s01", "code": "alike", "reason": ""}]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"wave": "ho-2026"}, 409, "other_wave"),
        ({"serial": "00000977"}, 404, "no_form"),
        ({"questionnaire": "sipas-2022.1"}, 422, "other_version"),
        ({"fields": {}}, 422, "faulty_entry"),
        ({"fields": [1]}, 422, "no_entry"),
        ({"fields": {"s01": {"a": [1]}}}, 422, "faulty_entry"),
        ({"id": "x"}, 422, "no_entry"),
        ({"overrides": "x"}, 422, "no_entry"),
        ({"overrides": [1]}, 422, "no_entry"),
        ({"keys": -1}, 422, "no_entry"),
        ({"keys": True}, 422, "no_entry"),
        ({"by": 0}, 401, "other_clerk"),
    ],
)
def test_the_queue_is_told_why_an_entry_is_refused(client, base, paper, changes, status, code):
    client.login("nhap1")
    answer = post(client, record(paper, **changes))

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["title"]
    assert entries.of_case(base, paper.main[0]) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"id": 1}', b"\xff"])
def test_what_is_no_entry_is_refused(client, paper, body):
    client.login("nhap1")
    token = client.get("/desk/token").json["token"]
    answer = client.post(
        "/desk/entries", data=body, content_type="application/json",
        headers={"X-CSRFToken": token},
    )  # fmt: skip

    assert (answer.status_code, answer.json["code"]) == (422, "no_entry")


def test_an_entry_without_the_token_of_the_session_is_refused(client, base, paper):
    client.login("nhap1")

    assert client.post("/desk/entries", json=record(paper)).status_code == 400
    assert entries.of_case(base, paper.main[0]) == []


def test_a_session_that_has_ended_leads_to_the_login(client, paper):
    assert client.post("/desk/entries", json=record(paper)).location.startswith("/login")


def test_the_same_person_makes_no_second_entry(client, paper):
    client.login("nhap1")
    post(client, record(paper))

    answer = client.get(f"/desk/form/{serial(paper)}")
    assert answer.status_code == 409
    assert "Người khác nhập lần 2" in answer.text
    assert post(client, record(paper)).json["code"] == "same_clerk"


def test_the_second_person_sees_nothing_of_the_first_entry(app, client, paper, lot):
    client.login("nhap1")
    blank = client.get(f"/desk/form/{serial(paper, 1)}").text
    post(client, record(paper))
    other = app.test_client()
    other.login("nhap2")
    page = other.get(f"/desk/form/{serial(paper)}").text

    assert "Nhập lần 2" in page
    assert "checked" not in page
    boxes = r'<input type="(?:radio|checkbox)".*?>'
    assert re.findall(boxes, page) == re.findall(boxes, blank)
    assert post(other, record(paper, "nhap2")).json["round"] == 2


def test_a_clerk_opens_no_form_and_no_lot_of_another_province(client, paper, lot):
    client.login("nhapnoikhac")

    assert client.get(f"/desk/form/{serial(paper)}").status_code == 404
    assert client.get(f"/desk/lot/{lot}").status_code == 404
    assert lot not in client.get("/desk").text
    assert post(client, record(paper, "nhapnoikhac")).json["code"] == "no_form"


def test_a_lot_shows_where_each_form_stands(client, base, paper, lot):
    client.login("nhap1")
    post(client, record(paper, n=1))
    cases.move(base, [paper.main[2]], "refused", now=paper_wave.NOW, actor="shell:test")
    page = client.get(f"/desk/lot/{lot}").text

    [listed] = re.findall(r'data-forms="([^"]*)"', page)
    found = json.loads(listed.replace("&#34;", '"').replace("&quot;", '"'))
    assert [one["status"] for one in found] == ["first", "mine", "lost"]


def test_an_unknown_lot_is_named(client, paper):
    client.login("nhap1")

    assert client.get("/desk/lot/L000099").status_code == 404


@pytest.mark.parametrize("key", keys())
def test_the_sheet_shows_every_field_once_in_the_order_of_the_paper(key):
    q = load(key)
    shown = [
        line.name for block in mirror.blocks(q) for group in block.groups for line in group.lines
    ]

    assert shown == [field.name for field in forms_paper.fields(q)]


def test_the_sheet_says_where_each_page_of_the_paper_begins():
    places = {"answers": [{"field": "sex", "page": 1}, {"field": "s01", "page": 2}],
              "texts": [{"field": "comment", "page": 4}]}  # fmt: skip
    blocks = mirror.blocks(Q, mirror.pages_of(places))
    pages = {
        line.name: line.page
        for block in blocks for group in block.groups for line in group.lines if line.page
    }  # fmt: skip

    assert pages == {"sex": 1, "s01": 2, "comment": 4}


def test_a_posted_form_reads_as_the_queue_sends_it():
    fields = paper_wave.fields(3, comment="Phục vụ tốt")
    lists = {k: v if isinstance(v, list) else [v] for k, v in posted(fields).items()}

    assert keyed.read_form(Q, lists).fields == fields
