"""How the paper of a wave is worked on: shares entered twice and called back, days, payment."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime

from survey.db import write
from survey.store import Refused, audit, waves


@dataclass(frozen=True, slots=True)
class PaperPlan:
    """The plan of one wave.

    ``double_share`` of the forms keyed by hand and ``scan_share`` of those read by the scanner
    are entered a second time; ``callback_share`` of the settled ones are asked again, with
    ``callback_items``.  Which ones they are follows from ballots drawn with the sample by
    ``seed``.  A household keeps its form ``keep_days``; ``payment`` is dong a form, 0 for none.
    """

    double_share: float = 1.0
    scan_share: float = 0.05
    callback_share: float = 0.05
    callback_items: tuple[str, ...] = ()
    keep_days: int = 2
    payment: int = 0
    seed: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what no plan can be."""
        for name in ("double_share", "scan_share", "callback_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} lies in 0..1")
        if self.keep_days < 0 or self.payment < 0:
            raise ValueError("days and payment are not below 0")


def get(db: sqlite3.Connection, wave: str) -> PaperPlan:
    """The plan of a wave, or the usual one when none was made."""
    row = db.execute(
        "SELECT double_share, scan_share, callback_share, callback_items, keep_days, payment,"
        " seed FROM paper_plan WHERE wave = :wave",
        {"wave": wave},
    ).fetchone()
    if row is None:
        return PaperPlan()
    return PaperPlan(**dict(row) | {"callback_items": tuple(json.loads(row["callback_items"]))})


def set(
    db: sqlite3.Connection, wave: str, plan: PaperPlan, *, now: datetime, actor: str
) -> PaperPlan:
    """Keep the plan of a wave.

    Raises LookupError (no such wave), or Refused ``plan_used`` (409) where the seed would change
    after ballots were drawn by it.
    """
    with write(db):
        waves.get(db, wave)
        held = get(db, wave)
        if plan == held:
            return plan
        drawn = db.execute(
            "SELECT 1 FROM sample_case WHERE wave = :wave AND double_ballot IS NOT NULL LIMIT 1",
            {"wave": wave},
        ).fetchone()
        if drawn and held.seed and plan.seed != held.seed:
            raise Refused("plan_used", 409, wave=wave)
        row = asdict(plan) | {"wave": wave, "callback_items": json.dumps(plan.callback_items)}
        db.execute(
            "INSERT INTO paper_plan (wave, double_share, scan_share, callback_share,"
            " callback_items, keep_days, payment, seed) VALUES (:wave, :double_share,"
            " :scan_share, :callback_share, :callback_items, :keep_days, :payment, :seed)"
            " ON CONFLICT (wave) DO UPDATE SET double_share = excluded.double_share,"
            " scan_share = excluded.scan_share, callback_share = excluded.callback_share,"
            " callback_items = excluded.callback_items, keep_days = excluded.keep_days,"
            " payment = excluded.payment, seed = excluded.seed",
            row,
        )
        audit.append(db, at=now, actor=actor, action="paper.plan", subject=wave, detail=row)
    return plan
