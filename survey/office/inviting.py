"""Invitations made: the link is shown once to hand over, or sent by mail where that is set up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from flask import abort, request, url_for

from survey import db, mail, services, work
from survey.counter import signs
from survey.office import choices
from survey.store import Refused, audit, clock, invitations, people, rights
from survey.store.invitations import Invitation, Wish
from survey.text import clock as hour
from survey.text import day, t


@dataclass(frozen=True, slots=True)
class Link:
    """A link to hand over: nobody can read it again.

    ``sent`` is where it was mailed to, ``unsent`` why it was not.
    """

    name: str
    address: str
    until: str
    sent: str = ""
    unsent: str = ""


def mails() -> bool:
    """Say whether this instance sends mail, and in order."""
    try:
        return mail.mailer(services().settings.instance) is not None
    except mail.SetupError:
        return False


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
        "people.mail_text", name=wish.name, unit=choices.inside(wish.unit), link=address,
        role=t(f"role.{wish.role}"), until=link.until,
    )  # fmt: skip
    return _sent(link, wish.mail, text)


def _sent(link: Link, to: str, text: str) -> Link:
    """Mail a link; where that fails it is shown to be handed over."""
    found = mail.mailer(services().settings.instance)
    try:
        if found is not None:
            found[1].send(to, t("people.mail_subject"), text)
    except mail.MailError as fault:
        return replace(link, unsent=t("people.unsent", mail=to, reason=str(fault)))
    return replace(link, sent=to)
