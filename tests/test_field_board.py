"""The board of the field work: accounts that add up, substitutes apart, everybody's own areas."""

import re
from contextlib import closing

import field_work
import pytest
from field_work import ACT, lot, replace, settle
from paper_wave import AWAY, HOME, WAVE

from analysis import reader
from survey import db
from survey.store import cases, people, progress

URL = "/field"


def text(page):
    """What a reader sees of a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def rows(page, head):
    """The lines of the table under a heading: first cell -> the other cells."""
    part = page.text.partition(head)[2].partition("</table>")[0]
    found = {}
    for row in re.findall(r"<tr.*?</tr>", part.partition("<tbody>")[2], re.DOTALL):
        cells = [re.sub(r"<[^>]+>", "", c).strip() for c in
                 re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]  # fmt: skip
        found[cells[0]] = cells[1:]
    return found


@pytest.fixture
def store(paper, settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def drawn(paper, store):
    """Home: one lot of a village with every outcome; away: nothing yet."""
    village = paper.psus[0]
    main, reserves = paper.cases[village][:6], paper.cases[village][6:]
    lot(store, 1, HOME, paper.staff["dieutra"], main)
    settle(store, main[0], HOME)
    settle(store, main[1], HOME, 1)
    cases.move(store, [main[2]], "collected", **ACT)
    cases.move(store, [main[3]], "refused", reason="refused", **ACT)
    replace(store, main[4], reserves[0], "moved")
    store.execute("UPDATE sample_case SET lot = 1 WHERE id = ?", (reserves[0],))
    cases.move(store, [reserves[0]], "assigned", **ACT)
    settle(store, reserves[0], HOME, 2)
    return village


def test_a_wave_without_a_sample_says_so(staff, paper, store):
    for table in ("frame_household", "sample_case", "sample_psu"):
        store.execute(f"DELETE FROM {table} WHERE wave = ?", (WAVE,))

    assert "chưa rút mẫu" in text(staff.get(f"{URL}?wave={WAVE}"))


def test_the_accounts_of_an_area_are_those_of_its_cases(staff, paper, store):
    drawn(paper, store)
    found = rows(staff.get(URL), "Theo địa bàn")

    # places, issued, returned, valid, substitutes: 24 households, one lot of 6 and a substitute
    assert found["Tỉnh Tuyên Quang"][1:7] == ["12,5", "24", "7", "4", "3", "1"]
    assert found["Tỉnh Lai Châu"][1:7] == ["0,0", "24", "0", "0", "0", "0"]
    assert found["Cộng"][2:7] == ["48", "7", "4", "3", "1"]


def test_response_rates_leave_substitutes_out(staff, paper, store):
    drawn(paper, store)
    found = rows(staff.get(f"{URL}?unit={HOME}"), "Theo thôn, tổ dân phố")

    # 6 first drawn: 2 valid, 1 back, 1 refused, 1 moved (ineligible), 1 still out (unknown).
    # RR1 = 2/5; e = 4/5, so RR3 = 2/(4 + 0,8).
    village = next(cells for name, cells in found.items() if name.startswith("Tổ dân phố 1"))
    assert village[-2:] == ["40,0", "41,7"]


def test_outcomes_add_up_to_the_households_first_drawn(staff, paper, store):
    drawn(paper, store)
    found = rows(staff.get(f"{URL}?unit={HOME}"), "Kết quả tiếp cận hộ rút lần đầu")

    counts = {name: int(cells[-1]) for name, cells in found.items()}
    assert counts == {
        "Có phiếu hợp lệ": 2, "Đã thu, chưa đối chiếu xong": 1, "Từ chối": 1,
        "Chưa có kết quả, sai địa chỉ, hoặc địa bàn đã thay": 19, "Đã chuyển đi, đã mất": 1,
    }  # fmt: skip


def test_a_village_given_up_was_never_reached_and_its_successor_is_a_substitute(paper, store):
    lost, new = paper.psus[0], paper.psus[1]
    store.execute("UPDATE sample_psu SET dropped_at = '2026-11-22' WHERE psu = ?", (lost,))
    store.execute("UPDATE sample_psu SET replaces = ? WHERE psu = ?", (lost, new))
    cases.move(store, paper.cases[lost][:6], "other", reason="disaster", **ACT)
    found = progress.lines(store, WAVE)

    assert {line.disposition for line in found if line.psu == lost} == {"unknown"}
    assert {line.substitute for line in found if line.psu == new} == {True}


def test_every_state_of_a_case_has_its_disposition():
    left = {"reserve", "replaced"}

    assert set(cases.STATES) - left == set(progress.DISPOSITIONS)
    assert set(progress.VALID) < set(progress.ENTERED) < set(progress.RETURNED)


def test_interviewers_stand_under_their_names(staff, paper, store):
    drawn(paper, store)
    found = rows(staff.get(URL), "Theo điều tra viên")

    assert found["Dieutra (dieutra)"][2:7] == ["6", "7", "4", "3", "1"]
    assert found["Chưa có điều tra viên"][2:7] == ["42", "0", "0", "0", "0"]


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("administrator", {"Tỉnh Tuyên Quang", "Tỉnh Lai Châu"}),
        ("giamsat", {"Tổ dân phố 1", "Thôn 2"}),
        ("member", {"Tổ dân phố 1", "Thôn 2"}),
        ("neighbour", {"Tổ dân phố 1", "Thôn 2"}),
    ],
)
def test_each_person_sees_their_own_areas(client, paper, store, name, sees):
    drawn(paper, store)
    client.login(name)
    page = client.get(URL)
    found = "".join(rows(page, "Theo địa bàn") or rows(page, "Theo thôn, tổ dân phố"))

    assert all(each in found for each in sees)
    assert ("08-u1" in page.text) is (name in {"giamsat", "member"})
    assert ("12-u1" in page.text) is (name == "neighbour")
    assert ("dieutra" in page.text) is (name != "neighbour")


@pytest.mark.parametrize(
    ("name", "other"), [("giamsat", AWAY), ("member", AWAY), ("neighbour", HOME)]
)
def test_nobody_asks_for_the_areas_of_others(client, paper, name, other):
    client.login(name)

    for page in ("", "/interviewers", "/quotas", "/reminders", "/reminders.csv"):
        assert client.get(f"{URL}{page}?unit={other}").status_code == 403


@pytest.mark.parametrize("name", ["dieutra", "nhap1", "doichieu", "stranger"])
def test_who_works_on_forms_does_not_supervise(client, paper, name):
    client.login(name)

    for page in ("", "/interviewers", "/quotas", "/reminders", "/people"):
        assert client.get(URL + page).status_code == 403


@pytest.mark.parametrize("name", ["member", "neighbour"])
def test_a_viewer_reads_the_board_and_nothing_else_of_the_field(client, paper, name):
    client.login(name)

    assert client.get(URL).status_code == 200
    for page in ("/mine", "/interviewers", "/quotas", "/reminders", "/people"):
        assert client.get(URL + page).status_code == 403


def test_a_unit_that_does_not_exist_is_not_found(staff, paper):
    assert staff.get(f"{URL}?unit=vn34:999").status_code == 404
    assert staff.get(f"{URL}?wave=nowhere").status_code == 404


def test_the_helper_settles_forms_as_the_store_does(paper, store):
    drawn(paper, store)

    assert field_work.audited(store, "case.move")
    assert len(progress.forms(store, WAVE, "sipas-2026.1")) == 3


def test_forms_are_issued_and_returned_as_the_report_counts_them(paper, store):
    drawn(paper, store)
    cases.move(store, paper.cases[paper.psus[1]][:1], "absent", **ACT)  # never in a lot
    found = [line for line in progress.lines(store, WAVE) if line.unit == HOME]
    counted = (
        sum(line.n for line in found if line.issued),
        sum(line.n for line in found if line.returned),
    )

    assert [(HOME, *counted)] == reader.accounts(store, WAVE)


def test_the_rates_of_all_who_were_tried_stand_beside_those_first_drawn(staff, paper, store):
    drawn(paper, store)
    page = text(staff.get(f"{URL}?unit={HOME}"))

    # 25 tried: 3 complete, 1 back, 1 refused, 1 moved, 19 unknown.  RR1 = 3/24, e = 5/6.
    assert "RR1 12,5%, RR3 14,4%" in page


def test_a_village_that_was_given_up_says_so(staff, paper, store):
    store.execute("UPDATE sample_psu SET dropped_at = '2026-11-22' WHERE psu = '08-u1'")

    assert "(08-u1), đã bỏ hoặc thay" in staff.get(f"{URL}?unit={HOME}").text


def test_a_unit_supervisor_reads_the_own_board_only(client, paper, store):
    drawn(paper, store)
    cheap = store.execute("SELECT password_hash FROM staff WHERE username = 'giamsat'")
    people.add(
        store, username="phutrach", name="Phụ trách", role="supervisor", unit=AWAY,
        password_hash=cheap.fetchone()[0], must_change=False, **ACT,
    )  # fmt: skip
    client.login("phutrach")

    assert "12-u1" in client.get(URL).text
    assert "08-u1" not in client.get(URL).text
    assert client.get(f"{URL}?unit={HOME}").status_code == 403
    assert client.get(f"{URL}/people").status_code == 403
