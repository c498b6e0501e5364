"""Makes surveys of invented villages up, the same bytes on every machine and for ever.

Every number is a pure function of (seed, stream, index) by splitmix64, and only additions and
multiplications follow, so no version of numpy and no processor can change a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]

FACTORS = {
    "F1": ("c01", "c02", "c03", "c04"),
    "F2": ("c05", "c06", "c07", "c08", "c09"),
    "F3": ("c10", "c11", "c12", "c13", "c14"),
    "F4": ("c15", "c16", "c17", "c18"),
    "F5": ("c19", "c20", "c21", "c22"),
}
ITEMS = tuple(item for items in FACTORS.values() for item in items)
#: A person's hidden satisfaction -> levels 1..5.
CUTS = np.array([-1.95, -1.35, -0.55, 0.95])
WORD = (1 << 64) - 1
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Survey:
    """What is drawn: two strata (town, country) a province, villages, persons.

    ``psu`` and ``take`` are the mean numbers of villages a stratum and of persons a village;
    the first ``lonely`` strata have one village; with two ``waves`` other persons of the same
    villages answer again; ``extreme`` makes c03 nearly all satisfied and c04 nearly nobody;
    in ``all_sat_province`` every answer is 4 or 5.
    """

    provinces: int = 6
    psu: int = 5
    take: int = 10
    seed: int = 101
    lonely: int = 0
    waves: int = 1
    extreme: bool = False
    all_sat_province: int = 0


SMALL = Survey()
#: The reference case v6_M: 37.695 persons of 1.896 villages.
MIDDLE = Survey(provinces=63, psu=15, take=20, seed=3701)
#: 999.828 persons of 4.993 villages.
LARGE = Survey(provinces=63, psu=40, take=199, seed=9001)


def generate(survey: Survey) -> Columns:
    """One array a column, one value a response; level 0 = not answered."""
    villages = _Villages.of(survey)
    parts = [_wave(survey, villages, wave) for wave in range(1, survey.waves + 1)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {"id": np.arange(1, columns["w"].size + 1), **columns}


@dataclass(frozen=True, slots=True, eq=False)
class _Villages:
    """The sampled villages (P,), the same in every wave."""

    stratum: NDArray[np.int64]  # 0..H-1
    persons: NDArray[np.int64]  # asked in the village
    base: Floats  # weight before what differs between households
    population: NDArray[np.int64]  # villages in the stratum's population
    effect: Floats  # of the village on what its people answer
    province_effect: Floats

    @classmethod
    def of(cls, survey: Survey) -> _Villages:
        strata, seed = survey.provinces * 2, survey.seed
        spread = survey.psu * (0.6 + 0.8 * uniform(seed, 1, strata))
        sampled = np.maximum(2, np.floor(spread + 0.5).astype(int))
        sampled[: survey.lonely] = 1
        population = sampled * np.floor(4 + 8 * uniform(seed, 2, strata)).astype(int)
        size = int(sampled.sum())
        stratum = np.repeat(np.arange(strata), sampled)
        wanted = survey.take * (0.5 + uniform(seed, 3, size))
        persons = np.maximum(2, np.floor(wanted + 0.5).astype(int))
        adults = np.floor(80 + 420 * uniform(seed, 4, size)).astype(int)
        of_province = 0.28 * gauss(seed, 11, survey.provinces)[stratum // 2]
        return cls(
            stratum=stratum,
            persons=persons,
            base=(population / sampled)[stratum] * (adults / persons),
            population=population[stratum],
            effect=0.35 * gauss(seed, 12, size),
            province_effect=of_province + 0.10 * (stratum % 2 == 0),
        )


def _wave(survey: Survey, villages: _Villages, wave: int) -> Columns:
    seed = survey.seed + 50021 * (wave - 1)
    row = np.repeat(np.arange(villages.persons.size), villages.persons)
    n, stratum = row.size, villages.stratum[row]
    province, area = stratum // 2 + 1, stratum % 2 + 1
    sex = np.where(uniform(seed, 21, n) < 0.46, 1, 2)  # more women than in the population
    age = 1 + np.searchsorted([0.17, 0.46, 0.79], uniform(seed, 22, n))
    household = np.floor(70 + 60 * uniform(seed, 23, n)) / 100.0
    weight = np.floor(villages.base[row] * household * 1e4 + 0.5) / 1e4
    person = 0.75 * gauss(seed, 24, n) + 0.06 * (age == 4) - 0.05 * (sex == 1) + 0.09 * (wave - 1)
    place = villages.province_effect[row] + villages.effect[row]
    columns: Columns = {
        "wave": np.full(n, wave),
        "province": province,
        "area": area,
        "stratum": province * 10 + area,
        "psu": row + 1,
        "fpc": villages.population[row],
        "w": weight,
        "sex": sex,
        "age": age,
    }
    for item, levels in _answers(survey, seed, place, person).items():
        if survey.all_sat_province:
            levels[(province == survey.all_sat_province) & (levels > 0) & (levels < 4)] = 4
        columns[item] = levels
    return columns


def _answers(
    survey: Survey, seed: int, place: Floats, person: Floats
) -> dict[str, NDArray[np.int8]]:
    """Levels of every item; a factor's items are sometimes left out together."""
    n, found, j = person.size, {}, 0
    for f, items in enumerate(FACTORS.values()):
        skipped = uniform(seed, 300 + f, n) < 0.012 * (f + 1)
        for item in items:
            shift = 0.45 * float(gauss(survey.seed, 40 + j, 1)[0]) + 0.35
            if survey.extreme and item in ("c03", "c04"):
                shift = 2.6 if item == "c03" else -2.6
            hidden = shift + place + person + 0.55 * gauss(seed, 100 + j, n)
            levels = (1 + np.searchsorted(CUTS, hidden)).astype(np.int8)
            levels[skipped | (uniform(seed, 200 + j, n) < 0.01 + 0.004 * (j % 6))] = 0
            found[item] = levels
            j += 1
    return found


def margins(columns: Columns, seed: int) -> dict[str, dict[str, float]]:
    """Population counts to calibrate to: provinces near their weights, sexes and ages known."""
    weight, province = columns["w"], columns["province"]
    total = float(np.floor(weight.sum() / columns["wave"].max()))
    names = np.unique(province)
    size = np.array([weight[province == name].sum() for name in names])
    size = size * (0.9 + 0.2 * uniform(seed, 900, names.size))
    return {
        "province": _counts(total, total * size / size.sum(), names.tolist()),
        "sex": _counts(total, total * np.array([0.495, 0.505]), [1, 2]),
        "age": _counts(total, total * np.array([0.22, 0.31, 0.29, 0.18]), [1, 2, 3, 4]),
    }


def _counts(total: float, wanted: Floats, names: list[int]) -> dict[str, float]:
    """Whole persons; the last category takes what is left of the total."""
    counts = np.floor(wanted)
    counts[-1] = total - counts[:-1].sum()
    return {str(name): float(count) for name, count in zip(names, counts, strict=True)}


def write_csv(columns: Columns, path: Path) -> None:
    """Write the columns, weights with four decimals, a level not answered as an empty field."""
    with path.open("w", newline="\n", encoding="utf-8") as file:
        file.write(",".join(columns) + "\n")
        for start in range(0, columns["id"].size, ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            fields = [_fields(name, column[part].tolist()) for name, column in columns.items()]
            rows = zip(*fields, strict=True)
            file.write("\n".join(map(",".join, rows)) + "\n")


def _fields(name: str, values: list[Any]) -> list[str]:
    if name == "w":
        return [f"{value:.4f}" for value in values]
    if name in ITEMS:
        return [str(value) if value else "" for value in values]
    return [str(value) for value in values]


def uniform(seed: int, stream: int, n: int) -> Floats:
    """n numbers in (0, 1), a function of seed, stream and place alone."""
    with np.errstate(over="ignore"):
        key = _mix(np.array([(seed * 1000003 + stream) & WORD], dtype=np.uint64))
        mixed = _mix(_mix(np.arange(n, dtype=np.uint64)) ^ key)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 9007199254740992.0


def gauss(seed: int, stream: int, n: int) -> Floats:
    """Mean 0, variance 1, bounded: the sum of four uniform numbers (Irwin-Hall)."""
    total = sum(uniform(seed, stream * 8 + 7000 + k, n) for k in range(4))
    return np.asarray((total - 2.0) * 1.7320508075688772, dtype=np.float64)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64 (Steele, Lea & Flood 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
