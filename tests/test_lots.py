"""The pages of lots: made, printed, handed out and taken back by who may."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import paper_wave
import pytest
from pypdf import PdfReader

from survey import db, serials
from survey.store import cases, lots, plans

ACT = {"now": paper_wave.NOW, "actor": "staff:giamsat"}
INDEX = "/field/lots?wave=giay-2026"


@pytest.fixture
def supervisor(client, paper):
    assert client.login("giamsat").status_code == 303
    return client


@pytest.fixture
def store(paper, settings):
    opened = db.connect(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def lot(store, paper):
    return lots.make(
        store, paper.wave, cases=paper.cases[paper.psus[0]][: paper_wave.MAIN],
        interviewer=paper.staff["dieutra"], unit=paper_wave.HOME, due_on=None, **ACT,
    )  # fmt: skip


@pytest.fixture
def issued(store, lot):
    return lots.issue(store, lot, **ACT)


def states(store, lot):
    return {case.id: case.state for case in cases.of_lot(store, lot.id)}


def send(client, lot, to="", **fields):
    return client.send(f"/field/lots/{lot.code}", to=f"/field/lots/{lot.code}{to}", **fields)


def test_a_supervisor_makes_a_lot_of_the_areas_chosen(supervisor, store, paper):
    data = {"wave": paper.wave, "psu": list(paper.psus[:2]), "interviewer": paper.staff["dieutra"]}
    page = supervisor.send(INDEX, to="/field/lots", **data, due_on="2099-12-01")

    [lot] = lots.of_wave(store, paper.wave)
    assert page.location == f"/field/lots/{lot.code}"
    assert (lot.due_on, lot.unit) == ("2099-12-01", paper_wave.HOME)
    assert len(states(store, lot)) == 12
    assert "L000001" in supervisor.get(INDEX).text


def test_each_area_may_be_a_lot_of_its_own(supervisor, store, paper):
    data = {"wave": paper.wave, "psu": list(paper.psus[:3]), "interviewer": paper.staff["dieutra"]}
    supervisor.send(INDEX, to="/field/lots", **data, apart="1")

    assert [one.forms for one in lots.counted(store, paper.wave)] == [6, 6, 6]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"psu": []}, "Chọn ít nhất một thôn"),
        ({"interviewer": ""}, "Chọn điều tra viên"),
        ({"due_on": "2020-01-01"}, "đã qua"),
        ({"due_on": "mai"}, "phải là một ngày"),
    ],
)
def test_what_is_missing_is_named_and_the_rest_kept(supervisor, store, paper, changes, words):
    data = {"wave": paper.wave, "psu": [paper.psus[1]], "interviewer": paper.staff["dieutra"]}
    page = supervisor.send(INDEX, to="/field/lots", **data | changes)

    assert page.status_code == 422
    assert words in page.text
    if changes.get("psu") != []:
        assert re.search(rf'value="{paper.psus[1]}" checked', page.text)
    assert lots.of_wave(store, paper.wave) == []


def test_an_area_of_another_unit_is_neither_shown_nor_taken(supervisor, store, paper):
    away = paper.psus[-1]
    assert away not in supervisor.get(INDEX).text
    data = {"wave": paper.wave, "psu": [away], "interviewer": paper.staff["dieutra"]}

    assert supervisor.send(INDEX, to="/field/lots", **data).status_code == 422
    assert lots.of_wave(store, paper.wave) == []


def test_a_lot_of_another_unit_is_refused_everywhere(supervisor, store, paper):
    theirs = lots.make(
        store, paper.wave, cases=paper.cases[paper.psus[-1]][:2], interviewer=None,
        unit=paper_wave.AWAY, due_on=None, **ACT,
    )  # fmt: skip
    where = f"/field/lots/{theirs.code}"

    assert supervisor.get(where).status_code == 403
    assert supervisor.get(f"{where}/households.pdf").status_code == 403
    for to in ("/issue", "/back", "/scan", "/print"):
        data = {"edition": "normal", "outcome": "collected"}
        assert supervisor.send(INDEX, to=where + to, **data).status_code == 403
    assert theirs.code not in supervisor.get(INDEX).text


@pytest.mark.parametrize("name", ["dieutra", "nhap1", "doichieu", "member", "stranger"])
def test_others_do_not_see_lots(client, paper, lot, name):
    client.login(name)

    assert client.get(INDEX).status_code == 403
    assert client.get(f"/field/lots/{lot.code}/payments.pdf").status_code == 403


def test_forms_are_noted_then_sent_and_again_the_same(supervisor, store, lot):
    page = send(supervisor, lot, "/print", edition="normal")
    first, again = supervisor.get(page.location), supervisor.get(page.location)

    assert first.mimetype == "application/pdf"
    assert first.data == again.data
    assert len(PdfReader(BytesIO(first.data)).pages) == 6 * 4
    assert cases.of_lot(store, lot.id)[0].print_run is not None


def test_nothing_is_sent_that_was_not_noted(supervisor, lot):
    for run in ("", "0", "7", "x"):
        assert supervisor.get(f"/field/lots/{lot.code}/forms.pdf?run={run}").status_code == 404


def test_an_edition_nobody_knows_is_a_bad_request(supervisor, lot):
    assert send(supervisor, lot, "/print", edition="huge").status_code == 400


def test_papers_with_names_are_logged_when_opened(supervisor, store, lot):
    for kind in ("handover", "cover", "households"):
        assert supervisor.get(f"/field/lots/{lot.code}/{kind}.pdf").mimetype == "application/pdf"
    rows = store.execute("SELECT subject, detail FROM audit WHERE action = 'lot.names'").fetchall()

    assert [(row["subject"], row["detail"]) for row in rows] == [
        (lot.code, '{"paper": "households"}')
    ]


def test_the_list_of_payments_is_there_when_the_wave_pays(supervisor, store, paper, lot):
    where = f"/field/lots/{lot.code}/payments.pdf"
    assert supervisor.get(where).status_code == 409
    plans.set(store, paper.wave, replace(plans.get(store, paper.wave), payment=50_000), **ACT)

    assert supervisor.get(where).mimetype == "application/pdf"


def test_a_lot_is_handed_out(supervisor, store, lot):
    assert "Giao lô cho điều tra viên" in supervisor.get(f"/field/lots/{lot.code}").text
    send(supervisor, lot, "/issue")

    assert set(states(store, lot).values()) == {"assigned"}


def test_a_form_comes_back_by_its_number_or_its_code(supervisor, store, issued, settings):
    first, second, *_ = states(store, issued)
    typed = send(supervisor, issued, "/scan", serial=serials.printed(first), outcome="collected")
    code = serials.code(settings.secret, 1, second, 3)
    send(supervisor, issued, "/scan", serial=code, outcome="refused")

    assert typed.location.endswith("?outcome=collected")
    assert states(store, issued)[first] == "collected"
    assert states(store, issued)[second] == "refused"


def test_a_mistyped_number_is_named_and_kept(supervisor, store, issued):
    page = send(supervisor, issued, "/scan", serial="0000 0001", outcome="collected")

    assert page.status_code == 422
    assert 'value="0000 0001"' in page.text
    assert set(states(store, issued).values()) == {"assigned"}


def test_a_form_of_another_lot_is_named(supervisor, issued, paper):
    other = serials.serial(paper.cases[paper.psus[1]][0])
    page = send(supervisor, issued, "/scan", serial=other, outcome="collected")

    assert page.status_code == 422
    assert "không thuộc lô" in page.text


def test_an_outcome_for_each_form_and_then_all_the_rest(supervisor, store, issued):
    first, *rest = states(store, issued)
    send(supervisor, issued, "/back", **{f"c{first}": "absent"})
    page = send(supervisor, issued, "/back", all="1")

    assert page.status_code == 303
    assert states(store, issued) == {first: "absent"} | dict.fromkeys(rest, "collected")
    assert lots.get(store, issued.id).returned_at


def test_a_lot_that_is_not_out_takes_nothing_back(supervisor, lot):
    assert send(supervisor, lot, "/back", all="1").status_code == 409


@pytest.mark.parametrize("make", [lambda lot, case: lot.code.lower(), lambda lot, case: case])
def test_a_lot_is_found_by_its_code_or_by_one_of_its_forms(supervisor, store, lot, make):
    case = next(iter(states(store, lot)))
    page = supervisor.get(f"/field/lots/find?code={make(lot, serials.serial(case))}")

    assert page.status_code == 303
    assert page.location.partition("#")[0] == f"/field/lots/{lot.code}"


def test_what_is_no_lot_is_not_found(supervisor, paper):
    assert supervisor.get("/field/lots/find?code=hello").status_code == 404
    assert supervisor.get("/field/lots/L999999").status_code == 404
    free = serials.serial(paper.cases[paper.psus[3]][0])
    assert "chưa vào lô" in supervisor.get(f"/field/lots/find?code={free}").text


def test_all_areas_are_chosen_at_once(supervisor, store, paper):
    data = {"wave": paper.wave, "interviewer": paper.staff["dieutra"], "every": "1", "apart": "1"}
    supervisor.send(INDEX, to="/field/lots", **data)

    assert len(lots.of_wave(store, paper.wave)) == 4
    assert "Mọi phiếu của đợt này đã vào lô" in supervisor.get(INDEX).text


def test_a_lot_changes_hands_until_it_is_back(supervisor, store, paper, issued):
    other = paper.staff["dieutra2"]
    send(supervisor, issued, "/assign", interviewer=other, due_on="2099-01-02")
    changed = lots.get(store, issued.id)

    assert (changed.interviewer, changed.due_on) == (other, "2099-01-02")
    assert send(supervisor, issued, "/assign", interviewer="0").status_code == 422
    assert send(supervisor, issued, "/assign", interviewer=other, due_on="1").status_code == 422
    send(supervisor, issued, "/back", all="1")
    assert send(supervisor, issued, "/assign", interviewer=other).status_code == 409


def test_a_replacement_joins_the_lot_of_its_village(supervisor, store, paper, issued):
    where = f"/field/lots/{issued.code}"
    assert "chưa vào lô nào" not in supervisor.get(where).text
    assert send(supervisor, issued, "/extend").status_code == 409
    reserve = paper.cases[paper.psus[0]][-1]
    cases.move(store, [reserve], "planned", **ACT)
    assert "Thêm 1 phiếu vào lô" in supervisor.get(where).text
    send(supervisor, issued, "/extend")

    assert states(store, issued)[reserve] == "assigned"


def test_everything_for_the_lots_that_wait_is_printed_at_once(supervisor, store, paper, issued):
    for psu in paper.psus[1:3]:
        lots.make(
            store, paper.wave, cases=paper.cases[psu][:2], interviewer=None,
            unit=paper_wave.HOME, due_on=None, **ACT,
        )  # fmt: skip
    page = supervisor.send(INDEX, to=f"/field/lots/all/print?wave={paper.wave}", edition="normal")
    data = supervisor.get(page.location).data
    covers = supervisor.get(f"/field/lots/all/cover.pdf?wave={paper.wave}").data

    assert len(PdfReader(BytesIO(data)).pages) == 2 * 2 * 4
    assert len(PdfReader(BytesIO(covers)).pages) == 2


def test_nothing_waits_where_no_lot_is_made(supervisor, paper):
    page = supervisor.get(f"/field/lots/all/cover.pdf?wave={paper.wave}")

    assert page.status_code == 404
    assert "Không có lô nào chưa giao" in page.text


def test_a_form_that_changed_since_it_was_noted_is_not_sent(supervisor, store, paper, lot):
    page = send(supervisor, lot, "/print", edition="normal")
    store.execute(
        "UPDATE wave SET owner_name = ? WHERE key = ?",
        ("Trung tâm Phục vụ hành chính công và chuyển đổi số " * 2, paper.wave),
    )

    assert supervisor.get(page.location).status_code == 409


def test_a_lot_whose_forms_the_interviewer_marked_is_confirmed(supervisor, store, issued):
    cases.move(store, list(states(store, issued)), "collected", **ACT)
    assert "Xác nhận lô đã về đủ" in supervisor.get(f"/field/lots/{issued.code}").text
    send(supervisor, issued, "/back")

    assert lots.get(store, issued.id).returned_at
