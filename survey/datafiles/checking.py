"""A file held against itself and the database: board = file = database, digest by digest."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from forms.questionnaire import load
from survey import config
from survey.datafiles import asking, extract, manifest
from survey.store import Refused, datafiles, waves, weighting

if TYPE_CHECKING:
    from survey.store.datafiles import Export


@dataclass(slots=True)
class Found:
    """What was seen, line by line; ``faults`` say what does not agree."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def equal(self, what: str, said: object, seen: object) -> None:
        """Note two things that must be the same."""
        if said == seen:
            self.lines.append(f"{what}: {seen}")
        else:
            self.faults.append(f"{what}: bản đối chiếu ghi {said}, thấy {seen}")


def check(db: sqlite3.Connection, file: Path) -> Found:
    """Check a ZIP, or a manifest.json with its files beside it; raises Refused ``data_manifest``
    (422) for what is neither."""
    found = Found()
    with _opened(file) as (proof, read):
        digest = ""
        for entry in proof["files"]:
            size, seen, rows = _measured(read(entry["name"]))
            found.equal(f"{entry['name']}, mã băm", entry["sha256"], seen)
            found.equal(f"{entry['name']}, byte", entry["bytes"], size)
            if entry["name"].endswith(".csv") and "rows" in entry:
                found.equal(f"{entry['name']}, số dòng", proof["counts"]["rows"], rows)
                digest = seen
    counts = proof["counts"]
    gone = sum(n for name, n in counts.items() if name not in ("database", "rows"))
    found.equal("cơ sở dữ liệu − đã trừ = số dòng", counts["database"] - gone, counts["rows"])
    n = proof["dashboard"]["n"]
    if n is not None:
        found.equal("trang kết quả − giữ lại = số dòng", n - counts["withheld"], counts["rows"])
    _database(db, proof, digest, found)
    return found


def _database(db: sqlite3.Connection, proof: Mapping[str, Any], digest: str, found: Found) -> None:
    """Count again as of the moment of the file; tell what has changed since."""
    try:
        wave = waves.get(db, proof["wave"]["key"])
    except LookupError:
        found.faults.append(f"cơ sở dữ liệu này không có đợt «{proof['wave']['key']}»")
        return
    held = datafiles.by_digest(db, digest)
    if held is None:
        found.faults.append("sổ giao tệp của cơ sở dữ liệu này không có tệp CSV ấy")
    asked = load(wave.questionnaire)
    found.equal("bảng hỏi", proof["questionnaire"]["digest"], asked.digest)
    made = weighting.get(db, wave.key)
    found.equal("quyền số", proof["weights"].get("digest", ""), made.digest if made else "")
    _again(db, proof, held, found)


def _again(
    db: sqlite3.Connection, proof: Mapping[str, Any], held: Export | None, found: Found
) -> None:
    ask = asking.read(proof["filter"])
    secret = config.load(datafiles.home(db)).secret
    upto = held.upto if held else datafiles.ENDLESS
    try:
        with datafiles.snapshot(db):
            now = extract.opened(
                db, ask, secret, on=date.fromisoformat(proof["made_on"]), upto=upto
            )
    except Refused as refusal:
        found.faults.append(f"cơ sở dữ liệu: {refusal.code}")
        return
    for name, n in now.accounts.items():
        found.equal(f"cơ sở dữ liệu, {name}", proof["counts"][name], n)
    later = datafiles.last(db) - upto if held else 0
    if later > 0:
        found.lines.append(f"từ khi lập tệp, máy chủ đã nhận thêm {later} phiếu của mọi đợt")
    elif proof["dashboard"]["n"] is not None:
        n = manifest.shown(db, ask.wave, ask.unit)
        found.equal("trang kết quả lúc này", proof["dashboard"]["n"], n)


@contextmanager
def _opened(file: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as bag:
                proof = _proof(bag.read(manifest.NAME))
                yield proof, bag.open
        else:
            proof = _proof(file.read_bytes())
            yield proof, lambda name: (file.parent / Path(name).name).open("rb")
    except (KeyError, OSError, ValueError, zipfile.BadZipFile) as fault:
        raise Refused("data_manifest", 422, file=file.name) from fault


def _proof(content: bytes) -> dict[str, Any]:
    found = json.loads(content)
    if not isinstance(found, dict) or found.get("format") != manifest.FORMAT:
        raise ValueError("no manifest")
    return found


def _measured(file: IO[bytes]) -> tuple[int, str, int]:
    """Bytes, digest, and rows of CSV below the heading (line ends outside of quotes)."""
    digest, size, rows, quoted = sha256(), 0, 0, False
    with file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            size += len(piece)
            for n, part in enumerate(piece.split(b'"')):
                quoted = quoted != bool(n)
                rows += 0 if quoted else part.count(b"\n")
    return size, digest.hexdigest(), rows - 1
