"""The people of the field work: who they are, a first password for new ones, accounts shut."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services, work
from survey.data import COUNTRY
from survey.field.places import Places
from survey.store import Refused, clock, lots, units
from survey.store import people as accounts
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from survey.store.people import Staff

#: Roles of the field work; the last ones are given by a supervisor, all by an administrator.
ROLES = ("field_supervisor", "interviewer", "data_clerk", "adjudicator")
GIVEN = ROLES[1:]
LONGEST = 100


@guard.roles("administrator", "field_supervisor")
def listed() -> str:
    """List the people of the field work in the reader's unit and below."""
    return _page({}, {})


@guard.roles("administrator", "field_supervisor")
def add() -> tuple[str, int] | str:
    """Make an account and show its first password once."""
    values = {name: request.form.get(name, "").strip() for name in ("username", "name", "role")}
    values["unit"] = request.form.get("unit", "")
    faults = _faults(values)
    if faults:
        return _page(values, faults), 422
    guard.scope(values["unit"])
    password = accounts.first_password()
    job = partial(
        accounts.add, username=values["username"], name=values["name"], role=values["role"],
        unit=values["unit"], password_hash=accounts.hashed(password), now=clock.now(),
        actor=work.actor(),
    )  # fmt: skip
    try:
        made = services().writer.run(job)
    except Refused as refusal:
        if refusal.code != "exists":
            raise
        return _page(values, {"username": t("field.taken", name=values["username"])}), 422
    return _page({}, {}, made=made, password=password)


@guard.roles("administrator", "field_supervisor")
def change(number: int) -> Response | str:
    """Give a new first password, shut an account or open it again."""
    found, do = _theirs(number), request.form.get("do", "")
    now, actor = clock.now(), work.actor()
    if do == "reset":
        password = accounts.first_password()
        job = partial(
            accounts.set_password, id=number, password_hash=accounts.hashed(password), now=now,
            actor=actor, must_change=True,
        )  # fmt: skip
        return _page({}, {}, made=services().writer.run(job), password=password)
    if do not in ("disable", "enable"):
        abort(400)
    services().writer.run(
        partial(accounts.disable, id=number, disabled=do == "disable", now=now, actor=actor)
    )
    flash(t(f"field.{do}d", name=found.name))
    if do == "disable" and (out := lots.carried(db.get(), found.id)):
        codes = ", ".join(lot.code for lot in out)
        flash(t("field.lots_out", name=found.name, n=len(out), lots=codes))
    return redirect(url_for("field.people"), 303)


def _theirs(number: int) -> Staff:
    """Return the account if who is signed in may change it, or end the request."""
    found, mine = accounts.get(db.get(), number), work.staff()
    if found is None or found.role not in ROLES or not _within(found.unit):
        abort(404, t("field.no_person"))
    if found.id == mine.id or found.role not in _given(mine):
        abort(403, t("field.not_yours"))
    return found


def _within(unit: str) -> bool:
    """Say whether an account's unit is the reader's or lies under it; "" is above every unit."""
    mine = work.staff().unit
    return not mine or bool(unit and mine in units.path(db.get(), unit))


def _given(mine: Staff) -> tuple[str, ...]:
    return ROLES if mine.role == "administrator" else GIVEN


def _faults(values: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with a new account, by field."""
    faults = {}
    login = accounts.login_name(values["username"])
    if not login or len(login) > LONGEST or not login.isprintable() or " " in login:
        faults["username"] = t("field.need_username")
    if not values["name"] or len(values["name"]) > LONGEST or not values["name"].isprintable():
        faults["name"] = t("field.need_name")
    if values["role"] not in _given(work.staff()):
        faults["role"] = t("field.need_role")
    if values["unit"] not in {id for id, _ in _choices()}:
        faults["unit"] = t("field.need_unit")
    return faults


def _choices() -> list[tuple[str, str]]:
    """Return the units that an account may be made for: one's own and those right below."""
    mine, places = work.staff().unit, Places()
    below = units.children(db.get(), mine or COUNTRY)
    found = sorted({unit.id for unit in below}, key=lambda id: units.name_key(places.name(id)))
    return [(id, places.name(id)) for id in (mine, *found)]


def _page(
    values: Mapping[str, str],
    faults: Mapping[str, str],
    *,
    made: Staff | None = None,
    password: str = "",
) -> str:
    places, mine = Places(), work.staff()
    rows: list[dict[str, Any]] = [
        {
            "staff": staff,
            "unit": places.name(staff.unit),
            "may": staff.id != mine.id and staff.role in _given(mine),
        }
        for staff in accounts.all(db.get())
        if staff.role in ROLES and _within(staff.unit)
    ]
    rows.sort(key=lambda row: (row["unit"], ROLES.index(row["staff"].role), row["staff"].name))
    return render_template(
        "field/people.html",
        wave=None,
        rows=rows,
        values=values,
        faults=faults,
        roles=_given(mine),
        choices=_choices(),
        made=made,
        password=password,
    )
