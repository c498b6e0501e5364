"""A page of feedback reads what is new before it is shown, as long as it takes no time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from survey import db, services
from survey.feedback import scan
from survey.store import arrivals, clock, themes

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

#: Seconds a page waits for it at most; the rest is read by the next one, or in the background.
BUDGET = 0.15

#: By database: day, number and dictionary up to which nothing was left to read, and whether
#: responses of that day lie behind.
_through: dict[Path, tuple[tuple[date, int, str] | tuple[()], bool]] = {}


def catch_up() -> int:
    """Read new responses for a moment; returns how many are still to be read."""
    path, today = services().settings.database, clock.day(clock.now())
    held, wanted = arrivals.mark(db.get()), themes.digest(themes.all(db.get()))
    whole, waiting = _through.get(path, ((), False))
    if whole == (today, held.seq, wanted) and (waiting or arrivals.newest(db.get()) <= held.seq):
        return 0
    with closing(db.connect(path, create=False)) as own:
        try:
            left = scan.scan(own, now=clock.now(), budget=BUDGET)
            mark = arrivals.mark(own)
            if not left:
                # What lies behind the mark came today and waits until tomorrow.
                waiting = arrivals.newest(own) > mark.seq
                _through[path] = ((today, mark.seq, mark.dictionary), waiting)
        except db.NotStored:  # a full disk must not hide the cases there are
            return 0
    return left
