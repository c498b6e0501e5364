"""Links by SMS or Zalo: their words, and the sender that an office plugs in (none by default)."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Protocol, TextIO

from survey.counter import signs
from survey.store import clock, messages
from survey.store.doors import Door
from survey.store.waves import Wave
from survey.text import t

#: One part of a message in the phones' own alphabet, and two parts of 67 letters with diacritics.
PLAIN, ACCENTED = 160, 134
OUTBOX = "outbox"
#: Days a file stays in the outbox: it holds telephone numbers, and a gateway fetches sooner.
KEPT = 7
#: Messages a second at most, unless the command says otherwise.
RATE = 5.0
#: Characters of a sender's reason that are kept.
REASON = 200


class SendError(Exception):
    """The sender did not take the message; the text says why and names nobody."""


class TooLongError(ValueError):
    """The public address leaves no room for words; the message says so."""


class SenderError(ValueError):
    """``SIPAS_SENDER`` names no sender; the message says what it may be."""


class Sender(Protocol):
    """What sends one message.  A class named ``module:Class`` is made without arguments.

    ``accents`` says whether it takes Vietnamese with diacritics (Zalo, dear SMS) or only the
    phones' own alphabet.  ``send`` returns when the gateway has taken the message, and raises
    SendError when it has surely not.
    """

    accents: bool

    def send(self, to: str, text: str) -> None:
        """Send ``text`` to the telephone number ``to``."""


class FileSender:
    """Leaves messages as lines of JSON in the instance's outbox, for a gateway to fetch."""

    def __init__(self, folder: Path, accents: bool) -> None:
        self.folder, self.accents = folder, accents

    def send(self, to: str, text: str) -> None:
        """Write one line; it is on the disk when this returns."""
        now = clock.now()
        line = json.dumps({"at": clock.stamp(now), "to": to, "text": text}, ensure_ascii=False)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            path = self.folder / f"{clock.day(now).isoformat()}.jsonl"
            if not path.exists():
                self._sweep(clock.day(now))
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as fault:
            raise SendError(os.strerror(fault.errno or 0)) from fault

    def _sweep(self, today: date) -> None:
        oldest = (today - timedelta(days=KEPT)).isoformat()
        for path in self.folder.glob("????-??-??.jsonl"):
            if path.stem < oldest:
                path.unlink(missing_ok=True)


class ConsoleSender:
    """Shows messages, for trying out; all but the end of the number is hidden."""

    def __init__(self, out: TextIO, accents: bool) -> None:
        self.out, self.accents = out, accents

    def send(self, to: str, text: str) -> None:
        """Print one message."""
        print(f"{masked(to)}: {text}", file=self.out)


def sender(instance: Path, environ: Mapping[str, str] = os.environ) -> tuple[str, Sender] | None:
    """The sender that ``SIPAS_SENDER`` names, with its name; None when sending is off.

    ``SIPAS_SENDER_ACCENTS`` (1 or 0) decides for the shipped senders about diacritics.

    Raises SenderError for what is no sender.
    """
    name = environ.get("SIPAS_SENDER", "").strip() or "off"
    accents = environ.get("SIPAS_SENDER_ACCENTS", "").strip() in {"1", "true", "yes"}
    if name == "off":
        return None
    if name == "file":
        return name, FileSender(instance / OUTBOX, accents)
    if name == "console":
        return name, ConsoleSender(sys.stdout, accents)
    module, _, kind = name.partition(":")
    try:
        made: Sender = getattr(import_module(module), kind)()
        made.accents = bool(made.accents)
    except (ImportError, AttributeError, TypeError, ValueError) as fault:
        raise SenderError(t("message.no_sender", name=name, fault=str(fault))) from fault
    return name, made


def text(dossier: str, door: Door, wave: Wave, *, secret: bytes, root: str, accents: bool) -> str:
    """The message for one dossier: the fullest wording that fits, the link always whole.

    Raises TooLongError when not even the shortest fits: the public address is too long.
    """
    link = signs.link(secret, root, door)
    owner = (wave.owner_name or wave.name).replace(
        t("message.owner_long"), t("message.owner_short")
    )
    for key in ("message.full", "message.named", "message.short", "message.least"):
        words = t(key, dossier=dossier, owner=owner, link=link)
        found = unicodedata.normalize("NFC", words) if accents else unaccented(words)
        if len(found) <= (ACCENTED if accents else PLAIN) and link in found:
            return found
    raise TooLongError(t("message.too_long", root=root))


def unaccented(text: str) -> str:
    """Vietnamese in the letters every phone has: no diacritics, đ as d, what is left out as ?"""
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    bare = bare.translate({0x2013: "-", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x00A0: " "})
    return "".join(letter if letter in _GSM else "?" for letter in bare)


#: The letters of GSM 03.38's first table that Vietnamese needs: one place each in a message.
_GSM = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 @$_!\"#%&'()*+,-./:;<=>?"
)


def masked(phone: str) -> str:
    """A telephone number as it may be shown: its last three digits."""
    return "•" * max(0, len(phone) - 3) + phone[-3:]


@dataclass(frozen=True, slots=True)
class Job:
    """One run: whose dossiers, by whom, from which address, how fast."""

    wave: Wave
    unit: str
    root: str
    secret: bytes
    actor: str
    rate: float = RATE


def deliver(
    db: sqlite3.Connection, job: Job, via: str, by: Sender, *,
    now: Callable[[], datetime] = clock.now, pause: Callable[[float], None] = time.sleep,
) -> Iterator[bool]:  # fmt: skip
    """Send every link that is due, one by one: True for a sent one, False for a failed one.

    A dossier is taken in the database before its message goes out, so that no second run, at the
    same time or after a crash, sends it again.  Whatever a sender raises but SendError ends the
    run: nobody knows whether that message went.
    """
    sent = failed = 0
    wanted = list(messages.due(db, job.wave, job.unit, today=clock.day(now())))
    try:
        for each in wanted:
            held = messages.take(db, job.wave, each, via=via, now=now(), actor=job.actor)
            if held is None:
                continue
            if sent + failed:
                pause(1 / job.rate)
            fault = _send(job, by, each.dossier, held)
            messages.finish(db, held.id, fault)
            sent, failed = sent + (not fault), failed + bool(fault)
            yield not fault
    finally:
        if sent + failed:
            messages.note(db, job.wave.key, sent, failed, via=via, now=now(), actor=job.actor)


def _send(job: Job, by: Sender, dossier: str, held: messages.Held) -> str:
    """Send one message; "" or why it was not sent, without the number."""
    try:
        words = text(
            dossier, held.door, job.wave, secret=job.secret, root=job.root, accents=by.accents
        )
        by.send(held.phone, words)
    except (SendError, TooLongError) as fault:
        return (str(fault).replace(held.phone, masked(held.phone)) or "?")[:REASON]
    return ""
