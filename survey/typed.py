"""What people typed, cleaned, and who has changed something meanwhile."""

from __future__ import annotations

import unicodedata

from survey import db
from survey.store import Refused, people
from survey.text import clock, day, t


def line(text: str) -> str:
    """Return a line that somebody typed: NFC, one blank between words, nothing unprintable."""
    words = unicodedata.normalize("NFC", text).split()
    return " ".join("".join(c for c in word if c.isprintable()) for word in words).strip()


def number(text: str) -> int | None:
    """Return a count or version that a form sent; None for what is none, or none that we gave."""
    return int(text) if text.isdecimal() and len(text) <= len("999999999") else None


def name_of(actor: str) -> str:
    """Return the name of who did something ("staff:ha.pham"), as people know them."""
    kind, _, username = actor.partition(":")
    staff = people.find(db.get(), username) if kind == "staff" else None
    if kind == "shell":
        shell = t("running.shell")
        return shell[:1].upper() + shell[1:]
    return staff.name if staff else username or actor


def changed(refusal: Refused) -> str:
    """Say who changed it meanwhile, and when; raises any other refusal."""
    if refusal.code != "onestop_changed":
        raise refusal
    who, at = str(refusal.facts["who"]), str(refusal.facts["at"])
    return t("refused.onestop_changed", who=name_of(who), at=clock(at), on=day(at))
