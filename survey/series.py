"""A unit's figures wave by wave with what others published beside them, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from survey import data
from survey.store import external, units
from survey.store import series as store

if TYPE_CHECKING:
    import sqlite3
    from datetime import date

    from analysis.compare import Difference, Wave
    from analysis.estimate import Estimates
    from analysis.reader import Units
    from analysis.study import Study
    from analysis.trend import Change, Point, Trend
    from survey.store.series import Member

#: What is known of the Ministry's own series, whoever declares nothing: year, reason, source.
KNOWN = (
    (2017, "Đo chung một chỉ số, không theo từng dịch vụ", "2640/QĐ-BNV"),
    (2022, "Khảo sát người dân nói chung, thay cho người đã giải quyết thủ tục; "
     "không so sánh trực tiếp hai giai đoạn", "Bộ Nội vụ"),
)  # fmt: skip
OTHER_METHOD = "Cách tính chỉ số hoặc phiếu khảo sát thay đổi"


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A wave of a series made ready: its study, and the units it knows."""

    member: Member
    study: Study
    units: Units


def of(db: sqlite3.Connection, wave: str) -> str:
    """Return the series that a wave belongs to; raises LookupError."""
    return store.of(db, wave)


def trend(db: sqlite3.Connection, unit: str, series: str, *, until: date | None = None) -> Trend:
    """Return a unit's overall index through a series ("" = the whole of every wave).

    Published figures of the same unit stand beside the estimates, never in them: a household
    series of SIPAS has those of the Ministry, also of the one province a unit was before 01/7/2025.
    A wave without answers of the unit, or with too few, is a year without a figure.
    """
    waves = load(db, series, until=until)
    return joined(db, unit, series, waves, until=until)


def load(db: sqlite3.Connection, series: str, *, until: date | None = None) -> tuple[Loaded, ...]:
    """Return every wave of a series ready for estimates; one whose answers contradict its method
    is left out."""
    from contextlib import suppress

    from analysis import reader
    from analysis.study import study
    from forms.questionnaire import localized

    found = []
    for member in store.members(db, series, until=until):
        stored = reader.wave(db, member.key)
        words = frozenset(stored.words.items())
        with suppress(ValueError):
            ready = study(db, stored, localized(stored.questionnaire, "vi", words))
            found.append(Loaded(member, ready, reader.Units(db, stored.closes_on)))
    return tuple(found)


def joined(
    db: sqlite3.Connection,
    unit: str,
    series: str,
    waves: Sequence[Loaded],
    *,
    until: date | None = None,
) -> Trend:
    """Return the trend of a unit from waves that are loaded already."""
    from analysis.trend import Break, trend

    points = [_point(wave, unit, label) for wave, label in zip(waves, _labels(waves), strict=True)]
    breaks = [Break(*row) for row in store.breaks(db, series)]
    declared = {b.year for b in breaks}
    if national(waves):
        last = until.year if until else 9999
        points += [p for p in published(db, place(waves[-1], unit)) if p.year <= last]
        breaks += [Break(*row) for row in KNOWN if row[0] not in declared]
    breaks += [
        Break(now.member.year, OTHER_METHOD)
        for before, now in pairwise(waves)
        if not _same_total(now, before)
    ]
    return trend(points, {b.year: b for b in reversed(breaks)}.values())


def national(waves: Sequence[Loaded]) -> bool:
    """Say whether a series is measured as the Ministry's SIPAS is: households, its form."""
    return bool(waves) and all(
        wave.member.kind == "probability" and wave.member.questionnaire.startswith("sipas-")
        for wave in waves
    )


def place(wave: Loaded, unit: str) -> str:
    """Return the unit that figures of ``unit`` are about: of a whole wave ("") the lowest unit
    above all that was drawn, so that a province's wave never stands beside the country's."""
    answers = wave.study.answers
    seen = answers.drawn or answers.units
    if unit or not seen:
        return unit or wave.study.wave.owner
    paths = [wave.units.path(each) for each in seen]
    shared = set(paths[0]).intersection(*paths[1:])
    return next((each for each in paths[0] if each in shared), "")


def published(db: sqlite3.Connection, unit: str) -> list[Point]:
    """Return the published SIPAS of a unit, year by year."""
    from analysis.trend import Point

    found: dict[int, Point] = {}
    for held in external.of_units(db, names(db, unit), "sipas"):
        figure = held.figure
        if not figure.part and not figure.period:
            found[figure.year] = Point(
                figure.year, str(figure.year), figure.share, n=figure.n or 0, source=figure.source
            )
    return [found[year] for year in sorted(found)]


def names(db: sqlite3.Connection, unit: str) -> list[str]:
    """Return the ids under which figures of a unit may stand: its own, and that of the one unit
    it was formed from alone."""
    if not unit:
        return []
    before = units.origins(db, unit)
    alone = len(before) == 1 and _successors(before[0]) == 1
    return [unit, *before] if alone else [unit]


def _successors(origin: str) -> int:
    return sum(origin == old for _, old in data.origins()) or 1


def changes(
    db: sqlite3.Connection, unit: str, series: str, *, until: date | None = None
) -> tuple[Change, ...]:
    """Return what became of every comparable figure of a unit from each wave to the next.

    Marks are adjusted by Holm over the figures of one change; waves in the same villages share
    their error.  Items of another questionnaire are compared through its lineage only.
    """
    waves = load(db, series, until=until)
    return changed(unit, joined(db, unit, series, waves, until=until), waves)


def changed(unit: str, found: Trend, waves: Sequence[Loaded]) -> tuple[Change, ...]:
    """Return the changes of a trend whose waves are loaded already."""
    from analysis.compare import NotComparable
    from analysis.compare import waves as compare
    from analysis.trend import Change, matched

    ready = {wave.member.key: wave for wave in waves}
    out = []
    for before, now in found.pairs():
        pair = ready[now.wave], ready[before.wave]
        if (why := _why_not(found, before, now, pair))[0]:
            out.append(Change(before, now, None, *why))
            continue
        try:
            both = [compared(wave, unit) for wave in pair]
            mine, theirs, _ = matched(both[0], both[1], lineage(*pair))
            out.append(Change(before, now, compare(mine, theirs, level=pair[0].study.wave.level)))
        except NotComparable as fault:
            out.append(Change(before, now, None, fault.what))
    return tuple(out)


def unit_changes(now: Loaded, before: Loaded, wanted: Sequence[str]) -> dict[str, Difference]:
    """Return the change of the overall index of many units, adjusted over them all.

    Units without answers in one of the waves, or hidden in one, are left out; raises
    ``compare.NotComparable``.
    """
    from dataclasses import replace

    from analysis.compare import units as compare
    from analysis.trend import cut, matched

    first, second = every(now, wanted), every(before, wanted)
    pairs = {unit: (first[unit], second[unit]) for unit in wanted if unit in first.keys() & second}
    if not pairs:
        return {}
    mine, theirs, found = matched(compared(now, ""), compared(before, ""), lineage(now, before))
    names = found.scheme.names
    each = [(cut(a, found.now, names), cut(b, found.before, names)) for a, b in pairs.values()]
    mine, theirs = replace(mine, channels={}), replace(theirs, channels={})
    level = now.study.wave.level
    return dict(zip(pairs, compare(mine, theirs, each, "total", level=level), strict=True))


def lineage(now: Loaded, before: Loaded) -> dict[str, str] | None:
    """Return which item of the newer questionnaire is which of the older; None for the same."""
    from forms.questionnaire import lineage

    new, old = now.member.questionnaire, before.member.questionnaire
    return None if new == old else dict(lineage(new, old))


def estimates(wave: Loaded, unit: str) -> Estimates | None:
    """Return the estimates of a unit in a wave that may be shown; None without."""
    from analysis import parts

    answers = wave.study.answers
    inside = parts.inside(wave.units, answers, unit)
    hide_n = wave.study.wave.hide_n
    if answers.people(inside) < hide_n:
        return None
    if unit and parts.held_back(wave.units, answers, unit, hide_n):
        return None
    return wave.study.estimates(inside)


def every(wave: Loaded, wanted: Sequence[str]) -> dict[str, Estimates]:
    """Return the estimates of many units that share no answers, those that may be shown."""
    from analysis import parts

    ready, hide_n = wave.study, wave.study.wave.hide_n
    inside = {unit: parts.inside(wave.units, ready.answers, unit) for unit in wanted}
    shown = [
        unit
        for unit, cells in inside.items()
        if cells.size
        and ready.answers.people(cells) >= hide_n
        and not parts.held_back(wave.units, ready.answers, unit, hide_n)
    ]
    if not shown:
        return {}
    grid = ready.grid([inside[unit] for unit in shown])
    return {unit: grid.estimates(d) for d, unit in enumerate(shown)}


def compared(wave: Loaded, unit: str) -> Wave:
    """Return a unit's wave as ``analysis.compare`` takes it; raises NotComparable without it."""
    import numpy as np

    from analysis.compare import NotComparable, Wave

    found, study = estimates(wave, unit), wave.study
    if found is None or study.tally is None:
        raise NotComparable("no_answers", f"no answers of {unit or 'anybody'}")
    labels = np.full(found.design.n_psu, "", dtype=object)
    for key, at in zip(study.answers.cells.keys, study.tally.psu.tolist(), strict=True):
        drawn = (study.psus or {}).get(key.psu)
        labels[at] = drawn.cluster or key.psu if drawn else key.psu
    return Wave(
        estimates=found,
        scheme=study.frame.scheme,
        method=f"{study.wave.index_method}/{study.frame.base}",
        villages=labels,
        channels=_channels(study),
    )


def _channels(study: Study) -> dict[str, float]:
    import numpy as np

    answers = study.answers
    counts = np.bincount(answers.channel, answers.sums.people, minlength=len(answers.channels))
    return {name: float(n) for name, n in zip(answers.channels, counts, strict=True) if n}


def _labels(waves: Sequence[Loaded]) -> list[str]:
    """The year of each wave; "2026/1", "2026/2" where a year has several."""
    years = [wave.member.year for wave in waves]
    return [
        str(year) if years.count(year) == 1 else f"{year}/{years[: n + 1].count(year)}"
        for n, year in enumerate(years)
    ]


def _point(wave: Loaded, unit: str, label: str) -> Point:
    from analysis.trend import Point

    member = wave.member
    found = estimates(wave, unit)
    if found is None:
        return Point(member.year, label, None, wave=member.key)
    total = wave.study.figures(found.figures)[-1]
    return Point(
        member.year, label, total.value, total.low, total.high, total.n,
        wave=member.key,
    )  # fmt: skip


def _why_not(
    found: Trend, before: Point, now: Point, pair: tuple[Loaded, Loaded]
) -> tuple[str, str]:
    broken = found.between(before.year, now.year)
    if broken is not None:
        return "break", broken.reason
    if not all(wave.study.sampled for wave in pair):
        return "volunteers", ""
    return ("no_answers", "") if before.value is None or now.value is None else ("", "")


def _same_total(now: Loaded, before: Loaded) -> bool:
    """Say whether two waves make their overall index alike, whoever answered."""
    from analysis.trend import common

    one, other = now.study, before.study
    method = (one.wave.index_method, one.frame.base) == (other.wave.index_method, other.frame.base)
    kinds = now.member.kind == before.member.kind
    both = common(one.frame.scheme, other.frame.scheme, lineage(now, before))
    return method and kinds and "total" in both.scheme.ids
