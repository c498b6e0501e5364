"""The room of reports: what can be made, what cannot and why, and who may ask for what."""

from __future__ import annotations

import json
import re
from contextlib import closing
from datetime import date

import pytest
from small_wave import COUNTER, HOUSEHOLD, SURVEY, TUYEN_QUANG

from survey import db, jobs
from survey.reporting import kinds, periods
from survey.store import Refused
from survey.store import jobs as store


@pytest.fixture
def own(settings):
    with closing(db.connect(settings.database)) as connection:
        yield connection


def card(page, name):
    return re.search(rf'id="kind-{name}">(.*?)</label>', page.text, re.S).group(1)


def asked(client, settings, **fields):
    with jobs._lock(settings):  # a worker is there: none is started
        sent = {"name": "national", "wave": SURVEY, "unit": "", "period": "", "number": ""}
        return client.send("/reports", **{**sent, "format": "csv", **fields})


def last(own):
    row = own.execute("SELECT MAX(id) FROM job").fetchone()[0]
    return store.get(own, row) if row else None


def test_what_cannot_be_made_says_why_before_it_is_asked(staff):
    page = staff.get(f"/reports?wave={SURVEY}")
    assert " disabled" not in card(page, "national")
    assert "chỉ dùng cho đợt thu ý kiến tự nguyện" in card(page, "counter")
    page = staff.get(f"/reports?wave={HOUSEHOLD}")
    assert "chưa có câu trả lời" in card(page, "counter")
    assert " disabled" in card(page, "counter")
    page = staff.get(f"/reports?wave={SURVEY}&unit={TUYEN_QUANG}")
    assert "Chọn “Tất cả đơn vị”" in card(page, "national")
    assert " disabled" not in card(page, "unit")


def test_a_unit_without_answers_is_told_before(staff):
    page = staff.get(f"/reports?wave={SURVEY}&unit=vn34:22")
    assert "không có câu trả lời nào trong đợt này" in card(page, "unit")


def test_a_report_that_was_asked_for_is_listed_made_and_fetched(staff, settings, own):
    answer = asked(staff, settings, number="05/BC-SNV", format="xlsx")
    job = last(own)
    assert answer.location == f"/jobs/{job.id}"
    assert job.ask["number"] == "05/BC-SNV"
    assert job.title.endswith("(XLSX)")
    with jobs._lock(settings):
        assert "Đang chờ đến lượt" in staff.get("/reports").text
    jobs.work(settings)
    page = staff.get("/reports")

    assert f'href="/jobs/{job.id}/file"' in page.text
    with staff.get(f"/jobs/{job.id}/file") as answer:
        assert answer.data.startswith(b"PK")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"wave": "gone"}, "Chưa có đợt khảo sát nào"),
        ({"name": "counter"}, "chỉ dùng cho đợt thu ý kiến tự nguyện"),
        ({"number": "<script>"}, "Số hiệu văn bản chỉ có chữ"),
        ({"format": "exe"}, "Chưa chọn báo cáo hoặc dạng tệp"),
        ({"name": "tea"}, "Chưa chọn báo cáo hoặc dạng tệp"),
        ({"name": "mau03", "period": "2026-Q9"}, "không phải kỳ báo cáo"),
        ({"name": "mau03", "period": "2026-07-01..2026-07-02"}, "không lập theo kỳ"),
    ],
)
def test_a_wrong_wish_is_told_where_it_was_made(staff, settings, own, fields, told):
    answer = asked(staff, settings, **fields)

    assert answer.status_code == 422
    if fields.get("name", "national") in kinds.KINDS:
        assert told in answer.text
    assert last(own) is None
    assert "<script>" not in answer.text


def test_a_member_asks_for_the_own_unit_only(client, settings, own):
    client.login("member")
    assert "chỉ xem số liệu của đơn vị mình" not in card(
        client.get(f"/reports?wave={SURVEY}"), "national"
    )  # the wave is their unit's
    asked(client, settings, name="unit")
    assert last(own).unit == TUYEN_QUANG
    assert last(own).ask["unit"] == TUYEN_QUANG

    assert asked(client, settings, name="unit", unit="vn34:12").status_code == 403


def test_a_neighbour_never_gets_the_whole_of_a_wave_of_others(client, settings, own):
    client.login("neighbour")
    page = client.get(f"/reports?wave={SURVEY}")

    assert "chỉ xem số liệu của đơn vị mình" in card(page, "national")
    assert asked(client, settings, unit="").status_code == 422
    assert last(own) is None


def test_nobody_asks_without_the_right(client):
    client.login("stranger")
    assert client.get("/reports").status_code == 403


def test_a_trial_and_a_draft_are_not_offered(staff, own):
    own.execute("UPDATE wave SET trial_of = :key WHERE key = :trial",
                {"key": HOUSEHOLD, "trial": COUNTER})  # fmt: skip
    own.execute("UPDATE wave SET stage = 'draft' WHERE key = :key", {"key": HOUSEHOLD})
    page = staff.get("/reports")

    assert f'value="{SURVEY}"' in page.text
    assert f'value="{COUNTER}"' not in page.text
    assert f'value="{HOUSEHOLD}"' not in page.text


def test_every_kind_has_its_words_and_its_maker():
    from importlib import import_module

    from analysis.report import REPORTS
    from survey.text import t

    for name, kind in kinds.KINDS.items():
        assert t(f"report.{name}")
        assert t(f"report.{name}.what")
        if kind.result:
            assert kind.result in REPORTS
        for target in filter(None, (kind.build, kind.why)):
            module, _, function = target.partition(":")
            assert callable(getattr(import_module(module), function)), target


def test_a_report_keeps_its_day_so_that_it_is_the_same_again(staff, settings, own):
    asked(staff, settings, format="docx")
    first = last(own)
    jobs.work(settings)
    own.execute("UPDATE job SET state = 'asked' WHERE id = :id", {"id": first.id})
    digest = store.get(own, first.id).digest
    jobs.work(settings)

    assert store.get(own, first.id).digest == digest
    assert json.loads(json.dumps(dict(first.ask)))["on"] == first.ask["on"]


# Periods.


@pytest.mark.parametrize(
    ("key", "first", "end", "words"),
    [
        ("2026-Q3", date(2026, 7, 1), date(2026, 9, 30), "quý III năm 2026"),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31), "quý I năm 2026"),
        ("2026-H2", date(2026, 7, 1), date(2026, 12, 31), "6 tháng cuối năm 2026"),
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "năm 2026"),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), "tháng 2 năm 2028"),
        (
            "2026-07-01..2026-07-15", date(2026, 7, 1), date(2026, 7, 15),
            "từ ngày 01/07/2026 đến ngày 15/07/2026",
        ),
    ],
)  # fmt: skip
def test_a_period_has_its_days_and_its_words(key, first, end, words):
    found = periods.of(key)

    assert (found.first, found.last, found.words) == (first, end, words)
    assert found.before.last.toordinal() + 1 == first.toordinal()
    if found.kind != "days":
        assert periods.containing(end, found.kind) == found


@pytest.mark.parametrize(
    "key",
    ["", "2026-Q5", "2026-13", "26-Q1", "2026-07-15..2026-07-01", "2026-02-30..2026-03-01", "0000"],
)
def test_what_is_no_period_is_refused(key):
    with pytest.raises(Refused, match="period"):
        periods.of(key)
