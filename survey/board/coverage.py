"""The page of coverage: how many settled dossiers had an opinion, where, when and how late."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from survey import db, guard
from survey.board import charts, settled
from survey.data import COUNTRY
from survey.store import clock, units, waves
from survey.store import dossiers as store
from survey.text import clock as clock_of
from survey.text import t, thousands
from survey.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from markupsafe import Markup

    from survey.store.settled import Cell

bp = Blueprint("coverage", __name__)

#: Services shown one by one; the others are one row.
SERVICES = 20
#: Fewer opinions than this are not published.
HIDE_N = 5


@dataclass(frozen=True, slots=True)
class Period:
    """A year, or one of its quarters (``quarter`` 0 = the whole year)."""

    year: int
    quarter: int

    @property
    def since(self) -> date:
        """Return its first day."""
        return date(self.year, 3 * max(self.quarter, 1) - 2, 1)

    @property
    def until(self) -> date:
        """Return its last day."""
        last = 3 * self.quarter if self.quarter else 12
        return date(self.year + last // 12, last % 12 + 1, 1) - timedelta(days=1)

    @property
    def title(self) -> str:
        """Return how a sentence calls it."""
        if self.quarter:
            return t("coverage.period_quarter", n=self.quarter, year=self.year)
        return t("coverage.period_year", year=self.year)


@dataclass(slots=True)
class Group:
    """Settled dossiers that share a name in a table."""

    name: str
    settled: int = 0
    answered: int = 0
    late: int = 0
    unit: str = field(default="")

    def add(self, cell: Cell) -> None:
        """Count the dossiers of a cell."""
        self.settled += cell.n
        self.answered += cell.n if cell.channel else 0
        self.late += cell.n if cell.late else 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table as it is printed."""

    name: str
    settled: str
    answered: str
    share: str
    late: str
    bar: Markup | str
    unit: str = ""
    sum: bool = False


@bp.get("/coverage")
@guard.roles(*guard.READERS)
def coverage() -> str:
    """Show the coverage of a unit in a year or a quarter."""
    scope = guard.scope(request.args.get("unit", ""))
    years = store.years(db.get())
    today = clock.day(clock.now())
    period = _period(years, today)
    made = settled.counted(period.since, period.until)
    whole, at = made.cells, made.at
    tree = Tree()
    cells = [cell for cell in whole if tree.inside(cell.unit, scope)]
    facts: dict[str, object] = {
        "scope": scope,
        "scope_name": _title(scope) if scope else t("coverage.everywhere"),
        "above": _above(scope),
        "period": period,
        "years": sorted({*years, period.year}, reverse=True),
        "known": bool(years) or bool(store.waiting(db.get(), today=today)),
        "waiting": _waiting(scope, today),
        "charts": charts,
        "at": clock_of(at),
        "synthetic": _made_up(),
    }
    if cells:
        facts |= _tables(
            cells, scope, tree, hide=settled.hidden_above(whole, scope, tree, hide_n=HIDE_N)
        )
    return render_template("board/coverage.html", **facts)


def _made_up() -> bool:
    """Whether all the instance knows is made up, so its dossiers are, too."""
    known = waves.live(db.get())
    return bool(known) and all(wave.synthetic for wave in known)


def _period(years: Sequence[int], today: date) -> Period:
    """Return the period of the address; without one the newest year that has dossiers."""
    newest = years[0] if years else today.year
    year = request.args.get("year", newest, type=int)
    quarter = request.args.get("quarter", 0, type=int)
    if not 2000 <= year <= today.year + 1 or quarter not in range(5):
        abort(404, t("staff.no_scope"))
    return Period(year, quarter)


def _above(scope: str) -> str | None:
    """Return the unit one step up that the reader may see ("" for all), or None."""
    staff = guard.current_staff()
    if not scope or staff is None or scope == staff.unit:
        return None
    above = units.path(db.get(), scope)[1:2]
    return above[0] if above and above[0] != COUNTRY else ""


def _waiting(scope: str, today: date) -> dict[str, str]:
    found = store.waiting(db.get(), today=today, within=scope)
    return {"n": thousands(sum(w.n for w in found)), "late": thousands(sum(w.late for w in found))}


def _tables(cells: Sequence[Cell], scope: str, tree: Tree, *, hide: bool) -> dict[str, object]:
    total = Group(t("coverage.total"))
    for cell in cells:
        total.add(cell)
    hide = hide or 0 < total.answered < HIDE_N
    late = (t("coverage.on_time"), t("coverage.late"))
    months = _groups(cells, lambda cell: (cell.month, f"{cell.month[5:]}/{cell.month[:4]}"))
    parts = {
        "by_unit": _by_unit(cells, scope, tree),
        "by_service": _by_service(cells),
        "by_month": [months[key] for key in sorted(months)],
        "by_late": list(_groups(cells, lambda cell: (late[cell.late],) * 2).values()),
    }
    printed = {name: _rows(groups, hide=hide) for name, groups in parts.items()}
    channels: Counter[str] = Counter()
    for cell in cells:
        if cell.channel:
            channels[cell.channel] += cell.n
    return {
        "tables": {name: rows for name, rows in printed.items() if len(rows) > 1},
        "total": _row(total, hidden=hide, sum=True),
        "late": thousands(total.late),
        "hidden": hide,
        "small": not hide and any(r.answered == NONE for rows in printed.values() for r in rows),
        "channels": _channels(channels) if not hide else [],
    }


def _groups(cells: Iterable[Cell], key: Callable[[Cell], tuple[str, str]]) -> dict[str, Group]:
    """Sum cells by a key; the second word of the key is what the table calls it."""
    found: dict[str, Group] = {}
    for cell in cells:
        id, name = key(cell)
        found.setdefault(id, Group(name)).add(cell)
    return found


def _by_unit(cells: Sequence[Cell], scope: str, tree: Tree) -> list[Group]:
    """Return the units right under the scope, further down while there is only one."""
    while True:
        parts: dict[str, Group] = {}
        for cell in cells:
            id = tree.part(cell.unit, scope)
            parts.setdefault(id, Group("")).add(cell)
        only = next(iter(parts))
        if len(parts) > 1 or only == scope:
            break
        scope = only
    for id, group in parts.items():
        group.name = t("coverage.itself", unit=_title(id)) if id == scope else _title(id)
        group.unit = "" if id == scope else id
    return sorted(parts.values(), key=lambda group: units.name_key(group.name))


def _by_service(cells: Sequence[Cell]) -> list[Group]:
    """Return the services with most dossiers, and all others as one."""
    found = sorted(
        _groups(cells, lambda cell: (cell.service, cell.service)).values(),
        key=lambda group: (-group.settled, group.name),
    )
    shown, others = found[:SERVICES], found[SERVICES:]
    if len(others) == 1:
        return found
    if others:
        rest = Group(t("coverage.rest", n=thousands(len(others))))
        rest.settled = sum(group.settled for group in others)
        rest.answered = sum(group.answered for group in others)
        rest.late = sum(group.late for group in others)
        shown.append(rest)
    return shown


def _rows(groups: Sequence[Group], *, hide: bool) -> list[Row]:
    """Print groups whose sum is printed too: small numbers are hidden, and what would tell them."""
    from analysis.bounds import hidden_parts

    small = hidden_parts([group.answered for group in groups], hide_n=HIDE_N)
    return [_row(group, hidden=hide or at in small) for at, group in enumerate(groups)]


def _row(group: Group, *, hidden: bool, sum: bool = False) -> Row:
    from analysis.report.numbers import share

    part = group.answered / group.settled
    return Row(
        name=group.name,
        settled=thousands(group.settled),
        answered=NONE if hidden else thousands(group.answered),
        share=NONE if hidden else share(part, 1),
        late=share(group.late / group.settled, 1),
        bar="" if hidden else charts.length(part),
        unit=group.unit,
        sum=sum,
    )


def _channels(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    from analysis.bounds import hidden_parts

    names = sorted(counts, key=lambda name: (-counts[name], name))
    small = hidden_parts([counts[name] for name in names], hide_n=HIDE_N)
    return [
        (t(f"staff.channel_{name}"), NONE if at in small else thousands(counts[name]))
        for at, name in enumerate(names)
    ]


#: Where there is no figure.
NONE = "\u2014"


def _title(unit: str) -> str:
    name = units.name(db.get(), unit)
    return name[:1].upper() + name[1:]
