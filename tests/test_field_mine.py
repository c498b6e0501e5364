"""An interviewer's own lots: what came of a visit, written at the door, once, by nobody else."""

import re
from contextlib import closing
from datetime import timedelta

import pytest
from citizens import hidden
from field_work import ACT, audited, lot
from paper_wave import AWAY, HOME, NOW, WAVE

from survey import db
from survey.field import reminders
from survey.store import cases, clock, visits, waves

URL = "/field/mine"


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def store(paper, settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def mine(paper, store, client):
    """The cases of a lot that `dieutra` carries; `dieutra2` has one of the next village."""
    first, second = (paper.cases[psu][:6] for psu in paper.psus[:2])
    lot(store, 1, HOME, paper.staff["dieutra"], first, due_on="2026-11-30")
    lot(store, 2, HOME, paper.staff["dieutra2"], second)
    client.login("dieutra")
    return first


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def press(client, case, step, **more):
    """Press a button on the page as it stands."""
    page = client.get(URL).text
    part = page.partition(f'id="c{case}"')[2].partition("</li>")[0]
    return client.post(f"{URL}/{case}", data=dict(hidden(part)) | {"step": step} | more)


def state(store, case):
    return cases.get(store, case).state


def test_an_interviewer_sees_the_households_of_the_own_lots_only(client, mine):
    page = text(client.get(URL))

    assert "Lô L000001" in page
    assert "Nộp lô trước hết ngày 30/11/2026." in page
    assert "Số 6, 08-u1" in page
    assert "L000002" not in page
    assert "08-u2" not in page


def test_the_usual_next_step_is_one_button(client, store, mine):
    for step in ("delivered", "collected"):
        page = client.get(URL).text
        assert f'class="btn" name="step" value="{step}"' in page
        answer = press(client, mine[0], step)
        assert answer.status_code == 303
        assert answer.location.endswith(f"#c{mine[0]}")

    assert state(store, mine[0]) == "collected"
    assert [who for who, _, _ in audited(store, "visit.mark")] == ["staff:dieutra"] * 2


def test_an_appointment_has_a_day_from_today_on(client, store, mine):
    for wrong, said in (("", "Nhập ngày hẹn"), ("2026-11-21", "Ngày hẹn 21/11/2026 đã qua")):
        answer = press(client, mine[0], "appointed", on=wrong)
        assert answer.status_code == 422
        assert said in answer.text
    assert state(store, mine[0]) == "assigned"

    assert press(client, mine[0], "appointed", on="2026-11-22").status_code == 303
    assert press(client, mine[0], "appointed", on="2026-11-25").status_code == 303
    assert cases.get(store, mine[0]).appointed_on == "2026-11-25"
    assert "hẹn thu ngày 25/11/2026" in text(client.get(URL))


def test_a_household_that_is_not_to_be_had_has_a_reason(client, store, mine):
    assert press(client, mine[0], "lost", reason="").status_code == 422
    assert press(client, mine[0], "lost", reason="planned").status_code == 422
    assert press(client, mine[0], "lost", reason="absent").status_code == 303

    found = cases.get(store, mine[0])
    assert (found.state, found.reason) == ("absent", "absent")


def test_a_wrong_reason_is_put_right(client, store, mine):
    press(client, mine[0], "lost", reason="absent")
    press(client, mine[0], "lost", reason="refused")
    assert state(store, mine[0]) == "refused"

    press(client, mine[0], "delivered")
    assert state(store, mine[0]) == "delivered"


def test_a_button_pressed_twice_is_written_once(client, store, mine):
    data = dict(hidden(client.get(URL).text.partition(f'id="c{mine[0]}"')[2]))
    for _ in range(2):
        again = client.post(f"{URL}/{mine[0]}", data=data | {"step": "delivered"})
        assert again.status_code == 303

    assert len(audited(store, "visit.mark")) == 1


def test_a_page_that_is_old_overwrites_nothing(client, store, mine):
    data = dict(hidden(client.get(URL).text.partition(f'id="c{mine[0]}"')[2]))
    cases.move(store, [mine[0]], "collected", **ACT)
    answer = client.post(f"{URL}/{mine[0]}", data=data | {"step": "delivered"})

    assert answer.status_code == 409
    assert "Người khác vừa sửa" in answer.text
    assert state(store, mine[0]) == "collected"


def test_an_entered_form_is_out_of_the_interviewer_s_hands(client, store, mine):
    page = client.get(URL).text
    data = dict(hidden(page.partition(f'id="c{mine[0]}"')[2]))
    cases.move(store, [mine[0]], "entered", **ACT)
    answer = client.post(f"{URL}/{mine[0]}", data=data | {"step": "collected", "seen": "entered"})

    assert answer.status_code == 409
    assert state(store, mine[0]) == "entered"


@pytest.mark.parametrize(("issued", "returned"), [(False, False), (True, True)])
def test_a_lot_not_handed_over_or_brought_back_is_not_written_in(
    client, paper, store, issued, returned
):
    held = paper.cases[paper.psus[2]][:2]
    lot(store, 3, HOME, paper.staff["dieutra"], held, issued=issued, returned=returned)
    client.login("dieutra")
    page = client.get(URL)
    assert "L000003" in page.text
    assert 'name="step"' not in page.text

    with pytest.raises(visits.Refused, match="visit_lot"):
        visits.mark(
            store, held[0], "collected", staff=paper.staff["dieutra"],
            seen=state(store, held[0]), now=NOW, actor="staff:dieutra",
        )  # fmt: skip


def test_a_colleague_writes_in_their_own_lots_only(client, paper, store, mine):
    data = dict(hidden(client.get(URL).text)) | {"step": "delivered", "seen": "assigned"}
    other = paper.cases[paper.psus[1]][0]

    assert client.post(f"{URL}/{other}", data=data).status_code == 404
    assert client.post(f"{URL}/999999", data=data).status_code == 404
    assert client.post(f"{URL}/{mine[0]}", data=data | {"step": "locked"}).status_code == 400
    assert state(store, other) == "assigned"


def test_a_form_without_the_page_s_token_is_refused(client, store, mine):
    answer = client.post(f"{URL}/{mine[0]}", data={"step": "delivered", "seen": "assigned"})

    assert answer.status_code == 400
    assert state(store, mine[0]) == "assigned"


def test_without_a_lot_the_page_says_so(client, paper):
    client.login("dieutra")

    assert "Chưa có lô nào đang giữ" in client.get(URL).text


def test_names_that_are_deleted_leave_the_number(client, store, mine):
    store.execute("UPDATE frame_household SET name = '', address = '' WHERE wave = ?", (WAVE,))

    assert "1. Hộ gia đình" in text(client.get(URL))


def test_what_is_overdue_is_told_with_its_days(client, paper, store, mine):
    cases.move(store, [mine[0]], "appointed", appointed_on="2026-11-20", **ACT)
    cases.move(store, [mine[1]], "appointed", appointed_on="2026-11-22", **ACT)
    old = {**ACT, "now": NOW - timedelta(days=3)}
    cases.move(store, [mine[2]], "delivered", **old)
    cases.move(store, [mine[3]], "delivered", **{**ACT, "now": NOW - timedelta(days=2)})
    lot(store, 4, AWAY, None, paper.cases[paper.psus[4]][:1], due_on="2026-11-21")

    found = visits.late(store, WAVE, today=clock.day(NOW), keep_days=2)
    assert [(one.case, one.state, one.days) for one in found] == [
        (mine[2], "delivered", 3), (mine[0], "appointed", 2),
    ]  # fmt: skip
    [late] = visits.late_lots(store, WAVE, today=clock.day(NOW))
    assert (late.code, late.days, late.n, late.out) == ("L000004", 1, 1, 1)


def test_a_supervisor_is_reminded_of_the_own_areas_without_names(client, paper, store, mine):
    cases.move(store, [mine[0]], "appointed", appointed_on="2026-11-20", **ACT)
    away = paper.cases[paper.psus[4]][0]
    lot(store, 4, AWAY, None, [away], due_on="2026-11-21")
    cases.move(store, [away], "appointed", appointed_on="2026-11-20", **ACT)
    client.send(URL, to="/logout")
    client.login("giamsat")
    page, file = client.get("/field/reminders"), client.get("/field/reminders.csv")

    assert "1 hẹn thu đã qua ngày" in text(page)
    assert "L000004" not in page.text + file.text
    assert file.text.startswith("\ufeffViệc,Phiếu số,Lô")
    assert len(file.text.strip().splitlines()) == 2
    assert "Nguyễn Văn" not in page.text + file.text


def test_a_village_that_looks_like_a_formula_stays_text(client, paper, store, mine):
    cases.move(store, [mine[0]], "appointed", appointed_on="2026-11-20", **ACT)
    store.execute("UPDATE sample_psu SET name = '=1+1' WHERE psu = ?", (paper.psus[0],))
    client.send(URL, to="/logout")
    client.login("giamsat")

    assert ",'=1+1," in client.get("/field/reminders.csv").text


def test_nothing_late_is_said(staff, paper):
    assert "Không có việc quá hạn" in staff.get("/field/reminders").text


def test_a_closed_wave_takes_no_more_results(client, paper, store, mine):
    page = client.get(URL).text
    data = dict(hidden(page.partition(f'id="c{mine[0]}"')[2])) | {"step": "delivered"}
    waves.close(store, WAVE, **ACT)
    answer = client.post(f"{URL}/{mine[0]}", data=data)

    assert answer.status_code == 409
    assert "Đợt khảo sát đã đóng" in answer.text
    assert 'name="step"' not in client.get(f"{URL}?wave={WAVE}").text
    assert state(store, mine[0]) == "assigned"


def test_a_fault_stands_at_the_top_and_leads_to_its_household(client, mine):
    page = press(client, mine[3], "lost", reason="").text

    assert "Chưa ghi được phiếu số" in page.partition("</title>")[0]
    assert f'<a href="#c{mine[3]}">Chọn lý do không thu được phiếu.</a>' in page


def test_a_long_list_of_reminders_is_cut_on_the_page_and_whole_in_the_file(
    client, paper, store, mine, monkeypatch
):
    monkeypatch.setattr(reminders, "MOST", 2)
    cases.move(store, mine, "delivered", **{**ACT, "now": NOW - timedelta(days=9)})
    client.send(URL, to="/logout")
    client.login("giamsat")
    page = client.get("/field/reminders")

    assert "6 phiếu để ở hộ quá 2 ngày" in text(page)
    assert page.text.count('<th scope="row">') == 2
    assert "Còn 4 dòng nữa trong tệp CSV." in page.text
    assert len(client.get("/field/reminders.csv").text.strip().splitlines()) == 7


def test_a_lot_without_a_day_is_late_after_two_weeks(paper, store):
    lot(store, 5, HOME, paper.staff["dieutra"], paper.cases[paper.psus[0]][:2])
    handed = clock.day(NOW)

    def late(days):
        found = visits.late_lots(store, WAVE, today=handed + timedelta(days=days))
        return [(one.code, one.days) for one in found]

    assert late(14) == []
    assert late(15) == [("L000005", 1)]
