"""Items, factors, areas and the total with their joint sampling error, in any domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.design import ONE_THREAD, Bools, Design, Floats, Ints, NoVariance
from analysis.index import Scheme, points
from analysis.intervals import interval as bounds
from analysis.tally import Sample, Tally, count, whole_psus

#: Below this many degrees of freedom an interval is flagged (NCHS 2017).
LOW_DF = 8
#: Rows worked on at once: small enough for the cache and for one thread.
BLOCK = 512


class NoRows(ValueError):
    """The domain has no rows, so there is nothing to estimate."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One index; values are shares 0..1, None where it is unknown (``flags`` says why).

    ``deff`` is against simple random sampling without replacement from N = sum of weights
    (R's default), ``deff_replace`` against sampling with replacement; ``neff`` persons of a
    simple random sample with the same error; ``df`` of the persons who answered.
    Flags: ``no_answer``, ``all``, ``none``, ``incomplete`` (a composite without one of its
    items, which nobody answered), ``low_df``, ``no_variance``, ``census``.
    """

    kind: Literal["item", "factor", "area", "total"]
    id: str
    n: int
    value: float | None
    se: float | None
    low: float | None
    high: float | None
    deff: float | None
    deff_replace: float | None
    neff: float | None
    df: int
    shares: tuple[float, ...] | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """All figures of one domain: ``figures`` (q,), their linearised PSU totals ``z`` (P, q).

    ``present`` (P,) are the PSUs with rows of the domain.
    """

    figures: tuple[Estimate, ...]
    z: Floats
    present: Bools
    design: Design

    def covariance(self) -> Floats:
        """Joint covariance (q, q) of the figures, in the order of ``figures``."""
        return self.design.covariance(self.z, self.present)

    def of(self, kind: str, id: str = "") -> Estimate:
        """The figure of this kind (and id); LookupError when there is none."""
        for figure in self.figures:
            if figure.kind == kind and id in ("", figure.id):
                return figure
        raise LookupError(f"no {kind} {id}")


def estimate(
    sample: Sample,
    scheme: Scheme,
    method: str,
    *,
    rows: Ints | None = None,
    interval: str = "beta",
    cap: bool = True,
    level: float = 0.95,
    items: bool = True,
) -> Estimates:
    """Estimate every item and composite of ``scheme`` in a domain.

    Parameters
    ----------
    sample : the whole sample; its design is kept whole for the error of a domain
    method : ``top2``, ``scaled`` or ``mean5``
    rows : indices of the domain's rows, None for all
    interval, cap, level : see ``analysis.intervals.interval``
    items : False leaves the items' own figures out, for many domains in a row

    Raises
    ------
    NoRows
        The domain is empty.
    LonelyStratum
        The design has a stratum with one PSU and the rule ``fail``.

    Notes
    -----
    Ratio of weighted sums over the persons who answered an item (never listwise), Taylor
    linearisation (Woodruff 1971; Särndal, Swensson & Wretman 1992, ch. 5), composites through
    the joint covariance of their items.  ``spread`` behind deff and neff is the variance of
    the linearised value between persons; of an item that is the weighted element variance.
    """
    if rows is not None and rows.size == 0:
        raise NoRows("no rows in the domain")
    tally = _tally(sample, rows)
    score, design = points(method, sample.levels), sample.design
    parts = _Parts.of(tally, scheme, score, design.n_psu)
    people = _people(sample, scheme, parts, score, rows)
    present = np.ones(design.n_psu, bool) if rows is None else _present(design, rows)
    first = 0 if items else len(scheme.items)
    z, se = parts.z[:, first:], None
    with suppress(NoVariance):
        se = np.concatenate([np.zeros(first), np.sqrt(design.variances(z, present))])
    low, high = _bounds(parts, people, se, design, first, (interval, level, cap))
    shares = _shares(tally, scheme)
    figures = tuple(
        _figure(q, scheme, parts, people, se, (low[q], high[q]), shares[q], design)
        for q in range(first, parts.value.size)
    )
    return Estimates(figures, z, present, design)


def _tally(sample: Sample, rows: Ints | None) -> Tally:
    if rows is None:
        return sample.tally
    psus = whole_psus(sample.design, rows)
    if psus is not None:
        return sample.tally.keep(psus)
    return count(sample.design, sample.codes, sample.levels, rows)


def _present(design: Design, rows: Ints) -> Bools:
    return np.asarray(np.bincount(design.psu[rows], minlength=design.n_psu) > 0)


def _product(left: Floats, right: Floats) -> Floats:
    """``left @ right`` in parts that stay on one thread."""
    step = max(1, ONE_THREAD // right.size)
    parts = [left[at : at + step] @ right for at in range(0, max(1, left.shape[0]), step)]
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Point estimates (q,) with what linearises them: row k's value is x @ gain - a @ loss."""

    value: Floats
    known: Bools
    incomplete: Bools
    gain: Floats  # (J, q) per point
    loss: Floats  # (J, q) per answer
    z: Floats  # (P, q)
    item_spread: Floats  # (J,)
    answers: Floats  # (J,) weighted
    item_n: Ints  # (J,)
    item_psus: Bools  # (P, J)

    @classmethod
    def of(cls, tally: Tally, scheme: Scheme, score: Floats, n_psu: int) -> _Parts:
        level_sums = tally.sums.sum(axis=0)
        answers = level_sums.sum(axis=1)
        known = answers > 0
        base = np.where(known, answers, 1.0)
        value = level_sums @ score / base
        value[known & (level_sums[:, score < 1] == 0).all(axis=1)] = 1.0
        value[level_sums[:, score > 0].sum(axis=1) == 0] = 0.0
        spread = (level_sums * (score - value[:, None]) ** 2).sum(axis=1) / base

        member = (scheme.weights > 0) & known
        weight = np.where(scheme.pooled[:, None], answers, scheme.weights) * member
        total = weight.sum(axis=1)
        some = total > 0
        weight = weight / np.where(some, total, 1.0)[:, None]
        composite = weight @ value
        composite[some & (~member | (value == 1.0)).all(axis=1)] = 1.0
        # A pooled composite is one ratio: each answer is held against the pooled value.
        against = np.where(scheme.pooled[:, None], composite[:, None], value) * weight
        gain = np.vstack([np.diag(known / base), weight / base]).T
        loss = np.vstack([np.diag(known * value / base), against / base]).T
        values = np.concatenate([value, composite])
        earned = np.einsum("pjl,l->pj", tally.sums, score)
        z = _product(earned, gain) - _product(tally.sums.sum(axis=2), loss)
        z[:, (values == 0.0) | (values == 1.0)] = 0.0
        item_n = tally.counts.sum(axis=2)
        return cls(
            value=values,
            known=np.concatenate([known, some]),
            incomplete=np.concatenate([~known, some & ((scheme.weights > 0) & ~known).any(axis=1)]),
            gain=gain,
            loss=loss,
            z=tally.spread(z, n_psu),
            item_spread=spread,
            answers=answers,
            item_n=item_n.sum(axis=0),
            item_psus=tally.spread(item_n > 0, n_psu),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """Persons behind each figure (q,): how many, their weight, their spread, their df."""

    n: Ints
    weight: Floats
    spread: Floats
    df: Ints


def _people(
    sample: Sample, scheme: Scheme, parts: _Parts, score: Floats, rows: Ints | None
) -> _People:
    """Count who answered; a composite counts who answered at least one of its items."""
    design, member = sample.design, (scheme.weights > 0).T.astype(np.float64)
    first, size = len(scheme.items), len(scheme.ids)
    gain, loss = parts.gain[:, first:], parts.loss[:, first:]
    point = np.concatenate([[0.0], score])
    n, total, squares = np.zeros(size, dtype=np.int64), np.zeros(size), np.zeros(size)
    psus = np.zeros((design.n_psu, size), dtype=bool)
    for block in _blocks(design.weight.size if rows is None else rows):
        codes, weight, psu = sample.codes[block], design.weight[block], design.psu[block]
        answered = (codes > 0).astype(np.float64)
        linear = point[codes] @ gain - answered @ loss
        persons = answered @ member > 0
        n += persons.sum(axis=0)
        total += weight @ persons
        squares += weight @ linear**2
        for c in range(size):
            psus[psu[persons[:, c]], c] = True
    return _People(
        n=np.concatenate([parts.item_n, n]),
        weight=np.concatenate([parts.answers, total]),
        spread=np.concatenate([parts.item_spread, total * squares]),
        df=_degrees(design, np.hstack([parts.item_psus, psus])),
    )


def _blocks(rows: int | Ints) -> Iterator[slice | Ints]:
    """Rows in blocks, so that a million of them never lie in memory as floats at once."""
    if isinstance(rows, int):
        yield from (slice(at, min(at + BLOCK, rows)) for at in range(0, rows, BLOCK))
    else:
        yield from (rows[at : at + BLOCK] for at in range(0, rows.size, BLOCK))


def _degrees(design: Design, present: NDArray[np.bool_]) -> Ints:
    """PSUs less strata with members, for each column of ``present`` (P, q)."""
    starts = np.concatenate([[0], np.cumsum(design.sampled)[:-1]])
    strata = np.logical_or.reduceat(present, starts, axis=0)
    return np.asarray(present.sum(axis=0) - strata.sum(axis=0), dtype=np.int64)


def _bounds(
    parts: _Parts,
    people: _People,
    se: Floats | None,
    design: Design,
    first: int,
    how: tuple[str, float, bool],
) -> tuple[list[float | None], list[float | None]]:
    """Bounds (q,), None where the sample carries no interval."""
    size = parts.value.size
    low: list[float | None] = [None] * size
    high: list[float | None] = [None] * size
    if se is None or design.census:
        return low, high
    can = np.flatnonzero(parts.known & (people.df >= 1) & (people.n >= 2))
    can = can[can >= first]
    method, level, cap = how
    below, above = bounds(
        method,
        parts.value[can],
        se[can],
        people.n[can],
        people.df[can],
        spread=people.spread[can],
        level=level,
        cap=cap,
    )
    for q, a, b in zip(can.tolist(), below.tolist(), above.tolist(), strict=True):
        low[q], high[q] = a, b
    return low, high


def _shares(tally: Tally, scheme: Scheme) -> Floats:
    """Level shares (q, L); of a composite the mean of its items' with its weights."""
    level_sums = tally.sums.sum(axis=0)
    answers = level_sums.sum(axis=1)
    known = answers > 0
    items = level_sums / np.where(known, answers, 1.0)[:, None]
    weight = np.where(scheme.pooled[:, None], answers, scheme.weights)
    weight = weight * ((scheme.weights > 0) & known)
    total = weight.sum(axis=1)
    weight = weight / np.where(total > 0, total, 1.0)[:, None]
    return np.vstack([items, weight @ items])


def _figure(
    q: int,
    scheme: Scheme,
    parts: _Parts,
    people: _People,
    se: Floats | None,
    limits: tuple[float | None, float | None],
    shares: Floats,
    design: Design,
) -> Estimate:
    n_items = len(scheme.items)
    kind = "item" if q < n_items else scheme.kinds[q - n_items]
    known, value, n, df = bool(parts.known[q]), float(parts.value[q]), int(people.n[q]), 0
    error = deff = replace = neff = None
    flags: list[str] = []
    if not known:
        flags.append("no_answer")
    else:
        df = int(people.df[q])
        flags += [name for name, at in (("all", 1.0), ("none", 0.0)) if value == at]
        flags += ["incomplete"] * bool(parts.incomplete[q])
        flags += ["low_df"] * (df < LOW_DF and not design.census)
        flags += ["census"] * design.census
        if se is None:
            flags.append("no_variance")
        else:
            error = float(se[q])
            deff, replace, neff = _effects(error, n, people.weight[q], people.spread[q])
    return Estimate(
        kind=kind,
        id=scheme.names[q],
        n=n,
        value=value if known else None,
        se=error,
        low=limits[0],
        high=limits[1],
        deff=deff,
        deff_replace=replace,
        neff=neff,
        df=df,
        shares=tuple(shares.tolist()) if known else None,
        flags=tuple(flags),
    )


def _effects(
    se: float, n: int, weight: float, spread: float
) -> tuple[float | None, float | None, float | None]:
    """Design effect without and with replacement, and the effective number of persons."""
    if se <= 0 or spread <= 0 or n < 2:
        return None, None, None
    replace = float(se**2 * (n - 1) / spread)
    without = replace / (1 - n / float(weight)) if weight > n else replace
    return without, replace, float(spread / se**2)
