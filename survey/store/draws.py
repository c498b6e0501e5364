"""The draw of a wave's sample: its plan, the villages drawn, the cases, and what they rest on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from survey.db import write
from survey.store import Refused, audit, frames, plans, samples, tally, waves
from survey.store.clock import stamp

METHODS = ("size", "systematic", "simple")
PERSONS = ("one", "any")


@dataclass(frozen=True, slots=True)
class Plan:
    """How many are drawn, and how.

    ``takes``: villages of each stratum, drawn by ``method`` (``size``: systematic in proportion
    to households; ``systematic``; ``simple``).  With ``per_commune`` above 0 they are communes,
    drawn by ``commune_method``, and in each as many villages are drawn by ``method``, all of a
    commune that has no more.  In each village ``households`` and after them numbered
    ``reserves``.  ``person``: ``one`` adult of a household answers for himself, so his weight
    grows with its adults; ``any`` one answers for the household.
    """

    takes: Mapping[str, int] = field(default_factory=dict)
    method: str = "size"
    households: int = 30
    reserves: int = 8
    person: str = "one"
    per_commune: int = 0
    commune_method: str = "size"

    @property
    def frame(self) -> str:
        """Which digest of the frame a draw of villages rests on."""
        return "commune" if self.per_commune else "village"

    def villages(self, stratum: str | None = None) -> int:
        """Villages to be drawn (at most, with communes), of a stratum or of all."""
        units = sum(self.takes.values()) if stratum is None else self.takes.get(stratum, 0)
        return units * max(1, self.per_commune)

    def first(self) -> tuple[object, ...]:
        """What decides the draw of villages."""
        return self.takes, self.method, self.per_commune, self.per_commune and self.commune_method


@dataclass(frozen=True, slots=True)
class Draw:
    """The plan of a wave and what was drawn by it; times are None before that."""

    plan: Plan
    seed: str = ""
    algorithm: str = ""
    village_digest: str | None = None
    household_digest: str | None = None
    villages_at: str | None = None
    households_at: str | None = None
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A village drawn: how, whom it replaces, why it was dropped, its list and its cases.

    ``cluster`` is the commune of the first stage that the variance counts, "" for the village
    itself; ``certain`` the commune drawn surely whose villages are a stratum of their own there.
    """

    psu: str
    stratum: str
    fpc: float | None
    unit: str
    area: str
    name: str
    probability: str | None
    replaces: str | None
    dropped_at: str | None
    reason: str
    listed: int
    main: int
    reserves: int
    cluster: str
    certain: str


def get(db: sqlite3.Connection, wave: str) -> Draw:
    """The plan and draw of a wave; the usual plan, and nothing drawn, where there is none."""
    row = db.execute(
        "SELECT stages AS plan, seed, algorithm, village_digest, household_digest, villages_at,"
        " households_at, actor FROM sample_plan WHERE wave = :wave",
        {"wave": wave},
    ).fetchone()
    return Draw(**dict(row) | {"plan": Plan(**json.loads(row["plan"]))}) if row else Draw(Plan())


def set_plan(
    db: sqlite3.Connection, wave: str, plan: Plan, *, now: datetime, actor: str
) -> Draw:  # fmt: skip
    """Keep the plan of a wave.

    Raises LookupError (no such wave), or Refused ``sample_drawn`` (409): after the villages only
    what concerns households may change, after the first households nothing.
    """
    with write(db):
        waves.get(db, wave)
        held = get(db, wave)
        if held.plan == plan:
            return held
        kept = plan.first() == held.plan.first()
        if samples_of(db, wave) or (held.villages_at and not kept):
            raise Refused("sample_drawn", 409, wave=wave)
        made = replace(held, plan=plan, actor=actor)
        _keep(db, wave, made)
        audit.append(
            db, at=now, actor=actor, action="sample.plan", subject=wave, detail=asdict(plan)
        )  # fmt: skip
    return made


def samples_of(db: sqlite3.Connection, wave: str) -> int:
    """How many cases a wave has."""
    return int(
        db.execute(
            "SELECT COUNT(*) FROM sample_case WHERE wave = :wave", {"wave": wave}
        ).fetchone()[0]
    )


def areas(db: sqlite3.Connection, wave: str) -> list[Area]:
    """The villages drawn, by stratum and code."""
    rows = db.execute(
        "SELECT p.psu, p.stratum, p.fpc, p.unit, p.area, p.name, p.probability, p.replaces,"
        " p.dropped_at, p.reason, COALESCE(h.n, 0) AS listed, COALESCE(c.main, 0) AS main,"
        " COALESCE(c.reserves, 0) AS reserves, p.cluster, p.certain FROM sample_psu p"
        " LEFT JOIN (SELECT psu, COUNT(*) AS n FROM frame_household WHERE wave = :wave"
        "  GROUP BY psu) h ON h.psu = p.psu"
        " LEFT JOIN (SELECT psu, SUM(reserve IS NULL) AS main, SUM(reserve IS NOT NULL) AS reserves"
        "  FROM sample_case WHERE wave = :wave GROUP BY psu) c ON c.psu = p.psu"
        " WHERE p.wave = :wave ORDER BY p.stratum, p.psu",
        {"wave": wave},
    )
    return [Area(**dict(row)) for row in rows]


def keep_villages(
    db: sqlite3.Connection, wave: str, rows: Sequence[Mapping[str, Any]], *, draw: Draw,
    now: datetime, actor: str,
) -> Draw:  # fmt: skip
    """Store the villages drawn: psu, stratum, fpc, unit, area, name, probability, cluster, certain.

    ``draw`` says by which plan, seed, algorithm and frame (``village_digest``).  Raises Refused
    ``sample_drawn`` (409), or ``frame_changed`` (409) where plan or frame are others by now.
    """
    with write(db):
        held = get(db, wave)
        if held.villages_at or areas(db, wave):
            raise Refused("sample_drawn", 409, wave=wave)
        now_is = frames.digest(db, wave, held.plan.frame)[0]
        if held.plan != draw.plan or now_is != draw.village_digest:
            raise Refused("frame_changed", 409, wave=wave)
        made = replace(draw, villages_at=stamp(now), households_at=None, actor=actor)
        _keep(db, wave, made)
        add_areas(db, wave, rows)
        detail = {
            "seed": draw.seed, "algorithm": draw.algorithm, "digest": draw.village_digest,
            "villages": len(rows),
        }  # fmt: skip
        audit.append(db, at=now, actor=actor, action="sample.villages", subject=wave, detail=detail)
    return made


def add_areas(db: sqlite3.Connection, wave: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert villages of a sample, in the caller's transaction."""
    db.executemany(
        "INSERT INTO sample_psu (wave, psu, stratum, fpc, unit, area, name, probability,"
        " replaces, cluster, certain) VALUES (:wave, :psu, :stratum, :fpc, :unit, :area, :name,"
        " :probability, :replaces, :cluster, :certain)",
        [{"wave": wave, "replaces": None} | dict(row) for row in rows],
    )
    tally.touch(db, {wave})


def keep_cases(
    db: sqlite3.Connection, wave: str, rows: Sequence[Mapping[str, Any]], *, draw: Draw,
    done: bool, now: datetime, actor: str,
) -> int:  # fmt: skip
    """Store cases: psu, household, number, reserve, probability, base and the two ballots.

    ``done`` says that no village waits for its list any more.  Raises Refused ``sample_drawn``
    (409) for a village that has cases, ``frame_changed`` (409) where lists or plan are others.
    """
    with write(db):
        held = get(db, wave)
        if held.plan != draw.plan or held.seed != draw.seed:
            raise Refused("frame_changed", 409, wave=wave)
        if frames.digest(db, wave, "household")[0] != draw.household_digest:
            raise Refused("frame_changed", 409, wave=wave)
        begun = {area.psu for area in areas(db, wave) if area.main}
        if begun.intersection(row["psu"] for row in rows):
            raise Refused("sample_drawn", 409, wave=wave)
        _seed_ballots(db, wave, draw.seed, now=now, actor=actor)
        first = samples.last_case(db) + 1
        db.executemany(_CASE, _numbered(wave, rows, first))
        at = stamp(now) if done else None
        _keep(db, wave, replace(draw, villages_at=held.villages_at, households_at=at, actor=actor))
        tally.touch(db, {wave})
        detail = {
            "seed": draw.seed, "algorithm": draw.algorithm, "digest": draw.household_digest,
            "villages": len({row["psu"] for row in rows}), "cases": len(rows), "first": first,
        }  # fmt: skip
        audit.append(
            db, at=now, actor=actor, action="sample.households", subject=wave, detail=detail
        )
    return len(rows)


_CASE = (
    "INSERT INTO sample_case (id, wave, psu, household, number, reserve, state, probability, base,"
    " start, weight, double_ballot, callback_ballot) VALUES (:id, :wave, :psu, :household,"
    " :number, :reserve, :state, :probability, :base, :base, :base, :double_ballot,"
    " :callback_ballot)"
)


def _numbered(wave: str, rows: Iterable[Mapping[str, Any]], first: int) -> Iterator[dict[str, Any]]:
    for id, row in enumerate(rows, first):
        state = "planned" if row["reserve"] is None else "reserve"
        yield {"wave": wave, "state": state, "id": id} | dict(row)


def _seed_ballots(
    db: sqlite3.Connection, wave: str, seed: str, *, now: datetime, actor: str
) -> None:
    """Let the plan of the paper name the seed that the ballots were drawn by."""
    plan = plans.get(db, wave)
    if not plan.seed:
        plans.set(db, wave, replace(plan, seed=seed), now=now, actor=actor)


def undo(db: sqlite3.Connection, wave: str, *, reason: str, now: datetime, actor: str) -> None:
    """Take a draw back that nothing was printed or handed out of; the audit keeps its seed.

    Raises LookupError (nothing drawn), Refused ``sample_used`` (409).
    """
    with write(db):
        held = get(db, wave)
        if not held.villages_at:
            raise LookupError(wave)
        used = db.execute(
            "SELECT 1 FROM sample_case WHERE wave = :wave AND (state NOT IN ('planned', 'reserve')"
            " OR lot IS NOT NULL OR print_run IS NOT NULL OR changed_at IS NOT NULL) LIMIT 1",
            {"wave": wave},
        ).fetchone()
        moved = db.execute(
            "SELECT 1 FROM sample_psu WHERE wave = :wave AND dropped_at IS NOT NULL LIMIT 1",
            {"wave": wave},
        ).fetchone()
        doors = db.execute(
            "SELECT 1 FROM door WHERE wave = :wave AND case_id IS NOT NULL LIMIT 1",
            {"wave": wave},
        ).fetchone()
        if used or moved or doors:
            raise Refused("sample_used", 409, wave=wave)
        db.execute("DELETE FROM sample_case WHERE wave = :wave", {"wave": wave})
        db.execute("DELETE FROM sample_psu WHERE wave = :wave", {"wave": wave})
        db.execute("DELETE FROM sample_plan WHERE wave = :wave", {"wave": wave})
        _keep(db, wave, Draw(held.plan, actor=actor))
        tally.touch(db, {wave})
        detail = {"seed": held.seed, "digest": held.village_digest, "reason": reason}
        audit.append(db, at=now, actor=actor, action="sample.undo", subject=wave, detail=detail)


def rows(db: sqlite3.Connection, wave: str) -> Iterator[sqlite3.Row]:
    """The list of a sample, by stratum, village, number: what an export or a check reads."""
    return db.execute(
        "SELECT c.id, p.stratum, c.psu, p.cluster, p.certain, p.name, p.unit, p.area, c.household,"
        " c.number, c.reserve, c.state, c.replaces, c.probability, c.base, c.weight,"
        " c.double_ballot, c.callback_ballot, h.adults, h.name AS head, h.address"
        " FROM sample_case c JOIN sample_psu p ON p.wave = c.wave AND p.psu = c.psu"
        " LEFT JOIN frame_household h"
        " ON h.wave = c.wave AND h.psu = c.psu AND h.household = c.household"
        " WHERE c.wave = :wave"
        " ORDER BY p.stratum, c.psu, c.reserve IS NOT NULL, c.number, c.reserve, c.id",
        {"wave": wave},
    )


def _keep(db: sqlite3.Connection, wave: str, draw: Draw) -> None:
    stages = json.dumps(asdict(draw.plan), ensure_ascii=False, sort_keys=True)
    db.execute(
        "INSERT INTO sample_plan (wave, stages, seed, algorithm, village_digest,"
        " household_digest, villages_at, households_at, actor) VALUES (:wave, :stages, :seed,"
        " :algorithm, :village_digest, :household_digest, :villages_at, :households_at, :actor)"
        " ON CONFLICT (wave) DO UPDATE SET stages = excluded.stages, seed = excluded.seed,"
        " algorithm = excluded.algorithm, village_digest = excluded.village_digest,"
        " household_digest = excluded.household_digest, villages_at = excluded.villages_at,"
        " households_at = excluded.households_at, actor = excluded.actor",
        {"wave": wave, "stages": stages} | {k: v for k, v in asdict(draw).items() if k != "plan"},
    )
