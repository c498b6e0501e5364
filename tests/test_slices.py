"""A wave cut into parts: what each part adds up to, and which parts may not be told."""

from __future__ import annotations

from datetime import date

import pytest
import stored

from analysis import folds, sipas
from analysis.slices import slices, whole_months
from survey import tallies

UNITS = ("vn34:01", "vn34:08")
SERVICES = ("Hộ tịch", "Đất đai", None)


@pytest.fixture
def db():
    with stored.database() as made:
        stored.wave(made, questionnaire="mot-cua-2026.1", kind="self_selected")
        for n in range(240):
            stored.answer(
                made, {f"m{k}": 1 + (n * 7 + k) % 5 for k in range(1, 6)},
                unit=UNITS[n % 2], counter=str(n % 4), service=SERVICES[n % 3],
                channel=("kiosk", "qr")[n // 3 % 2],
                received_at=f"2026-{9 + n // 120:02}-{1 + n // 4 % 30:02}T02:00:00.000Z",
            )  # fmt: skip
        yield made


def people(found):
    return {part.key: part.total.n for part in found.parts}


@pytest.mark.parametrize("by", ["unit", "counter", "service", "channel", "time"])
@pytest.mark.parametrize("folded", [False, True])
def test_parts_add_up_to_the_whole_however_much_is_tallied(db, by, folded):
    if folded:
        tallies.refresh(db, "w")
        for n in range(12):
            stored.answer(db, {"m1": 5, "m2": 4}, unit=UNITS[n % 2], counter="0",
                          service="Hộ tịch", received_at="2026-10-03T02:00:00.000Z")  # fmt: skip
    found = slices(db, "w", by=by)

    assert sum(people(found).values()) + found.rest == found.total.n == 240 + 12 * folded
    assert found.total.value == sipas.wave_result(db, "w", comments=False).total.value


def test_a_part_is_what_a_wave_of_its_answers_alone_would_be(db):
    [september] = [p for p in slices(db, "w", by="time").parts if p.key == "2026-09"]
    db.execute("DELETE FROM response WHERE received_at > '2026-10'")
    alone = sipas.wave_result(db, "w", comments=False)

    assert [(f.id, f.value, f.n) for f in september.figures] == [
        (f.id, f.value, f.n) for f in alone.figures if f.kind != "item"
    ]


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(
    ("since", "until", "n"),
    [
        (date(2026, 9, 1), date(2026, 9, 30), 120),
        (date(2026, 9, 29), date(2026, 10, 2), 16),
        (date(2026, 9, 30), date(2026, 10, 31), 124),
        (date(2026, 9, 2), date(2026, 10, 31), 236),
        (date(2026, 9, 5), date(2026, 9, 5), 4),
        (date(2026, 8, 1), date(2026, 8, 31), 0),
    ],
)
def test_a_period_counts_the_days_in_it_and_no_others(db, since, until, n, folded):
    if folded:
        tallies.refresh(db, "w")
    found = slices(db, "w", by="unit", since=since, until=until)

    assert sum(found.channels.values()) == n
    assert found.total.n == (n if n >= 5 else 0)


def test_a_short_period_is_cut_into_days_a_long_one_into_months(db):
    days = slices(db, "w", by="time", since=date(2026, 9, 29), until=date(2026, 10, 2))
    months = slices(db, "w", by="time", since=date(2026, 9, 1), until=date(2026, 10, 31))

    assert [p.key for p in days.parts] == ["2026-09-29", "2026-09-30", "2026-10-01", "2026-10-02"]
    assert people(months) == {"2026-09": 120, "2026-10": 120}


def test_days_of_four_answers_are_not_told(db):
    found = slices(db, "w", by="time", since=date(2026, 9, 29), until=date(2026, 10, 2))

    assert found.total.n == 16
    assert {p.total.value for p in found.parts} == {None}


def test_a_scope_has_only_its_own_parts(db):
    tallies.refresh(db, "w")
    found = slices(db, "w", by="counter", scope="vn34:08")

    assert people(found) == {"vn34:08|1": 60, "vn34:08|3": 60}
    assert found.total.n == 120


def test_a_small_part_is_hidden_together_with_the_next_smallest(db):
    stored.answer(db, {"m1": 5}, unit="vn34:01", counter="9", channel="link", service="Hiếm")
    found = {p.key: p.total.flags for p in slices(db, "w", by="counter").parts}
    hidden = {key for key, flags in found.items() if "hidden" in flags}

    assert len(hidden) == 2
    assert "vn34:01|9" in hidden


def test_a_unit_hidden_in_the_table_of_the_period_has_no_page_of_its_own(db):
    stored.answer(db, {"m1": 5}, unit="vn34:12", received_at="2026-09-10T02:00:00.000Z")
    within = {"since": date(2026, 9, 1), "until": date(2026, 9, 30)}
    found = slices(db, "w", by="time", scope="vn34:12", **within)

    assert found.total.value is None
    assert found.parts == ()
    assert found.channels == {}


def test_self_selected_parts_claim_no_error(db):
    for by in ("unit", "counter", "service", "channel", "time"):
        for part in slices(db, "w", by=by).parts:
            assert {(f.se, f.low, f.high) for f in part.figures} == {(None, None, None)}


def test_services_need_whole_months(db):
    with pytest.raises(ValueError, match="month"):
        slices(db, "w", by="service", since=date(2026, 9, 2), until=date(2026, 9, 30))
    assert whole_months(date(2026, 9, 1), date(2026, 9, 30))
    assert not whole_months(None, date(2026, 9, 29))


def test_flagged_answers_can_be_left_out(db):
    db.execute("UPDATE response SET state = 'flagged' WHERE seq <= 10")
    whole = slices(db, "w", by="channel")
    less = slices(db, "w", by="channel", flagged=False)

    assert (whole.total.n, less.total.n) == (240, 230)
    assert whole.flagged == less.flagged == 10


def test_a_sample_is_cut_by_channel_with_its_intervals():
    with stored.database() as db:
        stored.wave(db, questionnaire="mot-cua-2026.1")
        for p in range(6):
            stored.psu(db, f"p{p}", "SR"[p % 2], "vn34:01")
        for n in range(60):
            answers = {f"m{k}": 1 + (n * 3 + k + n // 7) % 5 for k in range(1, 6)}
            stored.answer(db, answers, psu=f"p{n % 6}", channel=("post", "link")[n // 6 % 2])
        found = slices(db, "w", by="channel")

        assert {p.key: p.total.n for p in found.parts} == {"post": 30, "link": 30}
        assert all(p.total.low < p.total.value < p.total.high for p in found.parts)
        assert found.design.n == 60
        with pytest.raises(ValueError, match="by counter"):
            slices(db, "w", by="counter")


def test_the_runs_of_a_period_join_without_a_gap():
    assert folds.spans("2026-06-15", "2026-10-03") == [
        ("m2026-07", "m2026-09"), ("2026-06-15", "2026-06-99"), ("2026-10-00", "2026-10-03"),
    ]  # fmt: skip
    assert folds.spans("2026-07-01", "2026-09-30") == [("m2026-07", "m2026-09")]
    assert folds.spans("2026-07-02", "2026-07-30") == [("2026-07-02", "2026-07-30")]
    assert folds.spans("2026-12-31", "2027-01-30") == [("2026-12-31", "2027-01-30")]
    assert folds.spans("", "", services=True) == [("s", "s~")]
    assert folds.spans("2026-07-02", "2026-07-30", services=True) == []
