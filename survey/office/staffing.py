"""People and their rights: the tree of units with the accounts of each, made, moved and shut."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from survey import db, guard, services, work
from survey import mail as posts
from survey.office import choices, inviting
from survey.store import Refused, clock, factors, lots, people, rights, sessions
from survey.text import t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from survey.store.people import Staff

bp = Blueprint("staffing", __name__, url_prefix="/office/people")

READERS, CHANGERS = ("administrator", "auditor"), ("administrator",)
#: Accounts that a search lists.
MOST = 200
LONGEST = 100
#: What is asked of a person, in the order of the form.
FIELDS = ("name", "username", "role", "officer", "mail")


@bp.get("")
@guard.roles(*READERS)
def index() -> str:
    """Show the people of a unit and the units below it, or what a search finds."""
    return _page({}, {})


@bp.post("")
@guard.roles(*CHANGERS)
def add() -> str | tuple[str, int]:
    """Invite somebody, or make an account whose first password is shown once."""
    unit, do = _unit(), request.form.get("do", "")
    if do not in ("invite", "add"):
        abort(400)
    guard.owns(unit) if unit else guard.system()
    values = {name: people.plain(request.form.get(name, "")).strip() for name in FIELDS}
    faults = _faults(values, mail=do == "invite")
    if faults:
        return _page(values, faults), 422
    try:
        return _invite(values, unit) if do == "invite" else _add(values, unit)
    except Refused as refusal:
        if refusal.code != "exists":
            raise
        return _page(values, {"username": t("people.taken", name=values["username"])}), 422


@bp.get("/<int:number>")
@guard.roles(*READERS)
def one(number: int) -> str:
    """Show one account and what may be done with it."""
    return _one(_seen(number), {}, {})


@bp.post("/<int:number>")
@guard.roles(*CHANGERS)
def change(number: int) -> Response | str | tuple[str, int]:
    """Change what somebody is, or shut, open or reset the account."""
    found, do, now = _theirs(number), request.form.get("do", ""), clock.now()
    act: dict[str, Any] = {"id": number, "now": now, "actor": work.actor()}
    if do == "save":
        return _save(found)
    if do == "reset":
        password = people.first_password()
        job = partial(
            people.set_password, password_hash=people.hashed(password), must_change=True, **act
        )
        return _page({}, {}, made=services().writer.run(job), password=password)
    jobs = {
        "end": partial(people.end_sessions, **act),
        "factor": partial(people.drop_factor, **act),
        "disable": partial(people.disable, disabled=True, **act),
        "enable": partial(people.disable, disabled=False, **act),
    }
    if do not in jobs:
        abort(400)
    try:
        services().writer.run(jobs[do])
    except LookupError:
        raise Refused("no_factor", 409) from None
    flash(t(f"people.done_{do}", name=found.name))
    if do == "disable" and (out := lots.carried(db.get(), found.id)):
        codes = ", ".join(lot.code for lot in out)
        flash(t("field.lots_out", name=found.name, n=len(out), lots=codes))
    return redirect(url_for(".one", number=number), 303)


def _save(found: Staff) -> Response | tuple[str, int]:
    """Store what the form says a person is; what somebody else changed meanwhile stays."""
    values = {name: people.plain(request.form.get(name, "")).strip() for name in FIELDS}
    values["unit"] = request.form.get("unit", "")
    values["username"] = found.username
    faults = _faults(values, mail=False)
    if not rights.gives(db.get(), work.staff(), values["role"], values["unit"]):
        faults.setdefault("unit", t("people.need_unit"))
    if faults:
        return _one(found, values, faults), 422
    wish = people.Post(values["name"], values["role"], values["unit"], values["officer"])
    seen = people.Post(*(request.form.get(f"seen_{name}", "") for name in asdict(wish)))
    job = partial(
        people.move, id=found.id, wish=wish, seen=seen, now=clock.now(), actor=work.actor()
    )
    try:
        services().writer.run(job)
    except Refused as refusal:
        if refusal.code != "changed_meanwhile":
            raise
        return _one(_theirs(found.id), values, {"name": inviting.meanwhile(found.username)}), 409
    flash(t("people.done_save", name=values["name"]))
    if not rights.sees(db.get(), work.staff(), _known(found.id)):
        return redirect(url_for(".index"), 303)
    return redirect(url_for(".one", number=found.id), 303)


@bp.post("/invitations/<int:number>")
@guard.roles(*CHANGERS)
def answer(number: int) -> Response | str:
    """Withdraw an invitation, or put a new link in the place of the old one."""
    found, do = inviting.of(number), request.form.get("do", "")
    if do not in ("withdraw", "renew"):
        abort(400)
    if do == "renew":
        return _page({}, {}, invited=inviting.renew(found), unit=found.wish.unit)
    if inviting.withdraw(found):
        flash(t("people.withdrawn", name=found.wish.name))
    return redirect(url_for(".index", unit=found.wish.unit or None), 303)


def _invite(values: Mapping[str, str], unit: str) -> str:
    return _page({}, {}, invited=inviting.invite(dict(values), unit), unit=unit)


def _add(values: Mapping[str, str], unit: str) -> str:
    if not rights.gives(db.get(), work.staff(), values["role"], unit):
        abort(403, t("staff.refused_page"))
    password = people.first_password()
    job = partial(
        people.add, username=values["username"], name=values["name"], role=values["role"],
        unit=unit, officer=values["officer"], password_hash=people.hashed(password),
        now=clock.now(), actor=work.actor(),
    )  # fmt: skip
    return _page({}, {}, made=services().writer.run(job), password=password, unit=unit)


def _faults(values: Mapping[str, str], *, mail: bool) -> dict[str, str]:
    """Return what is wrong with a person's form, by field."""
    faults = {}
    login, name = people.login_name(values["username"]), values["name"]
    if not login or len(login) > LONGEST or not login.isprintable() or " " in login:
        faults["username"] = t("people.need_username")
    if not name or len(name) > LONGEST or not name.isprintable():
        faults["name"] = t("people.need_name")
    if values["role"] not in people.ROLES:
        faults["role"] = t("people.need_role")
    if len(values["officer"]) > LONGEST or not values["officer"].isprintable():
        faults["officer"] = t("people.need_officer")
    if mail and values["mail"] and not posts.fits(values["mail"]):
        faults["mail"] = t("people.need_mail")
    return faults


def _unit() -> str:
    """Return the unit the page is about: the one asked for, else that of the reader."""
    asked = request.values.get("unit", "")
    if not asked:
        return work.staff().unit
    if not rights.within(db.get(), asked, work.staff().unit):
        abort(403, t("staff.refused_page"))
    return asked if choices.known(asked) else abort(404)


def _known(number: int) -> Staff:
    return people.get(db.get(), number) or abort(404, t("people.nobody"))


def _seen(number: int) -> Staff:
    """Return an account of the reader's part; one of another part is as none."""
    found = people.get(db.get(), number)
    if found is None or not rights.sees(db.get(), work.staff(), found):
        abort(404, t("people.nobody"))
    return found


def _theirs(number: int) -> Staff:
    """Return an account that the reader may change; nobody changes the own one here."""
    found = _seen(number)
    if not rights.manages(db.get(), work.staff(), found):
        abort(403, t("people.not_oneself"))
    return found


def _page(
    values: Mapping[str, str], faults: Mapping[str, str], *, made: Staff | None = None,
    password: str = "", invited: inviting.Link | None = None, unit: str | None = None,
) -> str:  # fmt: skip
    mine = work.staff()
    unit = _unit() if unit is None else unit
    tree, query = choices.Numbers(), request.args.get("q", "").strip()[:LONGEST]
    if made is not None:
        unit = made.unit
    found = _found(query) if query else people.of_unit(db.get(), unit)
    second = factors.holders(db.get())
    return render_template(
        "office/people.html",
        unit=unit,
        heading=choices.title(unit),
        inside=choices.inside(unit),
        path=choices.above(unit, mine.unit),
        below=[] if query else tree.below(unit),
        rows=[
            {"staff": staff, "unit": choices.title(staff.unit), "factor": staff.id in second}
            for staff in found[:MOST]
        ],
        more=len(found) > MOST,
        query=query,
        values=values,
        faults=faults,
        roles=people.ROLES,
        made=made,
        password=password,
        invited=invited,
        invitations=inviting.waiting(unit),
        able=mine.role in CHANGERS,
        mails=inviting.mails(),
    )


def _found(query: str) -> list[Staff]:
    """Return the accounts of the reader's part whose name fits, with diacritics or without."""
    wanted, mine, within = choices.folded(query), work.staff(), choices.Within()
    return [
        staff
        for staff in people.all(db.get())
        if wanted in choices.folded(f"{staff.name} {staff.username}")
        and within(staff.unit, mine.unit)
    ]


def _one(found: Staff, values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    mine, now = work.staff(), clock.now()
    post = asdict(people.post(found))
    able = rights.manages(db.get(), mine, found)
    return render_template(
        "office/person.html",
        person=found,
        seen=post,
        values=values or post,
        faults=faults,
        roles=people.ROLES,
        unit=choices.title(found.unit),
        inside=choices.inside(found.unit),
        units=choices.offered(found.unit, mine.unit) if able else [],
        sessions=len(
            sessions.running(db.get(), found.id, now=now, idle=guard.IDLE, longest=guard.LONGEST)
        ),
        factor=factors.held(db.get(), found.id) is not None,
        able=able,
        oneself=found.id == mine.id,
    )
