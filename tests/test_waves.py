"""Waves and their doors: what is stored, opened, closed, and refused with all its faults."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from faults import ground
from faults.ground import ACT, NOW

from survey.store import Refused, clock, doors, waves


@pytest.fixture
def store(tmp_path):
    with ground.make(tmp_path).connect() as base:
        yield base


def actions(store):
    return [row["action"] for row in store.execute("SELECT action FROM audit ORDER BY seq")]


def test_a_wave_comes_back_as_it_was_stored(store):
    made = ground.wave(
        "w", weights={"II.A": 2.0}, aggregate="explicit", rank_sets=("cities", "vn34-dbsh"),
        words={"commune_word": "phường"}, settled=120, synthetic=True,
        closed_at=datetime(2026, 11, 22, 9, 30, 0, 123_000, tzinfo=UTC),
    )  # fmt: skip
    waves.new(store, made, **ACT)
    assert waves.get(store, "w") == made


def test_an_unknown_wave_is_not_found(store):
    with pytest.raises(LookupError):
        waves.get(store, "none")


def test_a_key_is_given_once(store):
    with pytest.raises(Refused, match="exists"):
        waves.new(store, ground.wave(), **ACT)


def test_every_fault_of_a_wave_is_named_and_nothing_stored(store):
    bad = ground.wave(
        "Đợt 1", questionnaire="none", owner="vn34:999", rank_sets=("none",), level=95,
        index_method="best", closes_on=date(2020, 1, 1),
    )  # fmt: skip
    with pytest.raises(Refused) as caught:
        waves.new(store, bad, **ACT)
    assert len(caught.value.facts["faults"]) == 7
    assert [wave.key for wave in waves.all(store)] == ["quay"]


def test_closing_and_opening_are_audited_and_closing_twice_changes_nothing(store):
    closed = waves.close(store, "quay", **ACT)
    assert waves.close(store, "quay", now=NOW + timedelta(days=1), actor="x") == closed
    assert not waves.get(store, "quay").is_open(NOW)
    assert waves.open(store, "quay", until=None, reason="Nhập nốt phiếu", **ACT).is_open(NOW)
    assert actions(store)[-2:] == ["wave.close", "wave.reopen"]


def test_a_wave_of_the_future_opens_today_and_its_end_can_move(store):
    waves.new(store, ground.wave("w", opens_on=date(2026, 12, 1)), **ACT)
    opened = waves.open(store, "w", until=date(2027, 1, 31), **ACT)
    assert (opened.opens_on, opened.closes_on) == (date(2026, 11, 22), date(2027, 1, 31))
    assert waves.get(store, "w") == opened


def test_a_wave_cannot_open_into_the_past(store):
    with pytest.raises(Refused, match="past"):
        waves.open(store, "quay", until=date(2026, 11, 21), **ACT)


def test_days_are_days_in_vietnam():
    wave = ground.wave(opens_on=date(2026, 11, 22), closes_on=date(2026, 11, 22))
    assert not wave.is_open(datetime(2026, 11, 21, 16, 59, tzinfo=UTC))
    assert wave.is_open(datetime(2026, 11, 21, 17, 0, tzinfo=UTC))
    assert wave.is_open(datetime(2026, 11, 22, 16, 59, tzinfo=UTC))
    assert not wave.is_open(datetime(2026, 11, 22, 17, 0, tzinfo=UTC))


def test_moments_are_written_in_utc_with_milliseconds():
    assert clock.stamp(NOW) == "2026-11-22T03:00:00.000Z"
    assert clock.moment(clock.stamp(NOW)) == NOW
    with pytest.raises(ValueError, match="offset"):
        clock.stamp(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_door_comes_back_as_it_was_added(store):
    made = doors.add(
        store, kind="counter", wave="quay", unit="vn34:08", resolving="vn34:12", counter="3",
        service="Đất đai", label="Quầy 3", **ACT,
    )  # fmt: skip
    assert doors.get(store, made.id) == made
    assert made in doors.of_wave(store, "quay")
    assert actions(store)[-1] == "door.add"


def test_a_dossier_keeps_the_door_it_has(store):
    where = {"kind": "dossier", "wave": "quay", "unit": "vn34:08", "dossier_key": "H1"}
    assert doors.add(store, **where, **ACT) == doors.add(store, **where, **ACT)
    waves.new(store, ground.wave("w"), **ACT)
    with pytest.raises(Refused, match="other_wave"):
        doors.add(store, **where | {"wave": "w"}, **ACT)


@pytest.mark.parametrize(
    "change", [{"wave": "none"}, {"unit": "vn34:999"}, {"resolving": "vn63:999"}]
)
def test_a_door_leads_somewhere_that_exists(store, change):
    with pytest.raises(LookupError):
        doors.add(store, **{"kind": "counter", "wave": "quay", "unit": "vn34:08"} | change, **ACT)


@pytest.mark.parametrize(
    "change", [{"kind": "dossier"}, {"kind": "case"}, {"dossier_key": "H1"}, {"case_id": 1}]
)
def test_a_door_has_the_key_of_its_kind_and_no_other(store, change):
    with pytest.raises(ValueError, match="door of kind"):
        doors.add(store, **{"kind": "counter", "wave": "quay", "unit": "vn34:08"} | change, **ACT)


def test_a_closed_door_stays_closed(store):
    [door] = doors.of_wave(store, "quay")
    closed = doors.close(store, door.id, **ACT)
    assert closed == replace(door, closed_at="2026-11-22T03:00:00.000Z")
    assert doors.close(store, door.id, now=NOW + timedelta(days=1), actor="x") == closed
    with pytest.raises(LookupError):
        doors.close(store, 999, **ACT)
