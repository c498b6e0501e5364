"""Drawing the villages and households of a wave, and drawing them again to see that they hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from analysis.sampling.allocation import BadAllocation, allocate
from analysis.sampling.draw import ALGORITHM, Place, by_size, chance, simple
from analysis.sampling.frame import BadFrame, Row, Stage
from analysis.sampling.stages import draw as draw_stages
from survey.frames import Faulty
from survey.store import draws, frames, plans, replacements
from survey.text import t

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from survey.store.draws import Area, Draw, Plan
    from survey.store.frames import Stratum, Village

Rows = list[dict[str, Any]]
#: Up to this part of a stratum's villages the finite population corrects the variance; above, it
#: would leave out what the households add (STATISTICS 2.2), so there is none.
SMALL_PART = Fraction(1, 10)


def stages(plan: Plan) -> tuple[Stage, Stage]:
    """Return the stages that draw the villages."""
    takes: dict[tuple[str, ...], int] = {(name,): take for name, take in plan.takes.items()}
    return Stage("stratum"), Stage("village", takes, plan.method)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sample size: ``answers`` wanted, forms ``issued``, ``villages``; the ``official`` rule."""

    answers: int
    issued: int
    villages: int
    deff: float
    official: int


def wanted(
    half_width: float, *, share: float, icc: float, take: int, response: float,
    population: int | None,
) -> Wanted:  # fmt: skip
    """Return how many persons give an interval of share ± ``half_width``; raises BadSize."""
    from analysis.sampling.size import cluster_deff, size, slovin

    deff = cluster_deff(icc, take)
    found = size(half_width, share=share, deff=deff, population=population, response=response)
    return Wanted(
        found.answers, found.issued, -(-found.issued // take), deff, slovin(population)
    )  # fmt: skip


def allocated(
    db: sqlite3.Connection, wave: str, villages: int, rule: str, minimum: int
) -> dict[str, int]:
    """Return the villages of each stratum; raises Faulty where they cannot be shared out so.

    In proportion to households, but no stratum gives more villages than it has.
    """
    strata = frames.strata(db, wave)
    if not strata:
        raise Faulty([t("sampling.no_frame")])
    least = [min(minimum, row.villages) for row in strata]
    if not sum(least) <= villages <= sum(row.villages for row in strata):
        high = sum(row.villages for row in strata)
        raise Faulty([t("sampling.fault.total", n=villages, low=sum(least), high=high)])
    try:
        shares = allocate(villages, [s.households for s in strata], rule=rule, minimum=minimum)
    except BadAllocation as bad:
        raise Faulty([str(bad)]) from bad
    return _fitted(dict(zip([s.stratum for s in strata], shares, strict=True)), strata)


def _fitted(takes: dict[str, int], strata: Sequence[Stratum]) -> dict[str, int]:
    """Give what does not fit into a stratum to those with the most households a village drawn."""
    most = {row.stratum: row.villages for row in strata}
    sizes = {row.stratum: row.households for row in strata}
    spare = sum(max(0, take - most[name]) for name, take in takes.items())
    made = {name: min(take, most[name]) for name, take in takes.items()}
    for _ in range(spare):
        free = [name for name in made if made[name] < most[name]]
        made[max(free, key=lambda name: (sizes[name] / (made[name] + 1), name))] += 1
    return made


def plan_faults(db: sqlite3.Connection, wave: str, plan: Plan) -> list[str]:
    """Return all that keeps a plan from being drawn from the frame that is there."""
    found = []
    strata = {row.stratum: row.villages for row in frames.strata(db, wave)}
    if not strata:
        return [t("sampling.no_frame")]
    for name, n in strata.items():
        take = plan.takes.get(name)
        if not take:
            found.append(t("sampling.fault.no_take", stratum=name))
        elif take > n:
            found.append(t("sampling.fault.take", stratum=name, take=take, n=n))
    found += [
        t("sampling.fault.stratum", stratum=name) for name in plan.takes if name not in strata
    ]
    return found


def villages(db: sqlite3.Connection, wave: str, seed: str) -> tuple[Rows, Draw]:
    """Draw the villages of a wave; returns rows for ``draws.keep_villages``.

    Raises Faulty with all that is wrong.
    """
    held = draws.get(db, wave)
    if wrong := plan_faults(db, wave, held.plan):
        raise Faulty(wrong)
    if not seed.strip():
        raise Faulty([t("sampling.fault.seed")])
    frame = {village.psu: village for village in frames.villages(db, wave)}
    picked = _picked(list(frame.values()), held.plan, seed)
    totals = {row.stratum: row.villages for row in frames.strata(db, wave)}
    rows = [
        _area(frame[psu], probability, _fpc(held.plan, totals, frame[psu].stratum))
        for psu, probability in picked.items()
    ]
    digest = frames.digest(db, wave, "village")[0]
    return rows, replace(held, seed=seed, algorithm=ALGORITHM, village_digest=digest)


def _picked(frame: Sequence[Village], plan: Plan, seed: str) -> dict[str, Fraction]:
    rows = [Row((village.stratum, village.psu), village.size) for village in frame]
    try:
        sample = draw_stages(rows, stages(plan), seed=seed)
    except BadFrame as bad:
        raise Faulty([str(bad)]) from bad
    return {unit.path[-1]: unit.probability for unit in sample.main}


def _area(village: Village, probability: Fraction, fpc: float | None) -> dict[str, Any]:
    return {
        "psu": village.psu, "stratum": village.stratum, "unit": village.unit,
        "area": village.area, "name": village.name, "fpc": fpc, "probability": str(probability),
    }  # fmt: skip


def _fpc(plan: Plan, totals: Mapping[str, int], stratum: str) -> float | None:
    part = Fraction(plan.takes[stratum], totals[stratum])
    return float(totals[stratum]) if plan.method != "size" and part <= SMALL_PART else None


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
    place = Place(held.seed, "household", (area.stratum, area.psu))
    return simple(ids, take, place, reserves=min(held.plan.reserves, len(ids) - take))


def _ballot(seed: str, what: str, psu: str, household: str) -> float:
    return chance(Place(seed, what, ()), f"{psu}/{household}") / 2**256


def substitute(db: sqlite3.Connection, wave: str, psu: str) -> dict[str, Any] | None:
    """Return the village that takes a dropped one's place, None where its stratum has no other.

    It is drawn by the same method from those that the sample never held, and has the probability
    that it had in the first draw.  Raises LookupError for a village that is not in the sample.
    """
    held = draws.get(db, wave)
    areas = {area.psu: area for area in draws.areas(db, wave)}
    return _substitute(areas, frames.villages(db, wave), held, psu)


def _substitute(
    areas: Mapping[str, Area], frame: Sequence[Village], held: Draw, psu: str
) -> dict[str, Any] | None:
    mine = areas[psu]
    sizes = {village.psu: village.size for village in frame}
    left = [v for v in frame if v.stratum == mine.stratum and v.psu not in areas]
    if not left or psu not in sizes:
        return None
    place = Place(held.seed, "substitute", (mine.stratum, psu))
    weights = [v.size if held.plan.method == "size" else 1 for v in left]
    taken = left[by_size([v.psu for v in left], weights, 1, place)[0].index]
    if held.plan.method != "size":
        probability = Fraction(held.plan.takes[mine.stratum], sum(
            village.stratum == mine.stratum for village in frame))  # fmt: skip
    else:
        probability = taken.size * _rate(areas, sizes, mine.stratum)
    return _area(taken, probability, mine.fpc)


def _rate(areas: Mapping[str, Area], sizes: Mapping[str, int], stratum: str) -> Fraction:
    """Return probability over size of the villages that were not taken surely."""
    for area in areas.values():
        chance_of = Fraction(area.probability or 1)
        if area.stratum == stratum and chance_of < 1 and area.psu in sizes:
            return chance_of / sizes[area.psu]
    raise LookupError(stratum)


def check(db: sqlite3.Connection, wave: str) -> tuple[int, int, list[str]]:
    """Draw all again; returns how many villages and cases were compared, and what differs."""
    held = draws.get(db, wave)
    if not held.villages_at:
        raise Faulty([t("sampling.fault.no_villages")])
    areas = {area.psu: area for area in draws.areas(db, wave)}
    found = []
    if held.algorithm != ALGORITHM:
        found.append(t("sampling.differs.algorithm", was=held.algorithm, now=ALGORITHM))
    if frames.digest(db, wave, "village")[0] != held.village_digest:
        found.append(t("sampling.differs.village_digest"))
    frame = frames.villages(db, wave)
    found += _village_differences(areas, frame, held)
    n, differing = _case_differences(db, wave, areas, held)
    return len(areas), n, found + differing


def _village_differences(
    areas: Mapping[str, Area], frame: Sequence[Village], held: Draw
) -> list[str]:
    again = {psu: str(p) for psu, p in _picked(frame, held.plan, held.seed).items()}
    first = {psu: area.probability for psu, area in areas.items() if not area.replaces}
    found = [
        t("sampling.differs.village", psu=psu)
        for psu in sorted({*again, *first})
        if again.get(psu) != first.get(psu)
    ]
    known = {psu: area for psu, area in areas.items() if not area.replaces}
    later = sorted((a for a in areas.values() if a.replaces), key=lambda a: _when(areas, a))
    for area in later:  # one after the other, as each draw saw those before it
        drawn = _substitute(known, frame, held, area.replaces or "")
        if drawn is None or (drawn["psu"], drawn["probability"]) != (area.psu, area.probability):
            found.append(t("sampling.differs.village", psu=area.psu))
        known[area.psu] = area
    return found


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
