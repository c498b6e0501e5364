"""The whole draw: province, commune, village, household, person, with reserves and weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from analysis.sampling.draw import ALGORITHM, Pick, Place, by_size, simple, systematic
from analysis.sampling.frame import (
    BadFrame,
    Path,
    Row,
    Stage,
    check,
    digest,
    exact_size,
    faults,
    take_of,
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A unit of the last stage.

    ``numbers`` are its numbers stage by stage and ``probabilities`` its chances there, given the
    stages before; ``reserve`` names the first stage where it only waits, "" for the main list.
    """

    path: Path
    numbers: tuple[int, ...]
    probabilities: tuple[Fraction, ...]
    reserve: str

    @property
    def probability(self) -> Fraction:
        """Inclusion probability: the exact product over the stages."""
        return math.prod(self.probabilities, start=Fraction(1))

    @property
    def weight(self) -> Fraction:
        """Base weight, exactly 1 / ``probability``: the units it stands for."""
        return 1 / self.probability


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn and all that is needed to draw it again and get the same.

    ``digest`` is the SHA-256 of the frame (`digest`); ``certain`` are the areas and units that a
    stage by size took surely.
    """

    seed: str
    algorithm: str
    digest: str
    stages: tuple[Stage, ...]
    main: tuple[Drawn, ...]
    reserves: tuple[Drawn, ...]
    certain: tuple[Path, ...]


def draw(frame: Sequence[Row], stages: Sequence[Stage], *, seed: str) -> Sample:
    """Draw a sample of the rows of a frame, stage by stage.

    Parameters
    ----------
    frame : one row for each unit of the last stage
    stages : one for each id of a path, from the first to the last
    seed : published before the draw, so that nobody can have chosen the sample

    Notes
    -----
    The size of an area is the sum of the sizes of its rows.  The order of the frame matters to
    ``systematic`` and ``size``, which walk along it, and to nothing else.  Who replaces a unit
    that cannot be reached: the next number of the reserve list of the same area, in order.

    Where lists of households are made only in the villages drawn, draw the villages first (their
    sizes are households) and the households later, all stages before with ``take`` None: the same
    seed gives the households that one draw would have given, and the weights multiply.

    Raises
    ------
    BadFrame
        All faults at once; areas too small are found whether or not they would be drawn.
    ValueError
        No stages, an unknown method, reserves of a stage that is not ``simple``.
    """
    check(stages)
    if wrong := faults(frame, stages):
        raise BadFrame(wrong)
    tree, sizes = _tree(frame, len(stages))
    found: list[Drawn] = [Drawn((), (), (), "")]
    certain: list[Path] = []
    for stage in stages:
        below: list[Drawn] = []
        for area in found:
            units = tree[area.path]
            picks = _picks(units, [sizes[u] for u in units], stage, Place(seed, "", area.path))
            if stage.method == "size":
                certain += [units[p.index] for p in picks if p.certain]
            most = take_of(stage, area.path, len(units))
            below += [_under(area, units[p.index], p, stage.name, p.number > most) for p in picks]
        found = below
    return Sample(
        seed=seed,
        algorithm=ALGORITHM,
        digest=digest(frame, stages),
        stages=tuple(stages),
        main=tuple(unit for unit in found if not unit.reserve),
        reserves=tuple(unit for unit in found if unit.reserve),
        certain=tuple(certain),
    )


def _under(area: Drawn, unit: Path, pick: Pick, stage: str, waits: bool) -> Drawn:
    return Drawn(
        path=unit,
        numbers=(*area.numbers, pick.number),
        probabilities=(*area.probabilities, pick.probability),
        reserve=area.reserve or (stage if waits else ""),
    )


def _picks(
    units: Sequence[Path], sizes: Sequence[Fraction], stage: Stage, place: Place
) -> tuple[Pick, ...]:
    ids = [unit[-1] for unit in units]
    if stage.take is None:
        named = sorted(range(len(ids)), key=ids.__getitem__)
        return tuple(Pick(i, number, Fraction(1)) for number, i in enumerate(named, start=1))
    here = Place(place.seed, stage.name, place.area)
    take = take_of(stage, place.area, len(ids))
    if stage.method == "simple":
        return simple(ids, take, here, reserves=stage.reserves if take else 0)
    return (
        systematic(ids, take, here)
        if stage.method == "systematic"
        else by_size(ids, sizes, take, here)
    )


def _tree(frame: Sequence[Row], depth: int) -> tuple[dict[Path, list[Path]], dict[Path, Fraction]]:
    """Area -> its units in the order of the frame, and the size of every area and unit."""
    tree: dict[Path, list[Path]] = {(): []}
    sizes: dict[Path, Fraction] = {}
    for row in frame:
        exact = exact_size(row)
        for level in range(1, depth + 1):
            path = row.path[:level]
            if path not in sizes:
                sizes[path] = Fraction(0)
                tree.setdefault(path[:-1], []).append(path)
            sizes[path] += exact
    return tree, sizes
