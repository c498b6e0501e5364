"""The database file: connections, the one way to write, and the group commit of answers."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakSet

if TYPE_CHECKING:
    from flask import Flask

T = TypeVar("T")

LOCK = "write.lock"
_BUSY_MS = 10_000
_BATCH = 500
_IDLE_READERS = 16
#: Primary result codes that mean "this could not be kept", not "this statement is wrong".
_STORAGE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


class NotStored(Exception):
    """The disk or the file refused (full, I/O error, read-only, busy): nothing is half stored."""


def connect(path: Path, *, readonly: bool = False, create: bool = True) -> sqlite3.Connection:
    """Open the database file with the house's durability.

    Autocommit (``isolation_level=None``): every write goes through ``write``.  ``readonly`` is
    ``query_only`` and not ``mode=ro``, because a read-only opener cannot recover the log of a
    process that was killed.  ``create=False`` raises NotStored when there is no file.
    """
    return _open(path, readonly=readonly, create=create)


def _open(
    path: Path, *, readonly: bool, create: bool = False, one_thread: bool = True
) -> sqlite3.Connection:
    with _storage_faults():
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}",
            uri=True,
            isolation_level=None,
            timeout=_BUSY_MS / 1000,
            check_same_thread=one_thread,
        )
        db.row_factory = sqlite3.Row
        try:
            # FULL: with NORMAL a power cut loses answers that were already acknowledged.
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            # What somebody takes back is overwritten, not only unlinked, on every build of SQLite.
            db.execute("PRAGMA secure_delete=ON")
            if readonly:
                db.execute("PRAGMA query_only=ON")
        except sqlite3.Error:
            db.close()
            raise
    return db


@contextmanager
def write(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: whole or not at all, in turn with every other process.

    Waits for the lock file first (SQLite's own waiting starves), then ``BEGIN IMMEDIATE``.
    Inside an open transaction it nests as a savepoint, so store functions compose.

    Raises
    ------
    NotStored
        Disk full, I/O error, read-only, busy; whatever else the body raises passes unchanged.
        Either way nothing of the body is kept.
    """
    whole = _savepoint if db.in_transaction else _transaction
    with _storage_faults(), whole(db):
        yield db


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    with turn(db):
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # a full disk may have rolled back already
                db.execute("ROLLBACK")
            raise


@contextmanager
def _savepoint(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise
    db.execute("RELEASE part")


@contextmanager
def _storage_faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as fault:
        if is_storage_fault(fault):
            raise NotStored(str(fault)) from fault
        raise


def is_storage_fault(fault: sqlite3.Error) -> bool:
    """Whether the file could not be written or read, as against a wrong statement."""
    return getattr(fault, "sqlite_errorcode", -1) & 0xFF in _STORAGE


_held: set[int] = set()  # lock files open in this process, so that a forked child can let go


@contextmanager
def turn(db: sqlite3.Connection) -> Iterator[None]:
    """Hold the lock file beside the database; waiting is first come, first served."""
    file = db.execute("PRAGMA database_list").fetchone()[2]
    if not file:  # in memory: nobody else can write
        yield
        return
    try:
        handle = os.open(Path(file).with_name(LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise NotStored(str(fault)) from fault
    _held.add(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # not by closing: a forked child may hold a copy
        _held.discard(handle)
        os.close(handle)


Job = Callable[[sqlite3.Connection], Any]
Waiting = tuple[Job, bool, "Future[Any]"]
_writers: WeakSet[Writer] = WeakSet()


class Writer:
    """One thread a process that commits whatever waits in one transaction (group commit).

    A job is a function of the connection that runs inside the transaction, in a savepoint of its
    own: if it raises, only its own work is undone and its caller gets the exception.  A job that
    writes with one statement at most needs no savepoint (``single``): a statement undoes itself.
    ``run`` answers after the commit.  ``wait`` (seconds) bounds how long a caller waits.  A job
    must not call ``run`` itself.
    """

    def __init__(self, path: Path, *, wait: float = 30.0) -> None:
        self._path = path
        self._wait = wait
        self._start()
        _writers.add(self)

    def _start(self) -> None:
        self._ready = threading.Condition()
        self._jobs: deque[Waiting] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.batches = 0  # transactions tried, for tests and benchmarks

    def run(self, job: Callable[[sqlite3.Connection], T], *, single: bool = False) -> T:
        """Do ``job`` in the next transaction and return its value once it is durable.

        Raises
        ------
        NotStored
            The transaction failed, or did not happen in time, or the writer is closed.  After
            a time-out it may still come to be stored: repeat with the same id.
        """
        future = self._queue(job, single)
        try:
            return future.result(self._wait)
        except TimeoutError as fault:
            if future.done() and not future.cancelled():
                raise  # the job's own
            future.cancel()
            raise NotStored("the database did not answer in time") from fault

    def later(self, job: Callable[[sqlite3.Connection], object]) -> None:
        """Do a job of one statement in the next transaction; nobody waits, nor hears of it."""
        self._queue(job, single=True)

    def _queue(self, job: Callable[[sqlite3.Connection], T], single: bool) -> Future[T]:
        future: Future[T] = Future()
        with self._ready:
            if self._closed:
                raise NotStored("the writer is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
                self._thread.start()
            self._jobs.append((job, single, future))
            self._ready.notify()
        return future

    @property
    def waiting(self) -> int:
        """Jobs that no transaction has taken yet."""
        return len(self._jobs)

    def close(self) -> None:
        """Finish what waits, then stop; further ``run`` calls raise NotStored."""
        with self._ready:
            self._closed = True
            self._ready.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        db: sqlite3.Connection | None = None
        while batch := self._take():
            live = [waiting for waiting in batch if waiting[2].set_running_or_notify_cancel()]
            if live:
                db = self._commit(db, live)
        if db is not None:
            db.close()

    def _take(self) -> list[Waiting]:
        with self._ready:
            self._ready.wait_for(lambda: self._jobs or self._closed)
            return [self._jobs.popleft() for _ in range(min(len(self._jobs), _BATCH))]

    def _commit(
        self, db: sqlite3.Connection | None, batch: list[Waiting]
    ) -> sqlite3.Connection | None:
        """One transaction for the batch; after any trouble the next gets a fresh connection."""
        self.batches += 1
        try:
            db = db or connect(self._path, create=False)
            with write(db):
                outcomes = [_attempt(db, job, single) for job, single, _ in batch]
        except Exception as fault:  # noqa: BLE001 - whatever it is, every caller must hear of it
            if db is not None:
                with suppress(sqlite3.Error):
                    db.close()
            for *_, future in batch:
                future.set_exception(
                    NotStored(str(fault)) if isinstance(fault, NotStored) else fault
                )
            return None
        for (*_, future), (value, refusal) in zip(batch, outcomes, strict=True):
            if refusal is None:
                future.set_result(value)
            else:
                future.set_exception(refusal)
        return db


def _attempt(db: sqlite3.Connection, job: Job, single: bool) -> tuple[Any, Exception | None]:
    """Run one job by itself; only trouble with the storage itself ends the batch."""
    try:
        with _storage_faults() if single else write(db):
            value = job(db)
    except NotStored:
        raise
    except Exception as refusal:  # handed to the caller, its work is undone
        if not db.in_transaction:
            raise NotStored(str(refusal)) from refusal
        return None, refusal
    return value, None


def _in_child() -> None:
    """After a fork: threads are gone, and connections belong to the parent."""
    for handle in _held:
        os.close(handle)
    _held.clear()
    for writer in _writers:
        writer._start()


os.register_at_fork(after_in_child=_in_child)


class _Readers:
    """Open reading connections kept between requests: opening one costs more than a page."""

    def __init__(self) -> None:
        self._idle: deque[tuple[sqlite3.Connection, tuple[int, ...]]] = deque()
        self._process = os.getpid()
        self._inherited: list[object] = []  # never closed: a child's close would harm the parent

    def take(self, path: Path) -> tuple[sqlite3.Connection, tuple[int, ...]]:
        if self._process != os.getpid():
            self._inherited.append(self._idle)
            self._idle, self._process = deque(), os.getpid()
        try:
            now = path.stat()
        except OSError as fault:
            raise NotStored(str(fault)) from fault
        file = (now.st_dev, now.st_ino)  # a restored database is another file
        with suppress(IndexError):
            while True:
                db, known = self._idle.pop()
                if known == file:
                    return db, file
                db.close()
        return _open(path, readonly=True, one_thread=False), file

    def give(self, db: sqlite3.Connection, file: tuple[int, ...]) -> None:
        if db.in_transaction or len(self._idle) >= _IDLE_READERS:
            db.close()
        else:
            self._idle.append((db, file))


def init_app(app: Flask) -> None:
    """Give the application its reading connections; ``get`` works inside its contexts."""
    from flask import g

    readers = app.extensions["sipas.readers"] = _Readers()

    def close(_: BaseException | None) -> None:
        if (held := g.pop("sipas_db", None)) is not None:
            readers.give(*held)

    app.teardown_appcontext(close)


def get() -> sqlite3.Connection:
    """This application context's reading connection; writing goes through the Writer."""
    from flask import current_app, g

    if "sipas_db" not in g:
        readers: _Readers = current_app.extensions["sipas.readers"]
        g.sipas_db = readers.take(current_app.extensions["sipas"].settings.database)
    return cast(sqlite3.Connection, g.sipas_db[0])
