"""Keys of a design file taken out one by one, with a fault for each that is wrong or left over."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any


class Section:
    """A table of DESIGN.toml; ``place`` stands before its faults, which it shares with others."""

    def __init__(self, place: str, table: Mapping[str, Any], faults: list[str]) -> None:
        self.place, self.table, self.faults = place, dict(table), faults

    def inner(self, key: str) -> Section | None:
        """The table [key], or None when there is none."""
        if key not in self.table:
            return None
        found = self.table.pop(key)
        if not isinstance(found, dict):
            self.fault(key, f"phải là một bảng [{key}]")
            return None
        place = (
            f"{self.place[:-1]}.{key}]" if self.place.endswith("]") else f"{self.place}: [{key}]"
        )
        return Section(place, found, self.faults)

    def column(self, key: str) -> str:
        """The name of a column that must be given."""
        value = self.table.pop(key, None)
        if is_name(value):
            return str(value)
        self.fault(key, "thiếu, cần tên một cột" if value is None else "phải là tên một cột")
        return ""

    def optional_column(self, key: str) -> str | None:
        """The name of a column that may be left out."""
        return self.column(key) if key in self.table else None

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of the words allowed; without a default it must be given."""
        if key not in self.table and default is None:
            self.fault(key, f"thiếu, cần một trong {', '.join(allowed)}")
            return allowed[0]
        value = self.table.pop(key, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.fault(key, f"«{value}» không thuộc {', '.join(allowed)}")
        return default or allowed[0]

    def value(self, key: str, good: Callable[[Any], bool], wrong: str, default: Any) -> Any:
        """A value that is ``good``, or the default when it is left out."""
        if key not in self.table:
            return default
        value = self.table.pop(key)
        if good(value):
            return value
        self.fault(key, wrong)
        return default

    def close(self) -> None:
        """Every key not taken by now belongs to nobody."""
        for key in self.table:
            self.fault(key, "khóa không có trong hợp đồng")
        self.table = {}

    def fault(self, key: str, wrong: str) -> None:
        """Note what is wrong with a key."""
        self.faults.append(f"{self.place}: {key}: {wrong}")


def is_flag(value: Any) -> bool:
    """true or false."""
    return isinstance(value, bool)


def is_number(value: Any) -> bool:
    """A finite number."""
    return isinstance(value, int | float) and not is_flag(value) and math.isfinite(value)


def is_whole(value: Any, least: int) -> bool:
    """A whole number not below ``least``."""
    return isinstance(value, int) and not is_flag(value) and value >= least


def is_name(value: Any) -> bool:
    """A text with something in it."""
    return isinstance(value, str) and bool(value)


def is_names(value: Any) -> bool:
    """A list of such texts, perhaps empty."""
    return isinstance(value, list) and all(map(is_name, value))
