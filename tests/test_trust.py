"""Signs of answers that are not one citizen's own: each rule, and the office that is fair."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from forms.questionnaire import load
from survey import db, text, trust
from survey.citizen import answering
from survey.store import clock, responses

SHORT, LONG = load("mot-cua-2026.1"), load("sipas-2026.1")
MARKS = {"m1": 4, "m2": 4, "m3": 5, "m4": 4, "m5": 4, "m_all": 5}
#: 09:30 in Vietnam.
NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
SECRET = b"s" * 32


def given(**changes):
    sent = changes.pop("submitted", NOW)
    facts = {
        "id": str(uuid4()),
        "questionnaire": SHORT,
        "answers": MARKS,
        "door": 1,
        "counter": True,
        "channel": "qr",
        "started": sent - timedelta(seconds=90) if sent else None,
        "submitted": sent,
        "received": NOW if sent is None else sent,
        "device": b"phone",
    }
    return trust.Given(**facts | changes)


def reasons(**changes):
    return trust.reasons(given(**changes), trust.Lately())


def one_after_another(n, *, every=60, last=50, lately=None, **changes):
    """The reasons of n answers of one device, each begun after the one before was sent."""
    lately, found = lately or trust.Lately(), []
    for number in range(n):
        sent = NOW + timedelta(seconds=every * number)
        facts = {"submitted": sent, "started": sent - timedelta(seconds=last)} | changes
        found.append(trust.reasons(given(**facts), lately))
    return found


def test_an_honest_answer_has_no_flag():
    assert reasons() == ()


class TestBursts:
    def test_the_sixth_answer_in_a_row_is_flagged_and_the_five_before_are_not(self):
        assert one_after_another(7) == [()] * 5 + [("burst",)] * 2

    def test_five_of_a_family_are_not(self):
        assert set(one_after_another(5)) == {()}

    def test_answers_spread_over_the_day_are_not(self):
        assert set(one_after_another(50, every=130)) == {()}

    def test_people_who_answer_at_the_same_time_are_several_people(self):
        assert set(one_after_another(9, last=150)) == {()}

    def test_but_not_more_than_one_every_half_minute(self):
        found = one_after_another(25, every=20, last=150)

        assert found[:20] == [()] * 20
        assert set(found[20:]) == {("burst",)}

    def test_without_a_beginning_they_count_as_one_after_another(self):
        assert one_after_another(6, started=None)[-1] == ("burst",)

    def test_an_answer_sent_again_is_no_second_one(self):
        assert set(one_after_another(9, id="the-same")) == {()}

    def test_another_device_is_another_person(self):
        lately = trust.Lately()
        for device in (b"one", b"two"):
            assert set(one_after_another(5, lately=lately, device=device)) == {()}

    def test_a_link_is_for_one_answer_anyway(self):
        assert set(one_after_another(9, counter=False, channel="link")) == {()}

    def test_a_kiosk_is_one_device_for_everybody(self):
        assert set(one_after_another(40, every=15, last=12, channel="kiosk")) == {()}

    def test_but_nobody_answers_at_a_kiosk_in_less_than_ten_seconds(self):
        found = one_after_another(3, every=9, last=8, channel="kiosk")

        assert found == [(), ("burst",), ("burst",)]

    def test_tablets_that_look_alike_are_told_apart_by_their_counter(self):
        lately = trust.Lately()
        found = [trust.reasons(given(channel="kiosk", door=door), lately) for door in (1, 2, 3)]

        assert set(found) == {()}

    def test_answers_kept_offline_count_when_they_were_given(self):
        lately, received = trust.Lately(), NOW + timedelta(days=3)
        found = [
            trust.reasons(
                given(submitted=NOW + timedelta(minutes=4 * n), received=received, channel="kiosk"),
                lately,
            )
            for n in range(100)
        ]

        assert set(found) == {()}

    def test_an_interviewer_sends_many(self):
        found = one_after_another(9, channel="phone", staff=True)

        assert set(found) == {()}


class TestStraightLines:
    ALIKE = dict.fromkeys(MARKS, 4)

    def test_contentment_in_six_questions_is_no_sign(self):
        assert reasons(answers=self.ALIKE) == ()

    def test_unless_it_came_faster_than_one_reads(self):
        assert reasons(answers=self.ALIKE, started=NOW - timedelta(seconds=9)) == ("straight_line",)

    def test_in_the_long_form_it_is(self):
        scored = [item.id for item in LONG.items if item.kind == "scale"]

        assert reasons(questionnaire=LONG, answers=dict.fromkeys(scored, 4)) == ("straight_line",)
        once = dict.fromkeys(scored, 4) | {scored[7]: 3}
        assert reasons(questionnaire=LONG, answers=once) == ()

    def test_no_answer_throughout_is_no_level(self):
        scored = [item.id for item in LONG.items if item.kind == "scale"]

        assert reasons(questionnaire=LONG, answers=dict.fromkeys(scored, 9)) == ()


class TestHaste:
    def test_less_than_a_second_an_answer_is_too_fast(self):
        assert reasons(started=NOW - timedelta(seconds=5)) == ("too_fast",)
        assert reasons(started=NOW - timedelta(seconds=7)) == ()

    def test_an_unknown_beginning_or_a_clock_set_back_says_nothing(self):
        assert reasons(started=None) == ()
        assert reasons(started=NOW + timedelta(hours=1)) == ()


class TestTimes:
    @pytest.mark.parametrize(("hour", "night"), [(21, False), (22, True), (4, True), (5, False)])
    def test_night_is_from_22_to_5_in_vietnam(self, hour, night):
        at = datetime(2026, 11, 23, hour, 1, tzinfo=clock.VIETNAM)

        assert reasons(submitted=at) == (("night",) if night else ())

    def test_a_link_may_be_answered_at_any_time(self):
        at = datetime(2026, 11, 23, 23, 0, tzinfo=clock.VIETNAM)

        assert reasons(submitted=at, counter=False, channel="link") == ()

    def test_what_a_tablet_kept_all_day_and_sends_at_night_was_given_by_day(self):
        later = datetime(2026, 11, 23, 23, 0, tzinfo=clock.VIETNAM)

        assert reasons(received=later, channel="kiosk") == ()

    @pytest.mark.parametrize(
        ("off", "wrong"),
        [(timedelta(hours=23), False), (timedelta(hours=25), True),
         (timedelta(days=-13), False), (timedelta(days=-15), True)],
    )  # fmt: skip
    def test_a_clock_is_wrong_a_day_ahead_or_two_weeks_behind(self, off, wrong):
        assert reasons(received=NOW, submitted=NOW + off) == (("clock",) if wrong else ())

    def test_a_wrong_clock_says_nothing_about_the_night(self):
        at = datetime(2027, 3, 1, 23, 0, tzinfo=clock.VIETNAM)

        assert reasons(submitted=at, received=NOW) == ("clock",)


class TestStaff:
    CLOSING = datetime(2026, 11, 23, 17, 0, tzinfo=clock.VIETNAM)

    def test_a_session_of_staff_is_seen_at_any_time_and_any_door(self):
        assert reasons(staff=True) == ("officer_session",)
        assert reasons(staff=True, counter=False, channel="link") == ("officer_session",)

    def test_an_interview_by_telephone_is_the_work_of_staff(self):
        lately = trust.Lately()
        lately.staff_at(b"phone", self.CLOSING)
        interview = given(staff=True, channel="phone", submitted=self.CLOSING)

        assert trust.reasons(interview, lately) == ()

    @pytest.mark.parametrize(
        ("at", "channel", "device", "flagged"),
        [
            (CLOSING, "qr", b"desk", True),
            (CLOSING, "kiosk", b"desk", False),
            (CLOSING, "qr", b"phone", False),
            (CLOSING - timedelta(hours=1), "qr", b"desk", False),
        ],
    )
    def test_the_officers_own_machine_at_closing_time(self, at, channel, device, flagged):
        lately = trust.Lately()
        lately.staff_at(b"desk", at - timedelta(minutes=10))
        found = trust.reasons(given(submitted=at, channel=channel, device=device), lately)

        assert found == (("officer_network",) if flagged else ())

    def test_half_an_hour_later_it_is_forgotten(self):
        lately = trust.Lately()
        lately.staff_at(b"desk", self.CLOSING - timedelta(minutes=31))

        assert trust.reasons(given(submitted=self.CLOSING, device=b"desk"), lately) == ()


ENVIRON = {"REMOTE_ADDR": "10.0.0.1", "HTTP_USER_AGENT": "A", "HTTP_ACCEPT_LANGUAGE": "vi"}


class TestDevices:
    def name(self, on=date(2026, 11, 23), proxied=False, **changes):
        return trust.device_of(SECRET, ENVIRON | changes, on, proxied=proxied)

    def test_a_device_is_its_address_and_its_browser_for_one_day(self):
        same = self.name()

        assert same == self.name()
        assert same != self.name(REMOTE_ADDR="10.0.0.2")
        assert same != self.name(HTTP_USER_AGENT="B")
        assert same != self.name(HTTP_ACCEPT_LANGUAGE="en")
        assert same != self.name(on=date(2026, 11, 24))

    def test_behind_a_proxy_the_last_word_of_its_header_is_the_address(self):
        told = self.name(proxied=True, HTTP_X_FORWARDED_FOR="6.6.6.6, 10.0.0.1", REMOTE_ADDR="::1")

        assert told == self.name()
        assert self.name(HTTP_X_FORWARDED_FOR="6.6.6.6") == self.name()

    def test_memory_is_bounded(self, monkeypatch):
        monkeypatch.setattr(trust.Lately, "MOST", 10)
        lately = trust.Lately()
        for number in range(100):
            lately.staff_at(bytes([number]), NOW)
            for _ in range(50):
                lately.visit(bytes([number]), trust.Visit(str(uuid4()), 0.0, None))

        assert len(lately._given) == len(lately._staff) == 10
        assert len(lately._given[bytes([99])]) == trust.Lately.EACH


#: How often phones say the same of themselves: most browsers keep their model to themselves.
AGENTS = {"Chrome on Android": 0.6, "Safari": 0.2, "Zalo": 0.12, "Samsung": 0.05, "Coc Coc": 0.03}


@pytest.mark.parametrize("seed", range(5))
def test_a_fair_office_of_300_visitors_behind_one_address_is_left_in_peace(seed):
    """A day from 7:30 to 17:00, half of it in two busy hours, staff at work on the same line."""
    rng, lately, morning = random.Random(seed), trust.Lately(), NOW - timedelta(hours=2)
    visits = []
    for _ in range(300):
        busy = rng.random() < 0.5
        begun = morning + timedelta(hours=rng.uniform(0.5, 2.5) if busy else rng.uniform(0, 9.5))
        taken = timedelta(seconds=rng.lognormvariate(4.4, 0.5))  # 80 s, mostly 30 to 220
        agent = rng.choices(list(AGENTS), list(AGENTS.values()))[0]
        marks = rng.choice([4, 5, 4, 3])  # most give one level throughout, or nearly
        answers = {name: marks if rng.random() < 0.9 else 5 for name in MARKS}
        visits.append((begun + taken, begun, agent, answers))
    flagged = 0
    for sent, begun, agent, answers in sorted(visits, key=lambda visit: visit[0]):
        lately.staff_at(b"the staff's own machines", sent)
        facts = {"submitted": sent, "started": begun, "answers": answers}
        flagged += trust.reasons(given(device=agent.encode(), **facts), lately) != ()

    assert flagged <= 6


def test_every_reason_is_explained_in_both_languages():
    for reason in trust.REASONS:
        for language in ("vi", "en"):
            for part in ("", ".rule", ".why"):
                assert text.catalogue(language)[f"trust.{reason}{part}"]


class TestDoors:
    """The same flags whoever takes the answer, and the same thanks for everybody."""

    URL = "/api/v1/responses"

    def body(self, door_tokens, **changes):
        now = clock.now()
        return {
            "id": str(uuid4()),
            "token": door_tokens["counter"],
            "questionnaire": "mot-cua-2026.1",
            "answers": MARKS,
            "started_at": (now - timedelta(seconds=60)).isoformat(),
            "submitted_at": now.isoformat(),
        } | changes

    def row(self, app, answer):
        with app.app_context():
            return responses.by_receipt(db.get(), answer.json["receipt"])

    def test_a_hasty_answer_is_stored_as_flagged_with_the_usual_thanks(
        self, app, client, door_tokens
    ):
        hasty = {"started_at": clock.now().isoformat()}
        answer = client.post(self.URL, json=self.body(door_tokens, **hasty))
        row = self.row(app, answer)

        assert answer.status_code == 201
        assert set(answer.json) == {"id", "receipt", "received_at"}
        assert row["state"] == "flagged"
        assert "too_fast" in json.loads(row["flags"])

    def test_an_answer_from_the_session_of_an_officer_is_flagged(self, app, staff, door_tokens):
        flags = json.loads(
            self.row(app, staff.post(self.URL, json=self.body(door_tokens)))["flags"]
        )

        assert "officer_session" in flags

    def test_a_cookie_that_we_did_not_sign_is_nobodys(self, app, client, door_tokens):
        client.set_cookie("sipas", "eyJzdGFmZiI6MX0.forged.forged")
        flags = json.loads(
            self.row(app, client.post(self.URL, json=self.body(door_tokens)))["flags"]
        )

        assert "officer_session" not in flags

    def test_the_device_of_a_session_is_remembered(self, app, staff):
        staff.get("/board")
        with app.test_request_context(environ_base=staff.environ_base):
            device = answering._device(staff.environ_base, clock.now())
            lately = answering._mine(trust.Lately)

        assert lately.has_staff(device, clock.now())

    def test_a_citizen_leaves_nothing_behind_in_files(self, app, client, door_tokens, settings):
        client.post(self.URL, json=self.body(door_tokens))
        with app.test_request_context(environ_base=client.environ_base):
            device = answering._device(client.environ_base, clock.now())
        kept = b"".join(path.read_bytes() for path in settings.database.parent.glob("sipas*"))

        assert device
        assert device not in kept
        assert device.hex().encode() not in kept
        assert b"127.0.0.1" not in kept
