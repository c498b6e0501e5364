"""Who may give which rights to whom: inside one's own unit, and never more than one has."""

from __future__ import annotations

import sqlite3

from survey.store import people, units
from survey.store.people import Staff


def within(db: sqlite3.Connection, unit: str, scope: str) -> bool:
    """Whether a unit is ``scope`` or lies under it; "" is the whole instance."""
    return not scope or bool(unit and scope in units.path(db, unit))


def sees(db: sqlite3.Connection, reader: Staff, other: Staff) -> bool:
    """Whether an account belongs to the reader's part of the instance."""
    return within(db, other.unit, reader.unit)


def manages(db: sqlite3.Connection, actor: Staff, other: Staff) -> bool:
    """Whether somebody may change an account: an administrator of its unit, never one's own."""
    return (
        actor.role == "administrator" and not actor.disabled and actor.id != other.id
        and sees(db, actor, other)
    )  # fmt: skip


def gives(db: sqlite3.Connection, actor: Staff, role: str, unit: str) -> bool:
    """Whether somebody may make an account of a role in a unit."""
    return (
        actor.role == "administrator" and not actor.disabled and role in people.ROLES
        and within(db, unit, actor.unit) and (not unit or units.get(db, unit) is not None)
    )  # fmt: skip
