"""Staff accounts and the counters that slow guessing down."""

from datetime import date, timedelta

import pytest
from faults import ground
from faults.ground import ACT, NOW

from survey.store import Refused, audit, people, rates

HASH = people.hashed("mật khẩu dài và khó đoán")


@pytest.fixture
def store(tmp_path):
    with ground.make(tmp_path).connect() as base:
        yield base


def add(store, username="lan", **changes):
    facts = {"name": "Lan", "role": "administrator", "password_hash": HASH} | changes
    return people.add(store, username=username, **facts, **ACT)


def test_an_account_is_found_in_any_spelling_of_its_name(store):
    made = add(store, "  Nguyễn.Lan ")
    assert made.username == "nguyễn.lan"
    assert people.find(store, "NGUYE\u0302\u0303N.LAN") == people.get(store, made.id) == made
    assert made.must_change


def test_a_user_name_is_given_once(store):
    add(store)
    with pytest.raises(Refused, match="exists"):
        add(store, "LAN")
    assert [staff.username for staff in people.all(store)] == ["lan"]


def test_an_unknown_role_is_refused(store):
    with pytest.raises(Refused, match="role"):
        add(store, role="king")


def test_a_password_is_scrypt_and_the_same_in_any_unicode_form(store):
    staff = add(store)
    assert staff.password_hash.startswith("scrypt:")
    assert "scrypt" not in repr(staff)
    assert people.matches(staff, "mật khẩu dài và khó đoán")
    assert people.matches(staff, "ma\u0323\u0302t khâ\u0309u dài và khó đoán")
    assert not people.matches(staff, "mat khau dai va kho doan")


def test_nobody_matches_an_unknown_or_disabled_account(store):
    staff = people.disable(store, add(store, role="viewer").id, True, **ACT)
    assert not people.matches(staff, "mật khẩu dài và khó đoán")
    assert not people.matches(None, "mật khẩu dài và khó đoán")
    assert people.matches(people.disable(store, staff.id, False, **ACT), "mật khẩu dài và khó đoán")


def test_a_new_password_ends_sessions_and_is_audited(store):
    staff = add(store)
    changed = people.set_password(store, staff.id, people.hashed("khác hẳn"), now=NOW)
    assert changed.session_version == staff.session_version + 1
    assert not changed.must_change
    last = store.execute("SELECT * FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    assert (last["actor"], last["action"], last["subject"]) == (
        "staff:lan", "staff.password", "lan"
    )  # fmt: skip
    assert list(audit.verify(store)) == []


def test_ending_sessions_changes_nothing_else(store):
    staff = add(store)
    ended = people.end_sessions(store, staff.id, now=NOW)
    assert ended.session_version == staff.session_version + 1
    assert ended.password_hash == staff.password_hash
    with pytest.raises(LookupError):
        people.end_sessions(store, 999, now=NOW)


def test_first_passwords_are_random_and_long():
    found = {people.first_password() for _ in range(200)}
    assert len(found) == 200
    assert all(len(one) >= 15 for one in found)


def hits(store, *seconds, key="k"):
    return [rates.hit(store, key, 60, 3, now=NOW + timedelta(seconds=s)) for s in seconds]


def test_attempts_over_the_limit_wait_for_the_window_to_end(store):
    assert hits(store, 0, 1, 2, 3, 30) == [0, 0, 0, 57, 30]


def test_a_window_ends_by_itself_and_keys_are_apart(store):
    assert hits(store, 0, 0, 0, 0, 60) == [0, 0, 0, 60, 0]
    assert hits(store, 0, key="other") == [0]


def test_asking_counts_nothing_and_the_right_password_clears(store):
    ask = {"window": 60, "limit": 3, "now": NOW}
    assert rates.waiting(store, "k", **ask) == 0
    hits(store, 0, 0, 0)
    assert rates.waiting(store, "k", **ask) == rates.waiting(store, "k", **ask) == 60
    rates.clear(store, "k")
    assert rates.waiting(store, "k", **ask) == 0


def test_a_clock_set_back_locks_nobody_out(store):
    hits(store, 0, 0, 0, 0)
    assert hits(store, -86_400) == [0]


def test_old_counters_are_swept(store):
    hits(store, 0)
    assert rates.sweep(store, now=NOW + timedelta(hours=23)) == 0
    assert rates.sweep(store, now=NOW + timedelta(hours=25)) == 1


def test_an_address_is_masked_for_one_day():
    today, secret = date(2026, 11, 22), b"k" * 32
    masked = rates.masked(secret, "203.0.113.7", today)
    assert masked == rates.masked(secret, "203.0.113.7", today)
    assert "203" not in masked
    assert masked != rates.masked(secret, "203.0.113.7", today + timedelta(days=1))
    assert masked != rates.masked(b"o" * 32, "203.0.113.7", today)
