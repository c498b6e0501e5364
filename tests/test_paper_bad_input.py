"""What a post office does wrong with forms on paper: named, put right, and nothing lost."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import paper_wave
import pytest
from citizens import hidden
from paper_wave import NOW, WAVE

from forms import paper as form
from forms.questionnaire import load, parse
from survey import db, serials
from survey.entry import keyed
from survey.sample import frames as survey_frames
from survey.store import (
    Refused,
    audit,
    cases,
    comparisons,
    entries,
    frames,
    lots,
    plans,
    replacements,
    settling,
    waves,
)

DIGEST = load(paper_wave.QUESTIONNAIRE).digest
ACT = {"now": NOW, "actor": "staff:test"}


@pytest.fixture
def base(settings, paper):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def lot(base, paper):
    """The first village's forms, out with an interviewer."""
    made = lots.make(
        base, WAVE, cases=paper.cases[paper.psus[0]][: paper_wave.MAIN], due_on=None,
        interviewer=paper.staff["dieutra"], unit=paper_wave.HOME, **ACT,
    )  # fmt: skip
    return lots.issue(base, made, **ACT)


def entry(paper, case, by="nhap1", n=1, **changes):
    return entries.Entry(
        id=str(uuid4()), case_id=case, via="desk", staff=paper.staff[by],
        questionnaire=paper_wave.QUESTIONNAIRE, fields=paper_wave.fields(n, **changes),
    )  # fmt: skip


def add(base, incoming):
    return entries.add(base, incoming, now=NOW)


def plan(base, share):
    plans.set(base, WAVE, replace(plans.get(base, WAVE), double_share=share), **ACT)


def refusal(work, *args, **more):
    with pytest.raises(Refused) as caught:
        work(*args, **more)
    return caught.value.code


def responses(base, case):
    query = "SELECT COUNT(*) FROM response WHERE case_id = ?"
    return base.execute(query, [case]).fetchone()[0]


def at_lot(client, lot, to, **fields):
    return client.send(f"/field/lots/{lot.code}", to=f"/field/lots/{lot.code}{to}", **fields)


# Plans changed in mid-work


def test_a_second_entry_in_hand_counts_though_the_plan_asks_for_none_by_now(base, paper):
    case = paper.main[0]
    add(base, entry(paper, case))
    plan(base, 0.0)

    assert settling.releasable(base, WAVE) == 1
    assert add(base, entry(paper, case, "nhap2")).state == "compared"
    assert (responses(base, case), settling.releasable(base, WAVE)) == (1, 0)


def test_a_second_entry_that_comes_after_the_form_was_let_go_is_refused_by_name(base, paper):
    case = paper.main[0]
    add(base, entry(paper, case))
    plan(base, 0.0)
    assert settling.release(base, WAVE, **ACT) == 1

    assert refusal(add, base, entry(paper, case, "nhap2", 2)) == "entered"
    assert responses(base, case) == 1


def test_forms_settled_before_the_share_rose_stay_settled(base, paper):
    one, two = paper.main[:2]
    plan(base, 0.0)
    assert add(base, entry(paper, one)).state == "compared"
    plan(base, 1.0)

    assert add(base, entry(paper, two)).state == "entered"
    assert settling.release(base, WAVE, **ACT) == 0
    assert cases.get(base, one).state == "compared"


# Two people at one form


def test_who_comes_second_to_a_form_that_waits_makes_its_second_entry(client, base, paper):
    case = paper.main[0]
    client.login("nhap2")
    page = client.get(f"/desk/form/{serials.serial(case)}")  # open before the other one stored
    add(base, entry(paper, case))
    given = {
        name: value for name, value in paper_wave.fields(1).items() if not isinstance(value, list)
    }
    several = {name: value for name, value in paper_wave.fields(1).items() if name not in given}
    sent = client.post(
        f"/desk/form/{serials.serial(case)}", data=dict(hidden(page.text)) | given | several
    )

    assert sent.status_code == 303
    assert cases.get(base, case).state == "compared"


def test_an_adjudicator_s_old_page_leads_to_what_was_settled(client, base, paper):
    case = paper.main[0]
    add(base, entry(paper, case, s01=2))
    add(base, entry(paper, case, "nhap2", s01=4))
    client.login("doichieu")
    page = client.get(f"/desk/compare/{case}")
    fields = paper_wave.fields(1, s01=2)
    settling.adjudicate(base, case, fields, {"s01": 1}, staff=paper.staff["giamsat"], **ACT)

    data = dict(hidden(page.text)) | {"d.s01": "2"}
    late = client.post(f"/desk/compare/{case}", data=data, follow_redirects=True)
    assert "đã được chốt trước đó với kết quả khác" in late.text
    assert "Giamsat" in late.text
    assert comparisons.settled(base, case).fields["s01"] == 2


# What a desk is told


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("reserve", "của hộ dự phòng chưa đưa vào mẫu"),
        ("replaced", "đã được thay bằng hộ khác"),
        ("refused", "ghi là “từ chối”"),
        ("compared", "đã nhập rồi"),
    ],
)
def test_the_desk_keeps_the_number_and_says_why_its_form_does_not_open(
    client, base, paper, state, said
):
    case = paper.main[0]
    base.execute("UPDATE sample_case SET state = ? WHERE id = ?", [state, case])
    if state == "compared":
        base.execute("UPDATE sample_case SET state = 'planned' WHERE id = ?", [case])
        plan(base, 0.0)
        add(base, entry(paper, case, "nhap2"))
    client.login("nhap1")

    page = client.get(f"/desk?q={serials.serial(case)}")
    assert page.status_code == 422
    assert f"{serials.printed(case)} {said}" in page.text.replace("&#34;", '"')
    assert f'value="{serials.serial(case)}"' in page.text


def test_a_form_of_a_closed_wave_leads_back_to_the_desk_and_thanks_nobody(client, base, paper):
    waves.close(base, WAVE, **ACT)
    client.login("nhap1")
    page = client.get(f"/desk/form/{serials.serial(paper.main[0])}")

    assert page.status_code == 410
    assert "Đợt khảo sát đã đóng ngày 22/11/2026" in page.text
    assert "Phiếu chưa lưu thì giữ lại" in page.text
    assert "Ông/Bà" not in page.text
    assert 'href="/desk">Về trang Nhập phiếu' in page.text


def test_a_desk_says_before_the_first_key_that_the_wave_is_closed(client, base, paper, lot):
    client.login("nhap1")
    assert "không lưu được" not in client.get(f"/desk/lot/{lot.code}").text
    waves.close(base, WAVE, **ACT)

    for path in (f"/desk/lot/{lot.code}", f"/desk?wave={WAVE}"):
        assert "đã đóng ngày 22/11/2026: phiếu nhập bây giờ không lưu được" in client.get(path).text


def test_a_lot_with_forms_of_both_editions_opens_as_one(client, base, paper, lot):
    for run, edition in enumerate(("normal", "large"), 1):
        base.execute(
            "INSERT INTO print_run (id, wave, edition, questionnaire, questionnaire_digest, layout,"
            " forms, pages, printed_at, actor) VALUES (?, ?, ?, ?, ?, '{}', 1, 4, ?, 'shell:test')",
            [run, WAVE, edition, paper_wave.QUESTIONNAIRE, DIGEST, "2026-11-22T03:00:00Z"],
        )
    base.execute("UPDATE sample_case SET print_run = 1 + id % 2 WHERE lot = ?", [lot.id])
    client.login("nhap1")

    page = client.get(f"/desk/lot/{lot.code}")
    assert page.status_code == 200
    assert page.text.count("data-serial=") == paper_wave.MAIN


# Lots


def test_what_was_chosen_on_an_old_page_of_a_lot_stays(client, base, paper, lot):
    one, two = [case.id for case in cases.of_lot(base, lot.id)][:2]
    add(base, entry(paper, one))
    client.login("giamsat")
    page = at_lot(client, lot, "/back", **{f"c{one}": "refused", f"c{two}": "absent"})

    assert page.status_code == 422
    assert f"Phiếu {serials.printed(one)} đang ở bước “nhập lần 1”" in page.text
    assert "Chưa ghi phiếu nào" in page.text
    assert f'<select name="c{one}"' not in page.text
    assert '<option value="absent" selected>' in page.text
    assert cases.get(base, two).state == "assigned"


def test_a_form_scanned_twice_says_that_it_was_there(client, base, lot):
    case = cases.of_lot(base, lot.id)[0].id
    client.login("giamsat")
    for said in (
        f"Phiếu {serials.printed(case)}: đã thu.",
        f"Phiếu {serials.printed(case)} đã ghi từ trước: đã thu. Không đổi gì.",
    ):
        at_lot(client, lot, "/scan", serial=serials.serial(case), outcome="collected")
        assert said in client.get(f"/field/lots/{lot.code}").text
    assert len(cases.history(base, case)) == 2  # handed out, collected


def test_a_replaced_form_handed_in_is_named_where_it_was_typed(client, base, lot):
    case = cases.of_lot(base, lot.id)[0].id
    replacements.replace_case(base, case, "absent", **ACT)
    client.login("giamsat")
    page = at_lot(client, lot, "/scan", serial=serials.serial(case), outcome="collected")

    assert page.status_code == 422
    assert "đang ở bước “đã thay thế”" in page.text
    assert f'value="{serials.serial(case)}"' in page.text


def test_a_lot_of_a_shut_account_keeps_its_interviewer_until_somebody_chooses(
    client, base, paper, lot
):
    client.login("giamsat")
    client.send("/field/people", to=f"/field/people/{paper.staff['dieutra']}", do="disable")
    assert f"Dieutra còn giữ 1 lô: {lot.code}" in client.get("/field/people").text

    assert "tài khoản đã khóa" in client.get(f"/field/lots/{lot.code}").text
    at_lot(client, lot, "/assign", interviewer=paper.staff["dieutra"], due_on="2099-01-01")
    held = lots.get(base, lot.id)
    assert (held.interviewer, held.due_on) == (paper.staff["dieutra"], "2099-01-01")
    at_lot(client, lot, "/assign", interviewer=paper.staff["dieutra2"], due_on="2099-01-01")
    assert lots.get(base, lot.id).interviewer == paper.staff["dieutra2"]


def test_a_lot_is_not_handed_out_to_a_shut_account(base, paper):
    made = lots.make(
        base, WAVE, cases=paper.cases[paper.psus[1]][:2], due_on=None,
        interviewer=paper.staff["dieutra"], unit=paper_wave.HOME, **ACT,
    )  # fmt: skip
    base.execute("UPDATE staff SET disabled = 1 WHERE username = 'dieutra'")

    assert refusal(lots.issue, base, made, **ACT) == "lot_interviewer"
    assert lots.get(base, made.id).issued_at is None


# Households and villages


@pytest.mark.parametrize("state", ["collected", "entered", "compared"])
def test_a_household_whose_form_is_back_is_not_replaced(base, paper, state):
    case = paper.main[0]
    cases.move(base, [case], "collected", **ACT)
    if state != "collected":
        plan(base, 1.0 if state == "entered" else 0.0)
        add(base, entry(paper, case))

    assert refusal(replacements.replace_case, base, case, "absent", **ACT) == "case_back"
    assert cases.get(base, case).state == state


def test_a_spoiled_form_is_recorded_first_and_its_household_replaced_then(base, paper):
    case = paper.main[0]
    cases.move(base, [case], "collected", **ACT)
    cases.move(base, [case], "spoiled", **ACT)

    taken = replacements.replace_case(base, case, "other", **ACT)
    assert (taken.state, taken.replaces) == ("planned", case)


def test_a_reprinted_form_is_entered_once_it_is_back(base, paper, lot):
    case = cases.of_lot(base, lot.id)[0].id
    lots.take_back(base, lot, {case: ("spoiled", "spoiled")}, **ACT)
    assert refusal(add, base, entry(paper, case)) == "entry_state"
    lots.take_back(base, lot, {case: ("collected", "")}, **ACT)

    assert add(base, entry(paper, case)).state == "entered"


def test_a_village_whose_forms_came_back_is_not_dropped(client, base, paper):
    plan(base, 0.0)
    add(base, entry(paper, paper.main[0]))
    client.login("giamsat")
    page = client.send(
        f"/field/cases/{WAVE}/{paper.psus[0]}", to=f"/field/cases/{WAVE}/{paper.psus[0]}",
        reason="disaster", sure="1", alone="1",
    )  # fmt: skip

    assert page.status_code == 409
    assert "đã có 1 phiếu thu về" in page.text
    assert 'href="/field/sample"' in page.text


def test_a_household_listed_twice_is_named_whatever_the_case_of_its_code(base, paper):
    rows = ["Mã thôn,Mã hộ", *(f"{paper.psus[0]},H{n}" for n in range(1, 9)), f"{paper.psus[0]},h3"]
    known = {paper.psus[0]: frames.Village(paper.psus[0], "a", paper_wave.HOME, "urban", "Tổ", 8)}
    with pytest.raises(survey_frames.Faulty) as caught:
        survey_frames.check_households(
            io.BytesIO("\n".join(rows).encode()), known=known, drawn=None, take=6, scope=None
        )

    assert caught.value.faults == [f"Dòng 10: hộ h3 của thôn {paper.psus[0]} đã có ở dòng 4"]


# Closing and opening again


def test_nothing_of_a_closed_wave_moves(client, base, paper, lot):
    case, other = cases.of_lot(base, lot.id)[0].id, paper.cases[paper.psus[1]][0]
    waves.close(base, WAVE, **ACT)
    before = audit_rows(base)

    assert refusal(add, base, entry(paper, case)) == "closed"
    assert refusal(cases.move, base, [case], "collected", **ACT) == "case_closed"
    assert refusal(lots.take_back, base, lot, {case: ("refused", "")}, **ACT) == "case_closed"
    assert refusal(replacements.replace_case, base, case, "absent", **ACT) == "sample_closed"
    more = {"cases": [other], "interviewer": paper.staff["dieutra"], "unit": paper_wave.HOME}
    assert refusal(lots.make, base, WAVE, due_on=None, **more, **ACT) == "lot_closed"
    assert audit_rows(base) == before
    client.login("giamsat")
    page = at_lot(client, lot, "/scan", serial=serials.serial(case), outcome="collected")
    assert "đợt khảo sát đã đóng ngày 22/11/2026" in page.text


def audit_rows(base):
    return base.execute("SELECT COUNT(*) FROM audit").fetchone()[0]


def test_a_wave_opened_again_takes_up_its_forms_where_they_were(base, paper):
    one, two, waits = paper.main[:3]
    plan(base, 0.0)
    for case in (one, two):
        add(base, entry(paper, case))
    cases.move(base, [two], "called_back", **ACT)
    plan(base, 1.0)
    add(base, entry(paper, waits))
    waves.close(base, WAVE, **ACT)
    assert [cases.get(base, case).state for case in (one, two, waits)] == [
        "locked", "locked", "entered",
    ]  # fmt: skip
    waves.open(
        base, WAVE, until=None, reason="thử", now=NOW + timedelta(days=1), actor="staff:test"
    )

    assert [cases.get(base, case).state for case in (one, two, waits)] == [
        "compared", "called_back", "entered",
    ]  # fmt: skip
    assert [row["state"] for row in cases.history(base, one)][-2:] == ["locked", "compared"]
    assert add(base, entry(paper, waits, "nhap2")).state == "compared"
    assert list(comparisons.stray(base)) == []
    assert list(audit.verify(base)) == []


# Numbers


NUMBERS = """{
 "key": "thu-2026.1", "title": "Phiếu thử", "short": "Thử", "intro": "Mời trả lời.", "minutes": 2,
 "index_scale": 5, "source": "thử", "languages": ["vi"],
 "scales": {"yes": [{"code": 2, "label": "Có"}, {"code": 1, "label": "Không"}]},
 "sections": [{"id": "a", "title": "A", "items": ["y", "n"]}],
 "items": [
  {"id": "y", "kind": "single", "number": "Câu 1", "text": "Có đi làm không?", "scale": "yes"},
  {"id": "n", "kind": "number", "number": "Câu 2", "text": "Làm mấy giờ một ngày?",
   "minimum": 1, "maximum": 20, "when": {"column": "y", "any_of": [2]}}
 ]}"""


def test_a_blank_number_is_not_a_nine():
    q = parse(NUMBERS)
    field = form.fields(q)[1]

    assert [keyed._value(field, [text]) for text in (" ", "9", "0")] == ["", 9, 0]
    assert form.check(q, {"y": 2, "n": ""}) == []
    assert form.differences(q, {"y": 2, "n": ""}, {"y": 2, "n": 9}) == ("n",)
    assert form.answers(q, {"y": 2, "n": 9}) == {"y": 2, "n": 9}
    assert form.answers(q, {"y": 2, "n": ""}) == {"y": 2}


def test_a_number_given_where_the_form_passes_over_it_is_pointed_out():
    q = parse(NUMBERS)

    assert form.warnings(q, {"y": 1, "n": ""}) == []
    assert [one.code for one in form.warnings(q, {"y": 1, "n": 9})] == ["skipped"]
    assert [one.code for one in form.warnings(q, {"y": 2, "n": 0})] == ["range"]
