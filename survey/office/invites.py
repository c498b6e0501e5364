"""The page an invitation leads to: somebody chooses a user name and a password of their own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, url_for
from wtforms import PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired

from survey import db, guard, rooms, services
from survey.office import choices, passwords
from survey.store import Refused, clock, invitations, people
from survey.text import clock as hour
from survey.text import day, t

if TYPE_CHECKING:
    from werkzeug.wrappers import Response
    from wtforms import Field

bp = Blueprint("invites", __name__)

LONGEST = 100


class InviteForm(passwords.NewPassword):
    """A user name and a password, entered twice; whoever has the link is whom it was given to."""

    class Meta:
        """The link itself is the token: nobody else knows the address to send this to."""

        csrf = False

    username = StringField(t("staff.username"), [InputRequired(t("staff.need_username"))])
    new = PasswordField(t("people.secret"), [InputRequired(t("staff.need_secret"))])
    again = PasswordField(t("people.secret_again"), [InputRequired(t("staff.need_again"))])

    def validate_username(self, field: Field) -> None:
        """Refuse what is no user name."""
        login = people.login_name(field.data)
        if not login or len(login) > LONGEST or not login.isprintable() or " " in login:
            raise ValidationError(t("people.need_username"))
        self.owner = login


@bp.route("/invite/<token>", methods=["GET", "POST"])
@guard.public
def open(token: str) -> Response | str | tuple[str, int]:
    """Show what a link promises, and make the account; a link that is over says only that."""
    found = invitations.find(db.get(), token, now=clock.now())
    form = InviteForm()
    if not form.is_submitted():
        form.username.data = found.wish.username
    elif form.validate():
        accept = partial(
            invitations.accept, token=token, username=form.username.data,
            password_hash=people.hashed(form.new.data), now=clock.now(),
        )  # fmt: skip
        try:
            made = services().writer.run(accept)
        except Refused as refusal:
            if refusal.code != "exists":
                raise
            form.username.errors = [t("people.taken", name=form.username.data)]
        else:
            guard.sign_in(made)
            flash(t("people.welcome", name=made.name))
            return redirect(rooms.home(), 303)
    page = render_template(
        "office/invite.html",
        form=form,
        name=found.wish.name,
        role=t(f"role.{found.wish.role}"),
        unit=choices.inside(found.wish.unit),
        until=f"{hour(found.expires_at)} {day(found.expires_at)}",
        home=url_for("pages.front"),
    )
    return (page, 422) if form.errors else page
