"""The schools of R's ``survey`` by our own engine: any variable, linearised as a ratio."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oracle import FOLDER
from scipy.special import stdtrit

from analysis import replicates
from analysis.design import Sample, build
from analysis.estimate import estimate
from analysis.index import scheme
from analysis.tally import fold
from analysis.weights.calibrate import Calibration, calibrate, margin, poststratify

Floats = NDArray[np.float64]
TYPES = {"E": 4421.0, "H": 755.0, "M": 1018.0}
WIDE = {"No": 1072.0, "Yes": 5122.0}
#: Interval of the engine -> its name in R's svyciprop.
INTERVALS = {"logit": "logit", "xlogit": "logit", "asin": "asin", "beta": "beta", "mean": "t"}


@cache
def texts(name: str) -> dict[str, NDArray[np.str_]]:
    with gzip.open(FOLDER / "v5_api" / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {column: np.array([row[column] for row in rows]) for column in rows[0]}


@dataclass(frozen=True, eq=False)
class Found:
    """A ratio with its linearised totals per PSU and R's design effect."""

    value: float
    z: Floats
    deff: float


@dataclass(frozen=True, eq=False)
class Schools:
    """One of the two samples: by type of school, or whole districts."""

    name: str
    sample: Sample

    @classmethod
    def of(cls, name: str, fpc: bool) -> Schools:
        found = texts(name)
        n = found["pw"].size
        strata = found["stype"] if name == "apistrat" else np.zeros(n, dtype=int)
        psus = np.arange(n) if name == "apistrat" else found["dnum"]
        population = found["fpc"].astype(float) if fpc else None
        return cls(name, build(strata, psus, found["pw"].astype(float), population))

    def number(self, column: str) -> Floats:
        return texts(self.name)[column].astype(float)

    def where(self, column: str, value: str) -> NDArray[np.bool_]:
        return np.asarray(texts(self.name)[column] == value)

    @property
    def df(self) -> int:
        design = self.sample.design
        return design.df(np.ones(design.n_psu, bool))

    def psu_totals(self, rows: Floats) -> Floats:
        return np.bincount(self.sample.psu, rows, minlength=self.sample.design.n_psu)

    def ratio(
        self, y: Floats, a: Floats, inside: Any = True, by: Calibration | None = None
    ) -> Found:
        """Σ w y / Σ w a in a domain (Woodruff 1971), by design or calibrated weights."""
        start = self.sample.weight
        w = np.where(inside, start if by is None else by.weight, 0.0)
        value = float(w @ y / (w @ a))
        linear = np.where(inside, (y - value * a) / (w @ a), 0.0)
        rows = start * linear
        rows = rows if by is None else by.project(rows[:, None])[:, 0]
        z = self.psu_totals(rows)
        n, total = int((w > 0).sum()), float(w.sum())
        spread = n / (n - 1) * float(w @ linear**2) * total
        simple = spread / n * (1 - n / total)
        variance = float(self.sample.design.variances(z[:, None])[0])
        return Found(value, z, variance / simple)

    def mean(self, column: str, inside: Any = True, by: Calibration | None = None) -> Found:
        y = self.number(column)
        return self.ratio(y, np.ones(y.size), inside, by)

    def total(self, column: str, by: Calibration | None = None) -> dict[str, Any]:
        y, start = self.number(column), self.sample.weight
        rows = start * y if by is None else by.project((start * y)[:, None])[:, 0]
        value = float((start if by is None else by.weight) @ y)
        return {"names": column, "total": value, "se": self.se(self.psu_totals(rows))}

    def se(self, z: Floats) -> float:
        return float(self.sample.design.variances(z[:, None])[0]) ** 0.5

    def joint(self, found: list[Found]) -> Floats:
        return self.sample.design.covariance(np.stack([one.z for one in found], axis=1))

    def several(self, names: list[str], found: list[Found], df: int) -> dict[str, Any]:
        joint = self.joint(found)
        se, t = np.sqrt(np.diag(joint)), stdtrit(df, 0.975)
        values = np.array([one.value for one in found])
        one = len(found) == 1
        return {
            "names": names[0] if one else names,
            "mean": values[0] if one else values.tolist(),
            "se": float(se[0]) if one else se.tolist(),
            "deff": found[0].deff,
            "vcov": joint.tolist(),
            "df": df,
            "ci_t": np.stack([values - t * se, values + t * se], axis=1).tolist(),
        }

    def share(self, column: str) -> dict[str, Any]:
        """A yes/no variable as an item of two levels, by the engine itself."""
        codes = 1 + self.where(column, "Yes").astype(np.uint8)[:, None]
        layout = scheme([column], {})
        tally, _ = fold(self.sample, codes, layout, "top2", levels=2)
        found = {}
        for name, ci in INTERVALS.items():
            got = estimate(
                tally, self.sample.design, layout, "top2", interval=ci, cap=False
            ).of("item", column)  # fmt: skip
            found[f"ci_{name}"] = [got.low, got.high]
        return {"p": got.value, "se": got.se, "df": got.df, **found}


def sampled(name: str, fpc: bool) -> dict[str, Any]:
    """What the reference gives for one of the samples."""
    at = Schools.of(name, fpc)
    ones = np.ones(at.sample.weight.size)
    types = [at.mean("api00", at.where("stype", kind)) for kind in TYPES]
    shares = [at.ratio(at.where("stype", kind).astype(float), ones) for kind in TYPES]
    elementary = at.sample.psu[at.where("stype", "E")]
    members = np.isin(np.arange(at.sample.design.n_psu), elementary)
    ratio = at.ratio(at.number("api.stu"), at.number("enroll"))
    columns = ["api00", "api99", "enroll"]
    by = at.joint(types)
    return {
        "degf": at.df,
        "mean": at.several(columns, [at.mean(column) for column in columns], at.df),
        "total_enroll": at.total("enroll"),
        "ratio_api.stu_enroll": {"ratio": ratio.value, "se": at.se(ratio.z), "deff": ratio.deff},
        "ciprop_sch.wide": at.share("sch.wide"),
        "ciprop_awards": at.share("awards"),
        "prop_stype": at.several([f"stype{kind}" for kind in TYPES], shares, at.df),
        "by_stype_api00": {
            "levels": list(TYPES),
            "est": [one.value for one in types],
            "se": np.sqrt(np.diag(by)).tolist(),
            "vcov": by.tolist(),
        },
        "domain_E": at.several(["api00"], types[:1], at.sample.design.df(members)),
        "diff_E_minus_H": {
            "est": types[0].value - types[1].value,
            "se": at.se(types[0].z - types[1].z),
        },
    }


def weighted(method: str) -> dict[str, Any]:
    """Districts calibrated to the types of all schools, or raked to two margins."""
    at = Schools.of("apiclus1", True)
    start, found = at.sample.weight, texts("apiclus1")
    types = margin("stype", found["stype"], TYPES)
    wide = margin("sch.wide", found["sch.wide"], WIDE)
    made = poststratify(start, types) if method == "poststrat" else calibrate(start, [types, wide])
    mean = at.mean("api00", by=made)
    return {
        "mean": {"mean": mean.value, "se": at.se(mean.z)},
        "total": at.total("enroll", made),
        "weights_head": made.weight[:10].tolist(),
        "ss": float(made.weight @ made.weight),
    }


def jackknifed() -> dict[str, Any]:
    at = Schools.of("apiclus1", True)
    made, y = replicates.jkn(at.sample.design), at.number("api00")
    weight = at.sample.weight * made.factors[:, at.sample.psu]
    thetas = (weight @ y / weight.sum(axis=1))[:, None]
    se = made.se(thetas, thetas.mean(axis=0))  # R's default: around the mean of the replicates
    return {"mean": at.mean("api00").value, "se": float(se[0])}


def case() -> dict[str, Any]:
    return {
        "apistrat_fpc": sampled("apistrat", True),
        "apistrat_nofpc": sampled("apistrat", False),
        "apiclus1_fpc": sampled("apiclus1", True),
        "apiclus1_poststrat_stype": weighted("poststrat"),
        "apiclus1_rake_stype_schwide": weighted("rake"),
        "apiclus1_jk1": jackknifed(),
    }
