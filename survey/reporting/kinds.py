"""The reports there are: what each is asked of, and who makes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from survey.store import Refused, waves

if TYPE_CHECKING:
    from sqlite3 import Connection

    from analysis.report.model import Report
    from survey.store.waves import Wave

#: How a report may be written; the first is what people mean by a report.
FORMATS = ("pdf", "docx", "xlsx", "csv", "html")
BOTH = ("probability", "self_selected")
#: A number of the office: "05", "05/BC-SNV".
_NUMBER = re.compile(r"[\w./\-– ]{0,40}")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a report is asked of; what its kind does not need stays empty."""

    name: str
    on: date  # printed on it
    wave: str = ""
    unit: str = ""  # "" = the whole wave, or every unit
    period: str = ""  # a key of survey.reporting.periods
    number: str = ""  # of the office: "05", or "05/BC-SNV"

    def facts(self) -> dict[str, str]:
        """As JSON holds it."""
        return {f.name: str(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Ask:
        """What ``facts`` wrote."""
        held = {f.name: str(facts.get(f.name, "")) for f in fields(cls)}
        return cls(**{**held, "on": date.fromisoformat(held["on"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of report.

    ``build``: "module:function", ``(db, ask) -> Report``; or ``result``: the name in
    ``analysis.report.REPORTS`` of one that a wave's result alone is enough for.  ``why``:
    "module:function", ``(db, ask) -> str``: the key of the text that says why this cannot be
    made ("" when it can); it must be quick and raises nothing.  ``of`` a wave or a period (kinds
    of ``survey.reporting.periods.KINDS``, or "days").  Texts: ``report.<name>`` and
    ``report.<name>.what``.
    """

    of: Literal["wave", "period"]
    build: str = ""
    result: str = ""
    waves: tuple[str, ...] = BOTH
    unit: Literal["none", "may", "must"] = "may"
    periods: tuple[str, ...] = ()
    why: str = ""


def _onestop(
    module: str, build: str, *, unit: Literal["may", "must"] = "may", why: str = "points"
) -> Kind:
    """A report of the one-stop office, of a quarter, half-year or year."""
    return Kind(
        "period", f"survey.onestop.{module}:{build}", unit=unit,
        periods=("quarter", "half", "year"), why=f"survey.onestop.known:{why}",
    )  # fmt: skip


def _standing(build: str, *, unit: Literal["none", "may"] = "may") -> Kind:
    """A report of how the units of a sampled wave stand."""
    return Kind("wave", f"survey.reporting.standings:{build}", waves=("probability",), unit=unit)


#: Name -> kind, in the order of the page.
KINDS: dict[str, Kind] = {
    "national": Kind("wave", result="national", waves=("probability",), unit="none"),
    "unit": Kind("wave", result="unit", waves=("probability",)),
    "counter": Kind("wave", "survey.reporting.standings:counter", waves=("self_selected",)),
    "annual": Kind("wave", "survey.reporting.annual:annual", waves=("probability",)),
    "league": _standing("league", unit="none"),
    "accounting": _standing("forms"),
    "par": _standing("points"),
    "mau01": _onestop("marks", "dossiers", unit="must"),
    "mau02": _onestop("marks", "unit", unit="must"),
    "mau03": _onestop("league", "report"),
    "coverage": _onestop("covering", "report", why="dossiers"),
    "late": _onestop("lateness", "report", why="dossiers"),
    "periodic": _onestop("periodic", "report", why="dossiers"),
}


def kind(name: str) -> Kind:
    """The kind of this name; raises LookupError."""
    return KINDS[name]


def check(ask: Ask) -> None:
    """Refuse (422) what no report of this kind can be asked of, before anything is looked up.

    ``report_wave``, ``report_period``, ``report_unit`` (needs one), ``report_whole`` (has none),
    ``report_number``; raises LookupError for a kind nobody knows.
    """
    from survey.reporting import periods

    wanted = kind(ask.name)
    if wanted.of == "wave" and not ask.wave:
        raise Refused("report_wave", 422)
    if wanted.of == "period":
        period = periods.of(ask.period)
        if period.kind not in wanted.periods:
            raise Refused("report_period", 422)
    if wanted.unit == "must" and not ask.unit:
        raise Refused("report_unit", 422)
    if wanted.unit == "none" and ask.unit:
        raise Refused("report_whole", 422)
    if not _NUMBER.fullmatch(ask.number):
        raise Refused("report_number", 422)


def why(db: Connection, ask: Ask, wave: Wave | None, came: int) -> str:
    """The key of the text that says why a report cannot be made, "" when it can.

    ``came``: valid answers of the wave.
    """
    wanted = kind(ask.name)
    if wave is not None and wanted.of == "wave":
        if wave.kind not in wanted.waves:
            return f"report.why.{wave.kind}"
        if not came:
            return "report.why.empty"
        if came < wave.hide_n:
            return "report.why.few"
    if wanted.why:
        module, _, function = wanted.why.partition(":")
        return str(getattr(import_module(module), function)(db, ask))
    return ""


def build(db: Connection, ask: Ask) -> Report:
    """Make the report that was asked for.

    Raises LookupError for a kind, wave or unit that is not there, and Refused when there is
    nothing to report: ``report_empty``, ``report_few`` or ``report_broken`` (409).
    """
    check(ask)
    wanted = kind(ask.name)
    if not wanted.result:
        module, _, function = wanted.build.partition(":")
        made: Report = getattr(import_module(module), function)(db, ask)
        return made
    wave = waves.get(db, ask.wave)
    if wave.kind not in wanted.waves:
        raise Refused(f"report_{wave.kind}", 409)
    from analysis.report import REPORTS
    from analysis.sipas import wave_result

    try:
        result = wave_result(db, ask.wave, scope=ask.unit)
    except ValueError as fault:
        raise Refused("report_broken", 409) from fault
    if result.total.value is None:
        raise Refused("report_few" if sum(result.channels.values()) else "report_empty", 409)
    return REPORTS[wanted.result](result, on=ask.on, number=ask.number)
