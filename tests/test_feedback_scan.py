"""Bad ratings and complaints become cases: once each, and never so that one knows whose."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from said import TOMORROW, cases, crowd, read, say
from small_wave import COMMUNE, COUNTER, HOUSEHOLD, LAI_CHAU, NOW, SURVEY

from survey import db
from survey.feedback import scan
from survey.store import arrivals, comments, feedback, releases, responses, waves

_act = {"now": NOW, "actor": "shell:test"}


@pytest.fixture
def base(settings):
    with closing(db.connect(settings.database)) as opened:
        yield opened


def test_a_bad_rating_opens_a_case_the_day_after_and_only_once(base):
    say(base, m_all=1)
    read(base, now=NOW + timedelta(hours=2))
    assert cases(base) == []

    for _ in range(3):
        read(base)
    [case] = cases(base)
    assert (case.kind, case.unit, case.state) == ("low", COMMUNE, "new")
    assert (case.arrived_on, case.due_on) == ("2026-11-22", "2026-11-27")


@pytest.mark.parametrize("level", [3, 4, 5, 9])
def test_what_is_not_bad_or_not_answered_opens_none(base, level):
    say(base, m_all=level)
    read(base)

    assert cases(base) == []


def test_a_complaint_in_words_opens_a_case_and_praise_goes_to_its_own_list(base):
    say(base, "Tôi phải chờ rất lâu")
    say(base, "Cán bộ rất nhiệt tình, cảm ơn")
    say(base, "Không có ý kiến")
    read(base)

    assert [case.kind for case in cases(base)] == ["complaint", "praise"]
    assert cases(base, "praise")[0].due_on is None


def test_the_rule_is_data_of_the_wave_and_holds_from_then_on(base):
    say(base, m3=2)
    read(base)
    rule = arrivals.Rule(COUNTER, ("m3", "m4"), 2, 2, days=1, themes=False)
    arrivals.set_rule(base, rule, **_act)
    later = NOW + timedelta(days=1)
    say(base, m3=2, at=later)
    say(base, m3=2, m4=1, at=later)
    say(base, "chờ quá lâu", at=later)
    crowd(base, at=later)
    read(base, now=later + timedelta(days=1))

    [case] = cases(base)
    assert (case.kind, case.due_on) == ("low", "2026-11-24")


def test_a_rule_somebody_else_has_changed_is_not_overwritten(base):
    rule = arrivals.Rule(COUNTER, ("m3",), 2, 1)
    arrivals.set_rule(base, rule, **_act)

    with pytest.raises(Exception, match="feedback_changed"):
        arrivals.set_rule(base, rule, **_act)
    arrivals.set_rule(base, replace(rule, version=1, level=1), **_act)
    assert arrivals.rules(base)[COUNTER].level == 1


def test_a_sample_of_households_opens_no_case_by_itself(base):
    held = {wave.key: scan.rule_of(wave, {}) for wave in waves.all(base)}

    assert held[SURVEY].items == ()
    assert held[COUNTER].items == ("m_all",)
    assert len(held[HOUSEHOLD].items) == 39


def test_a_case_waits_until_enough_people_have_answered_around_it(base):
    say(base, m_all=1, unit=LAI_CHAU)
    crowd(base, 3, unit=LAI_CHAU)
    read(base)
    assert cases(base) == []
    assert releases.waiting(base) == {LAI_CHAU: 1}

    later = NOW + timedelta(days=3)
    crowd(base, 1, unit=LAI_CHAU, at=later)
    read(base, now=later + timedelta(days=1))
    [case] = cases(base)
    assert (case.since_on, case.arrived_on) == ("2026-11-22", "2026-11-25")
    assert case.due_on == "2026-12-02"


def test_who_asked_to_be_called_is_not_kept_waiting(base):
    say(base, m_all=1, unit=LAI_CHAU, phone="0912345678")
    read(base)

    [case] = cases(base)
    assert feedback.said(base, case, NOW.date()).callable


def test_two_readers_at_once_open_each_case_once(settings, base):
    for _ in range(5):
        say(base, "chờ lâu", m_all=1)
    with closing(db.connect(settings.database)) as other:
        held = arrivals.mark(base)
        read(other)
        assert not arrivals.move(base, held, replace(held, seq=1))
        read(base)

    assert len(cases(base)) == 5


def test_a_changed_dictionary_reads_comments_anew_and_opens_no_old_case(base):
    say(base, "Ghế ngồi gãy")
    read(base)
    from survey.store import themes

    held = next(one for one in themes.all(base) if one.key == "co-so")
    themes.put(base, replace(held, tone="complaint"), **_act)
    read(base)

    assert comments.total(base, COUNTER) == 1
    assert cases(base) == []


def test_what_is_taken_back_leaves_no_word_of_it(settings, base):
    say(base, "Chuyện rất riêng tư zyxwvut", m_all=1)
    read(base)
    row = base.execute("SELECT receipt, answers FROM response ORDER BY seq DESC LIMIT 1").fetchone()
    assert comments.find(base, comments.Wish(COUNTER, words="zyxwvut"))
    people = arrivals.people(base, COUNTER, COMMUNE)

    responses.withdraw(base, row["receipt"], now=TOMORROW)

    assert not comments.find(base, comments.Wish(COUNTER, words="zyxwvut"))
    assert not comments.find(base, comments.Wish(COUNTER))
    assert not comments.bits(base, COUNTER, "zyxwvut")
    assert arrivals.people(base, COUNTER, COMMUNE) == people - 1
    [case] = cases(base)
    assert feedback.said(base, case, NOW.date()).withdrawn
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"zyxwvut" not in settings.database.read_bytes()


def test_bad_ratings_of_today_are_counted_without_a_case(base):
    for _ in range(6):
        say(base, m_all=1)
    say(base)

    assert scan.burst(base, NOW + timedelta(hours=1)) == {(COUNTER, COMMUNE): 6}
    assert cases(base) == []


def test_a_trial_is_not_read(base):
    base.execute("UPDATE wave SET trial_of = :of WHERE key = :key", {"of": SURVEY, "key": COUNTER})
    say(base, "chờ lâu", m_all=1)
    read(base)

    assert cases(base) == []
    assert comments.total(base, COUNTER) == 0


def test_history_and_audit_name_no_answer(base):
    say(base, "chờ lâu", m_all=1)
    read(base)
    [case] = cases(base)

    events = feedback.history(base, case.id)
    assert [event.action for event in events] == ["open"]
    told = json.dumps([tuple(row) for row in base.execute("SELECT * FROM audit")])
    assert "chờ" not in told
