"""The league table as it is printed: places, ranges, tie bands, differences from one's own unit.

Loads ``analysis``, so views import this module when they are called and not before.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from analysis.league import ALL, WITHIN, League, Leagues, Place
from analysis.report import numbers
from analysis.report.numbers import NONE, num, pct, places, share, span
from survey import guard
from survey.board import charts
from survey.store import units
from survey.text import t


@dataclass(frozen=True, slots=True)
class Row:
    """One unit of the table."""

    unit: str
    name: str
    own: bool
    link: bool
    rank: str
    range: str
    bands: str
    tint: bool
    value: str
    span: str
    plot: Markup
    ranks: Markup
    against: str
    n: str


def page(found: Leagues, shown: League, sort: str) -> dict[str, object]:
    """Return all that the page of a rank set prints."""
    axis = charts.axis([place.figure for place in shown.places])
    ranks = charts.rank_axis(shown.ranked)
    rows = [_row(found, place, axis, ranks) for place in _sorted(shown, sort)]
    own = next((p for p in shown.places if p.unit == found.mine and p.rank), None)
    whole = pct(found.whole.value, 2)
    return {
        "sets": [(one.key, set_name(one), one.ranked) for one in found.sets],
        "shown": shown,
        "set_name": set_name(shown),
        "rows": rows,
        "axis": axis,
        "rank_axis": ranks,
        "level": num(100 * found.wave.level, 0),
        "whole": whole,
        "own": own,
        "own_range": places(own.low, own.high) if own and own.low and own.high else NONE,
        "own_bands": places(*own.bands) if own else NONE,
        "mine_name": found.mine_name[:1].upper() + found.mine_name[1:] if found.mine else "",
        "against_words": t(
            "board.against_unit" if own else "board.against_whole",
            unit=found.mine_name,
            whole=whole,
        ),
        "caption": t("staff.league_caption", whole=share(found.whole.value, 2), axis=_axis(axis)),
        "few": any("○" in row.n for row in rows),
        "unranked": len(shown.places) - shown.ranked,
        "min_n": found.wave.min_n,
        "numbers": numbers,
        "charts": charts,
    }


def set_name(one: League) -> str:
    """Return how a rank set is called in the list of sets."""
    if one.kind in (ALL, WITHIN):
        name = t(f"board.set_{one.kind}", name=one.name)
        return name[:1].upper() + name[1:]
    return one.name


def _sorted(shown: League, sort: str) -> list[Place]:
    found = list(shown.places)
    if sort == "name":
        found.sort(key=lambda place: units.name_key(place.name))
    elif sort == "n":
        found.sort(key=lambda place: -place.figure.n)
    return found


def _row(found: Leagues, place: Place, axis: charts.Axis, ranks: charts.Axis) -> Row:
    figure, own = place.figure, place.unit == found.mine
    known = place.low is not None and place.high is not None
    staff = guard.current_staff()
    return Row(
        unit=place.unit,
        name=place.name[:1].upper() + place.name[1:],
        own=own,
        link=staff is not None and (not staff.unit or own),
        rank=str(place.rank) if place.rank else NONE,
        range=places(place.low or 0, place.high or 0) if known else NONE,
        bands=places(*place.bands) if place.rank else NONE,
        tint=place.bands[0] % 2 == 1,
        value=share(figure.value, 2),
        span=t("staff.not_published") if figure.value is None else span(figure.low, figure.high, 2),
        plot=charts.interval(figure, axis, found.whole.value),
        ranks=charts.rank(place.rank, place.low, place.high, ranks),
        against=""
        if not place.rank or own
        else t(("staff.lower", "staff.alike", "staff.higher")[place.against + 1]),
        n=t("staff.under", n=found.wave.hide_n)
        if "hidden" in figure.flags
        else num(figure.n, 0) + (" ○" if "few" in figure.flags else ""),
    )


def _axis(axis: charts.Axis) -> str:
    return t("staff.cap_axis" if axis.cut else "staff.cap_full", low=axis.low, high=axis.high)
