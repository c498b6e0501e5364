"""Figures that others published: imported with their source, listed, taken out with a reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import stamp

#: What is measured: SIPAS and PAR INDEX as published, the 18 points of QĐ 766/QĐ-TTg, a unit's
#: own score, anything else.
MEASURES = ("sipas", "par", "nd766", "self_score", "other")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it was printed; numbers are decimals as text ("83.94").

    ``part``: what of the measure it is ("" the whole, "policy", "III.2"); ``most``: the highest
    number of points, "" for a percentage; ``place`` of ``places`` in the ranking; ``lowest`` and
    ``highest`` among the units below; ``dated`` YYYY, YYYY-MM or YYYY-MM-DD.
    """

    measure: str
    unit: str
    year: int
    value: str
    source: str
    dated: str
    part: str = ""
    period: str = ""
    most: str = ""
    place: int | None = None
    places: int | None = None
    lowest: str = ""
    highest: str = ""
    n: int | None = None
    note: str = ""

    @property
    def share(self) -> float:
        """The value as a share 0..1 of 100 percent or of the highest number of points."""
        return float(Decimal(self.value) / Decimal(self.most or "100"))


@dataclass(frozen=True, slots=True)
class Held:
    """A figure that is stored, with the file it came in."""

    id: int
    file: int
    figure: Figure


@dataclass(frozen=True, slots=True)
class File:
    """A file that was imported; ``removed_at`` is "" while its figures stand."""

    id: int
    name: str
    digest: str
    rows: int
    imported_at: str
    actor: str
    removed_at: str
    removed_by: str
    reason: str


_FIGURE = (
    "SELECT id, file, measure, part, unit, year, period, value, most, place, places, lowest,"
    " highest, n, source, dated, note FROM external_figure"
)


def add(
    db: sqlite3.Connection,
    figures: Sequence[Figure],
    *,
    name: str,
    digest: str,
    now: datetime,
    actor: str,
) -> tuple[int, int]:
    """Store the figures of a file; returns how many are new and how many were there already.

    A figure that is there with the same numbers stays; raises Refused ``external_differs`` (409)
    when the same source is said to have published another number (the first is named).
    """
    with write(db):
        known = {_key(held.figure): held.figure for held in listed(db)}
        new = [figure for figure in figures if _key(figure) not in known]
        for figure in figures:
            old = known.get(_key(figure), figure)
            if old != figure:
                raise Refused(
                    "external_differs", 409, unit=figure.unit, year=figure.year,
                    old=old.value, new=figure.value,
                )  # fmt: skip
        if not new:
            return 0, len(figures)
        row = {"name": name, "digest": digest, "rows": len(new), "at": stamp(now), "actor": actor}
        made = db.execute(
            "INSERT INTO external_file (name, digest, rows, imported_at, actor)"
            " VALUES (:name, :digest, :rows, :at, :actor) RETURNING id",
            row,
        ).fetchone()
        for figure in new:
            db.execute(
                "INSERT INTO external_figure (file, measure, part, unit, year, period, value,"
                " most, place, places, lowest, highest, n, source, dated, note) VALUES (:file,"
                " :measure, :part, :unit, :year, :period, :value, :most, :place, :places,"
                " :lowest, :highest, :n, :source, :dated, :note)",
                asdict(figure) | {"file": made["id"]},
            )
        audit.append(
            db, at=now, actor=actor, action="external.import", subject=str(made["id"]),
            detail={"name": name, "digest": digest, "rows": len(new)},
        )  # fmt: skip
    return len(new), len(figures) - len(new)


def remove(db: sqlite3.Connection, file: int, *, reason: str, now: datetime, actor: str) -> int:
    """Take the figures of a file out, for a reason; returns how many.

    The file stays on the list with who, when and why.  Raises LookupError (no such file, or
    taken out already), Refused ``no_reason`` (422).
    """
    if not reason.strip():
        raise Refused("no_reason", 422)
    with write(db):
        held = db.execute(
            "UPDATE external_file SET removed_at = :at, removed_by = :actor, reason = :reason"
            " WHERE id = :file AND removed_at IS NULL",
            {"at": stamp(now), "actor": actor, "reason": reason.strip(), "file": file},
        ).rowcount
        if not held:
            raise LookupError(file)
        gone = db.execute("DELETE FROM external_figure WHERE file = :file", {"file": file}).rowcount
        audit.append(
            db, at=now, actor=actor, action="external.remove", subject=str(file),
            detail={"rows": gone, "reason": reason.strip()},
        )  # fmt: skip
    return int(gone)


def listed(db: sqlite3.Connection) -> list[Held]:
    """Every figure, by measure, unit and year."""
    return [*map(_held, db.execute(_FIGURE + " ORDER BY measure, unit, year, period, part, id"))]


def of_units(db: sqlite3.Connection, units: Iterable[str], measure: str = "") -> list[Held]:
    """The figures of these units, of one measure or of all, the oldest first."""
    wanted = set(units)
    rows = db.execute(
        _FIGURE + " WHERE measure = :measure OR :measure = '' ORDER BY year, period, part, id",
        {"measure": measure},
    )
    return [held for held in map(_held, rows) if held.figure.unit in wanted]


def files(db: sqlite3.Connection) -> list[File]:
    """Every file, the newest first."""
    rows = db.execute("SELECT * FROM external_file ORDER BY id DESC")
    return [
        File(
            row["id"], row["name"], row["digest"], row["rows"], row["imported_at"], row["actor"],
            row["removed_at"] or "", row["removed_by"], row["reason"],
        )
        for row in rows
    ]  # fmt: skip


def _key(figure: Figure) -> tuple[object, ...]:
    return (
        figure.measure, figure.part, figure.unit, figure.year, figure.period, figure.source,
    )  # fmt: skip


def _held(row: sqlite3.Row) -> Held:
    facts = {name: row[name] for name in Figure.__dataclass_fields__}
    return Held(row["id"], row["file"], Figure(**facts))


def file_units(db: sqlite3.Connection, file: int) -> list[str]:
    """The units that a file has figures of; none once they are taken out."""
    rows = db.execute(
        "SELECT DISTINCT unit FROM external_figure WHERE file = :file ORDER BY unit", {"file": file}
    )
    return [row["unit"] for row in rows]
