"""A household or a whole village that cannot be reached gives its place to another, on record."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from survey.db import write
from survey.serials import printed
from survey.store import Refused, audit, cases, draws, tally, waves
from survey.store.clock import stamp

#: Why a village is replaced: what a household may be replaced for, and what befalls an area.
AREA_REASONS = ("disaster", *cases.REASONS)


def replace_case(
    db: sqlite3.Connection, id: int, reason: str, *, now: datetime, actor: str
) -> cases.Case:
    """Give a case's place to the next reserve of its village; returns that reserve.

    Raises LookupError (no such case), ValueError (no such reason), or Refused ``no_reserve``
    (409), ``case_back`` (409: its form is back), ``replaced`` (409), ``sample_closed`` (409).
    """
    if reason not in cases.REASONS:
        raise ValueError(reason)
    with write(db):
        lost = cases.get(db, id)
        _open(db, lost.wave)
        if lost.state in ("replaced", "reserve"):
            raise Refused("replaced", 409, serial=printed(id))
        if lost.state in cases.BACK:
            raise Refused("case_back", 409, serial=printed(id), state=lost.state)
        waiting = [c for c in cases.of_psu(db, lost.wave, lost.psu) if c.state == "reserve"]
        if not waiting:
            raise Refused("no_reserve", 409, psu=lost.psu_name)
        steps: dict[str, Any] = {"now": now, "actor": actor, "reason": reason}
        if lost.state not in cases.LOST:
            cases.move(db, [id], reason, **steps)
        elif lost.state != reason:
            db.execute(
                "UPDATE sample_case SET reason = :reason WHERE id = :id",
                {"id": id, "reason": reason},
            )
        cases.move(db, [id], "replaced", **steps)
        next_one = min(waiting, key=lambda case: (case.reserve or 0, case.id))
        db.execute(
            "UPDATE sample_case SET replaces = :lost, number = :number WHERE id = :id",
            {"id": next_one.id, "lost": id, "number": lost.number},
        )
        cases.move(db, [next_one.id], "planned", now=now, actor=actor)
        detail = {"case": next_one.id, "reserve": next_one.reserve, "reason": reason}
        audit.append(db, at=now, actor=actor, action="case.replace", subject=str(id), detail=detail)
    return cases.get(db, next_one.id)


def drop_area(
    db: sqlite3.Connection, wave: str, psu: str, reason: str, *,
    substitute: Mapping[str, Any] | None, now: datetime, actor: str,
) -> int:  # fmt: skip
    """Take a village out of the sample; returns how many of its cases that ends.

    ``substitute`` is the village that takes its place, as ``draws.keep_villages`` stores one;
    its households are drawn once their list is there.  Without one the weights of the stratum's
    other villages grow, so that they stand for it.

    Raises LookupError (not drawn, or dropped), ValueError (no such reason), or Refused
    ``area_answered`` (409: ``n``) where forms came back, ``area_last`` (409) for the only village
    of its stratum, ``sample_closed`` (409).
    """
    if reason not in AREA_REASONS:
        raise ValueError(reason)
    with write(db):
        _open(db, wave)
        held = {area.psu: area for area in draws.areas(db, wave) if not area.dropped_at}
        if psu not in held:
            raise LookupError(psu)
        mine = held[psu]
        of = cases.of_psu(db, wave, psu)
        if back := sum(case.state in cases.BACK for case in of):
            raise Refused("area_answered", 409, n=back)
        if substitute is None and sum(a.stratum == mine.stratum for a in held.values()) == 1:
            raise Refused("area_last", 409, stratum=mine.stratum)
        before = _factor(db, wave, mine.stratum)
        _end(db, of, psu, reason, now, actor)
        db.execute(
            "UPDATE sample_psu SET dropped_at = :at, reason = :reason"
            " WHERE wave = :wave AND psu = :psu",
            {"wave": wave, "psu": psu, "at": stamp(now), "reason": reason},
        )
        detail: dict[str, object] = {"wave": wave, "reason": reason}
        if substitute is not None:
            draws.add_areas(db, wave, [dict(substitute) | {"replaces": psu}])
            db.execute(
                "UPDATE sample_plan SET households_at = NULL WHERE wave = :wave", {"wave": wave}
            )
            detail["substitute"] = substitute["psu"]
        else:
            grown = _factor(db, wave, mine.stratum) / before
            _grow(db, wave, mine.stratum, grown)
            detail["factor"] = str(grown)
        tally.touch(db, {wave})
        audit.append(db, at=now, actor=actor, action="area.drop", subject=psu, detail=detail)
    return len(of)


def factors(db: sqlite3.Connection, wave: str) -> dict[str, Fraction]:
    """By how much each stratum's weights have grown for villages dropped with no substitute."""
    names = [
        row["stratum"]
        for row in db.execute(
            "SELECT DISTINCT stratum FROM sample_psu WHERE wave = :wave", {"wave": wave}
        )
    ]
    return {name: _factor(db, wave, name) for name in names}


def _factor(db: sqlite3.Connection, wave: str, stratum: str) -> Fraction:
    """Households that the drawn villages stand for, over those that the ones kept stand for."""
    rows = db.execute(
        "SELECT p.psu, p.probability, p.replaces, p.dropped_at, COALESCE(v.size, 1) AS size"
        " FROM sample_psu p LEFT JOIN frame_village v ON v.wave = p.wave AND v.psu = p.psu"
        " WHERE p.wave = :wave AND p.stratum = :stratum",
        {"wave": wave, "stratum": stratum},
    ).fetchall()
    gone = {row["replaces"] for row in rows if row["replaces"]}
    places = [row for row in rows if row["psu"] not in gone and row["probability"]]
    whole = sum((row["size"] / Fraction(row["probability"]) for row in places), Fraction(0))
    kept = [row for row in places if not row["dropped_at"]]
    left = sum((row["size"] / Fraction(row["probability"]) for row in kept), Fraction(0))
    return whole / left if left else Fraction(1)


def _grow(db: sqlite3.Connection, wave: str, stratum: str, by: Fraction) -> None:
    """Multiply the weights of a stratum's cases; what was made of them grows alike."""
    rows = db.execute(
        "SELECT c.id, c.probability, c.start, c.weight FROM sample_case c"
        " JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " WHERE c.wave = :wave AND p.stratum = :stratum AND p.dropped_at IS NULL"
        " AND c.probability IS NOT NULL",
        {"wave": wave, "stratum": stratum},
    ).fetchall()
    found = []
    for row in rows:
        probability = Fraction(row["probability"]) / by
        found.append(
            {
                "id": row["id"], "probability": str(probability), "base": float(1 / probability),
                "start": None if row["start"] is None else row["start"] * float(by),
                "weight": row["weight"] * float(by),
            }
        )  # fmt: skip
    db.executemany(
        "UPDATE sample_case SET probability = :probability, base = :base, start = :start,"
        " weight = :weight WHERE id = :id",
        found,
    )
    mark = tally.mark(db, wave)
    tally.reset(db, mark, mark.rule)


def _end(
    db: sqlite3.Connection, of: list[cases.Case], psu: str, reason: str, now: datetime, actor: str
) -> None:
    """Bring every case that was to be visited to "replaced"; reserves just stay where they are."""
    steps: dict[str, Any] = {"now": now, "actor": actor, "reason": reason, "subject": psu}
    out = [case.id for case in of if case.state in ("planned", *cases.OUT)]
    cases.move(db, out, "other", **steps)
    lost = [case.id for case in of if case.state in cases.LOST]
    cases.move(db, [*out, *lost], "replaced", **steps)


def _open(db: sqlite3.Connection, wave: str) -> None:
    """Refuse to change the sample of a wave that is closed, or whose weights are frozen."""
    frozen = db.execute(
        "SELECT 1 FROM weighting WHERE wave = :wave AND frozen_at IS NOT NULL", {"wave": wave}
    ).fetchone()
    if frozen or waves.get(db, wave).closed_at is not None:
        raise Refused("sample_closed", 409, wave=wave)
