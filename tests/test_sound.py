"""Recorded questions: found by their names, served whole or in parts, offered only when there."""

from __future__ import annotations

import pytest

from survey.citizen import sound

WAVE = b"RIFF" + bytes(range(256)) * 8


@pytest.fixture
def recordings(instance):
    folder = instance / "sound/mot-cua-2026.1/vi"
    folder.mkdir(parents=True)
    for name in ("m1.mp3", "m2.ogg", "m2.wav", "m3.m4a", "notes.txt", "M4.mp3", "..mp3"):
        (folder / name).write_bytes(WAVE)
    return folder


def test_what_was_recorded_is_found_by_the_name_of_its_question(app, recordings):
    with app.app_context():
        found = sound.recorded("mot-cua-2026.1", "vi")

    assert sorted(found) == ["m1", "m2", "m3"]
    assert found["m1"].startswith("/sound/mot-cua-2026.1/vi/m1?v=")


def test_an_office_without_recordings_has_none(app):
    with app.app_context():
        assert sound.recorded("mot-cua-2026.1", "vi") == {}


@pytest.mark.parametrize(
    ("item", "kind"), [("m1", "audio/mpeg"), ("m2", "audio/ogg"), ("m3", "audio/mp4")]
)
def test_a_recording_is_served_to_everybody_for_a_day(client, recordings, item, kind):
    answer = client.get(f"/sound/mot-cua-2026.1/vi/{item}")

    assert (answer.status_code, answer.mimetype) == (200, kind)
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert "Set-Cookie" not in answer.headers
    assert answer.data == WAVE


def test_a_player_may_ask_for_a_part(client, recordings):
    answer = client.get("/sound/mot-cua-2026.1/vi/m1", headers={"Range": "bytes=4-7"})

    assert answer.status_code == 206
    assert answer.data == WAVE[4:8]


@pytest.mark.parametrize(
    "path",
    ["mot-cua-2026.1/vi/m4", "mot-cua-2026.1/vi/notes", "mot-cua-2026.1/en/m1",
     "..%2f..%2f/vi/secret", "mot-cua-2026.1/..%2f/m1", "mot-cua-2026.1/vi/..%2f..%2fsecret",
     "mot-cua-2026.1/vi/M1", "mot-cua-2026.1/vi/m1.mp3", "mot-cua-2026.1/vi/m1%00"],
)  # fmt: skip
def test_nothing_else_is_served(client, recordings, path):
    assert client.get(f"/sound/{path}").status_code in {308, 404}  # slashes are merged first


def test_the_button_is_there_only_where_there_is_something_to_hear(client, door_tokens, recordings):
    page = client.get(f"/k/{door_tokens['counter']}/screens").text

    assert page.count("data-sound=") == 3
    assert "autoplay" not in page
    first = client.post(f"/k/{door_tokens['counter']}", data={"go": "start"}).text
    assert 'data-sound="/sound/mot-cua-2026.1/vi/m1?v=' in first
    assert '<noscript><audio controls preload="none"' in first
    english = client.get(f"/k/{door_tokens['counter']}/screens?lang=en").text
    assert "data-sound" not in english
