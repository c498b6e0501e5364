"""Trial runs: a companion of a wave that takes real taps apart from all figures, and is emptied."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

from survey.db import write
from survey.store import Refused, audit, doors, waves
from survey.store.clock import day
from survey.store.waves import Wave

#: What the key of a trial ends in.
END = "-thu"
#: Days that a trial is open.
DAYS = 14


def begin(db: sqlite3.Connection, key: str, *, now: datetime, actor: str) -> Wave:
    """Open the trial of a wave from today on, with a counter for each of the wave's own.

    A trial is answered at counters and on telephones only, whatever the wave will be: a sample has
    no trial.  One that is there is brought to the wave as it is now, and its time begins again.
    Raises LookupError; Refused ``trial_of_trial`` (409), ``trial_filled`` (409) for one that holds
    answers to be emptied first, ``trial_taken`` (409) where another wave has its key.
    """
    with write(db):
        wave, today = waves.get(db, key), day(now)
        if wave.trial_of is not None:
            raise Refused("trial_of_trial", 409)
        made = replace(
            wave, key=key + END, kind="self_selected", opens_on=today,
            closes_on=today + timedelta(DAYS), closed_at=None, stage="live", trial_of=key,
            series="", settled=None, version=1,
        )  # fmt: skip
        held = next((one for one in waves.trials(db, key) if one.key == made.key), None)
        if held is None:
            try:
                waves.new(db, made, now=now, actor=actor)
            except Refused as refusal:
                if refusal.code != "exists":
                    raise
                raise Refused("trial_taken", 409, name=made.key) from None
        elif counted(db, held.key):
            raise Refused("trial_filled", 409, n=counted(db, held.key))
        else:
            made = waves.renew(db, replace(made, version=held.version), now=now, actor=actor)
        _doors(db, wave, made, now=now, actor=actor)
    return made


def _doors(db: sqlite3.Connection, wave: Wave, trial: Wave, *, now: datetime, actor: str) -> None:
    """Give a trial the open counters of its wave that it has not yet; at least one of its owner."""
    held = {
        (door.unit, door.counter, door.service, door.label)
        for door in doors.of_wave(db, trial.key)
        if door.closed_at is None
    }
    for door in doors.of_wave(db, wave.key):
        if door.closed_at or (door.unit, door.counter, door.service, door.label) in held:
            continue
        doors.add(
            db, kind="counter", wave=trial.key, unit=door.unit, resolving=door.resolving,
            counter=door.counter, service=door.service, label=door.label, now=now, actor=actor,
        )  # fmt: skip
    if not doors.of_wave(db, trial.key):
        doors.add(
            db, kind="counter", wave=trial.key, unit=wave.owner, label="Bản thử", now=now,
            actor=actor,
        )  # fmt: skip


def counted(db: sqlite3.Connection, key: str) -> int:
    """How many answers a trial holds."""
    row = db.execute("SELECT COUNT(*) FROM response WHERE wave = :wave", {"wave": key}).fetchone()
    return int(row[0])


def empty(db: sqlite3.Connection, key: str, *, now: datetime, actor: str) -> int:
    """Throw away every answer of a trial, and what was counted of them; returns how many.

    The one place where answers are deleted: those of a trial are nobody's opinion.
    Raises LookupError; Refused ``no_trial`` (409) for a wave that is none.
    """
    with write(db):
        if waves.get(db, key).trial_of is None:
            raise Refused("no_trial", 409)
        of = {"wave": key}
        db.execute(
            "DELETE FROM contact WHERE response IN (SELECT id FROM response WHERE wave = :wave)", of
        )
        db.execute(
            "DELETE FROM dossier_answer"
            " WHERE response IN (SELECT id FROM response WHERE wave = :wave)",
            of,
        )
        for statement in (
            "DELETE FROM tally WHERE wave = :wave",
            "DELETE FROM tally_mark WHERE wave = :wave",
            "DELETE FROM tally_dirty WHERE wave = :wave",
            "DELETE FROM tally_day WHERE wave = :wave",
        ):
            db.execute(statement, of)
        gone = db.execute("DELETE FROM response WHERE wave = :wave", of).rowcount
        audit.append(db, at=now, actor=actor, action="wave.empty", subject=key, detail={"n": gone})
    return gone
