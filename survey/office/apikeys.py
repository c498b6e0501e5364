"""The keys of other programs: made, shown once, and ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for

from survey import db, guard, services
from survey.store import Refused, clock, keys, units
from survey.text import day, t

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from survey.store.keys import Key

bp = Blueprint("apikeys", __name__)

LONGEST = 100


@bp.get("/office/keys")
@guard.roles("administrator", "auditor")
def index() -> str:
    """List the keys of one's own unit and those under it; nobody sees a key again."""
    return _page()


@bp.post("/office/keys")
@guard.roles("administrator")
def make() -> Response | tuple[str, int] | str:
    """Make a key and show its text this once, on a page no browser keeps."""
    staff = guard.current_staff()
    name = request.form.get("name", "").strip()
    unit = request.form.get("unit", "").strip() or (staff.unit if staff else "")
    scopes = tuple(scope for scope in keys.SCOPES if scope in request.form.getlist("scopes"))
    faults = {}
    if not name or len(name) > LONGEST or not name.isprintable():
        faults["name"] = t("keys.name_bad", most=LONGEST)
    if not scopes:
        faults["scopes"] = t("keys.scopes_bad")
    if unit and units.get(db.get(), unit) is None:
        faults["unit"] = t("keys.unit_bad", unit=unit)
    if not faults:
        guard.owns(unit)
        job = partial(
            keys.add, name=name, scopes=scopes, unit=unit, now=clock.now(),
            actor=f"staff:{staff.username if staff else ''}",
        )  # fmt: skip
        try:
            made, text = services().writer.run(job)
        except Refused as refusal:
            if refusal.code != "exists":
                raise
            faults["name"] = t("keys.name_taken", name=name)
        else:
            return _page(made=made, text=text)
    return _page(faults=faults), 422


@bp.post("/office/keys/<int:number>/end")
@guard.roles("administrator")
def end(number: int) -> Response:
    """End a key for good."""
    staff = guard.current_staff()
    found = next((key for key in keys.all(db.get()) if key.id == number), None)
    if found is None:
        abort(404)
    guard.owns(found.unit)
    actor = f"staff:{staff.username if staff else ''}"
    job = partial(keys.revoke, name=found.name, now=clock.now(), actor=actor)
    services().writer.run(job)
    return redirect(url_for(".index"), 303)


def _page(*, made: Key | None = None, text: str = "", faults: dict[str, str] | None = None) -> str:
    staff = guard.current_staff()
    mine = staff.unit if staff else ""
    rows = [
        {
            "key": key,
            "unit": units.name(db.get(), key.unit) if key.unit else t("keys.everywhere"),
            "made": day(key.created_at),
            "ended": day(key.revoked_at) if key.revoked_at else "",
        }
        for key in keys.all(db.get())
        if not mine or (key.unit and mine in units.path(db.get(), key.unit))
    ]
    return render_template(
        "office/apikeys.html", rows=rows, scopes=keys.SCOPES, made=made, text=text,
        faults=faults or {}, mine=mine,
        mine_name=units.name(db.get(), mine) if mine else "",
    )  # fmt: skip
