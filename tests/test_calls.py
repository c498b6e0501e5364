"""Calls after silence: whom, by whom, how often; the interview on the telephone."""

import json
import re
from contextlib import closing
from datetime import date, timedelta

import pytest
from citizens import hidden
from small_wave import COMMUNE, COUNTER, LAI_CHAU, NOW, PASSWORD

from survey import db
from survey.store import calls, clock, dossiers, messages, people, waves

PHONE = "0912345678"
LATER = NOW + timedelta(hours=25)


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


@pytest.fixture
def day_after(monkeypatch):
    """It is 25 hours after the links went out."""
    monkeypatch.setattr(clock, "now", lambda: LATER)


def linked(base, n=1, *, unit=COMMUNE, officer=None, at=NOW):
    """A settled dossier whose link was sent; returns its door."""
    row = dossiers.Dossier(
        key=f"H08.000-261122-2{n:03}", service="Khai sinh", receiving_unit=unit,
        resolving_unit=unit, officer=officer, received_on=date(2026, 11, 2),
        due_on=date(2026, 11, 23), settled_on=date(2026, 11, 21), phone=PHONE,
    )  # fmt: skip
    dossiers.put(base, [row], now=at, actor="shell:test", source="test")
    wave = waves.get(base, COUNTER)
    [due] = messages.due(base, wave, today=clock.day(at), key=row.key)
    held = messages.take(base, wave, due, via="test", now=at, actor="shell:test")
    messages.finish(base, held.id)
    return held.door.id


def outcomes(base):
    return [row["outcome"] for row in base.execute("SELECT outcome FROM phone_call ORDER BY id")]


def actions(base, action):
    rows = base.execute("SELECT * FROM audit WHERE action = ? ORDER BY seq", [action])
    return [(row["actor"], row["subject"]) for row in rows]


def press(client, door, outcome, page="calls/{}"):
    """Press a button of the page of one call."""
    path = f"/{page.format(door)}"
    text = client.get(path).text
    data = dict(hidden(text)) | {"outcome": outcome}
    return client.post(f"/calls/{door}", data=data)


def test_a_link_is_silent_for_a_day_before_anybody_calls(base):
    door = linked(base)

    assert calls.due(base, now=NOW + timedelta(hours=23, minutes=59)) == []
    [call] = calls.due(base, now=NOW + timedelta(hours=24))
    assert (call.door, call.calls, call.last) == (door, 0, "")


def test_the_longest_silence_comes_first(base):
    second = linked(base, 1, at=NOW + timedelta(minutes=1))
    first = linked(base, 2)

    assert [call.door for call in calls.due(base, now=LATER)] == [first, second]


def test_a_dossier_with_an_answer_is_not_called(base):
    door = linked(base)
    [call] = calls.due(base, now=LATER)
    with db.write(base):
        base.execute("INSERT INTO dossier_answer VALUES (?, 'x')", [call.dossier])

    assert calls.due(base, now=LATER) == []
    with pytest.raises(LookupError):
        calls.get(base, door, now=LATER)


def test_nobody_is_called_once_the_number_has_had_its_days(base):
    linked(base)

    assert calls.due(base, now=NOW + timedelta(days=60)) == []


def test_three_calls_and_no_more_with_a_pause_between(base):
    door, now, seen = linked(base), LATER, ""
    for _ in range(3):
        assert calls.due(base, now=now)
        assert calls.record(base, door, "no_answer", seen=seen, now=now, actor="staff:a")
        assert calls.due(base, now=now + timedelta(hours=3, minutes=59)) == []
        seen, now = clock.stamp(now), now + timedelta(hours=4)

    assert calls.due(base, now=now) == []
    with pytest.raises(LookupError):
        calls.record(base, door, "no_answer", seen=seen, now=now, actor="staff:a")
    assert outcomes(base) == ["no_answer"] * 3


@pytest.mark.parametrize("outcome", ["refused", "wrong_number"])
def test_who_said_no_is_left_in_peace(base, outcome):
    calls.record(base, linked(base), outcome, seen="", now=LATER, actor="staff:a")

    assert calls.due(base, now=LATER + timedelta(days=1)) == []


def test_a_button_pressed_twice_counts_once(base):
    door = linked(base)
    for outcome in ("no_answer", "refused"):
        seen = clock.stamp(LATER) if outcome == "refused" else ""
        now = LATER + timedelta(hours=5 if seen else 0)
        given = {"seen": seen, "now": now, "actor": "staff:a"}
        assert calls.record(base, door, outcome, **given)
        assert not calls.record(base, door, outcome, **given)

    assert outcomes(base) == ["no_answer", "refused"]


def test_a_call_somebody_else_made_meanwhile_is_not_overwritten(base):
    door = linked(base)
    calls.record(base, door, "later", seen="", now=LATER, actor="staff:a")

    with pytest.raises(calls.Refused, match="call_elsewhere"):
        calls.record(base, door, "no_answer", seen="", now=LATER, actor="staff:b")
    assert outcomes(base) == ["later"]


def test_a_conversation_and_its_end_are_one_call(base):
    door = linked(base)
    calls.record(base, door, "answered", seen="", now=LATER, actor="staff:a")
    seen = clock.stamp(LATER)
    calls.record(base, door, "later", seen=seen, now=LATER + timedelta(minutes=2), actor="staff:a")

    assert outcomes(base) == ["later"]


def test_the_list_shows_dossiers_but_no_number(client, base, day_after):
    door = linked(base)
    client.login("stranger")
    page = client.get("/calls")

    assert f'href="/calls/{door}"' in page.text
    assert "H08.000-261122-2001" in page.text
    assert PHONE not in page.text
    assert actions(base, "contact.view") == []


def test_an_empty_list_says_so(client, base):
    linked(base)
    client.login("stranger")

    assert "Chưa có hồ sơ nào cần gọi" in client.get("/calls").text


def test_each_look_at_a_number_is_written_down(client, base, day_after):
    door = linked(base)
    client.login("stranger")
    for _ in range(2):
        assert PHONE in client.get(f"/calls/{door}").text

    assert actions(base, "contact.view") == [("staff:stranger", "H08.000-261122-2001")] * 2
    everything = json.dumps([dict(row) for row in base.execute("SELECT * FROM audit")])
    assert PHONE not in everything


@pytest.mark.parametrize("outcome", ["no_answer", "later", "refused", "wrong_number"])
def test_the_buttons_write_down_what_came_of_a_call(client, base, day_after, outcome):
    door = linked(base)
    client.login("stranger")
    answer = press(client, door, outcome)

    assert (answer.status_code, answer.location) == (303, "/calls")
    assert outcomes(base) == [outcome]
    assert "Đã ghi" in client.get("/calls").text
    assert actions(base, "call.record") == [("staff:stranger", "H08.000-261122-2001")]


def test_what_is_no_outcome_is_refused(client, base, day_after):
    door = linked(base)
    client.login("stranger")

    assert press(client, door, "bogus").status_code == 400
    assert outcomes(base) == []


@pytest.mark.parametrize("path", ["/calls", "/calls/{}", "/calls/{}/interview"])
@pytest.mark.parametrize("name", ["member", "neighbour"])
def test_viewers_neither_call_nor_see_numbers(client, base, day_after, path, name):
    door = linked(base)
    client.login(name)

    assert client.get(path.format(door)).status_code == 403


@pytest.fixture
def clerk(client, base, template):
    """Somebody of Lai Châu, and the officer of a dossier, under one cheap password."""

    def login(name, unit=""):
        kept = base.execute("SELECT password_hash FROM staff LIMIT 1").fetchone()[0]
        people.add(
            base, username=name, name=name, role="clerk", unit=unit, password_hash=kept,
            must_change=False, now=NOW, actor="shell:test",
        )  # fmt: skip
        assert client.login(name, PASSWORD).status_code == 303
        return client

    return login


def test_staff_of_a_unit_call_for_that_unit_only(clerk, base, day_after):
    other = linked(base, 1)
    mine = linked(base, 2, unit=LAI_CHAU)
    client = clerk("lan", LAI_CHAU)
    page = client.get("/calls").text

    assert f'href="/calls/{mine}"' in page
    assert f'href="/calls/{other}"' not in page
    for path in (f"/calls/{other}", f"/calls/{other}/interview"):
        assert client.get(path).status_code == 403
    data = {"outcome": "refused", "seen": "", "csrf_token": dict(hidden(client.get(
        f"/calls/{mine}").text))["csrf_token"]}  # fmt: skip
    assert client.post(f"/calls/{other}", data=data).status_code == 403
    assert client.post(f"/calls/{other}/interview", data=data).status_code == 403
    assert outcomes(base) == []


def test_an_officer_never_calls_about_the_own_dossier(clerk, base, day_after):
    door = linked(base, 1, officer="LAN ")
    client = clerk("lan")

    assert "Chưa có hồ sơ nào" in client.get("/calls").text
    for path in (f"/calls/{door}", f"/calls/{door}/interview"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "do chính người đăng nhập giải quyết" in answer.text
    assert actions(base, "contact.view") == []


@pytest.mark.parametrize("number", [99999, 1, 2])
def test_what_nobody_calls_about_is_not_found(client, base, day_after, number):
    client.login("stranger")

    assert client.get(f"/calls/{number}").status_code == 404
    assert client.get(f"/calls/{number}/interview").status_code == 404


def begin(client, door):
    answer = press(client, door, "answered")
    assert answer.location == f"/calls/{door}/interview"
    return client.get(answer.location)


def filled(shown, **changes):
    data = dict(hidden(shown.text.partition("</header>")[2].partition("</form>")[0]))
    for column in re.findall(r'<input type="radio" name="([^"]+)"', shown.text):
        data[column] = "4"
    return data | changes


def test_an_interview_is_stored_as_a_telephone_answer_of_the_dossier(
    client, base, day_after, monkeypatch
):
    door = linked(base)
    client.login("stranger")
    page = begin(client, door)
    monkeypatch.setattr(clock, "now", lambda: LATER + timedelta(minutes=3))
    answer = client.post(f"/calls/{door}/interview", data=filled(page, m2="5", m3="3"))

    assert (answer.status_code, answer.location) == (303, "/calls")
    assert "Mã biên nhận" in client.get("/calls").text
    [row] = base.execute("SELECT * FROM response WHERE channel = 'phone'")
    assert (row["assisted_by"], row["language"], row["wave"]) == ("interviewer", "vi", COUNTER)
    assert json.loads(row["answers"])["m1"] == 4
    assert (row["state"], row["flags"]) == ("valid", "[]")
    assert outcomes(base) == ["answered"]
    assert calls.due(base, now=LATER + timedelta(days=1)) == []


def test_an_interview_sent_twice_is_stored_once_and_thanked_twice(client, base, day_after):
    door = linked(base)
    client.login("stranger")
    data = filled(begin(client, door))
    first, second = (client.post(f"/calls/{door}/interview", data=data) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert base.execute("SELECT COUNT(*) FROM response WHERE channel = 'phone'").fetchone()[0] == 1
    other = client.post(f"/calls/{door}/interview", data=data | {"m1": "1"})
    assert other.status_code == 409
    assert client.post(f"/calls/{door}/interview", data=data | {"page": "x"}).status_code == 404


def test_a_missing_answer_comes_back_with_the_rest_kept(client, base, day_after):
    door = linked(base)
    client.login("stranger")
    data = filled(begin(client, door))
    del data["m2"]
    answer = client.post(f"/calls/{door}/interview", data=data)

    assert answer.status_code == 422
    assert 'href="#m2"' in answer.text
    assert len(re.findall(r'value="4"[^>]* checked', answer.text)) == len(
        [name for name in data if re.fullmatch(r"m\w+", name)]
    )


def test_a_page_that_lost_its_token_is_shown_again_with_the_answers(client, base, day_after):
    door = linked(base)
    client.login("stranger")
    answer = client.post(f"/calls/{door}/interview", data=filled(begin(client, door), page="x"))

    assert answer.status_code == 422
    assert " checked" in answer.text


def test_a_full_disk_costs_no_answer(client, app, base, day_after):
    door = linked(base)
    client.login("stranger")
    data = filled(begin(client, door))
    app.extensions["sipas"].writer.close()
    answer = client.post(f"/calls/{door}/interview", data=data)

    assert answer.status_code == 503
    assert "Chưa lưu được" in answer.text
    assert " checked" in answer.text


def test_an_interview_begins_only_once_somebody_has_answered(client, base, day_after):
    door = linked(base)
    client.login("stranger")

    assert client.get(f"/calls/{door}/interview").location == f"/calls/{door}"


def test_a_person_who_stops_halfway_is_noted_and_nothing_is_stored(client, base, day_after):
    door = linked(base)
    client.login("stranger")
    begin(client, door)
    answer = press(client, door, "refused", page="calls/{}/interview")

    assert answer.status_code == 303
    assert outcomes(base) == ["refused"]
    assert base.execute("SELECT COUNT(*) FROM dossier_answer").fetchone()[0] == 0


def test_a_long_list_shows_those_that_wait_longest_and_says_so(
    client, base, day_after, monkeypatch
):
    monkeypatch.setattr(calls, "LISTED", 1)
    first, second = linked(base, 1), linked(base, 2, at=NOW + timedelta(minutes=1))
    client.login("stranger")
    page = client.get("/calls").text

    assert f'href="/calls/{first}"' in page
    assert f'href="/calls/{second}"' not in page
    assert "Còn nhiều hồ sơ hơn" in page
