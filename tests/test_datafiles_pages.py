import csv
import io
import zipfile
from contextlib import closing

import pytest
import small_wave
from small_wave import COUNTER, LAI_CHAU, PASSWORD, SURVEY, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from survey import db, jobs
from survey.datafiles import pages
from survey.store import datafiles, people


@pytest.fixture
def store(settings):
    with closing(db.connect(settings.database)) as base:
        yield base


@pytest.fixture
def add(store):
    """Give the instance one more person of the staff."""

    def make(username, role, unit):
        cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
        people.add(
            store, username=username, name=username.title(), role=role, unit=unit,
            password_hash=cheap, must_change=False, now=small_wave.NOW, actor="shell:test",
        )  # fmt: skip

    return make


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_the_csv_is_sent_written_down_and_sealed(staff, store):
    answer = staff.get(f"/data/{SURVEY}/file?form=csv&level=internal")

    assert answer.mimetype == "text/csv"
    assert len(rows(answer)) == 95
    assert "mo-phong.csv" in answer.headers["Content-Disposition"]
    [export] = datafiles.exports(store, SURVEY)
    assert (export.n, export.actor, len(export.digest)) == (95, "staff:administrator", 64)
    seen = store.execute("SELECT detail FROM audit WHERE action = 'data.export'").fetchone()
    assert '"level": "internal"' in seen["detail"]
    page = staff.get(f"/data/{SURVEY}").text
    assert export.digest[:12] in page
    assert "Administrator" in page


def test_an_analyst_of_a_unit_gets_its_rows_whatever_the_address_says(client, add):
    add("analyst", "analyst", TUYEN_QUANG)
    client.login("analyst")

    assert {row["unit"] for row in rows(client.get(f"/data/{SURVEY}/file?level=internal"))} == {
        TUYEN_QUANG
    }
    assert client.get(f"/data/{SURVEY}/file?unit={LAI_CHAU}").status_code == 403
    assert client.get(f"/data/{SURVEY}/table?unit={LAI_CHAU}").status_code == 403


def test_who_reads_figures_sees_tables_and_no_files(client):
    client.login("member")

    assert client.get(f"/data/{SURVEY}/file").status_code == 403
    page = client.get(f"/data/{SURVEY}/table?rows=area&columns=s01").text
    assert "Thành thị" in page
    assert client.get("/data").status_code == 200
    assert "Lấy tệp" not in client.get(f"/data/{SURVEY}").text


def test_a_small_wave_is_one_zip_at_once(staff):
    answer = staff.get(f"/data/{SURVEY}/file?form=zip&level=research&also=sav&also=dta")

    with zipfile.ZipFile(io.BytesIO(answer.data)) as bag:
        endings = {name.rpartition(".")[2] for name in bag.namelist()}
    assert {"csv", "sav", "dta", "R", "sps", "do", "xml", "json", "toml", "txt"} == endings


def test_a_long_file_becomes_work_in_the_background(staff, settings, monkeypatch):
    monkeypatch.setattr(pages, "AT_ONCE", 10)
    monkeypatch.setattr(jobs, "start", lambda _settings: None)  # its worker is this process
    answer = staff.get(f"/data/{SURVEY}/file?form=zip&level=research")
    assert answer.status_code == 303
    assert jobs.work(settings) == 1

    page = staff.get(answer.location)
    assert "Dữ liệu Khảo sát hộ gia đình năm 2026 (nghiên cứu), ZIP" in page.text
    made = staff.get(answer.location + "/file")
    with zipfile.ZipFile(io.BytesIO(made.data)) as bag:
        assert "manifest.json" in bag.namelist()
    made.close()


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("form=doc", 422, "Dạng tệp"),
        ("level=all", 422, "Mức ẩn danh"),
        ("since=x", 422, "không phải ngày"),
        ("since=2026-11-22&until=2026-11-01", 422, "sớm hơn"),
        ("comments=1", 409, "ý kiến viết tay"),
        ("form=zip&since=2099-01-01", 409, "Chưa có phiếu"),
        ("form=csv&since=2099-01-01", 409, "Chưa có phiếu"),
        ("form=csv&unit=vn34:01", 409, "Chưa có phiếu"),
    ],
)
def test_what_cannot_be_had_is_said_on_the_page(staff, store, query, status, words):
    answer = staff.get(f"/data/{SURVEY}/file?{query}")

    assert answer.status_code == status
    assert words in answer.text
    assert datafiles.exports(store, SURVEY) == []


def test_an_unknown_wave_is_not_found(staff):
    for path in ("", "/file", "/table", "/table.csv"):
        assert staff.get(f"/data/nowhere{path}").status_code == 404


def test_the_rule_is_set_by_the_administrator_of_the_owner(staff, store, client, add):
    staff.send(f"/data/{SURVEY}", to=f"/data/{SURVEY}/rule", k="7", comments="internal")
    assert datafiles.rule(store, SURVEY) == datafiles.Rule(7, "internal")
    wrong = staff.send(f"/data/{SURVEY}", to=f"/data/{SURVEY}/rule", k="1", comments="")
    assert wrong.status_code == 422
    assert "từ 2 đến 100" in wrong.text
    staff.logout()
    add("chief", "administrator", LAI_CHAU)
    client.login("chief")
    page = client.send(f"/data/{SURVEY}", to=f"/data/{SURVEY}/rule", k="9", comments="research")
    assert page.status_code in (400, 403)
    assert datafiles.rule(store, SURVEY).k == 7


def test_small_cells_and_those_that_tell_them_are_hidden(staff, store):
    answer = staff.get(f"/data/{COUNTER}/table.csv?rows=counter&columns=m1")
    page = staff.get(f"/data/{COUNTER}/table?rows=counter&columns=m1").text

    assert answer.status_code == 200
    assert "Bấm" not in page
    found = rows(answer)
    assert sum(int(row["Cộng"]) for row in found[:-1]) == int(found[-1]["Cộng"]) == 40
    seq = store.execute("SELECT MAX(seq) FROM response WHERE wave = ?", (COUNTER,)).fetchone()[0]
    store.execute("UPDATE response SET counter = '9' WHERE seq = ?", (seq,))
    again = rows(staff.get(f"/data/{COUNTER}/table.csv?rows=counter&columns=m1"))
    hidden = [cell for row in again for cell in row.values() if cell == "—"]
    assert len(hidden) >= 4
    assert "1" not in [row["Cộng"] for row in again]


def test_counts_of_a_table_are_those_of_the_answers(staff, store):
    found = rows(staff.get(f"/data/{SURVEY}/table.csv?rows=area&columns=s01"))
    expected = store.execute(
        "SELECT COUNT(*) FROM response r JOIN sample_case c ON c.id = r.case_id JOIN sample_psu p"
        " ON p.wave = c.wave AND p.psu = c.psu WHERE r.wave = ? AND p.area = 'rural'"
        " AND json_extract(r.answers, '$.s01') = 4", (SURVEY,),
    ).fetchone()[0]  # fmt: skip
    rural = next(row for row in found if "Nông thôn" in row.values())
    assert rural["Hài lòng"] == str(expected)
    shares = [float(cell) for name, cell in rural.items() if name.endswith("(%)") and cell != "—"]
    assert sum(shares) == pytest.approx(100, abs=0.3)
