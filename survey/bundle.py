"""Files beside the database (scans, recordings, evidence): copied into one tar, and put back."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
from contextlib import suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING, NamedTuple

from survey.store.copies import BadCopy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

#: What belongs to an instance besides its database; its secret is kept apart on purpose.
FOLDERS = ("scans/uploads", "scans/pictures", "sound", "evidence")
#: The last member of a tar: the sha256 and the name of every other one.
SUMS = "SHA256SUMS"
_NAME = re.compile(
    r"scans/uploads/[0-9a-f]{64}\.[a-z]{3}"
    r"|scans/pictures/[0-9a-f]{2}/[0-9a-f]{64}\.jpg"
    r"|sound/[a-z0-9][a-z0-9._-]*/[a-z]{2,3}/[a-z0-9][a-z0-9._-]*"
    r"|evidence/[0-9a-f]{64}\.(?:pdf|jpg|png)"
)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class Size(NamedTuple):
    """How many files, and how many bytes they have."""

    files: int
    bytes: int


def beside(copy: Path) -> Path:
    """Where the files of a copy of the database lie."""
    return copy.with_name(copy.name + ".tar")


def size(instance: Path) -> Size:
    """What lies beside the database."""
    sizes = [path.stat().st_size for _, path in _files(instance)]
    return Size(len(sizes), sum(sizes))


def pack(instance: Path, file: Path) -> Size:
    """Write the files beside the database into a tar and read it again; whole or not at all.

    Do so after the database: pictures come before the rows that name them, so none is missing.
    Raises FileExistsError rather than writing over anything.
    """
    file.touch(mode=0o600, exist_ok=False)  # takes the name; the tar replaces it when good
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with draft.open("xb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
            draft.chmod(0o600)
            sums = []
            for name, path in _files(instance):
                with suppress(FileNotFoundError):  # its day came meanwhile
                    sums.append(f"{_add(tar, path, name)}  {name}\n")
            told = "".join(sums).encode()
            facts = tarfile.TarInfo(SUMS)
            facts.size = len(told)
            tar.addfile(facts, BytesIO(told))
            tar.close()
            os.fsync(raw.fileno())
        found = verify(draft)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        file.unlink(missing_ok=True)
        raise
    return found


def verify(file: Path) -> Size:
    """Read a tar from end to end.  Raises BadCopy for one that is damaged or not of ours."""
    seen: dict[str, str] = {}
    total = 0
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                content = _content(tar, member)
                if member.name == SUMS:
                    told = dict(_said(line) for line in content.read().decode().splitlines())
                    if told != seen:
                        raise BadCopy(f"Bản sao «{file}» bị hỏng: nội dung không khớp mã kiểm tra.")
                    return Size(len(seen), total)
                if not _NAME.fullmatch(member.name):
                    raise BadCopy(f"«{file}» có tệp lạ «{member.name}»; không phải của SIPAS.")
                total += member.size
                seen[member.name] = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
    except (tarfile.TarError, UnicodeError, ValueError, FileNotFoundError) as fault:
        raise BadCopy(f"Không đọc được «{file}»: {fault}") from fault
    raise BadCopy(f"Bản sao «{file}» bị cụt: thiếu danh sách mã kiểm tra ở cuối.")


def unpack(file: Path, instance: Path, *, at: datetime) -> Size:
    """Put the files of a tar back; returns how many were missing or different.

    What is there with other bytes goes to ``backups/`` first; what the tar does not have stays.
    Raises BadCopy before touching anything.
    """
    verify(file)
    aside = instance / "backups" / f"truoc-phuc-hoi-{at:%Y%m%d-%H%M%S-%f}.files"
    written = total = 0
    with tarfile.open(file, "r:") as tar:
        for member in tar:
            if member.name == SUMS:
                continue
            path = instance / member.name
            if path.exists():
                if _same(path, _content(tar, member)):
                    continue
                kept = aside / member.name
                kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.rename(kept)
            _place(path, _content(tar, member))
            written, total = written + 1, total + member.size
    return Size(written, total)


def _files(instance: Path) -> Iterator[tuple[str, Path]]:
    """Everything to copy, by its name in a tar; half-written files and strange ones are not."""
    for folder in FOLDERS:
        for path in sorted((instance / folder).rglob("*")):
            name = path.relative_to(instance).as_posix()
            if _NAME.fullmatch(name) and path.is_file():
                yield name, path


class _Summed:
    """A file that is read once: its digest comes with it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sum = file, hashlib.sha256()

    def read(self, n: int = -1) -> bytes:
        data = self._file.read(n)
        self.sum.update(data)
        return data


def _add(tar: tarfile.TarFile, path: Path, name: str) -> str:
    facts = tarfile.TarInfo(name)
    with path.open("rb") as file:
        facts.size, facts.mtime = path.stat().st_size, int(path.stat().st_mtime)
        facts.mode = 0o600
        summed = _Summed(file)
        tar.addfile(facts, summed)
    return summed.sum.hexdigest()


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise BadCopy(f"Bản sao có mục «{member.name}» không phải tệp thường.")
    return content


def _said(line: str) -> tuple[str, str]:
    if not (found := _LINE.fullmatch(line)):
        raise ValueError(line)
    return found[2], found[1]


def _same(path: Path, content: IO[bytes]) -> bool:
    with path.open("rb") as file:
        there = hashlib.file_digest(file, "sha256").digest()
    return there == hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type]


def _place(path: Path, content: IO[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            shutil.copyfileobj(content, file)
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
