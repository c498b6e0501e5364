"""What an office does wrong and what others try on it: told plainly, nothing leaks or is lost."""

from __future__ import annotations

import errno
import re
import shutil
import socket
import time
import zipfile
from contextlib import closing, suppress
from datetime import date
from io import BytesIO
from threading import Thread

import office_rights
import onestop_data
import pytest
import test_xlsform
from click.testing import CliRunner
from small_wave import COMMUNE, NOW, TUYEN_QUANG
from werkzeug.routing import IntegerConverter

from survey import db, jobs, mail
from survey.alerts import webhooks
from survey.cli import main
from survey.reporting import kinds, periods
from survey.store import Refused, opinions, people, units
from survey.store import jobs as job_store


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def made(settings, facts):
    """One of everything of a province."""
    return office_rights.fill(settings, facts)


def rows(base):
    """How many rows every table has: what was tried in vain changes none."""
    names = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    count = "SELECT COUNT(*) FROM "
    return {one["name"]: base.execute(count + one["name"]).fetchone()[0] for one in names}


@pytest.mark.parametrize("number", ["999999999999999999", "9" * 30])
def test_a_number_that_no_row_has_is_not_found(app, staff, door_tokens, number):
    for rule in app.url_map.iter_rules():
        numbers = {n for n, of in rule._converters.items() if isinstance(of, IntegerConverter)}
        if not numbers or "GET" not in rule.methods:
            continue
        path = "/".join(
            number if part.strip("<>").removeprefix("int:") in numbers else part
            for part in rule.rule.split("/")
        )
        answer = staff.get(path)
        assert (answer.status_code, "Mã lỗi 404" in answer.text) == (404, True), path


def test_a_number_in_a_form_that_no_column_holds_is_refused_and_nothing_changes(staff, base):
    before = rows(base)
    sent = {
        "/office/series": {"series": "sipas", "year": "9" * 20, "reason": "Đổi cách hỏi"},
        "/comments/quay-2026/seen": {"n": "9" * 20},
        "/criteria/vn34:08/2026-Q3/counts": {"version": "9" * 20, "evidence": "Sổ 3"},
    }
    for path, fields in sent.items():
        answer = staff.send("/account/sessions", to=path, **fields)
        assert answer.status_code in {400, 404, 409, 422}, path
        assert f"{'9' * 20}" not in answer.text or answer.status_code == 422, path

    assert rows(base) == before


@pytest.mark.parametrize("seen", ["²", "٣²", "-1", "1.0", "9" * 5000, ""])
def test_a_version_that_no_page_gave_changes_nothing(staff, base, made, seen):
    before = rows(base)
    for path, fields in (
        (f"/feedback/{made['case']}", {"action": "take", "seen": seen}),
        ("/office/alerts/1", {"do": "stop", "seen": seen}),
        ("/office/waves/quay-2026/edit", {"version": seen, "name": "Đợt khác"}),
        ("/office/waves/quay-2026/close", {"version": seen}),
        ("/office/series", {"series": "sipas", "year": seen, "reason": "Đổi cách hỏi"}),
    ):
        answer = staff.send("/account/sessions", to=path, **fields)
        assert answer.status_code in {400, 404, 409, 422}, path

    assert rows(base) == before


@pytest.mark.parametrize(
    "url", ["https://a..b/x", "https://.vn/", "https://" + "a" * 64 + ".vn/", "https://[::1"]
)
def test_an_address_that_no_machine_can_have_is_refused_and_stops_no_other_alert(url):
    with pytest.raises(ValueError, match="Địa chỉ web không đúng"):
        webhooks.address(url)


@pytest.mark.parametrize("period", ["0001-Q1", "9999-Q4", "9999", "1899-H2", "2026-Q5", "x", "'"])
def test_a_period_nobody_reports_of_is_refused_on_every_page_that_has_one(staff, period):
    for path in ("/criteria/vn34:08/", "/reports/fields/vn34:08/"):
        assert staff.get(path + period).status_code in {404, 422}, path
    for path in ("/reports", "/criteria", "/reports/fields"):
        assert staff.get(path, query_string={"period": period}).status_code in {200, 404, 422}, path
    with pytest.raises(Refused, match="period"):
        periods.of(period)


def test_a_digit_that_is_no_number_is_no_answer_at_a_kiosk(client, door_tokens):
    path = f"/k/{door_tokens['counter']}"
    columns = {"o1", "c1", *re.findall(r'name="at" value="([^"]+)"', client.get(path).text)}
    for column in columns:
        assert client.send(path, at=column, was="²", go="next").status_code in {200, 422}, column


def book(**parts):
    """A workbook, with other parts where some are named by their last word."""
    out, good = BytesIO(), zipfile.ZipFile(test_xlsform.book())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in good.namelist():
            made.writestr(name, parts.get(name.split("/")[-1].partition(".")[0], good.read(name)))
    return out.getvalue()


CELL = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1" t="s"><v>{}</v></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize("damage", [
    "cut", "squeezed", "locked", "no text", "before the first text", "entities", "deep", "bomb",
    "no number", "empty", "not a book",
])  # fmt: skip
def test_a_damaged_or_hostile_workbook_is_refused_in_words(staff, base, damage):
    whole, before = book(), rows(base)
    start = whole.index(b"xl/worksheets/sheet1.xml") + len(b"xl/worksheets/sheet1.xml")
    at = whole.rindex(b"xl/worksheets/sheet1.xml") - 46 + 8  # the flags in the directory
    file = {
        "cut": whole[: len(whole) // 2],
        "squeezed": whole[:start] + b"\xff" * 40 + whole[start + 40 :],
        "locked": whole[:at] + b"\x01" + whole[at + 1 :],
        "no text": book(sheet1=CELL.format(99999)),
        "before the first text": book(sheet1=CELL.format("x")),
        "entities": book(sheet1='<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
        "deep": book(sheet1="<a>" * 100_000),
        "bomb": book(sheet1=" " * (33 * 2**20)),
        "no number": book(sheet1=CELL.format("1e999").replace('t="s"', "")),
        "empty": b"",
        "not a book": b"PK\x03\x04" + b"\0" * 100,
    }[damage]
    held = {"file": (BytesIO(file), "phieu.xlsx")}
    answer = staff.send("/account/sessions", to="/office/questionnaires/check", **held)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert rows(base) == before


def test_a_unit_renamed_or_merged_in_mid_wave_keeps_figures_people_and_rights(
    app, client, staff, settings, instance, tmp_path
):
    def run(*lines):
        file = tmp_path / "don-vi.csv"
        file.write_text("\n".join(("code,name,kind,province,valid_from,valid_to", *lines)))
        return CliRunner().invoke(main, ["--instance", str(instance), "units", "import", str(file)])

    def seen():
        return [figures_of(staff.get(path).text) for path in ("/board/quay-2026", "/coverage")]

    with closing(db.connect(settings.database)) as base:
        people.add(
            base, username="phuong", name="Người của phường", role="viewer", unit=COMMUNE,
            password_hash="x", must_change=False, now=NOW, actor="shell:test",
        )  # fmt: skip
    before = seen()

    assert run("08000,Tên mới,phường,08,2026-02-01,").exit_code == 0
    assert seen() == before
    assert "hường Tên mới" in staff.get(f"/board/quay-2026?unit={COMMUNE}").text

    bad = run("08000,Tên mới,phường,08,2026-02-01,2026-01-01")
    assert "trước valid_from" in bad.output
    assert "1 sửa" in run("08000,Tên mới,phường,08,2026-02-01,2026-03-31").output
    assert seen() == before, "what it was told stays"
    assert "1 như cũ" in run("08000,Tên mới,phường,08,2026-02-01,2026-03-31").output

    parts = staff.get(f"/board/quay-2026?unit={COMMUNE}")
    assert "hường Tên mới" in parts.text
    assert COMMUNE not in re.sub(r"<[^>]*>", "", parts.text), "a name, not a code"
    assert "Phường Tên mới" in staff.get(f"/office/people?unit={TUYEN_QUANG}").text
    assert "Người của phường" in staff.get(f"/office/people?unit={COMMUNE}").text
    other = app.test_client()
    other.login("neighbour")
    assert other.get(f"/coverage?unit={COMMUNE}").status_code == 403


def figures_of(page):
    return re.findall(r"\d[\d.,]*%?", re.sub(r"<[^>]*>", " ", page))


def test_opinions_of_a_counter_that_was_merged_still_count_for_its_unit(base, facts):
    onestop_data.make(base, opinions=12, second=6, third=2)
    days = {"since": date(2026, 7, 1), "until": date(2026, 12, 31), "within": COMMUNE}
    point = units.Unit(
        "local", "q1", "2025-07-01", "2026-01-01", "counter", "", "Quầy 1", "quay2 1", COMMUNE
    )
    base.execute("UPDATE dossier SET receiving_unit = 'local:q1' WHERE receiving_unit = ?",
                 (COMMUNE,))  # fmt: skip
    units.import_rows(base, [point], now=NOW, actor="shell:test", source="test")

    assert sum(one.n for one in opinions.counted(base, **days)) > 0


def test_where_no_file_can_be_written_that_is_said_before_anything_is_asked(staff, settings, base):
    shutil.rmtree(settings.instance / "files", ignore_errors=True)
    (settings.instance / "files").write_text("not a folder")
    assert staff.get("/reports").status_code == 200

    wish = {"name": "counter", "wave": "quay-2026", "unit": "", "number": "", "format": "pdf"}
    answer = staff.send("/reports", **wish)

    assert answer.status_code == 503
    assert "Ổ đĩa đã đầy" in answer.text
    assert base.execute("SELECT COUNT(*) FROM job").fetchone()[0] == 0


@pytest.mark.parametrize("cause", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_fills_while_a_report_is_made_is_named(settings, base, monkeypatch, cause):
    monkeypatch.setitem(jobs.KINDS, "full", f"{__name__}:fill")
    asked = {"errno": int(cause)}
    job = jobs.ask(base, "full", asked, title="Báo cáo", unit="", staff=None, now=NOW)

    assert jobs.work(settings) == 1

    ended = job_store.get(base, job.id)
    assert (ended.state, ended.fault[0]) == ("failed", "job_disk")
    assert [file.name for file in jobs.home(settings).iterdir() if "part" in file.name] == []


def fill(db, ask, file, tell):
    """Write half a file onto a disk that takes no more; the writer hides why, as some do."""
    file.write_bytes(b"half")
    try:
        raise OSError(ask["errno"], "full")
    except OSError:
        raise ValueError("could not write the workbook")  # noqa: B904


@pytest.mark.parametrize("period", [{}, {"period": "2026-13"}, {"period": "9999-Q4"}])
@pytest.mark.parametrize("name", sorted(kinds.KINDS))
def test_a_report_of_nothing_says_so_and_queues_nothing(staff, base, name, period):
    wish = {"name": name, "wave": "trong-2026", "unit": "vn34:04", "number": "", "format": "pdf"}

    answer = staff.send("/reports", **wish, **period)

    assert answer.status_code == 422
    assert base.execute("SELECT COUNT(*) FROM job").fetchone()[0] == 0


@pytest.fixture
def slow():
    """A machine that says one more letter again and again, and never comes to an end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak():
            with suppress(OSError):
                held, _ = server.accept()
                with held:
                    held.sendall(b"220-")
                    while True:
                        held.sendall(b"x")
                        time.sleep(0.05)

        Thread(target=speak, daemon=True).start()
        yield server.getsockname()[1]


def test_a_mail_server_that_never_ends_its_word_is_left(slow, monkeypatch):
    monkeypatch.setattr(mail, "LETTER", 0.3)
    sender = mail.SmtpMailer(host="127.0.0.1", port=slow, sender="a@b.vn", security="none")

    with pytest.raises(mail.MailError):
        sender.send("x@y.vn", "Thư mời", "Kính gửi")


def test_an_address_that_never_ends_its_word_is_left(slow, monkeypatch):
    monkeypatch.setattr(webhooks, "PATIENCE", 0.3)

    with pytest.raises(webhooks.CallError, match="không trả lời"):
        webhooks.post(f"http://127.0.0.1:{slow}/", {}, key="k", number="1", now=NOW, private=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [("tốt\n" * 20_000, "… và"), ("rất tốt " * 20_000, "dài quá"), ("(a+)+$\n[", "chỉ dùng chữ"),
     ("* * *", "không có từ nào"), ("<b>tốt</b>", "chỉ dùng chữ"), ("\n\n", "ít nhất một")],
)  # fmt: skip
def test_a_broken_or_enormous_dictionary_is_told_in_a_short_page_and_kept_out(
    staff, base, words, said
):
    before = rows(base)
    page = "/comments/themes/moi"
    fields = {"key": "thu", "name": "Thử", "tone": "neutral", "version": "0", "words": words}

    answer = staff.send(page, **fields)

    assert answer.status_code == 422
    assert said in answer.text
    assert answer.text.count("<li>") < 60
    assert "<b>tốt" not in answer.text
    assert rows(base) == before
