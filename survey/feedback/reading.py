"""A page of feedback reads what is new before it is shown, as long as it takes no time."""

from __future__ import annotations

from contextlib import closing

from survey import db, services
from survey.feedback import scan
from survey.store import arrivals, clock

#: Seconds a page waits for it at most; the rest is read by the next one, or in the background.
BUDGET = 0.15


def catch_up() -> int:
    """Read new responses for a moment; returns how many are still to be read."""
    if arrivals.newest(db.get()) <= arrivals.mark(db.get()).seq and not scan.stale(db.get()):
        return 0
    with closing(db.connect(services().settings.database, create=False)) as own:
        try:
            return scan.scan(own, now=clock.now(), budget=BUDGET)
        except db.NotStored:  # a full disk must not hide the cases there are
            return 0
