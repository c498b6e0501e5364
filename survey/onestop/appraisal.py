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

    from forms.scoring import Grade
    from survey.reporting.periods import Period
    from survey.store.criteria import Kept, Sheet
    from survey.store.opinions import Counted

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
    shown: frozenset[str] = frozenset()  # units whose single opinions may be shown

    @property
    def own_total(self) -> Fraction | None:
        """What the unit gives itself."""
        return criteria.total(self.own)

    @property
    def hidden(self) -> bool:
        """Whether there are opinions and too few of them."""
        return 0 < self.n < HIDE_N


def scored(
    db: sqlite3.Connection,
    period: Period,
    *,
    within: str = "",
    found: Mapping[str, Found] | None = None,
) -> list[Scored]:
    """Every unit that received dossiers, opinions or points in a period, ranked, by name.

    ``found``: what ``said`` found a while ago, to save the reading.
    """
    found = said(db, period, within) if found is None else found
    sheets = store.sheets(db, period.key)
    mine = Inside(db, within)
    ids = {*found, *(unit for unit in sheets if mine(unit))}
    each = [
        _one(db, id, period, {id: found.get(id, Found())}, sheets.get(id, store.Sheet()))
        for id in ids
    ]
    ranks = criteria.ranked({one.unit: one.total for one in each})
    placed = [replace(one, rank=ranks.get(one.unit)) for one in each]
    return sorted(placed, key=lambda one: (units.name_key(one.name), one.unit))


def one(
    db: sqlite3.Connection, unit: str, period: Period, found: Mapping[str, Found] | None = None
) -> Scored:
    """A unit with all that lies under it; units with too few opinions are left out of the sum."""
    found = said(db, period, unit) if found is None else found
    sheet = store.sheet(db, unit, period.key)
    if sheet == store.Sheet() and len(found) == 1:  # its one point of service speaks for it
        sheet = store.sheet(db, next(iter(found)), period.key)
    return _one(db, unit, period, found, sheet)


def counts_of(kept: Kept) -> Counts | None:
    """The counts as stored, None when there are none."""
    return Counts(**kept.values) if kept.version else None


def exact(points: Mapping[str, str]) -> dict[str, Fraction]:
    """Points as written ("1.75") to points as they are."""
    return {name: Fraction(text) for name, text in points.items()}


@dataclass(slots=True)
class Found:
    """What was said of one unit: means of all criteria, however few, and its settled dossiers."""

    means: dict[str, Mean] = field(default_factory=dict)
    n: int = 0
    settled_n: int = 0
    settled: int = 0


def said(db: sqlite3.Connection, period: Period, within: str) -> dict[str, Found]:
    """Opinions and settled dossiers of a period by the unit that received them."""
    since, until = period.first, period.last
    by: dict[str, list[Counted]] = {}
    for one in opinions.counted(db, since=since, until=until, within=within):
        by.setdefault(one.unit, []).append(one)
    found = {
        unit: Found(
            criteria.counted((o.points, o.n) for o in each), sum(o.n for o in each),
            sum(o.n for o in each if o.settled),
        )
        for unit, each in by.items()
    }  # fmt: skip
    for unit, n in late.settled(db, since=since, until=until, within=within).items():
        found.setdefault(unit, Found()).settled = n
    return found


def _one(
    db: sqlite3.Connection, unit: str, period: Period, found: Mapping[str, Found], sheet: Sheet
) -> Scored:
    own = len(found) == 1 and unit in found
    counted = [p for p in found.values() if own or p.n >= HIDE_N]
    means = _merged(part.means for part in found.values())
    counts = counts_of(sheet.counts)
    measured = criteria.measured(means, counts)
    appraised = exact(sheet.appraised.values)
    points = criteria.settled(measured, appraised)
    total = criteria.total(points)
    return Scored(
        unit=unit, name=units.name(db, unit, period.last), n=sum(p.n for p in counted),
        settled_n=sum(p.settled_n for p in counted),
        settled=sum(p.settled for p in found.values()), means=means, counts=counts,
        measured=measured, own=exact(sheet.own.values), appraised=appraised, points=points,
        total=total, grade=None if total is None else criteria.grade(total), sheet=sheet,
        below=len(found) - (unit in found),
        left_out=0 if own else sum(0 < p.n < HIDE_N for p in found.values()),
        shown=frozenset(id for id, part in found.items() if part.n >= HIDE_N),
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
