"""The worked example: its commands are run, and held to its own text and to R's output in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/example.md").read_text("utf-8")
FILES = dict(re.findall(r"^`(\w+\.\w+)`[^\n]*:\n\n```\w+\n(.*?)^```", PAGE, re.S | re.M))
BLOCKS = re.findall(r"^```(console|r|text)\n(.*?)^```", PAGE, re.S | re.M)


@dataclass(frozen=True)
class Command:
    line: str
    shown: list[str]


def commands(block):
    """The commands of a console block with the lines that the page shows below each."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        else:
            found[-1].shown.append(line)
    return found


COMMANDS = [command for kind, block in BLOCKS if kind == "console" for command in commands(block)]


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What every command of the page prints, one after the other in an empty folder."""
    folder = tmp_path_factory.mktemp("example")
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "SIPAS": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = {}
    for command in COMMANDS:
        run = subprocess.run(
            ["sh", "-c", command.line], cwd=folder, env=env, capture_output=True, check=False
        )
        assert run.returncode == 0, run.stderr.decode()
        done[command.line] = run.stdout.decode("utf-8").splitlines()
    return done


def alike(lines, others):
    """The same words, and the same numbers up to the last digits printed."""
    assert len(lines) == len(others)
    for line, other in zip(lines, others, strict=True):
        words = zip(re.split(r"[ ,]", line), re.split(r"[ ,]", other), strict=True)
        for word, expected in words:
            if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", expected):
                assert float(word) == pytest.approx(float(expected), rel=1e-9, abs=0)
            else:
                assert word == expected


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.line)
def test_every_command_prints_what_the_page_says(command, printed):
    alike(printed[command.line], command.shown)


def test_r_says_the_same_in_every_section(printed):
    """Each `console` is followed by the `r` that computes the same, and by R's output."""
    compared, ours = 0, []
    for kind, block in BLOCKS:
        if kind == "console":
            asked = [each.line for each in commands(block) if "show.py" in each.line]
            ours = [line for each in asked for line in printed[each]]
        elif kind == "text":
            alike(ours, block.splitlines())
            compared += sum(len(line.split()) - 1 for line in ours)

    assert compared == 67


def test_the_example_asks_for_every_section_of_the_design():
    asked = "\n".join(FILES.values())

    assert all(f"[{name}" in asked for name in ("factors", "difference", "ranks", "replicates",
                                                "calibrate"))  # fmt: skip
