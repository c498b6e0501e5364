"""The page of coverage: true shares, small numbers hidden, nobody's dossier with its answer."""

import re
from contextlib import closing
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from faults import ground
from small_wave import COMMUNE, COUNTER, LAI_CHAU, NOW, TUYEN_QUANG

from survey import db
from survey.store import doors, dossiers, responses

URL = "/coverage"
SERVICE = "Khai sinh"


def text(page):
    """What a reader sees of a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.fixture
def fill(settings):
    """Settle dossiers of a unit and a service in a month, and answer for some of them."""
    made = []

    def add(n, answered, unit=COMMUNE, service=SERVICE, month=10, late=0):
        rows = [
            dossiers.Dossier(
                key=f"H{len(made) + at}", service=service, receiving_unit=unit,
                resolving_unit=unit, officer="Lê Văn Ba", received_on=date(2026, month, 1),
                due_on=date(2026, month, 9), settled_on=date(2026, month, 10 if at < late else 9),
            )
            for at in range(n)
        ]  # fmt: skip
        with closing(db.connect(settings.database)) as store:
            dossiers.put(store, rows, now=NOW, actor="test", source="test")
            sent = ground.incoming(doors.Door(id=0, kind="dossier", wave=COUNTER, unit=unit))
            responses.bulk(
                store,
                (
                    replace(
                        sent, id=str(UUID(int=7000 + int(row.key[1:]))), channel="link",
                        door=replace(sent.door, dossier_key=row.key),
                    )
                    for row in rows[:answered]
                ),
            )  # fmt: skip
        made.extend(rows)

    return add


def test_shares_are_answers_of_settled_dossiers_with_the_late_ones(staff, fill):
    fill(40, 10, late=4)
    fill(10, 10, month=9)
    seen = text(staff.get(URL))
    assert "40,0% 20 hồ sơ có ý kiến / 50 hồ sơ đã trả kết quả" in seen
    assert "8,0% 4 / 50 hồ sơ đã trả kết quả" in seen
    assert "09/2026 100,0 10 10 0,0 10/2026 25,0 10 40 10,0 Tổng 40,0 20 50 8,0" in seen
    assert "Đường dẫn 20" in seen


def test_a_period_counts_what_was_settled_in_it(staff, fill):
    fill(40, 10)
    fill(10, 10, month=9)
    assert "25,0% 10 hồ sơ có ý kiến / 40" in text(staff.get(f"{URL}?year=2026&quarter=4"))
    empty = text(staff.get(f"{URL}?year=2026&quarter=1"))
    assert "Không có hồ sơ nào được trả kết quả trong quý 1/2026" in empty
    assert staff.get(f"{URL}?year=1999").status_code == 404
    assert staff.get(f"{URL}?quarter=5").status_code == 404


def test_an_instance_without_dossiers_says_how_they_come(staff):
    assert "Chưa có hồ sơ nào" in text(staff.get(URL))


def test_fewer_than_five_answers_are_hidden_with_what_would_tell_them(staff, fill):
    fill(30, 3, service="Khai tử")
    fill(30, 7, service="Kết hôn")
    fill(30, 20)
    seen = text(staff.get(URL))
    assert "Khai tử — — 30 0,0" in seen
    assert "Kết hôn — — 30 0,0" in seen
    assert "Khai sinh 66,7 20 30 0,0" in seen
    assert "dưới 5 hồ sơ có ý kiến" in seen


def test_a_whole_of_fewer_than_five_is_not_published(staff, fill):
    fill(30, 4)
    seen = text(staff.get(URL))
    assert "Không công bố" in seen
    assert not re.search(r"\b4 hồ sơ có ý kiến", seen)
    assert "13,3" not in seen


def test_the_page_of_a_unit_does_not_tell_what_the_page_above_hides(staff, fill):
    fill(30, 3, unit=LAI_CHAU)
    fill(30, 20, unit=TUYEN_QUANG)
    for unit in (LAI_CHAU, TUYEN_QUANG):
        seen = text(staff.get(f"{URL}?unit={unit}"))
        assert "Không công bố" in seen
        assert "66,7" not in seen
    assert "Tỉnh Lai Châu — — 30" in text(staff.get(URL))


def test_units_right_under_the_scope_are_rows_and_lead_further_down(staff, fill):
    fill(30, 20)
    fill(30, 15, unit=TUYEN_QUANG)
    fill(30, 15, unit=LAI_CHAU)
    page = staff.get(URL)
    assert f"{URL}?unit={TUYEN_QUANG}" in page.text
    assert "Tỉnh Tuyên Quang 58,3 35 60" in text(page)
    below = text(staff.get(f"{URL}?unit={TUYEN_QUANG}"))
    assert "Phường Minh Xuân 66,7 20 30" in below
    assert "Tỉnh Tuyên Quang (trực tiếp) 50,0 15 30" in below
    assert staff.get(f"{URL}?unit=vn34:999").status_code == 404


def test_each_person_sees_the_own_unit_only(client, fill):
    fill(30, 20)
    fill(20, 10, unit=LAI_CHAU)
    client.login("member")
    assert "20 hồ sơ có ý kiến / 30" in text(client.get(URL))
    assert client.get(f"{URL}?unit={LAI_CHAU}").status_code == 403
    client.logout()
    client.login("neighbour")
    assert "10 hồ sơ có ý kiến / 20" in text(client.get(URL))
    client.logout()
    client.login("stranger")
    assert client.get(URL).status_code == 403


def test_no_page_names_a_dossier_or_an_officer(staff, fill):
    fill(30, 20)
    page = staff.get(URL).text
    assert not re.search(r"\bH\d+\b", page)
    assert "Lê Văn Ba" not in page


def test_many_services_end_in_one_row_for_the_rest(staff, fill):
    for number in range(25):
        fill(30 - number, 6, service=f"Thủ tục {number:02}")
    seen = text(staff.get(URL))
    assert "Thủ tục 19" in seen
    assert "Thủ tục 20" not in seen
    assert "5 thủ tục còn lại" in seen
