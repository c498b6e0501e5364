"""Strata and villages as a file of answers names them, and the design they make."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.design import Bools, Design, Floats, Ints, arrange
from analysis.file.block import Block, unique
from analysis.file.columns import EMPTY, Names, number, wrong_number
from analysis.file.faults import BadInput, Faults
from analysis.file.plan import Plan


@dataclass(slots=True)
class Villages:
    """Each combination of stratum, PSU, wave and fpc in the file, with its first line."""

    plan: Plan
    strata: Names = field(default_factory=Names)
    psus: Names = field(default_factory=Names)
    waves: Names = field(default_factory=Names)
    _population: list[float] = field(default_factory=list)
    _fpcs: dict[str, int] = field(default_factory=dict)
    _found: dict[tuple[int, ...], int] = field(default_factory=dict)
    _lines: list[int] = field(default_factory=list)

    def take(self, block: Block, place: dict[str, int], faults: Faults) -> Ints:
        """Which combination each row (n,) of the block has."""
        plan, rows = self.plan, block.lines.size
        none = np.zeros(rows, dtype=np.int64)
        columns = [
            self.strata.take(block, place[plan.stratum], plan.stratum, faults),
            self.psus.take(block, place[plan.psu], plan.psu, faults),
            self.waves.take(block, place[plan.wave], plan.wave, faults) if plan.wave else none,
            self._fpc(block, place[plan.fpc], plan.fpc, faults) if plan.fpc else none,
        ]
        codes = none
        for column in columns:
            first, codes = unique(codes * (int(column.max()) + 2) + column + 1)
        kinds = np.stack([column[first] for column in columns], axis=1).tolist()
        known = len(self._found)
        each = [self._found.setdefault(tuple(kind), len(self._found)) for kind in kinds]
        lines = block.lines[first].tolist()
        fresh = sorted((e, line) for e, line in zip(each, lines, strict=True) if e >= known)
        self._lines += [line for _, line in fresh]
        return np.array(each, dtype=np.int64)[codes]

    def settle(self, name: str, faults: Faults) -> tuple[Design, Ints, tuple[str, ...]]:
        """The design, the PSU in it of each combination, and the labels (P,) of its PSUs.

        Raises BadInput: a PSU in two strata (of one wave), an fpc that varies inside a stratum
        or is below its PSUs, a rule for lonely strata that the sample cannot follow.

        Notes
        -----
        With waves a PSU is the same village where stratum and PSU have the same label, so that
        a change has its covariance.  A stratum of which no village stands in two waves was
        drawn anew: it counts as one stratum a wave, and its waves are independent.
        """
        order = np.argsort(np.array(self._lines), kind="stable")
        kinds = np.array(list(self._found), dtype=np.int64)[order]
        lines = np.array(self._lines, dtype=np.int64)[order]
        self._check_strata(kinds, lines, faults)
        faults.stop()
        anew = self._drawn_anew(kinds)
        group = kinds[:, 0] * (len(self.waves.codes) + 1) + np.where(anew, kinds[:, 2] + 1, 0)
        _, stratum = np.unique(group, return_inverse=True)
        # In the order of their labels, so that no figure depends on the order of the rows.
        village = stratum * len(self.psus.codes) + _order(self.psus.labels)[kinds[:, 1]]
        _, first, psu = np.unique(village, return_index=True, return_inverse=True)
        labels, population = self._labels(kinds, anew), None
        if self.plan.fpc:
            population = np.array(self._population)[kinds[:, 3]]
            sampled = np.bincount(stratum[first])[stratum]
            self._check_fpc(self.plan.fpc, labels, lines, population, sampled, faults)
            faults.stop()
            population = population[first]
        design, place = arrange(labels[first], population, lonely=self.plan.lonely)
        _check_lonely(design, name)
        back = np.empty_like(order)
        back[order] = np.arange(order.size)
        at = np.empty_like(place)
        at[place] = kinds[first, 1]
        known = self.psus.labels
        return design, place[psu][back], tuple(known[code] for code in at.tolist())

    def _fpc(self, block: Block, at: int, column: str, faults: Faults) -> Ints:
        cells, each = block.distinct(at)
        codes = []
        for cell in cells:
            if cell not in self._fpcs:
                value = number(cell)
                good = 0 < value < float("inf")
                self._fpcs[cell] = self._of_value(value) if good else EMPTY
            codes.append(self._fpcs[cell])
        found = np.array(codes, dtype=np.int64)[each]
        wrong = np.flatnonzero(found == EMPTY).tolist()
        faults.each(((int(block.lines[i]), cells[each[i]]) for i in wrong), column, wrong_number)
        return found

    def _of_value(self, value: float) -> int:
        if value not in self._population:
            self._population.append(value)
        return self._population.index(value)

    def _check_strata(self, kinds: Ints, lines: Ints, faults: Faults) -> None:
        strata, psus = self.strata.labels, self.psus.labels
        seen: dict[tuple[int, int], tuple[int, int]] = {}
        for (stratum, psu, wave, _), line in zip(kinds.tolist(), lines.tolist(), strict=True):
            other, before = seen.setdefault((psu, wave), (stratum, line))
            if other != stratum:
                wrong = (
                    f"«{psus[psu]}» thuộc tầng «{strata[stratum]}» nhưng ở dòng {before}"
                    f" thuộc tầng «{strata[other]}»"
                )
                faults.add(line, self.plan.psu, wrong)

    def _drawn_anew(self, kinds: Ints) -> Bools:
        """Which combinations lie in a stratum that has several waves and no village in two."""
        rows = np.unique(kinds[:, :3], axis=0)
        n = len(self.strata.codes)
        per_wave = np.bincount(rows[:, 0], minlength=n)
        villages = np.bincount(np.unique(rows[:, :2], axis=0)[:, 0], minlength=n)
        waves = np.bincount(np.unique(rows[:, [0, 2]], axis=0)[:, 0], minlength=n)
        return np.asarray(((waves > 1) & (villages == per_wave))[kinds[:, 0]])

    def _labels(self, kinds: Ints, anew: Bools) -> NDArray[np.object_]:
        strata, waves = self.strata.labels, self.waves.labels
        found = [
            f"{strata[kind[0]]} ({waves[kind[2]]})" if new else strata[kind[0]]
            for kind, new in zip(kinds.tolist(), anew.tolist(), strict=True)
        ]
        return np.array(found, dtype=object)  # as texts they would all take the longest one's room

    def _check_fpc(
        self,
        column: str,
        labels: NDArray[np.object_],
        lines: Ints,
        population: Floats,
        sampled: Ints,
        faults: Faults,
    ) -> None:
        seen: dict[str, tuple[float, int]] = {}
        rows = zip(labels.tolist(), lines.tolist(), population.tolist(), strict=True)
        for (label, line, value), drawn in zip(rows, sampled.tolist(), strict=True):
            other, before = seen.setdefault(label, (value, line))
            if other != value:
                wrong = f"tầng «{label}» có {value:g} nhưng ở dòng {before} có {other:g}"
                faults.add(line, column, wrong)
            elif before == line and value < drawn:
                wrong = f"tầng «{label}» có {value:g}, ít hơn {drawn} đơn vị mẫu cấp một"
                faults.add(line, column, f"{wrong} trong dữ liệu")


def _order(labels: list[str]) -> Ints:
    """The place of each label among all, sorted."""
    place = np.empty(len(labels), dtype=np.int64)
    place[sorted(range(len(labels)), key=labels.__getitem__)] = np.arange(len(labels))
    return place


def _check_lonely(design: Design, name: str) -> None:
    if design.lonely == "fail" and design.lonely_strata:
        lonely = ", ".join(f"«{label}»" for label in design.lonely_strata)
        raise BadInput([f'{name}: lonely = "fail": tầng chỉ có một đơn vị mẫu: {lonely}'])
    if design.lonely == "average" and (design.sampled == 1).all():
        raise BadInput([f'{name}: lonely = "average": mọi tầng đều chỉ có một đơn vị mẫu'])
