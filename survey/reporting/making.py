"""Makes the file of a report: what the worker and the command do."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from survey import db as database
from survey import tallies
from survey.reporting import kinds, periods
from survey.store import series, units, waves
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from sqlite3 import Connection

    from survey.reporting.kinds import Ask

#: Of a hundred steps, those until the figures are there.
_FIGURES = 40


def warm() -> None:
    """Import what reports are made with, and read the faces of print."""
    import_module("analysis.sipas")
    for kind in kinds.KINDS.values():
        if kind.build:
            import_module(kind.build.partition(":")[0])
    for module in import_module("analysis.report.writers").MODULES.values():
        import_module(module)
    import_module("analysis.report.faces").register()


def make(
    db: Connection, ask: Mapping[str, Any], file: Path, tell: Callable[[int, int], None]
) -> str:
    """Write a report into ``file`` (``ask`` is that of ``kinds.Ask``, with ``format``)."""
    wanted, form = kinds.Ask.of(ask), str(ask["format"])
    tell(0, 100)
    for wave in _read(db, wanted):
        with suppress(database.NotStored, LookupError, ValueError):
            tallies.refresh(db, wave)
    tell(_FIGURES // 2, 100)
    write(
        db, wanted, form, file, lambda done, whole: tell(
            _FIGURES + (100 - _FIGURES) * done // max(whole, 1), 100
        ),
    )  # fmt: skip
    return f"{title(db, wanted)}.{form}".replace("/", "-")


def _read(db: Connection, ask: Ask) -> list[str]:
    """The wave of a report and those of its series, which it is compared with."""
    if not ask.wave:
        return []
    with suppress(LookupError):
        wave = waves.get(db, ask.wave)
        before = series.members(db, wave.series, until=wave.closes_on) if wave.series else ()
        return list(dict.fromkeys([wave.key, *(member.key for member in before)]))
    return [ask.wave]


def write(
    db: Connection, ask: Ask, form: str, file: Path, tell: Callable[[int, int], None] | None = None
) -> int:
    """Build a report and write it in one of ``kinds.FORMATS``; the pages of a PDF, else 0."""
    from analysis.report import writers

    made = kinds.build(db, ask)
    if tell:
        tell(0, 1)
    return writers.write(made, form, file, tell)


def title(db: Connection, ask: Ask) -> str:
    """What people call it: kind, wave or period, place."""
    parts = [t(f"report.{ask.name}")]
    if ask.wave:
        with suppress(LookupError):
            parts.append(waves.get(db, ask.wave).name)
    if ask.period:
        parts.append(periods.of(ask.period).words)
    if ask.unit:
        with suppress(LookupError):
            parts.append(units.name(db, ask.unit))
    return " – ".join(parts)
