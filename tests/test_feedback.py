"""Working on cases: owner, date, answer, approval, evidence, history; who may and who may not."""

import re
from contextlib import closing
from datetime import timedelta
from io import BytesIO

import pytest
from citizens import hidden
from said import TOMORROW, cases, crowd, read, say
from small_wave import COMMUNE, COUNTER, LAI_CHAU, NOW, PASSWORD, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from survey import db
from survey.feedback import files, pages
from survey.store import clock, feedback, people
from survey.store.feedback import Step

_act = {"now": TOMORROW, "actor": "staff:administrator"}


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def case(base, monkeypatch):
    """A case of the commune, seen on the day after."""
    monkeypatch.setattr(clock, "now", lambda: TOMORROW)
    say(base, "Chờ lâu <b>quá</b>", m_all=1, phone="0912345678")
    read(base)
    [found] = cases(base)
    return found


def do(base, case, action, **more):
    seen = feedback.get(base, case.id).version
    return feedback.step(base, Step(case=case.id, action=action, seen=seen, **more), **_act)


def owner(base, name="head", unit=TUYEN_QUANG, role="supervisor"):
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    return people.add(
        base, username=name, name=name.title(), role=role, unit=unit, password_hash=cheap,
        must_change=False, **_act,
    )  # fmt: skip


def press(client, case, action, at="", **fields):
    page = client.get(f"/feedback/{case.id}").text
    data = dict(hidden(page)) | {"action": action} | fields
    return client.post(f"/feedback/{case.id}{at}", data=data)


def test_a_case_goes_from_new_to_closed_and_back(base, case):
    head = owner(base)
    assert do(base, case, "assign", value=str(head.id)).state == "working"
    assert do(base, case, "answer", value="Đã thêm một quầy.").state == "waiting"
    assert do(base, case, "back", note="Nêu rõ thời gian.").state == "working"
    do(base, case, "answer", value="Đã thêm một quầy từ 01/12.")
    assert do(base, case, "approve").answered_on == "2026-11-23"
    assert do(base, case, "close").state == "closed"
    opened = do(base, case, "reopen", note="Người dân chưa đồng ý.")

    assert (opened.state, opened.answered_on) == ("working", None)
    assert [event.action for event in feedback.history(base, case.id)] == [
        "open", "assign", "answer", "back", "answer", "approve", "close", "reopen",
    ]  # fmt: skip


@pytest.mark.parametrize("action", ["approve", "back", "reopen"])
def test_a_step_that_does_not_follow_is_refused(base, case, action):
    with pytest.raises(Exception, match="feedback_step"):
        do(base, case, action, note="vì thế")


@pytest.mark.parametrize(
    ("action", "fields"),
    [("answer", {"value": " "}), ("answer", {"value": "x" * 5001}), ("due", {"value": "mai"}),
     ("due", {"value": "2026-12-01"}), ("due", {"value": "2026-01-01", "note": "x"}),
     ("close", {}), ("call", {"value": "maybe"}), ("note", {"note": "x" * 1001})],
)  # fmt: skip
def test_a_step_with_a_faulty_value_is_refused(base, case, action, fields):
    with pytest.raises(Exception, match="feedback_faulty"):
        do(base, case, action, **fields)


def test_late_is_what_was_not_answered_on_the_day_it_was_due(base, case):
    due = clock.day(NOW) + timedelta(days=5)

    assert not case.late(due)
    assert case.late(due + timedelta(days=1))


def test_the_page_says_what_was_said_and_nothing_that_names_anybody(base, case, staff):
    receipt = base.execute("SELECT receipt FROM response ORDER BY seq DESC").fetchone()[0]
    page = staff.get(f"/feedback/{case.id}").text

    assert "Rất không hài lòng" in page
    assert "Chờ lâu &lt;b&gt;quá&lt;/b&gt;" in page
    assert "0912345678" not in page
    assert receipt not in page
    assert "10:00" not in page.partition("Quá trình xử lý")[0]


def test_the_number_is_shown_on_demand_and_the_look_is_written_down(base, case, staff):
    answer = press(staff, case, "", at="/phone")

    assert "0912345678" in answer.text
    row = base.execute("SELECT * FROM audit WHERE action = 'contact.view'").fetchone()
    assert (row["actor"], row["subject"]) == ("staff:administrator", f"feedback/{case.id}")


def test_a_whole_case_is_worked_off_in_the_pages(base, case, staff):
    head = owner(base)
    assert press(staff, case, "assign", value=str(head.id)).status_code == 303
    assert press(staff, case, "answer", value="Đã mở thêm quầy.").status_code == 303
    assert f"Phản ánh số {case.id}<" in staff.get("/feedback?view=waiting").text
    assert press(staff, case, "approve").status_code == 303
    assert press(staff, case, "close").status_code == 303

    page = staff.get(f"/feedback/{case.id}").text
    assert "Đã đóng" in page
    assert "trả lời đúng hạn" in page
    assert "100,0%" in staff.get("/feedback").text


def test_two_who_work_on_one_case_lose_nothing(base, case, staff):
    page = staff.get(f"/feedback/{case.id}").text
    do(base, case, "note", note="Đang xác minh.")
    data = dict(hidden(page)) | {"action": "answer", "value": "Câu trả lời dài của tôi"}
    answer = staff.post(f"/feedback/{case.id}", data=data)

    assert answer.status_code == 409
    assert "Administrator đã sửa mục này lúc 10:00 ngày 23/11/2026" in answer.text
    assert "Câu trả lời dài của tôi" in answer.text
    assert feedback.get(base, case.id).answer == ""


def test_what_was_typed_is_kept_when_a_reason_is_missing(case, staff):
    answer = press(staff, case, "due", value="2026-12-30", note="")

    assert answer.status_code == 422
    assert 'value="2026-12-30"' in answer.text


@pytest.mark.parametrize("name", ["neighbour", "stranger"])
def test_another_unit_and_other_roles_open_no_case(case, client, name):
    client.login(name)

    assert client.get(f"/feedback/{case.id}").status_code == 403
    assert client.get(f"/feedback/{case.id}/evidence/1").status_code == 403
    listed = client.get("/feedback")
    assert f"Phản ánh số {case.id}<" not in listed.text


def test_a_member_reads_and_changes_nothing(case, client):
    client.login("member")
    page = client.get(f"/feedback/{case.id}")

    assert page.status_code == 200
    assert "Trình duyệt" not in page.text
    assert client.post(f"/feedback/{case.id}", data={"action": "note"}).status_code == 403


def test_the_head_of_another_unit_changes_nothing(base, case, client):
    owner(base, "other", LAI_CHAU)
    client.login("other")

    assert client.get(f"/feedback/{case.id}").status_code == 403
    token = dict(hidden(client.get("/feedback/new").text))
    sent = token | {"action": "note", "note": "x", "seen": "1"}
    assert client.post(f"/feedback/{case.id}", data=sent).status_code == 403


def test_nobody_gets_a_case_who_is_not_of_its_unit(base, case, staff):
    other = owner(base, "other", LAI_CHAU)

    assert press(staff, case, "assign", value=str(other.id)).status_code == 422


def test_a_case_that_waits_is_not_there_yet(base, monkeypatch, staff):
    monkeypatch.setattr(clock, "now", lambda: TOMORROW)
    say(base, m_all=1, unit=LAI_CHAU)
    read(base)
    number = base.execute("SELECT id FROM feedback_case").fetchone()[0]

    assert staff.get(f"/feedback/{number}").status_code == 404
    assert "1 lượt góp ý chưa hiện" in staff.get("/feedback").text


def test_the_counter_is_told_only_where_enough_answered_at_it(base, monkeypatch, staff):
    monkeypatch.setattr(clock, "now", lambda: TOMORROW)
    say(base, m_all=1, counter="9")
    crowd(base, 3, counter="9")
    read(base)
    [held] = cases(base)
    assert "<dt>Quầy</dt>" not in staff.get(f"/feedback/{held.id}").text

    crowd(base, 1, counter="9")
    read(base)
    assert "<dt>Quầy</dt><dd>9" in staff.get(f"/feedback/{held.id}").text


def test_praise_is_listed_and_passed_on(base, monkeypatch, staff):
    monkeypatch.setattr(clock, "now", lambda: TOMORROW)
    say(base, "Cán bộ rất nhiệt tình")
    read(base)
    page = staff.get("/feedback/praise").text
    assert "Cán bộ rất nhiệt tình" in page
    [held] = cases(base, "praise")
    data = dict(hidden(page)) | {"action": "close", "seen": "1"}

    assert staff.post(f"/feedback/{held.id}", data=data).status_code == 303
    assert "Administrator, 23/11/2026" in staff.get("/feedback/praise").text


def test_feedback_is_written_down_by_hand(base, staff):
    answer = staff.send("/feedback/new", words="Bàn viết hỏng", kind="hand", unit=COMMUNE)

    assert answer.status_code == 303
    assert "Bàn viết hỏng" in staff.get(answer.location).text
    faulty = staff.send("/feedback/new", words="", kind="x", unit="vn34:999")
    assert faulty.status_code == 422
    assert faulty.text.count('class="wrong"') == 3


def attach(staff, case, data, name="ảnh.pdf"):
    token = dict(hidden(staff.get(f"/feedback/{case.id}").text))
    sent = token | {"file": (BytesIO(data), name)}
    return staff.post(f"/feedback/{case.id}/evidence", data=sent)


def test_evidence_is_kept_by_its_sum_and_handed_out_as_a_file(base, case, staff, settings):
    assert attach(staff, case, b"%PDF-1.7 xyz", "..\\biên bản/họp.pdf").status_code == 303
    [held] = feedback.evidence(base, case.id)
    got = staff.get(f"/feedback/{case.id}/evidence/{held.id}")

    assert (got.data, held.name) == (b"%PDF-1.7 xyz", "họp.pdf")
    assert got.headers["Content-Disposition"].startswith("attachment")
    place = files.place(settings.instance, held.digest, "pdf")
    assert place.stat().st_mode & 0o077 == 0
    place.write_bytes(b"%PDF-1.7 changed")
    assert staff.get(f"/feedback/{case.id}/evidence/{held.id}").status_code == 404


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"", 422), (b"<script>alert(1)</script>", 422), (b"GIF89a", 422), (b"MZ\x90", 422),
     (b"%PDF-" + b"x" * 90_000, 413)],
)  # fmt: skip
def test_a_file_that_is_no_evidence_is_refused(base, case, staff, monkeypatch, data, status):
    monkeypatch.setattr(files, "LARGEST", 90_000)
    assert attach(staff, case, data).status_code == status
    assert feedback.evidence(base, case.id) == []


def test_figures_say_their_base_and_csv_cannot_be_a_formula(base, case, staff):
    base.execute("UPDATE unit SET name = '=cmd()', word = '' WHERE code = '08000'")
    page = staff.get(f"/feedback/figures?unit={TUYEN_QUANG}").text
    csv = staff.get("/feedback/figures.csv").get_data(as_text=True)

    assert "Cơ sở tính" in page
    assert "'=cmd()" in csv
    assert re.search(r"(?m)^=", csv) is None


def test_the_rule_of_a_wave_is_changed_by_its_own_administrator(base, client, staff):
    sent = {"items": ["m3"], "level": "1", "least": "1", "days": "7"}
    assert staff.send(f"/feedback/rules/{COUNTER}", **sent).status_code == 303
    assert "Ít nhất 1 câu" in staff.get("/feedback/rules").text
    wrong = staff.send(f"/feedback/rules/{COUNTER}", level="9", least="x", days="0")
    assert wrong.status_code == 422
    assert wrong.text.count('class="wrong"') == 3
    staff.logout()

    owner(base, "far", LAI_CHAU, "administrator")
    client.login("far")
    assert client.get(f"/feedback/rules/{COUNTER}").status_code == 403


def test_holidays_are_imported_whole_or_not_at_all(base, staff):
    def send(text):
        token = dict(hidden(staff.get("/feedback/holidays").text))
        return staff.post(
            "/feedback/holidays", data=token | {"file": (BytesIO(text.encode()), "ngay.csv")}
        )

    good = "day,name,works,source\n2027-02-04,Tết,0,Thông báo\n"
    assert send(good).status_code == 303
    assert "04/02/2027" in staff.get("/feedback/holidays").text
    bad = send(good + "2027-02-30,Sai,0,x\n2027-02-05,,2,x\n")
    assert bad.status_code == 422
    assert "Dòng 3" in bad.text
    assert "Dòng 4" in bad.text


def test_the_list_of_cases_goes_on_on_a_next_page(base, staff, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: TOMORROW)
    monkeypatch.setattr(pages, "PAGE", 1)
    for words in ("Chờ lâu", "Chờ lâu quá"):
        say(base, words, m_all=1, phone="0912345678")
    read(base)
    first, second = sorted(cases(base), key=lambda case: (case.due_on, case.id))

    page = staff.get("/feedback").text
    assert f"Phản ánh số {first.id}<" in page
    assert f"Phản ánh số {second.id}<" not in page
    assert "Trang sau" in page
    assert f"Phản ánh số {second.id}<" in staff.get("/feedback?page=2").text
    assert staff.get("/feedback?page=x").status_code == 200
