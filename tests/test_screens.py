"""What a person at the kiosk reads: every screen, and every fault in few words."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest

from forms import questionnaire, rules
from survey.citizen import screens
from survey.citizen.pages import Look
from survey.db import connect, write
from survey.store import doors


@pytest.mark.parametrize(
    ("column", "language", "said"),
    [
        ("c1.economy", "vi", "Câu 1, mục 1 chưa có câu trả lời."),
        ("c1.reform", "vi", "Câu 1, mục 9 chưa có câu trả lời."),
        ("s32", "vi", "Mục 32 chưa có câu trả lời."),
        ("c1.economy", "en", "Question 1, item 1"),
    ],
)
def test_an_unanswered_question_is_named_down_to_its_row(column, language, said):
    q = questionnaire.localized("sipas-2026.1", language, frozenset())
    faults = {fault.column: fault for fault in rules.check(q, {})[1]}

    found = screens.notice(q, faults[column], Look(language=language))

    assert found.message.startswith(said)
    assert found.control == column


@pytest.mark.parametrize("key", ["sipas-2026.1", "sipas-2022.1", "mot-cua-2026.1", "nd61-2018.1"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_screen_knows_in_the_servers_words_what_may_be_wrong(key, language):
    q = questionnaire.localized(key, language, frozenset())
    look = Look(language=language)
    said = {fault.column: screens.notice(q, fault, look) for fault in rules.check(q, {})[1]}

    for screen in screens.every(q):
        words = screens.complaints(q, screen, look)
        assert screen.kind == "consent" or words or not screen.item.required
        if "unanswered" in words:
            assert words["unanswered"] == said.get(screen.column, said_of(words)).message
        if screen.kind == "text":
            assert "{length}" in words["too_long"]
            assert "{maximum}" in words["too_long"]


def said_of(words):
    """What a question asked only in some cases says: its own word, there is no other."""
    return screens.Notice("", "", "", words["unanswered"])


@pytest.fixture
def book(client, door_tokens):
    return client.get(f"/k/{door_tokens['household']}/screens")


def test_one_document_holds_every_screen_of_a_kiosk(book):
    q = questionnaire.load("sipas-2026.1")
    columns = re.findall(r'<template data-column="([^"]+)"', book.text)

    assert columns == [screen.column for screen in screens.every(q)]
    parts = re.findall(r'<template data-part="(\w+)"', book.text)
    assert parts == ["header", "start", "extras", "thanks", "kept", "idle"]


def test_the_screens_carry_nobodys_token_and_no_answer(book):
    assert 'name="page"' not in book.text
    assert "checked" not in book.text
    assert 'class="was"' not in book.text
    assert "Set-Cookie" not in book.headers


def test_the_screens_may_be_kept_and_are_asked_for_anew(client, door_tokens, book):
    path = f"/k/{door_tokens['household']}/screens"
    again = client.get(path, headers={"If-None-Match": book.headers["ETag"]})

    assert book.headers["Cache-Control"] == "public, no-cache"
    assert again.status_code == 304
    assert again.data == b""


def test_the_skip_rules_and_the_scored_questions_stand_on_their_screens(book):
    [ethnicity] = re.findall(r'<template data-column="ethnicity"[^>]*>', book.text)
    assert 'data-when="consent_ethnicity" data-any="1"' in ethnicity
    [consent] = re.findall(r'<template data-column="consent_ethnicity"[^>]*>', book.text)
    assert 'data-item="ethnicity"' in consent
    q = questionnaire.load("sipas-2026.1")
    assert book.text.count(" data-scored") == len(q.scored)


def test_large_type_contrast_and_language_come_with_the_address(client, door_tokens):
    path = f"/k/{door_tokens['counter']}/screens?lang=en&chu=to&tuong-phan=cao"
    page = client.get(path).text

    assert '<html lang="en" data-size="large" data-look="contrast">' in page
    assert "Are you still there?" in page


def test_the_screens_of_a_closed_counter_are_gone(app, client, facts, door_tokens):
    door, at = facts.doors["counter"], datetime(2026, 11, 22, tzinfo=UTC)
    app.extensions["sipas"].writer.run(lambda db: doors.close(db, door, now=at, actor="shell:test"))

    assert client.get(f"/k/{door_tokens['counter']}/screens").status_code == 410
    assert client.get("/k/nowhere/screens").status_code == 404


@pytest.mark.parametrize(("rule", "said"), [("discard", 0), ("keep", 1)])
def test_what_becomes_of_answers_left_behind_is_said_beforehand(
    app, settings, client, door_tokens, rule, said
):
    connection = connect(settings.database)
    with write(connection):
        connection.execute("UPDATE wave SET partial = ?", (rule,))
    connection.close()
    page = client.get(f"/k/{door_tokens['counter']}/screens").text

    assert page.count("các câu đã trả lời được gửi.") == said
    assert page.count("sẽ được gửi như đã trả lời tới đây sau") == said
    assert "Các câu chưa gửi sẽ được xóa sau" in page


def test_settings_travel_with_the_screens(app, client, facts, door_tokens):
    door, at = facts.doors["counter"], datetime(2026, 11, 22, tzinfo=UTC)
    chosen = doors.Settings(idle=120, large=True)
    app.extensions["sipas"].writer.run(
        lambda db: doors.adjust(db, door, chosen, now=at, actor="shell:test")
    )
    page = client.get(f"/k/{door_tokens['counter']}/screens").text
    held = re.search(r'data-settings="([^"]+)"', page).group(1)

    assert json.loads(unescape(held))["idle"] == 120
    assert 'data-after="120"' in page


def test_the_version_is_the_same_until_something_changes():
    assert re.fullmatch(r"[0-9a-f]{12}", screens.version())
    assert screens.version() == screens.version()
