"""The forms of a wave counted for print: issued, returned, valid, response rates, substitutes.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.report.numbers import NONE, share
from analysis.weights.nonresponse import Outcomes
from survey.board import charts
from survey.store.progress import VALID
from survey.text import thousands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from markupsafe import Markup

    from survey.store.progress import Line

#: Final dispositions in the order in which they are printed.
DISPOSITIONS = ("complete", "waiting", "refused", "no_contact", "other", "unknown", "ineligible")
#: Decimals of a rate of forms.
DECIMALS = 1


@dataclass(slots=True)
class Account:
    """What became of the cases that share a name in a table.

    ``places`` of the drawn sample; ``outcomes`` of the households first drawn, substitutes left
    out, and of all that were ``tried``; ``substitutes`` taken and how many of them are valid.
    """

    name: str
    unit: str = ""
    places: int = 0
    issued: int = 0
    returned: int = 0
    valid: int = 0
    substitutes: int = 0
    substitutes_valid: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)

    def add(self, line: Line) -> None:
        """Count the cases of a line."""
        self.issued += line.n * line.issued
        self.returned += line.n * line.returned
        self.valid += line.n * (line.state in VALID)
        self.tried[line.disposition] += line.n
        if line.substitute:
            self.substitutes += line.n
            self.substitutes_valid += line.n * (line.state in VALID)
        else:
            self.places += line.n
            self.outcomes[line.disposition] += line.n

    def rates(self) -> tuple[float, float] | None:
        """Return response rates 1 and 3 of AAPOR, None while nobody could have answered.

        Of the households first drawn only: a substitute is no answer of the one it stands for.
        """
        return _rates(self.outcomes)

    def rates_tried(self) -> tuple[float, float] | None:
        """Return the same of every household that was tried, substitutes among them."""
        return _rates(self.tried)


def _rates(outcomes: Counter[str]) -> tuple[float, float] | None:
    """Rates 1 and 3; a form back but not settled is of a known household, not complete yet."""
    met = {name: outcomes[name] for name in DISPOSITIONS if name != "waiting"}
    met["other"] += outcomes["waiting"]
    if not sum(met.values()) - met["ineligible"]:
        return None
    found = Outcomes(**met)
    known = found.known + found.eligible_share * found.unknown
    return found.rr1, found.rr3() if known else found.rr1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table as it is printed."""

    name: str
    unit: str
    sum: bool
    places: str
    issued: str
    returned: str
    valid: str
    share: str
    rr1: str
    rr3: str
    substitutes: str
    bar: Markup | str


def grouped(lines: Iterable[Line], key: Callable[[Line], tuple[str, str, str]]) -> list[Account]:
    """Sum lines by a key: what they are counted by, its name, the unit that the name leads to."""
    found: dict[str, Account] = {}
    for line in lines:
        id, name, unit = key(line)
        found.setdefault(id, Account(name, unit)).add(line)
    return list(found.values())


def row(account: Account, *, sum: bool = False) -> Row:
    """Print one account; places of the sample are the base of its bar."""
    rates, base = account.rates(), account.places
    return Row(
        name=account.name,
        unit=account.unit,
        sum=sum,
        places=thousands(base),
        issued=thousands(account.issued),
        returned=thousands(account.returned),
        valid=thousands(account.valid),
        share=share(account.valid / base, DECIMALS) if base else NONE,
        rr1=share(rates[0], DECIMALS) if rates else NONE,
        rr3=share(rates[1], DECIMALS) if rates else NONE,
        substitutes=thousands(account.substitutes),
        bar=charts.filled(account.valid / base, account.returned / base) if base else "",
    )


def dispositions(account: Account) -> list[tuple[str, str, str, Markup]]:
    """Return the outcomes of the households first drawn: name, count, percent, bar."""
    return [
        (name, thousands(n), share(n / account.places, DECIMALS), charts.length(n / account.places))
        for name in DISPOSITIONS
        if account.places and ((n := account.outcomes[name]) or name in ("complete", "unknown"))
    ]
