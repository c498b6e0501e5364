"""Pictures of scanned pages as they lie in the instance: checked, and cleared away in time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from survey.entry import shelf
from survey.store import removal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from survey.store.removal import File

#: So many page numbers are named, the others counted.
_NAMED = 12


def faults(
    db: sqlite3.Connection, instance: Path, progress: Callable[[int], None] | None = None
) -> Iterator[str]:
    """Yield what is missing or changed of the files that are kept, by their sha256, in Vietnamese.

    An original may have been moved away once it is read; pictures stay until the wave's day.
    """
    place, done = shelf.Shelf(instance), 0
    for file in removal.files(db):
        name = f"Tệp quét số {file.id} «{file.name}» của đợt {file.wave}"
        yield from (f"{name}: {fault}" for fault in _original(place, file))
        lost, changed = set(), set()
        for number, digest in removal.pictures(db, file.id):
            try:
                if not shelf.sound(place.picture(digest)):
                    changed.add(number)
            except (LookupError, OSError):
                lost.add(number)
            done += 1
            if progress and done % 100 == 0:
                progress(done)
        if lost:
            yield f"{name}: mất ảnh của {_pages(lost)}"
        if changed:
            yield f"{name}: ảnh đã bị sửa hoặc hỏng ở {_pages(changed)}"


def size(db: sqlite3.Connection) -> int:
    """How many pictures ``faults`` looks at, about: those of whole pages."""
    return sum(one.pages for one in removal.kept(db))


def expired(db: sqlite3.Connection, instance: Path, now: datetime) -> list[Path]:
    """Return the files to delete once ``removal.remove`` is written.

    Those of waves whose day has come, unless another wave keeps the same picture; and those that
    nothing names (their page was read anew), when nobody touched them for as long.
    """
    place = shelf.Shelf(instance)
    named = {_short(file.digest) for file in removal.files(db)}
    for file in removal.files(db):
        named.update(_short(digest) for _, digest in removal.pictures(db, file.id))
    gone = {_short(digest) for digest in removal.removed(db)} - named
    oldest = (now - timedelta(days=removal.DAYS)).timestamp()
    found = []
    for path in place.files():
        key = _short(path.stem)
        if key in gone or (key not in named and path.stat().st_mtime < oldest):
            found.append(path)
    return sorted(found)


def _original(place: shelf.Shelf, file: File) -> Iterator[str]:
    try:
        if not shelf.sound(place.upload(file.digest)):
            yield "tệp gốc đã bị sửa hoặc hỏng"
    except (LookupError, OSError):
        if file.state in ("waiting", "reading"):
            yield "mất tệp gốc khi chưa đọc xong"


def _pages(numbers: set[int]) -> str:
    some = sorted(numbers)
    text = "trang " + ", ".join(map(str, some[:_NAMED]))
    return text + (f" và {len(some) - _NAMED} trang khác" if len(some) > _NAMED else "")


def _short(digest: str) -> bytes:
    """Half a digest tells files apart as well, and a million of them fit into memory."""
    return digest[:32].encode()
