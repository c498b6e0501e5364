"""The stages before the households: who is drawn, by what chance, in which cluster it counts."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Any

from analysis.sampling.draw import Place, by_size, probabilities
from analysis.sampling.frame import Row, Stage
from analysis.sampling.stages import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analysis.sampling.stages import Drawn
    from survey.store.draws import Area, Draw, Plan
    from survey.store.frames import Village

Rows = list[dict[str, Any]]
#: Up to this part of a stratum's first-stage units the finite population corrects the variance;
#: above, it would leave out what the later stages add (STATISTICS 2.2), so there is none.
SMALL_PART = Fraction(1, 10)


def stages(plan: Plan, frame: Sequence[Village]) -> tuple[Stage, ...]:
    """Return the stages that draw the villages; a commune with few of them gives all it has."""
    takes: dict[tuple[str, ...], int] = {(name,): take for name, take in plan.takes.items()}
    if not plan.per_commune:
        return Stage("stratum"), Stage("village", takes, plan.method)
    held = Counter((village.stratum, village.unit) for village in frame)
    inside: dict[tuple[str, ...], int] = {
        commune: min(plan.per_commune, n) for commune, n in held.items()
    }
    return (
        Stage("stratum"),
        Stage("commune", takes, plan.commune_method),
        Stage("village", inside, plan.method),
    )


def place(plan: Plan, village: Village | Area) -> tuple[str, ...]:
    """Return the ids of the stages above a village's households."""
    if plan.per_commune:
        return village.stratum, village.unit, village.psu
    return village.stratum, village.psu


def picked(frame: Sequence[Village], plan: Plan, seed: str) -> Rows:
    """Draw the villages of a frame; returns rows for ``draws.keep_villages``.  Raises BadFrame."""
    rows = [Row(place(plan, village), village.size) for village in frame]
    main = draw(rows, stages(plan, frame), seed=seed).main
    known = {village.psu: village for village in frame}
    if plan.per_commune:
        return _clustered(main, known, plan)
    totals = Counter(village.stratum for village in frame)
    return [
        area(known[unit.path[-1]], unit.probability, _fpc(
            plan.method, plan.takes[unit.path[0]], totals[unit.path[0]]))
        for unit in main
    ]  # fmt: skip


def area(
    village: Village, probability: Fraction, fpc: float | None, *, cluster: str = "",
    certain: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Return a drawn village as it is stored."""
    return {
        "psu": village.psu, "stratum": village.stratum, "unit": village.unit,
        "area": village.area, "name": village.name, "fpc": fpc, "probability": str(probability),
        "cluster": cluster, "certain": certain,
    }  # fmt: skip


def _clustered(main: Sequence[Drawn], known: Mapping[str, Village], plan: Plan) -> Rows:
    """Return the villages of communes drawn, each with what the variance counts it in.

    A commune drawn surely adds nothing between communes: its villages are a stratum of their
    own.  With one village drawn that would be a stratum of one, so it stays beside the communes
    drawn by chance; and where there is only one of these, all communes of the stratum stay.
    """
    communes = Counter((village.stratum, village.unit) for village in known.values())
    totals = Counter(stratum for stratum, _ in communes)
    found = []
    for stratum, units in groupby(main, key=lambda unit: unit.path[0]):
        drawn = {c: list(of) for c, of in groupby(units, key=lambda unit: unit.path[1])}
        own = {c for c, of in drawn.items() if of[0].probabilities[1] == 1 and len(of) > 1}
        if len(drawn) - len(own) == 1:
            own = set()
        first = _fpc(plan.commune_method, len(drawn), totals[stratum])
        for commune, of in drawn.items():
            label = _label(stratum, commune)
            inside = _fpc(plan.method, len(of), communes[stratum, commune])
            seat = {"certain": label} if commune in own else {"cluster": label}
            found += [
                area(known[unit.path[-1]], unit.probability,
                     inside if commune in own else first, **seat)
                for unit in of
            ]  # fmt: skip
    return found


def _label(stratum: str, commune: str) -> str:
    """Return the name of a cluster: no code of a village or stratum has a slash in it."""
    return f"{stratum}/{commune}"


def _fpc(method: str, take: int, total: int) -> float | None:
    small = Fraction(take, total) <= SMALL_PART
    return float(total) if method != "size" and small else None


def substitute(
    areas: Mapping[str, Area], frame: Sequence[Village], held: Draw, psu: str
) -> dict[str, Any] | None:
    """Return the village that takes a dropped one's place, as ``drawing.substitute`` does.

    Where communes are drawn it is one of the same commune while there is any.
    """
    mine, plan = areas[psu], held.plan
    left = [v for v in frame if v.stratum == mine.stratum and v.psu not in areas]
    if not left or all(village.psu != psu for village in frame):
        return None
    if plan.per_commune:
        left = [village for village in left if village.unit == mine.unit] or left
    sizes = [village.size if plan.method == "size" else 1 for village in left]
    here = Place(held.seed, "substitute", (mine.stratum, psu))
    taken = left[by_size([v.psu for v in left], sizes, 1, here)[0].index]
    seat = _seat(areas.values(), frame, plan, mine, taken)
    return area(taken, chance(frame, plan, taken), **seat)


def _seat(
    areas: Iterable[Area], frame: Sequence[Village], plan: Plan, mine: Area, taken: Village
) -> dict[str, Any]:
    """Return what the variance counts a substitute in: where its commune's other villages are."""
    if not plan.per_commune:
        return {"fpc": mine.fpc}
    for other in areas:
        if (other.stratum, other.unit) == (taken.stratum, taken.unit):
            return {"fpc": other.fpc, "cluster": other.cluster, "certain": other.certain}
    total = len({village.unit for village in frame if village.stratum == taken.stratum})
    fpc = _fpc(plan.commune_method, plan.takes[taken.stratum], total)
    return {"fpc": fpc, "cluster": _label(taken.stratum, taken.unit)}


def chance(frame: Sequence[Village], plan: Plan, village: Village) -> Fraction:
    """Return the probability that any village of a frame had in the draw, drawn or not."""
    of = [other for other in frame if other.stratum == village.stratum]
    if not plan.per_commune:
        return _part(plan.method, {v.psu: v.size for v in of}, plan.takes[village.stratum],
                     village.psu)  # fmt: skip
    sizes: Counter[str] = Counter()
    for other in of:
        sizes[other.unit] += other.size
    commune = _part(plan.commune_method, sizes, plan.takes[village.stratum], village.unit)
    inside = {other.psu: other.size for other in of if other.unit == village.unit}
    take = min(plan.per_commune, len(inside))
    return commune * _part(plan.method, inside, take, village.psu)


def _part(method: str, sizes: Mapping[str, int], take: int, id: str) -> Fraction:
    """Return the chance of one unit among those of its area, by their sizes."""
    found = probabilities([size if method == "size" else 1 for size in sizes.values()], take)
    return found[list(sizes).index(id)]
