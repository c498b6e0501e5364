"""Where scanned files and the pictures of their pages lie, each under the sha256 of its bytes."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from survey.store import Refused

#: A scanned file is not larger than this: 500 pages in colour have about 250 MB.
LARGEST = 1024 * 1024 * 1024
#: A page in the browser sends a file in pieces of this size, so that a broken line costs little.
PIECE = 1024 * 1024
#: What files begin with, by the ending they are kept under.
STARTS = {
    "pdf": (b"%PDF-",),
    "jpg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "tif": (b"II*\x00", b"MM\x00*"),
}
#: Pieces of files that nobody went on with are thrown away after two days.
_STALE = 2 * 24 * 3600
_TOKEN = re.compile(r"[0-9]{1,9}-[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """The directory ``scans`` of an instance."""

    def __init__(self, instance: Path) -> None:
        """Use the instance's directory; it is made when the first file comes."""
        self.home = instance / "scans"

    def grow(self, token: str, offset: int, piece: bytes) -> int:
        """Add a piece to a file that is on its way; returns how long it is now.

        A piece that is there already changes nothing.  Raises LookupError for a strange token,
        Refused ``upload_gap`` (409: ``at``) when bytes before the piece are missing, and
        ``upload_large`` (413).
        """
        path = self._part(token)
        self._room(path)
        held = path.stat().st_size if path.exists() else 0
        if offset == 0 and held == 0:
            self._sweep()
        if offset > held:
            raise Refused("upload_gap", 409, at=held)
        if offset + len(piece) > LARGEST:
            raise Refused("upload_large", 413)
        if offset + len(piece) > held:
            with open(path, "r+b" if held else "wb", opener=_private) as file:
                file.seek(offset)
                file.write(piece)
            held = offset + len(piece)
        return held

    def shelve(self, token: str) -> str:
        """End a file that came in pieces; returns its sha256.

        Raises LookupError when nothing came, Refused ``upload_kind`` (422) for a file that is
        neither PDF, TIFF, JPEG nor PNG.
        """
        path = self._part(token)
        if not path.exists():
            raise LookupError(token)
        return self._place(path)

    def take(self, pieces: Iterable[bytes], token: str) -> str:
        """Shelve a whole file as it is read; returns its sha256.  Raises as ``shelve``."""
        path = self._part(token)
        self._room(path)
        size = 0
        with open(path, "wb", opener=_private) as file:
            for piece in pieces:
                size += len(piece)
                if size > LARGEST:
                    break
                file.write(piece)
        if size > LARGEST:
            path.unlink()
            raise Refused("upload_large", 413)
        return self._place(path)

    def upload(self, digest: str) -> Path:
        """The file of an upload; raises LookupError."""
        for kind in STARTS:
            path = self.home / "uploads" / f"{_named(digest)}.{kind}"
            if path.exists():
                return path
        raise LookupError(digest)

    def put(self, picture: bytes) -> str:
        """Keep the picture of a page or of a piece of it; returns its name."""
        digest = hashlib.sha256(picture).hexdigest()
        path = self._picture(digest)
        if path.exists():
            path.touch()  # young again: it is in use
        else:
            self._room(path)
            draft = path.with_name(f".{digest}.{os.getpid()}")
            with open(draft, "wb", opener=_private) as file:
                file.write(picture)
            draft.replace(path)
        return digest

    def picture(self, digest: str) -> Path:
        """Where a kept picture lies; raises LookupError."""
        path = self._picture(_named(digest))
        if not path.exists():
            raise LookupError(digest)
        return path

    def files(self) -> Iterator[Path]:
        """Every original and every picture that lies here."""
        yield from (path for path in (self.home / "uploads").glob("*.*") if _held(path))
        yield from (path for path in (self.home / "pictures").glob("??/*.jpg") if _held(path))

    def _room(self, path: Path) -> None:
        """Make the folder of a file; nobody but the server's user opens it."""
        for folder in (self.home, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _picture(self, digest: str) -> Path:
        return self.home / "pictures" / digest[:2] / f"{digest}.jpg"

    def _part(self, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise LookupError(token)
        return self.home / "incoming" / f"{token}.part"

    def _place(self, path: Path) -> str:
        with path.open("rb") as file:
            kind = _kind(file.read(16))
            if not kind:
                file.close()
                path.unlink()
                raise Refused("upload_kind", 422)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        final = self.home / "uploads" / f"{digest}.{kind}"
        self._room(final)
        path.replace(final)
        return digest

    def _sweep(self) -> None:
        for path in (self.home / "incoming").glob("*.part"):
            if time.time() - path.stat().st_mtime > _STALE:
                path.unlink(missing_ok=True)


def sound(path: Path) -> bool:
    """Whether a file still has the bytes that it is named by."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == path.stem


def _held(path: Path) -> bool:
    return _DIGEST.fullmatch(path.stem) is not None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _kind(start: bytes) -> str:
    return next((kind for kind, heads in STARTS.items() if start.startswith(heads)), "")


def _named(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise LookupError(digest)
    return digest
