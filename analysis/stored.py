"""What the reader hands out: waves, PSUs, responses, units as they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.design import Floats, Ints


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave as stored; days are YYYY-MM-DD."""

    key: str
    name: str
    questionnaire: str
    kind: str
    year: int
    opens_on: str
    closes_on: str
    index_method: str
    aggregate: str
    weights: Mapping[str, float]
    base: str
    interval: str
    level: float
    lonely: str
    rank_sets: tuple[str, ...]
    min_n: int
    hide_n: int
    words: Mapping[str, str]
    owner: str
    owner_name: str
    parent_name: str
    place: str
    synthetic: bool
    settled: int | None


class Psu(NamedTuple):
    """A sampled village: its stratum, first-stage units of the stratum's population (0 unknown),
    its unit, and its first-stage unit where that is not the village itself.

    The stratum is the one of the variance: a commune drawn surely is one by itself.
    """

    stratum: str
    fpc: float
    unit: str
    cluster: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Responses of one state, in the order they came; ``codes`` (n, columns of the questionnaire).

    ``psu`` (n,): the sampled PSU ("" without a case), or "unit|counter" of self-selected
    answers; ``weight`` (n,) is 1 for these; ``day`` (n,) in Vietnam, YYYY-MM-DD, and ``service``
    (n,), "" where none is known, or both empty where nobody asked.
    """

    state: str
    seq: Ints
    codes: NDArray[np.uint8]
    channel: Sequence[str]
    psu: Sequence[str]
    day: Sequence[str]
    weight: Floats
    service: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The kept responses (n,) of a calibrated wave, in the order they came.

    ``start`` (n,) weights before calibration, ``weight`` final ones; ``label`` (n,) the
    categories of all margins, "" of a response that came after the weights were made.
    """

    codes: NDArray[np.uint8]
    channel: Sequence[str]
    state: Sequence[str]
    psu: Sequence[str]
    start: Floats
    weight: Floats
    label: Sequence[str]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it was on a day."""

    id: str
    kind: str
    word: str
    name: str
    parent: str

    @property
    def title(self) -> str:
        """The name inside a sentence, "tỉnh Tuyên Quang"; of the country "cả nước"."""
        return "cả nước" if self.kind == "country" else f"{self.word} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class RankSet:
    """Units that are ranked among themselves."""

    key: str
    name: str
    kind: str
    members: frozenset[str]
