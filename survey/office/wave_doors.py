"""The office's page of a wave's counters: opened for a unit and a place, closed one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services, work
from survey.office import chosen, wave_form
from survey.store import clock, doors, units
from survey.text import t

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from survey.store.waves import Wave

#: Letters that the name of a counter may have, its number and its service.
MOST = {"label": 80, "counter": 20, "service": 120}


@guard.roles("administrator", "auditor")
def listed(key: str) -> str:
    """List the counters of a wave."""
    return _page(chosen.wave(key))


@guard.roles("administrator")
def add(key: str) -> Response | tuple[str, int]:
    """Open one counter for a unit."""
    wave = chosen.owned(key)
    typed = {name: request.form.get(name, "").strip() for name in ("unit", *MOST)}
    faults: dict[str, str] = {}
    unit = wave_form.unit_of(db.get(), "unit", typed["unit"], faults)
    for name, most in MOST.items():
        if len(typed[name]) > most or not typed[name].isprintable():
            faults[name] = t("running.fault.door", name=t(f"running.door.{name}"), most=most)
    if not typed["label"] and not typed["counter"]:
        faults["label"] = t("running.fault.no_label")
    if faults:
        return _page(wave, typed, faults), 422
    guard.owns(unit)
    job = partial(
        doors.add, kind="counter", wave=key, unit=unit, label=typed["label"],
        counter=typed["counter"] or None, service=typed["service"] or None,
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    services().writer.run(job)
    flash(t("running.door_added"))
    return redirect(url_for("running.doors", key=key), 303)


@guard.roles("administrator")
def close(key: str, number: int) -> Response:
    """Take no more answers at one counter."""
    chosen.owned(key)
    try:
        door = doors.get(db.get(), number)
    except LookupError:
        abort(404)
    if door.wave != key or door.kind != "counter":
        abort(404)
    guard.owns(door.unit)
    job = partial(doors.close, id=number, now=clock.now(), actor=work.actor())
    services().writer.run(job)
    flash(t("running.door_closed"))
    return redirect(url_for("running.doors", key=key), 303)


def _page(
    wave: Wave, typed: dict[str, str] | None = None, faults: dict[str, str] | None = None
) -> str:
    rows = [
        {
            "door": door,
            "unit": units.name(db.get(), door.unit),
            "place": door.label or door.counter or str(door.id),
        }
        for door in doors.of_wave(db.get(), wave.key)
        if work.within(door.unit)
    ]
    return render_template(
        "running/doors.html",
        wave=wave,
        rows=rows,
        typed=typed or {"unit": wave.owner},
        faults=faults or {},
        most=MOST,
        may_change=work.staff().role == "administrator",
        synthetic=wave.synthetic,
    )
