"""No form on paper is lost, counted twice or half settled by kill -9; the harness would notice."""

import sys

import pytest

from . import clerks


def say(capsys, text):
    """A silent harness could report a clean zero: tell how many kills really ran."""
    with capsys.disabled():
        sys.stdout.write(f"\n  {text}\n")


def test_kills_under_load_lose_double_and_tear_no_form(settings, capsys):
    found = clerks.run(settings, kills=10, seed=2026)
    say(capsys, f"kill -9 of clerks: {found}")

    assert found.kills >= 10
    assert found.repeats > found.forms  # the same entries came again and again
    assert found.acknowledged > 2 * found.forms * 0.9
    assert found.clean, found


@pytest.mark.parametrize(
    ("variant", "harm"), [("early", "lost"), ("apart", "torn"), ("two", "torn")]
)
def test_sabotage_of_the_settling_is_caught(settings, variant, harm, capsys):
    found = clerks.run(settings, kills=20, seed=1, variant=variant, until_caught=True)
    say(capsys, f"sabotage {variant}: {found}")

    assert getattr(found, harm) > 0
