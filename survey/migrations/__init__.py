"""The schema as numbered steps; each step and its mark are one transaction."""

from __future__ import annotations

import sqlite3
from importlib import import_module

from sqlite_utils import Database

from survey.db import write
from survey.migrations.schema import schema as schema

#: Modules of steps; their order is that of the steps.
STEPS = (
    "citizens",
    "paper",
    "office",
    "people",
    "running",
    "board",
    "jobs",
    "external",
    "onestop",
    "datafiles",
    "feedback",
)
for _name in STEPS:
    import_module(f"survey.migrations.{_name}")


def migrate(db: sqlite3.Connection) -> list[str]:
    """Bring the database up to date; returns the names of the steps done now.

    Every step runs with its mark inside one ``BEGIN IMMEDIATE`` transaction (sqlite-utils nests
    as savepoints in it), so a killed process leaves whole steps only and two processes that
    start together do each step once.
    """
    done: list[str] = []
    while True:
        with write(db):
            tables = Database(db, recursive_triggers=False, execute_plugins=False)
            names = [step.name for step in schema.pending(tables)]
            if not names:
                return done
            schema.apply(tables, stop_before=names[1:2])
        done.append(names[0])


def pending(db: sqlite3.Connection) -> list[str]:
    """Names of the steps still to do; changes nothing."""
    tables = Database(db, recursive_triggers=False, execute_plugins=False)
    return [step.name for step in schema.pending(tables)]


def unknown(db: sqlite3.Connection) -> list[str]:
    """Steps this database has behind it that this program does not know: a newer program's."""
    tables = Database(db, recursive_triggers=False, execute_plugins=False)
    ours = {step.name for step in schema._migrations}
    return [step.name for step in schema.applied(tables) if step.name not in ours]
