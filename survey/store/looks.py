"""Looks at the names and addresses of households: each is written down before they are shown.

Their actions end in ".view", ".list" or ".names"; by that the page of the audit finds them.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from survey.db import write
from survey.store import audit


def listed(db: sqlite3.Connection, subject: str, n: int, *, now: datetime, actor: str) -> None:
    """Write down that somebody opens a list of ``n`` households: of a village, or of lots."""
    with write(db):
        audit.append(
            db, at=now, actor=actor, action="household.list", subject=subject[:200],
            detail={"households": n},
        )  # fmt: skip


def one(db: sqlite3.Connection, case: int, *, now: datetime, actor: str) -> None:
    """Write down that somebody opens the page of one household."""
    with write(db):
        audit.append(db, at=now, actor=actor, action="household.view", subject=str(case))
