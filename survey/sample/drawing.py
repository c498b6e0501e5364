"""Drawing the villages and households of a wave, and drawing them again to see that they hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from analysis.sampling.allocation import BadAllocation, allocate
from analysis.sampling.draw import ALGORITHM, Place, chance, simple
from analysis.sampling.frame import BadFrame
from survey.sample import staging
from survey.sample.frames import Faulty
from survey.store import draws, frames, plans, replacements, units
from survey.text import t

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from survey.store.draws import Area, Draw, Plan
    from survey.store.frames import Stratum, Village

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sample size: ``answers`` wanted, forms ``issued``, ``villages``; the ``official`` rule.

    ``communes`` is 0 where villages are drawn at once.
    """

    answers: int
    issued: int
    villages: int
    deff: float
    official: int
    communes: int = 0


def wanted(
    half_width: float, *, share: float, icc: float, take: int, response: float,
    population: int | None, per_commune: int = 0, commune_icc: float = 0,
) -> Wanted:  # fmt: skip
    """Return how many persons give an interval of share ± ``half_width``; raises BadSize.

    ``icc`` is the correlation inside a village, ``commune_icc`` that between two villages of a
    commune, of which ``per_commune`` are drawn (0: no communes are).
    """
    from analysis.sampling.size import cluster_deff, size, slovin, staged_deff

    deff = cluster_deff(icc, take)
    if per_commune:
        deff = staged_deff(icc, take, commune_icc, per_commune)
    found = size(half_width, share=share, deff=deff, population=population, response=response)
    villages = -(-found.issued // take)
    communes = -(-villages // per_commune) if per_commune else 0
    return Wanted(found.answers, found.issued, villages, deff, slovin(population), communes)


def allocated(
    db: sqlite3.Connection, wave: str, total: int, rule: str, minimum: int, *,
    communes: bool = False,
) -> dict[str, int]:  # fmt: skip
    """Return the villages (or communes) of each stratum; raises Faulty where they cannot be shared.

    In proportion to households, but no stratum gives more of them than it has.
    """
    strata = frames.strata(db, wave)
    if not strata:
        raise Faulty([t("sampling.no_frame")])
    most = {row.stratum: row.communes if communes else row.villages for row in strata}
    low, high = sum(min(minimum, n) for n in most.values()), sum(most.values())
    if not low <= total <= high:
        what = "sampling.fault.total_communes" if communes else "sampling.fault.total"
        raise Faulty([t(what, n=total, low=low, high=high)])
    try:
        shares = allocate(total, [s.households for s in strata], rule=rule, minimum=minimum)
    except BadAllocation as bad:
        raise Faulty([str(bad)]) from bad
    return _fitted(dict(zip([s.stratum for s in strata], shares, strict=True)), strata, most)


def _fitted(
    takes: dict[str, int], strata: Sequence[Stratum], most: Mapping[str, int]
) -> dict[str, int]:
    """Give what does not fit into a stratum to those with the most households a unit drawn."""
    sizes = {row.stratum: row.households for row in strata}
    spare = sum(max(0, take - most[name]) for name, take in takes.items())
    made = {name: min(take, most[name]) for name, take in takes.items()}
    for _ in range(spare):
        free = [name for name in made if made[name] < most[name]]
        made[max(free, key=lambda name: (sizes[name] / (made[name] + 1), name))] += 1
    return made


def plan_faults(db: sqlite3.Connection, wave: str, plan: Plan) -> list[str]:
    """Return all that keeps a plan from being drawn from the frame that is there."""
    strata = frames.strata(db, wave)
    if not strata:
        return [t("sampling.no_frame")]
    end = "_communes" if plan.per_commune else ""
    found = _unplaced(db, wave) if plan.per_commune else []
    for row in strata:
        take, n = plan.takes.get(row.stratum), row.communes if end else row.villages
        if not take:
            found.append(t(f"sampling.fault.no_take{end}", stratum=row.stratum))
        elif take > n:
            found.append(t(f"sampling.fault.take{end}", stratum=row.stratum, take=take, n=n))
    known = {row.stratum for row in strata}
    found += [t("sampling.fault.stratum", stratum=name) for name in plan.takes if name not in known]
    return found


def _unplaced(db: sqlite3.Connection, wave: str) -> list[str]:
    """Return what is said of strata whose villages do not all name their commune."""
    communes = {unit.id for unit in units.all(db, kind="commune")}
    lost = Counter(v.stratum for v in frames.villages(db, wave) if v.unit not in communes)
    return [t("sampling.fault.commune", stratum=name, n=n) for name, n in sorted(lost.items())]


def few(db: sqlite3.Connection, wave: str, plan: Plan) -> int:
    """Return how many communes have fewer villages than a plan would draw in each."""
    held = Counter((village.stratum, village.unit) for village in frames.villages(db, wave))
    return sum(n < plan.per_commune for n in held.values())


def villages(db: sqlite3.Connection, wave: str, seed: str) -> tuple[Rows, Draw]:
    """Draw the villages of a wave; returns rows for ``draws.keep_villages``.

    Raises Faulty with all that is wrong.
    """
    held = draws.get(db, wave)
    if wrong := plan_faults(db, wave, held.plan):
        raise Faulty(wrong)
    if not seed.strip():
        raise Faulty([t("sampling.fault.seed")])
    rows = _picked(frames.villages(db, wave), held.plan, seed)
    digest = frames.digest(db, wave, held.plan.frame)[0]
    return rows, replace(held, seed=seed, algorithm=ALGORITHM, village_digest=digest)


def _picked(frame: Sequence[Village], plan: Plan, seed: str) -> Rows:
    try:
        return staging.picked(frame, plan, seed)
    except BadFrame as bad:
        raise Faulty([str(bad)]) from bad


def households(
    db: sqlite3.Connection, wave: str, *, ready: bool = False
) -> tuple[Rows, Draw, list[Area]]:
    """Draw the households of every drawn village that has none yet.

    ``ready`` passes over villages whose list is not there; they are returned.  Raises Faulty.
    """
    held = draws.get(db, wave)
    if not held.villages_at:
        raise Faulty([t("sampling.fault.no_villages")])
    open_areas = [a for a in draws.areas(db, wave) if not a.dropped_at and not a.main]
    waiting = [area for area in open_areas if not area.listed]
    wrong = [] if ready else [t("sampling.fault.no_list", psu=a.psu, name=a.name) for a in waiting]
    wrong += [
        t("frame.fault.short", psu=a.psu, n=a.listed, take=held.plan.households)
        for a in open_areas
        if 0 < a.listed < held.plan.households
    ]
    if wrong:
        raise Faulty(wrong)
    wanted = {area.psu: area for area in open_areas if area.listed}
    rows = list(_cases(db, wave, wanted, held))
    digest = frames.digest(db, wave, "household")[0]
    return rows, replace(held, household_digest=digest), waiting


def _cases(
    db: sqlite3.Connection, wave: str, areas: Mapping[str, Area], held: Draw
) -> Iterator[dict[str, Any]]:
    """Yield the cases of villages, one list in memory at a time."""
    ballots = plans.get(db, wave).seed or held.seed
    grown = replacements.factors(db, wave)
    for psu, group in groupby(frames.listed(db, wave), key=itemgetter(0)):
        if psu not in areas:
            continue
        area, listed = areas[psu], list(group)
        whole = Fraction(area.probability or 1) / grown[area.stratum]
        for pick in _list_picks(area, [row[1] for row in listed], held):
            _, household, adults = listed[pick.index]
            part = pick.probability / (adults if held.plan.person == "one" else 1)
            main = pick.number <= held.plan.households
            yield {
                "psu": psu, "household": household,
                "number": pick.number if main else None,
                "reserve": None if main else pick.number - held.plan.households,
                "probability": str(whole * part), "base": float(1 / (whole * part)),
                "double_ballot": _ballot(ballots, "double", psu, household),
                "callback_ballot": _ballot(ballots, "callback", psu, household),
            }  # fmt: skip


def _list_picks(area: Area, ids: list[str], held: Draw) -> Any:
    """Return the main list and as many reserves as a short list has left."""
    take = held.plan.households
    place = Place(held.seed, "household", staging.place(held.plan, area))
    return simple(ids, take, place, reserves=min(held.plan.reserves, len(ids) - take))


def _ballot(seed: str, what: str, psu: str, household: str) -> float:
    return chance(Place(seed, what, ()), f"{psu}/{household}") / 2**256


def substitute(db: sqlite3.Connection, wave: str, psu: str) -> dict[str, Any] | None:
    """Return the village that takes a dropped one's place, None where its stratum has no other.

    It is drawn by the same method from those that the sample never held, of its commune while
    there are any where communes are drawn, and has the probability that it had in the first draw.
    Raises LookupError for a village that is not in the sample.
    """
    held = draws.get(db, wave)
    areas = {area.psu: area for area in draws.areas(db, wave)}
    return staging.substitute(areas, frames.villages(db, wave), held, psu)


def check(db: sqlite3.Connection, wave: str) -> tuple[int, int, list[str]]:
    """Draw all again; returns how many villages and cases were compared, and what differs."""
    held = draws.get(db, wave)
    if not held.villages_at:
        raise Faulty([t("sampling.fault.no_villages")])
    areas = {area.psu: area for area in draws.areas(db, wave)}
    found = []
    if held.algorithm != ALGORITHM:
        found.append(t("sampling.differs.algorithm", was=held.algorithm, now=ALGORITHM))
    if frames.digest(db, wave, held.plan.frame)[0] != held.village_digest:
        found.append(t("sampling.differs.village_digest"))
    frame = frames.villages(db, wave)
    found += _village_differences(areas, frame, held)
    n, differing = _case_differences(db, wave, areas, held)
    return len(areas), n, found + differing


def _village_differences(
    areas: Mapping[str, Area], frame: Sequence[Village], held: Draw
) -> list[str]:
    again = {row["psu"]: _what(row) for row in _picked(frame, held.plan, held.seed)}
    first = {psu: _what(asdict(area)) for psu, area in areas.items() if not area.replaces}
    found = [
        t("sampling.differs.village", psu=psu)
        for psu in sorted({*again, *first})
        if again.get(psu) != first.get(psu)
    ]
    known = {psu: area for psu, area in areas.items() if not area.replaces}
    later = sorted((a for a in areas.values() if a.replaces), key=lambda a: _when(areas, a))
    for area in later:  # one after the other, as each draw saw those before it
        drawn = staging.substitute(known, frame, held, area.replaces or "")
        if drawn is None or _what(drawn) != _what(asdict(area)):
            found.append(t("sampling.differs.village", psu=area.psu))
        known[area.psu] = area
    return found


def _what(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a draw decides of a village."""
    return tuple(row[name] for name in ("psu", "probability", "cluster", "certain"))


def _when(areas: Mapping[str, Area], area: Area) -> str:
    return areas[area.replaces or ""].dropped_at or ""


def _case_differences(
    db: sqlite3.Connection, wave: str, areas: Mapping[str, Area], held: Draw
) -> tuple[int, list[str]]:
    names = ("psu", "household", "reserve", "probability", "double_ballot", "callback_ballot")
    begun = {psu: area for psu, area in areas.items() if area.main}
    dropped = {psu for psu, area in areas.items() if area.dropped_at}
    again = {
        (row["psu"], row["household"]): tuple(row[name] for name in names)
        for row in _cases(db, wave, begun, held)
    }
    found, n = [], 0
    for row in draws.rows(db, wave):
        n += 1
        drawn = again.pop((row["psu"], row["household"]), None)
        stored = tuple(row[name] for name in names)
        if drawn is not None and row["psu"] in dropped:  # its weights stopped growing then
            drawn, stored = drawn[:3] + drawn[4:], stored[:3] + stored[4:]
        if drawn != stored:
            found.append(t("sampling.differs.case", psu=row["psu"], household=row["household"]))
    found += [t("sampling.differs.case", psu=psu, household=h) for psu, h in sorted(again)]
    return n, found
