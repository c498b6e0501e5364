"""Points of the nine criteria of Nghị định 61/2018/NĐ-CP: means of opinions, counts of a unit.

All arithmetic is exact (fractions), so that a total of exactly 15 is 15 and never 14,999…; only
who prints rounds.  Criteria 1, 2, 3, 4, 6, 7 are judged dossier by dossier, 5, 8, 9 once for a
unit and period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from forms.scoring import CRITERIA, GRADES, MAXIMUM, OFFICER, UNIT, Grade

#: Judged by the person who handed the dossier in.
OPINION = tuple(name for name in CRITERIA if name not in UNIT)
#: An officer's total: 1 + 2 + 3 + 4 + 7, each 0..2.
OFFICER_MAXIMUM = 2 * len(OFFICER)

Points = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Edges:
    """Where the points of criteria 5, 8 and 9 change; shares as fractions, edges included.

    ``on_site``: share of procedures dealt with at the one-stop unit itself where the unit names
    no other.  ``handled``: complaints answered in time for 1 point.  ``online_procedures``,
    ``online``: for 2 points; ``some_online`` up to, not with, ``online``: for 1.
    """

    on_site: Fraction = Fraction(20, 100)
    handled: Fraction = Fraction(90, 100)
    online_procedures: Fraction = Fraction(20, 100)
    online: Fraction = Fraction(30, 100)
    some_online: Fraction = Fraction(15, 100)


EDGES = Edges()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a unit counts once a period; None where it was not said, and then there are no points.

    ``procedures``: that the unit is competent for; ``received``: of them received at the one-stop
    unit; ``on_site``: of them received, resolved and returned there; ``required``: percent of them
    that are to be.  ``complaints`` and how many were answered in time.  ``online_procedures`` of
    ``procedures`` are offered online; ``online`` of ``dossiers`` came so, ``overdue`` of those are
    late.
    """

    procedures: int | None = None
    received: int | None = None
    on_site: int | None = None
    required: int | None = None
    complaints: int | None = None
    answered: int | None = None
    online_procedures: int | None = None
    dossiers: int | None = None
    online: int | None = None
    overdue: int | None = None


#: What must not be more than what.
PARTS = (
    ("received", "procedures"),
    ("on_site", "received"),
    ("answered", "complaints"),
    ("online_procedures", "procedures"),
    ("online", "dossiers"),
    ("overdue", "online"),
)


def at_counter(counts: Counts, edges: Edges = EDGES) -> int | None:
    """Criterion 5: 2 = the share dealt with on the spot is reached, 1 = all received there, 0."""
    whole, received, done = counts.procedures, counts.received, counts.on_site
    if whole is None or received is None or done is None or whole == 0:
        return None
    wanted = edges.on_site if counts.required is None else Fraction(counts.required, 100)
    if received == whole and Fraction(done, whole) >= wanted:
        return 2
    return 1 if received == whole else 0


def complaints(counts: Counts, edges: Edges = EDGES) -> int | None:
    """Criterion 8: 2 = none or all answered in time, 1 = at least nine of ten, 0."""
    whole, answered = counts.complaints, counts.answered
    if whole is None or (whole and answered is None):
        return None
    if not whole or answered == whole:
        return 2
    return int(Fraction(answered or 0, whole) >= edges.handled)


def online(counts: Counts, edges: Edges = EDGES) -> int | None:
    """Criterion 9: 2 = 20 % of procedures and 30 % of dossiers and none late, 1 = 15-30 %, 0."""
    facts = (counts.procedures, counts.online_procedures, counts.dossiers, counts.online)
    if None in facts or counts.overdue is None:
        return None
    procedures, offered, dossiers, came = (fact or 0 for fact in facts)
    if not procedures or not dossiers:
        return None
    share = Fraction(came, dossiers)
    if share >= edges.online:
        whole = Fraction(offered, procedures) >= edges.online_procedures and not counts.overdue
        return 2 if whole else 0
    return int(share >= edges.some_online)


#: Criterion of the unit -> its rule.
RULES: Mapping[str, Callable[[Counts, Edges], int | None]] = {
    "n5": at_counter, "n8": complaints, "n9": online,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mean:
    """The opinions on one criterion: how many gave 0, 1 and 2 points."""

    by_points: tuple[int, int, int] = (0, 0, 0)

    @property
    def n(self) -> int:
        """How many gave any: who left it empty is not among them."""
        return sum(self.by_points)

    @property
    def value(self) -> Fraction | None:
        """Mean points 0..2, None when nobody answered."""
        return Fraction(self.by_points[1] + 2 * self.by_points[2], self.n) if self.n else None


def means(opinions: Iterable[Mapping[str, int]]) -> dict[str, Mean]:
    """The means of criteria 1, 2, 3, 4, 6, 7 over opinions (criterion -> 0..2 points).

    Each criterion has its own base.  Raises ValueError for points that are not 0, 1 or 2.
    """
    return counted((opinion, 1) for opinion in opinions)


def counted(opinions: Iterable[tuple[Mapping[str, int], int]]) -> dict[str, Mean]:
    """As ``means``, of opinions that so many persons gave."""
    counts = {name: [0, 0, 0] for name in OPINION}
    for opinion, n in opinions:
        for name, points in opinion.items():
            if name in counts:
                if points not in (0, 1, 2):
                    raise ValueError(f"{name}: {points!r} is not 0, 1 or 2")
                counts[name][points] += n
    return {name: Mean((a, b, c)) for name, (a, b, c) in counts.items()}


def measured(
    opinions: Mapping[str, Mean], counts: Counts | None, edges: Edges = EDGES
) -> dict[str, Fraction]:
    """Criterion -> points as opinions and counts have them; what is not known is not in it."""
    found = {name: mean.value for name, mean in opinions.items()}
    if counts is not None:
        for name, rule in RULES.items():
            points = rule(counts, edges)
            found[name] = None if points is None else Fraction(points)
    return {name: value for name in CRITERIA if (value := found.get(name)) is not None}


def settled(measured: Points, appraised: Points) -> dict[str, Fraction]:
    """The points that count: the appraiser's where there are any, else the measured ones."""
    both = {**measured, **appraised}
    return {name: both[name] for name in CRITERIA if name in both}


def total(points: Points, criteria: Sequence[str] = CRITERIA) -> Fraction | None:
    """The sum of these criteria, None while one of them has no points: never the most."""
    if any(name not in points for name in criteria):
        return None
    return sum((points[name] for name in criteria), Fraction(0))


def grade(total: Fraction, edges: Sequence[Grade] = GRADES) -> Grade:
    """The class of a total of 18, not rounded before; an edge belongs to the class it opens.

    Raises ValueError for a total outside 0..18.
    """
    if not 0 <= total <= MAXIMUM:
        raise ValueError(f"{total} is not in 0..{MAXIMUM}")
    return next(one for one in edges if total >= one.least)


def ranked(totals: Mapping[str, Fraction | None]) -> dict[str, int]:
    """Unit -> rank, the highest total first; equal totals share a rank (1, 2, 2, 4)."""
    known = sorted((value for value in totals.values() if value is not None), reverse=True)
    return {unit: known.index(v) + 1 for unit, v in totals.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Personal:
    """An officer's opinions: ``n`` complete enough to count, and the total of 10."""

    officer: str
    n: int
    points: Mapping[str, Fraction]
    total: Fraction | None


def officers(opinions: Iterable[tuple[str, Mapping[str, int]]]) -> list[Personal]:
    """Totals 1 + 2 + 3 + 4 + 7 by officer, by name; dossiers without an officer are left out.

    ``n`` is the number of opinions that carry the least answered of the five.  Who prints it
    keeps back what stands on too few.
    """
    by: dict[str, list[Mapping[str, int]]] = {}
    for officer, opinion in opinions:
        if officer:
            by.setdefault(officer, []).append(opinion)
    found = []
    for officer, own in sorted(by.items()):
        known = means(own)
        points = {name: v for name in OFFICER if (v := known[name].value) is not None}
        n = min(known[name].n for name in OFFICER)
        found.append(Personal(officer, n, points, total(points, OFFICER)))
    return found
