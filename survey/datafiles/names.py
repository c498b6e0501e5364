"""What other programs can hold of names and labels, and the list of what was shortened for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from survey.datafiles.variables import SILENT

if TYPE_CHECKING:
    from survey.datafiles.variables import Variable

#: Letters of a name (Stata 32, SPSS 64 bytes), of labels: (letters, bytes); 0 = no limit.
NAME = 32
LIMITS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "sav": {"label": (0, 255), "value": (0, 120), "text": (0, 255)},
    "dta": {"label": (80, 320), "value": (0, 32_000), "text": (0, 2_045)},
}
_ODD = re.compile(r"[^A-Za-z0-9]+")
#: Words that Stata and SPSS keep to themselves.
_KEPT = frozenset({"all", "and", "by", "eq", "ge", "gt", "if", "in", "le", "lt", "ne", "not", "or",
                   "to", "using", "with", "byte", "int", "long", "float", "double"})  # fmt: skip


@dataclass(slots=True)
class Shortened:
    """What a format could not hold whole, as it was written there; counted for texts."""

    labels: list[dict[str, str]] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, object]:
        """As the manifest has it."""
        return {"labels": self.labels, "texts": dict(sorted(self.texts.items()))}


def short(columns: Iterable[Variable]) -> dict[str, str]:
    """By column: its name in SPSS, Stata and R; letters, digits and ``_``, each once."""
    found: dict[str, str] = {}
    for column in columns:
        name = _ODD.sub("_", column.name).strip("_") or "v"
        if not name[0].isalpha() or name.lower() in _KEPT:
            name = f"v_{name}"
        base, n = name[:NAME], 1
        taken = {one.lower() for one in found.values()}
        while (
            name := base if n == 1 else f"{base[: NAME - len(str(n)) - 1]}_{n}"
        ).lower() in taken:
            n += 1
        found[column.name] = name
    return found


def cut(text: str, limit: tuple[int, int]) -> str:
    """The text within so many letters and bytes, never half a letter; "…" where it was cut."""
    letters, size = limit
    if (not letters or len(text) <= letters) and len(text.encode()) <= size:
        return text
    if letters:
        text = text[: letters - 1]
    return text.encode()[: size - 3].decode("utf-8", "ignore").rstrip() + "…"


def label(variable: Variable, form: str, seen: Shortened) -> str:
    """The label of a variable as a format can hold it."""
    return _noted(variable.name, "", variable.label, LIMITS[form]["label"], seen)


def values(variable: Variable, form: str, seen: Shortened) -> dict[int, str]:
    """The labels of its codes as a format can hold them, NO_ANSWER (9) among them."""
    every = dict(variable.values) | ({9: SILENT} if variable.silent else {})
    limit = LIMITS[form]["value"]
    return {c: _noted(variable.name, str(c), text, limit, seen) for c, text in every.items()}


def _noted(name: str, code: str, text: str, limit: tuple[int, int], seen: Shortened) -> str:
    done = cut(text, limit)
    if done != text:
        seen.labels.append({"column": name, "code": code, "whole": text, "written": done})
    return done
