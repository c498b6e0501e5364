"""Doors: what the token of an address opens, and for which unit, wave and dossier or case."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from survey.db import write
from survey.store import Refused, audit, units, waves
from survey.store.clock import stamp

#: Seconds of silence before a kiosk asks whether somebody is still there.
IDLE = range(20, 301)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the kiosk of a counter shows itself to everybody who steps before it.

    ``language`` "" is the one its address asks for; ``sound`` offers recordings where there are
    any, and never plays them by itself.
    """

    idle: int = 60
    language: str = ""
    large: bool = False
    contrast: bool = False
    sound: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for what no kiosk can be set to."""
        if self.idle not in IDLE:
            raise ValueError(f"idle {self.idle} is not in {IDLE.start}..{IDLE.stop - 1}")
        if self.language and not (self.language.isalpha() and len(self.language) <= 3):
            raise ValueError(f"language {self.language!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One way in.  ``counter`` takes many answers, ``dossier`` and ``case`` one each.

    ``unit`` is the unit that receives people, ``resolving`` the one that decides, when another.
    ``label`` is what staff call it; ``closed_at`` is set when its poster was taken down.
    """

    id: int
    kind: str
    wave: str
    unit: str
    resolving: str | None = None
    counter: str | None = None
    service: str | None = None
    case_id: int | None = None
    dossier_key: str | None = None
    label: str = ""
    closed_at: str | None = None
    settings: str = "{}"

    @property
    def kiosk(self) -> Settings:
        """How the kiosk of this counter shows itself."""
        return Settings(**json.loads(self.settings))


_SELECT = (
    "SELECT id, kind, wave, unit, resolving, counter, service, case_id, dossier_key, label,"
    " closed_at, settings FROM door"
)


def get(db: sqlite3.Connection, id: int) -> Door:
    """The door with this id; raises LookupError."""
    row = db.execute(_SELECT + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return Door(**dict(row))


def of_wave(db: sqlite3.Connection, wave: str, kind: str = "counter") -> list[Door]:
    """The doors of one kind of a wave, oldest first."""
    rows = db.execute(
        _SELECT + " WHERE wave = :wave AND kind = :kind ORDER BY id",
        {"wave": wave, "kind": kind},
    )
    return [Door(**dict(row)) for row in rows]


def add(
    db: sqlite3.Connection,
    *,
    kind: str,
    wave: str,
    unit: str,
    now: datetime,
    actor: str,
    resolving: str | None = None,
    counter: str | None = None,
    service: str | None = None,
    case_id: int | None = None,
    dossier_key: str | None = None,
    label: str = "",
) -> Door:
    """Open one door; a dossier that has one keeps it, whoever asks again.

    Raises LookupError for an unknown wave or unit, ValueError when the kind does not fit.
    """
    if (kind == "case") != (case_id is not None) or (kind == "dossier") != bool(dossier_key):
        raise ValueError(f"a door of kind {kind!r} needs its own key and no other")
    with write(db):
        waves.get(db, wave)
        for id in (unit, *([resolving] if resolving else [])):
            if units.get(db, id) is None:
                raise LookupError(id)
        row: dict[str, object] = {
            "kind": kind, "wave": wave, "unit": unit, "resolving": resolving, "counter": counter,
            "service": service, "case_id": case_id, "dossier_key": dossier_key, "label": label,
            "created_at": stamp(now),
        }  # fmt: skip
        made = _insert(db, row)
        if made is None:
            return _of_dossier(db, dossier_key, wave=wave)
        if kind == "counter":
            audit.append(db, at=now, actor=actor, action="door.add", subject=str(made), detail=row)
        return get(db, made)


def add_cases(
    db: sqlite3.Connection, doors: Iterable[tuple[str, str, int]], *, now: datetime
) -> int:
    """Open doors for sampled cases in bulk: (wave, unit, case id) each; returns how many."""
    at = stamp(now)
    with write(db):
        cursor = db.executemany(
            "INSERT INTO door (kind, wave, unit, case_id, created_at)"
            " VALUES ('case', :wave, :unit, :case_id, :at)",
            ({"wave": wave, "unit": unit, "case_id": case, "at": at} for wave, unit, case in doors),
        )
    return cursor.rowcount


def close(db: sqlite3.Connection, id: int, *, now: datetime, actor: str) -> Door:
    """Take no more answers through this door; raises LookupError."""
    with write(db):
        get(db, id)
        changed = db.execute(
            "UPDATE door SET closed_at = :at WHERE id = :id AND closed_at IS NULL",
            {"id": id, "at": stamp(now)},
        ).rowcount
        if changed:
            audit.append(db, at=now, actor=actor, action="door.close", subject=str(id))
        return get(db, id)


def adjust(
    db: sqlite3.Connection, id: int, settings: Settings, *, now: datetime, actor: str
) -> Door:
    """Set the kiosk of a counter; raises LookupError, ValueError for a door of one answer."""
    with write(db):
        door = get(db, id)
        if door.kind != "counter":
            raise ValueError(f"door {id} is no counter's")
        if door.kiosk != settings:
            row = asdict(settings)
            db.execute(
                "UPDATE door SET settings = :settings WHERE id = :id",
                {"id": id, "settings": json.dumps(row, sort_keys=True)},
            )
            audit.append(db, at=now, actor=actor, action="door.set", subject=str(id), detail=row)
        return get(db, id)


def _insert(db: sqlite3.Connection, row: dict[str, object]) -> int | None:
    """The new door's id, None when the dossier has one."""
    made = db.execute(
        "INSERT INTO door (kind, wave, unit, resolving, counter, service, case_id, dossier_key,"
        " label, created_at) VALUES (:kind, :wave, :unit, :resolving, :counter, :service,"
        " :case_id, :dossier_key, :label, :created_at)"
        " ON CONFLICT (dossier_key) DO NOTHING RETURNING id",
        row,
    ).fetchone()
    return made["id"] if made else None


def _of_dossier(db: sqlite3.Connection, dossier_key: str | None, *, wave: str) -> Door:
    row = db.execute(
        _SELECT + " WHERE dossier_key = :key",
        {"key": dossier_key},
    ).fetchone()
    if row["wave"] != wave:
        raise Refused("other_wave", 409, wave=row["wave"])
    return Door(**dict(row))
