"""DESIGN.toml: what a file of answers is to be estimated by, with all its faults named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import index, intervals, ranks, replicates
from analysis.design import LONELY
from analysis.file import sections as s
from analysis.file.faults import BadInput
from analysis.file.sections import Section
from analysis.keying import WAYS, Limits
from analysis.weights import calibrate

AGGREGATES = index.AGGREGATES
REPLICATES = ("jkn", "raowu", "brr", "fay")
#: Replicates of the bootstrap unless the file says otherwise.
DRAWS = 200
#: The code of "yes" in questions about experience.
YES = 1


@dataclass(frozen=True, slots=True)
class Experienced:
    """``items`` count only for who has answered yes in one of the ``columns``."""

    columns: tuple[str, ...]
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which units to rank, by which figure ("total", a factor or an item), and how."""

    by: str
    kind: str
    of: str
    method: str


@dataclass(frozen=True, slots=True)
class Calibrating:
    """Totals of the population (counts by label, by column) and how weights come to them.

    ``final``: the column with the weights that came of it (and of trimming), where it was done.
    """

    method: str
    bounds: tuple[float, float]
    margins: Mapping[str, Mapping[str, float]]
    final: str | None


@dataclass(frozen=True, slots=True)
class Replicating:
    """Which replicates: ``factors`` is a file of given ones, else they are made."""

    method: str
    factors: Path | None
    draws: int
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one estimate; column names are those of DATA.csv."""

    weight: str
    stratum: str
    psu: str
    fpc: str | None
    wave: str | None
    lonely: str
    index: str
    aggregate: str
    ci: str
    beta_cap: bool
    level: float
    levels: int
    missing: tuple[int, ...]
    experienced: Experienced | None
    by: tuple[str, ...]
    factors: Mapping[str, tuple[str, ...]]
    items: tuple[str, ...]
    areas: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, float]
    difference: str | None
    calibrating: Calibrating | None
    keying: Limits | None
    ranking: Ranking | None
    replicating: Replicating | None

    @property
    def domains(self) -> tuple[str, ...]:
        """The columns whose labels are domains, each once."""
        wave = (self.wave,) if self.wave else ()
        return tuple(dict.fromkeys((*wave, *self.by)))

    @property
    def margins(self) -> tuple[str, ...]:
        """The columns weights are calibrated to."""
        return tuple(self.calibrating.margins) if self.calibrating else ()

    @property
    def given(self) -> tuple[str, ...]:
        """The columns that tell weights apart where final ones are given."""
        final = self.calibrating.final if self.calibrating else None
        return (self.weight, final) if final else ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Every column of labels but the stratum and the PSU, each once."""
        difference = (self.difference,) if self.difference else ()
        ranked = (self.ranking.by,) if self.ranking else ()
        named = (*self.domains, *difference, *ranked, *self.margins, *self.given)
        return tuple(dict.fromkeys(named))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that DATA.csv must have, each once."""
        fpc = (self.fpc,) if self.fpc else ()
        drawn = (self.weight, self.stratum, self.psu, *fpc)
        asked = self.experienced.columns if self.experienced else ()
        return tuple(dict.fromkeys((*drawn, *self.labels, *self.items, *asked)))


def load(path: Path) -> Plan:
    """Read and check DESIGN.toml; raises BadInput with every fault in it."""
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as fault:
        raise BadInput([f"{path.name}: không mở được tệp ({fault.strerror})"]) from fault
    except UnicodeDecodeError as fault:
        raise BadInput([f"{path.name}: không phải văn bản UTF-8"]) from fault
    except tomllib.TOMLDecodeError as fault:
        raise BadInput([f"{path.name}: sai cú pháp TOML ({fault})"]) from fault
    top = Section(path.name, table, [])
    plan = _plan(top, path.parent)
    top.close()
    if top.faults:
        raise BadInput(top.faults)
    return plan


def _plan(top: Section, folder: Path) -> Plan:
    factors = _factors(top)
    items = _items(top, factors)
    return Plan(
        weight=top.column("weight"),
        stratum=top.column("stratum"),
        psu=top.column("psu"),
        fpc=top.optional_column("fpc"),
        wave=top.optional_column("wave"),
        lonely=top.choice("lonely", LONELY, "adjust"),
        index=top.choice("index", index.METHODS, "top2"),
        aggregate=(aggregate := top.choice("aggregate", AGGREGATES, "item")),
        ci=top.choice("ci", intervals.METHODS, "beta"),
        beta_cap=top.value("beta_cap", s.is_flag, "phải là true hoặc false", True),
        level=top.value("level", _is_level, "phải là số nằm giữa 0 và 1", 0.95),
        levels=top.value("levels", _is_scale, "phải là số nguyên từ 2 đến 9", 5),
        missing=tuple(top.value("missing", _are_codes, "phải là danh sách mã từ 0 đến 99", [])),
        experienced=_experienced(top, items),
        by=tuple(top.value("by", s.is_names, "phải là danh sách tên cột", [])),
        factors=factors,
        items=items,
        areas=_areas(top, factors),
        weights=_composed(top, aggregate),
        difference=_difference(top),
        calibrating=_calibrating(top),
        keying=_keying(top),
        ranking=_ranking(top, {*factors, *items}),
        replicating=_replicating(top, folder),
    )


def _factors(top: Section) -> dict[str, tuple[str, ...]]:
    inner, good = top.inner("factors"), {}
    for name, columns in inner.table.items() if inner else ():
        if s.is_names(columns) and columns:
            good[name] = tuple(columns)
        else:
            top.fault(f"factors.{name}", "phải là danh sách tên cột, ít nhất một cột")
    return good


def _items(top: Section, factors: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    listed = top.value("items", s.is_names, "phải là danh sách tên cột", [])
    inside = [item for columns in factors.values() for item in columns]
    for item in sorted({item for item in inside if inside.count(item) > 1}):
        top.fault("factors", f"cột «{item}» có mặt hai lần")
    for name in sorted({*factors} & {*inside, *listed} | {"total"} & {*factors, *inside}):
        top.fault("factors", f"tên «{name}» dùng cho hai chỉ số")
    if not inside and not listed:
        top.fault("factors", "cần ít nhất một nhân tố với các cột tiêu chí của nó")
    return tuple(dict.fromkeys([*inside, *listed]))


def _areas(top: Section, factors: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    inner, good = top.inner("areas"), {}
    for name, members in inner.table.items() if inner else ():
        if name in {*factors, "total"}:
            top.fault("areas", f"tên «{name}» dùng cho hai chỉ số")
        elif s.is_names(members) and members and not {*members} - {*factors}:
            good[name] = tuple(members)
        else:
            top.fault(f"areas.{name}", "phải là danh sách tên nhân tố trong [factors]")
    return good


def _composed(top: Section, aggregate: str) -> dict[str, float]:
    """Weights of items, factors and areas in what stands above them."""
    inner, good = top.inner("weights"), {}
    if inner and aggregate != "explicit":
        top.fault("weights", 'chỉ dùng với aggregate = "explicit"')
    for name, value in inner.table.items() if inner else ():
        if _is_count(value):
            good[name] = float(value)
        else:
            top.fault(f"weights.{name}", "phải là số lớn hơn 0")
    return good


def _difference(top: Section) -> str | None:
    inner = top.inner("difference")
    if inner is None:
        return None
    by = inner.column("by")
    inner.close()
    return by


def _calibrating(top: Section) -> Calibrating | None:
    inner = top.inner("calibrate")
    if inner is None:
        return None
    method = inner.choice("method", calibrate.METHODS)
    if method != "logit" and "bounds" in inner.table:
        inner.fault("bounds", 'chỉ dùng với method = "logit"')
    wrong = "phải là hai số [dưới, trên] với 0 ≤ dưới < 1 < trên"
    low, high = inner.value("bounds", _are_bounds, wrong, [0.5, 2.0])
    margins = inner.inner("margins")
    if margins is None or not margins.table:
        inner.fault("margins", "cần ít nhất một bảng [calibrate.margins.CỘT] với số dân")
    found = {column: _margin(margins, column) for column in list(margins.table)} if margins else {}
    final = inner.optional_column("final")
    inner.close()
    return Calibrating(method, (float(low), float(high)), found, final)


def _experienced(top: Section, items: Sequence[str]) -> Experienced | None:
    inner = top.inner("experienced")
    if inner is None:
        return None
    wrong = "phải là danh sách tên cột"
    columns = tuple(inner.value("columns", s.is_names, wrong, []))
    only = tuple(inner.value("items", s.is_names, wrong, []))
    if not columns or not only or {*only} - {*items}:
        inner.fault("items", "cần các cột trải nghiệm và các tiêu chí đã nêu trong [factors]")
        return None
    inner.close()
    return Experienced(columns, only)


def _keying(top: Section) -> Limits | None:
    inner = top.inner("keying")
    if inner is None:
        return None
    wrong = "phải là hai số [dưới, trên] với 0 ≤ dưới ≤ trên < 1"
    pairs = [tuple(inner.value(name, _are_limits, wrong, [0.0, 0.0])) for name in WAYS]
    inner.close()
    return Limits(*pairs)


def _margin(margins: Section, column: str) -> dict[str, float]:
    inner = margins.inner(column)
    if inner is None:
        return {}
    if not inner.table:
        margins.fault(column, "cần ít nhất một nhóm với số dân")
    wrong = "phải là số lớn hơn 0"
    return {
        label.strip(): float(inner.value(label, _is_count, wrong, 1)) for label in list(inner.table)
    }


def _ranking(top: Section, names: set[str]) -> Ranking | None:
    inner = top.inner("ranks")
    if inner is None:
        return None
    ranking = Ranking(
        by=inner.column("by"),
        kind=inner.choice("kind", ranks.KINDS, "marginal"),
        of=inner.choice("of", ("total", *sorted(names)), "total"),
        method=inner.choice("method", ranks.METHODS, "bonferroni"),
    )
    inner.close()
    return ranking


def _replicating(top: Section, folder: Path) -> Replicating | None:
    inner = top.inner("replicates")
    if inner is None:
        return None
    method = inner.choice("method", REPLICATES)
    for key in ("draws", "seed"):
        if key in inner.table and (method != "raowu" or "factors" in inner.table):
            inner.fault(key, 'chỉ dùng với method = "raowu" khi không cho factors')
    if method == "jkn" and "factors" in inner.table:
        inner.fault("factors", 'không dùng với method = "jkn", vốn không có gì để chọn')
    file = inner.value("factors", s.is_name, "phải là tên một tệp", None)
    found = Replicating(
        method=method,
        factors=folder / file if file else None,
        draws=inner.value("draws", _is_draws, "phải là số nguyên từ 2 đến 10000", DRAWS),
        seed=inner.value("seed", _is_seed, "phải là số nguyên không âm", replicates.SEED),
    )
    inner.close()
    return found


def _is_level(value: Any) -> bool:
    return isinstance(value, float) and 0 < value < 1


def _is_scale(value: Any) -> bool:
    return s.is_whole(value, 2) and value <= 9


def _are_codes(value: Any) -> bool:
    return isinstance(value, list) and all(s.is_whole(code, 0) and code <= 99 for code in value)


def _is_count(value: Any) -> bool:
    return s.is_number(value) and value > 0


def _is_draws(value: Any) -> bool:
    return s.is_whole(value, 2) and value <= 10_000


def _is_seed(value: Any) -> bool:
    return s.is_whole(value, 0)


def _are_limits(value: Any) -> bool:
    good = isinstance(value, list) and len(value) == 2 and all(map(s.is_number, value))
    return good and 0 <= value[0] <= value[1] < 1


def _are_bounds(value: Any) -> bool:
    good = isinstance(value, list) and len(value) == 2 and all(map(s.is_number, value))
    return good and 0 <= value[0] < 1 < value[1]
