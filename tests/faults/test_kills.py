"""Nothing acknowledged is lost, doubled or torn by kill -9; and the harness would notice."""

import sys
import tempfile
from pathlib import Path

import pytest

from . import kills


@pytest.fixture
def home():
    """A short path: the name of a socket may not be long."""
    with tempfile.TemporaryDirectory(prefix="sk-") as path:
        yield Path(path)


def say(capsys, text):
    """A silent harness could report a clean zero: tell how many kills really ran."""
    with capsys.disabled():
        sys.stdout.write(f"\n  {text}\n")


def test_25_kills_under_load_lose_double_and_tear_nothing(home, capsys):
    found = kills.run(home, kills=25, seed=2026)
    say(capsys, f"kill -9: {found}")
    assert found.kills == 25
    assert found.acknowledged > 25
    assert found.repeats > 25  # clients were really cut off
    assert found.faults == []
    assert (found.lost, found.doubled, found.torn) == (0, 0, 0)


@pytest.mark.parametrize(
    ("variant", "harm"), [("early", "lost"), ("no_id", "doubled"), ("two", "torn")]
)
def test_sabotage_is_caught(home, variant, harm, capsys):
    found = kills.run(home, kills=80, seed=1, variant=variant, until_caught=True)
    say(capsys, f"sabotage {variant}: {found}")
    assert getattr(found, harm) > 0
