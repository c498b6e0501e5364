"""Tables of counts with small cells hidden, and others hidden so that nobody computes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.questionnaire import localized
from survey.datafiles import places, variables
from survey.datafiles.layout import arrived
from survey.store import Refused, datafiles
from survey.text import has, t, thousands

if TYPE_CHECKING:
    from forms.questionnaire import Questionnaire
    from survey.datafiles.variables import Variable
    from survey.store.waves import Wave

#: Facts that may stand in the rows.
DRAWN, FREE = ("unit", "area", "channel"), ("unit", "channel", "service", "counter", "month")
#: Rows of a table.
ROWS = 400
HIDDEN = "—"


@dataclass(frozen=True, slots=True)
class Line:
    """One row: counts and shares (0..1), None where they are not published."""

    name: str
    counts: tuple[int | None, ...]
    shares: tuple[float | None, ...]
    total: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """``lines`` with the totals last; ``small`` cells and ``more`` cells are hidden."""

    rows: str
    columns: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    total: Line
    small: int
    more: int
    hide_n: int
    weighted: bool

    def cells(self) -> Iterator[list[object]]:
        """The rows of a CSV file: counts, then shares in percent."""
        for line in (*self.lines, self.total):
            counts = (HIDDEN if n is None else n for n in (*line.counts, line.total))
            yield [line.name, *counts, *(percent(share, ".") for share in line.shares)]

    def heading(self) -> list[str]:
        """The heading of that file."""
        shares = [t("data.table.share_of", answer=name) for name in self.head]
        return [self.rows, *self.head, t("data.table.total"), *shares]


def choices(wave: Wave) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What may stand in rows and in columns, with their words."""
    q = _asked(wave)
    facts = DRAWN if wave.kind == "probability" else FREE
    answers = variables.answers(q)
    rows = [(name, t(f"data.by.{name}")) for name in facts]
    rows += [(id, answers[id].label) for id in variables.personal(q) if id in answers]
    return rows, [(name, variable.label) for name, variable in answers.items()]


def table(db: sqlite3.Connection, wave: Wave, *, rows: str, columns: str, unit: str = "") -> Table:
    """Count answers by a fact or a question about the person.

    Raises Refused ``data_table`` (422): rows or columns are not to be had; ``no_data`` (409);
    ``data_wide`` (422): too many rows.
    """
    q = _asked(wave)
    answers = variables.answers(q)
    able_rows, able_columns = choices(wave)
    if rows not in dict(able_rows) or columns not in dict(able_columns):
        raise Refused("data_table", 422)
    counted = _counted(db, wave, q, rows, columns, unit)
    if not counted:
        raise Refused("no_data", 409, wave=wave.name)
    shown = answers[columns]
    codes = [*shown.values, *([9] if shown.silent else [])]
    names = _ordered(sorted({name for name, _ in counted}), answers.get(rows))
    if len(names) > ROWS:
        raise Refused("data_wide", 422, most=ROWS)
    tree, about = places.Places(db, wave.closes_on), answers.get(rows)
    named = [(name, _word(rows, name, about, tree)) for name in names]
    return _table(wave, dict(able_rows)[rows], shown, codes, counted, named)


def _asked(wave: Wave) -> Questionnaire:
    return localized(wave.questionnaire, "vi", frozenset(wave.words.items()))


def _counted(
    db: sqlite3.Connection, wave: Wave, q: Questionnaire, rows: str, columns: str, unit: str
) -> dict[tuple[str, int], tuple[int, float]]:
    """Persons and weight by row and code; a blank is no answer."""
    place = {column.id: at for at, column in enumerate(q.columns, 1)}
    drawn = wave.kind == "probability"
    fact = "" if rows in place else rows
    tree = places.Places(db, wave.closes_on)
    cells = list(
        datafiles.cells(
            db, wave.key, wave.questionnaire, by=fact, rows=place.get(rows, 1),
            columns=place[columns], drawn=drawn,
        )
    )  # fmt: skip
    inside = {of for *_, of, _, _ in cells if not unit or unit in tree.path(of)}
    parts = places.divide(tree, inside, unit) if rows == "unit" else {}
    found: dict[tuple[str, int], tuple[int, float]] = {}
    for name, asked, code, of, n, weight in cells:
        if of not in inside or not code or (not fact and not asked):
            continue
        key = str(asked) if not fact else parts.get(name, name)
        if rows == "month":
            key = arrived(name)[:7]
        before = found.get((key, code), (0, 0.0))
        found[key, code] = before[0] + n, before[1] + weight
    return found


def _ordered(names: list[str], variable: Variable | None) -> list[str]:
    if variable is None:
        return names
    return sorted(names, key=int)


def _word(rows: str, name: str, variable: Variable | None, tree: places.Places) -> str:
    if variable is not None:
        code = int(name)
        return variables.SILENT if code == 9 else variable.values.get(code, name)
    if rows in ("unit", "counter") and ":" in name:
        return tree.title(name)
    key = f"data.{rows}.{name}"
    return t(key) if has(key) else name or t("data.table.blank")


def _table(
    wave: Wave, rows: str, shown: Variable, codes: Sequence[int],
    counted: dict[tuple[str, int], tuple[int, float]], names: Sequence[tuple[str, str]],
) -> Table:  # fmt: skip
    import numpy as np

    from analysis.suppress import suppress

    counts = np.array(
        [[counted.get((key, code), (0, 0.0))[0] for code in codes] for key, _ in names]
    )
    weights = np.array(
        [[counted.get((key, code), (0, 0.0))[1] for code in codes] for key, _ in names]
    )
    hidden = suppress(counts, hide_n=wave.hide_n)
    words = tuple(
        variables.SILENT if code == 9 else shown.values.get(code, str(code)) for code in codes
    )
    lines = tuple(
        _line(name, counts[r], weights[r], hidden.cells[r].tolist(), bool(hidden.rows[r]))
        for r, (_, name) in enumerate(names)
    )
    total = _line(
        t("data.table.all"),
        counts.sum(axis=0),
        weights.sum(axis=0),
        hidden.columns.tolist(),
        hidden.total,
    )
    return Table(
        rows, shown.label, words, lines, total, hidden.primary, hidden.complementary,
        wave.hide_n, wave.kind == "probability",
    )  # fmt: skip


def _line(
    name: str, counts: Sequence[int], weights: Sequence[float], hidden: Sequence[bool], none: bool
) -> Line:
    """A row; without its total no share of it is told, or the total could be computed."""
    base = float(sum(weights))
    return Line(
        name,
        tuple(None if gone else int(n) for n, gone in zip(counts, hidden, strict=True)),
        tuple(
            None if gone or none or not base else float(w) / base
            for w, gone in zip(weights, hidden, strict=True)
        ),
        None if none else int(sum(counts)),
    )


def printed(n: int | None) -> str:
    """A count as people read it."""
    return HIDDEN if n is None else thousands(n)


def percent(share: float | None, point: str = ",") -> str:
    """A share in percent with one decimal, without the sign."""
    if share is None:
        return HIDDEN
    from analysis.rounding import rounded

    return str(rounded(share, 1, shift=2)).replace(".", point)
