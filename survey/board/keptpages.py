"""The part of a page that rests on figures, made once and kept for every process."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from survey import db, guard, services
from survey.board import settled
from survey.store import clock, kept, responses

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.store.waves import Wave

#: Making that took longer than this (seconds) is kept.
SLOW = 0.05
#: A page that shows settled dossiers, whose count says its moment, is good for so long (seconds).
GOOD = 600


def part(what: str, wave: Wave, scope: str, make: Callable[[], str], *, beside: str = "") -> Markup:
    """Return what ``make`` renders for a wave and a scope, kept where it took long.

    It is made anew when an answer, an edit, the wave, the program, the day or ``beside`` (what
    else it rests on) is another.  What is rendered may depend on the reader's unit and nothing
    else of the reader.  An empty text is never kept.
    """
    staff = guard.current_staff()
    unit = staff.unit or "" if staff else ""
    name = _digest(what, wave.key, scope, unit)
    held = kept.find(db.get(), name, _mark(wave, beside))
    if held is not None:
        return Markup(held)  # nosec B704 - rendered by our own templates
    began = time.monotonic()
    text = make()
    if text and time.monotonic() - began > SLOW:
        with (
            suppress(db.NotStored),
            closing(db.connect(services().settings.database, create=False)) as own,
        ):
            kept.keep(own, name, _mark(wave, beside), text, now=clock.now())
    return Markup(text)  # nosec B704 - rendered by our own templates


def _mark(wave: Wave, beside: str) -> str:
    now = clock.now()
    since = int(now.timestamp() // GOOD) if settled.known() else 0
    state = responses.mark(db.get(), wave.key)
    return _digest(repr(wave), state, clock.day(now), since, _program(), beside)


def _digest(*facts: object) -> str:
    return sha256(repr(facts).encode()).hexdigest()


@cache
def _program() -> str:
    """Tell one version of the program from another: its files, by size and time."""
    home = Path(__file__).parent.parent.parent
    files = [
        path
        for folder in ("survey", "analysis", "forms")
        for path in (home / folder).rglob("*")
        if path.suffix in (".py", ".html", ".json")
    ]
    return _digest(*((str(p), (s := p.stat()).st_size, s.st_mtime_ns) for p in sorted(files)))
