"""DESIGN.toml: what a file of answers is to be estimated by, with all its faults named."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import index, intervals, ranks
from analysis.design import LONELY


class BadInput(ValueError):
    """A file that cannot be used; ``faults`` names each place in Vietnamese."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which units to rank, by which figure ("total", a factor or an item)."""

    by: str
    kind: str
    of: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one estimate; column names are those of DATA.csv."""

    weight: str
    stratum: str
    psu: str
    fpc: str | None
    lonely: str
    index: str
    aggregate: str
    ci: str
    beta_cap: bool
    level: float
    levels: int
    by: tuple[str, ...]
    factors: Mapping[str, tuple[str, ...]]
    items: tuple[str, ...]
    ranking: Ranking | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that DATA.csv must have, each once."""
        ranked = (self.ranking.by,) if self.ranking else ()
        fpc = (self.fpc,) if self.fpc else ()
        return tuple(
            dict.fromkeys(
                (self.weight, self.stratum, self.psu, *fpc, *self.by, *ranked, *self.items)
            )
        )


#: Keys that belong to the contract and are refused by name until they work.
LATER = ("wave", "difference", "calibrate", "replicates")
AGGREGATES = ("item", "factor", "pooled")


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
    check = _Check(path.name, table)
    plan = check.plan()
    if check.faults:
        raise BadInput(check.faults)
    return plan


class _Check:
    """Takes keys out of the table one by one; what is left over is unknown."""

    def __init__(self, name: str, table: Mapping[str, Any]) -> None:
        self.name, self.table, self.faults = name, dict(table), list[str]()

    def plan(self) -> Plan:
        for key in LATER:
            if self.table.pop(key, None) is not None:
                self._fault(key, "chưa hỗ trợ trong phiên bản này")
        factors = self._factors()
        items = self._items(factors)
        plan = Plan(
            weight=self._column("weight"),
            stratum=self._column("stratum"),
            psu=self._column("psu"),
            fpc=self._column("fpc") if "fpc" in self.table else None,
            lonely=self._choice("lonely", LONELY, "adjust"),
            index=self._choice("index", index.METHODS, "top2"),
            aggregate=self._choice("aggregate", AGGREGATES, "item"),
            ci=self._choice("ci", intervals.METHODS, "beta"),
            beta_cap=self._value("beta_cap", _is_flag, "phải là true hoặc false", True),
            level=self._value("level", _is_level, "phải là số nằm giữa 0 và 1", 0.95),
            levels=self._value("levels", _is_scale, "phải là số nguyên từ 2 đến 9", 5),
            by=tuple(self._value("by", _is_names, "phải là danh sách tên cột", [])),
            factors=factors,
            items=items,
            ranking=self._ranking({*factors, *items}),
        )
        for key in self.table:
            self._fault(key, "khóa không có trong hợp đồng")
        return plan

    def _factors(self) -> dict[str, tuple[str, ...]]:
        found = self.table.pop("factors", {})
        if not isinstance(found, dict):
            self._fault("factors", "phải là một bảng [factors]")
            return {}
        good = {}
        for name, columns in found.items():
            if _is_names(columns) and columns:
                good[name] = tuple(columns)
            else:
                self._fault(f"factors.{name}", "phải là danh sách tên cột, ít nhất một cột")
        return good

    def _items(self, factors: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        listed = self._value("items", _is_names, "phải là danh sách tên cột", [])
        inside = [item for columns in factors.values() for item in columns]
        for item in sorted({item for item in inside if inside.count(item) > 1}):
            self._fault("factors", f"cột «{item}» có mặt hai lần")
        for name in sorted({*factors} & {*inside, *listed} | {"total"} & {*factors, *inside}):
            self._fault("factors", f"tên «{name}» dùng cho hai chỉ số")
        if not inside and not listed:
            self._fault("factors", "cần ít nhất một nhân tố với các cột tiêu chí của nó")
        return tuple(dict.fromkeys([*inside, *listed]))

    def _ranking(self, names: set[str]) -> Ranking | None:
        if "ranks" not in self.table:
            return None
        found = self.table.pop("ranks")
        if not isinstance(found, dict):
            self._fault("ranks", "phải là một bảng [ranks]")
            return None
        inner = _Check(f"{self.name}: [ranks]", found)
        ranking = Ranking(
            by=inner._column("by"),
            kind=inner._choice("kind", ranks.KINDS, "marginal"),
            of=inner._choice("of", ("total", *sorted(names)), "total"),
        )
        if inner.table.get("method") == "max_t":
            inner.table.pop("method")
            inner._fault("method", "«max_t» chưa hỗ trợ trong phiên bản này")
        inner._choice("method", ("bonferroni",), "bonferroni")
        for key in inner.table:
            inner._fault(key, "khóa không có trong hợp đồng")
        self.faults += inner.faults
        return ranking

    def _column(self, key: str) -> str:
        value = self.table.pop(key, None)
        if isinstance(value, str) and value:
            return value
        self._fault(key, "thiếu, cần tên một cột" if value is None else "phải là tên một cột")
        return ""

    def _choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.table.pop(key, default)
        if isinstance(value, str) and value in allowed:
            return value
        self._fault(key, f"«{value}» không thuộc {', '.join(allowed)}")
        return default

    def _value(self, key: str, good: Callable[[Any], bool], wrong: str, default: Any) -> Any:
        value = self.table.pop(key, default)
        if good(value):
            return value
        self._fault(key, wrong)
        return default

    def _fault(self, key: str, wrong: str) -> None:
        self.faults.append(f"{self.name}: {key}: {wrong}")


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_level(value: Any) -> bool:
    return isinstance(value, float) and 0 < value < 1


def _is_scale(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= 9


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)
