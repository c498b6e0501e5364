"""Which wave on paper a staff page is about, and whether its reader may see a place of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, request, url_for

from survey import db, guard, rooms
from survey.store import clock, units, waves
from survey.text import has, t, told

if TYPE_CHECKING:
    from flask import Flask

    from survey.store import Refused
    from survey.store.people import Staff
    from survey.store.waves import Wave


def on_paper() -> list[Wave]:
    """Return the waves with a sample, the newest first."""
    found = [wave for wave in waves.all(db.get()) if wave.kind == "probability"]
    return sorted(found, key=lambda wave: (wave.closes_on, wave.key), reverse=True)


def wave() -> Wave:
    """Return the wave the address asks for, else the newest one that is not closed, else the
    newest; ends the request where there is none."""
    asked, held = request.args.get("wave", ""), on_paper()
    if asked:
        found = next((wave for wave in held if wave.key == asked), None)
        return found or abort(404)
    if not held:
        abort(404, t("work.none"))
    return next((wave for wave in held if wave.closed_at is None), held[0])


def sampled(key: str) -> Wave:
    """Return a wave with a sample, or end the request."""
    try:
        found = waves.get(db.get(), key)
    except LookupError:
        abort(404)
    return found if found.kind == "probability" else abort(404)


def staff() -> Staff:
    """Return who is signed in; ends the request where nobody is."""
    return guard.current_staff() or abort(403)


def actor() -> str:
    """Return who is signed in, as the audit names them."""
    return f"staff:{staff().username}"


def within(unit: str) -> bool:
    """Say whether a unit is that of the reader, or lies under it."""
    mine = staff().unit
    return not mine or mine in units.path(db.get(), unit)


def demand(unit: str) -> None:
    """End the request (403) for something of a unit the reader may not see.

    The page does not say of which unit it is: that would be news of it.
    """
    if not within(unit):
        abort(403, t("staff.refused_page"))


def home(kind: str) -> tuple[str, str] | None:
    """Return the address and words of the page a reader goes on from, None where none is open."""
    if guard.current_staff() is None or not (held := dict(rooms.links(kind))):
        return None
    name = rooms.here(kind)
    name = name if name in held else next(iter(held))
    return url_for(name), t("work.back", page=held[name])


def said(refusal: Refused) -> str:
    """Return why something was refused and what to do, to be shown where it was asked for."""
    key = "refused.not_open" if refusal.facts.get("before") else f"refused.{refusal.code}"
    advice = next((f"{key}.{kind}" for kind in ("staff", "advice") if has(f"{key}.{kind}")), "")
    shown = told(refusal.facts)
    return " ".join(t(one, "vi", **shown) for one in (key, advice) if one)


def today() -> str:
    """Return today's day in Vietnam, YYYY-MM-DD."""
    return clock.day(clock.now()).isoformat()


def init_app(app: Flask) -> None:
    """Give templates the choice of waves."""
    app.jinja_env.globals.update(waves_on_paper=on_paper)
