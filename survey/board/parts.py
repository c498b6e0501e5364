"""A wave cut into units, services, counters, channels or times, for any period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, render_template, request

from survey import guard
from survey.board import figures, keptpages, period
from survey.store import clock
from survey.text import t

if TYPE_CHECKING:
    from datetime import date

    from survey.board.period import Period
    from survey.store.waves import Wave

#: Cuts in the order of the page, by the kind of the wave.
CUTS = {
    "self_selected": ("unit", "service", "counter", "channel", "time"),
    "probability": ("unit", "channel"),
}


@guard.roles(*guard.READERS)
def parts(key: str) -> str | tuple[str, int]:
    """Show the parts of a wave; ``by`` says which, ``p`` (or ``from`` and ``to``) when."""
    wave, scope = figures.place(key, request.args.get("unit", ""))
    cuts = CUTS[wave.kind]
    by = request.args.get("by", cuts[0])
    if by not in cuts:
        abort(404, t("board.no_cut"))
    chosen, wrong = _period(wave)
    counted = request.args.get("flagged") != "0"
    facts = figures.facts(wave, scope) | {
        "by": by,
        "cuts": cuts,
        "chosen": chosen,
        "wrong": wrong,
        "counted": counted,
        "periods": _choices(wave, chosen),
    }

    def make() -> str:
        found = _found(wave, scope, by, chosen, counted=counted)
        return render_template("board/_parts.html", **facts, **found)

    body = keptpages.part(f"parts {by} {chosen.key} {counted}", wave, scope, make)
    page = render_template("board/parts.html", body=body, **facts)
    return (page, 422) if wrong else page


def _found(wave: Wave, scope: str, by: str, chosen: Period, *, counted: bool) -> dict[str, object]:
    """Return what the page prints: the parts, or why there are none."""
    if by == "service" and not _months(chosen):
        return {"nothing": "service"}
    from survey.board import slicing

    try:
        found = figures.cut(wave, scope, by, chosen, flagged=counted)
    except LookupError:
        abort(404, t("staff.no_scope"))
    except ValueError:
        return {"nothing": "broken"}
    if found.total.value is None:
        return {"nothing": "few" if found.channels else "none"}
    return {"nothing": ""} | slicing.page(found, wave, chosen)


def _period(wave: Wave) -> tuple[Period, bool]:
    """Return the period of the address, and whether it names one that is none."""
    if wave.kind == "probability":
        return period.Period(), False
    asked = (request.args.get(name, "").strip() for name in ("p", "from", "to"))
    try:
        return period.read(*asked), False
    except ValueError:
        return period.Period(), True


def _choices(wave: Wave, chosen: Period) -> list[Period]:
    if wave.kind == "probability":
        return []
    found = [period.Period(), *period.choices(wave.opens_on, wave.closes_on, _today())]
    if chosen not in found and chosen.kind != "span":
        found.append(chosen)
    return found


def _today() -> date:
    return clock.day(clock.now())


def _months(chosen: Period) -> bool:
    """Whether services, which are counted by month, are known for a period."""
    from analysis.slices import whole_months

    return whole_months(chosen.since, chosen.until)
