"""What is not settled when a wave is to be closed, and what happened to it so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import url_for

from survey import guard
from survey.office import wave_form
from survey.store import callbacks, clock, kiosks, people, scans, trials, waves, weighting
from survey.text import clock as hour
from survey.text import day, t, thousands

if TYPE_CHECKING:
    from sqlite3 import Connection

    from survey.store.waves import Wave

#: Changes of a wave that are told field by field.
TOLD = 6


@dataclass(frozen=True, slots=True)
class Found:
    """One thing left open: what it is and where it is settled; ``stops``: closing is refused."""

    words: str
    endpoint: str = ""
    stops: bool = False

    def address(self, wave: str) -> str:
        """Return where it is settled, "" where the reader may not go there."""
        may = bool(self.endpoint) and guard.may(self.endpoint)
        return url_for(self.endpoint, wave=wave) if may else ""


def found(db: Connection, wave: Wave) -> list[Found]:
    """Return everything a wave still has open, what stops its closing first."""
    left = [*_paper(db, wave), *_counters(db, wave)]
    if clock.day(clock.now()) < wave.closes_on:
        left.append(Found(t("running.left.early", on=day(wave.closes_on.isoformat()))))
    for trial in waves.trials(db, wave.key):
        if trial.closed_at is None:
            n = thousands(trials.counted(db, trial.key))
            left.append(Found(t("running.left.trial", wave=trial.key, n=n)))
    return sorted(left, key=lambda one: not one.stops)


def _paper(db: Connection, wave: Wave) -> list[Found]:
    if wave.kind != "probability":
        return []
    left = []
    if weighting.get(db, wave.key) is None:
        left.append(Found(t("running.left.no_weights"), "weighing.index"))
    elif n := weighting.stale(db, wave.key):
        words = t("running.left.stale", n=thousands(n))
        left.append(Found(words, "weighing.index", stops=True))
    if n := waves.unsettled(db, wave.key):
        left.append(Found(t("running.left.unsettled", n=thousands(n)), "verify.index"))
    if n := sum(one.doubts for one in scans.counted(db, wave.key)):
        left.append(Found(t("running.left.doubts", n=thousands(n)), "scans.index"))
    if n := sum(callbacks.waiting(db, wave.key).values()):
        left.append(Found(t("running.left.callbacks", n=thousands(n)), "callbacks.index"))
    return left


def _counters(db: Connection, wave: Wave) -> list[Found]:
    held = [one for one in kiosks.all(db) if one.wave == wave.key and one.unsent]
    if not held:
        return []
    n = thousands(sum(one.unsent for one in held))
    return [Found(t("running.left.unsent", n=n, kiosks=thousands(len(held))), "kiosks.all")]


def merged(db: Connection, wave: Wave, values: dict[str, Any], seen: int) -> dict[str, Any]:
    """Return what was typed into an older version, with what others changed and nobody typed over.

    What was typed on top of somebody else's change stays, for the writer to decide.
    """
    first: dict[str, Any] = {}
    for event in reversed(waves.events(db, wave.key)):
        if event.version > seen:
            for name, one in event.detail.items():
                if isinstance(one, dict):
                    first.setdefault(name, one["from"])
    theirs = wave_form.shown(wave)
    kept = {
        name: theirs[name]
        for name, former in first.items()
        if name in theirs and values.get(name) == wave_form.shown_raw(name, former)
    }
    return values | kept


def events(db: Connection, key: str) -> list[dict[str, object]]:
    """Return what happened to a wave as staff read it, the newest first."""
    names = {f"staff:{one.username}": one.name for one in people.all(db)}
    rows: list[dict[str, object]] = []
    for event in waves.events(db, key):
        changed = [name for name, one in event.detail.items() if isinstance(one, dict)]
        rows.append(
            {
                "at": f"{hour(event.at)} {day(event.at)}",
                "who": names.get(event.actor) or t("running.shell"),
                "what": t(f"running.{event.action}"),
                "reason": event.reason,
                "fields": [(t(f"running.{name}"), event.detail[name]) for name in changed],
            }
        )
    return rows
