"""What an estimate is once it is known: frozen results that boards and reports print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["item", "factor", "area", "total"]
WaveKind = Literal["probability", "self_selected"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One index with what is known about its doubt; every value is a share 0..1.

    ``se``, ``low``, ``high``, ``deff`` and ``neff`` are None where no sampling error may be
    claimed (self-selected answers) or none can be computed (``flags`` says why).  ``shares``
    are the weighted shares of the five levels (of an item; for a composite the mean of its
    items' shares with the weights of the composite).  Flags: ``few`` (n < 30), ``hidden``
    (n < 5: value and shares are None, n is 0), ``low_df``, ``all`` / ``none`` (share exactly
    1 / 0), ``no_answer``, ``incomplete`` (a composite without an item that nobody answered),
    ``census`` (every PSU was asked: no interval), ``no_variance``, ``keyed`` (the interval
    holds what keying of paper forms may have changed).
    """

    kind: Kind
    id: str  # "s31", "II.C", "II", "total"
    number: str  # as printed: "31", "II.C", "II", ""
    name: str  # full Vietnamese text
    n: int  # persons who answered (a composite: at least one of its items)
    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    deff: float | None = None
    neff: float | None = None
    df: int = 0
    shares: tuple[float, ...] | None = None
    parent: str = ""  # item -> factor id, factor -> area id, area -> "total"
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a question outside the index, with its weighted share 0..1."""

    code: int
    label: str
    n: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Distribution:
    """A question outside the index (needs, judgements): the shares of its answers."""

    id: str  # column, "c10.3"
    number: str  # "Câu 10.3"
    name: str
    n: int
    choices: tuple[Choice, ...]
    question: str = ""  # the whole question, where ``name`` is one line of it


@dataclass(frozen=True, slots=True)
class Account:
    """Response accounting of one area: forms issued, returned, valid."""

    name: str
    issued: int
    returned: int
    valid: int


@dataclass(frozen=True, slots=True)
class DesignSummary:
    """The sample behind the figures; ``weight_sum`` in persons, ``lonely`` are stratum labels.

    ``communes``: PSUs are communes, and villages of those drawn surely.
    """

    n: int
    n_psu: int
    n_strata: int
    df: int
    weight_sum: float
    fpc: bool
    lonely: tuple[str, ...] = ()
    communes: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was done to the weights of the draw: margins as printed, with where they stand."""

    margins: tuple[str, ...]
    sources: tuple[str, ...]
    capped: int  # weights that were cut
    kish: float  # part of the design effect due to unequal weights
    frozen: bool
    late: int = 0  # answers that came since: they still have the weights of the draw


@dataclass(frozen=True, slots=True)
class Keyed:
    """Forms keyed or scanned from paper; ``rate`` (and its limits) of fields unlike the paper.

    ``widened``: intervals hold what the forms entered ``once`` may have wrong; False when nobody
    knows (too few forms ``twice``) or the index is not top2.
    """

    once: int
    twice: int
    share: float  # of all answers that were entered once
    rate: float | None
    low: float | None
    high: float | None
    widened: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """What self-selected answers may say: how many of how many, and the worst-case bounds.

    ``settled`` is None while the number of settled dossiers is unknown; then there are no
    bounds.  ``low``/``high`` = [r·p, r·p + 1 - r] (Manski), shares 0..1.
    """

    answers: int
    settled: int | None
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class WaveInfo:
    """The wave as a report needs it; everything printed about method comes from here."""

    key: str
    name: str  # "Khảo sát hộ gia đình năm 2026"
    questionnaire: str  # "sipas-2026.1"
    questionnaire_title: str
    kind: WaveKind
    synthetic: bool
    year: int
    opens_on: str  # YYYY-MM-DD
    closes_on: str
    index: str  # top2 | scaled | mean5
    aggregate: str  # item | factor | pooled | explicit
    level: float
    interval: str  # beta | logit | ...
    lonely: str
    base: str  # ask_all | experienced
    min_n: int  # publication rule: flag below
    hide_n: int  # publication rule: hide below
    owner: str  # unit id of the agency that holds the wave
    owner_name: str  # "Sở Nội vụ"
    parent_name: str  # "Ủy ban nhân dân tỉnh Tuyên Quang", "" for a ministry
    place: str  # place of signature, "Tuyên Quang"
    words: Mapping[str, str] = field(default_factory=dict)  # place words of the wave


@dataclass(frozen=True, slots=True)
class UnitResult:
    """A unit inside a national or provincial result; rank and its set are None when not ranked."""

    unit: str  # "vn34:01"
    name: str
    region: str  # Vietnamese name of the region, "" when none
    figures: tuple[Figure, ...]  # areas, factors, total (no items)
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    region_rank: int | None = None
    region_size: int | None = None
    differs: int = 0  # -1 below, +1 above the whole significantly (Holm), 0 not shown to differ

    @property
    def total(self) -> Figure:
        """The unit's overall index."""
        return next(f for f in self.figures if f.kind == "total")


@dataclass(frozen=True, slots=True)
class Result:
    """Everything one report or one results page says about a wave in a scope."""

    wave: WaveInfo
    scope: str  # unit id, "" for the whole wave
    scope_name: str  # "tỉnh Tuyên Quang", "cả nước"
    figures: tuple[
        Figure, ...
    ]  # questionnaire order: area, its factors, their items ...; total last
    units: tuple[UnitResult, ...]  # ranked, best first; empty when the scope has no parts
    accounts: tuple[Account, ...]  # the last row is the sum
    channels: Mapping[str, int]  # channel -> valid responses
    design: DesignSummary | None  # None for self-selected answers
    coverage: Coverage | None  # None for probability samples
    others: tuple[Distribution, ...] = ()
    flagged: int = 0
    void: int = 0
    comments: tuple[str, ...] = ()
    peers: tuple[UnitResult, ...] = ()  # those the scope is ranked among, itself one of them
    peers_name: str = ""  # what they are parts of, "cả nước"; "" without peers
    weighed: Weighed | None = None  # None for the weights of the draw
    keyed: Keyed | None = None  # None without paper
    loose: int = 0  # kept answers of a probability wave without a sampled case: not in any figure

    @property
    def total(self) -> Figure:
        """The overall index."""
        return next(f for f in self.figures if f.kind == "total")

    def of(self, *kinds: Kind) -> tuple[Figure, ...]:
        """Figures of these kinds in their order."""
        return tuple(f for f in self.figures if f.kind in kinds)
