"""Files handed out: written down before the first byte, sealed with their digest at the end."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survey import config, db
from survey.datafiles import asking, csvfile, extract, making
from survey.store import Refused, clock, datafiles, waves

if TYPE_CHECKING:
    from datetime import date

    from survey.config import Settings
    from survey.datafiles.asking import Ask

log = logging.getLogger(__name__)

Run = Callable[[Callable[[sqlite3.Connection], Any]], Any]


def noted(ask: Ask, form: str, *, now: datetime, actor: str) -> Callable[[sqlite3.Connection], int]:
    """What writes a file into the register and the audit."""
    return partial(
        datafiles.register, wave=ask.wave, unit=ask.unit, level=ask.level, form=form,
        ask=ask.facts(), now=now, actor=actor,
    )  # fmt: skip


def streamed(
    settings: Settings, ask: Ask, *, heading: str, on: date, run: Run, number: int
) -> Iterator[bytes]:
    """A CSV file while it is made: its heading at once, the rows of one moment behind it."""
    yield (csvfile.MARK + heading + csvfile.END).encode()
    with closing(db.connect(settings.database, readonly=True, create=False)) as own:
        with datafiles.snapshot(own):
            try:
                found = extract.opened(own, ask, settings.secret, on=on)
            except Refused as refusal:  # seen only by counting: the file ends with its heading
                log.warning("export %s of %s ends empty: %s", number, ask.wave, refusal.code)
                return
            pieces = csvfile.Digested(csvfile.pieces(found, own))
            whole = iter(pieces)
            next(whole)  # the heading, sent already
            yield from whole
        run(partial(datafiles.seal, number=number, digest=pieces.digest, n=found.n,
                    upto=found.counted.upto))  # fmt: skip


def made(
    connection: sqlite3.Connection, ask: Ask, form: str, file: Path, tell: making.Tell, *,
    secret: bytes, on: date,
) -> tuple[extract.Extract, str]:  # fmt: skip
    """Write a whole file; the extract and the digest of its rows."""
    with datafiles.snapshot(connection):
        found = extract.opened(connection, ask, secret, on=on)
        digest = making.write(found, connection, form, file, tell)
    return found, digest


def make(
    connection: sqlite3.Connection,
    facts: Mapping[str, Any],
    file: Path,
    tell: Callable[[int, int], None],
) -> str:
    """The kind of long work "data": write a file, register it, return its visible name."""
    ask, form, now = asking.read(facts), str(facts["form"]), clock.now()
    home = datafiles.home(connection)
    secret = config.load(home).secret
    number = noted(ask, form, now=now, actor=str(facts["actor"]))(connection)
    found, digest = made(connection, ask, form, file, tell, secret=secret, on=clock.day(now))
    datafiles.seal(connection, number, digest=digest, n=found.n, upto=found.counted.upto)
    wave = waves.get(connection, ask.wave)
    return f"{making.label(facts, wave.name)}.{asking.FORMS[form]}".replace("/", "-")
