"""The table of the day: answers of a wave by unit or counter today, this week, this month.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from analysis.report.numbers import NONE, num, pct, share, span
from analysis.slices import Slice, Slices
from survey.board import charts, figures, slicing, tables
from survey.board.period import Period
from survey.store import units
from survey.store.waves import Wave
from survey.text import clock as time_of


@dataclass(frozen=True, slots=True)
class Row:
    """A unit or a counter: answers in each span, the month's satisfaction and its coverage."""

    name: str
    unit: str
    counts: tuple[str, ...]
    value: str
    plot: Markup
    n: str
    settled: str
    coverage: str


def table(wave: Wave, scope: str, spans: Sequence[Period]) -> dict[str, object] | None:
    """Return what the page prints of a wave; None where nobody of the scope ever answered.

    ``spans`` go from the shortest to the longest; satisfaction and coverage are of the longest.
    """
    by = "unit"
    cuts = [figures.cut(wave, scope, by, each) for each in spans]
    if len(cuts[-1].parts) < 2:
        by = "counter"
        cuts = [figures.cut(wave, scope, by, each) for each in spans]
    last = cuts[-1]
    if not sum(last.channels.values()) and not figures.cut(wave, scope, by, Period()).channels:
        return None
    base = slicing.measure(last, wave, spans[-1])
    name = slicing.names(last, wave)
    rows = [_row(part, cuts, name(part.key), base) for part in last.parts]
    rows.sort(key=lambda row: units.name_key(row.name))
    whole = base.whole
    return {
        "wave": wave,
        "by": by,
        "spans": spans,
        "counts": [num(sum(cut.channels.values()), 0) for cut in cuts],
        "value": pct(last.total.value, 1),
        "bar": charts.bar(last.total.shares) if last.total.shares else "",
        "levels": tables.levels(last),
        "base": base,
        "counted_at": time_of(base.at) if base.at else "",
        "rate": pct(whole.rate, 1) if whole else NONE,
        "bounds": span(whole.low, whole.high, 1) if whole else NONE,
        "answered": NONE if whole is None or whole.answered is None else num(whole.answered, 0),
        "settled": num(whole.settled, 0) if whole else NONE,
        "rows": rows,
        "hidden": any(NONE in row.counts for row in rows),
        "charts": charts,
    }


def _row(part: Slice, cuts: Sequence[Slices], called: tuple[str, str], base: slicing.Base) -> Row:
    total, own = part.total, (base.parts or {}).get(part.key)
    return Row(
        name=called[0],
        unit=called[1],
        counts=tuple(_count(cut, part.key) for cut in cuts),
        value=share(total.value, 1),
        plot=charts.interval(total, charts.WHOLE, cuts[-1].total.value),
        n=NONE if total.value is None else num(total.n, 0),
        settled=num(own.settled, 0) if own else NONE,
        coverage=share(own.rate, 1) if own else NONE,
    )


def _count(cut: Slices, key: str) -> str:
    """How many answered in a part: a dash where that is not told, 0 where nobody did."""
    found = next((part.total for part in cut.parts if part.key == key), None)
    if found is None:
        alone = len(cut.parts) == 0 and sum(cut.channels.values()) > 0
        return NONE if alone else "0"
    return NONE if "hidden" in found.flags else num(found.n, 0)
