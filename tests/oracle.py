"""Reads the reference cases under tests/data/oracle."""

from __future__ import annotations

import csv
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from folding import Rows, rows_of
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "data" / "oracle"
FACTORS = {
    "F1": ["c01", "c02", "c03", "c04"],
    "F2": ["c05", "c06", "c07", "c08", "c09"],
    "F3": ["c10", "c11", "c12", "c13", "c14"],
    "F4": ["c15", "c16", "c17", "c18"],
    "F5": ["c19", "c20", "c21", "c22"],
}
ITEMS = [item for items in FACTORS.values() for item in items]


def data(case: str) -> Path:
    return FOLDER / case / "data.csv.gz"


@cache
def reference(case: str) -> dict[str, Any]:
    with gzip.open(FOLDER / case / "reference.json.gz", "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


@cache
def columns(case: str) -> dict[str, NDArray[np.float64]]:
    with gzip.open(data(case), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or 0) for row in rows]) for name in rows[0]}


@cache
def drawn(case: str, fpc: bool = True, lonely: str = "adjust") -> Rows:
    found = columns(case)
    codes = np.stack([found[item] for item in ITEMS], axis=1).astype(np.uint8)
    population = found["fpc"] if fpc else None
    return rows_of(found["stratum"], found["psu"], found["w"], codes, fpc=population, lonely=lonely)
