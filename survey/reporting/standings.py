"""League table, account of forms and PAR points: reports made of the annual one's facts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from survey.reporting import annual
from survey.store import Refused, external, par, progress, units, waves
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Connection

    from analysis.annual import Unit
    from analysis.report.forms import Taken
    from analysis.report.marks import Rule, Said
    from analysis.report.model import Report
    from survey.field.accounting import Account
    from survey.reporting.kinds import Ask

#: Published figures that stand beside points: by measure.
BESIDE = ("par", "self_score", "nd766", "sipas")


def league(db: Connection, ask: Ask) -> Report:
    """Make the ranking of a wave's units as a document of its own."""
    from analysis.report import league as report
    from analysis.report import marks

    result, now, before, found = annual.gathered(db, ask)
    facts = annual.of(db, result, now, before, found, groups=False)
    if len(facts.units) < 2:
        raise Refused("report_one_unit", 409)
    earned = marks.earned(facts.units, rule(db, ask.wave))
    return report.build(result, facts, on=ask.on, number=ask.number, earned=earned)


def points(db: Connection, ask: Ask) -> Report:
    """Make the report of PAR points, of a wave's units or of one of them."""
    from analysis.report import marks

    about = ask.unit
    whole = annual.whole(ask)
    result, now, before, found = annual.gathered(db, whole)
    facts = annual.of(db, result, now, before, found, groups=False)
    own = next((u for u in facts.units if u.unit == about), None)
    if about and own is None:
        raise Refused("report_not_ranked", 409, unit=units.name(db, about))
    shown = (own,) if own else facts.units
    return marks.build(
        result,
        facts,
        rule(db, ask.wave),
        _beside(db, shown, now.member.year),
        on=ask.on,
        number=ask.number,
        about=own,
    )


def counter(db: Connection, ask: Ask) -> Report:
    """Make the report on self-selected answers, with what carries the overall item."""
    from analysis import crossed
    from analysis.report import counter as report

    wave = waves.get(db, ask.wave)
    if wave.kind != "self_selected":
        raise Refused(f"report_{wave.kind}", 409)
    result = annual.result_of(db, ask.wave, ask.unit)
    kept: dict[str, crossed.Crossed] = {}
    for piece, _ in crossed.pieces(db, ask.wave, 0):
        kept = crossed.added(kept, piece)
    try:
        found = crossed.found(db, ask.wave, kept, scope=ask.unit)
    except crossed.Untold:
        found = None
    drivers = found if found is not None and found.overall else None
    return report.build(result, on=ask.on, number=ask.number, drivers=drivers)


def rule(db: Connection, wave: str) -> Rule:
    """Return how the index of a wave becomes points."""
    from analysis.report.marks import Rule

    held = par.get(db, wave)
    steps = tuple((Decimal(edge), Decimal(points)) for edge, points in held.steps)
    return Rule(Decimal(held.most), steps, held.source)


def _beside(db: Connection, shown: Sequence[Unit], year: int) -> list[Said]:
    """What others published of these units for the year, in words."""
    from analysis.report.marks import Said
    from survey import series

    found = []
    for unit in shown:
        for held in external.of_units(db, series.names(db, unit.unit)):
            figure = held.figure
            if figure.measure not in BESIDE or figure.part or figure.year != year:
                continue
            value = figure.value.replace(".", ",")
            if figure.most:
                value = t("external.points", value=value, most=figure.most.replace(".", ","))
            else:
                value += "%"
            words = t(f"external.measure.{figure.measure}") + f" {figure.year}"
            found.append(Said(unit.unit, words, value, figure.source, figure.dated))
    return found


def forms(db: Connection, ask: Ask) -> Report:
    """Make the account of a wave's forms."""
    from analysis.report import forms as report

    wave = waves.get(db, ask.wave)
    result, now, before, _ = annual.gathered(db, ask)
    parts = annual.units(db, result, now, before)
    taken = _taken(db, ask, [u.unit for u in parts]) if wave.kind == "probability" else []
    return report.build(result, parts, taken, on=ask.on, number=ask.number)


def _taken(db: Connection, ask: Ask, parts: Sequence[str]) -> list[Taken]:
    from survey.field import accounting

    paths: dict[str, tuple[str, ...]] = {}
    lines = []
    for line in progress.lines(db, ask.wave):
        path = paths.setdefault(line.unit, units.path(db, line.unit))
        if not ask.unit or ask.unit in path:
            lines.append(line)

    def place(line: progress.Line) -> tuple[str, str, str]:
        of = next((u for u in paths[line.unit] if u in parts), line.unit)
        return of, units.name(db, of), of

    each = sorted(accounting.grouped(lines, place), key=lambda account: account.unit)
    whole = accounting.grouped(lines, lambda _line: ("", t("external.sum"), ""))
    return [_one(account) for account in (*each, *whole)]


def _one(account: Account) -> Taken:
    from analysis.report.forms import Taken

    rates = account.rates()
    name = account.name[:1].upper() + account.name[1:]
    return Taken(
        name,
        account.places,
        account.valid,
        account.substitutes,
        rates[0] if rates else None,
        rates[1] if rates else None,
        dict(account.outcomes),
    )
