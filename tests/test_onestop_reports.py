"""Reports of the one-stop office: figures as stored, nobody told apart, fields of the office in."""

from __future__ import annotations

import json
from datetime import date, timedelta

import onestop_data
import pytest
from onestop_data import COMMUNE, QUARTER, SECOND, THIRD, TUYEN_QUANG
from test_criteria_page import audits, signed

from analysis.report import model, writers
from forms import rules
from forms.questionnaire import load
from forms.scoring import CRITERIA
from survey import db
from survey.reporting import kinds
from survey.reporting.kinds import Ask
from survey.store import Refused, criteria, dossiers, letters, narratives

KINDS = ("mau01", "mau02", "mau03", "coverage", "late", "periodic")
ON = date(2026, 10, 5)
FIELDS = f"/reports/fields/{COMMUNE}/{QUARTER}"


@pytest.fixture
def store(settings):
    base = db.connect(settings.database)
    onestop_data.make(base)
    yield base
    base.close()


@pytest.fixture
def head(app, store):
    return signed(app, store, "head", "supervisor", COMMUNE)


def made(store, name, unit=COMMUNE, period=QUARTER, **more):
    return kinds.build(store, Ask(name=name, on=ON, unit=unit, period=period, **more))


def tables(report):
    return [block for block in report.blocks if isinstance(block, model.Table)]


def words(report):
    """Every word of a report in one line."""
    found = []
    for block in report.blocks:
        if isinstance(block, model.Paragraph | model.Heading):
            found.append(block.text)
        elif isinstance(block, model.Table):
            found += [block.caption, block.note, *(" | ".join(row.cells) for row in block.rows)]
        elif isinstance(block, model.MethodBox):
            found += ["".join(run.text for run in runs) for _, runs in block.rows]
        elif isinstance(block, model.Title):
            found += block.lines
    return "\n".join(found)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_offered_with_its_words(name):
    from survey.text import t

    kind = kinds.KINDS[name]
    assert (kind.of, kind.periods) == ("period", ("quarter", "half", "year"))
    assert t(f"report.{name}")
    assert t(f"report.{name}.what")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_printed_the_same_twice(store, name, tmp_path):
    for file in ("one.pdf", "two.pdf"):
        assert writers.write(made(store, name, number="12"), "pdf", tmp_path / file) >= 1
    one, two = (tmp_path / file for file in ("one.pdf", "two.pdf"))

    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes().startswith(b"%PDF-1.4")


@pytest.mark.parametrize("name", KINDS)
def test_made_up_data_is_stamped(store, name):
    assert made(store, name).synthetic


@pytest.mark.parametrize("name", KINDS)
def test_a_period_with_nothing_in_it_makes_no_report_and_says_so_before(store, name):
    ask = Ask(name=name, on=ON, unit=COMMUNE, period="2020-Q1")

    assert kinds.why(store, ask, None, 0) == "report.why.onestop_empty"
    with pytest.raises(Refused, match="onestop_empty"):
        kinds.build(store, ask)


@pytest.mark.parametrize("name", KINDS)
def test_what_can_be_made_says_nothing(store, name):
    assert kinds.why(store, Ask(name=name, on=ON, unit=COMMUNE, period=QUARTER), None, 0) == ""


@pytest.mark.parametrize("name", KINDS)
def test_an_unknown_unit_is_not_found(store, name):
    with pytest.raises(LookupError):
        made(store, name, unit="vn34:nowhere")


def test_form_1_has_a_row_an_opinion_and_nothing_that_tells_whose(store):
    report = made(store, "mau01")
    [table] = tables(report)

    assert len(table.rows) == 60
    text = words(report) + json.dumps([s.rows for s in report.sheets])
    assert "H0." not in text
    for officer in onestop_data.OFFICERS:
        assert officer not in text
    assert "30/09/2026" not in text


def test_form_1_joins_procedures_that_few_had(store):
    rare = onestop_data.dossier(5, 3, COMMUNE, service="Đăng ký nhận cha, mẹ, con")
    dossiers.put(store, [rare], source="test", **onestop_data.ACT)
    onestop_data.answer(store, rare.key, COMMUNE, 5003, onestop_data.marks(5, 3))
    text = words(made(store, "mau01"))

    assert "nhận cha" not in text
    assert "Thủ tục khác" in text


def test_form_1_of_too_few_is_refused(store):
    with pytest.raises(Refused, match="onestop_empty"):
        made(store, "mau01", unit=THIRD)


def test_form_1_shows_who_left_one_empty_as_a_dash(store):
    """An unanswered criterion must not become the best one; the row has no officer's total."""
    row = store.execute(
        "SELECT id, answers FROM response WHERE receiving_unit = ? AND wave = ? LIMIT 1",
        (COMMUNE, onestop_data.WAVE),
    ).fetchone()
    answers = json.loads(row["answers"])
    del answers["n2"]
    packed = rules.pack(load("nd61-2018.1"), answers)
    store.execute(
        "UPDATE response SET answers = ?, codes = ? WHERE id = ?",
        (json.dumps(answers), packed, row["id"]),
    )
    [table] = tables(made(store, "mau01"))

    holes = [r for r in table.rows if "—" in r.cells]
    assert len(holes) == 1
    assert holes[0].cells[-1] == "—"
    assert made(store, "mau02").sheets[0].rows[1][1] == 59


def test_form_2_puts_the_own_points_beside_the_appraised(store):
    own = dict.fromkeys(CRITERIA, "2")
    act = onestop_data.ACT | {"version": 0}
    criteria.put_score(store, COMMUNE, QUARTER, "self", own, {"n5": "BC 7/UBND"}, **act)
    criteria.put_score(store, COMMUNE, QUARTER, "appraised", {"n3": "1"}, {}, **act)
    report = made(store, "mau02")
    rows = {row.cells[0]: row.cells for row in tables(report)[0].rows}

    assert rows["3"][3:] == ("1,6", "2,0", "1,0", "+1,0", "1,0")
    assert rows["1"][3:] == ("1,6", "2,0", "—", "+0,4", "1,6")
    assert rows[""][3:] == ("15,6", "18,0", "", "+3,0", "15,0")
    text = words(report)
    assert "đạt 15,0/18 điểm" in text
    assert "xếp loại Xuất sắc" in text
    assert "BC 7/UBND" in text


def test_form_2_names_officers_only_with_enough_opinions(store):
    few = [onestop_data.dossier(6, n, COMMUNE, officer="Phạm Ít") for n in range(4)]
    dossiers.put(store, few, source="test", **onestop_data.ACT)
    for n, one in enumerate(few):
        onestop_data.answer(store, one.key, COMMUNE, 6000 + n, onestop_data.marks(6, n))
    text = words(made(store, "mau02"))

    assert "Phạm Ít" not in text
    shown = [officer for officer in onestop_data.OFFICERS if officer in text]
    assert len(shown) == 1, "the next smallest guards the one that is hidden"


def test_form_2_of_a_unit_without_counts_has_no_class(store):
    text = words(made(store, "mau02", unit=TUYEN_QUANG))

    assert "Chưa đủ căn cứ" in text
    assert "thiếu điểm tiêu chí 5, 8, 9" in text
    assert "Không gồm 1 đơn vị" in text


def test_form_3_ranks_all_units_and_hides_the_small_one(store):
    report = made(store, "mau03", unit=TUYEN_QUANG)
    rows = [row.cells for row in tables(report)[0].rows]

    assert [(r[0], r[1], r[2], r[6]) for r in rows] == [
        ("1", "Phường Minh Xuân", "60", "Xuất sắc"), ("2", "Xã Bình An", "40", "Tốt"),
        ("—", "Xã Hồng Thái", "—", "chưa xếp loại"),
    ]  # fmt: skip
    sheet = {row[0]: row for row in report.sheets[0].rows}
    assert sheet[COMMUNE][4] == pytest.approx(15.6)
    assert sheet[THIRD][2] is None


def test_coverage_counts_each_dossier_once_and_hides_what_would_tell(store):
    report = made(store, "coverage", unit=TUYEN_QUANG)
    rows = {row.cells[0]: row.cells for row in tables(report)[0].rows}

    assert rows["Phường Minh Xuân"][1:4] == ("120", "60", "50,0")
    assert rows["Xã Hồng Thái"][2:4] == ("—", "—")
    assert rows["Xã Bình An"][2:4] == ("—", "—")
    assert rows["Tổng số"][1:4] == ("206", "103", "50,0")
    shown = {row[0]: row[3] for row in report.sheets[0].rows}
    assert (shown[COMMUNE], shown[SECOND], shown[THIRD]) == (60, None, None)


def test_late_dossiers_and_the_share_with_a_letter(store):
    found = [row["key"] for row in store.execute(
        "SELECT key FROM dossier WHERE settled_on > due_on AND receiving_unit = ? ORDER BY key",
        (COMMUNE,),
    )]  # fmt: skip
    assert len(found) == 12
    rows = []
    for key in found[:4]:
        one = dossiers.get(store, key)
        rows.append(letters.Wanted(key, one.due_on, one.settled_on, "Chậm", "letter"))
    sent = letters.make(store, rows, **onestop_data.ACT)
    letters.sent(store, [one.id for one in sent[:3]], "sms", **onestop_data.ACT)
    report = made(store, "late")
    text = words(report)

    assert "trễ hẹn 12 hồ sơ (10,0%)" in text
    assert "Có 3/12 hồ sơ trễ hẹn đã được gửi thư xin lỗi, đạt 25,0%" in text
    assert "lập nhưng chưa gửi 1 thư; chưa có thư 8 hồ sơ" in text
    assert len(report.sheets[0].rows) == 12
    assert [row[9] for row in report.sheets[0].rows].count("đã gửi") == 3


def test_a_letter_in_time_went_out_on_the_day_due_at_the_latest(store):
    row = onestop_data.dossier(
        4, 0, SECOND, due_on=date(2026, 11, 22), settled_on=date(2026, 11, 22)
    )
    open_one = onestop_data.dossier(4, 1, SECOND, due_on=date(2026, 11, 22), settled_on=None)
    dossiers.put(store, [row, open_one], source="test", **onestop_data.ACT)
    wish = letters.Wanted(open_one.key, open_one.due_on, date(2026, 12, 1), "Chậm", "sms")
    [letter] = letters.make(store, [wish], **onestop_data.ACT)
    letters.sent(store, [letter.id], "sms", **onestop_data.ACT)
    ask = Ask(name="late", on=date(2026, 11, 25), unit=SECOND, period="2026-Q4")

    assert "gửi chậm nhất vào ngày hẹn 1 thư" in words(kinds.build(store, ask))


def test_a_dossier_due_on_the_last_day_and_still_open_is_a_day_late(store):
    row = onestop_data.dossier(4, 2, SECOND, due_on=date(2026, 9, 30), settled_on=None)
    key = "000.19.08.H08-260901-99990000000000000"
    after = onestop_data.dossier(
        4, 3, SECOND, key=key, due_on=date(2026, 9, 28), settled_on=date(2026, 10, 3)
    )
    dossiers.put(store, [row, after], source="test", **onestop_data.ACT)
    report = made(store, "late", unit=SECOND)
    days = {one[0]: one[7] for one in report.sheets[0].rows}

    assert (days[row.key], days[key]) == (1, 3)
    bands = next(t for t in tables(report) if "số ngày trễ" in t.caption)
    assert sum(int(r.cells[1]) for r in bands.rows) == len(report.sheets[0].rows)
    assert any(" " in r.cells[0] for r in tables(report)[-1].rows), "long numbers are parted"
    assert model.Turn(landscape=True) in report.blocks


def test_the_periodic_report_holds_what_the_office_wrote(store):
    fields = {
        "problems": [
            {"issue": "Trả chậm", "cause": "Thiếu người", "unit": "Phòng Tư pháp",
             "remedy": "Bổ sung", "deadline": "2026-12-31"},
            {"issue": "=cmd()", "cause": "", "unit": "", "remedy": "", "deadline": ""},
        ],
        "assessment": "Kết quả ổn định.", "praise": "Quầy số 1\nTổ hộ tịch", "proposal": "",
    }  # fmt: skip
    narratives.put(store, "periodic", COMMUNE, QUARTER, fields, version=0, **onestop_data.ACT)
    report = made(store, "periodic")
    text = words(report)

    for said in ("1 | Trả chậm | Thiếu người | Phòng Tư pháp | Bổ sung | 31/12/2026",
                 "2 | =cmd() | chưa nêu", "Kết quả ổn định.", "- Quầy số 1.", "- Tổ hộ tịch.",
                 "Đơn vị không có kiến nghị."):  # fmt: skip
        assert said in text
    assert report.sheets[1].rows[0] == (
        "Trả chậm", "Thiếu người", "Phòng Tư pháp", "Bổ sung", "2026-12-31",
    )  # fmt: skip


def test_the_periodic_report_stands_beside_the_period_before(store):
    earlier = [
        onestop_data.dossier(3, n, COMMUNE, settled_on=date(2026, 6, 20) + timedelta(n % 3),
                             due_on=date(2026, 6, 21))
        for n in range(30)
    ]  # fmt: skip
    dossiers.put(store, earlier, source="test", **onestop_data.ACT)
    rows = {row.cells[0]: row.cells for row in tables(made(store, "periodic"))[0].rows}

    assert rows["Hồ sơ đã trả kết quả"] == ("Hồ sơ đã trả kết quả", "120", "30", "+90")
    assert rows["Trả trễ hẹn"][1:] == ("10,0%", "33,3%", "−23,3")


@pytest.mark.parametrize("period", ["2026-H2", "2026"])
def test_half_years_and_years_are_made_too(store, period):
    assert "trả kết quả 120 hồ sơ" in words(made(store, "periodic", period=period))


def test_all_units_together_need_no_unit(store):
    assert "Phường Minh Xuân" in words(made(store, "mau03", unit=""))


def test_the_fields_are_kept_with_every_version_and_who(head, app, store):
    page = head.get("/reports/fields")
    assert page.status_code == 200
    assert "Phường Minh Xuân" in page.text
    first = {"version": "0", "issue0": "Trả chậm", "deadline0": "2026-12-31", "praise": "Quầy 1"}
    assert head.send(FIELDS, **first).status_code == 303
    assert head.send(FIELDS, **first | {"version": "1", "praise": "Quầy 2"}).status_code == 303

    shown = head.get(FIELDS).text
    assert "Bản 2, Head lưu lúc" in shown
    assert "Quầy 2" in shown
    old = head.get(f"{FIELDS}?version=1").text
    assert "Đây là bản cũ" in old
    assert "Quầy 1" in old
    assert len(audits(store, "report.fields")) == 2
    held = narratives.versions(store, "periodic", COMMUNE, QUARTER)
    assert [one.version for one in held] == [2, 1]


def test_the_same_text_again_is_no_new_version(head, store):
    head.send(FIELDS, version="0", praise="Quầy 1")
    head.send(FIELDS, version="1", praise="Quầy 1")

    assert narratives.newest(store, "periodic", COMMUNE, QUARTER).version == 1


def test_two_writers_at_once_lose_nothing(head, app, store):
    above = signed(app, store, "above", "administrator", TUYEN_QUANG)
    head.send(FIELDS, version="0", praise="Quầy 1")
    late = above.send(FIELDS, version="0", praise="Quầy 9")

    assert late.status_code == 409
    assert "Head đã sửa mục này lúc" in late.text
    assert "Quầy 9" in late.text
    assert narratives.newest(store, "periodic", COMMUNE, QUARTER).fields["praise"] == "Quầy 1"


@pytest.mark.parametrize(
    ("given", "said"),
    [({"cause0": "Thiếu người"}, "ghi tồn tại"),
     ({"issue0": "a", "deadline0": "mai"}, "không phải"),
     ({"praise": "x" * 3001}, "tối đa 3.000"), ({"issue0": "x" * 401}, "tối đa 400")],
)  # fmt: skip
def test_faulty_fields_come_back_as_typed(head, store, given, said):
    answer = head.send(FIELDS, version="0", proposal="Giữ lại", **given)

    assert answer.status_code == 422
    assert said in answer.text
    assert "Giữ lại" in answer.text
    assert narratives.newest(store, "periodic", COMMUNE, QUARTER).version == 0


def test_only_heads_of_the_unit_write_and_others_do_not_even_read(client, app, store):
    client.login("neighbour")
    assert client.get(FIELDS).status_code == 403
    assert client.send("/account", to=FIELDS, version="0", praise="x").status_code == 403
    client.logout()
    client.login("member")
    assert client.get(FIELDS).status_code == 200
    assert "Lưu nội dung" not in client.get(FIELDS).text
    assert client.get(f"/reports/fields/all/{QUARTER}").status_code == 403
    assert client.get("/reports/fields/vn34:08/2026-Q9").status_code == 404
    other = signed(app, store, "other", "supervisor", SECOND)
    assert other.send("/board", to=FIELDS, version="0", praise="x").status_code == 403
    assert narratives.newest(store, "periodic", COMMUNE, QUARTER).version == 0


def test_a_unit_renamed_in_the_period_bears_the_name_of_its_last_day(store):
    from survey.store import units

    row = units.Unit("vn34", "08000", "2026-08-15", None, "commune", "phường", "Minh Xuân Mới",
                     units.name_key("Minh Xuân Mới"), TUYEN_QUANG)  # fmt: skip
    units.import_rows(store, [row], source="test", **onestop_data.ACT)

    assert "Phường Minh Xuân Mới" in words(made(store, "mau03", unit=TUYEN_QUANG))


def test_who_stands_above_finds_what_units_wrote_and_others_do_not(app, head, store):
    head.send(FIELDS, version="0", praise="Quầy 1")
    above = signed(app, store, "above", "administrator", TUYEN_QUANG)
    beside = signed(app, store, "beside", "supervisor", SECOND)

    assert FIELDS in above.get(f"/reports/fields?period={QUARTER}").text
    assert FIELDS not in beside.get(f"/reports/fields?period={QUARTER}").text


def test_a_unit_with_a_single_point_of_service_has_the_counts_of_it(store):
    from survey.store import units

    row = units.Unit("local", "p1", "2025-07-01", None, "point", "", "Điểm phục vụ số 1",
                     units.name_key("Điểm phục vụ số 1"), "vn34:08003")  # fmt: skip
    ward = units.Unit("vn34", "08003", "2025-07-01", None, "commune", "xã", "Tân Long",
                      units.name_key("Tân Long"), TUYEN_QUANG)  # fmt: skip
    units.import_rows(store, [ward, row], source="test", **onestop_data.ACT)
    onestop_data.fill(store, 12, "local:p1", 8)
    counts = {"complaints": 0, "answered": 0}
    criteria.put_counts(store, "local:p1", QUARTER, counts, {}, version=0, **onestop_data.ACT)
    rows = {row[0]: row for row in made(store, "mau02", unit="vn34:08003").sheets[0].rows}

    assert rows["n8"][5] == 2
