"""Long work in a process of its own, one piece after another: no citizen waits for a report.

A kind of work is a function ``(db, ask, file, tell) -> name``: it writes ``file`` (a draft that
nobody sees until it is whole), tells ``tell(done, whole)`` now and then, returns the name that
people see the file under, and raises Refused when there is nothing to make.
"""

from __future__ import annotations

import errno
import fcntl
import gc
import hashlib
import logging
import os
import resource
import shutil
import signal
import subprocess  # nosec B404
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survey import db
from survey.store import Refused, clock
from survey.store import jobs as store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from sqlite3 import Connection

    from survey.config import Settings
    from survey.store.jobs import Job

#: Kind of work -> "module:function"; the module is imported in the worker only.
KINDS: dict[str, str] = {
    "report": "survey.reporting.making:make",
    "data": "survey.datafiles.given:make",
}
#: Files are kept so many days.
KEPT = 30
#: What one piece of work may take: bytes of memory, seconds.
MEMORY, SECONDS = 4 * 1024**3, 2 * 3600
#: Bytes of the disk that must be free before work is taken.
ROOM = 16 * 1024**2
#: What a disk says that takes nothing more.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
#: Seconds that a worker may take until it is at work, and between two looks at its child.
_STARTS, _LOOK = 30.0, 0.02
#: Seconds between two looks for more work.
_IDLE = 0.05
#: Seconds between two notes of how far a piece is.
_PAUSE = 0.25
#: Seconds that a worker stays for more work: the next report is spared the start.
LINGER = 120.0

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Whoever asked does not want it any more."""


def ask(
    connection: Connection, kind: str, ask: Mapping[str, Any], *,
    title: str, unit: str, staff: int | None, now: datetime,
) -> Job:  # fmt: skip
    """Put work into the queue, inside a write; call ``start`` once it is committed.

    ``unit`` is whose it is: its administrator may fetch the file too.  ``title`` is what lists
    call it.  Raises LookupError for a kind nobody knows, Refused ``jobs_many`` (429).
    """
    if kind not in KINDS:
        raise LookupError(kind)
    return store.add(connection, kind, ask, title=title, unit=unit, staff=staff, now=now)


def home(settings: Settings) -> Path:
    """Where the files are; made when it is not there."""
    folder = settings.instance / "files"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def path(settings: Settings, id: int) -> Path:
    """The file of a piece of work, whether it is there or not."""
    return home(settings) / str(id)


def room(settings: Settings) -> bool:
    """Whether files can be written: nothing is asked for that can only fail."""
    try:
        folder = home(settings)
        return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM
    except OSError:
        return False


def start(settings: Settings) -> None:
    """Have what waits done by a process of its own; one that runs already goes on with it."""
    there = running(settings)
    _called(settings).touch()
    if there:
        return
    command = [sys.executable, "-m", "survey.cli", "--instance", str(settings.instance)]
    with (home(settings) / "work.log").open("ab") as out:
        # No shell, and nothing of it comes from a request.
        child = subprocess.Popen(  # nosec B603
            [*command, "jobs", "work", "--linger", str(LINGER)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # one processor is enough
            start_new_session=True,
            close_fds=True,
        )
    threading.Thread(target=child.wait, name="jobs", daemon=True).start()  # no zombie stays


def running(settings: Settings) -> bool:
    """Whether a worker is there (it holds the lock as long as it lives), or on its way."""
    with _lock(settings) as held:
        if not held:
            return True
    with suppress(OSError):
        return time.time() - _called(settings).stat().st_mtime < _STARTS
    return False


def work(settings: Settings, *, linger: float = 0.0) -> int:
    """Do whatever waits, then wait ``linger`` seconds for more; returns how many pieces ended.

    Another worker's work is left to it.  What a dead worker has left is begun again, twice at
    most.
    """
    ended, first = 0, True
    while first or _wanted(settings):  # something may have come while the lock was let go
        first = False
        with _lock(settings) as held:
            if not held:
                return ended
            with _opened(settings) as connection:
                store.take_up(connection, now=clock.now())
                sweep(settings, connection)
            _warm()
            ended += _all(settings)
            until = time.monotonic() + linger
            while time.monotonic() < until and settings.database.exists():
                if not _called(settings).exists():  # nothing is opened while nothing comes
                    time.sleep(_IDLE)
                    continue
                ended += _all(settings)
                until = time.monotonic() + linger
    return ended


def _all(settings: Settings) -> int:
    """Do whatever waits; returns how many pieces ended."""
    _called(settings).unlink(missing_ok=True)
    ended = 0
    while job := _next(settings):
        _one(settings, job)
        ended += 1
    return ended


def _wanted(settings: Settings) -> bool:
    """Whether somebody called meanwhile, of an instance that is still there."""
    return settings.database.exists() and _called(settings).exists()


def _next(settings: Settings) -> Job | None:
    """Begin what has waited longest; the connection must not live through a fork."""
    with _opened(settings) as connection:
        while job := store.next_asked(connection):
            if store.begin(connection, job.id, now=clock.now()):
                return job
    return None


def sweep(settings: Settings, connection: Connection) -> int:
    """Throw away the files of work that ended KEPT days ago; returns how many."""
    now = clock.now()
    gone = store.expired(connection, now - timedelta(days=KEPT))
    for number in gone:
        path(settings, number).unlink(missing_ok=True)
    if gone:
        store.removed(connection, gone, on=clock.day(now))
    return len(gone)


def _warm() -> None:
    """Import what the kinds of work need, once: each piece is done in a child of this process."""
    for target in KINDS.values():
        module = import_module(target.partition(":")[0])
        getattr(module, "warm", lambda: None)()


def _one(settings: Settings, job: Job) -> None:
    """Do one piece in a child, so that it can be stopped and its death be told."""
    gc.freeze()  # what is warm stays shared with the child
    child = os.fork()
    if child == 0:
        code = 1
        try:
            gc.disable()  # it lives for one piece, and its memory is bounded
            _bounded()
            _do(settings, job)
            code = 0
        except BaseException:
            log.exception("job %s", job.id)
        finally:
            sys.stderr.flush()
            os._exit(code)
    limit = time.monotonic() + SECONDS
    with _opened(settings) as connection:
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            stopped = store.get(connection, job.id).state != "running"
            if stopped or time.monotonic() > limit:
                os.kill(child, signal.SIGKILL)
            time.sleep(_LOOK)
        if status:  # what has ended already stays as it is
            store.fail(connection, job.id, "job_died", {}, now=clock.now())
    _draft(settings, job).unlink(missing_ok=True)


def _do(settings: Settings, job: Job) -> None:
    """Make the file of a piece of work, or keep why there is none."""
    draft = _draft(settings, job)
    draft.unlink(missing_ok=True)
    with _opened(settings) as connection, _opened(settings) as notes:
        said = 0.0

        def tell(done: int, whole: int) -> None:
            nonlocal said
            if done >= whole or time.monotonic() - said > _PAUSE:
                said = time.monotonic()
                if not store.tell(notes, job.id, done, whole):
                    raise Stopped

        try:
            module, _, function = KINDS[job.kind].partition(":")
            make = getattr(import_module(module), function)
            name = str(make(connection, job.ask, draft, tell))
        except Refused as refusal:
            facts = {"status": refusal.status, **refusal.facts}
            store.fail(notes, job.id, refusal.code, facts, now=clock.now())
            return
        except Stopped:
            return
        except LookupError:
            log.exception("job %s", job.id)
            store.fail(notes, job.id, "job_gone", {}, now=clock.now())
            return
        except Exception as fault:  # whoever asked must hear of it
            log.exception("job %s", job.id)
            draft.unlink(missing_ok=True)  # room for the note of it
            code = "job_disk" if _full(fault) else "job_failed"
            store.fail(notes, job.id, code, {}, now=clock.now())
            return
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        size = draft.stat().st_size
        final = path(settings, job.id)
        draft.replace(final)
        if not store.finish(notes, job.id, name=name, digest=digest, size=size, now=clock.now()):
            final.unlink(missing_ok=True)  # it was stopped meanwhile


def _full(fault: BaseException | None) -> bool:
    """Whether the disk took no more, whatever the writer of the file made of it."""
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno in _FULL:
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def _bounded() -> None:
    """Bound the memory of a child, so that a mistake ends it and not the server."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _draft(settings: Settings, job: Job) -> Path:
    return home(settings) / f".{job.id}.part"


def _called(settings: Settings) -> Path:
    """There while a worker that was called has not begun."""
    return home(settings) / "called"


@contextmanager
def _opened(settings: Settings) -> Iterator[Connection]:
    with closing(db.connect(settings.database, create=False)) as connection:
        yield connection


@contextmanager
def _lock(settings: Settings) -> Iterator[bool]:
    """Be the only worker of this instance; False when another one is.

    A child keeps the lock: should its worker die, it brings its piece to an end alone.
    """
    handle = os.open(home(settings) / "work.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(handle)
