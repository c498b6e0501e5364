"""The list of a drawn sample as a file: who is in it, by what probability, with what weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey.serials import serial

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

COLUMNS = (
    "case", "serial", "stratum", "psu", "village", "unit", "area", "household", "number",
    "reserve", "state", "replaces", "adults", "probability", "base", "weight", "cluster",
    "certain",
)  # fmt: skip
#: Personal data, written only when asked for.
NAMES = ("head", "address")


def line(row: Row, columns: Sequence[str] = COLUMNS) -> list[object]:
    """Return one case (a row of ``draws.rows``) as the cells of these columns."""
    facts = {
        "case": row["id"], "serial": serial(row["id"]), "village": row["name"],
        "replaces": serial(row["replaces"]) if row["replaces"] else "",
    }  # fmt: skip
    return [facts[name] if name in facts else row[name] for name in columns]
