"""Questionnaires on the office's pages and in the command: looked at, checked, published, kept."""

import html
import re
from contextlib import closing
from io import BytesIO

import pytest
import test_xlsform
from click.testing import CliRunner

from forms import questionnaire as forms
from forms import xlsform
from survey import asked, db
from survey.cli import main
from survey.store import Refused, instances, people, questionnaires, waves
from survey.store.clock import now

PAGE = "/office/questionnaires"
KEY = "nhanh-2026.1"


@pytest.fixture
def base(app, settings):
    with closing(db.connect(settings.database)) as store:
        yield store
    forms.provide(None)


def upload(client, file, name="nhanh.xlsx"):
    text = client.get(PAGE).text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', text)[-1]
    return client.post(f"{PAGE}/check", data={"csrf_token": token, "file": (file, name)})


def publish(client, file):
    page = upload(client, file)
    assert page.status_code == 200, page.text
    names = ("csrf_token", "text", "translations")
    sent = {
        name: html.unescape(re.findall(rf'name="{name}" value="([^"]*)"', page.text)[-1])
        for name in names
    }
    return client.post(PAGE, data=sent)


def test_the_list_shows_versions_and_what_stayed_the_same(staff):
    page = staff.get(PAGE).text

    assert "20 mục như sipas-2022.1" in page
    assert "s14 = s13" in staff.get(f"{PAGE}/sipas-2026.1").text


def test_a_good_file_is_shown_first_and_stored_only_when_published(staff, base):
    page = upload(staff, test_xlsform.book())

    assert page.status_code == 200
    assert "không có chỗ sai" in page.text
    assert "Thái độ phục vụ thế nào?" in page.text
    assert questionnaires.all(base) == []


def test_a_bad_file_is_told_with_all_its_faults_and_nothing_is_stored(staff, base):
    rows = test_xlsform.changed(test_xlsform.SURVEY, 5, 0, "geopoint")
    page = upload(staff, test_xlsform.book(survey=rows))

    assert page.status_code == 422
    assert "Trang “survey”, dòng 5, cột “type”: loại “geopoint” chưa hỗ trợ." in page.text
    assert questionnaires.all(base) == []


def test_no_file_and_no_workbook_are_told(staff):
    assert upload(staff, BytesIO(b"x")).status_code == 422
    token = re.findall(r'csrf_token" value="([^"]+)"', staff.get(PAGE).text)[-1]
    assert staff.post(f"{PAGE}/check", data={"csrf_token": token}).status_code == 422


def test_a_published_questionnaire_is_found_asked_and_never_changes(staff, base):
    assert publish(staff, test_xlsform.book()).status_code == 303

    [held] = questionnaires.all(base)
    assert (held.key, held.actor) == (KEY, "staff:administrator")
    assert KEY in forms.keys()  # noqa: SIM118
    assert forms.load(KEY).item("staff").text == "Thái độ phục vụ thế nào?"
    assert staff.get(f"{PAGE}/{KEY}").status_code == 200
    assert staff.get(f"/office/preview/questionnaire/{KEY}/phone").status_code == 200
    assert staff.get(f"/office/preview/questionnaire/{KEY}/paper.pdf").data[:4] == b"%PDF"
    assert upload(staff, test_xlsform.book()).status_code == 409
    with pytest.raises(Refused, match="questionnaire_known"):
        questionnaires.publish(base, KEY, held.text + " ", {}, now=now(), actor="shell:x")
    again = questionnaires.publish(base, KEY, held.text, {}, now=now(), actor="shell:x")
    assert again == held
    [row] = base.execute("SELECT actor FROM audit WHERE action = 'questionnaire.publish'")
    assert row["actor"] == "staff:administrator"


def test_a_wave_can_ask_a_published_questionnaire(staff, base):
    publish(staff, test_xlsform.book())
    old = waves.get(base, "quay-2026")
    changes = {"questionnaire": KEY}
    from dataclasses import replace

    waves.new(base, replace(old, key="w", **changes), now=now(), actor="shell:x")
    assert instances.check(base) == []


def test_a_questionnaire_changed_in_the_database_is_found_by_the_check(staff, base):
    publish(staff, test_xlsform.book())
    base.execute("UPDATE questionnaire SET text = replace(text, 'Chờ', 'Đợi')")
    assert any("đã bị sửa sau khi phát hành" in fault for fault in instances.check(base))


def test_what_was_altered_on_its_way_is_checked_again(staff, base):
    text = staff.get(PAGE).text
    token = re.findall(r'csrf_token" value="([^"]+)"', text)[-1]
    form = xlsform.read(test_xlsform.book())
    for bad in ("{", form.text.replace('"code": 1', '"code": 77')):
        sent = {"csrf_token": token, "text": bad, "translations": "{}"}
        assert staff.post(PAGE, data=sent).status_code == 422
    sent = {"csrf_token": token, "text": form.text, "translations": "[1]"}
    assert staff.post(PAGE, data=sent).status_code == 422
    assert questionnaires.all(base) == []


def test_a_unit_looks_at_questionnaires_and_publishes_none(app, base):
    held = base.execute("SELECT password_hash FROM staff WHERE username = 'member'").fetchone()[0]
    people.add(base, username="chef", name="Chef", role="administrator", unit="vn34:08",
               password_hash=held, must_change=False, now=now(), actor="shell:x")  # fmt: skip
    client = app.test_client()
    client.login("chef")

    assert "Đọc và kiểm tra" not in client.get(PAGE).text
    assert upload(client, test_xlsform.book()).status_code == 403
    assert client.get(f"{PAGE}/sipas-2026.1/xlsform.xlsx").data[:2] == b"PK"


def test_an_unknown_questionnaire_is_not_found(staff):
    assert staff.get(f"{PAGE}/none-1.1").status_code == 404
    assert staff.get(f"{PAGE}/none-1.1/xlsform.xlsx").status_code == 404


def test_the_commands_list_export_and_import(instance, tmp_path, app):
    run = CliRunner()
    file = tmp_path / "out.xlsx"
    there = ["--instance", str(instance), "questionnaire"]
    assert run.invoke(main, [*there, "export", "sipas-2026.1", "-o", str(file)]).exit_code == 0
    assert xlsform.read(BytesIO(file.read_bytes())).questionnaire.key == "sipas-2026.1"
    again = run.invoke(main, [*there, "import", str(file)])
    assert (again.exit_code, "đã có" in again.output) == (1, True)
    good = tmp_path / "nhanh.xlsx"
    good.write_bytes(test_xlsform.book().getvalue())
    tried = run.invoke(main, [*there, "import", str(good), "--dry-run"])
    assert (tried.exit_code, "không ghi gì" in tried.output) == (0, True)
    assert run.invoke(main, [*there, "import", str(good)]).exit_code == 0
    listed = run.invoke(main, [*there, "list"]).output
    assert f"{KEY}\tphát hành" in listed
    good.write_bytes(test_xlsform.book(settings=[["form_id"], ["X"]]).getvalue())
    bad = run.invoke(main, [*there, "import", str(good)])
    assert bad.exit_code == 1
    assert "Trang “settings”, dòng 2" in bad.output
    forms.provide(None)


def test_a_process_told_of_a_database_that_is_not_there_finds_only_what_is_shipped(tmp_path):
    asked.provide(tmp_path / "none.sqlite")
    try:
        assert forms.keys() == forms.shipped()
        with pytest.raises(LookupError):
            forms.load("none-1.1")
    finally:
        forms.provide(None)
