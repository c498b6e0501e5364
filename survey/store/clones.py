"""What the clone of a wave takes over from it besides its settings: counters, plans of a sample."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from survey.db import write
from survey.store import doors, draws, frames, plans


def copy_doors(db: sqlite3.Connection, source: str, to: str, *, now: datetime, actor: str) -> int:
    """Give a wave the open counters of another one, with how their kiosks show themselves."""
    with write(db):
        found = [door for door in doors.of_wave(db, source) if door.closed_at is None]
        for door in found:
            made = doors.add(
                db, kind="counter", wave=to, unit=door.unit, resolving=door.resolving,
                counter=door.counter, service=door.service, label=door.label, now=now, actor=actor,
            )  # fmt: skip
            doors.adjust(db, made.id, door.kiosk, now=now, actor=actor)
    return len(found)


def copy_sample(db: sqlite3.Connection, source: str, to: str, *, now: datetime, actor: str) -> int:
    """Give a wave the villages and the plans of another one; returns how many villages.

    Nothing is drawn: the new wave draws its own sample by its own seed.  Lists of households
    hold names and stay where they were given.
    """
    with write(db):
        found = frames.villages(db, source)
        if found:
            held = frames.get(db, source, "village")
            name = held.source if held else source
            frames.put_villages(db, to, found, whole=True, source=name, now=now, actor=actor)
        draws.set_plan(db, to, draws.get(db, source).plan, now=now, actor=actor)
        paper = replace(plans.get(db, source), seed="")
        plans.set(db, to, paper, now=now, actor=actor)
    return len(found)
