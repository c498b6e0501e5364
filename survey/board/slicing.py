"""The tables of a wave cut into parts: names, marks, coverage and bounds, all printed.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.bounds import hidden_parts, response_bounds
from analysis.report import numbers
from analysis.report.numbers import NONE, num, pct, share, short_day, span
from analysis.slices import Slice, Slices
from survey import db
from survey.board import charts, settled, tables
from survey.board.period import Period
from survey.store import doors, units
from survey.text import clock as time_of
from survey.text import t
from survey.tree import Tree

if TYPE_CHECKING:
    from datetime import datetime

    from survey.store.settled import Cell
    from survey.store.waves import Wave

#: No period: all of a wave.
WHOLE = Period()
#: Parts shown on one page; where there are more, those with most answers.
MOST = 300


@dataclass(frozen=True, slots=True)
class Reach:
    """How many settled dossiers there were, and how many opinions (or answers) came to them.

    ``low`` and ``high``: the worst-case bounds, shares 0..1; None where they are not known.
    """

    settled: int
    answered: int | None
    rate: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Base:
    """What coverage is measured against: ``kind`` "dossiers" (opinions given through the dossier's
    own address), "visits" (all answers against dossiers), "wave" (the number the wave says) or
    "" where nothing is known.  ``at`` is when dossiers were counted.
    """

    kind: str
    whole: Reach | None = None
    parts: Mapping[str, Reach] | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One part: printed index, its doubt, its mark, its five answers, its base and coverage."""

    key: str
    name: str
    unit: str
    sum: bool
    value: str
    span: str
    plot: Markup
    bar: Markup
    shares: tuple[str, ...]
    n: str
    coverage: str
    settled: str


def page(found: Slices, wave: Wave, chosen: Period) -> dict[str, object]:
    """Return all that the page of parts prints."""
    base = measure(found, wave, chosen)
    total = found.total
    scale = tables.scale_of(found, [part.total for part in found.parts])
    name = names(found, wave)
    shown = sorted(found.parts, key=lambda part: -part.total.n)[:MOST]
    kept = {part.key for part in shown}
    rows = [_row(found, part, name, scale, base) for part in found.parts if part.key in kept]
    if found.by in ("unit", "counter"):
        rows.sort(key=lambda row: units.name_key(row.name))
    elif found.by != "time":
        place = {part.key: at for at, part in enumerate(shown)}
        rows.sort(key=lambda row: place[row.key])
    factors, factor_scale = tables.indexes(found)
    interval = found.design is not None
    return {
        "found": found,
        "total": total,
        "bar": charts.bar(total.shares) if total.shares else "",
        "shares": [share(s, 1) for s in total.shares or ()],
        "interval": interval,
        "decimals": tables.decimals(found),
        "rows": rows,
        "more": len(found.parts) - len(rows),
        "axis": scale,
        "caption": _caption(found, base, scale, rows),
        "factors": factors,
        "factor_axis": factor_scale,
        "factor_caption": tables.caption(found, factor_scale, factors),
        "levels": tables.levels(found),
        "index_name": t(f"staff.index_{found.wave.index}_{len(tables.levels(found))}"),
        "level": num(100 * found.wave.level, 0),
        "questions": tables.questions(found) if found.by == "unit" else [],
        "numbers": numbers,
        "charts": charts,
    } | covered(base)


def reach(settled: int, answered: int | None, value: float | None) -> Reach:
    """Return the coverage of dossiers and what it leaves open of a share."""
    if not settled or answered is None or answered > settled:
        return Reach(settled, answered)
    rate = answered / settled
    if value is None:
        return Reach(settled, answered, rate)
    return Reach(settled, answered, rate, *response_bounds(value, rate))


def covered(base: Base) -> dict[str, object]:
    """Return what the card of coverage prints."""
    return {"base": base, "counted_at": time_of(base.at) if base.at else ""}


def measure(found: tables.Told, wave: Wave, chosen: Period | None = None) -> Base:
    """Return the coverage of a period, whole and by part, against the best base there is."""
    if found.design is not None or wave.kind == "probability":
        return Base("")
    chosen = chosen or WHOLE
    parts, by = (found.parts, found.by) if isinstance(found, Slices) else ((), "")
    since, until = chosen.since or wave.opens_on, chosen.until or wave.closes_on
    counted = settled.counted(since, until) if settled.known() else None
    tree = Tree()
    cells = _taking(counted.cells, wave, found.scope, tree) if counted else []
    linked = any(cell.wave == wave.key for cell in cells)
    declared = wave.settled if not found.scope and not chosen.key else None
    visits = sum(found.channels.values())
    if (
        counted is None
        or not cells
        or (not linked and declared and visits > sum(c.n for c in cells))
    ):
        if declared:
            return Base("wave", reach(declared, visits, found.total.value))
        return Base("")
    labels = _labels(by, {part.key for part in parts}, tree)
    all_of, with_opinion = Counter[str](), Counter[str]()
    for cell in cells:
        for label in ("", labels(cell.unit, cell.service, cell.month)):
            all_of[label] += cell.n
            with_opinion[label] += cell.n if cell.wave == wave.key else 0
    hide_n = found.wave.hide_n
    names = sorted({part.key for part in parts} | (all_of.keys() - {""}))
    small = hidden_parts([with_opinion[name] for name in names], hide_n=hide_n) if linked else ()
    hidden = {names[at] for at in small}
    each = {}
    for part in parts:
        own = with_opinion[part.key] if linked else part.total.n
        if part.total.value is None or part.key in hidden:
            each[part.key] = Reach(all_of[part.key], None)
        else:
            each[part.key] = reach(all_of[part.key], own, part.total.value)
    if not any(one.settled for one in each.values()):
        each = {}
    own = with_opinion[""] if linked else visits
    if linked and own < hide_n:
        return Base("dossiers", Reach(all_of[""], None), each, counted.at)
    whole = reach(all_of[""], own, found.total.value)
    return Base("dossiers" if linked else "visits", whole, each, counted.at)


def _taking(cells: Sequence[Cell], wave: Wave, scope: str, tree: Tree) -> list[Cell]:
    """The dossiers of units that take part in a wave, in a scope: those with a door of the wave,
    or an opinion in it, and the units under and above these."""
    units_of = {door.unit for door in doors.of_wave(db.get(), wave.key)}
    units_of |= {cell.unit for cell in cells if cell.wave == wave.key}
    above = {id for unit in units_of for id in tree.path(unit)}
    return [
        cell
        for cell in cells
        if tree.inside(cell.unit, scope)
        and (cell.unit in above or not units_of.isdisjoint(tree.path(cell.unit)))
    ]


def _labels(by: str, keys: set[str], tree: Tree) -> Callable[[str, str, str], str]:
    """Return how a dossier's unit, service and month name the part it belongs to."""

    def label(unit: str, service: str, month: str) -> str:
        if by == "unit":
            return next((id for id in tree.path(unit) if id in keys), "-")
        return {"service": service, "time": month}.get(by, "-")

    return label


def names(found: Slices, wave: Wave) -> Callable[[str], tuple[str, str]]:
    """Return how a part is called, and the unit its name leads to ("" for none)."""
    if found.by == "unit":
        return lambda key: (_title(key), key)
    if found.by == "channel":
        return lambda key: (t(f"staff.channel_{key}"), "")
    if found.by == "time":
        return lambda key: (_time(key), "")
    if found.by == "service":
        return lambda key: (key, "")
    called = {f"{d.unit}|{d.counter or ''}": d.label for d in doors.of_wave(db.get(), wave.key)}
    titles: dict[str, str] = {}

    def counter(key: str) -> tuple[str, str]:
        unit, _, number = key.partition("|")
        if label := called.get(key):
            return label, ""
        if unit not in titles:
            titles[unit] = _title(unit)
        said = t("board.counter", name=number) if number else t("board.no_counter")
        return f"{titles[unit]} · {said}", ""

    return counter


def _time(key: str) -> str:
    if len(key) == len("2026-09"):
        return f"{key[5:]}/{key[:4]}"
    on = date.fromisoformat(key)
    return f"{t(f'board.weekday_{on.isoweekday()}')} {short_day(on)}"


def _row(
    found: Slices,
    part: Slice,
    name: Callable[[str], tuple[str, str]],
    scale: charts.Axis,
    base: Base,
) -> Row:
    total = part.total
    row = tables.row(found, total, scale)
    title, unit = name(part.key)
    own = (base.parts or {}).get(part.key)
    known = own is not None and own.low is not None
    plot = row.plot
    if own is not None and own.low is not None and own.high is not None and total.value is not None:
        plot = charts.bounds(own.low, own.high, total.value)
    return Row(
        key=part.key,
        name=title,
        unit=unit,
        sum=False,
        value=row.value,
        span=row.span if found.design else (span(own.low, own.high, 1) if own and known else NONE),
        plot=plot,
        bar=row.bar,
        shares=row.shares,
        n=row.n,
        coverage=share(own.rate, 1) if own else NONE,
        settled=num(own.settled, 0) if own else NONE,
    )


def _caption(found: Slices, base: Base, scale: charts.Axis, rows: list[Row]) -> str:
    said = [t("staff.cap_interval" if found.design else "staff.cap_dot")]
    if base.parts and any(row.coverage != NONE for row in rows):
        said.append(t("board.cap_bounds"))
    said.append(t("staff.cap_whole", whole=pct(found.total.value, tables.decimals(found))))
    if any("○" in row.n for row in rows):
        said.append(t("staff.cap_few", n=found.wave.min_n))
    if any(row.value == NONE for row in rows):
        said.append(t("board.cap_hidden", n=found.wave.hide_n))
    said.append(t("staff.cap_axis" if scale.cut else "staff.cap_full", low=scale.low,
                  high=scale.high))  # fmt: skip
    return " ".join(said)


def _title(unit: str) -> str:
    name = units.name(db.get(), unit)
    return name[:1].upper() + name[1:]
