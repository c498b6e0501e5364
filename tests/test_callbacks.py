"""Forms asked again: drawn by ballot, asked blind, compared with the paper, once."""

import json
import re
from contextlib import closing
from dataclasses import replace

import paper_wave
import pytest
from citizens import hidden
from paper_wave import NOW, WAVE
from test_verify import enter

from survey import db
from survey.entry import marks
from survey.field.callbacks import asked
from survey.store import Refused, callbacks, cases, plans, waves
from survey.text import t

ACT = {"now": NOW, "actor": "staff:test"}


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def wave(base):
    made = paper_wave.make(base)
    plan(base, double_share=0.0, callback_share=0.5)
    return made


def plan(base, **changes):
    plans.set(base, WAVE, replace(plans.get(base, WAVE), **changes), **ACT)


def settle(base, wave, case, **changes):
    enter(base, case, wave.staff["nhap1"], paper_wave.fields(1, **changes))


def drawn(base, case=None):
    rows = base.execute("SELECT case_id FROM callback ORDER BY case_id").fetchall()
    return [row["case_id"] for row in rows]


def one(base, wave, **changes):
    """A settled form of the supervisor's province that is drawn for a call-back."""
    plan(base, callback_share=1.0)
    case = wave.main[0]
    settle(base, wave, case, **changes)
    callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT)
    return case


def record(base, case, outcome="done", **changes):
    facts = {"via": "phone", "answers": {"s01": 4, "how": "self"}, "note": "", "staff": 1}
    return callbacks.record(base, case, outcome, **facts | changes, **ACT)


def test_the_forms_whose_ballot_is_below_the_share_are_drawn(base, wave):
    for case in wave.main[:12]:
        settle(base, wave, case)
    n = callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT)

    chosen = [case for case in wave.main[:12] if cases.get(base, case).callback_ballot < 0.5]
    assert drawn(base) == chosen != []
    assert n == len(chosen)


def test_drawing_again_adds_only_what_was_settled_since(base, wave):
    first, second = [c for c in wave.main if cases.get(base, c).callback_ballot < 0.5][:2]
    settle(base, wave, first)
    assert callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT) == 1
    settle(base, wave, second)

    assert callbacks.waiting(base, WAVE) == {paper_wave.HOME: 1}
    assert callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT) == 1
    assert callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT) == 0
    assert drawn(base) == [first, second]


def test_forms_that_are_not_settled_are_not_drawn(base, wave):
    plan(base, double_share=1.0, callback_share=1.0)
    settle(base, wave, wave.main[0])

    assert callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT) == 0


def test_a_household_that_was_asked_moves_its_form_on(base, wave):
    case = one(base, wave)
    record(base, case)

    assert cases.get(base, case).state == "called_back"
    assert callbacks.get(base, case).answers == {"s01": 4, "how": "self"}


def test_who_was_not_reached_may_be_tried_again_and_everything_else_is_final(base, wave):
    case = one(base, wave)
    record(base, case, "not_reached", answers={})
    assert cases.get(base, case).state == "compared"
    record(base, case)
    record(base, case)  # the same sent again

    with pytest.raises(Refused, match="callback_done"):
        record(base, case, "refused", answers={})
    actions = base.execute("SELECT action FROM audit WHERE action LIKE 'callback.%' ORDER BY seq")
    assert [row["action"] for row in actions] == [
        "callback.draw", "callback.not_reached", "callback.done",
    ]  # fmt: skip


def test_nothing_is_recorded_once_the_wave_is_closed(base, wave):
    case = one(base, wave)
    waves.close(base, WAVE, **ACT)
    cases.lock(base, WAVE, **ACT)

    with pytest.raises(Refused, match="closed"):
        record(base, case)
    with pytest.raises(Refused, match="closed"):
        callbacks.draw(base, WAVE, units=[paper_wave.HOME], **ACT)


def test_without_a_choice_facts_and_items_of_five_factors_are_asked(base, wave):
    q = marks.asked(waves.get(base, WAVE))
    names = [field.name for field in asked(q, plans.PaperPlan())]

    assert names[:2] == ["sex", "age"]
    assert len({q.item(name).factor for name in names[2:]}) == 5
    assert [f.name for f in asked(q, plans.PaperPlan(callback_items=("age", "nothing")))] == ["age"]


def answer(client, case, outcome="done", **changes):
    page = client.get(f"/field/callbacks/{case}").text
    data = dict(hidden(page)) | {"outcome": outcome, "via": "phone", "how": "self"}
    data |= dict.fromkeys(re.findall(r'id="(a\.[^"]+)"', page), "2")
    return client.post(f"/field/callbacks/{case}", data=data | changes)


def test_the_screen_asks_blind_and_writes_down_who_looked(client, base, wave):
    case = one(base, wave, comment="một lời chỉ có trên phiếu")
    client.login("giamsat")
    page = client.get(f"/field/callbacks/{case}").text

    assert "Nguyễn Văn 1" in page
    assert "một lời chỉ có trên phiếu" not in page
    assert " checked" not in page
    row = base.execute("SELECT * FROM audit WHERE action = 'household.view'").fetchone()
    assert (row["actor"], row["subject"]) == ("staff:giamsat", str(case))


def test_a_finished_interview_leads_to_the_comparison(client, base, wave):
    case = one(base, wave, sex=1, age=2)
    client.login("giamsat")
    done = answer(client, case)
    assert (done.status_code, done.location) == (303, f"/field/callbacks/{case}")

    page = client.get(done.location).text
    assert t("callbacks.word_far") in page  # the sex
    assert t("callbacks.word_same") in page  # the age
    stored = base.execute("SELECT answers FROM callback").fetchone()["answers"]
    assert json.loads(stored)["sex"] == 2
    assert t("callbacks.agreement") in client.get("/field/callbacks").text


def test_an_open_question_comes_back_with_the_rest_kept(client, base, wave):
    case = one(base, wave)
    client.login("giamsat")
    page = answer(client, case, **{"a.age": "", "how": "", "via": ""})

    assert page.status_code == 422
    for place in ("#a.age", "#how", "#via"):
        assert f'href="{place}"' in page.text
    assert page.text.count(" checked") == 6
    assert callbacks.get(base, case).outcome == ""


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("not_visited", "called_back"), ("refused", "compared"), ("not_reached", "compared")],
)
def test_a_household_that_says_otherwise_is_written_down(client, base, wave, outcome, state):
    case = one(base, wave)
    client.login("giamsat")

    assert answer(client, case, outcome).status_code == 303
    assert cases.get(base, case).state == state
    assert t(f"callbacks.is_{outcome}") in client.get("/field/callbacks").text


def test_call_backs_of_another_province_are_out_of_sight(client, base, wave):
    plan(base, callback_share=1.0)
    away = wave.cases[wave.psus[-1]][0]
    settle(base, wave, away)
    callbacks.draw(base, WAVE, units=[paper_wave.AWAY], **ACT)
    client.login("giamsat")

    assert f"/field/callbacks/{away}" not in client.get("/field/callbacks").text
    assert client.get(f"/field/callbacks/{away}").status_code == 403
    assert answer(client, away).status_code in (400, 403)
    assert client.get(f"/field/callbacks/{wave.main[0]}").status_code == 404


@pytest.mark.parametrize("name", ["dieutra", "nhap1", "doichieu"])
def test_only_supervisors_ask_again(client, base, wave, name):
    case = one(base, wave)
    client.login(name)

    assert client.get("/field/callbacks").status_code == 403
    assert client.get(f"/field/callbacks/{case}").status_code == 403
    assert client.get("/field/plan").status_code == 403


def test_the_button_draws_what_waits_in_the_supervisor_s_province(client, base, wave):
    plan(base, callback_share=1.0)
    for case in (wave.main[0], wave.cases[wave.psus[-1]][0]):
        settle(base, wave, case)
    client.login("giamsat")
    done = client.send("/field/callbacks")

    assert done.status_code == 303
    assert drawn(base) == [wave.main[0]]


def test_the_shares_of_a_wave_are_set_in_percent_and_audited(staff, base, wave):
    sent = {"double_share": "20", "scan_share": "2,5", "callback_share": "7,5 %", "items": "age"}
    sent |= {"keep_days": "3", "payment": "20.000"}
    assert staff.send(f"/field/plan?wave={WAVE}", **sent).status_code == 303

    held = plans.get(base, WAVE)
    assert (held.double_share, held.scan_share, held.callback_share) == (0.2, 0.025, 0.075)
    assert held.callback_items == ("age",)
    assert (held.keep_days, held.payment, held.seed) == (3, 20_000, "hat-giong-2026")
    assert base.execute("SELECT 1 FROM audit WHERE actor = 'staff:administrator'").fetchone()


@pytest.mark.parametrize("share", ["101", "-1", "nan", "", "mười"])
def test_a_share_that_is_none_is_refused_with_the_others_kept(staff, base, wave, share):
    before = plans.get(base, WAVE)
    sent = {"double_share": "20", "scan_share": share, "callback_share": "5"}
    sent |= {"keep_days": "2,5", "payment": "-1"}
    page = staff.send(f"/field/plan?wave={WAVE}", **sent)

    assert page.status_code == 422
    assert 'id="double_share" name="double_share" inputmode="decimal" value="20"' in page.text
    for name in ("scan_share", "keep_days", "payment"):
        assert f'href="#{name}"' in page.text
    assert plans.get(base, WAVE) == before
