"""How many persons to ask: the official rule, and the one that knows villages and refusals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scipy.special import ndtri

Number = int | float | Decimal | Fraction


class BadSize(ValueError):
    """A sample size was asked for from numbers that cannot be; ``name`` is the argument."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Size:
    """``answers`` wanted, and ``issued``: persons to be asked so that as many answer."""

    answers: int
    issued: int


def slovin(population: int | None, error: Number = 0.05) -> int:
    """Persons by the official rule n = ceil(N / (1 + N e^2)); None: a population without end.

    The rule of Slovin / Yamane (1967), official for SIPAS with e = 5 % (METHOD section 4).  It
    is a 95 % half-width of ``error`` (a share) at p = 0.5 with z = 2, for a simple random
    sample: it knows neither villages (design effect) nor refusals.  See `size`.

    Raises BadSize: ``population`` below 1, ``error`` outside 0..1.
    """
    square = _between("error", error) ** 2
    if population is None:
        return math.ceil(1 / square)
    return math.ceil(population / (1 + _people(population) * square))


def size(
    half_width: Number,
    *,
    share: Number = 0.5,
    deff: Number = 1,
    population: int | None = None,
    response: Number = 1,
    level: float = 0.95,
) -> Size:
    """Persons for an interval of share ± ``half_width``.

    Parameters
    ----------
    half_width, share : shares 0..1, both ends excluded; 0.5 is the safe ``share``
    deff : design effect, > 0 (`cluster_deff`, or of the last wave)
    population : persons of the domain; None leaves out the finite population correction
    response : share of those asked who answer, 0 < response <= 1

    Notes
    -----
    Cochran (1977), 4.2 and 4.4, with the design effect of Kish (1965): n0 = z^2 deff p(1 - p) /
    e^2, n = n0 / (1 + (n0 - 1) / N), asked n / response.  All but z is exact, so that 400
    answers at 80 % are 500 forms and never 501.

    Raises
    ------
    BadSize
        An argument is out of range, or more persons must be asked than there are.
    """
    wide = _between("half_width", half_width)
    rate = _exact("response", response)
    if not 0 < rate <= 1:
        raise BadSize("response", f"lies in 0..1 and is not 0: {response}")
    first = _quantile(level) ** 2 * _spread(share, deff) / wide**2
    need = first if population is None else first / (1 + (first - 1) / _people(population))
    answers = max(1, math.ceil(need))
    issued = math.ceil(answers / rate)
    if population is not None and issued > population:
        raise BadSize("response", f"{issued} persons must be asked and there are {population}")
    return Size(answers, issued)


def precision(
    answers: int,
    *,
    share: Number = 0.5,
    deff: Number = 1,
    population: int | None = None,
    level: float = 0.95,
) -> float:
    """Half-width (a share) to expect from ``answers``; the inverse of `size`.

    z sqrt(deff p(1 - p) / n · (N - n) / (N - 1)).  n = 580 gives ± 2,98 points at deff 1 and
    ± 4,22 at deff 2 where p = 0.84 (METHOD section 4); at p = 0.5 it is ± 4,07 and ± 5,75.
    Raises BadSize as `size` does.
    """
    if answers < 1 or (population is not None and answers > population):
        raise BadSize("answers", f"lie in 1..population: {answers}")
    variance = _spread(share, deff) / answers
    if population is not None:
        left = Fraction(population - answers, population - 1) if population > 1 else Fraction(0)
        variance *= left
    return float(_quantile(level)) * math.sqrt(variance)


def cluster_deff(icc: Number, take: Number) -> float:
    """Design effect 1 + (m - 1) rho of ``take`` persons a PSU (Kish 1965, 5.4).

    ``icc`` is the intraclass correlation of the answers of one PSU, -1 / (m - 1) to 1.  It
    leaves out unequal weights and unequal takes, which add to it.
    """
    rho, persons = _exact("icc", icc), _exact("take", take)
    if persons < 1:
        raise BadSize("take", f"is at least 1: {take}")
    found = 1 + (persons - 1) * rho
    if rho > 1 or found < 0:
        raise BadSize("icc", f"lies in -1/(take - 1)..1: {icc}")
    return float(found)


def staged_deff(icc: Number, take: Number, area_icc: Number, psus: Number) -> float:
    """Design effect 1 + (m - 1) rho + (k - 1) m delta of areas drawn first, k PSUs in each.

    ``icc`` (rho) is the correlation of two answers of one PSU, ``area_icc`` (delta, 0..rho) that
    of two answers of one area and two PSUs; ``take`` (m) persons a PSU, ``psus`` (k) an area.
    From the variance of a mean over three stages (Cochran 1977, 10.8), without corrections for
    finite populations; unequal weights and takes add to it as in `cluster_deff`.
    """
    rho, delta, units = _exact("icc", icc), _exact("area_icc", area_icc), _exact("psus", psus)
    if units < 1:
        raise BadSize("psus", f"is at least 1: {psus}")
    if delta < 0 or delta > max(rho, Fraction(0)):
        raise BadSize("area_icc", f"lies in 0..icc: {area_icc}")
    inside = Fraction(repr(cluster_deff(icc, take)))
    return float(inside + (units - 1) * _exact("take", take) * delta)


def optimum_take(icc: Number, cost_ratio: Number) -> int:
    """Persons a PSU with the least variance for the money.

    ``cost_ratio`` is what one more PSU costs in interviews (travel, list, training), > 0;
    ``icc`` 0..1, both excluded.  sqrt(c1 / c2 · (1 - rho) / rho), Cochran (1977), 10.6; of the
    two whole numbers beside it the one with the smaller cost times variance.
    """
    rho, ratio = _between("icc", icc), _exact("cost_ratio", cost_ratio)
    if ratio <= 0:
        raise BadSize("cost_ratio", f"is above 0: {cost_ratio}")
    low = max(1, math.isqrt(math.floor(ratio * (1 - rho) / rho)))

    def price(take: int) -> Fraction:
        return (ratio + take) * (1 + (take - 1) * rho) / take

    return min((low, low + 1), key=price)


def _spread(share: Number, deff: Number) -> Fraction:
    p, effect = _between("share", share), _exact("deff", deff)
    if effect <= 0:
        raise BadSize("deff", f"is above 0: {deff}")
    return p * (1 - p) * effect


def _quantile(level: float) -> Fraction:
    return Fraction(float(ndtri(float((1 + _between("level", level)) / 2))))


def _people(population: int) -> int:
    if population < 1:
        raise BadSize("population", f"is at least 1: {population}")
    return population


def _between(name: str, value: Number) -> Fraction:
    exact = _exact(name, value)
    if not 0 < exact < 1:
        raise BadSize(name, f"lies between 0 and 1: {value}")
    return exact


def _exact(name: str, value: Number) -> Fraction:
    """The number as it is written: 0.05 is 1/20, not the double beside it."""
    try:
        return Fraction(repr(float(value))) if isinstance(value, float) else Fraction(value)
    except (ValueError, OverflowError) as error:
        raise BadSize(name, f"is not a number: {value}") from error
