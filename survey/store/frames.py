"""Frames that a wave's sample is drawn from: its villages, and the households listed in them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from survey.db import write
from survey.store import Refused, audit
from survey.store.clock import VIETNAM, moment, stamp

#: Names and addresses of households are of no use so many days after a wave has closed.
NAME_DAYS = 90


@dataclass(frozen=True, slots=True)
class Village:
    """A village or quarter of the frame; ``size`` is its number of households."""

    psu: str
    stratum: str
    unit: str
    area: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Household:
    """A household of a village's list, with its adults; name and address are personal data."""

    psu: str
    household: str
    adults: int
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What was imported: ``digest`` is over all that decides a draw, ``n`` its rows."""

    kind: str
    source: str
    digest: str
    n: int
    imported_at: str
    actor: str


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of the frame: one of its units, its villages, their households, its units."""

    stratum: str
    unit: str
    villages: int
    households: int
    communes: int


def get(db: sqlite3.Connection, wave: str, kind: str) -> Frame | None:
    """What the frame of a kind ("village", "household") is made of; None when there is none."""
    row = db.execute(
        "SELECT kind, source, digest, n, imported_at, actor FROM frame"
        " WHERE wave = :wave AND kind = :kind",
        {"wave": wave, "kind": kind},
    ).fetchone()
    return Frame(**dict(row)) if row else None


def villages(db: sqlite3.Connection, wave: str) -> list[Village]:
    """The villages in the order that a systematic draw walks along."""
    rows = db.execute(
        "SELECT psu, stratum, unit, area, name, size FROM frame_village WHERE wave = :wave"
        " ORDER BY position",
        {"wave": wave},
    )
    return [Village(*row) for row in rows]


def strata(db: sqlite3.Connection, wave: str) -> list[Stratum]:
    """The strata, by their names."""
    rows = db.execute(
        "SELECT stratum, MIN(unit), COUNT(*), SUM(size), COUNT(DISTINCT unit)"
        " FROM frame_village WHERE wave = :wave GROUP BY stratum ORDER BY stratum",
        {"wave": wave},
    )
    return [Stratum(*row) for row in rows]


def listed(db: sqlite3.Connection, wave: str) -> Iterator[tuple[str, str, int]]:
    """Every household as (psu, household, adults), by village and number; never a name."""
    return map(
        tuple,
        db.execute(
            "SELECT psu, household, adults FROM frame_household WHERE wave = :wave"
            " ORDER BY psu, household",
            {"wave": wave},
        ),
    )


def of_psu(db: sqlite3.Connection, wave: str, psu: str) -> dict[str, Household]:
    """The households of one village by number, with names and addresses."""
    rows = db.execute(
        "SELECT psu, household, adults, name, address FROM frame_household"
        " WHERE wave = :wave AND psu = :psu ORDER BY position",
        {"wave": wave, "psu": psu},
    )
    return {row["household"]: Household(*row) for row in rows}


def put_villages(
    db: sqlite3.Connection, wave: str, rows: Sequence[Village], *, whole: bool, source: str,
    now: datetime, actor: str,
) -> Frame:  # fmt: skip
    """Store villages in the place of those of the strata they name, or of all (``whole``).

    Raises Refused ``frame_drawn`` (409) once villages were drawn, ``frame_twice`` (422: ``psu``)
    for a village that another stratum holds.
    """
    with write(db):
        if _drawn(db, wave):
            raise Refused("frame_drawn", 409, wave=wave)
        if whole:
            db.execute("DELETE FROM frame_village WHERE wave = :wave", {"wave": wave})
        db.executemany(
            "DELETE FROM frame_village WHERE wave = :wave AND stratum = :stratum",
            [{"wave": wave, "stratum": name} for name in {row.stratum for row in rows}],
        )
        last = db.execute(
            "SELECT COALESCE(MAX(position), 0) FROM frame_village WHERE wave = :wave",
            {"wave": wave},
        ).fetchone()[0]
        for position, row in enumerate(rows, last + 1):
            stored = db.execute(
                "INSERT INTO frame_village (wave, psu, stratum, unit, area, name, size, position)"
                " VALUES (:wave, :psu, :stratum, :unit, :area, :name, :size, :position)"
                " ON CONFLICT (wave, psu) DO NOTHING",
                asdict(row) | {"wave": wave, "position": position},
            ).rowcount
            if not stored:
                raise Refused("frame_twice", 422, psu=row.psu)
        db.execute(
            "DELETE FROM frame_household WHERE wave = :wave AND psu NOT IN"
            " (SELECT psu FROM frame_village WHERE wave = :wave)",
            {"wave": wave},
        )
        if get(db, wave, "household") is not None:
            _note(db, wave, "household", None, now=now, actor=actor)
        return _note(db, wave, "village", source, now=now, actor=actor)


def put_households(
    db: sqlite3.Connection, wave: str, psus: Iterable[str], rows: Iterable[Household], *,
    source: str, now: datetime, actor: str,
) -> Frame:  # fmt: skip
    """Store the lists of villages in the place of those they had; rows may be a stream.

    Raises Refused ``list_drawn`` (409: ``psu``) for a village whose households are drawn.
    """
    with write(db):
        begun = {
            row["psu"]
            for row in db.execute(
                "SELECT DISTINCT psu FROM sample_case WHERE wave = :wave", {"wave": wave}
            )
        }
        new = sorted(set(psus))
        if held := sorted(begun.intersection(new)):
            raise Refused("list_drawn", 409, psu=", ".join(held[:5]))
        db.executemany(
            "DELETE FROM frame_household WHERE wave = :wave AND psu = :psu",
            [{"wave": wave, "psu": psu} for psu in new],
        )
        db.executemany(
            "INSERT INTO frame_household (wave, psu, household, adults, name, address, position)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (wave, row.psu, row.household, row.adults, row.name, row.address, position)
                for position, row in enumerate(rows, 1)
            ),
        )
        return _note(db, wave, "household", source, now=now, actor=actor)


_DIGESTED = {
    "village": "SELECT stratum, psu, size FROM frame_village WHERE wave = :wave ORDER BY position",
    "commune": "SELECT stratum, unit, psu, size FROM frame_village WHERE wave = :wave"
    " ORDER BY position",
    "household": "SELECT psu, household, adults FROM frame_household WHERE wave = :wave"
    " ORDER BY psu, household",
}


def digest(db: sqlite3.Connection, wave: str, kind: str) -> tuple[str, int]:
    """SHA-256 (hex) over all of a frame that decides a draw, and its rows.

    One JSON array a line without blanks: villages [stratum, psu, size] in their order,
    households [psu, household, adults] by village and number; "commune" is the villages for a
    draw of communes, [stratum, unit, psu, size].  Names are not in it: they are removed one day,
    and the draw can still be checked.
    """
    found, n = sha256(), 0
    for row in db.execute(_DIGESTED[kind], {"wave": wave}):
        found.update(json.dumps(tuple(row), separators=(",", ":")).encode() + b"\n")
        n += 1
    return found.hexdigest(), n


def purge(db: sqlite3.Connection, today: date) -> int:
    """Remove names and addresses of waves closed ``NAME_DAYS`` ago; returns of how many."""
    done = 0
    with write(db):
        for wave, until in _ends(db):
            if until <= today:
                done += db.execute(
                    "UPDATE frame_household SET name = '', address = ''"
                    " WHERE wave = :wave AND (name <> '' OR address <> '')",
                    {"wave": wave},
                ).rowcount
    return done


def kept(db: sqlite3.Connection) -> list[tuple[str, int, date]]:
    """Waves with names or addresses of households: wave, how many, the day they go."""
    found = []
    for wave, until in _ends(db):
        n = db.execute(
            "SELECT COUNT(*) FROM frame_household"
            " WHERE wave = :wave AND (name <> '' OR address <> '')",
            {"wave": wave},
        ).fetchone()[0]
        if n:
            found.append((wave, int(n), until))
    return found


def _ends(db: sqlite3.Connection) -> list[tuple[str, date]]:
    rows = db.execute(
        "SELECT key, closes_on, closed_at FROM wave WHERE key IN (SELECT wave FROM frame_household)"
        " ORDER BY key"
    ).fetchall()
    return [
        (
            row["key"],
            timedelta(NAME_DAYS)
            + (
                moment(row["closed_at"]).astimezone(VIETNAM).date()
                if row["closed_at"]
                else date.fromisoformat(row["closes_on"])
            ),
        )
        for row in rows
    ]


def _drawn(db: sqlite3.Connection, wave: str) -> bool:
    found = db.execute(
        "SELECT 1 FROM sample_psu WHERE wave = :wave LIMIT 1", {"wave": wave}
    ).fetchone()
    return found is not None


def _note(
    db: sqlite3.Connection, wave: str, kind: str, source: str | None, *, now: datetime, actor: str
) -> Frame:
    """Write down what the frame now is; ``source`` None leaves where it came from."""
    known = get(db, wave, kind)
    found, n = digest(db, wave, kind)
    frame = Frame(
        kind, source if source is not None else known.source if known else "", found, n,
        stamp(now), actor,
    )  # fmt: skip
    db.execute(
        "INSERT INTO frame (wave, kind, source, digest, n, imported_at, actor)"
        " VALUES (:wave, :kind, :source, :digest, :n, :imported_at, :actor)"
        " ON CONFLICT (wave, kind) DO UPDATE SET source = excluded.source,"
        " digest = excluded.digest, n = excluded.n, imported_at = excluded.imported_at,"
        " actor = excluded.actor",
        asdict(frame) | {"wave": wave},
    )
    if source is not None:
        detail = {"source": source, "digest": found, "rows": n}
        audit.append(
            db, at=now, actor=actor, action=f"frame.{kind}", subject=wave, detail=detail
        )  # fmt: skip
    return frame
