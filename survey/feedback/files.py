"""Evidence of a case: small files, checked by their first bytes, kept by sha256 in the instance."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path

from survey.store import Refused

#: A file, and everything that one case may have.
LARGEST, MOST = 5 * 1024 * 1024, 10
FOLDER = "evidence"
#: How files begin, by kind, with the type they are handed out as.
KINDS = {
    "pdf": (b"%PDF-", "application/pdf"),
    "jpg": (b"\xff\xd8\xff", "image/jpeg"),
    "png": (b"\x89PNG\r\n\x1a\n", "image/png"),
}
_DIGEST = re.compile(r"[0-9a-f]{64}")


def keep(instance: Path, data: bytes) -> tuple[str, str]:
    """Shelve a file; returns its sha256 and its kind.

    Raises Refused ``evidence_large`` (413), ``evidence_kind`` (422), ``evidence_empty`` (422).
    """
    if not data:
        raise Refused("evidence_empty", 422)
    if len(data) > LARGEST:
        raise Refused("evidence_large", 413, most=LARGEST // 1024 // 1024)
    kind = next((name for name, (start, _) in KINDS.items() if data.startswith(start)), "")
    if not kind:
        raise Refused("evidence_kind", 422)
    digest = hashlib.sha256(data).hexdigest()
    path = place(instance, digest, kind)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{digest}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return digest, kind


def place(instance: Path, digest: str, kind: str) -> Path:
    """Where a file lies.  Raises LookupError for what is no digest or kind."""
    if not _DIGEST.fullmatch(digest) or kind not in KINDS:
        raise LookupError(digest)
    return instance / FOLDER / f"{digest}.{kind}"


def read(instance: Path, digest: str, kind: str) -> bytes:
    """Return a file whole.  Raises LookupError when it is gone or not what it was."""
    path = place(instance, digest, kind)
    try:
        data = path.read_bytes()
    except OSError:
        raise LookupError(digest) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise LookupError(digest)
    return data


def named(name: str, kind: str) -> str:
    """Return the name of a file as it is shown and handed out: no folders, no odd letters."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    stem = "".join(c if c.isalnum() or c in " -_." else "_" for c in text).strip(" .")
    stem = stem.removesuffix(f".{kind}").removesuffix(".jpeg")[:80].strip(" .")
    return f"{stem or 'tep'}.{kind}"
