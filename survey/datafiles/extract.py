"""An extract: the responses somebody asked for, counted, anonymised and given out row by row.

Loads ``analysis`` inside its functions only, so the application may import this module.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import shake_256
from itertools import chain
from typing import TYPE_CHECKING, Any

from forms.questionnaire import localized
from survey.datafiles import places
from survey.datafiles.layout import Layout, Record, arrived
from survey.store import Refused, datafiles, waves
from survey.text import t

if TYPE_CHECKING:
    from forms.questionnaire import Questionnaire
    from survey.datafiles.anonymity import Report
    from survey.datafiles.asking import Ask
    from survey.datafiles.variables import Variable
    from survey.store.waves import Wave


@dataclass(frozen=True, slots=True)
class Counted:
    """Responses of the wave up to ``upto``: in the database, void, of the scope and the days
    asked for, and those of them that no figure counts and no file holds."""

    upto: int
    database: int
    void: int
    elsewhere: int
    loose: int
    foreign: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Extract:
    """What goes out, made on the day ``on``.

    ``n`` rows; ``parts``: the variables of the fields of a `Record`, in their order; ``report`` of
    k-anonymity (None for internal files).
    """

    ask: Ask
    on: date
    wave: Wave
    questionnaire: Questionnaire
    rule: datafiles.Rule
    counted: Counted
    parts: tuple[tuple[Variable, ...], ...]
    margins: tuple[str, ...]
    report: Report | None
    divided: Mapping[str, str]
    _numbers: Any
    _tell: Callable[[tuple[Any, ...]], Record | None]
    _written: bool

    @property
    def n(self) -> int:
        """Rows of the file."""
        return self.counted.rows - (self.report.withheld if self.report else 0)

    @property
    def accounts(self) -> dict[str, int]:
        """Responses in the database, what is taken off them, and the rows that are left."""
        held = self.counted
        return {
            "database": held.database,
            "void": held.void,
            "not_sampled": held.loose,
            "outside_filter": held.elsewhere,
            "other_questionnaire": held.foreign,
            "withheld": self.report.withheld if self.report else 0,
            "rows": self.n,
        }

    @property
    def title(self) -> str:
        """The name of the wave, its made-up data said so."""
        return t("data.synthetic", name=self.wave.name) if self.wave.synthetic else self.wave.name

    @property
    def sampled(self) -> bool:
        """Whether the wave is a sample."""
        return self.wave.kind == "probability"

    @property
    def columns(self) -> tuple[Variable, ...]:
        """Every variable in the order of the columns."""
        return tuple(chain.from_iterable(self.parts))

    @property
    def facts(self) -> tuple[Variable, ...]:
        """The variables that stand before the answers."""
        return tuple(chain.from_iterable(self.parts[:4]))

    @property
    def coded(self) -> tuple[Variable, ...]:
        """The variables of closed answers, in which 0 is a blank."""
        return (*self.parts[4], *self.parts[5])

    def records(self, db: sqlite3.Connection) -> Iterator[Record]:
        """The rows, in an order that tells nothing about who came when."""
        numbers = map(int, self._numbers)
        for row in datafiles.rows(db, numbers, answers=self._written):
            if (found := self._tell(row)) is not None:
                yield found


def opened(
    db: sqlite3.Connection,
    ask: Ask,
    secret: bytes,
    *,
    on: date,
    upto: int = datafiles.ENDLESS,
) -> Extract:
    """Lay an extract out; call inside ``store.datafiles.snapshot``.

    Raises LookupError for no such wave, Refused ``no_data`` (409): no response to give out,
    ``data_comments`` (409): what people wrote is not allowed out at this level.
    """
    wave, rule = waves.get(db, ask.wave), datafiles.rule(db, ask.wave)
    if ask.comments and not may_write_out(rule, ask.level):
        raise Refused("data_comments", 409)
    asked = localized(wave.questionnaire, "vi", frozenset(wave.words.items()))
    tree = places.Places(db, wave.closes_on)
    counted, numbers, units = _chosen(db, ask, wave, tree, upto)
    if not counted.rows:
        raise Refused("no_data", 409, wave=wave.name)
    divided = places.divide(tree, units, ask.unit)
    layout = Layout(db, ask, wave, asked, divided, secret)
    layout.prepare(db)
    report = layout.anonymise(db, numbers, rule.k)
    if report and report.withheld == counted.rows:
        raise Refused("data_too_few", 409, k=rule.k)
    return Extract(
        ask=ask, on=on, wave=wave, questionnaire=asked, rule=rule, counted=counted,
        parts=layout.parts, margins=layout.margins, report=report, divided=divided,
        _numbers=_shuffled(numbers, secret, ask), _tell=layout.tell,
        _written=bool(layout.parts[6]),
    )  # fmt: skip


def heading(db: sqlite3.Connection, ask: Ask, secret: bytes) -> tuple[Wave, list[str]]:
    """The wave and the names of the columns, without a look at the responses.

    Raises LookupError and Refused as ``opened``, as far as can be known without counting.
    """
    wave, rule = waves.get(db, ask.wave), datafiles.rule(db, ask.wave)
    if ask.comments and not may_write_out(rule, ask.level):
        raise Refused("data_comments", 409)
    if not datafiles.some(db, wave.key):
        raise Refused("no_data", 409, wave=wave.name)
    asked = localized(wave.questionnaire, "vi", frozenset(wave.words.items()))
    parts = Layout(db, ask, wave, asked, {}, secret).parts
    return wave, [column.name for column in chain.from_iterable(parts)]


def demand(db: sqlite3.Connection, ask: Ask) -> None:
    """Refuse (409 ``no_data``) what leaves no row: a unit or days without responses."""
    wave = waves.get(db, ask.wave)
    with datafiles.snapshot(db):
        tree = places.Places(db, wave.closes_on)
        if not _chosen(db, ask, wave, tree, datafiles.ENDLESS)[0].rows:
            raise Refused("no_data", 409, wave=wave.name)


def may_write_out(rule: datafiles.Rule, level: str) -> bool:
    """Whether files of a level may hold what people wrote; public files never do."""
    order = ("", "internal", "research")
    return level in order and order.index(rule.comments) >= order.index(level)


def _chosen(
    db: sqlite3.Connection, ask: Ask, wave: Wave, tree: places.Places, upto: int
) -> tuple[Counted, Any, dict[str, int]]:
    """Who is in the file, why the others are not, and how many of each unit."""
    from array import array

    numbers = array("q")
    inside: dict[str, bool] = {}
    units: Counter[str] = Counter()
    every = void = elsewhere = loose = foreign = 0
    sampled = wave.kind == "probability"
    since = ask.since.isoformat() if ask.since else ""
    until = ask.until.isoformat() if ask.until else "9"
    dated = bool(ask.since or ask.until)
    of = {v: facts["unit"] for v, facts in datafiles.villages(db, wave.key).items()}
    for seq, state, hour, place, asked in datafiles.listed(db, wave.key, drawn=sampled, upto=upto):
        every += 1
        unit = of.get(place or "", "") if sampled else place or ""
        if unit not in inside:
            inside[unit] = not ask.unit or ask.unit in tree.path(unit)
        if state == "void":
            void += 1
        elif sampled and not unit:
            loose += 1
        elif not inside[unit] or (dated and not since <= arrived(hour) <= until):
            elsewhere += 1
        elif asked != wave.questionnaire:
            foreign += 1
        else:
            numbers.append(seq)
            units[unit] += 1
    found = Counted(
        min(upto, datafiles.last(db)), every, void, elsewhere, loose, foreign, len(numbers)
    )
    return found, numbers, units


def _shuffled(numbers: Any, secret: bytes, ask: Ask) -> Any:
    """The numbers in an order that only the secret of the instance can tell: the same each time."""
    import numpy as np

    held = np.sort(np.frombuffer(numbers, dtype=np.int64)) if numbers else np.empty(0, np.int64)
    seed = (
        b"order of rows\0"
        + secret
        + repr((ask.wave, ask.level, ask.unit, ask.since, ask.until)).encode()
    )
    keys = np.frombuffer(shake_256(seed).digest(8 * held.size), dtype=np.uint64)
    return held[np.argsort(keys, kind="stable")]
