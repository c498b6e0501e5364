"""Where this process finds the questionnaires that its instance published by itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from forms import questionnaire
from survey import db

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flask import Flask

    from survey.store.questionnaires import Published


def provide(database: Path) -> None:
    """Have ``forms.questionnaire`` look into this database for what no file holds.

    Every process that reads questionnaires says so once, with the instance it serves.
    """

    def keys() -> tuple[str, ...]:
        return tuple(one.key for one in _published(database))

    def find(key: str) -> tuple[str, Mapping[str, str]] | None:
        held = {one.key: one for one in _published(database)}
        return (held[key].text, held[key].translations) if key in held else None

    questionnaire.provide(questionnaire.Provider(keys, find))


def _published(database: Path) -> list[Published]:
    """Return what was published; nothing while there is no such database, or an older one."""
    from survey.store import questionnaires

    try:
        with closing(db.connect(database, readonly=True, create=False)) as store:
            return questionnaires.all(store)
    except (db.NotStored, sqlite3.OperationalError):
        return []


def init_app(app: Flask) -> None:
    """Provide the application's instance."""
    provide(app.extensions["sipas"].settings.database)
