"""Report downloads: the same figures as the estimate, named for people, noted in the audit."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from urllib.parse import unquote

import pdfplumber
import pytest
from small_wave import COUNTER, SURVEY, TUYEN_QUANG

from analysis.report.numbers import share, span
from analysis.sipas import wave_result
from survey import db


def result(settings, wave, scope=""):
    with closing(db.connect(settings.database, readonly=True)) as store:
        return wave_result(store, wave, scope=scope)


def printed(answer):
    with pdfplumber.open(io.BytesIO(answer.data)) as pdf:
        return "\n".join(page.extract_text() for page in pdf.pages)


@pytest.mark.parametrize("scope", ["", TUYEN_QUANG])
def test_the_pdf_of_a_sample_holds_the_figures_of_the_estimate(staff, settings, scope):
    found = result(settings, SURVEY, scope)
    answer = staff.get(f"/board/{SURVEY}/report.pdf?unit={scope}")
    text = printed(answer)

    assert answer.mimetype == "application/pdf"
    assert share(found.total.value) in text
    for figure in found.of("area", "factor", "total"):
        assert span(figure.low, figure.high) in text, figure.id
    assert "DỮ LIỆU MÔ PHỎNG" in text


def test_the_report_of_a_counter_wave_claims_no_interval(staff, settings):
    found = result(settings, COUNTER)
    text = printed(staff.get(f"/board/{COUNTER}/report.pdf"))

    assert share(found.total.value, 1) in text
    assert share(found.coverage.low, 1) in text
    assert share(found.coverage.high, 1) in text
    assert "sai số" in text


def test_the_table_holds_the_figures_of_the_estimate(staff, settings):
    found = result(settings, SURVEY)
    answer = staff.get(f"/board/{SURVEY}/report.csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    total = next(row for row in rows if row["ma"] == "total")

    assert answer.mimetype == "text/csv"
    assert answer.data.startswith("\ufeff".encode())
    assert float(total["gia_tri"]) == pytest.approx(found.total.value)
    assert float(total["can_duoi"]) == pytest.approx(found.total.low)


def test_the_file_has_a_plain_name_and_a_vietnamese_one(staff):
    answer = staff.get(f"/board/{SURVEY}/report.pdf?unit={TUYEN_QUANG}")
    plain, full = answer.headers["Content-Disposition"].split("; ")[1:]

    assert plain == 'filename="sipas-ho-2026-vn34-08.pdf"'
    assert unquote(full.removeprefix("filename*=UTF-8''")) == (
        "Báo cáo Khảo sát hộ gia đình năm 2026 – tỉnh Tuyên Quang.pdf"
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_each_download_is_noted_with_who_and_what(staff, settings):
    staff.get(f"/board/{SURVEY}/report.csv?unit={TUYEN_QUANG}")
    with closing(db.connect(settings.database)) as store:
        row = store.execute("SELECT * FROM audit ORDER BY seq DESC LIMIT 1").fetchone()

    assert (row["actor"], row["action"], row["subject"]) == (
        "staff:administrator", "report.download", SURVEY,
    )  # fmt: skip
    assert json.loads(row["detail"]) == {"format": "csv", "kind": "unit", "unit": TUYEN_QUANG}


def test_a_refused_download_is_no_download(client, settings):
    client.login("neighbour")
    client.get(f"/board/{SURVEY}/report.csv?unit={TUYEN_QUANG}")
    with closing(db.connect(settings.database)) as store:
        actions = {row["action"] for row in store.execute("SELECT action FROM audit")}

    assert "report.download" not in actions


def test_a_member_gets_the_report_of_the_own_unit(client, settings):
    client.login("member")
    text = printed(client.get(f"/board/{SURVEY}/report.pdf"))

    assert share(result(settings, SURVEY, TUYEN_QUANG).total.value) in text
