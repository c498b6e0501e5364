"""Indices of many domains at once, and the linearised totals that carry their error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.design import Bools, Design, Floats, Ints, NoVariance, product
from analysis.index import Scheme
from analysis.tally import Tally

#: A variance between persons below this is the noise of double arithmetic.
NOISE = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Indices of D domains; q figures are the J items, then the C composites.

    ``value`` (D, q) shares 0..1, where ``known`` (D, q); ``incomplete`` (D, q) composites
    without one of their items; ``spread`` (D, q) variance between persons; ``n`` (D, q)
    persons and ``answers`` (D, q) their weight; ``levels`` (D, J, L) weights at each level;
    ``weights`` (D, C, J) of the known items in each composite, which sum to 1.
    """

    value: Floats
    known: Bools
    incomplete: Bools
    spread: Floats
    n: Ints
    answers: Floats
    levels: Floats
    weights: Floats


def values(tally: Tally, scheme: Scheme, score: Floats, starts: Ints) -> Values:
    """Indices of the domains whose cells begin at ``starts`` (D,) of the tally.

    Ratio of weighted sums over the persons who answered an item, never listwise.  The spread of
    a composite is the variance between the persons' own composites.
    """
    levels = np.add.reduceat(tally.sums, starts, axis=0)
    answers = levels.sum(axis=2)
    known = answers > 0
    base = np.where(known, answers, 1.0)
    value = levels @ score / base
    value[known & (levels[:, :, score < 1] == 0).all(axis=2)] = 1.0
    value[levels[:, :, score > 0].sum(axis=2) == 0] = 0.0
    spread = (levels * (score - value[:, :, None]) ** 2).sum(axis=2) / base

    member = (scheme.weights > 0) & known[:, None, :]
    given = np.where(scheme.pooled[:, None], answers[:, None, :], scheme.weights) * member
    total = given.sum(axis=2)
    some = total > 0
    weights = given / np.where(some, total, 1.0)[:, :, None]
    composite = np.einsum("dcj,dj->dc", weights, value)
    composite[some & (~member | (value == 1.0)[:, None, :]).all(axis=2)] = 1.0
    lacking = some & ((scheme.weights > 0) & ~known[:, None, :]).any(axis=2)
    weight, first, second = np.moveaxis(np.add.reduceat(tally.moments, starts, axis=0), 2, 0)
    mean = first / np.where(some, weight, 1.0)
    between = second / np.where(some, weight, 1.0) - mean**2
    counts = np.add.reduceat(tally.answers(), starts, axis=0)
    persons = np.add.reduceat(tally.persons.astype(np.int64), starts, axis=0)
    return Values(
        value=np.hstack([value, composite]),
        known=np.hstack([known, some]),
        incomplete=np.hstack([~known, lacking]),
        spread=np.hstack([spread, np.where(between > NOISE, between, 0.0)]),
        n=np.hstack([counts, persons]),
        answers=np.hstack([answers, weight]),
        levels=levels,
        weights=weights,
    )


def linearised(tally: Tally, scheme: Scheme, score: Floats, found: Values, part: Ints) -> Floats:
    """Linearised totals (c, q) of each cell in its domain ``part`` (c,).

    Taylor linearisation of a ratio (Woodruff 1971; Särndal, Swensson & Wretman 1992, ch. 5);
    a pooled composite is one ratio of all points to all answers.
    """
    size = len(scheme.items)
    earned = np.einsum("cjl,l->cj", tally.sums, score)
    given = np.einsum("cjl->cj", tally.sums)
    base = np.where(found.known, found.answers, 1.0)[:, :size]
    value = found.value[:, :size]
    items = (earned - value[part] * given) / base[part]
    z = np.empty((part.size, found.value.shape[1]))
    z[:, :size] = items
    z[:, size:] = _weighted(items, found.weights, part)
    if scheme.pooled.any():
        member = (scheme.weights[scheme.pooled] > 0).astype(np.float64).T
        total = np.where(found.known[:, :size], found.answers[:, :size], 0.0) @ member
        ratio = found.value[:, size:][:, scheme.pooled]
        rest = earned @ member - ratio[part] * (given @ member)
        z[:, size:][:, scheme.pooled] = rest / np.where(total > 0, total, 1.0)[part]
    sure = (found.value == 0.0) | (found.value == 1.0)
    z[sure[part]] = 0.0
    return z


def _weighted(items: Floats, weights: Floats, part: Ints) -> Floats:
    """Items (c, J) in the composites of their domain (c, C); most domains share the weights."""
    common = weights[0]
    rows = product(items, common.T)
    for d in np.flatnonzero((weights != common).any(axis=(1, 2))):
        mine = part == d
        rows[mine] = items[mine] @ weights[d].T
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Where domains meet PSUs: e pairs, sorted by domain, stratum and PSU.

    ``part`` (e,), ``psu`` (e,); ``cell`` (c,) the entry of each cell; ``block`` (e,) the index
    of the entry's domain × stratum; ``starts`` (b,) the first entry of each such block,
    ``stratum`` (b,) its stratum and ``first`` (D,) the first block of each domain.
    """

    part: Ints
    psu: Ints
    cell: Ints
    block: Ints
    starts: Ints
    stratum: Ints
    first: Ints

    @classmethod
    def of(cls, design: Design, psu: Ints, part: Ints) -> Entries:
        """Entries of cells in ``psu`` (c,) and domain ``part`` (c,), which none is without."""
        keys, cell = np.unique(part * design.n_psu + psu, return_inverse=True)
        psus, parts = keys % design.n_psu, keys // design.n_psu
        stratum = design.stratum[psus]
        block_key = parts * design.n_strata + stratum
        starts = np.flatnonzero(np.diff(block_key, prepend=-1))
        block = np.cumsum(np.diff(block_key, prepend=block_key[0]) != 0)
        first = np.flatnonzero(np.diff(parts[starts], prepend=-1))
        return cls(parts, psus, cell, block, starts, stratum[starts], first)

    def add(self, cells: Floats) -> Floats:
        """Cells (c, m) added up to entries (e, m)."""
        if self.cell.size == self.psu.size:
            whole = np.empty_like(cells)
            whole[self.cell] = cells
            return whole
        order = np.argsort(self.cell, kind="stable")
        starts = np.flatnonzero(np.diff(self.cell[order], prepend=-1))
        return np.asarray(np.add.reduceat(cells[order], starts, axis=0))

    def variances(self, design: Design, z: Floats) -> tuple[Floats, Bools]:
        """Variances (D, q) from the linearised totals ``z`` (e, q); which domains (D,) have one.

        PSUs without members stay in as zeros.  A domain has none under the rule ``average`` when
        all its strata are lonely.  Raises LonelyStratum (rule ``fail``).
        """
        deviation, mean, absent = self._centred(design, z, slice(0, z.shape[0]))
        squares = np.add.reduceat(deviation**2, self.starts, axis=0) + absent * mean**2
        factor = design.factors()[self.stratum][:, None]
        total = np.add.reduceat(factor * squares, self.first, axis=0)
        if design.lonely != "average":
            return total, np.ones(self.first.size, dtype=bool)
        inflation, sure = self._inflation(design)
        return total * inflation[:, None], sure

    def covariance(self, design: Design, z: Floats, d: int) -> Floats:
        """Covariance (q, q) of domain ``d`` from the linearised totals ``z`` (e, q).

        Raises LonelyStratum (rule ``fail``) or NoVariance (rule ``average``).
        """
        low, high = np.searchsorted(self.part, [d, d + 1])
        deviation, mean, absent = self._centred(design, z, slice(low, high))
        first, last = self.block[low], self.block[high - 1] + 1
        root = np.sqrt(design.factors()[self.stratum[first:last]])[:, None]
        rows = np.vstack(
            [root[self.block[low:high] - first] * deviation, root * np.sqrt(absent) * mean]
        )
        total: Floats = rows.T @ rows
        if design.lonely != "average":
            return total
        inflation, sure = self._inflation(design)
        if not sure[d]:
            raise NoVariance("every stratum of the domain has a single PSU")
        return np.asarray(total * inflation[d])

    def _centred(self, design: Design, z: Floats, entries: slice) -> tuple[Floats, Floats, Floats]:
        """Deviations (e, q) from the mean of the stratum, these means (b, q), and how many of the
        stratum's PSUs (b, 1) have no member of the domain; for the entries of whole domains."""
        block = self.block[entries]
        first, last = block[0], block[-1] + 1
        stratum, starts = self.stratum[first:last], self.starts[first:last] - entries.start
        drawn = design.sampled[stratum][:, None]
        mean = np.add.reduceat(z[entries], starts, axis=0) / drawn
        mean[design.sampled[stratum] == 1] = 0.0
        absent = drawn - np.diff(starts, append=block.size)[:, None]
        return z[entries] - mean[block - first], mean, absent

    def _inflation(self, design: Design) -> tuple[Floats, Bools]:
        """Strata over those with two PSUs (D,) of the rule ``average``; whether there are any."""
        alone = design.alone[self.stratum]
        seen = np.diff(self.first, append=self.starts.size)
        good = np.add.reduceat((~alone).astype(np.int64), self.first)
        return seen / np.maximum(good, 1), good > 0

    def degrees(self, present: Bools) -> Ints:
        """PSUs less strata (D, q) with members, from the entries (e, q) that have some."""
        strata = np.logical_or.reduceat(present, self.starts, axis=0)
        psus = np.add.reduceat(present.astype(np.int64), self.starts, axis=0)
        return np.asarray(np.add.reduceat(psus - strata, self.first, axis=0), dtype=np.int64)
