"""Dossiers of the one-stop shop, and apart from them which of them had an answer."""

from __future__ import annotations

import sqlite3

from survey.store import Refused


def answered(db: sqlite3.Connection, key: str) -> bool:
    """Whether somebody answered for this dossier; not who or what."""
    found = db.execute("SELECT 1 FROM dossier_answer WHERE dossier = :key", {"key": key})
    return found.fetchone() is not None


def link(db: sqlite3.Connection, key: str, response: str) -> None:
    """Note that a response answers for a dossier, in the caller's transaction.

    The unique key decides.  Raises Refused ``used`` (409) when the dossier has its answer.
    """
    made = db.execute(
        "INSERT INTO dossier_answer (dossier, response) VALUES (:key, :response)"
        " ON CONFLICT (dossier) DO NOTHING",
        {"key": key, "response": response},
    ).rowcount
    if made != 1:
        raise Refused("used", 409)


def unlink(db: sqlite3.Connection, response: str) -> None:
    """Forget which dossier a response answered for: the dossier may be answered once more."""
    db.execute("DELETE FROM dossier_answer WHERE response = :response", {"response": response})
