"""All waves, and one wave with its figures, their doubt and its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template, request

from survey import db, guard, trust
from survey.board import figures, keptpages
from survey.store import clock, units
from survey.store import waves as wave_store
from survey.text import day, t, thousands

if TYPE_CHECKING:
    from analysis.results import Result
    from survey.store.waves import Wave


@guard.roles(*guard.READERS)
def waves() -> str:
    """List the waves of the reader's unit, of those above and of those under it."""
    staff = guard.current_staff()
    mine = staff.unit if staff else ""
    found = [
        wave for wave in wave_store.live(db.get()) if units.related(db.get(), mine, wave.owner)
    ]
    return render_template("board/waves.html", rows=[_listed(wave) for wave in found])


@guard.roles(*guard.READERS)
def wave(key: str) -> str:
    """Show one wave, or one unit of it; ``flagged=0`` leaves out what is flagged."""
    counted = request.args.get("flagged") != "0"
    found, scope = figures.place(key, request.args.get("unit", ""))
    phase, state = _state(found)
    facts = figures.facts(found, scope) | {"phase": phase, "state": state}
    missing: list[figures.Nothing] = []

    def make() -> str:
        result = figures.asked(key, request.args.get("unit", ""), flagged=counted)[2]
        if isinstance(result, figures.Nothing):
            missing.append(result)
            return ""
        return _body(found, scope, result, counted=counted)

    body = keptpages.part(f"wave {counted}", found, scope, make)
    if missing:
        return render_template("board/empty.html", nothing=missing[0], **facts)
    return render_template("board/wave.html", body=body, **facts)


def _body(wave: Wave, scope: str, result: Result, *, counted: bool) -> str:
    """Render all that rests on figures."""
    from survey.board import slicing, tables

    whole = figures.of(wave, flagged=counted) if scope else result
    facts = tables.page(result, whole) | _flags(wave, scope, result, counted=counted)
    if not scope:
        facts["days"] = tables.days(figures.counts(wave).days)
    facts |= slicing.covered(slicing.measure(result, wave))
    facts["method"] = [*tables.method(result), *_reopened(wave)]
    return render_template("board/_wave.html", wave=wave, scope=scope, **facts)


def _reopened(wave: Wave) -> list[tuple[str, str]]:
    """Return when the wave was opened again and why, for its method box."""
    again = [e for e in wave_store.events(db.get(), wave.key) if e.action == "wave.reopen"]
    said = [t("board.reopened_on", on=day(e.at), reason=e.reason) for e in reversed(again)]
    return [(t("board.reopened"), " ".join(said))] if said else []


def _flags(wave: Wave, scope: str, result: Result, *, counted: bool) -> dict[str, object]:
    """Return the overall index with and without flagged answers, and how many for what reason."""
    facts: dict[str, object] = {"counted": counted, "both": [], "reasons": []}
    if not result.flagged:
        return facts
    both = []
    for flagged in (True, False):
        one = result if flagged == counted else figures.find(wave, scope, flagged=flagged)
        known = None if isinstance(one, figures.Nothing) else one
        n = (known or result).total.n if known else None
        both.append(("with" if flagged else "without", n, known.total if known else None))
    reasons = {} if scope else figures.reasons(wave)
    named = [(t(f"trust.{reason}"), reasons.pop(reason)) for reason in list(reasons)
             if reason in trust.REASONS]  # fmt: skip
    if reasons:
        named.append((t("staff.flags_other"), sum(reasons.values())))
    return facts | {"both": both, "reasons": named}


def _listed(wave: Wave) -> dict[str, object]:
    counts, (phase, state) = figures.counts(wave), _state(wave)
    return {
        "wave": wave,
        "phase": phase,
        "state": state,
        "valid": thousands(counts.valid),
        "flagged": thousands(counts.flagged),
        "today": thousands(counts.days.get(clock.day(clock.now()), 0)),
    }


def _state(wave: Wave) -> tuple[str, str]:
    """Return the phase of a wave and how it is said."""
    now = clock.now()
    if wave.is_open(now):
        return "open", t("staff.open_until", on=day(wave.closes_on))
    closed = clock.day(wave.closed_at) if wave.closed_at else wave.closes_on
    if closed < clock.day(now) or wave.closed_at:
        return "closed", t("staff.closed_on", on=day(closed))
    return "soon", t("staff.opens_on", on=day(wave.opens_on))
