"""Signed tokens: what we issued is read back, anything else is not."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import tokens

SECRET, OTHER = b"k" * 32, b"o" * 32
KINDS = st.sampled_from(["counter", "dossier", "case"])


@given(KINDS, st.integers(1, 2**40))
def test_a_token_reads_back_as_the_door_it_was_issued_for(kind, number):
    assert tokens.read(SECRET, tokens.issue(SECRET, kind, number)) == (kind, number)


@given(st.text(max_size=40))
def test_whatever_people_type_is_not_a_token(text):
    with pytest.raises(LookupError):
        tokens.read(SECRET, text)


def test_a_token_is_short_url_safe_and_starts_with_its_kind():
    for kind, letter in (("counter", "c"), ("dossier", "d"), ("case", "s")):
        token = tokens.issue(SECRET, kind, 36_525)
        assert token[0] == letter
        assert len(token) <= 22
        assert token.isalnum()
        assert token.isascii()


def test_every_changed_letter_is_noticed():
    token = tokens.issue(SECRET, "case", 77)
    for at in range(len(token)):
        for letter in "abcdefghijklmnopqrstuvwxyz234567-_":
            if letter != token[at]:
                with pytest.raises(LookupError):
                    tokens.read(SECRET, token[:at] + letter + token[at + 1 :])


def test_a_token_typed_in_capitals_is_the_same_token():
    assert tokens.read(SECRET, tokens.issue(SECRET, "counter", 5).upper()) == ("counter", 5)


def test_a_token_of_another_instance_is_refused():
    with pytest.raises(LookupError):
        tokens.read(OTHER, tokens.issue(SECRET, "counter", 1))


@pytest.mark.parametrize("number", [0, -1])
def test_there_is_no_token_for_a_door_that_cannot_be(number):
    with pytest.raises(ValueError, match="no token"):
        tokens.issue(SECRET, "counter", number)


def test_a_page_token_carries_the_response_and_the_time_and_never_expires():
    id, at = str(uuid4()), datetime(1999, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert tokens.read_page(SECRET, tokens.page(SECRET, id, at)) == (id, at)


def test_a_page_token_of_the_future_is_read_too():
    id, at = str(uuid4()), datetime(2126, 1, 2, tzinfo=UTC)
    assert tokens.read_page(SECRET, tokens.page(SECRET, id, at)) == (id, at)


@given(st.text(max_size=60))
def test_whatever_is_posted_as_page_token_is_refused(text):
    with pytest.raises(LookupError):
        tokens.read_page(SECRET, text)


def test_a_changed_page_token_is_refused():
    token = tokens.page(SECRET, str(uuid4()), datetime(2026, 1, 1, tzinfo=UTC))
    for at in range(len(token) - 1):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(LookupError):
            tokens.read_page(SECRET, changed)


def test_a_door_token_is_no_page_token():
    with pytest.raises(LookupError):
        tokens.read_page(SECRET, tokens.issue(SECRET, "counter", 1))
