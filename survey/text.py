"""Every word a person reads, by key and language; a missing word is an error, not a blank."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from survey.store.clock import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

FOLDER = Path(__file__).parent / "translations"
#: The languages offered to citizens; the first one is the official text.
LANGUAGES = ("vi", "en")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return all texts of one language: ``vi.json`` and every ``*.vi.json`` beside it.

    Raises ``LookupError`` for a language without a catalogue and ``ValueError`` when two files
    claim one key.
    """
    files = [FOLDER / f"{language}.json", *sorted(FOLDER.glob(f"*.{language}.json"))]
    if language not in LANGUAGES:
        raise LookupError(language)
    found: dict[str, str] = {}
    for file in files:
        if not file.exists():
            continue
        words = json.loads(file.read_text("utf-8"))
        if twice := found.keys() & words.keys():
            raise ValueError(f"{file.name}: {sorted(twice)}")
        found |= words
    return found


def t(key: str, language: str = "vi", **facts: object) -> str:
    """Return the text ``key`` with its ``{facts}`` filled in; ``LookupError`` if there is none."""
    text = catalogue(language)[key]
    return text.format(**facts) if facts else text


def has(key: str) -> bool:
    """Say whether there is such a text."""
    return key in catalogue(LANGUAGES[0])


def clock(moment: datetime | str) -> str:
    """Return the time of day in Vietnam, "14:05"."""
    return f"{_local(moment):%H:%M}"


def day(moment: date | str) -> str:
    """Return a day, or the day a moment falls on in Vietnam, as "22/11/2026"."""
    if isinstance(moment, str) and len(moment) == len("2026-11-22"):
        moment = date.fromisoformat(moment)
    if isinstance(moment, datetime | str):
        moment = _local(moment)
    return f"{moment:%d/%m/%Y}"


def _local(moment: datetime | str) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(VIETNAM)


def init_app(app: Flask) -> None:
    """Give templates ``t``."""
    app.jinja_env.globals["t"] = t
