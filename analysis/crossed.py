"""Key drivers of a wave from kept cross products, so that a page need not read every answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from analysis import drivers, folds, parts, reader
from analysis.design import Bools, Floats
from analysis.frame import Frame, frame, rule
from analysis.reader import Block, Wave
from analysis.results import WaveInfo
from analysis.sipas import info
from analysis.study import Study, study
from analysis.tally import composites
from forms.questionnaire import load, localized

VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """Cross products of one place (a sampled village, or a unit): ``sums`` (2+p, 2+p) of
    (1, overall, factors), over ``people`` who gave all of them; ``dropped`` gave the overall only.
    """

    people: int
    dropped: int
    sums: Floats

    def packed(self) -> bytes:
        """The sums as they are kept."""
        return self.sums.astype("<f8").tobytes()


def unpacked(people: int, dropped: int, sums: bytes) -> Crossed:
    """Kept sums as they were."""
    flat = np.frombuffer(sums, dtype="<f8")
    size = round(flat.size**0.5)
    return Crossed(people, dropped, flat.reshape(size, size))


@dataclass(frozen=True, slots=True)
class Driver:
    """A factor on the map; shares 0..1.  Ends are None of self-selected answers."""

    id: str
    name: str
    importance: float
    importance_low: float | None
    importance_high: float | None
    performance: float
    performance_low: float | None
    performance_high: float | None
    correlation: float
    quadrant: drivers.Quadrant


@dataclass(frozen=True, slots=True)
class Drivers:
    """The map of a scope: ``overall`` is the text of the overall item, "" where the form has none
    and the persons' own index stands for it.  The cuts are 1/p and the mean performance."""

    wave: WaveInfo
    scope: str
    overall: str
    points: tuple[Driver, ...]
    importance_cut: float
    performance_cut: float
    r2: float
    n: int
    dropped: int
    sampled: bool


class Untold(ValueError):
    """``reason`` why there is no map: few, hidden, factors, constant, nothing, psus."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def current(db: sqlite3.Connection, wave: str) -> str:
    """The rule that cross products of the wave must have been summed by; raises LookupError."""
    of = reader.wave(db, wave)
    return sha256(f"{VERSION} {rule(of)} {overall_item(of)}".encode()).hexdigest()


def overall_item(of: Wave) -> str:
    """The item that asks for everything in one: a scale of the index's length beside it."""
    asked = load(of.questionnaire)
    beside = [
        item.id
        for item in asked.items
        if not item.factor and item.kind == "scale" and len(item.choices) == asked.index_scale
    ]
    return beside[-1] if beside else ""


def pieces(
    db: sqlite3.Connection, wave: str, after: int, *, step: int = 50_000
) -> Iterator[tuple[dict[str, Crossed], int]]:
    """What the responses after number ``after`` add to each place, and how far that reaches."""
    of = reader.wave(db, wave)
    how = frame(of, load(of.questionnaire))
    end = reader.last(db, wave)
    width = len(how.questionnaire.columns)
    while after < end:
        until, found = min(after + step, end), dict[str, Crossed]()
        for state in folds.KEPT:
            for block in reader.blocks(db, of, width, state, (after, until), dated=False):
                found = added(found, _block(of, how, block))
        yield found, until
        after = until


def added(one: Mapping[str, Crossed], other: Mapping[str, Crossed]) -> dict[str, Crossed]:
    """The cross products of both, by place."""
    found = dict(one)
    for place, more in other.items():
        held = found.get(place)
        found[place] = more if held is None else Crossed(
            held.people + more.people, held.dropped + more.dropped, held.sums + more.sums
        )  # fmt: skip
    return found


def _block(of: Wave, how: Frame, block: Block) -> dict[str, Crossed]:
    values, given = _values(of, how, block)
    names = [psu if of.kind == "probability" else psu.partition("|")[0] for psu in block.psu]
    number = {name: n for n, name in enumerate(dict.fromkeys(names)) if name}
    place = np.array([number.get(name, -1) for name in names], dtype=np.int64)
    asked = given[:, 0] & (block.weight > 0) & (place >= 0)
    used = asked & given.all(axis=1)
    size, width = len(number), values.shape[1] + 1
    sums = np.zeros((size, width, width))
    order = np.flatnonzero(used)[np.argsort(place[used], kind="stable")]
    if order.size:
        rows = np.column_stack([np.ones(order.size), values[order]])
        each = (rows * block.weight[order][:, None])[:, :, None] * rows[:, None, :]
        starts = np.flatnonzero(np.diff(place[order], prepend=-1))
        sums[place[order][starts]] = np.add.reduceat(each, starts, axis=0)
    people = np.bincount(place[used], minlength=size).tolist()
    dropped = np.bincount(place[asked & ~used], minlength=size).tolist()
    return {name: Crossed(people[n], dropped[n], sums[n]) for name, n in number.items()}


def _values(of: Wave, how: Frame, block: Block) -> tuple[Floats, NDArray[np.bool_]]:
    """Overall and factors (n, 1+p) of each person, and which are known."""
    codes = how.codes(block.codes)
    own, known = composites(how.layout, codes[:, how.layout.items])
    places = [c for c, kind in enumerate(how.scheme.kinds) if kind == "factor"]
    values, given = own[:, places], known[:, places]
    item = overall_item(of)
    if item:
        column = next(c for c, one in enumerate(how.questionnaire.columns) if one.id == item)
        code = codes[:, column]
        said = (code > 0) & (code <= how.layout.levels)
        score = np.concatenate([[0.0], how.layout.points])[np.where(said, code, 0)]
    else:
        score, said = own[:, -1], known[:, -1]
    return np.column_stack([score, values]), np.column_stack([said, given])


def found(
    db: sqlite3.Connection, wave: str, kept: Mapping[str, Crossed], *, scope: str = ""
) -> Drivers:
    """The importance-performance map of a wave, or of a scope of it.

    ``kept`` are the cross products of all its places.  Raises LookupError (wave, scope), Untold.
    """
    stored = reader.wave(db, wave)
    asked = localized(stored.questionnaire, "vi", frozenset(stored.words.items()))
    units = reader.Units(db, stored.closes_on)
    if scope and units.get(scope) is None:
        raise LookupError(f"no unit {scope}")
    ready = study(db, stored, asked)
    item = overall_item(stored)
    mine = _inside(ready, units, kept, scope)
    n, dropped = sum(c.people for c in mine.values()), sum(c.dropped for c in mine.values())
    if n < stored.min_n:
        raise Untold("few")
    if scope and parts.held_back(units, ready.answers, scope, stored.hide_n):
        raise Untold("hidden")
    of = parts.inside(units, ready.answers, scope)
    estimates = ready.estimates(of)
    figures = {f.id: f for f in ready.figures(estimates.figures if estimates else None)}
    names = [id for id, kind in zip(ready.frame.scheme.ids, ready.frame.scheme.kinds, strict=True)
             if kind == "factor"]  # fmt: skip
    try:
        points, r2 = (_sampled if ready.sampled else _plain)(ready, mine, names, of)
    except (drivers.ConstantItem, drivers.NothingExplained, drivers.TooFewPsus) as fault:
        kinds = {drivers.ConstantItem: "constant", drivers.NothingExplained: "nothing"}
        raise Untold(kinds.get(type(fault), "psus")) from fault
    except ValueError as fault:
        raise Untold("factors") from fault
    text = next((i.text for i in asked.items if i.id == item), "")
    told = tuple(
        Driver(id, figures[id].name, *numbers, quadrant)
        for id, (numbers, quadrant) in zip(names, points, strict=True)
    )
    mean = sum(point.performance for point in told) / len(told)
    return Drivers(
        info(ready), scope, text, told, 1 / len(told), mean, r2, n, dropped, ready.sampled
    )


Point = tuple[
    tuple[float, float | None, float | None, float, float | None, float | None, float],
    drivers.Quadrant,
]


def _inside(
    ready: Study, units: reader.Units, kept: Mapping[str, Crossed], scope: str
) -> dict[str, Crossed]:
    """The places of a scope; of a sample those whose village has answers that count."""
    of = {place: place for place in kept}
    if ready.psus is not None:
        of = {place: ready.psus[place].unit for place in kept if place in ready.psus}
    return {p: kept[p] for p, unit in of.items() if not scope or scope in units.path(unit)}


def _sampled(
    ready: Study, mine: Mapping[str, Crossed], names: list[str], of: NDArray[np.int64]
) -> tuple[list[Point], float]:
    design, estimates = ready.design, ready.estimates(of)
    if design is None or ready.tally is None or estimates is None:
        raise Untold("few")
    at = {key.psu: psu for key, psu in zip(ready.answers.cells.keys, ready.tally.psu.tolist(),
                                           strict=True)}  # fmt: skip
    size = len(names) + 2
    sums, present = np.zeros((design.n_psu, size, size)), np.zeros(design.n_psu, dtype=bool)
    for place, one in mine.items():
        if place in at:
            sums[at[place]] += one.sums
            present[at[place]] |= one.people > 0
    level = ready.wave.level
    made = drivers.of_moments(
        design, drivers.centred(sums), _bools(present),
        (sum(c.people for c in mine.values()), sum(c.dropped for c in mine.values())),
        names=names, level=level,
    )  # fmt: skip
    columns = [estimates.at("factor", id) for id in names]
    values = [estimates.figures[c].value for c in columns]
    if any(value is None for value in values):
        raise Untold("few")
    performance = np.array(values, dtype=np.float64)
    placed = drivers.place(design, made, performance, estimates.z[:, columns], level=level)
    told = [estimates.figures[c] for c in columns]
    return [
        (
            (float(made.share[k]), float(made.low[k]), float(made.high[k]), float(performance[k]),
             told[k].low, told[k].high, float(made.correlation[k])),
            placed.quadrants[k],
        )
        for k in range(len(names))
    ], made.r2  # fmt: skip


def _plain(
    ready: Study, mine: Mapping[str, Crossed], names: list[str], of: NDArray[np.int64]
) -> tuple[list[Point], float]:
    """Points without any error: where self-selected answers lie, not what they prove."""
    estimates = ready.estimates(of)
    if estimates is None:
        raise Untold("few")
    covariance = drivers.centred(np.sum([c.sums for c in mine.values()], axis=0)[None])[0]
    share, correlation, r2 = drivers.shares(covariance, names)
    performance = np.array(
        [estimates.of("factor", id).value or 0.0 for id in names], dtype=np.float64
    )
    quadrants: dict[tuple[bool, bool], drivers.Quadrant] = {
        (True, False): "concentrate",
        (True, True): "keep",
        (False, False): "low_priority",
        (False, True): "overkill",
    }
    important, good = share > 1 / len(names), performance >= performance.mean()
    return [
        (
            (float(share[k]), None, None, float(performance[k]), None, None,
             float(correlation[k])),
            quadrants[bool(important[k]), bool(good[k])],
        )
        for k in range(len(names))
    ], r2  # fmt: skip


def _bools(values: NDArray[np.bool_]) -> Bools:
    return np.asarray(values, dtype=np.bool_)
