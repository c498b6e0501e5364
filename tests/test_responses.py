"""Storing responses: once, whatever is sent again; never lost, never changed, never deleted."""

import json
import random
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from faults import ground
from faults.ground import NOW, incoming

from forms import rules
from forms.questionnaire import load
from survey import db
from survey.store import Refused, audit, doors, instances, responses, seals, waves

LATER = NOW + timedelta(days=400)
CONTACT = responses.Contact("0912345678", date(2026, 12, 22))


@pytest.fixture
def place(tmp_path):
    return ground.make(tmp_path)


@pytest.fixture
def writer(place):
    made = db.Writer(place.settings.database)
    yield made
    made.close()


@pytest.fixture
def store(place):
    with place.connect() as base:
        yield base


def rows(store):
    return store.execute("SELECT * FROM response ORDER BY seq").fetchall()


def refused(writer, response, now=NOW):
    with pytest.raises(Refused) as caught:
        responses.add(writer, response, now=now)
    return caught.value


def of_dossier(store, key):
    return doors.add(
        store, kind="dossier", wave="quay", unit=ground.UNIT, dossier_key=key, **ground.ACT
    )


def links(store):
    return [tuple(row) for row in store.execute("SELECT * FROM dossier_answer ORDER BY dossier")]


def test_a_response_is_one_row_with_everything_in_it(place, writer, store):
    sent = incoming(place.door, comment="Cảm ơn", m1=2)
    stored = responses.add(writer, sent, now=NOW)
    [row] = rows(store)
    assert stored == responses.Stored(row["receipt"], "2026-11-22T03:00:00.000Z", new=True)
    assert json.loads(row["answers"]) == sent.answers
    assert row["codes"] == rules.pack(load(sent.questionnaire), sent.answers)
    assert (row["wave"], row["receiving_unit"], row["counter"]) == ("quay", "vn34:08", "3")
    assert (row["state"], row["channel"], row["language"]) == ("valid", "kiosk", "vi")


def test_the_same_response_again_gets_the_same_receipt(place, writer, store):
    sent = incoming(place.door)
    first = responses.add(writer, sent, now=NOW)
    again = responses.add(writer, sent, now=NOW + timedelta(hours=1))
    assert again == replace(first, new=False)
    assert len(rows(store)) == 1


def test_a_hundred_repeats_at_once_are_one_response(place, writer, store):
    sent = incoming(place.door)
    with ThreadPoolExecutor(20) as pool:
        stored = list(pool.map(lambda _: responses.add(writer, sent, now=NOW), range(100)))
    assert len({one.receipt for one in stored}) == 1
    assert sum(one.new for one in stored) == 1
    assert len(rows(store)) == 1


@pytest.mark.parametrize("change", [{"m1": 1}, {"comment": "khác"}])
def test_other_content_under_the_same_id_is_refused_and_changes_nothing(
    place, writer, store, change
):
    sent = incoming(place.door)
    responses.add(writer, sent, now=NOW)
    before = [tuple(row) for row in rows(store)]
    refusal = refused(writer, replace(sent, answers=ground.answers(**change)))
    assert (refusal.code, refusal.status) == ("changed", 409)
    assert [tuple(row) for row in rows(store)] == before


def test_the_same_id_through_a_door_of_another_wave_is_refused(place, writer, store):
    waves.new(store, ground.wave("khac"), **ground.ACT)
    other = doors.add(store, kind="counter", wave="khac", unit=ground.UNIT, **ground.ACT)
    sent = incoming(place.door)
    responses.add(writer, sent, now=NOW)
    assert refused(writer, replace(sent, door=other)).code == "changed"


def test_a_dossier_answers_once(place, writer, store):
    door = of_dossier(store, "H08.1")
    first = incoming(door)
    responses.add(writer, first, now=NOW)
    refusal = refused(writer, incoming(door))
    assert (refusal.code, refusal.status) == ("used", 409)
    assert not responses.add(writer, first, now=NOW).new
    assert len(rows(store)) == 1


def test_a_hundred_answers_for_one_dossier_at_once_are_one(place, writer, store):
    door = of_dossier(store, "H08.2")

    def send(_):
        try:
            return responses.add(writer, incoming(door), now=NOW)
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(send, range(100)))
    assert found.count("used") == 99
    assert len(rows(store)) == 1


@pytest.mark.parametrize(
    ("now", "on", "before"),
    [
        (NOW - timedelta(days=30), date(2026, 11, 1), True),
        (LATER, date(2026, 12, 31), False),
    ],
)
def test_outside_its_days_a_wave_takes_nothing_new(place, writer, store, now, on, before):
    refusal = refused(writer, incoming(place.door), now)
    assert (refusal.code, refusal.status) == ("closed", 410)
    assert refusal.facts == {"on": on, "before": before}
    assert rows(store) == []


def test_the_last_day_ends_at_midnight_in_vietnam(place, writer):
    last = NOW.replace(month=12, day=31, hour=16, minute=59)
    assert responses.add(writer, incoming(place.door), now=last).new
    assert refused(writer, incoming(place.door), last + timedelta(minutes=1)).code == "closed"


def test_a_wave_closed_by_hand_takes_nothing_new(place, writer, store):
    waves.close(store, "quay", **ground.ACT)
    assert refused(writer, incoming(place.door)).facts["on"] == date(2026, 11, 22)


def test_a_door_taken_down_takes_nothing_new(place, writer, store):
    doors.close(store, place.door.id, **ground.ACT)
    assert refused(writer, incoming(place.door)).code == "closed"


def test_a_repeat_after_closing_still_gets_its_receipt(place, writer):
    sent = incoming(place.door)
    first = responses.add(writer, sent, now=NOW)
    assert responses.add(writer, sent, now=LATER) == replace(first, new=False)
    assert refused(writer, replace(sent, answers=ground.answers(m1=1)), LATER).code == "changed"


def test_a_questionnaire_the_wave_does_not_ask_is_refused(place, writer):
    asked = load("nd61-2018.1")
    given = {column.id: 3 for column in asked.columns if column.item.kind == "scale"}
    sent = replace(incoming(place.door), questionnaire="nd61-2018.1", answers=given)
    assert refused(writer, sent).code == "other_questionnaire"


def test_receipts_are_random_and_cannot_be_misread():
    found = {responses.receipt() for _ in range(2_000)}
    assert len(found) == 2_000
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{8}", one) for one in found)
    assert len({one[0] for one in found}) == len(responses.ALPHABET) == 32


def test_a_receipt_that_is_taken_is_drawn_again(place, writer, store, monkeypatch):
    first = responses.add(writer, incoming(place.door), now=NOW)
    drawn = iter([first.receipt, first.receipt, "NEWNEW22"])
    monkeypatch.setattr(responses, "receipt", lambda: next(drawn))
    assert responses.add(writer, incoming(place.door), now=NOW).receipt == "NEWNEW22"
    assert len(rows(store)) == 2


def test_a_receipt_is_found_however_it_is_typed(place, writer, store):
    code = responses.add(writer, incoming(place.door), now=NOW).receipt
    printed = responses.printed(code)
    assert re.fullmatch(r".{4}-.{4}", printed)
    for typed in (code, printed, printed.lower(), f"  {printed} "):
        assert responses.by_receipt(store, typed)["receipt"] == code
    assert responses.by_receipt(store, "nothing") is None


def test_withdrawing_erases_the_response_once_and_is_audited(place, writer, store):
    code = responses.add(writer, incoming(place.door), now=NOW).receipt
    assert responses.withdraw(store, code, now=NOW)
    assert not responses.withdraw(store, code, now=NOW)
    assert not responses.withdraw(store, "2345ABCD", now=NOW)
    [row] = rows(store)
    assert (row["state"], row["flags"]) == ("void", '["withdrawn"]')
    last = store.execute("SELECT * FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    assert (last["actor"], last["action"]) == ("citizen", "response.void")
    assert list(audit.verify(store)) == []


def test_of_what_was_withdrawn_nothing_is_left_in_any_table_or_file(place, writer, store):
    door = of_dossier(store, "H08.9")
    sent = replace(
        incoming(door, comment="Cán bộ quầy ba rất tận tình", m1=1),
        contact=CONTACT, flags=("straight_line",), assisted_by="family", language="en",
    )  # fmt: skip
    code = responses.add(writer, sent, now=NOW).receipt
    size = len(rows(store)[0]["codes"])
    assert responses.withdraw(store, code, now=NOW)
    [row] = rows(store)
    assert (row["answers"], row["codes"], row["language"]) == ("{}", bytes(size), "")
    assert (row["assisted_by"], row["started_at"], row["submitted_at"]) == (None, None, None)
    dump = "\n".join(store.iterdump())
    for trace in ("tận tình", "0912345678", "straight_line", f"'{sent.id}','H08.9'"):
        assert trace not in dump
    assert links(store) == []
    assert instances.check(store) == []
    writer.close()
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = place.settings.database.read_bytes()
    assert "tận tình".encode() not in held
    assert b"0912345678" not in held


def test_who_takes_an_answer_back_is_not_called_for_another(place, writer, store):
    for key in ("H08.1", "H08.2"):
        store.execute("INSERT INTO dossier_contact VALUES (?, '0912345678', '2027-01-01')", [key])
    stored = responses.add(writer, incoming(of_dossier(store, "H08.1")), now=NOW)
    assert responses.withdraw(store, stored.receipt, now=NOW)

    left = [row["dossier"] for row in store.execute("SELECT dossier FROM dossier_contact")]
    assert left == ["H08.2"]


def test_a_withdrawn_response_sent_again_gets_its_receipt_and_stays_erased(place, writer, store):
    sent = incoming(place.door, comment="Tốt")
    first = responses.add(writer, sent, now=NOW)
    responses.withdraw(store, first.receipt, now=NOW)
    before = [tuple(row) for row in rows(store)]
    assert responses.add(writer, sent, now=LATER) == replace(first, new=False)
    other = replace(sent, answers=ground.answers(m1=1))
    assert not responses.add(writer, other, now=NOW).new
    assert [tuple(row) for row in rows(store)] == before


def test_what_staff_voided_can_still_be_withdrawn(place, writer, store):
    code = responses.add(writer, incoming(place.door, comment="Tốt"), now=NOW).receipt
    responses.judge(store, 1, "void", "test", **ground.ACT)
    assert responses.withdraw(store, code, now=NOW)
    [row] = rows(store)
    assert (row["answers"], row["flags"]) == ("{}", '["withdrawn"]')
    assert instances.check(store) == []


def test_after_withdrawing_the_dossier_may_be_answered_once_more(place, writer, store):
    door = of_dossier(store, "H08.9")
    first = responses.add(writer, incoming(door), now=NOW)
    responses.withdraw(store, first.receipt, now=NOW)
    assert not responses.answered(store, door)
    assert responses.add(writer, incoming(door), now=NOW).new
    assert refused(writer, incoming(door)).code == "used"


def test_flags_are_stored_with_the_response_and_count_as_flagged(place, writer, store):
    sent = replace(incoming(place.door), flags=("too_fast", "night", "night"))
    first = responses.add(writer, sent, now=NOW)
    assert responses.add(writer, replace(sent, flags=()), now=NOW) == replace(first, new=False)
    [row] = rows(store)
    assert (row["state"], row["flags"]) == ("flagged", '["night", "too_fast"]')
    assert responses.counts(store, "quay").flagged == 1
    assert instances.check(store) == []


def test_a_number_left_is_kept_apart_from_the_answers_with_its_day(place, writer, store):
    sent = replace(incoming(place.door), contact=CONTACT)
    responses.add(writer, sent, now=NOW)
    responses.add(writer, sent, now=LATER)
    assert [tuple(row) for row in store.execute("SELECT * FROM contact")] == [
        (1, sent.id, "quay", ground.UNIT, "0912345678", "2026-11-22T03:00:00.000Z", "2026-12-22")
    ]
    [row] = rows(store)
    assert "0912345678" not in str(tuple(row))


def test_a_dossier_that_is_taken_keeps_neither_answer_nor_number(place, writer, store):
    door = of_dossier(store, "H08.9")
    first = incoming(door)
    responses.add(writer, first, now=NOW)
    late = replace(incoming(door), contact=CONTACT)
    assert refused(writer, late).code == "used"
    assert links(store) == [("H08.9", first.id)]
    assert len(rows(store)) == 1
    assert store.execute("SELECT COUNT(*) FROM contact").fetchone()[0] == 0


def test_in_bulk_dossiers_are_tied_too_all_or_none(place, store):
    doors_ = [of_dossier(store, f"H{n}") for n in range(3)]
    assert responses.bulk(store, [incoming(door) for door in doors_]) == 3
    assert len(links(store)) == 3
    with pytest.raises(Refused, match="used"):
        responses.bulk(store, [incoming(place.door), incoming(doors_[1])])
    assert len(rows(store)) == 3


def test_neither_the_row_nor_the_export_names_the_dossier(place, writer, store):
    responses.add(writer, incoming(of_dossier(store, "H08.9")), now=NOW)
    assert "H08.9" not in str(tuple(rows(store)[0]))
    [row] = responses.export(store, "quay")
    assert "H08.9" not in str(row)
    assert not any("dossier" in name for name in row)


def test_counts_are_by_state_channel_and_day_in_vietnam(place, writer, store):
    responses.add(writer, incoming(place.door), now=NOW.replace(hour=16))
    responses.add(writer, incoming(place.door), now=NOW.replace(hour=17))
    responses.add(writer, replace(incoming(place.door), channel="qr"), now=NOW)
    code = responses.add(writer, incoming(place.door), now=NOW).receipt
    before = responses.mark(store, "quay")
    responses.withdraw(store, code, now=NOW)
    found = responses.counts(store, "quay")
    assert (found.valid, found.flagged, found.void, found.total) == (3, 0, 1, 3)
    assert found.channels == {"kiosk": 2, "qr": 1}
    assert found.days == {date(2026, 11, 22): 2, date(2026, 11, 23): 1}
    assert responses.mark(store, "quay") != before


def test_many_are_stored_in_one_transaction_or_none(place, store):
    many = [incoming(place.door) for _ in range(50)]
    assert responses.bulk(store, many) == 50
    with pytest.raises(Refused):
        responses.bulk(store, [incoming(place.door), many[7]])
    assert len(rows(store)) == 50
    assert len({row["receipt"] for row in rows(store)}) == 50


def test_an_export_has_codes_and_texts_but_nothing_that_names_a_person(place, writer, store):
    sent = incoming(place.door, comment="Tốt", m1=1)
    code = responses.add(writer, sent, now=NOW).receipt
    [row] = responses.export(store, "quay")
    assert (row["m1"], row["m2"], row["comment"]) == (1, 4, "Tốt")
    assert row["received_on"] == "2026-11-22"
    assert not {code, sent.id} & {str(value) for value in row.values()}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("answers", '{"m1":5}'),
        ("digest", "0" * 64),
        ("codes", b"\x05\x05\x05\x05\x05\x05"),
        ("questionnaire", "nd61-2018.1"),
        ("received_at", "2026-11-21T03:00:00.000Z"),
        ("receiving_unit", "vn34:12"),
        ("channel", "post"),
        ("counter", None),
        ("receipt", "22222222"),
        ("seal", ""),
        ("state", "void"),
    ],
)
def test_a_row_changed_behind_our_back_is_named(place, writer, store, column, value):
    for _ in range(3):
        responses.add(writer, incoming(place.door), now=NOW)
    assert instances.check(store) == []
    store.execute(f"UPDATE response SET {column} = ? WHERE seq = 2", (value,))
    [fault] = instances.check(store)
    assert fault.startswith("Phiếu số 2:")


def test_a_voided_response_that_was_quietly_made_valid_is_named(place, writer, store):
    code = responses.add(writer, incoming(place.door), now=NOW).receipt
    responses.withdraw(store, code, now=NOW)
    assert instances.check(store) == []
    store.execute("UPDATE response SET state = 'valid'")
    assert instances.check(store) == ["Phiếu số 1: trạng thái không khớp nhật ký"]


def test_300_random_changes_of_single_letters_are_all_found(place, store):
    responses.bulk(store, [incoming(place.door, comment=f"số {n}") for n in range(5)])
    for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
        store.execute(f"PRAGMA {pragma}")  # a damaged page asks nobody
    dice = random.Random(7)
    tables = {"response": ("answers", "digest", *seals.SEALED), "audit": ("at", "hash")}
    for _ in range(300):
        table = dice.choice(["response", "response", "audit"])
        seq = dice.randint(1, store.execute(f"SELECT MAX(seq) FROM {table}").fetchone()[0])
        column = dice.choice(tables[table])
        sql = f"SELECT {column} FROM {table} WHERE seq = ?"
        before = store.execute(sql, (seq,)).fetchone()[0]
        if not isinstance(before, str) or not before:
            continue
        at = dice.randrange(len(before))
        after = before[:at] + chr(ord(before[at]) ^ 1 << dice.randrange(5)) + before[at + 1 :]
        change = f"UPDATE {table} SET {column} = ? WHERE seq = ?"
        store.execute(change, (after, seq))
        assert instances.check(store) != [], (table, column, before, after)
        store.execute(change, (before, seq))
    assert instances.check(store) == []


def test_the_wave_must_exist(store, place, writer):
    with pytest.raises(LookupError):
        responses.add(writer, incoming(replace(place.door, wave="none")), now=NOW)
    with pytest.raises(sqlite3.IntegrityError):
        store.execute("UPDATE door SET wave = 'none'")
