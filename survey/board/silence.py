"""When a kiosk that says nothing needs a look: minutes of silence while offices are open."""

from __future__ import annotations

from datetime import datetime, time

from survey.store import clock

#: A kiosk reports every minute; after so many it needs a look.
SILENT = 10
#: Longer than from Saturday evening to Monday morning (minutes): silent at any hour.
WEEKEND = 38 * 60
OPENS, CLOSES, SUNDAY = time(7), time(17, 30), 6


def minutes(seen_at: str, now: datetime) -> int:
    """Return for how many whole minutes a kiosk has been silent."""
    return int((now - clock.moment(seen_at)).total_seconds() // 60)


def state(seen_at: str | None, now: datetime) -> str:
    """Return "alive", "silent", "closed" (silent out of hours), or "never" for one never heard."""
    if seen_at is None:
        return "never"
    silent = minutes(seen_at, now)
    if silent <= SILENT:
        return "alive"
    return "closed" if silent <= WEEKEND and not working(now) else "silent"


def working(now: datetime) -> bool:
    """Say whether offices are open at that moment: 7:00-17:30 in Vietnam, not on a Sunday."""
    there = now.astimezone(clock.VIETNAM)
    return there.weekday() != SUNDAY and OPENS <= there.time() <= CLOSES
