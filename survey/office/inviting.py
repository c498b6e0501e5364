"""Invitations made: the link is shown once to hand over, or sent by mail where that is set up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec

from flask import abort, request, url_for

from survey import db, services, signs, work
from survey.office import choices
from survey.store import Refused, audit, clock, invitations, people, rights
from survey.store.invitations import Invitation, Wish
from survey.text import clock as hour
from survey.text import day, t

#: As strict as a form need be; the mail server knows the rest.
_MAIL = re.compile(r"[^\s@<>,;:\"()]{1,64}@[^\s@<>,;:\"()]+\.[^\s@<>,;:\"()]{2,}")
LONGEST_MAIL = 200


@dataclass(frozen=True, slots=True)
class Link:
    """A link to hand over: nobody can read it again; ``sent`` is where it was mailed to."""

    name: str
    address: str
    until: str
    sent: str = ""


def is_mail(text: str) -> bool:
    """Say whether a text looks like one mail address and nothing else."""
    return len(text) <= LONGEST_MAIL and bool(_MAIL.fullmatch(text))


def mails() -> bool:
    """Say whether this instance sends mail."""
    alerts = import_module("survey.alerts") if find_spec("survey.alerts") else None
    ready = getattr(alerts, "mails", None)
    return bool(ready and ready())


def invite(values: dict[str, str], unit: str) -> Link:
    """Invite somebody into a unit."""
    wish = Wish(unit=unit, **values)
    return _handed(wish)


def renew(found: Invitation) -> Link:
    """Withdraw an invitation and make the same one anew."""
    withdraw(found)
    return _handed(found.wish)


def withdraw(found: Invitation) -> bool:
    """End an invitation; False when it had ended."""
    job = partial(invitations.withdraw, id=found.id, now=clock.now(), actor=work.actor())
    return bool(services().writer.run(job))


def of(number: int) -> Invitation:
    """Return an invitation of the reader's part, or end the request."""
    found = invitations.get(db.get(), number)
    if found is None or not rights.within(db.get(), found.wish.unit, work.staff().unit):
        abort(404, t("people.no_invitation"))
    return found


def waiting(unit: str) -> list[dict[str, object]]:
    """Return the invitations into a unit that nobody has used."""
    now = clock.stamp(clock.now())
    return [
        {
            "id": one.id,
            "wish": one.wish,
            "until": day(one.expires_at),
            "over": one.expires_at <= now,
        }
        for one in invitations.waiting(db.get(), now=clock.now())
        if one.wish.unit == unit
    ]


def meanwhile(username: str) -> str:
    """Say who has changed an account since the form was opened, and when."""
    last = audit.last(db.get(), "staff.change", username)
    who = people.find(db.get(), (last.actor if last else "").removeprefix("staff:"))
    name = who.name if who else (last.actor if last else "")
    return t("people.meanwhile", name=name, at=hour(last.at) if last else "")


def _handed(wish: Wish) -> Link:
    job = partial(invitations.make, wish=wish, inviter=work.staff(), now=clock.now())
    made, token = services().writer.run(job)
    path = url_for("invites.open", token=token)
    try:
        address = signs.root(otherwise=request.host_url) + path
    except signs.AddressError as fault:
        raise Refused("no_address", 422, reason=str(fault)) from None
    link = Link(made.wish.name, address, f"{hour(made.expires_at)} {day(made.expires_at)}")
    if not (wish.mail and mails()):
        return link
    text = t(
        "people.mail_text", name=wish.name, unit=choices.title(wish.unit), link=address,
        role=t(f"role.{wish.role}"), until=link.until,
    )  # fmt: skip
    send = import_module("survey.alerts").mail
    services().writer.run(
        partial(send, to=wish.mail, subject=t("people.mail_subject"), text=text, now=clock.now())
    )
    return Link(link.name, link.address, link.until, wish.mail)
