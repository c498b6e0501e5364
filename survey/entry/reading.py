"""The reading of scanned files, one after another in a process of its own: no request waits."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess  # nosec B404
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from survey import db, scanning, serials
from survey.entry.shelf import Shelf
from survey.store import Refused, clock, readings, scans

if TYPE_CHECKING:
    from sqlite3 import Connection

    from survey.config import Settings
    from survey.scanning.images import File
    from survey.scanning.reader import Page
    from survey.store.readings import Seen
    from survey.store.scans import Upload

#: Told after every page: the upload, and how many of its pages are through.
Told = Callable[["Upload", int], None]
#: A page that ended the reader so often is refused, and the rest goes on.
_TRIES = 2
#: Seconds that a reader may take until it is at work.
_STARTS = 30.0


def demand() -> None:
    """Refuse (503 ``reader_missing``: ``packages``) where the extra ``scan`` is not installed."""
    if packages := scanning.missing():
        raise Refused("reader_missing", 503, packages=", ".join(packages))


def start(settings: Settings) -> None:
    """Have what waits read by a process of its own; one that runs already goes on with it."""
    demand()
    home = Shelf(settings.instance).home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _called(settings).touch()
    command = [sys.executable, "-m", "survey.cli", "--instance", str(settings.instance)]
    with (home / "reading.log").open("ab") as log:
        # No shell, and nothing of it comes from a request.
        child = subprocess.Popen(  # nosec B603
            [*command, "scan", "work"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
    threading.Thread(target=child.wait, name="reader", daemon=True).start()  # no zombie stays


def running(settings: Settings) -> bool:
    """Whether a reader is at work (it holds the lock as long as it lives), or on its way."""
    with _lock(settings, wait=False) as held:
        if not held:
            return True
    with suppress(OSError):
        return time.time() - _called(settings).stat().st_mtime < _STARTS
    return False


def work(settings: Settings, *, wait: bool = False, told: Told | None = None) -> int:
    """Read whatever waits; returns how many pages were read.  Another reader's work is left to it.

    ``wait`` for another reader to end first.  Killed at any time, the next one goes on where
    this one stopped; a page that kills it twice is refused.
    """
    demand()
    done = 0
    with closing(db.connect(settings.database, create=False)) as store:
        if scans.next_waiting(store) is None:
            _called(settings).unlink(missing_ok=True)
        while scans.next_waiting(store) is not None:
            with _lock(settings, wait=wait) as held:
                _called(settings).unlink(missing_ok=True)
                if not held:
                    return done
                while upload := scans.next_waiting(store):
                    done += _file(store, settings, upload, told)
    return done


def _called(settings: Settings) -> Path:
    """There while a reader that was called has not begun."""
    return Shelf(settings.instance).home / "called"


def _file(store: Connection, settings: Settings, upload: Upload, told: Told | None) -> int:
    """Read one file to its end."""
    from survey.scanning.images import File, Unopened

    shelf = Shelf(settings.instance)
    file, code = None, "reader_died"
    with _guarded(settings, upload, 0) as alive:
        if alive:
            try:
                file = File(shelf.upload(upload.digest))
            except (Unopened, LookupError) as fault:
                code = fault.code if isinstance(fault, Unopened) else "gone"
    if file is None:
        scans.end(store, upload.id, fault=code, now=clock.now())
        return 0
    done = 0
    with file:
        scans.begin(store, upload.id, pages=file.pages)
        through = scans.numbers(store, upload.id)
        for number in range(1, file.pages + 1):
            if number not in through:
                seen = _watched(store, settings, upload, file, number)
                readings.keep(store, upload, seen, now=clock.now())
                done += 1
            if told:
                told(upload, number)
    scans.end(store, upload.id, now=clock.now())
    return done


def _watched(
    store: Connection, settings: Settings, upload: Upload, file: File, number: int
) -> Seen:
    """Read one page, or refuse it when it has ended readers."""
    with _guarded(settings, upload, number) as alive:
        if not alive:
            return _refused(number, "", "reader_died")
        return _page(store, settings, upload, file, number)


@contextmanager
def _guarded(settings: Settings, upload: Upload, number: int) -> Iterator[bool]:
    """Leave a note that tells the next reader should this page (0: opening) end this one.

    Gives False for what has ended readers often enough.
    """
    note = Shelf(settings.instance).home / ("reading.json" if number else "opening.json")
    tries = 0
    with suppress(OSError, ValueError):
        held = json.loads(note.read_text("utf-8"))
        if (held["upload"], held["page"]) == (upload.id, number):
            tries = held["tries"]
    if tries >= _TRIES:
        yield False
        return
    facts = {"upload": upload.id, "page": number, "tries": tries + 1}
    note.write_text(json.dumps(facts), "utf-8")
    yield True
    note.unlink(missing_ok=True)


def _page(store: Connection, settings: Settings, upload: Upload, file: File, number: int) -> Seen:
    from survey.scanning import reader
    from survey.scanning.registration import Unreadable

    shelf = Shelf(settings.instance)
    try:
        picture = file.picture(number)
    except Unreadable as fault:
        return _refused(number, "", fault.code, fault.facts)
    try:
        page = reader.find(picture)
    except Unreadable as fault:
        return _refused(number, shelf.put(reader.shrunk(picture)), fault.code, fault.facts)
    kept = shelf.put(reader.kept(page))
    try:
        code = _code(settings.secret, page)
        case, layout = readings.layout(store, upload, code)
        judged = reader.read(page, reader.of(layout, code.page))
    except (Unreadable, Refused) as fault:
        return _refused(number, kept, fault.code, fault.facts)
    doubts = {
        name: {
            "kind": doubt.kind,
            "codes": list(doubt.codes),
            "file": shelf.put(reader.crop(page, doubt)),
        }
        for name, doubt in judged.doubts.items()
    }
    return readings.Seen(
        number=number, digest=kept, reader=scanning.READER, file=kept, case_id=case.id,
        print_run=code.print_run, page=code.page, fields=judged.fields,
        confidence=judged.confidence, doubts=doubts,
    )  # fmt: skip


def _code(secret: bytes, page: Page) -> serials.Code:
    """What the page's code says; raises Unreadable: it is never guessed.

    ``code`` none was read, ``foreign`` not one of this instance's, ``pages`` several forms in one
    picture, ``mismatch`` the corner marks are those of another page.
    """
    from survey.scanning.registration import Unreadable

    found = set()
    for text in page.texts:
        with suppress(LookupError):
            found.add(serials.read(secret, text))
    if not found:
        raise Unreadable("foreign" if page.texts else "code")
    if len(found) > 1:
        raise Unreadable("pages")
    code = found.pop()
    if code.page != page.sheet.page:
        raise Unreadable("mismatch", said=code.page, marks=page.sheet.page)
    return code


def _refused(number: int, file: str, fault: str, facts: dict[str, object] | None = None) -> Seen:
    return readings.Seen(
        number=number, digest=file, reader=scanning.READER, file=file, fault=fault, facts=facts
    )


@contextmanager
def _lock(settings: Settings, *, wait: bool) -> Iterator[bool]:
    """Be the only reader of this instance; False when another one is."""
    path: Path = Shelf(settings.instance).home / "reading.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(handle)
