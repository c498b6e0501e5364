"""The room of reports: choose what a report is about, see what can be made, ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from survey import db, guard, queueing
from survey.board import figures
from survey.reporting import kinds, making, periods
from survey.store import Refused, clock, jobs, units
from survey.store import waves as wave_store
from survey.text import has, t, told

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from survey.reporting.kinds import Ask
    from survey.reporting.periods import Period
    from survey.store.people import Staff
    from survey.store.waves import Wave

bp = Blueprint("reporting", __name__)

#: Who asks for reports; an auditor changes nothing, not even a queue.
ASKERS = tuple(role for role in guard.READERS if role != "auditor")
#: So many periods of each kind are offered.
_OFFERED = {"quarter": 8, "half": 4, "year": 4, "month": 12}


@bp.get("/reports")
@guard.roles(*guard.READERS)
def index() -> str:
    """Show which reports can be made of the wave, unit and period chosen."""
    queueing.call()  # who is here is about to ask: the first report is spared the start
    return _page(request.args.to_dict())


@bp.post("/reports")
@guard.roles(*ASKERS)
def ask() -> BaseResponse | tuple[str, int]:
    """Queue a report; what cannot be made is said where it was asked for."""
    sent = request.form.to_dict()
    form = sent.get("format", "")
    try:
        if form not in kinds.FORMATS or sent.get("name", "") not in kinds.KINDS:
            raise Refused("report_form", 422)
        wanted = _asked(sent)
        kinds.check(wanted)
        wave = _wave(wanted.wave)
        if why := _why(wanted, wave):
            return _page(sent, wrong=t(why), name=wanted.name), 422
    except Refused as refusal:
        return _page(sent, wrong=_said(refusal), name=sent.get("name", "")), 422
    title = f"{making.title(db.get(), wanted)} ({form.upper()})"
    facts = wanted.facts() | {"format": form}
    return queueing.queued("report", facts, title=title, unit=wanted.unit)


def _asked(sent: dict[str, str]) -> Ask:
    """What was asked for, of what its kind is made of only, inside the reader's own unit."""
    name = sent["name"]
    kind = kinds.kind(name)
    unit = guard.scope(sent.get("unit", ""))
    if kind.unit == "none" and (not sent.get("unit") or unit == _staff().unit):
        unit = ""  # whether it is theirs to see is asked in ``_why``
    return kinds.Ask(
        name=name,
        on=clock.day(clock.now()),
        wave=sent.get("wave", "") if kind.of == "wave" else "",
        unit=unit,
        period=sent.get("period", "") if kind.of == "period" else "",
        number=sent.get("number", "").strip(),
    )


def _page(asked: dict[str, str], *, wrong: str = "", name: str = "") -> str:
    waves = _waves()
    unit = guard.scope(asked.get("unit", ""))
    wave = next((one for one in waves if one.key == asked.get("wave")), None)
    wave = wave or next((one for one in waves if _meets(one, unit)), waves[0] if waves else None)
    today = clock.day(clock.now())
    offered = {kind: periods.latest(today, kind, n) for kind, n in _OFFERED.items()}
    period = _period(asked.get("period", ""), offered["quarter"])
    chosen = {"wave": wave.key if wave else "", "unit": unit, "period": period.key}
    mine = jobs.of_staff(db.get(), _staff().id, "report")
    tended = queueing.tend() if any(job.open for job in mine) else True
    return render_template(
        "reporting/index.html",
        waves=waves,
        wave=wave,
        units=_units(unit),
        unit=unit,
        offered=offered,
        period=period,
        groups=_groups(chosen, wave),
        formats=kinds.FORMATS,
        chosen=chosen,
        sent=asked if name else {},
        wrong=wrong,
        wrong_name=name,
        asks=_staff().role in ASKERS,
        mine=[queueing.said(job, tended=tended) for job in mine],
        synthetic=bool(wave and wave.synthetic),
    )


def _groups(chosen: dict[str, str], wave: Wave | None) -> list[tuple[str, list[dict[str, str]]]]:
    """The kinds by what they are made of, each with why it cannot be made now ("" when it can)."""
    out: dict[str, list[dict[str, str]]] = {"wave": [], "period": []}
    for name, kind in kinds.KINDS.items():
        asked = _asked({**chosen, "name": name})
        why = _why(asked, wave)
        row = {"name": name, "title": t(f"report.{name}"), "why": t(why) if why else ""}
        out[kind.of].append(row | {"what": t(f"report.{name}.what")})
    return [(of, rows) for of, rows in out.items() if rows]


def _why(asked: Ask, wave: Wave | None) -> str:
    kind = kinds.kind(asked.name)
    if kind.of == "wave":
        if wave is None:
            return "report.why.no_wave"
        if kind.unit == "none" and asked.unit:
            return "report.why.no_unit"
        if not asked.unit and not _whole(wave):
            return "report.why.whole"
    if kind.unit == "must" and not asked.unit:
        return "report.why.unit"
    if kind.of == "period" and periods.of(asked.period).kind not in kind.periods:
        return "report.why.period"
    came = figures.counts(wave).valid if wave and kind.of == "wave" else 0
    return kinds.why(db.get(), asked, wave, came) or _nothing(asked, wave)


def _nothing(asked: Ask, wave: Wave | None) -> str:
    """Why there is nothing to say of the unit chosen in a wave."""
    if wave is None or not asked.wave or not asked.unit:
        return ""
    try:
        found = figures.find(wave, asked.unit)
    except LookupError:
        return "report.why.unit_none"
    if not isinstance(found, figures.Nothing):
        return ""
    return "report.why.unit_few" if found.came else "report.why.unit_none"


def _whole(wave: Wave) -> bool:
    """Whether all of a wave is the reader's to see: of everything, or the wave is their unit's."""
    mine = _staff().unit
    return not mine or mine in units.path(db.get(), wave.owner)


def _waves() -> list[Wave]:
    """Waves that figures are shown of, the newest first; no draft and no trial."""
    today = clock.day(clock.now())
    found = [one for one in wave_store.all(db.get()) if one.stage == "live" and not one.trial_of]
    return sorted(found, key=lambda one: (one.opens_on <= today, one.opens_on), reverse=True)


def _meets(wave: Wave, unit: str) -> bool:
    """Whether a wave's owner is the unit, above it or under it."""
    return units.related(db.get(), unit, wave.owner)


def _wave(key: str) -> Wave | None:
    return next((one for one in _waves() if one.key == key), None) if key else None


def _units(unit: str) -> list[tuple[str, str]]:
    """Units to choose from: what is above the one chosen, itself, and what is right under it."""
    store, mine = db.get(), _staff().unit
    way = [one for one in reversed(units.path(store, unit)) if not mine or _mine(mine, one)]
    under = units.children(store, unit) if unit else units.all(store, kind="province")
    found = [(one, units.name(store, one)) for one in way]
    found += [(one.id, one.title) for one in under]
    return [(id, name[:1].upper() + name[1:]) for id, name in found]


def _mine(mine: str, one: str) -> bool:
    """Whether a unit is the reader's or lies under it."""
    return mine in units.path(db.get(), one)


def _period(key: str, quarters: list[Period]) -> Period:
    try:
        return periods.of(key) if key else quarters[1]  # the last one that is over
    except Refused:
        return quarters[1]


def _said(refusal: Refused) -> str:
    key = f"refused.{refusal.code}"
    shown = told(refusal.facts)
    return " ".join(t(one, "vi", **shown) for one in (key, f"{key}.advice") if has(one))


def _staff() -> Staff:
    return guard.current_staff() or abort(403)
