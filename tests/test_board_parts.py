"""The pages of parts, of the day, of ranks, of priorities and of years: what they say and hide."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from faults import ground
from small_wave import COMMUNE, COUNTER, HOUSEHOLD, LAI_CHAU, NOW, SURVEY, TUYEN_QUANG

from analysis.league import leagues
from analysis.report.numbers import places, share, span
from analysis.sipas import wave_result
from survey import db
from survey.board import keptpages, period
from survey.store import clock, doors, dossiers, responses, waves

DAY = date(2026, 11, 22)


def text(page):
    """What a reader sees of a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.fixture
def on_the_day(monkeypatch):
    """The clock stands at the moment the small wave was made."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def settle(settings):
    """Settle dossiers of the commune in November, and answer for some of them."""

    def add(n, answered):
        rows = [
            dossiers.Dossier(
                key=f"D{at}", service="Khai sinh", receiving_unit=COMMUNE, resolving_unit=COMMUNE,
                officer=None, received_on=date(2026, 11, 1), due_on=date(2026, 11, 9),
                settled_on=date(2026, 11, 9),
            )
            for at in range(n)
        ]  # fmt: skip
        with closing(db.connect(settings.database)) as store:
            dossiers.put(store, rows, now=NOW, actor="test", source="test")
            sent = ground.incoming(doors.Door(id=0, kind="dossier", wave=COUNTER, unit=COMMUNE))
            came = (
                replace(sent, id=str(UUID(int=7000 + at)), channel="link",
                        door=replace(sent.door, dossier_key=row.key))
                for at, row in enumerate(rows[:answered])
            )  # fmt: skip
            responses.bulk(store, came, received_at=NOW)

    return add


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("unit", "Chỉ có một phần"), ("counter", "Quầy 3"), ("channel", "Máy tại quầy"),
        ("time", "11/2026"),
    ],
)  # fmt: skip
def test_a_wave_is_cut_every_way(staff, by, said):
    page = staff.get(f"/board/{COUNTER}/parts?by={by}")

    assert page.status_code == 200
    assert said in text(page)


def test_the_figures_of_parts_are_those_of_the_wave(staff, settings):
    with closing(db.connect(settings.database, readonly=True)) as store:
        total = wave_result(store, COUNTER, comments=False).total

    assert f"{share(total.value, 1)}%" in text(staff.get(f"/board/{COUNTER}/parts"))
    assert "Khoảng tin cậy" not in text(staff.get(f"/board/{COUNTER}/parts"))


def test_parts_of_a_sample_have_their_intervals(staff, settings):
    with closing(db.connect(settings.database, readonly=True)) as store:
        units = wave_result(store, SURVEY, comments=False).units
    seen = text(staff.get(f"/board/{SURVEY}/parts"))

    for unit in units:
        assert f"{share(unit.total.value)} {span(unit.total.low, unit.total.high)}" in seen


def test_a_period_without_answers_says_so(staff):
    seen = text(staff.get(f"/board/{COUNTER}/parts?p=2026-01"))

    assert "Chưa có ý kiến nào trong kỳ này" in seen


@pytest.mark.parametrize("wrong", ["p=2026-13", "from=2026-11-30&to=2026-11-01", "p=x"])
def test_a_period_that_is_none_is_said_and_the_wave_is_shown(staff, wrong):
    page = staff.get(f"/board/{COUNTER}/parts?{wrong}")

    assert page.status_code == 422
    assert "Khoảng thời gian không đúng" in text(page)


def test_what_was_typed_stays_in_the_form(staff):
    page = staff.get(f"/board/{COUNTER}/parts?from=2026-11-30&to=2026-11-01")

    assert 'value="2026-11-30"' in page.text


def test_services_are_told_by_the_month(staff):
    assert "cộng dồn theo tháng" in text(
        staff.get(f"/board/{COUNTER}/parts?by=service&p=2026-11-22")
    )


def test_coverage_says_which_dossiers_it_is_measured_against(staff, settle, on_the_day):
    assert "số hồ sơ khai cho cả đợt" in text(staff.get(f"/board/{COUNTER}"))
    settle(100, 20)
    for path in (f"/board/{COUNTER}", f"/board/{COUNTER}/parts?p=2026-11"):
        seen = text(staff.get(path))
        assert "20 hồ sơ có ý kiến / 100 hồ sơ đã trả kết quả trong kỳ" in seen
        assert "20,0%" in seen


def test_bounds_stand_beside_every_part_with_dossiers(staff, settle, on_the_day):
    settle(100, 20)
    page = staff.get(f"/board/{COUNTER}/parts?by=time&p=2026")

    assert 'class="band"' in page.text
    assert "Dải nhạt" in text(page)


def test_fewer_than_five_opinions_are_not_told(staff, settle, on_the_day):
    settle(100, 3)
    seen = text(staff.get(f"/board/{COUNTER}/parts?p=2026-11"))

    assert "— hồ sơ có ý kiến / 100" in seen
    assert "3,0%" not in seen


@pytest.mark.parametrize("page", ["parts", "league", "drivers", "trend"])
def test_another_unit_is_refused_on_every_page_of_a_wave(client, page):
    client.login("neighbour")
    answer = client.get(f"/board/{SURVEY}/{page}?unit={TUYEN_QUANG}")

    assert answer.status_code == 403
    assert client.get(f"/board/{SURVEY}/{page}").status_code == 200


@pytest.mark.parametrize("page", ["parts", "league", "drivers", "trend"])
@pytest.mark.parametrize("address", ["none/{page}", "ho-2026/{page}?unit=vn34:none"])
def test_what_is_not_there_is_not_found(staff, page, address):
    assert staff.get(f"/board/{address.format(page=page)}").status_code == 404


def test_the_league_has_places_ranges_and_bands(staff, settings):
    with closing(db.connect(settings.database, readonly=True)) as store:
        found = leagues(store, SURVEY)
    seen = text(staff.get(f"/board/{SURVEY}/league"))

    for place in found.sets[0].places:
        assert f"{place.rank} {places(place.low, place.high)}" in seen
        assert share(place.figure.value) in seen


def test_the_league_is_read_against_ones_own_unit(client):
    client.login("member")
    page = client.get(f"/board/{SURVEY}/league")

    assert "so với tỉnh Tuyên Quang" in text(page)
    assert f"unit={LAI_CHAU}" not in page.text


def test_self_selected_answers_are_never_ranked(staff):
    assert staff.get(f"/board/{COUNTER}/league").status_code == 404
    assert f"{COUNTER}/league" not in staff.get(f"/board/{COUNTER}").text


@pytest.mark.parametrize("sort", ["rank", "name", "n"])
def test_the_league_is_sorted_by_the_server(staff, sort):
    page = staff.get(f"/board/{SURVEY}/league?sort={sort}")

    assert page.text.count("aria-sort") == 1


def test_a_sort_or_a_set_nobody_knows_is_not_found(staff):
    assert staff.get(f"/board/{SURVEY}/league?sort=x").status_code == 404
    assert staff.get(f"/board/{SURVEY}/league?set=x").status_code == 404


def test_priorities_of_self_selected_answers_claim_no_error(staff):
    seen = text(staff.get(f"/board/{COUNTER}/drivers"))

    assert "Tầm quan trọng cộng lại bằng 100%" in seen
    assert "không có khoảng tin cậy" in seen


def test_priorities_of_a_sample_that_is_too_small_are_not_told(staff):
    assert "quá ít đơn vị sơ cấp" in text(staff.get(f"/board/{SURVEY}/drivers"))
    assert "Cần từ 30 người" in text(staff.get(f"/board/{HOUSEHOLD}/drivers"))


def test_the_trend_shows_the_years_of_a_unit(staff, settings):
    with closing(db.connect(settings.database, readonly=True)) as store:
        total = wave_result(store, SURVEY, comments=False).total
    seen = text(staff.get(f"/board/{SURVEY}/trend"))

    assert f"2026 {share(total.value)} {span(total.low, total.high)}" in seen


def test_today_shows_what_came_and_what_needs_a_look(staff, on_the_day, settle):
    settle(20, 6)
    with closing(db.connect(settings_of(staff).database)) as store:
        late = dossiers.Dossier(
            key="late", service="Khai sinh", receiving_unit=COMMUNE, resolving_unit=COMMUNE,
            officer=None, received_on=date(2026, 11, 1), due_on=date(2026, 11, 9), settled_on=None,
        )  # fmt: skip
        dossiers.put(store, [late], now=NOW, actor="test", source="test")
    seen = text(staff.get("/today"))

    assert "Chủ nhật, 22/11/2026" in seen
    assert "1 hồ sơ đã quá hẹn trả" in seen
    assert "Tháng này 46" in seen
    assert "6 hồ sơ có ý kiến / 20 hồ sơ đã trả kết quả" in seen


def settings_of(client):
    return client.application.extensions["sipas"].settings


def test_today_of_a_unit_shows_that_unit_only(client, on_the_day):
    client.login("neighbour")

    assert client.get(f"/today?unit={TUYEN_QUANG}").status_code == 403
    assert "Minh Xuân" not in text(client.get("/today"))


def test_today_says_when_no_wave_takes_answers(staff, settings, on_the_day):
    with closing(db.connect(settings.database)) as store:
        for wave in (COUNTER, HOUSEHOLD):
            waves.close(store, wave, now=NOW, actor="shell:test")

    assert "Không có đợt nào đang nhận ý kiến tại quầy" in text(staff.get("/today"))


def test_a_trial_is_not_listed_among_live_waves(staff, settings):
    with closing(db.connect(settings.database)) as store:
        store.execute("UPDATE wave SET trial_of = ? WHERE key = ?", [COUNTER, HOUSEHOLD])

    assert f"/board/{HOUSEHOLD}" not in staff.get("/board").text
    assert HOUSEHOLD not in staff.get("/today").text


def test_a_page_that_took_long_is_kept_until_an_answer_comes(staff, settings, facts, monkeypatch):
    monkeypatch.setattr(keptpages, "SLOW", -1)
    first = staff.get(f"/board/{COUNTER}/parts").text
    monkeypatch.setattr(keptpages, "SLOW", 1e9)
    asked = []
    monkeypatch.setattr("survey.board.figures.cut", lambda *_, **__: asked.append(1))
    assert staff.get(f"/board/{COUNTER}/parts").text == first
    assert asked == []

    monkeypatch.undo()
    with closing(db.connect(settings.database)) as store:
        door = doors.get(store, facts.doors["counter"])
        sent = replace(ground.incoming(door), id=str(UUID(int=9001)))
        responses.bulk(store, [sent], received_at=NOW)
    assert staff.get(f"/board/{COUNTER}/parts").text != first


def test_a_kept_page_of_one_unit_is_not_shown_to_another(client, monkeypatch):
    monkeypatch.setattr(keptpages, "SLOW", -1)
    seen = {}
    for name in ("administrator", "member", "neighbour"):
        client.login(name)
        seen[name] = client.get(f"/board/{SURVEY}/league").text
        client.logout()

    assert f"unit={TUYEN_QUANG}" in seen["administrator"]
    assert f"unit={TUYEN_QUANG}" not in seen["neighbour"]
    assert "so với tỉnh Lai Châu" in re.sub(r"\s+", " ", seen["neighbour"])


@pytest.mark.parametrize(
    ("key", "since", "until", "title"),
    [
        ("2026", "2026-01-01", "2026-12-31", "năm 2026"),
        ("2026-Q4", "2026-10-01", "2026-12-31", "quý 4/2026"),
        ("2026-02", "2026-02-01", "2026-02-28", "tháng 2/2026"),
        ("2026-W01", "2025-12-29", "2026-01-04", "tuần 1/2026 (29/12/2025 – 04/01/2026)"),
        ("2026-11-22", "2026-11-22", "2026-11-22", "ngày 22/11/2026"),
        ("2026-11-01..2026-11-15", "2026-11-01", "2026-11-15", "từ 01/11/2026 đến 15/11/2026"),
    ],
)
def test_a_period_is_read_from_its_key(key, since, until, title):
    found = period.read(key)

    assert (found.since, found.until) == (date.fromisoformat(since), date.fromisoformat(until))
    assert found.title == title


@pytest.mark.parametrize(
    "key", ["2026-Q5", "2026-W54", "2026-02-30", "26", "2026-11-02..2026-11-01"]
)
def test_no_other_key_is_a_period(key):
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        period.read(key)


def test_the_periods_offered_are_those_a_wave_has_lived(monkeypatch):
    found = [p.key for p in period.choices(date(2026, 9, 10), date(2027, 1, 1), DAY)]

    assert found[:2] == ["2026-11-22", "2026-W47"]
    assert found[2:] == ["2026-11", "2026-10", "2026-09", "2026-Q4", "2026-Q3", "2026"]
