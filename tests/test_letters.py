"""Letters of apology: numbered without gaps, one a missed day, names looked at are written down."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import onestop_data
import pytest
from onestop_data import SECOND
from small_wave import COMMUNE, LAI_CHAU, TUYEN_QUANG
from test_criteria_page import audits, signed

from survey import db, retention
from survey.cli.dossiers import HEADINGS
from survey.onestop import letterheads
from survey.store import Refused, applicants, dossiers, late, letters
from survey.store.clock import day

NOW = onestop_data.NOW
TODAY = day(NOW)
LATER = date(2099, 1, 5)


@pytest.fixture
def store(settings):
    base = db.connect(settings.database)
    onestop_data.make(base, opinions=5, second=0, third=0)
    yield base
    base.close()


@pytest.fixture
def keys(store):
    return onestop_data.open_late(store, applicant="Trần Thị Mỹ Hạnh")


@pytest.fixture
def head(app, store):
    return signed(app, store, "head", "supervisor", COMMUNE)


def wanted(key, due=date(2026, 11, 10), new=date(2026, 12, 1), **changes):
    facts = {"reason": "Chờ xác minh", "channel": "letter"} | changes
    return letters.Wanted(key, due, new, **facts)


def form(*keys, **changes):
    given = {"dossier": list(keys), "reason": "Chờ xác minh", "channel": "zalo", "state": "late"}
    return given | {"new_due_on": LATER.isoformat()} | changes


def make(store, *keys, **act):
    rows = [wanted(key, dossiers.get(store, key).due_on) for key in keys]
    return letters.make(store, rows, **(onestop_data.ACT | act))


def test_numbers_follow_each_other_by_unit_and_year(store, keys):
    other = onestop_data.dossier(8, 1, SECOND, settled_on=None, due_on=date(2026, 11, 10))
    dossiers.put(store, [other], source="test", **onestop_data.ACT)

    assert [letter.number for letter in make(store, *keys)] == [1, 2, 3]
    [first] = make(store, other.key)
    assert (first.unit, first.year, first.number) == (SECOND, 2026, 1)


def test_a_new_year_in_vietnam_begins_a_new_register(store, keys):
    make(store, keys[0])
    [letter] = make(store, keys[1], now=datetime(2026, 12, 31, 17, 0, tzinfo=UTC))

    assert (letter.year, letter.number, letter.dated_on) == (2027, 1, date(2027, 1, 1))


def test_a_refused_batch_uses_no_number(store, keys):
    make(store, keys[0])
    with pytest.raises(Refused, match="has_letter"):
        make(store, keys[1], keys[0])
    with pytest.raises(LookupError):
        letters.make(store, [wanted(keys[1]), wanted("nowhere")], **onestop_data.ACT)

    assert [letter.number for letter in make(store, keys[1], keys[2])] == [2, 3]


def test_a_void_letter_keeps_its_number_and_the_dossier_gets_another(store, keys):
    [first] = make(store, keys[0])
    letters.void(store, first.id, "Sai tên thủ tục", **onestop_data.ACT)
    [second] = make(store, keys[0])

    assert second.number == 2
    held = [(one.number, one.state) for one in letters.register(store, year=2026)]
    assert held == [(2, "made"), (1, "void")]


def test_many_at_once_leave_no_gap_and_no_number_twice(settings, store):
    many = onestop_data.open_late(store, n=20)
    made, refused = [], []

    def work(part):
        own = db.connect(settings.database)
        try:
            for key in part:
                try:
                    made.extend(make(own, key))
                except Refused as fault:
                    refused.append(fault.code)
        finally:
            own.close()

    threads = [threading.Thread(target=work, args=(many,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(letter.number for letter in made) == list(range(1, 21))
    assert {letter.dossier for letter in made} == set(many)
    assert refused == ["has_letter"] * 100
    row = store.execute("SELECT last FROM letter_number WHERE unit = ?", (COMMUNE,)).fetchone()
    assert row["last"] == 20


def test_what_went_out_is_not_voided_and_what_is_void_does_not_go_out(store, keys):
    one, two, _ = make(store, *keys)
    assert letters.sent(store, [one.id], "sms", **onestop_data.ACT) == 1
    assert letters.sent(store, [one.id], "sms", **onestop_data.ACT) == 0
    with pytest.raises(Refused, match="letter_sent"):
        letters.void(store, one.id, "x", **onestop_data.ACT)
    letters.void(store, two.id, "x", **onestop_data.ACT)
    with pytest.raises(Refused, match="letter_void"):
        letters.sent(store, [two.id], "sms", **onestop_data.ACT)


@pytest.mark.parametrize(
    ("due", "state"),
    [(TODAY - timedelta(1), "late"), (TODAY, "soon"), (TODAY + timedelta(1), "soon"),
     (TODAY + timedelta(2), None)],
)  # fmt: skip
def test_a_letter_is_owed_from_the_day_before_the_day_due(store, due, state):
    row = onestop_data.dossier(7, 1, COMMUNE, settled_on=None, due_on=due)
    dossiers.put(store, [row], source="test", **onestop_data.ACT)
    found = {one.dossier: one.state(TODAY) for one in late.owed(store, today=TODAY, ahead=1)}

    assert found.get(row.key) == state


def test_a_dossier_with_its_letter_is_owed_none_until_the_new_day_is_missed(store, keys):
    make(store, keys[0])
    rows = late.owed(store, today=TODAY, ahead=1)
    assert keys[0] not in {one.dossier for one in rows}

    [one] = [o for o in late.owed(store, today=date(2026, 12, 2), ahead=1) if o.dossier == keys[0]]
    assert (one.second, one.due_on, one.state(date(2026, 12, 2))) == (
        True, date(2026, 12, 1), "late",
    )  # fmt: skip


def test_dossiers_settled_late_without_a_letter_are_listed_for_a_while(store):
    row = onestop_data.dossier(
        7, 1, COMMUNE, due_on=date(2026, 10, 1), settled_on=date(2026, 10, 9)
    )
    dossiers.put(store, [row], source="test", **onestop_data.ACT)

    found = {one.dossier: one for one in late.owed(store, today=TODAY, ahead=1)}
    assert found[row.key].state(TODAY) == "settled"
    much_later = late.owed(store, today=date(2027, 3, 1), ahead=1)
    assert row.key not in {one.dossier for one in much_later}


def test_lateness_is_counted_to_the_end_of_the_period(store):
    facts = {"received_on": date(2026, 8, 1)}
    rows = [
        onestop_data.dossier(7, 1, SECOND, due_on=date(2026, 9, 30), settled_on=None, **facts),
        onestop_data.dossier(7, 2, SECOND, due_on=date(2026, 9, 29), settled_on=None, **facts),
        onestop_data.dossier(
            7, 3, SECOND, due_on=date(2026, 9, 1), settled_on=date(2026, 10, 2), **facts
        ),
        onestop_data.dossier(
            7, 4, SECOND, due_on=date(2026, 9, 30), settled_on=date(2026, 9, 30), **facts
        ),
        onestop_data.dossier(
            7, 5, SECOND, due_on=date(2026, 9, 29), settled_on=date(2026, 9, 30), **facts
        ),
    ]
    dossiers.put(store, rows, source="test", **onestop_data.ACT)
    days = {"since": date(2026, 7, 1), "until": date(2026, 9, 30), "within": SECOND}
    found = {one.dossier for one in late.of(store, today=TODAY, **days)}

    assert found == {rows[i].key for i in (0, 1, 2, 4)}
    assert sum(w.open_late for w in late.work(store, today=TODAY, **days)) == 3


def test_the_page_makes_letters_and_shows_them_in_the_register(head, store, keys):
    page = head.get("/letters")
    assert all(key in page.text for key in keys)
    assert "Trần Thị" not in page.text

    answer = head.send("/letters", **form(keys[0], keys[1]))
    assert answer.status_code == 303
    register = head.get(answer.location).text
    assert "Đã lập 2 thư, số 1, 2." in register
    assert keys[0] in register
    assert keys[0] not in head.get("/letters").text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dossier": []}, "Chọn ít nhất một hồ sơ"), ({"reason": " "}, "Ghi lý do chậm"),
        ({"reason": "x" * 301}, "Ghi lý do chậm"), ({"channel": "fax"}, "Chọn cách gửi"),
        ({"new_due_on": "2020-01-01"}, "ngày hẹn mới phải sau"),
        ({"new_due_on": "mai"}, "ngày hẹn mới phải sau"),
    ],
)  # fmt: skip
def test_a_faulty_form_makes_nothing_and_keeps_what_was_typed(head, store, keys, change, words):
    answer = head.send("/letters", **form(keys[0], **change))

    assert answer.status_code == 422
    assert words in answer.text
    assert letters.register(store, year=2026) == []
    if change.keys() != {"dossier"}:
        assert f'value="{keys[0]}" checked' in answer.text


def test_a_second_press_tells_that_the_letter_is_there(head, store, keys):
    head.send("/letters", **form(keys[0]))
    answer = head.send("/letters", **form(keys[0]))

    assert answer.status_code == 422
    assert "đã có thư" in answer.text
    [year] = letters.years(store)
    assert len(letters.register(store, year=year)) == 1


def test_a_printed_letter_names_the_applicant_and_the_look_is_written_down(head, store, keys):
    head.send("/letters", **form(keys[0]))
    [letter] = letters.register(store, year=letters.years(store)[0])
    answer = head.send("/letters/register", to=f"/letters/{letter.id}/pdf")

    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-1.4")
    [(actor, subject, detail)] = audits(store, "applicant.view")
    assert (actor, subject, json.loads(detail)["dossiers"]) == ("staff:head", "letter", [keys[0]])
    assert "Hạnh" not in detail


def test_the_register_marks_letters_as_sent(head, store, keys):
    head.send("/letters", **form(keys[0], keys[1]))
    year = letters.years(store)[0]
    ids = [str(letter.id) for letter in letters.register(store, year=year)]
    answer = head.send("/letters/register", letter=ids, channel="sms", do="sent")

    assert answer.status_code == 303
    assert {one.state for one in letters.register(store, year=year)} == {"sent"}
    assert "Tin nhắn SMS" in head.get(answer.location).text
    assert head.send("/letters/register", channel="sms", do="sent").status_code == 422


def test_another_unit_reaches_neither_dossier_nor_letter_nor_head(app, head, store, keys):
    head.send("/letters", **form(keys[0]))
    [letter] = letters.register(store, year=letters.years(store)[0])
    other = signed(app, store, "other", "supervisor", LAI_CHAU)

    assert keys[0] not in other.get("/letters").text
    assert keys[0] not in other.get("/letters/register").text
    assert other.send("/letters", **form(keys[1])).status_code == 403
    for path, more in (
        (f"/letters/{letter.id}/pdf", {}), (f"/letters/{letter.id}/void", {"reason": "x"}),
        ("/letters/register", {"letter": [str(letter.id)], "do": "sent", "channel": "sms"}),
        ("/letters/register", {"letter": [str(letter.id)], "do": "print"}),
        (f"/letters/head/{COMMUNE}", {"agency": "X", "days": "1"}),
    ):  # fmt: skip
        answer = other.send("/letters", to=path, **more)
        assert answer.status_code == 403, path
        assert "Minh Xuân" not in answer.text
    assert other.get(f"/letters/head/{COMMUNE}").status_code == 403
    assert letters.get(store, letter.id).state == "made"


def test_an_auditor_reads_and_changes_nothing(app, store, keys):
    auditor = signed(app, store, "auditor", "auditor", "")

    assert "Lập thư" not in auditor.get("/letters").text
    assert auditor.send("/account", to="/letters", **form(keys[0])).status_code == 403


def test_a_letter_that_is_not_there_is_not_found(head):
    assert head.send("/letters", to="/letters/999/pdf").status_code == 404


def test_the_head_of_letters_is_that_of_the_nearest_unit_above(head, store, keys):
    facts = {
        "agency": "Sở Tư pháp",
        "parent": "UBND tỉnh",
        "symbol": "TXL-STP",
        "place": "Tuyên Quang",
    }
    letters.put_head(store, TUYEN_QUANG, facts, 2, version=0, **onestop_data.ACT)
    [letter] = make(store, keys[0])

    assert (letter.unit, letter.number) == (TUYEN_QUANG, 1)
    assert letterheads.office(store, COMMUNE).agency == "Sở Tư pháp"
    assert "Hiện dùng mẫu của tỉnh Tuyên Quang" in head.get(f"/letters/head/{COMMUNE}").text


def test_a_head_is_kept_and_checked(head, store):
    path = f"/letters/head/{COMMUNE}"
    given = {"version": "0", "agency": "Trung tâm Phục vụ hành chính công", "days": "0"}
    assert head.send(path, **given).status_code == 303
    assert letters.head(store, COMMUNE).days == 0
    stale = head.send(path, **given | {"agency": "Khác"})
    assert stale.status_code == 409
    assert 'value="Khác"' in stale.text
    assert head.send(path, **given | {"agency": "", "days": "x"}).status_code == 422


@pytest.mark.parametrize("name", ["", "Hợp tác xã Thành Công"])
def test_the_paper_says_who_what_why_when_and_sorry(store, name):
    rows = onestop_data.open_late(store, n=1, applicant=name, organisation=bool(name))
    [letter] = make(store, *rows)
    found = applicants.look(store, rows, why="letter", **onestop_data.ACT)
    [report] = letterheads.letters_of(store, [letter], found, synthetic=False)
    text = " ".join(b.text for b in report.blocks if hasattr(b, "text"))

    for words in ("xin lỗi", "H9.00000", "Cấp bản sao trích lục hộ tịch", "10/11/2026",
                  "Chờ xác minh", "01/12/2026", "đã quá ngày hẹn 12 ngày"):  # fmt: skip
        assert words in text
    to = next(block for block in report.blocks if type(block).__name__ == "Addressed").to[0]
    assert to == (name or "người nộp hồ sơ số H9.00000")
    assert ("Quý tổ chức" in text) == bool(name)


def test_letters_in_one_file_are_the_same_bytes_again_and_a_page_each(store, keys):
    from analysis.report import apology

    made = make(store, *keys)
    reports = letterheads.letters_of(store, made, {}, synthetic=True)
    files = [BytesIO(), BytesIO()]

    assert [apology.write(reports, file) for file in files] == [3, 3]
    assert files[0].getvalue() == files[1].getvalue()


def test_markup_in_a_reason_stays_text(store, keys):
    from analysis.report import apology

    rows = [wanted(keys[0], reason='<img src="/etc/passwd"> 5 < 6 & ' + "x" * 280)]
    made = letters.make(store, rows, **onestop_data.ACT)
    file = BytesIO()

    assert apology.write(letterheads.letters_of(store, made, {}, synthetic=False), file) == 1


def test_names_go_when_their_day_has_come(store, keys):
    n = store.execute("SELECT COUNT(*) FROM dossier_person").fetchone()[0]
    assert n == 3
    assert retention.run(store, **onestop_data.ACT).deleted.applicants == 0
    report = retention.run(store, now=NOW + timedelta(days=181), actor="shell:test")

    assert report.deleted.applicants == 3
    assert any("họ tên người nộp hồ sơ" in line for line in report.lines())
    assert applicants.look(store, keys, why="x", **onestop_data.ACT) == {}


def test_a_settled_dossier_s_name_goes_sooner_and_does_not_come_back(store, keys):
    settled = [
        onestop_data.dossier(9, 0, COMMUNE, received_on=date(2026, 11, 2),
                             due_on=date(2026, 11, 10), settled_on=date(2026, 11, 20),
                             applicant="Trần Thị Mỹ Hạnh")
    ]  # fmt: skip
    dossiers.put(store, settled, source="test", **onestop_data.ACT)
    row = store.execute("SELECT purge_on FROM dossier_person WHERE dossier = ?", (keys[0],))
    assert row.fetchone()["purge_on"] == "2026-12-20"

    after = {"now": NOW + timedelta(days=60), "actor": "shell:test"}
    retention.run(store, **after)
    assert dossiers.put(store, settled, source="test", **after).same == 1
    assert keys[0] not in applicants.look(store, keys, why="x", **after)


def test_a_file_may_say_nothing_of_applicants_and_forgets_none(store, keys):
    plain = [onestop_data.dossier(9, 0, COMMUNE, received_on=date(2026, 11, 2),
                                  due_on=date(2026, 11, 10), settled_on=None)]  # fmt: skip
    assert dossiers.put(store, plain, source="test", **onestop_data.ACT).same == 1
    assert keys[0] in applicants.look(store, keys, why="x", **onestop_data.ACT)
    assert {"applicant", "applicant_kind"} <= HEADINGS.keys()
