"""Telephone numbers: listed without saying whose answers, gone for good on their day."""

from datetime import UTC, date, datetime

import pytest
from faults import ground

from survey.store import contacts

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path / "instance")


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def leave(store, n, phone, purge_on, unit="vn34:00004", wave="w"):
    store.execute(
        "INSERT INTO contact (response, wave, unit, phone, consented_at, purge_on)"
        " VALUES (?, ?, ?, ?, '2026-11-01T02:00:00.000Z', ?)",
        (f"r{n}", wave, unit, phone, purge_on),
    )


def hand_over(store, dossier, phone, purge_on):
    store.execute("INSERT INTO dossier_contact VALUES (?, ?, ?)", (dossier, phone, purge_on))


def test_numbers_are_listed_by_number_with_their_days_and_without_their_answers(store):
    leave(store, 1, "0987000002", "2027-01-30")
    leave(store, 2, "0912000001", "2027-01-31", unit="vn34:00008")

    found = list(contacts.listed(store, "w"))

    assert [one.phone for one in found] == ["0912000001", "0987000002"]
    assert found[1].consented_on == date(2026, 11, 1)
    assert found[1].purge_on == date(2027, 1, 30)
    assert not hasattr(found[0], "response")
    assert [one.phone for one in contacts.listed(store, "w", "vn34:00008")] == ["0912000001"]
    assert list(contacts.listed(store, "other")) == []


def test_a_number_goes_on_its_day_and_not_before(store):
    leave(store, 1, "0912000001", "2026-11-22")
    leave(store, 2, "0912000002", "2026-11-23")

    assert contacts.purge(store, date(2026, 11, 21)) == 0
    assert contacts.purge(store, date(2026, 11, 22)) == 1
    assert [one.phone for one in contacts.listed(store, "w")] == ["0912000002"]


def test_numbers_of_dossiers_go_on_their_day(store):
    hand_over(store, "H1", "0912000001", "2026-11-22")
    hand_over(store, "H2", "0912000002", "2026-11-23")

    assert contacts.purge_dossiers(store, date(2026, 11, 22)) == 1
    assert [(one.wave, one.n) for one in contacts.kept(store)] == [("", 1)]


def test_what_is_kept_is_counted_by_wave_with_its_first_and_last_day(store):
    leave(store, 1, "0912000001", "2026-12-01")
    leave(store, 2, "0912000002", "2027-01-30")
    leave(store, 3, "0912000003", "2027-02-01", wave="v")

    assert [(one.wave, one.n, one.first, one.last) for one in contacts.kept(store)] == [
        ("v", 1, date(2027, 2, 1), date(2027, 2, 1)),
        ("w", 2, date(2026, 12, 1), date(2027, 1, 30)),
    ]


def test_old_messages_and_calls_go(store):
    for at in ("2026-01-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z"):
        store.execute(
            "INSERT INTO message (dossier, door, via, at, state, fault)"
            " VALUES ('H1', 1, 'file', ?, 'sent', '')",
            (at,),
        )
        store.execute(
            "INSERT INTO phone_call (dossier, at, actor, outcome)"
            " VALUES ('H1', ?, 'staff:a', 'later')",
            (at,),
        )
    before = datetime(2026, 6, 1, tzinfo=UTC)

    assert contacts.purge_messages(store, before) == contacts.purge_calls(store, before) == 1
    assert contacts.purge_messages(store, before) == contacts.purge_calls(store, before) == 0


def test_a_purged_number_is_nowhere_in_the_files_of_the_database(place):
    def held():
        folder = place.settings.database.parent
        return b"".join(
            path.read_bytes() for path in folder.glob(place.settings.database.name + "*")
        )

    with place.connect() as store:
        store.execute("PRAGMA secure_delete = OFF")  # as some builds of SQLite have it
        leave(store, 1, "0912999777", "2026-11-22")
        leave(store, 2, "0912000002", "2026-12-22")
        assert b"0912999777" in held()

        contacts.purge(store, date(2026, 11, 22))
        assert contacts.scrub(store)
        assert b"0912999777" not in held()
