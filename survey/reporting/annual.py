"""Annual, league, accounting and points reports: what they are made of, wave by wave."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from survey import series
from survey.store import Refused, external, waves
from survey.store import series as members

if TYPE_CHECKING:
    from sqlite3 import Connection

    from analysis.annual import Annual, Group, Unit
    from analysis.design import Ints
    from analysis.report.model import Report
    from analysis.results import Result
    from analysis.trend import Trend
    from survey.reporting.kinds import Ask
    from survey.series import Loaded

#: Words of the two areas that a wave may have drawn in.
AREAS = {"urban": "Thành thị", "rural": "Nông thôn"}


def annual(db: Connection, ask: Ask) -> Report:
    """Make the annual report of a wave, or of one of its units."""
    from analysis.report import annual as report

    result, now, before, found = gathered(db, ask)
    facts = of(db, result, now, before, found)
    if not ask.unit:
        return report.build(result, facts, on=ask.on, number=ask.number)
    whole = result_of(db, ask.wave, "")
    own = next((u for u in units(db, whole, now, before) if u.unit == ask.unit), None)
    if own is None:
        return report.build(result, facts, on=ask.on, number=ask.number)
    mine = report.Own(own, whole)
    return report.build(result, facts, on=ask.on, number=ask.number, own=mine)


def gathered(db: Connection, ask: Ask) -> tuple[Result, Loaded, Loaded | None, Trend]:
    """Return the result asked for, its wave and the one before made ready, and the trend.

    Raises LookupError, and Refused (409): ``report_empty``, ``report_few``, ``report_broken``, or
    ``report_self_selected``: such answers have a report of their own.
    """
    wave = waves.get(db, ask.wave)
    if wave.kind != "probability":
        raise Refused(f"report_{wave.kind}", 409)
    result = result_of(db, ask.wave, ask.unit)
    name = series.of(db, ask.wave)
    loaded = series.load(db, name, until=wave.opens_on)
    at = next((k for k, one in enumerate(loaded) if one.member.key == ask.wave), None)
    if at is None:
        raise Refused("report_broken", 409)
    loaded = loaded[: at + 1]
    found = series.joined(db, ask.unit, name, loaded, until=wave.closes_on)
    return result, loaded[-1], loaded[-2] if len(loaded) > 1 else None, found


def result_of(db: Connection, wave: str, unit: str) -> Result:
    """Return the result of a wave, or Refused (409) where there is none to report."""
    from analysis.sipas import wave_result

    try:
        result = wave_result(db, wave, scope=unit)
    except ValueError as fault:
        raise Refused("report_broken", 409) from fault
    if result.total.value is None:
        raise Refused("report_few" if sum(result.channels.values()) else "report_empty", 409)
    return result


def whole(ask: Ask) -> Ask:
    """Return the same wish for the whole wave."""
    return replace(ask, unit="")


def of(
    db: Connection,
    result: Result,
    now: Loaded,
    before: Loaded | None,
    found: Trend,
    *,
    groups: bool = True,
) -> Annual:
    """Return everything an annual report says beside the result."""
    from analysis import annual as facts
    from analysis import parts

    ready = now.study
    inside = parts.inside(now.units, ready.answers, result.scope)
    pair = (now,) if before is None else (before, now)
    return facts.Annual(
        units=units(db, result, now, before),
        regions=_regions(db, now, inside, result) if groups else (),
        groups=(*_areas(db, now, inside), *facts.who(db, ready, inside)) if groups else (),
        trend=found,
        changes=series.changed(result.scope, _last(found, pair), pair),
        published=_published(db, result, now),
        earlier=f"năm {before.member.year}" if before else "",
        modes=facts.modes(ready, now.units, inside, result.scope),
    )


def _last(found: Trend, pair: tuple[Loaded, ...]) -> Trend:
    """The trend with our last two waves only: earlier changes are in earlier reports."""
    keys = {wave.member.key for wave in pair}
    return replace(found, points=tuple(p for p in found.points if p.wave in keys))


def units(db: Connection, result: Result, now: Loaded, before: Loaded | None) -> tuple[Unit, ...]:
    """Return the units of a scope whole, with their changes since the wave before."""
    from analysis import annual as facts
    from analysis import parts
    from analysis.compare import NotComparable

    ready = now.study
    inside = parts.inside(now.units, ready.answers, result.scope)
    sets = facts.sets_of(db, ready)
    found = facts.units(ready, now.units, sets, inside, result.scope)
    if before is None or not found or not comparable(db, now, before):
        return found
    names = [unit.unit for unit in found]
    try:
        changes = series.unit_changes(now, before, names)
    except NotComparable:
        return found
    earlier = _places(result, before)
    return tuple(
        replace(
            unit,
            change=changes.get(unit.unit),
            moved=earlier[unit.unit] - unit.places[0].rank
            if unit.unit in earlier and unit.places and unit.places[0].kind == "all"
            else None,
        )
        for unit in found
    )


def comparable(db: Connection, now: Loaded, before: Loaded) -> bool:
    """Say whether no change of method stands between two waves."""
    name = series.of(db, now.member.key)
    found = series.joined(db, "", name, (before, now))
    return found.between(before.member.year, now.member.year) is None


def _places(result: Result, before: Loaded) -> dict[str, int]:
    """Places of the same scope's units in the wave before."""
    from analysis import parts
    from analysis.annual import rankable
    from analysis.ranks import competition

    ready = before.study
    inside = parts.inside(before.units, ready.answers, result.scope)
    found = parts.split(before.units, ready.answers, inside, result.scope)
    if not found:
        return {}
    import numpy as np

    grid = ready.grid([part.cells for part in found])
    totals = [ready.figures(grid.figures(d))[-1] for d in range(len(found))]
    known = [(p.unit, t.value or 0.0) for p, t in zip(found, totals, strict=True) if rankable(t)]
    ranks = competition(np.array([value for _, value in known], dtype=np.float64))
    return {unit: int(rank) for (unit, _), rank in zip(known, ranks.tolist(), strict=True)}


def _regions(db: Connection, now: Loaded, inside: Ints, result: Result) -> tuple[Group, ...]:
    """The regions of the country as groups; none inside a province."""
    import numpy as np

    from analysis import annual as facts

    if result.scope:
        return ()
    ready = now.study
    sets = [s for s in facts.sets_of(db, ready) if s.kind == "region"]
    of_unit = {unit: n for n, s in enumerate(sets) for unit in s.members}
    paths = [
        next((of_unit[up] for up in now.units.path(unit) if up in of_unit), -1)
        for unit in ready.answers.units
    ]
    region = np.array(paths, dtype=np.int64)[ready.answers.unit]
    cells = [np.flatnonzero(region == n) for n in range(len(sets))]
    return tuple(facts.grouped(ready, [s.name for s in sets], cells, inside))


def _areas(db: Connection, now: Loaded, inside: Ints) -> tuple[tuple[str, tuple[Group, ...]], ...]:
    """Town and country, as the villages were drawn."""
    import numpy as np

    from analysis import annual as facts

    areas = members.areas(db, now.member.key)
    ready = now.study
    of_cell = np.array([areas.get(key.psu, "") for key in ready.answers.cells.keys], dtype=object)
    cells = [inside[of_cell[inside] == area] for area in AREAS]
    found = facts.grouped(ready, list(AREAS.values()), cells, inside)
    return (("Thành thị, nông thôn", tuple(found)),) if found else ()


def _published(
    db: Connection, result: Result, now: Loaded
) -> tuple[tuple[int, str, float, str], ...]:
    """What others published of the same unit by the method in force, the newest first."""
    if not series.national((now,)):
        return ()
    names = {f.id: f.name for f in result.of("area", "factor")} | {"": "Chỉ số chung"}
    rows = [
        held.figure
        for held in external.of_units(
            db, series.names(db, series.place(now, result.scope)), "sipas"
        )
        if not held.figure.period and held.figure.part in names
    ]
    rows.sort(key=lambda f: (-f.year, f.part))
    return tuple((f.year, names[f.part], f.share, f.source) for f in rows)
