"""Why answers were flagged, counted by reason."""

from __future__ import annotations

import sqlite3


def by_reason(db: sqlite3.Connection, wave: str) -> dict[str, int]:
    """How many flagged answers of a wave carry each reason; one answer may carry several."""
    rows = db.execute(
        "SELECT reason.value AS reason, COUNT(*) AS n FROM response r, json_each(r.flags) reason"
        " WHERE r.wave = :wave AND r.state = 'flagged' GROUP BY reason.value"
        " ORDER BY n DESC, reason.value",
        {"wave": wave},
    )
    return {row["reason"]: row["n"] for row in rows}
