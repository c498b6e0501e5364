"""How often intervals and rank sets hold the truth, in simulated samples of villages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.design import Bools, Floats
from analysis.intervals import METHODS, interval
from analysis.ranks import KINDS, competition, rank_sets
from analysis.ranks import METHODS as RANKS

#: Correlation of two persons of one village (STATISTICS 2.4).
ICC = 0.08
SHARES = (0.85, 0.97)
RUNS = 20_000
DEFAULT = METHODS[0]
#: Units that are ranked, and how often: each run draws the villages of all of them anew.
UNITS = 12
RANK_RUNS = 500
#: Fewer draws than the product takes, to have more runs; a quantile of 2.000 is good to 0,05.
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Villages:
    """Two strata with the same number of villages and of persons in each."""

    villages: int
    persons: int

    @property
    def n(self) -> int:
        """Persons asked."""
        return self.villages * self.persons

    @property
    def df(self) -> int:
        """Villages less strata."""
        return self.villages - 2

    def draw(self, generator: np.random.Generator, share: Floats) -> tuple[Floats, Floats]:
        """Estimates and standard errors, of the shape of ``share``: beta-binomial villages."""
        spread = (1 - ICC) / ICC
        size = (*share.shape, 2, self.villages // 2)
        p = np.broadcast_to(share[..., None, None], size)
        own = generator.beta(p * spread, (1 - p) * spread)
        found = generator.binomial(self.persons, own) / self.persons
        apart = found - found.mean(axis=-1, keepdims=True)
        half = self.villages // 2
        variance = half / (half - 1) * (apart**2).sum(axis=(-2, -1)) / self.villages**2
        return found.mean(axis=(-2, -1)), np.sqrt(variance)


DESIGNS = (Villages(6, 10), Villages(16, 12), Villages(30, 20))
#: Units of all three sizes, the small ones at the end of the true order.
MIXED = tuple(design for design in DESIGNS for _ in range(UNITS // len(DESIGNS)))


def run() -> list[tuple[str, float, str]]:
    """Coverage of nominal 95 %: the default interval and rank sets, others at their lowest."""
    rows, others = [], dict.fromkeys(METHODS, 1.0)
    for share in SHARES:
        for design in DESIGNS:
            found = intervals(design, share, RUNS)
            name = f"Coverage of the interval, {share:.0%} of {design.n} persons, df {design.df}"
            rows.append((name, 100 * found[DEFAULT], "%"))
            others = {method: min(others[method], found[method]) for method in METHODS}
    for method in METHODS[1:]:
        rows.append((f"The same of {method}, lowest of the six", 100 * others[method], "%"))
    for kind in KINDS:
        for method in RANKS:
            for design in DESIGNS:
                name = f"Coverage of rank sets, {kind}, {method}, df {design.df}"
                rows.append((name, 100 * ranks([design] * UNITS, kind, method, RANK_RUNS)[1], "%"))
        known = ranks([DESIGNS[0]] * UNITS, kind, "max_t", RANK_RUNS, df=False)[1]
        rows.append((f"The same, {kind}, df 4 not told (wrong on purpose)", 100 * known, "%"))
    mean, least = ranks(MIXED, "marginal", "max_t", RANK_RUNS)
    rows.append(("Coverage of rank sets, marginal, max_t, df 4 to 28, all units", 100 * mean, "%"))
    rows.append(("The same, the last unit: few villages among many", 100 * least, "%"))
    return rows


def intervals(design: Villages, share: float, runs: int, seed: int = 1) -> dict[str, float]:
    """Share of ``runs`` whose interval, as the engine makes it, holds the true share."""
    generator = np.random.Generator(np.random.PCG64(seed))
    value, se = design.draw(generator, np.full(runs, share))
    n, df = np.full(runs, design.n), np.full(runs, design.df)
    found = {}
    for method in METHODS:
        low, high = interval(method, value, se, n, df)
        found[method] = float(((low <= share) & (share <= high)).mean())
    return found


def ranks(
    designs: Sequence[Villages], kind: str, method: str, runs: int, *, df: bool = True
) -> tuple[float, float]:
    """Coverage of the true places of units (one a design) almost alike, the hardest case.

    Marginal sets: over all units, and of the unit held least often; simultaneous sets: of all
    units at once, twice.
    """
    generator = np.random.Generator(np.random.PCG64(1))
    share: Floats = 0.85 + 1e-6 * np.arange(len(designs), dtype=np.float64)
    true, known = competition(share), np.array([design.df for design in designs])
    drawn = [
        design.draw(generator, np.full(runs, p)) for design, p in zip(designs, share, strict=True)
    ]
    values, errors = np.stack([v for v, _ in drawn]), np.stack([se for _, se in drawn])
    covered: Bools = np.zeros((runs, share.size), dtype=bool)
    for run in range(runs):
        sets = rank_sets(
            values[:, run],
            np.diag(errors[:, run] ** 2),
            kind=kind,
            method=method,
            df=known if df else None,
            draws=DRAWS,
        )
        covered[run] = (sets.low <= true) & (true <= sets.high)
    if kind == "simultaneous":
        return (float(covered.all(axis=1).mean()),) * 2
    return float(covered.mean()), float(covered.mean(axis=0).min())
