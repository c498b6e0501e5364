"""Puts together what opinions, counts, a unit itself and its appraiser say on the nine criteria."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from analysis import criteria
from analysis.criteria import Counts, Mean
from survey.store import criteria as store
from survey.store import late, opinions, units
from survey.store.inside import Inside

if TYPE_CHECKING:
    import sqlite3
    from datetime import date

    from forms.scoring import Grade
    from survey.reporting.periods import Period
    from survey.store.criteria import Kept, Sheet
    from survey.store.opinions import Opinion

#: Fewer opinions than this are not published, nor counted into the unit above ...
HIDE_N = 5
#: ... and on fewer than this figures are marked as for orientation only.
MIN_N = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One unit in one period.

    ``n`` opinions, of them ``settled_n`` about dossiers settled in the period; ``means`` hold
    only criteria with enough answers.  ``points`` are those that count: of the appraiser, else
    measured.  ``total`` is None while one of nine is unknown.
    """

    unit: str
    name: str
    n: int
    settled_n: int
    settled: int
    means: Mapping[str, Mean]
    counts: Counts | None
    measured: Mapping[str, Fraction]
    own: Mapping[str, Fraction]
    appraised: Mapping[str, Fraction]
    points: Mapping[str, Fraction]
    total: Fraction | None
    grade: Grade | None
    sheet: Sheet
    rank: int | None = None
    below: int = 0  # units under it that are counted in
    left_out: int = 0  # ... and that had too few opinions
    rows: tuple[Opinion, ...] = field(default=(), repr=False)

    @property
    def own_total(self) -> Fraction | None:
        """What the unit gives itself."""
        return criteria.total(self.own)

    @property
    def hidden(self) -> bool:
        """Whether there are opinions and too few of them."""
        return 0 < self.n < HIDE_N


def scored(
    db: sqlite3.Connection, period: Period, *, today: date, within: str = ""
) -> list[Scored]:
    """Every unit that received dossiers, opinions or points in a period, ranked, by name."""
    found, sheets = _found(db, period, today, within), store.sheets(db, period.key)
    mine = Inside(db, within)
    ids = {*found, *(unit for unit in sheets if mine(unit))}
    each = [
        _one(db, id, period, {id: found.get(id, _Found())}, sheets.get(id, store.Sheet()))
        for id in ids
    ]
    ranks = criteria.ranked({one.unit: one.total for one in each})
    placed = [replace(one, rank=ranks.get(one.unit)) for one in each]
    return sorted(placed, key=lambda one: (units.name_key(one.name), one.unit))


def one(db: sqlite3.Connection, unit: str, period: Period, *, today: date) -> Scored:
    """A unit with all that lies under it; units with too few opinions are left out of the sum."""
    found = _found(db, period, today, unit)
    return _one(db, unit, period, found, store.sheet(db, unit, period.key))


def counts_of(kept: Kept) -> Counts | None:
    """The counts as stored, None when there are none."""
    return Counts(**kept.values) if kept.version else None


def exact(points: Mapping[str, str]) -> dict[str, Fraction]:
    """Points as written ("1.75") to points as they are."""
    return {name: Fraction(text) for name, text in points.items()}


@dataclass(slots=True)
class _Found:
    rows: list[Opinion] = field(default_factory=list)
    settled: int = 0


def _found(db: sqlite3.Connection, period: Period, today: date, within: str) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    since, until = period.first, period.last
    for opinion in opinions.of(db, since=since, until=until, within=within):
        found.setdefault(opinion.unit, _Found()).rows.append(opinion)
    for work in late.work(db, since=since, until=until, today=today, within=within):
        if work.settled:
            found.setdefault(work.unit, _Found()).settled += work.settled
    return found


def _one(
    db: sqlite3.Connection, unit: str, period: Period, found: Mapping[str, _Found], sheet: Sheet
) -> Scored:
    parts = [criteria.means(o.points for o in part.rows) for part in found.values()]
    means = _merged(parts)
    counts = counts_of(sheet.counts)
    measured = criteria.measured(means, counts)
    appraised = exact(sheet.appraised.values)
    points = criteria.settled(measured, appraised)
    total = criteria.total(points)
    few = [part for part in found.values() if 0 < len(part.rows) < HIDE_N]
    own = len(found) == 1 and unit in found
    rows = [o for part in found.values() for o in part.rows if own or len(part.rows) >= HIDE_N]
    return Scored(
        unit=unit, name=units.name(db, unit, period.last), n=len(rows),
        settled_n=sum(o.settled for o in rows), settled=sum(p.settled for p in found.values()),
        means=means, counts=counts, measured=measured, own=exact(sheet.own.values),
        appraised=appraised, points=points, total=total,
        grade=None if total is None else criteria.grade(total), sheet=sheet,
        below=len(found) - (unit in found), left_out=0 if own else len(few),
        rows=tuple(rows) if len(rows) >= HIDE_N else (),
    )  # fmt: skip


def _merged(parts: Iterable[Mapping[str, Mean]]) -> dict[str, Mean]:
    """Means over units; what stands on too few in one of them is not taken in.

    Else what a unit may not show could be found by taking its neighbours from the unit above.
    """
    counts = {name: [0, 0, 0] for name in criteria.OPINION}
    for part in parts:
        for name, mean in part.items():
            if mean.n >= HIDE_N:
                counts[name] = [a + b for a, b in zip(counts[name], mean.by_points, strict=True)]
    return {name: Mean((a, b, c)) for name, (a, b, c) in counts.items()}
