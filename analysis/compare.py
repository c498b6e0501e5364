"""Differences: between parts of one sample, and between waves, with the error they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from analysis.design import Bools, Design, Floats, Ints, NoVariance
from analysis.estimate import LOW_DF, Estimate, Estimates
from analysis.index import Scheme
from analysis.intervals import least_variances
from analysis.ranks import ADJUST, p_values
from analysis.rounding import rounded

#: Share of common villages from which two waves count as drawn together.  Independent draws
#: meet each other as often as villages are drawn, which is below a tenth.
MIN_OVERLAP = 0.1
#: A change of the mix of channels above this is a change of method (STATISTICS, AAPOR 2013).
MODE_MIX = 0.1
#: A difference with one of these flags has no error to be tested with.
UNTESTED = {"unknown", "no_variance"}


class NotComparable(ValueError):
    """Two results that no difference can be taken of; ``what`` names what differs."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


@dataclass(frozen=True, slots=True)
class Difference:
    """The first less the second, shares 0..1; None where unknown (``flags`` says why).

    ``published`` is the difference of the values as printed, two decimals of a percent, which
    is what the Ministry prints; ``correlation`` of the two estimates.  ``mark`` is +1 or -1
    where the difference holds after adjustment over all that were taken with it, else 0.
    Flags: ``unknown``, ``census``, ``no_variance`` (none, or no degrees of freedom), ``low_df``.
    """

    kind: str
    id: str
    value: float | None
    published: float | None
    se: float | None
    low: float | None
    high: float | None
    t: float | None
    df: int
    p_value: float | None
    correlation: float | None
    mark: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences of all figures; ``flags`` hold for all: ``method_break``, ``mode_mix``.

    ``overlap`` is the share (0..1) of the smaller wave's villages that both have, None inside
    one sample; ``joint`` whether the estimates were taken as correlated.
    """

    figures: tuple[Difference, ...]
    flags: tuple[str, ...]
    overlap: float | None
    joint: bool

    def of(self, kind: str, id: str = "") -> Difference:
        """The difference of this figure; LookupError when there is none."""
        for figure in self.figures:
            if figure.kind == kind and id in ("", figure.id):
                return figure
        raise LookupError(f"no {kind} {id}")


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """A wave as it is compared: its figures, how its index was made, where it was drawn.

    ``villages`` (P,) labels of the PSUs in the order of the design, unique inside a stratum and
    the same in another wave only for the same village; ``channels`` persons (or their share)
    by channel, empty where unknown; ``series`` waves of another series are no continuation.
    """

    estimates: Estimates
    scheme: Scheme
    method: str
    villages: Sequence[Any] | NDArray[Any]
    channels: Mapping[str, float] = field(default_factory=dict)
    series: str = ""


def domains(
    first: Estimates, second: Estimates, *, level: float = 0.95, adjust: str = "holm"
) -> Differences:
    """Differences of all figures between two domains of one sample, as women less men.

    Raises NotComparable when the domains are of different samples or hold other figures.

    Notes
    -----
    Var(a - b) from z_a - z_b over the same list of PSUs, so what the domains share is counted
    (Woodruff 1971; Lumley 2010, ch. 2; R: ``svycontrast`` of ``svyby(covmat = TRUE)``).  df are
    those of the two domains together: R takes those of the whole design, which is more where
    the domains are small.  A figure of 0 or 100 % takes the error behind its interval.
    """
    if first.design is not second.design:
        raise NotComparable("design", "the domains are of different samples")
    _same_figures(first, second)
    pairs = list(zip(first.figures, second.figures, strict=True))
    design, present = first.design, first.present | second.present
    own, other, apart = (
        _variances(design, z, present) for z in (first.z, second.z, first.z - second.z)
    )
    df = design.df(present) - _missing(pairs, (first, second))
    error = _Error(own, other, (own + other - apart) / 2, df)
    return Differences(_differences(pairs, error, level, adjust), (), None, True)


def waves(now: Wave, before: Wave, *, level: float = 0.95, adjust: str = "holm") -> Differences:
    """Changes of all figures from one wave to a later one.

    The villages decide how: from ``MIN_OVERLAP`` in common on, both waves are one sample of
    the joined list of villages and their covariance is taken from the common ones; else they
    are independent.  ``channels`` and ``series`` become flags, never a correction.  Raises
    NotComparable on other items, composites or weights, another index method, double labels.

    Notes
    -----
    Same villages: one design with the wave as a domain (Lumley 2010; R gives the same to 1e-10
    when all villages are common), df of the joined list.  Some in common: deviations from each
    wave's own stratum mean, multiplied over the common villages, so villages that came or went
    add nothing to the covariance (Kish 1965, ch. 12.4).  None: V1 + V2 with df by Satterthwaite
    (1946).
    """
    return _changes(now, before, ((now.estimates, before.estimates),), (level, adjust))


def units(
    now: Wave,
    before: Wave,
    pairs: Sequence[tuple[Estimates, Estimates]],
    kind: str,
    id: str = "",
    *,
    level: float = 0.95,
    adjust: str = "holm",
) -> tuple[Difference, ...]:
    """Change of one figure in many units at once, in the order given.

    ``pairs`` are a unit's estimates in both waves; marks are adjusted over the units.
    Raises NotComparable as ``waves``, and when estimates are not of the two waves' samples;
    LookupError when there is no such figure.
    """
    for one, other in pairs:
        if one.design is not now.estimates.design or other.design is not before.estimates.design:
            raise NotComparable("design", "the units' estimates are of other samples")
    at = now.estimates.at(kind, id)
    if not pairs:
        return ()
    return _changes(now, before, pairs, (level, adjust), at).figures


def mode_mix_change(now: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Share of answers (0..1) that came by another channel than the wave before.

    Half the sum of the absolute changes of the channels' shares.  Raises NotComparable when a
    wave has no answers or a negative number.
    """
    mixes = (now, before)
    if any(min(mix.values(), default=0) < 0 or not sum(mix.values()) > 0 for mix in mixes):
        raise NotComparable("channels", "the channels of a wave have no shares")
    one, other = (
        {channel: part / sum(mix.values()) for channel, part in mix.items()} for mix in mixes
    )
    return sum(abs(one.get(c, 0) - other.get(c, 0)) for c in sorted(one.keys() | other.keys())) / 2


def published(value: float, other: float) -> float:
    """Difference of two shares as printed, each rounded half up to 0,01 % first (METHOD 3)."""
    return float(rounded(value, 4) - rounded(other, 4))


@dataclass(frozen=True, slots=True, eq=False)
class _Error:
    """Variances (m,) of both estimates, their covariance, and degrees of freedom."""

    first: Floats
    second: Floats
    shared: Floats
    df: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Common:
    """PSUs of two designs that are the same village: indices (c,) in each."""

    first: Ints
    second: Ints
    share: float


def _changes(
    now: Wave,
    before: Wave,
    pairs: Sequence[tuple[Estimates, Estimates]],
    how: tuple[float, str],
    at: int | None = None,
) -> Differences:
    """Changes of all figures, or of figure ``at``, of each pair of estimates."""
    _same_index(now, before)
    common = _common(now, before)
    joint = common.share >= MIN_OVERLAP
    of = slice(None) if at is None else slice(at, at + 1)
    figures: list[tuple[Estimate, Estimate]] = []
    errors = []
    for one, other in pairs:
        _same_figures(one, other)
        here = list(zip(one.figures[of], other.figures[of], strict=True))
        errors.append(_error(one, other, here, of, common if joint else None))
        figures += here
    columns = ("first", "second", "shared", "df")
    error = _Error(*(np.concatenate([getattr(e, name) for e in errors]) for name in columns))
    found = _differences(figures, error, *how)
    return Differences(found, _breaks(now, before), common.share, joint)


def _breaks(now: Wave, before: Wave) -> tuple[str, ...]:
    flags = ("method_break",) * (now.series != before.series)
    if now.channels and before.channels:
        moved = round(mode_mix_change(now.channels, before.channels), 9)
        flags += ("mode_mix",) * (moved > MODE_MIX)
    return flags


def _same_index(now: Wave, before: Wave) -> None:
    if now.method != before.method:
        raise NotComparable("method", f"index {now.method} against {before.method}")
    one, other = now.scheme, before.scheme
    if one.names != other.names or one.kinds != other.kinds:
        raise NotComparable("items", "the waves have other items or composites")
    if not (np.array_equal(one.pooled, other.pooled) and np.allclose(one.weights, other.weights)):
        raise NotComparable("weights", "the composites are made with other weights")


def _same_figures(first: Estimates, second: Estimates) -> None:
    names = [[(figure.kind, figure.id) for figure in e.figures] for e in (first, second)]
    if names[0] != names[1]:
        raise NotComparable("items", "the estimates hold other figures")


def _common(now: Wave, before: Wave) -> _Common:
    """Villages of the same name in the stratum of the same name."""
    places = []
    for wave in (now, before):
        design = wave.estimates.design
        labels = [design.labels[h] for h in design.stratum]
        place = {key: i for i, key in enumerate(zip(labels, wave.villages, strict=True))}
        if len(place) < design.n_psu:
            raise NotComparable("villages", "two PSUs of a stratum have the same label")
        places.append(place)
    keys = [key for key in places[0] if key in places[1]]
    first, second = (np.array([place[key] for key in keys], dtype=np.int64) for place in places)
    return _Common(first, second, len(keys) / min(len(place) for place in places))


def _error(
    one: Estimates,
    other: Estimates,
    figures: Sequence[tuple[Estimate, Estimate]],
    of: slice,
    common: _Common | None,
) -> _Error:
    """Variances and covariance of the figures ``of`` one domain in two waves."""
    first = _variances(one.design, one.z[:, of], one.present)
    second = _variances(other.design, other.z[:, of], other.present)
    if common is None:
        return _Error(first, second, np.zeros_like(first), _satterthwaite(first, second, figures))
    mine = _deviations(one.design, one.z[:, of])
    theirs = _deviations(other.design, other.z[:, of])
    # Through the correlation, so that the rule for lonely strata is that of the variances.
    products = (mine[common.first] * theirs[common.second]).sum(axis=0)
    norms = np.sqrt((mine**2).sum(axis=0) * (theirs**2).sum(axis=0))
    correlation = products / np.where(norms > 0, norms, 1.0)
    df = _joined_df(one, other, common) - _missing(figures, (one, other))
    return _Error(first, second, correlation * np.sqrt(first * second), df)


def _variances(design: Design, z: Floats, present: Bools) -> Floats:
    """Variances (m,); 0 where the sample has none, which the figures themselves say."""
    try:
        return design.variances(z, present)
    except NoVariance:
        return np.zeros(z.shape[1])


def _deviations(design: Design, z: Floats) -> Floats:
    """Deviations (P, m) from the stratum mean on the scale of the variance; lonely from 0."""
    size = np.where(design.sampled > 1, design.sampled, 1)
    starts = np.concatenate([[0], np.cumsum(design.sampled)[:-1]])
    mean = np.add.reduceat(z, starts, axis=0) / size[:, None]
    mean[design.sampled == 1] = 0.0
    scaled = (z - mean[design.stratum]) * np.sqrt(design.factors())[design.stratum, None]
    return np.asarray(scaled, dtype=np.float64)


def _joined_df(one: Estimates, other: Estimates, common: _Common) -> Ints:
    """Villages of either wave less strata; a stratum without common villages counts twice."""
    both = one.present[common.first] & other.present[common.second]
    seen = int(one.present.sum()) + int(other.present.sum()) - int(both.sum())
    strata = [np.unique(e.design.stratum[e.present]).size for e in (one, other)]
    once = np.unique(one.design.stratum[common.first[both]]).size
    return np.array(seen - sum(strata) + once, dtype=np.int64)


def _missing(pairs: Sequence[tuple[Estimate, Estimate]], of: tuple[Estimates, Estimates]) -> Ints:
    """Degrees of freedom (m,) that a figure lacks because nobody answered it somewhere."""
    whole = [e.design.df(e.present) for e in of]
    lacking = [max(whole[0] - a.df, whole[1] - b.df) for a, b in pairs]
    return np.array(lacking, dtype=np.int64)


def _satterthwaite(
    first: Floats, second: Floats, figures: Sequence[tuple[Estimate, Estimate]]
) -> Ints:
    """Degrees of freedom (m,) of a sum of two independent variances, rounded down."""
    df = np.array([[max(0, f.df) for f in pair] for pair in figures], dtype=np.float64)
    safe = np.maximum(df, 1)
    parts = first**2 / safe[:, 0] + second**2 / safe[:, 1]
    found = np.where(parts > 0, (first + second) ** 2 / np.where(parts > 0, parts, 1.0), df.min(1))
    whole = np.floor(np.where((df < 1).any(axis=1), 0, found) + 1e-9)
    return np.asarray(whole, dtype=np.int64)


def _differences(
    pairs: Sequence[tuple[Estimate, Estimate]], error: _Error, level: float, adjust: str
) -> tuple[Difference, ...]:
    """One difference a pair; marks are adjusted over all that can be tested."""
    values = np.array([[figure.value or 0.0 for figure in pair] for pair in pairs])
    apart = np.round(values[:, 0] - values[:, 1], 15)
    first = np.maximum(error.first, least_variances([a for a, _ in pairs], level))
    second = np.maximum(error.second, least_variances([b for _, b in pairs], level))
    variance = first + second - 2 * error.shared
    se = np.sqrt(np.where(variance > 1e-13 * (first + second), variance, 0.0))
    both = np.sqrt(first * second)
    correlation = error.shared / np.where(both > 0, both, 1.0)
    flags = [_flags(a, b, df) for (a, b), df in zip(pairs, error.df.tolist(), strict=True)]
    can = np.array([bool(have.isdisjoint(UNTESTED)) for have in map(set, flags)])
    p, adjusted = np.ones(apart.size), np.ones(apart.size)
    p[can] = p_values(apart[can], se[can], np.maximum(error.df[can], 1))
    adjusted[can] = ADJUST[adjust](p[can])
    reach = stdtrit(np.maximum(error.df, 1), (1 + level) / 2) * se
    found = []
    for q, (a, _) in enumerate(pairs):
        value = None if "unknown" in flags[q] else float(apart[q])
        around = can[q] and se[q] > 0
        found.append(
            Difference(
                kind=a.kind,
                id=a.id,
                value=value,
                published=None if value is None else published(*values[q]),
                se=float(se[q]) if can[q] else None,
                low=max(-1.0, float(apart[q] - reach[q])) if around else None,
                high=min(1.0, float(apart[q] + reach[q])) if around else None,
                t=float(apart[q] / se[q]) if around else None,
                df=max(0, int(error.df[q])),
                p_value=float(p[q]) if can[q] else None,
                correlation=float(correlation[q]) if can[q] and both[q] > 0 else None,
                mark=int(np.sign(apart[q])) if adjusted[q] < 1 - level else 0,
                flags=flags[q],
            )
        )
    return tuple(found)


def _flags(first: Estimate, second: Estimate, df: int) -> tuple[str, ...]:
    if None in (first.value, second.value):
        return ("unknown",)
    census = "census" in first.flags and "census" in second.flags
    unsure = None in (first.se, second.se) or (df < 1 and not census)
    few = df < LOW_DF and not census
    return ("census",) * census + ("no_variance",) * unsure + ("low_df",) * few
