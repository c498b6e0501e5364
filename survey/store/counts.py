"""What came in: responses counted by state, channel and day, at a cost that does not grow."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from survey.store.clock import day, moment


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in: by state, by channel and by day in Vietnam (both without void ones)."""

    valid: int
    flagged: int
    void: int
    channels: Mapping[str, int]
    days: Mapping[date, int]

    @property
    def total(self) -> int:
        """Responses that are not void."""
        return self.valid + self.flagged


#: Responses that are tallied come counted by day, the others by hour; one statement sees both
#: as of one moment.  ``state IN`` lets the index lead to the last ones, however many there are.
_COUNTS = """
SELECT state, channel, day AS at, n FROM tally_day WHERE wave = :wave
UNION ALL
SELECT state, channel, substr(received_at, 1, 13) AS at, COUNT(*) FROM response
WHERE wave = :wave AND state IN ('valid', 'flagged', 'void')
  AND seq > COALESCE((SELECT seq FROM tally_mark WHERE wave = :wave), 0)
GROUP BY state, channel, substr(received_at, 1, 13)"""


def counts(db: sqlite3.Connection, wave: str) -> Counts:
    """How many responses a wave has: as tallied, and those that came since."""
    states: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    days: Counter[date] = Counter()
    for state, channel, at, n in db.execute(_COUNTS, {"wave": wave}):
        states[state] += n
        if state != "void" and n:
            channels[channel] += n
            whole = len(at) == len("2026-11-22")
            days[date.fromisoformat(at) if whole else day(moment(f"{at}:00:00+00:00"))] += n
    return Counts(
        states["valid"], states["flagged"], states["void"],
        dict(sorted(channels.items())), dict(sorted(days.items())),
    )  # fmt: skip


#: Each maximum is one step down the index (wave, state) to its end.
_MARK = """
SELECT (SELECT MAX(seq) FROM response WHERE wave = :wave AND state = 'valid'),
       (SELECT MAX(seq) FROM response WHERE wave = :wave AND state = 'flagged'),
       (SELECT MAX(seq) FROM response WHERE wave = :wave AND state = 'void'),
       (SELECT edits FROM tally_mark WHERE wave = :wave)"""


def mark(db: sqlite3.Connection, wave: str) -> tuple[int | None, ...]:
    """Something that differs whenever a wave's responses, their states or its sample changed.

    It costs the same for ten answers and for ten millions.
    """
    return tuple(db.execute(_MARK, {"wave": wave}).fetchone())
