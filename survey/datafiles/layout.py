"""What becomes of a stored response in a file: which facts stay, which answers are grouped."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from survey.datafiles import anonymity, places, variables
from survey.store import datafiles
from survey.store.clock import day, moment

if TYPE_CHECKING:
    from forms.questionnaire import Questionnaire
    from survey.datafiles.anonymity import Key, Report
    from survey.datafiles.asking import Ask
    from survey.datafiles.variables import Variable
    from survey.store.waves import Wave

#: Facts of a row by level; the others do not leave the house.  Never an id, a receipt, a time.
FACTS: Mapping[str, tuple[str, ...]] = {
    "internal": (
        "wave", "channel", "state", "flags", "received", "receiving_unit", "resolving_unit",
        "counter", "service", "language", "assisted_by",
    ),
    "research": (
        "wave", "channel", "state", "received", "receiving_unit", "resolving_unit", "service",
        "language", "assisted_by",
    ),
    "public": ("wave", "channel", "state", "received"),
}  # fmt: skip
#: The place of a sampled response; ``stratum`` and ``psu`` are numbers but inside the office.
DESIGN: Mapping[str, tuple[str, ...]] = {
    "internal": ("unit", "part", "area", "stratum", "psu", "village"),
    "research": ("unit", "part", "area", "stratum", "psu"),
    "public": ("part", "area", "stratum", "psu"),
}
WEIGHTS = ("fpc", "base", "start", "weight")
#: PSUs of a stratum's population where nobody knows them: so many that nothing is corrected.
ENDLESS = 1e15
#: Characters of "received": a day, a month, a year.
FINE = {"internal": 10, "research": 7, "public": 4}
#: Different raw facts kept with what they become.
KEPT = 50_000


class Record(NamedTuple):
    """One response: how it came, its place in the design, its weights, the labels of its margins
    (together the facts), codes about the person and all other codes (0 blank), open answers."""

    came: tuple[Any, ...]
    place: tuple[Any, ...]
    weights: tuple[Any, ...]
    margins: tuple[str, ...]
    person: bytes
    codes: bytes
    open: tuple[Any, ...]

    @property
    def values(self) -> tuple[Any, ...]:
        """Every cell in the order of the columns; blank codes are 0."""
        facts = (*self.came, *self.place, *self.weights, *self.margins)
        return (*facts, *self.person, *self.codes, *self.open)


@cache
def arrived(hour: str) -> str:
    """The day in Vietnam of an hour "2026-11-22T09" in UTC."""
    return day(moment(f"{hour}:00:00+00:00")).isoformat()


class Layout:
    """The variables of a file, and the way from a row of the store to a row of the file."""

    def __init__(
        self, db: sqlite3.Connection, ask: Ask, wave: Wave, q: Questionnaire,
        divided: Mapping[str, str], secret: bytes,
    ) -> None:  # fmt: skip
        self.sampled, self.level, self._wave = wave.kind == "probability", ask.level, wave.key
        self._divided, self._secret = divided, secret
        came = FACTS[self.level]
        if self.public and not self.sampled:
            came = (*came, "part")
        drawn = (DESIGN[self.level], WEIGHTS) if self.sampled else ((), ())
        self._names = came, *drawn
        self.margins = places.margins(db, wave.key) if self.sampled and not self.public else ()
        facts = (
            tuple(variables.fact(name) for name in self._names[0]),
            tuple(variables.fact(name) for name in self._names[1]),
            tuple(variables.fact(name, "weight") for name in self._names[2]),
            tuple(
                variables.Variable(name, places.margin_label(name, q), "text")
                for name in self.margins
            ),
        )
        #: The variables of a record's fields, in their order.
        self.parts: tuple[tuple[Variable, ...], ...] = (*facts, *self._answers(q, ask))
        self._came: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._getters = [self._getter(name) for name in self._names[0]]
        self._plan: anonymity.Plan | None = None

    def prepare(self, db: sqlite3.Connection) -> None:
        """Learn the places of the sample: wanted for rows, not for the heading."""
        self._villages = datafiles.villages(db, self._wave) if self.sampled else {}
        known = any(facts["fpc"] for facts in self._villages.values())
        self._fpc = {
            village: (facts["fpc"] or ENDLESS) if known else None
            for village, facts in self._villages.items()
        }
        self._places = {v: self._place(facts) for v, facts in self._drawn().items()}

    @property
    def public(self) -> bool:
        """Whether anybody may have the file."""
        return self.level == "public"

    def _answers(self, q: Questionnaire, ask: Ask) -> tuple[tuple[Variable, ...], ...]:
        every = variables.answers(q)
        personal = [id for id in variables.personal(q) if id in every]
        pairs = [
            variables.coarsened(every[id]) if self.public else (every[id], {}) for id in personal
        ]
        self._groups = [codes for _, codes in pairs]
        codes = tuple(v for id, v in every.items() if id not in personal)
        at = {id: n for n, id in enumerate(every)}
        self._about = _cut([at[id] for id in personal])
        self._codes = _cut([at[v.name] for v in codes])
        texts = variables.texts(q) if ask.comments and not self.public else []
        opened = (*(() if self.public else variables.numbers(q)), *texts)
        self._opened = [v.name for v in opened]
        return tuple(v for v, _ in pairs), codes, opened

    def _getter(self, name: str) -> Callable[[tuple[Any, ...]], Any]:
        place = {fact: n for n, fact in enumerate(datafiles.CAME)}
        fine, wave, at = FINE[self.level], self._wave, place.get(name, 0)
        match name:
            case "wave":
                return lambda _: wave
            case "received":
                return lambda raw: arrived(raw[place["hour"]])[:fine]
            case "flags":
                return lambda raw: " ".join(json.loads(raw[at]))
            case "part":
                unit, divided = place["receiving_unit"], self._divided
                return lambda raw: divided.get(raw[unit], raw[unit])
            case _:
                return lambda raw: raw[at]

    def _drawn(self) -> dict[str, dict[str, Any]]:
        """The villages of the sample; outside the office strata and PSUs have numbers."""
        if self.level == "internal":
            return self._villages
        hidden = {
            name: places.numbered({v[name] for v in self._villages.values()}, self._secret,
                                  f"{self._wave}\n{name}")
            for name in ("stratum", "psu")
        }  # fmt: skip
        return {
            village: facts | {name: hidden[name][facts[name]] for name in hidden}
            for village, facts in self._villages.items()
        }

    def _place(self, facts: Mapping[str, Any]) -> tuple[Any, ...]:
        known = {**facts, "part": self._divided.get(facts["unit"], facts["unit"])}
        return tuple(known[name] for name in self._names[1])

    def _arrived(self, raw: tuple[Any, ...]) -> tuple[Any, ...]:
        """How a response came; those that came alike share it."""
        if len(self._came) >= KEPT:
            self._came.clear()
        self._came[raw] = came = tuple([get(raw) for get in self._getters])
        return came

    def tell(self, row: tuple[Any, ...]) -> Record | None:
        """What the file tells of a row, None where it leaves it out."""
        packed: bytes = row[0]
        raw = row[2:12]
        came = self._came.get(raw) or self._arrived(raw)
        person = self._person(packed)
        place: tuple[Any, ...] = ()
        weights: tuple[Any, ...] = ()
        margins: tuple[str, ...] = ()
        opened: tuple[Any, ...] = ()
        if self.sampled:
            village = row[12]
            place, weights = self._places[village], (self._fpc[village], *row[13:16])
        if self._plan is not None:
            shown = self._plan.told[self._key(came, place, person)]
            if shown is None:
                return None
            came, person = self._shown(came, shown)
        if self.margins:
            margins = _margins(row[16], len(self.margins))
        if self._opened:
            given = json.loads(row[1])
            opened = tuple([given.get(name) for name in self._opened])
        return Record(came, place, weights, margins, person, self._codes(packed), opened)

    def _person(self, packed: bytes) -> bytes:
        """The codes about the person, grouped in public files."""
        found = self._about(packed)
        if not self.public:
            return found
        pairs = zip(found, self._groups, strict=True)
        return bytes([codes.get(code, code) for code, codes in pairs])

    def anonymise(self, db: sqlite3.Connection, numbers: Any, k: int) -> Report | None:
        """Count who shares what; public files get a plan that blanks, research files a check."""
        if self.level == "internal":
            return None
        counts: Counter[Key] = Counter()
        for row in datafiles.rows(db, numbers, answers=False):
            raw = row[2:12]
            came = self._came.get(raw) or self._arrived(raw)
            place = self._places[row[12]] if self.sampled else ()
            counts[self._key(came, place, self._person(row[0]))] += 1
        if not self.public:
            return anonymity.check(counts, k)
        names = [*self._known_of, *(v.name for v in self.parts[4])]
        self._plan = anonymity.plan(counts, names, k, fixed=2 if self.sampled else 0)
        return self._plan.report

    @property
    def _known_of(self) -> tuple[str, ...]:
        """Facts that somebody may know of a person."""
        if self.sampled:
            return ("part" if self.public else "unit", "area")
        return ("part" if self.public else "receiving_unit",)

    def _key(self, came: tuple[Any, ...], place: tuple[Any, ...], person: bytes) -> Key:
        if self.sampled:
            names = self._names[1]
            return (*(place[names.index(name)] for name in self._known_of), *person)
        if self.public:
            return (came[-1], *person)
        return (came[self._names[0].index("receiving_unit")], *person)

    def _shown(self, came: tuple[Any, ...], shown: Key) -> tuple[tuple[Any, ...], bytes]:
        codes: Any = shown[len(self._known_of) :]
        if not self.sampled:
            came = (*came[:-1], shown[0])
        return came, bytes(codes)


def _margins(cell: str | None, n: int) -> tuple[str, ...]:
    """Labels of the margins of a case, blank where it has none yet."""
    found = cell.split(places.BETWEEN) if cell else []
    return tuple([*found, *[""] * n][:n])


def _cut(places: list[int]) -> Callable[[bytes], bytes]:
    """What takes the bytes at these places out of a row: runs of neighbours at once."""
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    if len(runs) == 1:
        return itemgetter(slice(*runs[0]))
    return lambda packed: b"".join([packed[a:b] for a, b in runs])
