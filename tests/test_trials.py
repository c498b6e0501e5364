"""Drafts, trials, clones and breaks in the store: what is refused and what is kept apart."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from faults import ground
from faults.ground import ACT, NOW

from survey.store import Refused, breaks, clones, doors, draws, frames, responses, trials, waves
from survey.store.frames import Village


@pytest.fixture
def store(tmp_path):
    with ground.make(tmp_path).connect() as base:
        yield base


def draft(store, key="nhap", **changes):
    return waves.new(store, ground.wave(key, stage="draft", **changes), **ACT)


def test_a_draft_is_closed_to_everybody_and_cannot_be_closed(store):
    made = draft(store)
    assert not made.is_open(NOW)
    assert made.shut(NOW).code == "draft_wave"
    with pytest.raises(Refused, match="draft_wave"):
        waves.close(store, "nhap", **ACT)


def test_the_store_takes_no_answer_through_the_door_of_a_draft(store):
    draft(store)
    door = doors.add(store, kind="counter", wave="nhap", unit=ground.UNIT, **ACT)
    with pytest.raises(Refused, match="draft_wave"):
        responses._insert(store, door, responses._row(ground.incoming(door), received_at=NOW), NOW)
    waves.open(store, "nhap", until=None, **ACT)
    row = responses._row(ground.incoming(door), received_at=NOW)
    assert responses._insert(store, door, row, NOW).new


def test_opening_a_draft_begins_today_and_needs_no_reason(store):
    draft(store, opens_on=date(2026, 1, 1))
    opened = waves.open(store, "nhap", until=None, **ACT)
    assert (opened.stage, opened.opens_on, opened.version) == ("live", date(2026, 11, 22), 2)


def test_every_change_is_one_version_with_its_event(store):
    draft(store)
    waves.change(store, "nhap", {"name": "Tên mới"}, version=1, **ACT)
    waves.open(store, "nhap", until=None, **ACT)
    waves.close(store, "nhap", **ACT)
    waves.open(store, "nhap", until=None, reason="Sót phiếu", **ACT)
    found = waves.events(store, "nhap")
    assert [one.action.removeprefix("wave.") for one in found] == [
        "reopen", "close", "open", "edit", "new",
    ]  # fmt: skip
    assert [one.version for one in found] == [5, 4, 3, 2, 1]
    assert found[0].reason == "Sót phiếu"
    assert found[3].detail == {"name": {"from": "Đánh giá tại quầy", "to": "Tên mới"}}


def test_the_same_again_is_no_change(store):
    made = draft(store)
    assert waves.change(store, "nhap", {"name": made.name}, version=1, **ACT).version == 1
    assert len(waves.events(store, "nhap")) == 1


def test_an_older_version_is_refused_naming_who_and_when(store):
    draft(store)
    waves.change(store, "nhap", {"name": "B"}, version=1, now=NOW, actor="shell:ai")
    with pytest.raises(Refused) as caught:
        waves.change(store, "nhap", {"name": "C"}, version=1, **ACT)
    assert caught.value.code == "changed_meanwhile"
    assert (caught.value.facts["who"], caught.value.facts["at"]) == ("shell:ai", NOW)


@pytest.mark.parametrize("name", ["index_method", "questionnaire", "hide_n", "words", "owner"])
def test_what_figures_rest_on_is_fixed_once_the_wave_is_open(store, name):
    values = {"index_method": "scaled", "questionnaire": "sipas-2026.1", "hide_n": 1,
              "words": {"office": "x"}, "owner": "vn34:12"}  # fmt: skip
    version = waves.get(store, "quay").version
    with pytest.raises(Refused, match="wave_fixed"):
        waves.change(store, "quay", {name: values[name]}, version=version, **ACT)


def test_what_no_figure_rests_on_may_change_in_an_open_wave(store):
    version = waves.get(store, "quay").version
    changes = {"name": "Khác", "closes_on": date(2027, 1, 31), "series": "quay", "settled": 9}
    assert waves.change(store, "quay", changes, version=version, **ACT).settled == 9


def test_a_trial_is_not_among_the_live_ones_and_begins_again_when_empty(store):
    draft(store)
    made = trials.begin(store, "nhap", **ACT)
    assert (made.key, made.trial_of, made.closes_on) == (
        "nhap-thu", "nhap", date(2026, 11, 22) + timedelta(trials.DAYS),
    )  # fmt: skip
    assert [wave.key for wave in waves.live(store)] == ["quay"]
    waves.change(store, "nhap", {"name": "Tên mới"}, version=1, **ACT)
    assert trials.begin(store, "nhap", **ACT).name == "Tên mới"
    assert len(doors.of_wave(store, "nhap-thu")) == 1
    with pytest.raises(Refused, match="trial_of_trial"):
        trials.begin(store, "nhap-thu", **ACT)


def test_a_filled_trial_is_emptied_first(store):
    draft(store)
    trials.begin(store, "nhap", **ACT)
    [door] = doors.of_wave(store, "nhap-thu")
    responses.bulk(store, [ground.incoming(door), ground.incoming(door)])
    with pytest.raises(Refused, match="trial_filled"):
        trials.begin(store, "nhap", **ACT)
    assert trials.empty(store, "nhap-thu", **ACT) == 2
    assert trials.begin(store, "nhap", **ACT).trial_of == "nhap"
    with pytest.raises(Refused, match="no_trial"):
        trials.empty(store, "quay", **ACT)


def test_a_key_that_another_wave_has_is_no_trial(store):
    waves.new(store, ground.wave("quay-thu"), **ACT)
    with pytest.raises(Refused, match="trial_taken"):
        trials.begin(store, "quay", **ACT)


def test_a_clone_takes_the_villages_and_plans_and_draws_nothing(store):
    facts = {"kind": "probability", "questionnaire": "sipas-2026.1"}
    waves.new(store, ground.wave("cu", **facts), **ACT)
    rows = [Village(f"p{n}", "s", ground.UNIT, "rural", f"Thôn {n}", 90 + n) for n in range(3)]
    frames.put_villages(store, "cu", rows, whole=True, source="a.csv", **ACT)
    plan = replace(draws.get(store, "cu").plan, takes={"s": 2}, households=12)
    draws.set_plan(store, "cu", plan, **ACT)
    draft(store, "moi", **facts)
    assert clones.copy_sample(store, "cu", "moi", **ACT) == 3
    assert frames.villages(store, "moi") == rows
    held = draws.get(store, "moi")
    assert (held.plan, held.villages_at, held.seed) == (plan, None, "")


def test_a_clone_takes_the_open_counters_with_their_kiosks(store):
    [door] = doors.of_wave(store, "quay")
    doors.adjust(store, door.id, doors.Settings(idle=90), **ACT)
    closed = doors.add(store, kind="counter", wave="quay", unit=ground.UNIT, counter="4", **ACT)
    doors.close(store, closed.id, **ACT)
    draft(store)
    assert clones.copy_doors(store, "quay", "nhap", **ACT) == 1
    [copy] = doors.of_wave(store, "nhap")
    assert (copy.counter, copy.kiosk.idle) == ("3", 90)


def test_a_break_has_a_series_a_year_and_a_reason(store):
    for bad in (
        breaks.Break("", 2022, "x"),
        breaks.Break("s", 22, "x"),
        breaks.Break("s", 2022, " "),
    ):
        with pytest.raises(Refused, match="faulty_break"):
            breaks.declare(store, bad, **ACT)
    made = breaks.declare(store, breaks.Break("s", 2022, "Bảng hỏi mới"), **ACT)
    assert breaks.of(store, "s") == [made]
    assert breaks.series(store) == ["s"]
    breaks.withdraw(store, "s", 2022, **ACT)
    with pytest.raises(LookupError):
        breaks.withdraw(store, "s", 2022, **ACT)
