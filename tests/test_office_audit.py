"""The page of the audit: filtered, paged, scoped, checked, and sent as a file."""

from __future__ import annotations

import csv
import re
from contextlib import closing
from datetime import date, datetime, timedelta
from io import StringIO

import pytest
from office_people import add
from small_wave import COMMUNE, NOW, TUYEN_QUANG

from survey import db
from survey.store import audit, looks


@pytest.fixture
def filled(settings):
    add(settings)
    with closing(db.connect(settings.database)) as store, db.write(store):
        looks.one(store, 7, now=NOW, actor="staff:stranger")
        looks.listed(store, "psu-1", 8, now=NOW, actor="staff:member")
        for actor, subject in (("chief", "a"), ("officer", "b"), ("other", "c"), ("", "d")):
            audit.append(
                store, at=NOW, actor=f"staff:{actor}", action="wave.close", subject=subject
            )
        facts = {"reason": "=1+1", "unit": TUYEN_QUANG, "role": ["viewer", "clerk"]}
        audit.append(
            store, at=NOW, actor="citizen", action="response.void", subject="e", detail=facts
        )


@pytest.fixture
def reader(client, filled):
    client.login("auditor")
    return client


def seen(client, query=""):
    """(action, who, subject) of the rows shown, newest first."""
    page = client.get(f"/office/audit{query}").text
    rows = re.findall(r"<tr>\s*(<td data-of.*?)</tr>", page, re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]
    return [(row[3], row[2], row[4]) for row in cells]


def test_the_newest_rows_come_first_in_words(reader):
    rows = seen(reader)

    assert rows[0] == ("Đăng nhập", "Auditor (auditor)", "auditor")
    assert ("Hủy phiếu", "Người dân", "e") in rows
    assert ("Đóng đợt khảo sát", "Không rõ", "d") in rows
    page = reader.get("/office/audit").text
    assert "Người xem kết quả → Nhân viên gọi điện" in page
    assert "tỉnh Tuyên Quang" in page


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("?actor=chief&action=wave.close", ["a"]),
        ("?actor=CHIEF&action=wave.close", ["a"]),
        ("?actor=citizen", ["e"]),
        ("?subject=c", ["c"]),
        ("?action=wave.close", ["d", "c", "b", "a"]),
        ("?looks=1", ["psu-1", "7"]),
        ("?looks=1&actor=stranger", ["7"]),
        ("?since=2026-11-22&until=2026-11-22&action=wave.close", ["d", "c", "b", "a"]),
        ("?until=2026-11-21&action=wave.close", []),
        ("?subject=' OR 1=1 --", []),
        ("?action=%25", []),
    ],
)
def test_rows_are_found_by_who_what_whom_and_when(reader, query, subjects):
    assert [row[2] for row in seen(reader, query)] == subjects


@pytest.mark.parametrize("query", ["?since=hôm qua", "?since=2026-11-22&until=2026-11-21"])
def test_days_that_are_none_are_said(reader, query):
    page = reader.get(f"/office/audit{query}")

    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert reader.get(f"/office/audit/audit.csv{query}").status_code == 303


def test_a_day_is_one_of_vietnam(settings, filled):
    with closing(db.connect(settings.database)) as store, db.write(store):
        evening = datetime.fromisoformat("2026-11-23T00:30:00+07:00")
        audit.append(store, at=evening, actor="staff:x", action="late", subject="")
        day = date(2026, 11, 23)
        found = audit.rows(store, audit.Asked(action="late", since=day, until=day), most=9)
        before = audit.rows(
            store, audit.Asked(action="late", until=day - timedelta(days=1)), most=9
        )

    assert len(found) == 1
    assert before == []


def test_pages_go_back_row_by_row_and_lose_none(reader, settings):
    with closing(db.connect(settings.database)) as store, db.write(store):
        for number in range(250):
            audit.append(store, at=NOW, actor="staff:lan", action="many", subject=f"n{number}")
    query, found = "?action=many", []
    while query:
        page = reader.get(f"/office/audit{query}").text
        found += [row[2] for row in seen(reader, query)]
        older = re.search(r'href="/office/audit(\?[^"]+)">Các dòng cũ hơn', page)
        query = older[1].replace("&amp;", "&") if older else ""

    assert found == [f"n{number}" for number in reversed(range(250))]


@pytest.mark.parametrize(
    ("name", "subjects"),
    [("chief", ["b", "a"]), ("local.auditor", ["b", "a"]), ("ward", ["b"]), ("other", ["c"])],
)
def test_a_unit_sees_what_its_own_people_did(client, filled, name, subjects):
    client.login(name)

    assert [row[2] for row in seen(client, "?action=wave.close")] == subjects
    assert "Stranger" not in client.get("/office/audit?looks=1").text
    body = client.get("/office/audit/audit.csv?action=wave.close").text
    assert [row["Đối tượng"] for row in csv.DictReader(StringIO(body[1:]))] == subjects
    assert client.get("/office/audit/chain").status_code == 403


@pytest.mark.parametrize("name", ["member", "officer", "stranger", "analyst"])
def test_other_roles_do_not_read_it(client, filled, name):
    client.login(name)
    for path in ("", "/chain", "/audit.csv"):
        assert client.get(f"/office/audit{path}").status_code == 403


def test_the_file_has_every_row_the_chain_and_no_formula(reader, settings):
    answer = reader.get("/office/audit/audit.csv")
    rows = list(csv.DictReader(StringIO(answer.text[1:])))
    with closing(db.connect(settings.database)) as store:
        held = list(store.execute("SELECT seq, hash FROM audit ORDER BY seq DESC"))

    assert answer.text[0] == "\ufeff"
    assert [(int(row["Dòng"]), row["Mã băm"]) for row in rows[1:]] == [tuple(r) for r in held[1:]]
    assert rows[0]["Mã việc"] == "audit.download"
    assert not re.search(r'(^|,)"?[=+@-]', answer.text[1:], re.MULTILINE)


def test_a_whole_chain_is_said_to_be_whole(reader):
    assert "Chuỗi còn nguyên" in reader.get("/office/audit").text
    reader.get("/office/audit/chain")
    assert re.search(r"Đã kiểm tra toàn bộ \d+ dòng: chuỗi còn nguyên", reader.get("/board").text)


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit SET actor = 'staff:minh' WHERE seq = 3", "DELETE FROM audit WHERE seq = 3",
     "DELETE FROM audit WHERE seq = (SELECT MAX(seq) FROM audit)"],
)  # fmt: skip
def test_a_broken_chain_is_shown(reader, settings, change):
    with closing(db.connect(settings.database)) as store, db.write(store):
        store.execute(change)

    assert "Chuỗi nhật ký bị đứt" in reader.get("/office/audit").text
    reader.get("/office/audit/chain")
    assert "Chuỗi nhật ký bị đứt. Nhật ký:" in reader.get("/board").text


def test_an_old_row_is_found_by_the_whole_check_alone(settings, filled, monkeypatch):
    monkeypatch.setattr(audit, "NEWEST", 5)
    with closing(db.connect(settings.database)) as store, db.write(store):
        assert audit.newest(store) == []
        store.execute("UPDATE audit SET subject = 'x' WHERE seq = 2")
        assert audit.newest(store) == []
        assert any("dòng 2" in fault for fault in audit.verify(store))


def test_markup_in_a_row_is_text(reader, settings):
    with closing(db.connect(settings.database)) as store, db.write(store):
        audit.append(store, at=NOW, actor="staff:<b>x", action="<i>", subject="<script>",
                     detail={"<u>": "<img src=x>"})  # fmt: skip
    page = reader.get("/office/audit").text

    assert "<script>" not in page
    assert "&lt;img src=x&gt;" in page


def test_a_file_is_written_without_holding_it_all(settings, filled):
    with closing(db.connect(settings.database)) as store, db.write(store):
        for number in range(2500):
            audit.append(store, at=NOW, actor="staff:lan", action="many", subject=str(number))
        found = [entry.subject for entry in audit.every(store, audit.Asked(action="many"))]

    assert found == [str(number) for number in reversed(range(2500))]


def test_a_commune_under_the_unit_counts_as_the_unit(settings, filled):
    with closing(db.connect(settings.database)) as store:
        above = audit.rows(store, audit.Asked(unit=TUYEN_QUANG, action="wave.close"), most=9)
        below = audit.rows(store, audit.Asked(unit=COMMUNE, action="wave.close"), most=9)

    assert [entry.actor for entry in above] == ["staff:officer", "staff:chief"]
    assert [entry.actor for entry in below] == ["staff:officer"]
