"""Taking a frame in: what a file may name is read from the wave, then it is checked and stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from survey.sample import frames
from survey.store import Refused, draws, units
from survey.store import frames as store
from survey.text import t, thousands

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from survey.store.frames import Frame

#: Villages that a message names.
NAMED = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """A sound file: what it holds in words, what looks odd, and the job that stores it."""

    words: str
    odd: tuple[str, ...]
    job: Callable[[sqlite3.Connection], Frame]


class Within:
    """The units of one place: itself and all under it."""

    def __init__(self, db: sqlite3.Connection, unit: str) -> None:
        self._db, self._unit = db, unit
        self._known: dict[str, bool] = {}

    def __contains__(self, unit: object) -> bool:
        """Say whether a unit is the place, or lies under it."""
        name = str(unit)
        if name not in self._known:
            self._known[name] = self._unit in units.path(self._db, name)
        return self._known[name]


def villages(
    db: sqlite3.Connection, wave: str, file: IO[bytes], *, whole: bool, source: str,
    scope: str = "", now: datetime, actor: str,
) -> Checked:  # fmt: skip
    """Check a file of villages; raises ``frames.Faulty`` with all that is wrong."""
    if draws.get(db, wave).villages_at:
        raise Refused("frame_drawn", 409, wave=wave)
    provinces = {
        unit.id: unit.parent or unit.id if unit.kind == "commune" else unit.id
        for unit in units.all(db, scheme="vn34")
        if unit.kind in ("commune", "province")
    }
    held = [] if whole else store.villages(db, wave)
    taken = {village.psu: village.stratum for village in held}
    within = Within(db, scope) if scope else None
    found = frames.villages(file, provinces=provinces, taken=taken, scope=within)
    words = t(
        "frame.villages", n=thousands(len(found)), strata=len({v.stratum for v in found}),
        households=thousands(sum(v.size for v in found)),
    )  # fmt: skip
    job = partial(
        store.put_villages, wave=wave, rows=found, whole=whole, source=source, now=now, actor=actor
    )
    return Checked(words, (), job)


def households(
    db: sqlite3.Connection, wave: str, file: IO[bytes], *, source: str, scope: str = "",
    now: datetime, actor: str,
) -> Checked:  # fmt: skip
    """Check a file of household lists; raises ``frames.Faulty`` with all that is wrong."""
    known = {village.psu: village for village in store.villages(db, wave)}
    if not known:
        raise frames.Faulty([t("sampling.no_frame")])
    held = draws.get(db, wave)
    drawn = {area.psu for area in draws.areas(db, wave) if not area.dropped_at}
    within = Within(db, scope) if scope else None
    lists = frames.check_households(
        file,
        known=known,
        drawn=drawn if held.villages_at else None,
        take=held.plan.households if held.plan.takes else 0,
        scope=within,
    )
    words = t(
        "frame.households", n=thousands(lists.households), villages=thousands(len(lists.psus))
    )
    odd = [
        t("frame.strange", psu=psu, n=n, size=known[psu].size)
        for psu, n in list(lists.strange.items())[:NAMED]
    ]
    if more := len(lists.strange) - NAMED:
        odd += [t("frame.strange_more", n=more)] if more > 0 else []

    def job(base: sqlite3.Connection) -> Frame:
        return store.put_households(
            base, wave, lists.psus, frames.households(file), source=source, now=now, actor=actor
        )

    return Checked(words, tuple(odd), job)
