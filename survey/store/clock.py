"""How moments and days are written down: UTC to the millisecond, days as in Vietnam."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

#: Vietnam has had one offset and no summer time since 1975; a survey day is a day there.
VIETNAM = timezone(timedelta(hours=7))


def now() -> datetime:
    """The present moment in UTC; only doors and commands ask, the store is told."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """``2026-11-22T09:30:00.123Z``; raises ValueError for a time without an offset."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset from UTC")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment that ``stamp`` wrote."""
    return datetime.fromisoformat(text)


def day(moment: datetime) -> date:
    """The day it is in Vietnam at that moment."""
    return moment.astimezone(VIETNAM).date()
