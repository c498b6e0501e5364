"""Figures of the whole table and of the domains of each column, one fold of the rows at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analysis.design import Bools, Floats, Ints
from analysis.estimate import Estimate, Estimates, estimate, parts
from analysis.file.plan import Plan
from analysis.file.repeats import replicates
from analysis.file.table import Cells, Table
from analysis.file.weighting import calibrated, recalibrated
from analysis.index import Scheme, points
from analysis.replicates import EmptyReplicate, Replicates, replicate_estimates
from analysis.weights.calibrate import Calibration

#: Standard errors (q,) by replicates, None of a domain that some replicate leaves empty.
Errors = list[float | None]


@dataclass(slots=True, eq=False)
class Domains:
    """The domains of a column by their ``labels``.

    ``pair`` are the first two, where a difference is asked for; ``z`` (P, D) the linearised
    totals of the figure to be ranked; ``errors`` (D, q) by replicates.
    """

    labels: tuple[str, ...]
    figures: list[tuple[Estimate, ...]]
    pair: tuple[Estimates, Estimates] | None = None
    z: Floats | None = None
    errors: list[Errors] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Of each cell (c,) its persons and their design weights: sum, squares, smallest, largest."""

    people: Ints
    total: Floats
    squares: Floats
    least: Floats
    most: Floats


@dataclass(slots=True, eq=False)
class Study:
    """Everything that is estimated from a table; make it with ``study``."""

    table: Table
    scheme: Scheme
    name: str
    domains: dict[str, Domains] = field(default_factory=dict)
    whole: Estimates = field(init=False)
    weights: Weights = field(init=False)
    calibration: Calibration | None = None
    replicates: Replicates | None = None
    errors: Errors = field(default_factory=list)

    def take(self, cells: Cells, columns: list[str]) -> None:
        """Estimate the domains of some columns from cells that know their labels."""
        made = self._calibration(cells)
        factors = self._factors(cells)
        if not hasattr(self, "whole"):
            of, self.calibration = cells.tally, made
            self.weights = Weights(of.people, of.weight, of.squares, cells.least, cells.most)
            self.whole = self._one(cells, made, None)
            self.errors = self._errors(cells, made, factors, np.ones(cells.least.size, bool))
        for column in columns:
            found = self._domains(cells, made, column)
            if factors is not None:
                for d in range(len(found.labels)):
                    inside = cells.labels[column] == d
                    found.errors.append(self._errors(cells, made, factors, inside))
            self.domains[column] = found

    @property
    def plan(self) -> Plan:
        """The plan it follows."""
        return self.table.plan

    def _calibration(self, cells: Cells) -> Calibration | None:
        how = self.plan.calibrating
        return calibrated(self.table, cells, how, self.name) if how else None

    def _one(self, cells: Cells, made: Calibration | None, inside: Bools | None) -> Estimates:
        plan = self.plan
        return estimate(
            cells.tally,
            self.table.design,
            self.scheme,
            plan.index,
            cells=inside,
            interval=plan.ci,
            cap=plan.beta_cap,
            level=plan.level,
            calibration=made,
        )

    def _domains(self, cells: Cells, made: Calibration | None, column: str) -> Domains:
        plan, labels, of = self.plan, self.table.names[column], cells.labels[column]
        ranked = plan.ranking is not None and plan.ranking.by == column
        at = self.scheme.names.index(plan.ranking.of) if ranked and plan.ranking else 0
        twice = plan.difference == column and len(labels) > 1
        if made is None:
            grid = parts(
                cells.tally,
                self.table.design,
                self.scheme,
                plan.index,
                of,
                len(labels),
                interval=plan.ci,
                cap=plan.beta_cap,
                level=plan.level,
            )
            return Domains(
                labels,
                [grid.figures(d) for d in range(len(labels))],
                (grid.estimates(0), grid.estimates(1)) if twice else None,
                grid.z(at) if ranked else None,
            )
        found, pair, z = Domains(labels, []), [], []
        for d in range(len(labels)):
            one = self._one(cells, made, of == d)
            found.figures.append(one.figures)
            if twice and d < 2:
                pair.append(one)
            if ranked:
                z.append(one.z[:, at])
        found.pair = (pair[0], pair[1]) if pair else None
        found.z = np.stack(z, axis=1) if z else None
        return found

    def _factors(self, cells: Cells) -> Replicates | None:
        """Replicates whose "PSUs" are cells where each is calibrated anew."""
        plan = self.plan
        if plan.replicating is None:
            return None
        if self.replicates is None:
            self.replicates = replicates(self.table, plan.replicating, self.name)
        if plan.calibrating is None:
            return self.replicates
        place = f"{self.name}: [replicates]"
        of = self.replicates
        made = recalibrated(self.table, cells, plan.calibrating, of.factors, place)
        return Replicates(made, of.scale, of.silent)

    def _errors(
        self, cells: Cells, made: Calibration | None, factors: Replicates | None, inside: Bools
    ) -> Errors:
        if factors is None:
            return []
        tally, score = cells.tally, points(self.plan.index, self.plan.levels)
        psu, sums = tally.psu, tally.sums
        if made is not None:
            # The full sample has the calibrated weights, a replicate its own.
            psu, sums = np.arange(psu.size), sums * made.g[:, None, None]
            factors = Replicates(factors.factors / made.g, factors.scale, factors.silent)
        try:
            found = replicate_estimates(psu[inside], sums[inside], score, self.scheme, factors)
        except EmptyReplicate:
            return [None] * len(self.scheme.names)
        pairs = zip(found.se.tolist(), found.known.tolist(), strict=True)
        return [se if known else None for se, known in pairs]


def study(table: Table, scheme: Scheme, name: str) -> Study:
    """Estimate the whole and every domain that the plan names.

    Each column whose labels cut through PSUs takes a fold of its own; the first fold also
    serves the whole and the columns whose labels do not.  Raises BadInput.
    """
    plan, made = table.plan, Study(table, scheme, name)
    difference = (plan.difference,) if plan.difference else ()
    ranked = (plan.ranking.by,) if plan.ranking else ()
    wanted = list(dict.fromkeys((*plan.domains, *difference, *ranked)))
    free = [column for column in wanted if column not in table.fixed]
    fixed = [column for column in wanted if column in table.fixed]
    for k, columns in enumerate([[column] for column in free] or [[]]):
        made.take(
            table.fold((*columns, *plan.margins, *plan.given), scheme), columns + fixed * (k == 0)
        )
    return made
