"""Which wave an address of the office is about, and whether its reader may see or change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort

from survey import db, guard, work
from survey.store import waves
from survey.text import t

if TYPE_CHECKING:
    from survey.store.waves import Wave


def wave(key: str) -> Wave:
    """Return a wave the reader may see, or end the request."""
    try:
        found = waves.get(db.get(), key)
    except LookupError:
        abort(404, t("staff.no_wave"))
    work.demand(found.owner)
    return found


def owned(key: str) -> Wave:
    """Return a wave the reader may change, or end the request."""
    found = wave(key)
    guard.owns(found.owner)
    return found
