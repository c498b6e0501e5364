"""An officer's own feedback: sums of whole months, of five opinions or more, and nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from small_wave import COMMUNE, LAI_CHAU, NOW, PASSWORD, TUYEN_QUANG
from werkzeug.security import generate_password_hash

from survey import db
from survey.store import dossiers, people, responses, waves
from survey.store.doors import Door

#: A clock in the middle of a month: May is over, June is not.
TODAY = datetime(2026, 6, 17, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _middle_of_june(monkeypatch):
    monkeypatch.setattr("survey.store.clock.now", lambda: TODAY)


@pytest.fixture
def work(settings):
    """``work(officer, n, opinions, on=…)``: dossiers settled on a day, some with an opinion."""
    store = db.connect(settings.database)
    waves.new(
        store,
        waves.Wave(
            key="nd61", name="Theo hồ sơ", questionnaire="nd61-2018.1", kind="self_selected",
            year=2026, opens_on=date(2026, 1, 1), closes_on=date(2099, 12, 31),
            owner=TUYEN_QUANG, owner_name="Sở Nội vụ", synthetic=True,
        ),
        now=NOW, actor="shell:test",
    )  # fmt: skip
    cheap = generate_password_hash(people.plain(PASSWORD), method="scrypt:1024:8:1")
    for name, code, unit in (("lan", "CB-01", COMMUNE), ("hoa", "", COMMUNE),
                             ("xa", "CB-01", LAI_CHAU)):  # fmt: skip
        people.add(
            store, username=name, name=name.title(), role="officer", unit=unit, officer=code,
            password_hash=cheap, must_change=False, now=NOW, actor="shell:test",
        )  # fmt: skip
    count = 0

    def make(officer, n, opinions, *, on, points=3, late=False):
        nonlocal count
        due = on - timedelta(days=1) if late else on
        made = [
            dossiers.Dossier(
                key=f"H08-{officer}-{on:%m%d}-{count + number}", service="Chứng thực",
                receiving_unit=COMMUNE, resolving_unit=COMMUNE, officer=officer,
                received_on=due, due_on=due, settled_on=on,
            )
            for number in range(n)
        ]  # fmt: skip
        dossiers.put(store, made, now=TODAY, actor="shell:test", source="test")
        for dossier in made[:opinions]:
            count += 1
            door = Door(id=0, kind="dossier", wave="nd61", unit=COMMUNE, dossier_key=dossier.key)
            given = {f"n{name}": points for name in (1, 2, 3, 4, 6, 7)}
            one = responses.Incoming(
                str(UUID(int=count + (4 << 76))), door, "nd61-2018.1", given, "link", "vi", None,
                TODAY,
            )  # fmt: skip
            responses.bulk(store, [one])
        count += n

    yield make
    store.close()


def page(client, name="lan", query=""):
    client.login(name)
    answer = client.get(f"/mine{query}")
    assert answer.status_code == 200
    return " ".join(answer.text.partition("<main")[2].split())


def test_an_officer_sees_the_sums_of_the_own_dossiers(client, work):
    work("CB-01", 12, 9, on=date(2026, 4, 8), points=3)
    work("CB-01", 4, 3, on=date(2026, 5, 29), points=1, late=True)
    work("CB-02", 30, 25, on=date(2026, 4, 9), points=1)
    text = page(client)

    assert '<p class="big">16</p>' in text
    assert "Trong đó 4 hồ sơ trễ hạn." in text
    assert '<p class="big">12</p>' in text
    assert text.count(">75,0%<") == 5  # nine of twelve gave each of five criteria the most
    assert '<p class="big">7,5</p>' in text  # 5 × (9 × 2 + 3 × 0) / 12
    assert "CB-02" not in text


def test_a_month_that_is_not_over_is_not_shown(client, work):
    work("CB-01", 8, 8, on=date(2026, 5, 31))
    before = page(client)
    work("CB-01", 5, 5, on=date(2026, 6, 1), points=1)

    assert page(client) == before
    assert "Tính đến hết ngày 31/05/2026" in before
    assert "từ ngày 01/07/2026" in before


def test_a_quarter_that_has_just_begun_says_when_it_is_shown(client, work, monkeypatch):
    monkeypatch.setattr("survey.store.clock.now", lambda: datetime(2026, 7, 30, tzinfo=UTC))

    assert "từ ngày 01/08/2026" in page(client)


def test_fewer_than_five_opinions_show_nothing(client, work):
    work("CB-01", 20, 4, on=date(2026, 4, 8))
    text = page(client)

    assert '<p class="big">20</p>' in text
    assert "Dưới 5 ý kiến: không hiện." in text
    assert "Theo tiêu chí" not in text


def test_the_same_code_in_another_unit_is_somebody_else(client, work):
    work("CB-01", 12, 9, on=date(2026, 4, 8))

    assert '<p class="big">0</p>' in page(client, "xa")


def test_an_account_without_a_code_is_told_why_there_is_nothing(client, work):
    work("", 12, 9, on=date(2026, 4, 8))

    assert "Tài khoản chưa có mã cán bộ" in page(client, "hoa")


@pytest.mark.parametrize("quarter", ["2019-Q1", "x", "2026-H1", "2026-Q3"])
def test_other_quarters_are_not_there(client, work, quarter):
    client.login("lan")

    assert client.get(f"/mine?quarter={quarter}").status_code == 404


def test_an_older_quarter_is_whole(client, work):
    work("CB-01", 6, 5, on=date(2026, 3, 31))
    text = page(client, query="?quarter=2026-Q1")

    assert '<p class="big">6</p>' in text
    assert "Tính đến" not in text


@pytest.mark.parametrize("name", ["administrator", "member", "stranger"])
def test_nobody_else_opens_the_page(client, name):
    client.login(name)

    assert client.get("/mine").status_code == 403
