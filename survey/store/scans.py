"""Scanned files on their way: handed in, read page by page, and what came of every page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from survey.db import write
from survey.store import Refused, audit, people, units
from survey.store.clock import stamp

#: Files that a page lists; older ones have long been worked up.
LISTED = 100
#: An empty sheet is the back of a page printed on one side: no fault of anybody's.
EMPTY = "blank"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file handed in to be read; ``staff`` is who did it, None from the shell.

    ``state``: waiting, reading, done (read to its end: its forms may wait, see ``Counted``),
    failed (``fault`` says why).  ``removed_on`` is the day its pictures were removed.
    """

    id: int
    wave: str
    name: str
    digest: str
    pages: int
    state: str
    fault: str
    at: str
    done_at: str | None
    staff: int | None
    removed_on: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A file with what came of its pages so far.

    ``empty`` sheets are not among the ``refused``; ``known`` were there already; ``doubts``
    fields that wait for a person, ``held`` forms with a page here that are not entered.
    """

    upload: Upload
    read: int
    refused: int
    empty: int
    known: int
    doubts: int
    held: int

    @property
    def done(self) -> int:
        """Pages that the reader is through with."""
        return self.read + self.refused + self.empty + self.known

    @property
    def state(self) -> str:
        """How far the file is: as the upload's; once read, whether its forms are ``entered``.

        ``held`` while a form of it waits: for pages, for a person, or because it was refused.
        """
        if self.upload.state != "done" or not self.read:
            return self.upload.state
        return "held" if self.held else "entered"


class Page(NamedTuple):
    """One page of a file as it was read: ``fault`` of a refused one is (code, facts)."""

    id: int
    upload: int
    number: int
    digest: str
    reader: str
    case_id: int | None
    print_run: int | None
    page: int | None
    state: str
    fault: tuple[str, dict[str, object]]
    file: str
    fields: dict[str, object]
    confidence: dict[str, float]
    doubts: dict[str, dict[str, object]]
    solved: dict[str, dict[str, object]]

    @property
    def open(self) -> list[str]:
        """Names of the doubtful fields that nobody has decided."""
        return [name for name in self.doubts if name not in self.solved]

    @property
    def least(self) -> float | None:
        """The least confidence (0..1) of the marks taken without a person; None without any."""
        sure = (self.confidence[name] for name in self.fields if name in self.confidence)
        return min(sure, default=None)


_UPLOAD = (
    "SELECT id, wave, name, digest, pages, state, fault, at, done_at, staff, removed_on"
    " FROM scan_upload"
)
_PAGE = (
    "SELECT id, upload, number, digest, reader, case_id, print_run, page, state, fault, file,"
    " fields, confidence, doubts, solved FROM scan_page"
)


def add(
    db: sqlite3.Connection,
    wave: str,
    *,
    name: str,
    digest: str,
    staff: int | None,
    now: datetime,
    actor: str,
) -> tuple[Upload, bool]:
    """Hand in a file by the sha256 of its bytes; the same file again is the same upload.

    Returns the upload and whether it is new.  Raises Refused ``upload_elsewhere`` (409: ``wave``)
    when it was handed in for another wave.
    """
    with write(db):
        row = db.execute(_UPLOAD + " WHERE digest = :digest", {"digest": digest}).fetchone()
        if row is not None:
            if row["wave"] != wave:
                raise Refused("upload_elsewhere", 409, wave=row["wave"])
            return Upload(**dict(row)), False
        id = db.execute(
            "INSERT INTO scan_upload (wave, name, digest, at, staff)"
            " VALUES (:wave, :name, :digest, :at, :staff)",
            {"wave": wave, "name": name, "digest": digest, "at": stamp(now), "staff": staff},
        ).lastrowid
        audit.append(
            db, at=now, actor=actor, action="scan.upload", subject=wave,
            detail={"upload": id, "name": name, "sha256": digest},
        )  # fmt: skip
        assert id is not None
        return get(db, id), True


def get(db: sqlite3.Connection, id: int) -> Upload:
    """The upload of this number; raises LookupError."""
    row = db.execute(_UPLOAD + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return Upload(**dict(row))


def demand(upload: Upload) -> None:
    """Refuse (410 ``scan_removed``: ``on``) where the pictures of a file have been removed."""
    if upload.removed_on:
        raise Refused("scan_removed", 410, on=upload.removed_on)


def next_waiting(db: sqlite3.Connection) -> Upload | None:
    """The oldest file that is not read to its end, one that a reader left half read included."""
    row = db.execute(
        _UPLOAD + " WHERE state IN ('waiting', 'reading') ORDER BY id LIMIT 1"
    ).fetchone()
    return Upload(**dict(row)) if row else None


def begin(db: sqlite3.Connection, id: int, *, pages: int) -> None:
    """Say that a file is being read, and how many pages it has."""
    with write(db):
        db.execute(
            "UPDATE scan_upload SET state = 'reading', pages = :pages WHERE id = :id",
            {"id": id, "pages": pages},
        )


def end(db: sqlite3.Connection, id: int, *, fault: str = "", now: datetime) -> None:
    """Say that a file is read to its end, or why it could not be read at all."""
    with write(db):
        db.execute(
            "UPDATE scan_upload SET state = :state, fault = :fault, done_at = :at WHERE id = :id",
            {
                "id": id, "state": "failed" if fault else "done", "fault": fault,
                "at": stamp(now),
            },
        )  # fmt: skip


def again(db: sqlite3.Connection, id: int, *, now: datetime, actor: str) -> Upload:
    """Have the refused pages of a file read once more, by a reader that may know better.

    Raises LookupError, or Refused ``upload_reading`` (409) while it is being read,
    ``scan_removed`` (410: ``on``) when its pictures are gone.
    """
    with write(db):
        upload = get(db, id)
        if upload.state in ("waiting", "reading"):
            raise Refused("upload_reading", 409)
        demand(upload)
        db.execute("DELETE FROM scan_page WHERE upload = :id AND state = 'refused'", {"id": id})
        db.execute(
            "UPDATE scan_upload SET state = 'waiting', fault = '', done_at = NULL WHERE id = :id",
            {"id": id},
        )
        audit.append(db, at=now, actor=actor, action="scan.again", subject=str(id))
    return get(db, id)


def counted(
    db: sqlite3.Connection, wave: str, *, unit: str = "", id: int | None = None
) -> list[Counted]:
    """The files of a wave, the newest first, with what came of their pages.

    ``unit`` narrows them to those that staff of the unit, or of one under it, handed in.
    """
    rows = db.execute(
        "SELECT u.id, u.wave, u.name, u.digest, u.pages, u.state, u.fault, u.at, u.done_at,"
        " u.staff, u.removed_on, COUNT(p.state = 'read' OR NULL) AS read,"
        " COUNT((p.state = 'refused' AND p.fault NOT LIKE :empty || ' %') OR NULL) AS refused,"
        " COUNT((p.state = 'refused' AND p.fault LIKE :empty || ' %') OR NULL) AS empty,"
        " COUNT(p.state = 'superseded' OR NULL) AS known,"
        " COALESCE(SUM((SELECT COUNT(*) FROM json_each(p.doubts) d WHERE p.state = 'read'"
        " AND NOT EXISTS (SELECT 1 FROM json_each(p.solved) s WHERE s.key = d.key))), 0) AS doubts,"
        " COUNT(DISTINCT CASE WHEN p.state = 'read' AND NOT EXISTS (SELECT 1 FROM paper_entry e"
        " WHERE e.case_id = p.case_id) THEN p.case_id END) AS held"
        " FROM scan_upload u LEFT JOIN scan_page p ON p.upload = u.id"
        " WHERE u.wave = :wave AND (:id IS NULL OR u.id = :id)"
        " GROUP BY u.id ORDER BY u.id DESC LIMIT :most",
        {"wave": wave, "id": id, "empty": EMPTY, "most": LISTED if not unit else -1},
    ).fetchall()
    names = ("read", "refused", "empty", "known", "doubts", "held")
    found = [
        Counted(
            Upload(**{key: row[key] for key in Upload.__slots__}), *(row[name] for name in names)
        )
        for row in rows
    ]
    if unit:
        found = [one for one in found if unit in _path(db, one.upload.staff)]
    return found[:LISTED]


def unit_of(db: sqlite3.Connection, upload: Upload) -> str:
    """The unit of who handed a file in; "" for all units."""
    staff = people.get(db, upload.staff) if upload.staff is not None else None
    return (staff.unit or "") if staff else ""


def _path(db: sqlite3.Connection, staff: int | None) -> tuple[str, ...]:
    found = people.get(db, staff) if staff is not None else None
    return units.path(db, found.unit) if found and found.unit else ()


def pages_of(db: sqlite3.Connection, upload: int) -> list[Page]:
    """The pages of a file that were read or refused so far, in order."""
    rows = db.execute(_PAGE + " WHERE upload = :upload ORDER BY number", {"upload": upload})
    return [page_row(row) for row in rows]


def numbers(db: sqlite3.Connection, upload: int) -> set[int]:
    """Which pages of a file the reader is through with."""
    rows = db.execute("SELECT number FROM scan_page WHERE upload = :id", {"id": upload})
    return {row["number"] for row in rows}


def page(db: sqlite3.Connection, id: int) -> Page:
    """One page; raises LookupError."""
    row = db.execute(_PAGE + " WHERE id = :id", {"id": id}).fetchone()
    if row is None:
        raise LookupError(id)
    return page_row(row)


def current(db: sqlite3.Connection, case_id: int) -> dict[int, Page]:
    """The pages of a form that count, by page number."""
    return {one.page: one for one in read_of(db, case_id) if one.page is not None}


def read_of(db: sqlite3.Connection, case_id: int) -> list[Page]:
    """Every page of a form that counts, by page number and then as they came."""
    rows = db.execute(
        _PAGE + " WHERE case_id = :case_id AND state = 'read' ORDER BY page, id",
        {"case_id": case_id},
    )
    return [page_row(row) for row in rows]


def insert(db: sqlite3.Connection, facts: Mapping[str, object], *, now: datetime) -> int:
    """Store a page of a file; ``facts`` are the columns of scan_page."""
    usual = {"case_id": None, "print_run": None, "page": None, "file": "", "fault": ""}
    row = usual | {"fields": "{}", "confidence": "{}", "doubts": "{}", "solved": "{}"} | dict(facts)
    made = db.execute(
        "INSERT INTO scan_page (upload, number, digest, reader, case_id, print_run, page, state,"
        " fault, file, fields, confidence, doubts, solved, at) VALUES (:upload, :number, :digest,"
        " :reader, :case_id, :print_run, :page, :state, :fault, :file, :fields, :confidence,"
        " :doubts, :solved, :at)",
        row | {"at": stamp(now)},
    ).lastrowid
    assert made is not None
    return made


def set_state(db: sqlite3.Connection, id: int, state: str, fault: str) -> None:
    """Change what counts of a page."""
    db.execute(
        "UPDATE scan_page SET state = :state, fault = :fault WHERE id = :id",
        {"id": id, "state": state, "fault": fault},
    )


def set_solved(
    db: sqlite3.Connection, id: int, solved: Mapping[str, object], staff: int | None
) -> None:
    """Keep what a person decided of a page's doubtful fields."""
    db.execute(
        "UPDATE scan_page SET solved = :solved, staff = :staff WHERE id = :id",
        {"id": id, "solved": text(solved), "staff": staff},
    )


def text(value: object) -> str:
    """A JSON column."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def fault(code: str, facts: Mapping[str, object] | None = None) -> str:
    """A fault as its column holds it: the code, a blank, its facts."""
    return f"{code} {text(dict(facts or {}))}"


def page_row(row: sqlite3.Row) -> Page:
    """A page as its row holds it."""
    code, _, facts = row["fault"].partition(" ")
    whole = {name: row[name] for name in Page._fields}
    parts = ("fields", "confidence", "doubts", "solved")
    whole |= {name: json.loads(row[name]) for name in parts}
    return Page(**whole | {"fault": (code, json.loads(facts or "{}"))})
