"""The design of a wave as other programs need it: weights, strata, index, margins."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from survey.datafiles import places
from survey.store import datafiles, weighting

if TYPE_CHECKING:
    from survey.datafiles.extract import Extract


@dataclass(frozen=True, slots=True)
class Margins:
    """What weights were fitted to: ``method``, ``bounds`` of logit, targets by column and
    category; ``trimmed``: the final weights are not quite what the method gives."""

    method: str
    bounds: tuple[float, float]
    targets: Mapping[str, Mapping[str, float]]
    trimmed: bool


@dataclass(frozen=True, slots=True)
class Design:
    """``stale``: the weights are older than the answers; ``partial``: a part of the wave.

    ``items`` with ``points`` of their levels; ``composites``: (kind, name, weights by item,
    pooled); ``experienced``: (columns that say who has dealt with an office, items asked of
    these only), None where everybody counts; ``margins`` None unless weights were fitted.
    """

    items: tuple[str, ...]
    points: tuple[float, ...]
    composites: tuple[tuple[str, str, Mapping[str, float], bool], ...]
    experienced: tuple[tuple[str, ...], tuple[str, ...]] | None
    fpc: bool
    margins: Margins | None
    partial: bool
    stale: bool

    @property
    def weight(self) -> str:
        """The column of the weights to begin with."""
        return "start" if self.margins else "weight"


def design(extract: Extract, db: sqlite3.Connection) -> Design:
    """Lay the design of an extract out; margins only where their columns are in the file."""
    from analysis import reader
    from analysis.frame import EXPERIENCE, frame
    from analysis.index import points

    wave = reader.wave(db, extract.wave.key)
    how = frame(wave, extract.questionnaire)
    scheme, levels = how.scheme, how.layout.levels
    columns = [column.id for column in extract.questionnaire.columns]
    experienced = None
    if how.base == "experienced":
        asked = tuple(columns[at] for at in how._asked)
        experienced = asked or EXPERIENCE, tuple(columns[at] for at in how._service)
    composites = tuple(
        (kind, name, {item: float(w) for item, w in zip(scheme.items, row, strict=True) if w},
         bool(pooled))
        for kind, name, row, pooled in zip(
            scheme.kinds, scheme.ids, scheme.weights, scheme.pooled, strict=True)
    )  # fmt: skip
    fpc = any(v["fpc"] for v in datafiles.villages(db, wave.key).values())
    return Design(
        items=scheme.items,
        points=tuple(float(p) for p in points(wave.index_method, levels)),
        composites=composites,
        experienced=experienced,
        fpc=fpc,
        margins=_margins(extract, db),
        stale=bool(extract.margins and weighting.stale(db, wave.key)),
        partial=bool(extract.ask.unit or extract.ask.since or extract.ask.until),
    )


def _margins(extract: Extract, db: sqlite3.Connection) -> Margins | None:
    if not extract.margins:
        return None
    made = weighting.get(db, extract.wave.key)
    if made is None or weighting.stale(db, extract.wave.key):
        return None  # whoever answered since has no margin: the weights are taken as they are
    how, report = made.settings, made.report
    targets: dict[str, dict[str, float]] = {column: {} for column in extract.margins}
    for row in report["margins"]:
        targets[places.MARGIN + row["margin"]][row["category"]] = float(row["target"])
    low, high = how.get("bounds", (0.5, 2.0))
    trimmed = bool(report.get("trimming", {}).get("rounds"))
    return Margins(how["method"], (float(low), float(high)), targets, trimmed)


def weights(extract: Extract, db: sqlite3.Connection) -> dict[str, Any]:
    """What a manifest says of the weights: of the draw, or made, with their digest."""
    if not extract.sampled:
        return {"kind": "none"}
    made = weighting.get(db, extract.wave.key)
    if made is None:
        return {"kind": "drawn"}
    kind = "fitted" if made.settings.get("margins") else "adjusted"
    return {
        "kind": kind,
        "method": made.settings.get("method", ""),
        "margins": list(made.settings.get("margins", ())),
        "digest": made.digest,
        "frozen": made.frozen_at is not None,
        "older_than_answers": weighting.stale(db, extract.wave.key),
    }
