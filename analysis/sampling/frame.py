"""The frame of a draw: its rows, its stages, everything that may be wrong, and its digest."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from analysis.sampling.draw import METHODS

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the frame: ids from the first stage to the last, and a size (households ...)."""

    path: Path
    size: int | float | Decimal = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """How the units of one stage are drawn inside each unit of the stage before.

    ``take`` is one number, or one for each area by its path, or None: all are taken (strata).
    ``method``: ``simple``, ``systematic`` or ``size`` (systematic by size).  ``reserves`` are
    numbered after the main list and need ``simple``: elsewhere no number is the next one.
    """

    name: str
    take: int | Mapping[Path, int] | None = None
    method: str = "simple"
    reserves: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the frame: ``kind`` and the ids concerned (a path each).

    ``depth`` a path without an id for every stage · ``form`` an id empty or not NFC ·
    ``duplicate`` · ``size`` 0, less, or no number · ``take`` no number to take for an area, or one
    below 0 · ``short`` an area with fewer units than take and reserves.
    """

    kind: str
    paths: tuple[Path, ...]


class BadFrame(ValueError):
    """The frame cannot be drawn from; ``faults`` holds all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        names = (f"{f.kind}: {', '.join('/'.join(p) for p in f.paths)}" for f in faults)
        super().__init__("; ".join(names))


def faults(frame: Sequence[Row], stages: Sequence[Stage]) -> list[Fault]:
    """All that is wrong with a frame for these stages, before anything is drawn."""
    deep = {row.path for row in frame if len(row.path) != len(stages)}
    counts = Counter(row.path for row in frame)
    found = {
        "depth": deep,
        "form": {path for path in counts if not all(_well_formed(id) for id in path)},
        "duplicate": {path for path, n in counts.items() if n > 1},
        "size": {row.path for row in frame if not (math.isfinite(row.size) and row.size > 0)},
    }
    units: dict[Path, set[Path]] = {} if frame else {(): set()}
    for path in counts.keys() - deep:
        for level in range(len(stages)):
            units.setdefault(path[:level], set()).add(path[: level + 1])
    takes = {path: take_of(stages[len(path)], path, len(below)) for path, below in units.items()}
    found["take"] = {path for path, take in takes.items() if take < 0}
    found["short"] = {
        path
        for path, take in takes.items()
        if len(units[path]) < max(1, take + (stages[len(path)].reserves if take else 0))
    }
    return [Fault(kind, tuple(sorted(paths))) for kind, paths in found.items() if paths]


def _well_formed(id: str) -> bool:
    return bool(id) and unicodedata.is_normalized("NFC", id)


def check(stages: Sequence[Stage]) -> None:
    """Raise ValueError on stages that no frame could be drawn by."""
    if not stages or len({stage.name for stage in stages}) != len(stages):
        raise ValueError("no stages, or two of one name")
    for stage in stages:
        if stage.method not in METHODS or stage.reserves < 0:
            raise ValueError(f"unknown method or reserves below 0: {stage}")
        if stage.reserves and (stage.method != "simple" or stage.take is None):
            raise ValueError(f"only a simple random stage has reserves: {stage.name}")


def digest(frame: Sequence[Row], stages: Sequence[Stage]) -> str:
    """SHA-256 (hex) of the frame in the order that the draw depends on.

    One JSON array a row and line, ``[[ids ...], "size"]`` without blanks, the size as an exact
    fraction; rows sorted by their ids unless a stage walks along the frame.
    """
    walked = any(s.method != "simple" and s.take is not None for s in stages)
    rows = frame if walked else sorted(frame, key=lambda row: row.path)
    lines = (
        json.dumps([row.path, str(exact_size(row))], ensure_ascii=True, separators=(",", ":"))
        + "\n"
        for row in rows
    )
    found = hashlib.sha256()
    for line in lines:
        found.update(line.encode("ascii"))
    return found.hexdigest()


def take_of(stage: Stage, area: Path, units: int) -> int:
    """How many of the ``units`` of an area are drawn; -1 when the stage does not say."""
    if stage.take is None:
        return units
    return stage.take if isinstance(stage.take, int) else stage.take.get(area, -1)


def exact_size(row: Row) -> Fraction:
    """The size as it is written: 0.1 is 1/10."""
    return Fraction(repr(float(row.size)) if isinstance(row.size, float) else row.size)
